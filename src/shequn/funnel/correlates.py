"""What did those who took a step do before it that others did not?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from shequn.columns.breakdown import Tally
from shequn.columns.kinds import kind_names, of_kinds
from shequn.columns.readonly import added, by_fields, counts_field, frozen
from shequn.columns.table import Column
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.funnel.asked import Asked, Maturity
from shequn.funnel.matcher import find
from shequn.stats import OddsRatio, holm, odds_ratio
from shequn.stats.ranks import best_first
from shequn.values.elapsed import elapsed_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Sequence

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.log import EventLog
    from shequn.columns.table import Lang
    from shequn.funnel.attempts import Found
    from shequn.funnel.definition import Funnel

__all__ = ["Correlates", "CorrelatesRow", "correlate"]

_NOTE: dict[Lang, str] = {
    "en": "Going together is no cause: those who do more of everything also convert more.",
    "zh": "相关不等于因果：更活跃的成员本来就更容易转化。",
}


def _kinds(kinds: Collection[str]) -> tuple[str, ...]:
    return tuple(kind_names(kinds, argument="kinds"))


@attrs.frozen(kw_only=True)
class CorrelatesRow:
    """One kind; the names are those of `Correlates`."""

    kind: str
    with_kind: int
    rate_with: float
    rate_without: float
    odds_ratio: float
    lower: float
    upper: float
    p_value: float
    p_adjusted: float


@attrs.frozen(kw_only=True, repr=False)
class Correlates(Tally[CorrelatesRow]):
    """Which kinds of event, done before a step, go with taking it; made by `correlate`.

    Counts of parts of a log split by member merge by adding; ratios and tests are read from them.

    Attributes
    ----------
    funnel : Funnel
        The definition.
    step : int
        Position of the step that is taken or not.
    lookback_us : int
        How far back from the step before it a row counts, in microseconds.
    kinds : tuple of str
        The kinds that were looked at.
    with_kind : ndarray of int64, shape (n_kinds,)
        Members who did each kind in that time.
    took_with_kind : ndarray of int64, shape (n_kinds,)
        Those of them who took the step.
    members, took : int
        Members who stood before the step, and those who took it.

    Examples
    --------
    >>> from pendulum import duration
    >>> from shequn.columns import EventLog
    >>> from shequn.funnel import Funnel
    >>> who, what = ["ann", "ann", "ann", "bo"], ["like", "join", "post", "join"]
    >>> log = EventLog.from_columns(member=who, kind=what, at=[0, 60, 120, 60], time_unit="s")
    >>> found = correlate(log, Funnel(steps=("join", "post"), within=duration(days=1)))
    >>> found.kinds, found.with_kind.tolist(), found.took_with_kind.tolist(), found.members, found.took
    (('like',), [1], [1], 2, 1)
    """

    funnel: Funnel
    step: int
    lookback_us: int
    kinds: tuple[str, ...] = attrs.field(converter=_kinds)
    with_kind: IntArray = counts_field()
    took_with_kind: IntArray = counts_field()
    members: int = 0
    took: int = 0

    _Row: ClassVar[type[Any] | None] = CorrelatesRow

    @property
    def rate_with(self) -> FloatArray:
        """Share that took the step among those who did the kind; NaN where nobody did, shape (n_kinds,)."""
        return _share(self.took_with_kind, self.with_kind)

    @property
    def rate_without(self) -> FloatArray:
        """Share that took the step among those who did not do the kind; NaN where everybody did."""
        return _share(self.took - self.took_with_kind, self.members - self.with_kind)

    def odds(self, *, level: float = 0.95) -> OddsRatio:
        """Return the odds ratio of each kind, with interval and p value.

        Parameters
        ----------
        level : float
            Confidence, between 0 and 1.

        Returns
        -------
        OddsRatio
            As `stats.odds_ratio`; above 1 where those who did the kind took the step more often.
        """
        without_took = self.took - self.took_with_kind
        without = self.members - self.with_kind
        return odds_ratio(
            self.took_with_kind, self.with_kind - self.took_with_kind, without_took, without - without_took, level=level
        )

    @property
    def p_adjusted(self) -> FloatArray:
        """P values adjusted for the number of kinds (Holm), shape (n_kinds,)."""
        return holm(self.odds().p_value)

    def merge(self, other: Correlates, /) -> Correlates:
        """Return the counts of the members of both, over the kinds of both.

        Parameters
        ----------
        other : Correlates
            Of other members, with the same funnel, step and time back.

        Returns
        -------
        Correlates

        Raises
        ------
        InvalidTypeError, InvalidValueError
            It is none, or was asked otherwise.
        """
        if not isinstance(other, Correlates):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("other", "a Correlates", other))
        for name in ("funnel", "step", "lookback_us"):
            if getattr(self, name) != getattr(other, name):
                expected = f"the same in both parts ({getattr(self, name)})"
                raise InvalidValueError(message(name, expected, getattr(other, name)))
        kinds = tuple(dict.fromkeys((*self.kinds, *other.kinds)))
        counts = [
            added([part._under(kinds, name) for part in (self, other)], argument=name)
            for name in ("with_kind", "took_with_kind")
        ]
        return attrs.evolve(
            self,
            kinds=kinds,
            with_kind=counts[0],
            took_with_kind=counts[1],
            members=self.members + other.members,
            took=self.took + other.took,
        )

    def _under(self, kinds: Sequence[str], name: str) -> IntArray:
        known = dict(zip(self.kinds, getattr(self, name).tolist(), strict=True))
        return np.array([known.get(kind, 0) for kind in kinds], dtype=np.int64)

    def _headcount(self) -> IntArray:
        return np.array([self.members, self.took], dtype=np.int64)

    def _emptied(self) -> Correlates:
        nobody = np.zeros_like(self.with_kind)
        return attrs.evolve(self, with_kind=nobody, took_with_kind=nobody, members=0, took=0)

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        order = best_first(np.nan_to_num(np.abs(np.log(self.odds().estimate))))
        del lang
        return [attrs.evolve(column, values=column.values[order]) for column in self._tidy()]

    def _tidy(self) -> Sequence[Column]:
        odds = self.odds()
        return [
            Column(key="kind", en="kind", zh="行为", values=np.array(self.kinds, dtype=object)),
            Column(key="with_kind", en="did it", zh="做过", values=self.with_kind, format="count"),
            Column(key="rate_with", en="rate with", zh="做过者转化率", values=self.rate_with, format="rate"),
            Column(key="rate_without", en="without", zh="未做者转化率", values=self.rate_without, format="rate"),
            Column(key="odds_ratio", en="odds ratio", zh="优势比", values=odds.estimate, format="number", digits=2),
            Column(key="lower", en="lower", zh="下限", values=odds.lower, format="number", digits=2),
            Column(key="upper", en="upper", zh="上限", values=odds.upper, format="number", digits=2),
            Column(key="p_value", en="p", zh="p 值", values=odds.p_value, format="number", digits=4),
            Column(
                key="p_adjusted", en="p adjusted", zh="校正 p 值", values=self.p_adjusted, format="number", digits=4
            ),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        return [_NOTE[lang]]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the step, and how many stood before it and took it."""
        taken = f"{self.funnel.names[self.step]!r} taken by {self.took:,} of {self.members:,}"
        return f"Correlates({taken}, {len(self.kinds)} kinds)"


def _share(part: IntArray, whole: IntArray) -> FloatArray:
    return frozen(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0))


def correlate(
    log: EventLog,
    funnel: Funnel,
    /,
    *,
    step: int | str | None = None,
    kinds: Collection[str] | str | None = None,
    lookback: dt.timedelta | None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    maturity: Maturity = "all",
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> Correlates:
    """Compare, for each kind of event, how often a step is taken by those who did it before and by those who did not.

    Parameters
    ----------
    log, funnel, start, end, maturity, observed_until, unknown_kinds
        As in `convert`.
    step : int or str, optional
        The step that is taken or not; by default the last one that may not be skipped.
    kinds : collection of str, optional
        Kinds to look at; by default all of the log that no step names.
    lookback : timedelta, optional
        How far back a row counts from the instant at which the member stood before the step; by default the window.

    Returns
    -------
    Correlates

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        As in `convert`; the step is the first or an optional one; the order is ``any``, in which no step comes before
        another.

    Notes
    -----
    Everybody is asked at the same point of the way: at the instant at which their first attempt to get so far reached
    the required step before. Rows in ``[instant − lookback, instant]`` count. What happens between the two steps does
    not, for those who take the step have less time there than those who don't. The odds ratio is that of the two by
    two table of done × taken, with Woolf's interval; p values are adjusted by Holm.

    References
    ----------
    B. Woolf (1955), On estimating the relation between blood group and disease, doi:10.1111/j.1469-1809.1955.tb01348.x.
    S. Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6.

    Examples
    --------
    >>> from pendulum import duration
    >>> from shequn.columns import EventLog
    >>> from shequn.funnel import Funnel
    >>> who, what = ["ann", "ann", "ann", "bo"], ["like", "join", "post", "join"]
    >>> log = EventLog.from_columns(member=who, kind=what, at=[0, 60, 120, 60], time_unit="s")
    >>> correlate(log, Funnel(steps=("join", "post"), within=duration(days=1))).rate_with.tolist()
    [1.0]
    """
    asked = Asked.of(
        log, funnel, start=start, end=end, maturity=maturity, observed_until=observed_until, unknown_kinds=unknown_kinds
    )
    if funnel.order == "any":
        raise InvalidValueError(message("funnel", "an order in which a step comes before another", funnel.order))
    place = funnel.required[-1] if step is None else funnel.position(step)
    if place == 0 or place not in funnel.required:
        expected = "a step that may not be skipped, after the first"
        raise InvalidValueError(message("step", expected, funnel.names[place]))
    lookback_us = funnel.within_us if lookback is None else elapsed_us("lookback", lookback)
    named = kind_names(kinds, argument="kinds") if kinds is not None else _other_kinds(log, funnel)
    if kinds is not None:
        of_kinds(log, named, unknown_kinds=unknown_kinds)
    nobody = np.zeros(len(named), dtype=np.int64)
    empty = Correlates(
        funnel=funnel, step=place, lookback_us=lookback_us, kinds=named, with_kind=nobody, took_with_kind=nobody
    )
    if not len(asked.log):
        return empty
    before = attrs.evolve(asked, funnel=_until(funnel, place), unknown_kinds="ignore")
    found = find(before.reading(), asked.eligible)
    found = found.some(found.level == before.funnel.n_required)
    whole = find(asked.reading(), asked.eligible, with_witness=False)
    depth = funnel.required.index(place)
    took = np.zeros(len(asked.log.members), dtype=np.bool_)
    took[whole.member[whole.level > depth]] = True
    did = _did(asked.log, found, before.funnel.required[-1], lookback_us, named)
    return attrs.evolve(
        empty,
        with_kind=did.sum(axis=1),
        took_with_kind=did[:, took[found.member]].sum(axis=1),
        members=len(found.member),
        took=int(took[found.member].sum()),
    )


def _other_kinds(log: EventLog, funnel: Funnel) -> list[str]:
    in_steps = {kind for step in funnel.steps for kind in step.kinds}
    return [str(kind) for kind in log.kinds if kind not in in_steps]


def _until(funnel: Funnel, step: int) -> Funnel:
    """Return the funnel of the steps before one, of which the first attempt to get there is the witness."""
    last = max(position for position in funnel.required if position < step)
    return attrs.evolve(
        funnel,
        steps=funnel.steps[: last + 1],
        optional=[position for position in funnel.skippable if position < last],
        exclusions=[part for part in funnel.exclusions if funnel.position(part.before) <= last],
        entry="first",
    )


def _did(log: EventLog, found: Found, last: int, lookback_us: int, kinds: Sequence[str]) -> BoolArray:
    """Return who did what in the time back, shape (n_kinds, n_members)."""
    at_us = np.full(len(log.members), np.iinfo(np.int64).min, dtype=np.int64)
    at_us[found.member] = found.at_us[:, last]
    place = np.full(len(log.members), -1, dtype=np.int64)
    place[found.member] = np.arange(len(found.member))
    at = at_us[log.member_codes]
    counts = (place[log.member_codes] >= 0) & (log.at_us <= at) & (log.at_us >= at - lookback_us)
    did = np.zeros((len(kinds), len(found.member)), dtype=np.bool_)
    codes = {str(kind): code for code, kind in enumerate(log.kinds)}
    for row, kind in enumerate(kinds):
        rows = counts & (log.kind_codes == codes.get(kind, -1))
        did[row, place[log.member_codes[rows]]] = True
    return did
