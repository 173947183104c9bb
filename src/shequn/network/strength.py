"""How strong is the tie between two members?"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np
import pendulum

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidValueError, counted, message
from shequn.graph import InteractionGraph
from shequn.labels import Index
from shequn.network.triangles import triangles_of_pairs
from shequn.stats._checks import counts_column, instance, number_between, reals_column, refuse, whole
from shequn.values.elapsed import elapsed_us
from shequn.values.instants import FIRST_US, LAST_US, from_us, instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.table import Format, Lang
    from shequn.labels import Label

__all__ = ["TieRow", "TieStrength", "tie_strength"]

_MONTH = pendulum.duration(days=30)


def tie_strength(
    graph: InteractionGraph,
    /,
    *,
    as_of: dt.datetime | None = None,
    half_life: dt.timedelta = _MONTH,
    half_frequency: float = 5.0,
    strong_from: float = 0.5,
) -> TieStrength:
    r"""Judge the tie of each pair: how often they talk, whether both do, how recently, and whom both know.

    Parameters
    ----------
    graph : InteractionGraph
    as_of : aware datetime, optional
        The instant of the question; ties must not be later. Without it how recent a tie is has no say.
    half_life : timedelta or Duration, default 30 days
        After so long without contact a tie is half as strong.
    half_frequency : float, default 5
        Contacts, or weight, that count as half of the most frequent there could be.
    strong_from : float, default 0.5
        A tie is strong from this strength on.

    Returns
    -------
    TieStrength
        One row a pair, its evidence included.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used; `as_of` is given and the ties have no instants, or some are later.

    Notes
    -----
    For the pair u, v with weights :math:`w_{uv}` and :math:`w_{vu}`, neighbours :math:`N` and last contact :math:`a`
    ago:

    .. math:: S = \tfrac13 (F + R + O) \cdot 2^{-a / h}

    - frequency :math:`F = w / (w + f)` with :math:`w = w_{uv} + w_{vu}` and f = `half_frequency`,
    - reciprocity :math:`R = \min(w_{uv}, w_{vu}) / \max(w_{uv}, w_{vu})`,
    - overlap :math:`O = c / (|N_u| + |N_v| - 2 - c)` with :math:`c = |N_u \cap N_v|`; 0 where neither knows others,
    - h = `half_life`.

    Granovetter takes strength for a "(probably linear) combination" of time, intensity, intimacy and reciprocal
    services, and expects two strongly tied people to have friends in common. The overlap is the one by which Onnela et
    al. confirmed it. The equal shares and the decay are this library's choice.

    References
    ----------
    Row C11 of the domain table; Granovetter, M. S. (1973). The strength of weak ties. American Journal of Sociology 78,
    1360-1380. https://doi.org/10.1086/225469; Onnela, J.-P. et al. (2007). Structure and tie strengths in mobile
    communication networks. PNAS 104, 7332-7336. https://doi.org/10.1073/pnas.0610245104

    Examples
    --------
    >>> graph = InteractionGraph.from_ties([0, 1, 0, 2], [1, 0, 2, 1], [10, 10, 1, 1])
    >>> print(tie_strength(graph))
    first  second  contacts  reciprocity  recency  in common  overlap  strength
    ───────────────────────────────────────────────────────────────────────────
        0       1        20         1.00     1.00          1     1.00      0.93
        0       2         1         0.00     1.00          1     1.00      0.39
        1       2         1         0.00     1.00          1     1.00      0.39
    strong from 0.5: 1 of 3 ties, 33.3%
    """
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
    last_us, as_of_us = _contacts(graph, as_of)
    pairs = _Pairs.of(graph)
    both = graph.neighbours("both")
    common, degree = triangles_of_pairs(both), both.degree
    others = degree[pairs.low] + degree[pairs.high] - 2 - common
    less, more = np.minimum(pairs.up, pairs.down), np.maximum(pairs.up, pairs.down)
    recency = np.ones(len(common))
    if last_us is not None and as_of_us is not None:
        age = as_of_us - np.maximum.reduceat(last_us[pairs.order], pairs.starts) if len(common) else np.zeros(0)
        recency = np.exp2(-age / elapsed_us("half_life", half_life, at_least=1))
    else:
        elapsed_us("half_life", half_life, at_least=1)
    return TieStrength(
        members=graph.members,
        first=pairs.low,
        second=pairs.high,
        weight=pairs.up + pairs.down,
        reciprocity=less / more,
        recency=recency,
        common=common,
        overlap=np.divide(common, others, out=np.zeros(len(common)), where=others > 0),
        half_frequency=half_frequency,
        strong_from=strong_from,
        as_of_us=as_of_us,
    )


def _contacts(graph: InteractionGraph, as_of: dt.datetime | None) -> tuple[NDArray[np.int64] | None, int | None]:
    """Return the instants of the ties and of the question, None where recency has no say."""
    if as_of is None:
        return None, None
    at = instant_us(as_of, argument="as_of")
    if not graph.n_ties:
        return None, at
    if graph.last_us is None:
        text = message("as_of", "None, for a graph whose ties have no instants", as_of)
        raise InvalidValueError(text + "; `InteractionGraph.from_log` keeps them")
    late = graph.last_us > at
    if late.any():
        row = int(np.flatnonzero(late)[0])
        got = str(from_us(int(graph.last_us[row])))
        expected = "an instant after all ties"
        raise InvalidValueError(
            message("as_of", expected, str(as_of), bad=int(late.sum()), total=len(late)) + f": tie {row} is of {got}"
        )
    return graph.last_us, at


class _Pairs(NamedTuple):
    """Each pair of members with a tie, once, in order of (low, high)."""

    low: IntArray
    high: IntArray
    up: NDArray[Any]
    """Weight of the tie from the lower to the higher code, 0 where there is none."""
    down: NDArray[Any]
    order: IntArray
    """Ties in order of their pairs."""
    starts: IntArray
    """Where the ties of each pair start in that order."""

    @classmethod
    def of(cls, graph: InteractionGraph) -> _Pairs:
        low, high = np.minimum(graph.source, graph.target), np.maximum(graph.source, graph.target)
        key = low * graph.n_members + high
        order = np.argsort(key, kind="stable").astype(np.int64)
        key = key[order]
        starts = np.flatnonzero(np.concatenate([np.ones(min(len(key), 1), dtype=np.bool_), key[1:] != key[:-1]]))
        goes_up = graph.source < graph.target
        pair = np.empty(len(key), dtype=np.int64)
        pair[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(key)))
        up, down = np.zeros((2, len(starts)), dtype=graph.weight.dtype)
        up[pair[goes_up]], down[pair[~goes_up]] = graph.weight[goes_up], graph.weight[~goes_up]
        return cls(low[order[starts]], high[order[starts]], up, down, order, starts)


def _first(first: ArrayLike) -> IntArray:
    return counts_column("first", first, (-1,), of="each pair")


def _half_frequency(value: float) -> float:
    return number_between("half_frequency", value, 0, excluding="least")


def _strong_from(value: float) -> float:
    return number_between("strong_from", value, 0, 1)


def _as_of_us(value: int | None) -> int | None:
    if value is None:
        return None
    us = whole("as_of_us", value)
    if not FIRST_US <= us < LAST_US:
        raise InvalidValueError(message("as_of_us", "microseconds of an instant in [1900, 2262)", us))
    return us


class TieRow(NamedTuple):
    """One pair; the names are those of `TieStrength`.

    Examples
    --------
    >>> TieRow("ann", "bo", 20, 1.0, 0.5, 3, 0.6, 0.4, False).strength
    0.4
    """

    first: Label
    second: Label
    weight: float
    reciprocity: float
    recency: float
    common: int
    overlap: float
    strength: float
    strong: bool


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TieStrength(Tabular[TieRow]):
    """How strong the tie of each of m pairs is, and why; made by `tie_strength`, where the formula is.

    Parameters
    ----------
    members : Index
        The n members.
    first, second : ndarray of int64, shape (m,)
        Codes of the two, in order of (first, second), first < second.
    weight : ndarray of int64 or float64, shape (m,)
        How often they talk, both ways together.
    reciprocity, recency, overlap : ndarray of float64, shape (m,)
        In [0, 1].
    common : ndarray of int64, shape (m,)
        How many talk with both of them.
    half_frequency, strong_from : float
        As in `tie_strength`.
    as_of_us : int, optional
        The instant of the question, in microseconds since 1970-01-01T00:00Z.

    Examples
    --------
    >>> ties = tie_strength(InteractionGraph.from_ties([0, 1, 0], [1, 0, 2], [10, 10, 1]))
    >>> ties, ties.strong.tolist(), ties.strong_share
    (TieStrength(2 ties, 1 strong), [True, False], 0.5)
    """

    members: Index
    first: IntArray = attrs.field(converter=_first)
    second: IntArray
    weight: NDArray[Any]
    reciprocity: FloatArray
    recency: FloatArray
    common: IntArray
    overlap: FloatArray
    half_frequency: float = attrs.field(default=5.0, converter=_half_frequency)
    strong_from: float = attrs.field(default=0.5, converter=_strong_from)
    as_of_us: int | None = attrs.field(default=None, converter=_as_of_us)

    _Row: ClassVar[type[Any] | None] = TieRow

    def __attrs_post_init__(self) -> None:
        """Check that the columns fit each other."""
        instance("members", self.members, Index, expected="an Index")
        shape, of = self.first.shape, f"each of {counted(len(self.first), 'pair')}"
        for name in ("second", "common"):
            object.__setattr__(self, name, counts_column(name, getattr(self, name), shape, of=of))
        for name in ("reciprocity", "recency", "overlap"):
            object.__setattr__(self, name, reals_column(name, getattr(self, name), shape, of=of, least=0, most=1))
        weight = reals_column("weight", self.weight, shape, of=of, least=0, above=True, whole_too=True)
        object.__setattr__(self, "weight", weight)
        if len(self.first):
            bad = (self.first < 0) | (self.first >= self.second) | (self.second >= len(self.members))
            key = self.first * len(self.members) + self.second
            bad[1:] |= key[1:] <= key[:-1]
            if bad.any():
                refuse("first", "pairs of members in order, first before second, each once", self.first, bad)

    @property
    def frequency(self) -> FloatArray:
        """How often they talk, from 0 to 1, shape (m,)."""
        half = self.weight / 2.0  # of halves the sum doesn't overflow, and the quotient is the same
        return frozen(half / (half + self.half_frequency / 2.0))

    @property
    def strength(self) -> FloatArray:
        """How strong each tie is, in [0, 1], shape (m,)."""
        return frozen((self.frequency + self.reciprocity + self.overlap) / 3.0 * self.recency)

    @property
    def strong(self) -> BoolArray:
        """Which ties are strong, shape (m,)."""
        return frozen(self.strength >= self.strong_from)

    @property
    def strong_share(self) -> float:
        """Share of ties that are strong; NaN without ties."""
        return float(self.strong.mean()) if len(self.first) else nan

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.first)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [column for column in self._tidy() if column.key != "strong"]

    def _tidy(self) -> Sequence[Column]:
        labels = self.members.labels
        amount: Format = "count" if self.weight.dtype.kind == "i" else "number"
        numbers = {
            "reciprocity": ("reciprocity", "互惠", self.reciprocity),
            "recency": ("recency", "近期", self.recency),
            "overlap": ("overlap", "重叠", self.overlap),
            "strength": ("strength", "强度", self.strength),
        }
        drawn = {
            key: Column(key=key, en=en, zh=zh, values=values, format="number", digits=2)
            for key, (en, zh, values) in numbers.items()
        }
        return [
            Column(key="first", en="first", zh="甲", values=labels[self.first]),
            Column(key="second", en="second", zh="乙", values=labels[self.second]),
            Column(key="weight", en="contacts", zh="联系", values=self.weight, format=amount),
            drawn["reciprocity"],
            drawn["recency"],
            Column(key="common", en="in common", zh="共同邻居", values=self.common, format="count"),
            drawn["overlap"],
            drawn["strength"],
            Column(key="strong", en="strong", zh="强关系", values=self.strong),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        n, m, share = int(self.strong.sum()), len(self), f"{self.strong_share:.1%}" if len(self) else "–"
        if lang == "zh":
            return (f"强关系（强度不低于 {self.strong_from:g}）：{m:,} 条中 {n:,} 条，{share}",)
        return (f"strong from {self.strong_from:g}: {n:,} of {counted(m, 'tie')}, {share}",)

    def __repr__(self) -> str:
        """Show how many ties there are, and how many are strong."""
        return f"TieStrength({counted(len(self), 'tie')}, {int(self.strong.sum()):,} strong)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
