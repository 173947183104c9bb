"""What has each segment of each part of a change in completions?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, counts_field, frozen
from shequn.columns.table import Column, Tabular
from shequn.funnel.change.products import NOT_CAUSAL, floats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from fractions import Fraction

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["SegmentEffectRow", "SegmentEffects", "effect_column", "part_names"]

_UNASSIGNED: dict[Lang, str] = {"en": "(unassigned)", "zh": "（未分组）"}


@attrs.frozen(kw_only=True)
class SegmentEffectRow:
    """One part of the change in one segment; the names are those of `SegmentEffects`.

    `segment` is None for those in no segment; `step` is None for entries and segment mix.
    """

    segment: Label | None
    part: str
    step: str | None
    effect: float


@attrs.frozen(kw_only=True, repr=False)
class SegmentEffects(Tabular[SegmentEffectRow]):
    """What each segment has of each part of a change in completions; made by `decompose`.

    Attributes
    ----------
    segments : tuple of str, int or None
        The segments of either breakdown; None for those in no segment.
    steps : tuple of str
        Names of the steps whose rates are parts.
    completed_before, completed_after : ndarray of int64, shape (n_segments,)
        Members who completed.
    exact : tuple of tuple of Fraction
        Completions that each part adds in each segment: they sum over the parts to the change of the segment, and over
        the segments to the part of everybody.

    Examples
    --------
    >>> from shequn.columns import Breakdown
    >>> from shequn.funnel import FunnelResult, decompose
    >>> def month(ad, friend):
    ...     ad, friend = (FunnelResult.from_counts(steps=["join", "post"], reached=counts) for counts in (ad, friend))
    ...     return Breakdown(total=ad.merge(friend), parts={"ad": ad, "friend": friend})
    >>> change = decompose(month([100, 10], [100, 50]), month([300, 30], [100, 50]))
    >>> by_segment = change.by_segment
    >>> print(by_segment)
    segment  before  after  change  entries  segment mix  rate of post
    ──────────────────────────────────────────────────────────────────
    ad           10     30    20.0     12.5          7.5           0.0
    friend       50     50     0.0     37.5        -37.5           0.0
    Arithmetic on counts and rates: it says what adds up, not what caused or would cause it.
    """

    segments: tuple[Label | None, ...]
    steps: tuple[str, ...]
    completed_before: IntArray = counts_field()
    completed_after: IntArray = counts_field()
    exact: tuple[tuple[Fraction, ...], ...]

    _Row: ClassVar[type[Any] | None] = SegmentEffectRow

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts: entries, segment mix, and the rate of each step."""
        return part_names(self.steps, has_mix=True)

    @property
    def effects(self) -> FloatArray:
        """Completions that each part adds in each segment, shape (n_segments, n_parts)."""
        flat = floats(effect for segment in self.exact for effect in segment)
        return frozen(flat.reshape(len(self.segments), len(self.parts)))

    @property
    def change(self) -> IntArray:
        """Completions after less completions before, shape (n_segments,)."""
        return frozen(self.completed_after - self.completed_before)

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        names = [_UNASSIGNED[lang] if label is None else label for label in self.segments]
        effects = zip(part_names(self.steps, has_mix=True, lang=lang), self.effects.T, strict=True)
        return [
            Column(key="segment", en="segment", zh="分组", values=np.array(names, dtype=object)),
            Column(key="before", en="before", zh="之前", values=self.completed_before, format="count"),
            Column(key="after", en="after", zh="之后", values=self.completed_after, format="count"),
            Column(key="change", en="change", zh="变化", values=self.change, format="number", digits=1),
            *(
                Column(key=f"part_{row}", en=name, zh=name, values=values, format="number", digits=1)
                for row, (name, values) in enumerate(effects)
            ),
        ]

    def _tidy(self) -> Sequence[Column]:
        n_segments, n_parts = self.effects.shape
        segment = np.repeat(np.array([*self.segments, None], dtype=object)[:-1], n_parts)
        steps = [None, None, *self.steps]
        return [
            Column(key="segment", en="segment", zh="分组", values=segment),
            Column(key="part", en="part", zh="组成部分", values=np.array(self.parts * n_segments, dtype=object)),
            Column(key="step", en="step", zh="步骤", values=np.array(steps * n_segments, dtype=object)),
            effect_column(self.effects.ravel()),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        return [NOT_CAUSAL[lang]]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show how many segments and parts there are."""
        return f"SegmentEffects({len(self.segments)} segments, {len(self.parts)} parts)"


def part_names(steps: Iterable[str], *, has_mix: bool, lang: Lang = "en") -> tuple[str, ...]:
    """Return the names of the parts of a change."""
    if lang == "zh":
        return ("进入人数", *(["分组构成"] if has_mix else []), *(f"{step}的转化率" for step in steps))
    return ("entries", *(["segment mix"] if has_mix else []), *(f"rate of {step}" for step in steps))


def effect_column(values: ArrayLike) -> Column:
    """Return completions added, as a column of a table."""
    return Column(key="effect", en="effect", zh="影响", values=np.asarray(values), format="number", digits=1)
