"""The command that compares the public face with the last release sees what breaks callers, and what may break them."""

from __future__ import annotations

import subprocess
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from compare_api import ROOT, is_within, last_tag, main, numbers, public_paths
from test_public_face import public_names

if TYPE_CHECKING:
    from pathlib import Path

FACE = '''"""A library."""

__version__ = "{version}"
__all__ = ["count"]


{body}
'''
BEFORE = "def count(log: str, *, every: str = 'week') -> int:\n    return len(log)\n"
RENAMED = BEFORE.replace("every", "period")
MORE = BEFORE.replace("'week'", "'week', tz: str = 'UTC'")

needs_griffe = pytest.mark.skipif(find_spec("griffe") is None, reason="NOT TESTED: needs griffe (pip install griffe)")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    write(tmp_path, "0.1.0", BEFORE)
    git(tmp_path, "add", "-A")
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    git(tmp_path, *who, "commit", "-q", "-m", "one", "--no-gpg-sign")
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S607


def write(folder: Path, version: str, body: str) -> None:
    package = folder / "src" / "shequn"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(FACE.format(version=version, body=body), encoding="utf-8")


def test_without_a_tag_it_says_so_and_passes(project, capsys):
    git(project, "tag", "before-the-move")
    assert main(project) == 0
    assert capsys.readouterr().out == "no tag yet: nothing to compare the public face with\n"


@needs_griffe
@pytest.mark.parametrize(
    ("version", "body", "told"),
    [
        ("0.1.0", BEFORE, (0, 0)),
        ("0.1.1", MORE, (0, 0)),
        ("0.1.1", RENAMED, (1, 1)),
        ("0.2.0", RENAMED, (1, 0)),
        ("0.1.1", "def other() -> int:\n    return 0\n", (1, 1)),
    ],
    ids=["nothing new", "an option more", "an option renamed", "the same in a minor version", "a name gone"],
)
def test_with_a_tag_it_fails_where_the_version_does_not_allow_for_what_broke(project, capsys, version, body, told):
    n_breaking, code = told
    git(project, "tag", "v0.1.0")
    write(project, version, body)
    assert main(project) == code
    assert capsys.readouterr().out.endswith(f"{n_breaking} breaking changes since v0.1.0\n")


def test_the_last_tag_is_the_highest_version(project):
    for tag in ("v0.9.0", "v0.10.0", "0.2.0", "docs-3.0.0"):
        git(project, "tag", tag)
    assert last_tag(project) == "v0.10.0"


def test_only_what_is_listed_and_what_stands_in_it_is_public():
    public = {"shequn.retention.presence.Presence"}
    assert is_within("shequn.retention.presence.Presence.__len__", public)
    assert is_within("shequn.retention.presence.Presence", public)
    assert not is_within("shequn.retention.presence.Presence._axis", public)
    assert not is_within("shequn.retention.presence.helper", public)


@needs_griffe
def test_every_name_that_the_rooms_list_is_public_to_it():
    import griffe  # noqa: PLC0415

    found = public_paths(griffe.load("shequn", search_paths=[ROOT / "src"], try_relative_path=False))
    listed = {str(public) for public in public_names()}
    assert len(listed) > 300
    assert listed - found == set()


def test_this_tree_has_a_version_to_compare():
    assert len(numbers(ROOT / "src")) in {1, 2}
