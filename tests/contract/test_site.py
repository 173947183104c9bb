"""The docs as a site: each public name stands in the reference once, each word and concept leads to code that runs.

That the blocks of Python in a page run, and that its links lead somewhere, is checked elsewhere: by Sybil in the same
session, and by `test_documents`.
"""

from __future__ import annotations

import re
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from benchmarks.page import PAGE, parts_of, write
from benchmarks.report import machine
from test_public_face import PUBLIC, rooms

import shequn

DOCS = Path(__file__).parents[2] / "docs"
GLOSSARY = DOCS / "glossary.md"
MAP = DOCS / "concepts-map.md"

AUTOMODULE = re.compile(r"^\.\. automodule:: (\S+)\n((?:   :.*\n?)*)", flags=re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
API = re.compile(r"(?:sq|shequn)(?:\.\w+)+|[a-z_]+|[A-Z]\w+")
ROLE = re.compile(r"\{py:obj\}`([^`<>]+) <([^`<>]+)>`")
LINK = re.compile(r"\[[^\]]+\]\(([^)#]+)(?:#([^)]*))?\)")
FENCE = re.compile(r" *(`{3,}|~{3,}|:{3,})([^\n`]*)")
HEADING = re.compile(r"(#{1,3}) +(.+)")
SKIP = re.compile(r"(?:<!---?|%) *skip: *(\w+)")
IMPORT = re.compile(r"^(?:>>> |\.\.\. )?(?:from \S+ )?import (?:\([^)]*\)|.*)$", flags=re.MULTILINE)
TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ABSENT = ("referral", "loyalty", "governance", "risk", "privacy", "platforms", "strategy", "simulation")


# Rooms inside a room that have a page of their own.

# The concepts of the project's list by their letters, and those that nothing in the library computes so far. Whoever
# builds one takes it out here, gives it a row in the map, and a word in the glossary.
LISTED = {"N": 18, "T": 25, "C": 36, "K": 18, "I": 17, "A": 16, "G": 6, "F": 3, "R": 8, "P": 4, "L": 11, "E": 5, "D": 7}
NOT_BUILT = {
    "said in the texts, with nothing to compute": "N10 N11 N12 N14 N15 N17 T20",
    "numbers and taxonomies to come": "N8 N16 T8 T12 T15 T17 T18 T19 T23 T25",
    "structure to come": "C2 C5 C15 C16 C17 C18 C20 C21 C22 C23 C24 C25 C27 C30 C31 C32 C33 C34 C35 C36",
    "content to come": "K2 K4 K5 K9 K10 K11 K12 K15 K16",
    "interaction to come": "I7 I8 I9 I13 I15 I16",
    "growth, referral and loyalty to come": "A6 A7 A8 A9 A10 A11 A13 A14",
    "governance, feedback, risk and privacy to come": "G1 G2 G3 G4 G5 G6 F1 F2 F3 R1 R2 R3 R4 R5 R6 R7 R8 P1 P2 P3 P4",
    "platforms, economics and analytics to come": "L1 L2 L3 L4 L5 L6 L7 L8 L9 L10 L11 E1 E2 E3 E4 E5 D1 D3 D4 D6",
}


class Row(NamedTuple):
    header: tuple[str, ...]
    cells: tuple[str, ...]
    line: int

    def __str__(self) -> str:
        return f"{self.line} {self.cells[0]}"

    def __getitem__(self, name: Any) -> str:  # type: ignore[override]
        return self.cells[self.header.index(name)]


def table_rows(page: Path) -> list[Row]:
    """The rows of every table of a page, each with the header of its table."""
    found: list[Row] = []
    header: tuple[str, ...] | None = None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        cells = tuple(cell.strip() for cell in line.strip().strip("|").split("|")) if line.startswith("|") else None
        if cells is None:
            header = None
        elif header is None:
            header = cells
        elif set("".join(cells)) - set("-: "):
            found.append(Row(header, cells, number))
    return found


def running_code(page: Path) -> dict[str, str]:
    """The Python of a page that Sybil runs, without its imports, under the anchor of each section; "" for the whole.

    A heading of level 1 begins no section.
    """
    found: dict[str, list[str]] = {"": []}
    section, skipped = "", False
    lines = iter(page.read_text(encoding="utf-8").splitlines())
    for line in lines:
        fence, heading, skip = FENCE.fullmatch(line), HEADING.fullmatch(line), SKIP.match(line)
        if fence and not fence[2].startswith("{"):
            block = []
            for inner in lines:
                if inner.strip() == fence[1]:
                    break
                block.append(inner)
            if fence[2].strip() == "python" and not skipped:
                found[""] += block
                found[section] += block if section else []
            skipped = False
        elif heading:
            section = anchor(heading[2]) if len(heading[1]) > 1 else ""
            found.setdefault(section, [])
        elif skip:
            assert skip[1] == "next", f"{page}: {line}"  # none other is in use, and none other is understood here
            skipped = True
    return {name: IMPORT.sub("", "\n".join(block)) for name, block in found.items()}


def anchor(heading: str) -> str:
    """The anchor that MyST gives a heading. Sphinx warns of a link to another one, and so fails the build."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def runs(names: list[str], code: str) -> bool:
    return any(re.search(rf"\b{name.rpartition('.')[2]}\b", code) for name in names)


def resolved(name: str) -> Any:
    """What a name of the docs stands for: `sq.retention.FlowLedger.flow`, `shequn.stats.wilson`, or `backlog` alone.

    A name alone is looked for at the front door and then in the rooms.
    """
    first, _, rest = name.partition(".")
    if first in {"sq", "shequn"}:
        thing: Any = shequn
        for part in rest.split("."):
            room = f"{getattr(thing, '__name__', '')}.{part}"
            thing = import_module(room) if room in set(rooms()) else getattr(thing, part)
        return thing
    return next((public.thing for public in PUBLIC if public.name == first), None)


def has_running_example(thing: Any) -> bool:
    return ">>>" in (getattr(thing, "__doc__", None) or "")


# --- the reference ---


def automodules() -> list[tuple[str, str, Path]]:
    pages = sorted((DOCS / "reference").glob("*.md"))
    return [(room, options, page) for page in pages for room, options in AUTOMODULE.findall(page.read_text("utf-8"))]


@pytest.mark.parametrize("room", rooms())
def test_a_room_stands_in_the_reference_once_with_all_its_names(room):
    [options] = [options for name, options, _ in automodules() if name == room]
    assert ":members:" in options.split()
    left_out = re.findall(r"\w+", "".join(re.findall(r":exclude-members:(.*)", options)))
    # A constant is described by docs/conf.py.
    assert [name for name in left_out if callable(getattr(import_module(room), name))] == []


def test_every_page_of_the_reference_is_of_a_room_that_explains_itself():
    assert sorted(room for room, _, _ in automodules()) == sorted(rooms())
    for room, options, page in automodules():
        assert page.stem == room.rpartition(".")[2]
        assert ":members:" in options.split()
        assert import_module(room).__doc__


def test_nothing_is_public_in_two_rooms():
    where: dict[int, list[str]] = {}
    for public in PUBLIC:
        if callable(public.thing) and getattr(public.thing, "__module__", "").startswith("shequn"):
            where.setdefault(id(public.thing), []).append(str(public))
    assert [names for names in where.values() if len(names) > 1] == []


# --- the table of contents ---


def pages_listed(page: Path) -> list[Path]:
    """The pages that the tables of contents of a page list, with what is meant by a glob."""
    entries = [
        line.strip()
        for body in TOCTREE.findall(page.read_text(encoding="utf-8"))
        for line in body.splitlines()
        if line.strip() and not line.startswith(":")
    ]
    return [found for entry in entries for found in sorted(page.parent.glob(f"{entry}.md"), key=lambda each: each.stem)]


def test_every_page_can_be_reached_from_the_first_and_is_listed_once():
    listed = [DOCS / "index.md"]
    for page in listed:
        listed += pages_listed(page)
    assert sorted(listed) == sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts)


def test_the_page_of_the_map_does_not_hide_from_the_table_of_contents():
    assert "orphan" not in MAP.read_text(encoding="utf-8").partition("\n# ")[0]


# --- the glossary ---

WORDS = table_rows(GLOSSARY)


def apis(row: Row) -> list[str]:
    """The names of a row of the glossary, as they are shown."""
    return [shown for shown, _ in ROLE.findall(row["API"])]


@pytest.mark.parametrize("row", WORDS, ids=str)
def test_a_word_of_the_glossary_stands_in_both_languages_and_has_a_meaning(row):
    assert row.header == ("中文", "English", "API", "example")
    assert len(row.cells) == len(row.header)
    assert CHINESE.search(row["中文"])
    assert re.fullmatch(r"\*\*[^*]+\*\*: \S.*[^.]", row["English"])


def test_no_word_of_the_glossary_stands_there_twice():
    english = [row["English"].partition("**:")[0] for row in WORDS]
    assert len(english) > 200
    assert [word for word in english if english.count(word) > 1] == []


@pytest.mark.parametrize("row", WORDS, ids=str)
def test_a_name_in_the_glossary_leads_to_a_public_name_in_the_reference(row):
    assert ROLE.sub("", row["API"]).replace(", ", "") == ""
    assert apis(row)
    for shown, target in ROLE.findall(row["API"]):
        room = max((room for room, _, _ in automodules() if target.startswith(f"{room}.")), key=len)
        assert target.removeprefix(f"{room}.").partition(".")[0] in import_module(room).__all__
        # What is told only under "Attributes" has no place of its own: then the link leads to its class.
        assert any(resolved(target) == owner for owner in owners(shown)), f"{shown} leads to {target}"


@pytest.mark.parametrize("row", [row for row in WORDS if "`" in row["English"]], ids=str)
def test_a_name_in_a_meaning_is_an_argument_or_an_attribute_of_ours(row):
    assert set(CODE.findall(row["English"])) <= {"idle_after", "recency_days"}
    assert hasattr(shequn.segmentation.Rfm, "recency_days")
    assert hasattr(shequn.retention.SurvivalCurve, "idle_after")


@pytest.mark.parametrize("row", WORDS, ids=str)
def test_a_word_of_the_glossary_leads_to_an_example_that_runs(row):
    [(page, section)] = LINK.findall(row["example"])
    if page.startswith("reference/"):
        told = [target for _, target in ROLE.findall(row["API"]) if target.split(".")[1] == Path(page).stem]
        assert any(has_running_example(owner) for target in told for owner in owners(target)), str(row)
    else:
        code = running_code(DOCS / page)
        assert section in code, f"{page} has no section #{section}"
        assert runs(apis(row), code[section]), f"{page}#{section} runs none of {apis(row)}"


def test_every_room_that_answers_a_question_has_a_word_in_the_glossary():
    told = {target.split(".")[1] for row in WORDS for _, target in ROLE.findall(row["API"])}
    tools = {"errors", "labels", "graph", "stats", "values"}
    assert {room.split(".")[1] for room in rooms()} - tools <= told


def owners(name: str) -> list[Any]:
    """What a name stands for, and the class it belongs to."""
    return [resolved(name), resolved(name.rpartition(".")[0])] if name.count(".") > 1 else [resolved(name)]


# --- the map of concepts ---

CONCEPTS = table_rows(MAP)


@pytest.mark.parametrize("row", CONCEPTS, ids=str)
def test_a_concept_leads_to_code_and_to_a_page_where_it_runs(row):
    identity, chinese, apis, example = row.cells
    assert re.fullmatch(r"[A-Z]-?\d+", identity)
    assert CHINESE.search(chinese)
    names = CODE.findall(apis)
    assert names
    assert all(resolved(name) is not None for name in names)
    [(page, _)] = LINK.findall(example)
    if page.startswith("reference/"):
        [room] = [room for room, _, _ in automodules() if room == f"shequn.{Path(page).stem}"]
        things = [owner for name in names for owner in owners(name)]
        assert any(has_running_example(thing) and thing.__module__.startswith(room) for thing in things)
    else:
        assert runs(names, running_code(DOCS / page)[""]), f"{page} runs none of {names}"


@pytest.mark.parametrize("row", CONCEPTS, ids=str)
def test_a_concept_of_the_map_has_a_word_in_the_glossary(row):
    told = {target for word in WORDS for shown, target in ROLE.findall(word["API"])}
    told |= {shown for word in WORDS for shown in apis(word)}
    assert set(CODE.findall(row.cells[2])) & told


def test_each_concept_of_the_list_is_in_the_map_or_among_those_not_built():
    built = [row.cells[0] for row in CONCEPTS if "-" not in row.cells[0]]
    to_come = " ".join(NOT_BUILT.values()).split()
    listed = [f"{letter}{number}" for letter, last in LISTED.items() for number in range(1, last + 1)]
    assert sorted([*built, *to_come]) == sorted(listed)


def test_a_concept_stands_in_the_map_once_and_none_that_is_not_built():
    identities = [row.cells[0] for row in CONCEPTS]
    assert len(set(identities)) == len(identities) > 80
    rest = [room for room in ABSENT if f"shequn.{room}" not in rooms()]
    assert [room for room in rest for row in CONCEPTS if f"sq.{room}." in row.cells[2]] == []


# --- the benchmarks ---


def test_the_page_of_benchmarks_says_of_each_part_when_where_and_how_it_was_measured():
    parts = parts_of(PAGE)
    assert {"cohorts", "funnels", "segmentation", "building"} <= set(parts)
    for part, text in parts.items():
        found = re.fullmatch(
            r"Measured on \d{4}-\d\d-\d\d with `([^`]+)`:\n\n```text\n(.+?)\n```\n", text, flags=re.DOTALL
        )
        assert found, part
        assert found[1].startswith("python -m benchmarks"), part
        assert re.match(r".+, \d+ cores, \d+ GB, \w+\nPython 3\.\d+\.\d+, numpy ", found[2]), part
        figures = found[2].split("\n\n", 1)[1]
        assert re.search(r"\d\.\d", figures), part


def test_writing_a_part_leaves_the_others_as_they_are(tmp_path):
    page = tmp_path / "page.md"
    shutil.copy(PAGE, page)
    write(page, "funnels", "python -m benchmarks --only funnels", "a table\n───────\nof \\1 numbers\n")
    before, after = parts_of(PAGE), parts_of(page)
    assert machine() in after["funnels"]
    assert "of \\1 numbers\n```\n" in after["funnels"]
    assert {part: text for part, text in after.items() if part != "funnels"} == {
        part: text for part, text in before.items() if part != "funnels"
    }


def test_a_part_that_the_page_has_no_place_for_is_refused(tmp_path):
    page = tmp_path / "page.md"
    shutil.copy(PAGE, page)
    with pytest.raises(ValueError, match="expected one place for what was measured of weather, got 0"):
        write(page, "weather", "python -m benchmarks", "-")


# --- the checks themselves ---


def test_code_that_is_skipped_or_of_another_language_or_only_imported_does_not_run(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        """# Title

```python
from ours import (
    alpha,
)
beta()  # in front of every section
```

## A question (问), no less?

<!-- skip: next "for now" -->

```python
gamma()
```

```python
>>> from ours import delta
>>> epsilon()
```

```sh
# a comment, and no heading
zeta
```
""",
        encoding="utf-8",
    )
    code = running_code(page)
    assert list(code) == ["", "a-question-问-no-less"]
    words = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")
    assert [word for word in words if runs([f"sq.{word}"], code[""])] == ["beta", "epsilon"]
    assert [word for word in words if runs([word], code["a-question-问-no-less"])] == ["epsilon"]


def test_a_glob_of_a_table_of_contents_lists_what_it_finds(tmp_path):
    for name in ("index", "one", "design", "design-two"):
        (tmp_path / f"{name}.md").write_text("", encoding="utf-8")
    index = tmp_path / "index.md"
    index.write_text("text\n\n```{toctree}\n:hidden:\n:glob:\n\none\ndesign*\nmissing\n```\n", encoding="utf-8")
    assert [page.stem for page in pages_listed(index)] == ["one", "design", "design-two"]


def test_a_name_that_is_not_there_does_not_resolve():
    assert resolved("sq.retention.flow_ledger") is shequn.retention.flow_ledger
    assert resolved("shequn.stats.wilson").__name__ == "wilson"
    assert resolved("backlog") is shequn.content.backlog
    assert resolved("nothing_of_ours") is None
    with pytest.raises(AttributeError):
        resolved("sq.retention.flow_ledgers")


def test_rows_are_those_of_the_tables_without_headers_and_rules(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("| a | b |\n|---|:-:|\n| 1 | 2 |\n\ntext\n\n| c |\n|---|\n| 3 |\n", encoding="utf-8")
    assert [(row.header, row.cells, row.line) for row in table_rows(page)] == [
        (("a", "b"), ("1", "2"), 3),
        (("c",), ("3",), 9),
    ]
