"""How soon are members answered (及时响应)?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import numpy as np
from pendulum import duration

from shequn.admission.clock import WorkingClock
from shequn.admission.response import ResponseTimes
from shequn.columns import EventLog
from shequn.columns.kinds import of_kinds
from shequn.columns.readonly import frozen
from shequn.columns.segments import assignment_of
from shequn.entities import EventKind
from shequn.errors import InvalidValueError, MisalignedError, message
from shequn.labels import Assignment, Coded, Index
from shequn.stats._checks import array_of, instance, items_of, one_of
from shequn.values.elapsed import elapsed_us
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Mapping

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.labels import Label
    from shequn.values import DailyWindow, QuietHours

__all__ = ["response_times"]

_KEY_BITS = 62


def response_times(
    log: EventLog,
    /,
    *,
    as_of: dt.datetime,
    ask_kinds: Collection[str] | str = EventKind.ASK.value,
    reply_kinds: Collection[str] | str = EventKind.REPLY.value,
    match: Literal["target", "item"] = "target",
    sla: dt.timedelta = duration(hours=2),  # noqa: B008  (a duration doesn't change)
    responders: Iterable[Label] | Index | BoolArray | None = None,
    hours: QuietHours | DailyWindow | Iterable[DailyWindow] | None = None,
    by: Assignment | Mapping[Label, Label | None] | str | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> ResponseTimes:
    """Measure how long each question waited for its first response, and how many were answered in time.

    Parameters
    ----------
    log : EventLog
        With questions, and responses to them.
    as_of : aware datetime
        Facts at this instant or before it are known, later ones are not.
    ask_kinds, reply_kinds : collection of str
        Kinds that are questions, and those that are responses.
    match : {"target", "item"}, default "target"
        Which responses belong to a question: those whose target is who asked, or those with its item.
    sla : duration, default 2 hours
        In time is a response after so long or sooner.
    responders : labels, or array of bool over ``log.members``, optional
        Whose responses count; by default everybody's.
    hours : DailyWindow, QuietHours or iterable of DailyWindow, optional
        Working hours or quiet ones; the clock stands still outside the first and inside the second.
    by : Assignment, mapping or str, optional
        Segment of each who asks, or the name of the column that has it for each question.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    ResponseTimes

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
        An argument can't be used; with ``match="item"``, the log has no items.

    Notes
    -----
    The first response to a question at t is the earliest row of a reply kind at t or later, up to `as_of`, by somebody
    else than who asked, in the same group where the log has groups, and with the same target or item as told. One row
    may respond to several questions of one member. Of two at the same instant the first row counts.

    A question without a response has waited until `as_of` and is censored there. In time can be judged of questions
    that are at least as old as `sla`, by the clock asked for. Younger ones are left out whether they were answered or
    not, since to count only those that were would flatter.

    References
    ----------
    S0; S3 §5.2, row I12 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "wu", "cy"], kind=["ask", "ask", "reply", "ask"], at=[0, 600, 3_600, 20_000],
    ...     time_unit="s", target=[None, None, "ann", None],
    ... )
    >>> waited = response_times(log, as_of=pendulum.from_timestamp(21_600))
    >>> print(waited)
    First responses as of 1970-01-01 06:00 UTC, due within 2 h
    segment  questions  median h  90% h  judged  in time  lower  upper  too young  backlog  oldest h
    ────────────────────────────────────────────────────────────────────────────────────────────────
    (all)            3      1.00      –       2    50.0%   9.5%  90.5%          1        2      5.83
    """
    instance("log", log, EventLog, expected="an EventLog")
    one_of("match", match, ("target", "item"))
    until_us, sla_us = instant_us(as_of, argument="as_of"), elapsed_us("sla", sla)
    asks = of_kinds(log, ask_kinds, argument="ask_kinds", unknown_kinds=unknown_kinds)
    replies = of_kinds(log, reply_kinds, argument="reply_kinds", unknown_kinds=unknown_kinds)
    if (asks & replies).any():
        kind = log.kinds[int(np.argmax(asks & replies))]
        raise InvalidValueError(message("reply_kinds", "kinds that `ask_kinds` doesn't name", kind))
    known = log.at_us <= until_us
    questions = np.flatnonzero(asks[log.kind_codes] & known)
    is_reply = replies[log.kind_codes] & known
    if responders is not None:
        is_reply &= _may_respond(log, responders)[log.member_codes]
    pairs = _units(log, questions, np.flatnonzero(is_reply), match)
    first = _first_replies(log, pairs)
    answered = first >= 0
    asked_us = log.at_us[pairs.questions]
    end_us = np.where(answered, log.at_us[first] if len(log) else until_us, until_us)
    waited, age = end_us - asked_us, until_us - asked_us
    if hours is not None and len(asked_us):
        clock = WorkingClock.of(hours, int(asked_us.min()), until_us)
        began = clock.read(asked_us)
        waited, age = clock.read(end_us) - began, clock.read(np.array([until_us], dtype=np.int64)) - began
    responder = np.where(answered, log.member_codes[first] if len(log) else -1, -1)
    return ResponseTimes(
        source_rows=frozen(pairs.questions),
        asker=log.member.take(pairs.questions),
        responder=Coded(index=log.members, codes=responder),
        at_us=frozen(asked_us),
        waited_us=frozen(waited),
        answered=frozen(answered),
        judged=frozen(age >= sla_us),
        sla_us=sla_us,
        as_of_us=until_us,
        segment=_segment(log, by, pairs.questions),
        left_out=len(questions) - len(pairs.questions),
    )


def _may_respond(log: EventLog, responders: Iterable[Label] | Index | BoolArray) -> BoolArray:
    given: Any = responders
    if isinstance(given, np.ndarray):
        mask = array_of("responders", cast("Any", given), kinds="b", expected="booleans")
        if mask.shape != (len(log.members),):
            expected = f"one entry for each of the {len(log.members)} members of the log"
            raise MisalignedError(message("responders", expected, f"an array of shape {mask.shape}"))
        return mask
    if isinstance(given, Index):
        named = given
    else:
        labels = items_of("responders", given, expected="labels of members, or a mask")
        named = Index(labels, argument="responders")
    may: BoolArray = named.places_of(log.members) >= 0
    return may


def _segment(
    log: EventLog, by: Assignment | Mapping[Label, Label | None] | str | None, questions: IntArray
) -> Coded | None:
    if by is None:
        return None
    if isinstance(by, str):
        return log.labelled_column(by).take(questions).compact()
    of_member = assignment_of(by, log.members)
    return Coded(index=of_member.segments, codes=of_member.codes[log.member_codes[questions]])


# --- which response belongs to which question ---


class _Pairs(NamedTuple):
    """Rows of questions and of responses, each with a number: a response may belong to questions with the same one."""

    questions: IntArray
    replies: IntArray
    of_question: IntArray
    of_reply: IntArray


def _units(log: EventLog, questions: IntArray, replies: IntArray, match: Literal["target", "item"]) -> _Pairs:
    if match == "target":
        if log.target is None:
            replies = replies[:0]
            of_reply = np.zeros(0, dtype=np.int64)
        else:
            asker = np.append(log.members.places_of(log.target.index), -1).astype(np.int64)
            of_reply = asker[log.target.codes[replies]]
            counts = (of_reply >= 0) & (of_reply != log.member_codes[replies])
            replies, of_reply = replies[counts], of_reply[counts]
        of_question, n = log.member_codes[questions].astype(np.int64), len(log.members)
    else:
        if log.item is None:
            raise InvalidValueError(message("match", "'target', since the log has no items", match))
        questions, replies = questions[log.item.codes[questions] >= 0], replies[log.item.codes[replies] >= 0]
        of_question, of_reply = (log.item.codes[rows].astype(np.int64) for rows in (questions, replies))
        n = len(log.item.index)
    is_asked = np.zeros(n, dtype=np.bool_)
    is_asked[of_question] = True
    kept = is_asked[of_reply]
    replies, of_reply = replies[kept], of_reply[kept]
    if log.group is not None:
        width = len(log.group.index) + 1
        of_question = of_question * width + log.group.codes[questions] + 1
        of_reply = of_reply * width + log.group.codes[replies] + 1
    return _Pairs(questions, replies, of_question, of_reply)


def _first_replies(log: EventLog, pairs: _Pairs) -> IntArray:
    """Return the row of the first response to each question, -1 where there is none."""
    n = len(pairs.replies)
    if not n or not len(pairs.questions):
        return np.full(len(pairs.questions), -1, dtype=np.int64)
    question_keys, reply_keys, shift = _keys(log, pairs)
    order = np.argsort(reply_keys, kind="stable")
    keys = reply_keys[order]
    by_key = np.argsort(question_keys, kind="stable")
    asked = question_keys[by_key]
    place = np.searchsorted(keys, asked, side="left")
    rows = pairs.replies[order]
    belongs = _in_unit(keys, place, asked >> shift, shift)
    # Who asked may write below their own item: go on to the next who is somebody else.
    author = log.member_codes[rows]
    own = belongs & (author[np.minimum(place, n - 1)] == log.member_codes[pairs.questions[by_key]])
    if own.any():
        changes = np.flatnonzero(author[1:] != author[:-1]) + 1
        place[own] = np.append(changes, n)[np.searchsorted(changes, place[own], side="right")]
        belongs = _in_unit(keys, place, asked >> shift, shift)
    first = np.empty(len(asked), dtype=np.int64)
    first[by_key] = np.where(belongs, rows[np.minimum(place, n - 1)], -1)
    return first


def _in_unit(keys: IntArray, place: IntArray, unit: IntArray, shift: int) -> BoolArray:
    """Return whether there is a response at each place, and of the unit asked for."""
    n = len(keys)
    found: BoolArray = (place < n) & (keys[np.minimum(place, n - 1)] >> shift == unit)
    return found


def _keys(log: EventLog, pairs: _Pairs) -> tuple[IntArray, IntArray, int]:
    """Return one number for unit and instant of questions and responses, and by how many bits the unit is shifted."""
    at_question, at_reply = log.at_us[pairs.questions], log.at_us[pairs.replies]
    low = min(int(at_question.min()), int(at_reply.min()))
    high = max(int(at_question.max()), int(at_reply.max()))
    bits = ((high - low) // log.resolution_us).bit_length()
    most = max(int(pairs.of_question.max()), int(pairs.of_reply.max())).bit_length()
    if bits + most <= _KEY_BITS:
        unit_question, unit_reply = pairs.of_question, pairs.of_reply
        at_question, at_reply = ((at - low) // log.resolution_us for at in (at_question, at_reply))
    else:
        unit_question, unit_reply, _ = _ranked(pairs.of_question, pairs.of_reply)
        at_question, at_reply, n = _ranked(at_question, at_reply)
        bits = n.bit_length()
    return (unit_question << bits) | at_question, (unit_reply << bits) | at_reply, bits


def _ranked(first: IntArray, second: IntArray) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return two columns with each number replaced by its rank among those of both."""
    distinct, ranks = np.unique(np.concatenate([first, second]), return_inverse=True)
    ranks = ranks.astype(np.int64)
    return ranks[: len(first)], ranks[len(first) :], len(distinct)
