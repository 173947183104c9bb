"""Who got how far by tonight, without reading again what was read before?"""

from shequn.funnel.state.span import FunnelState as FunnelState
from shequn.funnel.state.span import funnel_state as funnel_state

__all__ = ["FunnelState", "funnel_state"]
