"""Does one kind of content do better than another, or did a few items happen to do well?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, NamedTuple, TypeAlias, get_args

import attrs
import numpy as np

from shequn.columns.readonly import counts_field, frozen
from shequn.columns.table import Column, Tabular
from shequn.content.item_results import ContentPerformance, rate_name
from shequn.errors import InvalidValueError, MisalignedError, counted, message
from shequn.stats import PooledRates, benjamini_hochberg, pool_rates
from shequn.stats._checks import instance, items_of, level_in_unit, number_between, one_of, reals_column
from shequn.stats.student import student_quantile, student_sf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.content.item_results import ContentRate
    from shequn.entities import ContentItem
    from shequn.entities.taxonomies import Taxonomy

__all__ = ["ContentAttribute", "ContentEffectRow", "ContentEffects", "effects"]

ContentAttribute: TypeAlias = Literal["kind", "subkind", "format", "surface"]

_HALVINGS: Final = 60
_ROUNDING: Final = 1e-9


def effects(
    performance: ContentPerformance,
    /,
    *,
    by: ContentAttribute | Sequence[ContentAttribute] = "kind",
    rate: ContentRate | None = None,
    level: float | None = None,
) -> ContentEffects:
    r"""Compare kinds, formats or surfaces of content, or their combinations, by how their items did.

    Parameters
    ----------
    performance : ContentPerformance
        How each item did. Items that are too young, unpublished, or reached nobody take no part, nor do those that
        don't say what `by` asks.
    by : {"kind", "subkind", "format", "surface"}, or several of them, default "kind"
        What to compare; several give one row for each combination that occurs.
    rate : {"read", "engagement", "share"}, optional
        By default the one that `performance` ranks by.
    level : float, optional
        Confidence level; by default that of `performance`.

    Returns
    -------
    ContentEffects
        One row a level, in the order of their taxonomies.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used.

    Notes
    -----
    **The item is the unit.** What an item's members do depends on the item, so that a thousand readers of one item do
    not tell as much about its kind as a thousand items with a reader each. With n the members an item reached and
    :math:`\rho` the share of a member's outcome that the item decides (the correlation within items), an item weighs
    :math:`w = n / (1 + (n - 1) \rho)`, at most :math:`1/\rho` however many it reached. Williams' moment estimate of
    :math:`\rho` makes the sum of :math:`w (r - \mu)^2 / (\mu (1 - \mu))` over items, of their rates r about the
    weighted mean :math:`\mu` of their level, equal to its degrees of freedom, items less levels. Where no level has two
    items, all are taken as one level.

    A level's rate is :math:`\mu`, its effective number W the sum of w; the interval is Wilson's score interval of
    these, with Student's t at those degrees of freedom for the normal quantile. `p_value` compares a level with all
    others together by the score test of two proportions, again with t, and `adjusted` corrects for the number of levels
    by Benjamini and Hochberg: of the levels with `adjusted` up to 0.05 one in twenty is expected to be no different.

    `pooled` draws each rate to the common mean as `pool_rates` does, by effective numbers: use it to choose. `lift` is
    pooled / overall - 1, with overall the mean over all levels by effective numbers. Its interval is that of the
    level's own rate over the overall one, which is taken as known, widened to the lift where that lies outside.

    That members see many items makes no difference here: the question is whether the next items of a kind would do
    better among the same members.

    References
    ----------
    Williams, D. A. (1982). Extra-binomial variation in logistic linear models. Applied Statistics 31, 144-148.
    https://doi.org/10.2307/2347977

    Kleinman, J. C. (1973). Proportions with extraneous variance: single and independent samples. Journal of the
    American Statistical Association 68, 46-54. https://doi.org/10.1080/01621459.1973.10481332

    Rows T3-T5 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> from shequn.entities import ContentItem
    >>> from shequn.values.instants import instant_us
    >>> day, now = pendulum.datetime(2024, 3, 1), pendulum.datetime(2024, 3, 8)
    >>> kinds = ["educational"] * 4 + ["entertainment"] * 4
    >>> items = [ContentItem(id=n, kind=kind, created=day, published=day) for n, kind in enumerate(kinds)]
    >>> none, readers = [0] * 8, [30, 44, 38, 36, 18, 25, 12, 21]
    >>> done = ContentPerformance(
    ...     items=items, reached=[100] * 8, readers=readers, reads=readers, engaged=none, engagement=none,
    ...     sharers=none, shares=none, as_of_us=instant_us(now), rank_by="read",
    ... )
    >>> print(effects(done, by="kind"))
    Read rate by kind
    kind           items  reached   rate  lower  upper  pooled    lift   lower  upper      p  adjusted
    ──────────────────────────────────────────────────────────────────────────────────────────────────
    entertainment      4      400  19.0%  13.6%  26.0%   19.9%  -28.8%  -51.6%  -7.2%  0.005     0.005
    educational        4      400  37.0%  29.7%  44.9%   36.1%   28.8%    6.2%  60.4%  0.005     0.005
    8 items; correlation within items 0.007; pooling: partial.
    """
    instance("performance", performance, ContentPerformance, expected="a ContentPerformance")
    names = _attributes(by)
    chosen = performance.rank_by if rate is None else rate_name("rate", rate)
    sure = performance.level if level is None else level_in_unit(level)
    labels = [_labels(item, names) for item in performance.items]
    is_told = np.fromiter((None not in label for label in labels), dtype=np.bool_, count=len(labels))
    counts_ = performance.is_ranked & is_told
    rows = np.flatnonzero(counts_).tolist()
    levels = sorted({labels[row] for row in rows}, key=_place)
    code = {label: number for number, label in enumerate(levels)}
    at = np.array([code[labels[row]] for row in rows], dtype=np.int64)
    n_levels = len(levels)
    reached, hits = performance.reached[rows], performance.hits(chosen)[rows]
    correlation, df = _correlation(hits, reached, at, n_levels)
    weight = reached / (1.0 + (reached - 1) * correlation)
    return ContentEffects(
        by=names,
        rate=chosen,
        levels=tuple(levels),
        items=np.bincount(at, minlength=n_levels),
        reached=_sums(at, reached, n_levels),
        hits=_sums(at, hits, n_levels),
        effective=np.bincount(at, weight, minlength=n_levels),
        effective_hits=np.bincount(at, weight * hits / reached, minlength=n_levels),
        correlation=correlation,
        df=df,
        level=sure,
        n_left_out=len(labels) - len(rows),
    )


def _attributes(by: object) -> tuple[ContentAttribute, ...]:
    names: list[Any] = [by] if isinstance(by, str) else items_of("by", by, expected="names of attributes")
    if not names or len(set(map(str, names))) != len(names):
        raise InvalidValueError(message("by", "one attribute or several, each once", by))
    for name in names:
        one_of("by", name, get_args(ContentAttribute))
    return tuple(names)


def _labels(item: ContentItem, names: tuple[ContentAttribute, ...]) -> tuple[Any, ...]:
    return tuple(getattr(item, name) for name in names)


def _place(label: tuple[Taxonomy, ...]) -> tuple[int, ...]:
    return tuple(list(type(value)).index(value) for value in label)


def _sums(at: IntArray, counts: IntArray, n: int) -> IntArray:
    total = np.zeros(n, dtype=np.int64)
    np.add.at(total, at, counts)
    return total


def _correlation(hits: IntArray, reached: IntArray, at: IntArray, n_levels: int) -> tuple[float, int]:
    """Return the correlation within items by Williams' moments, and its degrees of freedom."""
    df = len(hits) - n_levels
    if df < 1:
        at, n_levels = np.zeros(len(hits), dtype=np.int64), 1
        df = max(len(hits) - 1, 0)
    rates = hits / reached

    def excess(correlation: float) -> float:
        weight = reached / (1.0 + (reached - 1) * correlation)
        mean = np.bincount(at, weight * rates, minlength=n_levels) / np.bincount(at, weight, minlength=n_levels)
        spread = (mean * (1.0 - mean))[at]
        # All or nothing: such a level has no spread, and its items don't depart from it.
        terms = np.divide(weight * (rates - mean[at]) ** 2, spread, out=np.zeros(len(rates)), where=spread > 0)
        return float(terms.sum()) - df

    if df < 1 or excess(0.0) <= 0:
        return 0.0, df
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return (low + high) / 2, df


class ContentEffectRow(NamedTuple):
    """One level of `ContentEffects`, or one combination.

    Attributes
    ----------
    kind, subkind, format, surface : Taxonomy or None
        What it is; None for what was not asked.
    items, reached, hits : int
    rate, lower, upper : float
    pooled : float
    lift, lift_lower, lift_upper : float
    p_value, adjusted : float

    Examples
    --------
    >>> row = ContentEffectRow(
    ...     kind="educational", subkind=None, format=None, surface=None, items=4, reached=400, hits=148, rate=0.37,
    ...     lower=0.31, upper=0.43, pooled=0.365, lift=0.3, lift_lower=0.11, lift_upper=0.55, p_value=0.002,
    ...     adjusted=0.002,
    ... )
    >>> row.lift
    0.3
    """

    kind: Taxonomy | None
    subkind: Taxonomy | None
    format: Taxonomy | None
    surface: Taxonomy | None
    items: int
    reached: int
    hits: int
    rate: float
    lower: float
    upper: float
    pooled: float
    lift: float
    lift_lower: float
    lift_upper: float
    p_value: float
    adjusted: float


def _effective(values: Any) -> FloatArray:  # noqa: ANN401
    return reals_column("effective, effective_hits", values, (-1,), of="each level", least=0)


def _unit(value: float) -> float:
    return number_between("correlation", value, 0, 1)


def _pooled(effects: ContentEffects) -> PooledRates:
    shapes = {effects.effective.shape, effects.effective_hits.shape}
    if len(shapes) > 1 or (effects.effective_hits > effects.effective * (1 + _ROUNDING)).any():
        expected = "at most as many as effective, level by level"
        raise InvalidValueError(message("effective_hits", expected, effects.effective_hits.tolist()))
    return pool_rates(np.minimum(effects.effective_hits, effects.effective), effects.effective, level=effects.level)


def _levels(levels: Iterable[Iterable[Taxonomy]]) -> tuple[tuple[Taxonomy, ...], ...]:
    expected = "a tuple of values of taxonomies for each level"
    return tuple(
        tuple(items_of("levels", level, expected=expected)) for level in items_of("levels", levels, expected=expected)
    )


@attrs.frozen(kw_only=True, repr=False)
class ContentEffects(Tabular[ContentEffectRow]):
    """How levels of content differ, the item being the unit; made by `effects`.

    Parameters
    ----------
    by : tuple of {"kind", "subkind", "format", "surface"}
        What was compared.
    rate : {"read", "engagement", "share"}
        By which rate.
    levels : tuple of tuple of Taxonomy
        The k levels, each with one value for each name in `by`.
    items, reached, hits : ndarray of int64, shape (k,)
        Items of each level, the members they reached, and the members who did it; a member counts with each item.
    effective, effective_hits : ndarray of float64, shape (k,)
        How many independent members that is worth, and how many of them did it.
    correlation : float
        How much members of one item are alike, from 0 to 1.
    df : int
        Degrees of freedom that it was estimated with.
    level : float
        Confidence level of intervals.
    n_left_out : int
        Items that took no part.

    Attributes
    ----------
    pooled : PooledRates
        The rates drawn to each other, with the distribution they were drawn to; see `pool_rates`.

    Examples
    --------
    >>> from shequn.entities import ContentKind
    >>> told = ContentEffects(
    ...     by=("kind",), rate="read", levels=((ContentKind.INTERACTIVE,), (ContentKind.EDUCATIONAL,)), items=[9, 7],
    ...     reached=[900, 700], hits=[90, 140], effective=[300, 250], effective_hits=[30, 50], correlation=0.02, df=14,
    ... )
    >>> told.own_rate, told.p_value.round(4)
    (array([0.1, 0.2]), array([0.0051, 0.0051]))
    """

    by: tuple[ContentAttribute, ...] = attrs.field(converter=_attributes)
    rate: ContentRate
    levels: tuple[tuple[Taxonomy, ...], ...] = attrs.field(converter=_levels)
    items: IntArray = counts_field()
    reached: IntArray = counts_field()
    hits: IntArray = counts_field()
    effective: FloatArray = attrs.field(converter=_effective, eq=attrs.cmp_using(eq=np.array_equal))
    effective_hits: FloatArray = attrs.field(converter=_effective, eq=attrs.cmp_using(eq=np.array_equal))
    correlation: float = attrs.field(converter=_unit)
    df: int
    level: float = attrs.field(default=0.95, converter=level_in_unit)
    n_left_out: int = 0
    pooled: PooledRates = attrs.field(init=False, eq=False, default=attrs.Factory(_pooled, takes_self=True))

    _Row: ClassVar[type[Any] | None] = ContentEffectRow

    def __attrs_post_init__(self) -> None:
        """Check that the columns go together."""
        rate_name("rate", self.rate)
        for name in ("items", "reached", "hits", "effective", "effective_hits"):
            column = getattr(self, name)
            if column.shape != (len(self.levels),):
                expected = f"one for each of the {counted(len(self.levels), 'level')}"
                raise MisalignedError(message(name, expected, f"an array of shape {column.shape}"))

    def __len__(self) -> int:
        """Return the number of levels."""
        return len(self.levels)

    @property
    def own_rate(self) -> FloatArray:
        """The rate of each level by itself, the mean of its items by their weight, shape (k,)."""
        return frozen(self._bounded_hits / np.where(self.effective > 0, self.effective, np.nan))

    @property
    def overall(self) -> float:
        """The rate over all levels, by effective numbers; NaN without any."""
        total = float(self.effective.sum())
        return float(self._bounded_hits.sum()) / total if total else float("nan")

    @property
    def lower(self) -> FloatArray:
        """Lower end of the interval of `own_rate`, shape (k,)."""
        return self._ends()[0]

    @property
    def upper(self) -> FloatArray:
        """Upper end of the interval of `own_rate`, shape (k,)."""
        return self._ends()[1]

    @property
    def lift(self) -> FloatArray:
        """By what share the pooled rate of each level lies above the overall one, shape (k,); NaN if that is 0."""
        return frozen(self._over_overall(self.pooled.mean))

    @property
    def lift_lower(self) -> FloatArray:
        """Lower end of the interval of `lift`, shape (k,)."""
        return frozen(np.fmin(self._over_overall(self.lower), self.lift))

    @property
    def lift_upper(self) -> FloatArray:
        """Upper end of the interval of `lift`, shape (k,)."""
        return frozen(np.fmax(self._over_overall(self.upper), self.lift))

    @property
    def p_value(self) -> FloatArray:
        """How likely so large a difference from all other levels together is by chance, shape (k,); NaN untested."""
        hits, number = self._bounded_hits, self.effective
        rest_hits, rest = hits.sum() - hits, number.sum() - number
        mean = self.overall
        if len(self) < 2 or self.df < 1 or not 0 < mean < 1:  # noqa: PLR2004
            return frozen(np.full(len(self), np.nan))
        deviation = np.sqrt(mean * (1 - mean) * (1 / number + 1 / rest))
        distance = np.abs(hits / number - rest_hits / rest) / deviation
        return frozen(np.minimum(2 * student_sf(distance, self.df), 1.0))

    @property
    def adjusted(self) -> FloatArray:
        """`p_value` corrected for the number of levels by Benjamini and Hochberg, shape (k,)."""
        return benjamini_hochberg(self.p_value)

    @property
    def _bounded_hits(self) -> FloatArray:
        # Rounding may lift a sum of shares above that of their weights.
        return np.minimum(self.effective_hits, self.effective)

    def _ends(self) -> tuple[FloatArray, FloatArray]:
        """Return the ends of Wilson's interval at effective numbers, with Student's quantile."""
        if self.df < 1:
            return frozen(np.full(len(self), np.nan)), frozen(np.full(len(self), np.nan))
        square = float(student_quantile((1.0 + self.level) / 2.0, self.df)) ** 2
        rate, number = self.own_rate, self.effective
        middle = (rate + square / (2 * number)) / (1 + square / number)
        half = np.sqrt(square * (rate * (1 - rate) / number + square / (4 * number**2))) / (1 + square / number)
        return frozen(np.clip(middle - half, 0.0, rate)), frozen(np.clip(middle + half, rate, 1.0))

    def _over_overall(self, rates: FloatArray) -> FloatArray:
        return rates / self.overall - 1.0 if self.overall > 0 else np.full(len(self), np.nan)

    def _levels_of(self, name: ContentAttribute) -> Sequence[Taxonomy | None]:
        place = self.by.index(name) if name in self.by else None
        return [None if place is None else label[place] for label in self.levels]

    def _tidy(self) -> Sequence[Column]:
        return [*(self._attribute(name) for name in get_args(ContentAttribute)), *self._numbers(hits=True)]

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [*(self._attribute(name) for name in self.by), *self._numbers(hits=False)]

    def _attribute(self, name: ContentAttribute) -> Column:
        values = np.fromiter(self._levels_of(name), dtype=object, count=len(self))
        return Column(key=name, en=name, zh=_ATTRIBUTES[name], values=values)

    def _numbers(self, *, hits: bool) -> list[Column]:
        pooled = self.pooled
        told = [Column(key="hits", en="hits", zh="人次", values=self.hits, format="count")] if hits else []
        return [
            Column(key="items", en="items", zh="内容数", values=self.items, format="count"),
            Column(key="reached", en="reached", zh="触达人次", values=self.reached, format="count"),
            *told,
            Column(key="rate", en="rate", zh="比率", values=self.own_rate, format="rate"),
            Column(key="lower", en="lower", zh="下限", values=self.lower, format="rate"),
            Column(key="upper", en="upper", zh="上限", values=self.upper, format="rate"),
            Column(key="pooled", en="pooled", zh="收缩后", values=pooled.mean, format="rate"),
            Column(key="lift", en="lift", zh="提升", values=self.lift, format="rate"),
            Column(key="lift_lower", en="lower", zh="下限", values=self.lift_lower, format="rate"),
            Column(key="lift_upper", en="upper", zh="上限", values=self.lift_upper, format="rate"),
            Column(key="p_value", en="p", zh="p 值", values=self.p_value, format="number", digits=3),
            Column(key="adjusted", en="adjusted", zh="校正后", values=self.adjusted, format="number", digits=3),
        ]

    def _title(self, lang: Lang, /) -> str:
        names = list(self.by)
        if lang == "zh":
            return f"按{'、'.join(_ATTRIBUTES[name] for name in names)}的{_RATES[self.rate]}"
        return f"{self.rate.capitalize()} rate by {' and '.join(names)}"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        total, pooling = int(self.items.sum()), self.pooled.pooling
        if lang == "zh":
            left = f"；{self.n_left_out:,} 条未参与比较" if self.n_left_out else ""
            how = {"partial": "部分收缩", "complete": "差异不大于偶然，全部取总体比率", "none": "不收缩"}[pooling]
            return [f"{total:,} 条内容{left}；同一内容内相关系数 {self.correlation:.3f}；{how}。"]
        left = f", {self.n_left_out:,} left out" if self.n_left_out else ""
        how = {"complete": "complete, as levels differ no more than chance makes them"}.get(pooling, pooling)
        return [f"{counted(total, 'item')}{left}; correlation within items {self.correlation:.3f}; pooling: {how}."]

    def __repr__(self) -> str:
        """Show what was compared, and how many levels stand out."""
        adjusted = self.adjusted
        out: BoolArray = adjusted <= 1 - self.level
        return f"ContentEffects({self.rate} rate by {', '.join(self.by)}: {int(out.sum())} of {len(self)} stand out)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle by the constructor: arrays are read-only again, and rates are pooled again."""
        given = {field.name: getattr(self, field.name) for field in attrs.fields(ContentEffects) if field.init}
        return partial(ContentEffects, **given), ()


_ATTRIBUTES: dict[str, str] = {"kind": "内容类型", "subkind": "细分类型", "format": "形式", "surface": "发布位置"}
_RATES: dict[str, str] = {"read": "阅读率", "engagement": "互动率", "share": "分享率"}
