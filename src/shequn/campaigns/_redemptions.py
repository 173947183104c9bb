"""How many of the rewards that were given out were used, what did they cost, and what may still be claimed?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.campaigns.tally import Counted, counts_of
from shequn.columns import EventLog
from shequn.columns.kinds import UnknownKinds, of_kinds
from shequn.columns.readonly import by_fields, counts_field
from shequn.columns.table import Column, Tabular
from shequn.entities import EventKind, RewardKind
from shequn.entities.campaign import Campaign
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError, message, suggest
from shequn.stats._checks import instance, level_in_unit, whole
from shequn.stats.intervals import wilson
from shequn.values import Money
from shequn.values.instants import from_us, instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Mapping, Sequence

    from shequn._typing import IntArray
    from shequn.columns.table import Lang
    from shequn.entities import Reward

__all__ = ["RedemptionRow", "Redemptions", "redemptions"]

_REDEEM = frozenset({EventKind.REDEEM.value})
_MOST = 2**63 - 1


class RedemptionRow(NamedTuple):
    """One reward of `Redemptions`; money is in minor units.

    Examples
    --------
    >>> row = RedemptionRow("tea", RewardKind.COUPON, 100, 25, 0.25, 0.1755, 0.343, 12_500, 37_500)
    >>> row.liability
    37500
    """

    reward: str
    kind: RewardKind
    issued: int
    redeemed: int
    rate: float
    lower: float
    upper: float
    cost: int
    liability: int


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Redemptions(Tabular[RedemptionRow]):
    """How many of each reward were given out and used, one row a reward; made by `redemptions`.

    Attributes
    ----------
    campaign : Campaign
        Its rewards are the n rows.
    issued, redeemed : ndarray of int64, shape (n,)
        How many were given out, and how many of them were used.
    as_of_us : int
        Up to when, in microseconds since 1970-01-01T00:00Z.
    level : float, default 0.95
        Confidence level of the Wilson intervals.

    Examples
    --------
    >>> import pendulum
    >>> from shequn.entities import Reward
    >>> from shequn.values import Window
    >>> opens = pendulum.datetime(2024, 9, 10)
    >>> autumn = Campaign(
    ...     id="autumn", forms={"lottery"}, window=Window(opens, opens.add(days=7)),
    ...     rewards=[Reward(kind="coupon", cost=Money.of(5, "CNY"), quantity=100, name="tea")],
    ... )
    >>> print(Redemptions(campaign=autumn, issued=[100], redeemed=[25], as_of_us=0))
    reward  kind    issued  redeemed   rate  lower  upper    cost  may come
    ───────────────────────────────────────────────────────────────────────
    tea     coupon     100        25  25.0%  17.5%  34.3%  125.00    375.00
    As of 1970-01-01 00:00 UTC; money in CNY.
    """

    campaign: Campaign
    issued: IntArray = counts_field()
    redeemed: IntArray = counts_field()
    as_of_us: int
    level: float = attrs.field(default=0.95, converter=level_in_unit)

    _Row: ClassVar[type[Any] | None] = RedemptionRow

    def __attrs_post_init__(self) -> None:
        """Check that there is one number for each reward, and none used that was not given out."""
        instance("campaign", self.campaign, Campaign, expected="a Campaign")
        n = len(self.campaign.rewards)
        for name in ("issued", "redeemed"):
            column = getattr(self, name)
            if column.shape != (n,):
                raise MisalignedError(message(name, f"one for each of the {n} rewards", f"shape {column.shape}"))
        for reward, issued, redeemed in zip(
            self.campaign.rewards, self.issued.tolist(), self.redeemed.tolist(), strict=True
        ):
            if not 0 <= redeemed <= issued:
                expected = f"between 0 and the {issued:,} of {reward.name!r} that were issued"
                raise InvalidValueError(message("redeemed", expected, redeemed))
            if reward.cost.minor * issued > _MOST:
                expected = f"a number of {reward.name!r} whose cost fits 64 bits with sign"
                raise InvalidValueError(message("issued", expected, issued))

    @property
    def cost(self) -> Money | None:
        """What the rewards that were used cost, exactly; None without rewards."""
        return self._money(self.redeemed)

    @property
    def liability(self) -> Money | None:
        """What those given out and not used may still cost, exactly; None without rewards."""
        return self._money(self.issued - self.redeemed)

    def _money(self, numbers: IntArray) -> Money | None:
        total: Money | None = None
        for reward, number in zip(self.campaign.rewards, numbers.tolist(), strict=True):
            each = reward.cost * number
            total = each if total is None else total + each
        return total

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        shown = list(self._tidy())
        names = {"cost": ("cost", "已发生成本"), "liability": ("may come", "待兑成本")}
        digits = [
            Column(
                key=column.key,
                en=names[column.key][0],
                zh=names[column.key][1],
                values=np.fromiter(
                    (
                        f"{Money(int(minor), reward.cost.currency).major:,f}"
                        for minor, reward in zip(column.values.tolist(), self.campaign.rewards, strict=True)
                    ),
                    dtype=object,
                    count=len(self.issued),
                ),
                format="number",
            )
            for column in shown[-2:]
        ]
        return [*shown[:-2], *digits]

    def _tidy(self) -> Sequence[Column]:
        rewards = self.campaign.rewards
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = self.redeemed / self.issued
        lower, upper = wilson(self.redeemed, self.issued, level=self.level)
        cost = [reward.cost.minor * n for reward, n in zip(rewards, self.redeemed.tolist(), strict=True)]
        open_ones = (self.issued - self.redeemed).tolist()
        liability = [reward.cost.minor * n for reward, n in zip(rewards, open_ones, strict=True)]
        return [
            Column(key="reward", en="reward", zh="奖励", values=_objects([reward.name for reward in rewards])),
            Column(key="kind", en="kind", zh="类型", values=_objects([reward.kind for reward in rewards])),
            Column(key="issued", en="issued", zh="发放", values=self.issued, format="count"),
            Column(key="redeemed", en="redeemed", zh="兑换", values=self.redeemed, format="count"),
            Column(key="rate", en="rate", zh="兑换率", values=rate, format="rate"),
            Column(key="lower", en="lower", zh="下限", values=lower, format="rate"),
            Column(key="upper", en="upper", zh="上限", values=upper, format="rate"),
            Column(key="cost", en="cost", zh="成本", values=_whole(cost), format="number"),
            Column(key="liability", en="liability", zh="待兑", values=_whole(liability), format="number"),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        at, currency = f"{from_us(self.as_of_us):%Y-%m-%d %H:%M} UTC", self.campaign.currency
        return [f"截至 {at}；金额单位 {currency}。" if lang == "zh" else f"As of {at}; money in {currency}."]

    def __repr__(self) -> str:
        """Show how many were used."""
        return f"Redemptions({int(self.redeemed.sum()):,} of {int(self.issued.sum()):,} redeemed)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def redemptions(
    log: EventLog,
    campaign: Campaign,
    /,
    *,
    as_of: dt.datetime,
    issued: Mapping[str, int] | None = None,
    kinds: Collection[str] | str = _REDEEM,
    level: float = 0.95,
    unknown_kinds: UnknownKinds = "ignore",
) -> Redemptions:
    """Count how many of each reward were used, and what those still open may cost.

    Parameters
    ----------
    log : EventLog
        Each row of `kinds` whose item is a reward's name is one reward used.
    campaign : Campaign
        Its rewards, each with a name of its own.
    as_of : aware datetime
        Rows from the start of the campaign up to it, itself included, count: a coupon may be used after the end.
    issued : mapping of a reward's name to int, optional
        How many were given out; where it is not named, the reward's quantity.
    kinds : collection of str, default "redeem"
        Kinds of event that use a reward.
    level : float, default 0.95
        Confidence level.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    Redemptions

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used: a reward has no name or the name of another, or more were used than given out.
    UnknownLabelError
        `issued` names no reward.

    References
    ----------
    S3 §5.3, §4.1, row T10 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> from shequn.entities import Reward
    >>> from shequn.values import Window
    >>> opens = pendulum.datetime(2024, 9, 10)
    >>> autumn = Campaign(
    ...     id="autumn", forms={"lottery"}, window=Window(opens, opens.add(days=7)),
    ...     rewards=[Reward(kind="coupon", cost=Money.of(5, "CNY"), quantity=100, name="tea")],
    ... )
    >>> log = EventLog.from_columns(member=["ann", "bo"], kind="redeem", at=[opens, opens], item=["tea", "tea"])
    >>> used = redemptions(log, autumn, as_of=opens.add(days=30), issued={"tea": 8})
    >>> print(used.cost, used.liability)
    10.00 CNY 30.00 CNY
    """
    instance("log", log, EventLog, expected="an EventLog")
    instance("campaign", campaign, Campaign, expected="a Campaign")
    as_of_us = instant_us(as_of, argument="as_of")
    names = _names(campaign.rewards)
    rows = Counted(
        log=log,
        kinds=of_kinds(log, kinds, argument="kinds", unknown_kinds=unknown_kinds),
        start_us=campaign.window.start_us,
        end_us=as_of_us + 1,
    )
    return Redemptions(
        campaign=campaign,
        issued=_issued(campaign.rewards, names, issued),
        redeemed=_whole([_used(rows, name) for name in names]),
        as_of_us=as_of_us,
        level=level,
    )


def _names(rewards: Sequence[Reward]) -> list[str]:
    names: list[str] = []
    for row, reward in enumerate(rewards):
        if reward.name is None or reward.name in names:
            raise InvalidValueError(message("campaign.rewards", "rewards with a name of their own", reward, row=row))
        names.append(reward.name)
    return names


def _issued(rewards: Sequence[Reward], names: list[str], issued: Mapping[str, int] | None) -> IntArray:
    given: dict[str, int] = {}
    if issued is not None:
        try:
            given = {name: whole("issued", number) for name, number in issued.items()}
        except AttributeError:
            raise InvalidTypeError(message("issued", "a mapping of a reward's name to a number", issued)) from None
    for name, number in given.items():
        if name not in names:
            raise UnknownLabelError(message("issued", "names of rewards", name) + suggest(name, names))
        if number < 0:
            raise InvalidValueError(message("issued", "a number of rewards of 0 or more", number))
    numbers = [given.get(name, reward.quantity) for name, reward in zip(names, rewards, strict=True)]
    for number in numbers:
        if number > _MOST:
            raise InvalidValueError(message("issued", "a number of rewards below 2**63", number))
    return _whole(numbers)


def _used(rows: Counted, name: str) -> int:
    item = rows.log.item
    if item is None or name not in item.index:
        return 0
    meant = np.zeros(len(item.index) + 1, dtype=np.bool_)
    meant[item.index.code(name)] = True
    return int(counts_of(attrs.evolve(rows, items=meant)).sum())


def _whole(numbers: list[int]) -> IntArray:
    return np.array(numbers, dtype=np.int64)


def _objects(values: Sequence[object]) -> Any:  # noqa: ANN401
    return np.fromiter(values, dtype=object, count=len(values))
