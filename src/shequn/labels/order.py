"""In which order do labels ascend?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ascending_order"]


def ascending_order(labels: NDArray[Any], /) -> NDArray[np.intp]:
    """Return where the labels of an `Index` stand in ascending order, equal ones as they came.

    Text is sorted by Python, which compares it faster than NumPy and hardly looks twice at runs that ascend already.

    Examples
    --------
    >>> ascending_order(np.array(["cy", "ann", "bo"], dtype=object)).tolist()
    [1, 2, 0]
    """
    if labels.dtype != object:
        return np.argsort(labels, kind="stable")
    return np.array(sorted(range(len(labels)), key=labels.tolist().__getitem__), dtype=np.intp)
