"""At which hours of the week do people respond, and how sure is that?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, NamedTuple, TypeAlias, get_args

import attrs
import numpy as np

from shequn.columns.readonly import frozen
from shequn.columns.table import Column, Tabular
from shequn.content._slot_model import HOURS, SlotFit, clustering_of, effective, fit_slots
from shequn.content.thompson import Thompson, slot_mask
from shequn.errors import InvalidValueError, MisalignedError, counted, message
from shequn.stats._checks import array_of, counts_column, instance, level_in_unit, number_between, one_of, refuse, whole
from shequn.stats.betas import beta_quantile
from shequn.stats.ranks import best_first
from shequn.values import zone_name

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.table import Lang

__all__ = ["MOST_REACHED", "Days", "SlotResponse", "SlotRow"]

Days: TypeAlias = Literal["each", "weekend"]

# By one post, so that sums over posts and the arithmetic of odds stay exact enough.
MOST_REACHED: Final = 2**31 - 1
# What quantiles of beta laws are known for; rates next to 0 or 1 of billions of members leave it.
_SHAPES: Final = (1e-3, 1e12)

_N_DAYS: Final[dict[Days, int]] = {"each": 7, "weekend": 2}
_DAYS: Final[dict[tuple[str, Lang], tuple[str, ...]]] = {
    ("each", "en"): ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    ("each", "zh"): ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    ("weekend", "en"): ("Mon-Fri", "Sat-Sun"),
    ("weekend", "zh"): ("工作日", "周末"),
}


class SlotRow(NamedTuple):
    """One slot; the names are those of `SlotResponse`.

    Examples
    --------
    >>> SlotRow(21, 0, 21, 3, 120, 30, 0.25, 0.22, 0.16, 0.29).hour
    21
    """

    slot: int
    day: int
    hour: int
    posts: int
    trials: int
    hits: int
    rate: float
    mean: float
    lower: float
    upper: float


def _tz(tz: str | dt.tzinfo | None) -> str | None:
    return None if tz is None else zone_name(tz)


def _clustering(value: float | None) -> float | None:
    return None if value is None else number_between("clustering", value, 0, 1, excluding="most")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SlotResponse(Tabular[SlotRow]):
    """What share of those reached responds, by the hour of the week of the post; made by `best_slots`, see there.

    Slots are numbered ``day * 24 + hour`` on the local clock, with Monday as day 0. It keeps the counts of each of its
    m posts, so that two of them can be merged. As a table it begins with the slot whose interval has the highest lower
    end.

    Parameters
    ----------
    slot : array_like of int, shape (m,)
        Slot of each post.
    hits, trials : array_like of int, shape (m,)
        How many were reached by each post, and how many of these responded.
    days : {"each", "weekend"}, default "each"
        Whether each day of the week has hours of its own (168 slots), or weekdays and weekends have (48 slots; day 0 is
        Monday to Friday, day 1 the weekend).
    level : float, default 0.95
        Of the intervals.
    clustering : float, optional
        How much alike those reached by one post are, in [0, 1): their intraclass correlation. By default it is
        estimated from posts in the same slot.
    tz : str or tzinfo, optional
        Zone of the clock.
    n_young : int, default 0
        Posts that were left out since their time to respond was not over.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        An argument can't be used.

    Examples
    --------
    >>> response = SlotResponse(slot=[9, 21, 21], hits=[2, 9, 11], trials=[40, 40, 40], days="weekend")
    >>> response, [(row.day, row.hour) for row in response.top(1)]
    (SlotResponse(3 posts in 2 of 48 slots), [(0, 21)])
    >>> response.mean[[9, 21]].round(2).tolist(), response.rates[[9, 21]].tolist()
    ([0.08, 0.24], [0.05, 0.25])
    """

    slot: IntArray
    hits: IntArray
    trials: IntArray
    days: Days = "each"
    level: float = attrs.field(default=0.95, converter=level_in_unit)
    clustering: float | None = attrs.field(default=None, converter=_clustering)
    tz: str | None = attrs.field(default=None, converter=_tz)
    n_young: int = 0
    _fit: SlotFit = attrs.field(init=False)

    _Row: ClassVar[type[Any] | None] = SlotRow

    def __attrs_post_init__(self) -> None:
        """Check that the columns fit each other, and estimate."""
        one_of("days", self.days, get_args(Days))
        slot = counts_column("slot", self.slot, (-1,), of="each post", most=_N_DAYS[self.days] * HOURS - 1)
        of = f"each of {counted(len(slot), 'post')}"
        trials = counts_column("trials", self.trials, slot.shape, of=of, most=MOST_REACHED)
        hits = counts_column("hits", self.hits, slot.shape, of=of)
        bad = hits > trials
        if bad.any():
            refuse("hits", "no more than `trials`", hits, bad)
        if whole("n_young", self.n_young) < 0:
            raise InvalidValueError(message("n_young", "0 or more", self.n_young))
        for name, column in (("slot", slot), ("hits", hits), ("trials", trials)):
            object.__setattr__(self, name, column)
        clustering = clustering_of(slot, hits, trials) if self.clustering is None else self.clustering
        object.__setattr__(self, "clustering", clustering)
        object.__setattr__(self, "_fit", self._fitted(clustering))

    def _fitted(self, clustering: float) -> SlotFit:
        hits, trials = effective(self.hits, self.trials, clustering)
        k, n = (np.bincount(self.slot, of_posts, self.n_slots).astype(np.float64) for of_posts in (hits, trials))
        if n.any():
            return fit_slots(k, n, n_days=_N_DAYS[self.days])
        unknown = frozen(np.ones(self.n_slots))
        return SlotFit(unknown, unknown, frozen(np.full(self.n_slots, np.nan)))

    @classmethod
    def from_counts(
        cls,
        hits: ArrayLike,
        trials: ArrayLike,
        /,
        *,
        tz: str | dt.tzinfo | None = None,
        level: float = 0.95,
        clustering: float | None = None,
    ) -> SlotResponse:
        """Build from the counts of each slot, added up elsewhere.

        Parameters
        ----------
        hits, trials : array_like of int, shape (168,) or (48,)
            How many were reached by posts in each slot, and how many of these responded: of each hour from Monday
            00:00 on, or of the hours of weekdays and then those of weekends.
        tz, level, clustering
            As in `SlotResponse`. The counts of a slot stand as those of one post, from which clustering can't be
            estimated: without merging several, and without an own value, it is taken for 0.

        Returns
        -------
        SlotResponse
            The same as if the posts of each slot were one.

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            An argument can't be used.

        Examples
        --------
        >>> hits, trials = np.zeros((2, 168), dtype=np.int64)
        >>> trials[[9, 21]], hits[[9, 21]] = 400, [20, 100]
        >>> SlotResponse.from_counts(hits, trials).top(1)[0].slot
        21
        """
        n = array_of("trials", trials, kinds="iu", expected="integers")
        sizes: dict[int, Days] = {n_days * HOURS: days for days, n_days in _N_DAYS.items()}
        if n.ndim != 1 or len(n) not in sizes:
            raise MisalignedError(message("trials", "one for each of 168 or of 48 slots", f"shape {n.shape}"))
        k = counts_column("hits", hits, n.shape, of=f"each of the {len(n)} slots")
        used = np.flatnonzero((n != 0) | (k != 0))
        return cls(
            slot=used,
            hits=k[used],
            trials=n[used],
            days=sizes[len(n)],
            tz=tz,
            level=level,
            clustering=clustering,
        )

    def merge(self, *others: SlotResponse) -> SlotResponse:
        """Return the response to the posts of all of them together, with clustering estimated anew.

        Parameters
        ----------
        *others : SlotResponse
            Of other posts, with the same slots on the clock of the same zone.

        Returns
        -------
        SlotResponse
            With the level of the first.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            One of them is none, or has other slots.

        Examples
        --------
        >>> monday, friday = (SlotResponse(slot=[slot], hits=[3], trials=[9]) for slot in (9, 105))
        >>> monday.merge(friday)
        SlotResponse(2 posts in 2 of 168 slots)
        """
        for other in others:
            instance("others", other, SlotResponse, expected="SlotResponse records")
            for name in ("days", "tz"):
                if getattr(other, name) != getattr(self, name):
                    raise InvalidValueError(message(name, f"{getattr(self, name)!r} in each", getattr(other, name)))
        every = (self, *others)
        return attrs.evolve(
            self,
            slot=np.concatenate([one.slot for one in every]),
            hits=np.concatenate([one.hits for one in every]),
            trials=np.concatenate([one.trials for one in every]),
            clustering=None,
            n_young=sum(one.n_young for one in every),
        )

    # ── of each slot ─────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def n_slots(self) -> int:
        """How many slots there are, 168 or 48."""
        return _N_DAYS[self.days] * HOURS

    @property
    def posts(self) -> IntArray:
        """Posts in each slot, shape (n_slots,)."""
        return frozen(np.bincount(self.slot, minlength=self.n_slots))

    @property
    def slot_trials(self) -> IntArray:
        """How many times a member was reached by a post in each slot, shape (n_slots,)."""
        return self._summed(self.trials)

    @property
    def slot_hits(self) -> IntArray:
        """How many of those responded, shape (n_slots,)."""
        return self._summed(self.hits)

    @property
    def rates(self) -> FloatArray:
        """Hits of trials as they are, shape (n_slots,); NaN where there are none."""
        k, n = self.slot_hits, self.slot_trials
        return frozen(np.divide(k, n, out=np.full(self.n_slots, np.nan), where=n > 0))

    @property
    def mean(self) -> FloatArray:
        """What to expect of each slot, shape (n_slots,), slots without posts included; NaN where nobody was reached."""
        return self._fit.mean if self._is_known else frozen(np.full(self.n_slots, np.nan))

    @property
    def expected(self) -> FloatArray:
        """What the hour and the day alone lead one to expect, shape (n_slots,): what `mean` is drawn towards."""
        return self._fit.expected

    @property
    def lower(self) -> FloatArray:
        """Lower ends of the intervals, shape (n_slots,); 0 where nobody was reached at all."""
        return self._end((1.0 - self.level) / 2.0, 0.0)

    @property
    def upper(self) -> FloatArray:
        """Upper ends of the intervals, shape (n_slots,); 1 where nobody was reached at all."""
        return self._end((1.0 + self.level) / 2.0, 1.0)

    @property
    def ranking(self) -> IntArray:
        """Slots from the highest lower end to the lowest, of equal ones the earlier first, shape (n_slots,).

        Equal are those that agree in twelve digits: what arithmetic rounds differs from one processor to the next.
        """
        return frozen(best_first(self.lower))

    @property
    def _is_known(self) -> bool:
        return bool(self.trials.any())

    def _summed(self, values: IntArray) -> IntArray:
        sums = np.zeros(self.n_slots, dtype=np.int64)
        np.add.at(sums, self.slot, values)
        return frozen(sums)

    def _end(self, p: float, unknown: float) -> FloatArray:
        if not self._is_known:
            return frozen(np.full(self.n_slots, unknown))
        alpha, beta = (np.clip(shape, *_SHAPES) for shape in (self._fit.alpha, self._fit.beta))
        return frozen(beta_quantile(p, alpha, beta))

    # ── what to do ───────────────────────────────────────────────────────────────────────────────────────────────────

    def top(
        self, n: int = 5, /, *, by: Literal["lower", "mean"] = "lower", where: ArrayLike | None = None
    ) -> tuple[SlotRow, ...]:
        """Return the best slots.

        Parameters
        ----------
        n : int, default 5
            How many; fewer if there are not as many.
        by : {"lower", "mean"}, default "lower"
            Whether the highest lower ends of the intervals come first, slots that are good for sure, or the highest
            estimates, which may be of slots never tried. Of equal ones the earlier comes first.
        where : array_like of bool, shape (n_slots,), optional
            Slots that come into question, such as those outside work hours.

        Returns
        -------
        tuple of SlotRow
            The best ones first.

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            An argument can't be used.

        Examples
        --------
        >>> response = SlotResponse(slot=[9, 21], hits=[3, 9], trials=[40, 40])
        >>> hour = np.arange(168) % 24
        >>> [row.hour for row in response.top(2, where=(hour < 9) | (hour >= 22))]
        [22, 23]
        """
        if whole("n", n) < 0:
            raise InvalidValueError(message("n", "0 or more", n))
        one_of("by", by, ("lower", "mean"))
        chosen = self.ranking if by == "lower" else best_first(self.mean)
        if where is not None:
            chosen = chosen[slot_mask(where, self.n_slots)[chosen]]
        columns = [column.values[chosen[: int(n)]].tolist() for column in self._of_slots()]
        return tuple(SlotRow(*row) for row in zip(*columns, strict=True))

    def thompson(self) -> Thompson:
        """Return a sampler that goes on from what is known, see `Thompson`.

        Examples
        --------
        >>> response = SlotResponse(slot=[9, 21], hits=[3, 9], trials=[40, 40], days="weekend")
        >>> response.thompson()
        Thompson(48 slots)
        """
        return Thompson(alpha=self._fit.alpha, beta=self._fit.beta, clustering=self.clustering or 0.0)

    # ── as a table ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _of_slots(self) -> Sequence[Column]:
        slot = np.arange(self.n_slots)
        return [
            Column(key="slot", en="number", zh="序号", values=slot, format="count"),
            Column(key="day", en="day", zh="日", values=slot // HOURS, format="count"),
            Column(key="hour", en="hour", zh="时", values=slot % HOURS, format="count"),
            Column(key="posts", en="posts", zh="帖数", values=self.posts, format="count"),
            Column(key="trials", en="reached", zh="触达", values=self.slot_trials, format="count"),
            Column(key="hits", en="responded", zh="响应", values=self.slot_hits, format="count"),
            Column(key="rate", en="rate", zh="原始率", values=self.rates, format="rate"),
            Column(key="mean", en="estimate", zh="估计", values=self.mean, format="rate"),
            Column(key="lower", en="lower", zh="下限", values=self.lower, format="rate"),
            Column(key="upper", en="upper", zh="上限", values=self.upper, format="rate"),
        ]

    def _tidy(self) -> Sequence[Column]:
        order = self.ranking
        return [attrs.evolve(column, values=column.values[order]) for column in self._of_slots()]

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        order, names = self.ranking, _DAYS[self.days, lang]
        clock = [f"{names[slot // HOURS]} {slot % HOURS:02d}:00" for slot in order.tolist()]
        return [
            Column(key="slot", en="slot", zh="时段", values=np.array(clock, dtype=object)),
            *(column for column in self._tidy() if column.key not in {"slot", "day", "hour"}),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        n, close = len(self.slot), int(self._close.sum()) - 1
        clustering = self.clustering or 0.0
        if lang == "zh":
            young = f"；另有 {self.n_young:,} 篇时间未到" if self.n_young else ""
            notes = [f"{n:,} 篇帖子，同帖相关 {clustering:.3f}{young}"]
            return [*notes, f"另有 {close:,} 个时段的区间够得着第一名的估计"] if self._is_known else notes
        young = f"; {self.n_young:,} more too young" if self.n_young else ""
        notes = [f"{counted(n, 'post')}, clustering {clustering:.3f}{young}"]
        text = f"the intervals of {counted(close, 'other slot')} reach the estimate of the first"
        return [*notes, text] if self._is_known else notes

    @property
    def _close(self) -> BoolArray:
        """Which slots may be as good as the first is estimated to be."""
        close: BoolArray = self.upper >= self.mean[self.ranking[0]]
        return close

    def __len__(self) -> int:
        """Return the number of slots."""
        return self.n_slots

    def __repr__(self) -> str:
        """Show how many posts there are, in how many slots."""
        used = int((self.posts > 0).sum())
        return f"SlotResponse({counted(len(self.slot), 'post')} in {used} of {counted(self.n_slots, 'slot')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        given = {field.name: getattr(self, field.name) for field in attrs.fields(SlotResponse) if field.init}
        return partial(SlotResponse, **given), ()
