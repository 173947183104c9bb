"""The engine of the groups: which nodes belong together, within bounds, on arrays alone."""

from shequn.sharding.engine.moves import Groups as Groups
from shequn.sharding.engine.packing import into_bounds as into_bounds
from shequn.sharding.engine.refinement import refine as refine
from shequn.sharding.engine.repair import RepairPlan as RepairPlan
from shequn.sharding.engine.repair import fewest_moves as fewest_moves
from shequn.sharding.engine.repair import repair as repair
from shequn.sharding.engine.search import partition as partition

__all__ = ["Groups", "RepairPlan", "fewest_moves", "into_bounds", "partition", "refine", "repair"]
