"""What every fitted model shares: parameters, how well they are known, and whether there was a maximum at all."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import counted
from shequn.lifetime.spans import calendar_field
from shequn.stats import normal_quantile
from shequn.stats._checks import array_of, level_in_unit, number_between, plain, reals_column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shequn._typing import FloatArray
    from shequn.columns.table import Lang
    from shequn.values.calendar import Calendar

__all__ = ["FAR_OUT", "UNSETTLED", "Fitted", "ParameterRow", "Reason", "parameter"]


class Reason(NamedTuple):
    """Why a likelihood has no maximum, in both languages.

    Examples
    --------
    >>> Reason("nobody bought again", "没有人复购").zh
    '没有人复购'
    """

    en: str
    zh: str

    @classmethod
    def joined(cls, reasons: Sequence[Reason], /) -> Reason:
        """Return several reasons as one."""
        return cls("; ".join(why.en for why in reasons), "；".join(why.zh for why in reasons))


UNSETTLED = Reason(
    "what was seen does not tell the parameters apart: the likelihood is flat", "数据无法区分各参数：似然函数是平的"
)
# A parameter that counts as having run away, though the likelihood is too flat to carry it to the end.
FAR_OUT = 3e3


class ParameterRow(NamedTuple):
    """One parameter.

    Examples
    --------
    >>> ParameterRow(parameter="r", value=0.24, standard_error=0.01, lower=0.22, upper=0.26).value
    0.24
    """

    parameter: str
    value: float
    standard_error: float
    lower: float
    upper: float


def parameter() -> Any:  # noqa: ANN401
    """Return the attrs field of a positive parameter."""
    field: Callable[..., Any] = attrs.field
    return field(converter=_number, validator=_positive)


def _number(value: object) -> object:
    given = plain(value)
    if isinstance(given, int) and not isinstance(given, bool):
        with suppress(OverflowError):  # the validator names what no float holds
            return float(given)
    return given


def _positive(_fit: Any, field: attrs.Attribute[Any], value: object) -> None:  # noqa: ANN401
    number_between(field.name, value, 0.0, excluding="least")


def _covariance(values: Any) -> FloatArray | None:  # noqa: ANN401
    if values is None:
        return None
    return frozen(array_of("covariance", values, kinds="iuf", expected="numbers").astype(np.float64))


def _same(one: FloatArray | None, other: FloatArray | None) -> bool:
    return one is other if one is None or other is None else np.array_equal(one, other)


@attrs.frozen(kw_only=True, repr=False)
class Fitted(Tabular[ParameterRow]):
    """Base of fitted models: what comes with their parameters.

    Attributes
    ----------
    covariance : ndarray of float64, shape (k, k), or None
        Of the estimates, the inverse of the observed information; None where the likelihood has no maximum, or where
        parameters were not fitted.
    log_likelihood : float or None
        At the parameters.
    n_members : int or None
        To how many members they were fitted.
    reason : str or None
        Why there is no maximum; the parameters are then far out where the likelihood still rises.
    reason_zh : str or None
        The same in Chinese.
    calendar : Calendar or None
        What a period is; None if nobody said.
    """

    covariance: FloatArray | None = attrs.field(
        default=None, converter=_covariance, eq=attrs.cmp_using(eq=_same, require_same_type=False)
    )
    log_likelihood: float | None = None
    n_members: int | None = None
    reason: str | None = None
    reason_zh: str | None = None
    calendar: Calendar | None = calendar_field()

    _Row: ClassVar[type[Any] | None] = ParameterRow
    _names: ClassVar[tuple[str, ...]]

    def __attrs_post_init__(self) -> None:
        if self.covariance is not None:
            k = len(self._names)
            reals_column("covariance", self.covariance, (k, k), of=f"each pair of the {k} parameters")

    @property
    def converged(self) -> bool:
        """Whether the parameters are where the likelihood is largest; `reason` says why not."""
        return self.reason is None

    @property
    def _values(self) -> FloatArray:
        return np.array([getattr(self, name) for name in self._names])

    @property
    def _errors(self) -> FloatArray:
        if self.covariance is None:
            return np.full(len(self._names), np.nan)
        return np.sqrt(np.diag(self.covariance))

    def _ends(self, level: float) -> FloatArray:
        """Return the ends of the interval of each parameter, by its logarithm, shape (2, k)."""
        z = -float(normal_quantile((1.0 - level_in_unit(level)) / 2.0))
        values, errors = self._values, self._errors
        with np.errstate(over="ignore"):
            return np.stack([values * np.exp(-z * errors / values), values * np.exp(z * errors / values)])

    def _tidy(self) -> Sequence[Column]:
        lower, upper = self._ends(0.95)
        columns = [Column(key="parameter", en="parameter", zh="参数", values=list(self._names))]
        for key, en, zh, values in (
            ("value", "value", "估计值", self._values),
            ("standard_error", "std. error", "标准误", self._errors),
            ("lower", "lower", "下限", lower),
            ("upper", "upper", "上限", upper),
        ):
            columns.append(Column(key=key, en=en, zh=zh, values=values, format="number", digits=4))
        return columns

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return self._tidy()

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        is_zh = lang == "zh"
        notes: list[str] = []
        if self.calendar is not None:
            name = self.calendar.name(lang)
            notes.append(f"周期：{name}。" if is_zh else f"Period: {name}.")
        if self.log_likelihood is not None and self.n_members is not None:
            value, n = f"{self.log_likelihood:,.2f}", self.n_members
            notes.append(
                f"成员 {n:,}，对数似然 {value}。" if is_zh else f"{counted(n, 'member')}, log-likelihood {value}."
            )
        if self.reason is not None:
            notes.append(f"未收敛：{self.reason_zh or self.reason}" if is_zh else f"No maximum: {self.reason}")
        return notes

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value:.4g}" for name, value in zip(self._names, self._values, strict=True))
        return f"{type(self).__name__}({shown}{'' if self.converged else ', no maximum'})"
