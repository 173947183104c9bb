"""Row conditions: what they mean, how they read, and what they refuse."""

from __future__ import annotations

import json
import math
import pickle
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import reduce
from operator import and_, or_
from typing import Any

import attrs
import numpy as np
import pytest

from shequn.columns import EventLog, RowColumn, RowCondition, row
from shequn.entities import Event, EventKind
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError
from shequn.values import Money

NAN = float("nan")
TOP, BOTTOM = 2**63 - 1, -(2**63)


def log_of(**columns: Any) -> EventLog:
    extra = {name: columns.pop(name) for name in list(columns) if name in {"x", "channel"}}
    n = len(next(iter([*columns.values(), *extra.values()])))
    member = columns.pop("member", [f"m{i}" for i in range(n)])
    kind = columns.pop("kind", "purchase")
    return EventLog.from_columns(member=member, kind=kind, at=list(range(n)), time_unit="s", extra=extra, **columns)


def rows_where(condition: RowCondition, log: EventLog) -> list[int]:
    mask = condition.mask(log)
    assert mask.dtype == np.bool_
    assert mask.shape == (len(log),)
    assert not mask.flags.writeable
    return np.flatnonzero(mask).tolist()


# --- what they mean ---


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (row("value") == 2, [1]),
        (row("value") != 2, [0, 2]),
        (row("value") < 2, [0]),
        (row("value") <= 2, [0, 1]),
        (row("value") > 2, [2]),
        (row("value") >= 2, [1, 2]),
        (row("value").isin({1, 3, 9}), [0, 2]),
        (row("value").isin([]), []),
        (row("value").between(2, 3), [1, 2]),
        (row("value").between(2, 2), [1]),
    ],
    ids=repr,
)
@pytest.mark.parametrize("values", [[1, 2, 3], [1.0, 2.0, 3.0]])
def test_numbers_are_compared(condition, expected, values):
    log = log_of(value=values)
    assert rows_where(condition, log) == expected
    assert rows_where(~condition, log) == [i for i in range(3) if i not in expected]


@pytest.mark.parametrize("column", ["member", "target", "group", "item", "channel"])
def test_labels_of_every_column_are_compared(column):
    log = log_of(**{column: ["a", "b", "c"]})
    assert rows_where(row(column) == "b", log) == [1]
    assert rows_where(row(column) != "b", log) == [0, 2]
    assert rows_where(row(column).isin({"c", "a", "zzz"}), log) == [0, 2]
    assert rows_where(~row(column).isin({"c", "a", "zzz"}), log) == [1]
    assert rows_where(row(column) == "zzz", log) == []
    assert rows_where(row(column) != "zzz", log) == [0, 1, 2]


def test_a_kind_may_be_named_by_its_enum():
    log = log_of(kind=["post", "like"], value=[1, 2])
    assert rows_where(row("kind") == EventKind.POST, log) == [0]
    assert repr(row("kind") == EventKind.POST) == "row('kind') == 'post'"


def test_labels_that_are_integers_are_compared_as_names():
    log = log_of(member=[7, 9, 7], value=[1, 2, 3])
    assert rows_where(row("member") == 7, log) == [0, 2]
    assert rows_where(row("member").isin([9, 2**70, -(2**70)]), log) == [1]
    assert rows_where(row("member") != 2**70, log) == [0, 1, 2]


def test_a_missing_value_is_unknown_to_all_but_is_missing():
    for log in (log_of(x=[1, None]), log_of(x=["1", None])):
        one = log.extra["x"][0] if isinstance(log.extra["x"], np.ndarray) else "1"
        x = row("x")
        for condition in (x == one, x != one, x.isin([one]), x.isin([])):
            for asked in (condition, ~condition, condition & ~condition, condition | ~condition):
                assert 1 not in rows_where(asked, log), asked
        assert rows_where(x.is_missing(), log) == [1]
        assert rows_where(~x.is_missing(), log) == [0]
        assert rows_where((x != one) | x.is_missing(), log) == [1]
        assert rows_where(~((x == one) & ~x.is_missing()), log) == [1]


def test_a_missing_number_has_no_order():
    log = log_of(value=[1, None])
    value = row("value")
    for condition in (value < 5, value <= 5, value > -5, value >= -5, value.between(-5, 5)):
        assert rows_where(condition, log) == [0]
        assert rows_where(~condition, log) == []


def test_integers_have_no_missing_value():
    assert rows_where(row("value").is_missing(), log_of(value=[1, 2])) == []
    assert rows_where(~row("value").is_missing(), log_of(value=[1, 2])) == [0, 1]


def test_truth_tables_have_three_values():
    """Rows are the nine pairs of 1 (true), 0 (false) and None (unknown)."""
    log = log_of(x=[1, 1, 1, 0, 0, 0, None, None, None], value=[1, 0, None] * 3)
    a, b = row("x") == 1, row("value") == 1
    assert rows_where(a & b, log) == [0]
    assert rows_where(~(a & b), log) == [1, 3, 4, 5, 7]
    assert rows_where(a | b, log) == [0, 1, 2, 3, 6]
    assert rows_where(~(a | b), log) == [4]


def test_a_column_without_any_value_is_unknown_whatever_it_is_asked():
    for nothing in ([None, None], np.array([NAN, NAN])):
        log = log_of(x=nothing)
        for condition in (row("x") == "a", row("x") == 1, row("x") != "a", row("x").isin({"a"}), row("x") >= 1):
            assert rows_where(condition, log) == []
            assert rows_where(~condition, log) == []
        assert rows_where(row("x").is_missing(), log) == [0, 1]


def test_a_log_of_no_rows_gives_a_mask_of_none():
    log = log_of(value=[1], channel=["a"]).where(rows=[])
    assert rows_where((row("value") > 1) | (row("channel") == "a"), log) == []


def test_truth_values_are_0_and_1():
    log = log_of(x=[True, False, None])
    assert rows_where(row("x") == True, log) == [0]  # noqa: E712
    assert rows_where(row("x").isin([np.False_]), log) == [1]


def test_a_mask_leaves_the_log_alone():
    log = log_of(value=[1, 2], channel=["a", None])
    ~((row("value") == 1) | row("channel").isin({"a"})).mask(log)
    assert log == log_of(value=[1, 2], channel=["a", None])


# --- exact numbers ---


def test_an_integer_beyond_2_to_the_53rd_is_compared_exactly():
    log = log_of(value=[2**53, 2**53 + 1, 2**53 + 2])
    assert rows_where(row("value") == 2**53 + 1, log) == [1]
    assert rows_where(row("value").isin([2**53 + 1, 5]), log) == [1]
    assert rows_where(row("value") == float(2**53), log) == [0]
    assert rows_where(row("value").isin([float(2**53), 0.5]), log) == [0]
    assert rows_where(row("value") <= float(2**53), log) == [0]
    assert rows_where(row("value") > float(2**53), log) == [1, 2]


def test_a_fraction_bounds_integers_without_equalling_one():
    log = log_of(value=[-3, -2, 2, 3])
    assert rows_where(row("value") < 2.5, log) == [0, 1, 2]
    assert rows_where(row("value") <= 2.5, log) == [0, 1, 2]
    assert rows_where(row("value") > -2.5, log) == [1, 2, 3]
    assert rows_where(row("value") >= -2.5, log) == [1, 2, 3]
    assert rows_where(row("value") == 2.5, log) == []
    assert rows_where(row("value") != 2.5, log) == [0, 1, 2, 3]
    assert rows_where(row("value").between(-2.5, 2.5), log) == [1, 2]


@pytest.mark.parametrize("beyond", [2**63, 2**64, 2**200, 2.0**63, 1e300, math.inf])
def test_bounds_outside_64_bits_hold_all_integers_or_none(beyond):
    log = log_of(value=[BOTTOM, 0, TOP])
    value, everyone, nobody = row("value"), [0, 1, 2], []
    for condition in (
        value < beyond,
        value <= beyond,
        value != beyond,
        value > -beyond * 2,
        value.between(-beyond, beyond),
    ):
        assert rows_where(condition, log) == everyone, condition
        assert rows_where(~condition, log) == nobody, condition
    for condition in (value > beyond, value >= beyond, value == beyond, value < -beyond * 2, value.isin([beyond, 0.5])):
        assert rows_where(condition, log) == nobody, condition
        assert rows_where(~condition, log) == everyone, condition


def test_the_ends_of_64_bits_are_reached():
    log = log_of(value=[BOTTOM, 0, TOP])
    assert rows_where(row("value") == TOP, log) == [2]
    assert rows_where(row("value") >= TOP, log) == [2]
    assert rows_where(row("value") == -(2.0**63), log) == [0]
    assert rows_where(row("value") <= BOTTOM, log) == [0]


def test_an_integer_between_two_floats_is_neither():
    log = log_of(value=[2.0**53, 2.0**53 + 2, math.inf, -math.inf, 0.5])
    between = 2**53 + 1
    assert rows_where(row("value") == between, log) == []
    assert rows_where(row("value") < between, log) == [0, 3, 4]
    assert rows_where(row("value") <= between, log) == [0, 3, 4]
    assert rows_where(row("value") > between, log) == [1, 2]
    assert rows_where(row("value") >= between, log) == [1, 2]
    assert rows_where(row("value").isin([between, 0.5, math.inf]), log) == [2, 4]


def test_an_integer_larger_than_any_float_is_less_than_infinity():
    largest = 2**1024 - 1
    log = log_of(value=[1e308, math.inf, -math.inf])
    assert rows_where(row("value") < largest, log) == [0, 2]
    assert rows_where(row("value") > largest, log) == [1]
    assert rows_where(row("value") == largest, log) == []
    assert rows_where(row("value") < -largest, log) == [2]
    assert rows_where(row("value") == math.inf, log) == [1]


@pytest.mark.parametrize("number", [np.int8(2), np.uint64(2), np.float32(2), np.float64(2), np.int64(2)])
def test_numbers_of_numpy_are_taken_on_either_side(number):
    log = log_of(value=[1, 2, 3])
    assert rows_where(row("value") >= number, log) == [1, 2]
    assert rows_where(number <= row("value"), log) == [1, 2]
    assert rows_where(number == row("value"), log) == [1]
    assert rows_where(row("value").isin(np.array([number, number])), log) == [1]


# --- values of their own ---


def test_conditions_are_values():
    one = (row("value") >= 100) & row("item").isin(["a", "b"])
    other = (row("value") >= 100) & row("item").isin({"b", "a"})
    assert one == other
    assert hash(one) == hash(other)
    assert len({one, other, ~one}) == 2
    assert one != (row("value") >= 101) & row("item").isin(["a", "b"])
    assert (row("value") >= 1) != (row("value") > 1)
    assert (row("value") >= 1) != (row("x") >= 1)
    assert (row("value") >= 1) != "row('value') >= 1"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        one.conditions = ()


def test_a_number_and_a_truth_value_are_different_operands():
    same_number = [row("x") == 1, row("x") == 1.0, row("x") == True]  # noqa: E712
    assert len(set(same_number)) == 3
    assert [repr(condition) for condition in same_number] == ["row('x') == 1", "row('x') == 1.0", "row('x') == True"]


@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_conditions_and_columns_are_pickled(protocol):
    condition = ~((row("value") >= 100) | (row("item") == "a")) & row("x").is_missing()
    back = pickle.loads(pickle.dumps(condition, protocol=protocol))  # noqa: S301
    assert back == condition
    assert hash(back) == hash(condition)
    assert ~~back == back
    assert pickle.loads(pickle.dumps(row("value"), protocol=protocol)).name == "value"  # noqa: S301


@pytest.mark.parametrize(
    "source",
    [
        "row('value')",
        "row('value') >= 100",
        "row('value') != -2.5",
        "row('channel') == '抖音'",
        "row('item').isin(['a', 'b'])",
        "row('item').isin([])",
        "row('x').isin([True, 1.0, 1])",
        "row('value').between(1, 5)",
        "row('x').is_missing()",
        "~row('x').is_missing()",
        "~(row('x') == 1)",
        "(row('a') == ')') & row('b').is_missing() & ~row('c').is_missing()",
        "((row('a') == 1) & (row('b') == 2)) | (row('c') == 3)",
        "~((row('a') == 1) | (row('b') == 2))",
    ],
)
def test_a_condition_reads_like_its_source(source):
    assert repr(eval(source)) == source  # noqa: S307


def test_a_text_that_ends_with_a_parenthesis_is_still_put_in_parentheses():
    assert repr(~(row("a") == 'x")')) == """~(row('a') == 'x")')"""


def test_a_long_collection_is_cut_short_in_print():
    assert repr(row("x").isin(range(12))) == "row('x').isin([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … 2 more])"


def test_two_negations_are_none():
    condition = row("value") >= 1
    assert ~~condition == condition
    assert ~~~condition == ~condition


def test_a_chain_of_one_operator_is_one_level():
    tests = [row("value") >= number for number in range(300)]
    log = log_of(value=[10, 299])
    assert rows_where(reduce(and_, tests), log) == [1]
    assert rows_where(reduce(or_, tests), log) == [0, 1]
    assert (tests[0] & tests[1]) & tests[2] == tests[0] & (tests[1] & tests[2])


def test_the_columns_asked_about_are_told():
    condition = ~(row("value") >= 1) | (row("item").is_missing() & row("value").between(0, 1))
    assert condition.columns == frozenset({"value", "item"})


# --- what is refused ---


@pytest.mark.parametrize(
    "ask",
    [
        bool,
        lambda c: not c,
        lambda c: c and c,
        lambda c: c or c,
        lambda _: 1 < row("value") < 5,
    ],
    ids=["bool", "not", "and", "or", "chain"],
)
def test_a_condition_has_no_truth_of_its_own(ask):
    with pytest.raises(InvalidTypeError, match=r"combine conditions with & \| ~ instead of and, or, not, .*between"):
        ask(row("value") >= 1)


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: c & 1,
        lambda c: c | True,
        lambda c: 1 & c,
        lambda c: None | c,
        lambda c: c & row("x"),
        lambda c: np.array([True]) & c,
        lambda c: c | np.array([True]),
    ],
    ids=range(7),
)
def test_a_condition_is_combined_with_conditions_alone(ask):
    with pytest.raises(InvalidTypeError, match=r"parentheses"):
        ask(row("value") >= 1)


def test_forgotten_parentheses_are_told_of():
    with pytest.raises(
        InvalidTypeError, match=r"^row\('x'\) is a column and no condition; put each comparison in paren"
    ):
        row("value") >= 100 & row("x") == 1  # noqa: B015
    for ask in (lambda x: x & x, lambda x: x | (x == 1), lambda x: ~x):
        with pytest.raises(InvalidTypeError, match=r"is a column and no condition; put"):
            ask(row("x"))


def test_a_column_is_no_condition_and_no_key():
    with pytest.raises(InvalidTypeError, match=r"row\('x'\) is a column and no condition; compare it"):
        bool(row("x"))
    with pytest.raises(TypeError, match="unhashable"):
        hash(row("x"))


@pytest.mark.parametrize(("name", "error"), [("", InvalidValueError), (3, InvalidTypeError), (None, InvalidTypeError)])
def test_a_column_has_a_name(name, error):
    for make in (row, lambda name: RowColumn(name=name)):
        with pytest.raises(error, match=r"^row: expected the name of a column, got "):
            make(name)


@pytest.mark.parametrize(
    ("operand", "error", "hint"),
    [
        (None, InvalidTypeError, r"got None; ask `\.is_missing\(\)`"),
        (NAN, InvalidValueError, r"got nan; ask `\.is_missing\(\)`"),
        (np.float32("nan"), InvalidValueError, r"got nan; ask `\.is_missing\(\)`"),
        (Money(100, "CNY"), InvalidTypeError, r"give minor units as an int, as in 100$"),
        (Decimal("1.5"), InvalidTypeError, r"minor units \(分\) as an int"),
        (row("x"), InvalidTypeError, r"got row\('x'\); a column is compared with a value"),
        (np.timedelta64(3, "s"), InvalidTypeError, r"to compare with, got"),
        ([1], InvalidTypeError, r"to compare with, got \[1\]$"),
        (np.array([1, 2]), InvalidTypeError, r"to compare with, got array"),
        (1j, InvalidTypeError, r"to compare with, got 1j"),
        (2**1024, InvalidValueError, r"an integer of at most 1024 bits, got 'one of 1025 bits'"),
        (10**6000, InvalidValueError, r"an integer of at most 1024 bits"),
    ],
    ids=range(12),
)
def test_an_operand_is_text_or_a_number(operand, error, hint):
    asked = [
        lambda: row("value") == operand,
        lambda: row("value") != operand,
        lambda: row("value") >= operand,
        lambda: row("value").isin([operand]),
        lambda: row("value").between(operand, 3),
    ]
    for ask in asked:
        with pytest.raises(error, match=rf"^row\('value'\): expected .*{hint}"):
            ask()


def test_text_has_no_order():
    for ask in (lambda: row("item") < "b", lambda: row("item").between("a", "b"), lambda: row("item") >= np.str_("b")):
        with pytest.raises(InvalidTypeError, match=r"^row\('item'\): expected a number to ask .*; text has no order"):
            ask()


def test_the_ends_of_between_stand_in_order():
    with pytest.raises(
        InvalidValueError, match=r"^row\('x'\): expected an upper end not below the lower one \(5\), got 1$"
    ):
        row("x").between(5, 1)


@pytest.mark.parametrize("values", ["ab", 3, None, np.array(3)])
def test_isin_takes_a_collection(values):
    with pytest.raises(InvalidTypeError, match=r"^row\('x'\)\.isin: expected a collection of labels or numbers"):
        row("x").isin(values)


def test_isin_does_not_mix_text_and_numbers():
    with pytest.raises(InvalidTypeError, match=r"^row\('x'\): expected all text or all numbers, as 'a', got 1$"):
        row("x").isin(["a", 1])


@pytest.mark.parametrize("labels", [["a", "b"], [1, 2]])
def test_labels_have_no_order(labels):
    log = log_of(item=labels)
    for condition in (row("item") < 2, row("item") >= 1.5, row("item").between(1, 2), ~(row("item") > 1)):
        with pytest.raises(
            InvalidTypeError, match=r"^where: expected a column of numbers to ask '.*' of, got 'item', whose"
        ):
            condition.mask(log)


@pytest.mark.parametrize(("labels", "operand"), [(["a"], 1), (["a"], 1.0), ([1], "a"), ([1], 1.0), ([1], True)])
def test_a_label_of_another_type_is_refused(labels, operand):
    log = log_of(item=labels)
    for condition in (row("item") == operand, row("item") != operand, row("item").isin([operand])):
        with pytest.raises(
            InvalidTypeError, match=r"^where: expected a label of type (str|int), as .* column 'item', got"
        ):
            condition.mask(log)


def test_a_column_of_numbers_is_not_compared_with_text():
    for values in ([1, 2], [1, None]):
        with pytest.raises(InvalidTypeError, match=r"^where: expected a number, as those of column 'value', got 'a'"):
            (row("value") != "a").mask(log_of(value=values))


def test_a_column_that_the_log_lacks_is_unknown():
    log = log_of(value=[1])
    with pytest.raises(UnknownLabelError, match=r"^where: .*got 'valeu'; did you mean 'value'\?"):
        ((row("value") == 2) & (row("valeu") >= 1)).mask(log)
    with pytest.raises(UnknownLabelError, match=r"^where: expected one of the log's columns .*got 'group'"):
        row("group").is_missing().mask(log)


def test_a_mask_is_made_of_a_log():
    with pytest.raises(InvalidTypeError, match=r"^log: expected an EventLog, got 3"):
        (row("value") >= 1).mask(3)


# --- documents ---


@pytest.mark.parametrize(
    ("condition", "document"),
    [
        (row("value") >= 100, {"column": "value", "operator": ">=", "operands": [100]}),
        (row("x") == True, {"column": "x", "operator": "==", "operands": [True]}),  # noqa: E712
        (row("x") < -math.inf, {"column": "x", "operator": "<", "operands": [{"float": "-inf"}]}),
        (row("x").isin({"b", "a"}), {"column": "x", "operator": "isin", "operands": ["a", "b"]}),
        (row("x").between(1, math.inf), {"column": "x", "operator": "between", "operands": [1, {"float": "inf"}]}),
        (row("x").is_missing(), {"column": "x", "operator": "is_missing", "operands": []}),
        (
            ~((row("x") == 1) & (row("y") == 2)),
            {
                "operator": "not",
                "conditions": [
                    {
                        "operator": "and",
                        "conditions": [
                            {"column": "x", "operator": "==", "operands": [1]},
                            {"column": "y", "operator": "==", "operands": [2]},
                        ],
                    }
                ],
            },
        ),
    ],
)
def test_a_condition_is_written_as_a_document_and_read_again(condition, document):
    assert condition.to_dict() == document
    text = json.dumps(document, allow_nan=False)
    assert RowCondition.from_dict(json.loads(text)) == condition


def leaf(**changes: Any) -> dict[str, Any]:
    return {"column": "x", "operator": "==", "operands": [1]} | changes


def joint(operator: str, *conditions: object) -> dict[str, Any]:
    return {"operator": operator, "conditions": list(conditions)}


@pytest.mark.parametrize(
    ("document", "error", "text"),
    [
        (3, InvalidTypeError, r"^\$: expected a mapping that stands for a condition, got 3"),
        ({}, InvalidValueError, r"^\$: expected the key 'operator', got \{\}"),
        ({"operator": "=="}, InvalidValueError, r"^\$: expected the key 'column'"),
        ({"operator": "and"}, InvalidValueError, r"^\$: expected the key 'conditions'"),
        (leaf(operator="isn"), InvalidValueError, r"^\$\.operator: expected one of .*; did you mean 'isin'\?"),
        (leaf(operator=["=="]), InvalidTypeError, r"^\$\.operator: expected one of"),
        (leaf(colum="x"), InvalidValueError, r"^\$: expected no keys but .*got 'colum'; did you mean 'column'\?"),
        (joint("and", leaf(), leaf()) | {3: 4}, InvalidValueError, r"^\$: expected no keys but operator, cond.*got 3"),
        (leaf(column=""), InvalidValueError, r"^\$\.column: expected the name of a column, got ''"),
        (leaf(column=3), InvalidTypeError, r"^\$\.column: expected the name of a column, got 3"),
        (leaf(operands=1), InvalidTypeError, r"^\$\.operands: expected a list, got 1"),
        (leaf(operands="a"), InvalidTypeError, r"^\$\.operands: expected a list, got 'a'"),
        (leaf(operands=[]), InvalidValueError, r"^\$\.operands: expected 1 for the operator '==', got \[\]"),
        (
            leaf(operator="between"),
            InvalidValueError,
            r"^\$\.operands: expected 2 for the operator 'between', got \[1\]",
        ),
        (leaf(operator="is_missing"), InvalidValueError, r"^\$\.operands: expected 0 for"),
        (leaf(operands=[None]), InvalidTypeError, r"^\$\.operands\[0\]: expected text or a number"),
        (leaf(operands=[NAN]), InvalidValueError, r"^\$\.operands\[0\]: expected text or a number"),
        (leaf(operands=[[1]]), InvalidTypeError, r"^\$\.operands\[0\]: expected text or a number"),
        (leaf(operands=[{"float": "nan"}]), InvalidValueError, r"^\$\.operands\[0\]: expected text, a number, or"),
        (leaf(operands=[{"float": "inf", "x": 1}]), InvalidValueError, r"^\$\.operands\[0\]: expected text, a num"),
        (leaf(operator="<", operands=["a"]), InvalidTypeError, r"^\$\.operands\[0\]: expected a number to ask '<'"),
        (leaf(operator="between", operands=[2, 1]), InvalidValueError, r"^\$\.operands\[1\]: expected an upper end"),
        (leaf(operator="isin", operands=["a", "b", 3]), InvalidTypeError, r"^\$\.operands\[2\]: expected all text or"),
        (joint("not"), InvalidValueError, r"^\$\.conditions: expected one condition to negate, got \[\]"),
        (joint("not", leaf(), leaf()), InvalidValueError, r"^\$\.conditions: expected one condition to negate"),
        (joint("or", leaf()), InvalidValueError, r"^\$\.conditions: expected two conditions or more to combine"),
        (joint("or", leaf(), 3), InvalidTypeError, r"^\$\.conditions\[1\]: expected a mapping"),
        (
            joint("or", leaf(), joint("not", leaf(column=None))),
            InvalidTypeError,
            r"^\$\.conditions\[1\]\.conditions\[0\]\.column: expected the name of a column, got None",
        ),
        (joint("and", leaf(), leaf())["conditions"], InvalidTypeError, r"^\$: expected a mapping"),
    ],
)
def test_a_bad_document_is_refused_with_the_place(document, error, text):
    with pytest.raises(error, match=text):
        RowCondition.from_dict(document)


def test_a_document_that_holds_one_list_again_and_again_is_refused():
    document = leaf()
    for _ in range(60):
        document = joint("and", document, document)
    with pytest.raises(InvalidValueError, match=r"^\$: expected at most 100,000 conditions in a document"):
        RowCondition.from_dict(document)


# --- one row ---


def event(**fields: Any) -> Event:
    return Event(member="ann", kind="purchase", at=datetime(2024, 5, 1, tzinfo=UTC), **fields)


def test_a_condition_holds_of_one_event():
    assert (row("value") >= 100).holds(event(value=100))
    assert not (row("value") >= 100).holds(event(value=99.5))
    assert (row("kind") == "purchase").holds(event())
    assert (row("channel").isin(["a", "b"]) & ~row("item").is_missing()).holds(event(item=3, extra={"channel": "a"}))
    assert (row("is_new") == 1).holds(event(extra={"is_new": True}))
    assert row("x").is_missing().holds(event(extra={"x": float("nan")}))


def test_what_is_missing_of_an_event_is_unknown():
    for condition in (row("value") >= 100, ~(row("value") >= 100), row("x") != "a", row("group") == 3):
        assert not condition.holds(event())
    assert ((row("value") >= 100) | row("value").is_missing()).holds(event())


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (row("item") == 3, "where: expected a label of type str, as those of column 'item', got 3"),
        (row("item") > 3, "where: expected a column of numbers to ask '>' of, got 'item'"),
        (row("value") == "a", "where: expected a number, as those of column 'value', got 'a'"),
        (row("day") == 3, "day: expected text or a number, got datetime.date"),
    ],
    ids=["label", "order", "number", "date"],
)
def test_an_event_is_compared_with_the_type_it_has(condition, text):
    with pytest.raises(InvalidTypeError, match=re.escape(text)):
        condition.holds(event(item="a", value=5, extra={"day": date(2024, 5, 1)}))
    with pytest.raises(InvalidTypeError, match="event: expected an Event, got"):
        condition.holds({"item": "a"})


# --- documents that nest ---


def nested(levels: int) -> RowCondition:
    condition = row("x") == 0
    for level in range(1, levels):
        condition = condition & (row("x") != level) if level % 2 else condition | (row("x") == level)
    return condition


def test_conditions_nest_64_levels_deep():
    deepest = nested(64)
    assert RowCondition.from_dict(json.loads(json.dumps(deepest.to_dict()))) == deepest
    assert pickle.loads(pickle.dumps(deepest)) == deepest  # noqa: S301
    assert rows_where(deepest, log_of(x=[0, 62, 63])) == [0, 1]
    assert rows_where(~nested(63), log_of(x=[0, 62, 63])) == [2]
    for ask in (lambda: nested(65), lambda: ~deepest):
        with pytest.raises(InvalidValueError, match=r"^condition: expected at most 64 levels of nesting, got 65"):
            ask()


def test_a_document_that_nests_deeper_is_refused_at_once():
    document = leaf()
    for _ in range(100_000):
        document = joint("not", document)
    with pytest.raises(InvalidValueError, match=r"^\$: expected at most 64 levels of nesting, got 65"):
        RowCondition.from_dict(document)
    endless = joint("and")
    endless["conditions"] += [endless, endless]
    with pytest.raises(InvalidValueError, match="64 levels"):
        RowCondition.from_dict(endless)
