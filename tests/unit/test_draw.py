from __future__ import annotations

import copy
import pickle

import attrs
import numpy as np
import pytest

from shequn.campaigns import Draw, DrawFault, close_entries, commit, draw, win_probabilities
from shequn.campaigns.drawing import _below, _Urn
from shequn.columns import EventLog, Roster
from shequn.entities import Reward
from shequn.errors import InfeasibleError, InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.labels import Index
from shequn.values import Money

SECRET = b"sixteen bytes or more"
CREAM = Reward(kind="prize", cost=Money.of(299, "CNY"), name="眼霜")
COUPONS = Reward(kind="coupon", cost=Money.of(10, "CNY"), quantity=2)


def made(**changed) -> Draw:
    asked = {"tickets": [5, 1, 1, 3], "prizes": [CREAM, COUPONS], "secret": SECRET, "public": "042"} | changed
    return draw(["ann", "bo", "cy", "di"], **asked)


# --- who takes part ---


def test_rows_of_one_member_are_one_entrant_with_all_their_tickets():
    found = draw(["bo", "ann", "bo"], tickets=[2, 1, 3], prizes=[CREAM], secret=SECRET)
    assert list(found.members) == ["ann", "bo"]
    assert found.tickets.tolist() == [1, 5]
    assert draw(["bo", "ann", "bo"], prizes=[CREAM], secret=SECRET).tickets.tolist() == [1, 2]


def test_the_order_of_rows_does_not_matter():
    one = draw(["ann", "bo", "cy"], tickets=[3, 1, 2], prizes=[COUPONS], secret=SECRET)
    other = draw(["cy", "ann", "bo"], tickets=[2, 3, 1], prizes=[COUPONS], secret=SECRET)
    assert one.to_dict() == other.to_dict()


def test_text_is_in_the_order_of_its_bytes_and_integers_by_value():
    assert list(draw(["b", "Z", "é", "a", "安"], prizes=[CREAM], secret=SECRET).members) == ["Z", "a", "b", "é", "安"]
    assert list(draw([10, 9, -1], prizes=[CREAM], secret=SECRET).members) == [-1, 9, 10]


def test_a_log_a_roster_an_index_and_labels_are_taken():
    log = EventLog.from_columns(
        member=["bo", "ann", "bo"], kind="check_in", at=[0, 1, 2], time_unit="s", value=[1, 4, 2], group=["g"] * 3
    )
    by_row = draw(log, prizes=[CREAM], secret=SECRET)
    assert by_row.tickets.tolist() == [1, 2]
    assert draw(log, tickets="value", prizes=[CREAM], secret=SECRET).tickets.tolist() == [4, 3]
    roster = Roster.from_columns(member=["bo", "ann"])
    assert (
        draw(roster, prizes=[CREAM], secret=SECRET).closing
        == draw(Index(["ann", "bo"]), prizes=[CREAM], secret=SECRET).closing
    )
    with pytest.raises(
        InvalidTypeError, match=r"tickets: expected a column of whole numbers, got 'group', which holds"
    ):
        draw(log, tickets="group", prizes=[CREAM], secret=SECRET)
    with pytest.raises(UnknownLabelError, match="tickets: expected one of the log's columns"):
        draw(log, tickets="weight", prizes=[CREAM], secret=SECRET)
    with pytest.raises(InvalidTypeError, match="entries: expected an EventLog, which has a column 'value'"):
        draw(["ann"], tickets="value", prizes=[CREAM], secret=SECRET)


def test_nobody_without_a_ticket_wins():
    for k in range(50):
        found = draw(["ann", "bo"], tickets=[0, 1], prizes=[CREAM], secret=b"%032d" % k)
        assert found.to_columns()["member"].tolist() == ["bo"]


# --- caps ---


def test_a_member_wins_no_more_than_the_cap_and_a_ticket_once():
    prizes = [attrs.evolve(COUPONS, quantity=5)]
    for k in range(30):
        found = draw(["ann", "bo", "cy"], tickets=[90, 2, 1], prizes=prizes, per_member=2, secret=b"%032d" % k)
        assert found.n_won.tolist() == [2, 2, 1]


@pytest.mark.parametrize(("n", "is_fine"), [(4, True), (5, True), (6, False)])
def test_more_prizes_than_can_be_won_are_refused(n, is_fine):
    asked = {"tickets": [90, 2, 1, 0], "prizes": [attrs.evolve(COUPONS, quantity=n)], "per_member": 2}
    if is_fine:
        assert len(made(**asked)) == n
        return
    for refusing in (lambda: made(**asked), lambda: close_entries(["a", "b", "c", "d"], **asked)):
        with pytest.raises(
            InfeasibleError, match="prizes: expected at most 5 prizes, got 6: that is all 3 entrants"
        ) as e:
            refusing()
        assert e.value.zh == "奖品：6 份多于能中的 5 份（有抽奖券的 3 人，每人最多 2 份）"


# --- what is refused ---


@pytest.mark.parametrize(
    ("changed", "error", "told"),
    [
        ({"tickets": [0.5, 1, 1, 1]}, InvalidTypeError, r"tickets: expected whole numbers .*multiply shares by 100"),
        ({"tickets": [True, True, True, True]}, InvalidTypeError, "tickets: expected whole numbers"),
        ({"tickets": [1, -1, 1, 1]}, InvalidValueError, r"got -1 at row 1 \(1 of 4 rows\)"),
        ({"tickets": [2**62, 2**62, 1, 1]}, InvalidValueError, r"below 2\*\*63 together, got 9223372036854775810"),
        ({"tickets": [1, 1]}, MisalignedError, r"tickets: expected one number for each of 4 entries, got 'an array of"),
        ({"prizes": []}, InvalidValueError, "prizes: expected at least one prize"),
        ({"prizes": ["mug"]}, InvalidTypeError, "prizes: expected rewards"),
        (
            {"prizes": [CREAM, Reward(kind="prize", cost=Money(1, "JPY"))]},
            InvalidValueError,
            "prizes: expected costs in one currency, CNY, got 'JPY' at row 1",
        ),
        ({"secret": b"short"}, InvalidValueError, "secret: expected at least 16 bytes, got '5 bytes'"),
        ({"secret": "a text of some length"}, InvalidTypeError, "secret: expected bytes, .* got 'str'"),
        ({"public": 42}, InvalidTypeError, "public: expected a str, got 42"),
        ({"public": "\ud800"}, InvalidValueError, "public: expected text that UTF-8 can hold"),
        ({"per_member": 0}, InvalidValueError, "per_member: expected 1 or more, got 0"),
        ({"per_member": 1.0}, InvalidTypeError, "per_member: expected an integer"),
        ({"prizes": [attrs.evolve(COUPONS, quantity=20_000_000)], "per_member": 10**8, "tickets": [10**8] * 4},
         InvalidValueError, "prizes: expected at most 10,000,000 prizes"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(changed, error, told):
    with pytest.raises(error, match=told):
        made(**changed)


def test_a_message_never_tells_the_secret():
    with pytest.raises(InvalidValueError) as told:
        commit(b"hunter2")
    assert "hunter2" not in str(told.value)


def test_entries_must_be_labels():
    with pytest.raises(InvalidTypeError, match="entries: expected labels of members, an EventLog or a Roster"):
        draw("ann", prizes=[CREAM], secret=SECRET)
    with pytest.raises(InvalidTypeError, match="entries"):
        draw(7, prizes=[CREAM], secret=SECRET)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="entries: expected text that UTF-8 can hold"):
        draw(["\ud800"], prizes=[CREAM], secret=SECRET)


# --- what anybody can check ---


def test_an_honest_draw_has_no_fault_and_each_change_is_found():
    found = made()
    published = {"commitment": found.commitment, "closing": found.closing}
    assert published["commitment"] == commit(SECRET)
    assert published["closing"] == close_entries(
        ["ann", "bo", "cy", "di"], tickets=[5, 1, 1, 3], prizes=[CREAM, COUPONS]
    )
    assert found.verify(**published)
    assert found.verify(**{name: f" {digest.upper()}\n" for name, digest in published.items()})
    swapped = attrs.evolve(found, winners=found.winners[::-1].copy())
    assert swapped.faults(**published) == (DrawFault.WINNERS,)
    other_secret = made(secret=b"another of sixteen bytes")
    assert other_secret.faults(**published) == (DrawFault.SECRET,)
    assert DrawFault.CLOSING in made(tickets=[5, 1, 1, 4]).faults(**published)
    assert DrawFault.CLOSING in made(prizes=[COUPONS, CREAM]).faults(**published)
    assert DrawFault.CLOSING in made(per_member=2).faults(**published)
    assert not attrs.evolve(found, tickets=found.tickets + 1).verify(**published)


def test_the_public_value_decides_too():
    prizes = [COUPONS]
    drawn = {tuple(draw(range(50), prizes=prizes, secret=SECRET, public=str(k)).winners.tolist()) for k in range(20)}
    assert len(drawn) > 15


@pytest.mark.parametrize(
    ("told", "error"), [("abc", InvalidValueError), ("g" * 64, InvalidValueError), (3, InvalidTypeError)]
)
def test_a_digest_is_64_hexadecimal_digits(told, error):
    with pytest.raises(error, match="commitment: expected 64 hexadecimal digits"):
        made().verify(commitment=told, closing="0" * 64)


def test_a_draw_that_contradicts_itself_is_refused():
    found = made()
    with pytest.raises(InvalidValueError, match="winners: expected places in"):
        attrs.evolve(found, winners=[0, 1, 4])
    with pytest.raises(MisalignedError, match="winners: expected one for each of 3 prizes"):
        attrs.evolve(found, winners=[0, 1])
    with pytest.raises(InvalidValueError, match="members: expected labels in ascending order"):
        attrs.evolve(found, members=Index(["bo", "ann", "cy", "di"]))
    with pytest.raises(InfeasibleError, match="at most 2 prizes"):
        attrs.evolve(found, tickets=[1, 1, 0, 0])


# --- the urn and the numbers ---


def test_words_of_the_last_incomplete_round_are_passed_over():
    n = 3 * 2**62  # fits once into 2**64
    assert _below(n, iter([n, 2**64 - 1, n - 1, 5])) == n - 1
    assert _below(10, iter([2**64 - 1, 2**64 - 6, 2**64 - 7])) == 9
    assert _below(1, iter([77])) == 0


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 9])
def test_the_urn_finds_whose_ticket_a_number_is(n):
    left = [k % 3 for k in range(1, n + 1)]
    urn = _Urn(np.array(left))
    while sum(left):
        owners = [place for place, own in enumerate(left) for _ in range(own)]
        assert [urn.place_of(number) for number in range(len(owners))] == owners
        assert urn.total == len(owners)
        left[owners[len(owners) // 2]] -= 1
        urn.take(owners[len(owners) // 2], 1)


# --- what it tells ---


def test_a_draw_is_a_table_in_two_languages():
    found = made()
    lines = str(found).splitlines()
    assert lines[0].split() == ["rank", "prize", "member"]
    assert lines[-1].startswith("4 entrants with 10 tickets; commitment ")
    assert "优惠券" in found.table(lang="zh")
    assert found.table(lang="zh").splitlines()[-1].startswith("4 人参与，10 张奖券；承诺 ")
    assert [row.prize for row in found.rows()] == ["眼霜", "coupon", "coupon"]
    assert repr(found) == "Draw(3 prizes, 4 entrants, 10 tickets)"
    assert found.worst_case == Money.of(319, "CNY")


def test_a_draw_without_prizes_is_an_empty_table():
    nothing = Draw(members=Index(), tickets=[], prizes=[], winners=[], secret=SECRET)
    assert (len(nothing), nothing.worst_case) == (0, None)
    assert "(no rows)" in str(nothing)


@pytest.mark.parametrize("again", [lambda one: pickle.loads(pickle.dumps(one)), copy.deepcopy])  # noqa: S301
def test_a_copy_is_read_only_and_still_verifies(again):
    found = again(made())
    assert found.verify(commitment=found.commitment, closing=found.closing)
    assert not found.tickets.flags.writeable
    assert not found.winners.flags.writeable


def test_chances_of_a_draw_are_those_of_its_tickets():
    found = made()
    np.testing.assert_array_equal(found.chances(), win_probabilities([5, 1, 1, 3], 3))
    assert found.chances().sum() == pytest.approx(3)


# --- chances ---


def test_equal_tickets_have_equal_chances_and_more_tickets_never_fewer():
    np.testing.assert_allclose(win_probabilities([1] * 8, 3), 3 / 8, atol=1e-12)
    found = win_probabilities(np.arange(1, 30), 7)
    assert (np.diff(found) > 0).all()
    assert found[-1] < 29 * found[0]


def test_who_has_no_ticket_has_no_chance_and_where_all_win_it_is_sure():
    assert win_probabilities([3, 0, 1], 2).tolist() == [1.0, 0.0, 1.0]
    assert win_probabilities([3, 1], 0).tolist() == [0.0, 0.0]
    assert win_probabilities([], 0).tolist() == []


def test_chances_of_what_cannot_be_drawn_are_refused():
    with pytest.raises(InfeasibleError, match="n_prizes: expected at most 2 prizes, got 3"):
        win_probabilities([1, 1], 3)
    with pytest.raises(InvalidValueError, match="n_prizes: expected 0 to 20,000"):
        win_probabilities([1, 1], -1)
    with pytest.raises(InvalidTypeError, match="tickets: expected integers"):
        win_probabilities([0.5, 1], 1)


def test_numbers_of_tickets_go_to_their_option_and_are_not_dropped():
    with pytest.raises(InvalidTypeError, match=r"entries: expected labels of members.*got \{'a': 3\}"):
        close_entries({"a": 3}, prizes=[Reward(kind="prize", cost=Money(1, "CNY"))])
