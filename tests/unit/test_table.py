from __future__ import annotations

import copy
import datetime as dt
import json
import pickle
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np
import pendulum
import pytest

from shequn.columns.table import Column, Tabular, render, render_html, width
from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.values.money import Money
from shequn.values.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shequn.columns.table import Lang

WEEKS = np.array(["2024-01-01", "2024-01-08", "2024-01-15"], dtype="datetime64[D]")


class Layer(StrEnum):
    ACTIVE = "active"
    SILENT = "silent"

    @property
    def zh(self) -> str:
        return {"active": "活跃", "silent": "沉默"}[self.value]

    @property
    def en(self) -> str:
        return self.value.title()


class LedgerRow(NamedTuple):
    period: pendulum.Date
    joined: int
    rate: float


@attrs.frozen(kw_only=True, eq=False)
class Ledger(Tabular[LedgerRow]):
    """A small result, whose table is not tidy: it adds a column that says in words what a number says."""

    _Row = LedgerRow

    periods: Any = WEEKS
    joined: Any = (1200, 40, 0)
    rate: Any = (np.nan, 0.5, 0.25)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        busy = Column(key="busy", en="busy", zh="忙", values=[joined > 100 for joined in self.joined])
        return [*self._tidy(), busy]

    def _tidy(self) -> Sequence[Column]:
        return [
            Column(key="period", en="week", zh="周", values=self.periods, format="date"),
            Column(key="joined", en="joined", zh="新增", values=self.joined, format="count"),
            Column(key="rate", en="rate", zh="留存率", values=self.rate, format="rate"),
        ]

    def _title(self, lang: Lang, /) -> str | None:
        return {"en": "Flow ledger", "zh": "流量账"}[lang]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        return ["末周未满" if lang == "zh" else "the last week is not over"]


@attrs.frozen(kw_only=True)
class Bare(Tabular):
    columns: list[Column]

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return self.columns


def column(values: Any, **options: Any) -> Column:
    return Column(**{"key": "x", "en": "x", "zh": "某", "values": values} | options)


def cells(values: Any, lang: Lang = "en", **options: Any) -> list[str]:
    """Return what the rows of a column print, without the spaces around."""
    return [line.strip() for line in render([column(values, **options)], lang=lang).split("\n")[2:]]


# The layout


def test_a_table_stands_in_english_with_numbers_on_the_right_and_text_on_the_left() -> None:
    assert Ledger().table() == (
        "Flow ledger\n"
        "week        joined   rate  busy\n"
        "───────────────────────────────\n"
        "2024-01-01   1,200      –  yes\n"
        "2024-01-08      40  50.0%  no\n"
        "2024-01-15       0  25.0%  no\n"
        "the last week is not over"
    )


def test_a_table_stands_in_chinese_with_each_ideograph_as_wide_as_two_digits() -> None:
    assert Ledger().table(lang="zh") == (
        "流量账\n"
        "周           新增  留存率  忙\n"
        "─────────────────────────────\n"
        "2024-01-01  1,200       –  是\n"
        "2024-01-08     40   50.0%  否\n"
        "2024-01-15      0   25.0%  否\n"
        "末周未满"
    )


@pytest.mark.parametrize(("lang", "remark"), [("en", "(no rows)"), ("zh", "（无数据）")])
def test_an_empty_table_prints_its_header_and_says_that_there_are_no_rows(lang: Lang, remark: str) -> None:
    lines = Ledger(periods=WEEKS[:0], joined=(), rate=()).table(lang=lang).split("\n")
    assert len(lines) == 5
    assert lines[3] == remark


def test_a_long_table_shows_the_first_and_last_rows_and_counts_the_rest() -> None:
    table = render([column(np.arange(2000), format="count")], max_rows=5)
    assert [line.strip() for line in table.split("\n")[2:]] == [
        "0", "1", "2", "… 1,995 rows left out …", "1,998", "1,999"
    ]  # fmt: skip
    assert "… 略去 1,995 行 …" in render([column(np.arange(2000))], max_rows=5, lang="zh")


def test_one_row_at_most_is_the_first() -> None:
    assert cells([7, 8, 9]) == ["7", "8", "9"]
    assert render([column([7, 8, 9])], max_rows=1).split("\n")[2:] == ["7", "… 2 rows left out …"]


def test_a_table_no_longer_than_allowed_is_whole() -> None:
    assert render([column([7, 8, 9])], max_rows=3) == render([column([7, 8, 9])])
    assert render([column([7, 8, 9])], max_rows=np.int64(3)) == render([column([7, 8, 9])])  # type: ignore[arg-type]


def test_a_wide_triangle_stays_aligned() -> None:
    n = 12
    rates = np.where(np.add.outer(np.arange(n), np.arange(n)) < n, 1 / (1 + np.arange(n)), np.nan)
    triangle = [
        Column(key="cohort", en="cohort", zh="群组", values=np.arange("2024-01", "2025-01", dtype="datetime64[M]")),
        *(Column(key=f"o{k}", en=f"+{k}", zh=f"第{k}周", values=rates[:, k], format="rate") for k in range(n)),
        Column(key="end", en="|", zh="|", values=["|"] * n),
    ]
    for lang in ("en", "zh"):
        assert len({width(line) for line in render(triangle, lang=lang).split("\n")}) == 1


def test_no_line_ends_in_a_space() -> None:
    table = render([column(["a", "bbbb "]), column(["", "\u3000"], key="y")], title="t  ", notes=["n \u00a0"])
    assert [line for line in table.split("\n") if line != line.rstrip()] == []


def test_the_string_of_a_long_result_is_shortened_and_its_table_is_not() -> None:
    n = 300
    long = Ledger(periods=np.repeat(WEEKS[:1], n), joined=np.arange(n), rate=np.zeros(n))
    assert len(str(long).split("\n")) == 1 + 2 + 50 + 1 + 50 + 1
    assert "200 rows left out" in str(long)
    assert "200 rows left out" in long._repr_html_()
    assert len(long.table().split("\n")) == 1 + 2 + n + 1
    assert str(Ledger()) == Ledger().table()


# The cells


def test_counts_are_grouped_whole_and_exact() -> None:
    assert cells([0, -1234567, 2**63 - 1], format="count") == ["0", "-1,234,567", "9,223,372,036,854,775,807"]
    assert cells([2**70], format="count") == [f"{2**70:,}"]
    assert cells(np.array([12.6, -0.2]), format="count") == ["13", "0"]
    assert cells([12], format="count", digits=2) == ["12.00"]
    assert cells(np.array([12.65]), format="count", digits=1) in (["12.7"], ["12.6"])


def test_rates_are_per_cent_and_never_minus_nothing() -> None:
    assert cells([0.12345, 1, -0.5, -0.0, 12.3], format="rate") == ["12.3%", "100.0%", "-50.0%", "0.0%", "1230.0%"]
    assert cells([0.12345], format="rate", digits=3) == ["12.345%"]
    assert cells([Rate(1, 3), Rate(0, 0), Fraction(1, 8), "n/a"], format="rate") == ["33.3%", "–", "12.5%", "n/a"]


def test_money_keeps_its_currency_and_plain_amounts_their_kind() -> None:
    assert cells([Money(123456789, "CNY"), Money(-5, "CNY"), None, Money(1234, "JPY")], format="money") == [
        "1,234,567.89 CNY", "-0.05 CNY", "–", "1,234 JPY"
    ]  # fmt: skip
    assert cells([1234, 5], format="money") == ["1,234", "5"]
    assert cells([1234.5, 5.0], format="money") == ["1,234.50", "5.00"]
    assert cells([Money(5, "CNY"), 1.5], format="money") == ["0.05 CNY", "1.50"]
    assert cells([Decimal("1.10")], format="money") == ["1.10"]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.5, 0.25], ["0.50", "0.25"]),
        ([1.0, 1234567.0, 0.0], ["1", "1,234,567", "0"]),
        ([3.14159], ["3.142"]),
        ([0.5, 1500.25], ["0.50", "1,500.25"]),
        ([1500.25], ["1,500"]),
        ([123.456, np.nan, -0.0], ["123.5", "–", "0.0"]),
        ([0.00135, 12.5], ["0.0014", "12.5000"]),
        ([0.0012346], ["0.001235"]),
        ([0.001, 12.5], ["0.001", "12.500"]),
        ([0.0000512, 1.0], ["5.120e-05", "1"]),
        ([-1.23e-7, 0.0005], ["-1.230e-07", "5.000e-04"]),
        ([1.2345e15, 1.0], ["1.234e+15", "1"]),
        ([np.inf, -np.inf], ["∞", "-∞"]),
        ([0.0], ["0"]),
        ([], ["(no rows)"]),
    ],
)
def test_numbers_show_as_many_decimals_as_their_column_needs(values: list[float], shown: list[str]) -> None:
    assert cells(np.array(values), format="number") == shown


def test_numbers_with_digits_show_those_and_integers_stay_whole() -> None:
    assert cells(np.array([1e-7, 1e15]), format="number", digits=2) == ["0.00", "1,000,000,000,000,000.00"]
    assert cells([10**17 + 1, 3], format="number") == ["100,000,000,000,000,001", "3"]
    assert cells(np.array([0.1], dtype=np.float32), format="number") == ["0.1"]


def test_text_takes_numbers_as_they_are_and_puts_them_on_the_right() -> None:
    assert render([column([5, 2024])]).split("\n")[2:] == ["   5", "2024"]
    assert cells(np.array([0.1, 2.0])) == ["0.1", "2.0"]
    assert cells([1234567]) == ["1234567"]
    assert cells(np.array(["a", "b"])) == ["a", "b"]
    assert cells(np.array(["a"], dtype=np.dtypes.StringDType())) == ["a"]


def test_a_taxonomy_is_shown_by_its_label_in_the_language_of_the_table() -> None:
    assert cells([Layer.ACTIVE, Layer.SILENT], lang="zh") == ["活跃", "沉默"]
    assert cells([Layer.ACTIVE], lang="en") == ["Active"]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([dt.date(2024, 1, 1), None], ["2024-01-01", "–"]),
        ([pendulum.date(2024, 1, 1)], ["2024-01-01"]),
        ([np.datetime64("2024-01-01"), np.datetime64("NaT")], ["2024-01-01", "–"]),
        (np.array(["2024-01-01T13"], dtype="datetime64[h]"), ["2024-01-01 13:00"]),
        (np.array(["2024-01-01T13:05:09"], dtype="datetime64[s]"), ["2024-01-01 13:05:09"]),
        (np.array(["2024-01"], dtype="datetime64[M]"), ["2024-01"]),
        (np.array(["2024"], dtype="datetime64[Y]"), ["2024"]),
        (np.array(["2024-01-04"], dtype="datetime64[W]"), ["2024-01-04"]),
        (np.array(["NaT"], dtype="datetime64"), ["–"]),
        ([pendulum.datetime(2024, 1, 1, 8, tz="Asia/Shanghai")], ["2024-01-01 08:00:00+08:00"]),
    ],
)
def test_dates_are_written_as_their_unit_says(values: Any, shown: list[str]) -> None:
    assert cells(values, format="date") == shown


def test_every_null_prints_as_a_dash() -> None:
    assert cells([None, "a", np.nan, float("nan"), None]) == ["–", "a", "–", "–", "–"]
    assert cells([3, -1], format="count", null=-1) == ["3", "–"]
    assert cells([3, -1], format="count") == ["3", "-1"]
    assert cells([True, None]) == ["yes", "–"]
    assert cells([False, True], null=0) == ["no", "yes"]
    for how in ("count", "rate", "money"):
        assert cells([False, True], format=how) == ["no", "yes"]
    assert cells([np.datetime64("NaT"), "a"]) == ["–", "a"]


# Hostile text


def test_a_label_with_escapes_line_breaks_and_reversals_is_shown_and_not_obeyed() -> None:
    hostile = ["\x1b[31mred", "a\nb\tc\r", "\u202etxt.exe", "\u2028", "\x00", "\ud800", "\u200f", "\x9b", "\ufeff"]
    shown = [
        "\\x1b[31mred",
        "a\\nb\\tc\\r",
        "\\u202etxt.exe",
        "\\u2028",
        "\\x00",
        "\\ud800",
        "\\u200f",
        "\\x9b",
        "\\ufeff",
    ]
    assert cells(hostile) == shown
    table = render([column([1], en="a\nb")], title="\x1b]0;owned\x07", notes=["x\ny"])
    assert table == "\\x1b]0;owned\\x07\na\\nb\n────\n   1\nx\\ny"


def test_joiners_that_names_and_emoji_need_are_kept() -> None:
    kept = ["👩\u200d💻", "نمی\u200cشود", "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "नि"]
    assert cells(kept) == kept


def test_long_text_is_cut_at_48_cells_and_an_emoji_is_not_cut_in_two() -> None:
    assert cells(["x" * 48, "x" * 49]) == ["x" * 48, "x" * 47 + "…"]
    assert cells(["摄" * 24, "摄" * 25]) == ["摄" * 24, "摄" * 23 + "…"]
    family = "👨\u200d👩\u200d👧"
    assert cells([family * 25]) == [family * 23 + "…"]
    assert cells(["e" + "\u0301" * 500]) == ["…"]
    assert cells(["x" * 40 + "\u0301" * 152]) == ["x" * 40 + "\u0301" * 152]
    assert render([column([1], en="h" * 60)]).startswith("h" * 47 + "…\n")


@pytest.mark.parametrize(
    ("text", "wide"),
    [
        ("", 0),
        ("abc", 3),
        ("留量", 4),
        ("（）", 4),
        ("ｱ", 1),
        ("，", 2),
        ("–…─∞", 4),
        ("é", 1),
        ("e\u0301\u20dd", 1),
        ("\u200d\u200b\x1b\n", 0),
        ("한국어", 6),
        ("\u1112\u1161\u11ab", 2),
        ("😀", 2),
        ("👍🏽", 2),
        ("☝🏽", 2),
        ("🏽", 2),
        ("👨\u200d👩\u200d👧\u200d👦", 2),
        ("👨\u200d❤\ufe0f\u200d👨", 2),
        ("🏳\ufe0f\u200d🌈", 2),
        ("🙂\u200d↔\ufe0f", 2),
        ("❤", 1),
        ("❤\ufe0f", 2),
        ("1\ufe0f\u20e3", 2),
        ("\N{INFORMATION SOURCE}\ufe0f", 2),
        ("a\ufe0f", 1),
        ("摄\ufe0f", 2),
        ("\ufe0f❤", 1),
        (" \u200d😀", 3),
        ("🇨🇳", 2),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 2),
        ("\U0001fae9", 2),
        ("\u0378", 1),
        ("\U0002fa20", 2),
    ],
)
def test_width_counts_the_cells_a_terminal_uses(text: str, wide: int) -> None:
    assert width(text) == wide


# HTML


class Outline(HTMLParser):
    """Collects the tags, the attributes and the text of each cell."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data.strip("\n")


def test_a_notebook_gets_one_semantic_table() -> None:
    assert Ledger()._repr_html_() == (
        '<table class="tex2jax_ignore" lang="en">\n'
        '<caption style="text-align:left">Flow ledger</caption>\n'
        "<thead>\n"
        '<tr><th scope="col" style="text-align:left;white-space:nowrap">week</th>'
        '<th scope="col" style="text-align:right;white-space:nowrap">joined</th>'
        '<th scope="col" style="text-align:right;white-space:nowrap">rate</th>'
        '<th scope="col" style="text-align:left">busy</th></tr>\n'
        "</thead>\n"
        "<tbody>\n"
        '<tr><th scope="row" style="text-align:left;white-space:nowrap;font-weight:normal">2024-01-01</th>'
        '<td style="text-align:right;white-space:nowrap">1,200</td>'
        '<td style="text-align:right;white-space:nowrap">–</td><td style="text-align:left">yes</td></tr>\n'
        '<tr><th scope="row" style="text-align:left;white-space:nowrap;font-weight:normal">2024-01-08</th>'
        '<td style="text-align:right;white-space:nowrap">40</td>'
        '<td style="text-align:right;white-space:nowrap">50.0%</td><td style="text-align:left">no</td></tr>\n'
        '<tr><th scope="row" style="text-align:left;white-space:nowrap;font-weight:normal">2024-01-15</th>'
        '<td style="text-align:right;white-space:nowrap">0</td>'
        '<td style="text-align:right;white-space:nowrap">25.0%</td><td style="text-align:left">no</td></tr>\n'
        "</tbody>\n"
        "<tfoot>\n"
        '<tr><td colspan="4" style="text-align:left">the last week is not over</td></tr>\n'
        "</tfoot>\n"
        "</table>"
    )


def test_a_result_without_a_title_is_named_by_what_it_is() -> None:
    @attrs.frozen(kw_only=True)
    class GroupSizes(Tabular[Any]):
        def _columns(self, _lang: Any, /) -> list[Column]:
            return [column([1])]

    assert '<caption style="text-align:left">Group sizes</caption>' in GroupSizes()._repr_html_()
    assert "Group sizes" not in str(GroupSizes())


def test_html_in_labels_titles_notes_and_headers_is_text() -> None:
    evil = "</td><script>alert('1')</script><img src=\"x\" onerror=y>&amp;\x1b"
    html = render_html([column([evil], en=evil, zh=evil)], title=evil, notes=[evil], lang="zh")
    outline = Outline(html)
    assert outline.tags == ["table", "caption", "thead", "tr", "th", "tbody", "tr", "th", "tfoot", "tr", "td"]
    assert {name for name, _ in outline.attributes} == {"class", "lang", "style", "scope", "colspan"}
    assert [text for text in outline.texts if text] == [evil.replace("\x1b", "\\x1b")] * 4


def test_html_says_which_rows_it_leaves_out_and_does_not_shorten_text() -> None:
    html = render_html([column(["x" * 200, "b", "c", "d"])], max_rows=2)
    assert [text for text in Outline(html).texts if text] == ["x", "x" * 200, "… 2 rows left out …", "d"]
    assert "(no rows)" in render_html([column([])])


# Columns


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, 2], np.int64),
        ((1, np.int8(2)), np.int64),
        (range(3), np.int64),
        ([1, None], np.float64),
        ([1, 2.5], np.float64),
        ([Fraction(1, 2)], np.float64),
        ([2**63], object),
        ([2**53 + 1, None], object),
        ([10**400, None], object),
        ([Fraction(1, 3)], object),
        ([True, False], np.bool_),
        ([True, None], object),
        ([True, 1], object),
        ([1, "a"], object),
        (["a", None], object),
        ([("a", 1), ("b", 2)], object),
        ([], object),
        ([None], object),
        ([dt.date(2024, 1, 1), None], "datetime64[D]"),
        ([dt.datetime(2024, 1, 1, tzinfo=dt.UTC)], object),
        (np.array([1, 2], dtype=">i4"), np.dtype("<i4")),
    ],
)
def test_a_sequence_gets_the_dtype_that_keeps_its_values(values: Any, dtype: Any) -> None:
    assert column(values).values.dtype == np.dtype(dtype)
    assert len(column(values).values) == len(values)


@pytest.mark.parametrize(
    ("how", "dtype"),
    [("count", "int64"), ("number", "float64"), ("rate", "float64"), ("date", "M8[D]"), ("text", "O"), ("money", "O")],
)
def test_an_empty_sequence_has_the_dtype_of_its_format(how: Any, dtype: str) -> None:
    assert column([], format=how).values.dtype == np.dtype(dtype)
    assert not column([], format=how).values.flags.writeable
    assert column(np.zeros(0, dtype=np.int32), format=how).values.dtype == np.int32


def test_values_are_read_only_and_the_callers_array_is_left_alone() -> None:
    given = np.arange(3)
    kept = column(given).values
    given[0] = 99
    assert kept.tolist() == [0, 1, 2]
    assert given.flags.writeable
    assert not kept.flags.writeable
    assert column(kept).values is kept
    swapped = np.arange(3, dtype=">i8")
    swapped.setflags(write=False)
    assert column(swapped).values.dtype.isnative
    assert column(swapped).values.tolist() == [0, 1, 2]
    assert attrs.evolve(column(kept), format="count").values is kept


def test_a_column_comes_back_from_pickle_and_copy_with_read_only_values() -> None:
    first = column([1, None], format="rate", digits=3, null=-1)
    for again in (pickle.loads(pickle.dumps(first)), copy.deepcopy(first)):  # noqa: S301
        assert [again.key, again.en, again.zh, again.format, again.digits, again.null] == [
            "x",
            "x",
            "某",
            "rate",
            3,
            -1,
        ]
        assert again.values.tolist()[0] == 1.0
        assert not again.values.flags.writeable


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"values": "abc"}, InvalidTypeError, r"values: expected a sequence or an array, got 'abc'"),
        ({"values": 3}, InvalidTypeError, r"values: expected a sequence or an array, got 3"),
        ({"values": np.zeros((2, 2))}, InvalidValueError, r"values: expected one dimension, got \(2, 2\)"),
        ({"values": np.array(1)}, InvalidValueError, r"values: expected one dimension, got \(\)"),
        (
            {"values": np.zeros(2, complex)},
            InvalidTypeError,
            r"values: expected numbers, booleans, .* got 'complex128'",
        ),
        ({"values": np.zeros(2, "m8[D]")}, InvalidTypeError, r"values: expected .* got 'timedelta64\[D\]'"),
        ({"format": "percent"}, InvalidValueError, r"format: expected one of 'text', 'count', .*, got 'percent'"),
        ({"digits": -1}, InvalidValueError, r"digits: expected an integer from 0 to 15, or None, got -1"),
        ({"digits": 16}, InvalidValueError, r"digits: .* got 16"),
        ({"digits": True}, InvalidValueError, r"digits: .* got True"),
        ({"digits": 1.5}, InvalidValueError, r"digits: .* got 1.5"),
    ],
)
def test_a_column_that_no_table_can_show_is_refused(options: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        column(**{"values": [1]} | options)


@pytest.mark.parametrize("draw", [render, render_html])
def test_a_table_that_cannot_be_drawn_is_refused(draw: Any) -> None:
    with pytest.raises(InvalidValueError, match=r"columns: expected at least one column, got \[\]"):
        draw([])
    with pytest.raises(InvalidValueError, match=r"columns: expected 2 values in 'y', as many as in 'x', got 3"):
        draw([column([1, 2]), column([1, 2, 3], key="y")])
    with pytest.raises(InvalidValueError, match=r"columns: expected each key once, got 'x'"):
        draw([column([1]), column([1])])
    for lang, error in (
        ("fr", InvalidValueError),
        (None, InvalidTypeError),
        (np.array(["en", "zh"]), InvalidTypeError),
    ):
        with pytest.raises(error, match=r"^lang: expected one of 'en', 'zh', got "):
            draw([column([1])], lang=lang)
    for max_rows in (0, -1, True, 1.5, "3"):
        with pytest.raises(InvalidValueError, match=r"max_rows: expected a positive integer or None, got "):
            draw([column([1])], max_rows=max_rows)


def test_the_language_is_checked_before_the_result_is_asked_for_its_columns() -> None:
    for ask in (Ledger().table, Ledger().to_dict):
        with pytest.raises(InvalidValueError, match=r"lang: expected one of 'en', 'zh', got 'fr'"):
            ask(lang="fr")  # type: ignore[arg-type]


# What a program gets


def test_to_columns_is_tidy_and_read_only_where_the_table_is_not() -> None:
    columns = Ledger().to_columns()
    assert list(columns) == ["period", "joined", "rate"]
    assert [values.dtype.str for values in columns.values()] == ["<M8[D]", "<i8", "<f8"]
    assert not any(values.flags.writeable for values in columns.values())
    assert np.isnan(columns["rate"][0])


def test_a_result_without_tidy_columns_of_its_own_gives_those_of_its_table() -> None:
    assert Bare(columns=[column([1])]).to_columns()["x"].tolist() == [1]
    assert str(Bare(columns=[column([1])])) == "x\n─\n1"


def test_unequal_tidy_columns_are_refused() -> None:
    bad = Bare(columns=[column([1, 2]), column([1], key="y")])
    for ask in (bad.to_columns, bad.to_dict, bad.table, bad.rows):
        with pytest.raises(InvalidValueError, match=r"columns: expected 2 values in 'y', as many as in 'x', got 1"):
            ask()


def test_to_dict_is_json_with_null_for_what_is_missing() -> None:
    result = Ledger(rate=(np.nan, np.inf, 0.25))
    assert json.loads(json.dumps(result.to_dict(lang="zh"), allow_nan=False)) == {
        "title": "流量账",
        "columns": {
            "period": ["2024-01-01", "2024-01-08", "2024-01-15"],
            "joined": [1200, 40, 0],
            "rate": [None, None, 0.25],
        },
        "notes": ["末周未满"],
    }
    assert list(result.to_dict()) == ["title", "columns", "notes"]
    assert result.to_dict()["title"] == "Flow ledger"


@pytest.mark.parametrize(
    ("values", "plain"),
    [
        ([np.int64(1), np.True_, np.str_("a")], [1, True, "a"]),
        (np.array([True]), [True]),
        (np.array(["2024-01-01T13"], dtype="datetime64[h]"), ["2024-01-01T13:00"]),
        (np.array(["2024-01-01", "NaT"], dtype="datetime64[D]"), ["2024-01-01", None]),
        ([pendulum.datetime(2024, 1, 1)], ["2024-01-01T00:00:00+00:00"]),
        ([pendulum.date(2024, 1, 1), "a"], ["2024-01-01", "a"]),
        ([Layer.ACTIVE, Layer.SILENT], ["active", "silent"]),
        ([Money(5, "CNY"), None], [{"minor": 5, "currency": "CNY"}, None]),
        ([Rate(1, 2)], [{"hits": 1, "trials": 2}]),
        ([Decimal("1.10"), "a"], ["1.10", "a"]),
        ([1, "a", np.nan], [1, "a", None]),
        (["a", float("inf")], ["a", None]),
    ],
)
def test_to_dict_makes_plain_values_of_everything(values: Any, plain: list[Any]) -> None:
    given = Bare(columns=[column(values)]).to_dict()["columns"]["x"]
    assert json.loads(json.dumps(given, allow_nan=False)) == plain
    assert [type(value) for value in given] == [type(value) for value in plain]


def test_to_dict_gives_none_for_the_integer_that_means_missing() -> None:
    assert Bare(columns=[column([3, -1], null=-1)]).to_dict() == {"columns": {"x": [3, None]}}


def test_rows_are_frozen_records_of_python_and_pendulum_values() -> None:
    first, second, third = Ledger().rows()
    assert isinstance(first, LedgerRow)
    assert isinstance(first.period, pendulum.Date)
    assert not isinstance(first.period, dt.datetime)
    assert np.isnan(first.rate)
    assert second == LedgerRow(pendulum.date(2024, 1, 8), 40, 0.5)
    assert [type(value) for value in second] == [pendulum.Date, int, float]
    assert Ledger().last() == third == LedgerRow(pendulum.date(2024, 1, 15), 0, 0.25)


def test_rows_of_local_hours_are_naive_and_not_a_time_is_none() -> None:
    hours = Ledger(periods=np.array(["2024-01-01T13", "NaT"], dtype="datetime64[h]"), joined=[1, 2], rate=np.zeros(2))
    first, second = hours.rows()
    assert first.period == pendulum.naive(2024, 1, 1, 13)
    assert isinstance(first.period, pendulum.DateTime)
    assert second.period is None
    fine = Ledger(periods=np.array(["2024-01-01T13:05:09.000007"], dtype="datetime64[us]"), joined=[1], rate=[0.5])
    assert fine.last().period == pendulum.naive(2024, 1, 1, 13, 5, 9, 7)
    assert Ledger(periods=np.array(["2024-02", "NaT"], "M8[M]"), joined=[1, 2], rate=[0.5, 0.5]).last().period is None


def test_the_last_row_of_nothing_is_an_error() -> None:
    empty = Ledger(periods=WEEKS[:0], joined=np.zeros(0, int), rate=np.zeros(0))
    assert list(empty.rows()) == []
    with pytest.raises(InvalidValueError, match=r"last: expected a result with at least one row, got 0"):
        empty.last()


def test_a_result_without_a_record_says_so() -> None:
    bare = Bare(columns=[column([1])])
    for ask, name in ((bare.rows, "rows"), (bare.last, "last")):
        with pytest.raises(InvalidTypeError, match=rf"{name}: expected a result that has records .*, got 'Bare'"):
            ask()


def test_a_result_has_slots_and_must_say_its_columns() -> None:
    assert not hasattr(Ledger(), "__dict__")
    with pytest.raises(TypeError, match="abstract"):
        Tabular()  # type: ignore[abstract]
