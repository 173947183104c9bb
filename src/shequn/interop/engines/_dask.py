"""How does a plan run on Dask?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, from_extra, message
from shequn.interop.engines._plan import Plan, merged, require_plan
from shequn.interop.engines._reading import Columns
from shequn.labels import Coded
from shequn.stats._checks import one_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["dask"]

R = TypeVar("R")

_BYTES_OF_A_LABEL = 64  # a short text, and its place in an index
_MOST_PARTS = 65_536  # into which a log can be split
_FAN_IN = 4  # tallies that one task merges: few, so that workers share the merging


def dask(
    plan: Plan[R],
    data: Any,  # noqa: ANN401 - a collection of Dask, which is imported only where it is used
    /,
    *,
    member: str | None = None,
    kind: str | None = None,
    at: str | None = None,
    at_tz: str | None = None,
    time_unit: Literal["s", "ms", "us"] | None = None,
    value: str | None = None,
    target: str | None = None,
    group: str | None = None,
    item: str | None = None,
    extra: Iterable[str] = (),
    n_parts: int | None = None,
    rows: Literal["anywhere", "by member"] = "anywhere",
) -> R:
    """Run a plan on Dask: on the current `distributed.Client` if there is one, else on Dask's default scheduler.

    Rows are moved so that those of a member are together, once, in as many parts as `n_parts`; each part is counted
    where it lies, and the tallies are merged by a tree. A plan that takes rows split in whatever way moves none.

    Parameters
    ----------
    plan : Plan
        See `plan`.
    data : dask.dataframe.DataFrame, or sequence
        Partitions; or frames, logs, and `dask.delayed` objects that become one or the other.
    member, kind, at, at_tz, time_unit, value, target, group, item, extra
        Names of the frame's columns, as in `EventLog.from_frame`; of a Dask data frame no others are read. Logs need
        none.
    n_parts : int, optional
        Into how many parts to split the members; by default as many as there are partitions. A part should fit into the
        memory of a worker several times.
    rows : {"anywhere", "by member"}
        Say ``"by member"`` where all rows of a member are in one partition already, so that none need to move.

    Returns
    -------
    whatever the plan finds
        The same as ``plan.run(log.partition(n_parts))`` of all rows.

    Raises
    ------
    MissingExtraError
        Dask is not installed.
    UnknownLabelError, InvalidTypeError, InvalidValueError
        The frame has no such column, or an option can't be used; and what the counting raises on a worker.

    Notes
    -----
    A member's part is a hash of the label, the same in every process. Rows of a member keep their order: that of the
    partitions, and of the rows in them. So ties at one instant are settled as in the log that all partitions make.

    Examples
    --------
    >>> import pandas as pd  # doctest: +SKIP
    >>> from shequn.interop.engines import plan
    >>> from shequn.retention import flow_ledger
    >>> frames = [pd.DataFrame({"user": ["ann", who], "event": "post", "s": [0, 1]}) for who in "ab"]  # doctest: +SKIP
    >>> ledger = plan(flow_ledger, every="day", tz="UTC")
    >>> dask(ledger, frames, member="user", kind="event", at="s", time_unit="s").joined.tolist()  # doctest: +SKIP
    [3]
    """
    require_plan(plan)
    one_of("rows", rows, ("anywhere", "by member"))
    columns = Columns.of(
        member=member,
        kind=kind,
        at=at,
        at_tz=at_tz,
        time_unit=time_unit,
        value=value,
        target=target,
        group=group,
        item=item,
        extra=extra,
    )
    n = None if n_parts is None else whole("n_parts", n_parts)
    if n is not None and not 1 <= n <= _MOST_PARTS:
        raise InvalidValueError(message("n_parts", f"from 1 to {_MOST_PARTS:,}", n_parts))
    pieces = _pieces(data, columns)
    if not pieces:
        return plan.run([columns.no_rows()])
    parts = _parts(pieces, columns, n or len(pieces), moves=rows == "anywhere" and plan.split == "member")
    return _run(plan, parts)


def _engine() -> Any:  # noqa: ANN401 - Dask says little of its types
    with from_extra("dask"):
        import dask as engine  # noqa: PLC0415
    return engine


def _pieces(data: Any, columns: Columns) -> list[Any]:  # noqa: ANN401
    """Return what becomes a frame or a log each, in order."""
    expected = "a Dask data frame, or a sequence of frames, logs or delayed objects"
    if hasattr(data, "dask") and hasattr(data, "compute") and not hasattr(cast("Any", type(data)), "to_delayed"):
        raise InvalidTypeError(message("data", expected, type(data).__name__) + "; put one delayed object into a list")
    if hasattr(data, "to_delayed") and hasattr(data, "columns"):
        return list(data[columns.names_in(list(data.columns))].to_delayed())
    if isinstance(data, Sequence) and not isinstance(data, str):
        return list(cast("Any", data))
    raise InvalidTypeError(message("data", expected, type(data).__name__))


def _parts(pieces: list[Any], columns: Columns, n_parts: int, *, moves: bool) -> list[Any]:
    """Return delayed logs: of each piece, or of the members of each part."""
    delayed = _engine().delayed
    if not moves:
        return [delayed(_read)(columns, piece) for piece in pieces]
    split = delayed(_read_and_split, nout=n_parts)
    shares = [split(columns, piece, n_parts) for piece in pieces]
    gather = delayed(_gather)
    return [gather([share[part] for share in shares]) for part in range(n_parts)]


def _tell_sizes() -> None:
    """Tell Dask how large a log is: it places tasks, and empties a worker's memory, by what it takes to be there."""
    from dask.sizeof import sizeof  # noqa: PLC0415

    sizes: Any = sizeof
    sizes.register(EventLog, size_of)


def size_of(log: EventLog) -> int:
    """Return about how many bytes a log holds, its distinct labels included.

    Examples
    --------
    >>> size_of(EventLog.from_columns(member=["ann", "bo"], kind="post", at=[0, 1], time_unit="s"))
    212
    """
    columns: list[Any] = [log.member, log.kind, log.value, log.target, log.group, log.item, *log.extra.values()]
    n_bytes = int(log.at_us.nbytes)
    for column in columns:
        if isinstance(column, Coded):
            n_bytes += int(column.codes.nbytes) + _BYTES_OF_A_LABEL * len(column.index)
        elif column is not None:
            n_bytes += int(column.nbytes)
    return n_bytes


def _read(columns: Columns, frame: Any) -> EventLog:  # noqa: ANN401
    _tell_sizes()
    return columns.read(frame)


def _read_and_split(columns: Columns, frame: Any, n_parts: int) -> tuple[EventLog, ...]:  # noqa: ANN401
    _tell_sizes()
    return columns.read(frame).partition(n_parts)


def _gather(logs: list[EventLog]) -> EventLog:
    _tell_sizes()
    return EventLog.concat(logs)


def _run(plan: Plan[R], parts: list[Any]) -> R:
    engine = _engine()
    delayed = engine.delayed
    if plan.then is not None:
        parts = list(engine.persist(*parts))
    # One node of the graph, which each worker fetches once, rather than a copy in each task.
    held = delayed(plan, traverse=False, pure=False)
    tallies = [delayed(_partial)(held, part) for part in parts]
    while len(tallies) > 1:
        tallies = [delayed(_merge)(held, tallies[at : at + _FAN_IN]) for at in range(0, len(tallies), _FAN_IN)]
    [tally] = engine.compute(*tallies)
    answer = plan.finish(tally)
    return answer if plan.then is None else _run(plan.then(answer), parts)


def _partial(plan: Plan[Any], log: EventLog) -> Any:  # noqa: ANN401
    return plan.partial(log)


def _merge(plan: Plan[Any], tallies: list[Any]) -> Any:  # noqa: ANN401
    return merged(tallies, plan.merge)
