"""What every public name promises, held for each name that any room lists, new ones included.

It is documented, with an example; it stands in the reference; it is annotated. A record is slotted, frozen and made by
keyword. An instance can be pickled and copied, and never hands out an array that can be written to. The instances are
those that the docstring examples make, caught on their way.
"""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from doctest import SKIP, DocTestParser
from enum import Enum
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np
import pytest

import shequn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
SPECIMENS_A_CLASS = 25

# What an instance keeps of what it holds anyway: `Index._codes` is made of the labels when somebody first asks for one.
CACHES = {("Index", "_codes")}


class Public(NamedTuple):
    room: str
    name: str
    thing: Any

    def __str__(self) -> str:
        return f"{self.room}.{self.name}"


# Rooms inside of rooms, whose names are public as well.
INNER_ROOMS = ("shequn.interop.engines",)


def rooms() -> list[str]:
    outer = [found.name for found in iter_modules(shequn.__path__, "shequn.") if not found.name.startswith("shequn._")]
    return [*outer, *INNER_ROOMS]


def public_names() -> list[Public]:
    modules = {room: import_module(room) for room in rooms()}
    listed = {room: getattr(module, "__all__", ()) for room, module in modules.items()}
    return [Public(room, name, getattr(modules[room], name)) for room, names in listed.items() for name in names]


PUBLIC = public_names()
CLASSES = [p for p in PUBLIC if inspect.isclass(p.thing)]
ERRORS = [p for p in CLASSES if issubclass(p.thing, BaseException)]
RECORDS = [p for p in CLASSES if attrs.has(p.thing)]
MADE = [p for p in CLASSES if p not in ERRORS and not issubclass(p.thing, Enum) and not inspect.isabstract(p.thing)]
HOLDERS = [p for p in MADE if not issubclass(p.thing, tuple)]
EXPLAINED = [p for p in PUBLIC if inspect.isroutine(p.thing) or (p in CLASSES and p not in ERRORS)]

each_public_name = pytest.mark.parametrize("public", PUBLIC, ids=str)
each_record = pytest.mark.parametrize("public", RECORDS, ids=str)
each_class_that_is_made = pytest.mark.parametrize("public", MADE, ids=str)
each_holder_of_arrays = pytest.mark.parametrize("public", HOLDERS, ids=str)


# --- what it says of itself ---


@pytest.mark.parametrize("room", rooms())
def test_a_room_says_what_it_is_for_and_lists_its_names(room):
    module = import_module(room)
    assert module.__doc__
    assert module.__all__


@pytest.mark.parametrize("public", EXPLAINED, ids=str)
def test_a_function_or_class_shows_an_example(public):
    assert public.thing.__doc__, f"{public} has no docstring"
    assert re.search(r"^ *Examples\n *-+\n", public.thing.__doc__, flags=re.MULTILINE), (
        f"{public} has no Examples section"
    )
    assert ">>>" in public.thing.__doc__


@pytest.mark.parametrize("public", ERRORS, ids=str)
def test_an_error_says_when_it_is_raised(public):
    assert public.thing.__doc__


@each_public_name
def test_a_name_stands_in_the_reference(public):
    pages = "\n".join(page.read_text(encoding="utf-8") for page in REFERENCE.glob("*.md"))
    assert re.search(rf"^\.\. automodule:: {re.escape(public.room)}$", pages, flags=re.MULTILINE)


@pytest.mark.parametrize("public", [p for p in PUBLIC if callable(p.thing)], ids=str)
def test_a_signature_is_annotated_throughout(public):
    assert [where for where, function in functions_of(public.thing) for where in bare(where, function)] == []


def functions_of(thing: Any) -> Iterator[tuple[str, Any]]:
    """The function itself, or every public method and property that this library wrote for the class."""
    if inspect.isfunction(thing):
        yield thing.__name__, thing
    elif inspect.isclass(thing):
        for name, member in inspect.getmembers_static(thing):
            raw = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
            if inspect.isfunction(raw) and raw.__module__.startswith("shequn") and not name.startswith("_"):
                yield f"{thing.__name__}.{name}", raw


def bare(where: str, function: Any) -> list[str]:
    signature = inspect.signature(function)
    named = [p for p in signature.parameters.values() if p.name not in {"self", "cls"}]
    without = [f"{where}({p.name})" for p in named if p.annotation is inspect.Parameter.empty]
    return without + ([f"{where} ->"] if signature.return_annotation is inspect.Signature.empty else [])


# --- what a record is ---


@each_record
def test_a_record_is_slotted(public):
    assert all("__slots__" in vars(cls) for cls in public.thing.__mro__[:-1] if cls.__module__.startswith("shequn"))
    assert "__dict__" not in dir(public.thing)


@each_record
def test_a_record_is_made_by_keyword(public):
    given = [field for field in attrs.fields(public.thing) if field.init]
    by_place = [field.name for field in given if not field.kw_only]
    # A pair may be written short: Money(100, "CNY").
    assert not by_place or len(given) <= 2


# --- what an instance does ---


class Caught(NamedTuple):
    specimens: dict[type, list[Any]]
    """Instances of the public classes."""
    writeable: set[str]
    """Public functions and methods that returned an array that can be written to."""


@pytest.fixture(scope="session")
def caught() -> Caught:
    """Run every docstring example, and keep what is made and returned on the way."""
    found = Caught(specimens={public.thing: [] for public in MADE}, writeable=set())
    owners = {
        function.__code__: (str(public), where)
        for public in EXPLAINED
        for where, function in functions_of(public.thing)
    }

    def keep(value: object) -> None:
        kept = found.specimens.get(type(value))
        if kept is not None and len(kept) < SPECIMENS_A_CLASS and not any(value is other for other in kept):
            kept.append(value)

    def on_return(frame: FrameType, event: str, value: object) -> None:
        if event == "return":
            keep(value)
            if frame.f_code in owners and isinstance(value, np.ndarray) and value.flags.writeable:
                found.writeable.add(" ".join(owners[frame.f_code]))

    run_examples(keep, on_return)
    return found


@pytest.fixture
def specimens(caught: Caught) -> dict[type, list[Any]]:
    return caught.specimens


def run_examples(keep: Any, on_return: Any) -> None:
    parser = DocTestParser()
    shown, sys.displayhook = sys.displayhook, keep
    try:
        for public in EXPLAINED:
            namespace = dict(vars(sys.modules[public.thing.__module__]))
            for example in parser.get_examples(public.thing.__doc__ or ""):
                if example.options.get(SKIP):  # it needs what need not be installed
                    continue
                code = compile(example.source, f"<example of {public}>", "single")
                sys.setprofile(on_return)
                try:
                    exec(code, namespace)  # noqa: S102
                except Exception:
                    if example.exc_msg is None:
                        raise
                finally:
                    sys.setprofile(None)
            for value in namespace.values():
                keep(value)
    finally:
        sys.displayhook = shown


def stored(value: Any) -> dict[str, Any]:
    """What an instance holds, by name."""
    names = [field.name for field in attrs.fields(type(value))] if attrs.has(type(value)) else []
    names += [name for cls in type(value).__mro__ for name in slots_of(cls) if name not in names]
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def slots_of(cls: type) -> tuple[str, ...]:
    slots = getattr(cls, "_fields", vars(cls).get("__slots__", ()))
    return tuple(name for name in slots if name != "__weakref__" and (cls.__name__, name) not in CACHES)


def computed(value: Any) -> dict[str, Any]:
    """What the public properties of an instance give, by name."""
    found = {}
    for name, member in inspect.getmembers_static(type(value)):
        if isinstance(member, property) and not name.startswith("_"):
            with suppress(shequn.ShequnError):  # a question that this instance can't answer
                found[name] = getattr(value, name)
    return found


def writeable(parts: dict[str, Any]) -> list[str]:
    """The names of the arrays that can be written to, those inside a tuple, list or dict included."""
    found = []
    for name, part in parts.items():
        inside = part.values() if isinstance(part, dict) else part if isinstance(part, tuple | list) else [part]
        if any(isinstance(item, np.ndarray) and item.flags.writeable for item in inside):
            found.append(name)
    return found


def assert_same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    mine, theirs = stored(one) | computed(one), stored(other) | computed(other)
    assert list(mine) == list(theirs)
    for name, part in mine.items():
        if isinstance(part, np.ndarray):
            assert part.dtype == theirs[name].dtype, name
            np.testing.assert_array_equal(part, theirs[name], err_msg=name)
        elif stored(part) and type(part).__module__.startswith("shequn"):
            assert_same(part, theirs[name])
        elif isinstance(part, frozenset) or (
            isinstance(part, Mapping) and set(map(type, part.values())) == {frozenset}
        ):
            assert part == theirs[name], name  # a set shows itself in any order
        elif not isinstance(part, float) or part == part:  # noqa: PLR0124
            assert repr(part) == repr(theirs[name]), name


@each_class_that_is_made
def test_some_example_makes_one(public, specimens):
    assert specimens[public.thing], f"no docstring example makes or returns a {public.name}"


@each_class_that_is_made
def test_an_instance_cannot_be_changed(public, specimens):
    for specimen in specimens[public.thing]:
        for name in (*stored(specimen), *computed(specimen), "something_new"):
            with pytest.raises((AttributeError, TypeError)):
                setattr(specimen, name, 0)


@each_class_that_is_made
def test_an_instance_hands_out_arrays_that_cannot_be_written_to(public, specimens):
    for specimen in specimens[public.thing]:
        assert writeable(stored(specimen)) == []
        assert writeable(computed(specimen)) == []


def test_a_public_function_returns_arrays_that_cannot_be_written_to(caught):
    assert caught.writeable == set()


# A named tuple of arrays is a tuple to pickle, which gives each array back writeable; a class of ours knows better.


@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
@each_holder_of_arrays
def test_an_instance_comes_back_from_a_pickle_as_it_was(public, specimens, protocol):
    for specimen in specimens[public.thing]:
        back = pickle.loads(pickle.dumps(specimen, protocol=protocol))  # noqa: S301
        assert_same(specimen, back)
        assert writeable(stored(back)) == []


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
@each_holder_of_arrays
def test_a_copy_is_as_safe_as_the_original(public, specimens, duplicate):
    for specimen in specimens[public.thing]:
        double = duplicate(specimen)
        assert_same(specimen, double)
        assert writeable(stored(double)) == []


@each_record
def test_a_record_built_again_from_its_own_fields_is_the_same(public, specimens):
    for specimen in specimens.get(public.thing, []):
        assert_same(specimen, attrs.evolve(specimen))
