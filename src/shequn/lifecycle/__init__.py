"""How far along is the life of a community? Stages, death and revival, lifespans, and the clocks that run."""

from shequn.lifecycle._lifespans import lifespans as lifespans
from shequn.lifecycle._stages import StageChange as StageChange
from shequn.lifecycle._stages import StageRow as StageRow
from shequn.lifecycle._stages import Stages as Stages
from shequn.lifecycle._stages import StageSpell as StageSpell
from shequn.lifecycle._stages import stages as stages
from shequn.lifecycle.clock import MONETISATION_WINDOW as MONETISATION_WINDOW
from shequn.lifecycle.clock import MonetisationClock as MonetisationClock
from shequn.lifecycle.clock import monetisation_clock as monetisation_clock
from shequn.lifecycle.from_log import community_series as community_series
from shequn.lifecycle.judging import Evidence as Evidence
from shequn.lifecycle.lifespan import EXPECTED_LIFESPAN as EXPECTED_LIFESPAN
from shequn.lifecycle.lifespan import LifespanRow as LifespanRow
from shequn.lifecycle.lifespan import Lifespans as Lifespans
from shequn.lifecycle.novelty import NoveltyDecay as NoveltyDecay
from shequn.lifecycle.novelty import NoveltyRow as NoveltyRow
from shequn.lifecycle.novelty import novelty_decay as novelty_decay
from shequn.lifecycle.outlook import NextStage as NextStage
from shequn.lifecycle.policy import StagePolicy as StagePolicy
from shequn.lifecycle.quiet import QuietCheck as QuietCheck
from shequn.lifecycle.quiet import Revival as Revival
from shequn.lifecycle.quiet import Revivals as Revivals
from shequn.lifecycle.quiet import is_dead as is_dead
from shequn.lifecycle.quiet import revivals as revivals
from shequn.lifecycle.series import CommunityPeriod as CommunityPeriod
from shequn.lifecycle.series import CommunitySeries as CommunitySeries
from shequn.lifecycle.stage import LifecycleStage as LifecycleStage
from shequn.lifecycle.stock import StockAndIncrement as StockAndIncrement
from shequn.lifecycle.stock import StockRow as StockRow
from shequn.lifecycle.stock import stock_vs_increment as stock_vs_increment

__all__ = [
    "EXPECTED_LIFESPAN",
    "MONETISATION_WINDOW",
    "CommunityPeriod",
    "CommunitySeries",
    "Evidence",
    "LifecycleStage",
    "LifespanRow",
    "Lifespans",
    "MonetisationClock",
    "NextStage",
    "NoveltyDecay",
    "NoveltyRow",
    "QuietCheck",
    "Revival",
    "Revivals",
    "StageChange",
    "StagePolicy",
    "StageRow",
    "StageSpell",
    "Stages",
    "StockAndIncrement",
    "StockRow",
    "community_series",
    "is_dead",
    "lifespans",
    "monetisation_clock",
    "novelty_decay",
    "revivals",
    "stages",
    "stock_vs_increment",
]
