"""The rows that every contender counts: who did what when, in 26 weeks of a community in Shanghai."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "KINDS",
    "N_WEEKS",
    "ORIGIN_S",
    "STEPS",
    "WEEK_S",
    "WORKLOADS",
    "ZONE",
    "Columns",
    "Drawn",
    "amounts",
    "columns",
    "items",
    "members_of",
]

Workload: TypeAlias = Literal["uniform", "lived-in"]
WORKLOADS: tuple[Workload, ...] = get_args(Workload)

ZONE = "Asia/Shanghai"
ORIGIN_S = 1_704_038_400  # Monday 2024-01-01T00:00 in Shanghai
WEEK_S = 7 * 86_400
N_WEEKS = 26
STEPS = ("read", "like", "reply", "post")  # of a funnel
KINDS = (*STEPS, "join", "leave", "invite", "vote")

_SPAN_S = N_WEEKS * WEEK_S
_ROWS_A_MEMBER = 20
_N_ITEMS = 100
_CHUNK = 1_000_000
_SEED = 20_240_101


class Columns(NamedTuple):
    """Columns of equal length, as small as a peer could wish for: member ids are dense, instants whole seconds."""

    member: NDArray[np.uint32]
    second: NDArray[np.uint32]  # since 1970-01-01T00:00Z
    kind: NDArray[np.uint8]  # position in KINDS


class Drawn(NamedTuple):
    """Which rows to draw: what `columns` takes."""

    workload: Workload
    n_rows: int
    n_members: int | None = None
    n_kinds: int = len(STEPS)


def members_of(n_rows: int) -> int:
    return max(n_rows // _ROWS_A_MEMBER, 1)


def columns(workload: Workload, n_rows: int, n_members: int | None = None, n_kinds: int = len(STEPS)) -> Columns:
    """Draw the rows of a workload, by default 20 a member; the same ones each time.

    A row is of any of the first `n_kinds` kinds.

    - uniform: every row is of any member in any week, in no order. Nearly everybody is active in most weeks.
    - lived-in: members join all along, are most active at first, and one in a hundred writes a third of it all; rows
      are in the order of time, as a table that is appended to has them.
    """
    rng = np.random.default_rng(_SEED)
    kind = rng.integers(n_kinds, size=n_rows, dtype=np.uint8)
    draw = _uniform if workload == "uniform" else _lived_in
    member, second = draw(rng, n_rows, members_of(n_rows) if n_members is None else n_members)
    second += np.uint32(ORIGIN_S)
    return Columns(member, second, kind)


def items(n_rows: int) -> NDArray[np.uint8]:
    """Draw for each row one of 100 items that it is about; the same ones each time."""
    return np.random.default_rng(_SEED + 1).integers(_N_ITEMS, size=n_rows, dtype=np.uint8)


def amounts(n_rows: int) -> NDArray[np.int32]:
    """Draw for each row an amount in minor units, from 1 to 1,000; the same ones each time."""
    return np.random.default_rng(_SEED + 2).integers(100, 100_001, size=n_rows, dtype=np.int32)


def _uniform(rng: np.random.Generator, n_rows: int, n_members: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    member = rng.integers(n_members, size=n_rows, dtype=np.uint32)
    return member, rng.integers(_SPAN_S, size=n_rows, dtype=np.uint32)


def _lived_in(rng: np.random.Generator, n_rows: int, n_members: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    by_rank = rng.permutation(n_members).astype(np.uint64)
    joined = rng.random(n_members) * _SPAN_S
    packed = np.empty(n_rows, dtype=np.uint64)
    for start in range(0, n_rows, _CHUNK):
        chunk = packed[start : start + _CHUNK]
        member = by_rank[(n_members * rng.random(len(chunk)) ** 4).astype(np.int64)]
        since = joined[member.astype(np.int64)]
        second = since + (_SPAN_S - since) * rng.random(len(chunk)) ** 3
        chunk[:] = second.astype(np.uint64) << np.uint64(32) | member
    packed.sort()
    return packed.astype(np.uint32), (packed >> np.uint64(32)).astype(np.uint32)
