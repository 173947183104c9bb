"""How many would reach each step, if some steps had other rates?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, cast

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError, message, suggest
from shequn.funnel.change.products import NOT_CAUSAL, expected_members, floats, measured_rates, required_positions
from shequn.funnel.comparison import required_steps, usable_result
from shequn.funnel.result import FunnelResult  # noqa: TC001  # the examples use it
from shequn.stats._checks import is_integer, plain
from shequn.values.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray
    from shequn.columns.table import Lang

    AnyRate: TypeAlias = float | Fraction | Rate

__all__ = ["WhatIf", "WhatIfRow", "exact_rate", "float_array", "rates_of_steps", "same_floats", "what_if"]

_SKIPPABLE: dict[Lang, str] = {"en": " (optional)", "zh": "（可跳过）"}


@attrs.frozen(kw_only=True)
class WhatIfRow:
    """One step under other rates; the names are those of `WhatIf`."""

    step: str
    reached: int
    step_rate: float
    new_rate: float
    expected: float
    gained: float


def float_array(values: ArrayLike) -> FloatArray:
    """Return a read-only copy."""
    return frozen(np.array(values, dtype=np.float64))


same_floats: type[Any] = attrs.cmp_using(eq=lambda one, other: np.array_equal(one, other, equal_nan=True))


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
    new_rates: FloatArray = attrs.field(converter=float_array, eq=same_floats)
    expected: FloatArray = attrs.field(converter=float_array, eq=same_floats)

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
        return [NOT_CAUSAL[lang]]

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
    given = rates_of_steps("rates", rates, result)
    measured = measured_rates(result)
    new_rates = [None, *(given.get(step, rate) for step, rate in enumerate(measured[1:], start=1))]
    return WhatIf(baseline=result, new_rates=floats(new_rates), expected=floats(expected_members(result, new_rates)))


def rates_of_steps(argument: str, rates: object, result: FunnelResult) -> dict[int, Fraction]:
    """Return the rates that were given for some steps, by position."""
    if not isinstance(rates, Mapping):
        raise InvalidTypeError(message(argument, "a mapping from step to rate", rates))
    found: dict[int, Fraction] = {}
    for key, rate in cast("Mapping[object, object]", rates).items():
        step = _position(argument, key, result)
        if step in found:
            raise InvalidValueError(message(argument, "each step once, by name or by position", key))
        found[step] = exact_rate(f"{argument}[{key!r}]", rate)
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
    if step not in required_positions(result)[1:]:
        raise InvalidValueError(message(argument, "steps after the first that may not be skipped", key))
    return step


def exact_rate(argument: str, value: object, *, expected: str = "a rate in [0, 1]") -> Fraction:
    """Return a rate as a fraction; a float is read as the decimal number that it prints as."""
    given = value.value if isinstance(value, Rate) else plain(value)
    if isinstance(given, bool) or not isinstance(given, int | float | Fraction):
        raise InvalidTypeError(message(argument, expected, value))
    if not isfinite(given) or not 0 <= given <= 1:
        raise InvalidValueError(message(argument, expected, value))
    # 0.4 is then the rate of 2 in 5, and not a little more.
    return Fraction(str(given))
