"""Intervals, tests, survival tables, quantiles, chains, distribution tails: arrays in, arrays out, no domain words."""

from shequn.stats._log_rank import LogRank as LogRank
from shequn.stats._log_rank import log_rank as log_rank
from shequn.stats.betas import beta_cdf as beta_cdf
from shequn.stats.betas import beta_quantile as beta_quantile
from shequn.stats.difference import two_proportions as two_proportions
from shequn.stats.homogeneity import Homogeneity as Homogeneity
from shequn.stats.homogeneity import chi_square_homogeneity as chi_square_homogeneity
from shequn.stats.intervals import Interval as Interval
from shequn.stats.intervals import newcombe as newcombe
from shequn.stats.intervals import wilson as wilson
from shequn.stats.markov import closed_classes as closed_classes
from shequn.stats.markov import stationary_distribution as stationary_distribution
from shequn.stats.markov import transition_power as transition_power
from shequn.stats.means import MeanDifference as MeanDifference
from shequn.stats.means import welch as welch
from shequn.stats.multiple import benjamini_hochberg as benjamini_hochberg
from shequn.stats.multiple import holm as holm
from shequn.stats.odds import OddsRatio as OddsRatio
from shequn.stats.odds import odds_ratio as odds_ratio
from shequn.stats.paired import paired_proportions as paired_proportions
from shequn.stats.pooling import PooledRates as PooledRates
from shequn.stats.pooling import Pooling as Pooling
from shequn.stats.pooling import pool_rates as pool_rates
from shequn.stats.quantiles import quantile_interval as quantile_interval
from shequn.stats.quantiles import weighted_quantile as weighted_quantile
from shequn.stats.ratios import ShareRatio as ShareRatio
from shequn.stats.ratios import share_ratio as share_ratio
from shequn.stats.student import student_quantile as student_quantile
from shequn.stats.student import student_sf as student_sf
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
    "MeanDifference",
    "OddsRatio",
    "PooledRates",
    "Pooling",
    "ShareRatio",
    "SurvivalTable",
    "SymmetryTest",
    "benjamini_hochberg",
    "beta_cdf",
    "beta_quantile",
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
    "paired_proportions",
    "pool_rates",
    "quantile_interval",
    "share_ratio",
    "stationary_distribution",
    "stuart_maxwell",
    "student_quantile",
    "student_sf",
    "transition_power",
    "two_proportions",
    "weighted_quantile",
    "welch",
    "wilson",
]
