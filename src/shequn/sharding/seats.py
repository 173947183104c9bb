"""Who must be seated with whom: which members make one block, which blocks have a seat, and which may not meet?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.sharding.packing_search import Block, Problem

if TYPE_CHECKING:
    from shequn._typing import BoolArray
    from shequn.entities.size import SizeBand
    from shequn.labels import Label
    from shequn.sharding.asking import Asked

__all__ = ["Seats"]


class Seats:
    """Blocks of members who sit together, the seats given before, and who may not meet.

    Attributes
    ----------
    blocks : list of Block
    held : list of list of int
        The members of each block.
    group_of : dict of int to label
        The group of each block that has a seat.
    clash : (label, label) or None
        Two groups in which members who must be together have seats.
    met : (int, int) or None
        Two members who must be together, and may not.
    widest : int
        The most blocks that may not meet each other.
    n_leaders : int

    Examples
    --------
    >>> from shequn.sharding.asking import Asked
    >>> Seats(Asked(fixed={2: "一群"}, together=[[0, 1]], apart=[]), 0).held
    [[0, 1], [2]]
    """

    def __init__(self, asked: Asked, can_lead: int | BoolArray) -> None:
        parent: dict[int, int] = {member: member for members in (*asked.together, *asked.apart) for member in members}
        parent |= {member: member for member in asked.fixed}

        def root(member: int) -> int:
            while parent[member] != member:
                parent[member] = parent[parent[member]]
                member = parent[member]
            return member

        first_in: dict[Label, int] = {}
        for member, group in asked.fixed.items():
            parent[root(member)] = root(first_in.setdefault(group, member))
        # Before sets are joined to them, seats of different groups are different blocks.
        self.clash: tuple[Label, Label] | None = None
        group_of = {root(member): group for group, member in first_in.items()}
        for members in asked.together:
            for member in members[1:]:
                a, b = root(members[0]), root(member)
                if a == b:
                    continue
                if a in group_of and b in group_of:
                    self.clash = self.clash or (group_of[a], group_of[b])
                parent[b] = a
                if b in group_of:
                    group_of[a] = group_of.pop(b)
        held: dict[int, list[int]] = {}
        for member in parent:
            held.setdefault(root(member), []).append(member)
        self.n_leaders: int = int(can_lead.sum()) if isinstance(can_lead, np.ndarray) else can_lead
        is_leader = can_lead if isinstance(can_lead, np.ndarray) else None
        names = list(held)
        at = {name: place for place, name in enumerate(names)}
        meets: list[set[int]] = [set() for _ in names]
        self.met: tuple[int, int] | None = None
        self.widest: int = 1
        for members in asked.apart:
            blocks = [at[root(member)] for member in members]
            self.met = self.met or _same_block(members, blocks)
            self.widest = max(self.widest, len(set(blocks)))
            for block in blocks:
                meets[block].update(blocks)
        self.blocks: list[Block] = [
            Block(
                size=len(held[name]),
                leaders=0 if is_leader is None else int(is_leader[held[name]].sum()),
                is_seated=name in group_of,
                apart=frozenset(meets[place] - {place}),
            )
            for place, name in enumerate(names)
        ]
        self.held: list[list[int]] = [held[name] for name in names]
        self.group_of: dict[int, Label] = {at[name]: group for name, group in group_of.items()}

    def problem(self, n_members: int, band: SizeBand, min_leaders: int, /) -> Problem:
        """Return what a deal of the blocks must meet."""
        n_free_leaders = self.n_leaders - sum(block.leaders for block in self.blocks)
        return Problem(n_members, band.lo, band.hi, min_leaders, n_free_leaders, tuple(self.blocks))


def _same_block(members: list[int], blocks: list[int]) -> tuple[int, int] | None:
    """Return two members who may not meet and must be together."""
    seen: dict[int, int] = {}
    for member, block in zip(members, blocks, strict=True):
        if block in seen:
            return seen[block], member
        seen[block] = member
    return None
