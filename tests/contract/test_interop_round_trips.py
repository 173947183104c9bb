"""Every public record, rule, funnel, policy and result comes back from JSON as it was, through cattrs.

The instances are those that the docstring examples make. What was a datetime or date of the standard library comes back
as pendulum's, of the same instant in the same zone.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Mapping, Set
from contextlib import redirect_stdout, suppress
from copy import deepcopy
from io import StringIO
from typing import Any

import attrs
import numpy as np
import pytest
import test_public_face
from test_public_face import EXPLAINED, MADE, Public, run_examples, slots_of, writeable

import shequn
from shequn import interop
from shequn.columns.table import Tabular
from shequn.errors import ShequnError
from shequn.interop._documents import document_class
from shequn.interop._result_classes import name_of
from shequn.values.instants import instant_us
from shequn.values.zones import zone_name

# What only asks: a column by its name, and the base of tables.
WITHOUT_DOCUMENTS = {"Tabular"}
TOLD = [public for public in MADE if name_of(public.thing) is not None or document_class(public.thing) is not None]
MOST = 12
ON_TOP = ("shequn.interop", "shequn.plot")

each_told = pytest.mark.parametrize("public", TOLD, ids=str)
each_document = pytest.mark.parametrize(
    "public", [public for public in TOLD if document_class(public.thing) is not None], ids=str
)


@pytest.fixture(scope="session")
def made() -> dict[type, list[Any]]:
    """Run the docstring examples of the rooms, and keep what is made on the way."""
    found: dict[type, list[Any]] = {public.thing: [] for public in TOLD}

    def keep(value: object) -> None:
        kept = found.get(type(value))
        if kept is not None and len(kept) < MOST and not any(value is other for other in kept):
            kept.append(value)

    def on_return(_frame: Any, event: str, value: object) -> None:
        if event == "return":
            keep(value)

    results = [public for public in EXPLAINED if not public.room.startswith(ON_TOP)]
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()):
        patch.setattr(test_public_face, "EXPLAINED", results)
        run_examples(keep, on_return)
    for base in (shequn.RowCondition, shequn.rules.Rule):
        found[base] = [SPECIMENS[base]]
    return found


SPECIMENS = {
    shequn.RowCondition: (shequn.row("value") >= 100) & ~shequn.row("item").isin({"tea", "cup"}),
    shequn.rules.Rule: (shequn.rules.field("tier") >= "gold") & ~shequn.rules.did("purchase"),
}


@pytest.fixture(scope="module")
def json_converter():
    return interop.converter()


def held(value: Any) -> Any:  # noqa: PLR0911
    """What an instance is made of, so that two of them can be compared whatever their classes call equal."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, [held(item) for item in value.ravel().tolist()]
    if isinstance(value, dt.datetime):
        return ("naive", value.isoformat()) if value.tzinfo is None else (instant_us(value), zone_name(value.tzinfo))
    if isinstance(value, dt.date | dt.timedelta):
        return value
    if isinstance(value, Mapping):
        return {key: held(item) for key, item in value.items()}
    if isinstance(value, Set):
        return {held(item) for item in value}
    names = [field.name for field in attrs.fields(type(value))] if attrs.has(type(value)) else []
    names += [name for cls in type(value).__mro__ for name in slots_of(cls) if name not in names]
    if names and type(value).__module__.startswith("shequn"):
        return type(value), {name: held(getattr(value, name)) for name in names if hasattr(value, name)}
    if isinstance(value, tuple | list):
        return type(value), [held(item) for item in value]
    return type(value), repr(value)


def test_every_public_class_that_is_made_has_documents():
    without = {public.name for public in MADE if public not in TOLD and not public.room.startswith(ON_TOP)}
    assert without <= WITHOUT_DOCUMENTS


@each_told
def test_an_instance_comes_back_from_json_as_it_was(public: Public, made, json_converter):
    if public.name in WITHOUT_DOCUMENTS:
        pytest.skip("it has no documents")
    assert made[public.thing]
    for specimen in made[public.thing]:
        text = json.dumps(json_converter.unstructure(specimen), allow_nan=False)
        back = json_converter.structure(json.loads(text), public.thing)
        assert held(back) == held(specimen)
        assert json.dumps(json_converter.unstructure(back)) == text
        if names := [field.name for field in attrs.fields(type(back))] if attrs.has(type(back)) else []:
            assert writeable({name: getattr(back, name) for name in names}) == []


@each_document
def test_a_document_is_what_its_schema_says(public: Public, made):
    jsonschema = pytest.importorskip("jsonschema")
    schema = interop.json_schema(public.thing)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for specimen in made[public.thing]:
        document = json.loads(json.dumps(interop.to_document(specimen)))
        assert document["schema_version"] == 1
        validator.validate(document)
        for refused in (document | {"schema_version": 2}, document | {"something_else": 1}, [document], None):
            assert not validator.is_valid(refused)
            with pytest.raises(interop.DocumentError):
                interop.from_document(public.thing, refused)
        for key in schema.get("required", ()):
            less = {name: told for name, told in document.items() if name != key}
            assert not validator.is_valid(less)
            with pytest.raises(interop.DocumentError, match=f"the key '{key}'"):
                interop.from_document(public.thing, less)


JUNK = (
    None,
    True,
    0,
    -1,
    2**70,
    1e308,
    float("nan"),
    float("-inf"),
    "",
    "x",
    "\ud800",
    [],
    [[]],
    {},
    {"": 1},
    {"a": []},
)
WORDS = (
    {"float": "inf"},
    {"instant": "x"},
    {"array": "int64", "shape": [2**40], "values": []},
    {"type": "labels.Index"},
)


def places(told: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    return [path, *(place for key, item in inside for place in places(item, (*path, key)))]


def spoilt(document: Any, rng: random.Random) -> Any:
    """The document with something else in one place, or with a part of it left out or twice."""
    document = deepcopy(document)
    *way, last = rng.choice(places(document)[1:] or [("schema_version",)])
    holder = document
    for key in way:
        holder = holder[key]
    how = rng.randrange(4)
    if how == 0:
        del holder[last]
    elif how == 1 and isinstance(holder, dict):
        holder[rng.choice(["x", "type", "fields", "array", "code"])] = holder[last]
    elif how == 1:
        holder.append(holder[last])
    else:
        holder[last] = rng.choice(JUNK + WORDS)
    return document


def use(read: Any) -> None:
    """Ask for what a result shows; it may have an answer, or say why not."""
    with suppress(ShequnError):
        if isinstance(read, Tabular):
            read.to_columns()
            read.table()
        elif isinstance(read, shequn.EventLog):
            read.describe()
            list(read.to_events())


# What has an array that nothing else in the result is as long as: a document may leave out its last entry.
ALONE = {
    ("ActiveDays", "n_members"),
    ("Backlog", "late_days"),
    ("Challenge", "codes"),
    ("Change", "left"),
    ("Coded", "codes"),
    ("Column", "values"),
    ("ContributionShares", "values"),
    ("Instants", "us"),
    # Where the last row is empty, there is one row less.
    ("Neighbours", "offsets"),
    ("Tags", "offsets"),
}
# What a field holds that may hold anything.
ANYTHING = {
    ("Breakdown", "total"),
    ("Deviation", "expected"),
    ("Deviation", "found"),
    ("Rejected", "given"),
    ("Responders", "median_hours"),
    ("SegmentRow", "row"),
}


def cut(told: Any) -> Any:
    """The same array without its last entry; None where there is none, or it is no list."""
    if not isinstance(told, dict) or "array" not in told or len(told["shape"]) != 1 or not told["values"]:
        return None
    return {**told, "shape": [told["shape"][0] - 1], "values": told["values"][:-1]}


@each_told
def test_a_column_without_its_last_entry_is_refused(public: Public, made, json_converter):
    for specimen in made[public.thing]:
        if public.name in WITHOUT_DOCUMENTS:
            continue
        document = json.loads(json.dumps(json_converter.unstructure(specimen)))
        for name, told in document.get("fields", {}).items():
            shorter = cut(told)
            if shorter is not None and (public.name, name) not in ALONE:
                less = document | {"fields": document["fields"] | {name: shorter}}
                with pytest.raises(interop.DocumentError, match=r"^\$\.fields"):
                    json_converter.structure(less, public.thing)


@each_told
def test_a_field_of_another_type_is_refused(public: Public, made, json_converter):
    for specimen in made[public.thing][:2]:
        if public.name in WITHOUT_DOCUMENTS:
            continue
        document = json.loads(json.dumps(json_converter.unstructure(specimen)))
        for name in document.get("fields", {}):
            other = document | {"fields": document["fields"] | {name: {"duration": {"days": 1}}}}
            if (public.name, name) not in ANYTHING:
                with pytest.raises(interop.DocumentError, match=r"^\$\.fields"):
                    json_converter.structure(other, public.thing)


@each_told
def test_a_spoilt_document_is_read_or_refused_and_nothing_else_happens(public: Public, made, json_converter):
    jsonschema = pytest.importorskip("jsonschema")
    rng = random.Random(7)  # noqa: S311
    is_document = document_class(public.thing) is not None
    validator = jsonschema.Draft202012Validator(interop.json_schema(public.thing)) if is_document else None
    for specimen in made[public.thing][:3]:
        if public.name in WITHOUT_DOCUMENTS:
            continue
        document = json.loads(json.dumps(json_converter.unstructure(specimen)))
        for _ in range(25):
            told = spoilt(document, rng)
            try:
                read = json_converter.structure(told, public.thing)
            except ShequnError as error:
                assert str(error).startswith("$")  # noqa: PT017  # most are refused, some are read
                continue
            # What is read is a record like any other, and no schema was stricter than the reader.
            json.dumps(json_converter.unstructure(read), allow_nan=False)
            use(read)
            if validator is not None:
                validator.validate(told)
