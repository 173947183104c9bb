"""Do the parts of what was read agree? What a function of this library made does; a document may say anything.

Constructors check what people build by hand. Here stands what the constructors of results leave to the functions that
make these: columns of one length, codes inside of their index, the identities of a ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import attrs
import numpy as np

from shequn.columns import EventLog, LogSummary
from shequn.errors import InvalidValueError, MisalignedError, ShequnError, message
from shequn.funnel import FunnelTrend, SegmentEffects
from shequn.interop._hints import check_fields
from shequn.interop._result_classes import name_of
from shequn.interop.errors import DocumentError, relocated
from shequn.retention import FlowLedger, Presence
from shequn.retention.sets import BitSets, CellSets
from shequn.segmentation import (
    BehaviourLayer,
    BehaviourLayers,
    MemberPosture,
    PostureLayers,
    SegmentCheck,
    ValueLayer,
    ValueLayers,
)
from shequn.values import Transitions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from shequn.entities.taxonomies import Taxonomy
    from shequn.interop._forms import Value

__all__ = ["consistent"]

_RESOLUTIONS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_WORD_BITS = 64
_NEVER, _NEVER_BEFORE = 2**31 - 1, -(2**31)

# Fields that have one entry for each of the same things, where no constructor compares them.
_OF_ONE_LENGTH: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "columns.Column": (("values",),),
    "columns.MembershipChanges": (("member", "group", "at_us", "delta", "rows"), ("ignored_rows", "ignored_at_us")),
    "columns.Memberships": (("member", "group", "joined_us", "left_us", "role"),),
    "content.Backlog": (("items", "oldest_days"),),
    "funnel.Bottlenecks": (("positions", "targets", "completed"),),
    "funnel.Correlates": (("kinds", "with_kind", "took_with_kind"),),
    "funnel.FunnelState": (("members", "latest_us", "earliest_us"),),
    "funnel.FunnelTrend": (("reached", "tainted"),),
    "funnel.Matches": (("member_codes", "level", "rows", "at_us"),),
    "funnel.SegmentEffects": (("segments", "completed_before", "completed_after"),),
    "funnel.TimeToConvert": (("step", "duration_us", "members"),),
    "funnel.WhatIf": (("new_rates", "expected"),),
    "graph.Neighbours": (("neighbour", "weight"),),
    "lifecycle.NoveltyDecay": (("tenure", "exposures", "engagements"),),
    "lifetime.LifetimeValue": (("members", "p_alive", "purchases", "spend", "value"),),
    "retention.CohortTable": (("sizes", "raw"),),
    "retention.FlowLedger": (
        ("opening", "joined", "revived", "evaporated", "left", "inside", "present_inside", "turnover", "ignored"),
    ),
    "retention.Presence": (("members", "first", "before"),),
    "retention.ReturnCurve": (("offsets", "returned", "eligible"),),
    "retention.Stays": (("first_us", "last_us"),),
    "retention.Stickiness": (("periods", "active", "active_days", "n_days", "complete"),),
    "segmentation.BehaviourLayers": (("assignment", "active_days", "purchases", "signs"),),
    "segmentation.Brackets": (("buckets", "below", "counts", "least", "following"),),
    "segmentation.Flows": (("before", "after", "direction", "members", "rate"),),
    "segmentation.PostureLayers": (("assignment", "voice_days", "reads", "muted_us"),),
    "segmentation.RfmValues": (("members", "recency_us", "frequency", "monetary"),),
    "segmentation.SegmentCheck": (("segments", "assigned"), ("unknown", "overlaps")),
    "segmentation.ValueCounts": (("values", "counts"),),
    "segmentation.ValueLayers": (("assignment", "contribution"),),
    "segmentation.ValueSketch": (("buckets", "counts", "least"),),
    "sharding.Change": (("left",),),
    "sharding.FewestMoves": (("sizes", "closed"),),
    "sharding.Moves": (("member", "from_group", "to_group", "reason", "gained"),),
    "stats.LogRank": (("observed", "expected", "score", "variance"),),
    "stats.MeanDifference": (("difference", "lower", "upper", "df"),),
    "stats.OddsRatio": (("estimate", "lower", "upper", "p_value"),),
    "stats.PooledRates": (("mean", "lower", "upper"),),
    "stats.ShareRatio": (("estimate", "lower", "upper"),),
}
# Those that are tables, of which the first dimension counts.
_TABLES = frozenset(
    {
        ("funnel.FunnelState", "earliest_us"),
        ("funnel.FunnelState", "latest_us"),
        ("funnel.FunnelTrend", "reached"),
        ("funnel.Matches", "at_us"),
        ("funnel.Matches", "rows"),
        ("retention.CohortTable", "raw"),
        ("segmentation.SegmentCheck", "overlaps"),
        ("stats.LogRank", "variance"),
    }
)
# Where each row of something starts in a column, and the column.
_OFFSETS: Mapping[str, tuple[str, str]] = {
    "columns.Tags": ("offsets", "labels"),
    "graph.Neighbours": ("offsets", "neighbour"),
}
_MOST_PERIODS = 1 << 31  # a presence has them in int32


def consistent(value: Value, path: str) -> Value:
    """Return what was read, or raise `DocumentError` where its parts do not agree."""
    check_fields(value, path)
    try:
        _check_lengths(value)
        check = _CHECKS.get(cast("Any", type(value)))
        return value if check is None else check(value)
    except DocumentError:
        raise
    except (ShequnError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise relocated(path, error, _field_names(value)) from None


def _field_names(value: Value) -> list[str]:
    if isinstance(value, tuple):
        return list(cast("Any", value)._fields)
    return [field.alias for field in attrs.fields(cast("Any", type(value)))]


def _check_lengths(value: Value) -> None:
    cls = name_of(cast("Any", type(value))) or ""
    for group in _OF_ONE_LENGTH.get(cls, ()):
        first, *others = [(name, getattr(value, name)) for name in group]
        for name, column in (first, *others):
            n_dims = 2 if (cls, name) in _TABLES else 1
            shape: tuple[int, ...] = getattr(column, "shape", (0,) * n_dims)
            if len(shape) != n_dims and not cls.startswith("stats."):
                raise InvalidValueError(message(name, f"an array of {n_dims} dimensions", shape))
        for name, column in others:
            if column is not None and _size(column) != _size(first[1]):
                expected = f"as many entries as {first[0]!r}, which has {_size(first[1])}"
                raise MisalignedError(message(name, expected, _size(column)))
    if cls in _OFFSETS:
        offsets, values = _OFFSETS[cls]
        _check_starts(offsets, getattr(value, offsets), len(getattr(value, values)))
    first_period = getattr(value, "first_period", 0)
    if not -_MOST_PERIODS <= first_period < _MOST_PERIODS:
        raise InvalidValueError(message("first_period", "the number of a period, in [-2**31, 2**31)", first_period))


def _size(column: Any) -> int:  # noqa: ANN401  # an array, an index, a tuple
    # What statistics compute of one number is an array without dimensions.
    return 1 if getattr(column, "ndim", 1) == 0 else len(column)


def _check_starts(argument: str, starts: NDArray[Any], n: int) -> None:
    _require(starts.ndim == 1 and len(starts) > 0, argument, "where each row starts, and where the last ends", starts)
    ends = (int(starts[0]), int(starts[-1]))
    _require(ends == (0, n), argument, f"numbers from 0 to {n}", ends)
    _require(np.all(np.diff(starts) >= 0), argument, "numbers in ascending order", starts.tolist())


def _require(is_so: bool | np.bool_, argument: str, expected: str, got: object) -> None:
    if not is_so:
        raise InvalidValueError(message(argument, expected, got))


def _require_counts(argument: str, counts: NDArray[Any]) -> None:
    if len(counts) and counts.min() < 0:
        raise InvalidValueError(message(argument, "counts of 0 or more", int(counts.min())))


def _log(log: EventLog) -> EventLog:
    """Return the log as its own constructor builds it of the same columns."""
    names = ("member", "kind", "value", "target", "group", "item", "extra")
    columns: dict[str, Any] = {name: getattr(log, name) for name in names}
    again = EventLog.from_columns(at=log.at_us, time_unit="us", **columns)
    is_unit = log.resolution_us in _RESOLUTIONS.values() and (
        not len(log) or not again.resolution_us % log.resolution_us
    )
    _require(is_unit, "resolution_us", "1, 1000 or 1000000, of which all instants are multiples", log.resolution_us)
    if log.source_rows is not None:
        if len(log.source_rows) != len(log):
            raise MisalignedError(message("source_rows", f"as many rows as `member`, {len(log)}", len(log.source_rows)))
        _require_counts("source_rows", log.source_rows)
    if log.is_sorted:
        who, at = np.diff(log.member_codes.astype(np.int64)), np.diff(log.at_us)
        _require(np.all((who > 0) | ((who == 0) & (at >= 0))), "is_sorted", "False, as the rows are in no order", True)
    return attrs.evolve(again, resolution_us=log.resolution_us, is_sorted=log.is_sorted, source_rows=log.source_rows)


def _summary(summary: LogSummary) -> LogSummary:
    kinds, members = summary.kinds, summary.members_by_kind
    for name in ("n_rows", "n_members"):
        _require(getattr(summary, name) >= 0, name, "a count of 0 or more", getattr(summary, name))
    _require(all(n >= 1 for n in kinds.values()), "kinds", "a count of 1 or more for each kind", dict(kinds))
    _require(sum(kinds.values()) == summary.n_rows, "n_rows", "the rows of all kinds together", summary.n_rows)
    _require(list(members) == list(kinds), "members_by_kind", "the kinds of `kinds`, in that order", list(members))
    most = {kind: min(n, summary.n_members) for kind, n in kinds.items()}
    _require(
        all(1 <= n <= most[kind] for kind, n in members.items()),
        "members_by_kind",
        "from 1 to as many members as there are, and as the kind has rows",
        dict(members),
    )
    _require(set(summary.value_by_kind) <= set(kinds), "value_by_kind", "kinds of `kinds`", list(summary.value_by_kind))
    _require(summary.resolution in _RESOLUTIONS, "resolution", "'s', 'ms' or 'us'", summary.resolution)
    nulls = summary.nulls
    _require(all(0 <= n <= summary.n_rows for n in nulls.values()), "nulls", "at most all rows", dict(nulls))
    first, last = summary.first_at, summary.last_at
    _require(
        (first is None) == (last is None) == (not summary.n_rows), "first_at", "an instant if there are rows", first
    )
    _require(first is None or last is None or first <= last, "last_at", f"an instant from {first} on", last)
    return summary


def _bits(sets: BitSets) -> BitSets:
    shape = (sets.n_periods, -(-sets.n_members // _WORD_BITS))
    _require(sets.n_members >= 0, "n_members", "a count of 0 or more", sets.n_members)
    _require(sets.words.shape == shape, "words", f"an array of shape {shape}", sets.words.shape)
    spare = sets.n_members % _WORD_BITS
    beyond = sets.words[:, -1:] >> np.uint64(spare) if spare else sets.words[:, :0]
    _require(not beyond.any(), "words", f"bits of the {sets.n_members} members alone", "others")
    return sets


def _cells(sets: CellSets) -> CellSets:
    starts, members = sets.starts, sets.members
    _require(members.ndim == 1, "members", "an array of one dimension", members.shape)
    _check_starts("starts", starts, len(members))
    _check_codes("members", members, sets.n_members)
    rises = np.diff(members) > 0
    rises[(starts[1:-1] - 1)[(starts[1:-1] > 0) & (starts[1:-1] < len(members))]] = True
    _require(np.all(rises), "members", "codes in ascending order in each period", "others")
    return sets


def _check_codes(argument: str, codes: NDArray[Any], n: int) -> None:
    if len(codes) and not (codes.min() >= 0 and codes.max() < n):
        worst = int(codes.min()) if codes.min() < 0 else int(codes.max())
        raise InvalidValueError(message(argument, f"codes in [0, {n})", worst))


def _presence(presence: Presence) -> Presence:
    n = len(presence.members)
    _require(presence.sets.n_members == n, "sets", f"sets of the {n} members", presence.sets.n_members)
    for name in ("first", "before"):
        _require(getattr(presence, name).ndim == 1, name, "one dimension", getattr(presence, name).shape)
    late = presence.before >= presence.first_period
    _require(not late.any(), "before", f"periods before {presence.first_period}", presence.before[late].tolist())
    known = presence.sets.first(_NEVER).astype(np.int64)
    known += np.where(known == _NEVER, 0, presence.first_period)
    late = presence.first > np.where(presence.before == _NEVER_BEFORE, known, presence.before)
    expected = "no period after one in which the member was active"
    _require(not late.any(), "first", expected, presence.first[late].tolist())
    return presence


def _ledger(ledger: FlowLedger) -> FlowLedger:
    n, grace = ledger.n_periods, ledger.grace
    for field in attrs.fields(FlowLedger):
        counts = getattr(ledger, field.name)
        if hasattr(counts, "ravel"):
            _require_counts(field.name, counts.ravel())
    _require(grace >= 0, "grace", "a number of periods, 0 or more", grace)
    shape = (grace + 1, 2)
    _require(ledger.tail.shape == shape, "tail", f"an array of shape {shape}", ledger.tail.shape)
    _require(ledger.opening.ndim == 1, "opening", "one dimension", ledger.opening.shape)
    _require(np.all(ledger.evaporated <= ledger.opening), "evaporated", "at most `opening`", ledger.evaporated.tolist())
    _require(np.all(ledger.left <= ledger.evaporated), "left", "at most `evaporated`", ledger.left.tolist())
    _require(
        n == 0 or not ledger.residual.any(),
        "opening",
        "in each period what the one before retained (opening + joined + revived - evaporated)",
        ledger.opening.tolist(),
    )
    inside = ledger.present_inside
    _require(np.all(inside <= ledger.inside), "present_inside", "at most `inside`", inside.tolist())
    _require(np.all(inside <= ledger.retained), "present_inside", "at most who is retained", inside.tolist())
    return ledger


def _layers(layers: BehaviourLayers | PostureLayers | ValueLayers) -> Any:  # noqa: ANN401
    codes = [layer.value for layer in _LAYERS[type(layers)]]
    _require(list(layers.assignment.segments) == codes, "assignment", f"segments {', '.join(codes)}", layers.assignment)
    return layers


def _trend(trend: FunnelTrend) -> FunnelTrend:
    shape = (len(trend.tainted), len(trend.funnel.steps))
    _require(trend.reached.shape == shape, "reached", f"an array of shape {shape}", trend.reached.shape)
    return trend


def _effects(effects: SegmentEffects) -> SegmentEffects:
    n, n_parts = len(effects.segments), len(effects.parts)
    is_so = len(effects.exact) == n and all(len(parts) == n_parts for parts in effects.exact)
    _require(is_so, "exact", f"{n_parts} parts for each of the {n} segments", effects.exact)
    return effects


def _transitions(found: Transitions) -> Transitions:
    n = len(found.boundaries_us) + 1
    _require(len(found.offsets_us) == n, "offsets_us", f"{n} offsets, one more than boundaries", len(found.offsets_us))
    return found


def _segment_check(check: SegmentCheck) -> SegmentCheck:
    shape = (len(check.unknown), len(check.unknown))
    _require(check.overlaps.shape == shape, "overlaps", f"an array of shape {shape}", check.overlaps.shape)
    expected = f"as many as there are segments but the default, {len(check.segments) - 1}"
    _require(len(check.unknown) == len(check.segments) - 1, "unknown", expected, len(check.unknown))
    return check


_LAYERS: Mapping[type[Any], type[Taxonomy]] = {
    BehaviourLayers: BehaviourLayer,
    PostureLayers: MemberPosture,
    ValueLayers: ValueLayer,
}
_CHECKS: Mapping[type[Any], Callable[[Any], Any]] = {
    **dict.fromkeys(_LAYERS, _layers),
    BitSets: _bits,
    CellSets: _cells,
    EventLog: _log,
    FlowLedger: _ledger,
    FunnelTrend: _trend,
    LogSummary: _summary,
    Presence: _presence,
    SegmentCheck: _segment_check,
    SegmentEffects: _effects,
    Transitions: _transitions,
}
