"""A result in a notebook is an accessible table: read by a parser, and drawn by a browser on a light and a dark page.

The instances are those that the docstring examples make. The browser is headless Chromium; where there is none these
tests are skipped, and say so. ``NOTEBOOK_PICTURES=folder`` in the environment leaves pictures of the pages there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from keep_pickles import specimens

import shequn as sq
from shequn.columns.table import Column, Tabular, render_html

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
TIMEOUT_S = 60
# What JupyterLab's two themes set, as far as a table sees it: background, ink, every other row; and how wide a page is.
THEMES = {
    "light": ("#ffffff", "rgba(0, 0, 0, 0.87)", "#f5f5f5", 900),
    "dark": ("#111111", "rgba(255, 255, 255, 0.87)", "#1c1c1c", 320),
}
LEAST_CONTRAST = 4.5  # WCAG 2.2, level AA
PLAIN_TAGS = {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}
PLAIN_ATTRIBUTES = {"class", "lang", "style", "scope", "colspan"}
PLAIN_STYLE = re.compile(r"text-align:(left|right)(;white-space:nowrap)?(;font-weight:normal)?")
WHOLE = re.compile(r"-?[\d,.]+%?|\d{4}-\d\d-\d\d( \d\d:\d\d)?")
EVIL = "</td></table><script>leaked = 1</script><img src=x onerror='leaked = 2'><style>*{color:red}</style>"


class Table(HTMLParser):
    """The tags of one table, and the cells of its rows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[tuple[str, dict[str, str | None]]]] = []
        self.caption = ""
        self._in_caption = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        self._in_caption = tag == "caption"
        if tag == "tr":
            self.rows.append([])
        elif tag in {"th", "td"}:
            self.rows[-1].append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self._in_caption = self._in_caption and tag != "caption"

    def handle_data(self, data: str) -> None:
        self.caption += data if self._in_caption else ""


RESULTS = {name: value for name, value in specimens().items() if hasattr(value, "_repr_html_")}
each_result = pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)


def test_there_are_results_to_look_at():
    assert len(RESULTS) > 80


@each_result
def test_a_table_has_a_name_and_each_cell_has_its_headers(result):
    table = Table(result._repr_html_())
    assert table.tags.count("table") == 1
    assert table.caption.strip()
    header, *body = table.rows
    assert [cell["scope"] for _, cell in header] == ["col"] * len(header)
    for row in body:
        assert sum(int(cell.get("colspan") or 1) for _, cell in row) == len(header)
        if len(row) == len(header) and "colspan" not in row[0][1]:
            assert (row[0][0], row[0][1]["scope"]) == ("th", "row")
            assert {tag for tag, _ in row[1:]} <= {"td"}


@each_result
def test_a_table_brings_no_script_no_style_sheet_and_no_colour(result):
    table = Table(result._repr_html_())
    assert set(table.tags) <= PLAIN_TAGS
    assert {name for _, found in table.attributes for name in found} <= PLAIN_ATTRIBUTES
    assert all(PLAIN_STYLE.fullmatch(str(found["style"])) for _, found in table.attributes if "style" in found)


# --- what a browser makes of it ---


@attrs.frozen(kw_only=True)
class Hostile(Tabular[Any]):
    """Labels from outside that try to leave the table."""

    def _columns(self, _lang: Any, /) -> list[Column]:
        names = [EVIL, "$x$ \\(y\\)", "摄影爱好者一群 📷", "\u202etxt.exe", "a" * 60]
        return [
            Column(key="group", en="group 群", zh=EVIL, values=names),
            Column(key="n", en="members 人数", zh="n", values=[500, 36, 1_000_000, 0, 7], format="count"),
            Column(key="rate", en="share 占比", zh="r", values=[0.5, None, 1.0, 0.0, 0.123], format="rate"),
        ]

    def _title(self, _lang: Any, /) -> str:
        return f"群 {EVIL}"

    def _notes(self, _lang: Any, /) -> list[str]:
        return [EVIL]


def ledger() -> sq.retention.FlowLedger:
    days = np.arange("2024-01-01", "2026-06-01", 3, dtype="M8[D]")
    members = [f"m{n % 37}" for n in range(len(days))]
    log = sq.EventLog.from_columns(member=members, kind="post", at=days, at_tz="Asia/Shanghai")
    return sq.retention.flow_ledger(log, every="week", tz="Asia/Shanghai")


def tables() -> list[str]:
    shown = [RESULTS[f"shequn.{name}"] for name in ("retention.CohortTable", "content.Schedule", "network.Leaders")]
    chinese = render_html(
        ledger()._columns("zh"), lang="zh", title="流量账本", notes=["留量 = 期初 + 流量 − 蒸发"], max_rows=6
    )
    return [*(each._repr_html_() for each in (ledger(), *shown, Hostile())), chinese]


def page() -> str:
    """The tables once in each theme, side by side."""
    shown = "\n".join(tables())
    themes = "".join(
        f"section.{name} {{ background: {background}; color: {ink}; width: {width}px }}"
        f".{name} tbody tr:nth-child(odd) {{ background: {stripe} }}"
        for name, (background, ink, stripe, width) in THEMES.items()
    )
    style = (
        "body { display: flex; margin: 0; font: 13px sans-serif } section { flex: none; padding: 16px 16px 16px 32px }"
        "table { border-collapse: collapse; margin: 12px 0 } td, th { padding: 6px 8px; text-align: right }"
    )
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>-</title><style>{style}{themes}</style>"
    sections = "".join(f"<section class={name}>{shown}</section>" for name in THEMES)
    return f"{head}<body>{sections}<pre id=told></pre><script>{SCRIPT}</script>"


SCRIPT = """
const ours = ["TABLE", "CAPTION", "THEAD", "TBODY", "TFOOT", "TR", "TH", "TD", "SECTION", "PRE", "SCRIPT"];
const behind = element => {
  for (; element; element = element.parentElement) {
    const found = getComputedStyle(element).backgroundColor;
    if (found !== "rgba(0, 0, 0, 0)") return found;
  }
};
const sides = ({left, right}) => ({left, right});
const text = cell => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  const lines = new Set([...range.getClientRects()].map(line => line.top));
  return {...sides(range.getBoundingClientRect()), lines: lines.size};
};
const seen = cell => ({
  words: cell.textContent, align: getComputedStyle(cell).textAlign, text: text(cell),
  box: sides(cell.getBoundingClientRect()), clipped: cell.scrollWidth > cell.clientWidth,
});
const tablesOf = section => [...section.querySelectorAll("table")].map(table => ({
  caption: table.caption.textContent,
  lang: table.lang,
  rows: [...table.rows].map(row => [...row.cells].map(seen)),
  colours: [...table.querySelectorAll("caption, th, td")].map(cell => [getComputedStyle(cell).color, behind(cell)]),
}));
const strangers = [...document.body.querySelectorAll("*")].map(e => e.tagName).filter(tag => !ours.includes(tag));
const sections = [...document.querySelectorAll("section")].map(section => [section.className, tablesOf(section)]);
const tables = Object.fromEntries(sections);
const page = {tables, strangers, leaked: window.leaked ?? null, scripts: document.scripts.length};
document.getElementById("told").textContent = JSON.stringify(page);
"""


@pytest.fixture(scope="module")
def browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(
            f"NOT TESTED: how a notebook looks; it needs {' or '.join(BROWSERS)} (Debian: apt install chromium)"
        )
    return found


def run(browser: str, profile: Path, *arguments: str) -> str:
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}"]
    done = subprocess.run([browser, *options, *arguments], capture_output=True, timeout=TIMEOUT_S, check=True)
    return done.stdout.decode("utf-8")


@pytest.fixture(scope="module")
def drawn(browser: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the browser tells of the page."""
    folder = tmp_path_factory.mktemp("notebook")
    source = folder / "page.html"
    source.write_text(page(), encoding="utf-8")
    dom = run(browser, folder / "profile", "--dump-dom", "--window-size=1864,1000", source.as_uri())
    pictures = os.environ.get("NOTEBOOK_PICTURES")
    if pictures:
        picture = Path(pictures).resolve() / "notebook.png"
        run(browser, folder / "profile", f"--screenshot={picture}", "--window-size=1864,3700", source.as_uri())
    found = re.search(r'<pre id="told">(.+?)</pre>', dom, flags=re.DOTALL)
    assert found, "the page's own script didn't run"
    told: dict[str, Any] = json.loads(unescape(found[1]))
    return told


@pytest.fixture(params=THEMES)
def shown(request: pytest.FixtureRequest, drawn: dict[str, Any]) -> list[dict[str, Any]]:
    """What the browser tells of each table in one theme."""
    found: list[dict[str, Any]] = drawn["tables"][request.param]
    return found


def test_nothing_in_a_label_becomes_part_of_the_page(drawn, shown):
    assert drawn["leaked"] is None
    assert drawn["strangers"] == []
    assert drawn["scripts"] == 1
    hostile = shown[4]
    assert hostile["caption"] == f"群 {EVIL}"
    assert hostile["rows"][1][0]["words"] == EVIL
    assert hostile["rows"][4][0]["words"] == "\\u202etxt.exe"


def test_text_can_be_read_in_front_of_what_is_behind_it(shown):
    contrasts = [contrast(ink, behind) for table in shown for ink, behind in table["colours"]]
    assert len(contrasts) > 500
    assert min(contrasts) >= LEAST_CONTRAST


def test_a_column_stands_under_its_header_in_either_language(shown):
    for table in shown:
        header, *body = table["rows"]
        for row in (row for row in body if len(row) == len(header)):
            for top, cell in zip(header, row, strict=True):
                side = top["align"]
                assert cell["align"] == side
                assert cell["box"] == top["box"]
                assert abs(cell["text"][side] - top["text"][side]) < 1, (table["caption"], cell["words"])


def test_nothing_is_cut_off(shown):
    cells = [cell for table in shown for row in table["rows"] for cell in row]
    assert [cell["words"] for cell in cells if cell["clipped"]] == []
    for cell in cells:
        box, text = cell["box"], cell["text"]
        assert box["left"] <= text["left"] <= text["right"] <= box["right"], cell["words"]


def test_a_number_or_a_date_is_not_broken_however_narrow_the_page(shown):
    cells = [cell for table in shown for row in table["rows"] for cell in row]
    whole = [cell for cell in cells if WHOLE.fullmatch(cell["words"])]
    assert len(whole) > 500
    assert [cell["words"] for cell in whole if cell["text"]["lines"] != 1] == []


def test_a_long_result_shows_its_ends_and_a_chinese_one_its_language(shown):
    long, chinese = shown[0], shown[-1]
    assert len(long["rows"]) == 1 + 50 + 1 + 50
    assert "rows left out" in long["rows"][51][0]["words"]
    assert (chinese["lang"], chinese["caption"]) == ("zh", "流量账本")
    assert [cell["words"] for cell in chinese["rows"][0]][:3] == ["周期", "期初", "新增"]
    assert "略去" in chinese["rows"][4][0]["words"]


# --- contrast ---


def contrast(ink: str, behind: str) -> float:
    """The ratio of WCAG 2.2 between two colours as CSS writes them; the ink may let the background through."""
    paper, over = channels(behind), channels(ink)
    share = over[3] if len(over) == 4 else 1.0
    seen = [share * one + (1 - share) * other for one, other in zip(over[:3], paper[:3], strict=True)]
    light, dark = sorted((luminance(seen), luminance(paper[:3])), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def channels(colour: str) -> list[float]:
    return [float(part) for part in re.findall(r"[\d.]+", colour)]


def luminance(rgb: list[float]) -> float:
    linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_contrast_is_that_of_wcag():
    assert contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") == pytest.approx(21)
    assert contrast("rgb(119, 119, 119)", "rgb(255, 255, 255)") == pytest.approx(4.48, abs=0.005)
    assert contrast("rgba(0, 0, 0, 0)", "rgb(9, 9, 9)") == 1
