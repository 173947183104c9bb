"""Whom do we talk to this time, whom do we leave alone to compare with, and why is everybody else left out?"""

from __future__ import annotations

from fractions import Fraction
from hashlib import blake2b
from math import floor
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from shequn.columns import EventLog, Roster
from shequn.columns.numbers import to_numbers
from shequn.columns.readonly import frozen
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError, message, suggest
from shequn.labels import Assignment, Index
from shequn.rules.rule import Rule
from shequn.segmentation.audiences import REASON_CODE, Audience, AudienceReason
from shequn.stats._checks import generator, instance, plain, plain_array, refuse, whole
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.kinds import UnknownKinds

__all__ = ["audience"]


class Selects(Protocol):
    """Anything that says of each member of a roster whether they are meant; a `Rule` does."""

    def mask(self, roster: Roster, log: EventLog | None, /, *, as_of: dt.datetime) -> BoolArray:
        """Return which members are selected, shape (n_members,)."""
        ...


def audience(
    rule: Rule | Selects | ArrayLike,
    roster: Roster,
    log: EventLog | None = None,
    /,
    *,
    as_of: dt.datetime,
    limit: int | None = None,
    score: ArrayLike | str | None = None,
    holdout: float = 0.0,
    rng: int | np.random.SeedSequence | np.random.Generator | None = None,
    segments: Mapping[str, Rule] | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> Audience:
    """Choose whom to talk to, and whom to keep out at random to compare with.

    Parameters
    ----------
    rule : Rule, or array_like of bool or of -1, 0 and 1, shape (n_members,)
        Who is meant: a rule; what a rule said (`Rule.mask`, or `Rule.verdicts`, where -1 stands for unknown); or
        anything that has such a `mask`.
    roster : Roster
        The members that are asked about.
    log : EventLog, optional
        Their rows; needed where the rule asks about facts.
    as_of : aware datetime
        The instant of the question: later facts are not known.
    limit : int, optional
        How many members there is room for, those held out included.
    score : array_like of numbers, shape (n_members,), or name of a field of the roster, optional
        Who comes first where there is no room for all: the highest. By default chance decides.
    holdout : float, default 0.0
        Share in [0, 1) of those who would be talked to that is kept out.
    rng : int, SeedSequence or Generator, optional
        For ties of score at the limit, and the holdout. The same seed gives the same audience.
    segments, unknown_kinds
        As in `Rule.mask`, where a rule is asked.

    Returns
    -------
    Audience
        Each member of the roster is treated, held out or left out, with the reason.

    Raises
    ------
    InvalidTypeError
        An argument is not what it should be; `score` names a field without numbers or an order.
    InvalidValueError
        `limit` is negative, or `holdout` not in [0, 1).
    MisalignedError
        There is not one verdict, or one score, for each member.
    UnknownLabelError
        The roster has no such field; and as in `Rule.mask`.

    Notes
    -----
    In this order:

    1. Who is not selected is left out, and so is who is unknown to the rule: unknown selects nobody.
    2. With a limit, the highest scores come first. Who has no score (NaN, or no label) is left out. Of equal scores at
       the limit as many as there is room for are drawn by lot.
    3. Of those n who are left, round(holdout × n) are drawn by lot and held out, but never all of them. `holdout` is
       the decimal that it prints as, and halves are rounded up.

    The holdout comes out of those who would have been talked to, so that both arms passed the same limit and can be
    compared. To talk to m members with a holdout of h, set the limit to m / (1 - h).

    Each lot is a keyed hash of the member's label, one for the limit and another for the holdout. So it does not depend
    on where members stand in the roster, nor on who else is in it: with the same seed a member has the same lot again.
    Give each campaign a seed of its own, or the same members are held out every time. A Generator gives 16 bytes,
    whether they are needed or not.

    Examples
    --------
    >>> import pendulum
    >>> import shequn as sq
    >>> roster = sq.Roster.from_columns(member=["ann", "bo", "cy", "dee"], fields={"age": [30, 17, None, 52]})
    >>> grown_up = sq.rules.field("age") >= 18
    >>> chosen = audience(grown_up, roster, as_of=pendulum.datetime(2024, 5, 1), limit=1, score="age")
    >>> chosen.treated.tolist()
    [False, False, False, True]
    >>> [chosen.reason(member).en for member in ("ann", "bo", "cy")]
    ['over the limit', 'not selected', 'unknown to the rule']
    """
    instance("roster", roster, Roster, expected="a Roster")
    if log is not None:
        instance("log", log, EventLog, expected="an EventLog or None")
    as_of_us = instant_us(as_of, argument="as_of")
    room = None if limit is None else _room(limit)
    share = _share(holdout)
    numbers = None if score is None else _scores(score, roster)
    key = generator(rng).bytes(16)

    verdicts = _verdicts(rule, roster, log, as_of=as_of, segments=segments, unknown_kinds=unknown_kinds)
    reason = np.where(verdicts < 0, REASON_CODE[AudienceReason.UNKNOWN], REASON_CODE[AudienceReason.NOT_SELECTED])
    chosen = np.flatnonzero(verdicts > 0)
    if room is not None and numbers is not None:
        is_known = ~np.isnan(numbers[chosen]) if numbers.dtype.kind == "f" else np.ones(len(chosen), dtype=np.bool_)
        reason[chosen[~is_known]] = REASON_CODE[AudienceReason.UNKNOWN_SCORE]
        chosen = chosen[is_known]
    if room is not None and len(chosen) > room:
        order = _by_score(None if numbers is None else numbers[chosen], _lots(roster.members, chosen, key, b"limit"))
        reason[chosen[order[room:]]] = REASON_CODE[AudienceReason.OVER_LIMIT]
        chosen = chosen[order[:room]]
    reason[chosen] = REASON_CODE[AudienceReason.TREATED]
    n_held_out = min(floor(share * len(chosen) + Fraction(1, 2)), max(len(chosen) - 1, 0))
    if n_held_out:
        drawn = np.argsort(_lots(roster.members, chosen, key, b"holdout"))[:n_held_out]
        reason[chosen[drawn]] = REASON_CODE[AudienceReason.HELD_OUT]
    return Audience(
        members=roster.members,
        codes=frozen(reason),
        score=numbers,
        limit=room,
        holdout=float(share),
        as_of_us=as_of_us,
    )


# --- what was asked ---


def _room(limit: int) -> int:
    room = whole("limit", limit)
    if room < 0:
        raise InvalidValueError(message("limit", "a number of members of 0 or more", limit))
    return room


def _share(holdout: float) -> Fraction:
    number = plain(holdout)
    if isinstance(number, bool) or not isinstance(number, int | float | Fraction):
        raise InvalidTypeError(message("holdout", "a number in [0, 1)", holdout))
    if not 0 <= number < 1:
        raise InvalidValueError(message("holdout", "a number in [0, 1)", holdout))
    return Fraction(str(number))


def _scores(score: ArrayLike | str, roster: Roster) -> NDArray[Any]:
    """Return a number for each member, NaN where it is unknown."""
    if not isinstance(score, str):
        numbers = to_numbers(score, argument="score")
        if len(numbers) != len(roster):
            expected = f"one for each of the {len(roster)} members"
            raise MisalignedError(message("score", expected, len(numbers)) + " scores")
        return numbers
    if score not in roster.fields:
        expected = f"one of the roster's fields ({', '.join(roster.fields)})"
        raise UnknownLabelError(message("score", expected, score) + suggest(score, roster.fields))
    field = roster.field(score)
    if not isinstance(field, Assignment):
        return field
    if not field.ordered:
        raise InvalidTypeError(message("score", "a field of numbers, or of labels that have an order", score))
    return frozen(np.where(field.codes < 0, np.nan, field.codes))


def _verdicts(
    rule: Rule | Selects | ArrayLike,
    roster: Roster,
    log: EventLog | None,
    **asked: Any,  # noqa: ANN401
) -> NDArray[Any]:
    """Return 1, 0 or -1 for each member: selected, not selected, unknown."""
    if isinstance(rule, Rule):
        return rule.verdicts(roster, log, **asked)
    if isinstance(rule, Assignment):
        raise InvalidTypeError(message("rule", "a rule or a mask, such as `assignment.mask(segment)`", rule))
    given: Any = rule
    if hasattr(rule, "mask") and not isinstance(rule, np.ndarray):
        given = cast("Selects", rule).mask(roster, log, as_of=asked["as_of"])
    expected = "a rule, or an array of bool or of -1, 0 and 1"
    told = plain_array("rule", given, expected=expected)
    if told.dtype.kind not in "bi" and told.size:
        raise InvalidTypeError(message("rule", expected, given))
    if told.shape != (len(roster),):
        raise MisalignedError(message("rule", f"one verdict for each of the {len(roster)} members", told.shape))
    bad = (told != told.astype(np.bool_)) & (told != -1)
    if bad.any():
        refuse("rule", "verdicts that are -1, 0 or 1", told, bad)
    return told.astype(np.int8)


# --- chance ---


def _lots(members: Index, places: IntArray, key: bytes, purpose: bytes) -> NDArray[np.uint64]:
    """Return the lot of each of some members: a hash of the label and its type under a key."""
    tag = "s" if members.is_text else "i"
    digests = b"".join(
        blake2b(f"{tag}{label}".encode("utf-8", "surrogatepass"), digest_size=8, key=key, person=purpose).digest()
        for label in members.labels[places].tolist()
    )
    return np.frombuffer(digests, dtype="<u8")


def _by_score(scores: NDArray[Any] | None, lots: NDArray[np.uint64]) -> IntArray:
    """Return the places of the highest scores first, of equal ones by lot."""
    if scores is None:
        return np.argsort(lots)
    _, rank = np.unique(scores, return_inverse=True)  # a score may have no negative that fits
    return np.lexsort((lots, -rank))
