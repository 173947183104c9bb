"""The same log from pandas, Polars, Arrow and a mapping of arrays, whatever each calls its types."""

from __future__ import annotations

import datetime as dt
import pickle
from typing import Any

import numpy as np
import pytest

from shequn.columns import EventLog, Roster
from shequn.columns.frames import frame_column, plain_column
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError
from shequn.labels import Coded

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

MEMBERS = ["ann", "bo", "ann", "社群", "cy"]
KINDS = ["join", "join", "post", "post", "purchase"]
AT = [dt.datetime(2024, 3, 1, 8, minute, tzinfo=dt.UTC) for minute in (0, 5, 10, 15, 20)]
VALUE = [None, None, None, 2**52, 250]
GROUP = [7, None, 2**62, 7, 9]
CHANNEL = ["抖音", None, None, "微博", "抖音"]
AGE = [30, 41, 30, 25, 19]
EXPECTED = EventLog.from_columns(
    member=MEMBERS, kind=KINDS, at=AT, value=VALUE, group=GROUP, extra={"channel": CHANNEL, "age": AGE}
)
NAMES: dict[str, Any] = {"member": "uid", "kind": "event", "at": "ts", "value": "amount", "group": "room"}


def columns() -> dict[str, Any]:
    return {"uid": MEMBERS, "event": KINDS, "ts": AT, "amount": VALUE, "room": GROUP, "channel": CHANNEL, "age": AGE}


def arrow_table(**types: Any) -> Any:
    table = pa.table({**columns(), "room": pa.array(GROUP, pa.int64()), "amount": pa.array(VALUE, pa.int64())})
    for name, kind in types.items():
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].cast(kind))
    return table


def polars_frame() -> Any:
    return pl.DataFrame(columns())


def pandas_frame(**dtypes: Any) -> Any:
    frame = pd.DataFrame({**columns(), "room": pd.array(GROUP, "Int64"), "amount": pd.array(VALUE, "Int64")})
    return frame.astype(dtypes)


def of_frame(frame: Any, **options: Any) -> EventLog:
    return EventLog.from_frame(frame, **NAMES, extra=["channel", "age"], **options)


FRAMES = {
    "mapping of lists": columns,
    "mapping of arrays": lambda: {
        "uid": np.array(MEMBERS),
        "event": np.array(KINDS, dtype=object),
        "ts": np.array(AT, dtype=object),
        "amount": np.array([np.nan if v is None else v for v in VALUE]),
        "room": np.array(GROUP, dtype=object),
        "channel": np.array(CHANNEL, dtype=object),
        "age": np.array(AGE, dtype=np.int8),
    },
    "mapping of pandas columns": lambda: dict(pandas_frame().items()),
    "mapping of Polars columns": lambda: {column.name: column for column in polars_frame()},
    "pandas": pandas_frame,
    "pandas in Shanghai": lambda: pandas_frame().assign(ts=pandas_frame()["ts"].dt.tz_convert("Asia/Shanghai")),
    "pandas with categories": lambda: pandas_frame(uid="category", event="category", channel="category"),
    "pandas with a category to spare": lambda: pandas_frame().assign(
        event=pd.Categorical(KINDS, categories=["like", "purchase", "post", "join"])
    ),
    "pandas with categories of integers": lambda: pandas_frame(room="category"),
    "pandas with string types": lambda: pandas_frame(uid="string", event="string[python]", channel="string[pyarrow]"),
    "pandas with masked types": lambda: pandas_frame(age="Int16", amount="Float64"),
    "pandas of Arrow types": lambda: arrow_table().to_pandas(types_mapper=pd.ArrowDtype),
    "pandas of Arrow dictionaries": lambda: arrow_table(event=pa.dictionary(pa.int8(), pa.string())).to_pandas(
        types_mapper=pd.ArrowDtype
    ),
    "pandas in another order of rows": lambda: pandas_frame().set_index(pd.Index([4, 3, 2, 1, 0])),
    "Polars": polars_frame,
    "Polars in Shanghai": lambda: polars_frame().with_columns(pl.col("ts").dt.convert_time_zone("Asia/Shanghai")),
    "Polars with categories": lambda: polars_frame().with_columns(
        pl.col("uid", "event", "channel").cast(pl.Categorical)
    ),
    "Polars with an enum": lambda: polars_frame().with_columns(
        pl.col("event").cast(pl.Enum(["like", "purchase", "post", "join"]))
    ),
    "Polars in chunks": lambda: pl.concat([polars_frame()[:2], polars_frame()[2:]], rechunk=False),
    "Polars with narrow types": lambda: polars_frame().with_columns(pl.col("age").cast(pl.UInt8)),
    "Arrow": arrow_table,
    "Arrow in Shanghai": lambda: arrow_table(ts=pa.timestamp("ms", "Asia/Shanghai")),
    "Arrow with large strings": lambda: arrow_table(uid=pa.large_string(), channel=pa.large_string()),
    "Arrow with string views": lambda: arrow_table().set_column(0, "uid", pa.array(MEMBERS, pa.string_view())),
    "Arrow with dictionaries": lambda: arrow_table(
        uid=pa.dictionary(pa.int32(), pa.string()), channel=pa.dictionary(pa.uint8(), pa.large_string())
    ),
    "Arrow in chunks": lambda: pa.concat_tables([arrow_table()[:2], arrow_table()[2:]]),
    "Arrow dictionaries in chunks": lambda: pa.concat_tables(
        [arrow_table(event=pa.dictionary(pa.int32(), pa.string()))[rows] for rows in (slice(2), slice(2, None))]
    ),
    "Arrow batch": lambda: arrow_table().to_batches()[0],
    "Arrow dictionaries in a batch": lambda: arrow_table(channel=pa.dictionary(pa.int32(), pa.string())).to_batches()[
        0
    ],
    "Polars as Arrow": lambda: polars_frame().to_arrow(),
}


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_every_frame_makes_the_same_log(make):
    log = of_frame(make())
    assert log == EXPECTED
    assert log.members == EXPECTED.members
    assert log.kinds == EXPECTED.kinds
    assert log.resolution == "s"


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_columns_may_be_given_as_the_frame_has_them(make):
    frame = make()
    given: dict[str, Any] = {name: frame[column] for name, column in NAMES.items()}
    log = EventLog.from_columns(**given, extra={"channel": frame["channel"], "age": frame["age"]})
    assert log == EXPECTED


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_no_rows_of_a_frame_make_an_empty_log(make):
    frame = make()
    nothing = {name: column[:0] for name, column in frame.items()} if isinstance(frame, dict) else frame[:0]
    assert len(of_frame(nothing)) == 0


def pandas_series(values: list[Any], dtype: str) -> Any:
    return pd.Series(values).astype(dtype)


WRITTEN = {
    "categories as member": ("member", lambda: pandas_series(["a", "b", "a"], "category"), "b"),
    "categories as kind": ("kind", lambda: pandas_series(["join", "post", "post"], "category"), "post"),
    "categories with a missing one": ("group", lambda: pd.Series(pd.Categorical(["a", None, "b"])), "b"),
    "categories of integers": ("group", lambda: pandas_series([7, 9, 7], "category"), 9),
    "strings": ("item", lambda: pandas_series(["a", "b", "a"], "string[python]"), "b"),
    "Arrow strings": ("item", lambda: pandas_series(["a", "b", "a"], "string[pyarrow]"), "b"),
    "objects": ("item", lambda: pandas_series(["a", "b", "a"], "object"), "b"),
    "masked integers": ("value", lambda: pandas_series([1, 2, 3], "Int64"), 9),
    "integers": ("value", lambda: pandas_series([1, 2, 3], "int64"), 9),
    "floats": ("value", lambda: pandas_series([1.0, 2.0, 3.0], "float64"), 9.0),
    "Arrow integers": ("value", lambda: pandas_series([1, 2, 3], "int64[pyarrow]"), 9),
    "times": ("at", lambda: pd.Series(AT[:3]).dt.tz_localize(None).astype("M8[us]"), pd.Timestamp(2030, 1, 1)),
    "times of a zone": ("at", lambda: pd.Series(AT[:3]).astype("M8[us, UTC]"), pd.Timestamp(2030, 1, 1, tz="UTC")),
}


@pytest.mark.parametrize(("name", "make", "other"), WRITTEN.values(), ids=WRITTEN)
def test_a_log_does_not_change_when_the_frame_is_written_to(name, make, other):
    columns = {"member": ["a", "b", "a"], "kind": ["join", "post", "post"], "at": pd.Series(AT[:3]), name: make()}
    frame = pd.DataFrame(columns)
    options: dict[str, Any] = {column: column for column in columns}
    if getattr(frame["at"].dtype, "tz", None) is None:
        options["at_tz"] = "UTC"
    log = EventLog.from_frame(frame, **options)
    given = EventLog.from_columns(**{key: frame[key] for key in columns}, at_tz=options.get("at_tz"))
    before = pickle.loads(pickle.dumps(log))  # noqa: S301
    frame.loc[0, name] = other
    assert frame[name][0] == other
    assert log == before
    assert given == before


NAIVE = {
    "pandas": lambda: pandas_frame().assign(ts=pandas_frame()["ts"].dt.tz_localize(None)),
    "pandas of Arrow types": lambda: arrow_table(ts=pa.timestamp("us")).to_pandas(types_mapper=pd.ArrowDtype),
    "Polars": lambda: polars_frame().with_columns(pl.col("ts").dt.replace_time_zone(None)),
    "Arrow": lambda: arrow_table(ts=pa.timestamp("ns")),
}


@pytest.mark.parametrize("make", NAIVE.values(), ids=NAIVE)
def test_a_column_without_a_zone_needs_one(make):
    assert of_frame(make(), at_tz="UTC") == EXPECTED
    with pytest.raises(InvalidValueError, match=r"^at: .*; times without a zone need at_tz$"):
        of_frame(make())


@pytest.mark.parametrize("name", ["pandas", "Polars", "Arrow"])
def test_a_column_with_a_zone_takes_no_other(name):
    with pytest.raises(InvalidValueError, match=r"^at_tz: expected None, since at is a column with a zone \(UTC\)"):
        of_frame(FRAMES[name](), at_tz="Asia/Shanghai")


MISSING = {
    "pandas": lambda: pandas_frame().assign(uid=[None, *MEMBERS[1:]]),
    "pandas with categories": lambda: pandas_frame().assign(uid=pd.Categorical([None, *MEMBERS[1:]])),
    "pandas with string type": lambda: pandas_frame().assign(uid=pd.array([None, *MEMBERS[1:]], "string[python]")),
    "Polars": lambda: polars_frame().with_columns(pl.Series("uid", [None, *MEMBERS[1:]])),
    "Polars with categories": lambda: polars_frame().with_columns(
        pl.Series("uid", [None, *MEMBERS[1:]], pl.Categorical)
    ),
    "Arrow": lambda: arrow_table().set_column(0, "uid", pa.array([None, *MEMBERS[1:]])),
    "Arrow with dictionaries": lambda: arrow_table().set_column(
        0, "uid", pa.array([None, *MEMBERS[1:]]).dictionary_encode()
    ),
}


@pytest.mark.parametrize("make", MISSING.values(), ids=MISSING)
def test_a_missing_member_is_refused_with_its_row(make):
    with pytest.raises(InvalidTypeError, match=r"^member: .*, got (None|nan) at row 0 \(1 of 5 rows\)$"):
        of_frame(make())


@pytest.mark.parametrize("name", ["pandas", "Polars", "Arrow"])
def test_a_missing_instant_is_refused_with_its_row(name):
    frame = FRAMES[name]()
    gap = [*AT[:3], None, AT[4]]
    if name == "pandas":
        frame = frame.assign(ts=pd.to_datetime(gap, utc=True))
    elif name == "Polars":
        frame = frame.with_columns(pl.Series("ts", gap))
    else:
        frame = frame.set_column(2, "ts", pa.array(gap))
    with pytest.raises(InvalidValueError, match=r"^at: .* at row 3 \(1 of 5 rows\)$"):
        of_frame(frame)


@pytest.mark.parametrize("name", ["mapping of lists", "pandas", "Polars", "Arrow", "Arrow batch"])
def test_a_column_that_is_not_there_is_refused_with_the_closest_one(name):
    with pytest.raises(
        UnknownLabelError,
        match=r"^member: expected one of the frame's columns \(uid, event, ts, amount, room, channel, age\), "
        r"got 'uidd'; did you mean 'uid'\?$",
    ):
        EventLog.from_frame(FRAMES[name](), member="uidd", kind="event", at="ts")
    with pytest.raises(UnknownLabelError, match=r"^extra: expected one of the frame's columns .*, got 'nope'$"):
        EventLog.from_frame(FRAMES[name](), member="uid", kind="event", at="ts", extra="nope")


def test_of_many_columns_only_some_are_named():
    with pytest.raises(UnknownLabelError, match=r"columns \(c0, c1, .*, c19, …\), got 'x'$"):
        frame_column({f"c{i}": [] for i in range(21)}, "x", argument="member")


@pytest.mark.parametrize("frame", [pl.LazyFrame(), 7, [1], "ann", None], ids=repr)
def test_what_is_no_frame_in_memory_is_refused(frame):
    with pytest.raises(InvalidTypeError, match=r"^frame: expected a .*data frame"):
        frame_column(frame, "uid", argument="member")


def test_a_name_that_two_columns_have_is_refused():
    twice = pd.DataFrame([[1, 2]], columns=["uid", "uid"])
    with pytest.raises(
        InvalidValueError, match=r"^member: expected a name that one column has, got 'uid', which 2 have$"
    ):
        frame_column(twice, "uid", argument="member")
    with pytest.raises(InvalidValueError, match=r"^member: expected a name that one column has"):
        frame_column(pa.table([[1], [2]], names=["uid", "uid"]), "uid", argument="member")


def decoded(column: Any) -> Any:
    plain = plain_column(column)
    return (plain.labels() if isinstance(plain, Coded) else np.asarray(plain)).tolist()


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([2**62, None]),
        pd.Series(pd.array([2**62, None], "Int64")),
        pd.array([2**62, None], "Int64"),
        pd.Series(pd.array([2**62, None], pd.ArrowDtype(pa.int64()))),
        pa.array([2**62, None]),
        pa.chunked_array([[2**62], [None]]),
    ],
    ids=["Polars", "pandas", "pandas array", "pandas of Arrow", "Arrow array", "Arrow chunks"],
)
def test_an_integer_beside_a_missing_one_is_not_changed(column):
    assert decoded(column) == [2**62, None]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pl.Series([0.5, None]), "[0.5, nan]"),
        (pa.array([0.5, None]), "[0.5, nan]"),
        (pd.Series([0.5, None]), "[0.5, nan]"),
        (pl.Series([None, None]), "[None, None]"),
        (pa.array([None, None]), "[None, None]"),
        (pl.Series([True, None]), "[True, None]"),
        (pa.array([True, None]), "[True, None]"),
        (pd.Series(pd.array([True, None], "boolean")), "[True, None]"),
        (pl.Series(["1.50"]).cast(pl.Decimal(10, 2)), "[Decimal('1.50')]"),
        (pa.array([1]).cast(pa.decimal128(25, 2)), "[Decimal('1.00')]"),
        (pd.Series(["a", "b"], dtype="category")[:0], "[]"),
        (pa.chunked_array([], pa.string()), "[]"),
        (pa.array(["a", None, "a"]).dictionary_encode(), "['a', None, 'a']"),
        (
            pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, None]), pa.array(["a", None, "a"])),
            "['a', None, 'a', None]",
        ),
        (pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array([3, 4])), "[4, 3]"),
        (pd.Series(["a", None, "b"], dtype="category").cat.remove_categories("b"), "['a', None, None]"),
        (pd.CategoricalIndex(["b", "a"]), "['b', 'a']"),
        (pl.Series([None, "b"], dtype=pl.Categorical), "[None, 'b']"),
        (pl.Series([None], dtype=pl.Categorical), "[None]"),
    ],
)
def test_no_value_is_changed_on_the_way(column, expected):
    assert str(decoded(column)) == expected


def test_text_and_categories_of_one_frame_come_in_order_of_appearance():
    for column in (
        pa.array(["b", "a", None, "b"]),
        pd.Series(["b", "a", None, "b"], dtype="category"),
        pl.Series(["b", "a", None, "b"], dtype=pl.Categorical),
        pl.Series(["b", "a", None, "b"], dtype=pl.Enum(["x", "a", "b"])),
    ):
        coded = plain_column(column)
        assert isinstance(coded, Coded)
        assert list(coded.index) == ["b", "a"]
        assert coded.codes.tolist() == [0, 1, -1, 0]


@pytest.mark.parametrize(
    "column",
    [pa.array(["1"]), pl.Series(["1"]), pd.Series(["1"], dtype="category")],
    ids=lambda column: type(column).__module__,
)
def test_text_is_neither_a_number_nor_an_instant(column):
    with pytest.raises(InvalidTypeError, match=r"^value: expected int or float, got '1' at row 0"):
        EventLog.from_columns(member=[1], kind="post", at=[0], time_unit="s", value=column)
    with pytest.raises(InvalidTypeError, match=r"^at: .*got '1' at row 0 \(1 of 1 rows\); text is not parsed$"):
        EventLog.from_columns(member=[1], kind="post", at=column)


@pytest.mark.parametrize("library", ["pandas", "Polars", "Arrow"])
def test_a_roster_is_made_from_the_columns_of_a_frame(library):
    joined, tags = [AT[0], None, AT[1]], [["tea", "hiking"], None, []]
    table = pa.table({"uid": ["ann", "bo", "cy"], "joined": joined, "city": ["沪", None, "沪"], "tags": tags})
    frame = {"pandas": table.to_pandas, "Polars": lambda: pl.from_arrow(table), "Arrow": lambda: table}[library]()
    roster = Roster.from_columns(
        member=frame["uid"], joined=frame["joined"], fields={"city": frame["city"]}, tags={"likes": frame["tags"]}
    )
    assert roster == Roster.from_columns(
        member=["ann", "bo", "cy"], joined=joined, fields={"city": ["沪", None, "沪"]}, tags={"likes": tags}
    )
