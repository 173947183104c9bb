"""What does Arrow's C interface give, and what do we give by it? No Arrow library is imported for either."""

from shequn.columns.arrow.columns import ArrowColumn as ArrowColumn
from shequn.columns.arrow.columns import Nullable as Nullable
from shequn.columns.arrow.columns import Zoned as Zoned
from shequn.columns.arrow.exporting import Field as Field
from shequn.columns.arrow.exporting import stream_of as stream_of
from shequn.columns.arrow.fields import field_of as field_of
from shequn.columns.arrow.fields import instants_field as instants_field
from shequn.columns.arrow.fields import labels_field as labels_field
from shequn.columns.arrow.fields import lists_field as lists_field
from shequn.columns.arrow.labels import coded_categories as coded_categories
from shequn.columns.arrow.labels import less as less
from shequn.columns.arrow.labels import signed as signed
from shequn.columns.arrow.reading import arrow_column as arrow_column
from shequn.columns.arrow.reading import arrow_columns as arrow_columns
from shequn.columns.arrow.reading import has_arrow as has_arrow

__all__ = [
    "ArrowColumn",
    "Field",
    "Nullable",
    "Zoned",
    "arrow_column",
    "arrow_columns",
    "coded_categories",
    "field_of",
    "has_arrow",
    "instants_field",
    "labels_field",
    "less",
    "lists_field",
    "signed",
    "stream_of",
]
