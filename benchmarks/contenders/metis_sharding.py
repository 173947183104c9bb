"""METIS, by pymetis: k groups of about one size; of bounds it knows only how far above that one may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pymetis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn.sharding.engine.ties import Ties

# How many members a group on average; a group is up to 8 % larger.
METIS_SETTINGS = {"k = N/33": 33, "k = N/30": 30}
_UNBALANCE = 80  # in thousandths


def metis(ties: Ties, n: int, setting: str) -> NDArray[np.int64]:
    """Return the group of each member as METIS has it; some groups may be empty."""
    _, groups = pymetis.part_graph(
        max(n // METIS_SETTINGS[setting], 1),
        adjacency=pymetis.CSRAdjacency(ties.offsets, ties.neighbour),
        eweights=ties.weight,
        options=pymetis.Options(ufactor=_UNBALANCE),
    )
    return np.asarray(groups, dtype=np.int64)
