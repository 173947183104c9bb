"""Which steps does a change in completions come from?"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from shequn.columns.breakdown import Breakdown
from shequn.columns.readonly import by_fields, int64
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.funnel.change.products import (
    NOT_CAUSAL,
    factors,
    floats,
    later_steps,
    n_entered,
    required_positions,
    segment_factors,
    shapley_of_changes,
    sum_of,
)
from shequn.funnel.change.segment_effects import SegmentEffects, effect_column, part_names
from shequn.funnel.comparison import required_steps, same_steps
from shequn.funnel.result import FunnelResult  # noqa: TC001  # the examples use it

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from shequn._typing import FloatArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

    Funnels: TypeAlias = FunnelResult | Breakdown[FunnelResult]

__all__ = ["Decomposition", "DecompositionRow", "decompose"]


@attrs.frozen(kw_only=True)
class DecompositionRow:
    """One part of a change in completions; the names are those of `Decomposition`.

    `step` is the step whose rate it is, None for entries and segment mix. `before` and `after` are the members who
    entered, or the rate over everybody, NaN for the mix and where nobody was.
    """

    part: str
    step: str | None
    before: float
    after: float
    effect: float


@attrs.frozen(kw_only=True, repr=False)
class Decomposition(Tabular[DecompositionRow]):
    """A change in completions and the parts that it is the sum of; made by `decompose`.

    Attributes
    ----------
    before, after : FunnelResult
        The two funnels; of breakdowns, their totals.
    exact : tuple of Fraction
        Completions that each part adds, in the order of `parts`. They sum exactly to `change`.
    by_segment : SegmentEffects or None
        The same for each segment, where breakdowns were decomposed.

    Examples
    --------
    >>> may = FunnelResult.from_counts(steps=["join", "post", "purchase"], reached=[1200, 480, 60])
    >>> june = FunnelResult.from_counts(steps=["join", "post", "purchase"], reached=[1500, 540, 90])
    >>> print(decompose(may, june))
    part              before  after  effect
    ───────────────────────────────────────
    entries            1,200  1,500    16.6
    rate of post       40.0%  36.0%    -7.9
    rate of purchase   12.5%  16.7%    21.3
    (completions)         60     90    30.0
    Arithmetic on counts and rates: it says what adds up, not what caused or would cause it.
    """

    before: FunnelResult
    after: FunnelResult
    exact: tuple[Fraction, ...]
    by_segment: SegmentEffects | None = None

    _Row: ClassVar[type[Any] | None] = DecompositionRow

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the steps whose rates are parts: those from the second on that may not be skipped."""
        return later_steps(self.before)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts: entries, segment mix (of breakdowns), and the rate of each step."""
        return part_names(self.steps, has_mix=self._has_mix)

    @property
    def _has_mix(self) -> bool:
        return self.by_segment is not None

    @property
    def effects(self) -> FloatArray:
        """Completions that each part adds, shape (n_parts,): `exact`, each rounded to the nearest float."""
        return floats(self.exact)

    @property
    def change(self) -> int:
        """Completions after less completions before."""
        return self.after.completed - self.before.completed

    @property
    def residual(self) -> Fraction:
        """What the parts leave of the change: always 0."""
        return self.change - sum_of(self.exact)

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        totals = {"en": "(completions)", "zh": "（完成人数）"}
        parts = [*part_names(self.steps, has_mix=self._has_mix, lang=lang), totals[lang]]
        before, after = (
            [*map(_shown, range(len(values)), values.tolist()), f"{result.completed:,}"]
            for result, values in ((self.before, self._values(self.before)), (self.after, self._values(self.after)))
        )
        return [
            Column(key="part", en="part", zh="组成部分", values=np.array(parts, dtype=object)),
            # Counts and rates stand under each other: as texts, in a format that stands on the right.
            Column(key="before", en="before", zh="之前", values=np.array(before, dtype=object), format="number"),
            Column(key="after", en="after", zh="之后", values=np.array(after, dtype=object), format="number"),
            effect_column([*self.effects.tolist(), float(self.change)]),
        ]

    def _tidy(self) -> Sequence[Column]:
        no_step = [None] * (len(self.exact) - len(self.steps))
        return [
            Column(key="part", en="part", zh="组成部分", values=np.array(self.parts, dtype=object)),
            Column(key="step", en="step", zh="步骤", values=np.array([*no_step, *self.steps], dtype=object)),
            Column(key="before", en="before", zh="之前", values=self._values(self.before), format="number"),
            Column(key="after", en="after", zh="之后", values=self._values(self.after), format="number"),
            effect_column(self.effects),
        ]

    def _values(self, result: FunnelResult) -> FloatArray:
        """Return the entries and rates of everybody; the mix is no number."""
        mix = [np.nan] if self._has_mix else []
        return np.array([float(result.reached[0]), *mix, *result.step_rates[required_steps(result)[1:]].tolist()])

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        if not self._has_mix:
            return [NOT_CAUSAL[lang]]
        within = {
            "en": "Rates shown are everybody's; their effects are those of the rates within the segments.",
            "zh": "表中转化率为全体成员的转化率；其影响按各分组内的转化率计算。",
        }
        return [within[lang], NOT_CAUSAL[lang]]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle by the constructor."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the change and its parts."""
        parts = ", ".join(f"{part} {effect:+,.1f}" for part, effect in zip(self.parts, self.effects, strict=True))
        return f"Decomposition({self.change:+,} completions: {parts})"


def _shown(part: int, value: float) -> str | None:
    if np.isnan(value):
        return None
    return f"{value:.1%}" if part else f"{value:,.0f}"


def decompose(before: Funnels, after: Funnels, /) -> Decomposition:
    r"""Split the change in completions between two funnels into the parts that it is the sum of.

    Parameters
    ----------
    before, after : FunnelResult, or Breakdown of them
        Two funnels with the same steps; of breakdowns, the mix of the segments is a part of its own, and rates are
        those within each segment. The segments need not be the same.

    Returns
    -------
    Decomposition
        Completions added by the members who entered, by the mix of the segments (of breakdowns), and by the rate of
        each step after the first that may not be skipped. The parts sum exactly to the change.

    Raises
    ------
    InvalidTypeError
        They are not two results or two breakdowns of results.
    InvalidValueError
        The steps differ; a step was reached by more members than the one before it; or the segments do not add up to
        the total, as where members are in several.

    See Also
    --------
    compare : Whether the rates differ by more than chance.

    Notes
    -----
    Completions are a product, entries × rate × rate …, and in a segment all entries × share of the segment × rates
    within it. Each part is the Shapley value of its factor: what changing this factor alone adds, averaged over all
    orders in which the k factors could be changed one after the other. No order is preferred, a factor that stays adds
    nothing, swapping the funnels turns every sign, and the parts sum to the change exactly. For factor i with values x
    before and x' after,

    .. math:: (x'_i - x_i) \sum_{s=0}^{k-1} \frac{s! \, (k-1-s)!}{k!} \; [z^s] \prod_{j \ne i} (x_j + x'_j z),

    computed in whole numbers, so that nothing is rounded. Effects of segments add up: the mix is that of all shares
    changed together.

    A rate that is unknown in one funnel, because nobody reached the step before, is taken from the other, so that it
    adds nothing; one unknown in both is 0. Likewise a segment that only one of them has enters with share 0 and the
    other's rates in the other, and where nobody entered at all, the shares of the other are taken. Those in no segment
    are a segment. Optional steps take no part, nor do tainted and immature members.

    This is arithmetic, not a causal claim.

    References
    ----------
    Shapley, L. S. (1953). A value for n-person games. Contributions to the Theory of Games II, 307-317.

    Shorrocks, A. F. (2013). Decomposition procedures for distributional analysis: a unified framework based on the
    Shapley value. Journal of Economic Inequality 11, 99-126. https://doi.org/10.1007/s10888-011-9214-z

    Examples
    --------
    >>> may = FunnelResult.from_counts(steps=["join", "post"], reached=[100, 40])
    >>> june = FunnelResult.from_counts(steps=["join", "post"], reached=[200, 60])
    >>> change = decompose(may, june)
    >>> dict(zip(change.parts, change.exact))
    {'entries': Fraction(35, 1), 'rate of post': Fraction(-15, 1)}
    >>> change.change, change.residual
    (20, Fraction(0, 1))
    """
    if isinstance(before, Breakdown) and isinstance(after, Breakdown):
        return _decompose_segments(before, after)
    if isinstance(before, Breakdown) or isinstance(after, Breakdown):
        raise InvalidTypeError(message("before, after", "two FunnelResults or two Breakdowns", [before, after]))
    same_steps(before, after)
    exact = shapley_of_changes(*(factors([Fraction(n_entered(result))], result) for result in (before, after)))
    return Decomposition(before=before, after=after, exact=exact)


def _decompose_segments(before: Breakdown[FunnelResult], after: Breakdown[FunnelResult]) -> Decomposition:
    same_steps(before.total, after.total, names=("before.total", "after.total"))
    for name, breakdown in (("before", before), ("after", after)):
        _check_segments(name, breakdown)
    labels: list[Label | None] = list(dict.fromkeys((*before.parts, *after.parts)))
    if before.unassigned is not None or after.unassigned is not None:
        labels.append(None)
    results = [(_segment(before, label), _segment(after, label)) for label in labels]
    exact = tuple(
        shapley_of_changes(segment_factors(old, before.total), segment_factors(new, after.total))
        for old, new in results
    )
    by_segment = SegmentEffects(
        segments=tuple(labels),
        steps=later_steps(before.total),
        completed_before=int64([old.completed for old, _ in results]),
        completed_after=int64([new.completed for _, new in results]),
        exact=exact,
    )
    totals = tuple(sum_of([effects[part] for effects in exact]) for part in range(len(by_segment.parts)))
    return Decomposition(before=before.total, after=after.total, exact=totals, by_segment=by_segment)


def _check_segments(name: str, breakdown: Breakdown[FunnelResult]) -> None:
    for label, part in (*breakdown.parts.items(), (None, breakdown.unassigned)):
        if part is not None:
            part_name = f"{name}.unassigned" if label is None else f"{name}[{label!r}]"
            same_steps(breakdown.total, part, names=(f"{name}.total", part_name))
    overlap: list[int] = breakdown.overlap.tolist()
    for step in required_positions(breakdown.total):
        if overlap[step]:
            expected = (
                f"segments that add up to the total, no member in several, at step {breakdown.total.steps[step]!r}"
            )
            raise InvalidValueError(message(name, expected, f"{overlap[step]:+,}"))


def _segment(breakdown: Breakdown[FunnelResult], label: Label | None) -> FunnelResult:
    found = breakdown.unassigned if label is None else breakdown.parts.get(label)
    nobody = np.zeros_like(breakdown.total.reached)
    return attrs.evolve(breakdown.total, reached=nobody) if found is None else found
