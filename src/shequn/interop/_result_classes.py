"""Which classes may a document of a result name? Those of this library's rooms, and what these are made of."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import attrs

import shequn.admission
import shequn.campaigns
import shequn.columns
import shequn.content
import shequn.entities
import shequn.funnel
import shequn.graph
import shequn.labels
import shequn.lifecycle
import shequn.lifetime
import shequn.network
import shequn.retention
import shequn.rules
import shequn.segmentation
import shequn.sharding
import shequn.stats
import shequn.values
from shequn.columns.horizon import Horizon
from shequn.retention.cohorts import CohortDefinition
from shequn.retention.sets import BitSets, CellSets
from shequn.retention.stays import IdleRule, Stays

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

__all__ = ["class_called", "classes", "name_of"]

_ROOMS: tuple[ModuleType, ...] = (
    shequn.admission,
    shequn.campaigns,
    shequn.columns,
    shequn.content,
    shequn.entities,
    shequn.funnel,
    shequn.graph,
    shequn.labels,
    shequn.lifecycle,
    shequn.lifetime,
    shequn.network,
    shequn.retention,
    shequn.rules,
    shequn.segmentation,
    shequn.sharding,
    shequn.stats,
    shequn.values,
)
# Not public by themselves: what public results hold.
_PARTS: tuple[type[Any], ...] = (BitSets, CellSets, CohortDefinition, Horizon, IdleRule, Stays)


@lru_cache(maxsize=1)
def _by_name() -> Mapping[str, type[Any]]:
    public = [getattr(room, name) for room in _ROOMS for name in room.__all__]
    classes = [thing for thing in (*public, *_PARTS) if isinstance(thing, type)]
    return {_named(cls): cls for cls in classes if _is_told(cls)}


def _is_told(cls: type[Any]) -> bool:
    return attrs.has(cls) or issubclass(cls, Enum | tuple) or cls.__name__ in {"Index", "Rule", "RowCondition"}


def _named(cls: type[Any]) -> str:
    return f"{cls.__module__.split('.')[1]}.{cls.__name__}"


@lru_cache(maxsize=1)
def _names() -> Mapping[type[Any], str]:
    return {cls: name for name, cls in _by_name().items()}


def class_called(name: str, /) -> type[Any] | None:
    """Return the class of a name; None if there is none.

    Examples
    --------
    >>> class_called("funnel.Funnel").__name__
    'Funnel'
    """
    return _by_name().get(name)


def classes() -> tuple[type[Any], ...]:
    """Return every class that a document may name.

    Examples
    --------
    >>> shequn.funnel.Funnel in classes()
    True
    """
    return tuple(_by_name().values())


def name_of(cls: type[Any], /) -> str | None:
    """Return the name of a class in documents: its room and its own; None if it has none.

    Examples
    --------
    >>> name_of(shequn.funnel.Funnel)
    'funnel.Funnel'
    """
    return _names().get(cls)
