"""One typed expression over a member and their history, with one meaning for one member and for ten million."""

from shequn.rules.explanation import Explanation as Explanation
from shequn.rules.explanation import Reason as Reason
from shequn.rules.rule import Rule as Rule
from shequn.rules.sources import Fact as Fact
from shequn.rules.sources import Field as Field
from shequn.rules.terms import Term as Term
from shequn.rules.terms import all_of as all_of
from shequn.rules.terms import any_of as any_of
from shequn.rules.terms import count as count
from shequn.rules.terms import days_since as days_since
from shequn.rules.terms import did as did
from shequn.rules.terms import distinct as distinct
from shequn.rules.terms import field as field
from shequn.rules.terms import first as first
from shequn.rules.terms import in_segment as in_segment
from shequn.rules.terms import last as last
from shequn.rules.terms import never as never
from shequn.rules.terms import sum as sum  # noqa: A004  (as NumPy and data frames call it)

__all__ = [
    "Explanation",
    "Fact",
    "Field",
    "Reason",
    "Rule",
    "Term",
    "all_of",
    "any_of",
    "count",
    "days_since",
    "did",
    "distinct",
    "field",
    "first",
    "in_segment",
    "last",
    "never",
    "sum",
]
