"""How many members stay? Presence, the ledger of flow and evaporation, cohorts, survival, stickiness and projection."""

from shequn.retention._survival import survival as survival
from shequn.retention.cohorts import CohortTable as CohortTable
from shequn.retention.comparison import SurvivalComparison as SurvivalComparison
from shequn.retention.comparison import log_rank as log_rank
from shequn.retention.counts import retained_stock as retained_stock
from shequn.retention.curve import ReturnCurve as ReturnCurve
from shequn.retention.flow import flow_ledger as flow_ledger
from shequn.retention.ledger import FlowLedger as FlowLedger
from shequn.retention.presence import Presence as Presence
from shequn.retention.presence import presence as presence
from shequn.retention.projection import Projection as Projection
from shequn.retention.projection import project as project
from shequn.retention.returns import cohort_table as cohort_table
from shequn.retention.sensitivity import IdleSensitivity as IdleSensitivity
from shequn.retention.sensitivity import idle_sensitivity as idle_sensitivity
from shequn.retention.stickiness import ActiveDays as ActiveDays
from shequn.retention.stickiness import Stickiness as Stickiness
from shequn.retention.stickiness import active_days as active_days
from shequn.retention.stickiness import stickiness as stickiness
from shequn.retention.survival_curve import SurvivalCurve as SurvivalCurve
from shequn.retention.survival_curve import kaplan_meier as kaplan_meier

__all__ = [
    "ActiveDays",
    "CohortTable",
    "FlowLedger",
    "IdleSensitivity",
    "Presence",
    "Projection",
    "ReturnCurve",
    "Stickiness",
    "SurvivalComparison",
    "SurvivalCurve",
    "active_days",
    "cohort_table",
    "flow_ledger",
    "idle_sensitivity",
    "kaplan_meier",
    "log_rank",
    "presence",
    "project",
    "retained_stock",
    "stickiness",
    "survival",
]
