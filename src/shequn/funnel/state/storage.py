"""How is a state stored: which columns and entries are there, and what must be true of them?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shequn.columns.readonly import frozen
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError, message
from shequn.funnel.state.filling import NEVER, NOT_YET, columns_of_pairs
from shequn.labels import Index
from shequn.stats._checks import array_of, flag, plain, refuse, whole
from shequn.values.instants import FIRST_US, LAST_US

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import IntArray
    from shequn.funnel.definition import Funnel

__all__ = ["Stored", "definition", "member_columns", "read"]

_ENTRIES = ("start_us", "end_us", "keeps_left", "steps", "within_us")


class Stored(NamedTuple):
    """What a state holds beside its funnel; the names are those of `FunnelState`."""

    members: Index
    start_us: int
    end_us: int
    latest_us: IntArray
    earliest_us: IntArray | None


def member_columns(members: Index, latest: IntArray, earliest: IntArray | None) -> dict[str, NDArray[Any]]:
    """Return one row a member, as `FunnelState.to_member_columns` describes it."""
    names = _names_of_columns(latest.shape[1], keeps_left=earliest is not None)
    columns = [*latest.T] if earliest is None else [*latest.T, *earliest.T]
    found: dict[str, NDArray[Any]] = {"member": members.labels}
    return found | {name: frozen(values.copy()) for name, values in zip(names, columns, strict=True)}


def _names_of_columns(n_steps: int, *, keeps_left: bool) -> list[str]:
    names = [f"latest_{step}" for step in range(n_steps)]
    return names + [f"earliest_{i}_{j}" for i, j in columns_of_pairs(n_steps)] if keeps_left else names


def definition(funnel: Funnel) -> dict[str, Any]:
    """Return what a funnel counts; the names of its steps, and which chain is the witness, make no difference."""
    steps = [
        {"kinds": sorted(step.kinds), "where": None if step.where is None else step.where.to_dict()}
        for step in funnel.steps
    ]
    return {"steps": steps, "within_us": funnel.within_us}


def read(columns: Mapping[str, ArrayLike], state: Mapping[str, Any], funnel: Funnel) -> Stored:
    """Return what was stored, once it is known to be of this funnel and to contradict nothing in it."""
    _require_entries("state", state, _ENTRIES)
    for name, counted in definition(funnel).items():
        if (plain(state[name]) == counted) is not True:
            raise InvalidValueError(message("funnel", f"what was stored as {name} ({state[name]})", counted))
    start_us, end_us = (whole(name, state[name]) for name in ("start_us", "end_us"))
    if not FIRST_US <= start_us <= end_us < LAST_US:
        raise InvalidValueError(message("state", "a span [start_us, end_us) in [1900, 2262)", (start_us, end_us)))
    keeps_left = flag("keeps_left", state["keeps_left"])
    names = _names_of_columns(funnel.n_steps, keeps_left=keeps_left)
    _require_entries("columns", columns, ("member", *names))
    members = Index(columns["member"], argument="member")
    stored = {name: _instants(name, columns[name], len(members), start_us, end_us) for name in names}
    _require_in_order(stored, funnel.n_steps)
    latest = np.stack([stored[name] for name in names[: funnel.n_steps]], axis=1)
    pairs = [stored[name] for name in names[funnel.n_steps :]]
    earliest = np.stack(pairs, axis=1) if pairs else np.empty((len(members), 0), dtype=np.int64)
    return Stored(members, start_us, end_us, latest, earliest if keeps_left else None)


def _require_entries(argument: str, given: Any, names: tuple[str, ...]) -> None:  # noqa: ANN401
    # A data frame is looked up by name as a mapping is; a text or a sequence is not.
    is_mapping = hasattr(given, "keys") or hasattr(given, "columns")
    if not (is_mapping and hasattr(given, "__contains__") and hasattr(given, "__getitem__")):
        raise InvalidTypeError(message(argument, "a mapping, or a data frame", given))
    known = list(given.keys() if hasattr(given, "keys") else given.columns)
    for name in names:
        if name not in known:
            raise UnknownLabelError(message(argument, f"an entry {name!r}", sorted(map(str, known))))


def _instants(name: str, values: ArrayLike, n: int, start_us: int, end_us: int) -> IntArray:
    """Return a stored column, whose instants lie in the span or are missing."""
    given = array_of(name, values, kinds="iu", expected="integers")
    if given.ndim != 1 or len(given) != n:
        raise MisalignedError(message(name, f"one integer for each of the {n} members", given.shape))
    missing = NEVER if name.startswith("latest") else NOT_YET
    outside = ((given < start_us) | (given >= end_us)) & (given != missing)
    if outside.any():
        refuse(name, f"microseconds in [{start_us}, {end_us}), or {missing} for none", given, outside)
    return given.astype(np.int64)


def _require_in_order(stored: Mapping[str, IntArray], n_steps: int) -> None:
    """Raise where a chain would start later for a later step, or where more steps would be done earlier than fewer."""
    for step in range(1, n_steps):
        name, before = f"latest_{step}", f"latest_{step - 1}"
        late = stored[name] > stored[before]
        if late.any():
            expected = f"no instant after that of {before}, as who reached a step reached those before"
            refuse(name, expected, stored[name], late)
    for i, j in columns_of_pairs(n_steps):
        for fewer in (f"earliest_{i}_{j - 1}", f"earliest_{i + 1}_{j}"):
            name = f"earliest_{i}_{j}"
            if fewer in stored and (stored[name] < stored[fewer]).any():
                expected = f"no instant before that of {fewer}, which are fewer steps"
                refuse(name, expected, stored[name], stored[name] < stored[fewer])
