"""What do documents of rules and of conditions on rows look like, as JSON Schema?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from shequn.columns.comparing import Operator
from shequn.interop._forms import INSTANT, Real, Span
from shequn.rules.operands import OPERATORS
from shequn.rules.sources import MEASURES

if TYPE_CHECKING:
    from shequn.interop._forms import Schema, Shelf

__all__ = ["condition_schema", "rule_schema", "segmentation_schema"]


def condition_schema(shelf: Shelf) -> Schema:
    """Return the schema of a condition on rows."""
    if shelf is None:
        return {"type": "object", "description": "A condition on rows, as RowCondition.to_dict writes it."}
    if "RowCondition" not in shelf:
        below = {"$ref": "#/$defs/RowCondition"}
        operand: Schema = {"anyOf": [{"type": ["string", "boolean"]}, Real().schema(shelf)]}
        shelf["RowCondition"] = {
            "anyOf": [
                _closed(
                    {
                        "column": {"type": "string", "minLength": 1},
                        "operator": {"enum": list(get_args(Operator))},
                        "operands": {"type": "array", "items": operand},
                    }
                ),
                _closed(
                    {
                        "operator": {"enum": ["and", "or", "not"]},
                        "conditions": {"type": "array", "items": below, "minItems": 1},
                    }
                ),
            ]
        }
    return {"$ref": "#/$defs/RowCondition"}


def rule_schema(shelf: Shelf) -> Schema:
    """Return the schema of a rule, which stands under the key ``rule``."""
    return {"type": "object", "properties": {"rule": _node(shelf)}, "required": ["rule"], "additionalProperties": False}


def segmentation_schema(shelf: Shelf) -> Schema:
    """Return the schema of a segmentation: named rules and a default."""
    named = {"name": {"type": "string", "minLength": 1}, "rule": _node(shelf)}
    return _closed({"segments": {"type": "array", "items": _closed(named)}, "default": {"type": "string"}})


def _node(shelf: Shelf) -> Schema:
    if shelf is None:
        return {"type": "object", "description": "A rule, as Rule.to_dict writes it.", "minProperties": 1}
    if "Rule" not in shelf:
        below = {"$ref": "#/$defs/Rule"}
        shelf["Rule"] = {}  # so that the parts below can refer to it
        shelf["Rule"] = {
            "type": "object",
            "properties": {
                "all": {"type": "array", "items": below},
                "any": {"type": "array", "items": below},
                "not": below,
                "segment": {"type": "string", "minLength": 1},
                "field": _test({"name": {"type": "string", "minLength": 1}}, ("name",), shelf),
                **{measure: _measure(measure, shelf) for measure in MEASURES},
            },
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }
    return {"$ref": "#/$defs/Rule"}


def _measure(measure: str, shelf: Shelf) -> Schema:
    told: dict[str, Any] = {
        "kinds": {"type": "array", "items": {"type": "string"}},
        "within": Span().schema(shelf),
        "before": Span().schema(shelf),
        "where": condition_schema(shelf),
    }
    if measure in {"sum", "distinct"}:
        return _test({"column": {"type": "string"}, **told}, ("column",), shelf)
    return _test(told, (), shelf)


def _test(told: dict[str, Any], required: tuple[str, ...], shelf: Shelf) -> Schema:
    instant = {"type": "string", "pattern": f"^{INSTANT.replace('T', '[T ]', 1)}$"}
    operand: Schema = {
        "anyOf": [
            {"type": ["boolean", "string"]},
            Real().schema(shelf),
            {"type": "object", "properties": {"instant": instant}, "required": ["instant"]},
        ]
    }
    properties = {
        **told,
        "op": {"enum": list(OPERATORS)},
        "value": {"anyOf": [operand, Span().schema(shelf), {"type": "array", "items": operand}]},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": [*required, "op"],
        "additionalProperties": False,
    }


def _closed(properties: dict[str, Any]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
