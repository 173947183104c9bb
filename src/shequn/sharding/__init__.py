"""Groups that work: of a size at which people talk, with those in one who talk to each other."""

from shequn.sharding._audit import Audit as Audit
from shequn.sharding._audit import Check as Check
from shequn.sharding._audit import audit as audit
from shequn.sharding._shard import shard as shard
from shequn.sharding.attributes import Aim as Aim
from shequn.sharding.capacity import CapacityPlan as CapacityPlan
from shequn.sharding.capacity import CapacityRow as CapacityRow
from shequn.sharding.capacity import plan_capacity as plan_capacity
from shequn.sharding.change import Change as Change
from shequn.sharding.change import GroupChange as GroupChange
from shequn.sharding.change import Move as Move
from shequn.sharding.change import MoveReason as MoveReason
from shequn.sharding.change import Moves as Moves
from shequn.sharding.conformity import Conformity as Conformity
from shequn.sharding.conformity import ConformityRow as ConformityRow
from shequn.sharding.conformity import Deviation as Deviation
from shequn.sharding.conformity import UnifiedAspect as UnifiedAspect
from shequn.sharding.conformity import conformity as conformity
from shequn.sharding.feasibility import Condition as Condition
from shequn.sharding.feasibility import Feasibility as Feasibility
from shequn.sharding.feasibility import Requirement as Requirement
from shequn.sharding.feasibility import feasible as feasible
from shequn.sharding.fewest import FewestMoves as FewestMoves
from shequn.sharding.fewest import GroupMoves as GroupMoves
from shequn.sharding.fewest import fewest_moves as fewest_moves
from shequn.sharding.hashing import hash_shards as hash_shards
from shequn.sharding.mixing import Mixture as Mixture
from shequn.sharding.mixing import MixtureRow as MixtureRow
from shequn.sharding.mixing import mixture as mixture
from shequn.sharding.rebalancing import rebalance as rebalance
from shequn.sharding.shards import Seat as Seat
from shequn.sharding.shards import ShardRow as ShardRow
from shequn.sharding.shards import Shards as Shards
from shequn.sharding.splitting import join_groups as join_groups
from shequn.sharding.splitting import split as split
from shequn.sharding.staffing import staff as staff

__all__ = [
    "Aim",
    "Audit",
    "CapacityPlan",
    "CapacityRow",
    "Change",
    "Check",
    "Condition",
    "Conformity",
    "ConformityRow",
    "Deviation",
    "Feasibility",
    "FewestMoves",
    "GroupChange",
    "GroupMoves",
    "Mixture",
    "MixtureRow",
    "Move",
    "MoveReason",
    "Moves",
    "Requirement",
    "Seat",
    "ShardRow",
    "Shards",
    "UnifiedAspect",
    "audit",
    "conformity",
    "feasible",
    "fewest_moves",
    "hash_shards",
    "join_groups",
    "mixture",
    "plan_capacity",
    "rebalance",
    "shard",
    "split",
    "staff",
]
