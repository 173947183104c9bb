"""What to post and when, what may be sent to whom now, what works, and is it our own?"""

from shequn.content._backlog import Backlog as Backlog
from shequn.content._backlog import BacklogRow as BacklogRow
from shequn.content._backlog import backlog as backlog
from shequn.content._best_frequency import BestFrequency as BestFrequency
from shequn.content._best_frequency import FrequencyRow as FrequencyRow
from shequn.content._best_frequency import FrequencyVerdict as FrequencyVerdict
from shequn.content._best_frequency import best_frequency as best_frequency
from shequn.content._best_slots import best_slots as best_slots
from shequn.content._best_slots import slot_of as slot_of
from shequn.content._cadence_violations import CadenceFault as CadenceFault
from shequn.content._cadence_violations import CadenceViolation as CadenceViolation
from shequn.content._cadence_violations import CadenceViolations as CadenceViolations
from shequn.content._cadence_violations import cadence_violations as cadence_violations
from shequn.content._disturbance_share import disturbance_share as disturbance_share
from shequn.content._effects import ContentAttribute as ContentAttribute
from shequn.content._effects import ContentEffectRow as ContentEffectRow
from shequn.content._effects import ContentEffects as ContentEffects
from shequn.content._effects import effects as effects
from shequn.content._engagement import Engagement as Engagement
from shequn.content._engagement import EngagementRow as EngagementRow
from shequn.content._engagement import engagement as engagement
from shequn.content._mix import mix as mix
from shequn.content._near_duplicates import near_duplicates as near_duplicates
from shequn.content._originality import Originality as Originality
from shequn.content._originality import originality as originality
from shequn.content._performance import performance as performance
from shequn.content._pressure_response import pressure_response as pressure_response
from shequn.content._regularity import Regularity as Regularity
from shequn.content._regularity import regularity as regularity
from shequn.content._ritual import RitualAdherence as RitualAdherence
from shequn.content._ritual import RitualDay as RitualDay
from shequn.content._ritual import RitualReason as RitualReason
from shequn.content._ritual import ritual as ritual
from shequn.content._schedule import schedule as schedule
from shequn.content._selling_pressure import selling_pressure as selling_pressure
from shequn.content.decisions import GateAction as GateAction
from shequn.content.decisions import GateDecision as GateDecision
from shequn.content.decisions import GateDecisions as GateDecisions
from shequn.content.decisions import GateReason as GateReason
from shequn.content.decisions import GateRow as GateRow
from shequn.content.duplicates import DuplicateRow as DuplicateRow
from shequn.content.duplicates import Duplicates as Duplicates
from shequn.content.fatigue import PressureResponse as PressureResponse
from shequn.content.fatigue import PressureRow as PressureRow
from shequn.content.gate import Gate as Gate
from shequn.content.item_results import ContentPerformance as ContentPerformance
from shequn.content.item_results import ContentRate as ContentRate
from shequn.content.item_results import ContentRow as ContentRow
from shequn.content.item_results import ContentStanding as ContentStanding
from shequn.content.messages import Message as Message
from shequn.content.messages import Messages as Messages
from shequn.content.mixes import ContentMix as ContentMix
from shequn.content.mixes import MixRow as MixRow
from shequn.content.pressure import Pressure as Pressure
from shequn.content.schedules import Schedule as Schedule
from shequn.content.schedules import ScheduledPost as ScheduledPost
from shequn.content.schedules import ScheduleReason as ScheduleReason
from shequn.content.schedules import ScheduleTotals as ScheduleTotals
from shequn.content.schedules import Variety as Variety
from shequn.content.selling import SellingPressure as SellingPressure
from shequn.content.selling import SellingRow as SellingRow
from shequn.content.slot_response import SlotResponse as SlotResponse
from shequn.content.slot_response import SlotRow as SlotRow
from shequn.content.thompson import Thompson as Thompson
from shequn.content.thompson import lai_robbins as lai_robbins
from shequn.content.thompson import regret as regret
from shequn.content.token_sets import TokenSets as TokenSets
from shequn.content.token_sets import shingles as shingles

__all__ = [
    "Backlog",
    "BacklogRow",
    "BestFrequency",
    "CadenceFault",
    "CadenceViolation",
    "CadenceViolations",
    "ContentAttribute",
    "ContentEffectRow",
    "ContentEffects",
    "ContentMix",
    "ContentPerformance",
    "ContentRate",
    "ContentRow",
    "ContentStanding",
    "DuplicateRow",
    "Duplicates",
    "Engagement",
    "EngagementRow",
    "FrequencyRow",
    "FrequencyVerdict",
    "Gate",
    "GateAction",
    "GateDecision",
    "GateDecisions",
    "GateReason",
    "GateRow",
    "Message",
    "Messages",
    "MixRow",
    "Originality",
    "Pressure",
    "PressureResponse",
    "PressureRow",
    "Regularity",
    "RitualAdherence",
    "RitualDay",
    "RitualReason",
    "Schedule",
    "ScheduleReason",
    "ScheduleTotals",
    "ScheduledPost",
    "SellingPressure",
    "SellingRow",
    "SlotResponse",
    "SlotRow",
    "Thompson",
    "TokenSets",
    "Variety",
    "backlog",
    "best_frequency",
    "best_slots",
    "cadence_violations",
    "disturbance_share",
    "effects",
    "engagement",
    "lai_robbins",
    "mix",
    "near_duplicates",
    "originality",
    "performance",
    "pressure_response",
    "regret",
    "regularity",
    "ritual",
    "schedule",
    "selling_pressure",
    "shingles",
    "slot_of",
]
