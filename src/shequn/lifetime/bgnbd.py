"""Who buys again without ever saying goodbye? The BG/NBD model of repeat purchases and silent drop-out."""

# Longer than most files: one model, its likelihood with two derivatives, and what follows from it.

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import frozen
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, message
from shequn.lifetime.alive_path import AlivePath, path_of
from shequn.lifetime.distinct import distinct_rows
from shequn.lifetime.fitted import FAR_OUT, UNSETTLED, Fitted, Reason, parameter
from shequn.lifetime.spans import Horizon, periods_in
from shequn.lifetime.summary import Histories, TransactionSummary, histories
from shequn.stats._checks import counts, instance, refuse
from shequn.stats.likelihood import Maximum, maximise
from shequn.stats.quadrature import beta_rule
from shequn.values.calendar import Calendar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray

__all__ = ["BetaGeoNBD", "BetaGeoNBDParams"]

_ROWS, _POINTS = 1 << 10, 64  # at a time, so that they stay in the cache
_FARTHEST = 1e5  # a parameter from 1, or from the mean age
_MOST_PURCHASES = 10_000_000
_MANY_ROWS = 1 << 15


class BetaGeoNBDParams(NamedTuple):
    """The four parameters, or what belongs to each.

    Examples
    --------
    >>> BetaGeoNBDParams(r=0.24, alpha=4.4, a=0.79, b=2.4).a
    0.79
    """

    r: float
    alpha: float
    a: float
    b: float


@attrs.frozen(kw_only=True, repr=False)
class BetaGeoNBD(Fitted):
    r"""A member buys at a rate of their own until, after some purchase, they drop out without a word.

    Purchases of a member are a Poisson process with rate λ, gamma distributed over members; after each the member drops
    out with probability p, beta distributed over members, independently of λ.

    Attributes
    ----------
    r, alpha : float
        Shape and rate of the gamma distribution: a member buys r / alpha times a period on average.
    a, b : float
        Of the beta distribution: the chance to drop out after a purchase is a / (a + b) on average.

    Notes
    -----
    Assumes that everybody is active at their first purchase, that rates don't change with time or season, and that
    purchases are not regular in time. Who bought only once counts as active with probability 1: they never had an
    occasion to drop out.

    References
    ----------
    Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005). "Counting your customers" the easy way: An alternative to the
    Pareto/NBD model. Marketing Science 24(2), 275-284. https://doi.org/10.1287/mksc.1040.0098

    Examples
    --------
    >>> fit = BetaGeoNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
    >>> print(f"{fit.p_alive(frequency=2, recency=30.43, age=38.86):.3f}")
    0.727
    """

    r: float = parameter()
    alpha: float = parameter()
    a: float = parameter()
    b: float = parameter()

    _names: ClassVar[tuple[str, ...]] = BetaGeoNBDParams._fields

    @classmethod
    def fit(
        cls,
        summary: TransactionSummary | None = None,
        /,
        *,
        frequency: ArrayLike | None = None,
        recency: ArrayLike | None = None,
        age: ArrayLike | None = None,
        n_members: ArrayLike | None = None,
        every: Calendar | None = None,
    ) -> BetaGeoNBD:
        """Find the parameters under which what members did is most likely.

        Parameters
        ----------
        summary : TransactionSummary, optional
            Or the three columns:
        frequency, recency, age : array_like, shape (n,), optional
            Repeat purchases of each member, age in periods at the last one, and age at the end of observation.
        n_members : array_like of int, shape (n,), optional
            How many members each row stands for; one by default.
        every : Calendar, optional
            What a period of the columns is.

        Returns
        -------
        BetaGeoNBD
            `converged`, or with the `reason` why the likelihood has no maximum.

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            Neither a summary nor three columns were given, or both; nobody is in it, or nobody was there for a while;
            or a row can't be, see `TransactionSummary`.

        Notes
        -----
        Equal rows are counted and looked at once. Newton's method by the logarithms of the parameters, with exact first
        and second derivatives; standard errors come from the same second derivatives.

        Examples
        --------
        >>> fit = BetaGeoNBD.fit(
        ...     frequency=[2, 1, 0, 5, 3], recency=[30.4, 1.7, 0, 20, 38], age=38.9, n_members=[9, 30, 130, 4, 6]
        ... )
        >>> fit.converged, fit.n_members
        (True, 179)
        """
        known, calendar = _known(summary, frequency, recency, age, every)
        columns = [column.reshape(-1) for column in (known.frequency, known.recency, known.age)]
        if not len(columns[0]):
            raise InvalidValueError(message("summary", "at least one member who bought", "nobody"))
        if columns[0].max() > _MOST_PURCHASES:
            refuse("frequency", "at most ten million purchases", columns[0], columns[0] > _MOST_PURCHASES)
        first, kind = distinct_rows(*columns)
        weights = _weights(n_members, kind, len(first))
        rows = [column[first][weights > 0] for column in columns]
        weights = weights[weights > 0]
        scale = float(rows[2] @ weights / weights.sum())
        if not scale > 0:
            raise InvalidValueError(message("age", "an age above 0 of one member at least", 0))
        found = _most_likely(rows, weights, np.array([1.0, scale, 1.0, 1.0]))
        why = _reason(found, rows[0])
        return cls(
            **BetaGeoNBDParams(*found.at.tolist())._asdict(),
            covariance=found.covariance,
            log_likelihood=found.value,
            n_members=int(weights.sum()),
            reason=None if why is None else why.en,
            reason_zh=None if why is None else why.zh,
            calendar=calendar,
        )

    @property
    def params(self) -> BetaGeoNBDParams:
        """The four parameters."""
        return BetaGeoNBDParams(self.r, self.alpha, self.a, self.b)

    @property
    def standard_errors(self) -> BetaGeoNBDParams | None:
        """Standard error of each parameter; None where there was no maximum or no fit."""
        return None if self.covariance is None else BetaGeoNBDParams(*self._errors.tolist())

    # ── one member, or many ──────────────────────────────────────────────────────────────────────────────────────────

    def p_alive(
        self,
        summary: TransactionSummary | None = None,
        /,
        *,
        frequency: ArrayLike | None = None,
        recency: ArrayLike | None = None,
        age: ArrayLike | None = None,
        ahead: Horizon = 0,
    ) -> FloatArray:
        r"""Return the probability that a member has not dropped out.

        Parameters
        ----------
        summary : TransactionSummary, optional
            Or the three columns:
        frequency, recency, age : array_like, optional
            As in `fit`, of any shape; numbers for one member.
        ahead : timedelta or float, default 0
            How much later; what they buy meanwhile is not known.

        Returns
        -------
        ndarray of float64
            Of the shape of the columns.

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            As in `fit`, or the horizon can't be converted.

        Notes
        -----
        With x, t_x and T the frequency, recency and age,
        :math:`1 / (1 + \frac{a}{b + x - 1} (\frac{\alpha + T}{\alpha + t_x})^{r + x})` for x > 0, and 1 for x = 0.
        Later by u it is that times :math:`E[(1 + p u / (\alpha + T))^{-(r + x)}]` over p ~ Beta(a, b + x).

        Examples
        --------
        >>> fit = BetaGeoNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
        >>> fit.p_alive(frequency=[0, 2, 2], recency=[0, 30, 5], age=39).round(3)
        array([1.   , 0.72 , 0.123])
        """
        known, calendar = _known(summary, frequency, recency, age, self.calendar)
        later = periods_in(ahead, calendar, argument="ahead")
        now = self._alive(known)
        if later == 0:
            return frozen(now)
        return frozen(now * self._mean_over_drop_out(known, later, _still, argument="ahead"))

    def p_no_purchase(
        self,
        summary: TransactionSummary | None = None,
        /,
        *,
        horizon: Horizon,
        frequency: ArrayLike | None = None,
        recency: ArrayLike | None = None,
        age: ArrayLike | None = None,
    ) -> FloatArray:
        r"""Return the probability that a member buys nothing within a horizon, dropped out or not.

        Notes
        -----
        :math:`1 - P(\text{alive}) (1 - (\frac{\alpha + T}{\alpha + T + t})^{r + x})`.

        Examples
        --------
        >>> fit = BetaGeoNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
        >>> print(f"{fit.p_no_purchase(horizon=26, frequency=2, recency=30, age=39):.3f}")
        0.532
        """
        known, calendar = _known(summary, frequency, recency, age, self.calendar)
        t = periods_in(horizon, calendar)
        quiet = (1.0 + t / (self.alpha + known.age)) ** -(self.r + known.frequency)
        return frozen(np.asarray(1.0 - self._alive(known) * (1.0 - quiet)))

    def expected_purchases(
        self,
        summary: TransactionSummary | None = None,
        /,
        *,
        horizon: Horizon,
        frequency: ArrayLike | None = None,
        recency: ArrayLike | None = None,
        age: ArrayLike | None = None,
    ) -> FloatArray:
        r"""Return how many purchases a member is expected to make within a horizon from now.

        Parameters
        ----------
        summary, frequency, recency, age
            As in `p_alive`. With none of them: for somebody who has just bought for the first time.
        horizon : timedelta or float
            A duration, or a number of periods.

        Returns
        -------
        ndarray of float64

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            As in `p_alive`.

        Notes
        -----
        :math:`P(\text{alive}) \, E[(1 - (1 + p t / (\alpha + T))^{-(r + x)}) / p]` over p ~ Beta(a, b + x), which the
        literature writes with Gauss' hypergeometric function; here it is a sum over the points of Gauss and Jacobi,
        which has no singular place at a = 1.

        Examples
        --------
        >>> fit = BetaGeoNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
        >>> print(f"{fit.expected_purchases(horizon=39, frequency=2, recency=30.43, age=38.86):.3f}")
        1.226
        """
        if summary is None and frequency is recency is age is None:
            frequency = recency = age = 0
        known, calendar = _known(summary, frequency, recency, age, self.calendar)
        t = periods_in(horizon, calendar)
        return frozen(self._alive(known) * self._mean_over_drop_out(known, t, _bought))

    def expected_lifetime(
        self,
        summary: TransactionSummary | None = None,
        /,
        *,
        horizon: Horizon,
        frequency: ArrayLike | None = None,
        recency: ArrayLike | None = None,
        age: ArrayLike | None = None,
    ) -> FloatArray:
        r"""Return for how many periods of a horizon a member is expected to be active.

        Parameters
        ----------
        summary, frequency, recency, age
            As in `p_alive`.
        horizon : timedelta or float
            A duration, or a number of periods. Without one the mean has no bounds unless a > 1 and r + x > 1.

        Returns
        -------
        ndarray of float64

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            As in `p_alive`.

        Notes
        -----
        The area under P(alive) from now to the horizon,
        :math:`P(\text{alive}) \, E[\frac{\alpha + T}{p (s - 1)} (1 - (1 + p t / (\alpha + T))^{1 - s})]` over
        p ~ Beta(a, b + x), with s = r + x; its limit at s = 1.

        Examples
        --------
        >>> fit = BetaGeoNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
        >>> print(f"{fit.expected_lifetime(horizon=52, frequency=2, recency=30.43, age=38.86):.2f}")
        32.02
        """
        known, calendar = _known(summary, frequency, recency, age, self.calendar)
        t = periods_in(horizon, calendar)
        return frozen(self._alive(known) * (self.alpha + known.age) * self._mean_over_drop_out(known, t, _lived))

    def alive_path(self, *, purchases: ArrayLike, age: float, every: float = 1.0) -> AlivePath:
        """Return how the probability that one member is active changed, purchase by purchase.

        Parameters
        ----------
        purchases : array_like, shape (k,)
            Ages, in periods, at the repeat purchases, ascending; the first purchase is at 0 and not among them.
        age : float
            Up to which age.
        every : float, default 1
            At which steps, in periods; ages at purchases come besides.

        Returns
        -------
        AlivePath

        Raises
        ------
        InvalidTypeError, InvalidValueError
            Ages are no ascending numbers between 0 and `age`, or a step is not above 0, or leads to more than a million
            rows.

        Examples
        --------
        >>> fit = BetaGeoNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
        >>> print(fit.alive_path(purchases=[3, 7], age=12, every=4))
        age  repeats  P(alive)
        ──────────────────────
          0        0    100.0%
          3        1     75.4%
          4        1     72.3%
          7        2     81.2%
          8        2     78.2%
         12        2     65.7%
        """
        return path_of(self, purchases, age, every)

    def _alive(self, known: Histories) -> FloatArray:
        x = known.frequency
        with np.errstate(over="ignore"):
            odds = self.a / (self.b + np.maximum(x, 1.0) - 1.0)
            odds = odds * ((self.alpha + known.age) / (self.alpha + known.recency)) ** (self.r + x)
        return np.where(x > 0, 1.0 / (1.0 + odds), 1.0)

    def purchases_by(self, summary: TransactionSummary, times: FloatArray, weights: FloatArray, /) -> FloatArray:
        """Return the weighted sum of the purchases expected up to each of some times, in periods.

        Examples
        --------
        >>> fit = BetaGeoNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
        >>> summary = TransactionSummary(members=["ann"], frequency=[2], recency=[30.43], age=[38.86])
        >>> fit.purchases_by(summary, np.array([20.0, 39.0]), np.array([0.0, 1.0])).round(3)
        array([1.226])
        """
        known, _ = _known(summary, None, None, None, self.calendar)
        return frozen(self._alive(known) * self._mean_over_drop_out(known, times, _bought, weights))

    def _mean_over_drop_out(
        self,
        known: Histories,
        times: FloatArray | float,
        of: Callable[[FloatArray, FloatArray, float], FloatArray],
        worth: FloatArray | float = 1.0,
        *,
        argument: str = "horizon",
    ) -> FloatArray:
        """Return the mean of a function of p, t / (alpha + T) and r + x, p ~ Beta(a, b + x), summed over times t."""
        shape = known.frequency.shape
        often, old = known.frequency.reshape(-1), known.age.reshape(-1)
        first, kind = distinct_rows(often, old)
        often, old = often[first], old[first]
        found = np.zeros(len(first))
        each = list(zip(np.atleast_1d(times).tolist(), np.atleast_1d(worth).tolist(), strict=True))
        farthest = float(np.max(times, initial=0.0))
        for x, rows in _by_frequency(often):
            slowness = 1.0 / (self.alpha + old[rows])
            power = self.r + x
            points, weights = self._points(x, farthest, float(slowness.max()), power, argument)
            at_once = max(_ROWS * _POINTS // len(points), 1)
            for start in range(0, len(rows), at_once):
                some = slice(start, start + at_once)
                for t, share in each:
                    found[rows[some]] += share * (of(points, t * slowness[some, None], power) @ weights)
        return found[kind].reshape(shape)

    def _points(
        self, x: float, t: float, slowness: float, power: float, argument: str
    ) -> tuple[FloatArray, FloatArray]:
        rule = beta_rule(self.a, self.b + x, t * slowness, power)
        if rule is None:
            expected = f"a shorter time, as with a = {self.a:g}, b = {self.b:g} and {x:g} repeat purchases at an age"
            raise InvalidValueError(
                message(argument, f"{expected} of {1 / slowness - self.alpha:g} no sum is exact", t)
            )
        return rule


def _by_frequency(often: FloatArray) -> Iterator[tuple[float, IntArray]]:
    """Give each frequency and the rows that have it."""
    order = np.argsort(often, kind="stable")
    edges = np.flatnonzero(np.diff(often[order])) + 1
    for rows in np.split(order, edges) if len(order) else []:
        yield float(often[rows[0]]), rows


def _still(p: FloatArray, reach: FloatArray, power: float) -> FloatArray:
    return np.exp(-power * np.log1p(p * reach))


def _bought(p: FloatArray, reach: FloatArray, power: float) -> FloatArray:
    return -np.expm1(-power * np.log1p(p * reach)) / p


def _lived(p: FloatArray, reach: FloatArray, power: float) -> FloatArray:
    log = np.log1p(p * reach)
    return (log if power == 1.0 else np.expm1((1.0 - power) * log) / (1.0 - power)) / p


# --- what comes in ---


def _known(
    summary: TransactionSummary | None,
    frequency: ArrayLike | None,
    recency: ArrayLike | None,
    age: ArrayLike | None,
    every: Calendar | None,
) -> tuple[Histories, Calendar | None]:
    given = {"frequency": frequency, "recency": recency, "age": age}
    if summary is not None:
        instance("summary", summary, TransactionSummary, expected="a TransactionSummary")
        for name, column in given.items():
            if column is not None:
                raise InvalidTypeError(message(name, "None beside a summary", column))
        if every is not None and summary.calendar not in (None, every):
            raise InvalidValueError(message("summary", f"periods of {every.name()}", summary.calendar.name()))
        known = Histories(summary.frequency.astype(np.float64), summary.recency, summary.age)
        return known, summary.calendar if every is None else every
    for name, column in given.items():
        if column is None:
            raise InvalidTypeError(message(name, "a column, or a summary in place of all three", None))
    if every is not None:
        instance("every", every, Calendar, expected="a Calendar")
    return histories(frequency, recency, age), every  # type: ignore[arg-type]


def _weights(
    n_members: ArrayLike | None, kind: np.ndarray[tuple[int, ...], np.dtype[np.int64]], n_kinds: int
) -> FloatArray:
    if n_members is None:
        return np.bincount(kind, minlength=n_kinds).astype(np.float64)
    given = counts("n_members", n_members)
    if given.shape != kind.shape:
        raise MisalignedError(
            message("n_members", f"one entry for each of the {len(kind)} rows", f"shape {given.shape}")
        )
    if not given.any():
        raise InvalidValueError(message("n_members", "at least one member", 0))
    return np.bincount(kind, weights=given, minlength=n_kinds).astype(np.float64)


def _most_likely(rows: list[FloatArray], weights: FloatArray, unit: FloatArray) -> Maximum:
    """Climb to the maximum; of many rows first that of some, from which the others need few steps more."""
    least, greatest, start = unit / _FARTHEST, unit * _FARTHEST, unit
    if len(weights) > _MANY_ROWS:
        some = slice(None, None, len(weights) // _MANY_ROWS + 1)
        near = maximise(_Likelihood(*(row[some] for row in rows), weights[some]), unit, least, greatest)
        start = unit if near.covariance is None else near.at
    return maximise(_Likelihood(*rows, weights), start, least, greatest)


def _reason(found: Maximum, frequency: FloatArray) -> Reason | None:
    """Say why the likelihood rises for ever, by the parameters that ran away."""
    if found.covariance is not None:
        return None
    if not frequency.any():
        return Reason("nobody bought again", "没有人复购")
    # The unit of alpha is the mean age; the others have none.
    far = np.where((found.at > FAR_OUT) & _HAS_NO_UNIT, 1, found.edge)
    if not far.any():
        return UNSETTLED
    r, alpha, a, b = far.tolist()
    reasons: list[Reason] = []
    if r > 0 or alpha > 0:
        reasons.append(_ALIKE)
    elif r < 0 or alpha < 0:
        reasons.append(_AT_ONCE)
    if b > 0 and a <= 0 and found.at[2] < 1.0:
        reasons.append(_STAYING)
    elif a > 0 or b > 0:
        reasons.append(_LEAVING_ALIKE)
    elif a < 0 or b < 0:
        reasons.append(_LEAVING_AT_ONCE)
    return Reason.joined(reasons)


_HAS_NO_UNIT = np.array([True, False, True, True])
_ALIKE = Reason(
    "members don't differ in how often they buy (r and alpha grow without end)",
    "成员的购买频率没有差异（r 与 alpha 无限增大）",
)
_AT_ONCE = Reason(
    "nearly all who bought again did so at once or never (r and alpha shrink to 0)",
    "复购几乎都在首购后立即发生，否则从不发生（r 与 alpha 趋于 0）",
)
_STAYING = Reason("nobody seems to drop out (a / b shrinks to 0)", "看不出有人流失（a / b 趋于 0）")
_LEAVING_ALIKE = Reason(
    "members don't differ in their chance to drop out (a and b grow without end)",
    "成员的流失概率没有差异（a 与 b 无限增大）",
)
_LEAVING_AT_ONCE = Reason(
    "members drop out at once or never (a and b shrink to 0)", "成员要么立即流失，要么永不流失（a 与 b 趋于 0）"
)


# --- the likelihood ---


class _Likelihood:
    r"""Log-likelihood of histories, with gradient and Hessian by r, alpha, a and b.

    With :math:`u = -(r + x) \ln(\alpha + T)` and :math:`v = \ln \frac{a}{b + x - 1} - (r + x) \ln(\alpha + t_x)`,

    .. math:: \ln \frac{\Gamma(r + x)}{\Gamma(r)} + r \ln \alpha + \ln \frac{B(a, b + x)}{B(a, b)} + \ln(e^u + e^v)

    for x > 0, without e^v for x = 0. Gamma ratios are products over the purchases, of which there are few numbers;
    `more` counts the members with more than i of them. With π the share of e^v, the last term has the gradient
    :math:`(1 - π) u' + π v'` and the Hessian :math:`(1 - π) u'' + π v'' + π (1 - π) (v' - u') (v' - u')^T`.
    """

    def __init__(self, *columns: FloatArray) -> None:
        frequency, recency, age, weights = columns
        self._x, self._recency, self._age, self._weights = frequency, recency, age, weights
        self._n = float(weights.sum())
        by_purchases = np.bincount(frequency.astype(np.int64), weights=weights)
        self._more = np.cumsum(by_purchases[::-1])[::-1][1:]
        self._purchase = np.arange(len(self._more), dtype=np.float64)
        self._never = np.where(frequency > 0, 0.0, -np.inf)

    def __call__(self, params: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        r, alpha, a, b = params.tolist()
        weights, more, i = self._weights, self._more, self._purchase
        power = r + self._x
        left = b + np.maximum(self._x, 1.0) - 1.0
        log_age, log_recency = np.log(alpha + self._age), np.log(alpha + self._recency)
        odds = np.log(a) - np.log(left) + power * (log_age - log_recency) + self._never
        gone = weights / (1.0 + np.exp(np.minimum(-odds, 700.0)))
        here = weights - gone
        value = float(
            weights @ (np.logaddexp(0.0, odds) - power * log_age)
            + more @ (np.log(r + i) + np.log(b + i) - np.log(a + b + i))
        ) + self._n * r * np.log(alpha)

        by_age, by_recency = 1.0 / (alpha + self._age), 1.0 / (alpha + self._recency)
        slope = here @ by_age + gone @ by_recency  # of the logarithms by alpha
        gradient = np.array(
            [
                more @ (1.0 / (r + i)) + self._n * np.log(alpha) - here @ log_age - gone @ log_recency,
                self._n * r / alpha - (here * power) @ by_age - (gone * power) @ by_recency,
                gone.sum() / a - more @ (1.0 / (a + b + i)),
                more @ (1.0 / (b + i) - 1.0 / (a + b + i)) - gone @ (1.0 / left),
            ]
        )
        apart = np.stack(
            [log_age - log_recency, power * (by_age - by_recency), np.full_like(power, 1.0 / a), -1.0 / left]
        )
        hessian = (apart * (gone * (here / weights))) @ apart.T
        both = more @ (1.0 / (a + b + i) ** 2)
        hessian[2:, 2:] += both
        hessian[0, 1] += self._n / alpha - slope
        hessian[1, 0] = hessian[0, 1]
        hessian[0, 0] -= more @ (1.0 / (r + i) ** 2)
        hessian[1, 1] += (here * power) @ by_age**2 + (gone * power) @ by_recency**2 - self._n * r / alpha**2
        hessian[2, 2] -= gone.sum() / a**2
        hessian[3, 3] += gone @ (1.0 / left**2) - more @ (1.0 / (b + i) ** 2)
        return float(value), gradient, hessian
