"""How lively is it, who makes it so, and is it many or a few (互动)?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns import EventLog, Roster
from shequn.columns.kinds import of_kinds
from shequn.columns.readonly import by_fields, counts_field, frozen
from shequn.columns.table import Column, Tabular
from shequn.content._comparable import require_comparable
from shequn.content.weights import ACT_WEIGHTS, weights_of
from shequn.errors import MisalignedError, counted, message
from shequn.labels import Index
from shequn.stats import weighted_quantile
from shequn.stats._checks import instance, items_of, number_between, reals_column, refuse
from shequn.stats.distinct import each_once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["Engagement", "EngagementRow", "engagement"]


def engagement(
    log: EventLog,
    /,
    *,
    weights: Mapping[str, float] | None = None,
    by: str | None = None,
    members: Index | Roster | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> Engagement:
    """Add up what members did, each act by its weight: of each member, or of each group, item or other label.

    Parameters
    ----------
    log : EventLog
        All its rows; take a period with ``log.where(start=..., end=...)``.
    weights : mapping from kind to number, optional
        What each kind of act weighs. By default a post 3, a reply 2, a like 1, a repost 3: an order of effort, and this
        library's choice; put your own. A kind that is not named, or weighs 0, doesn't count.
    by : str, optional
        A labelled column: ``"group"``, ``"item"``, an extra. By default each member is a unit.
    members : Index or Roster, optional
        Whom to count, the silent ones included; nobody else counts. By default the members of the log.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind you named that the log does not know. Kinds of the defaults may be missing.

    Returns
    -------
    Engagement
        One row a unit.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An argument can't be used.

    Notes
    -----
    The score of a unit is the sum over kinds of weight times rows. Rows are counted first and weighed then, so that
    their order makes no difference. Of a group, the head count is of members with an act that counts.

    References
    ----------
    S3 §6.2, row I11 of the domain table (发帖 回复 点赞 转发); it names no weights.

    Examples
    --------
    >>> log = EventLog.from_columns(
    ...     member=["ann", "ann", "bo", "ann", "cy"], kind=["post", "like", "reply", "like", "read"],
    ...     at=[0, 1, 2, 3, 4], time_unit="s", group=["g1", "g1", "g1", "g2", "g2"],
    ... )
    >>> print(engagement(log))
    Engagement by member
    member  score  share  post  like  reply
    ───────────────────────────────────────
    ann         5  71.4%     1     2      0
    bo          2  28.6%     0     0      1
    cy          0   0.0%     0     0      0
    score 7, 2.33 a member of 3, 2 of them active; Gini 0.48; the top 10% of members have 71.4%.
    >>> engagement(log, by="group").per_head
    array([3., 1.])
    """
    instance("log", log, EventLog, expected="an EventLog")
    weighed = {
        kind: weight for kind, weight in weights_of(ACT_WEIGHTS if weights is None else weights).items() if weight
    }
    how: UnknownKinds = "ignore" if weights is None else unknown_kinds
    meant = of_kinds(log, set(weighed), argument="weights", unknown_kinds=how)
    kinds = [str(kind) for kind, is_meant in zip(log.kinds, meant.tolist(), strict=True) if is_meant]
    who = members.members if isinstance(members, Roster) else log.members if members is None else members
    instance("members", who, Index, expected="an Index or a Roster")
    require_comparable("members", who, log.members)
    place = who.places_of(log.members).take(log.member_codes)
    column = None if by is None else log.labelled_column(by)
    unit = place if column is None else column.codes
    counts = meant.take(log.kind_codes) & (place >= 0)
    n_unlabelled = int(np.count_nonzero(counts & (unit < 0)))
    rows = np.flatnonzero(counts & (unit >= 0))
    unit, place = unit.take(rows).astype(np.int64), place.take(rows).astype(np.int64)
    units = who if column is None else column.index
    number_of_kind = np.cumsum(meant) - 1
    cell = unit * len(kinds) + number_of_kind.take(log.kind_codes.take(rows))
    return Engagement(
        by="member" if by is None else by,
        units=units,
        kinds=tuple(kinds),
        weights=[weighed[kind] for kind in kinds],
        counts=np.bincount(cell, minlength=len(units) * len(kinds)).reshape(len(units), len(kinds)),
        heads=np.bincount(_distinct(unit, place, len(who)), minlength=len(units)),
        n_members=len(who),
        n_active=len(each_once(place)),
        n_unlabelled=n_unlabelled,
    )


def _distinct(unit: NDArray[Any], member: NDArray[Any], n_members: int) -> IntArray:
    """Return the unit of each distinct pair of unit and member."""
    return each_once(unit * max(n_members, 1) + member) // max(n_members, 1)


class EngagementRow(NamedTuple):
    """One unit of `Engagement`.

    Attributes
    ----------
    unit : str or int
    score : float
    share : float
        Of the whole score.
    heads : int
        Its members with an act that counts.
    per_head : float
        Score over heads; NaN without any.

    Examples
    --------
    >>> EngagementRow(unit="g1", score=6.0, share=0.857, heads=2, per_head=3.0).per_head
    3.0
    """

    unit: Label
    score: float
    share: float
    heads: int
    per_head: float


def _weights(values: Any) -> FloatArray:  # noqa: ANN401
    return reals_column("weights", values, (-1,), of="each kind", least=0, above=True)


def _kinds(kinds: Sequence[str]) -> tuple[str, ...]:
    return tuple(items_of("kinds", kinds, expected="kinds of act"))


@attrs.frozen(kw_only=True, repr=False)
class Engagement(Tabular[EngagementRow]):
    """Weighted scores of members, groups or items and how evenly they are spread; made by `engagement`.

    Parameters
    ----------
    by : str
        What a unit is: ``"member"``, or the column it was counted by.
    units : Index
        The n units.
    kinds : tuple of str
        The k kinds of act that count.
    weights : ndarray of float64, shape (k,)
        What each weighs, above 0.
    counts : ndarray of int64, shape (n, k)
        Acts of each unit.
    heads : ndarray of int64, shape (n,)
        Members of each unit with an act that counts.
    n_members, n_active : int
        How many members there are, and how many have an act that counts.
    n_unlabelled : int, default 0
        Acts without a unit, which are left out.

    Examples
    --------
    >>> done = Engagement(
    ...     by="group", units=Index(["g1", "g2"]), kinds=("post", "like"), weights=[3, 1], counts=[[2, 4], [0, 5]],
    ...     heads=[3, 5], n_members=20, n_active=7,
    ... )
    >>> done.score, done.total, done.gini
    (array([10.,  5.]), 15.0, 0.16666666666666666)
    """

    by: str
    units: Index
    kinds: tuple[str, ...] = attrs.field(converter=_kinds)
    weights: FloatArray = attrs.field(converter=_weights, eq=attrs.cmp_using(eq=np.array_equal))
    counts: IntArray = counts_field()
    heads: IntArray = counts_field()
    n_members: int
    n_active: int
    n_unlabelled: int = 0

    _Row: ClassVar[type[Any] | None] = EngagementRow

    def __attrs_post_init__(self) -> None:
        """Check that the columns go together."""
        instance("units", self.units, Index, expected="an Index")
        shapes = {
            "weights": (len(self.kinds),), "counts": (len(self.units), len(self.kinds)), "heads": (len(self.units),)
        }  # fmt: skip
        for name, shape in shapes.items():
            column = getattr(self, name)
            if column.shape != shape:
                raise MisalignedError(message(name, f"an array of shape {shape}", f"shape {column.shape}"))
            if (column < 0).any():
                refuse(name, "counts of 0 or more", column, column < 0)

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.units)

    @property
    def score(self) -> FloatArray:
        """The weighted sum of the acts of each unit, shape (n,)."""
        return frozen((self.counts * self.weights).sum(axis=1))

    @property
    def total(self) -> float:
        """The score of all units together."""
        return float((self.counts.sum(axis=0) * self.weights).sum())

    @property
    def share(self) -> FloatArray:
        """What share of the total each unit has, shape (n,); NaN if there is none."""
        return frozen(self.score / (self.total or np.nan))

    @property
    def per_head(self) -> FloatArray:
        """Score over heads of each unit, shape (n,); NaN without any."""
        return frozen(self.score / np.where(self.heads > 0, self.heads, np.nan))

    @property
    def per_member(self) -> float:
        """The total over all members, the silent ones included; NaN without any."""
        return self.total / self.n_members if self.n_members else math.nan

    @property
    def gini(self) -> float:
        """How unevenly the score is spread over units, from 0 (all alike) towards 1 (one has all); NaN if it is 0."""
        rising = np.sort(self.score)
        n, total = len(rising), float(rising.sum())
        if not total:
            return math.nan
        return float(((2 * np.arange(1, n + 1) - n - 1) * rising).sum()) / (n * total)

    def top_share(self, share: float = 0.1, /) -> float:
        """Return what share of the total the highest units have: the given share of them, rounded up.

        Parameters
        ----------
        share : float, default 0.1
            Above 0, at most 1.

        Returns
        -------
        float
            NaN if the total is 0.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `share` can't be used.

        Examples
        --------
        >>> log = EventLog.from_columns(member=["ann", "bo", "ann"], kind="like", at=[0, 1, 2], time_unit="s")
        >>> round(engagement(log).top_share(0.5), 3)
        0.667
        """
        part = number_between("share", share, 0, 1, excluding="least")
        # A share of 0.1 of 30 is 3, which floating point makes a little more.
        highest = math.ceil(round(part * len(self), 9))
        total = self.total
        return float(np.sort(self.score)[::-1][:highest].sum()) / total if total else math.nan

    def quantile(self, q: ArrayLike, /) -> FloatArray:
        """Return the score that a share `q` of the units stays at or below.

        Parameters
        ----------
        q : array_like
            Shares, as `weighted_quantile` takes them.

        Returns
        -------
        ndarray of float64, shape of `q`

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `q` can't be used.

        Examples
        --------
        >>> log = EventLog.from_columns(member=["ann", "bo", "ann"], kind="like", at=[0, 1, 2], time_unit="s")
        >>> engagement(log).quantile([0.5, 0.9])
        array([1., 2.])
        """
        return weighted_quantile(np.sort(self.score), np.ones(len(self), dtype=np.int64), q)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        order = np.lexsort((np.arange(len(self)), -self.score))
        tidy = {column.key: attrs.evolve(column, values=column.values[order]) for column in self._tidy()}
        unit = attrs.evolve(tidy["unit"], en=self.by, zh=_UNITS.get(self.by, self.by))
        shown = [unit, tidy["score"], tidy["share"]]
        if self.by != "member":
            shown += [tidy["heads"], tidy["per_head"]]
        acts = self.counts[order]
        return shown + [
            Column(key=kind, en=kind, zh=kind, values=acts[:, place], format="count")
            for place, kind in enumerate(self.kinds)
        ]

    def _tidy(self) -> Sequence[Column]:
        return [
            Column(key="unit", en="unit", zh="单位", values=self.units.labels),
            Column(key="score", en="score", zh="互动分", values=self.score, format="number"),
            Column(key="share", en="share", zh="占比", values=self.share, format="rate"),
            Column(key="heads", en="heads", zh="互动人数", values=self.heads, format="count"),
            Column(key="per_head", en="a head", zh="人均", values=self.per_head, format="number", digits=2),
        ]

    def _title(self, lang: Lang, /) -> str:
        return f"按{_UNITS.get(self.by, self.by)}的互动" if lang == "zh" else f"Engagement by {self.by}"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        total, top = self.total, self.top_share()
        if lang == "zh":
            unit = _UNITS.get(self.by, self.by)
            notes = [
                f"互动分合计 {total:,.10g}，{self.n_members:,} 名成员人均 {self.per_member:.2f}，"
                f"其中 {self.n_active:,} 人有互动；基尼系数 {self.gini:.2f}；前 10% 的{unit}占 {top:.1%}。"
            ]
            return [*notes, f"{self.n_unlabelled:,} 次互动没有{unit}，未计入。"] if self.n_unlabelled else notes
        units = f"{self.by}s"
        notes = [
            f"score {total:,.10g}, {self.per_member:.2f} a member of {self.n_members:,}, "
            f"{self.n_active:,} of them active; Gini {self.gini:.2f}; the top 10% of {units} have {top:.1%}."
        ]
        return (
            [*notes, f"{counted(self.n_unlabelled, 'act')} without {self.by}: left out."]
            if self.n_unlabelled
            else notes
        )

    def __repr__(self) -> str:
        """Show the total and over how many units it is spread."""
        return f"Engagement({self.total:,.10g} over {counted(len(self), self.by)})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


_UNITS: dict[str, str] = {"member": "成员", "group": "群", "item": "内容"}
