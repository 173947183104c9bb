"""What is wrong with a document, and where in it?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shequn.errors import InvalidValueError, message

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["DocumentError", "refusal", "relocated"]

_LONGEST_PATH = 300
_NAMED = re.compile(r"([A-Za-z_]\w*)((?:\.\w+|\[[^\]]*\])*): ")


class DocumentError(InvalidValueError):
    """A document does not tell what it should; `path` says where, as in ``$.rewards[2].cost.currency``.

    Examples
    --------
    >>> DocumentError("$.cost", "expected the key 'minor'").path
    '$.cost'
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)

    @property
    def path(self) -> str:
        """The place in the document, which itself is ``$``."""
        return str(self.args[0])

    def __str__(self) -> str:
        """Return the place and what is wrong there."""
        return f"{_short(self.path)}: {self.args[1]}"


def refusal(path: str, expected: str, got: object) -> DocumentError:
    """Return the error that something else was expected at a place."""
    return DocumentError(path, message("", expected, got).removeprefix(": "))


def relocated(path: str, error: Exception, fields: Collection[str]) -> DocumentError:
    """Return what a constructor raised as an error of the document, at the field that it names if it names one."""
    text = str(error)
    named = _NAMED.match(text)
    if text.startswith("$"):
        below, _, problem = text[1:].partition(": ")
        return DocumentError(path + below, problem)
    if named is not None and named.group(1) in fields:
        return DocumentError(f"{path}.{named.group(1)}{named.group(2)}", text[named.end() :])
    return DocumentError(path, text or f"expected another document, got {type(error).__name__} of it")


def _short(path: str) -> str:
    half = _LONGEST_PATH // 2
    return path if len(path) <= _LONGEST_PATH else f"{path[:half]}…{path[-half:]}"
