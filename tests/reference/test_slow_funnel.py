"""The slow funnel reference on cases small enough to be solved by reading the definitions."""

from __future__ import annotations

import pytest
from tests.reference.slow_funnel import Row, Rules, Witness, attempts, witness


def log(text):
    """Read `ab@3:p` as a row at 3 that matches steps a and b with value p; x and y exclude, `-` does nothing."""
    rows = []
    for number, word in enumerate(text.split()):
        letters, _, rest = word.partition("@")
        t, _, value = rest.partition(":")
        steps = frozenset("abcde".index(letter) for letter in letters if letter in "abcde")
        excludes = frozenset("xy".index(letter) for letter in letters if letter in "xy")
        rows.append(Row(number, int(t), steps, excludes, value or None))
    return rows


def level(text, rules, entries=None):
    found = witness(log(text), rules, entries)
    return None if found is None else found.level


def shown(text, rules, entries=None):
    return witness(log(text), rules, entries).rows


# --- ordered ---------------------------------------------------------------------------------------------------------


def test_a_member_without_an_entry_row_has_no_witness():
    assert witness(log("b@0 c@1"), Rules(3, 10)) is None
    assert witness(log("a@0 b@1"), Rules(2, 10), entries=set()) is None
    assert attempts(log("b@0 c@1"), Rules(3, 10)) == []


def test_a_later_entry_succeeds_where_an_earlier_one_expired():
    rules = Rules(3, 10)
    assert attempts(log("a@0 b@1 a@20 b@25 c@29"), rules) == [(0, 2, True), (2, 3, True)]
    assert witness(log("a@0 b@1 a@20 b@25 c@29"), rules) == Witness(3, (2, 3, 4), tainted=False)
    assert witness(log("a@0 b@1 a@20 b@25 c@29"), rules, entries={0}) == Witness(2, (0, 1, -1), tainted=False)


@pytest.mark.parametrize("order", ["ordered", "strict", "any"])
def test_the_edge_of_the_window_is_inside(order):
    assert level("a@0 b@10", Rules(2, 10, order=order)) == 2
    assert level("a@0 b@11", Rules(2, 10, order=order)) == 1


def test_the_window_runs_from_the_entry_to_the_last_row():
    assert level("a@0 b@6 c@12", Rules(3, 10)) == 2
    assert level("a@0 b@6 c@12", Rules(3, 12)) == 3


def test_ties_are_free_or_must_increase():
    assert level("b@5 a@5", Rules(2, 10)) == 2
    assert level("b@5 a@5", Rules(2, 10, ties="increase")) == 1
    assert level("b@5 a@5", Rules(2, 0)) == 2


def test_a_later_entry_at_the_instant_of_the_next_step_spoils_nothing():
    rules = Rules(2, 10, ties="increase")
    assert witness(log("a@0 a@5 b@5"), rules) == Witness(2, (0, 2), tainted=False)
    assert attempts(log("a@0 a@5 b@5"), rules) == [(0, 2, True), (1, 1, True)]


def test_one_row_serves_several_steps_unless_rows_are_used_once():
    assert shown("abc@3", Rules(3, 10)) == (0, 0, 0)
    assert shown("abc@3", Rules(3, 10, reuse="once")) == (0, -1, -1)
    assert shown("abc@3", Rules(3, 10, ties="increase")) == (0, -1, -1)


def test_distinct_rows_of_one_instant_are_matched_not_taken_greedily():
    # Only 3 serves c and only 0 serves d, so b has to leave both alone and take 2.
    rules = Rules(4, 10, reuse="once")
    assert shown("bd@5 a@5 b@5 bc@5", rules) == (1, 2, 3, 0)
    assert level("bd@5 a@5 bc@5", rules) == 3


def test_gaps_are_between_consecutive_matched_steps():
    assert level("a@0 b@2 c@9", Rules(3, 20, min_gap=2, max_gap=7)) == 3
    assert level("a@0 b@2 c@9", Rules(3, 20, min_gap=3)) == 1
    assert level("a@0 b@2 c@3", Rules(3, 20, min_gap=2)) == 2
    assert level("a@0 b@2 c@9", Rules(3, 20, max_gap=6)) == 2
    # The later b is near enough to c; the earlier is not.
    assert shown("a@0 b@2 b@5 c@9", Rules(3, 20, max_gap=6)) == (0, 2, 3)
    # The optional b skipped, the gap is from a to c.
    optional = frozenset({1})
    assert shown("a@0 b@2 c@9", Rules(3, 20, min_gap=3, optional=optional)) == (0, -1, 2)
    assert level("a@0 c@9", Rules(3, 20, max_gap=6, optional=optional)) == 1
    assert level("a@0 b@4 c@9", Rules(3, 20, max_gap=6, optional=optional)) == 2


# --- strict ----------------------------------------------------------------------------------------------------------


def test_a_group_of_other_rows_clears_a_strict_chain():
    rules = Rules(3, 10, order="strict")
    assert level("a@0 b@1 c@2", rules) == 3
    assert level("a@0 b@1 -@2 c@3", rules) == 2
    assert level("a@0 c@1 b@2 c@3", rules) == 1
    assert level("a@0 -@1 b@2 a@3 b@4 c@5", rules) == 3
    assert level("a@0 b@1 -@1 c@1 -@2", rules) == 3


def test_a_strict_chain_stays_on_rows_of_its_current_and_its_next_step():
    assert level("a@0 a@1 b@2 b@3 c@4", Rules(3, 10, order="strict")) == 3
    # Who takes the c at 2 is cleared by the b at 3: the group {b, c} is to be stayed on.
    assert shown("a@0 b@1 b@2 c@2 b@3 c@4 d@5", Rules(4, 10, order="strict")) == (0, 1, 5, 6)
    # One row that fits is enough for the group at 3.
    assert shown("a@0 b@1 -@3 a@3 b@3 d@3 c@4", Rules(4, 10, order="strict")) == (0, 1, 6, -1)


def test_a_strict_chain_passes_over_rows_of_an_optional_step_it_skips():
    rules = Rules(3, 10, order="strict", optional=frozenset({1}), min_gap=2)
    assert shown("a@0 b@1 c@2", rules) == (0, -1, 2)
    assert level("a@0 -@1 c@2", rules) == 1


def test_a_strict_chain_need_not_advance_on_the_first_row_it_could():
    rules = Rules(3, 10, order="strict")
    assert shown("a@0 b@1 a@2 b@3 c@4", rules) == (0, 3, 4)
    assert level("a@0 b@1 a@2 b@3 c@4", rules, entries={0}) == 3


# --- exclusions ------------------------------------------------------------------------------------------------------


def test_an_excluding_row_strictly_between_taints_and_one_at_the_edge_does_not():
    rules = Rules(2, 10, exclusions=((0, 1),))
    assert witness(log("a@0 x@1 b@2"), rules) == Witness(0, (-1, -1), tainted=True)
    assert attempts(log("a@0 x@1 b@2"), rules) == [(0, 2, False)]
    assert level("a@0 x@0 x@2 b@2 x@3", rules) == 2
    assert level("a@0 x@1", rules) == 1  # b was not reached
    assert level("a@0 x@1 b@2 a@3", rules) == 1  # the second attempt is clean, as far as it goes


def test_a_tainted_attempt_has_no_level_from_its_shorter_chains():
    rules = Rules(3, 10, exclusions=((1, 2),))
    assert attempts(log("a@0 b@1 x@2 c@3"), rules) == [(0, 3, False)]
    assert level("a@0 b@1 x@2 c@3", rules) == 0


def test_an_attempt_is_clean_through_a_later_row_of_the_same_step():
    rules = Rules(3, 10, exclusions=((1, 2),))
    assert witness(log("a@0 b@1 x@2 b@3 c@4"), rules) == Witness(3, (0, 3, 4), tainted=False)
    assert attempts(log("a@0 b@1 x@2 b@3 c@4"), rules) == [(0, 3, True)]


def test_the_rows_of_a_chain_never_exclude_it():
    rules = Rules(3, 10, exclusions=((0, 2),))
    assert level("a@0 bx@1 c@2", rules) == 3
    assert level("a@0 bx@1 bx@2 c@3", rules) == 0
    assert shown("a@0 bx@1 b@2 c@3", rules) == (0, 1, 3)


def test_each_exclusion_is_asked_about_its_own_rows():
    rules = Rules(3, 10, exclusions=((0, 1), (1, 2)))
    assert level("a@0 y@1 b@2 x@3 c@4", rules) == 3
    assert level("a@0 b@2 y@3 c@4", rules) == 0
    assert level("a@0 x@1 b@2 c@4", rules) == 0


def test_a_skipped_step_hands_the_bound_to_the_nearest_matched_one_outside():
    after_skipped = Rules(4, 10, exclusions=((1, 2),), optional=frozenset({1}))
    assert level("a@0 x@1 c@2 d@3", after_skipped) == 0  # from a, since b was skipped
    assert level("a@0 x@1 b@2 c@3 d@4", after_skipped) == 3
    before_skipped = Rules(4, 10, exclusions=((1, 2),), optional=frozenset({2}))
    assert level("a@0 b@1 x@2 d@3", before_skipped) == 0  # to d, since c was skipped
    assert shown("a@0 b@1 c@2 x@3 d@4", before_skipped) == (0, 1, 2, 4)


# --- optional steps --------------------------------------------------------------------------------------------------


def test_the_level_counts_required_steps_and_the_witness_takes_optional_ones():
    rules = Rules(4, 10, optional=frozenset({1, 3}))
    assert witness(log("a@0 c@1"), rules) == Witness(2, (0, -1, 1, -1), tainted=False)
    assert witness(log("a@0 b@1 c@2 d@3"), rules) == Witness(2, (0, 1, 2, 3), tainted=False)
    assert witness(log("a@0 b@1 d@3"), rules) == Witness(1, (0, 1, -1, -1), tainted=False)
    # Most optional steps goes before the first entry.
    assert shown("a@0 c@1 a@2 b@3 c@4", rules) == (0, 3, 4, -1)
    assert shown("a@0 c@1 a@12 b@13 c@14", rules) == (2, 3, 4, -1)


def test_a_trailing_optional_step_that_breaks_an_exclusion_is_left_out():
    rules = Rules(3, 10, exclusions=((1, 2),), optional=frozenset({2}))
    assert witness(log("a@0 b@1 x@2 c@3"), rules) == Witness(2, (0, 1, -1), tainted=False)


# --- hold_constant ---------------------------------------------------------------------------------------------------


def test_the_level_is_the_best_over_the_values_held():
    rules = Rules(3, 10, hold_constant=True)
    assert witness(log("a@0:p a@1:q b@2:q b@3:p c@4:q"), rules) == Witness(3, (1, 2, 4), tainted=False)
    assert level("a@0:p b@1:q c@2:p", rules) == 1
    assert attempts(log("a@0:p b@1:p a@2:q"), rules) == [(0, 2, True), (2, 1, True)]


def test_rows_without_a_value_match_nothing_but_exclude():
    rules = Rules(2, 10, hold_constant=True, exclusions=((0, 1),))
    assert witness(log("a@0 b@1"), rules) is None
    assert level("a@0:p b@1", rules) == 1
    assert level("a@0:p x@1 b@2:p", rules) == 0
    assert level("a@0:p x@1:q b@2:p", rules) == 0


def test_strict_reads_each_value_as_a_log_of_its_own():
    rules = Rules(2, 10, order="strict", hold_constant=True)
    assert level("a@0:p -@1:q -@2 b@3:p", rules) == 2
    assert level("a@0:p -@1:p b@3:p", rules) == 1


# --- the witness -----------------------------------------------------------------------------------------------------


def test_entry_says_which_chain_is_the_witness():
    text = "a@0 a@3 b@5 a@20 b@24"
    assert shown(text, Rules(2, 10)) == (0, 2)
    assert shown(text, Rules(2, 10, entry="last")) == (3, 4)
    assert shown(text, Rules(2, 10, entry="shortest")) == (1, 2)


def test_after_the_entry_the_earliest_instants_and_then_the_lowest_numbers_are_taken():
    assert shown("a@0 b@4 b@2 c@5", Rules(3, 10)) == (0, 2, 3)
    assert shown("a@0 b@2 b@2 a@0 c@5", Rules(3, 10)) == (0, 1, 4)
    # Instants of every step go before the number of any.
    assert shown("a@0 a@0 b@1", Rules(2, 10, entry="last")) == (0, 2)
    # An optional step skipped counts as later than any instant: b at 2 and no c, before no b and c at 2.
    assert shown("a@0 bc@2 d@3", Rules(4, 10, reuse="once", optional=frozenset({1, 2}))) == (0, 1, -1, 2)


# --- any order -------------------------------------------------------------------------------------------------------


def test_any_order_needs_a_matching_and_not_a_greedy_count():
    rules = Rules(3, 10, order="any", reuse="once")
    # Only 0 serves c, so a, which comes first, has to leave it and take 1, and b what is left.
    assert witness(log("ac@0 ab@1 b@2"), rules) == Witness(3, (1, 2, 0), tainted=False)
    assert level("ab@0 c@1", rules) == 2
    assert level("ab@0 c@1", Rules(3, 10, order="any")) == 3
    assert level("abc@0", rules) == 1


def test_any_order_starts_at_any_step_and_the_earliest_row_is_the_entry():
    rules = Rules(3, 10, order="any")
    assert witness(log("c@0 b@4 -@5 a@10"), rules) == Witness(3, (3, 1, 0), tainted=False)
    assert witness(log("c@0 b@4 a@11"), rules) == Witness(2, (-1, 1, 0), tainted=False)
    assert witness(log("c@0 b@4 a@11"), rules, entries={1, 2}) == Witness(2, (2, 1, -1), tainted=False)
    # Of two rows at one instant the lower number is the earlier, so 1 may be the earliest used only without 0.
    assert shown("a@0 b@0 c@1", rules, entries={1}) == (-1, 1, 2)
    assert attempts(log("c@0 b@4 -@5 a@11"), rules) == [(0, 2, True), (1, 2, True), (3, 1, True)]
    assert witness(log("-@0"), rules) is None


def test_any_order_prefers_the_earliest_start_then_the_earliest_instants_step_by_step():
    rules = Rules(2, 10, order="any")
    assert shown("b@0 a@5 b@6 a@7", rules) == (1, 0)
    assert shown("b@0 a@20 b@21 a@22 b@25", rules) == (1, 2)
    # A step served comes before one that is not: a at 1 and no b, before no a and b at 1.
    assert shown("c@0 ab@1", Rules(3, 10, order="any", reuse="once")) == (1, -1, 0)
    assert shown("bc@0 bc@0", Rules(3, 10, order="any", reuse="once")) == (-1, 0, 1)


def test_any_order_holds_a_value_constant():
    rules = Rules(3, 10, order="any", hold_constant=True)
    assert witness(log("b@0:p c@1:q a@2:p c@3"), rules) == Witness(2, (2, 0, -1), tainted=False)
    assert attempts(log("b@0:p c@1:q a@2:p c@3"), rules) == [(0, 2, True), (1, 1, True), (2, 1, True)]
