"""How far does word of mouth carry: cascade by cascade, and from one generation to the next?"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen, read_only
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidValueError, MisalignedError, counted, message
from shequn.labels import Index
from shequn.stats._checks import counts_column, instance, reals, refuse, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["CascadeRow", "Cascades", "GenerationRow", "Generations"]

_DAY_US = 86_400_000_000


class CascadeRow(NamedTuple):
    """One cascade; the names are those of `Cascades`.

    Examples
    --------
    >>> CascadeRow("ann", 4, 2, 2, 1.83).depth
    2
    """

    root: Label
    size: int
    depth: int
    width: int
    virality: float


def _virality(values: ArrayLike) -> FloatArray:
    return read_only(reals("virality", values))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Cascades(Tabular[CascadeRow]):
    r"""How large, deep, wide and viral each cascade of invitations is; a part of `WordOfMouth`.

    Parameters
    ----------
    members : Index
        All members.
    root : ndarray of int64, shape (k,)
        Code of who started each.
    size : ndarray of int64, shape (k,)
        Members in it, the root included.
    depth : ndarray of int64, shape (k,)
        Generations after the root.
    width : ndarray of int64, shape (k,)
        Members of its largest generation.
    virality : ndarray of float64, shape (k,)
        Structural virality: the mean distance of two members of the tree.

    Notes
    -----
    Structural virality :math:`\frac{1}{n (n - 1)} \sum_{i, j} d_{ij}` is just below 2 where one member brought all,
    and grows with the length of chains. It is summed tie by tie: one that parts s members from the other n - s is on
    the way between s (n - s) pairs.

    References
    ----------
    Goel, S., Anderson, A., Hofman, J. & Watts, D. J. (2016). The structural virality of online diffusion. Management
    Science 62, 180-196. https://doi.org/10.1287/mnsc.2015.2158

    Examples
    --------
    >>> trees = Cascades(members=Index(["ann", "bo"]), root=[0], size=[5], depth=[1], width=[4], virality=[1.6])
    >>> print(trees)
    root  size  depth  width  structural virality
    ─────────────────────────────────────────────
    ann      5      1      4                 1.60
    """

    members: Index
    root: IntArray
    size: IntArray
    depth: IntArray
    width: IntArray
    virality: FloatArray = attrs.field(converter=_virality)

    _Row: ClassVar[type[Any] | None] = CascadeRow

    def __attrs_post_init__(self) -> None:
        """Check that there is one entry a cascade."""
        instance("members", self.members, Index, expected="an Index")
        for name in ("root", "size", "depth", "width"):
            object.__setattr__(self, name, counts_column(name, getattr(self, name), (-1,), of="each cascade"))
        for name in ("size", "depth", "width", "virality"):
            if getattr(self, name).shape != self.root.shape:
                expected = f"one for each of the {self.root.size} cascades"
                raise MisalignedError(message(name, expected, f"an array of shape {getattr(self, name).shape}"))
        bad = (self.root < 0) | (self.root >= len(self.members))
        if bad.any():
            refuse("root", f"codes in [0, {len(self.members)})", self.root, bad)

    def __len__(self) -> int:
        """Return the number of cascades."""
        return len(self.root)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [
            Column(key="root", en="root", zh="源头", values=self.members.labels[self.root]),
            Column(key="size", en="size", zh="规模", values=self.size, format="count"),
            Column(key="depth", en="depth", zh="深度", values=self.depth, format="count"),
            Column(key="width", en="width", zh="宽度", values=self.width, format="count"),
            Column(
                key="virality",
                en="structural virality",
                zh="结构病毒性",
                values=self.virality,
                format="number",
                digits=2,
            ),
        ]

    def __repr__(self) -> str:
        """Show how many there are, and how large the largest is."""
        if not len(self):
            return "Cascades(0 cascades)"
        return f"Cascades({counted(len(self), 'cascade')}, the largest of {counted(int(self.size.max()), 'member')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


class GenerationRow(NamedTuple):
    """One generation; the names are those of `Generations`.

    Examples
    --------
    >>> GenerationRow(0, 100, 40, 20, 0.5, 0.2).k
    0.2
    """

    generation: int
    members: int
    invited: int
    joined: int
    conversion: float
    k: float


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Generations(Tabular[GenerationRow]):
    """How many each generation invited and brought; a part of `WordOfMouth`.

    Parameters
    ----------
    members : ndarray of int64, shape (g,)
        Members of each generation; the first was brought by nobody.
    joined : ndarray of int64, shape (g,)
        Whom they brought: the next generation, or with `within_us` those of it who came in time.
    invited : ndarray of int64, shape (g,), optional
        Whom they invited, whether those came or not.
    within_us : int, optional
        How long after their own joining the members counted could bring others, all of them; in microseconds.

    Notes
    -----
    The reproduction rate, or K-factor, of a generation is joined / members: invited / members times the share of those
    who came. Above 1, each generation is larger than the one before. Without `within_us` the last generations are
    young, and their rates too low for it; all members together bring less than one each however viral the community is,
    since whoever came was brought once.

    Examples
    --------
    >>> generations = Generations(members=[100, 20, 5], joined=[20, 5, 0], invited=[40, 20, 2])
    >>> print(generations)
    generation  members  invited  joined  conversion  K-factor
    ──────────────────────────────────────────────────────────
             0      100       40      20       50.0%      0.20
             1       20       20       5       25.0%      0.25
             2        5        2       0        0.0%      0.00
    the last generations are young: their members still bring others
    """

    members: IntArray
    joined: IntArray
    invited: IntArray | None = None
    within_us: int | None = None

    _Row: ClassVar[type[Any] | None] = GenerationRow

    def __attrs_post_init__(self) -> None:
        """Check that each generation is brought by the one before."""
        for name in ("members", "joined", *(() if self.invited is None else ("invited",))):
            object.__setattr__(self, name, counts_column(name, getattr(self, name), (-1,), of="each generation"))
        for name in ("joined", "invited"):
            values = getattr(self, name)
            if values is not None and values.shape != self.members.shape:
                expected = f"one for each of the {self.members.size} generations"
                raise MisalignedError(message(name, expected, f"an array of shape {values.shape}"))
        if self.within_us is None:
            following = np.append(self.members[1:], 0)[: len(self.members)]
            if (self.joined != following).any():
                refuse("joined", "the members of the next generation", self.joined, self.joined != following)
        elif whole("within_us", self.within_us) < 1:
            raise InvalidValueError(message("within_us", "at least 1 microsecond, or None", self.within_us))
        if self.invited is not None and (self.invited < self.joined).any():
            refuse("invited", "no fewer than joined", self.invited, self.invited < self.joined)

    def __len__(self) -> int:
        """Return the number of generations."""
        return len(self.members)

    @property
    def conversion(self) -> FloatArray:
        """Share of those invited who came, shape (g,); NaN where nobody was invited, or it is not known."""
        none = np.full(len(self), nan)
        if self.invited is None:
            return frozen(none)
        return frozen(np.divide(self.joined, self.invited, out=none, where=self.invited > 0))

    @property
    def k(self) -> FloatArray:
        """Reproduction rate: how many a member of each generation brought on average, shape (g,); NaN without any."""
        return frozen(np.divide(self.joined, self.members, out=np.full(len(self), nan), where=self.members > 0))

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        unknown = {"invited", "conversion"} if self.invited is None else set[str]()
        return [column for column in self._tidy() if column.key not in unknown]

    def _tidy(self) -> Sequence[Column]:
        invited = np.full(len(self), -1) if self.invited is None else self.invited
        counts = {
            "generation": ("generation", "代", np.arange(len(self))),
            "members": ("members", "人数", self.members),
            "invited": ("invited", "邀请人数", invited),
            "joined": ("joined", "入群人数", self.joined),
        }
        return [
            *(
                Column(key=key, en=en, zh=zh, values=values, format="count", null=-1)
                for key, (en, zh, values) in counts.items()
            ),
            Column(key="conversion", en="conversion", zh="转化率", values=self.conversion, format="rate"),
            Column(key="k", en="K-factor", zh="K 因子", values=self.k, format="number", digits=2),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        if self.within_us is None:
            if lang == "zh":
                return ("末几代时间尚短，仍会继续带来新人",)
            return ("the last generations are young: their members still bring others",)
        days = f"{self.within_us / _DAY_US:,g}"
        if lang == "zh":
            return (f"仅计入群已满 {days} 天者，及其在 {days} 天内带来的新人",)
        span = f"{days} {'day' if days == '1' else 'days'}"
        return (f"of those who joined at least {span} ago, and whom they brought within {span}",)

    def __repr__(self) -> str:
        """Show how many generations and members there are."""
        return f"Generations({counted(len(self), 'generation')}, {counted(int(self.members.sum()), 'member')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
