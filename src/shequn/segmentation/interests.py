"""What does each member want, by the interests they named and by what they bought (需求分层)?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, counts_field, frozen
from shequn.columns.table import Column, Tabular
from shequn.entities.taxonomies import EventKind
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, message
from shequn.labels import Assignment, Index
from shequn.segmentation.flows import objects
from shequn.segmentation.layered import as_of_title, one_number
from shequn.segmentation.member_facts import MemberFacts, kinds_of, window_us
from shequn.segmentation.traits import trait_of
from shequn.stats._checks import flag, instance, may_change, plain

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns import EventLog, Roster
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.table import Lang
    from shequn.labels import Coded, Label

__all__ = ["NeedRow", "Needs", "needs"]

_PURCHASE = (EventKind.PURCHASE.value,)


def needs(
    roster: Roster,
    log: EventLog,
    /,
    *,
    as_of: dt.datetime,
    tags: str | None = "interests",
    within: dt.timedelta | None = None,
    kinds: Collection[str] | str = _PURCHASE,
    column: str | None = "item",
    topics: Mapping[Label, Label] | None = None,
    tag_says: float = 0.5,
    purchase_says: float = 0.5,
    unknown_kinds: UnknownKinds = "warn",
) -> Needs:
    """Score how much each member wants each thing, between 0 and 1.

    Parameters
    ----------
    roster : Roster
        The members that are asked about.
    log : EventLog
        Their rows; those of others don't count.
    as_of : aware datetime
        Rows at this instant or before it are known.
    tags : str, optional
        Name of the roster's tags, or of a field of labels, that tell interests; None to do without.
    within : timedelta, optional
        The window (as_of - within, as_of] of purchases; by default from the beginning.
    kinds : collection of str, default purchase
        What counts as a purchase.
    column : str, optional
        The log's column that tells what was bought, an extra such as ``"category"`` for instance; None to do without
        purchases.
    topics : mapping of label to label, optional
        What a label of that column is called among the interests. One that it lacks counts for nothing. By default
        labels are what they are.
    tag_says, purchase_says : float, default 0.5
        How much one tag, and one purchase, tells: a share in [0, 1).
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind named here that the log does not know; purchase by default need not occur.

    Returns
    -------
    Needs

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An option can't be used; the roster has no such tags, or the log no such column.

    Notes
    -----
    With t = 1 for a member who carries the tag and 0 for who doesn't, and n their purchases under that label::

        score = 1 - (1 - tag_says) ** t * (1 - purchase_says) ** n

    It is 0 without any evidence, below 1 always, and each piece of evidence takes its share of what is still in doubt.

    A purchase without a label tells nothing. The arrays are dense,
    members × labels: map items to few topics where there are many.

    References
    ----------
    S3 §5.1, rows T9 and D7 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> import shequn as sq
    >>> log = sq.EventLog.from_columns(
    ...     member=["ann", "ann", "bo"], kind="purchase", at=[0, 1, 2], time_unit="s", item=["cake", "flour", "pot"]
    ... )
    >>> roster = sq.Roster.from_columns(member=["ann", "bo"], tags={"interests": [{"baking"}, {"tea"}]})
    >>> topics = {"cake": "baking", "flour": "baking", "pot": "tea"}
    >>> found = needs(roster, log, as_of=pendulum.datetime(1970, 1, 2), topics=topics)
    >>> list(found.labels), found.scores.tolist()
    (['baking', 'tea'], [[0.875, 0.0], [0.0, 0.75]])
    >>> found.assignment().labels().tolist()
    ['baking', 'tea']
    """
    facts = MemberFacts.of(roster, log, as_of, unknown_kinds)
    within_us = None if within is None else window_us("within", within)
    spending = kinds_of("kinds", kinds)
    is_kind = facts.kinds(spending, argument="kinds", named=kinds is not _PURCHASE)

    carried = None if tags is None else trait_of(roster, tags, argument="tags")
    rows = facts.rows(is_kind, within_us)
    bought = None
    if column is not None and len(rows):
        bought = _topics_of(log.labelled_column(column, argument="column"), rows, topics)
    labels = _ascending([*(carried.labels if carried else ()), *(bought[0] if bought else ())])
    shape = (len(roster), len(labels))
    tagged, purchases = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.int64)
    if carried is not None:
        tagged[carried.rows, labels.places_of(carried.labels)[carried.codes]] = True
    if bought is not None:
        index, codes = bought
        told = codes >= 0
        cell = facts.member_of(rows[told]) * len(labels) + labels.places_of(index)[codes[told]]
        purchases = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    return Needs(
        members=roster.members,
        labels=labels,
        tagged=frozen(tagged),
        purchases=frozen(purchases),
        tag_says=tag_says,
        purchase_says=purchase_says,
        as_of_us=facts.as_of_us,
    )


def _topics_of(column: Coded, rows: IntArray, topics: Mapping[Label, Label] | None) -> tuple[Index, IntArray]:
    """Return the distinct topics that occur, and the code of each row's, -1 for none."""
    codes = column.codes[rows].astype(np.int64)
    if topics is None:
        found = np.unique(codes[codes >= 0])
        place = np.full(len(column.index) + 1, -1, dtype=np.int64)
        place[found] = np.arange(len(found))
        return column.index.take(found), place[codes]
    instance("topics", topics, Mapping, expected="a mapping of label to label")
    named = [topics.get(label) for label in column.index]
    index, of_label = Index.encode(named, argument="topics", nulls=True)
    return index, np.append(of_label, np.int32(-1))[codes].astype(np.int64)


def _ascending(labels: Sequence[Label]) -> Index:
    index, _ = Index.encode(list(labels), argument="labels")
    return index.take(np.argsort(index.labels))


def _share(says: float) -> float:
    number = plain(says)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise InvalidTypeError(message("says", "a share in [0, 1)", says))
    if not 0 <= number < 1:
        raise InvalidValueError(message("says", "a share in [0, 1)", says))
    return float(number)


def _flags(values: ArrayLike) -> BoolArray:
    given = np.asarray(values)
    return given if given.dtype == np.bool_ and not may_change(given) else frozen(given.astype(np.bool_))


class NeedRow(NamedTuple):
    """What tells that one member wants one thing; the names are those of `Needs`.

    Attributes
    ----------
    member, label : str or int
    tagged : bool
    purchases : int
    score : float

    Examples
    --------
    >>> NeedRow(member="ann", label="tea", tagged=True, purchases=1, score=0.75).score
    0.75
    """

    member: Label
    label: Label
    tagged: bool
    purchases: int
    score: float


@attrs.frozen(kw_only=True, repr=False)
class Needs(Tabular[NeedRow]):
    """How much each of n members wants each of m things; made by `needs`.

    Attributes
    ----------
    members : Index
        The n members.
    labels : Index
        The m things, in ascending order.
    tagged : ndarray of bool, shape (n, m)
        Who carries the tag.
    purchases : ndarray of int64, shape (n, m)
        How often they bought it.
    tag_says, purchase_says : float
        How much one tag, and one purchase, tells.
    as_of_us : int
        The instant of the question, in microseconds since 1970-01-01T00:00Z.

    Examples
    --------
    >>> found = Needs(
    ...     members=Index(["ann", "bo"]),
    ...     labels=Index(["baking", "tea"]),
    ...     tagged=[[True, False], [True, True]],
    ...     purchases=[[2, 0], [0, 1]],
    ...     as_of_us=0,
    ... )
    >>> print(found)
    Needs as of 1970-01-01 00:00 UTC
    label   tagged  buyers  mean score  strongest
    ─────────────────────────────────────────────
    baking       2       1       0.688          1
    tea          1       1       0.375          1
    """

    members: Index
    labels: Index
    tagged: BoolArray = attrs.field(converter=_flags, eq=attrs.cmp_using(eq=np.array_equal))
    purchases: IntArray = counts_field()
    tag_says: float = attrs.field(default=0.5, converter=_share)
    purchase_says: float = attrs.field(default=0.5, converter=_share)
    as_of_us: int

    _Row: ClassVar[type[Any] | None] = NeedRow

    def __attrs_post_init__(self) -> None:
        """Check shapes."""
        shape = (len(self.members), len(self.labels))
        for name, array in (("tagged", self.tagged), ("purchases", self.purchases)):
            if array.shape != shape:
                raise MisalignedError(message(name, f"an array of shape {shape}", array.shape))

    @property
    def scores(self) -> FloatArray:
        """How much each member wants each thing, in [0, 1), shape (n, m)."""
        return frozen(self._scores(self.tagged, self.purchases))

    def _scores(self, tagged: BoolArray, purchases: IntArray) -> FloatArray:
        doubt = np.power(1.0 - self.purchase_says, purchases)
        doubt[tagged] *= 1.0 - self.tag_says
        # Rounding must not say that anything is beyond doubt.
        return np.minimum(1.0 - doubt, _ALMOST_ONE)

    def score_one(self, *, tagged: bool, purchases: int) -> float:
        """Return the score of one member and one thing, by the same formula.

        Examples
        --------
        >>> found = Needs(members=Index(["ann"]), labels=Index(["tea"]), tagged=[[True]], purchases=[[3]], as_of_us=0)
        >>> found.score_one(tagged=True, purchases=2)
        0.875
        """
        number, is_tagged = one_number("purchases", purchases), flag("tagged", tagged)
        return float(self._scores(np.array([is_tagged]), np.array([number], dtype=np.int64))[0])

    def assignment(self, *, at_least: float = 0.5) -> Assignment:
        """Return the thing that each member wants most.

        Parameters
        ----------
        at_least : float, default 0.5
            Who wants nothing so much is in no segment.

        Returns
        -------
        Assignment
            Over the labels; of two that are wanted alike the first in ascending order.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `at_least` is no number in (0, 1].

        Examples
        --------
        >>> found = Needs(members=Index(["ann"]), labels=Index(["tea"]), tagged=[[True]], purchases=[[0]], as_of_us=0)
        >>> found.assignment().of("ann"), found.assignment(at_least=0.6).of("ann")
        ('tea', None)
        """
        least = plain(at_least)
        if isinstance(least, bool) or not isinstance(least, int | float):
            raise InvalidTypeError(message("at_least", "a number in (0, 1]", at_least))
        if not 0 < least <= 1:
            raise InvalidValueError(message("at_least", "a number in (0, 1]", at_least))
        codes = np.full(len(self.members), -1, dtype=np.int32)
        if len(self.labels):
            strongest = np.argmax(self.scores, axis=1)
            wanted = self.scores[np.arange(len(self.members)), strongest] >= least
            codes[wanted] = strongest[wanted]
        return Assignment(members=self.members, codes=codes, segments=self.labels)

    def explain(self, member: Label, /, *, lang: Lang = "en") -> str:
        """Return what tells that a member wants what, the strongest first.

        Parameters
        ----------
        member : str or int
        lang : {"en", "zh"}

        Raises
        ------
        UnknownLabelError
            There is no such member.

        Examples
        --------
        >>> found = Needs(members=Index(["ann"]), labels=Index(["tea"]), tagged=[[True]], purchases=[[3]], as_of_us=0)
        >>> print(found.explain("ann"))
        ann: tea 0.94 (tagged, purchases: 3)
        >>> print(found.explain("ann", lang="zh"))
        ann：tea 0.94（有标签，购买 3 次）
        """
        place = self.members.code(member, argument="member")
        scores = self.scores[place]
        told: list[str] = []
        for label in np.argsort(-scores, kind="stable").tolist():
            if scores[label] > 0:
                n = int(self.purchases[place, label])
                why = [_TAGGED[lang]] * bool(self.tagged[place, label]) + [_BOUGHT[lang].format(n=n)] * (n > 0)
                told.append(_NEED[lang].format(label=self.labels[label], score=scores[label], why=_AND[lang].join(why)))
        return _OF[lang].format(member=member, told=_AND[lang].join(told) or _NOTHING[lang])

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        scores = self.scores
        strongest = list(self.assignment(at_least=math.ulp(0.0)).sizes().values())
        means = scores.mean(axis=0) if len(self.members) else np.full(len(self.labels), np.nan)
        return [
            Column(key="label", en="label", zh="需求", values=objects(list(self.labels))),
            Column(key="tagged", en="tagged", zh="有标签", values=self.tagged.sum(axis=0), format="count"),
            Column(key="buyers", en="buyers", zh="购买人数", values=(self.purchases > 0).sum(axis=0), format="count"),
            Column(key="mean_score", en="mean score", zh="平均得分", values=means, format="number", digits=3),
            Column(key="strongest", en="strongest", zh="首要需求", values=strongest, format="count"),
        ]

    def _tidy(self) -> Sequence[Column]:
        scores: NDArray[Any] = self.scores
        row, label = np.nonzero(self.tagged | (self.purchases > 0))
        return [
            Column(key="member", en="member", zh="成员", values=self.members.labels[row]),
            Column(key="label", en="label", zh="需求", values=self.labels.labels[label]),
            Column(key="tagged", en="tagged", zh="有标签", values=self.tagged[row, label]),
            Column(key="purchases", en="purchases", zh="购买", values=self.purchases[row, label], format="count"),
            Column(key="score", en="score", zh="得分", values=scores[row, label], format="number", digits=3),
        ]

    def _title(self, lang: Lang, /) -> str:
        return as_of_title(self.as_of_us, "需求分层", "Needs", lang)

    def __repr__(self) -> str:
        """Show how many members and labels there are."""
        return f"Needs({len(self.members):,} members, {len(self.labels):,} labels)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


_ALMOST_ONE = math.nextafter(1.0, 0.0)
_TAGGED: dict[Lang, str] = {"en": "tagged", "zh": "有标签"}
_BOUGHT: dict[Lang, str] = {"en": "purchases: {n:,}", "zh": "购买 {n:,} 次"}
_NEED: dict[Lang, str] = {"en": "{label} {score:.2f} ({why})", "zh": "{label} {score:.2f}（{why}）"}
_AND: dict[Lang, str] = {"en": ", ", "zh": "，"}
_OF: dict[Lang, str] = {"en": "{member}: {told}", "zh": "{member}：{told}"}
_NOTHING: dict[Lang, str] = {"en": "nothing is known", "zh": "暂无需求信息"}
