"""Give each distinct 64-bit number of a column a small code, in a few passes over the column.

The textbook answer is a sort (`numpy.unique`), which for ten million rows costs more than the rest of building a log.
Here the numbers are written into a table at the slot their hash names, and read back: a row that finds its own number
is settled, a row that finds another one goes to the next round with another hash. A round settles all rows of a number
or none of them, and what is left shrinks fast. The answer does not depend on which of two numbers wins a slot, and a
column made to defeat the hash is sorted instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["number_codes"]

# Odd 64-bit constants with well mixed bits; a round uses the next one.
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB)
_MOST_TABLE_BITS = 22  # 4 M slots of 8 bytes stay near the cache
_MOST_ROUNDS = 15
_FEW_ROWS = 4096
_BLOCK = 1 << 16


def number_codes(numbers: NDArray[np.uint64]) -> tuple[NDArray[np.int32], NDArray[np.uint64]]:
    """Return a code for each row and the distinct number behind each code, in no particular order.

    Parameters
    ----------
    numbers : ndarray of uint64, shape (n,)

    Returns
    -------
    codes : ndarray of int32, shape (n,)
    distinct : ndarray of uint64, shape (n_distinct,)
        ``distinct[codes]`` is `numbers`.

    Examples
    --------
    >>> codes, distinct = number_codes(np.array([7, 9, 7], dtype=np.uint64))
    >>> distinct[codes].tolist()
    [7, 9, 7]
    """
    codes = np.empty(len(numbers), dtype=np.int32)
    found: list[NDArray[np.uint64]] = []
    n_found = 0
    open_rows: NDArray[np.intp] | None = None  # None stands for every row
    for turn in range(_MOST_ROUNDS):
        todo = numbers if open_rows is None else numbers[open_rows]
        if len(todo) <= _FEW_ROWS:
            break
        distinct, round_codes, settled = _one_round(todo, _MULTIPLIERS[turn % len(_MULTIPLIERS)] ^ (turn << 40))
        round_codes += n_found
        found.append(distinct)
        n_found += len(distinct)
        if open_rows is None:
            codes = round_codes
            open_rows = np.flatnonzero(~settled)
        else:
            codes[open_rows] = round_codes
            open_rows = open_rows[~settled]
    rest = numbers if open_rows is None else numbers[open_rows]
    distinct, rest_codes = np.unique(rest, return_inverse=True)
    codes[slice(None) if open_rows is None else open_rows] = rest_codes + n_found
    found.append(distinct)
    return codes, np.concatenate(found)


def _one_round(
    numbers: NDArray[np.uint64], multiplier: int
) -> tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.bool_]]:
    """Settle as many distinct numbers as one table has room for.

    Returns their values, a code a row, and which rows are settled. Both passes go block by block, so that temporaries
    stay in the cache instead of costing fresh memory.
    """
    bits = min(_MOST_TABLE_BITS, len(numbers).bit_length() + 1)
    factor, shift = np.uint64(multiplier), np.uint64(64 - bits)
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(numbers), _BLOCK)]

    table = np.zeros(1 << bits, dtype=np.uint64)
    for block in blocks:
        table[(numbers[block] * factor >> shift).view(np.int64)] = numbers[block]
    taken = table != 0
    taken[0] = True  # the number 0 lives here and looks like an empty slot; if nothing does, the label is dropped below
    used = np.flatnonzero(taken)
    distinct = table[used]
    code_of_slot = np.empty(1 << bits, dtype=np.int32)
    code_of_slot[used] = np.arange(len(used), dtype=np.int32)

    codes = np.empty(len(numbers), dtype=np.int32)
    settled = np.empty(len(numbers), dtype=np.bool_)
    for block in blocks:
        found = code_of_slot[(numbers[block] * factor >> shift).view(np.int64)]
        codes[block] = found
        np.equal(distinct[found], numbers[block], out=settled[block])
    if table[0] == 0 and not np.any((codes == 0) & settled):
        return distinct[1:], codes - np.int32(1), settled
    return distinct, codes, settled
