"""Who of the invited came, and does it carry over into what they do online (线上线下结合)?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np
import pendulum

from shequn.campaigns.arms import one_side, universe
from shequn.campaigns.attendances import Attendance, BeforeAfter
from shequn.campaigns.moments import covariance, root
from shequn.campaigns.tally import Counted, counts_of
from shequn.columns import EventLog
from shequn.columns.kinds import of_kinds
from shequn.errors import InvalidValueError, message
from shequn.labels import Index
from shequn.stats._checks import instance
from shequn.values import Rate, Window
from shequn.values.elapsed import elapsed_us
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from shequn._typing import BoolArray, IntArray
    from shequn.campaigns.arms import Members, Side
    from shequn.columns import Roster
    from shequn.columns.kinds import UnknownKinds

__all__ = ["attendance"]

_FOUR_WEEKS = pendulum.duration(days=28)


def attendance(
    log: EventLog,
    held: Window,
    /,
    *,
    attended: Members,
    invited: Members | None = None,
    registered: Members | None = None,
    members: Roster | Index | None = None,
    as_of: dt.datetime,
    span: dt.timedelta = _FOUR_WEEKS,
    kinds: Collection[str] | str | None = None,
    level: float = 0.95,
    unknown_kinds: UnknownKinds = "warn",
) -> Attendance:
    """Tell who of the invited registered and came to an event, and how their activity changed beside the others'.

    Parameters
    ----------
    log : EventLog
        What members did online.
    held : Window
        When the event was held.
    attended : mask or labels
        Who came: a mask over `members`, or labels from the list at the door.
    invited, registered : mask or labels, optional
        Who was invited, and who said they would come.
    members : Roster or Index, optional
        Whom masks speak of, by default ``log.members``.
    as_of : aware datetime
        Rows up to it, itself included, are known; after the event.
    span : timedelta or Duration, default 28 days
        How long before and after the event activity is compared. Where less than that has passed since, as much from
        before counts.
    kinds : collection of str, optional
        Kinds that are activity; by default all but apply, receive, leave, remove, mute and role.
    level : float, default 0.95
        Confidence level.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    Attendance

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        An argument can't be used, nobody came, or `as_of` is not after the event.

    Notes
    -----
    Who came is compared with who was invited or registered and did not come: the change of their rows per member from
    [start - span, start) to [end, end + span), by Welch's interval. Rows during the event don't count. Members whom the
    log doesn't know did nothing online. It is an association: members who come were often on the way up already.

    References
    ----------
    S1 §四(三), S3 §7.4, row I6 of the domain table.

    Examples
    --------
    >>> log = EventLog.from_columns(
    ...     member=["ann", "ann", "ann", "bo"], kind="post", at=[0, 100, 101, 1], time_unit="s"
    ... )
    >>> held = Window(pendulum.from_timestamp(40), pendulum.from_timestamp(50))
    >>> salon = attendance(
    ...     log, held, invited=["ann", "bo", "cy"], registered=["ann", "bo"], attended=["ann"],
    ...     span=pendulum.duration(minutes=5), as_of=pendulum.from_timestamp(1_000),
    ... )
    >>> salon.attendance_rate, salon.no_show_rate.value, salon.carry_over.value
    (Rate(hits=1, trials=2), 0.5, 1.5)
    """
    instance("log", log, EventLog, expected="an EventLog")
    instance("held", held, Window, expected="a Window")
    known_us = instant_us(as_of, argument="as_of") + 1 - held.end_us
    if known_us <= 0:
        raise InvalidValueError(message("as_of", f"an instant after the event ended ({held.end})", str(as_of)))
    wanted_us = elapsed_us("span", span, at_least=1)
    length = min(wanted_us, known_us)
    spoken_of = universe(members, log.members)
    sides: dict[str, Side | None] = {"attended": one_side("attended", attended, spoken_of, log.members)}
    for name, given in (("invited", invited), ("registered", registered)):
        sides[name] = None if given is None else one_side(name, given, spoken_of, log.members)
    marks = _marks([side for side in sides.values() if side is not None], log.members)
    flags = dict(zip((name for name, side in sides.items() if side is not None), marks, strict=True))
    came, said = flags["attended"], flags.get("registered")
    bidden = flags.get("invited")
    anybody = np.logical_or.reduce(marks)
    is_active = of_kinds(log, kinds, unknown_kinds=unknown_kinds)
    rows = Counted(log=log, kinds=is_active, start_us=held.start_us - length, end_us=held.start_us)
    before = counts_of(rows)
    after = counts_of(attrs.evolve(rows, start_us=held.end_us, end_us=held.end_us + length))
    return Attendance(
        held=held,
        registration_rate=None if bidden is None or said is None else Rate.of(said[bidden]),
        attendance_rate=None if said is None else Rate.of(came[said]),
        walk_ins=0 if said is None else int(np.count_nonzero(came & ~said)),
        attended=_active(came, before, after),
        absent=_active(anybody & ~came, before, after),
        span=pendulum.duration(microseconds=length),
        wanted_span=pendulum.duration(microseconds=wanted_us),
        as_of=as_of,
        level=level,
    )


def _marks(sides: list[Side], known: Index) -> list[BoolArray]:
    """Return a mask for each, over the members that the log knows and then those that it does not know."""
    others = Index()
    for side in sides:
        others = others.union(side.others) if len(others) else side.others
    marks: list[BoolArray] = []
    for side in sides:
        mask = np.zeros(len(known) + len(others), dtype=np.bool_)
        mask[side.places] = True
        mask[len(known) + others.places_of(side.others).astype(np.int64)] = True
        marks.append(mask)
    return marks


def _active(mask: BoolArray, before: IntArray, after: IntArray) -> BeforeAfter:
    """Return how active the members of a mask were; of those that the log does not know there are no rows."""
    n, known = int(np.count_nonzero(mask)), mask[: len(before)]
    earlier, later = before[known], after[known]
    change = later - earlier
    sd = root(covariance(change, change, n))
    return BeforeAfter(members=n, before=int(earlier.sum()), after=int(later.sum()), change_sd=sd)
