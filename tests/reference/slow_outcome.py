"""The outcome of a campaign in plain Python, one row and one member at a time, from the definition."""

from __future__ import annotations

from fractions import Fraction
from statistics import mean, stdev, variance

PASSIVE = {"apply", "receive", "leave", "remove", "mute", "role"}


def slow_outcome(rows, treated, held_out, *, start, end, as_of, before=None, item=None):
    """Return counts, exact totals and the moments that intervals are made of, by arm.

    `rows`: (member, kind, at, value, item) with instants as numbers; `before`: (start, end) of the baseline.
    """
    arms = {"treated": treated} | ({} if held_out is None else {"held_out": held_out})
    own = {row[4] for row in rows}
    found = {}
    for name, members in arms.items():
        per_member = []
        for member in sorted(members):
            mine = [row for row in rows if row[0] == member and start <= row[2] < end and row[2] <= as_of]
            about = [row for row in mine if item not in own or row[4] == item]
            facts = {
                "reached": any(row[1] == "receive" for row in about),
                "participated": any(row[1] not in PASSIVE for row in about),
                "actions": sum(row[1] not in PASSIVE for row in about),
                "converted": any(row[1] == "purchase" for row in mine),
                "revenue": sum(row[3] for row in mine if row[1] == "purchase"),
            }
            if before is not None:
                past = [row for row in rows if row[0] == member and before[0] <= row[2] < before[1]]
                facts["converted_before"] = any(row[1] == "purchase" for row in past)
                facts["revenue_before"] = sum(row[3] for row in past if row[1] == "purchase")
                facts["active_before"] = sum(row[1] not in PASSIVE for row in past)
            per_member.append(facts)
        found[name] = per_member
    return found


def totals(per_member, key):
    return sum(facts[key] for facts in per_member)


def incremental(treated, held_out):
    """Return the revenue there would not have been, exactly."""
    ours, theirs = totals(treated, "revenue"), totals(held_out, "revenue")
    return ours - Fraction(theirs, len(held_out)) * len(treated)


def covariance(first, second):
    a, b = mean(first), mean(second)
    return sum((x - a) * (y - b) for x, y in zip(first, second, strict=True)) / (len(first) - 1)


def best_theta(arms, key):
    """Return the slope that leaves the least variance, by the definition of a minimum: the vertex of a parabola."""

    def noise(theta):
        return sum(
            variance([facts["revenue"] - theta * facts[key] for facts in members]) / len(members) for members in arms
        )

    low, middle, high = noise(-1.0), noise(0.0), noise(1.0)
    bend = low - 2 * middle + high
    return (low - high) / (2 * bend) if bend else 0.0


def spread(members, key, theta=0.0, other=None):
    return stdev([facts[key] - (theta * facts[other] if other else 0) for facts in members])
