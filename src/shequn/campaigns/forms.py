"""How do the forms of campaigns compare: participation, depth and cost, with intervals?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.entities import InteractionForm
from shequn.entities.reward import money
from shequn.errors import InvalidValueError, MisalignedError, counted, message
from shequn.stats._checks import counts_column, flag, items_of, level_in_unit, number_between, refuse, whole
from shequn.stats.student import student_quantile
from shequn.stats.tails import normal_quantile
from shequn.values import Money  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang

__all__ = ["FormEffects", "FormRow"]


class FormRow(NamedTuple):
    """One form; the names are those of `FormEffects`.

    Examples
    --------
    >>> FormRow("poll", 2, 990, 52, 0.05, 0.02, 0.1, -0.11, -0.2, 0.0, 1.5, 1.2, 1.9, 3.0).depth
    1.5
    """

    form: str
    campaigns: int
    reached: int
    participants: int
    rate: float
    lower: float
    upper: float
    uplift: float
    uplift_lower: float
    uplift_upper: float
    depth: float
    depth_lower: float
    depth_upper: float
    cost_each: float


def _forms(forms: Iterable[InteractionForm | str]) -> tuple[InteractionForm, ...]:
    given = items_of("forms", forms, expected="a collection of InteractionForm")
    return tuple(InteractionForm.from_label(form, argument="forms") for form in given)


def _cost(cost: Iterable[Money] | None) -> tuple[Money, ...] | None:
    if cost is None:
        return None
    return tuple(money("cost", one) for one in items_of("cost", cost, expected="Money, one for each form"))


def _dispersion(dispersion: float) -> float:
    return number_between("dispersion", dispersion, 1)


def _action_dispersion(action_dispersion: float) -> float:
    return number_between("action_dispersion", action_dispersion, 1)


def _freedom(freedom: int) -> int:
    read = whole("freedom", freedom)
    if read < 0:
        raise InvalidValueError(message("freedom", "0 or more", freedom))
    return read


def _level(level: float) -> float:
    return level_in_unit(level)


def _given(base_is_given: bool) -> bool:
    return flag("base_is_given", base_is_given)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class FormEffects(Tabular[FormRow]):
    """How k forms of campaigns compare; made by `form_effects`, where the intervals are defined.

    Parameters
    ----------
    forms : tuple of InteractionForm
        The forms.
    campaigns, reached, participants : ndarray of int64, shape (k,)
        How many campaigns had the form, whom they reached, and how many of those took part; a member counts once for
        each campaign.
    actions : ndarray of int64, shape (k,), optional
        What the participants did.
    cost : tuple of Money, optional
        What the campaigns cost.
    base_reached, base_participants : ndarray of int64, shape (k,)
        What each form is compared with.
    base_is_given : bool
        Whether that came from elsewhere, and so doesn't vary as these campaigns do.
    freedom : int
        Campaigns less the sets of forms they have: degrees of freedom of the dispersion.
    dispersion, action_dispersion : float
        How many times as much as by chance campaigns of the same forms differ, in rates and in actions.
    level : float, default 0.95
        Confidence level of the intervals.

    Examples
    --------
    >>> from shequn.campaigns import form_effects
    >>> empty = form_effects([], reached=[], participants=[])
    >>> empty, len(empty)
    (FormEffects(0 forms), 0)
    """

    forms: tuple[InteractionForm, ...] = attrs.field(converter=_forms)
    campaigns: IntArray
    reached: IntArray
    participants: IntArray
    actions: IntArray | None = None
    cost: tuple[Money, ...] | None = attrs.field(default=None, converter=_cost)
    base_reached: IntArray
    base_participants: IntArray
    base_is_given: bool = attrs.field(default=False, converter=_given)
    freedom: int = attrs.field(default=0, converter=_freedom)
    dispersion: float = attrs.field(default=1.0, converter=_dispersion)
    action_dispersion: float = attrs.field(default=1.0, converter=_action_dispersion)
    level: float = attrs.field(default=0.95, converter=_level)

    _Row: ClassVar[type[Any] | None] = FormRow

    def __attrs_post_init__(self) -> None:
        """Check that the columns fit each other."""
        shape, of = (len(self.forms),), f"each of {counted(len(self.forms), 'form')}"
        for name in ("campaigns", "reached", "participants", "actions", "base_reached", "base_participants"):
            if name != "actions" or self.actions is not None:
                object.__setattr__(self, name, counts_column(name, getattr(self, name), shape, of=of))
        for name, most in (("participants", self.reached), ("base_participants", self.base_reached)):
            bad = getattr(self, name) > most
            if bad.any():
                refuse(name, "at most as many as were reached", getattr(self, name), bad)
        if self.cost is not None and len(self.cost) != len(self.forms):
            raise MisalignedError(message("cost", f"one for {of}", self.cost))

    @property
    def rate(self) -> FloatArray:
        """Share of those reached who took part, shape (k,); NaN where nobody was reached."""
        return _divided(self.participants, self.reached)

    @property
    def rate_interval(self) -> tuple[FloatArray, FloatArray]:
        """Interval of the rate, two arrays of shape (k,)."""
        return _wilson(self.participants, self.reached, self.dispersion, self._quantile)

    @property
    def uplift(self) -> FloatArray:
        """Rate less that of the baseline, shape (k,); NaN where one is."""
        return frozen(self.rate - _divided(self.base_participants, self.base_reached))

    @property
    def uplift_interval(self) -> tuple[FloatArray, FloatArray]:
        """Interval of the uplift, two arrays of shape (k,)."""
        spread, z = (1.0, self._normal) if self.base_is_given else (self.dispersion, self._quantile)
        base = _divided(self.base_participants, self.base_reached)
        low, high = self.rate_interval
        base_low, base_high = _wilson(self.base_participants, self.base_reached, spread, z)
        lower = self.uplift - np.hypot(self.rate - low, base_high - base)
        upper = self.uplift + np.hypot(high - self.rate, base - base_low)
        return frozen(lower), frozen(upper)

    @property
    def depth(self) -> FloatArray:
        """Actions for each participant, shape (k,); NaN where they aren't known or nobody took part."""
        return _divided(self._actions, self.participants)

    @property
    def depth_interval(self) -> tuple[FloatArray, FloatArray]:
        """Interval of the depth, two arrays of shape (k,)."""
        z, count = self._quantile, self._actions / self.action_dispersion
        middle, half = count + z * z / 2.0, z * np.sqrt(count + z * z / 4.0)
        lower, upper = (
            _divided(end * self.action_dispersion, self.participants)
            for end in (np.maximum(middle - half, 0), middle + half)
        )
        return lower, upper

    @property
    def cost_each(self) -> FloatArray:
        """Cost for each participant in major units, shape (k,); NaN where it isn't known or nobody took part."""
        total = np.full(len(self), math.nan) if self.cost is None else np.array([float(one.major) for one in self.cost])
        return _divided(total, self.participants)

    @property
    def _quantile(self) -> float:
        """Student's quantile of the dispersion, the normal one where the dispersion isn't known."""
        tail = (1.0 - self.level) / 2.0
        return -float(student_quantile(tail, self.freedom)) if self.freedom else self._normal

    @property
    def _normal(self) -> float:
        return -float(normal_quantile((1.0 - self.level) / 2.0))

    @property
    def _actions(self) -> FloatArray:
        return np.full(len(self), math.nan) if self.actions is None else self.actions.astype(np.float64)

    def __len__(self) -> int:
        """Return the number of forms."""
        return len(self.forms)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        hidden = {"depth", "depth_lower", "depth_upper"} if self.actions is None else set[str]()
        hidden |= {"cost_each"} if self.cost is None else set[str]()
        kept = [column for column in self._tidy() if column.key not in hidden]
        forms = np.fromiter(self.forms, dtype=object, count=len(self))
        return [Column(key="form", en="form", zh="互动形式", values=forms), *kept[1:]]

    def _tidy(self) -> Sequence[Column]:
        low, high = self.rate_interval
        up_low, up_high = self.uplift_interval
        deep_low, deep_high = self.depth_interval
        codes = np.fromiter((form.value for form in self.forms), dtype=object, count=len(self))
        return [
            Column(key="form", en="form", zh="互动形式", values=codes),
            Column(key="campaigns", en="campaigns", zh="活动数", values=self.campaigns, format="count"),
            Column(key="reached", en="reached", zh="触达", values=self.reached, format="count"),
            Column(key="participants", en="participants", zh="参与", values=self.participants, format="count"),
            Column(key="rate", en="rate", zh="参与率", values=self.rate, format="rate"),
            Column(key="lower", en="lower", zh="下限", values=low, format="rate"),
            Column(key="upper", en="upper", zh="上限", values=high, format="rate"),
            Column(key="uplift", en="uplift", zh="提升（百分点）", values=self.uplift, format="rate"),
            Column(key="uplift_lower", en="from", zh="下限", values=up_low, format="rate"),
            Column(key="uplift_upper", en="to", zh="上限", values=up_high, format="rate"),
            Column(key="depth", en="depth", zh="深度", values=self.depth, format="number", digits=2),
            Column(key="depth_lower", en="depth from", zh="深度下限", values=deep_low, format="number", digits=2),
            Column(key="depth_upper", en="depth to", zh="深度上限", values=deep_high, format="number", digits=2),
            Column(key="cost_each", en="cost each", zh="人均成本", values=self.cost_each, format="number", digits=2),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        if not len(self):
            return ()
        if not self.freedom:
            alone = (
                "every campaign has forms of its own: how much campaigns differ is not known, intervals are too narrow"
            )
            return (
                "各活动的形式组合均不相同：无从得知活动之间的差异，区间偏窄。" if lang == "zh" else f"Note: {alone}.",
            )
        if lang == "zh":
            return (f"过度离散系数 {self.dispersion:.2f}，自由度 {self.freedom}；置信水平 {self.level:.0%}。",)
        freedom = f"{self.freedom} degree{'' if self.freedom == 1 else 's'} of freedom"
        return (f"Dispersion {self.dispersion:.2f} with {freedom}; interval: {self.level:.0%}.",)

    def __repr__(self) -> str:
        """Show how many forms there are."""
        return f"FormEffects({counted(len(self), 'form')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def _divided(above: FloatArray | IntArray, below: IntArray) -> FloatArray:
    out = np.full(len(below), math.nan)
    return frozen(np.divide(above, below, out=out, where=below > 0))


def _wilson(hits: IntArray, trials: IntArray, dispersion: float, z: float) -> tuple[FloatArray, FloatArray]:
    """Return the Wilson interval of as many trials as are left after over-dispersion."""
    rate, n = _divided(hits, trials), np.where(trials > 0, trials, math.nan) / dispersion
    middle = (rate + z * z / (2.0 * n)) / (1.0 + z * z / n)
    half = z / (1.0 + z * z / n) * np.sqrt(rate * (1.0 - rate) / n + z * z / (4.0 * n * n))
    lower = np.where(hits == 0, rate, np.maximum(middle - half, 0.0))
    upper = np.where(hits == trials, rate, np.minimum(middle + half, 1.0))
    return frozen(lower), frozen(upper)
