"""What a funnel accepts, and what it says of the rest."""
# ruff: noqa: S301 - a table of bad input reads best a line a case; the pickles are our own

from __future__ import annotations

import pickle
from datetime import timedelta

import attrs
import pendulum
import pytest
from pendulum import duration

import shequn as sq
from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.funnel import Exclusion, Funnel, Step

WEEK = duration(days=7)


def test_steps_are_kinds_sets_of_kinds_or_steps():
    big = Step(kinds="purchase", where=sq.row("value") >= 100, name="big purchase")
    funnel = Funnel(steps=["join", {"reply", "post"}, big], within=WEEK)
    assert funnel.names == ("join", "post / reply", "big purchase")
    assert funnel.kinds == {"join", "post", "reply", "purchase"}
    assert funnel.steps[2].where == (sq.row("value") >= 100)


def test_a_funnel_is_a_value():
    one = Funnel(steps=("join", "post"), within=WEEK)
    other = Funnel(steps=["join", "post"], within=timedelta(hours=168))
    assert one == other
    assert hash(one) == hash(other)
    assert pickle.loads(pickle.dumps(one)) == one
    assert attrs.evolve(one, order="strict").order == "strict"
    assert one != attrs.evolve(one, within=duration(days=8))


def test_steps_are_told_by_name_or_position():
    by_name = Funnel(
        steps=("join", "post", "purchase"),
        within=WEEK,
        optional="post",
        exclusions=Exclusion(kinds="leave", after="join", before="purchase"),
    )
    by_position = Funnel(
        steps=("join", "post", "purchase"),
        within=WEEK,
        optional=[1],
        exclusions=[Exclusion(kinds="leave", after=0, before=2)],
    )
    assert by_name == by_position
    assert by_name.required == (0, 2)
    assert by_name.n_required == 2
    assert attrs.evolve(by_name, within=duration(days=1)).exclusions == by_name.exclusions


def test_what_differs_from_the_default_is_shown():
    funnel = Funnel(steps=("join", "post"), within=duration(days=1), ties="increase")
    assert repr(funnel) == "Funnel(join → post within 1 day, ties='increase')"


def test_the_same_step_may_stand_twice_but_not_be_told_by_name():
    funnel = Funnel(steps=("post", "post"), within=WEEK)
    with pytest.raises(
        InvalidValueError, match=r"^step: expected a name that one step bears, or a position, got 'post'"
    ):
        funnel.position("post")


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"steps": ()}, InvalidValueError, r"^steps: expected at least one step, got \[\]"),
        (
            {"steps": ("join", set())},
            InvalidValueError,
            r"^steps: expected at least one kind in each step, got set\(\) at row 1",
        ),
        ({"steps": "join"}, InvalidTypeError, r"^steps: expected a sequence of steps, got 'join'"),
        (
            {"steps": ("join", 5)},
            InvalidTypeError,
            r"^steps: expected a Step, a kind or a set of kinds, got 5 at row 1",
        ),
        ({"steps": ("join", {5})}, InvalidTypeError, r"^kinds: expected kinds of event as str, got 5"),
        ({"steps": 5}, InvalidTypeError, r"^steps: expected a sequence of steps, got 5"),
        ({"within": 7}, InvalidTypeError, r"^within: expected a duration such as pendulum.duration\(days=7\), got 7"),
        ({"within": duration(days=-1)}, InvalidValueError, r"^within: expected a duration that is not negative, got "),
        ({"within": duration(months=1)}, InvalidValueError, r"^within: expected a duration without months or years"),
        (
            {"within": timedelta(days=365 * 900)},
            InvalidValueError,
            r"^within: expected a duration of at most 400 years",
        ),
        ({"order": "sorted"}, InvalidValueError, r"^order: expected one of 'ordered', 'strict', 'any', got 'sorted'"),
        ({"order": None}, InvalidTypeError, r"^order: expected one of"),
        ({"ties": "increased"}, InvalidValueError, r"^ties: .* did you mean 'increase'"),
        ({"reuse": "twice"}, InvalidValueError, r"^reuse: expected one of 'allow', 'once', got 'twice'"),
        ({"entry": "middle"}, InvalidValueError, r"^entry: expected one of 'first', 'last', 'shortest', got 'middle'"),
        (
            {"optional": "join"},
            InvalidValueError,
            r"^optional: expected any step but the first, which begins the way, got 'join'",
        ),
        ({"optional": [3]}, InvalidValueError, r"^optional: expected a step in \[0, 3\), got 3"),
        (
            {"optional": ["reed"]},
            InvalidValueError,
            r"^optional: expected the name of a step, got 'reed'.* did you mean 'read'",
        ),
        (
            {"optional": [1.5]},
            InvalidTypeError,
            r"^optional: expected the name of a step, or its position from 0, got 1.5",
        ),
        ({"optional": 1}, InvalidTypeError, r"^optional: expected positions or names of steps, got 1"),
        ({"min_gap": duration(hours=-1)}, InvalidValueError, r"^min_gap: expected a duration that is not negative"),
        ({"max_gap": "1d"}, InvalidTypeError, r"^max_gap: expected a duration"),
        (
            {"min_gap": duration(hours=2), "max_gap": duration(hours=1)},
            InvalidValueError,
            r"^max_gap: expected a duration not shorter than min_gap",
        ),
        (
            {"min_gap": duration(days=4)},
            InvalidValueError,
            r"^min_gap: expected a duration that leaves room for 3 steps within",
        ),
        ({"exclusions": "leave"}, InvalidTypeError, r"^exclusions: expected a sequence of Exclusion, got 'leave'"),
        (
            {"exclusions": ["leave"]},
            InvalidTypeError,
            r"^exclusions: expected a sequence of Exclusion, got 'leave' at row 0",
        ),
        (
            {"exclusions": [Exclusion(kinds="x", after=0, before=3)]},
            InvalidValueError,
            r"^exclusions.before: expected a step in \[0, 3\), got 3",
        ),
        (
            {"exclusions": [Exclusion(kinds="x", after=1, before=1)]},
            InvalidValueError,
            r"^exclusions.before: expected a step later than 'read', got 'read'",
        ),
        (
            {"exclusions": [Exclusion(kinds="x", after="jion", before=1)]},
            InvalidValueError,
            r"^exclusions.after: expected the name of a step, got 'jion'.* did you mean 'join'",
        ),
        ({"hold_constant": 5}, InvalidTypeError, r"^hold_constant: expected a non-empty str, got 5"),
        ({"hold_constant": " "}, InvalidValueError, r"^hold_constant: expected a non-empty str, got ' '"),
    ],
)
def test_what_cannot_be_used_is_refused(options, error, text):
    with pytest.raises(error, match=text):
        Funnel(**({"steps": ("join", "read", "purchase"), "within": WEEK} | options))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"ties": "increase"},
            r"^ties: expected nothing with order='any', where there is no order that ties could be in",
        ),
        ({"optional": [1]}, r"^optional: expected nothing with order='any', where any step may be missing already"),
        ({"min_gap": duration(0)}, r"^min_gap: expected nothing with order='any', where there is no next step"),
        ({"max_gap": WEEK}, r"^max_gap: expected nothing with order='any', where there is no next step"),
        ({"entry": "last"}, r"^entry: expected nothing with order='any', where the entry is the earliest row used"),
        (
            {"exclusions": [Exclusion(kinds="x", after=0, before=1)]},
            r"^exclusions: expected nothing with order='any', where no step stands",
        ),
    ],
)
def test_any_order_refuses_what_needs_an_order(options, text):
    with pytest.raises(InvalidValueError, match=text):
        Funnel(steps=("join", "read"), within=WEEK, order="any", **options)


def test_a_step_and_an_exclusion_check_their_fields():
    with pytest.raises(InvalidValueError, match=r"^kinds: expected at least one kind"):
        Step(kinds=[])
    with pytest.raises(
        InvalidTypeError, match=r"^where: expected a condition such as row\('value'\) >= 100, or None, got 100"
    ):
        Step(kinds="post", where=100)
    with pytest.raises(InvalidTypeError, match=r"^name: expected a non-empty str, got 5"):
        Step(kinds="post", name=5)
    with pytest.raises(
        InvalidTypeError, match=r"^after: expected the name of a step, or its position from 0, got None"
    ):
        Exclusion(kinds="post", after=None, before=1)


def test_an_interval_between_two_instants_is_a_duration():
    interval = pendulum.datetime(2024, 3, 1) - pendulum.datetime(2024, 1, 1)
    assert Funnel(steps=["join"], within=interval).within_us == 60 * 86_400_000_000
