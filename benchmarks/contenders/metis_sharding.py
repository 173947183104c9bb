"""METIS, by pymetis: k groups of about one size; of bounds it knows only how far above that one may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pymetis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn.sharding.engine.ties import Ties

# How many members a group has on average, and by how many thousandths one may be larger.
METIS_SETTINGS = {
    "k = N/33, ufactor 80": (33, 80),
    "k = N/30, ufactor 80": (30, 80),
    "k = N/30, ufactor 200": (30, 200),
}


def metis(ties: Ties, n: int, setting: str, seed: int) -> NDArray[np.int64]:
    """Return the group of each member as METIS has it; some groups may be empty."""
    members, unbalance = METIS_SETTINGS[setting]
    _, groups = pymetis.part_graph(
        max(n // members, 1),
        adjacency=pymetis.CSRAdjacency(ties.offsets, ties.neighbour),
        eweights=ties.weight,
        options=pymetis.Options(ufactor=unbalance, seed=seed),
    )
    return np.asarray(groups, dtype=np.int64)
