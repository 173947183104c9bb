"""How well are newcomers welcomed (新人引导)?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.admission.onboarding_progress import Onboarding, OnboardingProgress, Progress
from shequn.columns import EventLog
from shequn.columns.kinds import of_kinds
from shequn.columns.membership import NO_INSTANT
from shequn.columns.readonly import frozen
from shequn.entities import Event, EventKind
from shequn.entities._fields import label
from shequn.errors import InvalidTypeError, message
from shequn.stats._checks import instance, items_of
from shequn.values.instants import from_us, instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable

    from shequn._typing import IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.labels import Label

__all__ = ["onboarding", "progress_of"]

_LATER = np.iinfo(np.int64).max
_CONTRIBUTIONS = frozenset({EventKind.POST.value, EventKind.REPLY.value, EventKind.ASK.value})


def onboarding(
    log: EventLog,
    checklist: Onboarding,
    /,
    *,
    as_of: dt.datetime,
    join_kinds: Collection[str] | str = EventKind.JOIN.value,
    contribution_kinds: Collection[str] | str = _CONTRIBUTIONS,
    unknown_kinds: UnknownKinds = "ignore",
) -> OnboardingProgress:
    """Tell which steps each newcomer has done, how many do all of them, and how soon they contribute.

    Parameters
    ----------
    log : EventLog
        With joins, and what the steps consist of.
    checklist : Onboarding
        The steps, and how long they may take.
    as_of : aware datetime
        Facts at this instant or before it are known, later ones are not.
    join_kinds : collection of str
        Kinds that make a newcomer.
    contribution_kinds : collection of str
        Kinds that are a contribution; by default post, reply and ask.
    unknown_kinds : {"ignore", "warn", "raise"}
        What to do about a kind that the log does not know: a step that nobody has done leaves no trace in it.

    Returns
    -------
    OnboardingProgress

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used.

    Notes
    -----
    A newcomer is who joined by `as_of`, from their first join on, into whichever group. A step is done by the first
    event of its kinds in [joined, joined + within), of the newcomer or, where it is received, to them. Rates are over
    those whose time was over at `as_of`; the others are counted as too young.

    References
    ----------
    S1 §四(二), row A3 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> log = EventLog.from_columns(
    ...     member=["ann", "wu", "ann", "bo", "bo"], kind=["join", "welcome", "post", "join", "post"],
    ...     at=[0, 60, 3_600, 0, 900_000], time_unit="s", target=[None, "ann", None, None, None],
    ... )
    >>> checklist = Onboarding(steps=["welcome", "post"], received=["welcome"])
    >>> print(onboarding(log, checklist, as_of=pendulum.from_timestamp(1_000_000)))
    Onboarding within 7 days of joining, as of 1970-01-12 13:46 UTC
    step     done  judged   rate  lower  upper  active with it  without
    ───────────────────────────────────────────────────────────────────
    welcome     1       2  50.0%   9.5%  90.5%          100.0%     0.0%
    post        1       2  50.0%   9.5%  90.5%          100.0%     0.0%
    all steps: 50.0% (1 of 2, 95% CI 9.5%–90.5%); 0 newcomers too young to judge
    """
    instance("log", log, EventLog, expected="an EventLog")
    instance("checklist", checklist, Onboarding, expected="an Onboarding")
    until_us = instant_us(as_of, argument="as_of")
    known = log.at_us <= until_us

    def rows_of(kinds: Collection[str] | str, argument: str) -> IntArray:
        mask = of_kinds(log, kinds, argument=argument, unknown_kinds=unknown_kinds)
        return np.flatnonzero(mask[log.kind_codes] & known)

    joins = rows_of(join_kinds, "join_kinds")
    joined = np.full(len(log.members), _LATER, dtype=np.int64)
    np.minimum.at(joined, log.member_codes[joins], log.at_us[joins])
    came = np.flatnonzero(joined < _LATER)
    done = [
        _first(log, rows_of(kinds, "steps"), joined, checklist.within_us, to_them=name in checklist.received)
        for name, kinds in checklist.steps.items()
    ]
    contributed = _first(log, rows_of(contribution_kinds, "contribution_kinds"), joined, None)
    return OnboardingProgress(
        members=log.members.take(came),
        joined_us=frozen(joined[came]),
        done_us=frozen(np.stack(done, axis=1)[came]),
        contributed_us=frozen(contributed[came]),
        checklist=checklist,
        as_of_us=until_us,
    )


def _first(
    log: EventLog, rows: IntArray, joined: IntArray, within_us: int | None, *, to_them: bool = False
) -> IntArray:
    """Return when each member first did what some rows say, from joining on; `NO_INSTANT` where they did not."""
    found = np.full(len(log.members), _LATER, dtype=np.int64)
    if not to_them:
        who = log.member_codes[rows].astype(np.int64)
    elif log.target is None:
        who = np.full(len(rows), -1, dtype=np.int64)
    else:
        places = np.append(log.members.places_of(log.target.index), -1).astype(np.int64)
        who = places[log.target.codes[rows]]
    rows, who = rows[who >= 0], who[who >= 0]
    at_us, from_on = log.at_us[rows], joined[who]
    counts = at_us >= from_on
    if within_us is not None:
        counts &= at_us - np.where(counts, from_on, at_us) < within_us
    np.minimum.at(found, who[counts], at_us[counts])
    return np.where(found == _LATER, NO_INSTANT, found)


def progress_of(
    events: Iterable[Event],
    checklist: Onboarding,
    /,
    *,
    member: Label,
    joined: dt.datetime,
    as_of: dt.datetime,
) -> Progress:
    """Tell how far one newcomer has come: as `onboarding`, for one member and their events.

    Parameters
    ----------
    events : iterable of Event
        Those of the newcomer and those to them; others are passed over.
    checklist : Onboarding
        The steps, and how long they may take.
    member : str or int
        Who.
    joined : aware datetime
        When they joined.
    as_of : aware datetime
        Facts at this instant or before it are known, later ones are not.

    Returns
    -------
    Progress

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used.

    Examples
    --------
    >>> import pendulum
    >>> joined = pendulum.datetime(2024, 5, 1)
    >>> events = [Event(member="wu", kind="welcome", target="ann", at=joined.add(hours=1))]
    >>> checklist = Onboarding(steps=["welcome", "post"], received=["welcome"])
    >>> progress_of(events, checklist, member="ann", joined=joined, as_of=joined.add(days=2)).missing
    ('post',)
    """
    instance("checklist", checklist, Onboarding, expected="an Onboarding")
    who, joined_us = label("member", member), instant_us(joined, argument="joined")
    until_us = instant_us(as_of, argument="as_of")
    end_us = joined_us + checklist.within_us
    first: dict[str, int] = {}
    for row, event in enumerate(items_of("events", events, expected="Event records")):
        if not isinstance(event, Event):
            raise InvalidTypeError(message("events", "Event records", event, row=row))
        at_us = event.at_us
        if not joined_us <= at_us < end_us or at_us > until_us:
            continue
        for name, kinds in checklist.steps.items():
            whose = event.target if name in checklist.received else event.member
            if event.kind in kinds and whose == who:
                first[name] = min(at_us, first.get(name, at_us))
    done = {name: from_us(first[name]) if name in first else None for name in checklist.steps}
    return Progress(member=who, joined=from_us(joined_us), done=done, is_judged=end_us <= until_us)
