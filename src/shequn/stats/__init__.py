"""Intervals, tests, survival tables, quantiles, chains, distribution tails: arrays in, arrays out, no domain words."""

from shequn.stats._log_rank import LogRank as LogRank
from shequn.stats._log_rank import log_rank as log_rank
from shequn.stats.difference import two_proportions as two_proportions
from shequn.stats.homogeneity import Homogeneity as Homogeneity
from shequn.stats.homogeneity import chi_square_homogeneity as chi_square_homogeneity
from shequn.stats.intervals import Interval as Interval
from shequn.stats.intervals import newcombe as newcombe
from shequn.stats.intervals import wilson as wilson
from shequn.stats.markov import closed_classes as closed_classes
from shequn.stats.markov import stationary_distribution as stationary_distribution
from shequn.stats.markov import transition_power as transition_power
from shequn.stats.multiple import holm as holm
from shequn.stats.odds import OddsRatio as OddsRatio
from shequn.stats.odds import odds_ratio as odds_ratio
from shequn.stats.quantiles import quantile_interval as quantile_interval
from shequn.stats.quantiles import weighted_quantile as weighted_quantile
from shequn.stats.ratios import ShareRatio as ShareRatio
from shequn.stats.ratios import share_ratio as share_ratio
from shequn.stats.survival import SurvivalTable as SurvivalTable
from shequn.stats.symmetry import SymmetryTest as SymmetryTest
from shequn.stats.symmetry import bowker as bowker
from shequn.stats.symmetry import stuart_maxwell as stuart_maxwell
from shequn.stats.tails import chi2_sf as chi2_sf
from shequn.stats.tails import normal_cdf as normal_cdf
from shequn.stats.tails import normal_quantile as normal_quantile
from shequn.stats.tails import normal_sf as normal_sf

__all__ = [
    "Homogeneity",
    "Interval",
    "LogRank",
    "OddsRatio",
    "ShareRatio",
    "SurvivalTable",
    "SymmetryTest",
    "bowker",
    "chi2_sf",
    "chi_square_homogeneity",
    "closed_classes",
    "holm",
    "log_rank",
    "newcombe",
    "normal_cdf",
    "normal_quantile",
    "normal_sf",
    "odds_ratio",
    "quantile_interval",
    "share_ratio",
    "stationary_distribution",
    "stuart_maxwell",
    "transition_power",
    "two_proportions",
    "weighted_quantile",
    "wilson",
]
