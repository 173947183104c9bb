from __future__ import annotations

import copy
import pickle
from fractions import Fraction
from typing import Any

import attrs
import numpy as np
import pytest

from shequn.entities import Placement, Tier, TierLadder
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.labels import Assignment, Index
from shequn.values import Band

LADDER = TierLadder.of({"普通": 0, "银卡": 1_000, "金卡": 5_000}, leave=0.9)
COMMON, SILVER, GOLD = LADDER.tiers


def anything(value: Any) -> Any:
    return value


def code_of(earned, current=None, ladder=LADDER):
    return ladder.place(earned=earned, current=current).code


# --- the rule ---


@pytest.mark.parametrize(
    ("earned", "tier"),
    [(-1, None), (0, "普通"), (999, "普通"), (1_000, "银卡"), (4_999, "银卡"), (5_000, "金卡"), (10**400, "金卡")],
)
def test_a_member_without_a_tier_gets_the_one_they_have_reached(earned, tier):
    assert code_of(earned) == tier


@pytest.mark.parametrize(
    ("earned", "tier"),
    [(5_000, "金卡"), (4_999, "金卡"), (4_500, "金卡"), (4_499, "银卡"), (1_000, "银卡"), (999, "银卡"), (900, "银卡"),
     (899, "普通"), (0, "普通"), (-1, None)],
)  # fmt: skip
def test_who_falls_from_the_top_passes_each_tier_by_its_own_band(earned, tier):
    assert code_of(earned, "金卡") == tier


@pytest.mark.parametrize(("earned", "tier"), [(950, "普通"), (1_000, "银卡"), (4_600, "银卡"), (5_000, "金卡")])
def test_a_band_keeps_who_is_in_and_lets_nobody_in(earned, tier):
    assert code_of(earned, "普通") == tier


def test_a_member_rises_over_several_tiers_at_once():
    assert code_of(6_000, "普通") == code_of(6_000) == "金卡"


def test_with_a_share_of_one_there_is_no_band():
    ladder = TierLadder.of({"silver": 1_000, "gold": 5_000}, leave=1)
    assert code_of(4_999, "gold", ladder) == "silver"
    assert code_of(999, "gold", ladder) is None


def test_with_a_share_of_zero_nobody_falls_above_zero():
    ladder = TierLadder.of({"silver": 1_000, "gold": 5_000}, leave=0)
    assert code_of(0, "gold", ladder) == "gold"
    assert code_of(-1, "gold", ladder) is None


def test_who_may_never_fall_has_a_band_without_a_floor():
    ladder = TierLadder(tiers=[Tier(code="life", rank=1, threshold=Band(100, float("-inf")))])
    assert code_of(-(10**9), "life", ladder) == "life"
    assert ladder.place_all([-5, 99], current=["life", None]).labels().tolist() == ["life", None]


# --- what a placement says ---


@pytest.mark.parametrize(
    ("earned", "current", "next_tier", "gap"),
    [
        (-5, None, "普通", 5),
        (0, None, "银卡", 1_000),
        (4_620, "银卡", "金卡", 380),
        (4_620, "金卡", None, None),
        (9_000, None, None, None),
    ],
)
def test_a_placement_knows_the_next_tier_and_what_is_missing(earned, current, next_tier, gap):
    placement = LADDER.place(earned=earned, current=current)
    assert (placement.next_tier and placement.next_tier.code, placement.gap) == (next_tier, gap)


@pytest.mark.parametrize(
    ("earned", "current", "moved", "kept"),
    [
        (1_000, None, "up", False),
        (1_000, "普通", "up", False),
        (1_000, "银卡", "held", False),
        (999, "银卡", "held", True),
        (900, "银卡", "held", True),
        (899, "银卡", "down", False),
        (950, "金卡", "down", True),
        (-1, "普通", "down", False),
        (-1, None, "held", False),
    ],
)
def test_a_placement_knows_how_the_member_moved_and_whether_the_band_kept_them(earned, current, moved, kept):
    placement = LADDER.place(earned=earned, current=current)
    assert (placement.moved, placement.kept_by_band) == (moved, kept)
    assert (placement.previous and placement.previous.code) == current


@pytest.mark.parametrize(
    ("earned", "current", "en", "zh"),
    [
        (
            4_620,
            "普通",
            "moves up to 银卡 with 4,620: at least 1,000, where one enters 银卡; 380 more to 金卡",
            "升入银卡，已获 4,620：达到银卡门槛 1,000；距金卡还差 380",
        ),
        (
            6_000,
            "金卡",
            "stays in 金卡 with 6,000: at least 5,000, where one enters 金卡",
            "保持金卡，已获 6,000：达到金卡门槛 5,000",
        ),
        (
            4_620,
            "金卡",
            "stays in 金卡 with 4,620: below 5,000, where one enters 金卡, and not below 4,500, where one leaves it",
            "保持金卡，已获 4,620：未达金卡门槛 5,000，但不低于保级线 4,500",
        ),
        (
            4_400,
            "金卡",
            "moves down from 金卡 to 银卡 with 4,400: below 4,500, where one leaves 金卡; "
            "at least 1,000, where one enters 银卡; 600 more to 金卡",
            "由金卡降至银卡，已获 4,400：低于金卡保级线 4,500；达到银卡门槛 1,000；距金卡还差 600",
        ),
        (
            -0.5,
            "普通",
            "falls out of 普通 with -0.5: below 0, where one leaves 普通; 0.5 more to 普通",
            "由普通降为无等级，已获 -0.5：低于普通保级线 0；距普通还差 0.5",
        ),
        (-5, None, "is in no tier with -5: 5 more to 普通", "未入等级，已获 -5：距普通还差 5"),
    ],
)
def test_a_placement_says_why_in_two_languages(earned, current, en, zh):
    placement = LADDER.place(earned=earned, current=current)
    assert placement.reason() == placement.reason("en") == en
    assert placement.reason("zh") == zh


def test_a_code_with_braces_is_shown_as_it_is():
    ladder = TierLadder.of({"{tier}": 10})
    assert ladder.place(earned=12).reason() == "moves up to {tier} with 12: at least 10, where one enters {tier}"


def test_a_reason_comes_in_english_or_chinese():
    with pytest.raises(InvalidValueError, match=r"^lang: expected one of 'en', 'zh', got 'fr'$"):
        LADDER.place(earned=1).reason(anything("fr"))


def test_placements_that_say_the_same_are_equal():
    one = LADDER.place(earned=4_620, current="金卡")
    assert one == LADDER.place(earned=anything(np.int64(4_620)), current="金卡")
    assert one != LADDER.place(earned=4_620)
    assert hash(one) == hash(LADDER.place(earned=4_620, current="金卡"))
    assert one == Placement(earned=4_620, tier=GOLD, previous=GOLD, next_tier=None)


# --- thresholds ---


@pytest.mark.parametrize(
    ("enter", "leave", "threshold"),
    [
        (1_000, 0.9, 900),
        (1_005, 0.9, 905),  # 904.5
        (30, 0.1, 3),  # the binary fraction that stands for 0.1 is a little more, and would give 4
        (10**17 + 1, 0.9, 9 * 10**16 + 1),  # 90000000000000000.9
        (10**40, 0.9, 9 * 10**39),
        (1_000, Fraction(2, 3), 667),
        (2_000, np.float64(0.9), 1_800),
        (np.int64(1_000), 1, 1_000),
        (0, 0.9, 0),
        (-10, 0.9, -10),
    ],
)
def test_the_threshold_to_leave_is_exact_and_whole_where_thresholds_are(enter, leave, threshold):
    band = TierLadder.of({"a": enter}, leave=leave).tiers[0].threshold
    assert band == Band(int(enter), threshold)
    assert type(band.leave) is int


def test_the_threshold_to_leave_a_float_is_the_nearest_float():
    bands = [tier.threshold for tier in TierLadder.of({"a": 0, "b": 3, "c": 3.1, "d": 99.9}).tiers]
    assert bands == [Band(0), Band(3, 2.7), Band(3.1, 2.79), Band(99.9, 89.91)]


def test_the_share_is_nine_tenths_by_default():
    assert TierLadder.of({"a": 10}) == TierLadder.of({"a": 10}, leave=0.9)


def test_tiers_are_put_in_the_order_of_their_ranks():
    ladder = TierLadder(tiers=[GOLD, COMMON, SILVER])
    assert ladder == LADDER
    assert [tier.code for tier in ladder.tiers] == ["普通", "银卡", "金卡"]
    assert hash(ladder) == hash(LADDER)


def test_codes_may_be_integers():
    ladder = TierLadder.of({1: 10, 2: 20})
    assert code_of(15, 2, ladder) == 1
    assert ladder.place_all([5, 18, 25], current=[1, 2, 1]).labels().tolist() == [None, 2, 2]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, attrs.evolve, lambda x: pickle.loads(pickle.dumps(x))])  # noqa: S301
def test_a_copy_is_equal(duplicate):
    assert duplicate(LADDER) == LADDER
    assert duplicate(GOLD) == GOLD
    assert duplicate(LADDER.place(earned=7)) == LADDER.place(earned=7)


def tier(code="x", rank=0, threshold=0):
    return Tier(code=code, rank=rank, threshold=threshold)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: tier(code=""), InvalidValueError, "^code: expected a non-empty str or an int, got ''$"),
        (lambda: tier(rank=1.5), InvalidTypeError, "^rank: expected an integer, got 1.5$"),
        (lambda: tier(threshold="5"), InvalidTypeError, "^enter: expected a number, got '5'$"),
        (
            lambda: tier(threshold=float("inf")),
            InvalidValueError,
            "^threshold: expected a finite value to enter, got inf$",
        ),
        (lambda: TierLadder(tiers=[]), InvalidValueError, r"^tiers: expected at least one tier, got \(\)$"),
        (lambda: TierLadder(tiers=anything(3)), InvalidTypeError, "^tiers: expected a collection of Tier, got 3$"),
        (
            lambda: TierLadder(tiers=anything(["x"])),
            InvalidTypeError,
            "^tiers: expected a collection of Tier, got 'x' at row 0$",
        ),
        (
            lambda: TierLadder(tiers=[tier("a", 1), tier("b", 1, 5)]),
            InvalidValueError,
            "^tiers: expected each rank once, got 1 for 'b'$",
        ),
        (
            lambda: TierLadder(tiers=[tier("a", 1), tier("a", 2, 5)]),
            InvalidValueError,
            r"^tiers: expected each code once, got \['a', 'a'\]$",
        ),
        (
            lambda: TierLadder(tiers=[tier("a", 1), tier(2, 2, 5)]),
            InvalidTypeError,
            "^tiers: expected labels that are all str or all int, got 2 at row 1",
        ),
        (
            lambda: TierLadder(tiers=[tier("a", 1, 5), tier("b", 2, 5)]),
            InvalidValueError,
            "^tiers: expected a threshold to enter above 5, that of 'a', got 5 for 'b'$",
        ),
        (
            lambda: TierLadder(tiers=[tier("a", 1, Band(5, 4)), tier("b", 2, Band(6, 3))]),
            InvalidValueError,
            "^tiers: expected a threshold to leave of at least 4, that of 'a', got 3 for 'b'$",
        ),
        (
            lambda: TierLadder.of({"gold": 5_000, "silver": 1_000}),
            InvalidValueError,
            "^tiers: expected a threshold to enter above 5000, that of 'gold', got 1000 for 'silver'$",
        ),
        (lambda: TierLadder.of({}), InvalidValueError, "^tiers: expected at least one tier"),
        (
            lambda: TierLadder.of(anything([("a", 1)])),
            InvalidTypeError,
            "^thresholds: expected a mapping of code to number, got",
        ),
        (
            lambda: TierLadder.of(anything({"a": "1"})),
            InvalidTypeError,
            "^thresholds: expected finite numbers, got '1'$",
        ),
        (lambda: TierLadder.of({"a": True}), InvalidTypeError, "^thresholds: expected finite numbers, got True$"),
        (lambda: TierLadder.of({"a": 10**400}), InvalidValueError, "^thresholds: expected finite numbers, got 1000"),
        (
            lambda: TierLadder.of({"a": float("-inf")}),
            InvalidValueError,
            "^thresholds: expected finite numbers, got -inf$",
        ),
        (
            lambda: TierLadder.of({"a": float("nan")}),
            InvalidValueError,
            "^thresholds: expected finite numbers, got nan$",
        ),
        (
            lambda: TierLadder.of({"a": 1}, leave=1.1),
            InvalidValueError,
            r"^leave: expected a number in \[0, 1\], got 1.1$",
        ),
        (
            lambda: TierLadder.of({"a": 1}, leave=-0.1),
            InvalidValueError,
            r"^leave: expected a number in \[0, 1\], got -0.1$",
        ),
        (lambda: TierLadder.of({"a": 1}, leave=float("nan")), InvalidValueError, r"^leave: .*, got nan$"),
        (
            lambda: TierLadder.of({"a": 1}, leave=anything("0.9")),
            InvalidTypeError,
            r"^leave: expected a number in \[0, 1\], got '0.9'$",
        ),
        (
            lambda: TierLadder.of({"a": 1}, leave=True),
            InvalidTypeError,
            r"^leave: expected a number in \[0, 1\], got True$",
        ),
    ],
)
def test_tiers_that_are_no_ladder_are_refused(make, error, says):
    with pytest.raises(error, match=says):
        make()


# --- one member ---


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({"earned": "5"}, InvalidTypeError, "^earned: expected a number, got '5'$"),
        ({"earned": None}, InvalidTypeError, "^earned: expected a number, got None$"),
        ({"earned": True}, InvalidTypeError, "^earned: expected a number, got True$"),
        ({"earned": float("nan")}, InvalidValueError, "^earned: expected a number other than NaN, got nan$"),
        (
            {"earned": 5, "current": "金"},
            UnknownLabelError,
            r"^current: expected None or one of the tiers '普通', '银卡', '金卡', got '金'; did you mean '金卡'\?$",
        ),
        ({"earned": 5, "current": 1}, UnknownLabelError, "^current: expected None or one of the tiers .* got 1$"),
    ],
)
def test_a_member_who_cannot_be_placed_is_refused(asked, error, says):
    with pytest.raises(error, match=says):
        LADDER.place(**asked)


def test_true_is_not_the_tier_called_one():
    with pytest.raises(UnknownLabelError, match=r"got True$"):
        TierLadder.of({1: 10}).place(earned=5, current=True)


# --- many members ---


def test_a_bare_column_places_unnamed_members():
    placed = LADDER.place_all([5_000, 0, -1])
    assert placed.members.is_positional
    assert placed.codes.tolist() == [2, 0, -1]
    assert (placed.segments, placed.ordered) == (Index(["普通", "银卡", "金卡"]), True)


def test_members_may_be_named():
    for members in (["ann", "bo"], Index(["ann", "bo"])):
        assert LADDER.place_all([5_000, 0], members=members) == LADDER.place_all({"ann": 5_000, "bo": 0})


def test_a_mapping_names_its_members():
    placed = LADDER.place_all({"ann": 5_000, "bo": -1})
    assert (placed.of("ann"), placed.of("bo")) == ("金卡", None)


def test_members_are_those_of_the_tiers_they_are_in():
    current = Assignment.from_mapping({"ann": "金卡", "bo": None})
    placed = LADDER.place_all([4_600, 4_600], current=current)
    assert (placed.of("ann"), placed.of("bo")) == ("金卡", "银卡")


def test_current_tiers_may_be_coded_in_another_order_and_lack_some():
    current = Assignment.from_mapping({"ann": "金卡", "bo": "普通"}, segments=["金卡", "白金卡", "普通"])
    assert LADDER.place_all({"ann": 4_600, "bo": 4_600}, current=current).labels().tolist() == ["金卡", "银卡"]


@pytest.mark.parametrize("none", [None, float("nan")])
def test_a_missing_tier_is_no_tier(none):
    assert LADDER.place_all([950, 950], current=["银卡", none]).labels().tolist() == ["银卡", "普通"]


def test_nobody_needs_to_have_a_tier():
    assert LADDER.place_all([950, 950], current=[None, None]) == LADDER.place_all([950, 950])


def test_the_result_of_one_month_is_the_current_tier_of_the_next():
    first = LADDER.place_all({"ann": 5_200, "bo": 1_100, "cy": 1_100})
    second = LADDER.place_all([4_700, 950, 800], current=first)
    assert second.labels().tolist() == ["金卡", "银卡", "普通"]
    assert second.members is first.members


@pytest.mark.parametrize(
    "earned",
    [
        np.array([4_600, 899], dtype=np.int16),
        np.array([4_600, 899], dtype=np.uint64),
        np.array([4_600, 899], dtype=">i8"),
        np.array([4_600, 899], dtype=np.float32),
        np.array([4_600, 899], dtype=">f8"),
        np.array([4_600, 0, 899, 0])[::2],
        np.array([4_600, 899], dtype=object),
        (4_600, 899.0),
    ],
    ids=["int16", "uint64", "big-endian", "float32", "big-endian float", "strided", "object", "tuple"],
)
def test_a_column_of_any_make_is_read(earned):
    assert LADDER.place_all(earned, current=["金卡", "银卡"]).labels().tolist() == ["金卡", "普通"]


def test_a_read_only_column_is_read_and_never_written():
    earned = np.array([4_600, 899])
    earned.setflags(write=False)
    placed = LADDER.place_all(earned)
    assert earned.tolist() == [4_600, 899]
    assert not placed.codes.flags.writeable


def test_nobody_is_placed_nowhere():
    for earned in ([], {}, np.array([], dtype=np.int64), np.array([], dtype=np.float32)):
        placed = LADDER.place_all(earned)
        assert (len(placed), len(placed.segments)) == (0, 3)
        assert placed.codes.dtype == np.int32
    assert len(LADDER.place_all([], current=[])) == 0


def test_integers_are_compared_exactly_beyond_what_a_float_holds():
    ladder = TierLadder.of({"a": 2**53 + 1, "b": 2**62 + 1}, leave=1)
    earned = [2**53, 2**53 + 1, 2**62, 2**62 + 1]
    assert ladder.place_all(earned).codes.tolist() == [-1, 0, 0, 1]
    assert ladder.place_all(np.array(earned, dtype=np.uint64)).codes.tolist() == [-1, 0, 0, 1]
    # As floats the first two are one number, and so are the last two.
    assert ladder.place_all(np.array(earned, dtype=np.float64)).codes.tolist() == [-1, -1, 0, 0]


def test_thresholds_beyond_64_bits_are_out_of_reach_of_a_column_of_integers():
    ladder = TierLadder.of({"low": -(10**30), "a": 5, "b": 2**63, "c": 10**308})
    assert ladder.place_all([2**63 - 1, 5, 4, -(2**63)]).labels().tolist() == ["a", "a", "low", "low"]
    assert ladder.place_all([1e300, float("inf"), float("-inf")]).labels().tolist() == ["b", "c", None]


def test_a_fractional_threshold_is_reached_by_the_next_integer():
    ladder = TierLadder.of({"a": 2.5}, leave=1)
    assert ladder.place_all([2, 3]).codes.tolist() == [-1, 0]


FITS = "integers that fit 64 bits with sign"


@pytest.mark.parametrize(
    ("earned", "error", "says"),
    [
        ([1.0, np.nan, np.nan], InvalidValueError, r"numbers other than NaN, got nan at row 1 \(2 of 3 rows\)$"),
        ({"a": np.nan}, InvalidValueError, r"numbers other than NaN, got nan at row 0 \(1 of 1 rows\)$"),
        ([1, None], InvalidTypeError, r"numbers, got None at row 1 \(1 of 2 rows\)$"),
        ([[1], [2]], InvalidValueError, r"a 1-D column of numbers, got 'an array of shape \(2, 1\)'$"),
        (5, InvalidValueError, r"a 1-D column of numbers, got 'an array of shape \(\)'$"),
        ([[1], [2, 3]], InvalidTypeError, r"an array of numbers, got "),
        (["5"], InvalidTypeError, r"numbers, got '<U1 values'$"),
        ([True], InvalidTypeError, r"numbers, got 'bool values'$"),
        ([1, 2**63], InvalidValueError, rf"{FITS}, got {2**63} at row 1 \(1 of 2 rows\)$"),
        (np.array([0, 2**63], dtype=np.uint64), InvalidValueError, rf"{FITS}, got {2**63} at row 1 \(1 of 2 rows\)$"),
        ([-1, 2**63], InvalidValueError, rf"{FITS}, got {2**63} at row 1 \(1 of 2 rows\)$"),
        ([-(2**63) - 1], InvalidValueError, rf"{FITS}, got {-(2**63) - 1} at row 0 \(1 of 1 rows\)$"),
    ],
)
def test_a_column_that_cannot_be_read_says_where(earned, error, says):
    with pytest.raises(error, match=f"^earned: expected {says}"):
        LADDER.place_all(earned)


@pytest.mark.parametrize(
    ("earned", "options", "error", "says"),
    [
        (
            {"a": 1},
            {"members": ["a"]},
            InvalidTypeError,
            "^members: expected None, since `earned` is a mapping and names them,",
        ),
        (
            [1, 2],
            {"members": ["a"]},
            MisalignedError,
            "^earned: expected one number for each of the 1 members, got 2 numbers$",
        ),
        ([1, 2], {"members": ["a", "a"]}, InvalidValueError, "expected each label once, got 'a' at row 1"),
        (
            [1, 2],
            {"current": ["银卡"]},
            MisalignedError,
            "^current: expected one tier for each of the 2 members, got 1 tiers$",
        ),
        (
            [1, 2],
            {"current": Assignment.from_mapping({"a": "银卡"})},
            MisalignedError,
            "^earned: expected one number for each of the 1 members, got 2 numbers$",
        ),
        (
            {"a": 1, "b": 2},
            {"current": Assignment.from_mapping({"a": "银卡", "c": "银卡"})},
            MisalignedError,
            "^current: expected the same members in the same order, got 'c' where 'b' stands at position 1",
        ),
        (
            [1, 2, 3],
            {"current": ["银卡", "银", "银"]},
            UnknownLabelError,
            r"^current: expected None or one of the tiers '普通', '银卡', '金卡', got '银' at row 1 "
            r"\(2 of 3 rows\); did you mean '银卡'\?$",
        ),
        (
            [1],
            {"current": [2]},
            UnknownLabelError,
            r"^current: expected None or one of the tiers .*, got 2 at row 0 \(1 of 1 rows\)$",
        ),
        ([1], {"current": "银卡"}, InvalidTypeError, "^current: expected a column"),
    ],
)
def test_members_and_tiers_that_do_not_fit_are_refused(earned, options, error, says):
    with pytest.raises(error, match=says):
        LADDER.place_all(earned, **options)


@pytest.mark.parametrize("current", [np.array(["金卡"]), np.array(["金卡", "银卡"]), ["金卡"], np.timedelta64(1, "s")])
def test_one_member_is_in_one_tier(current):
    with pytest.raises(
        UnknownLabelError, match=r"^current: expected None or one of the tiers '普通', '银卡', '金卡', got "
    ):
        LADDER.place(earned=1, current=current)


def test_what_is_masked_was_not_earned():
    with pytest.raises(InvalidValueError, match=r"^earned: .* without masked entries, got 'a masked one' at row 1$"):
        LADDER.place_all(np.ma.masked_array([1, 2, 3], mask=[0, 1, 0]))


def test_an_array_without_axes_holds_no_tiers():
    with pytest.raises(InvalidTypeError, match=r"^tiers: expected a collection of Tier, got 5$"):
        TierLadder(tiers=anything(np.array(5)))
