"""How much does a member spend when they buy? The Gamma-Gamma model of spend."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import frozen
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, message
from shequn.lifetime.distinct import distinct_rows
from shequn.lifetime.fitted import FAR_OUT, UNSETTLED, Fitted, Reason, parameter
from shequn.lifetime.spans import same_periods
from shequn.lifetime.summary import TransactionSummary
from shequn.stats._checks import array_of, instance, refuse
from shequn.stats.gammas import digamma, log_gamma, trigamma
from shequn.stats.likelihood import Maximum, maximise

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray

__all__ = ["GammaGamma", "GammaGammaParams"]

_FARTHEST = 1e6
_LEAST_SPEND, _MOST_SPEND = 1e-100, 1e100  # so that squares of it are numbers


class GammaGammaParams(NamedTuple):
    """The three parameters, or what belongs to each.

    Examples
    --------
    >>> GammaGammaParams(p=6.25, q=3.74, v=15.45).q
    3.74
    """

    p: float
    q: float
    v: float


@attrs.frozen(kw_only=True, repr=False)
class GammaGamma(Fitted):
    r"""What a member spends varies around a mean of their own, which varies over members.

    Spend of one purchase is gamma distributed with shape p and rate w; w is gamma distributed over members with shape q
    and rate v.

    Attributes
    ----------
    p, q, v : float
        The mean over members is p v / (q − 1), and exists if q > 1.
    correlation : float or None
        Of frequency and mean spend among the members it was fitted to. The model assumes none: far from 0, values of
        members who buy often are off.

    References
    ----------
    Fader, P. S. and Hardie, B. G. S. (2013). The Gamma-Gamma model of monetary value.
    http://www.brucehardie.com/notes/025/

    Examples
    --------
    >>> fit = GammaGamma(p=6.25, q=3.74, v=15.45)
    >>> print(f"{fit.mean_spend:.2f}")
    35.24
    >>> fit.expected_spend(frequency=[0, 2, 20], spend=[0, 22.35, 22.35]).round(2)
    array([35.24, 24.67, 22.63])
    """

    p: float = parameter()
    q: float = parameter()
    v: float = parameter()
    correlation: float | None = None

    _names: ClassVar[tuple[str, ...]] = GammaGammaParams._fields

    @classmethod
    def fit(
        cls,
        summary: TransactionSummary | None = None,
        /,
        *,
        frequency: ArrayLike | None = None,
        spend: ArrayLike | None = None,
    ) -> GammaGamma:
        """Find the parameters under which what members spent is most likely.

        Parameters
        ----------
        summary : TransactionSummary, optional
            With spend; or the two columns:
        frequency, spend : array_like, shape (n,), optional
            Number of purchases of each member, and mean spend in one. Members without any are left out.

        Returns
        -------
        GammaGamma
            `converged`, or with the `reason` why the likelihood has no maximum.

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            Neither a summary with spend nor two columns were given, or both; nobody bought again; or somebody spent
            nothing or less in a purchase, which the model can't explain.

        Examples
        --------
        >>> often, spend = [1, 1, 2, 2, 3, 4, 6, 9, 12, 1], [8, 31, 44, 19, 14, 55, 23, 16, 60, 88]
        >>> fit = GammaGamma.fit(frequency=often, spend=spend)
        >>> fit.converged, fit.n_members
        (True, 10)
        """
        often, spent = _bought(summary, frequency, spend)
        paid = often > 0
        often, spent = often[paid], spent[paid]
        if not len(often):
            raise InvalidValueError(message("frequency", "at least one member with a purchase that counts", "nobody"))
        first, kind = distinct_rows(often, spent)
        scale = float(np.exp(np.log(spent).mean()))  # few may have spent most of it all
        unit = np.array([1.0, 1.0, scale])
        likelihood = _Likelihood(often[first], spent[first], np.bincount(kind).astype(np.float64))
        start = np.array([2.0, 2.0, scale])
        found = maximise(likelihood, start, unit / _FARTHEST, unit * _FARTHEST)
        why = _reason(found)
        return cls(
            **GammaGammaParams(*found.at.tolist())._asdict(),
            covariance=found.covariance,
            log_likelihood=found.value,
            n_members=len(often),
            reason=None if why is None else why.en,
            reason_zh=None if why is None else why.zh,
            calendar=None if summary is None else summary.calendar,
            correlation=_correlation(often, spent),
        )

    @property
    def params(self) -> GammaGammaParams:
        """The three parameters."""
        return GammaGammaParams(self.p, self.q, self.v)

    @property
    def standard_errors(self) -> GammaGammaParams | None:
        """Standard error of each parameter; None where there was no maximum or no fit."""
        return None if self.covariance is None else GammaGammaParams(*self._errors.tolist())

    @property
    def mean_spend(self) -> float:
        """Mean spend in a purchase over members, p v / (q − 1).

        Raises
        ------
        InvalidValueError
            q is 1 or less: the mean does not exist, some members would spend without bounds.
        """
        if self.q <= 1.0:
            expected = "above 1, or the mean spend over members does not exist"
            raise InvalidValueError(message("q", expected, self.q))
        return self.p * self.v / (self.q - 1.0)

    def expected_spend(
        self,
        summary: TransactionSummary | None = None,
        /,
        *,
        frequency: ArrayLike | None = None,
        spend: ArrayLike | None = None,
    ) -> FloatArray:
        r"""Return what a member is expected to spend in a purchase, from what they spent before.

        Parameters
        ----------
        summary, frequency, spend
            As in `fit`; spend of members without a purchase that counts is not looked at.

        Returns
        -------
        ndarray of float64
            For members without one, the mean over members.

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            As in `fit`; the summary counts in other periods than what was fitted to; or a mean does not exist, as
            p x + q is 1 or less.

        Notes
        -----
        :math:`p (v + x m) / (p x + q - 1)`: between the member's own mean m and that over members, the closer to the
        first the more often they bought.
        """
        often, spent = _bought(summary, frequency, spend)
        if summary is not None:
            same_periods(summary.calendar, self.calendar, argument="summary")
        if (often == 0).any():
            _ = self.mean_spend  # refuses where there is none
        below = self.p * often + self.q - 1.0
        if (below <= 0).any():
            refuse("frequency", "purchases enough for a mean to exist, as q is small", often, below <= 0)
        return frozen(np.asarray(self.p * (self.v + often * spent) / below))


def _bought(
    summary: TransactionSummary | None, frequency: ArrayLike | None, spend: ArrayLike | None
) -> tuple[FloatArray, FloatArray]:
    """Return purchases and mean spend, 0 for those without, checked."""
    if summary is not None:
        instance("summary", summary, TransactionSummary, expected="a TransactionSummary")
        for name, column in (("frequency", frequency), ("spend", spend)):
            if column is not None:
                raise InvalidTypeError(message(name, "None beside a summary", column))
        if summary.spend is None:
            raise InvalidValueError(message("summary", "a summary with spend", "one without"))
        frequency, spend = summary.frequency, summary.spend
    for name, given in (("frequency", frequency), ("spend", spend)):
        if given is None:
            raise InvalidTypeError(message(name, "a column, or a summary in place of both", None))
    often = array_of("frequency", frequency, kinds="iuf", expected="whole numbers").astype(np.float64)  # type: ignore[arg-type]
    spent = array_of("spend", spend, kinds="iuf", expected="numbers").astype(np.float64)  # type: ignore[arg-type]
    if often.shape != spent.shape:
        raise MisalignedError(message("spend", f"the shape {often.shape} of frequency", f"shape {spent.shape}"))
    bad = ~((often >= 0) & (often < 2**53) & (often == np.floor(often)))
    if bad.any():
        refuse("frequency", "whole numbers of 0 or more", often, bad)
    bad = (often > 0) & ~((spent >= _LEAST_SPEND) & (spent <= _MOST_SPEND))
    if bad.any():
        refuse("spend", "finite numbers above 0 where something was bought again, 1e-100 to 1e100", spent, bad)
    return often, np.where(often > 0, spent, 0.0)


def _correlation(often: FloatArray, spent: FloatArray) -> float | None:
    """Return Pearson's correlation; None where one of the two is the same for all."""
    x, y = often - often.mean(), spent - spent.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale > 0 else None


def _reason(found: Maximum) -> Reason | None:
    """Say why the likelihood rises for ever, by the parameters that ran away."""
    if found.covariance is not None:
        return None
    if not found.edge.any() and found.at[:2].max() < FAR_OUT:
        return UNSETTLED
    p, q = np.where(found.at > FAR_OUT, 1, found.edge)[:2].tolist()
    reasons: list[Reason] = []
    if p > 0:
        reasons.append(
            Reason("a member always spends the same (p grows without end)", "同一成员每次消费相同（p 无限增大）")
        )
    if q > 0:
        reasons.append(
            Reason(
                "members don't differ in what they spend (q and v grow without end)",
                "成员的消费没有差异（q 与 v 无限增大）",
            )
        )
    wide = Reason(
        "spends differ too much for a gamma distribution (p, q or v shrinks to 0)",
        "消费差异太大，不合伽马分布（p、q 或 v 趋于 0）",
    )
    return Reason.joined(reasons or [wide])


class _Likelihood:
    r"""Log-likelihood of mean spends m in x purchases, with gradient and Hessian by p, q and v.

    .. math:: \ln\Gamma(p x + q) - \ln\Gamma(p x) - \ln\Gamma(q) + q \ln v + (p x - 1) \ln m + p x \ln x
        - (p x + q) \ln(v + x m)

    The gamma functions are found once for each number of purchases.
    """

    def __init__(self, frequency: FloatArray, spend: FloatArray, weights: FloatArray) -> None:
        self._x, self._weights, self._total = frequency, weights, frequency * spend
        self._n = float(weights.sum())
        self._purchases, place = np.unique(frequency, return_inverse=True)
        self._members = np.bincount(place, weights=weights)
        # What p x is multiplied by, less the logarithm of the sum; and the part without parameters.
        self._by_p = float(weights @ (frequency * np.log(self._total)))
        self._constant = -float(weights @ np.log(spend))

    def __call__(self, params: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        p, q, v = params.tolist()
        x, weights, k, n_k, n = self._x, self._weights, self._purchases, self._members, self._n
        shape = p * x + q
        log_sum, inverse = np.log(v + self._total), 1.0 / (v + self._total)
        alone, of_q = p * k, np.array([q])
        value = (
            n_k @ (log_gamma(alone + q) - log_gamma(alone))
            - n * (float(log_gamma(of_q)[0]) - q * np.log(v))
            + p * self._by_p
            + self._constant
            - weights @ (shape * log_sum)
        )
        both = digamma(alone + q)
        gradient = np.array(
            [
                n_k @ (k * (both - digamma(alone))) + self._by_p - weights @ (x * log_sum),
                n_k @ both - n * (float(digamma(of_q)[0]) - np.log(v)) - weights @ log_sum,
                n * q / v - weights @ (shape * inverse),
            ]
        )
        second = trigamma(alone + q)
        pq, pv = n_k @ (k * second), -(weights @ (x * inverse))
        qv = n / v - weights @ inverse
        hessian = np.array(
            [
                [n_k @ (k**2 * (second - trigamma(alone))), pq, pv],
                [pq, n_k @ second - n * float(trigamma(of_q)[0]), qv],
                [pv, qv, weights @ (shape * inverse**2) - n * q / v**2],
            ]
        )
        return float(value), gradient, hessian
