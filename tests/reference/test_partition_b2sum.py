"""Which part a member goes to is fixed for ever: by BLAKE2b as coreutils computes it, in every process."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from shequn.columns.partition import part_of_members
from shequn.labels import Index

# printf sann | b2sum -l 64
DIGESTS = {
    "ann": "7f8e5b1dc274c7dc",  # of "sann"
    "bo": "a209a89fd7000a03",
    "cy": "8889fdac8e6d8cde",
    "社群": "9c255d161b863a0a",
    "7": "65074522e881a131",
    7: "283a6b3a9638ea55",  # of "i7"
    -3: "8bef7fe1fd9cb636",
}


@pytest.mark.parametrize("n", [1, 2, 7, 256, 32_767, 32_768, 100_000])
@pytest.mark.parametrize("labels", [["ann", "bo", "cy", "社群", "7"], [7, -3]])
def test_the_part_is_the_digest_of_the_label_and_its_type_modulo_n(labels, n):
    expected = [int.from_bytes(bytes.fromhex(DIGESTS[label]), "little") % n for label in labels]
    assert part_of_members(Index(labels), n).tolist() == expected


def test_the_same_members_go_to_the_same_parts_in_another_process():
    labels = [f"用户{i}" for i in range(50)]
    code = (
        "from shequn.columns import EventLog\n"
        "labels = [f'用户{i}' for i in range(50)]\n"
        "log = EventLog.from_columns(member=labels[::-1], kind='post', at=[0] * 50, time_unit='s')\n"
        "print(*[int(l[2:]) for part in log.partition(5) for l in sorted(part.members)], sep=' ')\n"
    )
    parts = part_of_members(Index(labels), 5)
    here = [int(label[2:]) for part in range(5) for label in sorted(np.array(labels)[parts == part].tolist())]
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        assert [int(number) for number in run.stdout.split()] == here


def test_members_spread_evenly():
    sizes = np.bincount(part_of_members(Index([f"u{i}" for i in range(10_000)]), 10), minlength=10)
    assert sizes.min() > 900
    assert sizes.max() < 1100
