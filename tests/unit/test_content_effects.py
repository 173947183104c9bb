from __future__ import annotations

import attrs
import numpy as np
import pendulum
import pytest

from shequn.content import ContentEffects, ContentPerformance, effects
from shequn.entities import ContentItem, ContentKind
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError
from shequn.values.instants import instant_us

DAY = pendulum.datetime(2024, 3, 1)


def done_of(hits, reached, kinds, *, formats=None, published=DAY):
    formats = [None] * len(hits) if formats is None else formats
    items = [
        ContentItem(id=n, kind=kind, format=form, created=DAY, published=published)
        for n, (kind, form) in enumerate(zip(kinds, formats, strict=True))
    ]
    none = np.zeros(len(hits), dtype=np.int64)
    return ContentPerformance(
        items=items,
        reached=reached,
        readers=hits,
        reads=hits,
        engaged=none,
        engagement=none,
        sharers=none,
        shares=none,
        as_of_us=instant_us(DAY.add(days=30)),
        rank_by="read",
    )


def test_items_that_differ_widen_the_interval_of_their_kind():
    kinds = ["interactive"] * 4 + ["educational"] * 4
    alike = effects(done_of([200] * 8, [1000] * 8, kinds))
    unlike = effects(done_of([100, 300, 150, 250] * 2, [1000] * 8, kinds))
    assert alike.correlation == 0 < unlike.correlation
    np.testing.assert_allclose([alike.own_rate, unlike.own_rate], 0.2)
    assert np.all(unlike.upper - unlike.lower > 3 * (alike.upper - alike.lower))


def test_one_item_seen_by_everybody_weighs_no_more_than_one_over_the_correlation():
    kinds = ["interactive"] * 4 + ["educational"] * 4
    found = effects(done_of([100_000, 20, 11, 9, 12, 18, 25, 5], [1_000_000] + [100] * 7, kinds))
    assert found.effective[1] < 4 / found.correlation
    assert found.effective.sum() < 8 / found.correlation


def test_a_kind_that_did_better_in_every_item_stands_out_and_one_lucky_item_does_not():
    kinds = ["interactive"] * 5 + ["educational"] * 5
    steady = effects(done_of([300, 310, 290, 305, 295, 200, 210, 190, 205, 195], [1000] * 10, kinds))
    lucky = effects(done_of([200, 210, 190, 205, 695, 200, 210, 190, 205, 195], [1000] * 10, kinds))
    assert steady.adjusted[0] < 0.001
    assert lucky.adjusted[0] > 0.3
    assert repr(steady) == "ContentEffects(read rate by kind: 2 of 2 stand out)"


def test_levels_come_in_the_order_of_their_taxonomy_and_combinations_as_they_occur():
    kinds = ["educational", "informational", "educational", "informational"]
    formats = ["video", "text", "article", "text"]
    found = effects(done_of([1, 2, 3, 4], [10] * 4, kinds, formats=formats), by=("kind", "format"))
    assert [(str(k), str(f)) for k, f in found.levels] == [
        ("informational", "text"),
        ("educational", "article"),
        ("educational", "video"),
    ]
    assert found.items.tolist() == [2, 1, 1]
    assert [row.surface for row in found.rows()] == [None] * 3
    assert "内容类型" in found.table(lang="zh")


def test_items_that_do_not_say_are_left_out_and_counted():
    found = effects(done_of([1, 2, 3], [10] * 3, ["educational"] * 3, formats=["video", None, "text"]), by="format")
    assert (found.items.sum(), found.n_left_out) == (2, 1)
    assert "1 left out" in str(found)
    assert "1 条未参与比较" in found.table(lang="zh")


def test_items_without_a_place_in_the_ranking_take_no_part():
    assert len(effects(done_of([1, 2], [10, 10], ["educational"] * 2, published=None))) == 0
    found = effects(done_of([1, 0], [10, 0], ["educational", "interactive"]))
    assert found.levels == ((ContentKind.EDUCATIONAL,),)


def test_one_level_or_one_item_leaves_nothing_to_test():
    one = effects(done_of([1, 2], [10, 10], ["educational"] * 2))
    assert np.isnan(one.p_value).all()
    assert one.pooled.pooling == "complete"
    single = effects(done_of([1], [10], ["educational"]))
    assert np.isnan([single.lower[0], single.upper[0], single.p_value[0]]).all()


def test_kinds_of_one_item_each_are_judged_by_how_all_items_differ():
    kinds = ["informational", "entertainment", "interactive", "educational"]
    found = effects(done_of([100, 300, 200, 220], [1000] * 4, kinds))
    assert found.df == 3
    assert found.correlation > 0
    assert (found.adjusted > 0.05).all()


def test_no_hit_at_all_is_a_rate_of_0_without_a_lift():
    found = effects(done_of([0, 0, 0, 0], [10] * 4, ["educational", "interactive"] * 2))
    assert found.own_rate.tolist() == [0, 0]
    assert found.upper[0] > 0
    assert np.isnan([*found.lift, *found.p_value]).all()


def test_kinds_that_do_not_differ_all_have_the_overall_rate():
    found = effects(done_of([100, 101, 99, 100], [1000] * 4, ["educational", "interactive"] * 2))
    assert found.pooled.pooling == "complete"
    np.testing.assert_allclose(found.lift, 0, atol=1e-12)
    assert np.all((found.lift_lower < 0) & (found.lift_upper > 0))
    assert "no more than chance" in str(found)


def test_another_rate_and_another_level_may_be_asked_for():
    done = done_of([100, 300, 150, 250], [1000] * 4, ["educational", "interactive"] * 2)
    assert effects(done, rate="share").overall == 0
    assert np.all(effects(done, level=0.5).lower > effects(done).lower)


def test_what_cannot_be_used_is_refused():
    done = done_of([1], [10], ["educational"])
    with pytest.raises(InvalidValueError, match=r"^by: expected one of 'kind', 'subkind', 'format', 'surface'"):
        effects(done, by="topic")
    with pytest.raises(InvalidValueError, match=r"^by: expected one attribute or several, each once"):
        effects(done, by=("kind", "kind"))
    with pytest.raises(InvalidValueError, match=r"^by: "):
        effects(done, by=())
    with pytest.raises(InvalidTypeError, match=r"^performance: "):
        effects(3)
    with pytest.raises(InvalidValueError, match=r"^rate: "):
        effects(done, rate="reads")
    with pytest.raises(InvalidValueError, match=r"^effective_hits: expected at most as many as effective"):
        attrs.evolve(effects(done), effective_hits=[11])
    with pytest.raises(MisalignedError, match=r"^hits: expected one for each of the 1 level"):
        ContentEffects(
            by="kind", rate="read", levels=((ContentKind.EDUCATIONAL,),), items=[1], reached=[1], hits=[1, 2],
            effective=[1], effective_hits=[1], correlation=0, df=1,
        )  # fmt: skip


@pytest.mark.parametrize("levels", [None, 1, "ab", [ContentKind.EDUCATIONAL, ContentKind.INTERACTIVE]])
def test_levels_that_are_no_tuples_are_refused(levels):
    with pytest.raises(InvalidTypeError, match="levels: expected a tuple of values of taxonomies for each level"):
        ContentEffects(
            by=("kind",), rate="read", levels=levels, items=[9, 7], reached=[900, 700], hits=[90, 140],
            effective=[300, 250], effective_hits=[30, 50], correlation=0.02, df=14,
        )  # fmt: skip
