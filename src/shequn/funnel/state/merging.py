"""What do two states say together: of two spans that follow each other, or of the members of both?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from shequn.errors import InvalidValueError, message
from shequn.funnel.state.filling import NEVER, NOT_YET, columns_of_pairs
from shequn.stats._checks import refuse
from shequn.values.instants import from_us

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import IntArray
    from shequn.funnel.state.span import FunnelState

__all__ = ["hint_about_spans", "in_turn", "known_only", "shown", "side_by_side", "span"]


def in_turn(one: FunnelState, other: FunnelState) -> FunnelState:
    """Return the state of two spans, the second of which begins where the first ends."""
    if other.earliest_us is None:
        expected = "a later part that was made with keep_left=True and has not dropped it"
        raise InvalidValueError(message("other", expected, other))
    members = one.members.union(other.members)
    first, second = (members.places_of(part.members) for part in (one, other))
    n, n_steps, within = len(members), one.funnel.n_steps, one.funnel.within_us
    column = columns_of_pairs(n_steps)
    earlier = _placed(one.latest_us, first, n, NEVER)
    ends = _placed(other.earliest_us, second, n, NOT_YET)
    latest = np.maximum(earlier, _placed(other.latest_us, second, n, NEVER))
    for (step, last), at in column.items():
        in_time = ends[:, at] - within <= earlier[:, step]
        np.maximum(latest[:, last], earlier[:, step], out=latest[:, last], where=in_time)
    earliest = None
    if one.earliest_us is not None:
        begun = _placed(one.earliest_us, first, n, NOT_YET)
        earliest = np.minimum(begun, ends)
        for (step, last), at in column.items():
            for between in range(step + 1, last):
                way = np.where(begun[:, column[step, between]] < NOT_YET, ends[:, column[between, last]], NOT_YET)
                np.minimum(earliest[:, at], way, out=earliest[:, at])
    return known_only(attrs.evolve(one, members=members, end_us=other.end_us, latest_us=latest, earliest_us=earliest))


def side_by_side(one: FunnelState, other: FunnelState) -> FunnelState:
    """Return the state of the members of both, over the same span."""
    in_both = one.members.places_of(other.members) >= 0
    if in_both.any():
        expected = f"other members, or a span that begins at {shown(one.end_us)}: spans are the same"
        refuse("other", expected, other.members.labels, in_both)
    earliest = None
    if one.earliest_us is not None and other.earliest_us is not None:
        earliest = np.concatenate([one.earliest_us, other.earliest_us])
    members = one.members.union(other.members)
    latest = np.concatenate([one.latest_us, other.latest_us])
    # A union of integers is ascending, whatever the order of its parts.
    order = np.empty(len(members), dtype=np.int64)
    order[np.concatenate([members.places_of(part.members) for part in (one, other)])] = np.arange(len(members))
    earliest = None if earliest is None else earliest[order]
    return known_only(attrs.evolve(one, members=members, latest_us=latest[order], earliest_us=earliest))


def _placed(values: IntArray, place: NDArray[np.int32], n: int, missing: int) -> IntArray:
    placed = np.full((n, values.shape[1]), missing, dtype=np.int64)
    placed[place] = values
    return placed


def known_only(state: FunnelState) -> FunnelState:
    """Return the state without members of whom nothing is known, so that equal knowledge makes equal states."""
    known = (state.latest_us != NEVER).any(axis=1)
    if state.earliest_us is not None:
        known |= (state.earliest_us != NOT_YET).any(axis=1)
    if known.all():
        return state
    earliest = None if state.earliest_us is None else state.earliest_us[known]
    return attrs.evolve(
        state, members=state.members.take(known), latest_us=state.latest_us[known], earliest_us=earliest
    )


def shown(us: int) -> str:
    """Return an instant as it stands in messages."""
    return from_us(us).isoformat().replace("+00:00", "Z")


def span(state: FunnelState) -> str:
    """Return a span as it stands in messages."""
    return f"[{shown(state.start_us)}, {shown(state.end_us)})"


def hint_about_spans(state: FunnelState, other: FunnelState) -> str:
    """Return what may have gone wrong where spans don't follow each other."""
    if other.end_us == state.start_us:
        return "; merge them the other way round"
    if other.start_us > state.end_us:
        return "; a time without rows has a state too, that of EventLog.empty()"
    return f", which does not follow {span(state)}; no row may be in two parts"
