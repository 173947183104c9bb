"""What is known of members, and of which sort is each: what a rule is checked against before it is asked."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  (who resolves the annotations of a record finds them)
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from shequn.labels import Index  # noqa: TC001
from shequn.stats._checks import flag, one_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FieldType", "Schema", "Sort"]

Sort: TypeAlias = Literal["number", "label", "tags", "instant"]


def _sort(sort: Sort) -> Sort:
    one_of("sort", sort, ("number", "label", "tags", "instant"))
    return sort


def _is_ordered(is_ordered: bool) -> bool:
    return flag("is_ordered", is_ordered)


@attrs.frozen(kw_only=True)
class FieldType:
    """What sort of values a field holds.

    Parameters
    ----------
    sort : {"number", "label", "tags", "instant"}
    labels : Index, optional
        The labels of a field of labels; where `is_ordered`, from the lowest to the highest.
    is_ordered : bool, default False
        Whether the order of the labels means something.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An option has a type or value that cannot be used.

    Examples
    --------
    >>> FieldType(sort="number")
    FieldType(sort='number', labels=None, is_ordered=False)
    """

    sort: Sort = attrs.field(converter=_sort)
    labels: Index | None = None
    is_ordered: bool = attrs.field(default=False, converter=_is_ordered)


def _frozen_types(fields: Mapping[str, FieldType]) -> Mapping[str, FieldType]:
    return MappingProxyType(dict(fields))


@attrs.frozen(kw_only=True)
class Schema:
    """The fields of a roster, by name, and of which sort each is; see `Roster.schema`.

    Parameters
    ----------
    fields : mapping of str to FieldType

    Examples
    --------
    >>> from shequn.columns import Roster
    >>> schema = Roster.from_columns(member=["ann"], fields={"age": [30]}, tags={"interests": [{"tea"}]}).schema
    >>> {name: field.sort for name, field in schema.fields.items()}
    {'member': 'label', 'joined': 'instant', 'age': 'number', 'interests': 'tags'}
    """

    fields: Mapping[str, FieldType] = attrs.field(converter=_frozen_types, hash=False)

    def __reduce__(self) -> tuple[Callable[..., Schema], tuple[dict[str, FieldType]]]:
        """Pickle the mapping as a plain one."""
        return _schema_of, (dict(self.fields),)


def _schema_of(fields: dict[str, FieldType]) -> Schema:
    return Schema(fields=fields)
