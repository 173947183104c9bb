"""Small values that mean something: amounts, rates, thresholds, values that change by date, instants and calendars."""

from shequn.values.band import Band as Band
from shequn.values.cadence import Cadence as Cadence
from shequn.values.calendar import Calendar as Calendar
from shequn.values.calendar import Unit as Unit
from shequn.values.calendar import WeekStart as WeekStart
from shequn.values.daily_window import DailyWindow as DailyWindow
from shequn.values.dated import Dated as Dated
from shequn.values.instants import Instants as Instants
from shequn.values.instants import TimeUnit as TimeUnit
from shequn.values.instants import from_us as from_us
from shequn.values.instants import instant_faults as instant_faults
from shequn.values.instants import instant_us as instant_us
from shequn.values.instants import to_instants as to_instants
from shequn.values.mix import Mix as Mix
from shequn.values.money import Money as Money
from shequn.values.quiet_hours import QuietHours as QuietHours
from shequn.values.rate import Rate as Rate
from shequn.values.rate import RateDifference as RateDifference
from shequn.values.window import Window as Window
from shequn.values.zones import Transitions as Transitions
from shequn.values.zones import Zone as Zone
from shequn.values.zones import transitions as transitions
from shequn.values.zones import zone as zone
from shequn.values.zones import zone_name as zone_name

__all__ = [
    "Band",
    "Cadence",
    "Calendar",
    "DailyWindow",
    "Dated",
    "Instants",
    "Mix",
    "Money",
    "QuietHours",
    "Rate",
    "RateDifference",
    "TimeUnit",
    "Transitions",
    "Unit",
    "WeekStart",
    "Window",
    "Zone",
    "from_us",
    "instant_faults",
    "instant_us",
    "to_instants",
    "transitions",
    "zone",
    "zone_name",
]
