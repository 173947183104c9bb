"""From how recent, how often and how much on does a member get each score?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.errors import InvalidTypeError, InvalidValueError, message, suggest
from shequn.segmentation.scoring import Cut, Ties, bins_of, reaches, scores_by_cuts, ties_of
from shequn.segmentation.value_counts import cuts_of_values
from shequn.stats._checks import flag, instance, items_of, plain, whole
from shequn.values.elapsed import elapsed_us

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import IntArray

__all__ = ["DAY_US", "RfmCuts", "RfmScore", "cuts_of_members", "score_members"]

DAY_US = 86_400_000_000
_SCHEMA = 1


class RfmScore(NamedTuple):
    """The three scores of one member: 1 for the worst to the number of bins for the best, 0 without a row.

    Examples
    --------
    >>> RfmScore(recency=5, frequency=1, monetary=3)
    RfmScore(recency=5, frequency=1, monetary=3)
    """

    recency: int
    frequency: int
    monetary: int


def _recencies(cuts: Sequence[int | None]) -> tuple[int | None, ...]:
    given = [None if cut is None else whole("recency_us", cut) for cut in _items("recency_us", cuts)]
    for row, cut in enumerate(given):
        if cut is not None and cut < 0:
            raise InvalidValueError(message("recency_us", "times that are not negative", cut, row=row))
    _in_order("recency_us", [None if cut is None else -cut for cut in given], shown=given)
    return tuple(given)


def _frequencies(cuts: Sequence[float | None]) -> tuple[Cut, ...]:
    return _in_order("frequency", _items("frequency", cuts))


def _monetaries(cuts: Sequence[float | None]) -> tuple[Cut, ...]:
    return _in_order("monetary", _items("monetary", cuts))


def _frequencies_within(groups: Sequence[Sequence[float | None]]) -> tuple[tuple[Cut, ...], ...]:
    return tuple(
        _in_order("frequency_within", _items("frequency_within", cuts)) for cuts in _items("frequency_within", groups)
    )


def _monetaries_within(groups: Sequence[Sequence[float | None]]) -> tuple[tuple[Cut, ...], ...]:
    return tuple(
        _in_order("monetary_within", _items("monetary_within", cuts)) for cuts in _items("monetary_within", groups)
    )


def _items(argument: str, cuts: object) -> list[Any]:
    return items_of(argument, cuts, expected="a sequence of cuts")


def _in_order(argument: str, cuts: Sequence[object], *, shown: object = None) -> tuple[Cut, ...]:
    """Return cuts as plain numbers, each at least as hard to reach as the one before; None can't be reached.

    `shown` is what an error shows in place of the cuts.
    """
    found: list[Cut] = []
    for row, cut in enumerate(cuts):
        number = plain(cut)
        if number is not None and (isinstance(number, bool) or not isinstance(number, int | float)):
            raise InvalidTypeError(message(argument, "numbers, or None for a score that nobody gets", cut, row=row))
        if isinstance(number, float) and not math.isfinite(number):
            raise InvalidValueError(message(argument, "finite numbers, or None", cut, row=row))
        before = found[-1] if found else None
        if found and number is not None and (before is None or number < before):
            expected = "cuts in order, each as good as the one before or better, and None at the end alone"
            raise InvalidValueError(message(argument, expected, list(cuts) if shown is None else shown, row=row))
        found.append(number)
    return tuple(found)


def _bins(bins: int) -> int:
    return bins_of(bins)


@attrs.frozen(kw_only=True, repr=False)
class RfmCuts(Doors):
    """From which value on a member gets each of the scores 2, 3, …, bins, in three respects.

    Found by `rfm` and reused by ``rfm(..., cuts=...)``, on new data and in other processes; or made by hand with `of`.

    Attributes
    ----------
    bins : int
        The highest score.
    recency_us : tuple of int or None, length bins - 1
        A score is reached by who was last there at most so many microseconds ago. Falling. None where nobody got it.
    frequency : tuple of int, float or None, length bins - 1
        … by who did it at least so often. Rising.
    monetary : tuple of int, float or None, length bins - 1
        … by who spent at least so much. Rising.
    frequency_within : tuple of tuple, length bins, or ()
        Nested cuts: those of the members of each recency score.
    monetary_within : tuple of tuple, length bins × bins, or ()
        Nested cuts: those of the members of each recency and frequency score, in the order (1, 1), (1, 2), …

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A cut is no finite number, cuts are out of order, or there are not bins - 1 of each.

    Examples
    --------
    >>> cuts = RfmCuts.of(recency_days=(90, 30, 7), frequency=(2, 4, 8), monetary=(100, 500, 2_000))
    >>> cuts.score_one(recency_days=12.5, frequency=3, monetary=2_400)
    RfmScore(recency=3, frequency=2, monetary=4)
    >>> RfmCuts.from_dict(cuts.to_dict()) == cuts
    True
    """

    bins: int = attrs.field(converter=_bins)
    recency_us: tuple[int | None, ...] = attrs.field(converter=_recencies)
    frequency: tuple[Cut, ...] = attrs.field(converter=_frequencies)
    monetary: tuple[Cut, ...] = attrs.field(converter=_monetaries)
    frequency_within: tuple[tuple[Cut, ...], ...] = attrs.field(default=(), converter=_frequencies_within)
    monetary_within: tuple[tuple[Cut, ...], ...] = attrs.field(default=(), converter=_monetaries_within)

    def __attrs_post_init__(self) -> None:
        """Check how many cuts there are."""
        for name in ("recency_us", "frequency", "monetary"):
            self._require_cuts(name, getattr(self, name))
        n_groups = (self.bins, self.bins**2) if self.frequency_within or self.monetary_within else (0, 0)
        for name, n in zip(("frequency_within", "monetary_within"), n_groups, strict=True):
            groups = getattr(self, name)
            if len(groups) != n:
                raise InvalidValueError(message(name, f"cuts for each of the {n} groups", f"those of {len(groups)}"))
            for cuts in groups:
                self._require_cuts(name, cuts)

    def _require_cuts(self, name: str, cuts: tuple[Cut, ...]) -> None:
        if len(cuts) != self.bins - 1:
            expected = f"{self.bins - 1} cuts, one for each score from 2 to {self.bins}"
            raise InvalidValueError(message(name, expected, f"{len(cuts)} of them"))

    @classmethod
    def of(
        cls,
        *,
        recency_days: Sequence[float | timedelta],
        frequency: Sequence[int],
        monetary: Sequence[float] | None = None,
    ) -> RfmCuts:
        """Make cuts by hand, as many as there are scores less one.

        Parameters
        ----------
        recency_days : sequence of float or timedelta
            At most so many days ago: falling.
        frequency : sequence of int
            At least so often: rising.
        monetary : sequence of int or float, optional
            At least so much: rising. Without it everybody scores 1.

        Returns
        -------
        RfmCuts

        Examples
        --------
        >>> RfmCuts.of(recency_days=(90, 30), frequency=(2, 5)).bins
        3
        """
        recency = [recency_us_of(cut, argument="recency_days") for cut in _items("recency_days", recency_days)]
        _in_order("recency_days", [-cut for cut in recency], shown=list(recency_days))
        return cls(
            bins=len(recency) + 1,
            recency_us=recency,
            frequency=frequency,
            monetary=[None] * len(recency) if monetary is None else monetary,
        )

    @property
    def is_nested(self) -> bool:
        """Whether frequency is scored within recency, and money within both."""
        return bool(self.frequency_within)

    @property
    def recency_days(self) -> tuple[float | None, ...]:
        """The cuts of recency in days, length bins - 1."""
        return tuple(None if cut is None else cut / DAY_US for cut in self.recency_us)

    def score_one(self, *, recency_days: float | timedelta | None, frequency: int, monetary: float = 0) -> RfmScore:
        """Score one member, as `rfm` would with these cuts.

        Parameters
        ----------
        recency_days : float, timedelta or None
            How long ago the member was last there. None or NaN where never: the scores are 0.
        frequency : int
            How often.
        monetary : int or float, default 0
            How much.

        Returns
        -------
        RfmScore

        Raises
        ------
        InvalidTypeError, InvalidValueError
            A number is negative (money may be), missing or infinite; or one of recency and frequency says that the
            member never was there, and the other says otherwise.

        Notes
        -----
        Days are rounded to microseconds. A float tells those apart up to 142 years.

        Examples
        --------
        >>> cuts = RfmCuts.of(recency_days=(30,), frequency=(3,))
        >>> cuts.score_one(recency_days=30, frequency=1)
        RfmScore(recency=2, frequency=1, monetary=1)
        >>> cuts.score_one(recency_days=None, frequency=0)
        RfmScore(recency=0, frequency=0, monetary=0)
        """
        often, much = whole("frequency", frequency), _money(monetary)
        if often < 0:
            raise InvalidValueError(message("frequency", "a number of 0 or more", frequency))
        never = recency_days is None or (isinstance(recency_days, float) and math.isnan(recency_days))
        if never is not (often == 0):
            expected = "0 where there is no recency, and else 1 or more"
            raise InvalidValueError(message("frequency", expected, frequency))
        if recency_days is None or never:
            return RfmScore(0, 0, 0)
        ago = -recency_us_of(recency_days, argument="recency_days")
        recency = 1 + sum(reaches(ago, None if cut is None else -cut) for cut in self.recency_us)
        score = 1 + sum(reaches(often, cut) for cut in self._frequency_of(recency))
        return RfmScore(recency, score, 1 + sum(reaches(much, cut) for cut in self._monetary_of(recency, score)))

    def _frequency_of(self, recency: int) -> tuple[Cut, ...]:
        return self.frequency_within[recency - 1] if self.is_nested else self.frequency

    def _monetary_of(self, recency: int, frequency: int) -> tuple[Cut, ...]:
        if not self.is_nested:
            return self.monetary
        return self.monetary_within[(recency - 1) * self.bins + frequency - 1]

    def to_dict(self) -> dict[str, Any]:
        """Return the cuts as plain data that `json.dumps` takes; `from_dict` gives them back, exactly.

        Examples
        --------
        >>> RfmCuts.of(recency_days=(30,), frequency=(3,)).to_dict()
        {'schema': 1, 'bins': 2, 'recency_us': [2592000000000], 'frequency': [3], 'monetary': [None]}
        """
        document: dict[str, Any] = {
            "schema": _SCHEMA,
            "bins": self.bins,
            "recency_us": list(self.recency_us),
            "frequency": list(self.frequency),
            "monetary": list(self.monetary),
        }
        if self.is_nested:
            document["frequency_within"] = [list(cuts) for cuts in self.frequency_within]
            document["monetary_within"] = [list(cuts) for cuts in self.monetary_within]
        return document

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], /) -> RfmCuts:
        """Return cuts from what `to_dict` gave.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            It is no mapping with those keys, of another schema, or holds cuts that can't be.

        Examples
        --------
        >>> cuts = {"schema": 1, "bins": 2, "recency_us": [86400000000], "frequency": [3], "monetary": [None]}
        >>> RfmCuts.from_dict(cuts).recency_days
        (1.0,)
        """
        instance("document", document, Mapping, expected="a mapping that `to_dict` gave")
        given = dict(document)
        if given.pop("schema", None) != _SCHEMA:
            raise InvalidValueError(message("document", f"one of schema {_SCHEMA}", document.get("schema")))
        names = [field.name for field in attrs.fields(cls)]
        for name in names[:4]:
            if name not in given:
                raise InvalidValueError(message("document", f"the key {name!r}", sorted(map(str, given))))
        for name in given:
            if name not in names:
                raise InvalidValueError(
                    message("document", f"no keys but {', '.join(names)}", name) + suggest(name, names)
                )
        return cls(**given)

    def __repr__(self) -> str:
        """Show the cuts, those of recency in days."""
        nested = ", nested" if self.is_nested else ""
        days = ", ".join("–" if cut is None else f"{cut:.4g}" for cut in self.recency_days)
        often, much = (
            ", ".join("–" if cut is None else f"{cut:,}" for cut in cuts) for cuts in (self.frequency, self.monetary)
        )
        return f"RfmCuts({self.bins} bins{nested}, recency_days ≤ [{days}], frequency ≥ [{often}], monetary ≥ [{much}])"


def _money(value: float) -> int | float:
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise InvalidTypeError(message("monetary", "a number", value))
    if not math.isfinite(number):
        raise InvalidValueError(message("monetary", "a finite number", value))
    return number


def recency_us_of(days: float | timedelta, *, argument: str) -> int:
    """Return days as whole microseconds, the nearest.

    Examples
    --------
    >>> recency_us_of(0.5, argument="recency_days")
    43200000000
    """
    if isinstance(days, timedelta):
        return elapsed_us(argument, days)
    number = plain(days)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise InvalidTypeError(message(argument, "a number of days, or a duration", days))
    if not (math.isfinite(number) and number >= 0):
        raise InvalidValueError(message(argument, "a finite number of days, 0 or more", days))
    return round(Fraction(number) * DAY_US)


def cuts_of_members(  # noqa: PLR0917
    recency_us: IntArray, frequency: IntArray, monetary: NDArray[Any], bins: int, ties: Ties, nested: bool
) -> RfmCuts:
    """Return the cuts that score these members, all of whom have a row.

    Examples
    --------
    >>> ago, often, much = np.array([DAY_US, 0]), np.array([1, 2]), np.array([5, 5])
    >>> cuts_of_members(ago, often, much, 2, "value-left", False)
    RfmCuts(2 bins, recency_days ≤ [0], frequency ≥ [2], monetary ≥ [–])
    """
    bins, ties, nested = bins_of(bins), ties_of(ties), flag("nested", nested)
    better = cuts_of_values(-recency_us, bins, ties)
    overall = RfmCuts(
        bins=bins,
        recency_us=tuple(None if cut is None else -int(cut) for cut in better),
        frequency=cuts_of_values(frequency, bins, ties),
        monetary=cuts_of_values(monetary, bins, ties),
    )
    if not nested:
        return overall
    # A group in which nobody stands takes the cuts of everybody.
    by_recency = scores_by_cuts(-recency_us, better) - 1
    often = [
        cuts_of_values(frequency[rows], bins, ties) if len(rows) else overall.frequency
        for rows in _groups(by_recency, bins)
    ]
    by_both = by_recency.astype(np.int16) * bins + _scores_within(frequency, by_recency, often) - 1
    much = [
        cuts_of_values(monetary[rows], bins, ties) if len(rows) else overall.monetary
        for rows in _groups(by_both, bins**2)
    ]
    return attrs.evolve(overall, frequency_within=often, monetary_within=much)


def score_members(cuts: RfmCuts, recency_us: IntArray, frequency: IntArray, monetary: NDArray[Any]) -> NDArray[np.int8]:
    """Return the three scores of members who all have a row, shape (n, 3).

    Examples
    --------
    >>> cuts = RfmCuts.of(recency_days=(30,), frequency=(3,))
    >>> score_members(cuts, np.array([0]), np.array([2]), np.array([0])).tolist()
    [[2, 1, 1]]
    """
    recency = scores_by_cuts(-recency_us, [None if cut is None else -cut for cut in cuts.recency_us])
    if cuts.is_nested:
        by_recency = recency - 1
        often = _scores_within(frequency, by_recency, cuts.frequency_within)
        much = _scores_within(monetary, by_recency.astype(np.int16) * cuts.bins + often - 1, cuts.monetary_within)
    else:
        often, much = scores_by_cuts(frequency, cuts.frequency), scores_by_cuts(monetary, cuts.monetary)
    return np.stack([recency, often, much], axis=1)


def _scores_within(values: NDArray[Any], group: NDArray[Any], cuts: Sequence[tuple[Cut, ...]]) -> NDArray[np.int8]:
    """Return the score of each value by the cuts of its group."""
    scores = np.zeros(len(values), dtype=np.int8)
    for rows, of_group in zip(_groups(group, len(cuts)), cuts, strict=True):
        scores[rows] = scores_by_cuts(values[rows], of_group)
    return scores


def _groups(group: NDArray[Any], n_groups: int) -> list[IntArray]:
    """Return the rows of each group."""
    order = np.argsort(group, kind="stable")
    edges = np.cumsum(np.bincount(group, minlength=n_groups))
    return cast("list[IntArray]", np.split(order, edges[:-1]))
