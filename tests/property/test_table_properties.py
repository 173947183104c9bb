from __future__ import annotations

import json
import math
import unicodedata
from html import unescape
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shequn.columns.table import Column, Tabular, render, render_html, width

if TYPE_CHECKING:
    from shequn.columns.table import Format, Lang

# Text as hostile as it comes, with the characters that change the width of their neighbours more often.
SPECIAL = "\u200d\ufe0f\u0301🏽❤👩💻🇨🇳1留ｱ각\u1161\x1b\n\t\r\u202e\u2028\ud800 \u3000<&\"'"
TEXTS = st.text(st.one_of(st.characters(), st.sampled_from(SPECIAL)), max_size=60)
LABELS = st.one_of(TEXTS, st.none(), st.integers(), st.floats(), st.booleans(), st.tuples(TEXTS))
LANGS = st.sampled_from(["en", "zh"])
FORMATS: st.SearchStrategy[Format] = st.sampled_from(["text", "count", "number", "rate", "date", "money"])
DTYPES = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(),
    hnp.unsigned_integer_dtypes(),
    hnp.floating_dtypes(sizes=(32, 64)),
    hnp.datetime64_dtypes(max_period="Y", min_period="us"),
    hnp.unicode_string_dtypes(max_len=8),
)
DAYS = st.integers(-700_000, 2_900_000)


@st.composite
def columns(draw: st.DrawFn) -> list[Column]:
    """Draw columns of any kind, and a bar as the last: each line of a straight table then ends in the same cell."""
    n_rows = draw(st.integers(0, 6))
    blocks: list[Any] = draw(
        st.lists(st.one_of(st.lists(LABELS, min_size=n_rows, max_size=n_rows), _arrays(n_rows)), max_size=4)
    )
    drawn = [
        Column(
            key=str(i),
            en=draw(TEXTS),
            zh=draw(TEXTS),
            values=block,
            format=draw(FORMATS),
            digits=draw(st.none() | st.integers(0, 15)),
            null=draw(st.none() | st.just(-1)),
        )
        for i, block in enumerate(blocks)
    ]
    return [*drawn, Column(key="bar", en="|", zh="|", values=np.repeat("|", n_rows))]


def _arrays(n_rows: int) -> st.SearchStrategy[Any]:
    return DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, n_rows, elements=_small_dates(dtype)))


def _small_dates(dtype: np.dtype[Any]) -> st.SearchStrategy[Any] | None:
    if dtype.kind != "M":
        return None
    return st.one_of(st.just(np.datetime64("NaT")), DAYS.map(lambda day: np.datetime64(day, "D"))).map(
        lambda day: day.astype(dtype)
    )


@attrs.frozen
class Result(Tabular):
    columns: list[Column]

    def _columns(self, _lang: Lang, /) -> list[Column]:
        return self.columns


@given(columns(), LANGS)
def test_every_line_of_a_table_ends_in_the_same_cell(drawn: list[Column], lang: Any) -> None:
    lines = render(drawn, lang=lang).split("\n")
    if len(drawn[0].values) == 0:
        assert lines.pop() in {"(no rows)", "（无数据）"}
    assert len(lines) == 2 + len(drawn[0].values)
    assert len({width(line) for line in lines}) == 1
    assert all(line.endswith("|") for line in (*lines[:1], *lines[2:]))


@given(columns(), LANGS, TEXTS, st.lists(TEXTS, max_size=2))
def test_no_text_adds_a_line_or_reaches_the_terminal_as_a_command(
    drawn: list[Column], lang: Any, title: str, notes: list[str]
) -> None:
    table = render(drawn, lang=lang, title=title, notes=notes)
    n_rows = len(drawn[0].values)
    assert table.count("\n") == bool(title) + 1 + (n_rows or 1) + len(notes)
    allowed = {"\n", "\u200c", "\u200d"} | {chr(code) for code in range(0xE0020, 0xE0080)}
    assert [c for c in table if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and c not in allowed] == []
    assert table.encode("utf-8")
    assert all(line == line.rstrip() for line in table.split("\n"))


@given(TEXTS, TEXTS)
@example("❤", "\ufe0f")
@example("👩\u200d", "💻")
def test_width_adds_up_over_the_gap_between_two_cells(left: str, right: str) -> None:
    assert width(left + "  " + right) == width(left) + 2 + width(right)
    assert 0 <= width(left) <= 2 * len(left)


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)))
def test_an_ideograph_takes_two_cells(text: str) -> None:
    assert width(text) == 2 * len(text)


@given(st.integers(0, 30), st.integers(1, 40))
def test_rows_shown_and_rows_left_out_are_all_rows(n_rows: int, max_rows: int) -> None:
    table = render([Column(key="row", en="row", zh="行", values=np.arange(n_rows))], max_rows=max_rows)
    body = [line.strip() for line in table.split("\n")[2:]]
    shown = [int(line) for line in body if line.isdigit()]
    left_out = [int(line.split()[1]) for line in body if "left out" in line]
    assert len(shown) + sum(left_out) == n_rows
    assert len(shown) == min(n_rows, max_rows)
    if left_out:
        gap = body.index(f"… {left_out[0]} rows left out …")
        assert shown == [*range(gap), *range(gap + left_out[0], n_rows)]
        assert gap - (len(shown) - gap) in {0, 1}
    else:
        assert shown == list(range(n_rows))


@given(columns(), LANGS, TEXTS)
def test_html_holds_each_cell_as_text_and_no_other_tag(drawn: list[Column], lang: Any, title: str) -> None:
    html = render_html(drawn, lang=lang, title=title)
    n_rows = len(drawn[0].values)
    assert (
        html.count("<")
        == html.count(">")
        == 2 * (1 + bool(title) + 2 + (1 + (n_rows or 1)) + len(drawn) + (len(drawn) * n_rows or 1))
    )
    assert '<th scope="col" style="text-align:left">|</th>' in html
    assert "\x1b" not in unescape(html)


@given(columns())
def test_every_result_is_json(drawn: list[Column]) -> None:
    plain = Result(drawn).to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert {len(values) for values in plain["columns"].values()} == {len(drawn[0].values)}


@given(hnp.arrays(np.float64, st.integers(1, 8), elements=st.floats(-1e300, 1e300)))
def test_a_number_is_shown_within_half_a_unit_of_its_last_digit_and_never_as_nothing(values: Any) -> None:
    table = render([Column(key="x", en="x", zh="x", values=values, format="number")])
    texts = [line.strip() for line in table.split("\n")[2:]]
    assert len({len(text.partition(".")[2]) for text in texts if "e" not in text}) <= 1
    for value, text in zip(values.tolist(), texts, strict=True):
        shown = float(text.replace(",", ""))
        assert (shown == 0) == (value == 0)
        mantissa, _, exponent = text.partition("e")
        unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
        assert math.isclose(shown, value, rel_tol=1e-12, abs_tol=0.500001 * unit)


@given(hnp.arrays(np.int64, st.integers(1, 8)))
def test_a_count_is_shown_exactly(values: Any) -> None:
    for how in ("count", "number", "money"):
        table = render([Column(key="x", en="x", zh="x", values=values, format=how)])
        assert [int(line.replace(",", "")) for line in table.split("\n")[2:]] == values.tolist()


@given(columns())
def test_what_a_column_was_given_is_what_a_program_gets(drawn: list[Column]) -> None:
    for column in drawn:
        again = Column(key=column.key, en="", zh="", values=column.values.copy()).values
        assert again.dtype == column.values.dtype
        assert not again.flags.writeable
        assert repr(again.tolist()) == repr(column.values.tolist())
