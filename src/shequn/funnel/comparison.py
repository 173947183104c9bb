"""Do two funnels convert differently, and at which step?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.funnel.definition import Funnel
from shequn.funnel.result import FunnelResult, required_steps, steps_before
from shequn.stats import Interval, holm, newcombe, two_proportions
from shequn.stats._checks import level_in_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang

__all__ = ["FunnelComparison", "FunnelComparisonRow", "compare", "required_steps", "same_steps", "steps_before"]


@attrs.frozen(kw_only=True)
class FunnelComparisonRow:
    """One step of two funnels, or with None as its step the whole way; the names are those of `FunnelComparison`."""

    step: str | None
    rate_before: float
    rate_after: float
    difference: float
    lower: float
    upper: float
    p_value: float
    p_adjusted: float


@attrs.frozen(kw_only=True, repr=False)
class FunnelComparison(Tabular[FunnelComparisonRow]):
    """How the rates of two funnels of the same steps differ; made by `compare`.

    All arrays have one row for each step from the second on, and as the last row the whole way: the last step that may
    not be skipped, over the first. Where nobody was, a row is NaN.

    Attributes
    ----------
    before, after : FunnelResult
        The two funnels.
    level : float
        Confidence of the intervals.

    Examples
    --------
    >>> may = FunnelResult.from_counts(steps=["join", "post", "purchase"], reached=[1200, 480, 60])
    >>> june = FunnelResult.from_counts(steps=["join", "post", "purchase"], reached=[1500, 540, 90])
    >>> print(compare(may, june))
    step       before  after  difference  lower  upper       p  p (Holm)
    ────────────────────────────────────────────────────────────────────
    post        40.0%  36.0%       -4.0%  -7.7%  -0.3%  0.0332    0.0663
    purchase    12.5%  16.7%        4.2%  -0.2%   8.5%  0.0607    0.0663
    (overall)    5.0%   6.0%        1.0%  -0.8%   2.7%  0.2597         –
    Holm's adjustment is over the steps; the overall rate is a question of its own and stands unadjusted.
    """

    before: FunnelResult
    after: FunnelResult
    level: float = 0.95

    _Row: ClassVar[type[Any] | None] = FunnelComparisonRow

    @property
    def steps(self) -> tuple[str | None, ...]:
        """Name of each step from the second on, then None for the whole way."""
        return (*self.before.steps[1:], None)

    @property
    def rate_before(self) -> FloatArray:
        """Rate of each row in the funnel before, over the step before it that may not be skipped."""
        return _rates(self.before)

    @property
    def rate_after(self) -> FloatArray:
        """Rate of each row in the funnel after, over the step before it that may not be skipped."""
        return _rates(self.after)

    @property
    def difference(self) -> FloatArray:
        """Rate after less rate before."""
        return frozen(self.rate_after - self.rate_before)

    @property
    def lower(self) -> FloatArray:
        """Lower end of Newcombe's interval of the difference."""
        return self._interval().lower

    @property
    def upper(self) -> FloatArray:
        """Upper end of Newcombe's interval of the difference."""
        return self._interval().upper

    def _interval(self) -> Interval:
        return newcombe(*_hits_and_trials(self.after), *_hits_and_trials(self.before), level=self.level)

    @property
    def p_value(self) -> FloatArray:
        """Two-sided p of the pooled z test that both rates are equal."""
        return two_proportions(*_hits_and_trials(self.after), *_hits_and_trials(self.before))

    @property
    def p_adjusted(self) -> FloatArray:
        """The p-values of the steps, adjusted over the steps by Holm's rule; NaN for the whole way."""
        return frozen(np.append(holm(self.p_value[:-1]), np.nan))

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        skippable, overall = {"en": (" (optional)", "(overall)"), "zh": ("（可跳过）", "（总体）")}[lang]
        names = [
            name + skippable * (step in self.before.optional)
            for step, name in enumerate(self.before.steps[1:], start=1)
        ]
        return self._columns_under([*names, overall])

    def _tidy(self) -> Sequence[Column]:
        return self._columns_under(self.steps)

    def _columns_under(self, steps: Sequence[str | None]) -> list[Column]:
        interval, adjusted = self._interval(), self.p_adjusted
        return [
            Column(key="step", en="step", zh="步骤", values=np.array(steps, dtype=object)),
            Column(key="rate_before", en="before", zh="之前", values=self.rate_before, format="rate"),
            Column(key="rate_after", en="after", zh="之后", values=self.rate_after, format="rate"),
            Column(key="difference", en="difference", zh="差值", values=self.difference, format="rate"),
            Column(key="lower", en="lower", zh="下限", values=interval.lower, format="rate"),
            Column(key="upper", en="upper", zh="上限", values=interval.upper, format="rate"),
            Column(key="p_value", en="p", zh="p 值", values=self.p_value, format="number", digits=4),
            Column(key="p_adjusted", en="p (Holm)", zh="p 值（Holm）", values=adjusted, format="number", digits=4),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        if lang == "zh":
            return ["Holm 校正只针对各步骤；总转化率是另一个问题，不参与校正。"]
        return ["Holm's adjustment is over the steps; the overall rate is a question of its own and stands unadjusted."]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle by the constructor."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the steps, and the rate of the whole way in both."""
        rates = f"{self.rate_before[-1]:.1%} → {self.rate_after[-1]:.1%}"
        return f"FunnelComparison({' → '.join(self.before.steps)}: {rates})"


def compare(before: FunnelResult, after: FunnelResult, /, *, level: float = 0.95) -> FunnelComparison:
    """Compare the rates of two funnels of the same steps.

    Parameters
    ----------
    before, after : FunnelResult
        Two periods, or two segments of a `Breakdown`; differences are `after` less `before`.
    level : float, default 0.95
        Confidence of the intervals, between 0 and 1.

    Returns
    -------
    FunnelComparison
        A row for each step from the second on, and one for the whole way.

    Raises
    ------
    InvalidTypeError
        A funnel is no `FunnelResult`, or `level` is no number.
    InvalidValueError
        The funnels have other steps or another definition, or `level` is not between 0 and 1.

    See Also
    --------
    shequn.funnel.decompose : How much of the change in completions comes from which step.

    Notes
    -----
    Each step, an optional one too, is over the step before it that may not be skipped. Differences have Newcombe's
    intervals (method 10), p is that of the pooled z test, and p is adjusted by Holm's rule for as many tests as there
    are steps whose rates are known in both funnels. The rate of the whole way is no member of that family: it answers
    whether anything changed, they answer where, so that it has no adjusted p and does not make theirs larger. The
    intervals are not adjusted.

    Two definitions (a longer window, an exclusion more) make two questions, whose answers over the same members differ
    for sure and over others for two reasons: results that both know their funnel must have the same. Where you mean to
    set them side by side all the same, take the counts alone: ``FunnelResult.from_counts``.

    Intervals and tests hold for two samples of different members. Where many members are in both (two periods of one
    community, segments that overlap), the intervals are as a rule too wide and p too large.

    References
    ----------
    Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions: comparison of eleven
    methods. Statistics in Medicine 17, 873-890.

    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6,
    65-70. https://www.jstor.org/stable/4615733

    Examples
    --------
    >>> may = FunnelResult.from_counts(steps=["join", "post"], reached=[1200, 480])
    >>> june = FunnelResult.from_counts(steps=["join", "post"], reached=[1500, 540])
    >>> post, overall = compare(may, june).rows()
    >>> print(f"{post.difference:.3f}, {post.lower:.3f} to {post.upper:.3f}, p = {post.p_value:.3f}")
    -0.040, -0.077 to -0.003, p = 0.033
    """
    same_steps(before, after)
    return FunnelComparison(before=before, after=after, level=level_in_unit(level))


def same_steps(before: FunnelResult, after: FunnelResult, /, *, names: tuple[str, str] = ("before", "after")) -> None:
    """Raise unless both are results over the same steps, and as far as the definitions are known, of the same funnel.

    Examples
    --------
    >>> result = FunnelResult.from_counts(steps=["join", "post"], reached=[10, 4])
    >>> same_steps(result, result)
    """
    for name, result in zip(names, (before, after), strict=True):
        usable_result(name, result)
    for field in ("steps", "optional"):
        expected, found = getattr(before, field), getattr(after, field)
        if expected != found:
            raise InvalidValueError(message(f"{names[1]}.{field}", f"those of `{names[0]}`, {expected}", found))
    if before.funnel is None or after.funnel is None:
        return
    for field in attrs.fields_dict(Funnel):
        expected, found = getattr(before.funnel, field), getattr(after.funnel, field)
        if expected != found:
            wanted = f"that of `{names[0]}`, {expected!r}"
            raise InvalidValueError(message(f"{names[1]}.funnel.{field}", wanted, found))


def usable_result(name: str, result: FunnelResult) -> None:
    """Raise unless it is a result.

    Examples
    --------
    >>> usable_result("result", FunnelResult.from_counts(steps=["join", "post"], reached=[10, 4]))
    """
    if not isinstance(result, FunnelResult):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message(name, "a FunnelResult (of a Breakdown, its total or a segment)", result))


def _hits_and_trials(result: FunnelResult) -> tuple[IntArray, IntArray]:
    """Return the two counts of each rate, that of the whole way last."""
    reached = result.reached
    return np.append(reached[1:], result.completed), np.append(reached[steps_before(result)], reached[0])


def _rates(result: FunnelResult) -> FloatArray:
    hits, trials = _hits_and_trials(result)
    return frozen(np.divide(hits, trials, out=np.full(len(hits), np.nan), where=trials > 0))
