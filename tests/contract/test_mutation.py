"""The tool that measures how much the tests would notice changes what runs, one thing at a time, and nothing else."""

from __future__ import annotations

import pytest
from benchmarks import mutation
from benchmarks.mutation import PACKAGE, changed, changes_of

SOURCE = '''"""A file."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    SIZE = 1 + 1

__all__ = ["f"]


def f(a: int | None = None, *, most: int = 3) -> bool:
    """Tell 1 + 1."""
    if not isinstance(a, int | float) or a + 1 <= most:
        return True
    return 0 < -a
'''


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "file.py"
    found.write_text(SOURCE, encoding="utf-8")
    return found


def test_each_operator_and_constant_that_runs_is_a_place(path):
    assert [(change.line, change.before, change.after) for change in changes_of(path)] == [
        (11, "3", "4"),
        (13, "not isinstance(a, int | float) or a + 1 <= most", "not isinstance(a, int | float) and a + 1 <= most"),
        (13, "not isinstance(a, int | float)", "not not isinstance(a, int | float)"),
        (13, "a + 1 <= most", "a + 1 < most"),
        (13, "a + 1", "a - 1"),
        (13, "1", "2"),
        (14, "True", "False"),
        (15, "0 < -a", "0 <= -a"),
        (15, "0", "1"),
        (15, "-a", "+a"),
    ]
    assert {change.owner for change in changes_of(path)} == {"f"}


def test_a_change_is_made_alone(path):
    for change in changes_of(path):
        lines = zip(changed(change).splitlines(), changed(change._replace(number=-1)).splitlines(), strict=True)
        differing = [(now, was) for now, was in lines if now != was]
        assert len(differing) == 1, change.before


def test_the_tests_of_a_change_are_its_docstrings_and_those_that_name_what_uses_it():
    [first, *_] = changes_of(PACKAGE / "stats" / "intervals.py")
    own, *others = mutation.tests_of(first)
    assert own == "src/shequn/stats/intervals.py"
    assert "tests/reference/test_intervals_scipy.py" in others
