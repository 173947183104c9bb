"""Keep a pickle of one specimen of every public record: ``python tests/contract/keep_pickles.py [--afresh]``.

The specimens are those that the docstring examples make, as in `test_public_face`. They are written to
``pickles/<version>.json``, each with what it held in plain words, and stay there: a later version must load them and
find the same (`test_pickles`). What the file of this version holds already is left as it is, unless ``--afresh``, which
is for a version that is not released yet.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import pickle
import sys
import zlib
from collections.abc import Callable, Mapping, Set
from contextlib import redirect_stdout, suppress
from enum import Enum
from io import StringIO
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from test_public_face import HOLDERS, computed, run_examples, slots_of

import shequn

FOLDER = Path(__file__).with_name("pickles")
# Python 3.11 and NumPy 2.0 read it, and a file of protocol 4 is the same whoever owns the memory of an array.
PROTOCOL = 4
LARGEST_PICKLE = 2_000
# A plan travels between processes of one version, and names functions that are nobody else's.
STORED = [public for public in HOLDERS if str(public) != "shequn.interop.engines.Plan"]
DEEPEST = 3
LONGEST = 12


def main(arguments: list[str]) -> None:
    page = FOLDER / f"{shequn.__version__}.json"
    kept = json.loads(page.read_text(encoding="utf-8")) if page.exists() and "--afresh" not in arguments else {}
    for name, specimen in specimens().items():
        if name not in kept:
            kept[name] = {
                "pickle": packed(specimen),
                "holds": held(specimen),
            }
    FOLDER.mkdir(exist_ok=True)
    lines = [f"{json.dumps(name)}: {json.dumps(kept[name], ensure_ascii=False)}" for name in sorted(kept)]
    page.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    sys.stdout.write(f"{page.name}: {len(kept)} records, {page.stat().st_size:,} bytes\n")


def specimens() -> dict[str, Any]:
    """One instance of each public class, by its public name: the one that holds most and is not large."""
    found: dict[type, list[Any]] = {public.thing: [] for public in STORED}

    def keep(value: object) -> None:
        if type(value) in found and not any(value is other for other in found[type(value)]):
            found[type(value)].append(value)

    with redirect_stdout(StringIO()):
        run_examples(keep, lambda _frame, event, value: keep(value) if event == "return" else None)
    return {str(public): telling(found[public.thing]) for public in STORED if found[public.thing]}


def packed(value: Any) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(value, protocol=PROTOCOL), 9)).decode("ascii")


def unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


def telling(instances: list[Any]) -> Any:
    sized = sorted(((len(pickle.dumps(each, protocol=PROTOCOL)), n) for n, each in enumerate(instances)))
    fitting = [pair for pair in sized if pair[0] <= LARGEST_PICKLE] or sized[:1]
    return instances[fitting[-1][1]]


def held(value: Any) -> dict[str, str]:
    """What the public fields and properties of an instance hold, each as a line of text."""
    return {name: plain(part, DEEPEST) for name, part in public_parts(value).items()}


def public_parts(value: Any) -> dict[str, Any]:
    names = [field.name for field in attrs.fields(type(value))] if attrs.has(type(value)) else []
    names += [name for cls in type(value).__mro__ for name in slots_of(cls)]
    found = {}
    for name in names:
        with suppress(AttributeError):  # a slot that is filled when it is asked for
            found[name] = getattr(value, name)
    return {name: part for name, part in (found | computed(value)).items() if not name.startswith("_")}


def plain(value: Any, deeper: int) -> str:
    """Write a value so that neither the version of NumPy nor the order of a set shows; long ones by their ends."""
    if isinstance(value, np.generic):
        value = value.item()
    for kind, write in WRITERS.items():
        if isinstance(value, kind):
            return write(value, deeper)
    if type(value).__module__.startswith("shequn"):
        return parts_of(value, deeper)
    return listed(value, deeper) if isinstance(value, tuple | list) else repr(value)


def array(value: Any, deeper: int) -> str:
    cells = value.astype(str) if value.dtype.kind in "mM" else value
    return f"{value.dtype.kind}{value.shape} {listed(cells.ravel().tolist(), deeper)}"


def mapping(value: Any, deeper: int) -> str:
    return "{" + listed([f"{plain(k, deeper)}: {plain(v, deeper)}" for k, v in value.items()], deeper) + "}"


def parts_of(value: Any, deeper: int) -> str:
    parts = public_parts(value).items() if deeper else ()
    return f"{type(value).__name__}({', '.join(f'{name}={plain(part, deeper - 1)}' for name, part in parts)})"


def listed(values: Any, deeper: int) -> str:
    texts = [value if isinstance(value, str) else plain(value, deeper) for value in values]
    if len(texts) > LONGEST:
        half = LONGEST // 2
        texts = [*texts[:half], f"… {len(texts)} …", *texts[-half:]]
    return f"[{', '.join(texts)}]"


# The first that fits: a taxonomy may be a str, and an instant is a date.
WRITERS: dict[type, Callable[[Any, int], str]] = {
    np.ndarray: array,
    Enum: lambda value, _: f"{type(value).__name__}.{value.name}",
    float: lambda value, _: f"{value:.12g}",  # the last bits of what a property computes are NumPy's
    dt.datetime: lambda value, _: f"{value.isoformat()} {getattr(value.tzinfo, 'name', value.tzinfo)}",
    dt.timedelta: lambda value, _: f"{value.total_seconds()} s",
    dt.date: lambda value, _: value.isoformat(),
    Mapping: mapping,
    Set: lambda value, deeper: "{" + listed(sorted(plain(item, deeper) for item in value), deeper) + "}",
}


if __name__ == "__main__":
    main(sys.argv[1:])
