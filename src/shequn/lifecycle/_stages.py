"""In which stage of its life was a community in each period, and in which is it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, read_only
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidValueError, MisalignedError, counted, message
from shequn.lifecycle.judging import Evidence, Judge, Measured, Move, explained
from shequn.lifecycle.outlook import NextStage, looked_ahead
from shequn.lifecycle.policy import StagePolicy
from shequn.lifecycle.series import CommunitySeries, series_columns
from shequn.lifecycle.stage import LifecycleStage
from shequn.stats._checks import instance, one_of, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pendulum
    from numpy.typing import ArrayLike, NDArray

    from shequn.columns.table import Lang

__all__ = ["StageChange", "StageRow", "StageSpell", "Stages", "measured", "stages"]

_STAGES: Final = tuple(LifecycleStage)
_MOST_AHEAD: Final = 100_000
_MOST_NOTES: Final = 12


def stages(
    series: CommunitySeries, /, *, policy: StagePolicy | None = None, start: LifecycleStage | str = "germination"
) -> Stages:
    """Tell the stage of each period from size, growth, activity and active share.

    Parameters
    ----------
    series : CommunitySeries
        From a log by `community_series`, or from counts.
    policy : StagePolicy, optional
        Thresholds; by default priors for periods of a week.
    start : LifecycleStage or str, default "germination"
        Stage before the first period, for a series that begins later in life.

    Returns
    -------
    Stages

    Raises
    ------
    InvalidTypeError
        An argument is of another type.
    UnknownLabelError
        There is no such stage.

    Notes
    -----
    In each period a community is

    - *sized*, *growing*, *awake*: by one measure; *lively*: by activity and by active share together. Each measure is
      held against a `Band`: it takes `enter` to become so, and `leave` to stay so.
    - *silent*: neither growing nor awake; *weak*: neither growing nor lively; *settled*: lively and not growing. None
      of the three in the first period, whose growth nobody knows.

    The stage changes at most once in a period, by the first of these moves whose condition has held for as many periods
    in a row as the policy says:

    1. decline, dormancy → active interaction, when lively (a *revival*);
    2. any other stage → dormancy, when silent;
    3. rapid growth, active interaction → decline, when weak; germination → decline, when weak and sized;
    4. rapid growth → active interaction, when settled; germination → active interaction, when settled and sized;
    5. germination → rapid growth, when growing and sized.

    So stages follow in their order, some of them left out, but for revivals. A stage depends on its own period and
    earlier ones alone: what comes later never changes it. Periods that were not observed in full are not judged.

    References
    ----------
    S1 §三(二), rows T2 and C8 of the domain table.

    Examples
    --------
    >>> series = CommunitySeries(
    ...     members=[10, 30, 60, 90, 91, 92, 91, 90, 90, 90], active=[8, 20, 40, 50, 40, 35, 8, 5, 4, 4],
    ...     messages=[40, 90, 150, 160, 120, 100, 30, 10, 9, 9],
    ... )
    >>> found = stages(series)
    >>> found.current, found.durations
    (<LifecycleStage.DECLINE: 'decline'>, {'germination': 2, 'rapid_growth': 3, 'active_interaction': 3, 'decline': 2})
    >>> print(found.changes[-1].explain())
    growth 0.0% (below 5.0%), messages a member 0.10 (below 1.00), active share 4.4% (below 20.0%), 3 periods in a row
    """
    instance("series", series, CommunitySeries, expected="a CommunitySeries, as `community_series` makes of a log")
    started = LifecycleStage.from_label(start, argument="start")
    held = StagePolicy() if policy is None else policy
    instance("policy", held, StagePolicy, expected="a StagePolicy")
    judge = Judge(held, started)
    codes = np.full(series.n_periods, -1, dtype=np.int8)
    changes: list[StageChange] = []
    for row, now in enumerate(measured(series)):
        before = judge.stage
        move = judge.step(now)
        if move is not None:
            changes.append(
                StageChange(
                    row=row,
                    period=_label(series, row),
                    before=before,
                    after=move.to,
                    held=move.held,
                    evidence=move.evidence,
                )
            )
        codes[row] = judge.stage.rank
    return Stages(series=series, policy=held, started=started, codes=codes, changes=tuple(changes))


def measured(series: CommunitySeries, /) -> list[Measured]:
    """Return the measures of the periods that were observed in full."""
    n = series.n_complete
    columns = (series.members, series.growth, series.activity, series.active_share)
    return [Measured(*values) for values in zip(*(column[:n].tolist() for column in columns), strict=True)]


def _label(series: CommunitySeries, row: int) -> pendulum.Date | pendulum.DateTime | int:
    number = series.first_period + row
    return number if series.calendar is None else series.calendar.label_one(number)


@attrs.frozen(kw_only=True)
class StageChange:
    """One change of stage, and why.

    Attributes
    ----------
    row : int
        Row of the period in the series.
    period : pendulum.Date, pendulum.DateTime or int
        Its local start, or its number.
    before, after : LifecycleStage
    held : int
        For how many periods in a row the conditions had held, this one included.
    evidence : tuple of Evidence
        The conditions, with value and threshold of this period.

    Examples
    --------
    >>> change = StageChange(
    ...     row=5, period=5, before=LifecycleStage.GERMINATION, after=LifecycleStage.RAPID_GROWTH, held=2,
    ...     evidence=(Evidence("growth", 0.08, 0.02, True),),
    ... )
    >>> change.is_revival, change.explain(lang="zh")
    (False, '增长率 8.0%（不低于 2.0%），连续 2 个周期')
    """

    row: int
    period: pendulum.Date | pendulum.DateTime | int
    before: LifecycleStage
    after: LifecycleStage
    held: int
    evidence: tuple[Evidence, ...]

    @property
    def is_revival(self) -> bool:
        """Whether it leads back, from decline or dormancy to active interaction."""
        return self.after.rank < self.before.rank

    def explain(self, *, lang: Lang = "en") -> str:
        """Say by which values against which thresholds the stage changed.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            There is no such language.
        """
        one_of("lang", lang, ("en", "zh"))
        return explained(Move(self.after, self.held, self.evidence), lang)


class StageSpell(NamedTuple):
    """Periods in a row in one stage.

    Attributes
    ----------
    stage : LifecycleStage
    period : pendulum.Date, pendulum.DateTime or int
        The first of them.
    row : int
        Its row in the series.
    n_periods : int
        How many of them were observed in full.
    is_open : bool
        Whether it is the last one, and may go on.

    Examples
    --------
    >>> StageSpell(stage=LifecycleStage.DECLINE, period=7, row=7, n_periods=3, is_open=True).n_periods
    3
    """

    stage: LifecycleStage
    period: pendulum.Date | pendulum.DateTime | int
    row: int
    n_periods: int
    is_open: bool


class StageRow(NamedTuple):
    """One period; `stage` is None where it was not observed in full, `evidence` is empty where the stage stays.

    Examples
    --------
    >>> StageRow(
    ...     period=0, members=20, growth=0.1, activity=1.5, active_share=0.25, stage=LifecycleStage.GERMINATION,
    ...     evidence="", complete=True,
    ... ).stage.zh
    '萌芽期'
    """

    period: pendulum.Date | pendulum.DateTime | int
    members: int
    growth: float
    activity: float
    active_share: float
    stage: LifecycleStage | None
    evidence: str
    complete: bool


def _codes(values: ArrayLike) -> NDArray[np.int8]:
    return read_only(np.asarray(values, dtype=np.int8))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Stages(Tabular[StageRow]):
    """The stage of a community in each period, with what it was judged by; made by `stages`.

    Attributes
    ----------
    series : CommunitySeries
    policy : StagePolicy
    started : LifecycleStage
        Stage before the first period.
    codes : ndarray of int8, shape (n_periods,)
        `LifecycleStage.rank` of each period; -1 where it was not observed in full.
    changes : tuple of StageChange
        Every change of stage, with its evidence.

    Examples
    --------
    >>> series = CommunitySeries(members=[30, 40, 50], active=[9, 9, 9], messages=[60, 60, 60], partial=1)
    >>> print(Stages(series=series, policy=StagePolicy(), codes=[0, 0, -1]).table(lang="zh"))
    现处萌芽期，已 2 个周期
    周期  成员  增长率  人均消息  活跃占比  阶段    完整
    ────────────────────────────────────────────────────
       0    30       –      2.00     30.0%  萌芽期  是
       1    40   28.8%      1.50     22.5%  萌芽期  是
       2    50   22.3%      1.20     18.0%  –       否
    最后 1 个周期未观察完整，不作判断。
    """

    series: CommunitySeries
    policy: StagePolicy
    codes: NDArray[np.int8] = attrs.field(converter=_codes)
    changes: tuple[StageChange, ...] = ()
    started: LifecycleStage = LifecycleStage.GERMINATION

    _Row: ClassVar[type[Any] | None] = StageRow

    def __attrs_post_init__(self) -> None:
        if self.codes.shape != (self.series.n_periods,):
            expected = f"one entry for each of the {self.series.n_periods} periods"
            raise MisalignedError(message("codes", expected, f"shape {self.codes.shape}"))

    @property
    def stage(self) -> tuple[LifecycleStage | None, ...]:
        """Stage of each period; None where it was not observed in full."""
        codes: list[int] = self.codes.tolist()
        return tuple(None if code < 0 else _STAGES[code] for code in codes)

    @property
    def current(self) -> LifecycleStage:
        """Stage of the last period that was observed in full; where there is none, the one before the first."""
        n = self.series.n_complete
        return _STAGES[int(self.codes[n - 1])] if n else self.started

    @property
    def spells(self) -> tuple[StageSpell, ...]:
        """Stretches of periods in one stage, one after the other."""
        n = self.series.n_complete
        if not n:
            return ()
        codes = self.codes[:n].astype(np.int64)
        starts = np.flatnonzero(np.append(True, np.diff(codes) != 0)).tolist()
        ends = [*starts[1:], n]
        return tuple(
            StageSpell(_STAGES[int(codes[row])], _label(self.series, row), row, end - row, end == n)
            for row, end in zip(starts, ends, strict=True)
        )

    @property
    def durations(self) -> dict[str, int]:
        """How many periods were spent in each stage that occurred, by its code, in the order of stages."""
        counts = np.bincount(self.codes[: self.series.n_complete].astype(np.int64), minlength=len(_STAGES)).tolist()
        return {stage.value: n for stage, n in zip(_STAGES, counts, strict=True) if n}

    def next_stage(self, *, trend: int = 4, within: int = 520) -> NextStage:
        """Tell when the stage changes next, and to which, if all goes on as it did in the last periods.

        Parameters
        ----------
        trend : int, default 4
            Over how many periods growth, activity and active share are taken to have moved.
        within : int, default 520
            How many periods to look ahead, up to 100,000.

        Returns
        -------
        NextStage
            The stage and the number of periods until then, or the reason why there is none.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            A number of periods is no integer, or out of range.

        Notes
        -----
        Each of the three measures goes on by its mean change a period over the last `trend` periods, or over as many as
        are known; activity not below 0, and the share not outside [0, 1]. Members follow from growth. Periods to come
        are then judged as those that were.

        Examples
        --------
        >>> series = CommunitySeries(members=[90] * 6, active=[60, 55, 50, 45, 40, 35], messages=[180] * 6)
        >>> print(stages(series, start="active_interaction").next_stage().explain())
        decline in 8 periods, if growth goes on changing by 0.0 points a period, messages a member by 0.00 and active
        share by -5.6 points
        """
        for name, n in (("trend", trend), ("within", within)):
            if not 1 <= whole(name, n) <= _MOST_AHEAD:
                raise InvalidValueError(message(name, f"1 to {_MOST_AHEAD:,} periods", n))
        return looked_ahead(measured(self.series), self.policy, self.started, trend=trend, within=within)

    # ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _tidy(self) -> Sequence[Column]:
        shown = {column.key: column for column in series_columns(self.series)}
        evidence = [""] * self.series.n_periods
        for change in self.changes:
            evidence[change.row] = change.explain()
        stage = np.fromiter(self.stage, dtype=object, count=self.series.n_periods)
        return [
            *(shown[key] for key in ("period", "members", "growth", "activity", "active_share")),
            Column(key="stage", en="stage", zh="阶段", values=stage),
            Column(key="evidence", en="evidence", zh="依据", values=np.array(evidence, dtype=object)),
            shown["complete"],
        ]

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        left_out = {"evidence"} if self.series.partial else {"evidence", "complete"}
        return [column for column in self._tidy() if column.key not in left_out]

    def _title(self, lang: Lang, /) -> str | None:
        if not self.series.n_complete:
            return None
        n = self.spells[-1].n_periods
        if lang == "zh":
            return f"现处{self.current.zh}，已 {n} 个周期"
        return f"{self.current.en}, for {n} period{'s' * (n != 1)}"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        zh, partial = lang == "zh", self.series.partial
        notes = [
            f"{change.period} {change.before.zh} → {change.after.zh}：{change.explain(lang='zh')}"
            if zh
            else f"{change.period} {change.before.en} → {change.after.en}: {change.explain()}"
            for change in self.changes[-_MOST_NOTES:]
        ]
        earlier = len(self.changes) - _MOST_NOTES
        if earlier > 0:
            left_out = f"{counted(earlier, 'earlier change')} {'is' if earlier == 1 else 'are'} left out."
            notes.insert(0, f"此前另有 {earlier:,} 次变化。" if zh else left_out)
        if partial and zh:
            notes.append(f"最后 {partial} 个周期未观察完整，不作判断。")
        elif partial:
            last = "The last period was" if partial == 1 else f"The last {partial} periods were"
            notes.append(f"{last} not observed in full, and not judged.")
        return notes

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        return f"Stages({self.current.en}, {counted(self.series.n_periods, 'period')}, changes={len(self.changes)})"
