"""Which group does a member go to when nothing is known but the name, and who moves when a group is added?

Rendezvous hashing: every pair of a member and a group has a score that depends on their two labels alone, and a member
wants the group of the highest score. Here groups are full at some size, and of the members who want a seat the highest
scores get it; the others want their next group. That is the stable matching of members and groups by score, of which
there is one, whatever the order in which members come.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.columns.halves import in_halves
from shequn.errors import InvalidTypeError, InvalidValueError, counted, message
from shequn.labels import Assignment, Index
from shequn.sharding.bounds import counts_of_groups, size_band
from shequn.stats._checks import instance, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shequn._typing import IntArray
    from shequn.entities.size import SizeBand

__all__ = ["hash_shards", "label_hashes"]

_BLOCK = 1 << 16  # scores at a time, so that they stay in the cache
_MANY_SCORES = 1 << 22  # from here on two threads are faster than one
_MIX_1, _MIX_2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_SHIFT, _ONE = np.uint64(32), np.uint64(1)
_TEXT, _NUMBER = np.uint64(0x5445585400000000), np.uint64(0x4E554D4200000000)
_WORD = 8


def hash_shards(
    members: Index,
    groups: Index,
    /,
    *,
    bounds: SizeBand | Sequence[int] | None = None,
    load: float | None = None,
) -> Assignment:
    """Deal members to groups by their labels alone, none fuller than it may be.

    For communities without ties to go by. The same members and groups give the same answer in any order, in every
    process, for ever.

    Parameters
    ----------
    members : Index
        The n members.
    groups : Index
        The k groups.
    bounds : SizeBand or pair of int, optional
        The fewest and the most members of a group.
    load : float, optional
        Instead of bounds: no group has more than this multiple of the mean size, rounded up; 1 or more, such as 1.25.

    Returns
    -------
    Assignment
        The group of each member.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        Not exactly one of `bounds` and `load` is given, or the members do not fit into so many groups.

    Notes
    -----
    A stable matching of members and groups by score, with as many seats in a group as it may have. When a group is
    added and the seats of the others stay as they are, nobody goes to a group with a lower score: members go to the new
    group, or to a seat of an old one that was given up for a better one. Where no group is full only the new group
    takes members, on average n / (k + 1), the fewest that even groups allow.

    With lower bounds the matching is made twice, first for the `lo` seats that every group must fill, then for the
    others. Every member meets every group at least once: time grows with n k, 10⁸ scores taking about half a second.

    References
    ----------
    Thaler and Ravishankar (1998), Using name-based mappings to increase hit rates, doi:10.1109/90.663936.
    Mirrokni, Thorup and Zadimoghaddam (2018), Consistent hashing with bounded loads, doi:10.1137/1.9781611975031.39.

    Examples
    --------
    >>> members, groups = Index([f"u{number}" for number in range(100)]), Index(["一群", "二群", "三群"])
    >>> hash_shards(members, groups, bounds=(26, 36)).sizes()
    {'一群': 32, '二群': 35, '三群': 33}
    >>> hash_shards(members, groups, load=1.25).of("u7")
    '一群'
    """
    instance("members", members, Index, expected="an Index of members")
    instance("groups", groups, Index, expected="an Index of groups")
    if (bounds is None) is (load is None):
        raise InvalidTypeError(message("bounds", "either bounds or a load", (bounds, load)))
    n, k = len(members), len(groups)
    # Mixed once more, or a member and a group of the same label would cancel out.
    scores = _Scores(label_hashes(members), _mixed(label_hashes(groups) + _STEP))
    if bounds is None:
        codes = _matched(scores, np.arange(n), _seats(n, k, load))
        return Assignment(members=members, codes=codes, segments=groups)
    band = size_band("bounds", bounds)
    if k not in counts_of_groups(n, band):
        expected = f"a number of groups k with {band.lo:,} k <= {n:,} <= {band.hi:,} k"
        raise InvalidValueError(message("groups", expected, k) + (" group" if k == 1 else " groups"))
    codes = _matched(scores, np.arange(n), band.lo)
    waiting = np.flatnonzero(codes < 0)
    codes[waiting] = _matched(scores, waiting, band.hi - band.lo)
    return Assignment(members=members, codes=codes, segments=groups)


def label_hashes(labels: Index, /) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each label, the same in every process; 7 and "7" differ.

    Parameters
    ----------
    labels : Index
        n labels.

    Returns
    -------
    ndarray of uint64, shape (n,)

    Notes
    -----
    The words of eight bytes of a label's UTF-8 are mixed in one after the other, and then its length; an integer is one
    word. The mixing is the finaliser of MurmurHash3.

    Examples
    --------
    >>> label_hashes(Index(["ann", "bo"])).tolist()
    [11976467451575317812, 9081767848658768930]
    """
    if not labels.is_text:
        return _mixed(_mixed(labels.labels.view(np.uint64) + _STEP) ^ _NUMBER)
    texts = [label.encode("utf-8", "surrogatepass") for label in labels.labels.tolist()]
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    n_words = -(-lengths // _WORD)
    padded = b"".join(text + b"\0" * (-len(text) % _WORD) for text in texts)
    words = np.frombuffer(padded, dtype="<u8").astype(np.uint64)
    first = np.cumsum(n_words) - n_words
    found = _mixed(lengths.astype(np.uint64) ^ _TEXT)
    # Round j mixes in the j-th words; the labels that have so many are a shrinking head of those sorted by length.
    by_length = np.argsort(-n_words, kind="stable")
    longer = len(texts) - np.searchsorted(np.sort(n_words), np.arange(int(n_words.max(initial=0))), side="right")
    for turn, count in enumerate(longer.tolist()):
        rows = by_length[:count]
        found[rows] = _mixed((found[rows] + _STEP) ^ _mixed(words[first[rows] + turn]))
    return found


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return each number with every bit depending on all of its bits."""
    mixed = numbers ^ (numbers >> np.uint64(33))
    mixed *= _MIX_1
    mixed ^= mixed >> np.uint64(33)
    mixed *= _MIX_2
    mixed ^= mixed >> np.uint64(33)
    return mixed


def _seats(n: int, k: int, load: Any) -> int:  # noqa: ANN401
    """Return the most members of a group under a load."""
    factor = plain(load)
    if isinstance(factor, bool) or not isinstance(factor, int | float | Fraction):
        raise InvalidTypeError(message("load", "a number of 1 or more", load))
    if not 1 <= factor < math.inf:
        raise InvalidValueError(message("load", "a finite number of 1 or more", load))
    if not k and n:
        raise InvalidValueError(message("groups", f"a group for {counted(n, 'member')}", k) + " groups")
    # A load of 1.1 means eleven tenths, not the float that comes next to it.
    exact = Fraction(str(factor)) if isinstance(factor, float) else Fraction(factor)
    return min(n, math.ceil(exact * n / k)) if n else 0


class _Scores:
    """The score of each pair of a member and a group, made when it is asked for."""

    def __init__(self, members: NDArray[np.uint64], groups: NDArray[np.uint64]) -> None:
        self.members = members
        self.groups = groups

    def best(self, rows: IntArray, floors: NDArray[np.uint64]) -> tuple[IntArray, NDArray[np.uint64]]:
        """Return for each member the group with the highest score that is not below the group's floor, and the score.

        Where all groups are out of reach the score is 0.
        """
        group, score = np.empty(len(rows), dtype=np.int64), np.empty(len(rows), dtype=np.uint64)
        k = len(self.groups)
        step = max(_BLOCK // max(k, 1), 1)
        all_open = not (floors > _ONE).any()

        def look(part: range) -> None:
            # Every step writes to the same memory: fetching new pages would take longer than the arithmetic.
            scores, shifted = np.empty((2, step, k), dtype=np.uint64)
            for start in range(part.start, part.stop, step):
                block = slice(start, min(start + step, part.stop))
                found = self._of(rows[block], scores, shifted)
                if not all_open:
                    found *= found >= floors
                group[block] = found.argmax(axis=1)
                score[block] = np.take_along_axis(found, group[block, None], axis=1)[:, 0]

        in_halves(len(rows), look, many=max(_MANY_SCORES // max(k, 1), 2))
        return group, score

    def _of(self, rows: IntArray, scores: NDArray[np.uint64], shifted: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the scores of some members, shape (len(rows), k), in the memory given."""
        scores, shifted = scores[: len(rows)], shifted[: len(rows)]
        np.bitwise_xor(self.members[rows, None], self.groups, out=scores)
        for factor in (_MIX_1, _MIX_2):
            scores *= factor
            np.right_shift(scores, _SHIFT, out=shifted)
            scores ^= shifted
        scores |= _ONE  # 0 stands for out of reach
        return scores


def _matched(scores: _Scores, rows: IntArray, seats: int) -> IntArray:
    """Return the group of each of some members where every group has so many seats, -1 for those without one.

    Members ask for their best group that would have them; a group that is full keeps the highest scores and has from
    then on a floor below which nobody need ask.
    """
    k = len(scores.groups)
    found = np.full(len(rows), -1, dtype=np.int64)
    held = np.zeros(len(rows), dtype=np.uint64)
    floors = np.ones(k, dtype=np.uint64)
    waiting = np.arange(len(rows))
    while len(waiting) and k and seats:
        group, score = scores.best(rows[waiting], floors)
        can_sit = score > 0
        waiting, group, score = waiting[can_sit], group[can_sit], score[can_sit]
        found[waiting], held[waiting] = group, score
        asked = np.zeros(k, dtype=np.bool_)
        asked[group] = True
        seated = np.flatnonzero((found >= 0) & asked[found])
        order = seated[np.lexsort((~held[seated], found[seated]))]
        of_group = found[order]
        place = np.arange(len(order)) - np.searchsorted(of_group, of_group)
        is_last = place == seats - 1
        floors[of_group[is_last]] = held[order[is_last]]
        waiting = order[place >= seats]
        found[waiting] = -1
    return found
