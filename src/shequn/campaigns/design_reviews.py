"""What do the plans of campaigns promise, part by part?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.entities import InteractionForm
from shequn.errors import InvalidValueError, MisalignedError, counted, message
from shequn.stats import wilson
from shequn.stats._checks import (
    array_of,
    counts_column,
    instance,
    items_of,
    level_in_unit,
    number_between,
    reals,
    reals_column,
    whole,
)
from shequn.values import Mix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["DesignReview", "DesignRow"]

_MOST = 2**63 - 1


class DesignRow(NamedTuple):
    """One campaign; the names are those of `DesignReview`.

    Examples
    --------
    >>> DesignRow("mid-autumn", 6, 0.75, 0.41, 0.93, 2, 5.0, 1.25, "中秋", 7.0).adequacy
    1.25
    """

    campaign: Label
    touched: int
    fit: float
    lower: float
    upper: float
    n_forms: int
    for_each: float
    adequacy: float
    festival: str | None
    in_days: float


def _level(level: float) -> float:
    return level_in_unit(level)


def _number(n_members: int) -> int:
    return _count("n_audience", n_members)


def _untagged(n_members: int) -> int:
    return _count("n_untagged", n_members)


def _count(argument: str, n_members: int) -> int:
    n = whole(argument, n_members)
    if not 0 <= n <= _MOST:
        raise InvalidValueError(message(argument, "a number of members in [0, 2**63)", n_members))
    return n


def _campaigns(campaigns: Iterable[Label]) -> tuple[Label, ...]:
    return tuple(items_of("campaigns", campaigns, expected="ids of campaigns"))


def _forms(forms: Mix | None) -> Mix | None:
    if forms is not None:
        instance("forms", forms, Mix, expected="a Mix or None")
    return forms


def _reference(reference: float | None) -> float | None:
    return None if reference is None else number_between("reference", reference, 0, excluding="least")


def _festivals(festivals: Iterable[str | None]) -> tuple[str | None, ...]:
    return tuple(items_of("festivals", festivals, expected="names of festivals, or None"))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DesignReview(Tabular[DesignRow]):
    """What the plans of k campaigns promise, part by part; made by `review_designs`, where the parts are defined.

    Parameters
    ----------
    campaigns : tuple of labels
        Ids of the campaigns.
    n_audience, n_untagged : int
        How many members the audience has, and how many of them carry no tags.
    touched : ndarray of int64, shape (k,)
        How many members carry a tag that the campaign speaks to.
    has_topics : ndarray of bool, shape (k,)
        Whether it has topics at all.
    n_forms : ndarray of int64, shape (k,)
        How many forms it has.
    forms : Mix, optional
        The forms of all campaigns; None without campaigns.
    for_each : ndarray of float64, shape (k,)
        Reward for each participant, in major units of `currency`; NaN where that isn't known.
    reference : float, optional
        What should be there for each, in major units.
    currency : str, optional
        ISO 4217 code.
    festivals : tuple of str or None
        The first festival on the campaign's first day or later.
    in_days : ndarray of float64, shape (k,)
        How many days after that day it comes; NaN where there is none.
    level : float, default 0.95
        Confidence level of the fit's interval.

    Examples
    --------
    >>> from shequn.campaigns import review_designs
    >>> from shequn.columns import Roster
    >>> review = review_designs([], Roster.from_columns(member=["ann"]), tags=None)
    >>> review, len(review), review.forms is None
    (DesignReview(0 campaigns, 1 member), 0, True)
    """

    campaigns: tuple[Label, ...] = attrs.field(converter=_campaigns)
    n_audience: int = attrs.field(converter=_number)
    n_untagged: int = attrs.field(converter=_untagged)
    touched: IntArray
    has_topics: BoolArray
    n_forms: IntArray
    forms: Mix | None = attrs.field(converter=_forms)
    for_each: FloatArray
    reference: float | None = attrs.field(converter=_reference)
    currency: str | None
    festivals: tuple[str | None, ...] = attrs.field(converter=_festivals)
    in_days: FloatArray
    level: float = attrs.field(default=0.95, converter=_level)

    _Row: ClassVar[type[Any] | None] = DesignRow

    def __attrs_post_init__(self) -> None:
        """Check that the columns fit each other."""
        shape, of = (len(self.campaigns),), f"each of {counted(len(self.campaigns), 'campaign')}"
        touched = counts_column("touched", self.touched, shape, of=of, most=self.n_audience)
        object.__setattr__(self, "touched", touched)
        object.__setattr__(self, "n_forms", counts_column("n_forms", self.n_forms, shape, of=of, least=1))
        for name in ("for_each", "in_days"):
            column = reals(name, getattr(self, name)).copy()
            reals_column(name, np.nan_to_num(column, nan=0.0), shape, of=of, least=0)
            object.__setattr__(self, name, frozen(column))
        has_topics = array_of("has_topics", self.has_topics, kinds="b", expected="booleans")
        if has_topics.shape != shape:
            raise MisalignedError(message("has_topics", f"one for {of}", f"an array of shape {has_topics.shape}"))
        object.__setattr__(self, "has_topics", frozen(has_topics.copy()))
        if len(self.festivals) != len(self.campaigns):
            raise MisalignedError(message("festivals", f"one for {of}", self.festivals))

    @property
    def fit(self) -> FloatArray:
        """Share of the audience that each campaign touches, shape (k,); NaN where it has no topics."""
        share = self.touched / self.n_audience if self.n_audience else np.full(len(self), math.nan)
        return frozen(np.where(self.has_topics, share, math.nan))

    @property
    def fit_interval(self) -> tuple[FloatArray, FloatArray]:
        """Wilson interval of the fit, two arrays of shape (k,)."""
        ends = wilson(self.touched, np.full(len(self), self.n_audience), level=self.level)
        lower, upper = (frozen(np.where(self.has_topics, end, math.nan)) for end in ends)
        return lower, upper

    @property
    def adequacy(self) -> FloatArray:
        """Reward for each participant over the reference, shape (k,); NaN where one isn't known."""
        return frozen(self.for_each / (math.nan if self.reference is None else self.reference))

    @property
    def effective_forms(self) -> float:
        """Effective number of forms over all campaigns (Hill number of order 1); NaN without campaigns."""
        return math.nan if self.forms is None else self.forms.hill(1)

    def __len__(self) -> int:
        """Return the number of campaigns."""
        return len(self.campaigns)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        hidden = set[str]()
        if not self.has_topics.any():
            hidden |= {"touched", "fit", "lower", "upper"}
        if np.isnan(self.for_each).all():
            hidden |= {"for_each"}
        if np.isnan(self.adequacy).all():
            hidden |= {"adequacy"}
        if np.isnan(self.in_days).all():
            hidden |= {"festival", "in_days"}
        return [column for column in self._tidy() if column.key not in hidden]

    def _tidy(self) -> Sequence[Column]:
        lower, upper = self.fit_interval
        ids = np.fromiter(self.campaigns, dtype=object, count=len(self))
        names = np.fromiter(self.festivals, dtype=object, count=len(self))
        return [
            Column(key="campaign", en="campaign", zh="活动", values=ids),
            Column(key="touched", en="touched", zh="触及人数", values=self.touched, format="count"),
            Column(key="fit", en="fit", zh="契合度", values=self.fit, format="rate"),
            Column(key="lower", en="lower", zh="下限", values=lower, format="rate"),
            Column(key="upper", en="upper", zh="上限", values=upper, format="rate"),
            Column(key="n_forms", en="forms", zh="形式数", values=self.n_forms, format="count"),
            Column(key="for_each", en="for each", zh="人均奖励", values=self.for_each, format="number", digits=2),
            Column(key="adequacy", en="adequacy", zh="奖励充足度", values=self.adequacy, format="number", digits=2),
            Column(key="festival", en="festival", zh="节日", values=names),
            Column(key="in_days", en="in days", zh="距节日（天）", values=self.in_days, format="number", digits=0),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        effective, of = self.effective_forms, len(InteractionForm)
        if lang == "zh":
            notes = [f"受众：{self.n_audience:,} 人，其中 {self.n_untagged:,} 人没有标签。"]
            return notes + ([f"全部活动的形式：有效种类数 {effective:.1f}，共 {of} 种。"] if len(self) else [])
        notes = [f"Audience: {counted(self.n_audience, 'member')}, {self.n_untagged:,} without tags."]
        return notes + ([f"Forms over all campaigns: {effective:.1f} effective of {of}."] if len(self) else [])

    def __repr__(self) -> str:
        """Show how many campaigns and members there are."""
        return f"DesignReview({counted(len(self), 'campaign')}, {counted(self.n_audience, 'member')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
