"""How much does each source depend on each member to reach the others by shortest paths?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.network.spans import positions_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.graph.neighbours import Neighbours

__all__ = ["dependencies"]

_ENTRIES = 1 << 18  # members and ties, over all sources at a time: what a cache holds


def dependencies(
    ties: Neighbours, sources: IntArray, /, *, progress: Callable[[int, int], None] | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return the sum over sources of what each needs a member for, and the sum of squares about the mean.

    Parameters
    ----------
    ties : Neighbours
        Whom one gets to from each member.
    sources : ndarray of int64, shape (k,)
        From whom paths start.
    progress : callable, optional
        Called with (done, total) sources.

    Returns
    -------
    total, spread : ndarray of float64, shape (n_members,)

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> chain = InteractionGraph.from_ties([0, 1, 2], [1, 2, 3])
    >>> dependencies(chain.neighbours("out"), np.array([0, 1]))[0].tolist()
    [0.0, 2.0, 2.0, 0.0]
    """
    n = ties.n_members
    at_once = max(_ENTRIES // max(n + len(ties.neighbour), 1), 1)
    total, spread = np.zeros(n), np.zeros(n)
    for start in range(0, len(sources), at_once):
        some = sources[start : start + at_once]
        delta = _of_each(ties, some)
        done, more = start, len(some)
        part = delta.sum(axis=0)
        # Spreads of parts are merged (Chan et al.), since squares of sums cancel.
        mean = part / more
        np.subtract(delta, mean, out=delta)
        spread += np.einsum("ij,ij->j", delta, delta)
        if done:
            spread += (mean - total / done) ** 2 * (done * more / (done + more))
        total += part
        if progress is not None:
            progress(done + more, len(sources))
    return total, spread


class _Step(NamedTuple):
    """One step away from the sources: who was reached before, and the ties by which it went on along shortest paths."""

    place: IntArray
    """Places (source, member), numbered through, that the ties leave."""
    row: IntArray
    """Which of them each tie leaves."""
    to: IntArray
    """The place each tie leads to."""


def _of_each(ties: Neighbours, sources: IntArray) -> FloatArray:
    """Return the dependency of each source on each member, shape (k, n_members)."""
    k, n = len(sources), ties.n_members
    start = np.arange(k) * n + sources
    steps, paths = _walk(ties, start, k)
    in_logs = not np.isfinite(paths).all()
    if in_logs:
        paths = _log_paths(steps, start, k * n)
    delta = np.zeros(k * n)
    for step in reversed(steps):
        before, after = paths[step.place][step.row], paths[step.to]
        share = np.exp(before - after) if in_logs else before / after
        share *= 1.0 + delta[step.to]
        delta[step.place] = np.bincount(step.row, weights=share, minlength=len(step.place))
    delta[start] = 0.0
    return delta.reshape(k, n)


def _walk(ties: Neighbours, start: IntArray, k: int) -> tuple[list[_Step], FloatArray]:
    """Go from all sources at once, a tie a step, and count the shortest paths to each place."""
    n = ties.n_members
    paths = np.zeros(k * n)
    paths[start] = 1.0
    reached = np.zeros(k * n, dtype=np.bool_)
    reached[start] = True
    seat = np.empty(k * n, dtype=np.int64)
    steps: list[_Step] = []
    place, member = start, start % max(n, 1)
    with np.errstate(over="ignore"):
        while len(place):
            first = ties.offsets[member]
            lengths = ties.offsets[member + 1] - first
            row = np.repeat(np.arange(len(place)), lengths)
            neighbour = ties.neighbour[positions_in(first, lengths)]
            to = (place - member)[row] + neighbour
            new = np.flatnonzero(~reached[to])
            row, to, neighbour = row[new], to[new], neighbour[new]
            np.add.at(paths, to, paths[place][row])
            reached[to] = True
            if len(to):
                steps.append(_Step(place, row, to))
            once = _last_of_each(to, seat)
            place, member = to[once], neighbour[once]
    return steps, paths


def _last_of_each(values: IntArray, seat: IntArray) -> BoolArray:
    """Return a mask that keeps each value once; `seat` is room to write in, of any content."""
    at = np.arange(len(values))
    seat[values] = at
    once: BoolArray = seat[values] == at
    return once


def _log_paths(steps: list[_Step], start: IntArray, size: int) -> FloatArray:
    """Return the logarithms of the numbers of shortest paths, where the numbers themselves are too large."""
    logs = np.full(size, -np.inf)
    logs[start] = 0.0
    for step in steps:
        np.logaddexp.at(logs, step.to, logs[step.place][step.row])
    return logs
