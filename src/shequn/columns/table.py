r"""How does a result look in a terminal, in a notebook, in a data frame and as JSON?

A result describes itself once, as a list of `Column`, and everything people see of it is drawn here: `render` for a
terminal, `render_html` for a notebook, and `Tabular`, the mixin that gives a result class `table`, `to_columns`, `rows`
and `to_dict`.

Alignment counts terminal cells, not characters: 留量 takes four. Text that comes from the data (ids, names, titles) is
never trusted: control characters, line breaks, ANSI escapes and marks that turn the reading order are shown as ``\x1b``
or ``\u202e``, so that no label breaks a table or drives a terminal.
"""

# Longer than most files: how wide text is, how it is escaped and how it is laid out must agree, or tables go crooked.

from __future__ import annotations

import datetime as dt
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from html import escape as escape_html
from math import floor, isfinite, isnan, log10
from numbers import Integral, Real
from operator import index
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, SupportsFloat, TypeAlias, get_args
from unicodedata import category, east_asian_width

import attrs
import numpy as np
import pendulum

from shequn.columns.arrow import field_of, stream_of
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import may_change, one_of, plain_array
from shequn.values.money import Money

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import TypeVar

    RowT_co = TypeVar("RowT_co", covariant=True, default=Any)
else:
    from typing import TypeVar

    RowT_co = TypeVar("RowT_co", covariant=True)

__all__ = ["Column", "Lang", "Tabular", "render", "render_html", "width"]

Lang: TypeAlias = Literal["en", "zh"]
Format: TypeAlias = Literal["text", "count", "number", "rate", "date", "money"]

_FORMATS: tuple[Format, ...] = get_args(Format)
_DTYPES_OF_NOTHING = {"count": "int64", "number": "float64", "rate": "float64", "date": "datetime64[D]"}
_MOST_DIGITS = 15
_NULL = "–"
_GAP = "  "
_WORDS: dict[Lang, dict[str, str]] = {
    "en": {"empty": "(no rows)", "left_out": "… {n:,} rows left out …", "true": "yes", "false": "no"},
    "zh": {"empty": "（无数据）", "left_out": "… 略去 {n:,} 行 …", "true": "是", "false": "否"},
}
_ROWS_OF_STR = 100
_WIDEST_TEXT = 48


def _as_values(values: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
    array = _array_of(values)
    if array.ndim != 1:
        raise InvalidValueError(message("values", "one dimension", array.shape))
    if array.dtype.kind == "T":
        array = array.astype(object)
    if array.dtype.kind not in "biufUOM":
        raise InvalidTypeError(message("values", "numbers, booleans, text, dates or objects", str(array.dtype)))
    return _read_only(array)


def _array_of(values: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
    """Give a sequence the dtype a reader would: None leaves numbers and dates what they are, the rest stays objects."""
    if isinstance(values, np.ndarray):
        return plain_array("values", values, expected="a sequence or an array")
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("values", "a sequence or an array", values))
    items = list(values)
    present = [item for item in items if item is not None]
    if present and all(isinstance(item, dt.date) and not isinstance(item, dt.datetime) for item in present):
        return np.array(items, dtype="datetime64[D]")
    if items and all(isinstance(item, bool | np.bool_) for item in items):
        return np.array(items, dtype=np.bool_)
    numbers = None
    if present and all(not isinstance(item, bool) and isinstance(item, Real) for item in present):
        numbers = _exact_numbers(items)
    return np.fromiter(items, dtype=object, count=len(items)) if numbers is None else numbers


def _exact_numbers(items: list[Any]) -> NDArray[Any] | None:
    """Return int64 or float64, None becoming NaN, or nothing where that would change a number."""
    try:
        if all(isinstance(item, Integral) for item in items):
            return np.array(items, dtype=np.int64)
        numbers = [np.nan if item is None else float(item) for item in items]
    except OverflowError:
        return None
    kept = all(item is None or isnan(number) or number == item for item, number in zip(items, numbers, strict=True))
    return np.array(numbers, dtype=np.float64) if kept else None


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    if may_change(array) or not array.dtype.isnative:
        array = np.array(array, dtype=array.dtype.newbyteorder("="))
        array.setflags(write=False)
    return array


def _known_format(_column: Column, _field: attrs.Attribute[Any], value: object) -> None:
    one_of("format", value, _FORMATS)


def _few_digits(_column: Column, _field: attrs.Attribute[Any], value: object) -> None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_DIGITS):
        return
    raise InvalidValueError(message("digits", f"an integer from 0 to {_MOST_DIGITS}, or None", value))


@attrs.frozen(kw_only=True, eq=False)
class Column:
    """One column of a result: its name, its two headers, its values and how they are shown.

    Parameters
    ----------
    key : str
        Name in `Tabular.to_columns`.
    en, zh : str
        Header in English and in Chinese.
    values : sequence or ndarray, shape (n,)
        Numbers, booleans, text, dates (``datetime64``, or a sequence of dates), or objects that print themselves. A
        writeable array is copied. A sequence of numbers and None becomes float64 with NaN, an empty one takes the dtype
        that suits `format`.
    format : {"text", "count", "number", "rate", "date", "money"}, default "text"
        ``count``: a whole number, ``12,345``. ``rate``: a fraction as per cent, ``12.3%``. ``money``: `Money` as
        ``1,234.50 CNY``, a float as ``1,234.50``, an integer as it is. ``number``: see Notes. ``text`` takes numbers as
        they are (years, offsets) and gives a taxonomy's label. Numbers stand on the right, text and dates on the left.
    digits : int, optional
        Decimals of every value; by default 0 for ``count``, 1 for ``rate``, 2 for ``money``.
    null : int, optional
        The integer that stands for a missing value (often -1). None, NaN and NaT always do; all print as "–".

    Raises
    ------
    InvalidTypeError
        If `values` is no sequence, or has a dtype that no table shows; or `format` is no str.
    InvalidValueError
        If `values` has not one dimension or masked entries, or `format` or `digits` is unknown.

    Notes
    -----
    A ``number`` column without `digits` has one number of decimals, so that its points align: as many as give its
    largest value four significant digits and its smallest two, less the zeros that all values end with. What is smaller
    than 0.001, or 10¹⁵ and more, is written ``1.235e-07`` and has no say in that.

    Examples
    --------
    >>> Column(key="rate", en="rate", zh="留存率", values=[0.5, None], format="rate").values
    array([0.5, nan])
    """

    key: str = attrs.field(validator=attrs.validators.instance_of(str))
    en: str = attrs.field(validator=attrs.validators.instance_of(str))
    zh: str = attrs.field(validator=attrs.validators.instance_of(str))
    values: NDArray[Any] = attrs.field(converter=_as_values)
    format: Format = attrs.field(default="text", validator=_known_format)
    digits: int | None = attrs.field(default=None, validator=_few_digits)
    null: int | None = None

    def __attrs_post_init__(self) -> None:
        # An empty sequence doesn't show what it is empty of; the format does.
        if not len(self.values) and self.values.dtype == object and self.format in _DTYPES_OF_NOTHING:
            object.__setattr__(self, "values", _read_only(np.zeros(0, _DTYPES_OF_NOTHING[self.format])))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the constructor, which makes the values read-only again."""
        return _column_of, (attrs.asdict(self, recurse=False),)


def _column_of(fields: dict[str, Any]) -> Column:
    return Column(**fields)


def render(
    columns: Sequence[Column],
    *,
    lang: Lang = "en",
    title: str | None = None,
    notes: Sequence[str] = (),
    max_rows: int | None = None,
) -> str:
    r"""Draw columns as an aligned table of plain text.

    Parameters
    ----------
    columns : sequence of Column
        At least one; all of one length, each with its own key.
    lang : {"en", "zh"}, default "en"
        Language of the headers and of the few words the table adds.
    title : str, optional
        A line above the header.
    notes : sequence of str, optional
        Lines under the table.
    max_rows : int, optional
        Show at most this many rows, the first and the last ones, and say how many are left out. By default all.

    Returns
    -------
    str
        Lines without trailing spaces, joined by ``\n``. Text wider than 48 cells ends in "…".

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If the columns differ in length, share a key or are none, or if `lang` or `max_rows` can't be used.

    Examples
    --------
    >>> weeks = np.array(["2024-01-01", "2024-01-08"], dtype="datetime64[D]")
    >>> columns = [
    ...     Column(key="period", en="week", zh="周", values=weeks, format="date"),
    ...     Column(key="retained", en="retained", zh="留量", values=[1200, 1187], format="count"),
    ...     Column(key="rate", en="rate", zh="留存率", values=[None, 0.9891], format="rate"),
    ... ]
    >>> print(render(columns, lang="zh"))
    周           留量  留存率
    ─────────────────────────
    2024-01-01  1,200       –
    2024-01-08  1,187   98.9%
    """
    table = _lay_out(columns, lang, max_rows)
    texts = [
        [_clipped(text) for text in (header, *cells)] for header, cells in zip(table.headers, table.cells, strict=True)
    ]
    widths = [max(map(width, column)) for column in texts]
    padded = [
        [_padded(text, wide, right=right) for text in column]
        for column, wide, right in zip(texts, widths, table.right, strict=True)
    ]
    header, *body = (_GAP.join(row) for row in zip(*padded, strict=True))
    rule = "─" * (sum(widths) + len(_GAP) * (len(widths) - 1))
    lines = [_escaped(title)] if title else []
    lines += [header, rule, *body[: table.n_head], *table.remark, *body[table.n_head :], *map(_escaped, notes)]
    return "\n".join(line.rstrip() for line in lines)


def render_html(
    columns: Sequence[Column],
    *,
    lang: Lang = "en",
    title: str | None = None,
    notes: Sequence[str] = (),
    max_rows: int | None = None,
) -> str:
    """Draw columns as one HTML table, for a notebook.

    The title is its caption; each header names its column, and the first cell of a row that row, as screen readers
    want it. Everything is escaped, numbers are aligned by inline style, and there is no script, no style sheet and no
    colour, so that it takes those of a light or a dark page. Where a page is narrow, text is broken, and numbers and
    dates are not. Parameters and errors are those of `render`; text is not shortened.

    Returns
    -------
    str
        A ``<table>`` element.

    Examples
    --------
    >>> print(render_html([Column(key="group", en="group", zh="群", values=["<b>"])]))
    <table class="tex2jax_ignore" lang="en">
    <thead>
    <tr><th scope="col" style="text-align:left">group</th></tr>
    </thead>
    <tbody>
    <tr><th scope="row" style="text-align:left;font-weight:normal">&lt;b&gt;</th></tr>
    </tbody>
    </table>
    """
    table = _lay_out(columns, lang, max_rows)
    aligned = [
        f"text-align:{'right' if right else 'left'}" + (";white-space:nowrap" if whole else "")
        for right, whole in zip(table.right, table.whole, strict=True)
    ]
    cells = [f'th scope="row" style="{aligned[0]};font-weight:normal"', *(f'td style="{how}"' for how in aligned[1:])]
    body = [_html_row(cells, row) for row in zip(*table.cells, strict=True)]
    across = [f'td colspan="{len(aligned)}" style="text-align:left"']
    # A notebook typesets what stands between two dollar signs as mathematics, unless the element says there is none.
    lines = [f'<table class="tex2jax_ignore" lang="{lang}">']
    if title:
        lines.append(f'<caption style="text-align:left">{escape_html(_escaped(title))}</caption>')
    lines += ["<thead>", _html_row([f'th scope="col" style="{how}"' for how in aligned], table.headers), "</thead>"]
    remark = [_html_row(across, [text]) for text in table.remark]
    lines += ["<tbody>", *body[: table.n_head], *remark, *body[table.n_head :], "</tbody>"]
    if notes:
        lines += ["<tfoot>", *(_html_row(across, [_escaped(note)]) for note in notes), "</tfoot>"]
    return "\n".join([*lines, "</table>"])


def _html_row(elements: Sequence[str], texts: Sequence[str]) -> str:
    """Write one row; an element is a tag and its attributes."""
    cells = zip(elements, texts, strict=True)
    return "<tr>" + "".join(f"<{how}>{escape_html(text)}</{how[:2]}>" for how, text in cells) + "</tr>"


@attrs.frozen(kw_only=True)
class _Layout:
    """What both renderers draw: escaped texts, a list a column, and a remark, if any, after the first `n_head` rows."""

    headers: list[str]
    cells: list[list[str]]
    right: list[bool]
    whole: list[bool]  # numbers and dates, which must not be broken at a minus sign or a hyphen
    n_head: int
    remark: list[str]


def _lay_out(columns: Sequence[Column], lang: Lang, max_rows: int | None) -> _Layout:
    words = _WORDS[_checked_lang(lang)]
    n_rows = _common_length(columns)
    rows, n_head = _rows_to_show(n_rows, max_rows)
    left_out = n_rows - len(rows)
    remark = words["left_out"].format(n=left_out) if left_out else words["empty"]
    return _Layout(
        headers=[_escaped(column.zh if lang == "zh" else column.en) for column in columns],
        cells=[[_escaped(text) for text in _texts(column, rows, lang)] for column in columns],
        right=[column.format not in {"text", "date"} or column.values.dtype.kind in "iuf" for column in columns],
        whole=[column.format != "text" or column.values.dtype.kind in "iufM" for column in columns],
        n_head=n_head,
        remark=[remark] if left_out or not n_rows else [],
    )


def _checked_lang(lang: Lang) -> Lang:
    one_of("lang", lang, get_args(Lang))
    return lang


def _common_length(columns: Sequence[Column]) -> int:
    if not columns:
        raise InvalidValueError(message("columns", "at least one column", columns))
    first, keys = columns[0], set[str]()
    for column in columns:
        if column.key in keys:
            raise InvalidValueError(message("columns", "each key once", column.key))
        keys.add(column.key)
        if len(column.values) != len(first.values):
            expected = f"{len(first.values)} values in {column.key!r}, as many as in {first.key!r}"
            raise InvalidValueError(message("columns", expected, len(column.values)))
    return len(first.values)


def _rows_to_show(n_rows: int, max_rows: int | None) -> tuple[NDArray[np.intp], int]:
    """Return the rows, and how many of them stand before the gap."""
    limit = n_rows if max_rows is None else _positive(max_rows)
    if n_rows <= limit:
        return np.arange(n_rows), n_rows
    n_tail = limit // 2
    n_head = limit - n_tail
    return np.r_[:n_head, n_rows - n_tail : n_rows], n_head


def _positive(max_rows: int) -> int:
    try:
        limit = 0 if isinstance(max_rows, bool) else index(max_rows)
    except TypeError:
        limit = 0
    if limit < 1:
        raise InvalidValueError(message("max_rows", "a positive integer or None", max_rows))
    return limit


_NOT_FINITE = {"nan": _NULL, "inf": "∞", "-inf": "-∞"}
_SMALLEST_WRITTEN_OUT, _LARGEST_WRITTEN_OUT = 1e-3, 1e15


def _texts(column: Column, rows: NDArray[np.intp], lang: Lang) -> list[str]:
    values = column.values[rows]
    if values.dtype.kind == "M":
        return [_NULL if text is None else text.replace("T", " ") for text in _iso(values)]
    cells = _python(values, column.null)
    digits = _digits(column, cells)
    return [_NULL if cell is None else _text(cell, column, digits, lang) for cell in cells]


def _digits(column: Column, cells: list[Any]) -> int:
    if column.digits is not None:
        return column.digits
    match column.format:
        case "rate":
            return 1
        case "money":
            return 2 if any(isinstance(cell, float) for cell in cells) else 0
        case "number":
            return _aligning_decimals([cell for cell in cells if isinstance(cell, float)])
        case _:
            return 0


def _aligning_decimals(cells: list[float]) -> int:
    """Count the decimals that give the largest four significant digits and the smallest two, less common zeros."""
    sizes = [abs(cell) for cell in cells if _SMALLEST_WRITTEN_OUT <= abs(cell) < _LARGEST_WRITTEN_OUT]
    if not sizes:
        return 0
    decimals = max(3 - floor(log10(max(sizes))), 1 - floor(log10(min(sizes))), 0)
    while decimals and all(f"{size:.{decimals}f}".endswith("0") for size in sizes):
        decimals -= 1
    return decimals


def _text(cell: object, column: Column, digits: int, lang: Lang) -> str:
    if column.format == "rate" and isinstance(cell, SupportsFloat) and not isinstance(cell, bool):
        cell = float(cell)
    if column.format in {"text", "date"} or isinstance(cell, bool) or not isinstance(cell, int | float):
        return _label(cell, lang)
    if isinstance(cell, float) and not isfinite(cell):
        return _NOT_FINITE[str(cell)]
    if column.format == "rate":
        return f"{cell:z.{digits}%}"
    if column.format == "number" and column.digits is None and isinstance(cell, float):
        return _number(cell, digits)
    return _fixed(cell, digits)


def _label(cell: object, lang: Lang) -> str:
    match cell:
        case bool():
            return _WORDS[lang]["true" if cell else "false"]
        case Enum():
            return str(getattr(cell, lang, cell.value))
        case Money():
            return f"{cell.major:,f} {cell.currency}"
        case dt.datetime():
            return cell.isoformat(sep=" ", timespec="seconds")
        case _:
            return str(cell)


def _fixed(cell: float, digits: int) -> str:
    if isinstance(cell, int):
        # Decimals would take an integer through a float, which is inexact above 2**53.
        return f"{cell:,}" + ("." + "0" * digits if digits else "")
    return f"{cell:z,.{digits}f}"


def _number(cell: float, digits: int) -> str:
    if cell == 0 or _SMALLEST_WRITTEN_OUT <= abs(cell) < _LARGEST_WRITTEN_OUT:
        return _fixed(cell, digits)
    return f"{cell:.3e}"


def _python(values: NDArray[Any], null: int | None) -> list[Any]:
    """Return plain Python values, every null as None."""
    return [None if _is_null(item, null) else item for item in _items(values)]


def _items(values: NDArray[Any]) -> list[Any]:
    items: list[Any] = values.tolist()
    if values.dtype.kind != "O":
        return items
    return [item.item() if isinstance(item, np.generic) else item for item in items]


def _is_null(item: object, null: int | None) -> bool:
    if isinstance(item, float):
        return isnan(item)
    is_code = isinstance(item, int) and not isinstance(item, bool)
    return item is None or (null is not None and is_code and item == null)


def _iso(values: NDArray[Any]) -> list[str | None]:
    """Write datetime64 as ISO 8601: years, months and days as such, anything finer with at least hours and minutes."""
    unit = np.datetime_data(values.dtype)[0]
    whole = values.astype(f"datetime64[{'m' if unit == 'h' else unit}]")
    texts: list[str] = np.datetime_as_string(whole).tolist()
    return [None if text == "NaT" else text for text in texts]


_ZERO_WIDTH_JOINER = "\u200d"
_EMOJI_PRESENTATION = "\ufe0f"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
# Emoji and ideographs younger than this Python's Unicode tables are unassigned there, and wide all the same.
_EMOJI_BLOCKS = range(0x1F300, 0x1FB00)
_WIDE_UNASSIGNED = (_EMOJI_BLOCKS, range(0x20000, 0x3FFFE))
# Vowels and finals, which a terminal draws into the cells of the Hangul consonant before them.
_HANGUL_JOINING = (range(0x1160, 0x1200), range(0xD7B0, 0xD800))
_CONTROLS = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Format characters that names and emoji need: the two joiners, and the tags that spell the flags of regions.
_KEPT_CONTROLS = (range(0x200C, 0x200E), range(0xE0020, 0xE0080))


def width(text: str) -> int:
    r"""Count the cells that text takes in a terminal.

    East Asian wide and full-width characters take two cells; combining marks, joiners and control characters none; an
    emoji, with its modifiers and all that is joined to it, two; anything else one, also what Unicode calls ambiguous.

    Parameters
    ----------
    text : str
        One line.

    Returns
    -------
    int
        Number of cells.

    References
    ----------
    Unicode Standard Annex #11, East Asian Width; Unicode Technical Standard #51, Unicode Emoji.

    Examples
    --------
    >>> width("留量"), width("e\u0301"), width("👩🏽‍💻")
    (4, 1, 2)
    """
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(cells for _, cells in _clusters(text))


def _clusters(text: str) -> Iterator[tuple[str, int]]:
    """Split text into what a terminal draws in one place, each with its cells."""
    cluster, cells = "", 0
    for char in text:
        own = _cells_alone(char)
        on_symbol = bool(cluster) and _is_symbol(cluster[0])
        if char == _EMOJI_PRESENTATION:
            cells = 2 if on_symbol or (cluster and category(cluster[0])[0] in "NP") else cells
        elif on_symbol and ord(char) in _SKIN_TONES:
            cells = 2
        elif own and not (on_symbol and cluster[-1] == _ZERO_WIDTH_JOINER and _is_symbol(char)):
            if cluster:
                yield cluster, cells
            cluster, cells = "", own
        cluster += char
    yield cluster, cells


def _cells_alone(char: str) -> int:
    kind = category(char)
    if kind in _CONTROLS or kind in {"Mn", "Me"} or any(ord(char) in joining for joining in _HANGUL_JOINING):
        return 0
    if kind == "Cn":
        return 2 if any(ord(char) in block for block in _WIDE_UNASSIGNED) else 1
    return 2 if east_asian_width(char) in "WF" else 1


def _is_symbol(char: str) -> bool:
    kind = category(char)
    return kind[0] == "S" or char == "\N{INFORMATION SOURCE}" or (kind == "Cn" and ord(char) in _EMOJI_BLOCKS)


def _escaped(text: str) -> str:
    return text if text.isprintable() else "".join(map(_escaped_char, text))


def _escaped_char(char: str) -> str:
    if category(char) not in _CONTROLS or any(ord(char) in kept for kept in _KEPT_CONTROLS):
        return char
    return char.encode("unicode_escape").decode("ascii")


def _clipped(text: str) -> str:
    """Shorten text to 48 cells without cutting an emoji in two; a pile of combining marks counts as long as well."""
    most_chars = 4 * _WIDEST_TEXT
    if len(text) <= most_chars and width(text) <= _WIDEST_TEXT:
        return text
    kept, room = "", _WIDEST_TEXT - 1
    for cluster, cells in _clusters(text):
        room -= cells
        if room < 0 or len(kept) + len(cluster) > most_chars:
            break
        kept += cluster
    return kept + "…"


def _padded(text: str, cells: int, *, right: bool) -> str:
    space = " " * (cells - width(text))
    return space + text if right else text + space


def _in_words(name: str) -> str:
    """Write the name of a class as words: FlowLedger is a "Flow ledger"."""
    return re.sub(r"(?<=[a-z])[A-Z]", lambda capital: f" {capital[0].lower()}", name.strip("_"))


class Tabular(ABC, Generic[RowT_co]):
    """What every result can do: be printed, become a data frame or JSON, and be read row by row.

    A mixin for frozen attrs classes with slots. A subclass implements `_columns`, what a reader sees, and, where that
    is not tidy (a cohort triangle, say), also `_tidy`, what a program gets. `_title` and `_notes` add a heading and
    remarks. `rows` and `last` need a record whose fields are named as the tidy columns:
    ``class FlowLedger(Tabular[FlowRow])`` with ``_Row = FlowRow`` in its body.

    Examples
    --------
    >>> @attrs.frozen(kw_only=True)
    ... class Sizes(Tabular):
    ...     groups: list[str]
    ...     members: list[int]
    ...
    ...     def _columns(self, lang, /):
    ...         return [
    ...             Column(key="group", en="group", zh="群", values=self.groups),
    ...             Column(key="members", en="members", zh="人数", values=self.members, format="count"),
    ...         ]
    >>> sizes = Sizes(groups=["摄影", "徒步"], members=[480, 36])
    >>> print(sizes)
    group  members
    ──────────────
    摄影       480
    徒步        36
    >>> sizes.to_dict()
    {'columns': {'group': ['摄影', '徒步'], 'members': [480, 36]}}
    """

    __slots__ = ()

    _Row: ClassVar[type[Any] | None] = None

    @abstractmethod
    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        """Return the columns that a reader sees."""

    def _tidy(self) -> Sequence[Column]:
        """Return the columns that a program gets, one observation a row."""
        return self._columns("en")

    def _title(self, _lang: Lang, /) -> str | None:
        return None

    def _notes(self, _lang: Lang, /) -> Sequence[str]:
        return ()

    def table(self, *, lang: Lang = "en", max_rows: int | None = None) -> str:
        """Return an aligned table for a terminal.

        Parameters
        ----------
        lang : {"en", "zh"}, default "en"
            Language of the headers.
        max_rows : int, optional
            Show at most this many rows, the first and the last ones. By default all.

        Returns
        -------
        str
            The table, as `render` draws it.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            If `lang` or `max_rows` can't be used.
        """
        return self._drawn(render, lang, max_rows)

    def __str__(self) -> str:
        """Return the table in English, of a long result its first and last 50 rows."""
        return self._drawn(render, "en", _ROWS_OF_STR)

    def _repr_html_(self) -> str:
        # Many tables may stand in a notebook: one without a title is named by what it is.
        return self._drawn(render_html, "en", _ROWS_OF_STR, untitled=_in_words(type(self).__name__))

    def _drawn(self, draw: Callable[..., str], lang: Lang, max_rows: int | None, *, untitled: str | None = None) -> str:
        columns = self._columns(_checked_lang(lang))
        title = self._title(lang) or untitled
        return draw(columns, lang=lang, title=title, notes=self._notes(lang), max_rows=max_rows)

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return the result as tidy columns, which any data frame library takes.

        Returns
        -------
        dict of str to ndarray, shape (n_rows,)
            Read-only arrays of one length. Missing is NaN, NaT, or -1 in a column of codes; only labels are objects.
        """
        return {column.key: column.values for column in self._checked_tidy()}

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Lend the tidy columns to any library of Arrow's C interface: ``pl.DataFrame(result)``, ``pa.table(result)``.

        Parameters
        ----------
        requested_schema : capsule, optional
            Left aside, as the interface allows: who wants other types casts.

        Returns
        -------
        capsule
            A stream of one batch. Numbers stay in their memory. Null is what prints as "–", but for NaN, which stays
            NaN; dates are ``date32``, money a struct of ``minor`` and ``currency``.
        """
        columns = self._checked_tidy()
        fields = [field_of(column.key, column.values, null=column.null) for column in columns]
        return stream_of(fields, len(columns[0].values))

    def to_dict(self, *, lang: Lang = "en") -> dict[str, Any]:
        """Return the result as plain data that `json.dumps` takes, also with ``allow_nan=False``.

        Parameters
        ----------
        lang : {"en", "zh"}, default "en"
            Language of title and notes. Keys and values do not depend on it.

        Returns
        -------
        dict
            ``columns``: the tidy columns, a list each, with dates as ISO 8601 text and each missing or infinite number
            as None; before it ``title`` and after it ``notes``, where the result has them.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            If `lang` is neither "en" nor "zh".
        """
        title, notes = self._title(_checked_lang(lang)), self._notes(lang)
        return {
            **({"title": title} if title else {}),
            "columns": {column.key: _json_column(column) for column in self._checked_tidy()},
            **({"notes": list(notes)} if notes else {}),
        }

    def rows(self) -> Iterator[RowT_co]:
        """Go through the result row by row.

        Returns
        -------
        iterator of records
            Frozen, with the names of `to_columns`: Python numbers and text, dates as `pendulum.Date`, local hours as
            naive `pendulum.DateTime`, NaT as None. NaN and -1 stay.

        Raises
        ------
        InvalidTypeError
            If this kind of result has no record.
        """
        return self._records("rows", self.to_columns())

    def last(self) -> RowT_co:
        """Return the last row, as `rows` gives it.

        Returns
        -------
        record
            The last row.

        Raises
        ------
        InvalidValueError
            If there is no row.
        InvalidTypeError
            If this kind of result has no record.
        """
        for record in self._records("last", {key: values[-1:] for key, values in self.to_columns().items()}):
            return record
        raise InvalidValueError(message("last", "a result with at least one row", 0))

    def _checked_tidy(self) -> Sequence[Column]:
        columns = self._tidy()
        _common_length(columns)
        return columns

    def _records(self, asked: str, columns: Mapping[str, NDArray[Any]]) -> Iterator[RowT_co]:
        record = self._Row
        if record is None:
            raise InvalidTypeError(message(asked, "a result that has records (use to_columns)", type(self).__name__))
        rows = zip(*map(_record_values, columns.values()), strict=True)
        return (record(**dict(zip(columns, row, strict=True))) for row in rows)


def _record_values(values: NDArray[Any]) -> list[Any]:
    if values.dtype.kind != "M":
        return _items(values)
    if np.datetime_data(values.dtype)[0] in {"Y", "M", "W", "D", "generic"}:
        days: list[dt.date | None] = values.astype("datetime64[D]").tolist()
        return [None if day is None else pendulum.date(day.year, day.month, day.day) for day in days]
    instants: list[dt.datetime | None] = values.astype("datetime64[us]").tolist()
    return [None if at is None else pendulum.naive(*at.timetuple()[:6], at.microsecond) for at in instants]


def _json_column(column: Column) -> list[Any]:
    if column.values.dtype.kind == "M":
        return _iso(column.values)
    return [_json(item) for item in _python(column.values, column.null)]


def _json(item: Any) -> Any:  # noqa: ANN401
    if isinstance(item, Enum):
        return _json(item.value)
    if isinstance(item, float):
        return item if isfinite(item) else None
    if item is None or isinstance(item, bool | int | str):
        return item
    if isinstance(item, dt.date):
        return item.isoformat()
    if attrs.has(item.__class__):
        return {name: _json(value) for name, value in attrs.asdict(item, recurse=False).items()}
    return str(item)
