"""What do all layers have in common? One layer a member, and the numbers behind each one's."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from shequn.columns.table import Column, Tabular
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import InvalidValueError, message
from shequn.labels import Assignment, Index
from shequn.stats._checks import one_of, whole
from shequn.values.instants import from_us

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shequn.columns.table import Lang, RowT_co
    from shequn.labels import Label
else:
    from shequn.columns.table import RowT_co

__all__ = [
    "BehaviourLayer",
    "Layers",
    "MemberPosture",
    "ValueLayer",
    "as_of_title",
    "assigned_to",
    "one_number",
    "spelt",
]


class BehaviourLayer(Taxonomy):
    """How lively a member is, from the least to the most (行为分层).

    References
    ----------
    S3 §5.1, row T9 of the domain table.

    Examples
    --------
    >>> [layer.zh for layer in BehaviourLayer]
    ['沉默', '潜在', '活跃']
    """

    SILENT = "silent", "沉默", "silent"
    POTENTIAL = "potential", "潜在", "potential"
    ACTIVE = "active", "活跃", "active"


class MemberPosture(Taxonomy):
    """How a member takes part, from the farthest to the closest (参与姿态).

    References
    ----------
    S1 §三(二)(四), row T21 of the domain table.

    Examples
    --------
    >>> MemberPosture.from_label("潜水")
    <MemberPosture.LURKER: 'lurker'>
    """

    MUTED = "muted", "屏蔽", "muted"
    COLD = "cold", "冷粉", "cold"
    LURKER = "lurker", "潜水", "lurker"
    OCCASIONAL = "occasional", "偶尔冒泡", "occasional"
    REGULAR = "regular", "常客", "regular"
    CORE = "core", "核心", "core"


class ValueLayer(Taxonomy):
    """How much a member contributes, from the least to the most (价值分层).

    References
    ----------
    S3 §5.1, row T9 of the domain table.

    Examples
    --------
    >>> ValueLayer.from_label("A")
    <ValueLayer.HIGH: 'high'>
    """

    LOW = "low", "低价值", "low", "C"
    MID = "mid", "中价值", "mid", "B", "medium"
    HIGH = "high", "高价值", "high", "A"


class Layers(Tabular[RowT_co]):
    """One layer a member and the numbers behind it: what behaviour, posture and value have in common.

    Printed, it counts by layer; `to_columns` and `rows` have a row a member.
    """

    __slots__ = ()

    assignment: Assignment
    _Layer: ClassVar[type[Taxonomy]]

    @abstractmethod
    def _evidence(self) -> Sequence[Column]:
        """Return the numbers behind the layer of each member."""

    @abstractmethod
    def _why(self, place: int, lang: Lang, /) -> str:
        """Say what put a member there."""

    @property
    def members(self) -> Index:
        """The n members."""
        return self.assignment.members

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.assignment)

    def layer(self, member: Label, /) -> Any:  # noqa: ANN401 - each class of layers has its own taxonomy
        """Return the layer of one member; None for none.

        Raises
        ------
        UnknownLabelError
            There is no such member.
        """
        code = self.assignment.of(member)
        return None if code is None else self._Layer.from_label(str(code))

    def explain(self, member: Label, /, *, lang: Lang = "en") -> str:
        """Return why a member is in their layer, with the numbers behind it.

        Parameters
        ----------
        member : str or int
        lang : {"en", "zh"}

        Raises
        ------
        UnknownLabelError
            There is no such member.
        """
        one_of("lang", lang, ("en", "zh"))
        place = self.members.code(member, argument="member")
        layer, colon = self.layer(member), _COLON[lang]
        name = _NO_LAYER[lang] if layer is None else getattr(layer, lang)
        return f"{member}{colon}{name}{colon}{self._why(place, lang)}"

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        layers = list(self._Layer)[::-1]
        sizes = self.assignment.sizes()
        counts = np.array([sizes[layer.value] for layer in layers], dtype=np.int64)
        names: list[object] = list(layers)
        if self.assignment.n_unassigned:
            names, counts = [*names, None], np.append(counts, self.assignment.n_unassigned)
        share = np.divide(counts, len(self), out=np.full(len(counts), np.nan), where=len(self) > 0)
        return [
            Column(key="layer", en="layer", zh="分层", values=np.fromiter(names, dtype=object, count=len(names))),
            Column(key="members", en="members", zh="成员", values=counts, format="count"),
            Column(key="share", en="share", zh="占比", values=share, format="rate"),
        ]

    def _tidy(self) -> Sequence[Column]:
        layers = np.fromiter([*self._Layer, None], dtype=object, count=len(self._Layer) + 1)
        return [
            Column(key="member", en="member", zh="成员", values=self.members.labels),
            Column(key="layer", en="layer", zh="分层", values=layers[self.assignment.codes]),
            *self._evidence(),
        ]

    def __repr__(self) -> str:
        """Show the sizes of the layers."""
        sizes = self.assignment.sizes()
        told = ", ".join(f"{sizes[layer.value]:,} {layer.value}" for layer in reversed(list(self._Layer)))
        return f"{type(self).__name__}({told})"


def assigned_to(members: Index, layer: type[Taxonomy], codes: NDArray[Any]) -> Assignment:
    """Return the ordered assignment of members to layers, by their positions in the taxonomy.

    Examples
    --------
    >>> assigned_to(Index(["ann"]), ValueLayer, np.array([2])).of("ann")
    'high'
    """
    segments = Index([each.value for each in layer])
    return Assignment(members=members, codes=codes.astype(np.int32), segments=segments, ordered=True)


def spelt(us: int, lang: Lang, /) -> str:
    """Return a length of time in words: days where it is whole days, else hours.

    Examples
    --------
    >>> spelt(30 * 86_400_000_000, "en"), spelt(5_400_000_000, "zh")
    ('30 days', '1.5 小时')
    """
    days = us / 86_400_000_000
    if us % 86_400_000_000 == 0:
        number, unit = f"{days:,.0f}", {"en": " day" if days == 1 else " days", "zh": " 天"}[lang]
    else:
        number, unit = f"{us / 3_600_000_000:,.4g}", {"en": " hours", "zh": " 小时"}[lang]
    return number + unit


def one_number(argument: str, value: object, /) -> int:
    """Return a count of one member; one that is negative or no whole number is refused.

    Examples
    --------
    >>> one_number("reads", 3)
    3
    """
    number = whole(argument, value)
    if number < 0:
        raise InvalidValueError(message(argument, "a count of 0 or more", value))
    return number


def as_of_title(us: int, zh: str, en: str, lang: Lang, /) -> str:
    """Return the heading of layers as of an instant.

    Examples
    --------
    >>> as_of_title(0, "行为分层", "Behaviour", "en")
    'Behaviour as of 1970-01-01 00:00 UTC'
    """
    at = f"{from_us(us):YYYY-MM-DD HH:mm} UTC"
    return f"{zh}，截至 {at}" if lang == "zh" else f"{en} as of {at}"


_COLON: dict[Lang, str] = {"en": ": ", "zh": "："}
_NO_LAYER: dict[Lang, str] = {"en": "no layer", "zh": "未分层"}
