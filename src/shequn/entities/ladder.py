"""Which tier has each member reached, and who keeps a tier that they would no longer reach?

With e what a member earned in the caller's window (not a balance, which spending lowers)::

    reached = the highest tier with e >= enter
    held    = the highest tier with e >= leave
    tier    = the current one, raised to `reached` where that is higher, lowered to `held` where that is lower

where no tier is lower than every tier. In each tier `leave` is at most `enter`, so that `reached` is never above
`held`, and it does not fall from tier to tier: who falls had all tiers below as well, and keeps the highest of them
that still holds.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.entities.placement import Placement
from shequn.entities.tier import Tier
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError, message, suggest
from shequn.labels import Assignment, Index
from shequn.stats._checks import array_of, items_of, plain, refuse
from shequn.values import Band

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray
    from shequn.labels import Label

__all__ = ["TierLadder"]

_INT64 = np.iinfo(np.int64)
_FITS = "integers that fit 64 bits with sign"


def _ascending(tiers: Iterable[Tier]) -> tuple[Tier, ...]:
    given = items_of("tiers", tiers, expected="a collection of Tier")
    for row, tier in enumerate(given):
        if not isinstance(tier, Tier):
            raise InvalidTypeError(message("tiers", "a collection of Tier", tier, row=row))
    return tuple(sorted(given, key=_by_rank))


def _by_rank(tier: Tier) -> int:
    return tier.rank


@attrs.frozen(kw_only=True)
class TierLadder(Doors):
    """Tiers in ascending order, and the rule by which members climb and fall (会员等级).

    Parameters
    ----------
    tiers : iterable of Tier
        At least one; kept in the order of their ranks.

    Raises
    ------
    InvalidTypeError
        An item is no Tier, or codes of `str` and `int` are mixed.
    InvalidValueError
        There is no tier, a rank or a code stands twice, thresholds to enter don't rise with the rank, or thresholds
        to leave fall.

    See Also
    --------
    TierLadder.of : the short way to make one.

    Notes
    -----
    With e earned, let *reached* be the highest tier with ``e >= enter`` and *held* the highest with ``e >= leave``.
    A member without a tier gets the one reached. Who has one keeps it, unless the one reached is higher, or the one
    held is lower: then that. So a tier is entered at `enter` and lost below `leave`, and who falls passes the tiers
    below by the same rule. Below all of them is no tier.

    References
    ----------
    S3 §5.3, row A12 and §3 of the domain table: tiers come from what was earned in a window, not from the balance;
    Discourse's trust levels keep who stays above 0.9 of the requirement.

    Examples
    --------
    >>> ladder = TierLadder.of({"普通": 0, "银卡": 1_000, "金卡": 5_000}, leave=0.9)
    >>> placement = ladder.place(earned=1_200)
    >>> placement.code, placement.gap
    ('银卡', 3800)
    >>> tiers = ladder.place_all({"ann": 4_620, "bo": 10})
    >>> tiers.of("ann"), tiers.of("bo"), tiers.ordered
    ('银卡', '普通', True)
    """

    tiers: tuple[Tier, ...] = attrs.field(converter=_ascending)

    def __attrs_post_init__(self) -> None:
        """Check how the tiers follow each other."""
        if not self.tiers:
            raise InvalidValueError(message("tiers", "at least one tier", self.tiers))
        for lower, tier in pairwise(self.tiers):
            _require_order(lower, tier)
        codes = [tier.code for tier in self.tiers]
        distinct, _ = Index.encode(codes, argument="tiers")
        if len(distinct) < len(codes):
            raise InvalidValueError(message("tiers", "each code once", codes))

    @classmethod
    def of(cls, thresholds: Mapping[Any, float], /, *, leave: float | Fraction = 0.9) -> TierLadder:
        """Build from what each tier takes to enter, lowest first.

        Parameters
        ----------
        thresholds : mapping of code to number
            Rising; integers are compared exactly.
        leave : float or Fraction, default 0.9
            Low-water mark: the share of its entry below which a tier is lost, in [0, 1]; 1 for no band.

        Returns
        -------
        TierLadder
            With ranks 0, 1, 2, …

        Raises
        ------
        InvalidTypeError
            An argument is not what it should be.
        InvalidValueError
            Thresholds don't rise, or `leave` is not in [0, 1].

        Notes
        -----
        The threshold to leave is ``leave * enter``, where a float share is the decimal that it prints as (0.9 is
        nine tenths). Where all thresholds are integers it is rounded up to the next one, so that integers are
        compared with integers; else to the nearest float. Where `enter` is 0 or less there is no band.

        Examples
        --------
        >>> [tier.threshold.leave for tier in TierLadder.of({"silver": 1_005, "gold": 5_000}).tiers]
        [905, 4500]
        """
        if not isinstance(thresholds, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("thresholds", "a mapping of code to number", thresholds))
        share = _share(leave)
        enters = [_finite(enter) for enter in thresholds.values()]
        are_whole = all(isinstance(enter, int) for enter in enters)
        bands = [_band(enter, share, are_whole=are_whole) for enter in enters]
        return cls(
            tiers=[
                Tier(code=code, rank=rank, threshold=band)
                for rank, (code, band) in enumerate(zip(thresholds, bands, strict=True))
            ]
        )

    def place(self, *, earned: float, current: str | int | None = None) -> Placement:
        """Place one member.

        Parameters
        ----------
        earned : int or float
            What they earned, in the unit of the thresholds.
        current : str or int, optional
            Code of the tier they are in, None for none.

        Returns
        -------
        Placement
            The tier, the next one, what is missing, and why.

        Raises
        ------
        InvalidTypeError
            `earned` is not a number.
        InvalidValueError
            `earned` is NaN.
        UnknownLabelError
            `current` is no tier of this ladder.

        Notes
        -----
        The rule is in the notes of `TierLadder`; `place_all` is the same for many.

        Examples
        --------
        >>> TierLadder.of({"silver": 1_000, "gold": 5_000}).place(earned=4_600, current="gold").code
        'gold'
        """
        number = _earned_number(earned)
        before = self._rung(current)
        reached = sum(number >= tier.threshold.enter for tier in self.tiers) - 1
        held = sum(number >= tier.threshold.leave for tier in self.tiers) - 1
        now = min(max(before, reached), held)
        return Placement(
            earned=number,
            tier=self._tier(now),
            previous=self._tier(before),
            next_tier=self._tier(now + 1),
        )

    def place_all(
        self,
        earned: ArrayLike | Mapping[Any, float],
        /,
        *,
        current: Assignment | ArrayLike | Sequence[Label | None] | None = None,
        members: Index | ArrayLike | None = None,
    ) -> Assignment:
        """Place many members at once.

        Parameters
        ----------
        earned : array_like of int or float, shape (n,), or mapping of member to number
            What each earned, in the unit of the thresholds. Integers are compared exactly; a column that mixes both
            is read as float64.
        current : Assignment or array_like of codes, shape (n,), optional
            The tier each is in; None or NaN for none. An Assignment must be over the same members, and may have its
            tiers in another order.
        members : Index or array_like, shape (n,), optional
            Who they are. By default the keys of the mapping, else the members of `current`, else unnamed rows.

        Returns
        -------
        Assignment
            Ordered, over the tiers' codes from the lowest to the highest; -1 for no tier.

        Raises
        ------
        InvalidTypeError
            `earned` is not made of numbers, or `members` come with a mapping.
        InvalidValueError
            `earned` has a NaN, an integer that does not fit 64 bits, or more than one dimension.
        UnknownLabelError
            `current` has a tier that this ladder doesn't.
        MisalignedError
            `earned`, `current` and `members` are not of the same members.

        Notes
        -----
        The rule is in the notes of `TierLadder`. Equal to `place` for each member.

        Examples
        --------
        >>> ladder = TierLadder.of({"silver": 1_000, "gold": 5_000})
        >>> ladder.place_all([4_600, 4_600, 0], current=["gold", "silver", "gold"]).labels().tolist()
        ['gold', 'silver', None]
        """
        amounts = _earned_column(list(earned.values()) if isinstance(earned, Mapping) else earned)
        index = _members_of(earned, current, members, len(amounts))
        reached = _highest(amounts, [tier.threshold.enter for tier in self.tiers])
        tiers = Index([tier.code for tier in self.tiers])
        if current is None:
            codes = reached
        else:
            held = _highest(amounts, [tier.threshold.leave for tier in self.tiers])
            codes = np.clip(_current_codes(current, index, tiers), reached, held)
        return Assignment(members=index, codes=codes, segments=tiers, ordered=True)

    def _tier(self, rung: int) -> Tier | None:
        return self.tiers[rung] if 0 <= rung < len(self.tiers) else None

    def _rung(self, code: str | int | None) -> int:
        if code is None:
            return -1
        codes = [tier.code for tier in self.tiers]
        if isinstance(code, bool) or not isinstance(plain(code), str | int) or code not in codes:
            raise UnknownLabelError(message("current", _one_of(codes), code) + suggest(code, codes))
        return codes.index(code)


def _require_order(lower: Tier, tier: Tier) -> None:
    if tier.rank == lower.rank:
        raise InvalidValueError(message("tiers", "each rank once", tier.rank) + f" for {tier.code!r}")
    if tier.threshold.enter <= lower.threshold.enter:
        expected = f"a threshold to enter above {lower.threshold.enter}, that of {lower.code!r}"
        raise InvalidValueError(message("tiers", expected, tier.threshold.enter) + f" for {tier.code!r}")
    if tier.threshold.leave < lower.threshold.leave:
        expected = f"a threshold to leave of at least {lower.threshold.leave}, that of {lower.code!r}"
        raise InvalidValueError(message("tiers", expected, tier.threshold.leave) + f" for {tier.code!r}")


def _one_of(codes: Iterable[object]) -> str:
    return f"None or one of the tiers {', '.join(map(repr, codes))}"


# --- thresholds ---


def _share(leave: float | Fraction) -> Fraction:
    number = plain(leave)
    if isinstance(number, bool) or not isinstance(number, int | float | Fraction):
        raise InvalidTypeError(message("leave", "a number in [0, 1]", leave))
    if not 0 <= number <= 1:
        raise InvalidValueError(message("leave", "a number in [0, 1]", leave))
    return Fraction(str(number))


def _finite(enter: object) -> float:
    number = plain(enter)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise InvalidTypeError(message("thresholds", "finite numbers", enter))
    if not abs(number) <= sys.float_info.max:
        raise InvalidValueError(message("thresholds", "finite numbers", enter))
    return number


def _band(enter: float, share: Fraction, *, are_whole: bool) -> Band:
    if enter <= 0:
        return Band(enter)
    leave = Fraction(str(enter)) * share
    return Band(enter, math.ceil(leave) if are_whole else float(leave))


# --- one number, and columns of them ---


def _earned_number(earned: object) -> float:
    number = plain(earned)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise InvalidTypeError(message("earned", "a number", earned))
    if isinstance(number, float) and math.isnan(number):
        raise InvalidValueError(message("earned", "a number other than NaN", earned))
    return number


def _earned_column(earned: ArrayLike) -> NDArray[Any]:
    """Return the column as int64 or float64, with no NaN."""
    column = array_of("earned", earned, kinds="iufO", expected="numbers")
    if column.ndim != 1:
        raise InvalidValueError(message("earned", "a 1-D column of numbers", f"an array of shape {column.shape}"))
    if column.dtype.kind == "f" and isinstance(earned, list | tuple):
        # NumPy reads integers as floats where one is negative and one is 2**63 or more.
        column = np.array(earned, dtype=object)
    if column.dtype.kind == "O":
        column = _from_objects(column)
    if column.dtype.kind in "iu":
        too_large = column > _INT64.max
        if too_large.any():
            refuse("earned", _FITS, column, too_large)
        return column.astype(np.int64, copy=False)
    amounts = column.astype(np.float64, copy=False)
    if np.isnan(amounts).any():
        refuse("earned", "numbers other than NaN", amounts, np.isnan(amounts))
    return amounts


def _from_objects(column: NDArray[Any]) -> NDArray[Any]:
    numbers = [plain(value) for value in column.tolist()]
    bad = np.array([isinstance(x, bool) or not isinstance(x, int | float) for x in numbers], dtype=np.bool_)
    if bad.any():
        row = int(np.argmax(bad))
        raise InvalidTypeError(
            message("earned", "numbers", column[row], row=row, bad=int(np.count_nonzero(bad)), total=len(bad))
        )
    if any(isinstance(x, float) for x in numbers):
        return np.array(numbers, dtype=np.float64)
    over = np.array([not _INT64.min <= cast("int", x) <= _INT64.max for x in numbers], dtype=np.bool_)
    if over.any():
        refuse("earned", _FITS, column, over)
    return np.array(numbers, dtype=np.int64)


def _highest(amounts: NDArray[Any], thresholds: list[float]) -> NDArray[np.intp]:
    """Return the position of the highest of the ascending thresholds that each amount has reached, -1 for none."""
    if amounts.dtype == np.int64:
        # An integer reaches t when it reaches the next integer from t on; a threshold beyond 64 bits is out of reach.
        whole = [_INT64.min if t < _INT64.min else math.ceil(t) for t in thresholds if t <= _INT64.max]
        bounds: NDArray[Any] = np.array(whole, dtype=np.int64)
    else:
        bounds = np.array([_float_from(t) for t in thresholds], dtype=np.float64)
    return np.searchsorted(bounds, amounts, side="right") - 1


def _float_from(threshold: float) -> float:
    """Return the least float that is not below a threshold, which may be an integer beyond 2**53."""
    nearest = float(threshold)
    return nearest if nearest >= threshold else math.nextafter(nearest, math.inf)


# --- who they are, and where they were ---


def _members_of(
    earned: ArrayLike | Mapping[Any, float],
    current: Assignment | ArrayLike | Sequence[Label | None] | None,
    members: Index | ArrayLike | None,
    n: int,
) -> Index:
    if isinstance(earned, Mapping):
        if members is not None:
            raise InvalidTypeError(message("members", "None, since `earned` is a mapping and names them,", members))
        return Index(list(earned))
    if members is not None:
        index = members if isinstance(members, Index) else Index(members)
    else:
        index = current.members if isinstance(current, Assignment) else Index.positional(n)
    if len(index) != n:
        raise MisalignedError(message("earned", f"one number for each of the {len(index)} members", n) + " numbers")
    return index


def _current_codes(
    current: Assignment | ArrayLike | Sequence[Label | None], members: Index, tiers: Index
) -> NDArray[np.int32]:
    """Return the position in `tiers` of the tier each member is in, -1 for none."""
    if isinstance(current, Assignment):
        members.require_aligned(current.members, argument="current")
        found, codes = current.segments, current.codes
    else:
        found, codes = Index.encode(current, argument="current", nulls=True)
        if len(codes) != len(members):
            raise MisalignedError(
                message("current", f"one tier for each of the {len(members)} members", len(codes)) + " tiers"
            )
    position = np.append(tiers.codes_of(found.labels), np.int32(-1))
    unknown: BoolArray = (codes >= 0) & (position[codes] < 0)
    if unknown.any():
        row = int(np.argmax(unknown))
        label = found[int(codes[row])]
        text = message("current", _one_of(tiers), label, row=row, bad=int(np.count_nonzero(unknown)), total=len(codes))
        raise UnknownLabelError(text + suggest(label, tiers))
    return position[codes]
