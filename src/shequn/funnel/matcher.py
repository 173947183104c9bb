"""Which matcher does a funnel take? A log is matched part by part, whatever the order is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.funnel.anyorder import AnyOrder
from shequn.funnel.attempts import FirstAttempts, Found
from shequn.funnel.hops import Hopping, can_hop
from shequn.funnel.ordered import Ordered
from shequn.funnel.parts import for_each_part

if TYPE_CHECKING:
    from shequn.funnel.attempts import Eligible, KeyOf, Matcher
    from shequn.funnel.reading import Reading

__all__ = ["find", "find_first"]


def find(
    reading: Reading,
    eligible: Eligible,
    *,
    key_of: KeyOf | None = None,
    with_witness: bool = True,
    needs_rows: bool = False,
) -> Found:
    """Match a whole log.

    Parameters
    ----------
    key_of : callable, optional
        Tells attempts of one member apart; a group is then a member and a key.
    with_witness : bool
        Whether rows and instants are wanted, or levels alone.
    needs_rows : bool
        Whether `key_of` looks at rows.
    """
    matcher = _matcher_of(reading)(reading, eligible, key_of, with_witness)
    with_rows = with_witness or needs_rows or matcher.needs_rows
    parts = for_each_part(reading, matcher.match, with_rows=with_rows, wanted=matcher.wanted)
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        nowhere = np.zeros((0, reading.n_steps), dtype=np.int64)
        return Found(none, none, none.astype(np.int16), nowhere, nowhere)
    return Found(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def find_first(reading: Reading, eligible: Eligible, *, with_rows: bool = False) -> FirstAttempts:
    """Return the first attempt of each member that counts, over a whole log that has rows."""
    matcher = _matcher_of(reading)(reading, eligible, None, False)
    parts = for_each_part(
        reading,
        matcher.first,
        with_rows=with_rows or matcher.needs_rows,
        wanted="attempts" if matcher.wanted == "pairs" else matcher.wanted,
    )
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return FirstAttempts(none, none.astype(np.int16), none, none, none)
    return FirstAttempts(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _matcher_of(reading: Reading) -> type[Matcher]:
    if reading.funnel.order == "any":
        return AnyOrder
    return Hopping if can_hop(reading) else Ordered
