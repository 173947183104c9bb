"""How many members reached each step, and how sure are the rates?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from shequn.columns.breakdown import Tally
from shequn.columns.readonly import added, by_fields, frozen, int64
from shequn.columns.table import Column
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, message
from shequn.funnel.definition import Funnel
from shequn.stats import Interval, wilson
from shequn.stats._checks import counts, is_integer, items_of, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang

__all__ = ["FunnelResult", "FunnelRow", "required_steps", "steps_before"]


def _names(names: Sequence[str]) -> tuple[str, ...]:
    found = tuple(items_of("steps", names, expected="a sequence of names"))
    for row, name in enumerate(found):
        if not isinstance(name, str) or not name:
            raise InvalidTypeError(message("steps", "names that are non-empty str", name, row=row))
    if not found:
        raise InvalidValueError(message("steps", "at least one step", found))
    return found


def _reached(values: ArrayLike) -> IntArray:
    return int64(counts("reached", values))


def _positions(steps: Sequence[int]) -> tuple[int, ...]:
    found = items_of("optional", steps, expected="positions of steps")
    for step in found:
        if not is_integer(step):
            raise InvalidTypeError(message("optional", "positions of steps", step))
    return tuple(sorted({int(step) for step in found}))


def _tainted(value: int) -> int:
    return _members("tainted", value)


def _immature(value: int) -> int:
    return _members("immature", value)


def _members(name: str, value: int) -> int:
    number = whole(name, value)
    if number < 0:
        raise InvalidValueError(message(name, "a number of members", number))
    return number


def _one_a_step(result: FunnelResult, _field: Any, reached: IntArray) -> None:  # noqa: ANN401
    if reached.ndim != 1 or len(reached) != len(result.steps):
        raise MisalignedError(message("reached", f"a count for each of the {len(result.steps)} steps", reached.shape))


def _may_be_skipped(result: FunnelResult, _field: Any, optional: tuple[int, ...]) -> None:  # noqa: ANN401
    n_steps = len(result.steps)
    for step in optional:
        if not 0 < step < n_steps:
            expected = f"a step in [1, {n_steps}): the first begins the way"
            raise InvalidValueError(message("optional", expected, step))


def _never_rises(result: FunnelResult, _field: Any, _optional: tuple[int, ...]) -> None:  # noqa: ANN401
    """Whoever is at a step was at the one before it, in any order too: who did two steps did one."""
    trials = result.reached[steps_before(result)]
    excess = result.reached[1:] > trials
    if excess.any():
        row = int(np.argmax(excess))
        expected = f"at most the {int(trials[row])} members who reached the step before"
        raise InvalidValueError(message("reached", expected, int(result.reached[row + 1]), row=row + 1))


def _of_its_steps(result: FunnelResult, _field: Any, funnel: Funnel | None) -> None:  # noqa: ANN401
    if funnel is None:
        return
    if not isinstance(funnel, Funnel):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("funnel", "a Funnel or None", funnel))
    if (funnel.n_steps, funnel.skippable) != (len(result.steps), result.optional):
        expected = f"a funnel of {len(result.steps)} steps, of which {result.optional} may be skipped"
        raise InvalidValueError(message("funnel", expected, funnel))


@attrs.frozen(kw_only=True)
class FunnelRow:
    """One step of a funnel; the names are those of `FunnelResult`."""

    step: str
    reached: int
    step_rate: float
    lower: float
    upper: float
    overall_rate: float
    overall_lower: float
    overall_upper: float


@attrs.frozen(kw_only=True, repr=False)
class FunnelResult(Tally[FunnelRow]):
    """How many members reached each step; made by `convert`, or from counts by `from_counts`.

    Results of parts of a log split by member merge by adding, exactly.

    Attributes
    ----------
    steps : tuple of str
        Name of each step.
    reached : ndarray of int64, shape (n_steps,)
        Members whose level is that of the step or a later one; of an optional step, those whose witness took it. Where
        any order counts: members who did one distinct step, two, and so on.
    optional : tuple of int
        Positions of the steps that may be skipped.
    tainted : int
        Members who entered and are not counted in any step, because a row excluded every attempt.
    immature : int
        Members who entered and were left out, because none of their entries had its whole window observed.
    funnel : Funnel or None
        The definition; None where only counts are known.

    Raises
    ------
    MisalignedError
        There are not as many counts as steps.
    InvalidTypeError, InvalidValueError
        A count is no whole number or negative; a step was reached by more members than a step before it that may not be
        skipped; the first step is called optional; the definition is of other steps.

    Examples
    --------
    >>> print(FunnelResult.from_counts(steps=["join", "post", "purchase"], reached=[1200, 480, 60]))
    step      reached  step rate  lower  upper  overall
    ───────────────────────────────────────────────────
    join        1,200          –      –      –   100.0%
    post          480      40.0%  37.3%  42.8%    40.0%
    purchase       60      12.5%   9.8%  15.8%     5.0%
    """

    steps: tuple[str, ...] = attrs.field(converter=_names)
    reached: IntArray = attrs.field(converter=_reached, validator=_one_a_step, eq=attrs.cmp_using(eq=np.array_equal))
    # Validators run in the order of the fields, when all are set.
    optional: tuple[int, ...] = attrs.field(default=(), converter=_positions, validator=[_may_be_skipped, _never_rises])
    tainted: int = attrs.field(default=0, converter=_tainted)
    immature: int = attrs.field(default=0, converter=_immature)
    funnel: Funnel | None = attrs.field(default=None, validator=_of_its_steps)

    _Row: ClassVar[type[Any] | None] = FunnelRow

    @classmethod
    def from_counts(
        cls, *, steps: Sequence[str], reached: ArrayLike | Sequence[int], optional: Sequence[int] = ()
    ) -> FunnelResult:
        """Build from counts that a warehouse made.

        Parameters
        ----------
        steps : sequence of str
            Names, in order.
        reached : array_like of int, shape (n_steps,)
            Members who reached each step.
        optional : sequence of int
            Positions of steps that may be skipped.

        Returns
        -------
        FunnelResult

        Raises
        ------
        MisalignedError, InvalidTypeError, InvalidValueError
            As the class itself.

        Examples
        --------
        >>> FunnelResult.from_counts(steps=["join", "post"], reached=[10, 4]).step_rates.tolist()
        [nan, 0.4]
        """
        return cls(steps=steps, reached=reached, optional=optional)

    @property
    def _before(self) -> IntArray:
        """Position of the required step before each step; the first has itself."""
        return np.append(0, steps_before(self))

    @property
    def entered(self) -> int:
        """Members who entered and were judged: those of the first step, and the tainted."""
        return int(self.reached[0]) + self.tainted

    @property
    def completed(self) -> int:
        """Members who reached the last step that may not be skipped."""
        return int(self.reached[required_steps(self)[-1]])

    @property
    def step_rates(self) -> FloatArray:
        """Reached / reached of the required step before, shape (n_steps,); NaN for the first and where nobody was."""
        return self._rates(self._before, is_step=True)

    @property
    def overall_rates(self) -> FloatArray:
        """Reached / reached of the first step, shape (n_steps,); NaN where nobody was."""
        return self._rates(np.zeros(len(self.steps), dtype=np.int64), is_step=False)

    def _rates(self, base: IntArray, *, is_step: bool) -> FloatArray:
        trials = self.reached[base]
        usable = trials > 0
        if is_step:
            usable[0] = False
        return frozen(np.divide(self.reached, trials, out=np.full(len(trials), np.nan), where=usable))

    def intervals(self, *, level: float = 0.95) -> Interval:
        """Return Wilson intervals of the step rates.

        Parameters
        ----------
        level : float
            Confidence, between 0 and 1.

        Returns
        -------
        Interval
            `lower` and `upper`, shape (n_steps,); NaN for the first step, and where nobody was.

        Examples
        --------
        >>> result = FunnelResult.from_counts(steps=["join", "post"], reached=[10, 4])
        >>> [round(float(bound[1]), 3) for bound in result.intervals()]
        [0.168, 0.687]
        """
        return self._intervals(self._before, level, is_step=True)

    def overall_intervals(self, *, level: float = 0.95) -> Interval:
        """Return Wilson intervals of the overall rates, as `intervals` does of the step rates."""
        return self._intervals(np.zeros(len(self.steps), dtype=np.int64), level, is_step=False)

    def _intervals(self, base: IntArray, level: float, *, is_step: bool) -> Interval:
        found = wilson(self.reached, self.reached[base], level=level)
        if not is_step:
            return found
        bounds = [np.array(bound) for bound in found]
        for bound in bounds:
            bound[0] = np.nan
        return Interval(*map(frozen, bounds))

    @property
    def lower(self) -> FloatArray:
        """Lower end of the 95 % Wilson interval of each step rate."""
        return self.intervals().lower

    @property
    def upper(self) -> FloatArray:
        """Upper end of the 95 % Wilson interval of each step rate."""
        return self.intervals().upper

    def merge(self, other: FunnelResult, /) -> FunnelResult:
        """Return the result of the members of both.

        Parameters
        ----------
        other : FunnelResult
            Of other members, with the same definition.

        Returns
        -------
        FunnelResult

        Raises
        ------
        InvalidTypeError, InvalidValueError
            It is no result, or one of another funnel.

        Examples
        --------
        >>> part = FunnelResult.from_counts(steps=["join", "post"], reached=[10, 4])
        >>> part.merge(part).reached.tolist()
        [20, 8]
        """
        if not isinstance(other, FunnelResult):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("other", "a FunnelResult", other))
        for name in ("steps", "optional", "funnel"):
            if getattr(self, name) != getattr(other, name):
                raise InvalidValueError(
                    message(name, f"the same in both parts ({getattr(self, name)})", getattr(other, name))
                )
        return attrs.evolve(
            self,
            reached=added([self.reached, other.reached], argument="reached"),
            tainted=self.tainted + other.tainted,
            immature=self.immature + other.immature,
        )

    def _headcount(self) -> IntArray:
        return self.reached

    def _emptied(self) -> FunnelResult:
        return attrs.evolve(self, reached=np.zeros_like(self.reached), tainted=0, immature=0)

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        return [
            column
            for column in self._all_columns(lang)
            if not column.key.startswith("overall_") or column.key == "overall_rate"
        ]

    def _tidy(self) -> Sequence[Column]:
        return self._all_columns("en")

    def _all_columns(self, lang: Lang) -> Sequence[Column]:
        may = {"en": " (optional)", "zh": "（可跳过）"}[lang]
        names = [name + (may if step in self.optional and lang else "") for step, name in enumerate(self.steps)]
        interval, overall = self.intervals(), self.overall_intervals()
        return [
            Column(key="step", en="step", zh="步骤", values=np.array(names, dtype=object)),
            Column(key="reached", en="reached", zh="到达", values=self.reached, format="count"),
            Column(key="step_rate", en="step rate", zh="步骤转化率", values=self.step_rates, format="rate"),
            Column(key="lower", en="lower", zh="下限", values=interval.lower, format="rate"),
            Column(key="upper", en="upper", zh="上限", values=interval.upper, format="rate"),
            Column(key="overall_rate", en="overall", zh="总转化率", values=self.overall_rates, format="rate"),
            Column(key="overall_lower", en="overall lower", zh="总下限", values=overall.lower, format="rate"),
            Column(key="overall_upper", en="overall upper", zh="总上限", values=overall.upper, format="rate"),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        notes: list[str] = []
        if self.tainted:
            notes.append(
                f"另有 {self.tainted:,} 名成员进入后被排除事件打断。"
                if lang == "zh"
                else f"{self.tainted:,} more entered, and an excluding row stood in the way of each attempt."
            )
        if self.immature:
            notes.append(
                f"另有 {self.immature:,} 名成员的观察窗口尚未走完，未计入。"
                if lang == "zh"
                else f"{self.immature:,} more entered too late for their window to be over, and were left out."
            )
        return notes

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the steps and how many reached them."""
        return (
            f"FunnelResult({' → '.join(f'{n} {c:,}' for n, c in zip(self.steps, self.reached.tolist(), strict=True))})"
        )


def required_steps(result: FunnelResult, /) -> IntArray:
    """Return the positions of the steps that may not be skipped.

    Examples
    --------
    >>> required_steps(FunnelResult.from_counts(steps=["join", "like", "post"], reached=[9, 2, 4], optional=[1]))
    array([0, 2])
    """
    return np.setdiff1d(np.arange(len(result.steps)), np.array(result.optional, dtype=np.int64))


def steps_before(result: FunnelResult, /) -> IntArray:
    """Return for each step from the second on the position of the step before it that may not be skipped.

    Examples
    --------
    >>> steps_before(FunnelResult.from_counts(steps=["join", "like", "post"], reached=[9, 2, 4], optional=[1]))
    array([0, 0])
    """
    required = required_steps(result)
    return required[np.searchsorted(required, np.arange(1, len(result.steps))) - 1]
