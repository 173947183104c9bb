"""Labels and the codes that stand for them: who is row 17, and which segment is each member in."""

from shequn.labels.assignment import Assignment as Assignment
from shequn.labels.coded import Coded as Coded
from shequn.labels.index import Index as Index
from shequn.labels.index import Label as Label

__all__ = ["Assignment", "Coded", "Index", "Label"]
