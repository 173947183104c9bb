"""What `import shequn` brings in, and which way imports go inside it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import shequn

ROOT = Path(__file__).parents[2]

TOUCH_EVERYTHING = """
import json, sys
before = set(sys.modules)
import shequn
at_the_door = sorted(set(sys.modules) - before)
import attrs, numpy, pendulum
before = set(sys.modules)
from importlib import import_module
from pkgutil import iter_modules
for name in shequn.__all__:
    getattr(shequn, name)
for room in iter_modules(shequn.__path__, "shequn."):
    module = import_module(room.name)
    for name in getattr(module, "__all__", ()):
        getattr(module, name)
print(json.dumps([at_the_door, sorted(set(sys.modules) - before)]))
"""


@pytest.fixture(scope="module")
def imported() -> tuple[list[str], list[str]]:
    """The modules that come with the front door, and those that every public name adds to the three packages."""
    done = subprocess.run([sys.executable, "-c", TOUCH_EVERYTHING], capture_output=True, text=True, check=True)
    at_the_door, after_everything = json.loads(done.stdout)
    return at_the_door, after_everything


def run_time_closure() -> set[str]:
    """The distributions that the three packages bring along, and they themselves."""
    closure: set[str] = set()
    waiting = ["attrs", "numpy", "pendulum"]
    while waiting:
        name = waiting.pop()
        if name not in closure:
            closure.add(name)
            needed = [Requirement(text) for text in requires(name) or ()]
            waiting += [r.name for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
    return {canonical(name) for name in closure}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_public_name_together_imports_nothing_beyond_the_three_packages(imported):
    _, modules = imported
    homes = packages_distributions()
    allowed = run_time_closure() | {"shequn"}
    foreign = {
        top
        for top in {module.partition(".")[0] for module in modules} - sys.stdlib_module_names
        if not top.startswith("_sysconfigdata_")  # of the standard library, named after the machine it was built for
        and not {canonical(home) for home in homes.get(top, [top])} & allowed
    }
    assert foreign == set()


def test_the_front_door_opens_no_room_until_it_is_asked(imported):
    at_the_door, _ = imported
    assert [module for module in at_the_door if module.startswith("shequn.")] == []


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    first = f"import sys; sys.path.insert(0, {str(folder / 'src')!r})"  # the copy wins over the installed package
    then = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-P", "-c", f"{first}; {then}", "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copy_of_the_house(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(
        Path(shequn.__file__).parent, tmp_path / "src" / "shequn", ignore=shutil.ignore_patterns("__pycache__")
    )
    return tmp_path


def test_imports_go_downward_only(copy_of_the_house):
    done = lint_imports(copy_of_the_house)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "line", "complaint"),
    [
        pytest.param(
            "stats/up.py", "import shequn.values", "shequn.stats.up -> shequn.values", id="a lower room looks up"
        ),
        pytest.param("errors.py", "import shequn.stats", "shequn.errors -> shequn.stats", id="the cellar looks up"),
        pytest.param("values/new.py", "import pandas", "shequn.values.new -> pandas", id="a fourth package"),
        pytest.param("attic/__init__.py", "", "- shequn.attic", id="a room that stands in no layer"),
    ],
)
def test_the_check_sees_an_import_that_must_not_be(copy_of_the_house, file, line, complaint):
    path = copy_of_the_house / "src" / "shequn" / file
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as source:
        source.write(f"\n{line}\n")
    done = lint_imports(copy_of_the_house)
    assert done.returncode == 1
    assert complaint in done.stdout
