"""Whom do others turn to? PageRank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias, get_args

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidValueError, counted, message
from shequn.graph import InteractionGraph
from shequn.labels import Index
from shequn.network.ranking import by_score, places
from shequn.stats._checks import instance, number_between, one_of, reals_column, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["PageRank", "PageRankRow", "Votes", "pagerank"]

_MOST_ROUNDS = 2**63
_MOST_WITHOUT_GAIN = 100
_ALL = 1.0 + 1e-6  # rounding may make a share a little more than all

Votes: TypeAlias = Literal["weight", "equal"]


def pagerank(
    graph: InteractionGraph,
    /,
    *,
    damping: float = 0.85,
    tol: float = 1e-10,
    max_rounds: int = 1_000,
    weight: Votes = "weight",
) -> PageRank:
    r"""Rank members by whom others talk to: each tie is a vote for its target, and votes of the high-ranked count more.

    Parameters
    ----------
    graph : InteractionGraph
        For authority, the graph of replies.
    damping : float, default 0.85
        Share in [0, 1) of a member's rank that goes along their ties; the rest is dealt out alike to all.
    tol : float, default 1e-10
        Stop once a round moves no more than this in sum; all ranks add up to 1.
    max_rounds : int, default 1000
        Stop at the latest after so many; or earlier, where a hundred rounds did no more than round.
    weight : {"weight", "equal"}, default "weight"
        Whether a member's votes are as heavy as their ties, or all alike.

    Returns
    -------
    PageRank
        The score of each member, and whether the rounds sufficed.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used.

    Notes
    -----
    The scores are the fixed point of

    .. math:: x_v = \frac{1 - d}{n} + d \Bigl(\sum_u x_u \frac{w_{uv}}{\sum_t w_{ut}} + \frac1n \sum_{u\ \text{silent}}
        x_u\Bigr),

    found by power iteration from :math:`1/n`. Who talks to nobody (*silent*) votes for all alike. A round shrinks the
    distance to the fixed point by `damping` at least, so it is at most ``tol * damping / (1 - damping)`` in the end.

    References
    ----------
    Row C14 of the domain table; Brin, S. & Page, L. (1998). The anatomy of a large-scale hypertextual web search
    engine. Computer Networks 30, 107-117. https://doi.org/10.1016/S0169-7552(98)00110-X

    Examples
    --------
    >>> ranks = pagerank(InteractionGraph.from_ties([0, 1, 2], [2, 2, 1]))
    >>> ranks.score.round(3).tolist(), ranks.rank.tolist(), ranks.converged
    ([0.05, 0.464, 0.486], [3, 2, 1], True)
    """
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
    one_of("weight", weight, get_args(Votes))
    share = number_between("damping", damping, 0, 1, excluding="most")
    least = number_between("tol", tol, 0, 1, excluding="least")
    rounds = whole("max_rounds", max_rounds)
    if not 1 <= rounds < _MOST_ROUNDS:
        raise InvalidValueError(message("max_rounds", "at least 1, and less than 2**63", max_rounds))
    if not graph.n_members:
        return PageRank(members=graph.members, score=np.zeros(0), rounds=0, residual=0.0, tol=least)
    n_votes = np.bincount(graph.source, minlength=graph.n_members)
    part = 1.0 / n_votes[graph.source] if weight == "equal" else _shares(graph, n_votes)
    return _settled(graph, part, n_votes, damping=share, tol=least, max_rounds=rounds)


def _shares(graph: InteractionGraph, n_votes: IntArray) -> FloatArray:
    """Return the share of each tie in the weight of all its source's ties, shape (n_ties,)."""
    if not graph.n_ties:
        return np.zeros(0)
    lengths = n_votes[n_votes > 0]
    starts = np.cumsum(lengths) - lengths
    # Over the heaviest first: then no sum overflows, and none is 0.
    part: FloatArray = graph.weight / np.repeat(np.maximum.reduceat(graph.weight, starts), lengths)
    part /= np.repeat(np.add.reduceat(part, starts), lengths)
    return part


def _settled(
    graph: InteractionGraph, part: FloatArray, n_votes: IntArray, *, damping: float, tol: float, max_rounds: int
) -> PageRank:
    """Repeat rounds until one moves little; `part` is the share of each tie in its source's rank."""
    n = graph.n_members
    silent = np.flatnonzero(n_votes == 0)
    score = np.full(n, 1.0 / n)
    done, moved = 0, np.inf
    least, since = np.inf, 0
    # A round never moves more than the one before, unless what it moves is rounding alone.
    while done < max_rounds and moved > tol and since < _MOST_WITHOUT_GAIN:
        votes = np.repeat(score, n_votes)  # ties stand in order of their source
        votes *= part
        new: FloatArray = np.bincount(graph.target, weights=votes, minlength=n).astype(np.float64, copy=False)
        new *= damping
        new += (1.0 - damping + damping * float(score[silent].sum())) / n
        moved = float(np.abs(new - score).sum())
        score, done = new, done + 1
        least, since = (moved, 0) if moved < least else (least, since + 1)
    return PageRank(members=graph.members, score=frozen(score), rounds=done, residual=moved, tol=tol)


def _rounds(rounds: int) -> int:
    number = whole("rounds", rounds)
    if not 0 <= number < _MOST_ROUNDS:
        raise InvalidValueError(message("rounds", "a number of rounds in [0, 2**63)", rounds))
    return number


def _residual(residual: float) -> float:
    return number_between("residual", residual, 0)


def _tol(tol: float) -> float:
    return number_between("tol", tol, 0)


class PageRankRow(NamedTuple):
    """One member; the names are those of `PageRank`.

    Examples
    --------
    >>> PageRankRow(1, "ann", 0.7).score
    0.7
    """

    rank: int
    member: Label
    score: float


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PageRank(Tabular[PageRankRow]):
    """How much others turn to each member; made by `pagerank`.

    Parameters
    ----------
    members : Index
        The n members.
    score : ndarray of float64, shape (n,)
        Share of all authority; adds up to 1.
    rounds : int
        How many were made.
    residual : float
        What the last of them still moved, summed over members.
    tol : float
        What it may move at most.

    Examples
    --------
    >>> print(PageRank(members=Index(["ann", "bo"]), score=[0.7, 0.3], rounds=12, residual=1e-12, tol=1e-10))
    rank  member  × mean
    ────────────────────
       1  ann       1.40
       2  bo        0.60
    """

    members: Index
    score: FloatArray
    rounds: int = attrs.field(converter=_rounds)
    residual: float = attrs.field(converter=_residual)
    tol: float = attrs.field(converter=_tol)

    _Row: ClassVar[type[Any] | None] = PageRankRow

    def __attrs_post_init__(self) -> None:
        """Check that there is one score a member."""
        instance("members", self.members, Index, expected="an Index")
        n = len(self.members)
        score = reals_column("score", self.score, (n,), of=f"each of {counted(n, 'member')}", least=0, most=_ALL)
        object.__setattr__(self, "score", score)

    @property
    def converged(self) -> bool:
        """Whether the last round moved no more than it may."""
        return self.residual <= self.tol

    @property
    def rank(self) -> IntArray:
        """Place of each member from 1 on, shape (n,); of equal scores the earlier member comes first."""
        return places(self.score)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        order = by_score(self.score)
        ranks, score = np.arange(1, len(order) + 1), self.score[order]
        return [
            Column(key="rank", en="rank", zh="名次", values=ranks, format="count"),
            Column(key="member", en="member", zh="成员", values=self.members.labels[order]),
            # A share of all says nothing at a glance where there are thousands.
            Column(key="relative", en="× mean", zh="均值倍数", values=score * len(order), format="number", digits=2),
        ]

    def _tidy(self) -> Sequence[Column]:
        return [
            *self._columns("en")[:2],
            Column(key="score", en="score", zh="得分", values=self.score[by_score(self.score)], format="number"),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        if self.converged:
            return ()
        if lang == "zh":
            return (f"未收敛：{self.rounds:,} 轮后每轮仍变动 {self.residual:.1e}",)
        return (f"not converged: after {counted(self.rounds, 'round')} a round still moves {self.residual:.1e}",)

    def __repr__(self) -> str:
        """Show how many members and rounds there are."""
        made = counted(self.rounds, "round")
        return f"PageRank({counted(len(self.members), 'member')}, {made}, converged={self.converged})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
