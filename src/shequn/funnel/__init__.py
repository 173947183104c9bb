"""Where do members drop out between hearing of us and what we hope for, and how sure are we?"""

from shequn.funnel.convert import convert as convert
from shequn.funnel.definition import Exclusion as Exclusion
from shequn.funnel.definition import Funnel as Funnel
from shequn.funnel.definition import Step as Step
from shequn.funnel.match import Matches as Matches
from shequn.funnel.match import match as match
from shequn.funnel.result import FunnelResult as FunnelResult

__all__ = ["Exclusion", "Funnel", "FunnelResult", "Matches", "Step", "convert", "match"]
