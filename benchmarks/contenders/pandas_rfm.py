"""pandas: quintiles of ranks, three a member."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.contenders import Loaded
from benchmarks.contenders.rfm import COUNTED_CODE
from benchmarks.workload import amounts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.workload import Columns


def load(columns: Columns, query: str) -> Loaded:
    assert query == "qcut of ranks"
    held = columns.kind == COUNTED_CODE
    rows = pd.DataFrame(
        {
            "member": columns.member[held],
            "second": columns.second[held],
            "value": amounts(len(held))[held],
        }
    )
    each = rows.groupby("member").agg(last=("second", "max"), frequency=("second", "size"), monetary=("value", "sum"))
    return Loaded(lambda: _scores(each), _sizes)


def _scores(each: Any) -> Any:
    # Ranked by the order of rows, as everybody does: equal values would give edges that are not unique.
    scored = {name: pd.qcut(each[name].rank(method="first"), 5, labels=False) + 1 for name in each}
    return pd.DataFrame(scored)


def _sizes(scored: Any) -> NDArray[np.int64]:
    return np.stack([np.bincount(scored[name], minlength=6)[1:] for name in scored])
