from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.content import backlog
from shequn.entities import ContentItem, ContentStatus

NOW = datetime(2024, 3, 29, tzinfo=UTC)
HOUR = timedelta(hours=1)

hours = st.integers(-72, 72)


@st.composite
def items(draw):
    listed = []
    for number in range(draw(st.integers(0, 8))):
        created = draw(hours)
        published = draw(st.none() | st.integers(created, 72))
        archived = draw(st.none() | st.integers((created if published is None else published) + 1, 90))
        at = [None if hour is None else NOW + hour * HOUR for hour in (created, published, archived)]
        listed.append(ContentItem(id=number, kind="interactive", created=at[0], published=at[1], archived=at[2]))
    return listed


@given(items(), st.dictionaries(st.integers(0, 7), hours), st.integers(1, 60), st.floats(0.1, 5))
def test_every_figure_is_that_of_asking_item_by_item(listed, due_hours, within, per_day):
    due = {n: NOW + hour * HOUR for n, hour in due_hours.items() if n < len(listed)}
    result = backlog(listed, as_of=NOW, per_day=per_day, within=pendulum.duration(hours=within), due=due)
    statuses = [item.status(NOW) for item in listed]
    assert result.items.tolist() == [statuses.count(status) for status in ContentStatus]
    assert result.items.sum() == len(listed)
    ready = [i for i, s in zip(listed, statuses, strict=True) if s in {ContentStatus.DRAFT, ContentStatus.SCHEDULED}]
    assert result.ready == len(ready)
    assert result.cover_days == pytest.approx(len(ready) / per_day)
    start = NOW - within * HOUR
    assert result.made == sum(start < item.created <= NOW for item in listed)
    assert result.posted == sum(item.published is not None and start < item.published <= NOW for item in listed)
    late = []
    for number, at in due.items():
        item = listed[number]
        is_out = item.published is not None and item.published <= NOW
        if at > NOW or (not is_out and item.archived is not None and item.archived <= NOW):
            continue
        late.append(max(((item.published if is_out else NOW) - at) / timedelta(days=1), 0))
    assert result.late_days.tolist() == pytest.approx(late)
    assert result.on_time.hits + sum(days > 0 for days in late) == len(late)
    assert result.open_late <= sum(days > 0 for days in late)


@given(st.integers(0, 200), st.integers(1, 400), st.floats(0.01, 20))
def test_a_backlog_runs_out_no_sooner_than_it_would_without_anything_new(made, days, per_day):
    listed = [ContentItem(id=n, kind="interactive", created=NOW) for n in range(made)]
    result = backlog(listed, as_of=NOW, per_day=per_day, within=pendulum.duration(days=days))
    assert result.runs_out_days >= result.cover_days
    low, high = result.capacity_interval
    assert low <= result.capacity_per_day <= high
    assert math.isinf(result.runs_out_days) is (result.capacity_per_day >= per_day)
