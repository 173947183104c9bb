"""The READMEs and the docs: their code is run, their links lead somewhere, their two commands are the tried ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READMES = sorted(ROOT.glob("README*.md"))
PAGES = [*READMES, *sorted(page for page in (ROOT / "docs").rglob("*.md") if "_build" not in page.parts)]

FENCE = re.compile(r"^ *(`{3,}|~{3,}|:{3,})([^\n`]*)$", flags=re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)]*)?\)")

# Code for Python is marked `python` and nothing else, so that no example escapes the test session by its spelling.
INERT = {"", "console", "csv", "json", "mermaid", "sh", "sql", "text", "toml"}

TEST_COMMAND = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test,peers]' && .venv/bin/python -m pytest -q"
EXAMPLE_COMMAND = (
    "python3 -m venv .venv && .venv/bin/pip install -q '.[examples]' && .venv/bin/python examples/chat_community.py"
)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def languages(text: str) -> list[str]:
    """The language of each block of code. A directive in braces is none, but may hold some."""
    found: list[str] = []
    open_fences: list[tuple[str, bool]] = []
    for fence, info in ((fence, info.strip()) for fence, info in FENCE.findall(text)):
        innermost, is_code = open_fences[-1] if open_fences else ("", False)
        if innermost and not info and fence.startswith(innermost):
            open_fences.pop()
        elif not is_code:
            directive, _, argument = info.partition(" ")
            shows_code = not info.startswith("{") or directive.startswith("{code")
            if shows_code:
                found.append(argument if info.startswith("{") else info)
            open_fences.append((fence, shows_code))
    return found


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_code_in_a_page_is_marked_in_a_way_that_runs_it(page):
    assert set(languages(page.read_text(encoding="utf-8"))) <= INERT | {"python"}


def test_the_check_sees_python_by_another_name():
    page = """
```py
1
```

~~~python3
```sh
~~~

:::{note}
```{code-block} pycon
```
:::

```
plain
```
"""
    assert languages(page) == ["py", "python3", "pycon", ""]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_link_inside_the_project_leads_to_a_file(page):
    targets = [target for target, _ in LINK.findall(page.read_text(encoding="utf-8"))]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("readme", READMES, ids=name)
@pytest.mark.parametrize("command", [TEST_COMMAND, EXAMPLE_COMMAND])
def test_a_readme_gives_each_command_once(readme, command):
    assert readme.read_text(encoding="utf-8").splitlines().count(command) == 1
