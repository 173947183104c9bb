"""When will the stage change next, if all goes on as it did lately?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs

from shequn.lifecycle.judging import Judge, Measured
from shequn.stats._checks import one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shequn.columns.table import Lang
    from shequn.lifecycle.policy import StagePolicy
    from shequn.lifecycle.stage import LifecycleStage

__all__ = ["NextStage", "looked_ahead"]


@attrs.frozen(kw_only=True)
class NextStage:
    """The next change of stage at the present rate; made by `Stages.next_stage`.

    Attributes
    ----------
    stage : LifecycleStage or None
        The next stage; None where it does not change within the periods looked at, or nothing can be said.
    periods : int or None
        In how many periods, the first one to come being 1.
    within : int
        How many periods were looked at.
    growth_change, activity_change, active_share_change : float
        What each measure goes on changing by in a period; NaN where too few periods are known to say.

    Examples
    --------
    >>> ahead = NextStage(
    ...     stage=None, periods=None, within=520, growth_change=0.0, activity_change=0.1, active_share_change=0.0
    ... )
    >>> ahead.explain(lang="zh")
    '按目前速度，520 个周期内阶段不变'
    """

    stage: LifecycleStage | None
    periods: int | None
    within: int
    growth_change: float
    activity_change: float
    active_share_change: float

    @property
    def is_known(self) -> bool:
        """Whether enough periods are known for a rate."""
        return not math.isnan(self.growth_change)

    def explain(self, *, lang: Lang = "en") -> str:
        """Say when the stage changes, and at which rates.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            There is no such language.
        """
        one_of("lang", lang, ("en", "zh"))
        zh = lang == "zh"
        if not self.is_known:
            if zh:
                return "最近连续且增长率已知、有限的完整周期不足 2 个，无法外推"
            return "no rate: the last periods whose growth is known, and finite, are fewer than two"
        if self.stage is None:
            if zh:
                return f"按目前速度，{self.within:,} 个周期内阶段不变"
            return f"not at this rate: no change within {self.within:,} periods"
        growth, share = 100 * self.growth_change, 100 * self.active_share_change
        if zh:
            return (
                f"{self.periods} 个周期后进入{self.stage.zh}，若每周期增长率变化 {growth:z.1f} 个百分点，"
                f"人均消息变化 {self.activity_change:z.2f}，活跃占比变化 {share:z.1f} 个百分点"
            )
        return (
            f"{self.stage.en} in {self.periods} period{'s' * (self.periods != 1)}, if growth goes on changing by "
            f"{growth:z.1f} points a period, messages a member by {self.activity_change:z.2f} and active share by "
            f"{share:z.1f} points"
        )


def looked_ahead(
    past: Sequence[Measured], policy: StagePolicy, started: LifecycleStage, /, *, trend: int, within: int
) -> NextStage:
    """Judge the past once more, and then periods that go on as its last ones did, until the stage changes."""
    recent = _recent(past, trend + 1)
    if len(recent) < 2:  # noqa: PLR2004  (one alone has no rate)
        return NextStage(
            stage=None, periods=None, within=within,
            growth_change=math.nan, activity_change=math.nan, active_share_change=math.nan,
        )  # fmt: skip
    change = Measured(*((last - first) / (len(recent) - 1) for first, last in zip(recent[0], recent[-1], strict=True)))
    judge = Judge(policy, started)
    for now in past:
        judge.step(now)
    last, size = recent[-1], recent[-1].size
    stage: LifecycleStage | None = None
    periods: int | None = None
    for ahead in range(1, within + 1):
        growth = last.growth + ahead * change.growth
        size = _grown(size, growth)
        activity = max(last.activity + ahead * change.activity, 0.0)
        share = min(max(last.active_share + ahead * change.active_share, 0.0), 1.0)
        move = judge.step(Measured(size, growth, activity, share))
        if move is not None:
            stage, periods = move.to, ahead
            break
    return NextStage(
        stage=stage,
        periods=periods,
        within=within,
        growth_change=change.growth,
        activity_change=change.activity,
        active_share_change=change.active_share,
    )


def _recent(past: Sequence[Measured], most: int) -> list[Measured]:
    """Return the last periods, in their order, back to one whose growth has no finite value."""
    recent: list[Measured] = []
    for now in reversed(past):
        if len(recent) == most or not math.isfinite(now.growth):
            break
        recent.append(now)
    return recent[::-1]


def _grown(size: float, growth: float) -> float:
    """Return a size after growth, kept where the arithmetic ends."""
    return min(size * math.exp(min(growth, 700.0)), 1e300)
