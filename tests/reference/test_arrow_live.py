"""Columns cross Arrow's C interface as pyarrow, Polars and DuckDB know them: same values, same memory."""

from __future__ import annotations

import datetime as dt
import gc
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import shequn as sq
from shequn.columns import EventLog, Roster
from shequn.columns.arrow import Nullable, Zoned, arrow_column
from shequn.columns.arrow.exporting import n_lent
from shequn.columns.frames import plain_column
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError
from shequn.labels import Coded

pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")
pd = pytest.importorskip("pandas")
duckdb = pytest.importorskip("duckdb")

LONG = "a label of more than twelve bytes, 社群"
TEXT = ["ann", None, LONG, "", "ann", "社群", "twelve bytes", "thirteen byte", LONG, "a\x00", "a"]
AT = [dt.datetime(2024, 3, 1, 8, minute, tzinfo=dt.UTC) for minute in range(5)]
NAMES: dict[str, Any] = {
    "member": "uid",
    "kind": "event",
    "at": "ts",
    "value": "fen",
    "group": "room",
    "extra": ["city"],
}


def table(**types: Any) -> Any:
    columns = {
        "uid": ["ann", "bo", "ann", LONG, "cy"],
        "event": ["join", "join", "post", "post", "purchase"],
        "ts": pa.array(AT, pa.timestamp("us", "UTC")),
        "fen": pa.array([None, None, 1, 2**52, 250], pa.int64()),
        "room": pa.array([7, None, 2**62, 7, 9], pa.int64()),
        "city": ["沪", None, None, "京", "沪"],
        "price": pa.array([Decimal("1.50")] * 5, pa.decimal128(10, 2)),
    }
    made = pa.table(columns)
    for name, kind in types.items():
        made = made.set_column(made.column_names.index(name), name, made[name].cast(kind))
    return made


EXPECTED = EventLog.from_columns(
    member=["ann", "bo", "ann", LONG, "cy"],
    kind=["join", "join", "post", "post", "purchase"],
    at=AT,
    value=[None, None, 1, 2**52, 250],
    group=[7, None, 2**62, 7, 9],
    extra={"city": ["沪", None, None, "京", "沪"]},
)

dictionary = pa.dictionary(pa.int32(), pa.string())
STREAMS = {
    "DuckDB": lambda: duckdb.connect().from_arrow(table()),
    "DuckDB query": lambda: duckdb.connect().from_arrow(table()).filter("fen > -1 or fen is null"),
    "DuckDB enum": lambda: (
        duckdb.connect()
        .from_arrow(table())
        .project("* replace (event::enum('x', 'purchase', 'post', 'join') as event)")
    ),
    "reader": lambda: table().to_reader(),
    "reader of small batches": lambda: table().to_reader(max_chunksize=2),
    "reader of dictionaries": lambda: table(uid=dictionary, city=dictionary).to_reader(max_chunksize=2),
    "reader of many types": lambda: table(ts=pa.timestamp("ms", "Asia/Shanghai"), uid=pa.large_string()).to_reader(),
    "log": lambda: Renamed(EXPECTED),
}


class Renamed:
    """A producer of nothing but a stream."""

    def __init__(self, log: EventLog) -> None:
        names = {"member": "uid", "kind": "event", "at": "ts", "value": "fen", "group": "room"}
        made = pa.table(log)
        self.table = made.rename_columns([names.get(name, name) for name in made.column_names])

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("make", STREAMS.values(), ids=STREAMS)
def test_every_stream_of_records_makes_the_same_log(make):
    log = EventLog.from_frame(make(), **NAMES)
    assert log == EXPECTED
    assert list(log.members) == list(EXPECTED.members)
    assert log.resolution == "s"


@pytest.mark.skipif(
    find_spec("ibis") is None or find_spec("pyarrow_hotfix") is None, reason="needs ibis and pyarrow-hotfix"
)
@pytest.mark.filterwarnings("ignore:fetch_arrow:DeprecationWarning")
def test_an_ibis_table_makes_the_same_log():
    ibis = pytest.importorskip("ibis")
    backend = ibis.duckdb.connect()
    backend.con.register("given", table())
    backend.con.execute("create table events as select * exclude (price) from given")
    assert EventLog.from_frame(backend.table("events"), **NAMES) == EXPECTED


def test_a_stream_may_have_no_rows():
    for empty in (table()[:0].to_reader(), duckdb.connect().from_arrow(table()).limit(0)):
        log = EventLog.from_frame(empty, **NAMES)
        assert len(log) == 0
        assert log == EventLog.from_frame(table()[:0], **NAMES)


def test_a_stream_without_the_column_is_refused_with_the_closest_one():
    with pytest.raises(
        UnknownLabelError, match=r"columns \(uid, event, .*, price\), got 'uidd'; did you mean 'uid'\?$"
    ):
        EventLog.from_frame(table().to_reader(), member="uidd", kind="event", at="ts")


def test_what_a_stream_holds_beside_must_not_be_readable_but_what_is_asked_for_must():
    with pytest.raises(InvalidTypeError, match=r"^value: expected .* in 'price', got decimals .*; give money in minor"):
        EventLog.from_frame(table().to_reader(), member="uid", kind="event", at="ts", value="price")
    summed = duckdb.connect().from_arrow(table()).aggregate("uid, event, ts, sum(fen) as fen")
    with pytest.raises(InvalidTypeError, match=r"^value: expected .* in 'fen', got decimals .*; cast to BIGINT$"):
        EventLog.from_frame(summed, member="uid", kind="event", at="ts", value="fen")
    nested = pa.table({"uid": [["a"]], "ts": pa.array([b"x"]), "event": ["x"]})
    with pytest.raises(InvalidTypeError, match=r"^member: expected .* in 'uid', got a nested one"):
        EventLog.from_frame(nested.to_reader(), member="uid", kind="event", at="ts")
    with pytest.raises(InvalidTypeError, match=r"^at: expected .* in 'ts', got bytes"):
        EventLog.from_frame(nested.to_reader(), member="event", kind="event", at="ts")


def test_a_stream_that_fails_is_refused_with_its_own_words():
    def batches() -> Any:
        yield from table().to_batches(max_chunksize=2)[:1]
        raise OSError("the warehouse went away")

    reader = pa.RecordBatchReader.from_batches(table().schema, batches())
    with pytest.raises(InvalidValueError, match="the warehouse went away"):
        EventLog.from_frame(reader, **NAMES)


def test_a_reader_has_nothing_left_when_it_was_read():
    reader = table().to_reader()
    assert EventLog.from_frame(reader, **NAMES) == EXPECTED
    assert len(EventLog.from_frame(reader, **NAMES)) == 0


def test_a_relation_that_cannot_be_run_any_more_is_refused():
    connection = duckdb.connect()
    relation = connection.from_arrow(table())
    connection.close()
    with pytest.raises(InvalidValueError, match=r"^frame: expected a stream .* can be read, got 'Connection Error"):
        EventLog.from_frame(relation, **NAMES)


# --- values ---


@pytest.mark.parametrize("layout", ["string", "large_string", "string_view"])
@pytest.mark.parametrize("pieces", [1, 3])
def test_text_is_told_apart_and_keeps_its_nulls(layout, pieces):
    rows = TEXT * 3
    whole = pa.array(rows).cast(layout)
    column = whole if pieces == 1 else pa.chunked_array([whole[:4], whole[4:4], whole[4:19], whole[19:]])
    coded = arrow_column(column)
    assert isinstance(coded, Coded)
    assert coded.labels().tolist() == rows
    assert list(coded.index) == list(dict.fromkeys(text for text in rows if text is not None))


def test_a_slice_begins_anywhere_in_a_byte():
    for first in range(20):
        for kind, rows in (
            (pa.int64(), [1, None, 2] * 8),
            (pa.bool_(), [True, None, False] * 8),
            (pa.string(), ["a", None, "b"] * 8),
        ):
            taken = arrow_column(pa.array(rows, kind)[first : first + 3])
            got = taken.labels().tolist() if isinstance(taken, Coded) else taken.tolist()  # type: ignore[union-attr]
            assert got == rows[first : first + 3]


def test_many_texts_of_all_lengths_are_told_apart():
    rng = np.random.default_rng(7)
    labels = ["x" * int(n) + str(i) for i, n in enumerate(rng.integers(0, 40, size=3_000))]
    rows = [labels[place] for place in rng.integers(len(labels), size=150_000)]
    for column in (pa.array(rows), pl.Series(rows), pa.array(rows, pa.string_view())):
        coded = arrow_column(column)
        assert isinstance(coded, Coded)
        assert coded.labels().tolist() == rows


DICTIONARIES = {
    "with a null among its labels": pa.DictionaryArray.from_arrays(
        pa.array([0, 1, 2, None]), pa.array(["a", None, "a"])
    ),
    "in another order": pa.DictionaryArray.from_arrays(
        pa.array([2, 0, 2, None], pa.uint8()), pa.array(["c", "x", "a"])
    ),
    "of its own in each chunk": pa.chunked_array(
        [
            pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["a", "b"])),
            pa.DictionaryArray.from_arrays(pa.array([1, None, 0]), pa.array(["b", "c"])),
        ]
    ),
    "of many labels behind small numbers": pa.DictionaryArray.from_arrays(
        pa.array([199, 0, 200], pa.uint8()), pa.array([f"l{i}" for i in range(201)])
    ),
    "of no label": pa.DictionaryArray.from_arrays(pa.array([None, None], pa.int8()), pa.array([], pa.string())),
    "of views": pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array([LONG, "b"], pa.string_view())),
}


@pytest.mark.parametrize("column", DICTIONARIES.values(), ids=DICTIONARIES)
def test_a_dictionary_is_taken_as_it_is_meant(column):
    coded = arrow_column(column)
    assert isinstance(coded, Coded)
    assert coded.labels().tolist() == column.to_pylist()
    assert len(coded.index) == len({label for label in column.to_pylist() if label is not None})


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([1, None], pa.uint64()), [1, None]),
        (pa.array([True, None, False]), [True, None, False]),
        (pa.array([0.5, None], pa.float32()), [0.5, None]),
        (pa.array([None, None]), [None, None]),
        (pa.array([dt.date(2024, 3, 1), None], pa.date32()), [dt.date(2024, 3, 1), None]),
        (pa.array([dt.date(2024, 3, 1), None], pa.date64()), [dt.datetime(2024, 3, 1), None]),  # noqa: DTZ001
        (pa.array([7, 9], pa.int32()).dictionary_encode(), [7, 9]),
        (pa.array([7, None], pa.int32()).dictionary_encode(), [7, None]),
    ],
)
def test_numbers_and_dates_come_as_they_are(column, expected):
    taken: Any = arrow_column(column)
    got = taken if isinstance(taken, list) else taken.tolist()
    assert [None if item != item else item for item in got] == expected  # noqa: PLR0124


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_instants_keep_unit_and_zone(unit):
    column = pa.array([0, None], pa.timestamp(unit, "Asia/Shanghai"))
    taken = arrow_column(column)
    assert isinstance(taken, Zoned)
    assert taken.dtype == ("Asia/Shanghai", unit)
    assert np.isnat(taken.values).tolist() == [False, True]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("pieces", [1, 3])
def test_instants_behind_a_dictionary_keep_unit_and_zone(unit, pieces):
    rows = [60, 0, None, 60, 3600]
    plain = pa.array([None if row is None else row * 10**9 for row in rows], pa.timestamp("ns", "Asia/Shanghai"))
    plain = plain.cast(pa.timestamp(unit, "Asia/Shanghai"))
    column = plain.dictionary_encode()
    if pieces > 1:  # each with a dictionary of its own
        column = pa.chunked_array([plain[rows].dictionary_encode() for rows in (slice(2), slice(2, 2), slice(2, None))])
    taken, expected = arrow_column(column), arrow_column(plain)
    assert isinstance(taken, Zoned)
    assert isinstance(expected, Zoned)
    assert taken.dtype == expected.dtype == ("Asia/Shanghai", unit)
    assert np.array_equal(taken.values, expected.values, equal_nan=True)


def test_instants_behind_a_dictionary_are_the_instants_of_a_log():
    coded = table().set_column(2, "ts", table()["ts"].dictionary_encode())
    assert EventLog.from_frame(coded, **NAMES) == EventLog.from_frame(coded.to_reader(), **NAMES) == EXPECTED
    naive = table(ts=pa.timestamp("us"))
    naive = naive.set_column(2, "ts", naive["ts"].dictionary_encode())
    assert EventLog.from_frame(naive, **NAMES, at_tz="UTC") == EXPECTED


def test_a_slice_of_a_dictionary_and_a_null_inside_it_are_taken_as_they_are_meant():
    for kind, labels in ((pa.int16(), [7, None, 9]), (pa.bool_(), [True, None, False]), (pa.date32(), [1, None, 2])):
        column = pa.DictionaryArray.from_arrays(pa.array([0, 2, 1, None, 2]), pa.array(labels, kind))[1:]
        got: Any = arrow_column(column)
        assert got.tolist() == column.to_pylist()
    nothing = pa.DictionaryArray.from_arrays(pa.array([0, None]), pa.nulls(1))
    assert arrow_column(nothing) == [None, None]
    assert len(arrow_column(pa.chunked_array([], pa.dictionary(pa.int8(), pa.int64())))) == 0  # type: ignore[arg-type]


def test_an_index_beyond_a_dictionary_of_numbers_is_refused():
    column = pa.DictionaryArray.from_arrays(pa.array([0, 2]), pa.array([1.5, 2.5]), safe=False)
    with pytest.raises(InvalidValueError, match=r"^frame: expected indices of categories in \[0, 2\), got 2$"):
        arrow_column(column)


@pytest.mark.parametrize("kind", [pa.timestamp("us", "UTC"), pa.timestamp("ns")])
def test_instants_where_labels_or_numbers_belong_are_refused_as_what_they_are(kind):
    given = table(ts=kind)
    told = r"labels that are all str or all int, got .* at row 0 .*; labels cannot be instants: format them first$"
    with pytest.raises(InvalidTypeError, match=rf"^ts: expected {told}"):
        EventLog.from_columns(member=given["uid"], kind="post", at=AT, extra={"ts": given["ts"]})
    with pytest.raises(InvalidTypeError, match=rf"^since: expected {told}"):
        Roster.from_columns(member=[1, 2, 3, 4, 5], fields={"since": given["ts"]})
    with pytest.raises(InvalidTypeError, match=r"^value: expected int or float, got .* at row 0, of type datetime64"):
        EventLog.from_columns(member=given["uid"], kind="post", at=AT, value=given["ts"])


@pytest.mark.parametrize(
    "kind", [pa.binary(), pa.list_(pa.int64()), pa.decimal128(10, 2), pa.time32("s"), pa.duration("s")]
)
def test_other_types_are_left_to_the_column_itself(kind):
    assert arrow_column(pa.array([], kind)) is None
    assert plain_column(pa.array([None], kind)) == [None]


def test_a_missing_instant_or_one_out_of_range_is_refused_with_its_row():
    for us, got in ((None, "None|NaT"), (2**62, "148108-07-06")):
        column = pa.array([0, us], pa.timestamp("us", "UTC"))
        with pytest.raises(InvalidValueError, match=rf"^at: .*({got}).* at row 1 \(1 of 2 rows\)"):
            EventLog.from_columns(member=[1, 2], kind="post", at=column)


# --- memory ---


def address(array: np.ndarray[Any, Any]) -> int:
    return int(array.ctypes.data)


@pytest.mark.parametrize("library", ["pyarrow", "Polars"])
def test_numbers_and_microseconds_stay_where_they_are(library):
    n = 1000
    made = pa.table(
        {
            "uid": pa.array(np.arange(n)),
            "ts": pa.array(np.arange(n), pa.timestamp("us", "UTC")),
            "fen": pa.array(np.arange(n)),
            "rate": pa.array(np.arange(n) / 8),
        }
    )
    frame = made if library == "pyarrow" else pl.from_arrow(made)
    source = {name: np.asarray(frame[name].to_numpy()) for name in ("ts", "fen", "rate")}
    for value in ("fen", "rate"):
        log = EventLog.from_columns(member=frame["uid"], kind="post", at=frame["ts"], value=frame[value])
        assert np.shares_memory(log.at_us, source["ts"])
        assert np.shares_memory(log.value, source[value])
        assert not log.at_us.flags.writeable
        assert not log.value.flags.writeable
    naive = EventLog.from_columns(member=frame["uid"], kind="post", at=made["ts"].cast(pa.timestamp("us")), at_tz="UTC")
    assert naive.at_us.tolist() == list(range(n))
    counted = EventLog.from_columns(member=frame["uid"], kind="post", at=frame["fen"], time_unit="us")
    assert np.shares_memory(counted.at_us, source["fen"])


def test_the_indices_of_a_dictionary_are_the_codes():
    # As many labels as need the bytes that each library gives an index.
    many, fewer = [f"m{i}" for i in range(40_000)], [f"m{i}" for i in range(30_000)]
    for column in (pa.array(many * 2).dictionary_encode(), pl.Series(fewer * 2, dtype=pl.Enum(fewer))):
        coded = plain_column(column)
        indices = column.indices.to_numpy() if hasattr(column, "indices") else column.to_physical().to_numpy()
        assert np.shares_memory(coded.codes, indices)


def test_memory_lives_as_long_as_a_column_of_ours_and_no_longer():
    gc.collect()
    before = pa.total_allocated_bytes()
    column = pa.array(np.arange(1 << 17) * 2.0).cast(pa.int64())  # in memory of pyarrow's own
    log = EventLog.from_columns(
        member=np.arange(1 << 17), kind="post", at=np.zeros(1 << 17, int), time_unit="s", value=column
    )
    del column
    gc.collect()
    assert pa.total_allocated_bytes() - before >= 1 << 20
    assert int(log.value.sum()) == (1 << 17) * ((1 << 17) - 1)  # type: ignore[union-attr]
    del log
    gc.collect()
    assert pa.total_allocated_bytes() == before


def test_what_we_lend_is_given_back_by_each_library():
    gc.collect()
    before = n_lent()
    roster = Roster.from_columns(member=["a", "b"], fields={"city": ["沪", None]}, tags={"likes": [["tea"], None]})
    for read in (
        pa.table,
        pl.DataFrame,
        lambda given: pa.table(given)["city"],
        lambda given: given.__arrow_c_stream__(),
    ):
        got = read(roster)
        assert n_lent() > before
        del got
        gc.collect()
        assert n_lent() == before
    capsule = roster.__arrow_c_stream__()
    pa.RecordBatchReader._import_from_c_capsule(capsule).read_all()
    with pytest.raises(pa.ArrowInvalid, match="released"):
        pa.RecordBatchReader._import_from_c_capsule(capsule)
    del capsule
    gc.collect()
    assert n_lent() == before


# --- out ---


def test_a_log_goes_out_with_its_types():
    made = pa.table(EXPECTED)
    made.validate(full=True)
    assert made.schema == pa.schema(
        {
            "member": pa.dictionary(pa.int8(), pa.string()),
            "kind": pa.dictionary(pa.int8(), pa.string()),
            "at": pa.timestamp("us", "UTC"),
            "value": pa.float64(),
            "group": pa.int64(),
            "city": pa.dictionary(pa.int8(), pa.string()),
        }
    )
    assert np.shares_memory(made["at"].chunk(0).cast(pa.int64()).to_numpy(), EXPECTED.at_us)
    assert made["at"].to_pylist() == AT
    assert made["group"].to_pylist() == [7, None, 2**62, 7, 9]


def test_a_result_goes_to_each_library():
    ledger = sq.retention.flow_ledger(EXPECTED, every="week", tz="Asia/Shanghai")
    retained = ledger.retained.tolist()
    made = pa.table(ledger)
    made.validate(full=True)
    assert made["retained"].to_pylist() == retained
    assert made.schema.field("period").type == pa.date32()
    assert pl.DataFrame(ledger)["retained"].to_list() == retained
    assert duckdb.sql("select retained from ledger").fetchall() == [(n,) for n in retained]
    assert made.to_pandas()["retained"].tolist() == retained
    if hasattr(pd.DataFrame, "from_arrow"):  # pandas 3
        assert pd.DataFrame.from_arrow(ledger)["retained"].tolist() == retained


def test_a_roster_goes_out_with_its_tags():
    tiers = sq.Assignment.from_labels(
        ["a", "b", "c"], ["gold", None, "silver"], segments=["silver", "gold"], ordered=True
    )
    roster = Roster.from_columns(
        member=["a", "b", "c"],
        joined=[60, None, 0],
        time_unit="s",
        fields={"tier": tiers, "age": [30, 41, 5]},
        tags={"likes": [["tea", "hiking"], None, ["tea"]]},
    )
    made = pa.table(roster)
    made.validate(full=True)
    assert made["likes"].to_pylist() == [["hiking", "tea"], [], ["tea"]]
    assert made["tier"].to_pylist() == ["gold", None, "silver"]
    assert made.schema.field("tier").type.ordered
    assert made["tier"].chunk(0).dictionary.to_pylist() == ["silver", "gold"]
    back = Roster.from_columns(
        member=made["member"],
        joined=made["joined"],
        fields={"tier": made["tier"], "age": made["age"]},
        tags={"likes": made["likes"]},
    )
    assert back.to_columns().keys() == roster.to_columns().keys()
    assert all(back.to_columns()[name].tolist() == column.tolist() for name, column in roster.to_columns().items())


def test_integers_beside_nulls_are_numbers_without_a_detour():
    taken = arrow_column(pa.array([2**62, None]))
    assert isinstance(taken, Nullable)
    with pytest.raises(InvalidValueError, match=r"^value: expected integers up to 2\*\*53 beside floats or missing"):
        EventLog.from_columns(member=[1, 2], kind="x", at=[0, 0], time_unit="s", value=pa.array([2**62, None]))
    log = EventLog.from_columns(member=[1, 2], kind="x", at=[0, 0], time_unit="s", value=pl.Series([2**52, None]))
    assert log.value.tolist()[0] == 2**52  # type: ignore[union-attr]
