"""How does a plan run on Spark?"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import attrs

from shequn.errors import InvalidTypeError, InvalidValueError, from_extra, message
from shequn.interop.engines._plan import Plan, require_plan
from shequn.interop.engines._reading import Columns
from shequn.stats._checks import one_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["spark"]

R = TypeVar("R")

_ROW = "_row_of_the_whole"
_NOTHING = b""  # of a partition without rows


def spark(
    plan: Plan[R],
    frame: Any,  # noqa: ANN401 - a data frame of Spark, which is never imported here
    /,
    *,
    member: str,
    kind: str,
    at: str,
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
    """Run a plan on a data frame of Spark.

    Rows are repartitioned by member, once; each partition goes to Python as Arrow and is counted there, and the pickled
    tallies are merged by a tree. A plan that takes rows split in whatever way moves none.

    Parameters
    ----------
    plan : Plan
        See `plan`.
    frame : pyspark.sql.DataFrame
    member, kind, at, at_tz, time_unit, value, target, group, item, extra
        Names of its columns, as in `EventLog.from_frame`; no others are read. A ``timestamp`` column takes neither
        `at_tz` nor `time_unit`; a ``timestamp_ntz`` column needs the zone it was written in.
    n_parts : int, optional
        Into how many partitions to split the members; by default as many as the frame has.
    rows : {"anywhere", "by member"}
        Say ``"by member"`` where all rows of a member are in one partition already, so that none need to move.

    Returns
    -------
    whatever the plan finds
        The same as ``plan.run`` of all rows.

    Raises
    ------
    UnknownLabelError, InvalidTypeError, InvalidValueError
        The frame has no such column, or an option can't be used. What the counting raises on a worker comes as an error
        of Spark that tells of it.

    Notes
    -----
    The workers' Python needs this library and pyarrow. Spark's shuffle forgets the order of rows, so each is numbered
    before it and put back after: ties at one instant are settled as in the frame. For a second pass, which RFM has, the
    rows that were moved are kept by ``cache()``.

    Examples
    --------
    >>> from shequn.interop.engines import plan
    >>> from shequn.retention import flow_ledger
    >>> ledger = plan(flow_ledger, every="week", tz="Asia/Shanghai")
    >>> spark(ledger, session.table("events"), member="user_id", kind="event", at="ts")  # doctest: +SKIP
    """
    require_plan(plan)
    one_of("rows", rows, ("anywhere", "by member"))
    if not _is_classic(frame):
        expected = "a pyspark.sql.DataFrame (pip install 'shequn[spark]'), and not one of Spark Connect"
        raise InvalidTypeError(message("frame", expected, type(frame).__name__))
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
    names = columns.names_in(list(frame.columns))
    # Under names of ours, as a dot or a backquote means something to Spark; a worker gives them theirs again.
    ours = {name: f"c{place}" for place, name in enumerate(names)}
    wanted = frame.selectExpr(*(f"`{name.replace('`', '``')}` AS {own}" for name, own in ours.items()))
    n = wanted.rdd.getNumPartitions() if n_parts is None else whole("n_parts", n_parts)
    if n < 1:
        raise InvalidValueError(message("n_parts", "at least 1", n_parts))
    numbered = wanted.selectExpr("*", f"monotonically_increasing_id() AS {_ROW}")
    if rows == "anywhere" and plan.split == "member":
        numbered = numbered.repartition(n, ours[str(member)])
    if plan.then is None:
        return _run(plan, numbered, columns, names)
    held = numbered.cache()
    try:
        return _run(plan, held, columns, names)
    finally:
        held.unpersist()


def _is_classic(frame: Any) -> bool:  # noqa: ANN401
    """Return whether it is a data frame of Spark Classic: that of Spark Connect refuses to show its `rdd`."""
    try:
        return hasattr(frame, "mapInArrow") and hasattr(frame, "rdd")
    except NotImplementedError:
        return False


def _run(plan: Plan[R], frame: Any, columns: Columns, names: list[str]) -> R:  # noqa: ANN401
    counting = _Counting(plan, columns, names)
    tallies = frame.mapInArrow(counting.of_batches, "tally binary").rdd.map(_bytes_of)
    tally = tallies.treeAggregate(_NOTHING, counting.merge, counting.merge)
    if tally == _NOTHING:
        return plan.run([columns.no_rows()])
    answer = plan.finish(pickle.loads(tally))  # noqa: S301 - what our workers pickled
    return answer if plan.then is None else _run(plan.then(answer), frame, columns, names)


def _arrow() -> Any:  # noqa: ANN401 - pyarrow says nothing of its types
    with from_extra("spark", "pyarrow"):  # of the workers' Python
        import pyarrow as arrow  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
    return arrow


def _bytes_of(row: Any) -> bytes:  # noqa: ANN401
    return bytes(row[0])


@attrs.frozen(eq=False)
class _Counting:
    """A plan and how to read a partition: all that a worker needs."""

    plan: Plan[Any]
    columns: Columns
    names: list[str]  # of the frame's columns, in order

    def of_batches(self, batches: Iterator[Any], /) -> Iterator[Any]:
        """Yield the pickled tally of the rows of one partition; nothing where it has none."""
        arrow = _arrow()
        held = [batch for batch in batches if batch.num_rows]
        if held:
            table = arrow.Table.from_batches(held).sort_by(_ROW)
            table = table.select(range(len(self.names))).rename_columns(self.names)
            tally = pickle.dumps(self.plan.partial(self.columns.read(table)), protocol=pickle.HIGHEST_PROTOCOL)
            yield arrow.RecordBatch.from_pydict({"tally": arrow.array([tally], arrow.binary())})

    def merge(self, one: bytes, other: bytes, /) -> bytes:
        """Merge two pickled tallies, of which either may be nothing."""
        if _NOTHING in {one, other}:
            return one or other
        both = self.plan.merge(pickle.loads(one), pickle.loads(other))  # noqa: S301 - what our workers pickled
        return pickle.dumps(both, protocol=pickle.HIGHEST_PROTOCOL)
