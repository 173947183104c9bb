"""What shequn raises and warns, and how its messages are worded.

Every error is a `ShequnError` and also the built-in error a caller would expect (`ValueError`, `TypeError` or
`KeyError`), so that ``except ValueError`` keeps working in code that never heard of this library. A message names the
argument, what was expected, what came, and, for columns, the first bad row and how many rows are bad::

    at: expected instants in [1900, 2262), got 99999999999999 at row 17 (2 of 1000 rows)
"""

from __future__ import annotations

from contextlib import contextmanager
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

__all__ = [
    "InfeasibleError",
    "InvalidTypeError",
    "InvalidValueError",
    "MisalignedError",
    "MissingExtraError",
    "ShequnError",
    "ShequnWarning",
    "UndecidedError",
    "UnknownKindWarning",
    "UnknownLabelError",
    "counted",
    "from_extra",
    "message",
    "suggest",
]


class ShequnError(Exception):
    """Base of every error this library raises on purpose."""


class InvalidValueError(ShequnError, ValueError):
    """An argument has the right type and a value that cannot be used."""


class InvalidTypeError(ShequnError, TypeError):
    """An argument has a type that cannot be used."""


class UnknownLabelError(ShequnError, KeyError):
    """A label, name or column that was asked for does not exist."""

    def __str__(self) -> str:
        """Return the message itself: `KeyError` would show its repr."""
        return str(self.args[0]) if self.args else ""


class MisalignedError(ShequnError, ValueError):
    """Two arguments that must speak of the same members, in the same order, do not."""


class MissingExtraError(ShequnError, ImportError):
    """An optional package is not installed; the message says which extra brings it."""


class _BilingualError(ShequnError):
    """An error that an operator reads: in English and, where it was worded so, in Chinese."""

    def __init__(self, en: str = "", /, *, zh: str | None = None) -> None:
        super().__init__(en)
        self._zh = zh

    @property
    def en(self) -> str:
        """The message."""
        return str(self)

    @property
    def zh(self) -> str:
        """The message in Chinese; in English where it has no Chinese."""
        return self.en if self._zh is None else self._zh


class InfeasibleError(_BilingualError, ValueError):
    """What was asked for can't be had by anybody: its conditions contradict each other, or there are too few.

    `zh` is the message in Chinese.

    Examples
    --------
    >>> InfeasibleError("sizes: 20 members are too few", zh="规模：20 名成员太少").zh
    '规模：20 名成员太少'
    """


class UndecidedError(_BilingualError, ValueError):
    """No answer was found, and it was not proved either that there is none.

    `zh` is the message in Chinese.

    Examples
    --------
    >>> UndecidedError("no deal was found").zh
    'no deal was found'
    """


class ShequnWarning(UserWarning):
    """Base of every warning this library issues."""


class UnknownKindWarning(ShequnWarning):
    """A definition names an event kind that the log does not contain."""


_LONGEST_REPR = 80


def message(
    argument: str,
    expected: str,
    got: object,
    *,
    row: int | None = None,
    bad: int | None = None,
    total: int | None = None,
) -> str:
    """Word an error the same way everywhere.

    Parameters
    ----------
    argument : str
        Name of the argument, as the caller wrote it.
    expected : str
        What would have been accepted, as a noun phrase.
    got : object
        The offending value; its repr is shortened to 80 characters.
    row : int, optional
        Zero-based position of the first bad row.
    bad, total : int, optional
        How many rows are bad, of how many.

    Returns
    -------
    str
        The message.

    Examples
    --------
    >>> message("at", "instants in [1900, 2262)", 99999999999999, row=17, bad=2, total=1000)
    'at: expected instants in [1900, 2262), got 99999999999999 at row 17 (2 of 1000 rows)'
    """
    shown = _shown(got)
    if len(shown) > _LONGEST_REPR:
        shown = shown[: _LONGEST_REPR - 1] + "…"
    text = f"{argument}: expected {expected}, got {shown}"
    if row is not None:
        text += f" at row {row}"
    if bad is not None and total is not None:
        text += f" ({bad} of {total} rows)"
    return text


def _shown(got: object) -> str:
    """Return the source of a value, or its type where it cannot be shown: nested too deep, or too many digits."""
    try:
        item = getattr(got, "item", None)
        return repr(item() if callable(item) and getattr(got, "ndim", None) == 0 else got)
    except Exception:  # what somebody's class raises must not hide the error that is being worded
        return f"something of type {type(got).__name__}"


def counted(n: int, one: str, many: str | None = None) -> str:
    """Return how many there are of something, in the number that grammar asks for.

    Examples
    --------
    >>> counted(1, "tie"), counted(1_200, "tie"), counted(0, "entry", "entries")
    ('1 tie', '1,200 ties', '0 entries')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


@contextmanager
def from_extra(extra: str, package: str | None = None) -> Generator[None]:
    """Import an optional package inside, and say which extra brings it where it is missing.

    Raises
    ------
    MissingExtraError
        It can't be imported.

    Examples
    --------
    >>> with from_extra("plot", "matplotlib"):
    ...     raise ModuleNotFoundError("No module named 'matplotlib'")
    Traceback (most recent call last):
    shequn.errors.MissingExtraError: matplotlib is not installed: pip install 'shequn[plot]'
    """
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(f"{package or extra} is not installed: pip install 'shequn[{extra}]'") from error


def suggest(name: object, known: Iterable[object]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known name closest to `name`, or an empty string.

    Examples
    --------
    >>> suggest("purchse", ["purchase", "post"])
    "; did you mean 'purchase'?"
    >>> suggest("zzz", ["purchase", "post"])
    ''
    """
    text = name if isinstance(name, str) else _shown(name)
    if len(text) > _LONGEST_REPR:
        return ""
    close = get_close_matches(text, [str(k) for k in known], n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
