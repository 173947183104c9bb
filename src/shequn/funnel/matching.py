"""Which rows of one instant can serve which steps?

Most instants ask no such question. It takes rows that compete for steps they match together (``reuse="once"``), or a
row that excludes standing at the very instant of a step between the two it bears on, where a chain is clean if that row
is its own. Which steps such an instant can serve depends on nothing but its `Makeup`: how many rows of each type it
holds. So instants that are made up alike are asked once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shequn.funnel.rules import Rules

__all__ = ["Makeup", "Matching", "RowType", "Service", "matched_most"]


class RowType(NamedTuple):
    """What matters of a row at an instant. Rows of one type can stand for each other."""

    steps: tuple[int, ...]  # those it matches
    excluding: tuple[int, ...]  # the exclusions that name it

    def limit(self, *, is_once: bool) -> int:
        """Return how many rows of the type at one instant make a difference.

        Each can serve a step of its own. Of rows that exclude one more counts: they can't all serve a step then.
        """
        if self.excluding:
            return len(self.steps) + 1
        return len(self.steps) if is_once else min(len(self.steps), 1)


Makeup: TypeAlias = tuple[tuple[RowType, int], ...]
Spans: TypeAlias = tuple[tuple[int, int], ...]

_NONE: tuple[int, int] = (1, 0)  # an empty span


class Service:
    """Which runs of steps can be served at one instant by its rows; what was found once is kept.

    A run is all the steps that a chain matches at an instant: from its first to its last step there, optional ones only
    as it likes. Its rows must differ where a row serves one step at most. And of an exclusion whose two steps stand at
    other instants, before and after, every row at this instant must be one of them.
    """

    def __init__(self, rules: Rules, *, may_stay: bool, is_once: bool) -> None:
        self.rules: Rules = rules
        self.may_stay: bool = may_stay
        self.is_once: bool = is_once
        self._spans: dict[tuple[Makeup, RowType | None, tuple[int, ...], tuple[int, ...]], Spans] = {}
        self._choices: dict[tuple[tuple[RowType, ...], int, tuple[int, ...], tuple[int, ...]], tuple[int, ...]] = {}

    def spans(self, makeup: Makeup, entry: RowType | None, begun: tuple[int, ...], holding: tuple[int, ...]) -> Spans:
        """Return how many optional steps the runs can match that go on from steps already begun with.

        Parameters
        ----------
        makeup : tuple of (RowType, int)
            How many rows of each type the instant holds.
        entry : RowType, optional
            Type of the entry row, which serves step 0 where the run begins with it.
        begun : tuple of int
            The steps that the run matches first.
        holding : tuple of int
            The exclusions that hold for the chain.

        Returns
        -------
        tuple of (int, int)
            For each step that the run may end with: the fewest and the most optional steps after those begun with. Any
            number between is possible as well. (1, 0) where there is no such run.
        """
        key = (makeup, entry, begun, holding)
        if key not in self._spans:
            self._spans[key] = self._spans_of(makeup, entry, begun, holding)
        return self._spans[key]

    def _spans_of(
        self, makeup: Makeup, entry: RowType | None, begun: tuple[int, ...], holding: tuple[int, ...]
    ) -> Spans:
        rows = [row for row, times in makeup for _ in range(times)]
        if entry is not None and self.is_once:
            rows.remove(entry)
        spans = [_NONE] * self.rules.n_steps
        served = _Served(rows, is_once=self.is_once)
        if not all(served.require(step) for step in begun if entry is None or step > 0):
            return tuple(spans)
        naming = [row for row in rows if not set(holding).isdisjoint(row.excluding)]
        for end in range(begun[-1], self.rules.n_steps if self.may_stay else begun[-1] + 1):
            needed = [row for row in naming if self._is_needed(row, begun[0], end, holding)]
            if end == begun[-1]:
                spans[end] = served.span(needed)
            elif end not in self.rules.optional:
                if not served.require(end):
                    break
                spans[end] = served.span(needed)
            else:
                fewest, most = served.span(needed, end)
                spans[end] = (fewest + 1, most + 1)
                served.allow(end)
        return tuple(spans)

    def _is_needed(self, row: RowType, first: int, last: int, holding: tuple[int, ...]) -> bool:
        """Tell whether a row must be of the chain, for it excludes: both steps of its exclusion stand elsewhere."""
        between = self.rules.exclusions
        return any(
            number in holding and between[number][0] < first and last < between[number][1] for number in row.excluding
        )

    def least(
        self, rows: tuple[RowType, ...], entry: int, steps: tuple[int, ...], holding: tuple[int, ...]
    ) -> tuple[int, ...]:
        """Return the least rows, step by step, that serve a run, which can be served.

        Parameters
        ----------
        rows : tuple of RowType
            Rows of an instant by number; of each type the first ones, as many as make a difference.
        entry : int
            Place of the entry row, which serves step 0, where the run begins with it; -1 elsewhere.
        steps, holding : tuple of int
            The steps of the run, and the exclusions that hold for the chain.
        """
        key = (rows, entry, steps, holding)
        if key not in self._choices:
            choices: list[list[int]] = [
                [place for place, row in enumerate(rows) if step in row.steps] for step in steps
            ]
            if entry >= 0:
                choices[0] = [entry]
            needed = [place for place, row in enumerate(rows) if self._is_needed(row, steps[0], steps[-1], holding)]
            self._choices[key] = _least_choice(choices, needed, is_once=self.is_once)
        return self._choices[key]


class _Served:
    """Steps that the rows of an instant are to serve, in one run after another that is longer by a step."""

    def __init__(self, rows: Sequence[RowType], *, is_once: bool) -> None:
        self._is_once = is_once
        self._rows_of: dict[int, list[int]] = {}
        for place, row in enumerate(rows):
            for step in row.steps:
                self._rows_of.setdefault(step, []).append(place)
        self._must: set[int] = set()
        self._may: set[int] = set()
        self._required, self._all = Matching(), Matching()

    def require(self, step: int) -> bool:
        """Serve a step in this run and all that follow, and tell whether that is possible."""
        rows = self._rows_of.get(step, [])
        self._must.add(step)
        self._all.add(rows)
        return self._required.add(rows) or (not self._is_once and bool(rows))

    def allow(self, step: int) -> None:
        """Serve a step in the runs that follow, or not."""
        rows = self._rows_of.get(step, [])
        if rows:
            self._may.add(step)
            self._all.add(rows)

    def span(self, needed: Sequence[RowType], end: int | None = None) -> tuple[int, int]:
        """Return how few and how many optional steps can be served, where all rows that are needed have to serve.

        If one matching covers the steps and another the needed rows, some matching covers both, and takes optional
        steps for needed rows only where the second one did (Mendelsohn and Dulmage, 1958). A largest matching grows
        from it and covers both as well. Between the two, optional steps can be had one by one: exchange the two
        matchings path by path of what they differ in.

        Parameters
        ----------
        needed : sequence of RowType
        end : int, optional
            A step that this run must serve beside those required.
        """
        must, most = self._must, self._all
        if end is not None:
            rows = self._rows_of.get(end, [])
            if not rows or (self._is_once and not self._required.copy().add(rows)):
                return _NONE
            must, most = must | {end}, most.copy()
            most.add(rows)
        fewest = 0
        if needed:
            both = must | self._may
            if len(needed) > len(both) or _matched(needed, both) < len(needed):
                return _NONE
            fewest = len(needed) - _matched(needed, must)
        return fewest, most.size - len(must) if self._is_once else len(self._may)


def _matched(rows: Sequence[RowType], steps: set[int]) -> int:
    """Return how many rows can serve some steps, each a step of its own."""
    return matched_most([step for step in row.steps if step in steps] for row in rows)


def _least_choice(choices: list[list[int]], needed: Sequence[int], *, is_once: bool) -> tuple[int, ...]:
    """Choose one of each list, each as small as the earlier ones allow, so that all needed ones are chosen."""
    for place, options in enumerate(choices):
        for option in options:
            choices[place] = [option]
            if _can_choose(choices, needed, is_once=is_once):
                break
    return tuple(options[0] for options in choices)


def _can_choose(choices: list[list[int]], needed: Sequence[int], *, is_once: bool) -> bool:
    """Tell whether there is a choice: a matching that covers all steps, where rows serve one, and all needed rows.

    If one matching covers the steps and another the rows, some matching covers both (Mendelsohn and Dulmage, 1958).
    """
    if is_once and matched_most(choices) < len(choices):
        return False
    served = [[place for place, options in enumerate(choices) if row in options] for row in needed]
    return matched_most(served) == len(needed)


class Matching:
    """A largest matching of lists to numbers of their own, which grows list by list (Kuhn's augmenting paths).

    Examples
    --------
    >>> matching = Matching()
    >>> [matching.add(options) for options in ([1], [1, 2], [2])]
    [True, True, False]
    >>> matching.size
    2
    """

    def __init__(self) -> None:
        self._choices: list[Sequence[int]] = []
        self._taken: dict[int, int] = {}

    @property
    def size(self) -> int:
        """Number of lists that have a number."""
        return len(self._taken)

    def copy(self) -> Matching:
        """Return a matching that grows by itself."""
        other = Matching()
        other._choices, other._taken = self._choices.copy(), self._taken.copy()
        return other

    def add(self, options: Sequence[int], /) -> bool:
        """Find a number for one more list, if need be by exchanging those of others; tell whether there is one.

        A list that finds none need not be tried again when others come.
        """
        self._choices.append(options)
        return self._place(len(self._choices) - 1, set())

    def _place(self, chooser: int, tried: set[int]) -> bool:
        for option in self._choices[chooser]:
            if option not in tried:
                tried.add(option)
                if option not in self._taken or self._place(self._taken[option], tried):
                    self._taken[option] = chooser
                    return True
        return False


def matched_most(choices: Iterable[Sequence[int]]) -> int:
    """Return how many of the lists can choose a number of their own.

    Examples
    --------
    >>> matched_most([[1], [1, 2], [2]])
    2
    """
    matching = Matching()
    return sum(matching.add(options) for options in choices)
