"""Intervals, tests and distribution tails: arrays in, arrays out, no word of the domain."""

from shequn.stats.homogeneity import Homogeneity as Homogeneity
from shequn.stats.homogeneity import chi_square_homogeneity as chi_square_homogeneity
from shequn.stats.intervals import Interval as Interval
from shequn.stats.intervals import newcombe as newcombe
from shequn.stats.intervals import wilson as wilson
from shequn.stats.tails import chi2_sf as chi2_sf
from shequn.stats.tails import normal_cdf as normal_cdf
from shequn.stats.tails import normal_quantile as normal_quantile
from shequn.stats.tails import normal_sf as normal_sf

__all__ = [
    "Homogeneity",
    "Interval",
    "chi2_sf",
    "chi_square_homogeneity",
    "newcombe",
    "normal_cdf",
    "normal_quantile",
    "normal_sf",
    "wilson",
]
