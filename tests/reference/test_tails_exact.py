"""Tails against scipy, and against slow sums in 60-digit decimals where scipy itself loses digits."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext

import numpy as np
import pytest
import scipy.special
import scipy.stats

from shequn.stats import chi2_sf, normal_cdf, normal_quantile, normal_sf

RELATIVE = 1e-12
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899")


def test_normal_tails_agree_with_scipy_down_to_1e_300():
    x = np.linspace(-37, 37, 1_481)
    assert scipy.stats.norm.sf(37) < 1e-298
    np.testing.assert_allclose(normal_sf(x), scipy.stats.norm.sf(x), rtol=RELATIVE, atol=0)
    np.testing.assert_allclose(normal_cdf(x), scipy.stats.norm.cdf(x), rtol=RELATIVE, atol=0)


def test_normal_quantiles_agree_with_scipy_down_to_1e_300():
    p = np.concatenate([10.0 ** np.linspace(-300, -1, 300), np.linspace(0.1, 0.9, 81), 1 - 10.0 ** np.arange(-15, 0)])
    np.testing.assert_allclose(normal_quantile(p), scipy.special.ndtri(p), rtol=RELATIVE, atol=1e-16)


@pytest.mark.parametrize("df", [1, 2, 3, 4, 5, 8, 15, 29, 30, 31, 64, 100, 365, 500, 1.5, 2.25, 14.9, 333.3])
def test_chi_square_tails_agree_with_scipy_far_out(df):
    near = np.linspace(0, df + 12 * np.sqrt(2 * df), 60)
    far = np.linspace(df, df + 1_400 + 20 * np.sqrt(df), 60)
    x = np.concatenate([np.geomspace(1e-9, 1, 20), near, far])
    expected = scipy.stats.chi2.sf(x, df)
    assert expected.min() < 1e-200
    seen = expected > 1e-300
    np.testing.assert_allclose(chi2_sf(x, df)[seen], expected[seen], rtol=RELATIVE, atol=0)
    assert np.all(chi2_sf(x, df)[~seen] <= 1e-299)


def test_chi_square_tails_of_huge_degrees_of_freedom_stay_close_to_scipy():
    for df in (1e5, 1e6, 1e9):
        x = df + np.array([-8, -1, 0, 1, 8, 20]) * np.sqrt(2 * df)
        np.testing.assert_allclose(chi2_sf(x, df), scipy.stats.chi2.sf(x, df), rtol=1e-10, atol=0)


@pytest.mark.parametrize("df", [1, 2, 3, 4, 29, 30, 31, 500, 1_001, 2_000, 4_999, 10_000])
def test_chi_square_tails_agree_with_the_finite_sum_in_decimals(df):
    spread = float(np.sqrt(2 * df))
    points = [df + step * spread + 0.9 * max(step, 0) ** 2 + 0.37 for step in (-9, -3, -0.5, 0, 1, 5, 12, 20, 28)]
    compared = 0
    for x in points:
        if x <= 0:
            continue
        expected = slow_chi2_sf(x, df)
        if expected > Decimal("1e-300"):
            error = Decimal(float(chi2_sf(x, df))) / expected - 1
            assert abs(error) < RELATIVE, (x, df)
            compared += 1
    assert compared >= 5


def slow_chi2_sf(x, df):
    """Return the tail by its closed form: a Poisson sum for even df, and for odd with an error function."""
    with localcontext(Context(prec=60, Emin=-999_999, Emax=999_999)):
        y = Decimal(x) / 2
        if df % 2 == 0:
            term = total = Decimal(1)
            for k in range(1, df // 2):
                term = term * y / k
                total += term
            return (-y).exp() * total
        term = 2 * (y / PI).sqrt()
        total = Decimal(0)
        for k in range(1, df // 2 + 1):
            total += term
            term = term * y / (k + Decimal("0.5"))
        return (-y).exp() * total + slow_erfc_of_root(y)


def slow_erfc_of_root(y):
    """Return erfc(sqrt(y)): one less a series near 0, a long continued fraction elsewhere."""
    scale = (-y).exp() * (y / PI).sqrt()
    half = Decimal("0.5")
    if y < 10:
        term = total = Decimal(1)
        for k in range(1, 200):
            term = term * y / (k + half)
            total += term
        return 1 - 2 * scale * total
    fraction = Decimal(0)
    for k in range(800, 0, -1):
        fraction = k * (k - half) / (y + 2 * k + half - fraction)
    return scale / (y + half - fraction)
