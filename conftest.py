"""Runs every example of the README, the docs and the docstrings in the same session as the tests."""

from __future__ import annotations

from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from typing import TYPE_CHECKING

from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser, SkipParser
from sybil.parsers.rest import DocTestParser
from sybil.sybil import SybilCollection

if TYPE_CHECKING:
    from sybil.typing import Parser

# NumPy pads and breaks its arrays differently from one version to the next; what they hold stays.
FLAGS = ELLIPSIS | NORMALIZE_WHITESPACE

fences: list[Parser] = [PythonCodeBlockParser(doctest_optionflags=FLAGS), SkipParser()]

front_pages = Sybil(fences, filenames=["README.md", "README.zh-CN.md"], excludes=["*/*"])
docs = Sybil(fences, path="docs", patterns=["*.md"])
docstrings = Sybil([DocTestParser(FLAGS)], path="src", patterns=["*.py"])

pytest_collect_file = SybilCollection([front_pages, docs, docstrings]).pytest()
