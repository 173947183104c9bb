"""How long do members stay? From the rows of a log, by a rule that says who has evaporated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import attrs
import numpy as np

from shequn.columns.breakdown import Breakdown
from shequn.columns.horizon import Horizon
from shequn.columns.kinds import UnknownKinds, kind_set, of_kinds
from shequn.columns.log import EventLog
from shequn.columns.segments import assignment_of
from shequn.retention.stays import IdleRule, Stays, stays_of
from shequn.retention.survival_curve import SurvivalCurve, curve_of_stays
from shequn.retention.time_units import unit_us
from shequn.stats._checks import instance
from shequn.values.elapsed import elapsed_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.labels import Assignment, Label
    from shequn.retention.time_units import TimeUnitName

__all__ = ["Reading", "survival"]

_DENSE = 4  # places for all pairs of member and segment are used up to so many times the rows


@overload
def survival(
    log: EventLog,
    /,
    *,
    idle_after: dt.timedelta,
    kinds: Collection[str] | str | None = ...,
    observed_until: dt.datetime | None = ...,
    by: None = ...,
    unit: TimeUnitName = ...,
    unknown_kinds: UnknownKinds = ...,
) -> SurvivalCurve: ...
@overload
def survival(
    log: EventLog,
    /,
    *,
    idle_after: dt.timedelta,
    kinds: Collection[str] | str | None = ...,
    observed_until: dt.datetime | None = ...,
    by: Assignment | Mapping[Label, Label | None] | str,
    unit: TimeUnitName = ...,
    unknown_kinds: UnknownKinds = ...,
) -> Breakdown[SurvivalCurve]: ...
def survival(
    log: EventLog,
    /,
    *,
    idle_after: dt.timedelta,
    kinds: Collection[str] | str | None = None,
    observed_until: dt.datetime | None = None,
    by: Assignment | Mapping[Label, Label | None] | str | None = None,
    unit: TimeUnitName = "day",
    unknown_kinds: UnknownKinds = "warn",
) -> SurvivalCurve | Breakdown[SurvivalCurve]:
    r"""Estimate how long members stay, from first to last activity, counting those who are still there.

    Parameters
    ----------
    log : EventLog
    idle_after : timedelta
        How long a silence up to the end of observation is evaporation, such as ``pendulum.duration(days=30)``. See
        `idle_sensitivity` for how the answer moves with it.
    kinds : collection of str, optional
        Kinds of event that are activity; by default all but apply, receive, leave, remove, mute and role.
    observed_until : aware datetime, optional
        End of observation: rows at or after it are ignored. By default one resolution after the last row.
    by : Assignment, mapping or str, optional
        One segment a member, or the name of a column of the log: then a member counts in each value they have rows
        with, from the first to the last row with it.
    unit : {"day", "second", "minute", "hour", "week"}
        In which times are told. They are kept in microseconds.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    SurvivalCurve or, with `by`, Breakdown of SurvivalCurve
        Merges by member: parts of a log give the curve of the whole.

    Raises
    ------
    MisalignedError
        `by` is an assignment of other members; see `Assignment.align`.
    UnknownLabelError
        There is no such column to go by; with ``unknown_kinds="raise"``, no such kind.
    InvalidTypeError, InvalidValueError
        An option cannot be used.

    See Also
    --------
    idle_sensitivity : The same by several `idle_after`.
    log_rank : Whether segments differ.
    kaplan_meier : From durations.

    Notes
    -----
    Follow-up ends at c = observed_until − idle_after. A member without activity after c has evaporated at the last
    activity, after a stay of last − first; any other is censored at c, after c − first. Members who began after c are
    counted apart, as `too_young`. So everybody's status was known in the same way all the time up to c. An earlier
    silence that ended in a return is no evaporation, however long.

    To place the event at the last activity and censor the others at the end of observation, as is often done, shows too
    many still there: in the last `idle_after` somebody may be censored, but nobody seen to go.

    A stay begins with the first row of the log. Where the log begins in the middle of a community's life, that is not
    when a member came, and old members pass for new ones: leave out those whose first row is in the log's first weeks,
    or use `kaplan_meier` with `entry`. The estimate also takes it that members who came early stay as long as those who
    came late, and that those who were silent for `idle_after` don't come back. A member with one row has stayed for 0.

    References
    ----------
    Kaplan, E. L. and Meier, P. (1958). Nonparametric estimation from incomplete observations. Journal of the American
    Statistical Association 53, 457-481. https://doi.org/10.1080/01621459.1958.10501452

    Examples
    --------
    >>> from pendulum import datetime, duration
    >>> log = EventLog.from_columns(
    ...     member=["ann", "ann", "bo", "bo", "cy", "di", "di"],
    ...     kind="post",
    ...     at=[0, 7 * 86_400, 0, 58 * 86_400, 50 * 86_400, 9 * 86_400, 31 * 86_400],
    ...     time_unit="s",
    ... )
    >>> print(survival(log, idle_after=duration(days=14), observed_until=datetime(1970, 3, 2)))
    days  at risk  evaporated  censored  survival  lower  upper
    ───────────────────────────────────────────────────────────
       7        3           1         0     66.7%   5.4%  94.5%
      22        2           1         0     33.3%   0.9%  77.4%
      46        1           0         1     33.3%   0.9%  77.4%
    4 members: 2 evaporated, 1 censored, 1 too young to judge.
    Evaporated: nothing in the last 14 days. Observed until 1970-03-02T00:00:00Z. Median 22 days (95 %: 7 to –).
    """
    reading = Reading.of(log, kinds=kinds, observed_until=observed_until, unknown_kinds=unknown_kinds)
    rule = reading.rule(elapsed_us("idle_after", idle_after, at_least=1))
    unit_us(unit)
    members = reading.stays_of_members()
    total = curve_of_stays(members.take(members.last_us >= members.first_us), rule, unit)
    if by is None:
        return total
    segment: NDArray[Any]
    if isinstance(by, str):
        column = log.labelled_column(by)
        labels, codes = list(column.index), column.codes
        stays, segment = reading.stays_of_segments(codes, len(labels))
    else:
        assignment = assignment_of(by, log.members)
        labels, codes = list(assignment.segments), assignment.codes
        stays, segment = members, codes

    def curve(code: int) -> SurvivalCurve:
        return curve_of_stays(stays.take((segment == code) & (stays.last_us >= stays.first_us)), rule, unit)

    return Breakdown(
        total=total,
        parts={label: curve(code) for code, label in enumerate(labels)},
        unassigned=curve(-1) if bool((codes < 0).any()) else None,
    )


@attrs.frozen(kw_only=True, eq=False)
class Reading:
    """A log as a survival curve reads it: which kinds are activity, and until when it was observed.

    Attributes
    ----------
    is_active : ndarray of bool, shape (n_kinds,)
    """

    log: EventLog
    kinds: frozenset[str] | None
    is_active: BoolArray
    horizon: Horizon

    @classmethod
    def of(
        cls,
        log: EventLog,
        *,
        kinds: Collection[str] | str | None,
        observed_until: dt.datetime | None,
        unknown_kinds: UnknownKinds,
    ) -> Reading:
        """Read what a caller asked for."""
        instance("log", log, EventLog, expected="an EventLog")
        return cls(
            log=log,
            kinds=None if kinds is None else kind_set(kinds, argument="kinds"),
            is_active=of_kinds(log, kinds, unknown_kinds=unknown_kinds),
            horizon=Horizon.of(log, observed_until),
        )

    def rule(self, idle_us: int) -> IdleRule:
        """Return the rule by which a silence is evaporation."""
        return IdleRule(idle_us=idle_us, kinds=self.kinds, horizon=self.horizon)

    def stays_of_members(self) -> Stays:
        """Return the first and last activity of each member, in the order of the log's index."""
        return stays_of(self.log, self.is_active, self.horizon.until_us or 0, None, len(self.log.members))

    def stays_of_segments(self, codes: Any, n_segments: int) -> tuple[Stays, IntArray]:  # noqa: ANN401
        """Return the first and last activity of each pair of member and segment, and the segment, -1 for none."""
        n_members = len(self.log.members)
        pairs: IntArray = codes.astype(np.int64) % (n_segments + 1)
        pairs *= n_members
        pairs += self.log.member_codes
        n_pairs = (n_segments + 1) * n_members
        numbers: IntArray = np.arange(n_pairs if n_pairs <= _DENSE * len(pairs) else 0)
        if not len(numbers):
            numbers, pairs[:] = np.unique(pairs, return_inverse=True)
        stays = stays_of(self.log, self.is_active, self.horizon.until_us or 0, pairs, len(numbers))
        segment = numbers // max(n_members, 1)
        segment[segment == n_segments] = -1
        return stays, segment
