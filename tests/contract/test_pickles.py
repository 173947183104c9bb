"""What an earlier version pickled can still be loaded, and holds the same.

Each file in ``pickles`` is what `keep_pickles` wrote for one version: a specimen of every public record, and what it
held. Fields may be added; none of those that a released version had may go away or change.
"""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keep_pickles import FOLDER, STORED, held, packed, plain, unpacked
from test_public_face import public_names, stored, writeable

import shequn

ROOT = Path(__file__).parents[2]
VERSIONS = sorted(FOLDER.glob("*.json"))
KEPT = [
    pytest.param(kept["pickle"], kept["holds"], id=f"{page.stem} {name}")
    for page in VERSIONS
    for name, kept in json.loads(page.read_text(encoding="utf-8")).items()
]
FULLEST_BYTES = 300_000
PLACES = re.compile(rb"/(tmp|home|root|work|usr|Users|var|opt)/|[A-Z]:\\", flags=re.IGNORECASE)


def differences(value: Any, holds: dict[str, str]) -> list[str]:
    """The names of what an instance no longer holds as it did."""
    now = held(value)
    return [name for name, text in holds.items() if now.get(name) != text]


@pytest.mark.parametrize(("text", "holds"), KEPT)
def test_a_pickle_of_a_release_holds_what_it_held(text, holds):
    value = pickle.loads(unpacked(text))  # noqa: S301
    assert holds
    assert differences(value, holds) == []
    assert writeable(stored(value)) == []


@pytest.mark.parametrize("page", VERSIONS, ids=lambda page: page.stem)
def test_a_file_of_pickles_is_small_and_names_no_place_of_a_machine(page):
    assert page.stat().st_size < FULLEST_BYTES
    for name, kept in json.loads(page.read_text(encoding="utf-8")).items():
        assert PLACES.search(unpacked(kept["pickle"])) is None, name
    assert PLACES.search(page.read_bytes()) is None
    assert str(ROOT) not in page.read_text(encoding="utf-8")


def test_every_public_record_of_this_version_is_kept():
    page = FOLDER / f"{shequn.__version__}.json"
    if not page.exists():
        pytest.skip(f"{shequn.__version__} is not released: python tests/contract/keep_pickles.py makes its file")
    kept = json.loads(page.read_text(encoding="utf-8"))
    missing = [str(public) for public in STORED if str(public) not in kept]
    assert missing == [], "run python tests/contract/keep_pickles.py, which adds them"


def test_what_is_kept_is_still_public():
    public = {str(name) for name in public_names()}
    gone = [name for page in VERSIONS for name in json.loads(page.read_text(encoding="utf-8")) if name not in public]
    assert gone == []


# --- the check itself ---


def test_the_check_sees_a_field_that_changed_or_went_away():
    money = shequn.Money(100, "CNY")
    back = pickle.loads(unpacked(packed(money)))  # noqa: S301
    assert differences(back, held(money)) == []
    assert differences(shequn.Money(101, "CNY"), held(money)) == ["minor", "major"]
    assert differences(back, held(money) | {"scale": "2"}) == ["scale"]


def test_the_check_writes_arrays_sets_and_instants_the_same_whatever_made_them():
    assert plain(np.array([1, 2], dtype=np.int32), 1) == plain(np.array([1, 2], dtype=np.int64), 1) == "i(2,) [1, 2]"
    assert plain(np.array([0.5, np.nan]), 1) == "f(2,) [0.5, nan]"
    assert plain(np.array(["2024-01-01"], dtype="datetime64[D]"), 1) == "M(1,) [2024-01-01]"
    assert plain(frozenset({"b", "a"}), 1) == "{['a', 'b']}"
    assert plain(np.arange(100), 1).endswith("5, … 100 …, 94, 95, 96, 97, 98, 99]")
