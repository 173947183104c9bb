"""Lifecycle in plain Python, from the written definitions alone: sets, loops and no NumPy."""

from __future__ import annotations

import math

GERMINATION, GROWTH, ACTIVE, DECLINE, DORMANCY = range(5)


def measures(members, active, messages):
    """Growth, activity and active share of each period."""
    found = []
    for p, (m, a, q) in enumerate(zip(members, active, messages, strict=True)):
        there = max(m, a, 1)
        if p == 0:
            growth = math.nan
        elif m == members[p - 1] == 0:
            growth = 0.0
        elif m == 0:
            growth = -math.inf
        elif members[p - 1] == 0:
            growth = math.inf
        else:
            growth = math.log(m) - math.log(members[p - 1])
        found.append((m, growth, q / there, a / there))
    return found


def inside(values, band):
    """Whether each value is inside a band, given whether the one before was."""
    found, was = [], False
    for value in values:
        was = value >= (band.leave if was else band.enter)
        found.append(was)
    return found


def conditions(measured, policy):
    """What holds in each period, as a dict of lists."""
    sized = inside([m[0] for m in measured], policy.size)
    growing = inside([m[1] for m in measured], policy.growth)
    active = inside([m[2] for m in measured], policy.activity)
    shared = inside([m[3] for m in measured], policy.active_share)
    awake = inside([m[2] for m in measured], policy.awake)
    known = [not math.isnan(m[1]) for m in measured]
    n = range(len(measured))
    lively = [active[p] and shared[p] for p in n]
    return {
        "sized": sized,
        "lively": lively,
        "silent": [known[p] and not growing[p] and not awake[p] for p in n],
        "weak": [known[p] and not growing[p] and not lively[p] for p in n],
        "settled": [known[p] and not growing[p] and lively[p] for p in n],
        "growing": growing,
    }


def stage_codes(measured, policy, start=GERMINATION):
    """The stage of each period: each rule looks back as far as it has to."""
    holds = conditions(measured, policy)

    def for_long(p, hold, *names):
        return p + 1 >= hold and all(holds[name][q] for name in names for q in range(p + 1 - hold, p + 1))

    stage, found = start, []
    for p in range(len(measured)):
        if stage in (DECLINE, DORMANCY) and for_long(p, policy.revival_hold, "lively"):
            stage = ACTIVE
        elif stage != DORMANCY and for_long(p, policy.dormancy_hold, "silent"):
            stage = DORMANCY
        elif (stage in (GROWTH, ACTIVE) and for_long(p, policy.decline_hold, "weak")) or (
            stage == GERMINATION and for_long(p, policy.decline_hold, "weak", "sized")
        ):
            stage = DECLINE
        elif (stage == GROWTH and for_long(p, policy.active_hold, "settled")) or (
            stage == GERMINATION and for_long(p, policy.active_hold, "settled", "sized")
        ):
            stage = ACTIVE
        elif stage == GERMINATION and for_long(p, policy.growth_hold, "growing", "sized"):
            stage = GROWTH
        found.append(stage)
    return found


def ahead(measured, policy, start, trend, within):
    """Stage and number of periods of the next change, going on by the mean change of the last periods; or None."""
    recent = []
    for m in reversed(measured):
        if len(recent) > trend or not math.isfinite(m[1]):
            break
        recent.insert(0, m)
    if len(recent) < 2:
        return None
    rates = [(recent[-1][i] - recent[0][i]) / (len(recent) - 1) for i in range(4)]
    longer, size = list(measured), recent[-1][0]
    for j in range(1, within + 1):
        growth = recent[-1][1] + j * rates[1]
        size = min(size * math.exp(min(growth, 700.0)), 1e300)
        activity = max(recent[-1][2] + j * rates[2], 0.0)
        longer.append((size, growth, activity, min(max(recent[-1][3] + j * rates[3], 0.0), 1.0)))
    codes = stage_codes(longer, policy, start)
    now = codes[len(measured) - 1]
    for j in range(within):
        if codes[len(measured) + j] != now:
            return codes[len(measured) + j], j + 1
    return None
