"""How many are let in, how many of them should not have been, and do those who had it harder stay longer?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias, get_args

import attrs
import numpy as np

from shequn.columns.readonly import by_fields
from shequn.columns.table import Column, Tabular
from shequn.errors import MisalignedError, UnknownLabelError, counted, message
from shequn.stats import chi_square_homogeneity
from shequn.stats._checks import counts_column, instance, one_of, refuse
from shequn.values import Rate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shequn._typing import IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label
    from shequn.stats import Homogeneity
    from shequn.values.rate import RateDifference

__all__ = ["AdmissionRateRow", "AdmissionRates", "RateKind", "ScarcityEffect"]

RateKind: TypeAlias = Literal["acceptance", "false_accepts", "retention", "activity"]

_WORDS: dict[str, tuple[tuple[str, str], tuple[str, str], tuple[str, str]]] = {
    "acceptance": (("admitted", "通过"), ("decided", "已决定"), ("waiting", "候补")),
    "false_accepts": (("removed", "移出"), ("judged", "可判定"), ("too young", "未到期")),
    "retention": (("stayed", "留存"), ("judged", "可判定"), ("too young", "未到期")),
    "activity": (("active", "活跃"), ("judged", "可判定"), ("too young", "未到期")),
}
_ALL = {"en": "(all)", "zh": "（合计）"}
_NONE = {"en": "(none)", "zh": "（无）"}


class AdmissionRateRow(NamedTuple):
    """One segment of `AdmissionRates`.

    Examples
    --------
    >>> AdmissionRateRow("open", 8, 10, 0.8, 0.49, 0.943, 2).trials
    10
    """

    segment: Label | None
    hits: int
    trials: int
    rate: float
    lower: float
    upper: float
    undecided: int


def _segments(segments: Sequence[Label | None]) -> tuple[Label | None, ...]:
    return tuple(segments)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AdmissionRates(Tabular[AdmissionRateRow]):
    """A rate of admission by segment, with intervals; made by `acceptance_rates`, `false_accepts`, `scarcity_effect`.

    Attributes
    ----------
    kind : {"acceptance", "false_accepts", "retention", "activity"}
        Let in of those decided on; removed, stayed, or active of those let in long enough ago.
    segments : tuple of str, int or None
        The k segments; None for what is in none.
    hits, trials : ndarray of int64, shape (k,)
        Counts of each.
    undecided : ndarray of int64, shape (k,)
        How many were left out: they wait, or are too young to judge.

    Examples
    --------
    >>> print(AdmissionRates(kind="acceptance", segments=["open"], hits=[8], trials=[10], undecided=[2]))
    segment  admitted  decided   rate  lower  upper  waiting
    ────────────────────────────────────────────────────────
    open            8       10  80.0%  49.0%  94.3%        2
    (all)           8       10  80.0%  49.0%  94.3%        2
    """

    kind: RateKind
    segments: tuple[Label | None, ...] = attrs.field(converter=_segments)
    hits: IntArray
    trials: IntArray
    undecided: IntArray

    _Row: ClassVar[type[Any] | None] = AdmissionRateRow

    def __attrs_post_init__(self) -> None:
        """Check the counts."""
        one_of("kind", self.kind, get_args(RateKind))
        k = len(self.segments)
        for name in ("hits", "trials", "undecided"):
            column = counts_column(name, getattr(self, name), (k,), of=f"each of the {k} segments")
            object.__setattr__(self, name, column)
        if (self.hits > self.trials).any():
            refuse("hits", "at most as many as trials", self.hits, self.hits > self.trials)

    def __len__(self) -> int:
        """Return the number of segments."""
        return len(self.segments)

    @property
    def total(self) -> Rate:
        """The rate of all segments together."""
        return Rate(int(self.hits.sum()), int(self.trials.sum()))

    def rate(self, segment: Label | None, /) -> Rate:
        """Return the rate of one segment.

        Raises
        ------
        UnknownLabelError
            There is no such segment.

        Examples
        --------
        >>> AdmissionRates(kind="acceptance", segments=["a"], hits=[1], trials=[2], undecided=[0]).rate("a")
        Rate(hits=1, trials=2)
        """
        if segment not in self.segments:
            raise UnknownLabelError(message("segment", f"one of the {len(self)} segments", segment))
        place = self.segments.index(segment)
        return Rate(int(self.hits[place]), int(self.trials[place]))

    def described(self) -> Sequence[Column]:
        """Return the columns, one row a segment.

        Examples
        --------
        >>> rates = AdmissionRates(kind="acceptance", segments=["a"], hits=[1], trials=[2], undecided=[0])
        >>> [column.en for column in rates.described()][:3]
        ['segment', 'admitted', 'decided']
        """
        return self._tidy()

    def _tidy(self) -> Sequence[Column]:
        return self._every(self.segments, self.hits, self.trials, self.undecided)

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        names = [_NONE[lang] if segment is None else segment for segment in self.segments]
        with_total = (np.append(column, column.sum()) for column in (self.hits, self.trials, self.undecided))
        return self._every([*names, _ALL[lang]], *with_total)

    def _every(
        self, names: Sequence[object], hits: IntArray, trials: IntArray, undecided: IntArray
    ) -> Sequence[Column]:
        rates = [Rate(h, n) for h, n in zip(hits.tolist(), trials.tolist(), strict=True)]
        (hit_en, hit_zh), (trial_en, trial_zh), (left_en, left_zh) = _WORDS[self.kind]
        value, lower, upper = (
            np.array([getattr(rate, name) for rate in rates], dtype=np.float64) for name in ("value", "lower", "upper")
        )
        labels = np.fromiter(names, dtype=object, count=len(rates))
        return [
            Column(key="segment", en="segment", zh="分组", values=labels),
            Column(key="hits", en=hit_en, zh=hit_zh, values=hits, format="count"),
            Column(key="trials", en=trial_en, zh=trial_zh, values=trials, format="count"),
            Column(key="rate", en="rate", zh="比率", values=value, format="rate"),
            Column(key="lower", en="lower", zh="下限", values=lower, format="rate"),
            Column(key="upper", en="upper", zh="上限", values=upper, format="rate"),
            Column(key="undecided", en=left_en, zh=left_zh, values=undecided, format="count"),
        ]

    def __repr__(self) -> str:
        """Show the rate of all."""
        return f"AdmissionRates({self.kind}: {self.total.hits:,} of {self.total.trials:,})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ScarcityEffect(Tabular[AdmissionRateRow]):
    """Do those who were let in where few are stay longer and do more (得之不易感)? Made by `scarcity_effect`.

    It shows what goes together: who is let in where few are differs from others in more than that.

    Attributes
    ----------
    retention, activity : AdmissionRates
        Over the same bands, from the most selective to the least.
    acceptance : AdmissionRates
        Of the units whose newcomers are in the bands.

    Examples
    --------
    >>> bands = {"segments": ["≤ 50%", "> 50%"], "trials": [100, 100], "undecided": [0, 0]}
    >>> effect = ScarcityEffect(
    ...     retention=AdmissionRates(kind="retention", hits=[80, 60], **bands),
    ...     activity=AdmissionRates(kind="activity", hits=[50, 40], **bands),
    ...     acceptance=AdmissionRates(kind="acceptance", segments=["g1"], hits=[1], trials=[2], undecided=[0]),
    ... )
    >>> print(f"{effect.difference.value:.2f}, p = {effect.association.p_value:.4f}")
    0.20, p = 0.0020
    """

    retention: AdmissionRates
    activity: AdmissionRates
    acceptance: AdmissionRates

    _Row: ClassVar[type[Any] | None] = AdmissionRateRow

    def __attrs_post_init__(self) -> None:
        """Check that both are over the same bands."""
        for name in ("retention", "activity", "acceptance"):
            instance(name, getattr(self, name), AdmissionRates, expected="AdmissionRates")
        if self.retention.segments != self.activity.segments:
            raise MisalignedError(message("activity", "the bands of retention", self.activity.segments))

    @property
    def difference(self) -> RateDifference:
        """Retention in the most selective band with newcomers less that in the least selective, with its interval."""
        known = np.flatnonzero(self.retention.trials)
        if not len(known):
            return Rate(0, 0).minus(Rate(0, 0))
        ends = [Rate(int(self.retention.hits[k]), int(self.retention.trials[k])) for k in (known[0], known[-1])]
        return ends[0].minus(ends[1])

    @property
    def association(self) -> Homogeneity:
        """Whether retention differs between the bands by more than chance."""
        return chi_square_homogeneity(
            np.stack([self.retention.hits, self.retention.trials - self.retention.hits], axis=1)
        )

    def _tidy(self) -> Sequence[Column]:
        return self.retention.described()

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        first, *others = self.retention.described()
        active = next(column for column in self.activity.described() if column.key == "rate")
        values = np.fromiter(first.values.tolist(), dtype=object, count=len(first.values))
        label = Column(key="band", en="let in", zh="通过率", values=values)
        more = Column(key="active", en="active", zh="活跃率", values=active.values, format="rate")
        return [label, *others, more]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        gap, test = self.difference, self.association
        told = f"{gap.value:.1%} ({gap.lower:.1%} – {gap.upper:.1%})"
        told += f", p = {test.p_value:.3g}" if test.df else ""
        if lang == "zh":
            return [f"最严与最松之差 {told}；相关，未必因果"]
        return [f"most selective less least: {told}; no proof of cause"]

    def __repr__(self) -> str:
        """Show how many newcomers and bands there are."""
        n = counted(int(self.retention.trials.sum()), "newcomer")
        return f"ScarcityEffect({n} in {counted(len(self.retention), 'band')})"
