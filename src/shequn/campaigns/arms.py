"""Who was treated, who was held out, and where does the log know them?"""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, cast, runtime_checkable

import numpy as np

from shequn.columns import Roster
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, counted, message
from shequn.labels import Index
from shequn.stats._checks import items_of, plain_array

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, IntArray
    from shequn.labels import Label

__all__ = ["Dealt", "Members", "Side", "both_sides", "one_side", "universe"]


@runtime_checkable
class Dealt(Protocol):
    """Anything that says who is treated and who is held out, of which members; an audience does."""

    @property
    def members(self) -> Index:
        """The members it speaks of."""
        ...

    @property
    def treated(self) -> BoolArray:
        """Who is treated, shape (n_members,)."""
        ...

    @property
    def held_out(self) -> BoolArray:
        """Who is held out, shape (n_members,)."""
        ...


Members: TypeAlias = "ArrayLike | Iterable[Label] | Index"


class Side(NamedTuple):
    """Some members: where the log knows them, in ascending order, and the labels of those it does not know."""

    places: IntArray
    others: Index

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.places) + len(self.others)


def universe(members: Roster | Index | None, known: Index) -> Index:
    """Return the members that masks speak of: by default those of the log."""
    if members is None:
        return known
    if isinstance(members, Roster):
        return members.members
    if not isinstance(members, Index):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("members", "a Roster, an Index or None", members))
    return members


def both_sides(
    treated: Members | Dealt, held_out: Members | None, members: Roster | Index | None, known: Index
) -> tuple[Side, Side | None]:
    """Return who is treated and who is held out, None for nobody to compare with.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        One side can't be read, is empty, or some member is on both.
    """
    spoken_of = universe(members, known)
    if isinstance(treated, Dealt):
        if held_out is not None:
            raise InvalidValueError(message("held_out", "None, as `treated` says who is held out", held_out))
        spoken_of, masks = treated.members, (treated.treated, treated.held_out)
        sides = _of_mask(masks[0], spoken_of, known), _of_mask(masks[1], spoken_of, known)
        _require_somebody("treated", sides[0])
        _require_apart(*sides, known)
        return sides[0], sides[1] if sides[1].n else None
    first = one_side("treated", treated, spoken_of, known)
    if held_out is None:
        return first, None
    second = one_side("held_out", held_out, spoken_of, known)
    _require_apart(first, second, known)
    return first, second


def one_side(argument: str, given: Members, spoken_of: Index, known: Index, *, least: int = 1) -> Side:
    """Return some members, given as a mask over those that are spoken of or by their labels."""
    side = _read(argument, given, spoken_of, known)
    if least:
        _require_somebody(argument, side)
    return side


def _read(argument: str, given: Any, spoken_of: Index, known: Index) -> Side:  # noqa: ANN401
    if isinstance(given, Index):
        return _of_labels(argument, given, known)
    expected = "a mask over the members, or labels of members"
    if isinstance(given, str | bytes):
        raise InvalidTypeError(message(argument, expected, given))
    if isinstance(given, np.ndarray) or _starts_with_flag(given):
        array = plain_array(argument, cast("object", given), expected=expected)
        if array.dtype == np.bool_:
            if array.shape != (len(spoken_of),):
                wanted = f"one flag for each of the {len(spoken_of)} members"
                raise MisalignedError(message(argument, wanted, f"an array of shape {array.shape}"))
            return _of_mask(array, spoken_of, known)
        return _of_labels(argument, Index(array, argument=argument), known)
    labels = items_of(argument, given, expected=expected)
    # A set has no order of its own.
    ordered = sorted(labels, key=str) if isinstance(given, Set) else labels
    return _of_labels(argument, Index(ordered, argument=argument), known)


def _starts_with_flag(given: object) -> bool:
    if not isinstance(given, list | tuple):
        return False
    first: object = next(iter(cast("list[object]", given)), None)
    return isinstance(first, bool | np.bool_)


def _of_mask(mask: BoolArray, spoken_of: Index, known: Index) -> Side:
    chosen = np.flatnonzero(mask)
    if spoken_of is known or spoken_of.aligns_with(known):
        return Side(chosen.astype(np.int64, copy=False), Index())
    _require_type("members", spoken_of, known)
    places = known.places_of(spoken_of).take(chosen)
    return _side(places, spoken_of, chosen)


def _of_labels(argument: str, labels: Index, known: Index) -> Side:
    _require_type(argument, labels, known)
    return _side(known.places_of(labels), labels, np.arange(len(labels)))


def _side(places: Any, labels: Index, chosen: Any) -> Side:  # noqa: ANN401
    is_known = places >= 0
    # In order, so that what is added up does not depend on the order that labels came in.
    return Side(np.sort(places[is_known]).astype(np.int64), labels.take(chosen[~is_known]))


def _require_type(argument: str, labels: Index, known: Index) -> None:
    # Otherwise the number 7 of a customer table is nobody that a log with "7" knows, and did nothing.
    if len(labels) and len(known) and labels.is_text != known.is_text:
        known.union(labels, argument=argument)


def _require_somebody(argument: str, side: Side) -> None:
    if not side.n:
        hint = "; leave it out where nobody was held out" if argument == "held_out" else ""
        raise InvalidValueError(message(argument, "at least one member", "nobody") + hint)


def _require_apart(first: Side, second: Side, known: Index) -> None:
    twice = np.intersect1d(first.places, second.places, assume_unique=True)
    others = first.others.places_of(second.others) >= 0
    bad = len(twice) + int(np.count_nonzero(others))
    if bad:
        member = known[int(twice[0])] if len(twice) else second.others[int(np.argmax(others))]
        expected = "members that are not treated as well"
        raise InvalidValueError(message("held_out", expected, member) + f" ({bad} of {counted(second.n, 'member')})")
