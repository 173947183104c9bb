"""Do these groups keep what was asked of them? Counted anew from who is where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.table import Column, Tabular
from shequn.sharding.asking import Asked
from shequn.sharding.attributes import Aim, attribute_of
from shequn.sharding.feasibility import Requirement
from shequn.sharding.mixing import mixture_of
from shequn.sharding.shards import Shards
from shequn.sharding.spreading import cells_outside
from shequn.stats._checks import instance

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shequn.columns.table import Lang
    from shequn.labels import Label
    from shequn.sharding.attributes import Attribute, ByMember

__all__ = ["Audit", "Check", "audit"]

_CANNOT_BE = -1


class Check(NamedTuple):
    """One requirement, and what breaks it.

    Attributes
    ----------
    what : Requirement or Aim
    asked : int
        How many groups, sets or seats it is about.
    broken : int
        How many of them break it; -1 of an aim that none can break.
    first : str
        The first that does: a group and how many it has, or members and their groups; empty if none. Of an aim, the
        first group whose members are not all alike, its most common value and how many of how many have it.

    Examples
    --------
    >>> Check(what=Requirement.SIZES, asked=3, broken=0, first="").broken
    0
    """

    what: Requirement | Aim
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
        return not any(check.broken > 0 for check in self.checks)

    def _tidy(self) -> Sequence[Column]:
        names = {"what": ("asked for", "要求"), "asked": ("asked", "项数"), "broken": ("broken", "违反")}
        columns = [
            Column(
                key=key,
                en=en,
                zh=zh,
                values=[getattr(check, key) for check in self.checks],
                format="text" if key == "what" else "count",
                null=-1 if key == "broken" else None,
            )
            for key, (en, zh) in names.items()
        ]
        return [*columns, Column(key="first", en="first", zh="首例", values=[check.first for check in self.checks])]

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return self._tidy()

    def __repr__(self) -> str:
        """Show whether everything holds, or what does not."""
        broken = ", ".join(f"{check.what.en} ({check.broken:,} broken)" for check in self.checks if check.broken > 0)
        return f"Audit({broken or 'all hold'})"


def audit(
    shards: Shards,
    /,
    *,
    fixed: Mapping[Label, Label] | None = None,
    together: Iterable[Iterable[Label]] = (),
    apart: Iterable[Iterable[Label]] = (),
    spread: ByMember | None = None,
    cohere: ByMember | None = None,
) -> Audit:
    """Count anew whether groups keep what was asked: sizes and leaders, and what else is given here.

    Parameters
    ----------
    shards : Shards
    fixed : mapping of member to group, optional
        Seats that were given.
    together, apart : iterable of sets of members
        Who must share a group, and of which sets every two must not.
    spread : Assignment, mapping of member to value, or array_like, shape (n,), optional
        An attribute: groups break it that have fewer than ⌊c/k⌋ or more than ⌈c/k⌉ members of a value which c members
        have, k being the number of groups.
    cohere : Assignment, mapping of member to value, or array_like, shape (n,), optional
        An attribute of which each group should have few values. That is an aim and can't be broken, only read: see
        `mixture`.

    Returns
    -------
    Audit
        A row for each requirement. That everybody is in exactly one group needs no row: `Shards` can't say otherwise.

    Raises
    ------
    UnknownLabelError
        Somebody is no member, or a group is none.
    InvalidTypeError, InvalidValueError, MisalignedError
        An argument can't be used.

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
    if spread is not None:
        checks.append(_spread(shards, attribute_of("spread", spread, shards.members)))
    if cohere is not None:
        checks.append(_cohere(shards, attribute_of("cohere", cohere, shards.members)))
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


def _spread(shards: Shards, attribute: Attribute) -> Check:
    cells = cells_outside(shards.group.astype(np.int64), attribute, shards.n_groups)
    first = ""
    if len(cells.group):
        value = attribute.values.tolist()[int(cells.value[0])]
        first = f"{shards.groups[int(cells.group[0])]}: {_named(value)} {int(cells.held[0])}"
    return Check(Aim.SPREAD, shards.n_groups, len(np.unique(cells.group)), first)


def _cohere(shards: Shards, attribute: Attribute) -> Check:
    found = mixture_of(shards, attribute)
    mixed = np.flatnonzero(found.n_values > 1)
    first = ""
    if len(mixed):
        group = int(mixed[0])
        value = found.values[int(found.most_common[group])]
        first = f"{shards.groups[group]}: {_named(value)} {found.n_most_common[group]}/{found.sizes[group]}"
    return Check(Aim.COHERE, shards.n_groups, _CANNOT_BE, first)


def _named(value: Label | None) -> str:
    return "–" if value is None else str(value)
