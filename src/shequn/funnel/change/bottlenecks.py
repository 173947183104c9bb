"""At which step would a better rate add most?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, cast

import attrs
import numpy as np

from shequn.columns.breakdown import Breakdown
from shequn.columns.readonly import by_fields, counts_field, frozen, int64
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidValueError, message
from shequn.funnel.change.other_rates import exact_rate, float_array, rates_of_steps, same_floats
from shequn.funnel.change.products import NOT_CAUSAL, expected_members, floats, measured_rates, required_positions
from shequn.funnel.comparison import same_steps, usable_result
from shequn.funnel.result import FunnelResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.funnel.change.other_rates import AnyRate

__all__ = ["BottleneckRow", "Bottlenecks", "bottleneck"]

_DEFAULT_LIFT = Fraction(1, 10)


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
    targets: FloatArray = attrs.field(converter=float_array, eq=same_floats)
    completed: FloatArray = attrs.field(converter=float_array, eq=same_floats)

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
        return [NOT_CAUSAL[lang]]

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
    measured = measured_rates(result)
    targets = _lifted(measured, lift, result) if to is None else _targets(to, result)
    last = required_positions(result)[-1]
    completed = {
        step: expected_members(result, [*measured[:step], target, *measured[step + 1 :]])[last]
        for step, target in targets.items()
    }
    order = sorted(completed, key=lambda step: _largest_first(completed[step], step))
    return Bottlenecks(
        baseline=result,
        positions=int64(order),
        targets=floats(targets[step] for step in order),
        completed=floats(completed[step] for step in order),
    )


def _largest_first(completed: Fraction | None, step: int) -> tuple[bool, Fraction, int]:
    return completed is None, -(completed or Fraction(0)), step


def _lifted(measured: Sequence[Fraction | None], lift: object, result: FunnelResult) -> dict[int, Fraction | None]:
    share = _DEFAULT_LIFT if lift is None else exact_rate("lift", lift)
    rates = {step: measured[step] for step in required_positions(result)[1:]}
    return {step: None if rate is None else rate + share * (1 - rate) for step, rate in rates.items()}


def _targets(to: object, result: FunnelResult) -> dict[int, Fraction | None]:
    """Return the target of each step that has one; None where the other funnel cannot tell."""
    if _is_by_step(to):
        found = rates_of_steps("to", to, result)
        return {step: found[step] for step in sorted(found)}
    steps = required_positions(result)[1:]
    if isinstance(to, FunnelResult):
        same_steps(result, to, names=("result", "to"))
        benchmark = measured_rates(to)
        return {step: benchmark[step] for step in steps}
    expected = "a rate in [0, 1], a mapping from step to rate, or a FunnelResult"
    return dict.fromkeys(steps, exact_rate("to", to, expected=expected))


def _is_by_step(to: object) -> bool:
    # A breakdown is a mapping too, from segments.
    return isinstance(to, Mapping) and not isinstance(to, Breakdown)
