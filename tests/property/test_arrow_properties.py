"""A log goes out through Arrow and comes back as it was, whatever it holds and however it is cut into batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.columns import EventLog

LABELS = st.text(min_size=1, max_size=20).filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text))
INTS = st.integers(-(2**63), 2**63 - 1)


@st.composite
def logs(draw: st.DrawFn) -> EventLog:
    n = draw(st.integers(0, 30))

    def rows(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=n, max_size=n))

    labels = st.sampled_from(draw(st.lists(st.one_of(LABELS), min_size=1, max_size=6)))
    member = rows(draw(st.sampled_from([labels, INTS])))
    number = draw(st.sampled_from([INTS, st.floats(allow_nan=True), st.none() | st.integers(-(2**53), 2**53)]))
    made = EventLog.from_columns(
        member=member,
        kind=rows(labels),
        at=rows(st.integers(-2_000_000_000_000_000, 9_000_000_000_000_000)),
        time_unit="us",
        value=rows(number) if draw(st.booleans()) else None,
        group=rows(st.none() | INTS) if draw(st.booleans()) else None,
        item=rows(st.none() | labels) if draw(st.booleans()) else None,
        extra={"channel": rows(st.none() | labels), "age": rows(st.integers(0, 99))},
    )
    return made.where(rows=rows(st.booleans())) if draw(st.booleans()) else made


def names(log: EventLog) -> dict[str, Any]:
    found = {name: name for name in ("value", "group", "item") if getattr(log, name) is not None}
    return {"member": "member", "kind": "kind", "at": "at", "extra": ["channel", "age"], **found}


def same_to_the_bit(one: EventLog, other: EventLog) -> bool:
    if one.value is None or other.value is None:
        return one.value is other.value
    return one.value.dtype == other.value.dtype and one.value.tobytes() == other.value.tobytes()


@given(log=logs())
def test_a_log_comes_back_through_our_own_door(log: EventLog):
    back = EventLog.from_frame(log, **names(log))
    assert back == log
    assert same_to_the_bit(log, back)


@given(log=logs(), size=st.integers(1, 12))
def test_a_log_comes_back_from_batches_of_pyarrow(log: EventLog, size: int):
    pa = pytest.importorskip("pyarrow")
    table = pa.table(log)
    table.validate(full=True)
    for given_back in (table, table.to_reader(max_chunksize=size), pa.concat_tables([table[:size], table[size:]])):
        back = EventLog.from_frame(given_back, **names(log))
        assert back == log
        assert same_to_the_bit(log, back)


@given(log=logs())
def test_a_log_comes_back_from_polars(log: EventLog):
    pl = pytest.importorskip("polars")
    back = EventLog.from_frame(pl.DataFrame(log), **names(log))
    assert back == log
    assert same_to_the_bit(log, back)


@given(log=logs(), chars=st.sampled_from(["string", "large_string", "string_view"]))
def test_text_comes_back_in_any_layout(log: EventLog, chars: str):
    pa = pytest.importorskip("pyarrow")
    table = pa.table(log)
    place = table.column_names.index("channel")
    plain = pa.array(log.extra["channel"].labels().tolist(), chars)  # type: ignore[union-attr]
    back = EventLog.from_frame(table.set_column(place, "channel", plain), **names(log))
    assert back == log
    assert np.array_equal(back.at_us, log.at_us)


@given(
    unit=st.sampled_from([1, 1_000, 1_000_000]),
    counts=st.lists(st.integers(-2_000_000_000, 9_000_000_000), min_size=1, max_size=6),
    odd=st.integers(-(10**6), 10**6),
)
def test_the_resolution_of_arrow_instants_is_the_coarsest_unit_that_divides_all(unit: int, counts: list[int], odd: int):
    pa = pytest.importorskip("pyarrow")
    at_us = [count * unit for count in counts] + [counts[0] * unit + odd]
    column = pa.array(at_us, pa.timestamp("us", "UTC"))
    log = EventLog.from_frame(
        {"m": [1] * len(at_us), "k": ["post"] * len(at_us), "t": column}, member="m", kind="k", at="t"
    )
    unit_of = {"s": 1_000_000, "ms": 1_000, "us": 1}
    expected = next(name for name, size in unit_of.items() if all(at % size == 0 for at in at_us))
    assert log.resolution == expected
    assert log.at_us.tolist() == at_us
