"""How fast does the charm of novelty wear off (新鲜红利递减)? Engagement per exposure, falling with tenure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, NamedTuple, TypeAlias, get_args

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, counts_field, frozen, read_only
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidValueError, MisalignedError, counted, message
from shequn.stats import Interval, normal_quantile
from shequn.stats._checks import counts, level_in_unit, one_of, reals, refuse
from shequn.stats.likelihood import maximise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang

__all__ = ["NoveltyDecay", "NoveltyRow", "novelty_decay"]

Likelihood: TypeAlias = Literal["poisson", "binomial"]

_FARTHEST: Final = 60.0  # in logarithms: of a rate against the mean one, and of its fall over all tenures
_MOST: Final = 2**53  # counts and tenures that floats tell exactly
_NEAREST: Final = (1e-9, 1e-6)  # how far apart first and last tenure have to lie: so much, and so much of the last
_REASONS: Final = {
    "no exposures": ("no exposures: nothing to go by", "没有曝光，无从判断"),
    "one tenure": ("exposures at one tenure alone: nothing to compare", "只有一个在群时长有曝光，无从比较"),
    "no engagement": ("no engagement at all", "没有任何互动"),
    "no decay": ("no decay: engagement per exposure does not fall with tenure", "没有衰减：互动率不随在群时长下降"),
    "at once": ("engagement ends at once: no rate of decay is fast enough", "互动立即消失：没有足够快的衰减率"),
    "everybody": ("everybody engages at some tenure: no share is above 1", "某时长人人互动：占比不会超过 1"),
}  # fmt: skip


def novelty_decay(
    *, tenure: ArrayLike, exposures: ArrayLike, engagements: ArrayLike, likelihood: Likelihood = "poisson"
) -> NoveltyDecay:
    r"""Fit an exponential fall of engagement per exposure with tenure, and its half-life.

    Parameters
    ----------
    tenure : array_like of int or float, shape (n,)
        How long who saw something had been there, in periods of any length, 0 to 2**53. Rows of one tenure are added.
    exposures, engagements : array_like of int, shape (n,)
        How often something was seen, and how often it was answered; up to 2**53 together.
    likelihood : {"poisson", "binomial"}, default "poisson"
        ``"binomial"`` where an exposure is answered once at most.

    Returns
    -------
    NoveltyDecay
        With a half-life, or the reason why there is none.

    Raises
    ------
    InvalidTypeError
        A column holds no numbers.
    InvalidValueError
        A tenure or a count is negative or above 2**53; first and last tenure differ by less than 1e-9, or by less than
        a millionth of the last; there are engagements without exposures, or, with ``"binomial"``, more of them than
        exposures. The message names the row.
    MisalignedError
        Columns differ in length.

    Notes
    -----
    Engagements at tenure t are taken to be Poisson with mean :math:`n_t a e^{-b t}` among n exposures, or binomial with
    that chance. Both likelihoods have their maximum found by Newton's method in :math:`\ln a` and :math:`b`. Where that
    of the binomial one has a share of 1 at some tenure, it is no maximum inside, and there is no half-life. The
    half-life is :math:`\ln 2 / b`, its standard error by the delta method :math:`\ln 2 / b^2 \cdot s_b`.

    Standard errors are the model's times :math:`\sqrt{\phi}`, where Pearson's statistic over its degrees of freedom,
    :math:`\phi`, is above 1: members differ, and engagements come in clusters.

    References
    ----------
    S1 §三(二), row C10 of the domain table; P. McCullagh, J. A. Nelder, *Generalized Linear Models*, 2nd ed., Chapman &
    Hall 1989, ch. 6 and 9.

    Examples
    --------
    >>> decay = novelty_decay(tenure=[0, 1, 2, 3], exposures=[1000, 900, 800, 700], engagements=[200, 125, 82, 47])
    >>> print(f"{decay.half_life:.2f} ± {decay.half_life_error:.2f} periods")
    1.96 ± 0.26 periods
    """
    one_of("likelihood", likelihood, get_args(Likelihood))
    at = reals("tenure", tenure)
    seen, answered = _up_to_most("exposures", exposures), _up_to_most("engagements", engagements)
    if at.ndim != 1:
        raise InvalidValueError(message("tenure", "one axis", f"shape {at.shape}"))
    for name, column in (("exposures", seen), ("engagements", answered)):
        if column.shape != at.shape:
            raise MisalignedError(
                message(name, f"as many rows as `tenure`, which has {len(at)}", f"shape {column.shape}")
            )
    if (bad := ~((at >= 0) & (at <= _MOST))).any():
        refuse("tenure", "finite numbers of 0 or more, up to 2**53", at, bad)
    if (bad := (answered > 0) & (seen == 0)).any():
        refuse("engagements", "0 where there are no exposures", answered, bad)
    if likelihood == "binomial" and (bad := answered > seen).any():
        refuse("engagements", "no more than the exposures (a binomial likelihood)", answered, bad)
    distinct, place = np.unique(at[seen > 0], return_inverse=True)
    n, y = np.zeros(len(distinct), dtype=np.int64), np.zeros(len(distinct), dtype=np.int64)
    np.add.at(n, place, seen[seen > 0])
    np.add.at(y, place, answered[seen > 0])
    _require_apart(distinct)
    return NoveltyDecay(
        tenure=distinct, exposures=n, engagements=y, likelihood=likelihood, **_fitted(distinct, n, y, likelihood)
    )


def _up_to_most(argument: str, values: ArrayLike) -> IntArray:
    """Return counts that floats tell exactly, one by one and together."""
    column = counts(argument, values)
    if (bad := column > _MOST).any():
        refuse(argument, "counts up to 2**53", column, bad)
    if (total := float(column.sum(dtype=np.float64))) > _MOST:
        raise InvalidValueError(message(argument, "counts that add up to 2**53 at most", total))
    return column


def _require_apart(distinct: FloatArray) -> None:
    """Raise where tenures are so near to each other that no rate over them can be told."""
    if len(distinct) < 2:  # noqa: PLR2004
        return
    span = float(distinct[-1] - distinct[0])
    if span < max(_NEAREST[0], _NEAREST[1] * float(distinct[-1])):
        expected = "first and last tenure at least 1e-9 and a millionth of the last apart"
        raise InvalidValueError(message("tenure", expected, span))


def _fitted(t: FloatArray, n: IntArray, y: IntArray, likelihood: Likelihood) -> dict[str, Any]:
    """Return the parameters, their covariance and the reason, if there is one, why there is no half-life."""
    if len(t) < 2:  # noqa: PLR2004
        return {"reason": "one tenure" if len(t) else "no exposures"}
    if not y.sum():
        return {"reason": "no engagement"}
    # With tenure from 0 to 1 and rates against the mean one, both parameters are of the order of 1. Of the second one,
    # r = exp(-b), the logarithm is what Newton's method moves, so that a rise is found like a fall.
    first, span = t[0], t[-1] - t[0]
    mean = float(y.sum() / n.sum())
    of = _Curvature((t - first) / span, n.astype(np.float64), y.astype(np.float64), mean, likelihood)
    # The likelihood is concave, so that its slope at a level rate tells on which side its maximum is.
    is_falling = float(of.t @ (of.y - of.n * mean)) < 0.0
    if likelihood == "binomial" and _is_largest_at_everybody(of.t if is_falling else 1.0 - of.t, of.n, of.y):
        return {"reason": "everybody" if is_falling else "no decay"}
    if likelihood == "binomial" and np.count_nonzero(y < n) == 1 and y[1:].any():
        return {
            "reason": "no decay"
        }  # with one tenure alone that bends the likelihood, a level rate is as likely as any
    edge = math.exp(_FARTHEST)
    found = maximise(of.curvature, start=np.ones(2), least=np.full(2, 1 / edge), greatest=np.full(2, edge))
    if found.covariance is None:
        return {"reason": "at once" if is_falling else "no decay"}
    log_errors = found.covariance / np.outer(found.at, found.at)
    # Back to b a period of tenure, and to ln a at tenure 0: ln a = ln a' + ln mean + b * first.
    b = -math.log(found.at[1]) / span
    turn = np.array([[1.0, -first / span], [0.0, -1.0 / span]])
    return {
        "log_rate": math.log(found.at[0]) + math.log(mean) + b * float(first),
        "b": b,
        "covariance": turn @ log_errors @ turn.T,
        "reason": None if found.at[1] < 1.0 else "no decay",
    }


def _is_largest_at_everybody(t: FloatArray, n: FloatArray, y: FloatArray) -> bool:
    """Tell whether the binomial likelihood is largest where everybody engages at tenure 0, the highest rate of all.

    Along that edge it is concave in the rate of decay, whose best value is halved in on. There it must not fall towards
    the edge.
    """
    first, later = t == 0.0, t > 0.0
    if (y[first] < n[first]).any() or not y[later].any():
        return False
    t, no, y_later = t[later], (n - y)[later], y[later]
    if not no.any():
        return True
    low, high = -_FARTHEST, _FARTHEST
    with np.errstate(over="ignore"):
        while low < (middle := (low + high) / 2.0) < high:
            odds = 1.0 / np.expm1(math.exp(middle) * t)
            if float(t @ (no * odds - y_later)) > 0.0:
                low = middle
            else:
                high = middle
        odds = 1.0 / np.expm1(math.exp(low) * t)
    return float(y.sum() - no @ odds) >= 0.0


class _Curvature(NamedTuple):
    """Log-likelihood with gradient and Hessian, by the level a and the ratio r: chances are mean · a · r**t."""

    t: FloatArray
    n: FloatArray
    y: FloatArray
    mean: float
    likelihood: Likelihood

    def chances(self, at: FloatArray) -> FloatArray:
        return self.mean * np.exp(math.log(at[0]) + self.t * math.log(at[1]))

    def curvature(self, at: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        p = self.chances(at)
        log_p = math.log(self.mean) + math.log(at[0]) + self.t * math.log(at[1])
        if self.likelihood == "poisson":
            value = float((self.y * log_p - self.n * p).sum())
            slope, bend = self.y - self.n * p, -self.n * p
        else:
            if (p >= 1.0).any():
                return -math.inf, np.zeros(2), np.zeros((2, 2))
            no = self.n - self.y
            value = float((self.y * log_p + no * np.log1p(-p)).sum())
            slope, bend = self.y - no * p / (1.0 - p), -no * p / (1.0 - p) ** 2
        # By the logarithms of a and r first, in which the model is linear; then by a and r.
        x = np.stack([np.ones_like(self.t), self.t])
        by_logs = x @ slope
        hessian = (x * bend) @ x.T - np.diag(by_logs)
        return value, by_logs / at, hessian / np.outer(at, at)


class NoveltyRow(NamedTuple):
    """One tenure; the names are those of the columns of `NoveltyDecay`.

    Examples
    --------
    >>> NoveltyRow(tenure=1.0, exposures=900, engagements=125, rate=0.139, fitted=0.131).rate
    0.139
    """

    tenure: float
    exposures: int
    engagements: int
    rate: float
    fitted: float


def _floats(values: ArrayLike) -> FloatArray:
    return read_only(np.asarray(values, dtype=np.float64))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class NoveltyDecay(Tabular[NoveltyRow]):
    """How engagement per exposure falls with tenure; made by `novelty_decay`.

    Attributes
    ----------
    tenure : ndarray of float64, shape (k,)
        Distinct tenures, ascending.
    exposures, engagements : ndarray of int64, shape (k,)
    likelihood : {"poisson", "binomial"}
    log_rate, b : float
        Logarithm of the rate at tenure 0, and by how much it falls in a period; NaN where they can't be told.
    covariance : ndarray of float64, shape (2, 2)
        Of the two, as the model has it.
    reason : str or None
        Why there is no half-life, in a word; `explain` says it in a sentence.

    Examples
    --------
    >>> rising = NoveltyDecay(
    ...     tenure=[0, 1], exposures=[10, 10], engagements=[1, 5], b=-1.6, log_rate=-2.3, reason="no decay"
    ... )
    >>> rising.half_life, rising.explain(lang="zh")
    (nan, '没有衰减：互动率不随在群时长下降')
    """

    tenure: FloatArray = attrs.field(converter=_floats)
    exposures: IntArray = counts_field()
    engagements: IntArray = counts_field()
    likelihood: Likelihood = "poisson"
    log_rate: float = math.nan
    b: float = math.nan
    covariance: FloatArray = attrs.field(factory=lambda: np.full((2, 2), np.nan), converter=_floats)
    reason: str | None = None

    _Row: ClassVar[type[Any] | None] = NoveltyRow

    def __attrs_post_init__(self) -> None:
        if self.reason is not None:
            one_of("reason", self.reason, tuple(_REASONS))

    @property
    def rates(self) -> FloatArray:
        """Engagements per exposure at each tenure, shape (k,)."""
        return frozen(self.engagements / self.exposures)

    @property
    def fitted(self) -> FloatArray:
        """What the fit says of each tenure, shape (k,)."""
        return frozen(np.exp(self.log_rate - self.b * self.tenure))

    @property
    def dispersion(self) -> float:
        """Pearson's statistic over its degrees of freedom: about 1 where the model holds; NaN for two tenures."""
        free = len(self.tenure) - 2
        if free < 1 or math.isnan(self.b):
            return math.nan
        mean = self.exposures * self.fitted
        variance = mean * (1.0 - self.fitted) if self.likelihood == "binomial" else mean
        return float(((self.engagements - mean) ** 2 / variance).sum()) / free

    @property
    def b_error(self) -> float:
        """Standard error of `b`; NaN where that is."""
        phi = self.dispersion
        return math.sqrt(float(self.covariance[1, 1]) * (phi if phi > 1.0 else 1.0))

    @property
    def half_life(self) -> float:
        """Tenure in which engagement per exposure falls by half; NaN where there is a `reason` against it."""
        return math.log(2.0) / self.b if self.reason is None else math.nan

    @property
    def half_life_error(self) -> float:
        """Standard error of `half_life`; NaN where that is."""
        return math.log(2.0) / self.b**2 * self.b_error if self.reason is None else math.nan

    def half_life_interval(self, *, level: float = 0.95) -> Interval:
        """Return the interval of the half-life: that of `b`, turned over.

        Parameters
        ----------
        level : float, default 0.95
            Confidence level, between 0 and 1.

        Returns
        -------
        Interval
            The upper end is infinite where no decay at all is within the interval of `b`; both are NaN without a
            half-life.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `level` is not a number between 0 and 1.

        Examples
        --------
        >>> decay = novelty_decay(tenure=[0, 1], exposures=[1000, 1000], engagements=[200, 100])
        >>> print(*(f"{end:.2f}" for end in decay.half_life_interval()))
        0.74 1.53
        """
        half = -float(normal_quantile((1.0 - level_in_unit(level)) / 2.0)) * self.b_error
        if self.reason is not None:
            ends = [math.nan, math.nan]
        else:
            ends = [math.log(2.0) / b if b > 0 else math.inf for b in (self.b + half, self.b - half)]
        return Interval(*(frozen(np.asarray(end)) for end in ends))

    def explain(self, *, lang: Lang = "en") -> str:
        """Say what the half-life is, or why there is none.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            There is no such language.
        """
        one_of("lang", lang, ("en", "zh"))
        zh = lang == "zh"
        if self.reason is not None:
            return _REASONS[self.reason][zh]
        life, error = f"{self.half_life:.2f}", f"{self.half_life_error:.2f}"
        lower, upper = (f"{float(end):.2f}".replace("inf", "∞") for end in self.half_life_interval())
        if zh:
            return f"半衰期 {life} 个周期（标准误 {error}，95% 区间 {lower}–{upper}）"
        return f"half-life {life} periods (standard error {error}, 95% interval {lower} to {upper})"

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [
            Column(key="tenure", en="tenure", zh="在群时长", values=self.tenure, format="number"),
            Column(key="exposures", en="exposures", zh="曝光", values=self.exposures, format="count"),
            Column(key="engagements", en="engagements", zh="互动", values=self.engagements, format="count"),
            Column(key="rate", en="rate", zh="互动率", values=self.rates, format="rate"),
            Column(key="fitted", en="fitted", zh="拟合", values=self.fitted, format="rate"),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        return [self.explain(lang=lang)]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        told = self.reason or f"half-life {self.half_life:.2f} periods"
        return f"NoveltyDecay({told}, {counted(len(self.tenure), 'tenure')})"
