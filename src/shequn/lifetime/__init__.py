"""What are members still worth? Transaction summaries, models of lifetime and spend, and lifetime value."""

from shequn.lifetime._summary import transaction_summary as transaction_summary
from shequn.lifetime.alive_path import AlivePath as AlivePath
from shequn.lifetime.bgnbd import BetaGeoNBD as BetaGeoNBD
from shequn.lifetime.bgnbd import BetaGeoNBDParams as BetaGeoNBDParams
from shequn.lifetime.gamma_gamma import GammaGamma as GammaGamma
from shequn.lifetime.gamma_gamma import GammaGammaParams as GammaGammaParams
from shequn.lifetime.holdout import HoldoutCheck as HoldoutCheck
from shequn.lifetime.holdout import HoldoutSplit as HoldoutSplit
from shequn.lifetime.holdout import holdout_split as holdout_split
from shequn.lifetime.lifetime_value import LifetimeValue as LifetimeValue
from shequn.lifetime.lifetime_value import customer_lifetime_value as customer_lifetime_value
from shequn.lifetime.sbg import ShiftedBetaGeometric as ShiftedBetaGeometric
from shequn.lifetime.sbg import ShiftedBetaGeometricParams as ShiftedBetaGeometricParams
from shequn.lifetime.spans import Discount as Discount
from shequn.lifetime.summary import TransactionSummary as TransactionSummary

__all__ = [
    "AlivePath",
    "BetaGeoNBD",
    "BetaGeoNBDParams",
    "Discount",
    "GammaGamma",
    "GammaGammaParams",
    "HoldoutCheck",
    "HoldoutSplit",
    "LifetimeValue",
    "ShiftedBetaGeometric",
    "ShiftedBetaGeometricParams",
    "TransactionSummary",
    "customer_lifetime_value",
    "holdout_split",
    "transaction_summary",
]
