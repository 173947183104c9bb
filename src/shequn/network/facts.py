"""How are a few numbers of different kinds shown one under the other: shares, counts, and numbers without a unit?"""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from shequn.columns.table import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shequn.columns.table import Lang

__all__ = ["Fact", "measures", "shown", "tidy"]

Kind: TypeAlias = Literal["count", "rate", "number"]


class Fact(NamedTuple):
    """One measure, and its value in each column of a table.

    Examples
    --------
    >>> Fact("density", "density", "密度", "rate", (0.25,)).en
    'density'
    """

    key: str
    en: str
    zh: str
    kind: Kind
    values: tuple[float, ...]


def shown(value: float, kind: Kind, /) -> str:
    """Return a value as a reader wants it.

    Examples
    --------
    >>> shown(0.25, "rate"), shown(1200, "count"), shown(float("nan"), "number")
    ('25.0%', '1,200', '–')
    """
    if isnan(value):
        return "–"
    if kind == "rate":
        return f"{value:z.1%}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def measures(facts: Sequence[Fact], lang: Lang, names: Sequence[tuple[str, str, str]], /) -> list[Column]:
    """Return the columns a reader sees: the measure, and its values under (key, en, zh) each."""
    labels = np.array([fact.zh if lang == "zh" else fact.en for fact in facts], dtype=object)
    return [
        Column(key="measure", en="measure", zh="指标", values=labels),
        *(
            # Text with the format of a number stands on the right.
            Column(key=key, en=en, zh=zh, values=[shown(fact.values[i], fact.kind) for fact in facts], format="number")
            for i, (key, en, zh) in enumerate(names)
        ),
    ]


def tidy(facts: Sequence[Fact], names: Sequence[tuple[str, str, str]], /) -> list[Column]:
    """Return the columns a program gets: the key of the measure, and its values as float64."""
    return [
        Column(key="measure", en="measure", zh="指标", values=np.array([fact.key for fact in facts], dtype=object)),
        *(
            Column(key=key, en=en, zh=zh, values=np.array([float(fact.values[i]) for fact in facts]), format="number")
            for i, (key, en, zh) in enumerate(names)
        ),
    ]
