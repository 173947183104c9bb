"""Which steps does a change in completions come from, and what would another rate at a step add up to?"""

from shequn.funnel.change.bottlenecks import Bottlenecks as Bottlenecks
from shequn.funnel.change.bottlenecks import bottleneck as bottleneck
from shequn.funnel.change.decomposition import Decomposition as Decomposition
from shequn.funnel.change.decomposition import decompose as decompose
from shequn.funnel.change.other_rates import WhatIf as WhatIf
from shequn.funnel.change.other_rates import what_if as what_if
from shequn.funnel.change.segment_effects import SegmentEffects as SegmentEffects

__all__ = [
    "Bottlenecks",
    "Decomposition",
    "SegmentEffects",
    "WhatIf",
    "bottleneck",
    "decompose",
    "what_if",
]
