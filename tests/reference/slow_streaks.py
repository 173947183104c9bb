"""Streaks and first check-ins from their definitions, one row and one day at a time."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def local_date(at_us: int, tz: str) -> dt.date:
    return (EPOCH + dt.timedelta(microseconds=at_us)).astimezone(ZoneInfo(tz)).date()


def days_of(rows, tz: str, as_of_us: int) -> dict:
    """The local dates on which each member checked in, by the instant of the question; rows are (member, at_us)."""
    found: dict = {}
    for member, at_us in rows:
        if at_us <= as_of_us:
            found.setdefault(member, set()).add(local_date(at_us, tz))
    return found


def streak(days: set, today: dt.date, grace: int, weekdays: set[int]) -> tuple[int, int, int, int] | None:
    """(current, longest, days, expected), walking from the first day to today."""
    used = {day for day in days if day.weekday() in weekdays and day <= today}
    if not used:
        return None
    length = longest = missed = expected = 0
    day = min(used)
    while day <= today:
        if day.weekday() in weekdays:
            if day in used:
                length = length + 1 if missed <= grace else 1
                longest, missed, expected = max(longest, length), 0, expected + 1
            elif day < today:  # today isn't over, and so isn't missed
                missed, expected = missed + 1, expected + 1
        day += dt.timedelta(days=1)
    return (length if missed <= grace else 0, longest, len(used), expected)


def peer_counts(rows, tz: str, as_of_us: int, cuts: tuple[int, ...], segment) -> tuple[list[int], list[int]]:
    """(member-days, first check-ins) by bin; rows are (member, at_us, is_check_in), segment maps members to a group."""
    known = [(member, local_date(at_us, tz), used) for member, at_us, used in rows if at_us <= as_of_us]
    known = [row for row in known if segment.get(row[0]) is not None]
    member_days, firsts = [0] * (len(cuts) + 1), [0] * (len(cuts) + 1)
    if not known:
        return member_days, firsts
    low, today = min(day for _, day, _ in known), local_date(as_of_us, tz)
    for member in {member for member, _, _ in known}:
        own = {day for who, day, used in known if who == member and used}
        day = max(min(day for who, day, _ in known if who == member), low + dt.timedelta(days=1))
        while day < today and not any(done < day for done in own):
            before = day - dt.timedelta(days=1)
            peers = {who for who, at, used in known if used and at == before and segment[who] == segment[member]}
            bin_ = sum(len(peers) >= cut for cut in cuts)
            member_days[bin_] += 1
            firsts[bin_] += day in own
            day += dt.timedelta(days=1)
    return member_days, firsts
