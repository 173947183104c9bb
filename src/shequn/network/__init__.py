"""What holds a community together, and whom does it depend on?"""

from shequn.network._betweenness import Betweenness as Betweenness
from shequn.network._betweenness import BetweennessRow as BetweennessRow
from shequn.network._betweenness import betweenness as betweenness
from shequn.network._betweenness import betweenness_centralisation as betweenness_centralisation
from shequn.network._concentration import ContributionShares as ContributionShares
from shequn.network._concentration import concentration as concentration
from shequn.network._dependence import Cohesion as Cohesion
from shequn.network._dependence import Dependence as Dependence
from shequn.network._dependence import degree_centralisation as degree_centralisation
from shequn.network._dependence import dependence as dependence
from shequn.network._expert_load import ExpertLoad as ExpertLoad
from shequn.network._expert_load import ExpertRow as ExpertRow
from shequn.network._expert_load import expert_load as expert_load
from shequn.network._word_of_mouth import InviterRow as InviterRow
from shequn.network._word_of_mouth import WordOfMouth as WordOfMouth
from shequn.network._word_of_mouth import word_of_mouth as word_of_mouth
from shequn.network.admins import AdminCandidates as AdminCandidates
from shequn.network.admins import CandidateRow as CandidateRow
from shequn.network.admins import admin_candidates as admin_candidates
from shequn.network.cascades import CascadeRow as CascadeRow
from shequn.network.cascades import Cascades as Cascades
from shequn.network.cascades import GenerationRow as GenerationRow
from shequn.network.cascades import Generations as Generations
from shequn.network.centrality import PageRank as PageRank
from shequn.network.centrality import PageRankRow as PageRankRow
from shequn.network.centrality import pagerank as pagerank
from shequn.network.connected import components as components
from shequn.network.connectivity import Connectivity as Connectivity
from shequn.network.connectivity import ConnectivityStage as ConnectivityStage
from shequn.network.connectivity import connectivity_stage as connectivity_stage
from shequn.network.cores import core_numbers as core_numbers
from shequn.network.cover import AdminCover as AdminCover
from shequn.network.cover import CoverGaps as CoverGaps
from shequn.network.cover import CoverRow as CoverRow
from shequn.network.cover import GapRow as GapRow
from shequn.network.cover import admin_cover as admin_cover
from shequn.network.leaders import LeaderRow as LeaderRow
from shequn.network.leaders import Leaders as Leaders
from shequn.network.leaders import grassroots_leaders as grassroots_leaders
from shequn.network.load_hazard import LoadHazard as LoadHazard
from shequn.network.routing import RoutedRow as RoutedRow
from shequn.network.routing import Routing as Routing
from shequn.network.routing import route as route
from shequn.network.strength import TieRow as TieRow
from shequn.network.strength import TieStrength as TieStrength
from shequn.network.strength import tie_strength as tie_strength
from shequn.network.succession import Succession as Succession
from shequn.network.ties import DegreeRow as DegreeRow
from shequn.network.ties import Degrees as Degrees
from shequn.network.ties import degrees as degrees
from shequn.network.ties import reciprocity as reciprocity
from shequn.network.transitions import TieTransitions as TieTransitions
from shequn.network.transitions import tie_transitions as tie_transitions
from shequn.network.triangles import Clustering as Clustering
from shequn.network.triangles import ClusteringRow as ClusteringRow
from shequn.network.triangles import clustering as clustering

__all__ = [
    "AdminCandidates",
    "AdminCover",
    "Betweenness",
    "BetweennessRow",
    "CandidateRow",
    "CascadeRow",
    "Cascades",
    "Clustering",
    "ClusteringRow",
    "Cohesion",
    "Connectivity",
    "ConnectivityStage",
    "ContributionShares",
    "CoverGaps",
    "CoverRow",
    "DegreeRow",
    "Degrees",
    "Dependence",
    "ExpertLoad",
    "ExpertRow",
    "GapRow",
    "GenerationRow",
    "Generations",
    "InviterRow",
    "LeaderRow",
    "Leaders",
    "LoadHazard",
    "PageRank",
    "PageRankRow",
    "RoutedRow",
    "Routing",
    "Succession",
    "TieRow",
    "TieStrength",
    "TieTransitions",
    "WordOfMouth",
    "admin_candidates",
    "admin_cover",
    "betweenness",
    "betweenness_centralisation",
    "clustering",
    "components",
    "concentration",
    "connectivity_stage",
    "core_numbers",
    "degree_centralisation",
    "degrees",
    "dependence",
    "expert_load",
    "grassroots_leaders",
    "pagerank",
    "reciprocity",
    "route",
    "tie_strength",
    "tie_transitions",
    "word_of_mouth",
]
