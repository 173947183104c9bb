"""How is a tally counted on many machines? A plan for each, and drivers that run it on Dask and on Spark."""

from shequn.interop.engines._dask import dask as dask
from shequn.interop.engines._plan import Plan as Plan
from shequn.interop.engines._plan import Split as Split
from shequn.interop.engines._planning import plan as plan
from shequn.interop.engines._selection import Selection as Selection
from shequn.interop.engines._selection import plan_selection as plan_selection
from shequn.interop.engines._spans import plan_funnel_spans as plan_funnel_spans
from shequn.interop.engines._spark import spark as spark
from shequn.interop.engines._together import plan_together as plan_together

__all__ = [
    "Plan",
    "Selection",
    "Split",
    "dask",
    "plan",
    "plan_funnel_spans",
    "plan_selection",
    "plan_together",
    "spark",
]
