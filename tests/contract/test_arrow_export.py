"""Every tabular result that an example of the library makes goes out through Arrow, and is there what it is here."""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pytest
from test_public_face import CLASSES, EXPLAINED, run_examples

from shequn.columns import Column, Tabular
from shequn.columns.arrow.exporting import n_lent
from shequn.errors import InvalidValueError
from shequn.values import Money

if TYPE_CHECKING:
    from collections.abc import Iterator

pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")

RESULTS = [public for public in CLASSES if issubclass(public.thing, Tabular) and public.thing is not Tabular]
MOST = 12


@pytest.fixture(scope="module")
def results() -> dict[type, list[Tabular]]:
    """The results that docstring examples make on the way."""
    found: dict[type, list[Tabular]] = {public.thing: [] for public in RESULTS}

    def keep(value: object) -> None:
        kept = found.get(type(value))
        if kept is not None and len(kept) < MOST and not any(value is other for other in kept):
            kept.append(value)  # type: ignore[arg-type]

    assert EXPLAINED
    run_examples(keep, lambda _frame, event, value: keep(value) if event == "return" else None)
    return found


def plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Enum):
        return value.value
    return {"minor": value.minor, "currency": value.currency} if isinstance(value, Money) else value


def expected(column: Column) -> list[Any]:
    values = (
        column.values.astype("M8[D]") if column.values.dtype.kind == "M" and is_day(column.values) else column.values
    )
    items = [plain(item) for item in values.tolist()]
    return [None if column.null is not None and item == column.null else item for item in items]


def is_day(values: Any) -> bool:
    return np.datetime_data(values.dtype)[0] in {"Y", "M", "W", "D"}


def same(one: Any, other: Any) -> bool:
    return bool(one == other or (one != one and other != other))  # noqa: PLR0124


@pytest.mark.parametrize("public", RESULTS, ids=str)
def test_a_result_is_the_same_on_the_other_side(public, results):
    assert results[public.thing], f"no docstring example makes a {public.name}"
    for result in results[public.thing]:
        table = pa.table(result)
        table.validate(full=True)
        assert table.column_names == list(result.to_columns())
        for column in result._tidy():
            got = table[column.key].to_pylist()
            assert len(got) == len(column.values)
            assert all(map(same, got, expected(column))), column.key
        # A breakdown is a mapping, which Polars would rather have column by column.
        assert pl.DataFrame(table if isinstance(result, Mapping) else result).shape == table.shape


def addresses(result: Tabular) -> Iterator[tuple[str, int, int]]:
    """Columns of numbers that a result keeps (others it makes when it is asked): name, address here and there."""
    columns, again, table = result.to_columns(), result.to_columns(), pa.table(result)
    for name, values in columns.items():
        if values.dtype.kind in "iuf" and values.flags.c_contiguous and len(values) and not table[name].null_count:
            here = values.ctypes.data
            if again[name].ctypes.data == here:
                yield name, here, table[name].chunk(0).buffers()[1].address


@pytest.mark.parametrize("public", RESULTS, ids=str)
def test_numbers_of_a_result_are_lent_and_not_copied(public, results):
    for result in results[public.thing]:
        for name, here, there in addresses(result):
            assert here == there, name


def test_of_hundreds_of_columns_it_can_be_told_that_they_are_lent(results):
    assert sum(1 for made in results.values() for result in made for _ in addresses(result)) >= 400


def test_nothing_stays_lent_when_a_table_is_gone(results):
    gc.collect()
    before = n_lent()
    for made in results.values():
        for result in made:
            pa.table(result)
    gc.collect()
    assert n_lent() == before


def columns_of(**values: Any) -> Tabular:
    @attrs.frozen(kw_only=True)
    class Some(Tabular):
        def _columns(self, _lang: Any, /) -> list[Column]:
            return [Column(key=name, en=name, zh=name, values=column) for name, column in values.items()]

    return Some()


def test_objects_become_what_all_of_them_are():
    utc = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
    table = pa.table(
        columns_of(
            flag=np.array([True, None], dtype=object),
            count=np.array([2**62, None], dtype=object),
            big=np.array([2**70, None], dtype=object),
            rate=np.array([0.5, None], dtype=object),
            day=np.array([dt.date(2024, 3, 1), None], dtype=object),
            at=np.array([utc, None], dtype=object),
            spent=np.array([Money(100, "CNY"), None], dtype=object),
            mixed=np.array(["a", 1], dtype=object),
            fixed=np.array(["沪", "b"]),
            month=np.array(["2024-03", "NaT"], "M8[M]"),
            hour=np.array(["2024-03-01T08", "NaT"], "M8[h]"),
            nothing=np.array([None, None], dtype=object),
        )
    )
    table.validate(full=True)
    row, gone = table.to_pylist()
    assert row == {
        "flag": True, "count": 2**62, "big": str(2**70), "rate": 0.5, "day": dt.date(2024, 3, 1), "at": utc,
        "spent": {"minor": 100, "currency": "CNY"}, "mixed": "a", "fixed": "沪", "month": dt.date(2024, 3, 1),
        "hour": dt.datetime(2024, 3, 1, 8),  # noqa: DTZ001
        "nothing": None,
    }  # fmt: skip
    assert {name for name, value in gone.items() if value is not None} == {"mixed", "fixed"}


def test_a_text_that_utf8_cannot_hold_is_refused():
    with pytest.raises(ValueError, match=r"^name: expected text that UTF-8 can hold, got .* at row 1"):
        pa.table(columns_of(name=np.array(["a", "\ud800"], dtype=object)))


def test_an_amount_of_money_beyond_64_bits_is_refused_with_its_row():
    most = Money(2**63 - 1, "CNY")
    assert pa.table(columns_of(spent=np.array([most], dtype=object)))["spent"].to_pylist()[0]["minor"] == most.minor
    spent = np.array([None, most, Money(2**63, "CNY")], dtype=object)
    with pytest.raises(InvalidValueError, match=r"^spent: expected amounts of money that fit 64 bits .* at row 2$"):
        pa.table(columns_of(spent=spent))


@pytest.mark.parametrize("name", ["a\0b", "a\ud800"])
def test_a_name_that_arrow_cannot_hold_is_refused(name):
    with pytest.raises(InvalidValueError, match=r"^name: expected the name of a column that Arrow can hold, got 'a"):
        pa.table(columns_of(**{name: np.array([1])}))
