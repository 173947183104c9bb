"""Every record is an argument or a result of at least one strategy: nothing is there only to be stored."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

import attrs
import pytest

import shequn
from shequn import entities

if TYPE_CHECKING:
    from collections.abc import Iterator

STRATEGIES = ("admission", "campaigns", "content", "lifecycle", "network", "retention", "segmentation", "sharding")
RECORDS = sorted(
    n for n in entities.__all__ if inspect.isclass(getattr(entities, n)) and attrs.has(getattr(entities, n))
)
TIERS = ("Placement", "Tier", "TierLadder")
# What the library is named for, and where each does its work; the others are found by looking.
NAMED = {
    "Community": "lifecycle.monetisation_clock",
    "Group": "admission.admit",
    "Member": "rules.Rule.matches",
    "Tier": "entities.TierLadder.place",
    "Campaign": "campaigns.outcome",
    "ContentItem": "content.schedule",
    "Event": "rules.Rule.matches",
    "Reward": "campaigns.draw",
    "Platform": "entities.ContentItem.violations",
    "AdmissionPolicy": "admission.admit",
}


def routines(room: str) -> Iterator[tuple[str, object]]:
    """Yield the public functions of a room and the public methods and properties of its classes."""
    module = import_module(f"shequn.{room}")
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.isclass(thing):
            for part, held in vars(thing).items():
                if not part.startswith("_"):
                    bare = held.__func__ if isinstance(held, classmethod | staticmethod) else held
                    yield f"{room}.{name}.{part}", bare.fget if isinstance(bare, property) else bare
        else:
            yield f"{room}.{name}", thing


def signature_of(routine: object) -> str:
    """Return what the arguments and the result of a routine are annotated with, as text."""
    return " ".join(map(str, getattr(routine, "__annotations__", {}).values()))


def parts_of(record: str) -> set[str]:
    """Return the records whose fields hold this one, itself included: a `Goal` works where its `Campaign` does."""
    holders = {record}
    while True:
        more = {
            name
            for name in RECORDS
            for field in attrs.fields(getattr(entities, name))
            if any(re.search(rf"\b{one}\b", str(field.type)) for one in holders)
        }
        if more <= holders:
            return holders
        holders |= more


def at_work(record: str, rooms: tuple[str, ...]) -> list[str]:
    wanted = re.compile(rf"\b({'|'.join(parts_of(record))})\b")
    return sorted({name for room in rooms for name, routine in routines(room) if wanted.search(signature_of(routine))})


@pytest.mark.parametrize(("record", "strategy"), NAMED.items(), ids=NAMED)
def test_what_the_library_is_named_for_works_where_it_is_said_to(record, strategy):
    assert strategy in at_work(record, ("entities", "rules", *STRATEGIES))


@pytest.mark.parametrize("record", RECORDS)
def test_every_record_works_in_a_strategy_or_is_a_part_of_one_that_does(record):
    assert at_work(record, ("rules", "columns", *STRATEGIES)) or record in TIERS


def test_a_ladder_of_tiers_is_a_strategy_itself():
    assert "entities.TierLadder.place" in at_work("Placement", ("entities",))
    assert "TierLadder" in parts_of("Tier")


def test_every_room_of_strategies_is_looked_at():
    built = {found.name for found in iter_modules(shequn.__path__)}
    assert set(STRATEGIES) <= built
