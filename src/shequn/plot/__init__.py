"""How does a result look as a figure? Drawn with matplotlib (extra ``plot``), in English or in Chinese."""

from shequn.plot._calendar import calendar as calendar
from shequn.plot._calibration import calibration as calibration
from shequn.plot._cohorts import cohorts as cohorts
from shequn.plot._funnel import funnel as funnel
from shequn.plot._groups import groups as groups
from shequn.plot._ledger import ledger as ledger
from shequn.plot._movement import movement as movement
from shequn.plot._retention import retention as retention
from shequn.plot._stages import stages as stages
from shequn.plot._survival import survival as survival
from shequn.plot._uplift import uplift as uplift
from shequn.plot.texts import MissingFontWarning as MissingFontWarning

__all__ = [
    "MissingFontWarning",
    "calendar",
    "calibration",
    "cohorts",
    "funnel",
    "groups",
    "ledger",
    "movement",
    "retention",
    "stages",
    "survival",
    "uplift",
]
