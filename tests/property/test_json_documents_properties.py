from __future__ import annotations

import datetime as dt
import json
from zoneinfo import ZoneInfo

import numpy as np
import pendulum
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shequn import interop
from shequn.columns import row
from shequn.content import Gate, Pressure, Variety
from shequn.entities import (
    Campaign,
    CampaignTheme,
    ContentFormat,
    InteractionForm,
    Member,
    Platform,
    Reward,
    RewardKind,
)
from shequn.errors import InvalidValueError
from shequn.funnel import Exclusion, Funnel, Step
from shequn.interop import DocumentError, from_document, json_schema, to_document
from shequn.labels import Assignment, Index
from shequn.rules import count
from shequn.values import Band, Cadence, DailyWindow, Dated, Mix, Money, Rate, Window
from shequn.values.instants import from_us, instant_us

jsonschema = pytest.importorskip("jsonschema")

ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "+08:00")
YEAR_US = 366 * 86_400_000_000
labels = st.text(min_size=1, max_size=8) | st.integers(-(2**63), 2**63 - 1)
kinds = st.sampled_from(["join", "post", "reply", "购买", "purchase"])
zones = st.sampled_from(ZONES)
instants = st.builds(from_us, st.integers(-60 * YEAR_US, 280 * YEAR_US), zones)
spans = st.builds(lambda us: pendulum.duration(microseconds=us), st.integers(1, 400 * 365 * 86_400_000_000))
money = st.builds(Money, st.integers(-(10**30), 10**30), st.sampled_from(["CNY", "JPY", "USD"]))
costs = st.builds(Money, st.integers(0, 10**12), st.just("CNY"))
numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False)
days = st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31))
clocks = st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2200, 1, 1))  # noqa: DTZ001  # what a clock shows
plain = st.none() | st.booleans() | numbers | st.text(max_size=5) | instants | days | st.datetimes()

windows = st.builds(lambda at, us: Window(at, from_us(instant_us(at) + us)), instants, st.integers(1, YEAR_US))
rewards = st.builds(
    Reward, kind=st.sampled_from(RewardKind), cost=costs, quantity=st.integers(1, 10**6), name=st.none() | st.just("杯")
)
caps = st.dictionaries(days, st.integers(1, 10**6), min_size=1, max_size=3).map(lambda of: Dated(sorted(of.items())))
named = labels.filter(lambda label: str(label).strip() != "")
platforms = st.builds(Platform, id=named, caps=st.none() | caps, formats=st.none() | st.just((ContentFormat.IMAGE,)))
campaigns = st.builds(
    Campaign,
    id=labels,
    theme=st.none() | st.sampled_from(CampaignTheme),
    forms=st.lists(st.sampled_from(InteractionForm), min_size=1, max_size=3, unique=True),
    window=windows,
    topics=st.lists(st.text(min_size=1, max_size=5), max_size=3, unique=True),
    platforms=st.lists(platforms, max_size=2, unique_by=lambda platform: platform.id),
    rewards=st.lists(rewards, max_size=3, unique=True),
)
members = st.builds(
    Member,
    id=labels,
    joined=st.none() | instants,
    tags=st.dictionaries(st.text(min_size=1, max_size=4), st.sets(st.text(min_size=1, max_size=4), max_size=3)),
    fields=st.dictionaries(st.text(min_size=1, max_size=4), plain, max_size=4),
)
steps = st.builds(
    Step,
    kinds=st.sets(kinds, min_size=1),
    where=st.none() | st.builds(lambda n: row("value") >= n, st.integers(0, 9)),
)
mixes = st.dictionaries(labels, st.floats(0.001, 1e6), min_size=1, max_size=5).map(Mix.of)
bands = st.builds(lambda a, b: Band(max(a, b), min(a, b)), numbers, numbers)
daily = st.builds(
    lambda start, length, zone, on: DailyWindow(start=start, end=(start + length) % 1440, tz=zone, weekdays=on),
    st.integers(0, 1439),
    st.integers(1, 1439),
    zones,
    st.none() | st.sets(st.integers(0, 6), min_size=1),
)
gates = st.builds(
    Gate,
    quiet=st.none() | st.lists(daily, min_size=1, max_size=1),
    cadence=st.none() | st.builds(Cadence, per_day=st.none() | st.integers(0, 9)),
    pressure=st.none() | st.builds(Pressure, half_life=spans, cap=st.floats(0.1, 1e9)),
    tz=zones,
    urgent=st.none() | st.integers(),
)
records = st.one_of(
    campaigns, members, steps, mixes, bands, daily, gates, money, windows, platforms, rewards, caps,
    st.builds(lambda hits, more: Rate(hits, hits + more), st.integers(0, 2**40), st.integers(0, 2**40)),
    st.builds(Variety, in_a_row=st.none() | st.integers(1, 9), per_day=st.none() | st.integers(1, 9)),
    st.builds(lambda within: count("post", within=within) >= 3, spans),
)  # fmt: skip


@given(records)
def test_a_record_comes_back_from_json_and_its_schema_takes_it(record):
    text = json.dumps(to_document(record), allow_nan=False)
    back = from_document(type(record), json.loads(text))
    assert back == record
    assert json.dumps(to_document(back)) == text
    jsonschema.Draft202012Validator(json_schema(type(record))).validate(json.loads(text))


@given(members)
def test_what_a_member_bears_comes_back_as_it_was(member):
    back = from_document(Member, json.loads(json.dumps(to_document(member), allow_nan=False)))
    assert {name: repr(value) for name, value in back.fields.items()} == {
        name: repr(as_pendulum(value)) for name, value in member.fields.items()
    }
    assert back.tags == member.tags
    assert back.joined == member.joined


def as_pendulum(value):
    if isinstance(value, dt.datetime):
        zone = value.tzinfo and from_us(instant_us(value), value.tzinfo).tzinfo
        parts = value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond
        return pendulum.DateTime(*parts, tzinfo=zone, fold=value.fold if zone else 0)
    return pendulum.Date(value.year, value.month, value.day) if isinstance(value, dt.date) else value


@given(instants)
def test_an_instant_comes_back_with_its_zone_and_its_fold(at):
    told = to_document(Window(at, from_us(instant_us(at) + 1)))["start"]
    document = {"start": told, "end": "2261-12-31T00:00:00Z"}
    back = from_document(Window, document).start
    assert (instant_us(back), back.isoformat(), back.tzinfo.name) == (instant_us(at), at.isoformat(), at.tzinfo.name)


@given(clocks, st.sampled_from(ZONES[:-1]), st.integers(0, 1))
def test_whatever_a_clock_shows_is_told_as_the_instant_it_is(clock, zone, fold):
    at = clock.replace(tzinfo=ZoneInfo(zone), fold=fold)
    window = Window(at, dt.datetime(2250, 1, 1, tzinfo=dt.UTC))
    assert from_document(Window, to_document(window)).start_us == window.start_us


@given(st.lists(steps, min_size=2, max_size=4, unique_by=lambda step: step.name), spans, st.booleans())
def test_a_funnel_comes_back_as_the_same_definition(chosen, within, is_strict):
    exclusion = Exclusion(kinds="leave", after=0, before=1)
    funnel = Funnel(steps=chosen, within=within, order="strict" if is_strict else "ordered", exclusions=[exclusion])
    assert from_document(Funnel, json.loads(json.dumps(to_document(funnel)))) == funnel


@given(st.lists(st.text(min_size=1, max_size=4), unique=True) | st.lists(st.integers(-(2**63), 2**63 - 1), unique=True))
def test_an_index_and_an_assignment_come_back_as_they_were(names):
    made = interop.converter()
    index = Index(names)
    back = made.structure(json.loads(json.dumps(made.unstructure(index))), Index)
    assert list(back) == list(index)
    assert back.is_text == index.is_text or not names
    codes = np.arange(len(names), dtype=np.int32) // 2 - 1
    segments = Assignment(members=index, codes=codes, segments=Index(range(len(names))))
    again = made.structure(json.loads(json.dumps(made.unstructure(segments))), Assignment)
    assert again.codes.dtype == segments.codes.dtype
    assert again.codes.tolist() == segments.codes.tolist()
    assert list(again.segments) == list(segments.segments)


keys = st.sampled_from(["minor", "currency", "start", "end", "rule", "all", "steps", "id", "float"])
junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["CNY", "2024-03-01"]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(keys, below),
    max_leaves=8,
)


@settings(max_examples=200)
@given(st.sampled_from(interop.DOCUMENTS), junk)
def test_whatever_is_told_is_read_or_refused(cls, told):
    try:
        read = from_document(cls, told)
    except DocumentError as error:
        assert error.path.startswith("$")  # noqa: PT017  # most are refused, some are read
    else:
        assert from_document(cls, to_document(read)) == read


@given(junk)
def test_no_result_is_made_of_junk(told):
    with pytest.raises(InvalidValueError, match=r"^\$"):
        interop.converter().structure({"type": "funnel.FunnelResult", "fields": told}, Index)


@given(st.integers())
def test_a_version_of_tomorrow_is_refused(version):
    if version != 1:
        with pytest.raises(DocumentError, match=r"^\$\.schema_version: expected 1"):
            from_document(Money, {"schema_version": version, "minor": 1, "currency": "CNY"})
