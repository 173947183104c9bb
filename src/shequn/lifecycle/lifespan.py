"""How long do communities live? Survival over many of them, and for how long the living still have."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

import attrs
import numpy as np
import pendulum

from shequn.columns.readonly import by_fields, counts_field, frozen, read_only
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidTypeError, MisalignedError, message
from shequn.labels import Index
from shequn.stats import Interval, SurvivalTable, chi2_sf
from shequn.stats._checks import array_of, level_in_unit, number_between, reals, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["EXPECTED_LIFESPAN", "LifespanRow", "Lifespans", "days_of"]

EXPECTED_LIFESPAN: Final = pendulum.duration(months=6)
"""Mean life of a community in the literature: six months (S1 §三(二), row N4 of the domain table)."""

_DAY_US: Final = 86_400_000_000
# Of the Gregorian calendar: 400 years have 146,097 days.
_DAYS_A_MONTH: Final = 146_097 / 4_800
_YOUNGEST_DAYS: Final = 7
_WEIGHTS: Final = (1e-9, 1e8)  # between which the mean is a number one can print, and its interval can be told


class LifespanRow(NamedTuple):
    """One community; the names are those of the columns of `Lifespans`.

    Examples
    --------
    >>> LifespanRow(community="c1", days=400.0, alive=True, lived=2.1, overdue=True).overdue
    True
    """

    community: Label
    days: float
    alive: bool
    lived: float
    overdue: bool


def _weight(prior_weight: float) -> float:
    return number_between("prior_weight", prior_weight, *_WEIGHTS)


def _prior_mean(prior_mean_days: float) -> float:
    return number_between("prior_mean_days", prior_mean_days, 0, excluding="least")


def _threshold(overdue_at: float) -> float:
    return number_between("overdue_at", overdue_at, 0, excluding="least")


def _index(communities: Index | Sequence[Label]) -> Index:
    return communities if isinstance(communities, Index) else Index(communities, argument="communities")


def _mask(is_closed: ArrayLike) -> BoolArray:
    return read_only(array_of("is_closed", is_closed, kinds="b", expected="booleans"))


def _entries(entry_us: ArrayLike) -> IntArray:
    return read_only(array_of("entry_us", entry_us, kinds="i", expected="integers").astype(np.int64, copy=False))


def _from_the_beginning(lives: Lifespans) -> IntArray:
    return np.full(len(lives.communities), -1, dtype=np.int64)


def days_of(duration: dt.timedelta, /, *, argument: str) -> float:
    """Return a duration in days, a month being 30.436875 of them and a year twelve months.

    Examples
    --------
    >>> days_of(pendulum.duration(months=6), argument="prior_mean")
    182.62125
    """
    if not isinstance(duration, dt.timedelta):
        raise InvalidTypeError(message(argument, "a duration such as pendulum.duration(months=6)", duration))
    if not isinstance(duration, pendulum.Duration):
        return duration / dt.timedelta(days=1)
    months = duration.years * 12 + duration.months
    # pendulum counts 365 and 30 days for a year and a month; what is left beside them is exact.
    rest = duration.total_seconds() / 86_400 - (duration.years * 365 + duration.months * 30)
    return months * _DAYS_A_MONTH + rest


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Lifespans(Tabular[LifespanRow]):
    r"""How long each of many communities lived, or has lived until now; made by `lifespans`.

    Attributes
    ----------
    communities : Index
        One a community.
    lived_us : ndarray of int64, shape (n,)
        From its beginning to its end, or to when it was last known to live, in microseconds.
    is_closed : ndarray of bool, shape (n,)
        Whether it ended.
    entry_us : ndarray of int64, shape (n,)
        Age at which it came under observation; -1 where it was from the beginning.
    unborn : int
        Communities that began after the end of observation, and are left out.
    prior_mean_days : float, default 182.62125
        Mean life that is believed before any is seen; six months by default, a month being 30.436875 days.
    prior_weight : float
        How many communities that belief is worth, from 1e-9 to 1e8.
    overdue_at : float
        A living community is overdue from so many mean lives on.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        A column or an option can't be used.

    Notes
    -----
    The exponential model takes it that communities end at a constant rate :math:`\lambda`, whatever their age. With
    prior mean :math:`\mu` and weight w, a gamma prior of shape :math:`w + 1` and rate :math:`w \mu` on :math:`\lambda`,
    which makes :math:`\mu` the mean of the mean life :math:`1 / \lambda`. After d ends in a time T under observation,
    all communities together, shape and rate are :math:`w + 1 + d` and :math:`w \mu + T`, and

    - the mean life is :math:`(w \mu + T) / (w + d)`: as if w communities had ended after :math:`\mu` each;
    - a new community is alive at t with :math:`P = (1 + t / (w \mu + T))^{-(w + 1 + d)}`;
    - one that lives has the same chance to live on for t, whatever its age.

    `curve` assumes no rate: it is the estimate of Kaplan and Meier, with late entry.

    References
    ----------
    S1 §三(二), row N4 of the domain table; A. Gelman et al., *Bayesian Data Analysis*, 3rd ed., CRC Press 2013, 2.6.

    Examples
    --------
    >>> lives = Lifespans(
    ...     communities=["c1", "c2", "c3"], lived_us=[90 * 86_400_000_000, 400 * 86_400_000_000, 30 * 86_400_000_000],
    ...     is_closed=[True, False, False],
    ... )
    >>> print(lives.table(lang="zh"))
    3 个社群，1 个已结束；平均寿命 351.3 天（95% 区间 97.3–1,135.7）
    社群  存续天数  存活  占平均寿命  超龄
    ──────────────────────────────────────
    c1        90.0  否         25.6%  否
    c2       400.0  是        113.9%  是
    c3        30.0  是          8.5%  否
    先验：平均寿命 182.6 天，权重相当于 1 个社群。
    """

    communities: Index = attrs.field(converter=_index)
    lived_us: IntArray = counts_field()
    is_closed: BoolArray = attrs.field(converter=_mask)
    entry_us: IntArray = attrs.field(converter=_entries, default=attrs.Factory(_from_the_beginning, takes_self=True))
    unborn: int = 0
    prior_mean_days: float = attrs.field(default=6 * _DAYS_A_MONTH, converter=_prior_mean)
    prior_weight: float = attrs.field(default=1.0, converter=_weight)
    overdue_at: float = attrs.field(default=1.0, converter=_threshold)

    _Row: ClassVar[type[Any] | None] = LifespanRow

    def __attrs_post_init__(self) -> None:
        for name in ("lived_us", "is_closed", "entry_us"):
            if getattr(self, name).shape != (len(self.communities),):
                expected = f"one entry for each of the {len(self.communities)} communities"
                raise MisalignedError(message(name, expected, f"shape {getattr(self, name).shape}"))
        if (bad := self.lived_us < 0).any():
            refuse("lived_us", "0 or more microseconds", self.lived_us, bad)
        if (bad := self.entry_us >= np.maximum(self.lived_us, 0)).any():
            refuse("entry_us", "an age before the last one seen, or -1", self.entry_us, bad)

    def __len__(self) -> int:
        """Return the number of communities."""
        return len(self.communities)

    # ── what was seen ────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def n_closed(self) -> int:
        """How many communities ended."""
        return int(self.is_closed.sum())

    @property
    def days(self) -> FloatArray:
        """How long each lived, or has lived, in days, shape (n,)."""
        return frozen(self.lived_us / _DAY_US)

    @property
    def observed_days(self) -> float:
        """Time under observation of all communities together, in days."""
        return float((self.lived_us - np.maximum(self.entry_us, 0)).sum() / _DAY_US)

    @property
    def curve(self) -> SurvivalTable:
        """Share of communities that live for longer than each time, in days."""
        entry = np.where(self.entry_us > 0, self.entry_us / _DAY_US, -1.0)
        return SurvivalTable.from_durations(self.days, self.is_closed, entry)

    # ── the exponential model ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _shape(self) -> float:
        return self.prior_weight + 1.0 + self.n_closed

    @property
    def _rate(self) -> float:
        return self.prior_weight * self.prior_mean_days + self.observed_days

    @property
    def mean_days(self) -> float:
        """Mean life in days: that of the prior and that of the data, by their weights."""
        return self._rate / (self.prior_weight + self.n_closed)

    def mean_interval(self, *, level: float = 0.95) -> Interval:
        """Return the interval in which the mean life lies with a probability, in days.

        Parameters
        ----------
        level : float, default 0.95
            The probability, half of the rest on either side.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `level` is not a number between 0 and 1.

        Examples
        --------
        >>> lives = Lifespans(communities=["c1"], lived_us=[90 * 86_400_000_000], is_closed=[True])
        >>> print(*(f"{end:.1f}" for end in lives.mean_interval()))
        37.7 440.7
        """
        outside = (1.0 - level_in_unit(level)) / 2.0
        ends = (2.0 * self._rate / _chi2_upper(share, 2.0 * self._shape) for share in (outside, 1.0 - outside))
        return Interval(*(frozen(np.asarray(end)) for end in ends))

    def p_alive(self, t: ArrayLike) -> FloatArray:
        """Return the chance that a community lives for longer than t from now, or from its beginning.

        Parameters
        ----------
        t : array_like of float
            Days, 0 or more, any shape.

        Returns
        -------
        ndarray of float64, shape of `t`

        Raises
        ------
        InvalidTypeError, InvalidValueError
            A time is no number, or negative.

        Notes
        -----
        By the exponential model, in which age makes no difference; by `curve`, it is ``curve.at(t)`` for a new one and
        ``curve.at(age + t) / curve.at(age)`` for one of an age.

        Examples
        --------
        >>> lives = Lifespans(communities=["c1"], lived_us=[90 * 86_400_000_000], is_closed=[True])
        >>> lives.p_alive([0, 90, 365]).round(3)
        array([1.   , 0.425, 0.078])
        """
        asked = reals("t", t)
        if (bad := ~(asked >= 0)).any():
            refuse("t", "days of 0 or more", asked, bad)
        return frozen(np.asarray(np.exp(-self._shape * np.log1p(asked / self._rate))))

    # ── each community ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def lived(self) -> FloatArray:
        """Age, or age at the end, as a share of the mean life, shape (n,)."""
        return frozen(self.days / self.mean_days)

    @property
    def overdue(self) -> BoolArray:
        """Which living communities have outlived `overdue_at` mean lives, shape (n,)."""
        return frozen(~self.is_closed & (self.lived > self.overdue_at))

    @property
    def young(self) -> BoolArray:
        """Which living communities are less than a week old: even the shortest lives are longer, shape (n,)."""
        return frozen(~self.is_closed & (self.lived_us < _YOUNGEST_DAYS * _DAY_US))

    def _tidy(self) -> Sequence[Column]:
        return [
            Column(key="community", en="community", zh="社群", values=self.communities.labels),
            Column(key="days", en="days", zh="存续天数", values=self.days, format="number", digits=1),
            Column(key="alive", en="alive", zh="存活", values=frozen(~self.is_closed)),
            Column(key="lived", en="of a mean life", zh="占平均寿命", values=self.lived, format="rate"),
            Column(key="overdue", en="overdue", zh="超龄", values=self.overdue),
        ]

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return self._tidy()

    def _title(self, lang: Lang, /) -> str:
        n, mean = len(self), f"{self.mean_days:,.1f}"
        lower, upper = (f"{float(end):,.1f}" for end in self.mean_interval())
        if lang == "zh":
            return f"{n:,} 个社群，{self.n_closed:,} 个已结束；平均寿命 {mean} 天（95% 区间 {lower}–{upper}）"
        many = "community" if n == 1 else "communities"
        return f"{n:,} {many}, {self.n_closed:,} ended; mean life {mean} days (95% interval {lower} to {upper})"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        zh, mean, weight = lang == "zh", f"{self.prior_mean_days:,.1f}", f"{self.prior_weight:g}"
        many = "community" if weight == "1" else "communities"
        notes = [
            f"先验：平均寿命 {mean} 天，权重相当于 {weight} 个社群。"
            if zh
            else f"Prior: a mean life of {mean} days, worth as much as {weight} ended {many}."
        ]
        young = int(self.young.sum())
        if young:
            notes.append(
                f"{young:,} 个社群成立不足一周，尚难判断。"
                if zh
                else f"{young:,} younger than a week: too early to tell."
            )
        if self.unborn:
            notes.append(
                f"{self.unborn:,} 个社群在观察期后成立，未计入。"
                if zh
                else f"{self.unborn:,} began after the end of observation, and are left out."
            )
        return notes

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        return f"Lifespans({len(self):,}, {self.n_closed:,} ended, mean {self.mean_days:,.1f} days)"


def _chi2_upper(share: float, df: float) -> float:
    """Return the value that a chi-square variable exceeds with a probability, by halving in logarithms."""
    low, high = -60.0, math.log(df) + 10.0
    while True:
        middle = (low + high) / 2.0
        if not low < middle < high:
            return math.exp(middle)
        if float(chi2_sf(math.exp(middle), df)) > share:
            low = middle
        else:
            high = middle
