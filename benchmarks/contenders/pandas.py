"""pandas: the columns in a frame of uint32."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.contenders import Loaded, table_of_codes
from benchmarks.workload import ORIGIN_S, WEEK_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.workload import Columns


def load(columns: Columns, query: str) -> Loaded:
    frame = pd.DataFrame({"member": columns.member, "second": columns.second})
    return Loaded(lambda: QUERIES[query](frame), _table)


def _week(frame: Any) -> Any:
    return (frame["second"] - np.uint32(ORIGIN_S)) // np.uint32(WEEK_S)


def _sorted(frame: Any) -> Any:
    # NumPy sorts and drops the repeats: ten times faster than `sort_values` and `drop_duplicates`.
    keys = np.sort((frame["member"] * np.uint32(32) + _week(frame)).to_numpy())
    keys = pd.Series(keys[np.append(True, keys[1:] != keys[:-1])])
    member, week = keys // 32, keys % 32
    cohort = week.where(member.ne(member.shift())).ffill()
    return (cohort * 32 + week).value_counts(sort=False)


def _unique(frame: Any) -> Any:
    keys = pd.unique((frame["member"] * np.uint32(32) + _week(frame)).to_numpy())
    pairs = pd.DataFrame({"member": keys >> 5, "week": (keys & 31).astype(np.int16)})
    cohort = pairs.groupby("member", sort=False)["week"].transform("min")
    return (cohort * 32 + pairs["week"]).value_counts(sort=False)


def _pairs(frame: Any) -> Any:
    pairs = pd.DataFrame({"member": frame["member"], "week": _week(frame).astype(np.int16)}).drop_duplicates()
    cohort = pairs.groupby("member")["week"].transform("min")
    return (cohort * 32 + pairs["week"]).value_counts(sort=False)


QUERIES = {"sorted": _sorted, "unique": _unique, "pairs": _pairs}


def _table(answer: Any) -> NDArray[np.int64]:
    return table_of_codes(answer.index.to_numpy(), answer.to_numpy())
