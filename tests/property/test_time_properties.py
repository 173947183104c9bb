"""What holds of every instant, window and calendar."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.errors import InvalidValueError
from shequn.values import Calendar, Window, from_us, instant_faults, instant_us, to_instants, transitions
from shequn.values.instants import FIRST_US, LAST_US

ZONES = [
    "UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "America/St_Johns",
    "Pacific/Apia", "Pacific/Kwajalein", "Australia/Lord_Howe",
    "Asia/Kathmandu", "Africa/Casablanca", "Europe/Dublin", "America/Adak", "Antarctica/Troll", "+08:00", "-03:30",
]  # fmt: skip
zones = st.sampled_from(ZONES)
instants = st.integers(FIRST_US, LAST_US - 1)
units = st.sampled_from(["hour", "day", "week", "month", "quarter", "year"])


@st.composite
def near_transitions(draw: Any, zone: str) -> int:
    """Draw an instant, mostly within hours of a transition of the zone."""
    boundaries = transitions(zone, FIRST_US, LAST_US).boundaries_us
    if not len(boundaries) or draw(st.booleans()):
        return int(draw(instants))
    apart = draw(st.integers(-26 * 3_600, 26 * 3_600)) * 1_000_000 + draw(st.sampled_from([-1, 0, 1]))
    near = min(max(int(boundaries[draw(st.integers(0, len(boundaries) - 1))]) + apart, FIRST_US), LAST_US - 1)
    return int(near)


@st.composite
def calendars(draw: Any) -> Calendar:
    unit = draw(units)
    n = draw(st.integers(1, 40))
    dates = st.dates(date(1950, 1, 1), date(2050, 1, 1))
    return Calendar(
        unit=unit,
        tz=draw(zones),
        n=n,
        week_start=draw(st.sampled_from(["monday", "sunday"])) if unit == "week" else "monday",
        anchor=draw(st.none() | dates) if n > 1 else None,
    )


@given(st.data(), zones)
def test_an_instant_comes_back_from_the_clocks_of_any_zone(data: Any, zone: str):
    us = data.draw(near_transitions(zone))
    assert instant_us(from_us(us, zone)) == us


@given(st.data(), zones)
def test_a_column_comes_back_in_every_form(data: Any, zone: str):
    us = data.draw(st.lists(near_transitions(zone), max_size=20))
    expected = np.array(us, dtype=np.int64)
    forms: list[tuple[Any, dict[str, Any]]] = [
        (us, {"time_unit": "us"}),
        ([from_us(at, zone) for at in us], {}),
        ([from_us(at, zone) if at % 2 else from_us(at) for at in us], {}),
        (expected.view("M8[us]"), {"at_tz": "UTC"}),
        ((expected - 28_800_000_000).view("M8[us]"), {"at_tz": "-08:00"}),
    ]
    for column, options in forms:
        found = to_instants(column, **options)
        np.testing.assert_array_equal(found.us, expected)
        assert np.all(expected % found.resolution_us == 0)
        assert instant_faults(column, **options) == {}


@given(st.data(), zones)
def test_a_wall_clock_time_is_read_back_or_refused_for_what_it_is(data: Any, zone: str):
    """Each time is refused just when the zone showed it never or twice, by the round trip of the standard library."""
    day_us = 86_400_000_000
    us = min(max(data.draw(near_transitions(zone)), FIRST_US + day_us), LAST_US - 1 - day_us)
    wall = from_us(us, zone).naive() + timedelta(minutes=data.draw(st.sampled_from([0, 0, 0, -45, 45])))
    info = from_us(us, zone).tzinfo
    readings = {instant_us(wall.replace(tzinfo=info, fold=fold)) for fold in (0, 1)}
    shown = {at for at in readings if from_us(at, zone).naive() == wall}
    faults = instant_faults([wall], at_tz=zone)
    if len(shown) == 1:
        assert to_instants([wall], at_tz=zone).us.tolist() == list(shown)
    elif len(shown) == 2:
        assert "had once" in faults[0]
    else:
        assert f"exist in {zone}" in faults[0]


@given(st.data(), calendars())
def test_an_instant_lies_between_the_ends_of_its_period(data: Any, calendar: Calendar):
    us = data.draw(near_transitions(calendar.tz))
    number = calendar.index_one(us)
    assert calendar.start_us([number])[0] <= us < calendar.end_us([number])[0]
    assert number == calendar.index(np.array([us]))[0]


@given(st.data(), calendars())
def test_the_ends_of_a_period_are_its_first_and_last_instants(data: Any, calendar: Calendar):
    number = calendar.index_one(data.draw(near_transitions(calendar.tz)))
    start, end, after = (int(at[0]) for at in (
        calendar.start_us([number]), calendar.end_us([number]), calendar.start_us([number + 1])
    ))  # fmt: skip
    assert start <= after <= end
    if start > FIRST_US and end < LAST_US:
        assert calendar.index_one(start - 1) < number <= calendar.index_one(start)
        assert calendar.index_one(end - 1) <= number < calendar.index_one(end)


@given(calendars(), st.dates(date(1900, 1, 1), date(2261, 12, 31)))
def test_labels_and_numbers_are_two_names_of_a_period(calendar: Calendar, day: date):
    number = calendar.index_of_date(day)
    labels = calendar.label([number, number + 1])
    assert labels[0] <= np.datetime64(day) < labels[1]
    if calendar.unit != "hour":
        assert calendar.index_of_date(labels[0].item()) == number
        assert calendar.index_of_date(labels[1].item() - timedelta(days=1)) == number
        assert calendar.label_one(number) == labels[0].item()


@given(st.data(), calendars())
def test_the_order_and_the_company_of_rows_change_no_number(data: Any, calendar: Calendar):
    us = np.array(data.draw(st.lists(near_transitions(calendar.tz), min_size=1, max_size=30)))
    order = np.array(data.draw(st.permutations(range(len(us)))))
    numbers = calendar.index(us)
    np.testing.assert_array_equal(calendar.index(us[order]), numbers[order])
    assert [calendar.index_one(at) for at in us.tolist()] == numbers.tolist()


@given(instants, instants, st.lists(instants, max_size=10), zones)
def test_a_window_holds_the_instants_between_its_ends(one: int, other: int, at: list[int], zone: str):
    start, end = sorted((one, other))
    if start == end:
        with pytest.raises(InvalidValueError, match="end: expected an instant after start"):
            Window(from_us(start, zone), from_us(end, zone))
        return
    window = Window(from_us(start, zone), from_us(end))
    assert (window.start_us, window.end_us) == (start, end)
    assert window.duration == timedelta(microseconds=end - start)
    assert window == Window(from_us(start), from_us(end, zone))
    probes = [*at, start, end - 1, end, max(start - 1, FIRST_US)]
    expected = [start <= each < end for each in probes]
    assert window.mask(np.array(probes)).tolist() == expected
    assert [window.contains(from_us(each, zone)) for each in probes] == expected


@given(st.data(), st.sampled_from([name for name in ZONES if "/" in name]))
def test_python_and_pendulum_zones_are_read_alike(data: Any, zone: str):
    us = data.draw(st.lists(near_transitions(zone), min_size=1, max_size=10))
    pendulums = [from_us(at, zone) for at in us]
    plain = [from_us(at).astimezone(ZoneInfo(zone)) for at in us]
    assert all(isinstance(at, pendulum.DateTime) for at in pendulums)
    assert to_instants(pendulums).us.tolist() == to_instants(plain).us.tolist() == us
