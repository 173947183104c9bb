"""In which segments does an interest, a city, a product gather? The location quotient (垂直细分)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns import Roster
from shequn.columns.readonly import by_fields, counts_field, frozen
from shequn.columns.segments import assignment_of
from shequn.columns.table import Column, Tabular
from shequn.errors import MisalignedError, message
from shequn.labels import Index
from shequn.segmentation.flows import objects
from shequn.segmentation.traits import trait_of
from shequn.stats import ShareRatio, share_ratio
from shequn.stats._checks import counts as checked_counts
from shequn.stats._checks import instance, level_in_unit, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Assignment, Label

__all__ = ["Concentration", "ConcentrationRow", "location_quotient"]


def location_quotient(
    roster: Roster,
    by: Assignment | Mapping[Label, Label | None],
    /,
    *,
    trait: str = "interests",
    level: float = 0.95,
) -> Concentration:
    """Compare how frequent each label is in each segment with how frequent it is among all.

    Parameters
    ----------
    roster : Roster
        The members, and what is known of them.
    by : Assignment or mapping
        The segment of each member.
    trait : str, default "interests"
        Name of tags, or of a field of labels.
    level : float, default 0.95
        Confidence of the intervals, between 0 and 1.

    Returns
    -------
    Concentration
        A row for each segment and label.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
        An argument can't be used; the assignment is of other members; the roster has no such trait.

    Notes
    -----
    LQ = (members of the segment with the label / members of the segment) / (all with the label / all). Above 1 the
    label gathers there. Only members of whom the trait is known are counted, in the segment and among all; who is in no
    segment counts among all. The interval is that of `shequn.stats.share_ratio`. With many rows some lie outside it by
    chance: one in twenty at the default level.

    References
    ----------
    Row D7 of the domain table; Isserman, A. M. (1977). The location quotient approach to estimating regional economic
    impacts. Journal of the American Institute of Planners 43, 33-41. https://doi.org/10.1080/01944367708977758

    Examples
    --------
    >>> roster = Roster.from_columns(
    ...     member=["ann", "bo", "cy", "dee"], tags={"interests": [{"tea"}, {"tea", "go"}, {"go"}, None]}
    ... )
    >>> found = location_quotient(roster, {"ann": "core", "bo": "core", "cy": "lurker", "dee": "lurker"})
    >>> found.segments, found.labels, found.quotient.tolist()
    (('core', 'lurker'), ('go', 'tea'), [[1.0, 2.0], [1.0, 0.0]])
    """
    instance("roster", roster, Roster, expected="a Roster")
    segments = assignment_of(by, roster.members)
    found = trait_of(roster, trait, argument="trait")
    codes, k = segments.codes.astype(np.int64), len(segments.segments)
    everybody = np.zeros(len(roster), dtype=np.int64)
    return Concentration(
        segments=tuple(segments.segments),
        labels=tuple(found.labels),
        counts=found.counts(codes, k),
        sizes=found.sizes(codes, k),
        totals=found.counts(everybody, 1)[0],
        n_members=int(found.known.sum()),
        level=level,
    )


def _unique(labels: Iterable[Label]) -> tuple[Label, ...]:
    return tuple(Index(labels))


def _level(level: float) -> float:
    return level_in_unit(level)


class ConcentrationRow(NamedTuple):
    """One label in one segment; the names are those of `Concentration`.

    Attributes
    ----------
    segment, label : str or int
    members, size, total : int
        Members of the segment with the label, members of the segment, and all members with the label.
    share, base : float
        Share of the segment, and of all, with the label.
    quotient, lower, upper : float

    Examples
    --------
    >>> ConcentrationRow("core", "tea", 2, 2, 2, 1.0, 0.5, 2.0, 0.9, 2.0).quotient
    2.0
    """

    segment: Label
    label: Label
    members: int
    size: int
    total: int
    share: float
    base: float
    quotient: float
    lower: float
    upper: float


@attrs.frozen(kw_only=True, repr=False)
class Concentration(Tabular[ConcentrationRow]):
    """How much each of m labels gathers in each of k segments; made by `location_quotient`.

    Parameters
    ----------
    segments : iterable of str or of int
        The k segments.
    labels : iterable of str or of int
        The m labels.
    counts : ndarray of int64, shape (k, m)
        Members of each segment with each label.
    sizes : ndarray of int64, shape (k,)
        Members of each segment.
    totals : ndarray of int64, shape (m,)
        All members with each label, those in no segment included.
    n_members : int
        All members.
    level : float, default 0.95
        Confidence of the intervals.

    Raises
    ------
    MisalignedError, InvalidValueError
        The counts don't fit each other.

    Examples
    --------
    >>> print(
    ...     Concentration(
    ...         segments=["core", "lurker"],
    ...         labels=["tea"],
    ...         counts=[[60], [40]],
    ...         sizes=[100, 300],
    ...         totals=[100],
    ...         n_members=400,
    ...     )
    ... )
    segment  label  members  share   base    LQ  lower  upper
    ─────────────────────────────────────────────────────────
    core     tea         60  60.0%  25.0%  2.40   2.07   2.70
    lurker   tea         40  13.3%  25.0%  0.53   0.43   0.64
    """

    segments: tuple[Label, ...] = attrs.field(converter=_unique)
    labels: tuple[Label, ...] = attrs.field(converter=_unique)
    counts: IntArray = counts_field()
    sizes: IntArray = counts_field()
    totals: IntArray = counts_field()
    n_members: int
    level: float = attrs.field(default=0.95, converter=_level)

    _Row: ClassVar[type[Any] | None] = ConcentrationRow

    def __attrs_post_init__(self) -> None:
        """Check that the counts fit each other; the ratio refuses a part that is larger than its whole."""
        k, m = len(self.segments), len(self.labels)
        whole("n_members", self.n_members)
        for name, shape in (("counts", (k, m)), ("sizes", (k,)), ("totals", (m,))):
            column: ArrayLike = getattr(self, name)
            if checked_counts(name, column).shape != shape:
                raise MisalignedError(message(name, f"an array of shape {shape}", np.shape(column)))
        self._ratio()

    def _ratio(self) -> ShareRatio:
        return share_ratio(self.counts, self.sizes[:, None], self.totals, self.n_members, level=self.level)

    @property
    def share(self) -> FloatArray:
        """Share of each segment with each label, shape (k, m); NaN where nobody is."""
        sizes = np.broadcast_to(self.sizes[:, None], self.counts.shape)
        return frozen(np.divide(self.counts, sizes, out=np.full(self.counts.shape, np.nan), where=sizes > 0))

    @property
    def base(self) -> FloatArray:
        """Share of all members with each label, shape (m,); NaN where nobody is."""
        n = self.n_members
        return frozen(self.totals / n if n else np.full(len(self.labels), np.nan))

    @property
    def quotient(self) -> FloatArray:
        """Location quotient of each label in each segment, shape (k, m); NaN where nobody is, or nobody has it."""
        return self._ratio().estimate

    @property
    def lower(self) -> FloatArray:
        """Lower end of the interval of each quotient, shape (k, m)."""
        return self._ratio().lower

    @property
    def upper(self) -> FloatArray:
        """Upper end of the interval of each quotient, shape (k, m)."""
        return self._ratio().upper

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [column for column in self._tidy() if column.key not in {"size", "total"}]

    def _tidy(self) -> Sequence[Column]:
        row, column = (places.ravel() for places in np.indices(self.counts.shape))
        ratio = self._ratio()
        numbers = {"quotient": ("LQ", "区位商", ratio.estimate), "lower": ("lower", "下限", ratio.lower)}
        numbers["upper"] = ("upper", "上限", ratio.upper)
        return [
            Column(key="segment", en="segment", zh="分组", values=objects(self.segments)[row]),
            Column(key="label", en="label", zh="标签", values=objects(self.labels)[column]),
            Column(key="members", en="members", zh="成员", values=self.counts.ravel(), format="count"),
            Column(key="size", en="size", zh="分组人数", values=self.sizes[row], format="count"),
            Column(key="total", en="total", zh="总人数", values=self.totals[column], format="count"),
            Column(key="share", en="share", zh="占比", values=self.share.ravel(), format="rate"),
            Column(key="base", en="base", zh="总体占比", values=self.base[column], format="rate"),
            *(
                Column(key=key, en=en, zh=zh, values=values.ravel(), format="number", digits=2)
                for key, (en, zh, values) in numbers.items()
            ),
        ]

    def __repr__(self) -> str:
        """Show how many segments and labels there are."""
        return f"Concentration({len(self.segments)} segments, {len(self.labels)} labels, {self.n_members:,} members)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
