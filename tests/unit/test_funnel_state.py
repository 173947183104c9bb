"""How far a member got by tonight, continued from last night."""

from __future__ import annotations

import json
import pickle
from itertools import combinations

import attrs
import numpy as np
import pandas as pd
import pendulum
import pytest

from shequn.columns import EventLog
from shequn.columns.condition import row
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownKindWarning, UnknownLabelError
from shequn.funnel import Exclusion, Funnel, Step, convert, match, parts
from shequn.funnel.state import FunnelState, funnel_state

NEVER = np.iinfo(np.int64).min
NOT_YET = np.iinfo(np.int64).max
FUNNEL = Funnel(steps=("a", "b", "c"), within=pendulum.duration(seconds=10))


def at(second):
    return pendulum.datetime(1970, 1, 1).add(seconds=second)


def log(text):
    """Read `u.a@3` as a row of member u, of kind a, 3 seconds after 1970 began."""
    words = [word.replace("@", ".").split(".") for word in text.split()]
    return EventLog.from_columns(
        member=[who for who, _, _ in words],
        kind=[kind for _, kind, _ in words],
        at=[int(second) for _, _, second in words],
        time_unit="s",
    )


def state(text, start=0, end=100, funnel=FUNNEL, **options):
    return funnel_state(log(text), funnel, start=at(start), end=at(end), unknown_kinds="ignore", **options)


def levels(found):
    return dict(zip(found.members, found.levels.tolist(), strict=True))


def seconds(column):
    return [None if us in (NEVER, NOT_YET) else us // 1_000_000 for us in column.tolist()]


# --- one span --------------------------------------------------------------------------------------------------------


def test_a_state_tells_the_latest_start_of_a_chain_that_reached_each_step():
    found = state("u.a@0 u.b@2 u.a@5 u.c@9 u.a@20 u.b@21")
    assert seconds(found.latest_us[0]) == [20, 20, 0]
    assert found.levels.tolist() == [3]
    assert found.reached.tolist() == [1, 1, 1]


def test_a_state_tells_how_early_the_steps_after_any_step_are_completed():
    found = state("u.c@1 u.b@2 u.a@3 u.b@30 u.c@40")
    assert seconds(found.earliest_us[0]) == [2, 40, 1]


def test_the_edge_of_the_window_is_inside():
    assert levels(state("u.a@0 u.b@10 v.a@0 v.b@11")) == {"u": 2, "v": 1}
    assert levels(state("u.a@0", 0, 5).merge(state("u.b@10 v.b@10", 5, 20))) == {"u": 2, "v": 0}
    assert levels(state("u.a@0", 0, 5).merge(state("u.b@11", 5, 20))) == {"u": 1}


def test_members_who_did_only_later_steps_have_no_level_but_are_known_to_what_comes_before():
    found = state("u.a@0 v.b@1 w.x@2")
    assert levels(found) == {"u": 1, "v": 0}
    assert levels(found.without_left()) == {"u": 1}
    assert levels(state("u.a@0 v.b@1 w.x@2", keep_left=False)) == {"u": 1}
    assert found.keeps_left
    assert not found.without_left().keeps_left


def test_the_counts_are_those_of_convert():
    rows = "u.a@0 u.b@1 v.a@0 v.b@3 v.c@4 w.b@0 x.a@7"
    assert state(rows).result() == convert(log(rows), FUNNEL)


def test_a_step_may_have_a_condition():
    rows = EventLog.from_columns(
        member=["u", "u", "v", "v"], kind=["a", "b"] * 2, at=[0, 1, 0, 1], time_unit="s", value=[0, 99, 0, 100]
    )
    funnel = Funnel(steps=("a", Step(kinds="b", where=row("value") >= 100)), within=pendulum.duration(seconds=5))
    found = funnel_state(rows, funnel, start=at(0), end=at(2))
    assert levels(found) == {"u": 1, "v": 2}
    restored = FunnelState.from_state(
        found.to_member_columns(), json.loads(json.dumps(found.to_state())), funnel=funnel
    )
    assert restored == found


@pytest.mark.parametrize("is_sorted", [False, True])
@pytest.mark.parametrize("way", ["small parts", "keys that fit no integer"])
def test_the_way_a_log_is_brought_into_order_makes_no_difference(monkeypatch, way, is_sorted):
    rng = np.random.default_rng(7)
    n = 400
    many = EventLog.from_columns(
        member=rng.integers(0, 40, n), kind=rng.choice(list("abcx"), n), at=rng.integers(0, 100, n), time_unit="s"
    )
    many = many.sorted() if is_sorted else many
    expected = match(many, FUNNEL)
    if way == "small parts":
        monkeypatch.setattr(parts, "_ENTRIES_OF_PART", 16)
    else:
        monkeypatch.setattr(parts, "_fits", lambda *_: False)
    found = funnel_state(many, FUNNEL, start=at(0), end=at(100))
    entered = found.without_left()
    assert dict(zip(expected.members, expected.level.tolist(), strict=True)) == levels(entered)
    cut = [
        funnel_state(many.where(start=at(start), end=at(start + 25)), FUNNEL, start=at(start), end=at(start + 25))
        for start in range(0, 100, 25)
    ]
    assert cut[0].merge(cut[1]).merge(cut[2].merge(cut[3])) == found


def test_a_funnel_of_one_step_is_counted_too():
    funnel = Funnel(steps=("a",), within=pendulum.duration(0))
    first, second = state("u.a@0", 0, 5, funnel), state("u.a@5 v.a@6 w.b@6", 5, 10, funnel)
    assert levels(first.merge(second)) == {"u": 1, "v": 1}
    assert first.merge(second) == FunnelState.from_state(
        first.merge(second).to_member_columns(), first.merge(second).to_state(), funnel=funnel
    )


def test_a_state_shows_its_counts_and_its_span():
    assert repr(state("u.a@0 u.b@1")) == ("FunnelState(a 1 → b 1 → c 0, 1970-01-01T00:00:00Z to 1970-01-01T00:01:40Z)")
    assert (state("").start, state("").end) == (at(0), at(100))


def test_a_state_is_read_only_and_comes_back_from_a_pickle():
    found = state("u.a@0 u.b@1")
    again = pickle.loads(pickle.dumps(found))  # noqa: S301
    assert again == found
    for one in (found, again, found.without_left()):
        arrays = [one.latest_us, one.levels, one.reached, *one.to_member_columns().values()]
        assert not any(array.flags.writeable for array in arrays)
    assert not again.earliest_us.flags.writeable


def test_states_that_tell_different_things_are_not_equal():
    found = state("u.a@0 u.b@1")
    assert found != state("u.a@0 u.b@2")
    assert found != state("u.a@0 u.b@1", 0, 99)
    assert found != state("v.a@0 v.b@1")
    assert found != state("u.a@0 u.b@1 v.a@0")
    assert found != state("u.a@0 u.b@1").without_left()
    assert found != state("u.a@0 u.b@1", funnel=attrs.evolve(FUNNEL, within=pendulum.duration(seconds=9)))
    assert state("u.c@5 u.a@9") != state("u.c@6 u.a@9")
    assert found != "u"


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"order": "any"}, "funnel.order: expected 'ordered': what else happened in between is not kept"),
        ({"order": "strict"}, "funnel.order: .* got 'strict'"),
        ({"ties": "increase"}, "funnel.ties: expected 'free'"),
        ({"reuse": "once"}, "funnel.reuse: expected 'allow': which rows were used is not kept"),
        ({"exclusions": Exclusion(kinds="x", after="a", before="b")}, "funnel.exclusions: expected none"),
        ({"optional": "b"}, "funnel.optional: expected none: which steps were skipped"),
        ({"min_gap": pendulum.duration(seconds=1)}, "funnel.min_gap: expected None"),
        ({"max_gap": pendulum.duration(seconds=1)}, "funnel.max_gap: expected None"),
        ({"hold_constant": "item"}, "funnel.hold_constant: expected None: a state tells members apart"),
    ],
)
def test_a_funnel_without_a_state_of_fixed_size_is_refused_with_the_reason(options, text):
    funnel = Funnel(steps=("a", "b", "c"), within=pendulum.duration(seconds=10), **options)
    with pytest.raises(InvalidValueError, match=text):
        state("u.a@0", funnel=funnel)
    with pytest.raises(InvalidValueError, match=text):
        FunnelState.from_state(state("").to_member_columns(), state("").to_state(), funnel=funnel)


def test_which_chain_would_be_the_witness_makes_no_difference():
    assert levels(state("u.a@0 u.b@1", funnel=attrs.evolve(FUNNEL, entry="last"))) == {"u": 2}


def test_a_row_outside_the_span_is_refused_with_its_number():
    text = r"log.at: expected instants in the span \[1970-01-01T00:00:00Z, 1970-01-01T00:00:05Z\), got "
    with pytest.raises(InvalidValueError, match=text + r"'1970-01-01T00:00:05Z' at row 1 \(2 of 3 rows\); cut it"):
        state("u.a@0 u.x@5 u.b@6", 0, 5)
    with pytest.raises(InvalidValueError, match="got '1970-01-01T00:00:00Z' at row 0"):
        state("u.a@0", 1, 5)


def test_arguments_are_checked():
    with pytest.raises(InvalidTypeError, match="log: expected an EventLog"):
        funnel_state([1], FUNNEL, start=at(0), end=at(1))
    with pytest.raises(InvalidTypeError, match="funnel: expected a Funnel"):
        funnel_state(log(""), "a", start=at(0), end=at(1))
    with pytest.raises(InvalidTypeError, match="start: "):
        funnel_state(log(""), FUNNEL, start=0, end=at(1))
    with pytest.raises(InvalidTypeError, match="keep_left: expected True or False"):
        state("", keep_left=1)
    with pytest.raises(InvalidValueError, match="end: expected an instant not before start"):
        state("", 5, 4)


def test_a_kind_that_the_log_lacks_is_warned_about():
    with pytest.warns(UnknownKindWarning, match="steps: .*got 'b'"):
        funnel_state(log("u.a@0 u.c@1"), FUNNEL, start=at(0), end=at(2))
    with pytest.raises(UnknownLabelError, match="got 'b'"):
        funnel_state(log("u.a@0 u.c@1"), FUNNEL, start=at(0), end=at(2), unknown_kinds="raise")


# --- parts together --------------------------------------------------------------------------------------------------


def test_a_way_over_three_nights_is_found_whichever_two_are_merged_first():
    nights = [state("u.a@4", 0, 5), state("u.b@8 v.c@9", 5, 10), state("u.c@14 u.a@15", 10, 20)]
    whole = state("u.a@4 u.b@8 v.c@9 u.c@14 u.a@15", 0, 20)
    assert nights[0].merge(nights[1]).merge(nights[2]) == whole
    assert nights[0].merge(nights[1].merge(nights[2])) == whole
    assert levels(whole) == {"u": 3, "v": 0}


def test_an_early_start_that_ran_out_keeps_its_level_and_leads_no_further():
    found = state("u.a@0 u.b@1", 0, 5).merge(state("u.a@20", 5, 25)).merge(state("u.c@26", 25, 40))
    assert levels(found) == {"u": 2}
    assert seconds(found.latest_us[0]) == [20, 0, None]


def test_rows_at_the_instant_of_a_cut_are_all_in_the_later_part():
    found = state("u.a@0", 0, 5).merge(state("u.c@5 u.b@5", 5, 10))
    assert levels(found) == {"u": 3}


def test_a_time_without_rows_has_the_state_of_an_empty_log():
    quiet = funnel_state(EventLog.empty(), FUNNEL, start=at(5), end=at(9))
    found = state("u.a@0", 0, 5).merge(quiet).merge(state("u.b@9", 9, 12))
    assert found == state("u.a@0 u.b@9", 0, 12)


def test_a_gap_and_an_overlap_are_refused():
    first = state("u.a@0", 0, 5)
    text = r"other: expected a span that begins at 1970-01-01T00:00:05Z, where this one ends, got "
    with pytest.raises(InvalidValueError, match=text + r".*00:06Z.*\)'; a time without rows has a state too"):
        first.merge(state("u.b@6", 6, 9))
    with pytest.raises(InvalidValueError, match=text + r".*00:04Z.*, which does not follow \[.*; no row may be in two"):
        first.merge(state("u.b@6", 4, 9))
    with pytest.raises(InvalidValueError, match=r"got .*; merge them the other way round"):
        state("u.b@6", 5, 9).merge(first)


def test_a_state_that_dropped_what_a_later_part_needs_is_refused_as_one():
    first, second = state("u.a@0", 0, 5), state("u.b@6", 5, 9)
    for dropped in (second.without_left(), state("u.b@6", 5, 9, keep_left=False)):
        with pytest.raises(InvalidValueError, match="other: expected a later part that was made with keep_left=True"):
            first.merge(dropped)
    merged = first.without_left().merge(second)
    assert levels(merged) == {"u": 2}
    assert not merged.keeps_left


def test_states_of_other_members_over_the_same_span_merge_too():
    first, second = state("v.a@0 v.b@1"), state("u.a@0 w.b@3")
    assert first.merge(second) == second.merge(first) == state("v.a@0 v.b@1 u.a@0 w.b@3")
    assert first.merge(second.without_left()) == state("v.a@0 v.b@1 u.a@0").without_left()
    assert first.merge(second).result() == first.result().merge(second.result())


def test_members_with_numbers_are_put_in_order_with_their_instants():
    def of(members, kinds, instants):
        rows = EventLog.from_columns(member=members, kind=kinds, at=instants, time_unit="s")
        return funnel_state(rows, FUNNEL, start=at(0), end=at(10), unknown_kinds="ignore")

    merged = of([9, 9], ["a", "b"], [0, 1]).merge(of([3, 5], ["a", "b"], [4, 5]))
    assert levels(merged) == {3: 1, 5: 0, 9: 2}
    assert merged == of([9, 9, 3, 5], ["a", "b", "a", "b"], [0, 1, 4, 5])


def test_a_member_in_two_parts_of_the_same_span_is_refused():
    with pytest.raises(InvalidValueError, match=r"other: expected other members.* got 'u' at row 1 \(1 of 2 rows\)"):
        state("u.a@0").merge(state("v.a@0 u.b@3"))


def test_parts_of_different_funnels_or_of_no_funnel_are_refused():
    other = attrs.evolve(FUNNEL, within=pendulum.duration(seconds=9))
    with pytest.raises(InvalidValueError, match=r"other: expected a state of the same funnel"):
        state("", 0, 5).merge(state("", 5, 9, other))
    with pytest.raises(InvalidTypeError, match="other: expected a FunnelState, got 3"):
        state("").merge(3)
    numbers = EventLog.from_columns(member=[7], kind=["a"], at=[6], time_unit="s")
    with pytest.raises(InvalidTypeError, match="labels of one type"):
        state("u.a@0", 0, 5).merge(funnel_state(numbers, FUNNEL, start=at(5), end=at(9), unknown_kinds="ignore"))


# --- stored ----------------------------------------------------------------------------------------------------------


def test_a_state_is_stored_as_one_row_a_member():
    found = state("u.a@0 u.b@2 v.c@3")
    columns = found.to_member_columns()
    assert list(columns) == ["member", "latest_0", "latest_1", "latest_2"] + [
        f"earliest_{i}_{j}" for i, j in combinations(range(3), 2)
    ]
    assert columns["latest_1"].tolist() == [0, NEVER]
    assert columns["earliest_0_1"].tolist() == [2_000_000, NOT_YET]
    assert columns["earliest_1_2"].tolist() == [NOT_YET, 3_000_000]
    assert list(found.without_left().to_member_columns()) == ["member", "latest_0", "latest_1", "latest_2"]
    assert found.to_state() == {
        "start_us": 0,
        "end_us": 100_000_000,
        "keeps_left": True,
        "steps": [{"kinds": [kind], "where": None} for kind in "abc"],
        "within_us": 10_000_000,
    }


def test_a_state_comes_back_from_a_data_frame_and_from_json():
    found = state("u.a@0 u.b@2 v.c@3")
    frame = pd.DataFrame(found.to_member_columns())
    assert FunnelState.from_state(frame, json.loads(json.dumps(found.to_state())), funnel=FUNNEL) == found
    none = state("")
    assert FunnelState.from_state(none.to_member_columns(), none.to_state(), funnel=FUNNEL) == none


def test_a_step_may_be_renamed_between_two_nights():
    found = state("u.a@0")
    renamed = Funnel(
        steps=(Step(kinds="a", name="sees"), "b", "c"), within=pendulum.duration(seconds=10), entry="shortest"
    )
    again = FunnelState.from_state(found.to_member_columns(), found.to_state(), funnel=renamed)
    assert again.result().steps == ("sees", "b", "c")


def test_another_funnel_than_the_one_stored_is_refused():
    found = state("u.a@0")
    columns, told = found.to_member_columns(), found.to_state()
    for other in (
        attrs.evolve(FUNNEL, within=pendulum.duration(seconds=9)),
        attrs.evolve(FUNNEL, steps=("a", "b")),
        attrs.evolve(FUNNEL, steps=("a", "b", Step(kinds="c", where=row("value") >= 1))),
    ):
        with pytest.raises(InvalidValueError, match=r"funnel: expected what was stored as (steps|within_us)"):
            FunnelState.from_state(columns, told, funnel=other)
    with pytest.raises(InvalidTypeError, match="funnel: expected a Funnel"):
        FunnelState.from_state(columns, told, funnel=None)


def test_a_damaged_state_is_refused():
    found = state("u.a@0 u.b@2 v.c@3", 0, 50)
    columns, told = found.to_member_columns(), found.to_state()

    def restored(new_columns=(), new_told=(), *, without=""):
        kept = {name: column for name, column in {**columns, **dict(new_columns)}.items() if name != without}
        return FunnelState.from_state(kept, {**told, **dict(new_told)}, funnel=FUNNEL)

    assert restored() == found
    with pytest.raises(UnknownLabelError, match="columns: expected an entry 'latest_2'"):
        restored(without="latest_2")
    with pytest.raises(UnknownLabelError, match="state: expected an entry 'start_us', got "):
        FunnelState.from_state(columns, {}, funnel=FUNNEL)
    for no_mapping in ("latest_0", [1], None):
        with pytest.raises(InvalidTypeError, match="columns: expected a mapping, or a data frame"):
            FunnelState.from_state(no_mapping, told, funnel=FUNNEL)
    with pytest.raises(MisalignedError, match="latest_0: expected one integer for each of the 2 members"):
        restored({"latest_0": [0]})
    with pytest.raises(InvalidTypeError, match="latest_0: expected integers"):
        restored({"latest_0": [0.0, 1.0]})
    with pytest.raises(InvalidValueError, match=r"latest_0: expected microseconds in .* at row 0 \(1 of 2 rows\)"):
        restored({"latest_0": [50_000_000, NEVER]})
    with pytest.raises(InvalidValueError, match="latest_0: expected microseconds in"):
        restored({"latest_0": np.array([0, 2**63 + 1], dtype=np.uint64)})
    with pytest.raises(InvalidValueError, match=f"earliest_0_1: .* or {NOT_YET} for none, got -1"):
        restored({"earliest_0_1": [-1, NOT_YET]})
    with pytest.raises(InvalidValueError, match=r"latest_1: expected no instant after that of latest_0.*at row 1"):
        restored({"latest_1": [0, 3_000_000]})
    with pytest.raises(InvalidValueError, match="earliest_0_2: expected no instant before that of earliest_0_1"):
        restored({"earliest_0_2": [1, NOT_YET]})
    with pytest.raises(InvalidValueError, match="earliest_0_2: expected no instant before that of earliest_1_2"):
        restored({"earliest_0_1": [2_000_000, 1], "earliest_0_2": [NOT_YET, 1]})
    with pytest.raises(InvalidValueError, match="state: expected a span"):
        restored(new_told={"start_us": 60_000_000})
    year_2262 = 9_214_646_400_000_000
    assert restored(new_told={"end_us": year_2262 - 1}).to_state()["end_us"] == year_2262 - 1
    with pytest.raises(InvalidValueError, match=r"state: expected a span \[start_us, end_us\) in \[1900, 2262\), got "):
        restored(new_told={"end_us": year_2262})
    with pytest.raises(InvalidTypeError, match="end_us: expected an integer"):
        restored(new_told={"end_us": "1970"})
    with pytest.raises(InvalidTypeError, match="keeps_left: expected True or False"):
        restored(new_told={"keeps_left": "yes"})
    with pytest.raises(InvalidValueError, match="member: expected each label once"):
        restored({"member": ["u", "u"]})
