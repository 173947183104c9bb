"""Where do members drop out between hearing of us and what we hope for, and how sure are we?"""

from shequn.funnel.by_period import FunnelTrend as FunnelTrend
from shequn.funnel.by_period import trend as trend
from shequn.funnel.change import Bottlenecks as Bottlenecks
from shequn.funnel.change import Decomposition as Decomposition
from shequn.funnel.change import SegmentEffects as SegmentEffects
from shequn.funnel.change import WhatIf as WhatIf
from shequn.funnel.change import bottleneck as bottleneck
from shequn.funnel.change import decompose as decompose
from shequn.funnel.change import what_if as what_if
from shequn.funnel.comparison import FunnelComparison as FunnelComparison
from shequn.funnel.comparison import compare as compare
from shequn.funnel.conversion import convert as convert
from shequn.funnel.correlates import Correlates as Correlates
from shequn.funnel.correlates import correlate as correlate
from shequn.funnel.curve import ConversionCurve as ConversionCurve
from shequn.funnel.curve import conversion_curve as conversion_curve
from shequn.funnel.definition import Exclusion as Exclusion
from shequn.funnel.definition import Funnel as Funnel
from shequn.funnel.definition import Step as Step
from shequn.funnel.matches import Matches as Matches
from shequn.funnel.matches import match as match
from shequn.funnel.result import FunnelResult as FunnelResult
from shequn.funnel.stages import FunnelStage as FunnelStage
from shequn.funnel.stages import five_stages as five_stages
from shequn.funnel.state import FunnelState as FunnelState
from shequn.funnel.state import funnel_state as funnel_state
from shequn.funnel.timing import TimeToConvert as TimeToConvert
from shequn.funnel.timing import time_to_convert as time_to_convert

__all__ = [
    "Bottlenecks",
    "ConversionCurve",
    "Correlates",
    "Decomposition",
    "Exclusion",
    "Funnel",
    "FunnelComparison",
    "FunnelResult",
    "FunnelStage",
    "FunnelState",
    "FunnelTrend",
    "Matches",
    "SegmentEffects",
    "Step",
    "TimeToConvert",
    "WhatIf",
    "bottleneck",
    "compare",
    "conversion_curve",
    "convert",
    "correlate",
    "decompose",
    "five_stages",
    "funnel_state",
    "match",
    "time_to_convert",
    "trend",
    "what_if",
]
