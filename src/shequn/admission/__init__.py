"""Who may come in, how they are welcomed, and how soon they are answered."""

from shequn.admission._admit import admit as admit
from shequn.admission._admit import promote as promote
from shequn.admission._onboarding import onboarding as onboarding
from shequn.admission._onboarding import progress_of as progress_of
from shequn.admission._readings import acceptance_rates as acceptance_rates
from shequn.admission._readings import false_accepts as false_accepts
from shequn.admission._readings import scarcity_effect as scarcity_effect
from shequn.admission._reminders import reminders as reminders
from shequn.admission._response_times import response_times as response_times
from shequn.admission.admissions import AdmissionDecision as AdmissionDecision
from shequn.admission.admissions import AdmissionRow as AdmissionRow
from shequn.admission.admissions import Admissions as Admissions
from shequn.admission.applicants import Applicants as Applicants
from shequn.admission.onboarding_progress import Onboarding as Onboarding
from shequn.admission.onboarding_progress import OnboardingProgress as OnboardingProgress
from shequn.admission.onboarding_progress import OnboardingRow as OnboardingRow
from shequn.admission.onboarding_progress import Progress as Progress
from shequn.admission.rates import AdmissionRateRow as AdmissionRateRow
from shequn.admission.rates import AdmissionRates as AdmissionRates
from shequn.admission.rates import ScarcityEffect as ScarcityEffect
from shequn.admission.reasons import AdmissionOutcome as AdmissionOutcome
from shequn.admission.reasons import AdmissionReason as AdmissionReason
from shequn.admission.reminder_plan import Reminder as Reminder
from shequn.admission.reminder_plan import ReminderPlan as ReminderPlan
from shequn.admission.reminder_plan import ReminderStatus as ReminderStatus
from shequn.admission.response import ResponderRow as ResponderRow
from shequn.admission.response import Responders as Responders
from shequn.admission.response import ResponseRow as ResponseRow
from shequn.admission.response import ResponseTimes as ResponseTimes
from shequn.admission.state import AdmissionState as AdmissionState

__all__ = [
    "AdmissionDecision",
    "AdmissionOutcome",
    "AdmissionRateRow",
    "AdmissionRates",
    "AdmissionReason",
    "AdmissionRow",
    "AdmissionState",
    "Admissions",
    "Applicants",
    "Onboarding",
    "OnboardingProgress",
    "OnboardingRow",
    "Progress",
    "Reminder",
    "ReminderPlan",
    "ReminderStatus",
    "ResponderRow",
    "Responders",
    "ResponseRow",
    "ResponseTimes",
    "ScarcityEffect",
    "acceptance_rates",
    "admit",
    "false_accepts",
    "onboarding",
    "progress_of",
    "promote",
    "reminders",
    "response_times",
    "scarcity_effect",
]
