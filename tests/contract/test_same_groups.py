"""The same ties, conditions and rng give the same groups as before: see `keep_groups`."""

from __future__ import annotations

import json

import pytest
from keep_groups import PAGE, arithmetic, fingerprint, tasks

KEPT: dict[str, dict[str, str]] = json.loads(PAGE.read_text(encoding="utf-8"))
TASKS = tasks()


def test_what_is_kept_is_what_is_compared():
    for kept in KEPT.values():
        assert set(kept) == set(TASKS)
        assert len(set(kept.values())) > 0.8 * len(kept)  # an answer that never changes would tell nothing


@pytest.mark.parametrize("name", TASKS)
def test_the_same_ties_conditions_and_rng_give_the_same_groups(name):
    kept = KEPT.get(arithmetic())
    if kept is None:
        pytest.skip("NOT COMPARED: floats come out otherwise here than where the fingerprints were kept")
    assert fingerprint(TASKS[name]) == kept[name], "another deal: intended? then keep_groups.py, and the changelog"
