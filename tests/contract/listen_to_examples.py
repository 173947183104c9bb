"""Run every docstring example of the library under an audit hook, and print how many ran and what the hook heard.

Started by `test_purity` in a process of its own, because an audit hook can't be taken off again. The argument names an
offence to commit on purpose instead, so that the hook itself can be tested, or is "none".

Everything is imported before the hook is set. What may still be opened: the zone files and their list, which `zoneinfo`
reads when a zone is first used, and modules that a dependency imports late. Examples that show the frame of another
library are left out, since that library opens files of its own.
"""

from __future__ import annotations

import os
import random
import socket
import sys
from contextlib import suppress
from doctest import DocTestParser
from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any

import numpy as np

import shequn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, ModuleType

WATCHED = ("open", "socket.", "subprocess.", "os.", "shutil.", "tempfile.", "urllib.", "time.sleep")
PEERS = ("pandas", "polars", "pyarrow", "duckdb", "chdb", "matplotlib")
OFFENCES: dict[str, Callable[[], object]] = {
    "none": lambda: None,
    "open": lambda: open(os.devnull).close(),
    "socket": lambda: socket.socket().close(),
    "system": lambda: os.system("true"),  # noqa: S605, S607
    "random": random.random,
    "numpy-random": np.random.random,
}

Script = tuple[dict[str, Any], list["CodeType"]]


def documented(module: ModuleType) -> Iterator[object]:
    for thing in vars(module).values():
        if getattr(thing, "__module__", None) == module.__name__:
            yield thing
            if isinstance(thing, type):
                yield from vars(thing).values()


def scripts() -> Iterator[Script]:
    parser = DocTestParser()
    for module in [import_module(found.name) for found in walk_packages(shequn.__path__, "shequn.")]:
        for thing in documented(module):
            text = getattr(thing, "__doc__", None)
            if isinstance(text, str) and ">>>" in text and not any(peer in text for peer in PEERS):
                yield dict(vars(module)), [compile(e.source, "<example>", "single") for e in parser.get_examples(text)]


def run(script: Script) -> None:
    namespace, lines = script
    for line in lines:
        # Whether the examples are right is checked elsewhere, and some of them show an error.
        with suppress(Exception):
            exec(line, namespace)  # noqa: S102


def random_state() -> tuple[object, bytes]:
    return random.getstate(), np.random.get_state()[1].tobytes()  # type: ignore[index]  # noqa: NPY002


def is_allowed(event: str, what: str) -> bool:
    if event in {"open", "os.listdir", "os.scandir", "os.walk"} and ("zoneinfo" in what or "tzdata" in what):
        return True
    if event == "open":
        return what.endswith((".py", ".pyc", ".so"))
    # The import system lists the folders it looks for modules in.
    return event == "os.listdir" and what.startswith(tuple(filter(None, sys.path)))


def main(offence: str) -> None:
    heard: list[tuple[str, str]] = []

    def listen(event: str, args: tuple[object, ...]) -> None:
        if event.startswith(WATCHED):
            heard.append((event, str(args[0]) if args else ""))

    ready = list(scripts()) if offence == "none" else []
    sys.displayhook = lambda _: None
    before = random_state()
    sys.addaudithook(listen)
    for script in ready:
        run(script)
    OFFENCES[offence]()
    caught = [(event, what) for event, what in heard if not is_allowed(event, what)]
    if random_state() != before:
        caught.append(("random state", "global"))
    sys.stdout.write(f"{len(ready)} {caught}\n")


if __name__ == "__main__":
    main(sys.argv[1])
