"""Do these groups keep what was asked of them? Counted anew from who is where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.table import Column, Tabular
from shequn.sharding.asking import Asked
from shequn.sharding.feasibility import Requirement
from shequn.sharding.shards import Shards
from shequn.stats._checks import instance

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["Audit", "Check", "audit"]


class Check(NamedTuple):
    """One requirement, and what breaks it.

    Attributes
    ----------
    what : Requirement
    asked : int
        How many groups, sets or seats it is about.
    broken : int
        How many of them break it.
    first : str
        The first that does: a group and how many it has, or members and their groups; empty if none.

    Examples
    --------
    >>> Check(what=Requirement.SIZES, asked=3, broken=0, first="").broken
    0
    """

    what: Requirement
    asked: int
    broken: int
    first: str


@attrs.frozen(kw_only=True, repr=False)
class Audit(Tabular[Check]):
    """What was asked of groups, and how often it is broken; made by `audit`.

    Attributes
    ----------
    checks : tuple of Check

    Examples
    --------
    >>> Audit(checks=(Check(what=Requirement.SIZES, asked=3, broken=0, first=""),)).holds
    True
    """

    checks: tuple[Check, ...]

    _Row: ClassVar[type[Any] | None] = Check

    @property
    def holds(self) -> bool:
        """Whether nothing is broken."""
        return not any(check.broken for check in self.checks)

    def _tidy(self) -> Sequence[Column]:
        names = {"what": ("asked for", "要求"), "asked": ("asked", "项数"), "broken": ("broken", "违反")}
        columns = [
            Column(
                key=key,
                en=en,
                zh=zh,
                values=[getattr(check, key) for check in self.checks],
                format="text" if key == "what" else "count",
            )
            for key, (en, zh) in names.items()
        ]
        return [*columns, Column(key="first", en="first", zh="首例", values=[check.first for check in self.checks])]

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return self._tidy()

    def __repr__(self) -> str:
        """Show whether everything holds, or what does not."""
        broken = ", ".join(f"{check.what.en} ({check.broken:,} broken)" for check in self.checks if check.broken)
        return f"Audit({broken or 'all hold'})"


def audit(
    shards: Shards,
    /,
    *,
    fixed: Mapping[Label, Label] | None = None,
    together: Iterable[Iterable[Label]] = (),
    apart: Iterable[Iterable[Label]] = (),
) -> Audit:
    """Count anew whether groups keep what was asked: sizes and leaders, and what else is given here.

    Parameters
    ----------
    shards : Shards
    fixed : mapping of member to group, optional
        Seats that were given.
    together, apart : iterable of sets of members
        Who must share a group, and of which sets every two must not.

    Returns
    -------
    Audit
        A row for each requirement. That everybody is in exactly one group needs no row: `Shards` can't say otherwise.

    Raises
    ------
    UnknownLabelError
        Somebody is no member, or a group is none.

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> from shequn.sharding.shards import Shards
    >>> shards = Shards.of(InteractionGraph.from_ties([0, 2], [1, 3]), [0, 0, 0, 1], sizes=(2, 2))
    >>> print(audit(shards, together=[{2, 3}]))
    asked for  asked  broken  first
    ────────────────────────────────────
    sizes          2       2  0: 3
    together       1       1  2, 3: 0, 1
    """
    instance("shards", shards, Shards, expected="Shards")
    asked = Asked.of(shards.members, fixed=fixed, together=together, apart=apart)
    checks = [_sizes(shards)]
    if shards.min_leaders:
        checks.append(_leaders(shards))
    group, names = shards.group, shards.groups
    if asked.fixed:
        wanted = {member: names.code(label, argument="fixed") for member, label in asked.fixed.items()}
        wrong = [member for member, code in wanted.items() if group[member] != code]
        first = "" if not wrong else f"{shards.members[wrong[0]]}: {names[int(group[wrong[0]])]}"
        checks.append(Check(Requirement.FIXED, len(wanted), len(wrong), first))
    for what, sets in ((Requirement.TOGETHER, asked.together), (Requirement.APART, asked.apart)):
        if not sets:
            continue
        broken = [members for members in sets if _is_broken(what, group[members])]
        first = ""
        if broken:
            who = ", ".join(str(shards.members[member]) for member in broken[0])
            first = f"{who}: {', '.join(str(names[int(code)]) for code in group[broken[0]])}"
        checks.append(Check(what, len(sets), len(broken), first))
    return Audit(checks=tuple(checks))


def _is_broken(what: Requirement, codes: np.ndarray[tuple[int, ...], np.dtype[np.int32]]) -> bool:
    n_groups = len(np.unique(codes))
    return n_groups > 1 if what is Requirement.TOGETHER else n_groups < len(codes)


def _sizes(shards: Shards) -> Check:
    sizes = shards.sizes
    wrong = np.flatnonzero((sizes < shards.bounds.lo) | (sizes > shards.bounds.hi))
    first = "" if not len(wrong) else f"{shards.groups[int(wrong[0])]}: {int(sizes[wrong[0]])}"
    return Check(Requirement.SIZES, shards.n_groups, len(wrong), first)


def _leaders(shards: Shards) -> Check:
    n_leaders = shards.n_leaders
    wrong = np.flatnonzero(n_leaders < shards.min_leaders)
    first = "" if not len(wrong) else f"{shards.groups[int(wrong[0])]}: {int(n_leaders[wrong[0]])}"
    return Check(Requirement.LEADERS, shards.n_groups, len(wrong), first)
