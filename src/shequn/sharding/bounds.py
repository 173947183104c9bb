"""Between which sizes must every group lie, and which numbers of groups does that leave?"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING

from shequn.entities.size import SizeBand
from shequn.errors import InvalidTypeError, InvalidValueError, counted, message
from shequn.stats._checks import items_of, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["counts_of_groups", "member_count", "size_band", "why_no_count", "why_no_count_zh"]

_MOST_MEMBERS = 2**31 - 1  # codes are int32


def size_band(argument: str, sizes: SizeBand | Sequence[int]) -> SizeBand:
    """Return the fewest and the most members of a group as a SizeBand; a pair of integers is taken too.

    Examples
    --------
    >>> size_band("sizes", (26, 36))
    SizeBand(lo=26, hi=36)
    """
    if isinstance(sizes, SizeBand):
        if sizes.hi > _MOST_MEMBERS:
            raise InvalidValueError(message(argument, "groups of less than 2**31 members", sizes))
        return sizes
    expected = "the fewest and the most members of a group, such as (26, 36)"
    ends = items_of(argument, sizes, expected=expected)
    if len(ends) != 2 or isinstance(sizes, Set | Mapping):  # noqa: PLR2004  (neither says which of the two comes first)
        raise InvalidTypeError(message(argument, expected, sizes))
    lo, hi = (whole(argument, end) for end in ends)
    if not 1 <= lo <= hi <= _MOST_MEMBERS:
        raise InvalidValueError(message(argument, expected + ", 1 <= fewest <= most < 2**31", (lo, hi)))
    return SizeBand(lo, hi)


def member_count(argument: str, n: int) -> int:
    """Return a number of members as a Python int.

    Examples
    --------
    >>> member_count("n_members", 1_000)
    1000
    """
    members = whole(argument, n)
    if not 0 <= members <= _MOST_MEMBERS:
        raise InvalidValueError(message(argument, "a number of members in [0, 2**31)", members))
    return members


def counts_of_groups(n_members: int, band: SizeBand) -> range:
    """Return the k for which `n_members` can be dealt into k groups within the band: ``k lo <= n <= k hi``.

    Examples
    --------
    >>> counts_of_groups(100, SizeBand(26, 36)), len(counts_of_groups(40, SizeBand(26, 36)))
    (range(3, 4), 0)
    """
    return range(-(-n_members // band.hi), n_members // band.lo + 1)


def why_no_count(n_members: int, band: SizeBand) -> str:
    """Say why no number of groups fits, where none does.

    Examples
    --------
    >>> why_no_count(40, SizeBand(26, 36))
    'no number of groups k has 26 k <= 40 <= 36 k: 1 group holds at most 36, and 2 groups need at least 52'
    """
    most = n_members // band.lo
    text = f"no number of groups k has {band.lo:,} k <= {n_members:,} <= {band.hi:,} k: "
    needs = f"{counted(most + 1, 'group')} at least {(most + 1) * band.lo:,}"
    if not most:
        return text + needs.replace(" at", " needs at", 1)
    return (
        text
        + f"{counted(most, 'group')} hold{'s' * (most == 1)} at most {most * band.hi:,}, and "
        + needs.replace(" at", " need at", 1)
    )


def why_no_count_zh(n_members: int, band: SizeBand) -> str:
    """Say in Chinese why no number of groups fits, where none does.

    Examples
    --------
    >>> why_no_count_zh(40, SizeBand(26, 36))
    '没有群数 k 能满足 26 k ≤ 40 ≤ 36 k：1 个群最多容纳 36 人，2 个群至少需要 52 人'
    """
    most = n_members // band.lo
    text = f"没有群数 k 能满足 {band.lo:,} k ≤ {n_members:,} ≤ {band.hi:,} k："
    holds = f"{most:,} 个群最多容纳 {most * band.hi:,} 人，" if most else ""
    return f"{text}{holds}{most + 1:,} 个群至少需要 {(most + 1) * band.lo:,} 人"
