"""Would the tests notice? Change one operator or constant at a time, and see whether a test fails.

``python -m benchmarks.mutation stats --sample 60 --seed 1`` draws 60 of all such changes in ``src/shequn/stats``, makes
each of them alone in a copy of the tree, and runs the tests that speak of the changed file, its docstring examples
among them, and those named by ``--also``. It tells the share that was noticed, and each change that was not.
``--part 2/5`` makes the second fifth.

The score is a lower bound: a change that these tests miss may be noticed by tests of what is built on it, and some
changes change nothing that anybody could see.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.report import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Change", "changes_of", "main", "tests_of"]

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "shequn"
LONGEST_S = 30
MOST_TESTS = 4
DEEPEST = 8  # files from a change to what a test names

_KINDS = ("unit", "reference", "property")
_NO_TESTS = 5  # what pytest ends with where, say, a file has no docstring examples

_SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Add,
    ast.Pow: ast.Mult, ast.MatMult: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.USub: ast.UAdd, ast.UAdd: ast.USub,
}  # fmt: skip


class Change(NamedTuple):
    """One place, and what stands there instead."""

    path: Path
    line: int
    column: int
    before: str
    after: str
    number: int  # among the changes of its file
    owner: str  # the function or class of the file that holds it, "" where none does

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.before} → {self.after}"


def changes_of(path: Path) -> list[Change]:
    """List every change of a file, in the order of its text."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = []
    for number, (node, part) in enumerate(_places(tree)):
        inside = [top for top in tree.body if top.lineno <= node.lineno <= (top.end_lineno or top.lineno)]
        owner = "".join(name for top in inside for name in _defined_by(top))
        before = ast.unparse(node)
        undo = _make(node, part)
        found.append(Change(path, node.lineno, node.col_offset, before, ast.unparse(node), number, owner))
        undo()
    return found


def changed(change: Change) -> str:
    """Return the text of the file with this change made."""
    tree = ast.parse(change.path.read_text(encoding="utf-8"))
    for number, (node, part) in enumerate(_places(tree)):
        if number == change.number:
            _make(node, part)
            break
    return ast.unparse(tree)


def _places(tree: ast.AST) -> Iterator[tuple[ast.expr, int]]:
    """Go through the expressions that can be changed; a chain of comparisons is one place for each of its parts."""
    for node in _at_run_time(tree):
        match node:
            case ast.Compare():
                for part, operator in enumerate(node.ops):
                    if type(operator) in _SWAPS:
                        yield node, part
            case ast.BinOp() | ast.BoolOp() if type(node.op) in _SWAPS:
                yield node, 0
            case ast.UnaryOp() if isinstance(node.op, ast.Not | ast.USub):
                yield node, 0
            case ast.Constant() if isinstance(node.value, bool | int | float):
                yield node, 0
            case _:
                pass


def _at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """Go through what runs: no annotations, no types in `isinstance`, no blocks for type checkers, no decorators."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_for_types(child):
                yield from _at_run_time(child)


def _is_for_types(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) == "__all__"
    is_alias = isinstance(node, ast.AnnAssign) and "TypeAlias" in ast.unparse(node.annotation)
    return is_alias or (isinstance(node, ast.Call) and ast.unparse(node.func) in {"isinstance", "cast", "TypeVar"})


def _make(node: ast.expr, part: int) -> Callable[[], None]:
    """Change the node in place; return a function that changes it back."""
    match node:
        case ast.Compare():
            old = node.ops[part]
            node.ops[part] = _SWAPS[type(old)]()
            return lambda: node.ops.__setitem__(part, old)
        case ast.UnaryOp(op=ast.Not()):
            operand = node.operand
            node.operand = ast.UnaryOp(op=ast.Not(), operand=operand)
            return lambda: setattr(node, "operand", operand)
        case ast.BinOp() | ast.BoolOp() | ast.UnaryOp():
            operator = node.op
            node.op = _SWAPS[type(operator)]()
            return lambda: setattr(node, "op", operator)
        case ast.Constant(value=bool() as truth):
            node.value = not truth
            return lambda: setattr(node, "value", truth)
        case ast.Constant(value=int() | float() as number):
            node.value = number + 1
            return lambda: setattr(node, "value", number)
        case _:
            raise TypeError(ast.dump(node))


def tests_of(change: Change) -> list[str]:
    """Return the tests that speak of a change most, and those of the file's docstrings.

    They name what uses the changed function or class: in its file, or else in the files that import it, or in those
    that import these, and so on.
    """
    names = {(change.path, change.owner)} if change.owner else {(change.path, name) for name in _bodies(change.path)}
    counts: dict[Path, int] = {}
    for _ in range(DEEPEST):
        names = {(path, user) for path, name in names for user in _users_inside(path, name)}
        counts = _mentions({name for path, name in names if name in _public(_room(path))})
        if any(counts.values()):
            break
        names = {found for path, name in names for found in _users_outside(path, name)}
    most = sorted((test for test in counts if counts[test]), key=lambda test: (-counts[test], test))[:MOST_TESTS]
    quick_first = sorted(most, key=lambda test: _KINDS.index(test.parent.name))
    return [str(test.relative_to(ROOT)) for test in (change.path, *quick_first)]


@cache
def _bodies(path: Path) -> dict[str, set[str]]:
    """Return what a file defines, each function, class or constant with the words in it."""
    text = path.read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    for top in ast.parse(text).body:
        for name in _defined_by(top):
            found[name] = set(re.findall(r"\w+", ast.get_source_segment(text, top) or ""))
    return found


def _defined_by(top: ast.stmt) -> list[str]:
    match top:
        case ast.FunctionDef() | ast.ClassDef():
            return [top.name]
        case ast.Assign(targets=[ast.Name() as target]) | ast.AnnAssign(target=ast.Name() as target):
            return [target.id]
        case _:
            return []


def _users_inside(path: Path, name: str) -> set[str]:
    """Return what in a file uses this name, directly or not, and the name itself."""
    found, waiting = {name}, [name]
    while waiting:
        used = waiting.pop()
        new = {top for top, words in _bodies(path).items() if used in words} - found
        found |= new
        waiting += new
    return found


def _users_outside(path: Path, name: str) -> set[tuple[Path, str]]:
    """Return what in other files uses this name, imported from here or from the package that lists it."""
    module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
    package = module.rpartition(".")[0]
    found = set()
    for user in PACKAGE.rglob("*.py"):
        here = _imported(user).get((module, name)) or _imported(user).get((package, name))
        found |= {(user, top) for top, words in _bodies(user).items() if here in words}
    return found


@cache
def _imported(path: Path) -> dict[tuple[str, str], str]:
    """Return what a file imports by name, as (module, name), and what it calls it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {(str(node.module), each.name): each.asname or each.name for node in froms for each in node.names}


def _room(path: Path) -> Path:
    return PACKAGE / path.relative_to(PACKAGE).parts[0] if path.parent != PACKAGE else PACKAGE


@cache
def _public(room: Path) -> set[str]:
    """Return the names that a room lists."""
    return set(re.findall(r"\w+", (room / "__init__.py").read_text(encoding="utf-8"))) - {"__all__"}


def _mentions(names: set[str]) -> dict[Path, int]:
    """Count how many of these names each test file uses."""
    return {test: len(names & words) for test, words in _words_of_tests().items()}


@cache
def _words_of_tests() -> dict[Path, set[str]]:
    tests = [test for kind in _KINDS for test in (ROOT / "tests" / kind).glob("test_*.py")]
    return {test: set(re.findall(r"\w+", test.read_text(encoding="utf-8"))) for test in tests}


def run(tree: Path, test: str) -> bool:
    """Run a file of tests in a copy of the tree, in a fork that has loaded slow packages; tell whether all passed."""
    child = os.fork()
    if not child:
        _run_in_child(tree, test)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) in {0, _NO_TESTS}


def _run_in_child(tree: Path, test: str) -> None:
    import pytest  # noqa: PLC0415

    # An endless loop is noticed too; in processor time, so that a busy machine notices no more than a free one.
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_S, LONGEST_S))
    os.chdir(tree)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    sys.path[:] = [str(tree / "src"), *(place for place in sys.path if not place.endswith("src") and place)]
    sys.dont_write_bytecode = True
    quiet = ["-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestCollectionWarning"]
    os._exit(int(pytest.main([*quiet, test])))


def main(arguments: list[str]) -> None:
    options = _options(arguments)
    asked = PACKAGE / options.module
    paths = [asked] if asked.is_file() else sorted(asked.rglob("*.py"))
    found = [change for path in paths for change in changes_of(path)]
    drawn = sorted(random.Random(options.seed).sample(found, min(options.sample, len(found))))  # noqa: S311
    part, parts = map(int, options.part.split("/"))
    mine = drawn[len(drawn) * (part - 1) // parts : len(drawn) * part // parts]
    if not mine:
        sys.exit(f"{options.module}: no changes there; give a package or a file of src/shequn")
    if options.list:
        print(*mine, sep="\n")
        return
    os.environ.setdefault("HYPOTHESIS_PROFILE", "few")
    for slow in ("attrs", "numpy", "pendulum", "pytest", "scipy.stats"):
        __import__(slow)
    survivors = _survivors(mine, options.also)
    noticed = len(mine) - len(survivors)
    title = f"{options.module}: {len(found):,} changes, {len(drawn)} drawn, seed {options.seed}, part {options.part}"
    print(Table(title, ("made", "noticed", "score"), [(str(len(mine)), str(noticed), f"{noticed / len(mine):.1%}")]))
    print(*survivors, sep="\n")


def _survivors(changes: list[Change], also: list[str]) -> list[Change]:
    """Make each change in a copy of the tree, and keep those that no test noticed, the quickest asked first."""
    survivors: list[Change] = []
    took_s: dict[str, float | None] = {}
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for part in ("src", "tests", "docs", "examples", "benchmarks"):
            shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
        for part in ("conftest.py", "pyproject.toml"):
            shutil.copy(ROOT / part, tree / part)
        for change in changes:
            tests = dict.fromkeys([*also, *tests_of(change)])
            for test in tests:
                if test not in took_s:
                    began = time.perf_counter()
                    passes = run(tree, test)
                    took_s[test] = time.perf_counter() - began if passes else None
                    if took_s[test] is None:
                        print(f"left out, as it fails or takes over {LONGEST_S} s without any change: {test}")
            seconds = {test: spent for test in tests if (spent := took_s[test]) is not None}
            copy = tree / change.path.relative_to(ROOT)
            copy.write_text(changed(change), encoding="utf-8")
            if all(run(tree, test) for test in sorted(seconds, key=lambda test: seconds[test])):
                survivors.append(change)
            shutil.copy(change.path, copy)
    return survivors


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutation", description=__doc__)
    parser.add_argument("module", help="a package or a file of the library: stats, retention, stats/intervals.py")
    parser.add_argument("--sample", type=int, default=60, metavar="N", help="how many changes to draw (60)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which ones to draw (1)")
    parser.add_argument("--part", default="1/1", metavar="I/N", help="make only the I-th of N parts (1/1)")
    parser.add_argument(
        "--also", action="append", default=[], metavar="FILE", help="tests to try each change on as well"
    )
    parser.add_argument("--list", action="store_true", help="only list what was drawn")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
