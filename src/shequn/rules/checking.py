"""Can a rule be asked of these members, with these named segments?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from shequn.columns.comparing import ORDERINGS
from shequn.columns.schema import FieldType, Schema
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError, message, suggest
from shequn.rules.named import in_order
from shequn.rules.operands import INSTANT_ONLY, TAGS_ONLY, Instant
from shequn.rules.rule import Rule, Test, leaves, require_rule
from shequn.rules.sources import Field
from shequn.stats._checks import instance

__all__ = ["check_rule"]


def check_rule(rule: Rule, schema: Schema | None, segments: Mapping[str, Rule] | None) -> None:
    """Raise unless a rule can be asked; see `Rule.check`."""
    if schema is not None:
        instance("schema", schema, Schema, expected="a Schema, see Roster.schema")
    if segments is not None:
        instance("segments", segments, Mapping, expected="a mapping of name to rule")
    known = segments or {}
    for name, named in known.items():
        require_rule(f"segments[{name!r}]", named)
    needed = in_order(rule.segments(), known)
    if schema is None:
        return
    for part in (rule, *(known[name] for name in needed)):
        for leaf in leaves(part):
            if isinstance(leaf, Test) and isinstance(leaf.source, Field):
                _check_test(leaf, leaf.source, schema)


def _check_test(test: Test, field: Field, schema: Schema) -> None:
    if field.name not in schema.fields:
        expected = f"one of the known fields ({', '.join(schema.fields)})"
        raise UnknownLabelError(message("field", expected, field.name) + suggest(field.name, schema.fields))
    held = schema.fields[field.name]
    if test.operator == "is_known":
        return
    if (test.operator in TAGS_ONLY) is not (held.sort == "tags"):
        what = "a set of labels" if test.operator in TAGS_ONLY else "a single value"
        hint = "" if test.operator in TAGS_ONLY else "; ask `.has(label)`"
        raise InvalidTypeError(message(repr(field), f"{what} to ask {test.operator!r} of", f"a {held.sort}") + hint)
    if held.sort == "tags":
        return
    is_instant = test.operator in INSTANT_ONLY or any(isinstance(operand, Instant) for operand in test.operands)
    if is_instant is not (held.sort == "instant"):
        expected = "an instant" if is_instant else "a value that is no instant"
        raise InvalidTypeError(message(repr(field), expected, f"a {held.sort}"))
    if held.sort == "label":
        _check_labels(test, field, held)
    elif held.sort == "number":
        text = next((operand for operand in test.operands if isinstance(operand, str)), None)
        if text is not None:
            raise InvalidTypeError(message(repr(field), "a number to compare it with", text))


def _check_labels(test: Test, field: Field, held: FieldType) -> None:
    labels = held.labels
    if labels is not None and not len(labels):
        return  # nobody's is known: a column without any value has no type, and every answer is unknown
    if test.operator in ORDERINGS and not held.is_ordered:
        expected = f"labels with an order to ask {test.operator!r} of"
        hint = "; give the field as an Assignment with ordered=True"
        raise InvalidTypeError(message(repr(field), expected, "labels without one") + hint)
    if labels is None:
        return
    for operand in test.operands:
        if type(operand) is not (str if labels.is_text else int):
            expected = f"a label of type {'str' if labels.is_text else 'int'} to compare it with"
            raise InvalidTypeError(message(repr(field), expected, operand))
    if test.operator not in ORDERINGS:
        return
    named = cast("tuple[str | int, ...]", test.operands)
    for label in named:
        if label not in labels:
            known = [str(name) for name in labels]
            expected = f"one of its labels ({', '.join(known)}) to compare it with"
            raise InvalidValueError(message(repr(field), expected, label) + suggest(label, known))
    if test.operator == "between" and labels.code(named[0]) > labels.code(named[1]):
        raise InvalidValueError(message(repr(field), f"an upper end not below {named[0]!r}", named[1]))
