"""Row conditions against SQL's three values, worked out in plain Python for one row at a time."""

from __future__ import annotations

import json
import math
import pickle
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shequn.columns import EventLog, RowCondition, row
from shequn.errors import ShequnError

LABELS = ["a", "b", "抖音", "x')"]
IDS = [0, 1, 7, -(2**63), 2**63 - 1]
EDGES = [2**53, 2**63, 2**64, 2**1024 - 1]
edges = st.sampled_from(EDGES)
signs = st.sampled_from([1, -1])
near_edges = st.builds(lambda edge, less, sign: sign * (edge - less), edges, st.integers(-2, 2), signs)
near_edges = near_edges.filter(lambda number: abs(number) < 2**1024)
int64s = st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1) | near_edges.filter(lambda n: -(2**63) <= n < 2**63)
floats = st.floats(allow_nan=False) | st.sampled_from([0.5, 2.0, -0.0, 2.0**53, 2.0**53 + 2, 2.0**63, -(2.0**63)])
numbers = st.integers(-3, 3) | near_edges | floats | st.booleans()
texts = st.sampled_from([*LABELS, "unseen"])
ids = st.sampled_from([*IDS, 5, 2**70])

NUMBERS = ("value", "score", "amount")
TEXTS = ("kind", "item", "channel")
NAMES = ("member", "group")

# A test as data of the test's own: (column, operator, operands); a combination: (operator, parts).
Tree = tuple[Any, ...]


@st.composite
def single_tests(draw: st.DrawFn) -> Tree:
    column = draw(st.sampled_from([*NUMBERS, *TEXTS, *NAMES]))
    if draw(st.integers(0, 5)) == 0:
        return column, "is_missing", ()
    operands = numbers if column in NUMBERS else texts if column in TEXTS else ids
    orders = ["<", "<=", ">", ">=", "between"] if column in NUMBERS else []
    operator = draw(st.sampled_from(["==", "!=", "isin", *orders]))
    if operator == "isin":
        return column, operator, tuple(draw(st.lists(operands, max_size=4)))
    if operator == "between":
        return column, operator, tuple(sorted(draw(st.tuples(operands, operands))))
    return column, operator, (draw(operands),)


def combined(trees: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    pairs = st.lists(trees, min_size=2, max_size=3).map(tuple)
    return st.tuples(st.sampled_from(["and", "or"]), pairs) | st.tuples(st.just("not"), st.tuples(trees))


trees = st.recursive(single_tests(), combined, max_leaves=8)


@st.composite
def logs(draw: st.DrawFn) -> EventLog:
    n = draw(st.integers(0, 12))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=n, max_size=n))

    return EventLog.from_columns(
        member=column(st.sampled_from(IDS)),
        kind=column(st.sampled_from(LABELS)),
        at=list(range(n)),
        time_unit="s",
        value=np.array(column(int64s), dtype=np.int64),
        group=column(st.sampled_from([*IDS, None])),
        item=column(st.sampled_from([*LABELS, None])),
        extra={
            "channel": column(st.sampled_from([*LABELS, None])),
            "score": np.array(column(floats | st.just(math.nan)), dtype=np.float64),
            "amount": column(st.integers(0, 3) | st.none()),
        },
    )


def condition_of(tree: Tree) -> RowCondition:
    if len(tree) == 2:
        first, *others = map(condition_of, tree[1])
        if tree[0] == "not":
            return ~first
        for other in others:
            first = first & other if tree[0] == "and" else first | other
        return first
    name, operator, operands = tree
    column = row(name)
    ask: dict[str, Any] = {
        "==": lambda: column == operands[0],
        "!=": lambda: column != operands[0],
        "<": lambda: column < operands[0],
        "<=": lambda: column <= operands[0],
        ">": lambda: column > operands[0],
        ">=": lambda: column >= operands[0],
        "between": lambda: column.between(*operands),
        "isin": lambda: column.isin(list(operands)),
        "is_missing": column.is_missing,
    }
    return ask[operator]()


def truth(tree: Tree, line: dict[str, Any]) -> bool | None:
    """True, False or None (unknown), for one row."""
    if len(tree) == 2:
        parts = [truth(part, line) for part in tree[1]]
        if tree[0] == "not":
            return None if parts[0] is None else not parts[0]
        decisive = tree[0] == "or"
        return decisive if decisive in parts else None if None in parts else not decisive
    name, operator, operands = tree
    value = line[name]
    missing = value is None or value != value  # noqa: PLR0124
    if operator == "is_missing":
        return missing
    if missing:
        return None
    value, *operands = map(exact, (value, *operands))
    answers = {
        "==": lambda: value == operands[0],
        "!=": lambda: value != operands[0],
        "<": lambda: value < operands[0],
        "<=": lambda: value <= operands[0],
        ">": lambda: value > operands[0],
        ">=": lambda: value >= operands[0],
        "between": lambda: operands[0] <= value <= operands[1],
        "isin": lambda: any(value == operand for operand in operands),
    }
    return bool(answers[operator]())


def exact(value: Any) -> Any:
    """A number as a fraction, so that nothing is rounded when it is compared; infinities stay, and so does text."""
    if isinstance(value, str) or (isinstance(value, float) and math.isinf(value)):
        return value
    return Fraction(value)


def lines(log: EventLog) -> list[dict[str, Any]]:
    columns = {name: column.tolist() for name, column in log.to_columns().items()}
    return [{name: column[at] for name, column in columns.items()} for at in range(len(log))]


@given(trees, logs())
def test_a_mask_is_where_three_valued_logic_says_true(tree, log):
    expected = [truth(tree, line) is True for line in lines(log)]
    assert condition_of(tree).mask(log).tolist() == expected
    assert (~condition_of(tree)).mask(log).tolist() == [truth(tree, line) is False for line in lines(log)]


@given(single_tests(), logs())
def test_one_test_alone_is_answered_row_by_row(tree, log):
    expected = [truth(tree, line) is True for line in lines(log)]
    assert condition_of(tree).mask(log).tolist() == expected


@given(trees, logs())
def test_a_condition_holds_of_an_event_as_it_does_of_a_row(tree, log):
    condition = condition_of(tree)
    assert [condition.holds(event) for event in log.to_events()] == condition.mask(log).tolist()


@given(trees, logs(), st.data())
def test_a_row_is_judged_by_itself(tree, log, data):
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(log), max_size=len(log))), dtype=np.bool_)
    condition = condition_of(tree)
    assert condition.mask(log.where(rows=keep)).tolist() == condition.mask(log)[keep].tolist()


@given(trees)
def test_a_condition_comes_back_from_its_document_pickle_and_source(tree):
    condition = condition_of(tree)
    copies = [
        RowCondition.from_dict(condition.to_dict()),
        RowCondition.from_dict(json.loads(json.dumps(condition.to_dict(), allow_nan=False))),
        pickle.loads(pickle.dumps(condition)),  # noqa: S301
        eval(repr(condition), {"row": row, "inf": math.inf}),  # noqa: S307
    ]
    for copy in copies:
        assert copy == condition
        assert hash(copy) == hash(condition)
        assert repr(copy) == repr(condition)
        assert copy.columns == condition.columns


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["and", "not", "==", "isin", "x", ""]),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(st.sampled_from(["operator", "column", "operands", "conditions", "x"]), values)
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_document_is_read_or_refused_with_its_place(document):
    complaint = ""
    try:
        assert RowCondition.from_dict(RowCondition.from_dict(document).to_dict()) == RowCondition.from_dict(document)
    except ShequnError as error:
        complaint = str(error)
    assert not complaint or complaint.startswith("$")
