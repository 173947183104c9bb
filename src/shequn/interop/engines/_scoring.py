"""How are members scored by recency, frequency and money where no machine holds them all?

One pass counts how many members have each value, which is all that cuts depend on; another one scores each part by the
cuts.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import attrs

from shequn.errors import InvalidValueError, ShequnWarning, message
from shequn.interop.engines._kinds import Tallied, policy_of
from shequn.interop.engines._per_member import PerMember
from shequn.interop.engines._plan import Plan
from shequn.segmentation import Rfm, RfmCounts, RfmCuts, RfmValues, rfm_values
from shequn.segmentation.rfm_members import FewValues
from shequn.stats._checks import flag, one_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shequn.columns import EventLog
    from shequn.columns.kinds import UnknownKinds
    from shequn.segmentation.rfm_counts import RfmDefinition

__all__ = ["plan_rfm"]

_SCORING = ("bins", "ties", "nested", "cuts", "few_values")


def plan_rfm(options: Mapping[str, Any], /, *, is_scored: bool) -> Plan[Any]:
    """Return the plan of `rfm`, or of `rfm_values`, with these options.

    Raises
    ------
    InvalidValueError, InvalidTypeError
        Scores are to be nested, or `few_values` or `unknown_kinds` is no such word.
    """
    scoring = {name: options[name] for name in _SCORING if name in options}
    measuring = {name: value for name, value in options.items() if name not in {*_SCORING, "unknown_kinds"}}
    measure = _Measuring(measuring, policy_of(options.get("unknown_kinds", "warn")))
    if not is_scored:
        return measure.plan(_values)
    if flag("nested", scoring.pop("nested", False)):
        raise InvalidValueError(message("nested", "False in parts: nested cuts depend on all members at once", True))
    if scoring.get("cuts") is not None:
        return measure.plan(partial(_scored, scoring=scoring))
    few_values: FewValues = scoring.pop("few_values", "raise")
    one_of("few_values", few_values, get_args(FewValues))
    return Plan(
        partial=measure.counts,
        merge=_merge_counts,
        finish=partial(_cuts, measure=measure, scoring=scoring, few_values=few_values),
        then=partial(_score_by, measure=attrs.evolve(measure, policy="ignore")),
    )


@attrs.frozen(eq=False)
class _Measuring:
    """What recency, frequency and money are taken from."""

    options: Mapping[str, Any]
    policy: UnknownKinds

    def values(self, log: EventLog, unknown_kinds: UnknownKinds = "ignore") -> RfmValues:
        return rfm_values(log, **self.options, unknown_kinds=unknown_kinds)

    def counts(self, log: EventLog, /) -> Tallied:
        return Tallied.of(self.values(log).counts(), log)

    def columns(self, log: EventLog, /) -> Tallied:
        values = self.values(log)
        found = PerMember.of(values.members, values.recency_us, values.frequency, values.monetary)
        return Tallied.of((values.definition, found), log)

    def judge_kinds(self, kinds: EventLog) -> None:
        if self.policy != "ignore":
            self.values(kinds, self.policy)

    def plan(self, last: Any) -> Plan[Any]:  # noqa: ANN401 - a function from values
        """Return the plan that measures, and does something with the values of all members."""
        return Plan(partial=self.columns, merge=_merge_columns, finish=partial(_finish, measure=self, last=last))


def _merge_counts(one: Tallied, other: Tallied) -> Tallied:
    return one.merge(other, RfmCounts.merge)


def _merge_columns(one: Tallied, other: Tallied) -> Tallied:
    return one.merge(other, _merge_found)


def _merge_found(
    one: tuple[RfmDefinition, PerMember], other: tuple[RfmDefinition, PerMember]
) -> tuple[RfmDefinition, PerMember]:
    return one[0], one[1].merge(other[1])


def _finish(tallied: Tallied, *, measure: _Measuring, last: Any) -> Any:  # noqa: ANN401
    measure.judge_kinds(tallied.kinds)
    definition, found = tallied.tally
    members, (recency_us, frequency, monetary) = found.ascending()
    return last(
        RfmValues(members=members, recency_us=recency_us, frequency=frequency, monetary=monetary, definition=definition)
    )


def _values(values: RfmValues) -> RfmValues:
    return values


def _scored(values: RfmValues, *, scoring: Mapping[str, Any]) -> Rfm:
    return values.score(**scoring)


def _cuts(tallied: Tallied, *, measure: _Measuring, scoring: Mapping[str, Any], few_values: FewValues) -> RfmCuts:
    measure.judge_kinds(tallied.kinds)
    counts: RfmCounts = tallied.tally
    cuts = counts.cuts(**scoring)
    if few_values != "ignore" and counts.n_members:
        _judge_distinct(counts, cuts.bins, few_values)
    return cuts


def _judge_distinct(counts: RfmCounts, bins: int, few_values: FewValues) -> None:
    """Raise or warn, as `rfm` does, where members have fewer distinct values than there are scores."""
    names = ("recency", "frequency", "monetary")[: 2 if counts.definition.value is None else 3]
    for name in names:
        n = len(getattr(counts, name))
        if n < bins:
            text = message("bins", f"at most the {n} distinct values of {name}", bins)
            text += "; equal values share a score, so that some scores would be nobody's"
            if few_values == "raise":
                raise InvalidValueError(text + ' (take fewer bins, or few_values="ignore")')
            warnings.warn(text, ShequnWarning, stacklevel=2)


def _score_by(cuts: RfmCuts, *, measure: _Measuring) -> Plan[Any]:
    return measure.plan(partial(_scored, scoring={"cuts": cuts}))
