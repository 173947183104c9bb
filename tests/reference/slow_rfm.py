"""Recency, frequency and money, and their scores, in plain Python from the written definition alone.

A row is (member, kind, microseconds, value). Nothing of the library is used, and nothing is fast.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction


def values(rows, members, *, kinds, as_of, within=None, days_offset_hours=None):
    """Return {member: (microseconds ago or None, times, sum)}; sums are exact fractions."""
    found = {}
    for member in members:
        mine = [
            (at, value)
            for who, kind, at, value in rows
            if who == member and kind in kinds and at <= as_of and (within is None or at > as_of - within)
        ]
        times = len(mine)
        if days_offset_hours is not None:
            zone = timezone(timedelta(hours=days_offset_hours))
            epoch = datetime(1970, 1, 1, tzinfo=UTC)
            times = len({(epoch + timedelta(microseconds=at)).astimezone(zone).date() for at, _ in mine})
        ago = as_of - max(at for at, _ in mine) if mine else None
        found[member] = ago, times, sum((Fraction(value) for _, value in mine), Fraction(0))
    return found


def score(goodness, everybody, bins, ties):
    """Return floor(bins × #(worse) / n) + 1 of one among everybody."""
    n = len(everybody)
    strictly = sum(other < goodness for other in everybody)
    at_most = sum(other <= goodness for other in everybody)
    first, last = strictly, at_most - 1  # places of the equal ones, from the worst, counted from 0
    worse = {"value-left": Fraction(first), "value-right": Fraction(last), "midrank": Fraction(first + last, 2)}[ties]
    return bins * worse // n + 1


def scores(found, bins, ties, *, nested=False):
    """Return {member: (r, f, m)}; (0, 0, 0) without a row."""
    there = {member: (-ago, times, much) for member, (ago, times, much) in found.items() if ago is not None}

    def score_of(axis, member, among):
        return score(there[member][axis], [there[other][axis] for other in among], bins, ties)

    answer = dict.fromkeys(found, (0, 0, 0))
    for member in there:
        alike, mine = list(there), []
        for axis in range(3):
            mine.append(score_of(axis, member, alike))
            if nested:
                alike = [other for other in alike if score_of(axis, other, alike) == mine[-1]]
        answer[member] = tuple(mine)
    return answer
