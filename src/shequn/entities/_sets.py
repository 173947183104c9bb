"""How is a field that holds a set brought into one form: a tuple whose order doesn't depend on how it was given?"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from shequn.entities._fields import tag_sets
from shequn.errors import InvalidValueError, message
from shequn.stats._checks import items_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shequn.entities.taxonomies import Taxonomy
    from shequn.labels import Label

__all__ = ["label_set", "taxa"]

T = TypeVar("T", bound="Taxonomy")

_NONE: tuple[Label, ...] = ()


def label_set(argument: str, labels: Iterable[Label]) -> tuple[Label, ...]:
    """Return labels, each once, in ascending order."""
    if isinstance(labels, tuple) and not labels:
        return _NONE
    given = items_of(argument, labels, expected="a set of labels")
    if any(isinstance(label, str) and not label for label in given):
        raise InvalidValueError(message(argument, "labels that are not empty", ""))
    return tag_sets("", {argument: given})[argument]


def taxa(argument: str, taxonomy: type[T], labels: Iterable[T | str]) -> tuple[T, ...]:
    """Return values of a taxonomy, at least one, each once, in the order of the taxonomy."""
    given = items_of(argument, labels, expected=f"a collection of {taxonomy.__name__}")
    if not given:
        raise InvalidValueError(message(argument, f"at least one {taxonomy.__name__}", labels))
    found = {taxonomy.from_label(label, argument=f"{argument}[{row}]") for row, label in enumerate(given)}
    return tuple(value for value in taxonomy if value in found)
