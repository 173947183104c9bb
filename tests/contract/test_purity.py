"""Nothing in the library does input or output, reads a clock, or touches global random state.

Two checks. The source is read: every import must be on a list of what is allowed, and no name that works by side effect
may be used. Then every docstring example is run under an audit hook, which sees each file and socket that is opened.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import shequn

if TYPE_CHECKING:
    from collections.abc import Iterator

SRC = Path(shequn.__file__).parent

THREE_PACKAGES = {"attr", "attrs", "numpy", "pendulum"}

# An allow-list, so that a module nobody thought of is noticed. Who adds one has seen that what is used of it is pure.
PURE_STDLIB = {
    "__future__", "abc", "base64", "binascii", "bisect", "calendar", "collections", "concurrent", "contextlib",
    "copy", "ctypes", "dataclasses", "datetime", "decimal", "difflib", "enum", "fractions", "functools", "hashlib",
    "heapq", "hmac", "html", "inspect", "itertools", "json", "keyword", "math", "numbers", "operator", "pickle", "re",
    "reprlib", "statistics", "string", "struct", "sys", "textwrap", "types", "typing", "unicodedata", "warnings",
    "zlib", "zoneinfo",
}  # fmt: skip

# Known to every type checker without being installed, and so usable under `if TYPE_CHECKING:` alone.
FOR_TYPE_CHECKERS = {"typing_extensions"}

# What an extra brings in, and a room may import inside functions.
OF_EXTRAS: dict[str, set[str]] = {"interop": {"cattrs", "dask", "pyarrow", "pydantic_core"}, "plot": {"matplotlib"}}

# The front door fetches rooms by name; nobody else imports at run time.
FRONT_DOOR = "__init__.py"

FORBIDDEN_BUILTINS = {"__import__", "breakpoint", "compile", "eval", "exec", "exit", "input", "open", "print", "quit"}

# Of an object whose type the source doesn't show, such as `path.read_text()` or `moment.diff_for_humans()`.
FORBIDDEN_METHODS = {
    "diff_for_humans", "dump", "from_format", "is_future", "is_past", "now", "read_bytes", "read_text",
    "today", "tofile", "tomorrow", "utcnow", "write_bytes", "write_text", "yesterday",
}  # fmt: skip

FORBIDDEN_NAMES = {
    # clocks, and parsers that fill what a text leaves out from the clock
    "pendulum.local_timezone", "pendulum.parse", "zoneinfo.reset_tzpath",
    # switches that would change the behaviour of the caller's own code
    "pendulum.freeze", "pendulum.set_local_timezone", "pendulum.set_locale", "pendulum.test_local_timezone",
    "pendulum.travel", "pendulum.travel_to", "pendulum.week_ends_at", "pendulum.week_starts_at",
    "numpy.set_printoptions", "numpy.seterr", "numpy.setbufsize", "warnings.filterwarnings",
    "warnings.simplefilter", "warnings.resetwarnings",
    # files and streams
    "numpy.fromfile", "numpy.genfromtxt", "numpy.load", "numpy.loadtxt", "numpy.memmap", "numpy.save",
    "numpy.savetxt", "numpy.savez", "numpy.savez_compressed", "sys.argv", "sys.exit", "sys.path", "sys.stderr",
    "sys.stdin", "sys.stdout",
}  # fmt: skip

EXPLICIT_RANDOMNESS = {"BitGenerator", "Generator", "PCG64", "SeedSequence", "default_rng"}


def offences(source: str, *, front_door: bool = False, room: str = "") -> list[str]:
    """Say what in `source`, which lies in a room, is impure, one text an offence, the line first."""
    tree = ast.parse(source)
    return [
        f"{node.lineno}: {what}"
        for node, what in (*_imports(tree, front_door=front_door, room=room), *_names(tree), *_clock_strings(tree))
    ]


def _imports(tree: ast.AST, *, front_door: bool, room: str) -> Iterator[tuple[ast.stmt, str]]:
    allowed = THREE_PACKAGES | PURE_STDLIB | {"shequn"} | ({"importlib"} if front_door else set())
    never_run, run_late = _under_type_checking(tree), _inside_functions(tree)
    of_extras = OF_EXTRAS.get(room, set())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
            if node.level:
                yield node, "a relative import"
            if node.module == "shequn" and not front_door:
                yield node, "a room comes in by the front door"
        else:
            continue
        here = allowed | (FOR_TYPE_CHECKERS if node in never_run else set())
        here |= of_extras if node in never_run or node in run_late else set()
        for module in modules:
            if module.partition(".")[0] not in here:
                yield node, f"imports {module}"
            if module == "shequn" and isinstance(node, ast.Import) and not front_door:
                yield node, "a room comes in by the front door"


def _under_type_checking(tree: ast.AST) -> set[ast.AST]:
    guarded = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    return {below for node in guarded for statement in node.body for below in ast.walk(statement)}


def _inside_functions(tree: ast.AST) -> set[ast.AST]:
    return {below for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for below in ast.walk(node)}


def _names(tree: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    full_names = _imported_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if _is_forbidden(name) or alias.name in FORBIDDEN_METHODS:
                    yield node, f"uses {name}"
        elif isinstance(node, ast.Name) and node.id in FORBIDDEN_BUILTINS:
            yield node, f"uses {node.id}"
        elif isinstance(node, ast.Attribute):
            name = _dotted(node, full_names)
            if _is_forbidden(name) or node.attr in FORBIDDEN_METHODS:
                yield node, f"uses {name}"


def _imported_names(tree: ast.AST) -> dict[str, str]:
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                found[bound] = alias.name if alias.asname else bound
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def _dotted(node: ast.expr, full_names: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return full_names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, full_names)}.{node.attr}"
    return "?"


def _is_forbidden(name: str) -> bool:
    if name.startswith("numpy.random."):
        return name.split(".")[2] not in EXPLICIT_RANDOMNESS
    return name in FORBIDDEN_NAMES


def _clock_strings(tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """`np.datetime64("now")` and `np.array("today", "M8[D]")` read the clock through a string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in {"now", "today"}:
            yield node, f"the clock in a string: {node.value!r}"


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda path: str(path.relative_to(SRC)))
def test_a_source_file_is_pure(path: Path):
    room = path.relative_to(SRC).parts[0]
    assert offences(path.read_text(encoding="utf-8"), front_door=path == SRC / FRONT_DOOR, room=room) == []


@pytest.mark.parametrize(
    "impure",
    [
        "print('hello')",
        "text = open('a.csv').read()",
        "show = print",
        "answer = input()",
        "import os\nhome = os.environ['HOME']",
        "import time\nstarted = time.perf_counter()",
        "from time import monotonic",
        "import logging",
        "import socket",
        "import random",
        "import requests",
        "import pandas as pd",
        "def read():\n    import polars",
        "from pathlib import Path",
        "import pathlib as p\np.Path('a').read_text()",
        "def read(path):\n    return path.read_text()",
        "import datetime\nat = datetime.datetime.now(datetime.UTC)",
        "from datetime import datetime as dt\nat = dt.utcnow()",
        "from datetime import date\nday = date.today()",
        "import pendulum\nat = pendulum.now('UTC')",
        "from pendulum import now",
        "import pendulum as p\nat = p.today()",
        "import pendulum\nat = pendulum.parse('12:00')",
        "import pendulum\nat = pendulum.from_format('12', 'HH')",
        "from pendulum import parse as read",
        "import numpy as np\nx = np.random.random(3)",
        "import numpy as np\nnp.random.seed(1)",
        "import numpy\nx = numpy.random.normal()",
        "from numpy import random\nx = random.normal()",
        "from numpy.random import shuffle",
        "import numpy.random as r\nr.shuffle([])",
        "import numpy as np\ntable = np.loadtxt('a.csv')",
        "import numpy as np\nnp.set_printoptions(precision=2)",
        "import numpy as np\nat = np.datetime64('now')",
        "def write(array):\n    array.tofile('a.bin')",
        "import sys\nsys.stdout.write('hello')",
        "from sys import stderr",
        "import importlib",
        "import warnings\nwarnings.simplefilter('ignore')",
        "from . import errors",
        "from ..errors import ShequnError",
        "import shequn",
        "from shequn import Event",
        "exec('x = 1')",
        "from typing_extensions import override",
        "if TYPE_CHECKING:\n    import pandas as pd",
        "if not TYPE_CHECKING:\n    from typing_extensions import override",
    ],
)
def test_the_check_sees_an_impurity(impure: str):
    assert offences(impure) != []


@pytest.mark.parametrize(
    "pure",
    [
        "import numpy as np\nrng = np.random.default_rng(7)\nx = rng.normal()",
        "from numpy.random import Generator, SeedSequence",
        "import numpy as np\ndef draw(rng: np.random.Generator) -> None: ...",
        "import pendulum\nat = pendulum.datetime(2024, 1, 1, tz='UTC')",
        "from datetime import datetime, UTC\nepoch = datetime(1970, 1, 1, tzinfo=UTC)",
        "from shequn.errors import ShequnError",
        "import numpy as np\nwith np.errstate(divide='ignore'):\n    pass",
        "import warnings\nwarnings.warn('x', stacklevel=2)",
        "if TYPE_CHECKING:\n    from typing_extensions import Self",
    ],
)
def test_the_check_lets_pure_code_pass(pure: str):
    assert offences(pure) == []


def test_the_front_door_alone_may_import_by_name():
    assert offences("from importlib import import_module", front_door=True) == []


def test_what_an_extra_brings_in_is_imported_late_and_in_its_room_alone():
    late = "def draw():\n    from matplotlib.figure import Figure"
    assert offences(late, room="plot") == []
    assert offences("if TYPE_CHECKING:\n    from matplotlib.axes import Axes", room="plot") == []
    assert offences(late, room="retention") == ["2: imports matplotlib.figure"]
    assert offences("from matplotlib.figure import Figure", room="plot") == ["1: imports matplotlib.figure"]


def listen(offence: str = "none") -> tuple[int, str]:
    """Run every docstring example under an audit hook; how many ran, and what was heard."""
    command = [sys.executable, str(Path(__file__).with_name("listen_to_examples.py")), offence]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ran, _, heard = done.stdout.splitlines()[-1].partition(" ")
    return int(ran), heard


def test_running_the_examples_opens_no_file_and_no_socket_and_leaves_global_random_state_alone():
    ran, heard = listen()
    assert ran > 0
    assert heard == "[]"


@pytest.mark.parametrize(
    ("offence", "event"),
    [
        ("open", "open"),
        ("socket", "socket.__new__"),
        ("system", "os.system"),
        ("random", "random state"),
        ("numpy-random", "random state"),
    ],
)
def test_the_hook_hears_an_offence(offence: str, event: str):
    assert event in listen(offence)[1]
