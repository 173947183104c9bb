"""Which expert should answer which question, so that none gets more than they can bear?"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import (
    InvalidTypeError,
    InvalidValueError,
    MisalignedError,
    UnknownLabelError,
    counted,
    message,
    suggest,
)
from shequn.labels import Coded, Index
from shequn.network._expert_load import caps_of, expert_index
from shequn.stats._checks import array_of, counts, counts_column, instance, items_of, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["RoutedRow", "Routing", "route"]


def route(
    topics: Iterable[Label | None],
    experts: Iterable[Label] | Index,
    /,
    *,
    cap: int | ArrayLike,
    load: ArrayLike | None = None,
    knows: Mapping[Label, Iterable[Label]] | None = None,
) -> Routing:
    """Give each question of a day to the expert who knows its topic and is least loaded, never above their cap.

    Parameters
    ----------
    topics : iterable of labels or None, length m
        The topic of each question, in the order they came; None for one that anybody can answer.
    experts : labels
        The n experts; of equals the earlier one is asked.
    cap : int or array_like of int, shape (n_experts,)
        How many questions a day each can bear, 1 or more.
    load : array_like of int, shape (n_experts,), optional
        How many each had today already; by default none.
    knows : mapping of expert to topics, optional
        What each knows; an expert who is left out knows no topic. By default everybody knows all.

    Returns
    -------
    Routing
        The expert of each question, and which were held back and why.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
        An argument can't be used.

    Notes
    -----
    Questions are dealt in their order, each to the one with the smallest load / cap among those who know it and have
    room. Where nobody has, those who were given a question that somebody else knows may hand it on, by the shortest
    such chain, before one is held back. So a question is held back only if no way of dealing out places it together
    with all that were placed before it, and as many are placed as can be: they are the independent sets of a
    transversal matroid, in which greed is best.

    References
    ----------
    S1 §三(五), row C26 of the domain table; Edmonds, J. & Fulkerson, D. R. (1965). Transversals and matroid partition.
    Journal of Research of the National Bureau of Standards 69B, 147-153. https://doi.org/10.6028/jres.069B.016

    Examples
    --------
    >>> found = route(["tea", "tea", None, "wine"], ["wu", "li"], cap=[2, 1], knows={"wu": ["tea"], "li": ["tea"]})
    >>> print(found)
    #  topic  expert  why held back
    ─────────────────────────────────
    1  tea    wu      –
    2  tea    li      –
    3  –      wu      –
    4  wine   –       nobody knows it
    3 of 4 questions placed
    """
    named = expert_index(experts)
    asked = Coded.of(items_of("topics", topics, expected="a topic of each question"), argument="topics", nulls=True)
    caps = caps_of(cap, len(named))
    loads = _loads(load, len(named))
    skills = _skills(knows, named, asked.index)
    known: BoolArray = np.logical_or.reduce(skills, axis=0)
    given, final = _dealt(asked.codes.astype(np.int64), skills, caps, loads)
    return Routing(
        experts=named,
        topics=asked.index,
        topic=asked.codes.astype(np.int64),
        expert=given,
        known=known[asked.codes],
        cap=caps,
        load=final,
    )


def _loads(load: ArrayLike | None, n: int) -> IntArray:
    if load is None:
        return np.zeros(n, dtype=np.int64)
    given = counts("load", load)
    if given.shape != (n,):
        raise MisalignedError(message("load", f"one for each of the {n} experts", f"an array of shape {given.shape}"))
    return given.copy()


def _skills(knows: Mapping[Label, Iterable[Label]] | None, experts: Index, topics: Index) -> BoolArray:
    """Return who knows which topic, shape (n_experts, n_topics + 1); the last column stands for no topic."""
    skills = np.ones((len(experts), len(topics) + 1), dtype=np.bool_)
    if knows is None:
        return skills
    if not hasattr(knows, "items"):
        raise InvalidTypeError(message("knows", "a mapping of expert to topics", knows))
    skills[:, :-1] = False
    for expert, known in knows.items():
        if expert not in experts:
            text = message("knows", f"labels of the {len(experts)} experts", expert)
            raise UnknownLabelError(text + suggest(expert, experts))
        for topic in items_of("knows", known, expected="topics of an expert"):
            if topic in topics:
                skills[experts.code(expert), topics.code(topic)] = True
    return skills


def _dealt(topic: IntArray, skills: BoolArray, cap: IntArray, load: IntArray) -> tuple[IntArray, IntArray]:
    """Return the expert of each question, -1 for none, and how many each expert has in the end."""
    given = np.full(len(topic), -1, dtype=np.int64)
    held: list[dict[int, list[int]]] = [{} for _ in range(len(cap))]  # questions of each expert, by topic
    # Two different fractions of counts below 2**26 are different floats, and equal ones are equal.
    fullness = load / cap
    for question, code in enumerate(topic.tolist()):
        able = np.flatnonzero(skills[:, code] & (load < cap))
        if len(able):
            chain = [int(able[np.argmin(fullness[able])])]
        else:
            chain = _chain(code, skills, load < cap, held)
            if not chain:
                continue
        # The last of the chain has room: each hands a question on to the next, then the first takes the new one.
        for giver, taker in zip(chain[-2::-1], chain[:0:-1], strict=True):
            passed = next(known for known, rows in held[giver].items() if rows and skills[taker, known])
            row = held[giver][passed].pop()
            held[taker].setdefault(passed, []).append(row)
            given[row] = taker
        held[chain[0]].setdefault(code, []).append(question)
        given[question] = chain[0]
        load[chain[-1]] += 1
        fullness[chain[-1]] = load[chain[-1]] / cap[chain[-1]]
    return given, load


def _chain(code: int, skills: BoolArray, has_room: BoolArray, held: list[dict[int, list[int]]]) -> list[int]:
    """Return the shortest chain of experts who hand a question on, the first of whom knows a topic; empty for none."""
    came_from = dict.fromkeys(np.flatnonzero(skills[:, code]).tolist(), -1)
    queue = deque(came_from)
    while queue:
        giver = queue.popleft()
        if has_room[giver]:
            chain = [giver]
            while came_from[chain[-1]] >= 0:
                chain.append(came_from[chain[-1]])
            return chain[::-1]
        theirs = [known for known, rows in held[giver].items() if rows]
        for taker in np.flatnonzero(skills[:, theirs].any(axis=1)).tolist():
            if taker not in came_from:
                came_from[taker] = giver
                queue.append(taker)
    return []


class RoutedRow(NamedTuple):
    """One question; the names are those of `Routing`.

    Examples
    --------
    >>> RoutedRow(1, "tea", "wu", None).expert
    'wu'
    """

    question: int
    topic: Label | None
    expert: Label | None
    why: str | None


def _mask(values: ArrayLike) -> BoolArray:
    return frozen(array_of("known", values, kinds="b", expected="booleans").copy())


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Routing(Tabular[RoutedRow]):
    """Which expert is to answer which question; made by `route`, where the rule is.

    Parameters
    ----------
    experts : Index
        The n experts.
    topics : Index
        All topics.
    topic, expert : ndarray of int64, shape (m,)
        Code of the topic and of the expert of each question, -1 for none.
    known : ndarray of bool, shape (m,)
        Whether any expert knows its topic.
    cap, load : ndarray of int64, shape (n,)
        How many questions each expert can bear, and has in the end.

    Examples
    --------
    >>> found = route([None] * 5, ["wu", "li"], cap=[1, 3])
    >>> found, found.load.tolist(), found.held_back.tolist()
    (Routing(4 of 5 questions placed), [1, 3], [False, False, False, False, True])
    """

    experts: Index
    topics: Index
    topic: IntArray
    expert: IntArray
    known: BoolArray = attrs.field(converter=_mask)
    cap: IntArray
    load: IntArray

    _Row: ClassVar[type[Any] | None] = RoutedRow

    def __attrs_post_init__(self) -> None:
        """Check that there is one entry a question, and one an expert."""
        instance("experts", self.experts, Index, expected="an Index")
        instance("topics", self.topics, Index, expected="an Index")
        for name, least in (("topic", -1), ("expert", -1), ("cap", 1), ("load", 0)):
            of = "each question" if least < 0 else "each expert"
            object.__setattr__(self, name, counts_column(name, getattr(self, name), (-1,), of=of, least=least))
        for name, n, what in (
            ("expert", len(self.topic), "questions"),
            ("known", len(self.topic), "questions"),
            ("cap", len(self.experts), "experts"),
            ("load", len(self.experts), "experts"),
        ):
            values = getattr(self, name)
            if values.shape != (n,):
                raise MisalignedError(
                    message(name, f"one for each of the {n} {what}", f"an array of shape {values.shape}")
                )
        for name, index in (("topic", self.topics), ("expert", self.experts)):
            codes = getattr(self, name)
            bad = (codes < -1) | (codes >= len(index))
            if bad.any():
                refuse(name, f"codes in [-1, {len(index)})", codes, bad)
        given = np.bincount(self.expert[self.expert >= 0], minlength=len(self.experts))
        if (given > self.load).any():
            raise InvalidValueError(message("load", "no fewer than the questions each was given", self.load.tolist()))

    def __len__(self) -> int:
        """Return the number of questions."""
        return len(self.topic)

    @property
    def held_back(self) -> BoolArray:
        """Which questions have to wait, shape (m,)."""
        return frozen(self.expert < 0)

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        return self._with(_WHY[0 if lang == "en" else 1])

    def _tidy(self) -> Sequence[Column]:
        return self._with(("unknown", "full"))

    def _with(self, why: tuple[str, str]) -> list[Column]:
        unknown, full = why
        reasons = np.full(len(self), None, dtype=object)
        reasons[self.held_back] = np.where(self.known, full, unknown)[self.held_back]
        return [
            Column(key="question", en="#", zh="#", values=np.arange(1, len(self) + 1), format="count"),
            Column(key="topic", en="topic", zh="话题", values=Coded(index=self.topics, codes=self.topic).labels()),
            Column(key="expert", en="expert", zh="牛人", values=Coded(index=self.experts, codes=self.expert).labels()),
            Column(key="why", en="why held back", zh="未安排原因", values=reasons),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        if not len(self):
            return ()
        if lang == "zh":
            return (f"{len(self):,} 个问题中已分派 {self._n_placed():,} 个",)
        return (f"{self._n_placed():,} of {counted(len(self), 'question')} placed",)

    def _n_placed(self) -> int:
        return len(self) - int(self.held_back.sum())

    def __repr__(self) -> str:
        """Show how many questions were placed."""
        return f"Routing({self._n_placed():,} of {counted(len(self), 'question')} placed)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


_WHY = (("nobody knows it", "all who know it are at their cap"), ("无人懂此话题", "懂的人都已满额"))
