"""Who brought whom, as one would tell it by hand: row by row, in plain Python."""

from __future__ import annotations

from typing import Any, NamedTuple

Row = tuple[Any, str, int, Any]
"""Member, kind, instant, target or None."""


class Told(NamedTuple):
    inviter: dict[Any, Any]
    invited: dict[Any, int]
    came: dict[Any, int]
    left_out: dict[str, int]


def slow_word_of_mouth(rows: list[Row]) -> Told:
    """Go through the invitations in order of time, and judge each."""
    came: dict[Any, tuple[int, int]] = {}
    for number, (member, kind, at, _) in sorted(enumerate(rows), key=lambda each: (each[1][2], each[0])):
        if kind == "join" and member not in came:
            came[member] = (at, number)
    first: dict[Any, Any] = {}
    left_out = dict.fromkeys(("again", "late", "premature", "to_self", "without_target"), 0)
    for _, (member, kind, at, target) in sorted(enumerate(rows), key=lambda each: (each[1][2], each[0])):
        if kind != "invite":
            continue
        if target is None:
            left_out["without_target"] += 1
        elif target == member:
            left_out["to_self"] += 1
        elif target in came and came[target][0] < at:
            left_out["late"] += 1
        elif member in came and (came[member][0] > at or (target in came and came[member] > came[target])):
            left_out["premature"] += 1
        elif target in first:
            left_out["again"] += 1
        else:
            first[target] = member
    invited: dict[Any, int] = {}
    for by in first.values():
        invited[by] = invited.get(by, 0) + 1
    return Told(
        {t: by for t, by in first.items() if t in came}, invited, {m: at for m, (at, _) in came.items()}, left_out
    )


def slow_generations(told: Told, within: int, until: int) -> list[tuple[int, int]]:
    """Count who joined long enough ago, and whom they brought in time, by generation."""

    def generation(member: Any) -> int:
        return generation(told.inviter[member]) + 1 if member in told.inviter else 0

    counts: dict[int, list[int]] = {}
    for member, at in told.came.items():
        if at <= until - within:
            level = counts.setdefault(generation(member), [0, 0])
            level[0] += 1
            level[1] += sum(by == member and told.came[new] - at < within for new, by in told.inviter.items())
    return [(*counts.get(i, (0, 0)),) for i in range(max(counts, default=-1) + 1)]


def slow_trees(members: list[Any], inviter: dict[Any, Any]) -> dict[Any, dict[str, float]]:
    """Measure each tree of at least two: walk from everybody to everybody."""

    def way(member: Any) -> list[Any]:
        return [member, *(way(inviter[member]) if member in inviter else [])]

    def distance(one: Any, other: Any) -> int:
        mine, theirs = way(one), way(other)
        return min(mine.index(m) + theirs.index(m) for m in mine if m in theirs)

    trees: dict[Any, list[Any]] = {}
    for member in members:
        trees.setdefault(way(member)[-1], []).append(member)
    found = {}
    for root, nodes in trees.items():
        if len(nodes) > 1:
            depths = [len(way(node)) - 1 for node in nodes]
            pairs = [distance(one, other) for one in nodes for other in nodes if one != other]
            found[root] = {
                "size": len(nodes),
                "depth": max(depths),
                "width": max(depths.count(depth) for depth in depths),
                "virality": sum(pairs) / len(pairs),
            }
    return found
