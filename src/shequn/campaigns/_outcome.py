"""Did the campaign pay, and would it have happened anyway?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, get_args

import attrs
import numpy as np

from shequn.campaigns.arm import Arm, Before, Change
from shequn.campaigns.arms import both_sides
from shequn.campaigns.moments import covariance, root, skewness, total
from shequn.campaigns.outcomes import Outcome
from shequn.campaigns.tally import Counted, counts_of, seen, spent
from shequn.columns import EventLog
from shequn.columns.kinds import UnknownKinds, of_kinds
from shequn.columns.summed import summed_column
from shequn.entities import EventKind
from shequn.entities.campaign import Campaign
from shequn.errors import InvalidValueError, UnknownLabelError, message
from shequn.stats._checks import instance, items_of, one_of
from shequn.values import Money, Window
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection
    from fractions import Fraction

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.campaigns.arms import Dealt, Members, Side
    from shequn.campaigns.outcomes import Attribution
    from shequn.columns import Roster
    from shequn.labels import Coded, Index, Label

__all__ = ["Covariate", "outcome"]

Covariate: TypeAlias = Literal["revenue", "activity"]

_RECEIVE = frozenset({EventKind.RECEIVE.value})
_PURCHASE = frozenset({EventKind.PURCHASE.value})
_REDEEM = frozenset({EventKind.REDEEM.value})
_CLOCK_CHANGE_US = 3_600_000_000


def outcome(
    log: EventLog,
    campaign: Campaign,
    /,
    *,
    treated: Members | Dealt,
    held_out: Members | None = None,
    members: Roster | Index | None = None,
    margin: float,
    as_of: dt.datetime,
    cost: Money | None = None,
    intended: float | None = None,
    baseline: Window | None = None,
    covariate: Covariate = "revenue",
    reached_kinds: Collection[str] | str = _RECEIVE,
    participated_kinds: Collection[str] | str | None = None,
    converted_kinds: Collection[str] | str | None = None,
    revenue_kinds: Collection[str] | str = _PURCHASE,
    redeemed_kinds: Collection[str] | str = _REDEEM,
    items: Collection[Label] | None = None,
    value: str | None = "value",
    currency: str | None = None,
    currency_column: str | None = None,
    level: float = 0.95,
    unknown_kinds: UnknownKinds = "ignore",
) -> Outcome:
    r"""Tell what a campaign brought about: reach, participation, conversion, revenue and return, each with an interval.

    Parameters
    ----------
    log : EventLog
    campaign : Campaign
        Its window tells which rows count, its goal which kinds are a conversion.
    treated : mask, labels or Audience
        Whom the campaign was for, whether it reached them or not: a mask over `members`, labels of members, or what
        `segmentation.audience` returned, which says who was held out as well.
    held_out : mask or labels, optional
        Whom it left alone at random. Without it, conversion and revenue are compared with `baseline`.
    members : Roster or Index, optional
        Whom masks speak of, by default ``log.members``.
    margin : float
        Share of revenue left when the goods are paid for, in [0, 1].
    as_of : aware datetime
        Rows up to it, itself included, are known; not before the campaign begins.
    cost : Money, optional
        What the campaign cost. By default that of the rewards which the treated redeemed in its window, a row a reward:
        rows whose item is the reward's name, and of the only reward also rows of the campaign's own items or of none.
        Not known where the campaign has no rewards.
    intended : float, optional
        Share of members of both arms who were to be treated, to check the arms' sizes by.
    baseline : Window, optional
        A time before the campaign: of what members did in it comes the adjustment (CUPED) and, where it is as long as
        the campaign, the comparison with before. Until the campaign is over, as much of it counts as has passed.
    covariate : {"revenue", "activity"}, default "revenue"
        What revenue is adjusted by: the member's revenue in the baseline, or their number of active rows.
    reached_kinds, participated_kinds, converted_kinds, revenue_kinds, redeemed_kinds : collection of str
        Kinds of event: receive; any activity; those of the goal, without one purchase; purchase; redeem.
    items : collection of labels, optional
        Items of the campaign's own rows, which tell reach and participation. By default the campaign's id and the names
        of its rewards; where no row carries the id, any row in the window counts, and `attribution` says so.
    value : str or None, default "value"
        Column of revenue in whole minor units (分). None leaves money out.
    currency : str, optional
        Of the values, ISO 4217; by default that of the campaign, or of `cost`.
    currency_column : str, optional
        Column that tells the currency of each row; rows of revenue must all be in the one.
    level : float, default 0.95
        Confidence level.
    unknown_kinds : {"warn", "ignore", "raise"}, default "ignore"
        What to do about a kind that the log does not know; of a campaign it may be that nobody converted.

    Returns
    -------
    Outcome

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
        An argument can't be used: a member is in both arms, an arm is empty, the margin negative, money is in two
        currencies or not in whole minor units, the baseline doesn't end before the campaign, or there is no holdout and
        the baseline has another length.

    Notes
    -----
    A row counts with start <= at < end of the window and at <= `as_of`. Members whom the log doesn't know did nothing
    and count with zeros: leaving them out would compare the active only.

    With arms of n and m members, means :math:`\bar y` of revenue and margin g, cost c:

    - uplift of conversion: difference of shares, Newcombe's interval;
    - discussion heat: rows of taking part per member, Welch's interval of the difference;
    - uplift of revenue per member: :math:`\bar y_T - \bar y_H`, Welch's interval; incremental revenue is n times it;
    - ROI: (n × uplift × g - c) / c, whose interval is that of the uplift.

    Adding up is done in integers. An effect that grows out of talk between treated and held-out members is not seen.

    References
    ----------
    S3 §4.4, row I10 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> from shequn.columns import EventLog
    >>> opens = pendulum.datetime(2024, 9, 10)
    >>> week = Campaign(
    ...     id="mid-autumn", forms={"lottery"}, window=Window(opens, opens.add(days=7)), budget=Money.of(500, "CNY")
    ... )
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "cy", "dee"], kind="purchase", at=[opens] * 4, value=[9_900, 4_900, 2_900, 1_900]
    ... )
    >>> found = outcome(
    ...     log, week, treated=["ann", "bo", "eve"], held_out=["cy", "dee", "fay"], margin=0.4,
    ...     cost=Money.of(20, "CNY"), as_of=opens.add(days=7),
    ... )
    >>> print(found.incremental_revenue.value, f"{found.roi.value:.0%}")
    100.00 CNY 100%
    """
    instance("log", log, EventLog, expected="an EventLog")
    instance("campaign", campaign, Campaign, expected="a Campaign")
    one_of("covariate", covariate, get_args(Covariate))
    start_us, end_us = _known_part(campaign.window, as_of)
    sides = both_sides(treated, held_out, members, log.members)
    earlier = _earlier(baseline, campaign.window, end_us - start_us, has_holdout=sides[1] is not None)
    own_items = _own_items(log, campaign, items)
    options = {
        "reached_kinds": reached_kinds,
        "participated_kinds": participated_kinds,
        "converted_kinds": _conversion(campaign, converted_kinds),
        "revenue_kinds": revenue_kinds,
        "redeemed_kinds": redeemed_kinds,
    }
    kinds = {name: of_kinds(log, given, argument=name, unknown_kinds=unknown_kinds) for name, given in options.items()}
    money = _Revenue.of(log, campaign, value, currency, currency_column, cost)
    rows = Counted(log=log, kinds=kinds["converted_kinds"], start_us=start_us, end_us=end_us)
    tally = _Tally.of(rows, kinds, own_items, money, None if earlier is None else (earlier, covariate))
    if cost is None and campaign.rewards:
        redeemed = attrs.evolve(rows, kinds=kinds["redeemed_kinds"])
        cost = _redeemed(campaign, redeemed, own_items, sides[0].places)
    attribution: Attribution = "window" if own_items is None else "items"
    return Outcome(
        campaign=campaign,
        treated=tally.arm(sides[0]),
        held_out=None if sides[1] is None else tally.arm(sides[1]),
        as_of=as_of,
        margin=margin,
        cost=cost,
        intended=intended,
        baseline=baseline,
        level=level,
        attribution=attribution,
    )


# ── what was asked ───────────────────────────────────────────────────────────────────────────────────────────────────


def _known_part(window: Window, as_of: dt.datetime) -> tuple[int, int]:
    """Return the start of the window, and the end of what is known of it."""
    as_of_us = instant_us(as_of, argument="as_of")
    if as_of_us < window.start_us:
        raise InvalidValueError(message("as_of", f"an instant after the campaign began ({window.start})", str(as_of)))
    return window.start_us, min(window.end_us, as_of_us + 1)


class _Stretch(NamedTuple):
    """The part of the baseline that counts, and whether it is as long as what is known of the campaign."""

    start_us: int
    end_us: int
    is_comparable: bool


def _earlier(baseline: Window | None, window: Window, known_us: int, *, has_holdout: bool) -> _Stretch | None:
    if baseline is None:
        return None
    instance("baseline", baseline, Window, expected="a Window or None")
    if baseline.end_us > window.start_us:
        raise InvalidValueError(message("baseline", f"a window that ends before {window.start}", baseline))
    length, wanted = baseline.end_us - baseline.start_us, window.end_us - window.start_us
    # Weeks of local days differ by an hour where clocks are changed.
    if abs(length - wanted) > _CLOCK_CHANGE_US:
        if not has_holdout:
            expected = f"a window as long as the campaign ({window.duration.in_words()})"
            text = message("baseline", expected, baseline.duration.in_words())
            raise InvalidValueError(text + "; without a holdout it is what the campaign is compared with")
        return _Stretch(baseline.start_us, baseline.end_us, is_comparable=False)
    end_us = baseline.end_us if known_us == wanted else min(baseline.end_us, baseline.start_us + known_us)
    return _Stretch(baseline.start_us, end_us, is_comparable=True)


def _conversion(campaign: Campaign, kinds: Collection[str] | str | None) -> Collection[str] | str:
    if kinds is not None:
        return kinds
    return _PURCHASE if campaign.goal is None else campaign.goal.kinds


def _own_items(log: EventLog, campaign: Campaign, items: Collection[Label] | None) -> BoolArray | None:
    """Return which of the log's items are the campaign's own; None where rows of any item count."""
    if items is None:
        if log.item is None or campaign.id not in log.item.index:
            return None
        named = [campaign.id, *(reward.name for reward in campaign.rewards if reward.name is not None)]
    else:
        named = items_of("items", items, expected="labels of items")
        if log.item is None:
            raise UnknownLabelError(message("items", "None, for a log without items", items))
    found = np.zeros(len(log.item.index) + 1, dtype=np.bool_)
    for label in named:
        if label in log.item.index:
            found[log.item.index.code(label)] = True
    return found


@attrs.frozen(eq=False)
class _Revenue:
    """What is summed: a column of the log, the currency of its values, and the column that tells that of each row."""

    values: NDArray[Any] | None
    currency: str
    told: Coded | None

    @classmethod
    def of(  # noqa: PLR0917
        cls,
        log: EventLog,
        campaign: Campaign,
        value: str | None,
        currency: str | None,
        currency_column: str | None,
        cost: Money | None,
    ) -> _Revenue | None:
        """Return it, or None where money is not counted."""
        values = summed_column(log, value)
        if value is None:
            return None
        if cost is not None:
            instance("cost", cost, Money, expected='Money, such as Money.of("500", "CNY")')
        if currency is not None:
            known = Money(0, currency).currency
            if campaign.currency not in {None, known}:
                raise InvalidValueError(message("currency", f"{campaign.currency}, as of the campaign", currency))
        elif campaign.currency is not None:
            known = campaign.currency
        elif cost is not None:
            known = cost.currency
        else:
            text = message("currency", "the ISO 4217 code of the log's values, such as 'CNY'", None)
            raise InvalidValueError(text + "; the campaign has neither budget nor rewards. value=None leaves money out")
        told = None
        if currency_column is not None:
            told = log.labelled_column(currency_column, argument="currency_column")
        return cls(values, known, told)

    def spent(self, rows: Counted) -> IntArray:
        """Return the sum of each member, in minor units."""
        if self.values is None:  # an empty log
            return np.zeros(len(rows.log.members), dtype=np.int64)
        return spent(rows, self.values, None if self.told is None else (self.told, self.currency))


# ── what members did ─────────────────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen(eq=False)
class _Tally:
    """What each member of the log did in the window and before, and from that what an arm did."""

    reached: BoolArray
    actions: IntArray
    converted: BoolArray
    revenue: IntArray | None
    converted_before: BoolArray | None
    revenue_before: IntArray | None
    covariate: IntArray | None
    is_comparable: bool
    currency: str

    @classmethod
    def of(
        cls,
        rows: Counted,
        kinds: dict[str, BoolArray],
        own_items: BoolArray | None,
        money: _Revenue | None,
        earlier: tuple[_Stretch, Covariate] | None,
    ) -> _Tally:
        """Count the rows of a log."""
        own = attrs.evolve(rows, items=own_items)
        paid = attrs.evolve(rows, kinds=kinds["revenue_kinds"])
        converted_before = revenue_before = covariate = None
        if earlier is not None:
            (start_us, end_us, _), by = earlier
            past = attrs.evolve(rows, start_us=start_us, end_us=end_us)
            converted_before = seen(past)
            if money is not None:
                revenue_before = money.spent(attrs.evolve(past, kinds=kinds["revenue_kinds"]))
            covariate = revenue_before
            if by == "activity":
                covariate = counts_of(attrs.evolve(past, kinds=of_kinds(rows.log, None)))
        return cls(
            reached=seen(attrs.evolve(own, kinds=kinds["reached_kinds"])),
            actions=counts_of(attrs.evolve(own, kinds=kinds["participated_kinds"])),
            converted=seen(rows),
            revenue=None if money is None else money.spent(paid),
            converted_before=converted_before,
            revenue_before=revenue_before,
            covariate=covariate,
            is_comparable=earlier is not None and earlier[0].is_comparable,
            currency="" if money is None else money.currency,
        )

    def arm(self, side: Side) -> Arm:
        """Return what some members did, together."""
        revenue = None if self.revenue is None else self.revenue.take(side.places)
        actions = self.actions.take(side.places)
        return Arm(
            members=side.n,
            reached=_number(self.reached, side),
            participated=int(np.count_nonzero(actions)),
            converted=_number(self.converted, side),
            actions=total(actions),
            actions_sd=root(covariance(actions, actions, side.n)),
            revenue=self._money(revenue),
            revenue_sd=math.nan if revenue is None else root(covariance(revenue, revenue, side.n)),
            revenue_skewness=math.nan if revenue is None else skewness(revenue, side.n),
            before=self._before(side, revenue),
        )

    def _before(self, side: Side, revenue: IntArray | None) -> Before | None:
        if self.converted_before is None:
            return None
        before, covariate = (
            None if values is None else values.take(side.places) for values in (self.revenue_before, self.covariate)
        )
        moments: dict[str, float] = {}
        if covariate is not None and revenue is not None:
            together = covariance(covariate, revenue, side.n)
            moments = {
                "covariate_mean": total(covariate) / side.n,
                "covariate_sd": root(covariance(covariate, covariate, side.n)),
                "covariance": math.nan if together is None else float(together),
            }
        change = None
        if self.is_comparable:
            change = Change(
                gained=_number(self.converted & ~self.converted_before, side),
                lost=_number(self.converted_before & ~self.converted, side),
                sd=math.nan if before is None or revenue is None else root(_variance_of_gap(revenue, before, side.n)),
            )
        return Before(
            converted=_number(self.converted_before, side), revenue=self._money(before), change=change, **moments
        )

    def _money(self, amounts: IntArray | None) -> Money | None:
        return None if amounts is None else Money(total(amounts), self.currency)


def _number(flags: BoolArray, side: Side) -> int:
    return int(np.count_nonzero(flags.take(side.places)))


def _variance_of_gap(first: IntArray, second: IntArray, n: int) -> Fraction | None:
    """Return the variance of one number less another, whose difference need not fit 64 bits."""
    of_first, of_second, both = (covariance(a, b, n) for a, b in ((first, first), (second, second), (first, second)))
    if of_first is None or of_second is None or both is None:
        return None
    return of_first + of_second - 2 * both


# ── what it cost ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _redeemed(campaign: Campaign, rows: Counted, own_items: BoolArray | None, places: IntArray) -> Money:
    """Return the cost of the rewards that some members redeemed: each row that counts is one reward."""
    item = rows.log.item
    rewards = list(campaign.rewards)
    if item is None or len(rewards) == 1:
        if len(rewards) > 1:
            raise _untold()
        only = rewards[0]
        meant = None
        if item is not None:
            meant = np.append(
                own_items[:-1] if own_items is not None else np.zeros(len(item.index), dtype=np.bool_), True
            )
            if only.name is not None and only.name in item.index:
                meant[item.index.code(only.name)] = True
        return only.cost * _times(rows, meant, places)
    names = [reward.name for reward in rewards if reward.name is not None]
    if len(set(names)) < len(rewards):
        raise _untold()
    total = Money(0, rewards[0].cost.currency)
    for name, reward in zip(names, rewards, strict=True):
        meant = np.zeros(len(item.index) + 1, dtype=np.bool_)
        if name in item.index:
            meant[item.index.code(name)] = True
        total += reward.cost * _times(rows, meant, places)
    return total


def _times(rows: Counted, items: BoolArray | None, places: IntArray) -> int:
    return int(counts_of(attrs.evolve(rows, items=items)).take(places).sum())


def _untold() -> InvalidValueError:
    text = message("cost", "Money, as the log does not tell which reward was redeemed", None)
    return InvalidValueError(f"{text}; name each reward, and let `item` of the rows say it")
