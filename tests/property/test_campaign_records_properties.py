from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.entities import Campaign, CampaignStatus, ContentItem, ContentStatus, InteractionForm, Platform, Reward
from shequn.errors import InvalidValueError
from shequn.values import Money, Window

START = datetime(2024, 9, 10, tzinfo=UTC)
hours = st.integers(-50, 50)
rewards = st.lists(st.tuples(st.integers(0, 10**20), st.integers(1, 10**9)), max_size=5)


def at(hour):
    return None if hour is None else START + timedelta(hours=hour)


@given(rewards, st.integers(-2, 2))
def test_the_worst_case_is_the_exact_sum_and_the_budget_holds_to_the_fen(amounts, slack):
    given_rewards = [Reward(kind="gift", cost=Money(cost, "CNY"), quantity=n) for cost, n in amounts]
    worst = sum(cost * n for cost, n in amounts)
    fields = {"id": 1, "forms": {"poll"}, "window": Window(START, at(1)), "rewards": given_rewards}
    if worst + slack < 0:
        return
    if slack < 0:
        with pytest.raises(InvalidValueError, match=r"^rewards: expected a worst case of at most the budget"):
            Campaign(**fields, budget=Money(worst + slack, "CNY"))
    else:
        assert Campaign(**fields, budget=Money(worst + slack, "CNY")).worst_case() == Money(worst, "CNY")


@given(st.integers(1, 40), st.none() | hours, st.lists(hours, min_size=2))
def test_a_campaign_never_goes_back(length, cancelled, asked):
    off = None if cancelled is None or cancelled >= length else cancelled
    campaign = Campaign(id=1, forms={"poll"}, window=Window(START, at(length)), cancelled=at(off))
    order = [CampaignStatus.SCHEDULED, CampaignStatus.RUNNING, CampaignStatus.ENDED, CampaignStatus.CANCELLED]
    seen = [order.index(campaign.status(at(hour))) for hour in sorted(asked)]
    assert seen == sorted(seen)
    assert (CampaignStatus.ENDED in {order[n] for n in seen}) <= (off is None)


@given(st.lists(hours, min_size=3, max_size=3, unique=True), st.booleans(), st.booleans(), st.lists(hours, min_size=2))
def test_an_item_never_goes_back(instants, is_published, is_archived, asked):
    created, published, archived = sorted(instants)
    item = ContentItem(
        id=1,
        kind="interactive",
        created=at(created),
        published=at(published) if is_published else None,
        archived=at(archived) if is_archived else None,
    )
    order = list(ContentStatus)
    seen = [order.index(item.status(at(hour))) for hour in sorted(asked)]
    assert seen == sorted(seen)
    assert item.status(at(created)) is not ContentStatus.PLANNED


@given(st.lists(st.sampled_from(list(InteractionForm)), min_size=1))
def test_forms_are_a_set_in_the_order_of_the_taxonomy_and_stay_so(forms):
    campaign = Campaign(id=1, forms=forms, window=Window(START, at(1)))
    assert campaign.forms == tuple(form for form in InteractionForm if form in forms)
    assert attrs.evolve(campaign).forms == campaign.forms


limits = st.none() | st.integers(1, 20)


@given(limits, limits, st.integers(0, 20), st.integers(1, 20), st.integers(1, 20))
def test_a_violation_is_told_exactly_where_a_limit_is_passed(most_chars, most_pixels, chars, width, height):
    platform = Platform(id="p", max_chars=most_chars, max_pixels=most_pixels)
    item = ContentItem(id=1, kind="interactive", created=START, chars=chars, width=width, height=height)
    found = {violation.code.value: (violation.value, violation.limit) for violation in item.violations(platform)}
    expected = {}
    if most_chars is not None and chars > most_chars:
        expected["too_many_chars"] = (chars, most_chars)
    if most_pixels is not None and width * height > most_pixels:
        expected["too_many_pixels"] = (width * height, most_pixels)
    assert found == expected
