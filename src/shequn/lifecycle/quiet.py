"""Is a community dead (死群)? And where it came back to life: how far?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidValueError, message
from shequn.lifecycle._stages import StageChange, Stages
from shequn.lifecycle.series import CommunitySeries
from shequn.lifecycle.stage import LifecycleStage
from shequn.stats._checks import instance, one_of, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pendulum
    from numpy.typing import NDArray

    from shequn.columns.table import Lang

__all__ = ["QuietCheck", "Revival", "Revivals", "is_dead", "revivals"]

_FADED = frozenset({LifecycleStage.DECLINE, LifecycleStage.DORMANCY})


def is_dead(series: CommunitySeries, /, *, quiet_periods: int = 4, at_most: int = 0) -> QuietCheck:
    """Tell whether hardly anybody wrote anything in each of the last periods.

    Parameters
    ----------
    series : CommunitySeries
        Its messages are organic: those of staff, bots and advertisers are left out when it is made.
    quiet_periods : int, default 4
        How many periods in a row make a community dead.
    at_most : int, default 0
        Messages in a period that still count as quiet.

    Returns
    -------
    QuietCheck
        True or false as it stands, with the reason.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used.

    Notes
    -----
    The last period is left out where it was not observed in full. A community with fewer periods than `quiet_periods`
    is too young to be dead.

    References
    ----------
    S1 §三(二), row C9 of the domain table.

    Examples
    --------
    >>> series = CommunitySeries(members=[90] * 5, active=[20, 3, 1, 0, 1], messages=[60, 2, 1, 0, 1])
    >>> dead = is_dead(series, at_most=2)
    >>> bool(dead), dead.explain()
    (True, 'dead: at most 2 messages in each of the last 4 periods (dead from 4 on)')
    """
    instance("series", series, CommunitySeries, expected="a CommunitySeries, as `community_series` makes of a log")
    most = whole("at_most", at_most)
    if most < 0:
        raise InvalidValueError(message("at_most", "0 or more messages", at_most))
    loud = np.flatnonzero(series.messages[: series.n_complete] > most)
    last = int(loud[-1]) if len(loud) else -1
    return QuietCheck(
        quiet_for=series.n_complete - 1 - last,
        n_periods=series.n_complete,
        quiet_periods=quiet_periods,
        at_most=most,
    )


def _positive(value: object) -> int:
    periods = whole("quiet_periods", value)
    if periods < 1:
        raise InvalidValueError(message("quiet_periods", "1 period or more", value))
    return periods


@attrs.frozen(kw_only=True)
class QuietCheck:
    """Whether a community is dead, and by what; true in an ``if`` where it is. Made by `is_dead`.

    Attributes
    ----------
    quiet_for : int
        For how many periods it has been quiet, up to the last one observed in full.
    n_periods : int
        How many periods were observed in full.
    quiet_periods : int
        From how many on it is dead.
    at_most : int
        Messages in a period that count as quiet.

    Examples
    --------
    >>> check = QuietCheck(quiet_for=2, n_periods=9, quiet_periods=4, at_most=0)
    >>> bool(check), check.explain(lang="zh")
    (False, '未死：最近 2 个周期每期消息不超过 0 条（达到 4 个周期为死群）')
    """

    quiet_for: int
    n_periods: int
    quiet_periods: int = attrs.field(converter=_positive)
    at_most: int

    @property
    def is_dead(self) -> bool:
        """Whether it has been quiet for long enough."""
        return self.quiet_for >= self.quiet_periods

    @property
    def is_known(self) -> bool:
        """Whether it has lived for long enough to tell."""
        return self.n_periods >= self.quiet_periods

    def __bool__(self) -> bool:
        """Return whether it is dead."""
        return self.is_dead

    def explain(self, *, lang: Lang = "en") -> str:
        """Say why it is dead, or why not.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            There is no such language.
        """
        one_of("lang", lang, ("en", "zh"))
        n, k, most = self.quiet_for, self.quiet_periods, self.at_most
        if lang == "zh":
            if not self.is_known:
                return f"无法判断：仅观察到 {self.n_periods} 个完整周期，少于 {k} 个"
            if not n:
                return f"未死：最近一个完整周期的消息超过 {most} 条"
            return f"{'死群' if self else '未死'}：最近 {n} 个周期每期消息不超过 {most} 条（达到 {k} 个周期为死群）"
        if not self.is_known:
            seen = f"{self.n_periods} period{'s' * (self.n_periods != 1)}"
            return f"too young to tell: {seen} observed in full, fewer than {k}"
        wrote = f"{most:,} message{'s' * (most != 1)}"
        if not n:
            return f"not dead: more than {wrote} in the last period"
        last = "the last period" if n == 1 else f"each of the last {n} periods"
        return f"{'dead' if self else 'not dead'}: at most {wrote} in {last} (dead from {k} on)"


class Revival(NamedTuple):
    """One revival; the names are those of the columns of `Revivals`.

    Attributes
    ----------
    period : pendulum.Date, pendulum.DateTime or int
        In which it revived.
    source : LifecycleStage
        The stage it revived from: decline or dormancy.
    away : int
        How many periods lie between the first of the decline and the first of the revival.
    before, bottom, since : float
        Messages in a period, on average: of the stretch before the decline, of decline and dormancy, and of the stretch
        from the revival on.
    score : float
        `since` / `before`: 1 where it is as lively as it was; NaN where nothing is known of before, or it was silent.

    Examples
    --------
    >>> Revival(
    ...     period=12, source=LifecycleStage.DORMANCY, away=5, before=80.0, bottom=2.0, since=60.0, score=0.75
    ... ).score
    0.75
    """

    period: pendulum.Date | pendulum.DateTime | int
    source: LifecycleStage
    away: int
    before: float
    bottom: float
    since: float
    score: float


def revivals(stages: Stages, /) -> Revivals:
    """List when a community came back from decline or dormancy, and how far.

    Parameters
    ----------
    stages : Stages

    Returns
    -------
    Revivals

    Raises
    ------
    InvalidTypeError
        It is no Stages.

    Notes
    -----
    A decline counts from the first of the periods in a row that led to it, and so does a revival. With Q messages in a
    period, the score of a revival is the mean of Q from it on, up to the next decline or the last period observed in
    full, over the mean of Q before the decline, back to the last revival or the first period.

    References
    ----------
    S1 §三(二), row C9 of the domain table.

    Examples
    --------
    >>> from shequn.lifecycle import stages
    >>> series = CommunitySeries(
    ...     members=[40] * 12, active=[20] * 4 + [2] * 5 + [20] * 3, messages=[80] * 4 + [1] * 5 + [60] * 3
    ... )
    >>> print(revivals(stages(series, start="active_interaction")))
    period  from     away  before  bottom  since  score
    ───────────────────────────────────────────────────
        10  decline     5    80.0     1.0   60.0  75.0%
    """
    instance("stages", stages, Stages, expected="Stages")
    messages = stages.series.messages.astype(np.float64)
    is_faded = stages.started in _FADED
    begins = [0]  # of the stretches, by turns before a decline and away
    kinds = [is_faded]
    came_back: list[StageChange] = []
    for change in stages.changes:
        faded = change.after in _FADED
        if faded != is_faded:
            begins.append(max(change.row - change.held + 1, begins[-1]))
            kinds.append(faded)
            if not faded:
                came_back.append(change)
        is_faded = faded
    ends = [*begins[1:], stages.series.n_complete]
    means = [_mean(messages[begin:end]) for begin, end in zip(begins, ends, strict=True)]
    found: list[Revival] = []
    for i in range(1, len(begins)):
        if kinds[i]:
            continue
        before = means[i - 2] if i >= 2 else np.nan  # noqa: PLR2004  (the stretch before the one away)
        score = means[i] / before if before > 0 else np.nan
        at = came_back[len(found)]
        away = begins[i] - begins[i - 1]
        found.append(Revival(at.period, at.before, away, before, means[i - 1], means[i], score))
    return Revivals(revivals=tuple(found))


def _mean(messages: NDArray[np.float64]) -> float:
    return float(messages.mean()) if len(messages) else np.nan


@attrs.frozen(kw_only=True, repr=False)
class Revivals(Tabular[Revival]):
    """Every revival of a community; made by `revivals`.

    Attributes
    ----------
    revivals : tuple of Revival

    Examples
    --------
    >>> Revivals(revivals=())
    Revivals(0)
    """

    revivals: tuple[Revival, ...]

    _Row: ClassVar[type[Any] | None] = Revival

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.revivals)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        period, source, away, before, bottom, since, score = (
            zip(*self.revivals, strict=True) if self.revivals else [()] * 7
        )
        is_numbered = bool(period) and isinstance(period[0], int)
        sources = np.fromiter(source, dtype=object, count=len(self))
        means = ((key, en, zh, np.array(values, dtype=np.float64)) for key, en, zh, values in (
            ("before", "before", "衰亡前期均消息", before),
            ("bottom", "bottom", "低谷期均消息", bottom),
            ("since", "since", "复活后期均消息", since),
        ))  # fmt: skip
        return [
            Column(key="period", en="period", zh="周期", values=period, format="text" if is_numbered else "date"),
            Column(key="source", en="from", zh="复活自", values=sources),
            Column(key="away", en="away", zh="低迷周期数", values=away, format="count"),
            *(Column(key=key, en=en, zh=zh, values=values, format="number", digits=1) for key, en, zh, values in means),
            Column(key="score", en="score", zh="恢复度", values=np.array(score, dtype=np.float64), format="rate"),
        ]

    def __repr__(self) -> str:
        return f"Revivals({len(self)})"
