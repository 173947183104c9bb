"""What the READMEs and the tutorial show of the example's output is what the example prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "chat_community.py"
TEXT = re.compile(r"^```text\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("page", "lang", "is_whole"),
    [("README.md", "en", False), ("README.zh-CN.md", "zh", False), ("docs/tutorial.md", "en", True)],
)
def test_the_output_that_a_page_shows_is_that_of_the_example(page, lang, is_whole):
    [shown] = TEXT.findall((ROOT / page).read_text(encoding="utf-8"))
    command = [sys.executable, str(EXAMPLE), "--lang", lang]
    utf8 = {"PYTHONIOENCODING": "utf-8"}
    printed = subprocess.run(command, capture_output=True, check=True, encoding="utf-8", env=utf8)
    lines = printed.stdout.splitlines()
    expected = lines if is_whole else lines[: len(shown.splitlines())]
    assert shown.splitlines() == [line.rstrip() for line in expected]
