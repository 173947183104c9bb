"""Layers member by member, in plain Python from their definitions: slow, and easy to check by eye."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable


class Row(NamedTuple):
    member: int
    kind: str
    at: dt.datetime


PASSIVE = {"receive", "leave", "remove", "mute", "role"}
VOICE = {"post", "reply", "ask", "like", "repost", "check_in", "invite"}
DAY = dt.timedelta(days=1)


def behaviour(
    member: int,
    rows: Iterable[Row],
    *,
    as_of: dt.datetime,
    tz: str,
    within: dt.timedelta = 30 * DAY,
    idle_after: dt.timedelta | None = None,
    min_days: int = 2,
    active: set[str] | None = None,
) -> str:
    idle_after = within if idle_after is None else idle_after

    def is_active(kind: str) -> bool:
        return kind not in PASSIVE if active is None else kind in active

    known = [row for row in rows if row.member == member and row.at <= as_of]
    window = [row for row in known if row.at > as_of - within]
    days = {row.at.astimezone(ZoneInfo(tz)).date() for row in window if is_active(row.kind)}
    if len(days) >= min_days or any(row.kind == "purchase" for row in window):
        return "active"
    alive = [row for row in known if row.at > as_of - idle_after]
    if any(is_active(row.kind) or row.kind in {"read", "click", "join"} for row in alive):
        return "potential"
    return "silent"


def posture(
    member: int,
    rows: Iterable[Row],
    *,
    as_of: dt.datetime,
    tz: str,
    within: dt.timedelta = 30 * DAY,
    core: int = 12,
    regular: int = 4,
) -> str:
    known = [row for row in rows if row.member == member and row.at <= as_of]
    mutes = [row.at for row in known if row.kind == "mute"]
    if mutes and not any(row.at > max(mutes) for row in known if row.kind in VOICE | {"read", "click"}):
        return "muted"
    window = [row for row in known if row.at > as_of - within]
    days = len({row.at.astimezone(ZoneInfo(tz)).date() for row in window if row.kind in VOICE})
    if days:
        return "core" if days >= core else "regular" if days >= regular else "occasional"
    return "lurker" if any(row.kind in {"read", "click"} for row in window) else "cold"


def value(contributions: list[int | Fraction | None], shares: tuple[Fraction, Fraction]) -> list[str | None]:
    whole = sum(c for c in contributions if c is not None and c > 0)
    layers: list[str | None] = []
    for own in contributions:
        if own is None:
            layers.append(None)
        elif own <= 0:
            layers.append("low")
        else:
            above = Fraction(sum(c for c in contributions if c is not None and c > own))
            layers.append("high" if above < shares[0] * whole else "mid" if above < shares[1] * whole else "low")
    return layers
