"""Which part does a member go to, in every process and for ever?"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn.labels import Index

__all__ = ["part_of_members"]


def part_of_members(members: Index, n: int, /) -> NDArray[np.integer[Any]]:
    """Return the part 0..n-1 of each member: BLAKE2b of the label and its type, modulo `n`.

    Python's own `hash` differs between processes, and the code of a member differs between logs; this does neither. The
    label 7 and the label "7" are different members.

    Parameters
    ----------
    members : Index
    n : int
        Number of parts, at least 1.

    Returns
    -------
    ndarray of int16 or int32, shape (n_members,)

    Examples
    --------
    >>> from shequn.labels import Index
    >>> part_of_members(Index(["ann", "bo", "cy"]), 2).tolist()
    [1, 0, 0]
    """
    tag = "s" if members.is_text else "i"
    digests = b"".join(
        blake2b(f"{tag}{label}".encode("utf-8", "surrogatepass"), digest_size=8).digest() for label in members
    )
    parts = np.frombuffer(digests, dtype="<u8") % np.uint64(n)
    return parts.astype(np.int16 if n <= np.iinfo(np.int16).max else np.int32)
