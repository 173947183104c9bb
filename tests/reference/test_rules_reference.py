"""Rules against SQL, run live in DuckDB, and against answers that were worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from benchmarks.contenders import Contender, load
from benchmarks.contenders.rules import WITHIN_DAYS
from benchmarks.workload import WORKLOADS, columns
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import slow_rules as slow
from tests.reference.rule_worlds import ASK, DAY_US, KINDS, SPANS, combined, worlds
from tests.reference.slow_rules import Fact, Person, Tree, rule_of

VERDICTS = {1: True, 0: False, -1: None}

# ── the plain-Python reference on cases that are solved by reading ───────────────────────────────────────────────────


def line(kind: str, at: int, value: Any = None, item: Any = None) -> dict[str, Any]:
    return {"kind": kind, "at": at, "value": value, "item": item}


ANN = Person(
    known={"age": 30, "city": None, "tier": "gold", "joined": -5},
    orders={"tier": ["silver", "gold", "black"]},
    tags={"interests": {"tea"}},
    rows=[line("post", -10, 5, "a"), line("post", 0, 7, "a"), line("post", 1, 9, "b"), line("receive", 0)],
)


@pytest.mark.parametrize(
    ("source", "operator", "operands", "expected"),
    [
        (("field", "age"), ">", (30,), False),
        (("field", "age"), "between", (30, 31), True),
        (("field", "city"), "!=", ("上海",), None),
        (("field", "city"), "is_known", (), False),
        (("field", "tier"), ">", ("silver",), True),
        (("field", "tier"), ">=", ("black",), False),
        (("field", "interests"), "has_all", ("tea", "cake"), False),
        (("field", "interests"), "has_any", ("tea", "cake"), True),
        (("field", "joined"), "within_last", (5,), False),
        (("field", "joined"), "within_last", (6,), True),
        (Fact("count", ("post",)), "==", (2,), True),
        (Fact("count", None), "==", (2,), True),
        (Fact("count", ("post", "receive")), "==", (3,), True),
        (Fact("count", ("post",), within=10), "==", (1,), True),
        (Fact("count", ("post",), within=10, before=1), "==", (1,), True),
        (Fact("count", ("post",), within=0), "==", (0,), True),
        (Fact("sum", ("post",), "value"), "==", (12,), True),
        (Fact("distinct", ("post",), "item"), "==", (1,), True),
        (Fact("first", ("post",)), "==", (-10,), True),
        (Fact("last", ("post",)), "==", (0,), True),
        (Fact("last", ("like",)), "==", (0,), None),
        (Fact("days_since", ("post",), before=1), "==", (10 / DAY_US,), True),
        (Fact("count", ("post",), where=("value", ">", (5,))), "==", (1,), True),
    ],
    ids=str,
)
def test_the_reference_answers_as_the_definitions_say(source, operator, operands, expected):
    assert slow.verdict(("test", source, operator, operands), ANN, 0, {}) is expected


def test_the_reference_knows_the_truth_tables():
    answers = [True, False, None]
    both = [slow.combine("and", [a, b]) for a in answers for b in answers]
    either = [slow.combine("or", [a, b]) for a in answers for b in answers]
    assert both == [True, False, None, False, False, False, None, False, None]
    assert either == [True, True, True, True, False, None, True, None, None]
    assert [slow.combine("not", [a]) for a in answers] == [False, True, None]
    assert (slow.combine("and", []), slow.combine("or", [])) == (True, False)


# ── SQL has the same three values ────────────────────────────────────────────────────────────────────────────────────

FIELDS = ["age", "points", "city", "tier", "club", "joined"]


@st.composite
def sql_tests(draw: st.DrawFn) -> Tree:
    if draw(st.booleans()):
        measure = draw(st.sampled_from(["count", "distinct", "last", "first"]))
        kinds = draw(st.none() | st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True).map(tuple))
        within, before = draw(st.none() | st.sampled_from(SPANS)), draw(st.sampled_from(SPANS))
        source: Any = Fact(measure, kinds, "item" if measure == "distinct" else None, within, before)
        sort = "instant" if measure in {"last", "first"} else "number"
    else:
        name = draw(st.sampled_from(FIELDS))
        source, sort = ("field", name), "number" if name in {"age", "points"} else name
        sort = "instant" if name == "joined" else sort
    operator, operands = draw(ASK[sort].filter(lambda asked: all(map(is_said_in_sql, asked[1]))))
    return "test", source, operator, operands


def is_said_in_sql(operand: Any) -> bool:
    """Whether an operand is a number that SQL takes as it is: DuckDB has no integers beyond 128 bits."""
    return not isinstance(operand, bool | float) and (isinstance(operand, str) or abs(operand) < 2**53)


def sql_of(tree: Tree, as_of: int) -> str:
    """A rule as a filter."""
    if tree[0] in {"and", "or"}:
        empty = "TRUE" if tree[0] == "and" else "FALSE"
        return "(" + f" {tree[0].upper()} ".join([empty, *(sql_of(part, as_of) for part in tree[1])]) + ")"
    if tree[0] == "not":
        return f"(NOT {sql_of(tree[1][0], as_of)})"
    return sql_test(*tree[1:], as_of)


def sql_test(source: Any, operator: str, operands: tuple[Any, ...], as_of: int) -> str:
    value = sql_fact(source, as_of) if isinstance(source, Fact) else source[1]
    if operator == "is_known":
        return f"({value} IS NOT NULL)"
    if operator == "within_last":
        return f"({value} > {as_of - operands[0]} AND {value} <= {as_of})"
    if not isinstance(source, Fact) and source[1] == "tier" and operator in {"<", "<=", ">", ">=", "between"}:
        value, operands = "list_position(['silver', 'gold', 'black'], tier)", [slow_rank(one) for one in operands]
    shown = [f"'{one.replace(chr(39), chr(39) * 2)}'" if isinstance(one, str) else str(one) for one in operands]
    if operator == "between":
        return f"({value} BETWEEN {shown[0]} AND {shown[1]})"
    if operator == "isin":
        # SQL has no empty list; what is asked of NULL is unknown all the same.
        return f"({value} IN ({', '.join(shown)}))" if shown else f"({value} <> {value})"
    return f"({value} {'=' if operator == '==' else '<>' if operator == '!=' else operator} {shown[0]})"


def slow_rank(label: str) -> int:
    return ["silver", "gold", "black"].index(label) + 1


def sql_fact(fact: Fact, as_of: int) -> str:
    end = as_of - fact.before
    kinds = "kind NOT IN ('receive', 'leave', 'remove', 'mute', 'role')"
    if fact.kinds is not None:
        kinds = f"kind IN ({', '.join(f'{chr(39)}{kind}{chr(39)}' for kind in fact.kinds)})"
    start = "" if fact.within is None else f" AND instant > {end - fact.within}"
    told = {"count": "count(*)", "distinct": "count(DISTINCT item)", "first": "min(instant)", "last": "max(instant)"}[
        fact.measure
    ]
    return f"(SELECT {told} FROM log WHERE log.member = roster.member AND {kinds} AND instant <= {end}{start})"  # noqa: S608


@given(worlds(), st.lists(st.recursive(sql_tests(), combined, max_leaves=6), min_size=2, max_size=4))
def test_sql_comes_to_the_same_verdicts(world, trees):
    names = ["member", *FIELDS]
    people = [person.known for person in world.people]
    texts = {"city", "tier"} | ({"member"} if isinstance(world.rows and world.rows[0]["member"], str) else set())
    if people and isinstance(people[0]["member"], str):
        texts.add("member")

    def table(rows: list[dict[str, Any]], columns: list[str], texts: set[str]) -> pa.Table:
        arrays = {
            name: pa.array([known[name] for known in rows], pa.string() if name in texts else pa.int64())
            for name in columns
        }
        return pa.table(arrays)

    # Nothing in the query comes from outside this file.
    with duckdb.connect() as database:
        database.register("roster", table(people, names, texts))
        rows = [row | {"instant": row["at"]} for row in world.rows]
        database.register("log", table(rows, ["member", "kind", "item", "instant"], texts | {"kind", "item"}))
        for tree in trees:
            query = f"SELECT {sql_of(tree, world.as_of_us)} FROM roster"  # noqa: S608
            expected = [answer for (answer,) in database.sql(query).fetchall()]
            told = rule_of(tree).verdicts(world.roster, world.log, as_of=world.as_of, unknown_kinds="ignore")
            assert [VERDICTS[answer] for answer in told.tolist()] == expected, query


@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("within", WITHIN_DAYS)
def test_contenders_of_the_benchmark_select_the_same_members(workload, within):
    rows = columns(workload, 20_000, 2_000)
    contenders = [
        ("own_rules", within),
        ("duckdb_rules", within),
        ("polars_rules", f"streaming, {within}"),
        ("polars_rules", f"in memory, {within}"),
    ]
    tables = []
    for module, query in contenders:
        loaded = load(Contender(module, module, query), rows)
        tables.append(loaded.table(loaded.count()).tolist())
        loaded.close()
    assert tables[1:] == tables[:1] * 3
    assert 0 < tables[0][0] < 2_000


def test_the_sum_of_floats_is_that_of_ascending_order():
    assert slow.added([1e16, 1.0, -1e16]) == -1e16 + 1.0 + 1e16
    assert slow.added([math.inf, -math.inf]) is None
    assert slow.added([2**62, 2**62]) == 2**63
