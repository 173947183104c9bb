from __future__ import annotations

import numpy as np
import pendulum
from hypothesis import given
from hypothesis import strategies as st

from shequn.columns import EventLog, Roster
from shequn.segmentation import (
    ValueLayers,
    behaviour_layers,
    location_quotient,
    needs,
    persona,
    posture_layers,
    value_layers,
)
from shequn.stats import share_ratio

NOW = pendulum.datetime(2024, 5, 1)
TZ = "Asia/Shanghai"
KINDS = ["post", "read", "click", "purchase", "mute", "invite", "join", "leave"]
ITEMS = ["tea", "cake", "pot", None]

rows = st.lists(
    st.tuples(
        st.integers(0, 6), st.sampled_from(KINDS), st.integers(-5, 60 * 24), st.floats(-9, 99), st.sampled_from(ITEMS)
    ),
    max_size=30,
)
interests = st.lists(st.sets(st.sampled_from(["tea", "hiking", "cake"])), min_size=5, max_size=5)
cities = st.lists(st.sampled_from(["沪", "京", "穗", None]), min_size=5, max_size=5)


def log_of(given_rows: list) -> EventLog:
    columns = list(zip(*given_rows, strict=True)) if given_rows else [[]] * 5
    return EventLog.from_columns(
        member=list(columns[0]),
        kind=list(columns[1]),
        at=[NOW.subtract(hours=ago) for ago in columns[2]],
        value=np.array(columns[3], dtype=np.float64),
        item=list(columns[4]),
    )


def roster_of(tags: list, places: list) -> Roster:
    return Roster.from_columns(member=[5, 3, 0, 1, 8], fields={"city": places}, tags={"interests": tags})


@given(rows, interests, cities, st.randoms())
def test_the_order_of_rows_changes_nothing(given_rows, tags, places, random):
    roster = roster_of(tags, places)
    one, other = log_of(given_rows), log_of(random.sample(given_rows, len(given_rows)))
    for ask in (
        lambda log: behaviour_layers(roster, log, as_of=NOW, tz=TZ),
        lambda log: posture_layers(roster, log, as_of=NOW, tz=TZ),
        lambda log: value_layers(roster, log, as_of=NOW, per_referral=1.5),
    ):
        assert ask(one) == ask(other)
    assert np.array_equal(needs(roster, one, as_of=NOW).scores, needs(roster, other, as_of=NOW).scores)


@given(rows, interests, cities, st.randoms())
def test_the_order_of_the_roster_changes_nobody(given_rows, tags, places, random):
    roster, log = roster_of(tags, places), log_of(given_rows)
    shuffled = roster.take(random.sample(range(5), 5))
    for ask in (
        lambda who: behaviour_layers(who, log, as_of=NOW, tz=TZ).assignment,
        lambda who: posture_layers(who, log, as_of=NOW, tz=TZ).assignment,
        lambda who: value_layers(who, log, as_of=NOW).assignment,
        lambda who: needs(who, log, as_of=NOW).assignment(),
    ):
        assert ask(shuffled).align(roster.members).labels().tolist() == ask(roster).labels().tolist()


@given(rows, interests, cities)
def test_the_numbers_of_each_member_give_their_layer_one_at_a_time(given_rows, tags, places):
    roster, log = roster_of(tags, places), log_of(given_rows)
    behaviour = behaviour_layers(roster, log, as_of=NOW, tz=TZ)
    for row in behaviour.rows():
        assert row.layer is behaviour.layer(row.member)
        assert row.layer is behaviour.place_one(active_days=row.active_days, purchases=row.purchases, signs=row.signs)
    posture = posture_layers(roster, log, as_of=NOW, tz=TZ)
    for row in posture.rows():
        assert row.layer is posture.place_one(voice_days=row.voice_days, reads=row.reads, muted=row.muted)
    values = value_layers(roster, log, as_of=NOW)
    for row in values.rows():
        assert row.layer is values.place_one(contribution=row.contribution)
    wants = needs(roster, log, as_of=NOW)
    for row in wants.rows():
        assert row.score == wants.score_one(tagged=row.tagged, purchases=row.purchases)


@given(st.lists(st.sampled_from([0, 1, 2, 5, 9]) | st.floats(0, 9), max_size=15), st.floats(0, 1), st.floats(0, 1))
def test_who_contributes_more_is_never_in_a_lower_layer_and_who_contributes_alike_is_in_the_same(amounts, one, other):
    layers = ValueLayers.of(amounts, shares=tuple(sorted((one, other))))
    codes = layers.assignment.codes
    for a, code in zip(amounts, codes, strict=True):
        for b, another in zip(amounts, codes, strict=True):
            assert (code <= another) if a <= b else (code >= another)
            assert a != b or code == another


@given(rows, interests, cities)
def test_scores_of_needs_lie_between_zero_and_one_and_rise_with_evidence(given_rows, tags, places):
    found = needs(roster_of(tags, places), log_of(given_rows), as_of=NOW)
    assert ((found.scores >= 0) & (found.scores < 1)).all()
    assert ((found.scores > 0) == (found.tagged | (found.purchases > 0))).all()
    assert found.score_one(tagged=True, purchases=3) > found.score_one(tagged=False, purchases=3)
    assert found.score_one(tagged=False, purchases=4) > found.score_one(tagged=False, purchases=3)


@given(interests, cities, st.lists(st.booleans(), min_size=5, max_size=5))
def test_the_fit_of_one_member_is_their_place_among_all(tags, places, inside):
    roster = roster_of(tags, places)
    described = persona(roster, np.array(inside))
    fits = described.fit(roster).tolist()
    for fit, labels, city in zip(fits, tags, places, strict=True):
        one = described.fit_one({"city": city, "interests": labels})
        assert one == fit or (np.isnan(one) and np.isnan(fit))
        assert np.isnan(fit) or 0 < fit < 1


@given(interests, cities, st.lists(st.sampled_from(["a", "b", None]), min_size=5, max_size=5))
def test_a_persona_and_the_location_quotient_say_the_same(tags, places, segments):
    roster = roster_of(tags, places)
    by = dict(zip(roster.members, segments, strict=True))
    for trait in ("city", "interests"):
        found = location_quotient(roster, by, trait=trait)
        for place, segment in enumerate(found.segments):
            described = persona(roster, [s == segment for s in segments], traits=trait)
            assert described.labels == found.labels
            np.testing.assert_array_equal(described.counts, found.counts[place])
            np.testing.assert_array_equal(described.lift, found.quotient[place])
            np.testing.assert_array_equal(described.upper, found.upper[place])


counts = st.tuples(*[st.integers(0, 50) | st.integers(0, 10**9)] * 4)


@given(counts, st.floats(0.01, 0.99))
def test_a_ratio_of_shares_lies_in_its_interval_and_below_its_largest_value(parts, level):
    hits, misses, other_hits, _ = parts
    n, all_n = hits + misses, sum(parts)
    ratio = share_ratio(hits, n, hits + other_hits, all_n, level=level)
    if not n or not hits + other_hits:
        assert np.isnan([*ratio]).all()
        return
    assert ratio.lower <= ratio.estimate <= ratio.upper
    assert ratio.lower >= 0
    assert ratio.upper <= all_n / n * (1 + 1e-12) or n == all_n
    np.testing.assert_allclose(ratio.estimate, (hits / n) / ((hits + other_hits) / all_n), rtol=1e-12)
