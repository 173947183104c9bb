from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs
from hypothesis import given
from hypothesis import strategies as st

from shequn.entities import Account, Event, Member

LABELS = st.text(min_size=1, max_size=5) | st.integers()
ZONES = st.sampled_from([UTC, ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/St_Johns")])
INSTANTS = st.datetimes(datetime(1900, 1, 2), datetime(2261, 12, 30), timezones=ZONES)  # noqa: DTZ001
NAMES = st.text(min_size=1, max_size=5)
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | INSTANTS
TAG_SETS = st.sets(st.text(max_size=3), max_size=4) | st.lists(st.integers(), max_size=4)
OPEN = {"community": st.none() | LABELS, "invited_by": st.none() | LABELS.map(lambda x: f"by {x}")}

MEMBERS = st.builds(
    Member,
    id=LABELS,
    joined=st.none() | INSTANTS,
    tags=st.dictionaries(NAMES, TAG_SETS, max_size=3),
    accounts=st.sets(
        st.builds(Account, platform=LABELS, handle=st.text(min_size=1, max_size=5).map(lambda x: f"@{x}")), max_size=3
    ),
    fields=st.dictionaries(NAMES, VALUES, max_size=3),
    **OPEN,
)
EVENTS = st.builds(
    Event,
    member=LABELS,
    kind=st.sampled_from(["join", "post", "种草"]),
    at=INSTANTS,
    value=st.none() | st.integers() | st.floats(allow_nan=False),
    target=st.none() | LABELS,
    group=st.none() | LABELS,
    item=st.none() | LABELS,
    extra=st.dictionaries(NAMES, VALUES, max_size=3),
)


@given(MEMBERS)
def test_a_member_survives_pickle_and_evolve(member):
    everything = attrs.asdict(member, recurse=False)
    for double in (pickle.loads(pickle.dumps(member)), attrs.evolve(member)):  # noqa: S301
        assert double == member
        assert attrs.asdict(double, recurse=False) == everything


@given(MEMBERS)
def test_tags_are_in_order_and_unique(member):
    assert all(list(labels) == sorted(set(labels)) for labels in member.tags.values())


@given(EVENTS)
def test_an_event_survives_pickle_and_evolve(event):
    for double in (pickle.loads(pickle.dumps(event)), attrs.evolve(event)):  # noqa: S301
        assert double == event
        assert hash(double) == hash(event)


@given(EVENTS, ZONES)
def test_the_zone_in_which_an_instant_is_told_does_not_matter(event, zone):
    elsewhere = attrs.evolve(event, at=event.at.astimezone(UTC).astimezone(zone))
    assert elsewhere == event
    assert hash(elsewhere) == hash(event)


@given(EVENTS, st.integers(1, 10**9))
def test_events_a_microsecond_apart_differ(event, microseconds):
    at = event.at.astimezone(UTC)
    later = at - timedelta(microseconds=microseconds) if at.year > 2000 else at + timedelta(microseconds=microseconds)
    assert attrs.evolve(event, at=later) != event
