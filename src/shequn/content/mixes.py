"""How varied is the content, how far is it from what is wanted, and what is due next?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias, cast, get_args

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.entities import ContentFormat, ContentKind, ContentSubkind, Surface
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import InvalidTypeError, InvalidValueError, counted, message
from shequn.stats._checks import counts_column, instance, items_of, number_between, one_of, reals_column, whole
from shequn.values import Mix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["By", "ContentMix", "MixRow", "Name", "names_of", "target_of"]

By: TypeAlias = Literal["kind", "subkind", "format", "surface", "topic"]
Name: TypeAlias = "Taxonomy | Label"

_TAXONOMIES: dict[By, type[Taxonomy]] = {
    "kind": ContentKind,
    "subkind": ContentSubkind,
    "format": ContentFormat,
    "surface": Surface,
}
_HEADINGS: dict[By, tuple[str, str]] = {
    "kind": ("kind", "类型"),
    "subkind": ("subkind", "细分类型"),
    "format": ("format", "形式"),
    "surface": ("surface", "发布位置"),
    "topic": ("topic", "话题"),
}
_MOST_PLANNED = 100_000
# Deficits closer than this, of an item, differ by rounding only.
_TIE_DECIMALS = 9


def target_of(target: object, by: By) -> Mix | None:
    """Return the target by codes of the taxonomy, in its order."""
    if target is None:
        return None
    wanted = target if isinstance(target, Mix) else Mix(cast("Mapping[Label, float]", target))
    taxonomy = _TAXONOMIES.get(by)
    if taxonomy is None:
        return wanted
    shares: dict[Taxonomy, float] = {}
    for name, share in wanted.shares.items():
        value = taxonomy.from_label(cast("str", name), argument="target")
        if value in shares:
            raise InvalidValueError(message("target", f"each {by} once", name))
        shares[value] = share
    return Mix({value.value: shares[value] for value in taxonomy if value in shares})


def names_of(by: By, labels: list[tuple[Name, ...]], wanted: Mix | None) -> tuple[Name, ...]:
    """Return all values of the taxonomy, or the topics that occur or are wanted, in ascending order."""
    taxonomy = _TAXONOMIES.get(by)
    if taxonomy is not None:
        return tuple(taxonomy)
    topics = {topic for of_item in labels for topic in of_item} | set(() if wanted is None else wanted.shares)
    if len({isinstance(topic, str) for topic in topics}) > 1:
        raise InvalidTypeError(message("items", "topics, those of the target included, all str or all int", topics))
    return tuple(sorted(cast("set[str]", topics)))


def _one_of_by(by: By) -> By:
    one_of("by", by, get_args(By))
    return by


def _names(names: Iterable[Name]) -> tuple[Name, ...]:
    return tuple(items_of("names", names, expected="values of a taxonomy, or topics"))


def _unit(unit: float) -> float:
    return number_between("unit", unit, 0, excluding="least")


class MixRow(NamedTuple):
    """One kind of content; the names are those of `ContentMix`.

    Examples
    --------
    >>> MixRow("interactive", 2, 2.0, 0.25, 0.4, -0.15).gap
    -0.15
    """

    name: Label
    items: int
    weight: float
    share: float
    target: float
    gap: float


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ContentMix(Tabular[MixRow]):
    """How content is made up, how varied that is, and how far from what is wanted (内容配比); made by `mix`.

    Parameters
    ----------
    by : {"kind", "subkind", "format", "surface", "topic"}
        What was counted by.
    names : tuple of Taxonomy or labels
        The k values of that.
    items : ndarray of int64, shape (k,)
        How many items are of each.
    weight : ndarray of float64, shape (k,)
        What they count together; as many as there are where no weights were given.
    missing : int
        How many items don't say.
    target : Mix, optional
        The mix that is wanted.
    unit : float, default 1
        What the next item will count: as much as the items did on average.

    Examples
    --------
    >>> made = ContentMix.from_counts({"informational": 6, "interactive": 2}, target={"informational": 1.0})
    >>> made, made.distance, made.next_due.zh
    (ContentMix(8 items by kind, 2 of 4 kinds), 0.25, '信息性')
    """

    by: By = attrs.field(converter=_one_of_by)
    names: tuple[Name, ...] = attrs.field(converter=_names)
    items: IntArray
    weight: FloatArray
    missing: int = 0
    target: Mix | None = None
    unit: float = attrs.field(default=1.0, converter=_unit)

    _Row: ClassVar[type[Any] | None] = MixRow

    def __attrs_post_init__(self) -> None:
        """Check that the columns fit each other."""
        shape, of = (len(self.names),), f"each of {counted(len(self.names), 'name')}"
        object.__setattr__(self, "items", counts_column("items", self.items, shape, of=of))
        object.__setattr__(self, "weight", reals_column("weight", self.weight, shape, of=of, least=0))
        object.__setattr__(self, "missing", whole("missing", self.missing))
        if self.target is not None:
            instance("target", self.target, Mix, expected="a Mix or None")
            for name in self.target.shares:
                if name not in self.names:
                    raise InvalidValueError(message("target", "the names that are counted by", name))

    @classmethod
    def from_counts(
        cls,
        counts: Mapping[Label, int],
        /,
        *,
        by: By = "kind",
        target: Mix | Mapping[Label, float] | None = None,
    ) -> ContentMix:
        """Return the mix of items that were counted elsewhere.

        Parameters
        ----------
        counts : mapping of label to int
            Number of items of each value: its code or a name of it, or a topic.
        by, target
            As in `mix`.

        Returns
        -------
        ContentMix

        Raises
        ------
        InvalidTypeError, InvalidValueError, UnknownLabelError
            A count is none, or a name is none of the taxonomy or stands there twice.

        Examples
        --------
        >>> ContentMix.from_counts({"抽奖": 3, "新茶": 1}, by="topic").entropy.__round__(3)
        0.562
        """
        one_of("by", by, get_args(By))
        instance("counts", counts, Mapping, expected="a mapping of label to number of items")
        taxonomy, read = _TAXONOMIES.get(by), dict[Name, int]()
        for label, n in counts.items():
            name: Name = label if taxonomy is None else taxonomy.from_label(cast("str", label), argument="counts")
            if name in read:
                raise InvalidValueError(message("counts", f"each {by} once", label))
            read[name] = whole(f"counts[{str(label)!r}]", n)
        wanted = target_of(target, by)
        names = names_of(by, [tuple(read)], wanted)
        column = counts_column("counts", [read.get(name, 0) for name in names], (-1,), of="each name")
        return cls(by=by, names=names, items=column, weight=column.astype(np.float64), target=wanted)

    @property
    def shares(self) -> FloatArray:
        """Share of each in the whole, shape (k,); NaN where there is nothing."""
        largest = self.weight.max(initial=0.0)
        if not largest:
            return frozen(np.full(len(self.names), math.nan))
        part = self.weight / largest
        return frozen(part / math.fsum(part))

    @property
    def mix(self) -> Mix | None:
        """The shares as a `Mix`; None where there is nothing."""
        if not self.weight.any():
            return None
        return Mix.of({_code(name): float(weight) for name, weight in zip(self.names, self.weight, strict=True)})

    @property
    def entropy(self) -> float:
        """Shannon entropy in nats; NaN where there is nothing."""
        return math.nan if self.mix is None else self.mix.entropy

    def hill(self, q: float) -> float:
        """Return the effective number of kinds, as `Mix.hill`; NaN where there is nothing.

        Parameters
        ----------
        q : float
            Order, 0 or more.

        Returns
        -------
        float

        Examples
        --------
        >>> ContentMix.from_counts({"interactive": 2, "informational": 2}).hill(1)
        2.0
        """
        if self.mix is None:
            number_between("q", q, 0)
            return math.nan
        return self.mix.hill(q)

    @property
    def wanted(self) -> FloatArray | None:
        """Share of each that is wanted, shape (k,); None without a target."""
        if self.target is None:
            return None
        return frozen(np.array([self.target.shares.get(_code(name), 0.0) for name in self.names]))

    @property
    def gap(self) -> FloatArray | None:
        """Share less the share wanted, shape (k,); None without a target."""
        return None if self.wanted is None else frozen(self.shares - self.wanted)

    @property
    def distance(self) -> float:
        """Total variation distance to the target, in [0, 1]; NaN without a target, or where there is nothing."""
        return math.nan if self.mix is None or self.target is None else self.mix.distance(self.target)

    @property
    def next_due(self) -> Name | None:
        """What the next item should be, so that the mix comes nearest to the target; None without a target."""
        return None if self.target is None else self.plan_next(1)[0]

    def plan_next(self, n: int) -> tuple[Name, ...]:
        r"""Return what the next n items should be, so that the mix after them is as near to the target as can be.

        Parameters
        ----------
        n : int
            Number of items, from 0 to 100,000.

        Returns
        -------
        tuple of Taxonomy or labels, n of them
            In the order that keeps the mix near the target on the way. Of what is equally due the first in the order of
            `names` goes first.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `n` is no such number, or there is no target.

        Notes
        -----
        After n items of weight u each the whole weighs :math:`W' = W + n u`, so that kind i has a deficit of
        :math:`x_i = W' t_i - w_i`. The items go, one after the other, to the largest deficit, which is u less from then
        on. That is a minimum: of the distance :math:`\sum_i |x_i - u a_i| / 2 W'`, of the squares, and of any sum
        of one convex function over the kinds, since what an item takes off such a sum never grows from one item of a
        kind to the next, and is largest where the deficit is. For one item it is the rule "largest deficit first".

        Examples
        --------
        >>> made = ContentMix.from_counts({"informational": 6, "interactive": 2}, target={"互动性": 1})
        >>> [kind.zh for kind in made.plan_next(2)]
        ['互动性', '互动性']
        """
        ahead = whole("n", n)
        if not 0 <= ahead <= _MOST_PLANNED:
            raise InvalidValueError(message("n", f"a number of items from 0 to {_MOST_PLANNED:,}", n))
        wanted = self.wanted
        if wanted is None:
            raise InvalidValueError(message("target", "a target, to which the next items lead", None))
        rows = _spread(self.weight, wanted, self.unit, ahead)
        return tuple(self.names[row] for row in rows)

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self.names)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        hidden = {"weight"} if np.array_equal(self.weight, self.items) else set[str]()
        if self.target is None:
            hidden |= {"target", "gap"}
        kept = [column for column in self._tidy() if column.key not in hidden]
        en, zh = _HEADINGS[self.by]
        values = np.fromiter(self.names, dtype=object, count=len(self.names))
        return [Column(key="name", en=en, zh=zh, values=values), *kept[1:]]

    def _tidy(self) -> Sequence[Column]:
        nothing = np.full(len(self.names), math.nan)
        wanted, gap = (nothing if part is None else part for part in (self.wanted, self.gap))
        names = np.fromiter((_code(name) for name in self.names), dtype=object, count=len(self.names))
        return [
            Column(key="name", en="name", zh="名称", values=names),
            Column(key="items", en="items", zh="条数", values=self.items, format="count"),
            Column(key="weight", en="weight", zh="权重", values=self.weight, format="number"),
            Column(key="share", en="share", zh="占比", values=self.shares, format="rate"),
            Column(key="target", en="target", zh="目标", values=wanted, format="rate"),
            Column(key="gap", en="gap", zh="差距", values=gap, format="rate"),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        numbers = ", ".join(f"{self.hill(q):.2f}" if self.mix else "–" for q in (0, 1, 2))
        due = self.next_due
        named = getattr(due, lang, due)
        far = "–" if math.isnan(self.distance) else f"{self.distance:.1%}"
        if lang == "zh":
            notes = [f"有效种类数（Hill 数，0、1、2 阶）：{numbers.replace(', ', '、')}。"]
            notes += [f"与目标的距离：{far}；下一条宜为：{named}。"] if self.target is not None else []
            return notes + ([f"{self.missing:,} 条未注明。"] if self.missing else [])
        notes = [f"Effective kinds (Hill numbers of order 0, 1, 2): {numbers}."]
        notes += [f"Distance to the target: {far}; due next: {named}."] if self.target is not None else []
        return notes + ([f"{counted(self.missing, 'item')} didn't say."] if self.missing else [])

    def __repr__(self) -> str:
        """Show how many items there are of how many kinds."""
        # An item with several topics stands under each of them.
        of = f"{counted(int(self.items.sum()), 'item')} by {self.by}"
        return f"ContentMix({of}, {int(np.count_nonzero(self.items))} of {counted(len(self.names), self.by)})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def _code(name: Name) -> Label:
    return name.value if isinstance(name, Taxonomy) else name


def _spread(weight: FloatArray, wanted: FloatArray, unit: float, n: int) -> list[int]:
    """Return the rows of n items that end nearest to the target, in an order that stays near it."""
    # In items rather than in weight, where a difference that is mere rounding can be told.
    have = weight / unit
    deficit = wanted * (math.fsum(have) + n) - have
    left = np.zeros(len(wanted), dtype=np.int64)
    for _ in range(n):
        row = int(np.argmax(np.round(deficit, _TIE_DECIMALS)))
        left[row] += 1
        deficit[row] -= 1.0
    rows: list[int] = []
    whole_now = math.fsum(have)
    for step in range(1, n + 1):
        due = np.where(left > 0, np.round(wanted * (whole_now + step) - have, _TIE_DECIMALS), -math.inf)
        row = int(np.argmax(due))
        rows.append(row)
        left[row] -= 1
        have[row] += 1.0
    return rows
