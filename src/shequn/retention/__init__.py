"""How many members stay? Presence, the ledger of flow and evaporation, cohorts, stickiness and projection."""

from shequn.retention.cohorts import CohortTable as CohortTable
from shequn.retention.counts import retained_stock as retained_stock
from shequn.retention.curve import ReturnCurve as ReturnCurve
from shequn.retention.flow import flow_ledger as flow_ledger
from shequn.retention.ledger import FlowLedger as FlowLedger
from shequn.retention.presence import Presence as Presence
from shequn.retention.presence import presence as presence
from shequn.retention.projection import Projection as Projection
from shequn.retention.projection import project as project
from shequn.retention.returns import cohort_table as cohort_table
from shequn.retention.stickiness import ActiveDays as ActiveDays
from shequn.retention.stickiness import Stickiness as Stickiness
from shequn.retention.stickiness import active_days as active_days
from shequn.retention.stickiness import stickiness as stickiness

__all__ = [
    "ActiveDays",
    "CohortTable",
    "FlowLedger",
    "Presence",
    "Projection",
    "ReturnCurve",
    "Stickiness",
    "active_days",
    "cohort_table",
    "flow_ledger",
    "presence",
    "project",
    "retained_stock",
    "stickiness",
]
