"""How is work on many rows shared between two threads?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["in_halves"]

_MANY_ROWS = 1 << 20  # from here on starting a thread costs next to nothing


def in_halves(n_rows: int, work: Callable[[range], None], /, *, many: int | None = None) -> None:
    """Do the work on all rows: of few at once, of `many` and more in two halves side by side.

    NumPy lets go of the interpreter while it works on a block of rows, so that two threads take little more than half
    the time. The answer must not depend on which half comes first: either writes to places of its own, or both write
    the same value.

    Examples
    --------
    >>> seen = []
    >>> in_halves(3, seen.extend)
    >>> seen
    [0, 1, 2]
    """
    if n_rows < (_MANY_ROWS if many is None else many):
        work(range(n_rows))
        return
    middle = n_rows // 2
    with ThreadPoolExecutor(1) as other:
        second = other.submit(work, range(middle, n_rows))
        work(range(middle))
        second.result()
