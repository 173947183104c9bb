"""Whom do we talk to, and why them? RFM, layers, personas, audiences and the movement between segments."""

from shequn.segmentation._audience import audience as audience
from shequn.segmentation._migration import migration as migration
from shequn.segmentation._rfm import rfm as rfm
from shequn.segmentation._rfm import rfm_values as rfm_values
from shequn.segmentation.audiences import Audience as Audience
from shequn.segmentation.audiences import AudienceReason as AudienceReason
from shequn.segmentation.audiences import AudienceRow as AudienceRow
from shequn.segmentation.behaviour import BehaviourLayers as BehaviourLayers
from shequn.segmentation.behaviour import BehaviourRow as BehaviourRow
from shequn.segmentation.behaviour import behaviour_layers as behaviour_layers
from shequn.segmentation.concentration import Concentration as Concentration
from shequn.segmentation.concentration import ConcentrationRow as ConcentrationRow
from shequn.segmentation.concentration import location_quotient as location_quotient
from shequn.segmentation.contribution import ValueLayers as ValueLayers
from shequn.segmentation.contribution import ValueRow as ValueRow
from shequn.segmentation.contribution import value_layers as value_layers
from shequn.segmentation.flows import Direction as Direction
from shequn.segmentation.flows import Flow as Flow
from shequn.segmentation.flows import Flows as Flows
from shequn.segmentation.interests import NeedRow as NeedRow
from shequn.segmentation.interests import Needs as Needs
from shequn.segmentation.interests import needs as needs
from shequn.segmentation.layered import BehaviourLayer as BehaviourLayer
from shequn.segmentation.layered import MemberPosture as MemberPosture
from shequn.segmentation.layered import ValueLayer as ValueLayer
from shequn.segmentation.movement import Migration as Migration
from shequn.segmentation.movement import MigrationRow as MigrationRow
from shequn.segmentation.personas import Persona as Persona
from shequn.segmentation.personas import PersonaRow as PersonaRow
from shequn.segmentation.personas import persona as persona
from shequn.segmentation.posture import PostureLayers as PostureLayers
from shequn.segmentation.posture import PostureRow as PostureRow
from shequn.segmentation.posture import posture_layers as posture_layers
from shequn.segmentation.rfm_counts import RfmBrackets as RfmBrackets
from shequn.segmentation.rfm_counts import RfmCounts as RfmCounts
from shequn.segmentation.rfm_counts import RfmDefinition as RfmDefinition
from shequn.segmentation.rfm_counts import RfmSketch as RfmSketch
from shequn.segmentation.rfm_cuts import RfmCuts as RfmCuts
from shequn.segmentation.rfm_cuts import RfmScore as RfmScore
from shequn.segmentation.rfm_grid import GRID5 as GRID5
from shequn.segmentation.rfm_grid import RfmGrid as RfmGrid
from shequn.segmentation.rfm_grid import RfmQuadrant as RfmQuadrant
from shequn.segmentation.rfm_grid import RfmSegment as RfmSegment
from shequn.segmentation.rfm_members import Rfm as Rfm
from shequn.segmentation.rfm_members import RfmRow as RfmRow
from shequn.segmentation.rfm_members import RfmValues as RfmValues
from shequn.segmentation.segmentation import Segmentation as Segmentation
from shequn.segmentation.segmentation import SegmentCheck as SegmentCheck
from shequn.segmentation.segmentation import SegmentCheckRow as SegmentCheckRow
from shequn.segmentation.value_counts import Brackets as Brackets
from shequn.segmentation.value_counts import ValueCounts as ValueCounts
from shequn.segmentation.value_counts import ValueSketch as ValueSketch

__all__ = [
    "GRID5",
    "Audience",
    "AudienceReason",
    "AudienceRow",
    "BehaviourLayer",
    "BehaviourLayers",
    "BehaviourRow",
    "Brackets",
    "Concentration",
    "ConcentrationRow",
    "Direction",
    "Flow",
    "Flows",
    "MemberPosture",
    "Migration",
    "MigrationRow",
    "NeedRow",
    "Needs",
    "Persona",
    "PersonaRow",
    "PostureLayers",
    "PostureRow",
    "Rfm",
    "RfmBrackets",
    "RfmCounts",
    "RfmCuts",
    "RfmDefinition",
    "RfmGrid",
    "RfmQuadrant",
    "RfmRow",
    "RfmScore",
    "RfmSegment",
    "RfmSketch",
    "RfmValues",
    "SegmentCheck",
    "SegmentCheckRow",
    "Segmentation",
    "ValueCounts",
    "ValueLayer",
    "ValueLayers",
    "ValueRow",
    "ValueSketch",
    "audience",
    "behaviour_layers",
    "location_quotient",
    "migration",
    "needs",
    "persona",
    "posture_layers",
    "rfm",
    "rfm_values",
    "value_layers",
]
