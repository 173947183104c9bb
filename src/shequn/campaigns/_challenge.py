"""Whose entry is the best, and who gets which prize (挑战赛)?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, get_args
from unicodedata import normalize

import numpy as np

from shequn.campaigns._rank import Best, ranking_order
from shequn.campaigns.challenges import ENTRY_CODE, NO_PRIZE, SHARED, Challenge, EntryReason, PrizeTies
from shequn.campaigns.prizes import prize_units, rewards_of, worst_case_of
from shequn.columns import EventLog
from shequn.columns.kinds import of_kinds
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, message
from shequn.stats._checks import array_of, instance, one_of
from shequn.values import Money, Window

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.entities import Reward

__all__ = ["challenge"]

_MOST_MINOR = 2**63 - 1


def challenge(
    log: EventLog,
    /,
    *,
    window: Window,
    score: str | ArrayLike = "value",
    text: str | None = None,
    keyword: str | None = None,
    prizes: Sequence[Reward] = (),
    ties: PrizeTies = "share",
    best: Best = "highest",
    kinds: Collection[str] | str | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> Challenge:
    """Rank the members of a challenge by their best valid entry, and allot the prizes.

    Parameters
    ----------
    log : EventLog
        An entry is a row of one of the kinds.
    window : Window
        When entries are taken; half-open.
    score : str or array_like of numbers, shape (n_rows,), default "value"
        What is ranked: a column of the log, or one number a row. NaN is no score.
    text, keyword : str, optional
        A column of the log that holds texts, and what must stand in them. Both are compared without regard to case and
        to the width of characters (NFKC, case folded). Rows without text lack the keyword.
    prizes : sequence of Reward
        The first prize first; one of quantity 3 stands for three places.
    ties : {"share", "all", "earliest"}
        What equal scores get, where a prize is at stake. ``share``: what the prizes of their places cost is split among
        them to the minor unit, the spare units going to the earlier entries; alone at a place, one gets the prize.
        ``all``: each of them gets the prize of the best of their places, and the places after it are used up: this can
        cost more than the prizes do. ``earliest``: the earlier entry comes first, at the same instant the row before.
    best : {"highest", "lowest"}
        Which scores are good.
    kinds : collection of str, optional
        Kinds of event that are entries. By default all that are activity.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    Challenge
        A row for each member with a valid entry, and the reason of each row of the log.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
        An argument can't be used, prizes are in two currencies, or `text` comes without `keyword`.

    Notes
    -----
    An entry is valid if it lies in the window, contains the keyword and has a score. Of each member the best one
    counts, of equal ones the earliest. With ``share`` and ``all`` equal scores have the same rank and the next one
    goes on after all of them (1, 2, 2, 4).

    References
    ----------
    S2, row I3 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> from shequn.entities import Reward
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann", "cy"], kind="post", at=[0, 60, 120, 180], time_unit="s", value=[5, 7, 9, 7],
    ...     extra={"caption": ["#Glow 第一天", "#GLOW", "#glow 第二天", "glow!"]},
    ... )
    >>> prizes = [
    ...     Reward(kind="prize", cost=Money.of(299, "CNY"), name="眼霜"),
    ...     Reward(kind="coupon", cost=Money.of(50, "CNY"), name="券"),
    ... ]
    >>> may = Window(start=pendulum.datetime(1970, 1, 1), end=pendulum.datetime(1970, 1, 2))
    >>> print(challenge(log, window=may, text="caption", keyword="#glow", prizes=prizes))
    rank  member  score  prize  award, minor units
    ──────────────────────────────────────────────
       1  ann         9  眼霜               29,900
       2  bo          7  券                  5,000
    4 entries; 2 counted; 1 not the member's best; 1 without the keyword
    """
    instance("log", log, EventLog, expected="an EventLog")
    instance("window", window, Window, expected="a Window")
    one_of("ties", ties, get_args(PrizeTies))
    one_of("best", best, get_args(Best))
    rewards = rewards_of(prizes, argument="prizes")
    scores = _scores(log, score)
    codes = _codes(
        log, scores, window, _mentions(log, text, keyword), of_kinds(log, kinds, unknown_kinds=unknown_kinds)
    )
    rows = _best_rows(log, scores, np.flatnonzero(codes == ENTRY_CODE[EntryReason.COUNTED]), best)
    beaten = codes == ENTRY_CODE[EntryReason.COUNTED]
    beaten[rows] = False
    codes[beaten] = ENTRY_CODE[EntryReason.NOT_BEST]
    opens = np.ones(len(rows), dtype=np.bool_)
    if ties != "earliest":
        opens[1:] = scores[rows][1:] != scores[rows][:-1]
    prize, award = _allotted(rewards, opens, ties)
    return Challenge(
        members=log.members.take(log.member_codes[rows]),
        row=rows,
        score=scores[rows],
        rank=np.flatnonzero(opens)[np.cumsum(opens) - 1] + 1,
        prize=prize,
        award=award,
        prizes=rewards,
        ties=ties,
        codes=codes,
    )


# ── which entries ────────────────────────────────────────────────────────────────────────────────────────────────────


def _scores(log: EventLog, score: str | ArrayLike) -> NDArray[Any]:
    column = log.column(score, argument="score") if isinstance(score, str) else score
    if isinstance(score, str) and not isinstance(column, np.ndarray):
        raise InvalidTypeError(message("score", "a column of numbers", score) + ", which holds labels")
    given = array_of("score", cast("Any", column), kinds="iuf", expected="numbers")
    if given.shape != (len(log),):
        raise MisalignedError(message("score", f"one number for each of the {len(log)} rows", f"shape {given.shape}"))
    return given


def _mentions(log: EventLog, text: str | None, keyword: str | None) -> BoolArray | None:
    """Return which rows contain the keyword; None where none is asked for."""
    if text is None and keyword is None:
        return None
    if text is None or keyword is None:
        raise InvalidValueError(message("text, keyword", "both, or neither", (text, keyword)))
    instance("keyword", keyword, str, expected="a str")
    wanted = _plain(keyword)
    if not wanted:
        raise InvalidValueError(message("keyword", "at least one character", keyword))
    column = log.labelled_column(text, argument="text")
    has_it = [isinstance(label, str) and wanted in _plain(label) for label in column.index]
    found: BoolArray = np.array([*has_it, False], dtype=np.bool_)[column.codes]  # -1, no text, stands at the end
    return found


def _plain(text: str) -> str:
    return normalize("NFKC", text).casefold().strip()


def _codes(
    log: EventLog, scores: NDArray[Any], window: Window, mentions: BoolArray | None, is_entry: BoolArray
) -> NDArray[np.int8]:
    """Return the reason of each row, those that a better one of the same member beats still counted."""
    codes = np.zeros(len(log), dtype=np.int8)
    # What is said last, is said.
    codes[~np.isfinite(scores)] = ENTRY_CODE[EntryReason.NO_SCORE]
    if mentions is not None:
        codes[~mentions] = ENTRY_CODE[EntryReason.NO_KEYWORD]
    codes[~window.mask(log.at_us)] = ENTRY_CODE[EntryReason.OUTSIDE_WINDOW]
    codes[~is_entry[log.kind_codes]] = ENTRY_CODE[EntryReason.OTHER_KIND]
    return codes


def _best_rows(log: EventLog, scores: NDArray[Any], rows: IntArray, best: Best) -> IntArray:
    """Return the row of the best entry of each member, from the best to the worst; of equal ones the earliest."""
    order, _ = ranking_order(scores[rows], log.at_us[rows], best)
    ordered = rows[order]
    _, first = np.unique(log.member_codes[ordered], return_index=True)
    return ordered[np.sort(first)]


# ── which prizes ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _allotted(prizes: tuple[Reward, ...], opens: BoolArray, ties: PrizeTies) -> tuple[IntArray, IntArray]:
    """Return the prize of each place, and what it costs in minor units; `opens` tells where new equals begin."""
    n = len(opens)
    prize, award = np.full(n, NO_PRIZE, dtype=np.int64), np.zeros(n, dtype=np.int64)
    worst = worst_case_of(prizes)
    if worst is None or not n:
        return prize, award
    if worst.minor > _MOST_MINOR:
        raise InvalidValueError(message("prizes", "a cost below 2**63 minor units in all", worst.minor))
    units, costs = prize_units(prizes, argument="prizes"), np.array([one.cost.minor for one in prizes], dtype=np.int64)
    starts = np.flatnonzero(opens)
    ends = np.append(starts[1:], n)
    if ties == "all":
        place = starts[np.cumsum(opens) - 1]
        wins = np.flatnonzero(place < len(units))
        prize[wins] = units[place[wins]]
        award[wins] = costs[prize[wins]]
        return prize, award
    wins = np.arange(min(n, len(units)))
    prize[wins] = units[wins]
    award[wins] = costs[prize[wins]]
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if start >= len(units):
            break
        if end - start > 1:
            pot = Money(sum(award[start:end].tolist()), prizes[0].cost.currency)
            award[start:end] = [part.minor for part in pot.split(end - start)]
            prize[start:end] = SHARED
    return prize, award
