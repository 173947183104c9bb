"""Which steps does a change in completions come from, and what would another rate at a step add up to?

Everything here is arithmetic on counts that are already known, done in exact fractions. It says how the parts add up,
not what caused them: a step whose rate rose may have done so because other people entered.
"""

# Longer than most files: three questions about one product, entries × rate × rate …, which must read it the same way.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import factorial, isfinite, lcm, prod
from typing import TYPE_CHECKING, Any, ClassVar, cast

import attrs
import numpy as np

from shequn.columns.breakdown import Breakdown
from shequn.columns.readonly import by_fields, counts_field, frozen, int64
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError, message, suggest
from shequn.funnel.comparison import required_steps, same_steps, steps_before, usable_result
from shequn.funnel.result import FunnelResult
from shequn.stats._checks import is_integer, plain
from shequn.values.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

    Funnels: TypeAlias = FunnelResult | Breakdown[FunnelResult]
    AnyRate: TypeAlias = float | Fraction | Rate

__all__ = [
    "BottleneckRow",
    "Bottlenecks",
    "Decomposition",
    "DecompositionRow",
    "SegmentEffectRow",
    "SegmentEffects",
    "WhatIf",
    "WhatIfRow",
    "bottleneck",
    "decompose",
    "what_if",
]

_DEFAULT_LIFT = Fraction(1, 10)
_NOT_CAUSAL: dict[Lang, str] = {
    "en": "Arithmetic on counts and rates: it says what adds up, not what caused or would cause it.",
    "zh": "这是对人数与转化率的算术推算：只说明数量如何构成，不说明因果。",
}
_UNASSIGNED: dict[Lang, str] = {"en": "(unassigned)", "zh": "（未分组）"}
_SKIPPABLE: dict[Lang, str] = {"en": " (optional)", "zh": "（可跳过）"}


def _part_names(steps: Iterable[str], *, has_mix: bool, lang: Lang = "en") -> tuple[str, ...]:
    if lang == "zh":
        return ("进入人数", *(["分组构成"] if has_mix else []), *(f"{step}的转化率" for step in steps))
    return ("entries", *(["segment mix"] if has_mix else []), *(f"rate of {step}" for step in steps))


def _floats(exact: Iterable[Fraction | None]) -> FloatArray:
    return frozen(np.array([np.nan if part is None else float(part) for part in exact], dtype=np.float64))


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
        return _later_steps(self.before)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts: entries, segment mix (of breakdowns), and the rate of each step."""
        return _part_names(self.steps, has_mix=self._has_mix)

    @property
    def _has_mix(self) -> bool:
        return self.by_segment is not None

    @property
    def effects(self) -> FloatArray:
        """Completions that each part adds, shape (n_parts,): `exact`, each rounded to the nearest float."""
        return _floats(self.exact)

    @property
    def change(self) -> int:
        """Completions after less completions before."""
        return self.after.completed - self.before.completed

    @property
    def residual(self) -> Fraction:
        """What the parts leave of the change: always 0."""
        return self.change - _sum(self.exact)

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        totals = {"en": "(completions)", "zh": "（完成人数）"}
        parts = [*_part_names(self.steps, has_mix=self._has_mix, lang=lang), totals[lang]]
        before, after = (
            [*map(_shown, range(len(values)), values.tolist()), f"{result.completed:,}"]
            for result, values in ((self.before, self._values(self.before)), (self.after, self._values(self.after)))
        )
        return [
            Column(key="part", en="part", zh="组成部分", values=np.array(parts, dtype=object)),
            # Counts and rates stand under each other: as texts, in a format that stands on the right.
            Column(key="before", en="before", zh="之前", values=np.array(before, dtype=object), format="number"),
            Column(key="after", en="after", zh="之后", values=np.array(after, dtype=object), format="number"),
            _effect_column([*self.effects.tolist(), float(self.change)]),
        ]

    def _tidy(self) -> Sequence[Column]:
        no_step = [None] * (len(self.exact) - len(self.steps))
        return [
            Column(key="part", en="part", zh="组成部分", values=np.array(self.parts, dtype=object)),
            Column(key="step", en="step", zh="步骤", values=np.array([*no_step, *self.steps], dtype=object)),
            Column(key="before", en="before", zh="之前", values=self._values(self.before), format="number"),
            Column(key="after", en="after", zh="之后", values=self._values(self.after), format="number"),
            _effect_column(self.effects),
        ]

    def _values(self, result: FunnelResult) -> FloatArray:
        """Return the entries and rates of everybody; the mix is no number."""
        mix = [np.nan] if self._has_mix else []
        return np.array([float(result.reached[0]), *mix, *result.step_rates[required_steps(result)[1:]].tolist()])

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        if not self._has_mix:
            return [_NOT_CAUSAL[lang]]
        within = {
            "en": "Rates shown are everybody's; their effects are those of the rates within the segments.",
            "zh": "表中转化率为全体成员的转化率；其影响按各分组内的转化率计算。",
        }
        return [within[lang], _NOT_CAUSAL[lang]]

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


def _effect_column(values: ArrayLike) -> Column:
    return Column(key="effect", en="effect", zh="影响", values=np.asarray(values), format="number", digits=1)


@attrs.frozen(kw_only=True)
class SegmentEffectRow:
    """One part of the change in one segment; the names are those of `SegmentEffects`.

    `segment` is None for those in no segment; `step` is None for entries and segment mix.
    """

    segment: Label | None
    part: str
    step: str | None
    effect: float


@attrs.frozen(kw_only=True, repr=False)
class SegmentEffects(Tabular[SegmentEffectRow]):
    """What each segment has of each part of a change in completions; made by `decompose`.

    Attributes
    ----------
    segments : tuple of str, int or None
        The segments of either breakdown; None for those in no segment.
    steps : tuple of str
        Names of the steps whose rates are parts.
    completed_before, completed_after : ndarray of int64, shape (n_segments,)
        Members who completed.
    exact : tuple of tuple of Fraction
        Completions that each part adds in each segment: they sum over the parts to the change of the segment, and over
        the segments to the part of everybody.

    Examples
    --------
    >>> from shequn.columns import Breakdown
    >>> def month(ad, friend):
    ...     ad, friend = (FunnelResult.from_counts(steps=["join", "post"], reached=counts) for counts in (ad, friend))
    ...     return Breakdown(total=ad.merge(friend), parts={"ad": ad, "friend": friend})
    >>> change = decompose(month([100, 10], [100, 50]), month([300, 30], [100, 50]))
    >>> by_segment = change.by_segment
    >>> print(by_segment)
    segment  before  after  change  entries  segment mix  rate of post
    ──────────────────────────────────────────────────────────────────
    ad           10     30    20.0     12.5          7.5           0.0
    friend       50     50     0.0     37.5        -37.5           0.0
    Arithmetic on counts and rates: it says what adds up, not what caused or would cause it.
    """

    segments: tuple[Label | None, ...]
    steps: tuple[str, ...]
    completed_before: IntArray = counts_field()
    completed_after: IntArray = counts_field()
    exact: tuple[tuple[Fraction, ...], ...]

    _Row: ClassVar[type[Any] | None] = SegmentEffectRow

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts: entries, segment mix, and the rate of each step."""
        return _part_names(self.steps, has_mix=True)

    @property
    def effects(self) -> FloatArray:
        """Completions that each part adds in each segment, shape (n_segments, n_parts)."""
        flat = _floats(effect for segment in self.exact for effect in segment)
        return frozen(flat.reshape(len(self.segments), len(self.parts)))

    @property
    def change(self) -> IntArray:
        """Completions after less completions before, shape (n_segments,)."""
        return frozen(self.completed_after - self.completed_before)

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        names = [_UNASSIGNED[lang] if label is None else label for label in self.segments]
        effects = zip(_part_names(self.steps, has_mix=True, lang=lang), self.effects.T, strict=True)
        return [
            Column(key="segment", en="segment", zh="分组", values=np.array(names, dtype=object)),
            Column(key="before", en="before", zh="之前", values=self.completed_before, format="count"),
            Column(key="after", en="after", zh="之后", values=self.completed_after, format="count"),
            Column(key="change", en="change", zh="变化", values=self.change, format="number", digits=1),
            *(
                Column(key=f"part_{row}", en=name, zh=name, values=values, format="number", digits=1)
                for row, (name, values) in enumerate(effects)
            ),
        ]

    def _tidy(self) -> Sequence[Column]:
        n_segments, n_parts = self.effects.shape
        segment = np.repeat(np.array([*self.segments, None], dtype=object)[:-1], n_parts)
        steps = [None, None, *self.steps]
        return [
            Column(key="segment", en="segment", zh="分组", values=segment),
            Column(key="part", en="part", zh="组成部分", values=np.array(self.parts * n_segments, dtype=object)),
            Column(key="step", en="step", zh="步骤", values=np.array(steps * n_segments, dtype=object)),
            _effect_column(self.effects.ravel()),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        return [_NOT_CAUSAL[lang]]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show how many segments and parts there are."""
        return f"SegmentEffects({len(self.segments)} segments, {len(self.parts)} parts)"


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
    exact = _shapley_of_changes(*(_factors([Fraction(_entries(result))], result) for result in (before, after)))
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
        _shapley_of_changes(_segment_factors(old, before.total), _segment_factors(new, after.total))
        for old, new in results
    )
    by_segment = SegmentEffects(
        segments=tuple(labels),
        steps=_later_steps(before.total),
        completed_before=int64([old.completed for old, _ in results]),
        completed_after=int64([new.completed for _, new in results]),
        exact=exact,
    )
    totals = tuple(_sum([effects[part] for effects in exact]) for part in range(len(by_segment.parts)))
    return Decomposition(before=before.total, after=after.total, exact=totals, by_segment=by_segment)


def _check_segments(name: str, breakdown: Breakdown[FunnelResult]) -> None:
    for label, part in (*breakdown.parts.items(), (None, breakdown.unassigned)):
        if part is not None:
            part_name = f"{name}.unassigned" if label is None else f"{name}[{label!r}]"
            same_steps(breakdown.total, part, names=(f"{name}.total", part_name))
    overlap: list[int] = breakdown.overlap.tolist()
    for step in _positions(breakdown.total):
        if overlap[step]:
            expected = (
                f"segments that add up to the total, no member in several, at step {breakdown.total.steps[step]!r}"
            )
            raise InvalidValueError(message(name, expected, f"{overlap[step]:+,}"))


def _segment(breakdown: Breakdown[FunnelResult], label: Label | None) -> FunnelResult:
    found = breakdown.unassigned if label is None else breakdown.parts.get(label)
    nobody = np.zeros_like(breakdown.total.reached)
    return attrs.evolve(breakdown.total, reached=nobody) if found is None else found


def _positions(result: FunnelResult) -> list[int]:
    positions: list[int] = required_steps(result).tolist()
    return positions


def _later_steps(result: FunnelResult) -> tuple[str, ...]:
    return tuple(result.steps[step] for step in _positions(result)[1:])


def _entries(result: FunnelResult) -> int:
    return int(result.reached[0])


def _segment_factors(part: FunnelResult, total: FunnelResult) -> list[Fraction | None]:
    return _factors([Fraction(_entries(total)), _ratio(_entries(part), _entries(total))], part)


def _factors(first: Sequence[Fraction | None], result: FunnelResult) -> list[Fraction | None]:
    """Return the factors that multiply to the completions; None is one that nobody can tell."""
    counts: list[int] = result.reached[required_steps(result)].tolist()
    return [*first, *map(_ratio, counts[1:], counts[:-1])]


def _ratio(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def _shapley_of_changes(before: Sequence[Fraction | None], after: Sequence[Fraction | None]) -> tuple[Fraction, ...]:
    """Return what each factor adds to the product, a factor unknown before or after being the same in both."""
    factors = zip(before, after, strict=True)
    return _shapley_of_product([(_known(old, new), _known(new, old)) for old, new in factors])


def _known(factor: Fraction | None, other: Fraction | None) -> Fraction:
    if factor is not None:
        return factor
    return Fraction(0) if other is None else other


def _shapley_of_product(factors: Sequence[tuple[Fraction, Fraction]]) -> tuple[Fraction, ...]:
    """Return the Shapley value of each factor, given before and after, of the change of their product.

    In whole numbers over one denominator: fractions would be reduced at every step.
    """
    n = len(factors)
    scales = [lcm(old.denominator, new.denominator) for old, new in factors]
    pairs = [(int(old * scale), int(new * scale)) for (old, new), scale in zip(factors, scales, strict=True)]
    weights = [factorial(size) * factorial(n - 1 - size) for size in range(n)]
    denominator = factorial(n) * prod(scales)
    return tuple(
        Fraction((new - old) * sum(map(int.__mul__, weights, _by_size(pairs[:row] + pairs[row + 1 :]))), denominator)
        for row, (old, new) in enumerate(pairs)
    )


def _by_size(pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return for each s the sum, over the sets of s factors, of the product with just those changed."""
    polynomial = [1]
    for old, new in pairs:
        kept, changed = [*polynomial, 0], [0, *polynomial]
        polynomial = [old * low + new * high for low, high in zip(kept, changed, strict=True)]
    return polynomial


def _sum(terms: Sequence[Fraction]) -> Fraction:
    """Add fractions by halves: from left to right, a long denominator would be reduced at each of many terms."""
    if len(terms) <= 1:
        return terms[0] if terms else Fraction(0)
    middle = len(terms) // 2
    return _sum(terms[:middle]) + _sum(terms[middle:])


@attrs.frozen(kw_only=True)
class WhatIfRow:
    """One step under other rates; the names are those of `WhatIf`."""

    step: str
    reached: int
    step_rate: float
    new_rate: float
    expected: float
    gained: float


def _float_array(values: ArrayLike) -> FloatArray:
    return frozen(np.array(values, dtype=np.float64))


_same_floats = attrs.cmp_using(eq=lambda one, other: np.array_equal(one, other, equal_nan=True))


@attrs.frozen(kw_only=True, repr=False)
class WhatIf(Tabular[WhatIfRow]):
    """How many would reach each step, if some steps had other rates; made by `what_if`.

    Attributes
    ----------
    baseline : FunnelResult
        The funnel as it was.
    new_rates : ndarray of float64, shape (n_steps,)
        Rate of each step, given or as it was; NaN for the first, and where nobody reached the step before.
    expected : ndarray of float64, shape (n_steps,)
        Members who would reach each step; NaN where that hangs on an unknown rate.

    Examples
    --------
    >>> result = FunnelResult.from_counts(steps=["join", "post", "purchase"], reached=[1200, 480, 60])
    >>> print(what_if(result, {"post": 0.5}))
    step      reached  step rate  new rate  expected  gained
    ────────────────────────────────────────────────────────
    join        1,200          –         –   1,200.0     0.0
    post          480      40.0%     50.0%     600.0   120.0
    purchase       60      12.5%     12.5%      75.0    15.0
    Arithmetic on counts and rates: it says what adds up, not what caused or would cause it.
    """

    baseline: FunnelResult
    new_rates: FloatArray = attrs.field(converter=_float_array, eq=_same_floats)
    expected: FloatArray = attrs.field(converter=_float_array, eq=_same_floats)

    _Row: ClassVar[type[Any] | None] = WhatIfRow

    @property
    def gained(self) -> FloatArray:
        """Members more than before who would reach each step, shape (n_steps,)."""
        return frozen(self.expected - self.baseline.reached)

    @property
    def completed(self) -> float:
        """Members who would reach the last step that may not be skipped."""
        return float(self.expected[required_steps(self.baseline)[-1]])

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        optional, steps = self.baseline.optional, self.baseline.steps
        return self._columns_under([name + _SKIPPABLE[lang] * (row in optional) for row, name in enumerate(steps)])

    def _tidy(self) -> Sequence[Column]:
        return self._columns_under(self.baseline.steps)

    def _columns_under(self, steps: Sequence[str]) -> list[Column]:
        rates, expected = self.baseline.step_rates, self.expected
        return [
            Column(key="step", en="step", zh="步骤", values=np.array(steps, dtype=object)),
            Column(key="reached", en="reached", zh="到达", values=self.baseline.reached, format="count"),
            Column(key="step_rate", en="step rate", zh="步骤转化率", values=rates, format="rate"),
            Column(key="new_rate", en="new rate", zh="假设转化率", values=self.new_rates, format="rate"),
            Column(key="expected", en="expected", zh="预计到达", values=expected, format="number", digits=1),
            Column(key="gained", en="gained", zh="增加", values=self.gained, format="number", digits=1),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        return [_NOT_CAUSAL[lang]]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the completions as they were and as they would be."""
        return f"WhatIf({self.baseline.completed:,} → {self.completed:,.1f} completions)"


def what_if(result: FunnelResult, rates: Mapping[str | int, AnyRate], /) -> WhatIf:
    """Work out how many would reach each step, if some steps had other rates.

    Parameters
    ----------
    result : FunnelResult
        The funnel as it was.
    rates : mapping of str or int to float, Fraction or Rate
        A rate in [0, 1] for each step, by name or zero-based position, that has another one. It is over the step before
        that may not be skipped. The first step and steps that may be skipped take none.

    Returns
    -------
    WhatIf
        As many members enter, and the other steps, optional ones too, keep their rates.

    Raises
    ------
    InvalidTypeError
        `result` is no FunnelResult, `rates` no mapping, or a rate no number.
    UnknownLabelError
        The funnel has no such step.
    InvalidValueError
        A rate lies outside [0, 1], belongs to the first or an optional step, or a step is given twice.

    Notes
    -----
    Expected members of a step are the members who entered times the rates up to it. Where the rate of a step is
    unknown, because nobody reached the step before, and somebody would, it is NaN from there on. A float is read as the
    decimal number that it prints as.

    This is arithmetic, not a forecast: who is led over a step by an effort may not go on as others did.

    Examples
    --------
    >>> result = FunnelResult.from_counts(steps=["join", "post", "purchase"], reached=[1200, 480, 60])
    >>> what_if(result, {"post": 0.5, 2: 0.25}).expected.tolist()
    [1200.0, 600.0, 150.0]
    """
    usable_result("result", result)
    given = _rates_of_steps("rates", rates, result)
    measured = _measured(result)
    new_rates = [None, *(given.get(step, rate) for step, rate in enumerate(measured[1:], start=1))]
    return WhatIf(baseline=result, new_rates=_floats(new_rates), expected=_floats(_expected(result, new_rates)))


def _rates_of_steps(argument: str, rates: object, result: FunnelResult) -> dict[int, Fraction]:
    if not isinstance(rates, Mapping):
        raise InvalidTypeError(message(argument, "a mapping from step to rate", rates))
    found: dict[int, Fraction] = {}
    for key, rate in cast("Mapping[object, object]", rates).items():
        step = _position(argument, key, result)
        if step in found:
            raise InvalidValueError(message(argument, "each step once, by name or by position", key))
        found[step] = _rate(f"{argument}[{key!r}]", rate)
    return found


def _position(argument: str, key: object, result: FunnelResult) -> int:
    """Return the position of a step that has a rate of its own, given by name or position."""
    bearing = [step for step, name in enumerate(result.steps) if name == key]
    if is_integer(key) and 0 <= key < len(result.steps):
        step = int(key)
    elif len(bearing) == 1:
        step = bearing[0]
    else:
        expected = f"positions of steps, since several are called {key!r}" if bearing else f"steps of {result.steps}"
        raise UnknownLabelError(message(argument, expected, key) + suggest(key, [] if bearing else result.steps))
    if step not in _positions(result)[1:]:
        raise InvalidValueError(message(argument, "steps after the first that may not be skipped", key))
    return step


def _rate(argument: str, value: object, *, expected: str = "a rate in [0, 1]") -> Fraction:
    given = value.value if isinstance(value, Rate) else plain(value)
    if isinstance(given, bool) or not isinstance(given, int | float | Fraction):
        raise InvalidTypeError(message(argument, expected, value))
    if not isfinite(given) or not 0 <= given <= 1:
        raise InvalidValueError(message(argument, expected, value))
    # As it prints: 0.4 is then the rate of 2 in 5, and not a little more.
    return Fraction(str(given))


def _measured(result: FunnelResult) -> list[Fraction | None]:
    """Return the rate of each step, of which the first has none; None where nobody reached the step before."""
    reached = result.reached.tolist()
    return [None, *map(_ratio, reached[1:], result.reached[steps_before(result)].tolist())]


def _expected(result: FunnelResult, rates: Sequence[Fraction | None]) -> list[Fraction | None]:
    """Return how many reach each step by these rates; None where that hangs on an unknown one."""
    expected: list[Fraction | None] = [Fraction(_entries(result))]
    bases: list[int] = steps_before(result).tolist()
    for step, before in enumerate(bases, start=1):
        expected.append(_times(expected[before], rates[step]))
    return expected


def _times(base: Fraction | None, rate: Fraction | None) -> Fraction | None:
    if base == 0 or rate == 0:
        return Fraction(0)
    return None if base is None or rate is None else base * rate


@attrs.frozen(kw_only=True)
class BottleneckRow:
    """One step at another rate; the names are those of `Bottlenecks`."""

    step: str
    step_rate: float
    target: float
    completed: float
    gained: float


@attrs.frozen(kw_only=True, repr=False)
class Bottlenecks(Tabular[BottleneckRow]):
    """Completions gained if one step alone had another rate, the largest gain first; made by `bottleneck`.

    Attributes
    ----------
    baseline : FunnelResult
        The funnel as it was.
    positions : ndarray of int64, shape (n_rows,)
        Position of each step in the funnel.
    targets : ndarray of float64, shape (n_rows,)
        The rate it would have; NaN where that is unknown.
    completed : ndarray of float64, shape (n_rows,)
        Members who would reach the last step that may not be skipped; NaN where that hangs on an unknown rate.

    Examples
    --------
    >>> result = FunnelResult.from_counts(steps=["join", "post", "purchase"], reached=[1200, 480, 60])
    >>> print(bottleneck(result))
    step      step rate  target  completed  gained
    ──────────────────────────────────────────────
    purchase      12.5%   21.2%      102.0    42.0
    post          40.0%   46.0%       69.0     9.0
    Arithmetic on counts and rates: it says what adds up, not what caused or would cause it.
    """

    baseline: FunnelResult
    positions: IntArray = counts_field()
    targets: FloatArray = attrs.field(converter=_float_array, eq=_same_floats)
    completed: FloatArray = attrs.field(converter=_float_array, eq=_same_floats)

    _Row: ClassVar[type[Any] | None] = BottleneckRow

    @property
    def steps(self) -> tuple[str, ...]:
        """Name of each step, in the order of the rows."""
        return tuple(self.baseline.steps[step] for step in cast("list[int]", self.positions.tolist()))

    @property
    def gained(self) -> FloatArray:
        """Completions gained, negative where the target is below the rate, shape (n_rows,)."""
        return frozen(self.completed - self.baseline.completed)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        rates, completed = self.baseline.step_rates[self.positions], self.completed
        return [
            Column(key="step", en="step", zh="步骤", values=np.array(self.steps, dtype=object)),
            Column(key="step_rate", en="step rate", zh="步骤转化率", values=rates, format="rate"),
            Column(key="target", en="target", zh="目标转化率", values=self.targets, format="rate"),
            Column(key="completed", en="completed", zh="预计完成", values=completed, format="number", digits=1),
            Column(key="gained", en="gained", zh="增加", values=self.gained, format="number", digits=1),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        return [_NOT_CAUSAL[lang]]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the gain of each step."""
        gains = ", ".join(f"{step} {gain:+,.1f}" for step, gain in zip(self.steps, self.gained, strict=True))
        return f"Bottlenecks({gains})"


def bottleneck(
    result: FunnelResult,
    /,
    *,
    to: FunnelResult | Mapping[str | int, AnyRate] | AnyRate | None = None,
    lift: float | Fraction | None = None,
) -> Bottlenecks:
    """Rank the steps by the completions gained if that step alone had another rate.

    Parameters
    ----------
    result : FunnelResult
        The funnel as it was.
    to : FunnelResult, mapping, float, Fraction or Rate, optional
        The rates to reach: those of another funnel of the same steps (last month's, the best segment's); a rate for
        some steps, by name or zero-based position, the others being left out; or one rate for each step.
    lift : float or Fraction, optional
        Instead of `to`: the share, in [0, 1], of those who drop out at a step who would go on; 0.1 if neither is given.
        The target is rate + lift × (1 − rate).

    Returns
    -------
    Bottlenecks
        The steps after the first that may not be skipped, the largest gain first.

    Raises
    ------
    InvalidTypeError
        `result` is no FunnelResult, or a rate or `lift` no number.
    UnknownLabelError
        The funnel has no such step.
    InvalidValueError
        `to` has other steps; a rate or `lift` lies outside [0, 1]; a rate belongs to the first or an optional step; or
        both `to` and `lift` are given.

    Notes
    -----
    Each row is `what_if` of that step alone. A gain is NaN, and stands last, where the target is unknown or nobody
    reached the step, so that the rates after it are unknown. With `lift`, the lowest rate is always first: measured
    against another funnel, it need not be.

    This is arithmetic, not a forecast: it says nothing of what raising a rate takes, nor whether those who are led over
    a step go on as others did.

    Examples
    --------
    >>> may = FunnelResult.from_counts(steps=["join", "post", "purchase"], reached=[1200, 600, 60])
    >>> june = FunnelResult.from_counts(steps=["join", "post", "purchase"], reached=[1200, 480, 60])
    >>> bottleneck(june, to=may).steps
    ('post', 'purchase')
    >>> bottleneck(june, to={"purchase": 0.25}).gained.tolist()
    [60.0]
    """
    usable_result("result", result)
    if to is not None and lift is not None:
        raise InvalidValueError(message("lift", "None beside `to`, which names the rates themselves", lift))
    measured = _measured(result)
    targets = _lifted(measured, lift, result) if to is None else _targets(to, result)
    last = _positions(result)[-1]
    completed = {
        step: _expected(result, [*measured[:step], target, *measured[step + 1 :]])[last]
        for step, target in targets.items()
    }
    order = sorted(completed, key=lambda step: _largest_first(completed[step], step))
    return Bottlenecks(
        baseline=result,
        positions=int64(order),
        targets=_floats(targets[step] for step in order),
        completed=_floats(completed[step] for step in order),
    )


def _largest_first(completed: Fraction | None, step: int) -> tuple[bool, Fraction, int]:
    return completed is None, -(completed or Fraction(0)), step


def _lifted(measured: Sequence[Fraction | None], lift: object, result: FunnelResult) -> dict[int, Fraction | None]:
    share = _DEFAULT_LIFT if lift is None else _rate("lift", lift)
    rates = {step: measured[step] for step in _positions(result)[1:]}
    return {step: None if rate is None else rate + share * (1 - rate) for step, rate in rates.items()}


def _targets(to: object, result: FunnelResult) -> dict[int, Fraction | None]:
    """Return the target of each step that has one; None where the other funnel cannot tell."""
    if _is_by_step(to):
        found = _rates_of_steps("to", to, result)
        return {step: found[step] for step in sorted(found)}
    steps = _positions(result)[1:]
    if isinstance(to, FunnelResult):
        same_steps(result, to, names=("result", "to"))
        benchmark = _measured(to)
        return {step: benchmark[step] for step in steps}
    expected = "a rate in [0, 1], a mapping from step to rate, or a FunnelResult"
    return dict.fromkeys(steps, _rate("to", to, expected=expected))


def _is_by_step(to: object) -> bool:
    # A breakdown is a mapping too, from segments.
    return isinstance(to, Mapping) and not isinstance(to, Breakdown)
