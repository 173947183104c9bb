"""Counts of a funnel: segments, dates, maturity, merging, and what a caller may get wrong."""
# ruff: noqa: S301 - a table of bad input reads best a line a case; the pickles are our own

from __future__ import annotations

import pickle

import attrs
import numpy as np
import pendulum
import pytest
from pendulum import duration

import shequn as sq
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownKindWarning, UnknownLabelError
from shequn.funnel import FunnelResult, conversion_curve, convert, match, parts

DAY = 86_400
JOIN_POST = sq.Funnel(steps=("join", "post"), within=duration(days=7))
FIRST_US, LAST_US = -69 * 365 * DAY * 10**6, 291 * 365 * DAY * 10**6  # 360 years


def log_of(*rows, **columns):
    member, kind, day = zip(*rows, strict=True)
    at = [int(each * DAY) for each in day]
    return sq.EventLog.from_columns(member=member, kind=kind, at=at, time_unit="s", **columns)


@pytest.fixture
def log():
    return log_of(
        ("ann", "join", 0),
        ("ann", "post", 1),
        ("bo", "join", 1),
        ("bo", "post", 9),
        ("cy", "join", 2),
        ("cy", "post", 9),
        ("di", "post", 3),
        group=["g1", "g1", "g2", "g1", "g2", "g2", "g1"],
        value=[1, 50, 2, 150, 3, 250, 4],
    )


def test_a_completion_at_the_edge_of_the_window_counts(log):
    assert convert(log, JOIN_POST).reached.tolist() == [3, 2]


def test_a_condition_on_rows_is_part_of_a_step(log):
    step = sq.Step(kinds="post", where=sq.row("value") >= 100, name="big")
    assert convert(log, sq.Funnel(steps=("join", step), within=duration(days=30))).reached.tolist() == [3, 2]


def test_segments_of_members_add_up_to_the_total(log):
    result = convert(log, JOIN_POST, by={"ann": "old", "bo": "new", "cy": "new"})
    assert {label: part.reached.tolist() for label, part in result.items()} == {"old": [1, 1], "new": [2, 1]}
    assert result.unassigned.reached.tolist() == [0, 0]
    assert result.overlap.tolist() == [0, 0]


def test_an_event_column_is_taken_at_the_entry_row(log):
    result = convert(log, JOIN_POST, by="group")
    assert {label: part.reached.tolist() for label, part in result.items()} == {"g1": [1, 1], "g2": [2, 1]}
    assert result.total.reached.tolist() == [3, 2]
    assert result.unassigned is None


def test_a_member_counts_in_each_value_they_entered_with():
    log = log_of(("ann", "join", 0), ("ann", "join", 1), ("ann", "post", 2), group=["g1", None, "g2"])
    result = convert(log, JOIN_POST, by="group")
    assert result["g1"].reached.tolist() == [1, 1]
    assert result["g2"].reached.tolist() == [0, 0]
    assert result.unassigned.reached.tolist() == [1, 1]
    assert result.overlap.tolist() == [1, 1]


def test_dates_bound_the_entry_and_not_the_completion(log):
    start, end = pendulum.datetime(1970, 1, 1), pendulum.datetime(1970, 1, 2)
    assert convert(log, JOIN_POST, start=start, end=end).reached.tolist() == [1, 1]
    assert convert(log, JOIN_POST, start=end).reached.tolist() == [2, 1]


def test_immature_entries_are_left_out_even_where_they_converted(log):
    until = pendulum.datetime(1970, 1, 9)
    result = convert(log, JOIN_POST, maturity="complete", observed_until=until)
    assert result.reached.tolist() == [1, 1]
    assert result.immature == 2
    assert "2 more entered too late" in str(result)


def test_an_entry_is_mature_when_its_window_ends_before_the_observation_does():
    log = log_of(("ann", "join", 0), ("ann", "post", 1))
    at_the_end = pendulum.datetime(1970, 1, 8)
    assert convert(log, JOIN_POST, maturity="complete", observed_until=at_the_end).immature == 1
    later = at_the_end.add(microseconds=1)
    assert convert(log, JOIN_POST, maturity="complete", observed_until=later).immature == 0


def test_rows_after_the_end_of_observation_are_ignored(log):
    until = pendulum.datetime(1970, 1, 10)
    assert convert(log, JOIN_POST, observed_until=until).reached.tolist() == [3, 1]
    found = match(log, JOIN_POST, observed_until=until)
    assert found.rows.tolist() == [[0, 1], [2, -1], [4, -1]]
    assert found.member_codes.tolist() == [0, 1, 2]


def test_rows_cut_off_do_not_shift_the_rows_of_a_witness():
    log = log_of(("bo", "join", 9), ("ann", "join", 0), ("ann", "post", 1))
    found = match(log, JOIN_POST, observed_until=pendulum.datetime(1970, 1, 5))
    assert (found.members.labels.tolist(), found.rows.tolist(), found.member_codes.tolist()) == (["ann"], [[1, 2]], [1])


def test_parts_by_member_merge_to_the_whole(log):
    for funnel in (JOIN_POST, sq.Funnel(steps=("join", "read", "post"), within=duration(days=7), optional=[1])):
        whole = convert(log, funnel, unknown_kinds="ignore")
        merged = [convert(part, funnel, unknown_kinds="ignore") for part in log.partition(3)]
        assert merged[0].merge(merged[1]).merge(merged[2]) == whole
        by_group = convert(log, funnel, by="group", unknown_kinds="ignore")
        first, *others = (convert(part, funnel, by="group", unknown_kinds="ignore") for part in log.partition(3))
        for other in others:
            first = first.merge(other)
        assert dict(first.items()) == dict(by_group.items())


def test_nobody_is_the_identity_of_a_merge(log):
    nobody = convert(sq.EventLog.empty(), JOIN_POST)
    assert nobody.reached.tolist() == [0, 0]
    assert nobody.merge(convert(log, JOIN_POST)) == convert(log, JOIN_POST)
    found = match(sq.EventLog.empty(), JOIN_POST)
    assert (len(found), found.rows.shape, found.at_us.shape) == (0, (0, 2), (0, 2))


@pytest.mark.parametrize("order", ["ordered", "strict", "any"])
@pytest.mark.parametrize("key_bits", [64, 8])  # whether unit, instant and rank fit one key
def test_a_log_without_a_row_of_any_step_matches_nobody(order, key_bits, monkeypatch):
    monkeypatch.setattr(parts, "_KEY_BITS", key_bits)
    log, funnel = log_of(("ann", "like", 0), ("ann", "like", 9)), attrs.evolve(JOIN_POST, order=order)
    found = match(log, funnel, unknown_kinds="ignore")
    assert (len(found), found.rows.shape, found.at_us.shape) == (0, (0, 2), (0, 2))
    until = pendulum.datetime(1970, 2, 1)
    assert conversion_curve(log, funnel, observed_until=until, unknown_kinds="ignore").n_members == 0


def test_a_result_survives_a_pickle(log):
    result = convert(log, JOIN_POST)
    again = pickle.loads(pickle.dumps(result))
    assert again == result
    assert not again.reached.flags.writeable
    found = pickle.loads(pickle.dumps(match(log, JOIN_POST)))
    assert not found.rows.flags.writeable


def test_tables_speak_chinese(log):
    assert convert(log, JOIN_POST).table(lang="zh").splitlines()[0].split() == [
        "步骤",
        "到达",
        "步骤转化率",
        "下限",
        "上限",
        "总转化率",
    ]
    assert match(log, JOIN_POST).table(lang="zh").splitlines()[0].split() == ["成员", "层级", "join", "post"]
    assert "<table" in match(log, JOIN_POST)._repr_html_()


def test_tidy_columns_hold_both_intervals(log):
    columns = convert(log, JOIN_POST).to_columns()
    assert list(columns) == [
        "step",
        "reached",
        "step_rate",
        "lower",
        "upper",
        "overall_rate",
        "overall_lower",
        "overall_upper",
    ]
    assert columns["step_rate"][1] == pytest.approx(2 / 3)
    assert np.isnan(columns["step_rate"][0])
    assert columns["overall_rate"][0] == 1
    assert convert(log, JOIN_POST).last().reached == 2


def test_an_unknown_kind_is_named_with_the_nearest_known_ones(log):
    with pytest.warns(
        UnknownKindWarning, match=r"^steps: expected kinds that the log contains, got 'psot'.* did you mean 'post'"
    ):
        convert(log, sq.Funnel(steps=("join", "psot"), within=duration(days=7)))


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        (
            {"maturity": "complete"},
            InvalidTypeError,
            r"^observed_until: expected an aware datetime with maturity='complete'",
        ),
        ({"maturity": "censored"}, InvalidValueError, r"^maturity: expected one of 'all', 'complete', got 'censored'"),
        (
            {"start": pendulum.datetime(2024, 1, 2), "end": pendulum.datetime(2024, 1, 1)},
            InvalidValueError,
            r"^end: expected an instant not before start",
        ),
        ({"by": 5}, InvalidTypeError, r"^by: expected an Assignment, a mapping or the name of a column, got 5"),
        ({"by": "gruop"}, UnknownLabelError, r"^by: .*'gruop'.* did you mean 'group'"),
        ({"unknown_kinds": "shout"}, InvalidValueError, r"^unknown_kinds: expected one of"),
    ],
)
def test_options_that_cannot_be_used_are_refused(log, options, error, text):
    with pytest.raises(error, match=text):
        convert(log, JOIN_POST, **options)


def test_an_assignment_of_other_members_is_refused(log):
    other = sq.Assignment.from_mapping({"zed": "a"})
    with pytest.raises(MisalignedError, match=r"^by: "):
        convert(log, JOIN_POST, by=other)


def test_what_is_held_constant_must_be_a_column_of_labels(log):
    with pytest.raises(UnknownLabelError, match=r"^hold_constant: .*'itme'"):
        convert(log, sq.Funnel(steps=("join", "post"), within=duration(days=1), hold_constant="itme"))


def test_the_first_two_arguments_are_a_log_and_a_funnel(log):
    with pytest.raises(InvalidTypeError, match=r"^log: expected an EventLog, got 5"):
        convert(5, JOIN_POST)
    with pytest.raises(InvalidTypeError, match=r"^funnel: expected a Funnel, got 'join'"):
        match(log, "join")


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"reached": [3]}, MisalignedError, r"^reached: expected a count for each of the 2 steps"),
        (
            {"reached": [3, 4]},
            InvalidValueError,
            r"^reached: expected at most the 3 members who reached the step before, got 4 at row 1",
        ),
        ({"reached": [3, -1]}, InvalidValueError, r"^reached: "),
        ({"steps": ["join", 5]}, InvalidTypeError, r"^steps: expected names that are non-empty str, got 5 at row 1"),
        ({"steps": []}, InvalidValueError, r"^steps: expected at least one step"),
        (
            {"optional": [0]},
            InvalidValueError,
            r"^optional: expected a step in \[1, 2\): the first begins the way, got 0",
        ),
        ({"optional": [2]}, InvalidValueError, r"^optional: expected a step in \[1, 2\): .*, got 2"),
        ({"optional": ["post"]}, InvalidTypeError, r"^optional: expected positions of steps, got 'post'"),
        ({"optional": 1}, InvalidTypeError, r"^optional: expected positions of steps, got 1"),
    ],
)
@pytest.mark.parametrize("build", [FunnelResult, FunnelResult.from_counts])
def test_counts_from_elsewhere_are_checked(build, options, error, text):
    with pytest.raises(error, match=text):
        build(**({"steps": ["join", "post"], "reached": [3, 2]} | options))


@pytest.mark.parametrize(
    ("reached", "optional", "row", "most"),
    [([9, 3, 4], [], 2, 3), ([9, 3, 10], [1], 2, 9), ([9, 10, 4], [1], 1, 9), ([9, 5, 2, 3], [1], 3, 2)],
)
def test_nobody_is_at_a_step_who_was_not_at_the_required_one_before(reached, optional, row, most):
    text = rf"^reached: expected at most the {most} members who reached the step before, got \d+ at row {row}$"
    with pytest.raises(InvalidValueError, match=text):
        FunnelResult(steps=list("abcd")[: len(reached)], reached=reached, optional=optional)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"reached": [3.5, 2.0]}, InvalidTypeError, r"^reached: expected integers, got 'float64 values'"),
        ({"reached": [[3, 2]]}, MisalignedError, r"^reached: expected a count for each of the 2 steps, got \(1, 2\)"),
        ({"tainted": -1}, InvalidValueError, r"^tainted: expected a number of members, got -1"),
        ({"immature": 0.5}, InvalidTypeError, r"^immature: expected an integer, got 0\.5"),
        ({"funnel": "join"}, InvalidTypeError, r"^funnel: expected a Funnel or None, got 'join'"),
        ({"funnel": JOIN_POST, "optional": [1]}, InvalidValueError, r"^funnel: expected a funnel of 2 steps, of which"),
        (
            {"funnel": JOIN_POST, "steps": ["a", "b", "c"], "reached": [3, 2, 1]},
            InvalidValueError,
            r"^funnel: expected a funnel of 3 steps, of which \(\) may be skipped, got Funnel",
        ),
    ],
)
def test_a_result_is_checked_when_it_is_made(options, error, text):
    with pytest.raises(error, match=text):
        FunnelResult(**({"steps": ["join", "post"], "reached": [3, 2]} | options))


def test_a_result_keeps_what_is_a_number_in_any_form():
    counts = np.array([10, 2, 5], dtype=np.uint8)
    result = FunnelResult(steps=iter("abc"), reached=counts, optional=[np.int64(1), 1], tainted=np.int32(2))
    assert (result.steps, result.optional, result.tainted) == (("a", "b", "c"), (1,), 2)
    assert (result.reached.dtype, result.reached.flags.writeable, counts.flags.writeable) == (np.int64, False, True)
    assert result == FunnelResult(steps=["a", "b", "c"], reached=[10, 2, 5], optional=(1,), tainted=2)


def test_an_optional_step_is_no_base_for_the_next_rate():
    result = FunnelResult.from_counts(steps=["a", "b", "c"], reached=[10, 2, 5], optional=[1])
    assert result.step_rates[1:].tolist() == [0.2, 0.5]
    assert result.completed == 5
    assert "b (optional)" in str(result)


def test_results_of_other_funnels_do_not_merge(log):
    one = convert(log, JOIN_POST)
    with pytest.raises(InvalidValueError, match=r"^steps: expected the same in both parts"):
        one.merge(FunnelResult.from_counts(steps=["a", "b"], reached=[1, 1]))
    with pytest.raises(InvalidTypeError, match=r"^other: expected a FunnelResult, got 5"):
        one.merge(5)


def test_in_any_order_the_count_is_of_distinct_steps(log):
    funnel = sq.Funnel(steps=("post", "join"), within=duration(days=7), order="any")
    result = convert(log, funnel)
    assert result.steps == ("any 1", "any 2")
    assert result.reached.tolist() == [4, 2]


def test_in_any_order_the_witness_is_the_earliest_of_all_values_that_are_held_constant():
    rows = ("ann", "post", 5), ("ann", "join", 6), ("ann", "join", 1), ("ann", "post", 2), ("bo", "join", 3)
    log = log_of(*rows, item=["p", "p", "q", "q", "p"])
    funnel = sq.Funnel(steps=("join", "post"), within=duration(days=7), order="any", hold_constant="item")
    found = match(log, funnel)
    assert list(found.members) == ["ann", "bo"]
    assert found.rows.tolist() == [[2, 3], [4, -1]]


@pytest.mark.parametrize("order", ["ordered", "strict", "any"])
def test_more_values_of_one_member_than_can_be_told_apart_are_refused(order):
    # Five years of microseconds and a window take 49 bits, which leaves 14 for the values of a member.
    five_years_us, most = 5 * 365 * DAY * 10**6, 1 << 14
    funnel = attrs.evolve(JOIN_POST, hold_constant="item", order=order)

    def log_of_values(n):
        # One join of each value, and one post of the last.
        return sq.EventLog.from_columns(
            member=["ann"] * (n + 1) + ["bo"] * 2,
            kind=["join"] * n + ["post", "join", "post"],
            at=[*range(n), n, 0, five_years_us],
            item=[*map(str, range(n)), str(n - 1), "0", "0"],
            time_unit="us",
        )

    assert match(log_of_values(most), funnel).rows.tolist() == [[most - 1, most], [most + 1, -1]]
    with pytest.raises(InvalidValueError, match=r"^hold_constant: expected at most 16,384 values .*, got \"16,385 of"):
        match(log_of_values(most + 1), funnel)


def test_who_was_stopped_by_an_excluding_row_is_told():
    log = log_of(("ann", "join", 0), ("ann", "leave", 1), ("ann", "post", 2), ("bo", "join", 0), ("bo", "post", 1))
    funnel = sq.Funnel(
        steps=("join", "post"),
        within=duration(days=7),
        exclusions=sq.Exclusion(kinds="leave", after="join", before="post"),
    )
    result = convert(log, funnel)
    assert (result.reached.tolist(), result.tainted, result.entered) == ([1, 1], 1, 2)
    assert "1 more entered, and an excluding row stood in the way" in str(result)
    assert "另有 1 名成员进入后被排除事件打断" in result.table(lang="zh")
    assert match(log, funnel).is_tainted.tolist() == [True, False]


@pytest.mark.parametrize("is_sorted", [True, False])
def test_members_stay_apart_where_member_instant_and_step_need_65_bits(is_sorted):
    # 9 bits for 300 members, 55 for 360 years of microseconds and as much again, 1 for two steps.
    number = np.arange(300)
    at = FIRST_US + number
    at[-1] = LAST_US
    kind = np.where(number == 0, "join", "post")  # one bit less, and 256 would post for 0
    log = sq.EventLog.from_columns(member=number, kind=kind, at=at, time_unit="us")
    result = convert(log.sorted() if is_sorted else log, JOIN_POST)
    assert result.reached.tolist() == [1, 0]


def test_one_step_leaves_no_bit_below_the_instant():
    # 9 bits for 300 members and 55 for instants: 64, and a clock has a sign.
    number = np.arange(300)
    at = FIRST_US + number
    at[-1] = LAST_US
    log = sq.EventLog.from_columns(member=number, kind=["join"] * 300, at=at, time_unit="us")
    for order in ("ordered", "any", "strict"):
        found = match(log, sq.Funnel(steps=("join",), within=duration(days=7), order=order))
        assert list(found.members) == number.tolist()
        assert found.rows.tolist() == number[:, np.newaxis].tolist()


@pytest.mark.parametrize("n_values", [256, 257])
def test_more_values_are_held_constant_than_fit_beside_an_instant(n_values):
    # Of 360 years of microseconds: two members view and buy the last value, two others have seen all of them.
    number = np.arange(n_values)
    log = sq.EventLog.from_columns(
        member=[*(["cy", "di"] * n_values)[:n_values], "ann", "ann", "bo", "bo"],
        kind=[*(["other"] * n_values), "join", "post", "join", "post"],
        at=[*(FIRST_US + number), *(LAST_US - np.array([9, 7, 5, 3]))],
        item=[f"i{each}" for each in (*number, *[n_values - 1] * 4)],
        time_unit="us",
    )
    for order in ("ordered", "any", "strict"):
        found = match(log, attrs.evolve(JOIN_POST, hold_constant="item", order=order))
        assert list(found.members) == ["ann", "bo"]
        assert found.rows.tolist() == [[n_values, n_values + 1], [n_values + 2, n_values + 3]]
