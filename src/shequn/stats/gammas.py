"""The logarithm of the gamma function and its first two derivatives, for arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from shequn._typing import FloatArray

__all__ = ["digamma", "digamma_gap", "log_gamma", "log_gamma_ratio", "trigamma", "trigamma_gap"]

# From here on the asymptotic series below are exact to the last bits; smaller arguments are moved up to it first.
_FAR: Final = 10.0
_HALF_LOG_2PI: Final = 0.9189385332046727
# B(2k) / (2k (2k - 1)), B(2k) / (2k) and B(2k) for k = 1, 2, …, of the Bernoulli numbers B.
_BERNOULLI: Final = np.array([1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510])
_EVEN: Final = 2.0 * np.arange(1, len(_BERNOULLI) + 1)


def log_gamma(x: FloatArray) -> FloatArray:
    r"""Return :math:`\ln \Gamma(x)` for x > 0, elementwise.

    Notes
    -----
    Stirling's series at x + m, less :math:`\ln x (x + 1) \cdots (x + m - 1)` where x < 10.

    References
    ----------
    NIST Digital Library of Mathematical Functions, 5.11.1, https://dlmf.nist.gov/5.11.E1

    Examples
    --------
    >>> log_gamma(np.array([0.5, 5.0])).round(6)
    array([0.572365, 3.178054])
    """
    far, steps = _moved_up(x)
    product = np.ones_like(far)
    for step in range(int(steps.max(initial=0.0))):
        np.multiply(product, x + step, out=product, where=step < steps)
    series = _series(far, _BERNOULLI / (_EVEN * (_EVEN - 1.0))) * far
    return (far - 0.5) * np.log(far) - far + _HALF_LOG_2PI + series - np.log(product)


def log_gamma_ratio(x: FloatArray, more: FloatArray) -> FloatArray:
    r"""Return :math:`\ln \Gamma(x + d) / \Gamma(x)` for x > 0 and d of 0 or more, elementwise.

    Notes
    -----
    The difference of two of Stirling's series, of which nothing cancels however large x is.

    Examples
    --------
    >>> log_gamma_ratio(np.array([4.0, 1e15]), np.array([2.0, 1.0])).round(6)
    array([ 2.995732, 34.538776])
    """
    far, steps = _moved_up(x)
    lifted = np.zeros_like(far)
    for step in range(int(steps.max(initial=0.0))):
        lifted -= np.where(step < steps, np.log1p(more / (x + step)), 0.0)
    terms = _BERNOULLI / (_EVEN * (_EVEN - 1.0))
    ends = far + more
    # ln Γ(x + d) - ln Γ(x): the product of the steps taken is divided by, so that `lifted` is added with its sign.
    series = _series(ends, terms) * ends - _series(far, terms) * far
    return (far - 0.5) * np.log1p(more / far) + more * np.log(ends) - more + series + lifted


def digamma(x: FloatArray) -> FloatArray:
    r"""Return :math:`\psi(x)`, the derivative of :math:`\ln \Gamma(x)`, for x > 0, elementwise.

    References
    ----------
    NIST Digital Library of Mathematical Functions, 5.11.2, https://dlmf.nist.gov/5.11.E2

    Examples
    --------
    >>> digamma(np.array([1.0])).round(6)
    array([-0.577216])
    """
    far, steps = _moved_up(x)
    taken = np.zeros_like(far)
    for step in range(int(steps.max(initial=0.0))):
        taken += np.where(step < steps, 1.0 / (x + step), 0.0)
    return np.log(far) - 0.5 / far - _series(far, _BERNOULLI / _EVEN) - taken


def trigamma(x: FloatArray) -> FloatArray:
    r"""Return :math:`\psi'(x)`, the second derivative of :math:`\ln \Gamma(x)`, for x > 0, elementwise.

    References
    ----------
    NIST Digital Library of Mathematical Functions, 5.15.8, https://dlmf.nist.gov/5.15.E8

    Examples
    --------
    >>> trigamma(np.array([1.0])).round(6)
    array([1.644934])
    """
    far, steps = _moved_up(x)
    taken = np.zeros_like(far)
    for step in range(int(steps.max(initial=0.0))):
        taken += np.where(step < steps, 1.0 / (x + step) ** 2, 0.0)
    return 1.0 / far + 0.5 / far**2 + _series(far, _BERNOULLI) / far + taken


def digamma_gap(x: FloatArray, more: FloatArray) -> FloatArray:
    r"""Return :math:`\psi(x + d) - \psi(x)` for x > 0 and d of 0 or more, elementwise.

    Notes
    -----
    Terms are subtracted one by one in closed form, so that little cancels however large x is.

    Examples
    --------
    >>> digamma_gap(np.array([4.0, 1e15]), np.array([1.0, 1.0]))
    array([2.5e-01, 1.0e-15])
    """
    far, steps = _moved_up(x)
    taken = np.zeros_like(far)
    for step in range(int(steps.max(initial=0.0))):
        taken += np.where(step < steps, more / ((x + step) * (x + step + more)), 0.0)
    ends, terms = far + more, _BERNOULLI / _EVEN
    rest = 0.5 * more / (far * ends) - (_series(ends, terms) - _series(far, terms))
    return np.log1p(more / far) + rest + taken


def trigamma_gap(x: FloatArray, more: FloatArray) -> FloatArray:
    r"""Return :math:`\psi'(x + d) - \psi'(x)`, 0 or less, for x > 0 and d of 0 or more, elementwise.

    Examples
    --------
    >>> trigamma_gap(np.array([4.0, 1e15]), np.array([1.0, 1.0]))
    array([-6.25e-02, -1.00e-30])
    """
    far, steps = _moved_up(x)
    taken = np.zeros_like(far)
    for step in range(int(steps.max(initial=0.0))):
        start = x + step
        taken += np.where(step < steps, _square_gap(start, more), 0.0)
    ends = far + more
    series = _series(ends, _BERNOULLI) / ends - _series(far, _BERNOULLI) / far
    return -more / (far * ends) + 0.5 * _square_gap(far, more) + series + taken


def _square_gap(x: FloatArray, more: FloatArray) -> FloatArray:
    """Return 1 / (x + d)**2 - 1 / x**2."""
    ends = x + more
    return -more * (x + ends) / (x * ends) ** 2


def _moved_up(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return arguments of 10 or more, and by how many whole steps they were moved there."""
    steps = np.ceil(np.maximum(_FAR - x, 0.0))
    return x + steps, steps


def _series(x: FloatArray, coefficients: FloatArray) -> FloatArray:
    """Return the sum of c(k) / x**(2k), k = 1, 2, …."""
    inverse = 1.0 / x**2
    total = np.zeros_like(x)
    for coefficient in coefficients[::-1]:
        total = (total + coefficient) * inverse
    return total
