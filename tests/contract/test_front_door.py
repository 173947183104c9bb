"""The front door lists each public name three times: for type checkers, for `import *`, and for the interpreter."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

import shequn


def names_for_type_checkers() -> list[str]:
    tree = ast.parse(Path(shequn.__file__).read_text(encoding="utf-8"))
    guarded = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    imports = [line for block in guarded for line in block.body if isinstance(line, ast.ImportFrom)]
    return [alias.asname or alias.name for line in imports for alias in line.names]


def names_for_the_interpreter() -> list[str]:
    return [*shequn._ROOMS, *(name for names in shequn._NAMES_BY_ROOM.values() for name in names)]


def test_the_three_lists_hold_the_same_names_each_once():
    assert sorted(shequn.__all__) == sorted(names_for_type_checkers()) == sorted(names_for_the_interpreter())
    assert len(set(shequn.__all__)) == len(shequn.__all__)


@pytest.mark.parametrize(("room", "names"), shequn._NAMES_BY_ROOM.items(), ids=shequn._NAMES_BY_ROOM)
def test_a_name_at_the_door_is_a_public_name_of_its_room(room, names):
    module = import_module(f"shequn.{room}")
    assert set(names) <= set(module.__all__)
    assert all(getattr(shequn, name) is getattr(module, name) for name in names)


@pytest.mark.parametrize("room", shequn._ROOMS)
def test_a_room_at_the_door_is_the_module(room):
    assert getattr(shequn, room) is import_module(f"shequn.{room}")


def test_dir_shows_the_public_names_and_no_machinery():
    assert dir(shequn) == sorted([*shequn.__all__, "__version__"])


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'shequn' has no attribute 'EventLogg'"):
        _ = shequn.EventLogg  # type: ignore[attr-defined]


def test_a_name_that_is_not_there_cannot_be_imported():
    with pytest.raises(ImportError, match="cannot import name 'EventLogg'"):
        exec("from shequn import EventLogg")  # noqa: S102
