"""Time zones: which one is meant, and when its clocks changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
import pendulum
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError
from shequn.values import transitions, zone, zone_name
from shequn.values.instants import instant_us


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Asia/Shanghai", "Asia/Shanghai"),
        (ZoneInfo("Asia/Shanghai"), "Asia/Shanghai"),
        (pendulum.timezone("Asia/Shanghai"), "Asia/Shanghai"),
        ("UTC", "UTC"),
        (UTC, "UTC"),
        ("+00:00", "UTC"),
        ("+08:00", "+08:00"),
        (timezone(timedelta(hours=8)), "+08:00"),
        (pendulum.FixedTimezone(8 * 3600), "+08:00"),
        (timezone(-timedelta(hours=3, minutes=30)), "-03:30"),
        (timezone(timedelta(hours=8, minutes=5, seconds=43)), "+08:05:43"),
        ("-00:30", "-00:30"),
    ],
)
def test_a_zone_has_one_name_however_it_is_given(given: str | tzinfo, name: str):
    assert zone_name(given) == name
    assert zone_name(name) == name
    assert zone(given) is zone(name)


def test_a_fixed_offset_is_that_far_from_utc():
    at = datetime(2024, 1, 1, tzinfo=UTC)
    assert at.astimezone(zone("-03:30")).utcoffset() == -timedelta(hours=3, minutes=30)
    assert at.astimezone(zone("+08:05:43")).utcoffset() == timedelta(hours=8, minutes=5, seconds=43)


@pytest.mark.parametrize(
    ("unknown", "hint"),
    [
        ("Asia/Shangai", "; did you mean 'Asia/Shanghai'?"),
        ("asia/shanghai", "; did you mean 'Asia/Shanghai'?"),
        ("Asia/Beijing", "; did you mean 'Asia/Shanghai'?"),
        ("right/Europe/Berlin", "; did you mean 'Europe/Berlin'?"),
        ("+24:00", ""),
        ("", ""),
        ("../etc/passwd", ""),
        ("a\0b", ""),
        ("x" * 300, ""),
    ],
)
def test_an_unknown_zone_is_refused_with_the_likely_name(unknown: str, hint: str):
    with pytest.raises(UnknownLabelError, match="tz: expected an IANA time zone such as 'Asia/Shanghai'") as refused:
        zone(unknown)
    assert str(refused.value).partition(";")[1:] == hint.partition(";")[1:]


@pytest.mark.parametrize("place", ["America", "localtime", "posixrules", "posix/Europe/Berlin", "zone.tab"])
def test_folders_and_names_of_the_machine_are_no_zones(place: str):
    with pytest.raises(UnknownLabelError, match="at_tz: expected an IANA time zone"):
        zone(place, argument="at_tz")


def test_what_is_no_zone_is_refused():
    class Lunar(tzinfo):
        """Somebody's own zone."""

    for given in (8, None, Lunar()):  # type: ignore[abstract]
        with pytest.raises(InvalidTypeError, match=r"or a zone of pendulum, zoneinfo, pytz or datetime\.timezone, got"):
            zone(given)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="tz: expected an offset of whole seconds"):
        zone(timezone(timedelta(microseconds=1)))


def test_a_zone_without_a_name_is_refused():
    class Nameless(ZoneInfo):
        @property
        def key(self):
            return None

    with pytest.raises(InvalidValueError, match="tz: expected a time zone with a name"):
        zone(Nameless("Asia/Shanghai"))


def test_the_summer_times_of_shanghai_are_found_to_the_second():
    found = transitions("Asia/Shanghai", us(1985), us(2000))
    starts_and_ends = [
        "1986-05-03T18:00:00", "1986-09-13T17:00:00", "1987-04-11T18:00:00", "1987-09-12T17:00:00",
        "1988-04-16T18:00:00", "1988-09-10T17:00:00", "1989-04-15T18:00:00", "1989-09-16T17:00:00",
        "1990-04-14T18:00:00", "1990-09-15T17:00:00", "1991-04-13T18:00:00", "1991-09-14T17:00:00",
    ]  # fmt: skip
    np.testing.assert_array_equal(found.boundaries_us, np.array(starts_and_ends, "M8[us]").view(np.int64))
    np.testing.assert_array_equal(found.offsets_us // 3_600_000_000, [8, 9] * 6 + [8])


def test_a_zone_that_never_changed_has_one_offset():
    assert transitions("Asia/Shanghai", us(1992), us(2100)).offsets_us.tolist() == [8 * 3_600_000_000]
    assert transitions("+08:00", us(1900), us(2261)).offsets_us.tolist() == [8 * 3_600_000_000]


def test_a_transition_belongs_to_the_span_it_is_inside_of():
    changed = int(transitions("Europe/Berlin", us(2024), us(2024, 6)).boundaries_us[0])
    assert transitions("Europe/Berlin", changed, changed + 1).boundaries_us.tolist() == []
    assert transitions("Europe/Berlin", changed, changed + 1).offsets_us.tolist() == [7_200_000_000]
    assert transitions("Europe/Berlin", changed - 1, changed).offsets_us.tolist() == [3_600_000_000]
    assert transitions("Europe/Berlin", changed - 1, changed + 1).boundaries_us.tolist() == [changed]


def test_a_transition_on_the_first_second_of_a_year_is_found_from_either_side():
    # Lisbon left its local mean time on 1912-01-01T00:00Z.
    assert transitions("Europe/Lisbon", us(1911), us(1913)).boundaries_us.tolist() == [us(1912)]
    assert transitions("Europe/Lisbon", us(1912) - 1, us(1912) + 1).boundaries_us.tolist() == [us(1912)]
    assert transitions("Europe/Lisbon", us(1911), us(1912)).offsets_us.tolist() == [-2_205_000_000]
    assert transitions("Europe/Lisbon", us(1912), us(1913)).offsets_us.tolist() == [0]


def test_transitions_are_read_only():
    found = transitions("Europe/Berlin", us(2020), us(2024))
    assert not found.boundaries_us.flags.writeable
    assert not found.offsets_us.flags.writeable


def test_an_empty_or_distant_span_is_refused():
    with pytest.raises(InvalidValueError, match=r"hi_us: expected an instant after lo_us \(5\), got 5"):
        transitions("UTC", 5, 5)
    with pytest.raises(InvalidValueError, match="lo_us: expected microseconds in the years 1600 to 2599, got -"):
        transitions("UTC", -(10**17), 5)
    with pytest.raises(InvalidValueError, match="hi_us: expected microseconds in the years 1600 to 2599, got 10"):
        transitions("UTC", 5, 10**17)
    with pytest.raises(UnknownLabelError, match="tz: expected"):
        transitions("Mars", 5, 6)


def us(year: int, month: int = 1) -> int:
    return instant_us(datetime(year, month, 1, tzinfo=UTC))
