"""Which plan counts the same as a function of the library?"""

from __future__ import annotations

from functools import partial
from inspect import signature
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

import attrs

from shequn.errors import InvalidTypeError, message
from shequn.graph import InteractionGraph, PartialGraph
from shequn.interop.engines._kinds import Tallied, policy_of
from shequn.interop.engines._plan import Plan
from shequn.interop.engines._scoring import plan_rfm
from shequn.labels import Assignment
from shequn.retention import presence
from shequn.segmentation import rfm, rfm_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shequn.columns import EventLog
    from shequn.columns.kinds import UnknownKinds

__all__ = ["plan"]

P = ParamSpec("P")
R = TypeVar("R")

_SPLIT_ANYHOW = (presence, PartialGraph.of)


def plan(function: Callable[Concatenate[EventLog, P], R], /, *args: P.args, **options: P.kwargs) -> Plan[R]:
    """Return the plan that counts on many machines what ``function(log, *args, **options)`` counts on one.

    Parameters
    ----------
    function : callable
        A function from a log to a tally that merges by member: `presence`, `flow_ledger`, `cohort_table`, `survival`,
        `convert`, `trend`, `conversion_curve`, `correlate`, `time_to_convert`, `funnel_state`; also `rfm`, `rfm_values`
        and `InteractionGraph.from_log`. Or one of your own that an engine's workers can import, whose results have a
        `merge`.
    *args, **options
        What it takes beside the log. An assignment in ``by=`` is joined by label.

    Returns
    -------
    Plan
        Its answer is that of the function on the whole log, with every count the same. Where a result lists members,
        their order is not that of the log; those of `rfm`, `rfm_values` and a graph come in ascending order.

    Raises
    ------
    TypeError
        The function takes no such option.
    InvalidTypeError, InvalidValueError
        An option has no plan: RFM with ``nested=True`` needs all members in one place.

    See Also
    --------
    plan_selection : Rules.
    plan_funnel_spans : A funnel's state from parts split by time.
    plan_together : Several at once.

    Notes
    -----
    Integers are exact. Sums of floats may differ in the last digit, as the order of additions does.

    A kind that no part has is told of once, at the end, as ``unknown_kinds`` says; parts may well lack one. An
    ``observed_until`` that is left out is derived from all parts.

    RFM takes two passes: the parts' value counts agree on the cuts, by which each part then scores its members.

    Examples
    --------
    >>> from pendulum import datetime
    >>> from shequn.columns import EventLog
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann", "cy"], kind="purchase", at=[0, 60, 120, 180], time_unit="s", value=[5, 9, 7, 1]
    ... )
    >>> plan(rfm, as_of=datetime(1970, 1, 2), bins=3, few_values="ignore").run(log.partition(4)).scores.tolist()
    [[2, 3, 3], [1, 1, 2], [3, 1, 1]]
    """
    if not callable(function):
        raise InvalidTypeError(message("function", "a function from a log to a tally, such as presence", function))
    signature(function).bind(None, *args, **options)
    given: dict[str, Any] = dict(options)
    if function in (rfm, rfm_values):
        return cast("Plan[R]", plan_rfm(given, is_scored=function == rfm))
    policy = policy_of(given.pop("unknown_kinds", "warn")) if _takes_kinds(function) else None
    members = None
    merged: Callable[..., Any] = function
    if function == InteractionGraph.from_log:
        merged, members = PartialGraph.of, given.pop("members", None)
    counting = _Counting(function=merged, args=args, options=given, policy=policy)
    whole = partial(_whole_graph, members=members) if function == InteractionGraph.from_log else _as_it_is
    return Plan(
        partial=counting.of_part,
        merge=_merge,
        finish=partial(_finish, counting=counting, last=whole),
        split="any" if merged in _SPLIT_ANYHOW else "member",
    )


def _takes_kinds(function: Callable[..., Any]) -> bool:
    return "unknown_kinds" in signature(function).parameters


@attrs.frozen(kw_only=True, eq=False)
class _Counting:
    """A function with all it takes beside a log."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    options: Mapping[str, Any]
    policy: UnknownKinds | None  # None where the function knows of no kinds

    def of_part(self, log: EventLog, /) -> Tallied:
        return Tallied.of(self._call(log, "ignore"), log)

    def judge_kinds(self, kinds: EventLog, /) -> None:
        """Let the function say of kinds that no part had what it would say of the whole log."""
        if self.policy in {"warn", "raise"}:
            self._call(kinds, self.policy)

    def _call(self, log: EventLog, unknown_kinds: UnknownKinds | None) -> Any:  # noqa: ANN401
        options = dict(self.options)
        if self.policy is not None:
            options["unknown_kinds"] = unknown_kinds
        if isinstance(options.get("by"), Assignment):
            options["by"] = options["by"].align(log.members)
        return self.function(log, *self.args, **options)


def _merge(one: Tallied, other: Tallied) -> Tallied:
    return one.merge(other, _merge_tallies)


def _merge_tallies(one: Any, other: Any) -> Any:  # noqa: ANN401
    if not hasattr(one, "merge"):
        expected = "one whose results merge: a tally, and not a reading of one"
        raise InvalidTypeError(message("function", expected, f"one that returns {type(one).__name__}"))
    return one.merge(other)


def _finish(tallied: Tallied, *, counting: _Counting, last: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    counting.judge_kinds(tallied.kinds)
    return last(tallied.tally)


def _as_it_is(tally: Any) -> Any:  # noqa: ANN401
    return tally


def _whole_graph(part: PartialGraph, *, members: Any) -> InteractionGraph:  # noqa: ANN401
    return part.whole(members)
