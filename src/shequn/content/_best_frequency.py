"""How often should we post: is there a point from which more is too much (定时定量, 不过度不不足)?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import InvalidValueError, message
from shequn.stats import Interval
from shequn.stats._checks import counts_column, level_in_unit, number_between, reals_column, whole
from shequn.stats.student import student_quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang

__all__ = ["BestFrequency", "FrequencyRow", "FrequencyVerdict", "best_frequency"]

_FEWEST_PERIODS = 6
_COEFFICIENTS = 3
_MOST_ROWS = 1_000
_MOST_POSTS = 2**31 - 1
# Whose square, times a few thousand, a float still holds.
_LARGEST = 1e100


class FrequencyVerdict(Taxonomy):
    """What the data tell of the best number of posts a period.

    Examples
    --------
    >>> FrequencyVerdict.PEAK.zh, FrequencyVerdict.from_label("数据不足以判断")
    ('存在最佳频率', <FrequencyVerdict.UNKNOWN: 'unknown'>)
    """

    PEAK = "peak", "存在最佳频率", "there is a best number"
    MORE = "more", "仍可增加", "the more the better, as far as seen"
    FEWER = "fewer", "应当减少", "the fewer the better, as far as seen"
    VALLEY = "valley", "中间最差", "the middle is worst"
    UNKNOWN = "unknown", "数据不足以判断", "the data do not tell"


def best_frequency(posts: ArrayLike, response: ArrayLike, /, *, level: float = 0.95) -> BestFrequency:
    r"""Find the number of posts a period at which the response of members was highest, if the data tell.

    Parameters
    ----------
    posts : array_like of int, shape (n,)
        Posts in each of n periods, six or more.
    response : array_like, shape (n,)
        What came of each period in all: engagement, readers, orders.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    BestFrequency
        The curve, the best number with its interval, and whether there is one.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        A column can't be used, there are fewer than six periods, or posts have fewer than three different numbers.

    Notes
    -----
    Least squares of :math:`y = a + b x + c x^2` with White's covariance in the form HC3, as busy periods vary more than
    quiet ones. Where the slope :math:`b + 2 c x` is surely above 0 at the fewest posts seen and surely below 0 at the
    most, there is a peak between, at :math:`-b / 2c`. Its interval is Fieller's: every x at which the slope is not
    surely different from 0, by Student's t with n - 3 degrees of freedom. Where the slope is surely above 0 even at the
    most posts seen, more would have been better; surely below 0 at the fewest, fewer; both, the middle is worst;
    otherwise the data do not tell.

    Nothing is said of numbers never tried, nor that posting more causes more: a week of a festival has more of both. To
    know, vary the number by lot. Periods are taken as independent.

    References
    ----------
    Fieller, E. C. (1954). Some problems in interval estimation. Journal of the Royal Statistical Society B 16, 175-185.
    https://doi.org/10.1111/j.2517-6161.1954.tb00159.x

    MacKinnon, J. G. and White, H. (1985). Some heteroskedasticity-consistent covariance matrix estimators with improved
    finite sample properties. Journal of Econometrics 29, 305-325. https://doi.org/10.1016/0304-4076(85)90158-7

    S3 §2.3 and §3.3, row K7 of the domain table.

    Examples
    --------
    >>> posts = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    >>> found = best_frequency(posts, [21, 36, 45, 57, 61, 68, 66, 71, 62, 63, 51, 40])
    >>> found.verdict.en, round(found.best, 1), (round(found.lower, 1), round(found.upper, 1))
    ('there is a best number', 8.2, (8.1, 8.4))
    >>> best_frequency(posts, [4, 9, 2, 7, 6, 3, 8, 5, 1, 9, 4, 6]).verdict.en
    'the data do not tell'
    """
    number = counts_column("posts", posts, (-1,), of="each period", most=_MOST_POSTS)
    of = f"each of the {len(number)} periods"
    outcome = reals_column("response", response, (len(number),), of=of, least=-_LARGEST, most=_LARGEST)
    sure = level_in_unit(level)
    if len(number) < _FEWEST_PERIODS:
        raise InvalidValueError(message("posts", f"at least {_FEWEST_PERIODS} periods", len(number)))
    if len(np.unique(number)) < _COEFFICIENTS:
        expected = "at least three different numbers of posts, as a curve has no bend with fewer"
        raise InvalidValueError(message("posts", expected, np.unique(number).tolist()))
    middle, width = float(number.mean()), float(number.std())
    x = (number - middle) / width
    design = np.stack([np.ones_like(x), x, x * x], axis=1)
    basis, triangle = np.linalg.qr(design)
    inverse = np.linalg.solve(triangle, basis.T)
    fitted = inverse @ outcome
    leverage = np.minimum((basis * basis).sum(axis=1), 1 - 1e-9)
    scaled = (outcome - design @ fitted) / (1 - leverage)
    spread = inverse * scaled
    # Back from the standard scale: y = a + b x + c x² in posts.
    back = np.array(
        [[1, -middle / width, (middle / width) ** 2], [0, 1 / width, -2 * middle / width**2], [0, 0, width**-2]]
    )
    return BestFrequency(
        coefficients=back @ fitted,
        covariance=back @ (spread @ spread.T) @ back.T,
        n_periods=len(number),
        fewest=int(number.min()),
        most=int(number.max()),
        level=sure,
    )


class FrequencyRow(NamedTuple):
    """One number of posts.

    Attributes
    ----------
    posts : int
    response : float
        What the curve expects.
    lower, upper : float
        Ends of its interval.

    Examples
    --------
    >>> FrequencyRow(posts=3, response=40.0, lower=31.5, upper=48.5).posts
    3
    """

    posts: int
    response: float
    lower: float
    upper: float


def _coefficients(values: Any) -> FloatArray:  # noqa: ANN401
    return reals_column("coefficients", values, (_COEFFICIENTS,), of="a, b and c")


def _covariance(values: Any) -> FloatArray:  # noqa: ANN401
    return reals_column("covariance", values, (_COEFFICIENTS, _COEFFICIENTS), of="each pair of a, b and c")


@attrs.frozen(kw_only=True, repr=False)
class BestFrequency(Tabular[FrequencyRow]):
    """Response by posts a period, and where it is highest; made by `best_frequency`.

    Parameters
    ----------
    coefficients : ndarray of float64, shape (3,)
        a, b and c of a + b x + c x², x being posts a period.
    covariance : ndarray of float64, shape (3, 3)
        Of these.
    n_periods : int
        How many periods were seen.
    fewest, most : int
        Posts in the quietest and the busiest of them.
    level : float
        Confidence level.

    Examples
    --------
    >>> found = BestFrequency(
    ...     coefficients=[0, 16, -1], covariance=np.diag([4, 1, 0.01]), n_periods=30, fewest=2, most=14
    ... )
    >>> found.best, found.verdict
    (8.0, <FrequencyVerdict.PEAK: 'peak'>)
    """

    coefficients: FloatArray = attrs.field(converter=_coefficients, eq=attrs.cmp_using(eq=np.array_equal))
    covariance: FloatArray = attrs.field(converter=_covariance, eq=attrs.cmp_using(eq=np.array_equal))
    n_periods: int
    fewest: int
    most: int
    level: float = attrs.field(default=0.95, converter=level_in_unit)

    _Row: ClassVar[type[Any] | None] = FrequencyRow

    def __attrs_post_init__(self) -> None:
        """Check that the numbers go together."""
        for name in ("n_periods", "fewest", "most"):
            whole(name, getattr(self, name))
        if self.n_periods <= _COEFFICIENTS:
            raise InvalidValueError(message("n_periods", f"more than {_COEFFICIENTS}", self.n_periods))
        if not 0 <= self.fewest < self.most:
            raise InvalidValueError(message("most", f"more than fewest ({self.fewest})", self.most))

    @property
    def verdict(self) -> FrequencyVerdict:
        """Whether there is a best number, more or fewer would be better, or the data do not tell."""
        (low_down, low_up), (high_down, high_up) = (self.slope(x) for x in (self.fewest, self.most))
        if high_down > 0 and low_up < 0:
            return FrequencyVerdict.VALLEY
        if high_down > 0:
            return FrequencyVerdict.MORE
        if low_up < 0:
            return FrequencyVerdict.FEWER
        return FrequencyVerdict.PEAK if low_down > 0 and high_up < 0 else FrequencyVerdict.UNKNOWN

    @property
    def best(self) -> float:
        """Posts a period at the peak, or the end of what was seen towards which it rises; NaN else."""
        verdict = self.verdict
        if verdict is FrequencyVerdict.PEAK:
            _, b, c = self.coefficients.tolist()
            return float(-b / (2 * c))
        ends = {FrequencyVerdict.MORE: float(self.most), FrequencyVerdict.FEWER: float(self.fewest)}
        return ends.get(verdict, math.nan)

    @property
    def lower(self) -> float:
        """Lower end of the interval of the peak; NaN without one."""
        return self._interval()[0]

    @property
    def upper(self) -> float:
        """Upper end of the interval of the peak; NaN without one."""
        return self._interval()[1]

    def slope(self, posts: float, /) -> tuple[float, float]:
        """Return the interval of how much one more post brings at a number of posts.

        Examples
        --------
        >>> found = BestFrequency(
        ...     coefficients=[0, 16, -1], covariance=np.diag([4, 1, 0.01]), n_periods=30, fewest=2, most=14
        ... )
        >>> [round(end, 2) for end in found.slope(2)]
        [9.79, 14.21]
        """
        along = np.array([0.0, 1.0, 2.0 * number_between("posts", posts, 0)])
        # Rounding makes a little less than nothing of a variance that is next to it.
        variance = max(float(along @ self.covariance @ along), 0.0)
        value, reach = float(along @ self.coefficients), self._t * math.sqrt(variance)
        return value - reach, value + reach

    def curve(self, posts: ArrayLike, /) -> tuple[FloatArray, Interval]:
        """Return what the curve expects at numbers of posts, and the interval of that.

        Examples
        --------
        >>> found = BestFrequency(
        ...     coefficients=[0, 16, -1], covariance=np.diag([4, 1, 0.01]), n_periods=30, fewest=2, most=14
        ... )
        >>> found.curve([2, 8])[0]
        array([28., 64.])
        """
        x = reals_column("posts", posts, (-1,), of="each number of posts")
        design = np.stack([np.ones_like(x), x, x * x], axis=1)
        value = design @ self.coefficients
        variance = np.maximum(np.einsum("ij,jk,ik->i", design, self.covariance, design), 0.0)
        reach = self._t * np.sqrt(variance)
        return frozen(value), Interval(frozen(value - reach), frozen(value + reach))

    @property
    def _t(self) -> float:
        return float(student_quantile((1 + self.level) / 2, self.n_periods - _COEFFICIENTS))

    def _interval(self) -> tuple[float, float]:
        """Return Fieller's ends: the roots of (b + 2cx)² = t² var(b + 2cx), of which one lies on each side."""
        if self.verdict is not FrequencyVerdict.PEAK:
            return math.nan, math.nan
        _, b, c = self.coefficients.tolist()
        square = self._t**2
        variance = self.covariance
        second = 4 * (c * c - square * float(variance[2, 2]))
        first = 4 * (b * c - square * float(variance[1, 2]))
        constant = b * b - square * float(variance[1, 1])
        root = math.sqrt(max(first * first - 4 * second * constant, 0.0))
        return (-first - root) / (2 * second), (-first + root) / (2 * second)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        step = max(-(-(self.most - self.fewest) // _MOST_ROWS), 1)
        posts: IntArray = np.arange(self.fewest, self.most + 1, step)
        value, (lower, upper) = self.curve(posts)
        return [
            Column(key="posts", en="posts", zh="发布数", values=posts, format="count"),
            Column(key="response", en="response", zh="预期互动", values=value, format="number"),
            Column(key="lower", en="lower", zh="下限", values=lower, format="number"),
            Column(key="upper", en="upper", zh="上限", values=upper, format="number"),
        ]

    def _title(self, lang: Lang, /) -> str:
        if lang == "zh":
            return f"每期发布数与互动：{self.n_periods:,} 期"
        return f"Response by posts a period: {self.n_periods:,} periods"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        verdict = self.verdict
        if verdict is not FrequencyVerdict.PEAK:
            return [f"{verdict.zh}。" if lang == "zh" else f"{verdict.en.capitalize()}."]
        ends = f"{self.lower:.1f} – {self.upper:.1f}"
        return [f"最佳频率 {self.best:.1f}（{ends}）。" if lang == "zh" else f"Best at {self.best:.1f} ({ends})."]

    def __repr__(self) -> str:
        """Show the verdict."""
        return f"BestFrequency({self.verdict.en}: {self.best:.3g}, {self.n_periods} periods)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
