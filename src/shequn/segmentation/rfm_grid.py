"""What is a member of these scores called? Named segments of the RFM cube, each cell in exactly one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.segmentation.scoring import bins_of
from shequn.stats._checks import instance, is_integer, items_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray

__all__ = ["GRID5", "Cell", "Preset", "RfmGrid", "RfmQuadrant", "RfmSegment", "quadrants"]

Preset: TypeAlias = Literal["quadrant8", "grid5"]
Cell: TypeAlias = tuple[int, ...]
"""Scores of recency and frequency, or of all three."""

_TWO, _THREE = 2, 3


class RfmQuadrant(Taxonomy):
    """The eight classes of high and low recency, frequency and money, as Chinese operators name them.

    重要 and 一般 tell much money from little; 价值, 发展, 保持 and 挽留 whether recency and frequency are both high,
    recency alone, frequency alone, or neither.

    Examples
    --------
    >>> [quadrant.zh for quadrant in RfmQuadrant][:4]
    ['重要价值', '重要发展', '重要保持', '重要挽留']
    """

    IMPORTANT_VALUE = "important_value", "重要价值", "Important, to value"
    IMPORTANT_DEVELOP = "important_develop", "重要发展", "Important, to develop"
    IMPORTANT_KEEP = "important_keep", "重要保持", "Important, to keep"
    IMPORTANT_WIN_BACK = "important_win_back", "重要挽留", "Important, to win back"
    GENERAL_VALUE = "general_value", "一般价值", "General, to value"
    GENERAL_DEVELOP = "general_develop", "一般发展", "General, to develop"
    GENERAL_KEEP = "general_keep", "一般保持", "General, to keep"
    GENERAL_WIN_BACK = "general_win_back", "一般挽留", "General, to win back"


class RfmSegment(Taxonomy):
    """The segments of the preset ``"grid5"``, from the best to the lost.

    References
    ----------
    The eleven names are those of Putler, "RFM Analysis For Successful Customer Segmentation",
    https://www.putler.com/rfm-analysis, whose ranges of scores overlap. Which cell is whose follows the table of ten
    segments without overlap that most notebooks use; there ``hibernating`` is recency 1 and 2 with frequency 1 and 2,
    of which recency 1 is `LOST` here.

    Examples
    --------
    >>> RfmSegment.from_label("At risk").zh
    '有流失风险'
    """

    CHAMPIONS = "champions", "冠军", "Champions"
    LOYAL = "loyal", "忠诚", "Loyal"
    POTENTIAL_LOYALISTS = "potential_loyalists", "潜在忠诚", "Potential loyalists"
    NEW = "new", "新客", "New"
    PROMISING = "promising", "有潜力", "Promising"
    NEED_ATTENTION = "need_attention", "需要关注", "Need attention"
    ABOUT_TO_SLEEP = "about_to_sleep", "即将沉睡", "About to sleep"
    AT_RISK = "at_risk", "有流失风险", "At risk"
    CANT_LOSE = "cant_lose", "不能失去", "Can't lose them"
    HIBERNATING = "hibernating", "沉睡", "Hibernating"
    LOST = "lost", "已流失", "Lost"


def _box(recency: Iterable[int], frequency: Iterable[int]) -> tuple[Cell, ...]:
    return tuple(product(recency, frequency))


GRID5: Mapping[str, tuple[Cell, ...]] = MappingProxyType({
    RfmSegment.CHAMPIONS: _box([5], [4, 5]),
    RfmSegment.LOYAL: _box([3, 4], [4, 5]),
    RfmSegment.POTENTIAL_LOYALISTS: _box([4, 5], [2, 3]),
    RfmSegment.NEW: _box([5], [1]),
    RfmSegment.PROMISING: _box([4], [1]),
    RfmSegment.NEED_ATTENTION: _box([3], [3]),
    RfmSegment.ABOUT_TO_SLEEP: _box([3], [1, 2]),
    RfmSegment.AT_RISK: _box([1, 2], [3, 4]),
    RfmSegment.CANT_LOSE: _box([1, 2], [5]),
    RfmSegment.HIBERNATING: _box([2], [1, 2]),
    RfmSegment.LOST: _box([1], [1, 2]),
})  # fmt: skip
"""Scores of recency and frequency that make each segment of the preset ``"grid5"``."""


def _plain_cells(cells: Mapping[str, Iterable[Cell]]) -> Mapping[str, tuple[Cell, ...]]:
    instance("cells", cells, Mapping, expected="a mapping of name to cells")
    found: dict[str, tuple[Cell, ...]] = {}
    for name, of_name in cells.items():
        if not isinstance(name, str) or not name:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("cells", "names that are non-empty str", name))
        key = name if isinstance(name, RfmSegment) else str.__str__(name)
        found[key] = tuple(_cell(cell, name) for cell in items_of(f"cells[{name!r}]", of_name, expected="cells"))
    return MappingProxyType(found)


def _cell(cell: Any, name: str) -> Cell:  # noqa: ANN401 - whatever a caller gave
    scores: list[Any] = [*cell] if type(cell) in {tuple, list} else []
    if len(scores) not in {_TWO, _THREE} or not all(is_integer(score) for score in scores):
        expected = "cells that are tuples of two scores (recency, frequency) or of three"
        raise InvalidTypeError(message(f"cells[{str(name)!r}]", expected, cell))
    return tuple(int(score) for score in scores)


def _plain_bins(bins: int) -> int:
    return bins_of(bins)


@attrs.frozen(kw_only=True, repr=False, eq=False)
class RfmGrid(Doors):
    """A name for each cell of the scores of recency and frequency, or of all three: each cell in exactly one segment.

    Parameters
    ----------
    cells : mapping of str to iterable of tuple
        Cells of each segment: (recency, frequency), or (recency, frequency, monetary).
    bins : int, default 5
        The highest score.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A cell is named twice or not at all, or there is no such cell; the message names it.

    Examples
    --------
    >>> grid = RfmGrid(cells={"stay": [(2, 1), (2, 2)], "slip": [(1, 2)], "gone": [(1, 1)]}, bins=2)
    >>> grid.of(recency=1, frequency=2)
    'slip'
    """

    cells: Mapping[str, tuple[Cell, ...]] = attrs.field(converter=_plain_cells)
    bins: int = attrs.field(default=5, converter=_plain_bins)

    def __attrs_post_init__(self) -> None:
        """Check that each cell stands once."""
        n_axes = {len(cell) for cells in self.cells.values() for cell in cells}
        if len(n_axes) != 1:
            raise InvalidValueError(
                message("cells", "cells that are all of two scores, or all of three", dict(self.cells))
            )
        name_of: dict[Cell, str] = {}
        for name, cells in self.cells.items():
            for cell in cells:
                if not all(1 <= score <= self.bins for score in cell):
                    raise InvalidValueError(message(f"cells[{str(name)!r}]", f"scores from 1 to {self.bins}", cell))
                if cell in name_of:
                    expected = f"each cell in one segment, and this one is in {str(name_of[cell])!r} as well"
                    raise InvalidValueError(message(f"cells[{str(name)!r}]", expected, cell))
                name_of[cell] = name
        missing = [cell for cell in product(range(1, self.bins + 1), repeat=n_axes.pop()) if cell not in name_of]
        if missing:
            expected = f"each cell in one segment, and {len(missing)} of {len(missing) + len(name_of)} are in none"
            raise InvalidValueError(message("cells", expected, missing[0]))

    @property
    def names(self) -> tuple[str, ...]:
        """The segments, in the order given."""
        return tuple(self.cells)

    @property
    def n_axes(self) -> int:
        """2 where cells are scores of recency and frequency, 3 where money counts too."""
        return len(next(cell for cells in self.cells.values() for cell in cells))

    def of(self, *, recency: int, frequency: int, monetary: int | None = None) -> str:
        """Return the segment of one cell.

        Raises
        ------
        InvalidValueError
            There is no such cell.

        Examples
        --------
        >>> RfmGrid(cells=GRID5).of(recency=5, frequency=4)
        <RfmSegment.CHAMPIONS: 'champions'>
        """
        cell = tuple(score for score in (recency, frequency, monetary) if score is not None)[: self.n_axes]
        for name, cells in self.cells.items():
            if cell in cells:
                return name
        raise InvalidValueError(message("cell", f"{self.n_axes} scores from 1 to {self.bins}", cell))

    def place(self, scores: NDArray[np.int8], /) -> NDArray[np.int32]:
        """Return the position of each member's segment in `names`, shape (n,); -1 for scores of 0.

        Parameters
        ----------
        scores : ndarray of int8, shape (n, 3)
            As `Rfm.scores`.

        Examples
        --------
        >>> RfmGrid(cells=GRID5).place(np.array([[5, 5, 1], [0, 0, 0], [1, 1, 5]], dtype=np.int8)).tolist()
        [0, -1, 10]
        """
        codes = np.full((self.bins + 1,) * self.n_axes, -1, dtype=np.int32)
        for code, cells in enumerate(self.cells.values()):
            for cell in cells:
                codes[cell] = code
        found: NDArray[np.int32] = codes[tuple(scores[:, axis] for axis in range(self.n_axes))]
        found.setflags(write=False)
        return found

    def __eq__(self, other: object) -> bool:
        """Return whether both name each cell alike, in the same order of segments."""
        if not isinstance(other, RfmGrid):
            return NotImplemented
        mine, theirs = ([(name, sorted(cells)) for name, cells in grid.cells.items()] for grid in (self, other))
        return self.bins == other.bins and mine == theirs

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show the segments and how many cells each has."""
        shown = ", ".join(f"{name!s}: {len(cells)}" for name, cells in self.cells.items())
        return f"RfmGrid({self.bins} bins, {shown})"

    def __reduce__(self) -> tuple[Callable[..., RfmGrid], tuple[()]]:
        """Pickle by the constructor, which makes the mapping read-only again."""
        return partial(RfmGrid, cells=dict(self.cells), bins=self.bins), ()


_QUADRANTS = {
    (True, True, True): RfmQuadrant.IMPORTANT_VALUE,
    (True, False, True): RfmQuadrant.IMPORTANT_DEVELOP,
    (False, True, True): RfmQuadrant.IMPORTANT_KEEP,
    (False, False, True): RfmQuadrant.IMPORTANT_WIN_BACK,
    (True, True, False): RfmQuadrant.GENERAL_VALUE,
    (True, False, False): RfmQuadrant.GENERAL_DEVELOP,
    (False, True, False): RfmQuadrant.GENERAL_KEEP,
    (False, False, False): RfmQuadrant.GENERAL_WIN_BACK,
}
_QUADRANT_NAMES = tuple(RfmQuadrant)


def quadrants(is_high: tuple[BoolArray, BoolArray, BoolArray]) -> NDArray[np.int32]:
    """Return the position in `RfmQuadrant` of members whose recency, frequency and money are high or not, shape (n,).

    Examples
    --------
    >>> yes, no = np.array([True]), np.array([False])
    >>> list(RfmQuadrant)[quadrants((yes, no, yes))[0]].zh
    '重要发展'
    """
    codes = np.zeros((_TWO,) * _THREE, dtype=np.int32)
    for high, quadrant in _QUADRANTS.items():
        codes[tuple(map(int, high))] = _QUADRANT_NAMES.index(quadrant)
    found: NDArray[np.int32] = codes[tuple(each.astype(np.int8) for each in is_high)]
    return found
