from __future__ import annotations

import math
import pickle

import attrs
import numpy as np
import pytest

from shequn.columns import Breakdown
from shequn.entities import TierLadder
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError
from shequn.labels import Assignment, Index
from shequn.segmentation import Direction, Migration, migration

TIERS = ["silver", "gold", "diamond"]


def tiers(mapping: dict, segments: list | None = None, *, ordered: bool = True) -> Assignment:
    return Assignment.from_mapping(mapping, segments=TIERS if segments is None else segments, ordered=ordered)


SPRING = tiers(
    {"ann": "silver", "bo": "gold", "cy": "diamond", "dee": "silver", "eve": None, "fay": "gold", "gus": None}
)
AUTUMN = tiers(
    {
        "hal": "silver",
        "fay": None,
        "bo": "diamond",
        "eve": "gold",
        "dee": "silver",
        "ann": "gold",
        "gus": None,
        "ivy": None,
    }
)


def test_members_are_matched_by_label_and_every_one_is_counted_once():
    moves = migration(SPRING, AUTUMN)
    assert moves.segments == ("silver", "gold", "diamond")
    assert moves.counts.tolist() == [[1, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert moves.entered.tolist() == [1, 0, 0]  # hal
    assert moves.left.tolist() == [0, 0, 1]  # cy
    assert moves.assigned.tolist() == [0, 1, 0]  # eve
    assert moves.unassigned.tolist() == [0, 1, 0]  # fay
    assert moves.n_outside == 2  # gus, ivy
    assert moves.n_compared == 3
    assert moves.moves.sum() == len({*SPRING.members} | {*AUTUMN.members})


def test_up_is_towards_the_last_segment():
    moves = Migration.from_counts(segments=TIERS, counts=[[5, 2, 1], [3, 4, 0], [7, 6, 9]], ordered=True)
    assert moves.held.tolist() == [5, 4, 9]
    assert moves.moved_up.tolist() == [3, 0, 0]
    assert moves.moved_down.tolist() == [0, 3, 13]
    assert [row.direction for row in moves.rows()][1:4] == [Direction.UP, Direction.UP, Direction.DOWN]


def test_without_an_order_there_is_neither_up_nor_down():
    moves = Migration.from_counts(segments=["tea", "hiking"], counts=[[5, 2], [3, 4]])
    for name in ("moved_up", "moved_down"):
        with pytest.raises(
            InvalidValueError, match="ordered: expected segments that have an order, to tell up from down, got False"
        ):
            getattr(moves, name)
    assert [row.direction for row in moves.rows()] == [Direction.HELD, Direction.MOVED, Direction.MOVED, Direction.HELD]
    assert "up" not in str(moves)
    assert "7 moved" not in str(moves)
    assert "5 moved (35.7%)" in str(moves)


def test_one_ordered_assignment_does_not_make_an_order():
    assert not migration(SPRING, attrs.evolve(AUTUMN, ordered=False)).ordered


def test_rates_are_shares_of_the_row_and_unknown_where_nobody_was():
    moves = migration(SPRING, AUTUMN)
    np.testing.assert_array_equal(moves.rates, [[0.5, 0.5, 0], [0, 0, 1], [math.nan] * 3])
    lower, upper = moves.intervals(level=0.9)
    assert np.isnan(lower).tolist() == np.isnan(upper).tolist() == np.isnan(moves.rates).tolist()
    assert (lower[:2] <= moves.rates[:2]).all()
    assert moves.intervals(level=0.5).upper[0, 0] < upper[0, 0]


def test_unnamed_members_are_matched_by_position():
    ladder = TierLadder.of({"silver": 0, "gold": 1_000})
    moves = migration(ladder.place_all([10, 1_200, 2_000]), ladder.place_all([1_500, 1_100, 5]))
    assert moves.counts.tolist() == [[0, 1], [1, 1]]
    with pytest.raises(MisalignedError, match="after: expected one entry for each of the 3 members, got 2 entries"):
        migration(ladder.place_all([10, 1_200, 2_000]), ladder.place_all([1, 2]))


def test_integers_are_labels_of_members_and_segments_too():
    moves = migration(Assignment.from_mapping({7: 2, 3: 1}), Assignment.from_mapping({3: 2, 7: 2, 9: 1}))
    assert moves.segments == (1, 2)
    assert moves.counts.tolist() == [[0, 1], [0, 1]]
    assert moves.entered.tolist() == [1, 0]


# --- which segments, in which order ---


def test_segments_that_only_came_later_stand_after_those_that_were_there():
    before = Assignment.from_mapping({"ann": "tea", "bo": "go"})
    after = Assignment.from_mapping({"ann": "hiking", "bo": "tea"})
    assert migration(before, after).segments == ("tea", "go", "hiking")
    assert migration(before, after, segments=["hiking", "go", "tea"]).counts.tolist() == [
        [0, 0, 0],
        [0, 0, 1],
        [1, 0, 0],
    ]


def test_of_two_orders_the_one_that_contains_the_other_counts():
    before = tiers({"ann": "silver"}, ["silver", "diamond"])
    after = tiers({"ann": "gold"})
    assert migration(before, after).segments == migration(after, before).segments == tuple(TIERS)


def test_two_orders_that_leave_the_whole_order_open_need_it_given():
    before, after = tiers({"ann": "silver"}, ["silver", "gold"]), tiers({"ann": "silver"}, ["silver", "bronze"])
    with pytest.raises(
        InvalidValueError, match=r"segments: expected the order of all segments, which .* leave open, got None"
    ):
        migration(before, after)
    with pytest.raises(
        InvalidValueError, match=r"segments: expected the order that `after` has \(\['silver', 'bronze'\]\)"
    ):
        migration(before, after, segments=["bronze", "silver", "gold"])
    assert migration(before, after, segments=["silver", "bronze", "gold"]).ordered


def test_opposite_orders_contradict_each_other():
    with pytest.raises(InvalidValueError, match="segments: expected the order of all segments"):
        migration(tiers({"ann": "gold"}), tiers({"ann": "gold"}, TIERS[::-1]))


def test_the_segments_given_must_be_all():
    with pytest.raises(InvalidValueError, match="segments: expected all segments of `before`, 'diamond' too, got"):
        migration(SPRING, AUTUMN, segments=["silver", "gold"])


@pytest.mark.parametrize(
    ("before", "after", "error", "text"),
    [
        ({"ann": "gold"}, AUTUMN, InvalidTypeError, "before: expected an Assignment, got"),
        (SPRING, None, InvalidTypeError, "after: expected an Assignment, got None"),
        (tiers({7: "gold"}), AUTUMN, InvalidTypeError, r"after: expected labels of one type \(int, as 7\)"),
        (
            Assignment.from_mapping({"ann": 3}),
            Assignment.from_mapping({"ann": "gold"}),
            InvalidTypeError,
            r"after: expected labels of one type \(int, as 3\)",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(before, after, error, text):
    with pytest.raises(error, match=text):
        migration(before, after)


# --- counts from elsewhere ---


def test_counts_of_a_warehouse_give_what_members_give():
    moves = migration(
        tiers({"ann": "silver", "bo": "gold", "cy": "gold"}), tiers({"ann": "gold", "bo": "gold", "dee": "silver"})
    )
    again = Migration.from_counts(
        segments=TIERS, counts=moves.counts, entered=moves.entered, left=moves.left, ordered=True
    )
    assert again == moves


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"counts": [[1, 2]]}, MisalignedError, r"counts: expected an array of shape \(2, 2\), as there are segments"),
        ({"counts": [[1, -2], [0, 0]]}, InvalidValueError, "counts: expected integers in"),
        ({"counts": [[1, 0.5], [0, 0]]}, InvalidTypeError, "counts: expected integers"),
        ({"entered": [1]}, MisalignedError, r"entered: expected an array of shape \(2,\)"),
        ({"left": [1, -1]}, InvalidValueError, "left: expected integers in"),
        ({"segments": ["a", "a"]}, InvalidValueError, "segments: expected each label once, got 'a'"),
        ({"ordered": "yes"}, InvalidTypeError, "ordered: expected True or False, got 'yes'"),
    ],
)
def test_counts_that_are_none_are_refused(given, error, text):
    with pytest.raises(error, match=text):
        Migration.from_counts(**({"segments": ["a", "b"], "counts": [[1, 0], [0, 1]]} | given))


def test_the_constructor_checks_its_counts_too():
    with pytest.raises(MisalignedError, match=r"moves: expected an array of shape \(3, 3\), got \(2, 2\)"):
        Migration(segments=["a"], moves=np.zeros((2, 2), dtype=int))
    with pytest.raises(InvalidValueError, match="moves: expected counts of 0 or more, got -1"):
        Migration(segments=["a"], moves=np.full((3, 3), -1))


# --- where it leads ---


def test_what_is_expected_starts_from_where_members_are_now():
    moves = Migration.from_counts(segments=["a", "b"], counts=[[9, 1], [3, 7]], entered=[10, 0])
    assert moves.expected(0).tolist() == [22, 8]
    assert moves.expected(1) == pytest.approx([22 * 0.9 + 8 * 0.3, 22 * 0.1 + 8 * 0.7])
    assert moves.expected(2, start=[1, 0]) == pytest.approx([0.84, 0.16])
    assert moves.expected(10_000, start=[100, 0]) == pytest.approx(100 * moves.stationary())


def test_what_is_expected_of_members_in_an_unknown_segment_is_not_known():
    moves = Migration.from_counts(segments=["a", "b", "c"], counts=[[5, 0, 0], [0, 4, 1], [0, 0, 0]])
    assert np.isnan(moves.expected(1)).all()  # one is in c now
    assert moves.expected(3, start=[7, 0, 0]).tolist() == [7, 0, 0]
    assert np.isnan(moves.rates_after(2)[1]).all()


@pytest.mark.parametrize(
    ("start", "error", "text"),
    [
        ([1], MisalignedError, "start: expected a number for each of the 2 segments"),
        ([1, -1], InvalidValueError, "start: expected finite numbers of 0 or more, got -1.0 at row 1"),
        ([1, math.nan], InvalidValueError, "start: expected finite numbers of 0 or more, got nan"),
        (["x", "y"], InvalidTypeError, "start: expected real numbers"),
    ],
)
def test_a_start_must_be_numbers_of_members(start, error, text):
    with pytest.raises(error, match=text):
        Migration.from_counts(segments=["a", "b"], counts=[[9, 1], [3, 7]]).expected(1, start=start)


def test_the_long_run_needs_one_end_and_the_error_names_the_ends():
    with pytest.raises(
        InvalidValueError,
        match=r"counts: expected one set of segments that is never left, .* got \[\['gone'\], \['core', 'regular'\]\]",
    ):
        Migration.from_counts(
            segments=["new", "gone", "core", "regular"], counts=[[1, 1, 1, 0], [0, 5, 0, 0], [0, 0, 3, 1], [0, 0, 1, 3]]
        ).stationary()


def test_the_long_run_needs_to_know_where_members_go():
    with pytest.raises(
        InvalidValueError, match="counts: expected members who start from each segment that is entered, got 'b'"
    ):
        Migration.from_counts(segments=["a", "b"], counts=[[5, 1], [0, 0]]).stationary()


def test_a_segment_of_nobody_has_no_part_in_the_long_run():
    moves = Migration.from_counts(segments=["a", "x", "b"], counts=[[9, 0, 1], [0, 0, 0], [3, 0, 7]])
    assert moves.stationary() == pytest.approx([0.75, 0, 0.25])


# --- parts and wholes ---


def test_parts_without_a_segment_change_nothing_but_who_was_outside():
    moves = migration(SPRING, AUTUMN)
    nobody = migration(Assignment.from_mapping({}), Assignment.from_mapping({}))
    assert moves.merge(nobody) == nobody.merge(moves) == moves
    outside = migration(Assignment.from_mapping({"zoe": None}), Assignment.from_mapping({"zoe": None}))
    assert moves.merge(outside) == outside.merge(moves)
    assert moves.merge(outside).n_outside == moves.n_outside + 1
    assert outside.merge(outside).n_outside == 2


def test_parts_between_other_segments_do_not_merge():
    one, other = (Migration.from_counts(segments=names, counts=[[1, 0], [0, 1]]) for names in (["a", "b"], ["b", "a"]))
    with pytest.raises(InvalidValueError, match=r"other.segments: expected the same in both parts \(\('a', 'b'\)\)"):
        one.merge(other)
    with pytest.raises(InvalidValueError, match=r"other.ordered: expected the same in both parts"):
        one.merge(attrs.evolve(one, ordered=True))
    with pytest.raises(InvalidTypeError, match="other: expected a Migration, got 3"):
        one.merge(3)


def test_a_sum_beyond_64_bits_is_refused():
    half = Migration.from_counts(segments=["a"], counts=[[2**62]])
    with pytest.raises(InvalidValueError, match="moves: expected counts whose sum fits 64 bits"):
        half.merge(half)


def test_migrations_stand_side_by_side_in_a_breakdown():
    part = Migration.from_counts(segments=["a", "b"], counts=[[3, 1], [0, 2]])
    both = Breakdown(total=part.merge(part), parts={"上海": part, "北京": part})
    assert not both.overlap.any()
    assert "北京" in str(both)
    assert both.merge(Breakdown(total=part, parts={"上海": part})).parts["上海"].counts[0, 0] == 6


# --- how it looks ---


def test_the_table_speaks_english_and_chinese():
    moves = migration(SPRING, AUTUMN)
    assert str(moves).splitlines() == [
        "from / to  silver  gold  diamond  members   held      up  down",
        "──────────────────────────────────────────────────────────────",
        "silver          1     1        0        2  50.0%   50.0%  0.0%",
        "gold            0     0        1        1   0.0%  100.0%  0.0%",
        "diamond         0     0        0        0      –       –     –",
        "Of 3 members 1 held (33.3%), 2 moved up (66.7%), 0 moved down (0.0%).",
        "1 more are in a segment and were not there before.",
        "1 more were in a segment and are not there any more.",
        "1 more were in no segment before and are in one now.",
        "1 more were in a segment and are in none now.",
        "2 more were in no segment, before or after.",
    ]
    assert moves.table(lang="zh").splitlines()[5:] == [
        "3 名成员中，保持 1（33.3%），上升 2（66.7%），下降 0（0.0%）。",
        "另有 1 名成员为新进，之前不在名单。",
        "另有 1 名成员已离开名单。",
        "另有 1 名成员之前未分组，现已归入分组。",
        "另有 1 名成员之前有分组，现未分组。",
        "另有 2 名成员前后均未分组。",
    ]
    assert "上升" in moves.table(lang="zh")
    assert repr(moves) == "Migration(3 members, 3 segments, 2 moved)"


def test_nobody_at_all_can_be_shown_too():
    nobody = migration(Assignment.from_mapping({}), Assignment.from_mapping({}))
    assert "(no rows)" in str(nobody)
    assert nobody.to_columns()["members"].tolist() == []
    assert len(nobody.flows(which="all")) == 0
    assert nobody.bowker().df == nobody.stuart_maxwell().df == 0


def test_a_program_gets_a_row_for_each_pair_of_segments():
    rows = list(Migration.from_counts(segments=["a", "b"], counts=[[3, 1], [0, 0]], ordered=True).rows())
    assert [(row.before, row.after, row.members) for row in rows] == [
        ("a", "a", 3),
        ("a", "b", 1),
        ("b", "a", 0),
        ("b", "b", 0),
    ]
    assert rows[1].rate == 0.25
    assert rows[1].lower < 0.25 < rows[1].upper
    assert math.isnan(rows[2].rate)


def test_streams_stand_by_size_and_ties_by_segment():
    moves = Migration.from_counts(segments=["a", "b", "c"], counts=[[9, 2, 5], [2, 0, 0], [5, 7, 0]], ordered=True)
    flows = moves.flows()
    assert [(flow.before, flow.after, flow.members) for flow in flows.rows()] == [
        ("c", "b", 7), ("a", "c", 5), ("c", "a", 5), ("a", "b", 2), ("b", "a", 2),
    ]  # fmt: skip
    assert flows.rate == pytest.approx([7 / 12, 5 / 16, 5 / 12, 2 / 16, 1])


def test_all_streams_together_are_everybody():
    flows = migration(SPRING, AUTUMN).flows(which="all")
    assert flows.members.sum() == 9
    assert str(flows).splitlines() == [
        "from        to       direction   members  of from",
        "─────────────────────────────────────────────────",
        "(none)   →  (none)   outside           2        –",
        "silver   →  silver   held              1    50.0%",
        "silver   →  gold     up                1    50.0%",
        "gold     →  diamond  up                1    50.0%",
        "gold     →  (none)   unassigned        1    50.0%",
        "diamond  →  (left)   left              1   100.0%",
        "(none)   →  gold     assigned          1        –",
        "(new)    →  silver   entered           1        –",
    ]
    assert [text.split()[:3] for text in flows.table(lang="zh").splitlines()[-2:]] == [
        ["（未分组）", "→", "gold"],
        ["（新进）", "→", "silver"],
    ]
    assert repr(flows) == "Flows(8 streams, 9 members)"
    assert flows.to_columns()["before"].tolist()[-1] is None
    assert flows.to_dict()["columns"]["direction"][-1] == "entered"


def test_an_unknown_view_of_streams_is_refused():
    with pytest.raises(InvalidValueError, match="which: expected one of 'moved', 'all', got 'held'"):
        migration(SPRING, AUTUMN).flows(which="held")


def test_a_migration_and_its_streams_come_back_from_a_pickle():
    moves = migration(SPRING, AUTUMN)
    again = pickle.loads(pickle.dumps(moves))  # noqa: S301
    assert again == moves
    assert not again.moves.flags.writeable
    flows = moves.flows(which="all")
    assert pickle.loads(pickle.dumps(flows)) == flows  # noqa: S301


def test_nothing_that_comes_out_can_be_written_to():
    moves = migration(SPRING, AUTUMN)
    for name in (
        "moves",
        "counts",
        "rates",
        "entered",
        "left",
        "assigned",
        "unassigned",
        "held",
        "moved_up",
        "moved_down",
    ):
        assert not getattr(moves, name).flags.writeable, name
    assert not moves.expected(0).flags.writeable
    assert Index(moves.segments) == Index(TIERS)
