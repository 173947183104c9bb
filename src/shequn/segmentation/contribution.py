"""Who contributes most: high, mid and low value by shares of the whole (ABC, Pareto)?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

import attrs
import numpy as np

from shequn.columns.numbers import exact_sum, to_numbers
from shequn.columns.readonly import by_fields, frozen, read_only
from shequn.columns.table import Column
from shequn.entities.taxonomies import EventKind
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, message
from shequn.labels import Index
from shequn.segmentation.layered import Layers, ValueLayer, assigned_to
from shequn.segmentation.member_facts import MemberFacts, kinds_of, window_us
from shequn.stats._checks import items_of, plain, refuse

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, FloatArray
    from shequn.columns import EventLog, Roster
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.table import Lang
    from shequn.labels import Assignment, Label

__all__ = ["ValueLayers", "ValueRow", "value_layers"]

_PURCHASE = (EventKind.PURCHASE.value,)
_INVITE = (EventKind.INVITE.value,)
_SHARES = (0.8, 0.95)
_EXACT = 2**53


def value_layers(
    roster: Roster,
    log: EventLog,
    /,
    *,
    as_of: dt.datetime,
    within: dt.timedelta | None = None,
    kinds: Collection[str] | str = _PURCHASE,
    referral_kinds: Collection[str] | str = _INVITE,
    per_referral: float = 0,
    also: ArrayLike | None = None,
    shares: tuple[float, float] = _SHARES,
    unknown_kinds: UnknownKinds = "warn",
) -> ValueLayers:
    """Put each member into the layer high, mid or low, by what they contribute.

    Parameters
    ----------
    roster : Roster
        The members that are asked about. Who has no row in the log contributed nothing by it.
    log : EventLog
        Their rows; those of others don't count.
    as_of : aware datetime
        Rows at this instant or before it are known.
    within : timedelta, optional
        The window (as_of - within, as_of]; by default from the beginning.
    kinds : collection of str, default purchase
        Kinds whose `value` is spending.
    referral_kinds : collection of str, default invite
        Kinds of which each row is a referral.
    per_referral : int or float, default 0
        What a referral is worth, in the unit of `value`.
    also : array_like of numbers, shape (n_members,), optional
        What else each member contributes, in that unit: loyalty, say, in years since joining times a worth. NaN is
        unknown.
    shares : (float, float), default (0.8, 0.95)
        The two lines, rising in [0, 1].
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind named here that the log does not know; those named by default need not occur.

    Returns
    -------
    ValueLayers
        The layer of each member, with the numbers behind it. Who has a contribution that is not known is in none.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
        An option can't be used; the log has no values, or an infinite one; a sum of integers does not fit 64 bits.

    See Also
    --------
    ValueLayers.of : The same from contributions that are known already.

    Notes
    -----
    Contribution = spending + per_referral × referrals + also. Integers (money in minor units) are summed and compared
    exactly.

    With c the contribution of a member, C the sum of all positive ones, and S the share of C contributed by those who
    contribute *more*, the layers under the default `shares` are::

        high  c > 0 and S < 0.8
        mid   c > 0 and 0.8 <= S < 0.95
        low   the others

    S depends on c alone, so that members who contribute alike are in one layer, whatever their order. Who crosses a
    line is above it: the one member with nine tenths of everything is of high value.

    References
    ----------
    S3 §5.1, row T9 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> import shequn as sq
    >>> log = sq.EventLog.from_columns(
    ...     member=["ann", "bo", "cy", "ann"],
    ...     kind="purchase",
    ...     at=[0, 1, 2, 3],
    ...     time_unit="s",
    ...     value=[700, 150, 50, 100],
    ... )
    >>> roster = sq.Roster.from_columns(member=["ann", "bo", "cy", "dee"])
    >>> layers = value_layers(roster, log, as_of=pendulum.datetime(1970, 1, 2))
    >>> layers.assignment.labels().tolist()
    ['high', 'mid', 'low', 'low']
    >>> print(layers.explain("bo"))
    bo: mid: contributes 150; those who contribute more have 80.0% of the whole (high below 80%, mid below 95%)
    """
    facts = MemberFacts.of(roster, log, as_of, unknown_kinds)
    within_us = None if within is None else window_us("within", within)
    worth = _worth(per_referral)
    spending, referring = kinds_of("kinds", kinds), kinds_of("referral_kinds", referral_kinds)
    is_spending = facts.kinds(spending, argument="kinds", named=kinds is not _PURCHASE)
    is_referral = facts.kinds(referring, argument="referral_kinds", named=referral_kinds is not _INVITE)
    parts: list[NDArray[Any]] = [facts.total(facts.rows(is_spending, within_us))]
    if worth:
        parts.append(_times(facts.count(facts.rows(is_referral, within_us)), worth))
    if also is not None:
        more = _one_each("also", to_numbers(also, argument="also"), roster.members)
        parts.append(more)
    return ValueLayers.of(_summed(parts), members=roster.members, shares=shares)


def _worth(per_referral: float) -> float:
    number = plain(per_referral)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise InvalidTypeError(message("per_referral", "a number", per_referral))
    if isinstance(number, float) and not math.isfinite(number):
        raise InvalidValueError(message("per_referral", "a finite number", per_referral))
    return number


def _times(counted: NDArray[np.int64], worth: float) -> NDArray[Any]:
    most = int(counted.max(initial=0))
    if isinstance(worth, int) and abs(worth) * most >= 2**63:
        raise InvalidValueError(message("per_referral", f"a worth of which {most} fit 64 bits", worth))
    return counted * worth


def _summed(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the sum of the parts: of integers exactly, or not at all."""
    if all(part.dtype.kind == "i" for part in parts):
        bound = sum(float(np.abs(part.astype(np.float64)).max(initial=0.0)) for part in parts)
        if bound >= 2**62:
            raise InvalidValueError(message("contribution", "sums below 2**62", bound))
    total = parts[0]
    with np.errstate(over="ignore"):
        for part in parts[1:]:
            total = total + part
    return total


def _one_each(argument: str, numbers: NDArray[Any], members: Index) -> NDArray[Any]:
    if len(numbers) != len(members):
        expected = f"one number for each of the {len(members)} members"
        raise MisalignedError(message(argument, expected, len(numbers)) + " numbers")
    return numbers


def _lines(shares: Sequence[float | Fraction]) -> tuple[Fraction, Fraction]:
    given = [plain(share) for share in items_of("shares", shares, expected="two numbers")]
    for share in given:
        if isinstance(share, bool) or not isinstance(share, int | float | Fraction):
            raise InvalidTypeError(message("shares", "two numbers", share))
    if len(given) != 2 or not 0 <= cast("float", given[0]) <= cast("float", given[1]) <= 1:  # noqa: PLR2004
        raise InvalidValueError(message("shares", "two rising numbers in [0, 1]", shares))
    first, second = (Fraction(str(share)) for share in given)
    return first, second


class ValueRow(NamedTuple):
    """One member; the names are those of `ValueLayers`.

    Attributes
    ----------
    member : str or int
    layer : ValueLayer or None
        None where the contribution is not known.
    contribution : int or float
    share_above : float

    Examples
    --------
    >>> ValueRow(member="ann", layer=ValueLayer.HIGH, contribution=800, share_above=0.0).layer.zh
    '高价值'
    """

    member: Label
    layer: ValueLayer | None
    contribution: float
    share_above: float


@attrs.frozen(kw_only=True, repr=False)
class ValueLayers(Layers[ValueRow]):
    """Who is of high, mid or low value; made by `value_layers`, or by `of` from contributions that are known.

    Attributes
    ----------
    assignment : Assignment
        The layer of each of the n members: ``low``, ``mid``, ``high``, in this order; none where it is not known.
    contribution : ndarray of int64 or float64, shape (n,)
        What each contributes.
    shares : tuple of Fraction
        The two lines.

    Examples
    --------
    >>> print(ValueLayers.of({"ann": 800, "bo": 150, "cy": 50, "dee": 0}))
    layer  members  share  contribution  share of it
    ────────────────────────────────────────────────
    high         1  25.0%           800        80.0%
    mid          1  25.0%           150        15.0%
    low          2  50.0%            50         5.0%
    """

    assignment: Assignment
    contribution: NDArray[Any] = attrs.field(
        converter=read_only, eq=attrs.cmp_using(eq=lambda a, b: np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
    )
    shares: tuple[Fraction, Fraction] = attrs.field(converter=_lines)

    _Layer: ClassVar[type[ValueLayer]] = ValueLayer  # pyright: ignore[reportIncompatibleVariableOverride]
    _Row: ClassVar[type[Any] | None] = ValueRow

    @classmethod
    def of(
        cls,
        contribution: ArrayLike | Mapping[Any, float],
        /,
        *,
        members: Index | ArrayLike | None = None,
        shares: tuple[float, float] = _SHARES,
    ) -> ValueLayers:
        """Build from what each member contributes.

        Parameters
        ----------
        contribution : array_like of numbers, shape (n,), or mapping of member to number
            NaN and None are unknown; what is negative (a refund) counts as nothing.
        members : Index or array_like, shape (n,), optional
            Who they are; by default the keys of the mapping, else unnamed rows.
        shares : (float, float), default (0.8, 0.95)
            The two lines.

        Returns
        -------
        ValueLayers

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            Contributions are no numbers, infinite, or not one a member; their sum does not fit 64 bits.

        Examples
        --------
        >>> ValueLayers.of([5, 5, 5, 5], shares=(0.5, 0.8)).assignment.sizes()
        {'low': 0, 'mid': 0, 'high': 4}
        """
        column: Any = contribution
        index = members if isinstance(members, Index) or members is None else Index(members, argument="members")
        if isinstance(contribution, Mapping):
            if index is not None:
                expected = "None, since `contribution` is a mapping and names them"
                raise InvalidTypeError(message("members", expected, members))
            index, column = Index(list(contribution), argument="contribution"), list(contribution.values())
        numbers = to_numbers(column, argument="contribution")
        index = Index.positional(len(numbers)) if index is None else index
        _one_each("contribution", numbers, index)
        if numbers.dtype.kind == "f" and np.isinf(numbers).any():
            refuse("contribution", "finite numbers", numbers, np.isinf(numbers))
        lines = _lines(shares)
        above, total = _contributed_above(numbers, numbers)
        codes = _codes(numbers, above, total, lines)
        return cls(assignment=assigned_to(index, ValueLayer, codes), contribution=numbers, shares=lines)

    @property
    def total(self) -> int | float:
        """What all members contribute together, refunds and unknown contributions left out."""
        return _contributed_above(self.contribution[:0], self.contribution)[1]

    @property
    def share_above(self) -> FloatArray:
        """Share of the whole that those have who contribute more, shape (n,); NaN where it is not known."""
        above, total = _contributed_above(self.contribution, self.contribution)
        known = ~np.isnan(self.contribution.astype(np.float64)) & (total > 0)
        return frozen(np.divide(above, float(total), out=np.full(len(self), np.nan), where=known))

    def place_one(self, *, contribution: float) -> ValueLayer | None:
        """Return the layer of one member with this contribution beside those of all, by the same rule.

        Examples
        --------
        >>> ValueLayers.of([800, 150, 50, 0]).place_one(contribution=150)
        <ValueLayer.MID: 'mid'>
        """
        number = to_numbers([contribution], argument="contribution")
        if np.isinf(number.astype(np.float64)).any():
            raise InvalidValueError(message("contribution", "a finite number", contribution))
        above, total = _contributed_above(number, self.contribution)
        code = int(_codes(number, above, total, self.shares)[0])
        return None if code < 0 else list(ValueLayer)[code]

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        layers = [*range(len(ValueLayer))][::-1] + [-1] * bool(self.assignment.n_unassigned)
        positive = np.maximum(np.nan_to_num(self.contribution), 0) if len(self) else self.contribution
        sums = [exact_sum(positive[self.assignment.codes == code], argument="contribution") for code in layers]
        share = [float(part) / float(self.total) if self.total else math.nan for part in sums]
        return [
            *super(ValueLayers, self)._columns(lang),
            Column(key="contribution", en="contribution", zh="贡献", values=sums, format="number"),
            Column(key="share_of_it", en="share of it", zh="贡献占比", values=share, format="rate"),
        ]

    def _evidence(self) -> Sequence[Column]:
        return [
            Column(key="contribution", en="contribution", zh="贡献", values=self.contribution, format="number"),
            Column(key="share_above", en="share above", zh="以上占比", values=self.share_above, format="rate"),
        ]

    def _why(self, place: int, lang: Lang, /) -> str:
        number, above = self.contribution[place].item(), float(self.share_above[place])
        if number != number:  # noqa: PLR0124  (NaN)
            return _UNKNOWN[lang]
        if number <= 0 or above != above:  # noqa: PLR0124
            return _NOTHING[lang].format(number=number)
        high, mid = (f"{float(100 * share):g}%" for share in self.shares)
        return _TOLD[lang].format(number=number, above=above, high=high, mid=mid)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


_UNKNOWN: dict[Lang, str] = {"en": "what this member contributes is not known", "zh": "贡献未知"}
_NOTHING: dict[Lang, str] = {"en": "contributes {number:,}, which is nothing", "zh": "贡献 {number:,}，视为无贡献"}
_TOLD: dict[Lang, str] = {
    "en": "contributes {number:,}; those who contribute more have {above:.1%} of the whole "
    "(high below {high}, mid below {mid})",
    "zh": "贡献 {number:,}；贡献更多者合占 {above:.1%}（低于 {high} 为高，低于 {mid} 为中）",
}


def _contributed_above(asked: NDArray[Any], everybody: NDArray[Any]) -> tuple[NDArray[Any], int | float]:
    """Return what those contribute who contribute more than each one asked about, and the whole."""
    positive = everybody[everybody > 0]
    with np.errstate(over="ignore"):
        whole = exact_sum(positive, argument="contribution")
    if not math.isfinite(whole):
        raise InvalidValueError(message("contribution", "numbers whose sum is finite", math.inf))
    values, sizes = np.unique(positive, return_counts=True)
    from_here = np.append(np.cumsum((values * sizes)[::-1])[::-1], values.dtype.type(0))
    return from_here[np.searchsorted(values, asked, side="right")], from_here[0].item()


def _codes(
    numbers: NDArray[Any], above: NDArray[Any], total: float, lines: tuple[Fraction, Fraction]
) -> NDArray[np.int8]:
    """Return the position in `ValueLayer` of each contribution, -1 where it is not known."""
    codes = np.zeros(len(numbers), dtype=np.int8)
    for share in lines[::-1]:
        # Of integers a sum is below a line exactly when it is below the next integer from the line on.
        line = math.ceil(share * total) if isinstance(total, int) else float(share) * total
        codes += _positive(numbers) & (above < line)
    codes[np.isnan(numbers.astype(np.float64))] = -1
    return codes


def _positive(numbers: NDArray[Any]) -> BoolArray:
    return np.asarray(numbers > 0)
