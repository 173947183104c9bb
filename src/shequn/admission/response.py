"""How long did questions wait, and how many were answered in time? The answer of `response_times`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen, read_only
from shequn.columns.segments import assignment_of
from shequn.columns.table import Column, Tabular
from shequn.errors import MisalignedError, UnknownLabelError, counted, message
from shequn.labels import Assignment, Coded, Label
from shequn.stats import SurvivalTable
from shequn.stats._checks import array_of, counts_column
from shequn.values import Rate
from shequn.values.instants import from_us

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.table import Lang

__all__ = ["ResponderRow", "Responders", "ResponseRow", "ResponseTimes"]

_HOUR_US = 3_600_000_000
_ALL = {"en": "(all)", "zh": "（合计）"}
_TIDY_ONLY = frozenset({"answered", "met"})
_NONE = {"en": "(unassigned)", "zh": "（未分组）"}


def _mask(argument: str, values: Any) -> BoolArray:  # noqa: ANN401
    return read_only(array_of(argument, values, kinds="b", expected="booleans"))


def _answered(answered: Any) -> BoolArray:  # noqa: ANN401
    return _mask("answered", answered)


def _judged(judged: Any) -> BoolArray:  # noqa: ANN401
    return _mask("judged", judged)


class ResponseRow(NamedTuple):
    """Questions of one segment; the names are those of `ResponseTimes.to_columns`.

    Examples
    --------
    >>> row = ResponseRow("g1", 10, 8, 0.5, 3.0, 7, 9, 0.78, 0.45, 0.94, 1, 2, 5.0)
    >>> row.met, row.judged
    (7, 9)
    """

    segment: Label | None
    questions: int
    answered: int
    median_hours: float
    p90_hours: float
    met: int
    judged: int
    rate: float
    lower: float
    upper: float
    young: int
    backlog: int
    oldest_hours: float


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ResponseTimes(Tabular[ResponseRow]):
    """How long each question waited for its first response; made by `response_times`.

    Attributes
    ----------
    source_rows : ndarray of int64, shape (n,)
        Row of each question in the log, ascending.
    asker, responder : Coded
        Who asked, and who responded first: none where nobody has.
    at_us : ndarray of int64, shape (n,)
        When it was asked, in microseconds since 1970-01-01T00:00Z.
    waited_us : ndarray of int64, shape (n,)
        Until the first response, or `as_of`, by the clock that was asked for, in microseconds.
    answered : ndarray of bool, shape (n,)
        Whether there was a response.
    judged : ndarray of bool, shape (n,)
        Whether a response in time would have been seen by `as_of`.
    sla_us : int
        What in time means, in microseconds.
    as_of_us : int
        Until when facts are known.
    segment : Coded or None
        The segment of each question.
    left_out : int
        Questions that no response could name: without an item, where responses are found by item.

    Examples
    --------
    >>> nobody = Coded.of(["wu", None], argument="responder", nulls=True)
    >>> waited = ResponseTimes(
    ...     source_rows=[0, 1], asker=Coded.of(["ann", "bo"], argument="asker"), responder=nobody, at_us=[0, 60],
    ...     waited_us=[3_600_000_000, 7_200_000_000], answered=[True, False], judged=[True, True],
    ...     sla_us=3_600_000_000, as_of_us=7_200_000_060,
    ... )
    >>> waited, waited.attainment
    (ResponseTimes(2 questions, 1 answered), Rate(hits=1, trials=2))
    """

    source_rows: IntArray
    asker: Coded
    responder: Coded
    at_us: IntArray
    waited_us: IntArray
    answered: BoolArray = attrs.field(converter=_answered)
    judged: BoolArray = attrs.field(converter=_judged)
    sla_us: int
    as_of_us: int
    segment: Coded | None = None
    left_out: int = 0

    _Row: ClassVar[type[Any] | None] = ResponseRow

    def __attrs_post_init__(self) -> None:
        """Check that the columns are as long as each other."""
        n = len(self.answered)
        for name, least in (("source_rows", 0), ("at_us", -(2**62)), ("waited_us", 0)):
            own = counts_column(name, getattr(self, name), (n,), of=f"each of the {n} questions", least=least)
            object.__setattr__(self, name, own)
        others: dict[str, Any] = {
            "asker": self.asker,
            "responder": self.responder,
            "judged": self.judged,
            "segment": self.segment,
        }
        for name, column in others.items():
            if column is not None and len(column) != n:
                raise MisalignedError(message(name, f"one entry for each of the {n} questions", len(column)))

    def __len__(self) -> int:
        """Return the number of questions."""
        return len(self.answered)

    # ── readings ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def in_time(self) -> BoolArray:
        """Which of them had a response in time, shape (n,)."""
        return frozen(self.answered & (self.waited_us <= self.sla_us))

    @property
    def attainment(self) -> Rate:
        """Share that had a response in time, of those that can be judged (SLA attainment)."""
        return self._attained(np.ones(len(self), dtype=np.bool_))

    def _attained(self, part: BoolArray) -> Rate:
        judged = self.judged & part
        return Rate(int((judged & self.in_time).sum()), int(judged.sum()))

    @property
    def young(self) -> int:
        """How many questions are too young to be judged, answered or not."""
        return int((~self.judged).sum())

    @property
    def is_open(self) -> BoolArray:
        """Which of them still wait, shape (n,): the backlog (积压)."""
        return frozen(~self.answered)

    def survival(self, segment: Label | None = None, /) -> SurvivalTable:
        """Return how many waited how long, in microseconds, those that still wait being censored.

        Parameters
        ----------
        segment : str or int, optional
            Of this segment; by default of all.

        Raises
        ------
        UnknownLabelError
            There is no such segment.

        Examples
        --------
        >>> nobody = Coded.of([None], argument="responder", nulls=True)
        >>> waited = ResponseTimes(
        ...     source_rows=[0], asker=Coded.of(["ann"], argument="asker"), responder=nobody, at_us=[0], waited_us=[60],
        ...     answered=[False], judged=[False], sla_us=3_600_000_000, as_of_us=60,
        ... )
        >>> waited.survival()
        SurvivalTable(n=1, events=0, times=1, last=60)
        """
        part = np.ones(len(self), dtype=np.bool_) if segment is None else self._in(segment)
        return SurvivalTable.from_durations(self.waited_us[part], self.answered[part])

    def _in(self, segment: Label) -> BoolArray:
        if self.segment is None:
            raise UnknownLabelError(message("segment", "None, since nothing was asked by segment", segment))
        part: BoolArray = self.segment.codes == self.segment.index.code(segment, argument="segment")
        return part

    def quantile_hours(self, q: float, /, *, level: float = 0.95) -> tuple[float, float, float]:
        """Return the hours within which a share q of questions has a response, and the ends of its interval.

        Parameters
        ----------
        q : float
            Share between 0 and 1.
        level : float, default 0.95
            Confidence level.

        Returns
        -------
        tuple of float
            Hours, lower and upper end; NaN where the share is never reached.

        Notes
        -----
        By Kaplan and Meier: a question that still waits counts with the time it has waited so far.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `q` or `level` is no number between 0 and 1.

        Examples
        --------
        >>> n = 9
        >>> waited = ResponseTimes(
        ...     source_rows=range(n), asker=Coded.of(["ann"] * n, argument="asker"), at_us=[0] * n,
        ...     responder=Coded.of(["wu"] * n, argument="responder"), answered=np.ones(n, bool),
        ...     waited_us=np.arange(1, n + 1) * 3_600_000_000, judged=np.ones(n, bool), sla_us=1, as_of_us=2**50,
        ... )
        >>> waited.quantile_hours(0.5)
        (5.0, 1.0, 8.0)
        """
        table = self.survival()
        lower, upper = table.quantile_interval(q, level=level)
        found = (float(table.quantile(q)), float(lower), float(upper))
        return found[0] / _HOUR_US, found[1] / _HOUR_US, found[2] / _HOUR_US

    def by_responder(self, by: Assignment | Mapping[Label, Label | None], /) -> Responders:
        """Return who gives the first responses: by the role of who responds, say.

        Who is in no segment stands last, under None.

        Parameters
        ----------
        by : Assignment or mapping of member to segment
            Segment of each who may respond.

        Returns
        -------
        Responders

        Raises
        ------
        InvalidTypeError
            `by` is neither.

        Examples
        --------
        >>> waited = ResponseTimes(
        ...     source_rows=[0], asker=Coded.of(["ann"], argument="asker"), at_us=[0],
        ...     responder=Coded.of(["wu"], argument="responder"), waited_us=[60],
        ...     answered=[True], judged=[True], sla_us=60, as_of_us=60,
        ... )
        >>> waited.by_responder({"wu": "admin"}).responses.tolist()
        [1, 0]
        """
        known = by if isinstance(by, Assignment) else assignment_of(by, self.responder.index)
        roles = known if known.members is self.responder.index else known.align(self.responder.index)
        k = len(roles.segments)
        of_question = np.append(roles.codes, -1)[self.responder.codes]
        of_question = np.where(self.answered & (of_question < 0), k, of_question)[self.answered]
        waited = self.waited_us[self.answered]
        median = np.full(k + 1, np.nan)
        for place in range(k + 1):
            mine = waited[of_question == place]
            median[place] = float(np.median(mine)) / _HOUR_US if len(mine) else np.nan
        return Responders(
            segments=(*roles.segments, None),
            responses=np.bincount(of_question, minlength=k + 1),
            in_time=np.bincount(of_question, weights=self.in_time[self.answered], minlength=k + 1).astype(np.int64),
            median_hours=median,
        )

    # ── how it looks ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _parts(self) -> list[tuple[Label | None, BoolArray]]:
        if self.segment is None:
            return []
        codes = self.segment.codes
        parts: list[tuple[Label | None, BoolArray]] = [
            (s, codes == place) for place, s in enumerate(self.segment.index)
        ]
        return [*parts, *([(None, codes < 0)] if self.segment.has_nulls else [])]

    def _tidy(self) -> Sequence[Column]:
        parts = self._parts()
        parts = parts or [(None, np.ones(len(self), dtype=np.bool_))]
        return self._every(parts, [label for label, _ in parts])

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        parts = self._parts()
        names = [_NONE[lang] if label is None else label for label, _ in parts]
        columns = self._every([*parts, (None, np.ones(len(self), dtype=np.bool_))], [*names, _ALL[lang]])
        return [column for column in columns if column.key not in _TIDY_ONLY]

    def _every(self, parts: list[tuple[Label | None, BoolArray]], names: Sequence[object]) -> Sequence[Column]:
        tables = [SurvivalTable.from_durations(self.waited_us[part], self.answered[part]) for _, part in parts]
        rates = [self._attained(part) for _, part in parts]
        median, p90 = ([float(table.quantile(q)) / _HOUR_US for table in tables] for q in (0.5, 0.9))
        open_ = [part & ~self.answered for _, part in parts]
        oldest = [float(self.waited_us[mask].max()) / _HOUR_US if mask.any() else np.nan for mask in open_]
        n = [int(part.sum()) for _, part in parts]
        labels = np.fromiter(names, dtype=object, count=len(parts))
        spec: list[tuple[str, str, str, list[Any], Any]] = [
            ("questions", "questions", "提问", n, "count"),
            ("answered", "answered", "已回应", [int((part & self.answered).sum()) for _, part in parts], "count"),
            ("median_hours", "median h", "中位时长(时)", median, "number"),
            ("p90_hours", "90% h", "九成时长(时)", p90, "number"),
            ("met", "met", "及时", [rate.hits for rate in rates], "count"),
            ("judged", "judged", "可判定", [rate.trials for rate in rates], "count"),
            ("rate", "in time", "达标率", [rate.value for rate in rates], "rate"),
            ("lower", "lower", "下限", [rate.lower for rate in rates], "rate"),
            ("upper", "upper", "上限", [rate.upper for rate in rates], "rate"),
            ("young", "too young", "未到期", [m - rate.trials for m, rate in zip(n, rates, strict=True)], "count"),
            ("backlog", "backlog", "积压", [int(mask.sum()) for mask in open_], "count"),
            ("oldest_hours", "oldest h", "最久(时)", oldest, "number"),
        ]
        return [
            Column(key="segment", en="segment", zh="分组", values=labels),
            *(
                Column(
                    key=key, en=en, zh=zh, format=shown, digits=2 if shown == "number" else None,
                    values=np.array(values, dtype=np.int64 if shown == "count" else np.float64),
                )
                for key, en, zh, values, shown in spec
            ),
        ]  # fmt: skip

    def _title(self, lang: Lang, /) -> str:
        at, hours = f"{from_us(self.as_of_us):YYYY-MM-DD HH:mm} UTC", f"{self.sla_us / _HOUR_US:g}"
        return f"截至 {at}，时限 {hours} 小时" if lang == "zh" else f"First responses as of {at}, due within {hours} h"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        if not self.left_out:
            return ()
        n = self.left_out
        return [f"{n:,} 条提问没有内容编号" if lang == "zh" else f"{counted(n, 'question')} without an item left out"]

    def __repr__(self) -> str:
        """Show how many there are, and how many had a response."""
        return f"ResponseTimes({counted(len(self), 'question')}, {int(self.answered.sum()):,} answered)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


class ResponderRow(NamedTuple):
    """First responses of one segment of responders; the names are those of `Responders.to_columns`.

    Examples
    --------
    >>> ResponderRow("admin", 8, 0.8, 6, 0.5).responses
    8
    """

    segment: Label | None
    responses: int
    share: float
    in_time: int
    median_hours: float


def _tuple_of(segments: Sequence[Label | None]) -> tuple[Label | None, ...]:
    return tuple(segments)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Responders(Tabular[ResponderRow]):
    """Who gives the first responses; made by `ResponseTimes.by_responder`.

    Attributes
    ----------
    segments : tuple of str, int or None
        The k segments; None for who is in none.
    responses, in_time : ndarray of int64, shape (k,)
        First responses of each, and how many of them were in time.
    median_hours : ndarray of float64, shape (k,)
        Median hours to those responses, questions without one left out: it tells who answers, not how long one waits.

    Examples
    --------
    >>> who = Responders(segments=["admin", None], responses=[3, 1], in_time=[2, 1], median_hours=[1.5, 0.5])
    >>> print(who)
    responder  responses  share  in time  median h
    ──────────────────────────────────────────────
    admin              3  75.0%        2       1.5
    –                  1  25.0%        1       0.5
    """

    segments: tuple[Label | None, ...] = attrs.field(converter=_tuple_of)
    responses: IntArray
    in_time: IntArray
    median_hours: Any

    _Row: ClassVar[type[Any] | None] = ResponderRow

    def __attrs_post_init__(self) -> None:
        """Check that the columns are as long as each other."""
        k = len(self.segments)
        for name in ("responses", "in_time"):
            column = counts_column(name, getattr(self, name), (k,), of=f"each of the {k} segments")
            object.__setattr__(self, name, column)
        median = array_of("median_hours", self.median_hours, kinds="iuf", expected="numbers").astype(np.float64)
        if median.shape != (k,):
            raise MisalignedError(message("median_hours", f"one for each of the {k} segments", median.shape))
        object.__setattr__(self, "median_hours", frozen(median))

    def __len__(self) -> int:
        """Return the number of segments."""
        return len(self.segments)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        n = int(self.responses.sum())
        share = self.responses / n if n else np.full(len(self), np.nan)
        labels = np.fromiter(self.segments, dtype=object, count=len(self))
        return [
            Column(key="segment", en="responder", zh="回应者", values=labels),
            Column(key="responses", en="responses", zh="首次回应", values=self.responses, format="count"),
            Column(key="share", en="share", zh="占比", values=share, format="rate"),
            Column(key="in_time", en="in time", zh="及时", values=self.in_time, format="count"),
            Column(key="median_hours", en="median h", zh="中位(时)", values=self.median_hours, format="number"),
        ]  # fmt: skip

    def __repr__(self) -> str:
        """Show how many responses there are."""
        return f"Responders({counted(int(self.responses.sum()), 'response')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
