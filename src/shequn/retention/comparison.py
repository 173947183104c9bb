"""Do some segments stay longer than others, by more than chance would make?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.breakdown import Breakdown
from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, message
from shequn.retention.survival_curve import SurvivalCurve
from shequn.retention.time_units import unit_heading
from shequn.stats import log_rank as log_rank_of_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shequn._typing import FloatArray
    from shequn.columns.table import Lang
    from shequn.labels import Label
    from shequn.stats import LogRank
    from shequn.stats._log_rank import Weights

__all__ = ["SurvivalComparison", "SurvivalComparisonRow", "log_rank"]

_FEWEST = 2
_NAMES: dict[str, tuple[str, str]] = {
    "log-rank": ("Log-rank test", "对数秩检验"),
    "wilcoxon": ("Wilcoxon test (Gehan)", "Wilcoxon 检验（Gehan）"),
    "tarone-ware": ("Tarone-Ware test", "Tarone-Ware 检验"),
    "peto": ("Peto test", "Peto 检验"),
    "fleming-harrington": ("Fleming-Harrington test", "Fleming-Harrington 检验"),
}


class SurvivalComparisonRow(NamedTuple):
    """One segment; the names are those of `SurvivalComparison.to_columns`.

    Examples
    --------
    >>> row = SurvivalComparisonRow(
    ...     segment="gold", followed=20, events=6, expected=9.5, ratio=0.63, median=80.0, lower=51.0, upper=120.0
    ... )
    >>> row.ratio
    0.63
    """

    segment: Label
    followed: int
    events: int
    expected: float
    ratio: float
    median: float
    lower: float
    upper: float


def _labels(given: Iterable[Label]) -> tuple[Label, ...]:
    return tuple(given)


def _curves(given: Iterable[SurvivalCurve]) -> tuple[SurvivalCurve, ...]:
    return tuple(given)


@attrs.frozen(kw_only=True, repr=False)
class SurvivalComparison(Tabular[SurvivalComparisonRow]):
    """Segments beside each other, and whether they differ; made by `log_rank`.

    Attributes
    ----------
    segments : tuple of str or int
    curves : tuple of SurvivalCurve
        One a segment.
    test : LogRank
        The outcome of the test over all of them.
    weights : str
        Which test it was.

    Examples
    --------
    >>> from shequn.retention import kaplan_meier
    >>> log_rank({"quick": kaplan_meier([1, 2, 2, 3, 5]), "slow": kaplan_meier([4, 6, 7, 7, 9])})
    SurvivalComparison(2 segments: chi-square 7.39 on 1 df, p = 0.0066)
    """

    segments: tuple[Label, ...] = attrs.field(converter=_labels)
    curves: tuple[SurvivalCurve, ...] = attrs.field(converter=_curves)
    test: LogRank
    weights: Weights = "log-rank"

    _Row: ClassVar[type[Any] | None] = SurvivalComparisonRow

    def __attrs_post_init__(self) -> None:
        for name, found in (("curves", self.curves), ("test", self.test.observed)):
            if len(found) != len(self.segments):
                raise MisalignedError(message(name, f"one for each of the {len(self.segments)} segments", len(found)))

    @property
    def statistic(self) -> float:
        """Chi-square; 0 when nothing is left to compare."""
        return self.test.statistic

    @property
    def df(self) -> int:
        """Degrees of freedom."""
        return self.test.df

    @property
    def p_value(self) -> float:
        """Probability of a statistic at least as large when all segments stay alike; NaN at `df` 0."""
        return self.test.p_value

    @property
    def ratio(self) -> FloatArray:
        """Events observed for each one expected, shape (n_segments,); NaN where none was expected."""
        expected = self.test.expected
        ratio = np.full(len(expected), np.nan)
        return frozen(np.divide(self.test.observed, expected, out=ratio, where=expected > 0))

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        ends = [curve.quantile_interval(0.5) for curve in self.curves]
        unit = self.curves[0].unit if self.curves else None
        en = "" if unit is None else f", {unit_heading(unit, 'en')}"
        zh = "" if unit is None else f"（{unit_heading(unit, 'zh')}）"
        measured = [
            ("median", f"median{en}", f"中位数{zh}", [curve.median for curve in self.curves]),
            ("lower", "lower", "下限", [float(end.lower) for end in ends]),
            ("upper", "upper", "上限", [float(end.upper) for end in ends]),
        ]
        followed = [curve.n_followed for curve in self.curves]
        return [
            Column(key="segment", en="segment", zh="分组", values=list(self.segments)),
            Column(key="followed", en="followed", zh="观察", values=followed, format="count"),
            Column(key="events", en="events", zh="事件", values=self.test.observed, format="count"),
            Column(key="expected", en="expected", zh="预期", values=self.test.expected, format="number", digits=1),
            Column(key="ratio", en="ratio", zh="比值", values=self.ratio, format="number", digits=2),
            *(Column(key=key, en=en, zh=zh, values=values, format="number") for key, en, zh, values in measured),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        en, zh = _NAMES[self.weights]
        return [f"{zh}：{self._outcome(zh=True)}。" if lang == "zh" else f"{en}: {self._outcome(zh=False)}."]

    def _outcome(self, *, zh: bool) -> str:
        if not self.df:
            return "没有可比较的" if zh else "nothing to compare"
        p = "p < 0.0001" if self.p_value < 0.0001 else f"p = {self.p_value:.4f}"  # noqa: PLR2004
        if zh:
            return f"卡方 {self.statistic:.2f}，自由度 {self.df}，{p}"
        return f"chi-square {self.statistic:.2f} on {self.df} df, {p}"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle by the constructor."""
        return by_fields(self)

    def __repr__(self) -> str:
        return f"SurvivalComparison({len(self.segments)} segments: {self._outcome(zh=False)})"


def log_rank(
    curves: Breakdown[SurvivalCurve] | Mapping[Label, SurvivalCurve],
    /,
    *,
    weights: Weights = "log-rank",
    p: float | None = None,
    q: float | None = None,
) -> SurvivalComparison:
    """Test whether the members of several segments stay alike.

    Parameters
    ----------
    curves : Breakdown or mapping of str or int to SurvivalCurve
        Two segments or more, of different members. Of a breakdown, those in no segment are left out.
    weights : {"log-rank", "wilcoxon", "tarone-ware", "peto", "fleming-harrington"}
        Which differences weigh most; see `shequn.stats.log_rank`.
    p, q : float, optional
        Of Fleming and Harrington alone.

    Returns
    -------
    SurvivalComparison

    Raises
    ------
    InvalidTypeError
        They are no survival curves.
    InvalidValueError
        There are fewer than two; they are in different units, or differ in what evaporated means; members are in
        several segments; or a weight can't be used.

    Notes
    -----
    See `shequn.stats.log_rank`. For each pair of segments, test the two alone, and hand all the p-values to
    `shequn.stats.holm`.

    Examples
    --------
    >>> from shequn.retention import kaplan_meier
    >>> quick = kaplan_meier([1, 2, 2, 3, 5], unit="week")
    >>> slow = kaplan_meier([4, 6, 7, 7, 9], [True, False, True, True, False], unit="week")
    >>> print(log_rank({"quick": quick, "slow": slow}))
    segment  followed  events  expected  ratio  median, weeks  lower  upper
    ───────────────────────────────────────────────────────────────────────
    quick           5       5       2.0   2.45              2      1      –
    slow            5       3       6.0   0.50              7      4      –
    Log-rank test: chi-square 7.39 on 1 df, p = 0.0066.
    """
    labelled = _labelled(curves)
    first = next(iter(labelled.values()))
    alike = {label: _like(first, label, curve) for label, curve in labelled.items()}
    test = log_rank_of_tables([curve.counts for curve in alike.values()], weights=weights, p=p, q=q)
    return SurvivalComparison(segments=tuple(alike), curves=tuple(alike.values()), test=test, weights=weights)


def _labelled(
    curves: Breakdown[SurvivalCurve] | Mapping[Label, SurvivalCurve],
) -> dict[Label, SurvivalCurve]:
    expected = "a Breakdown of survival curves, or a mapping of labels to them"
    parts = curves.parts if isinstance(curves, Breakdown) else curves
    if not isinstance(parts, Mapping):
        raise InvalidTypeError(message("curves", expected, curves))
    labelled = dict(parts)
    for curve in labelled.values():
        if not isinstance(curve, SurvivalCurve):
            raise InvalidTypeError(message("curves", expected, curve))
    if isinstance(curves, Breakdown):
        _require_apart(curves)
    if len(labelled) < _FEWEST:
        raise InvalidValueError(message("curves", "two segments or more", len(labelled)))
    return labelled


def _require_apart(breakdown: Breakdown[Any]) -> None:
    most = int(breakdown.overlap.max(initial=0))
    if most > 0:
        told = f"segments without members in common (they add up to {most:,} more than there are)"
        raise InvalidValueError(message("curves", told, breakdown))


def _like(first: SurvivalCurve, label: Label, other: SurvivalCurve) -> SurvivalCurve:
    """Return a curve in the unit of the first, if both tell the same."""
    argument = f"curves[{label!r}]"
    if (first.rule is None) != (other.rule is None):
        raise InvalidValueError(message(argument, "a curve that was made the same way as the first", other))
    if first.rule is None or other.rule is None:
        if first.unit != other.unit:
            raise InvalidValueError(message(argument, f"the unit of the first ({first.unit})", other.unit))
        return other
    # Communities may have been observed until different instants, but evaporated must mean the same.
    attrs.evolve(first.rule, horizon=other.rule.horizon).merge(other.rule)
    return attrs.evolve(other, unit=first.unit)
