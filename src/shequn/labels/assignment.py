"""Which one segment is each member in?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from shequn.errors import (
    InvalidTypeError,
    InvalidValueError,
    MisalignedError,
    UnknownLabelError,
    counted,
    message,
    suggest,
)
from shequn.labels.coded import Coded
from shequn.labels.index import Index
from shequn.stats._checks import flag, instance, plain_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn.labels.index import Label

__all__ = ["Assignment"]


def _read_only_codes(codes: ArrayLike) -> NDArray[np.int32]:
    given = plain_array("codes", codes, expected="a 1-D array of integers")
    if given.dtype.kind not in "iu" and given.size:
        raise InvalidTypeError(message("codes", "an integer array", given.dtype.name))
    if given.ndim != 1:
        raise InvalidValueError(message("codes", "a 1-D array", f"an array of shape {given.shape}"))
    if given.dtype == np.int32 and not given.flags.writeable and given.flags.owndata:
        return given
    own = given.astype(np.int32)
    if given.size and not np.array_equal(own, given):
        raise InvalidValueError(message("codes", "codes that fit 32 bits", given[own != given][0]))
    own.setflags(write=False)
    return own


def _ordered(ordered: bool) -> bool:
    return flag("ordered", ordered)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Assignment:
    """One segment for each member, or none.

    Parameters
    ----------
    members : Index
        The n members, in order.
    codes : array_like of int, shape (n,)
        Code of each member's segment in `segments`; -1 stands for none.
    segments : Index
        The segments; where `ordered`, from the lowest to the highest.
    ordered : bool, default False
        Whether the order of the segments means something (tiers do, cities don't).

    Raises
    ------
    MisalignedError
        `codes` has not one entry for each member.
    InvalidValueError
        A code names no segment.

    Examples
    --------
    >>> tiers = Assignment.from_mapping({"ann": "gold", "bo": "silver", "cy": "gold"})
    >>> tiers.sizes()
    {'gold': 2, 'silver': 1}
    >>> tiers.of("bo"), tiers.mask("gold").tolist()
    ('silver', [True, False, True])
    """

    members: Index
    codes: NDArray[np.int32] = attrs.field(converter=_read_only_codes)
    segments: Index
    ordered: bool = attrs.field(default=False, converter=_ordered)

    def __attrs_post_init__(self) -> None:
        """Check lengths and codes."""
        for name, index in (("members", self.members), ("segments", self.segments)):
            if not isinstance(index, Index):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise InvalidTypeError(message(name, "an Index", index))
        if len(self.codes) != len(self.members):
            raise MisalignedError(
                message("codes", f"one entry for each of the {len(self.members)} members", len(self.codes)) + " entries"
            )
        bad = (self.codes < -1) | (self.codes >= len(self.segments))
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise InvalidValueError(
                message(
                    "codes",
                    f"codes in [-1, {len(self.segments)})",
                    self.codes[row],
                    row=row,
                    bad=int(bad.sum()),
                    total=len(bad),
                )
            )

    @classmethod
    def from_labels(
        cls,
        members: Index | ArrayLike,
        labels: ArrayLike | Sequence[Label | None] | Coded,
        *,
        segments: Index | Iterable[Label] | None = None,
        ordered: bool = False,
    ) -> Assignment:
        """Build from one segment label a member; None and NaN stand for no segment.

        Parameters
        ----------
        members : Index or array_like, shape (n,)
            Unique members.
        labels : array_like, shape (n,)
            Segment of each.
        segments : Index or iterable of labels, optional
            All segments in order; by default those found, in order of appearance (integers ascending).
        ordered : bool, default False
            Whether their order means something.

        Raises
        ------
        UnknownLabelError
            A label is none of `segments`.
        InvalidValueError
            A member stands twice.

        Examples
        --------
        >>> Assignment.from_labels(["ann", "bo"], ["gold", None]).codes.tolist()
        [0, -1]
        """
        index = members if isinstance(members, Index) else Index(members, argument="members")
        column = Coded.of(labels, argument="labels", nulls=True)
        if len(column) != len(index):
            raise MisalignedError(
                message("labels", f"one for each of the {len(index)} members", len(column)) + " labels"
            )
        if segments is None:
            return cls(members=index, codes=column.codes, segments=column.index, ordered=ordered)
        wanted = segments if isinstance(segments, Index) else Index(segments, argument="segments")
        codes = column.under(wanted).codes
        unknown = (codes < 0) & (column.codes >= 0)
        if unknown.any():
            row = int(np.flatnonzero(unknown)[0])
            label = column.label(row)
            expected = f"one of the {len(wanted)} segments"
            text = message("labels", expected, label, row=row, bad=int(unknown.sum()), total=len(codes))
            raise UnknownLabelError(text + suggest(label, wanted))
        return cls(members=index, codes=codes, segments=wanted, ordered=ordered)

    @classmethod
    def from_mapping(
        cls,
        mapping: Mapping[Any, Label | None],
        /,
        *,
        segments: Index | Iterable[Label] | None = None,
        ordered: bool = False,
    ) -> Assignment:
        """Build from a mapping of member to segment label.

        Examples
        --------
        >>> Assignment.from_mapping({7: "gold", 3: "silver"}).members
        Index([7, 3])
        """
        instance("mapping", mapping, Mapping, expected="a mapping of member to segment label")
        return cls.from_labels(list(mapping), list(mapping.values()), segments=segments, ordered=ordered)

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.codes)

    def of(self, member: Label, /) -> Label | None:
        """Return the segment of one member, None for none.

        Raises
        ------
        UnknownLabelError
            There is no such member.

        Examples
        --------
        >>> Assignment.from_mapping({"ann": "gold"}).of("ann")
        'gold'
        """
        code = int(self.codes[self.members.code(member, argument="member")])
        return None if code < 0 else self.segments[code]

    def labels(self) -> NDArray[Any]:
        """Return the segment label of each member, shape (n,), object, read-only; None for none.

        Examples
        --------
        >>> Assignment.from_mapping({"ann": "gold", "bo": None}).labels().tolist()
        ['gold', None]
        """
        labels: NDArray[Any] = np.array([*self.segments, None], dtype=object)[self.codes]
        labels.setflags(write=False)
        return labels

    def mask(self, segment: Label, /) -> NDArray[np.bool_]:
        """Return which members are in a segment, shape (n,).

        Raises
        ------
        UnknownLabelError
            There is no such segment.

        Examples
        --------
        >>> Assignment.from_mapping({"ann": "gold", "bo": None}).mask("gold").tolist()
        [True, False]
        """
        mask: NDArray[np.bool_] = self.codes == self.segments.code(segment, argument="segment")
        mask.setflags(write=False)
        return mask

    def sizes(self) -> dict[Label, int]:
        """Return how many members each segment has.

        Examples
        --------
        >>> Assignment.from_mapping({"ann": "gold", "bo": None}).sizes()
        {'gold': 1}
        """
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.segments))
        return dict(zip(self.segments, counts.tolist(), strict=True))

    @property
    def n_unassigned(self) -> int:
        """How many members are in no segment."""
        return int((self.codes < 0).sum())

    def align(self, index: Index, /) -> Assignment:
        """Return the same assignment over another index of members; who was unknown here is in no segment.

        Where either index is positional, members have no names to go by and the lengths must agree.

        Raises
        ------
        MisalignedError
            An index is positional, and the other of another length.

        Examples
        --------
        >>> Assignment.from_mapping({"ann": "gold"}).align(Index(["bo", "ann"])).codes.tolist()
        [-1, 0]
        """
        if not isinstance(index, Index):
            raise InvalidTypeError(message("index", "an Index of members", index))
        if self.members.is_positional or index.is_positional:
            index.require_aligned(self.members, argument="assignment")
            codes = self.codes
        else:
            codes = np.append(self.codes, np.int32(-1))[self.members.places_of(index)]
        return attrs.evolve(self, members=index, codes=codes)

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns ``member`` and ``segment``, each of shape (n,).

        Examples
        --------
        >>> Assignment.from_mapping({"ann": "gold"}).to_columns()
        {'member': array(['ann'], dtype=object), 'segment': array(['gold'], dtype=object)}
        """
        return {"member": self.members.labels, "segment": self.labels()}

    def __eq__(self, other: object) -> bool:
        """Return whether both put the same members, in the same order, in the same segments."""
        if not isinstance(other, Assignment):
            return NotImplemented
        return (
            self.members == other.members
            and self.ordered == other.ordered
            and self.segments == other.segments
            and np.array_equal(self.codes, other.codes)
        )

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show the sizes, not the members."""
        members, segments = counted(len(self), "member"), counted(len(self.segments), "segment")
        return f"Assignment({members}, {segments}, {self.n_unassigned:,} unassigned)"

    def __reduce__(self) -> tuple[Callable[..., Assignment], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        new = partial(Assignment, members=self.members, codes=self.codes, segments=self.segments, ordered=self.ordered)
        return new, ()
