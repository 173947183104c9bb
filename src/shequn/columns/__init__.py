"""Facts and per-member answers as columns, and the table every result is printed with."""

from shequn.columns.breakdown import Breakdown as Breakdown
from shequn.columns.breakdown import SegmentRow as SegmentRow
from shequn.columns.changes import MembershipChanges as MembershipChanges
from shequn.columns.condition import RowColumn as RowColumn
from shequn.columns.condition import RowCondition as RowCondition
from shequn.columns.condition import row as row
from shequn.columns.describe import KindRow as KindRow
from shequn.columns.describe import LogSummary as LogSummary
from shequn.columns.ingest import Ingested as Ingested
from shequn.columns.ingest import Rejected as Rejected
from shequn.columns.log import EventLog as EventLog
from shequn.columns.membership import Memberships as Memberships
from shequn.columns.membership import Stay as Stay
from shequn.columns.membership import memberships as memberships
from shequn.columns.roster import Roster as Roster
from shequn.columns.schema import FieldType as FieldType
from shequn.columns.schema import Schema as Schema
from shequn.columns.table import Column as Column
from shequn.columns.table import Tabular as Tabular
from shequn.columns.tags import Tags as Tags

__all__ = [
    "Breakdown",
    "Column",
    "EventLog",
    "FieldType",
    "Ingested",
    "KindRow",
    "LogSummary",
    "MembershipChanges",
    "Memberships",
    "Rejected",
    "Roster",
    "RowColumn",
    "RowCondition",
    "Schema",
    "SegmentRow",
    "Stay",
    "Tabular",
    "Tags",
    "memberships",
    "row",
]
