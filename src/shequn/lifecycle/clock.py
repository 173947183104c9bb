"""How much time is left to earn with a community (商业红利期), and is what it earns enough?"""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Final, cast

import attrs
import numpy as np
import pendulum

from shequn._doors import Doors
from shequn.columns.table import Column, Tabular
from shequn.entities import Community
from shequn.errors import InvalidTypeError, InvalidValueError, counted, message
from shequn.stats._checks import instance, one_of, whole
from shequn.values.instants import from_us, instant_us
from shequn.values.money import Money
from shequn.values.zones import zone_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shequn.columns.table import Lang

__all__ = ["MONETISATION_WINDOW", "MonetisationClock", "monetisation_clock"]

MONETISATION_WINDOW: Final = pendulum.duration(months=24)
"""In which a community has to earn its money: two years (S1 §三(二), row N5 of the domain table)."""

_MOST_MONTHS: Final = 1200
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def monetisation_clock(
    created: dt.datetime | Community,
    /,
    *,
    as_of: dt.datetime,
    window: dt.timedelta = MONETISATION_WINDOW,
    revenue: Money | None = None,
    target: Money | None = None,
    tz: str | dt.tzinfo | None = None,
) -> MonetisationClock:
    """Tell how much of the time to earn has gone by, and which monthly revenue reaches a target in the rest.

    Parameters
    ----------
    created : aware datetime or Community
        When the community began; a community brings its time zone.
    as_of : aware datetime
        When is asked, not before.
    window : duration, default 24 months
        How long the time to earn is: months and years alone, up to a century.
    revenue : Money, optional
        Earned from `created` to `as_of`.
    target : Money, optional
        To be earned by the end of the window; more than 0, in the currency of `revenue`.
    tz : str or tzinfo, optional
        Zone on whose clocks months are counted; that of `created` by default.

    Returns
    -------
    MonetisationClock

    Raises
    ------
    InvalidTypeError
        An argument is of another type; a target came without a revenue.
    InvalidValueError
        `as_of` is before `created`, the window holds days or hours, is empty or longer than a century, or the amounts
        can't be used.

    References
    ----------
    S1 §三(二), row N5 of the domain table.

    Examples
    --------
    >>> from pendulum import datetime
    >>> clock = monetisation_clock(
    ...     datetime(2023, 1, 31, tz="Asia/Shanghai"), as_of=datetime(2024, 7, 31, tz="Asia/Shanghai"),
    ...     revenue=Money.of(36_000, "CNY"), target=Money.of(60_000, "CNY"),
    ... )
    >>> clock.months_left, str(clock.required_per_month), str(clock.earned_per_month)
    (Fraction(6, 1), '4000.00 CNY', '2000.00 CNY')
    >>> clock.breached_at.isoformat(), clock.reached_at.isoformat()
    ('2025-01-31T00:00:00+08:00', '2025-07-31T00:00:00+08:00')
    """
    if isinstance(created, Community):
        start, tz = _aware("created", created.created), created.tz if tz is None else tz
    else:
        start = _aware("created", created)
    return MonetisationClock(
        created=start if tz is None else from_us(instant_us(start), zone_name(tz)),
        as_of=as_of,
        months=_months(window),
        revenue=revenue,
        target=target,
    )


def _months(window: object) -> int:
    expected = f"a duration of months or years alone, up to {_MOST_MONTHS // 12} years, such as duration(months=24)"
    if not isinstance(window, dt.timedelta):
        raise InvalidTypeError(message("window", expected, window))
    years, months = (window.years, window.months) if isinstance(window, pendulum.Duration) else (0, 0)
    total = int(years * 12 + months)
    if not 1 <= total <= _MOST_MONTHS or window != pendulum.duration(years=years, months=months):
        raise InvalidValueError(message("window", expected, window))
    return total


def _aware(argument: str, value: object) -> pendulum.DateTime:
    """Return an aware datetime as one that knows how to add months."""
    us = instant_us(value, argument=argument)  # type: ignore[arg-type]  # which checks it
    return from_us(us, zone_name(cast("Any", value).tzinfo))


def _exact_us(at: pendulum.DateTime) -> int:
    """Return microseconds since 1970, also of instants after those that columns hold: a window may end there."""
    # The difference of the base class is exact.
    return dt.datetime.__sub__(at, _EPOCH) // dt.timedelta(microseconds=1)


def _created(created: dt.datetime) -> pendulum.DateTime:
    return _aware("created", created)


def _as_of(as_of: dt.datetime) -> pendulum.DateTime:
    return _aware("as_of", as_of)


def _whole_months(months: int) -> int:
    number = whole("months", months)
    if not 1 <= number <= _MOST_MONTHS:
        raise InvalidValueError(message("months", f"1 to {_MOST_MONTHS:,}", months))
    return number


@attrs.frozen(kw_only=True, repr=False)
class MonetisationClock(Doors, Tabular[Any]):
    """How much of the time to earn has gone by, and what it takes in the rest; made by `monetisation_clock`.

    Attributes
    ----------
    created, as_of : pendulum.DateTime
        `created` is in the zone on whose clocks months are counted.
    months : int
        Length of the window.
    revenue, target : Money or None

    Notes
    -----
    Month k ends k calendar months after `created`, at the same local time, on the last day of a month that is too short
    (31 August and 6 months: 28 or 29 February). Of a month that is not over, the share that has gone by counts: a
    fraction of its own length, exact to the microsecond.

    Examples
    --------
    >>> from pendulum import datetime
    >>> clock = MonetisationClock(created=datetime(2024, 1, 1), as_of=datetime(2025, 7, 1), months=24)
    >>> print(clock.table(lang="zh"))
    已过   已过月数  剩余月数  窗口结束
    ─────────────────────────────────────
    75.0%     18.00      6.00  2026-01-01
    24 个月的窗口已过 75.0%，距 2026-01-01 还剩 6.0 个月
    """

    created: pendulum.DateTime = attrs.field(converter=_created)
    as_of: pendulum.DateTime = attrs.field(converter=_as_of)
    months: int = attrs.field(converter=_whole_months)
    revenue: Money | None = None
    target: Money | None = None

    def __attrs_post_init__(self) -> None:
        for name in ("revenue", "target"):
            if getattr(self, name) is not None:
                instance(name, getattr(self, name), Money, expected="Money")
        if instant_us(self.as_of) < instant_us(self.created):
            raise InvalidValueError(message("as_of", f"an instant not before created ({self.created})", self.as_of))
        if self.target is not None:
            if self.revenue is None:
                raise InvalidTypeError(message("revenue", "Money, to be held against the target", None))
            if self.target.currency != self.revenue.currency:
                raise InvalidValueError(message("target", f"Money in {self.revenue.currency}", self.target))
            if self.target.minor <= 0:
                raise InvalidValueError(message("target", "more than 0", self.target))

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def ends_at(self) -> pendulum.DateTime:
        """End of the window."""
        return self._after(self.months)

    @property
    def months_elapsed(self) -> Fraction:
        """Calendar months since `created`, exactly; more than `months` where the window is over."""
        at_us = instant_us(self.as_of)
        whole_months = (self.as_of.year - self.created.year) * 12 + self.as_of.month - self.created.month + 1
        while self._after_us(whole_months) > at_us:
            whole_months -= 1
        start_us = self._after_us(whole_months)
        return whole_months + Fraction(at_us - start_us, self._after_us(whole_months + 1) - start_us)

    @property
    def months_left(self) -> Fraction:
        """Calendar months until the end of the window, exactly; 0 where it is over."""
        return max(self.months - self.months_elapsed, Fraction(0))

    @property
    def elapsed_share(self) -> float:
        """Share of the window that has gone by, up to 1."""
        return float(min(self.months_elapsed / self.months, Fraction(1)))

    @property
    def is_over(self) -> bool:
        """Whether the window has ended."""
        return self.months_left == 0

    def _after(self, months: int) -> pendulum.DateTime:
        return self.created.add(months=months)

    def _after_us(self, months: int) -> int:
        return _exact_us(self._after(months))

    # ── money ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def missing(self) -> Money | None:
        """What is missing to the target, 0 where it is reached; None without a target."""
        if self.target is None or self.revenue is None:
            return None
        return max(self.target - self.revenue, Money(0, self.target.currency))

    @property
    def required_per_month(self) -> Money | None:
        """What has to be earned a month from now on, rounded up to the minor unit: (target − revenue) / months left.

        None without a target, or where the window is over and something is missing.
        """
        missing = self.missing
        if missing is None or (missing and self.is_over):
            return None
        return Money(ceil(missing.minor / self.months_left), missing.currency) if missing else missing

    @property
    def earned_per_month(self) -> Money | None:
        """What was earned a month, rounded down: revenue / months elapsed; None without revenue or time."""
        if self.revenue is None or not self.months_elapsed:
            return None
        return Money(floor(self.revenue.minor / self.months_elapsed), self.revenue.currency)

    @property
    def reached_at(self) -> pendulum.DateTime | None:
        """When the target is reached if as much is earned a month as until now, or `as_of` where it is reached.

        None where that can't be said, is never, or is more than a century after `created`.
        """
        missing = self.missing
        if missing is None or self.target is None or self.revenue is None:
            return None
        if not missing:
            return self.as_of
        if self.revenue.minor <= 0 or not self.months_elapsed:
            return None
        months = self.months_elapsed * Fraction(self.target.minor, self.revenue.minor)
        if months > _MOST_MONTHS:
            return None
        start_us = self._after_us(floor(months))
        length_us = self._after_us(floor(months) + 1) - start_us
        return from_us(start_us + ceil((months - floor(months)) * length_us), self.created.tzinfo or "UTC")

    @property
    def breached_at(self) -> pendulum.DateTime | None:
        """When the target will have been missed, the end of the window, if as much is earned a month as until now.

        None where it will be reached, or nothing can be said.
        """
        if self.missing is None or not (self.missing and (self.is_over or self.months_elapsed)):
            return None
        reached_at = self.reached_at
        if reached_at is not None and _exact_us(reached_at) <= _exact_us(self.ends_at):
            return None
        return self.ends_at

    # ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def explain(self, *, lang: Lang = "en") -> str:
        """Say how the clock stands.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            There is no such language.

        Examples
        --------
        >>> from pendulum import datetime
        >>> MonetisationClock(created=datetime(2024, 1, 1), as_of=datetime(2025, 7, 1), months=24).explain()
        '75.0% of 24 months gone by, 6.0 months left until 2026-01-01'
        """
        one_of("lang", lang, ("en", "zh"))
        return _in_chinese(self) if lang == "zh" else _in_english(self)

    def _tidy(self) -> Sequence[Column]:
        amounts = (
            ("revenue", "revenue", "收入", self.revenue),
            ("target", "target", "目标", self.target),
            ("required_per_month", "required a month", "所需月均", self.required_per_month),
            ("earned_per_month", "earned a month", "目前月均", self.earned_per_month),
        )
        instants = (
            ("ends_at", "ends", "窗口结束", self.ends_at),
            ("reached_at", "target reached", "预计达标", self.reached_at),
        )
        elapsed, left = float(self.months_elapsed), float(self.months_left)
        return [
            Column(key="elapsed_share", en="gone by", zh="已过", values=[self.elapsed_share], format="rate"),
            Column(key="months_elapsed", en="months", zh="已过月数", values=[elapsed], format="number", digits=2),
            Column(key="months_left", en="months left", zh="剩余月数", values=[left], format="number", digits=2),
            *(Column(key=key, en=en, zh=zh, values=[amount], format="money") for key, en, zh, amount in amounts),
            *(Column(key=key, en=en, zh=zh, values=_day(at), format="date") for key, en, zh, at in instants),
        ]

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [column for column in self._tidy() if column.values.tolist() != [None]]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        return [self.explain(lang=lang)]

    def __repr__(self) -> str:
        return f"MonetisationClock({self.elapsed_share:.1%} of {counted(self.months, 'month')})"


def _day(at: pendulum.DateTime | None) -> NDArray[Any]:
    """Return the local date of an instant as a column of one."""
    return np.array([None if at is None else at.date().isoformat()], dtype="M8[D]")


def _in_english(clock: MonetisationClock) -> str:
    left = f"{float(clock.months_left):.1f} months left until {clock.ends_at.date()}"
    told = [
        f"{clock.elapsed_share:.1%} of {counted(clock.months, 'month')} gone by",
        f"over since {clock.ends_at.date()}" if clock.is_over else left,
    ]
    missing, required, earned = clock.missing, clock.required_per_month, clock.earned_per_month
    if missing is not None and not missing:
        told.append(f"the target of {clock.target} is reached")
    elif missing is not None:
        told.append(f"{missing} missing to {clock.target}")
        if required is not None:
            told.append(f"which takes {required} a month")
        if earned is not None:
            told.append(f"{earned} a month until now")
        reached = "never" if clock.reached_at is None else f"not before {clock.reached_at.date()}"
        if clock.breached_at is not None and clock.is_over:
            told.append(f"the target was missed on {clock.breached_at.date()} (at this rate it is reached {reached})")
        elif clock.breached_at is not None:
            told.append(f"at this rate the target is missed on {clock.breached_at.date()} (reached {reached})")
        elif clock.reached_at is not None:
            told.append(f"at this rate the target is reached on {clock.reached_at.date()}")
    return ", ".join(told)


def _in_chinese(clock: MonetisationClock) -> str:
    left = f"距 {clock.ends_at.date()} 还剩 {float(clock.months_left):.1f} 个月"
    told = [
        f"{clock.months} 个月的窗口已过 {clock.elapsed_share:.1%}",
        f"已于 {clock.ends_at.date()} 结束" if clock.is_over else left,
    ]
    missing, required, earned = clock.missing, clock.required_per_month, clock.earned_per_month
    if missing is not None and not missing:
        told.append(f"目标 {clock.target} 已达成")
    elif missing is not None:
        told.append(f"距目标 {clock.target} 尚差 {missing}")
        if required is not None:
            told.append(f"需每月 {required}")
        if earned is not None:
            told.append(f"目前每月 {earned}")
        reached = "无法达标" if clock.reached_at is None else f"最早 {clock.reached_at.date()} 达标"
        if clock.breached_at is not None and clock.is_over:
            told.append(f"到期未达标（按目前速度{reached}）")
        elif clock.breached_at is not None:
            told.append(f"按目前速度将在 {clock.breached_at.date()} 未达标（{reached}）")
        elif clock.reached_at is not None:
            told.append(f"按目前速度将在 {clock.reached_at.date()} 达标")
    return "，".join(told)
