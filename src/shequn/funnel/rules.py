"""Which step may follow which, and which exclusions bear on the way between two steps?"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from shequn.funnel.definition import Funnel

__all__ = ["Rules"]


@attrs.frozen
class Rules:
    """A funnel's steps as positions, without rows."""

    n_steps: int
    optional: frozenset[int]
    exclusions: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, funnel: Funnel) -> Rules:
        """Return the rules of a funnel, whose steps and exclusions are told by position."""
        between = tuple((funnel.position(part.after), funnel.position(part.before)) for part in funnel.exclusions)
        return cls(funnel.n_steps, frozenset(funnel.position(step) for step in funnel.optional), between)

    @property
    def required(self) -> tuple[int, ...]:
        """Positions of the steps that may not be skipped."""
        return tuple(step for step in range(self.n_steps) if step not in self.optional)

    def next_steps(self, step: int) -> range:
        """Return the steps that may be matched right after one: optional ones, up to the next required one."""
        later = range(step + 1, self.n_steps)
        skipped = len(list(takewhile(lambda position: position in self.optional, later)))
        return later[: skipped + 1]

    def last_steps(self, depth: int) -> range:
        """Return the steps that a chain of `depth` required steps may end with."""
        last = self.required[depth - 1]
        after = range(last + 1, self.n_steps)
        return range(last, last + 1 + len(list(takewhile(lambda position: position in self.optional, after))))

    def bearing(self, before: int, after: int, last: int) -> tuple[int, ...]:
        """Return the exclusions that bear on the way between two matched steps of a chain that ends with `last`.

        An exclusion holds between the matched steps nearest to its own from outside, once the chain has reached the
        later one.
        """
        return tuple(
            number
            for number, (low, high) in enumerate(self.exclusions)
            if high <= last and before < high and after > low
        )
