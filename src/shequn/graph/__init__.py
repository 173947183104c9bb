"""Who talks to whom."""

from shequn.graph.interactions import InteractionGraph as InteractionGraph
from shequn.graph.neighbours import Neighbours as Neighbours
from shequn.graph.partial import PartialGraph as PartialGraph

__all__ = ["InteractionGraph", "Neighbours", "PartialGraph"]
