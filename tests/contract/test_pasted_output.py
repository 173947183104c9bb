"""What the READMEs and the tutorials show of an example's output is what the example prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
TEXT = re.compile(r"^```text\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("page", "example", "is_whole"),
    [
        ("README.md", ("chat_community.py", "--lang", "en"), False),
        ("README.zh-CN.md", ("chat_community.py", "--lang", "zh"), False),
        ("docs/tutorial.md", ("chat_community.py", "--lang", "en"), True),
        ("docs/private-domain.md", ("private_domain.py",), True),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_the_output_that_a_page_shows_is_that_of_the_example(page, example, is_whole):
    [shown] = TEXT.findall((ROOT / page).read_text(encoding="utf-8"))
    script, *options = example
    command = [sys.executable, str(EXAMPLES / script), *options]
    utf8 = {"PYTHONIOENCODING": "utf-8"}
    printed = subprocess.run(command, capture_output=True, check=True, encoding="utf-8", env=utf8)
    lines = printed.stdout.splitlines()
    expected = lines if is_whole else lines[: len(shown.splitlines())]
    assert shown.splitlines() == [line.rstrip() for line in expected]
