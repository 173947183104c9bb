"""How are several things counted while the rows are moved about only once?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.interop.engines._plan import Plan
from shequn.stats._checks import instance

if TYPE_CHECKING:
    from shequn.columns import EventLog
    from shequn.interop.engines._plan import Split

__all__ = ["plan_together"]


def plan_together(plans: Mapping[str, Plan[Any]], /) -> Plan[dict[str, Any]]:
    """Return one plan of several, whose answer has theirs by name: rows are read and moved once.

    Parameters
    ----------
    plans : mapping of str to Plan
        At least one. Those for parts split by member and those for parts split by time can't go together.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        There is none, or they want parts that are split in different ways.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> from shequn.interop.engines import plan
    >>> from shequn.retention import flow_ledger, presence
    >>> log = EventLog.from_columns(member=["ann", "bo"], kind="post", at=[0, 1], time_unit="s")
    >>> both = plan_together({name.__name__: plan(name, every="day", tz="UTC") for name in (presence, flow_ledger)})
    >>> list(both.run(log.partition(2)))
    ['presence', 'flow_ledger']
    """
    instance("plans", plans, Mapping, expected="a mapping of name to Plan")
    given = dict(plans)
    if not given:
        raise InvalidValueError(message("plans", "at least one plan", plans))
    for name, plan in given.items():
        if not isinstance(plan, Plan):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message(f"plans[{name!r}]", "a Plan", plan))
    return _together(given, {})


def _together(plans: Mapping[str, Plan[Any]], known: Mapping[str, Any]) -> Plan[dict[str, Any]]:
    """Return the plan of several, whose answer has `known` answers too."""
    side_by_side = _SideBySide(plans)
    goes_on = {name: plan for name, plan in plans.items() if plan.then is not None}
    return Plan(
        partial=side_by_side.of_part,
        merge=side_by_side.merge,
        finish=partial(_finish, plans=plans, known=known),
        split=_split_of(plans),
        then=partial(_then, plans=goes_on) if goes_on else None,
    )


def _split_of(plans: Mapping[str, Plan[Any]]) -> Split:
    wanted: list[Split] = sorted({plan.split for plan in plans.values() if plan.split != "any"})
    if len(wanted) > 1:
        raise InvalidValueError(message("plans", "plans for parts that are split in one way", wanted))
    return wanted[0] if wanted else "any"


@attrs.frozen(eq=False)
class _SideBySide:
    plans: Mapping[str, Plan[Any]]

    def of_part(self, log: EventLog, /) -> tuple[Any, ...]:
        return tuple(plan.partial(log) for plan in self.plans.values())

    def merge(self, one: tuple[Any, ...], other: tuple[Any, ...], /) -> tuple[Any, ...]:
        return tuple(plan.merge(*pair) for plan, *pair in zip(self.plans.values(), one, other, strict=True))


def _finish(tallies: tuple[Any, ...], *, plans: Mapping[str, Plan[Any]], known: Mapping[str, Any]) -> dict[str, Any]:
    answers = {name: plan.finish(tally) for (name, plan), tally in zip(plans.items(), tallies, strict=True)}
    return {**known, **answers}


def _then(answers: dict[str, Any], *, plans: Mapping[str, Plan[Any]]) -> Plan[dict[str, Any]]:
    """Return the plan of one more pass, for those that want one."""
    following = {name: plan.then(answers[name]) for name, plan in plans.items() if plan.then is not None}
    return _together(following, answers)
