"""What holds a community together, and whom does it depend on?"""

from shequn.network._concentration import ContributionShares as ContributionShares
from shequn.network._concentration import concentration as concentration
from shequn.network._dependence import Cohesion as Cohesion
from shequn.network._dependence import Dependence as Dependence
from shequn.network._dependence import degree_centralisation as degree_centralisation
from shequn.network._dependence import dependence as dependence
from shequn.network.centrality import PageRank as PageRank
from shequn.network.centrality import pagerank as pagerank
from shequn.network.connected import components as components
from shequn.network.connectivity import Connectivity as Connectivity
from shequn.network.connectivity import ConnectivityStage as ConnectivityStage
from shequn.network.connectivity import connectivity_stage as connectivity_stage
from shequn.network.cores import core_numbers as core_numbers
from shequn.network.leaders import LeaderRow as LeaderRow
from shequn.network.leaders import Leaders as Leaders
from shequn.network.leaders import grassroots_leaders as grassroots_leaders
from shequn.network.strength import TieRow as TieRow
from shequn.network.strength import TieStrength as TieStrength
from shequn.network.strength import tie_strength as tie_strength
from shequn.network.succession import Succession as Succession
from shequn.network.ties import Degrees as Degrees
from shequn.network.ties import degrees as degrees
from shequn.network.ties import reciprocity as reciprocity
from shequn.network.transitions import TieTransitions as TieTransitions
from shequn.network.transitions import tie_transitions as tie_transitions
from shequn.network.triangles import Clustering as Clustering
from shequn.network.triangles import clustering as clustering

__all__ = [
    "Clustering",
    "Cohesion",
    "Connectivity",
    "ConnectivityStage",
    "ContributionShares",
    "Degrees",
    "Dependence",
    "LeaderRow",
    "Leaders",
    "PageRank",
    "Succession",
    "TieRow",
    "TieStrength",
    "TieTransitions",
    "clustering",
    "components",
    "concentration",
    "connectivity_stage",
    "core_numbers",
    "degree_centralisation",
    "degrees",
    "dependence",
    "grassroots_leaders",
    "pagerank",
    "reciprocity",
    "tie_strength",
    "tie_transitions",
]
