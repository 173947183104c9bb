"""How is a rule said more shortly, with the same verdict on everybody, unknown ones included?

Only what holds in logic with three values is used: a test and its negation together are not false where the test is
unknown.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from shequn.columns.comparing import checked_operands
from shequn.rules.operands import exactly
from shequn.rules.rule import Joined, Joint, Rule, Test, joined
from shequn.rules.sources import Fact

if TYPE_CHECKING:
    from shequn.rules.operands import RuleOperator

__all__ = ["simplified"]

_BOUNDS = {">": "from", ">=": "from", "<": "up to", "<=": "up to"}
_OPPOSITES: dict[str, RuleOperator] = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def simplified(rule: Rule) -> Rule:
    """Return a rule with the same verdicts and no more tests."""
    before = rule
    while True:
        after = _once(before)
        if after == before:
            return after
        before = after


def _once(rule: Rule) -> Rule:
    if not isinstance(rule, Joined):
        return rule
    parts = tuple(_once(part) for part in rule.rules)
    if rule.operator == "not":
        return _negated(parts[0])
    whole = joined(rule.operator, parts)
    if not isinstance(whole, Joined) or whole.operator != rule.operator:
        return whole
    return _joined(whole)


def _negated(rule: Rule) -> Rule:
    if isinstance(rule, Test) and rule.operator in _OPPOSITES:
        return Test(source=rule.source, operator=_OPPOSITES[rule.operator], operands=rule.operands)
    if isinstance(rule, Joined) and not rule.rules:
        return joined("or" if rule.operator == "and" else "and", ())
    return joined("not", (rule,))


def _joined(rule: Joined) -> Rule:
    other: Joint = "or" if rule.operator == "and" else "and"
    parts = list(dict.fromkeys(rule.rules))
    # True of everybody adds nothing to "and", and settles "or"; true of nobody the other way round.
    if any(isinstance(part, Joined) and part.operator == other and not part.rules for part in parts):
        return joined(other, ())
    parts = [part for part in parts if not (isinstance(part, Joined) and not part.rules)]
    return joined(rule.operator, tuple(_merged(_without_absorbed(parts, other), rule.operator)))


def _without_absorbed(parts: list[Rule], other: Joint) -> list[Rule]:
    """Leave out what another part makes superfluous: x & (x | y) is x, and x | (x & y) is x."""
    number_of: dict[Rule, int] = {}
    alternatives: list[frozenset[int]] = []
    for part in parts:
        inside = part.rules if isinstance(part, Joined) and part.operator == other else (part,)
        alternatives.append(frozenset(number_of.setdefault(rule, len(number_of)) for rule in inside))
    # Each part is looked for under the alternative that the fewest parts have: comparing all with all takes minutes.
    counts = Counter(number for numbers in alternatives for number in numbers)
    found_by: dict[int, list[frozenset[int]]] = {}
    for numbers in alternatives:
        found_by.setdefault(min(numbers, key=lambda number: (counts[number], number)), []).append(numbers)
    return [
        part
        for part, numbers in zip(parts, alternatives, strict=True)
        if not any(fewer < numbers for number in numbers for fewer in found_by.get(number, ()))
    ]


def _merged(parts: list[Rule], operator: Joint) -> list[Rule]:
    """Put bounds of one number together, and values that one thing may have."""
    alike: dict[object, list[Rule]] = {}
    for part in parts:
        sort = _sort(part, operator) if isinstance(part, Test) else None
        alike.setdefault((part.source, sort) if isinstance(part, Test) and sort else part, []).append(part)
    return [tests[0] if len(tests) == 1 else _as_one(cast("list[Test]", tests), operator) for tests in alike.values()]


def _sort(test: Test, operator: Joint) -> str | None:
    """Return which tests of its source a test can be put together with, if any."""
    numbers = [o for o in test.operands if isinstance(o, int | float)]
    # The labels of a field may be integers in another order than that of numbers.
    if isinstance(test.source, Fact) and numbers and test.operator in _BOUNDS:
        return _BOUNDS[test.operator]
    if operator == "or" and test.operator in {"==", "isin"} and _are_plain(test):
        return "text" if any(isinstance(o, str) for o in test.operands) else "number"
    return None


def _are_plain(test: Test) -> bool:
    return bool(test.operands) and all(isinstance(operand, str | int | float) for operand in test.operands)


def _as_one(tests: list[Test], operator: Joint) -> Test:
    first = tests[0]
    if first.operator in {"==", "isin"}:
        values = {exactly((operand,))[0]: operand for test in tests for operand in test.operands}
        operands = checked_operands("isin", list(values.values()), locate=str)
        return Test(source=first.source, operator="isin", operands=operands)
    # Of several bounds, "and" keeps the tightest and "or" the widest.
    wants_largest = (first.operator in {">", ">="}) == (operator == "and")
    bounds = [cast("Any", test.operands[0]) for test in tests]
    bound = max(bounds) if wants_largest else min(bounds)
    closest = [test for test, held in zip(tests, bounds, strict=True) if held == bound]
    is_open = operator == "and"
    return next((test for test in closest if (len(test.operator) == 1) is is_open), closest[0])
