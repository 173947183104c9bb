"""What pandas gives for an instant is a datetime to Python, and not always one."""

from __future__ import annotations

import pandas as pd
import pytest

from shequn.entities import Event, Member, TierLadder
from shequn.errors import InvalidValueError, ShequnError


def test_an_aware_timestamp_is_taken_as_it_is():
    at = pd.Timestamp("2024-03-01 08:00", tz="Asia/Shanghai")
    assert Event(member=1, kind="join", at=at).at_us == 1_709_251_200_000_000
    assert Member(id=1, joined=at).joined is at


@pytest.mark.parametrize(
    ("joined", "says"),
    [
        (pd.NaT, "^joined: expected an aware datetime, got NaT$"),
        (pd.Timestamp("2024-03-01"), r"^joined: expected an aware datetime, got Timestamp"),
        (pd.Timestamp("2024-03-01T00:00:00.000000001", tz="UTC"), "^joined: .*microsecond"),
    ],
)
def test_what_is_no_instant_is_refused(joined, says):
    with pytest.raises(InvalidValueError, match=says):
        Member(id=1, joined=joined)


def test_a_series_of_what_was_earned_is_a_column():
    ladder = TierLadder.of({"silver": 1_000, "gold": 5_000})
    current = pd.Series(["gold", None, "silver"])
    expected = ["gold", None, "silver"]
    for dtype in ("int64", "float64", "Int64", "object"):
        earned = pd.Series([4_600, 999, 950], dtype=dtype)
        assert ladder.place_all(earned, current=current).labels().tolist() == expected


def test_a_missing_amount_in_a_series_is_found():
    ladder = TierLadder.of({"silver": 1_000})
    for dtype in ("Int64", "float64", "object"):
        with pytest.raises(ShequnError, match=r"^earned: expected numbers.* at row 1 \(1 of 2 rows\)$"):
            ladder.place_all(pd.Series([1, None], dtype=dtype))
