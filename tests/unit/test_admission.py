"""Who may come in: policies, passphrases, invitations, reasons, and what is refused as an argument."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import pickle
from unicodedata import normalize

import attrs
import numpy as np
import pendulum
import pytest

from shequn.admission import (
    AdmissionOutcome,
    AdmissionReason,
    Admissions,
    AdmissionState,
    Applicants,
    admit,
    promote,
)
from shequn.admission.reasons import TOLD
from shequn.columns import EventLog, memberships
from shequn.entities import (
    AdmissionMode,
    AdmissionPolicy,
    Applicant,
    Group,
    Invite,
    PassphraseHash,
    Platform,
    admission_policy,
)
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.labels import Coded
from shequn.network import word_of_mouth

TZ = "Asia/Shanghai"
START = pendulum.datetime(2024, 5, 1, tz=TZ)
GROUP = Group(id="g", community="c", platform=Platform(id="p", caps=3), name="群", created=START)
KEPT = PassphraseHash.of("芝麻开门", salt=b"16 random bytes.", cost=2)


def reasons(asked, policy, **options):
    made = admit(asked, policy, **({"group": GROUP, "tz": TZ} | options))
    return [row.reason.value for row in made.rows()]


# --- the passphrase ---


def test_a_passphrase_is_kept_as_rfc_7914_hashes_it():
    expected = hashlib.scrypt("芝麻开门".encode(), salt=b"16 random bytes.", n=4, r=8, p=1, dklen=32)
    assert KEPT.digest == expected


def test_a_passphrase_matches_in_any_composition_of_its_letters():
    kept = PassphraseHash.of("café", salt=b"8 bytes.", cost=1)
    assert kept.matches(normalize("NFD", "café"))
    assert not kept.matches("Café")
    assert not kept.matches("café ")


def test_the_comparison_takes_constant_time(monkeypatch):
    seen, plain = [], hmac.compare_digest

    def compare(one, other):
        seen.append((one, other))
        return plain(one, other)

    monkeypatch.setattr(admission_policy.hmac, "compare_digest", compare)
    assert KEPT.matches("芝麻开门")
    assert not KEPT.matches("")
    assert len(seen) == 2
    assert all(len(one) == len(other) == 32 for one, other in seen)


def test_neither_a_repr_nor_an_error_shows_what_was_offered():
    asked = Applicant(id="a", at=START, passphrase="芝麻开门")  # noqa: S106
    policy = AdmissionPolicy(mode="passphrase", passphrase=KEPT)
    made = admit([asked], policy, group=GROUP, tz=TZ)
    shown = [repr(asked), repr(KEPT), repr(policy), repr(made), str(made), repr(made.decision(0)), repr(made.events)]
    assert not any("芝麻" in text or KEPT.digest.hex() in text or repr(KEPT.digest) in text for text in shown)
    with pytest.raises(InvalidTypeError) as error:
        AdmissionPolicy(mode="passphrase", passphrase="芝麻开门")  # noqa: S106
    assert "芝麻" not in str(error.value)


def test_each_distinct_phrase_is_hashed_once(monkeypatch):
    hashed = []
    plain = admission_policy._hashed
    monkeypatch.setattr(admission_policy, "_hashed", lambda *of: hashed.append(of[0]) or plain(*of))
    asked = Applicants.from_columns(
        applicant=range(300), at=[0] * 300, time_unit="s", passphrase=["芝麻开门", "开门", None] * 100
    )
    group = attrs.evolve(GROUP, created=pendulum.datetime(1970, 1, 1), platform=Platform(id="p"))
    made = admit(asked, AdmissionPolicy(mode="passphrase", passphrase=KEPT), group=group, tz=TZ)
    assert sorted(hashed) == ["开门", "芝麻开门"]
    assert {reason.value: n for reason, n in made.sizes.items() if n} == {
        "admitted": 100,
        "wrong_passphrase": 100,
        "no_passphrase": 100,
    }


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"salt": b"short"}, "salt: expected at least 8 bytes"),
        ({"salt": "16 random bytes."}, "salt: expected bytes"),
        ({"salt": b"8 bytes.", "cost": 21}, "cost: expected 1 to 20"),
    ],
)
def test_a_hash_needs_salt_and_a_cost_in_bounds(options, match):
    with pytest.raises((InvalidValueError, InvalidTypeError), match=match):
        PassphraseHash.of("芝麻", **options)


@pytest.mark.parametrize("phrase", ["", " ", None, 7])
def test_a_passphrase_is_no_blank(phrase):
    with pytest.raises((InvalidValueError, InvalidTypeError), match="passphrase: expected a"):
        PassphraseHash.of(phrase, salt=b"8 bytes.")


# --- policies, applicants, invitations ---


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"mode": "passphrase"}, "passphrase: expected a PassphraseHash in mode 'passphrase'"),
        ({"mode": "open", "passphrase": KEPT}, "passphrase: expected None in any other mode"),
        ({"mode": "approval", "quota_per_inviter": 3}, "quota_per_inviter: expected None in any mode but"),
        ({"cap": 0}, "cap: expected 1 or more, got 0"),
        ({"mode": "invitation", "quota_per_inviter": -1}, "quota_per_inviter: expected 0 or more"),
        ({"min_score": float("nan")}, "min_score: expected a number"),
    ],
)
def test_a_policy_has_the_fields_of_its_mode(fields, match):
    with pytest.raises(InvalidValueError, match=match):
        AdmissionPolicy(**fields)


def test_a_mode_is_known_by_its_names():
    assert AdmissionPolicy(mode="邀请制").mode is AdmissionMode.INVITATION
    with pytest.raises(UnknownLabelError, match="did you mean 'approval'"):
        AdmissionPolicy(mode="aproval")


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"expires": START}, "expires: expected an instant after issued"),
        ({"used": START}, "used: expected who used it and when, or neither"),
        ({"used_by": "x", "used": START.subtract(seconds=1)}, "used: expected an instant from issued"),
        ({"expires": START.add(hours=1), "used_by": "x", "used": START.add(hours=2)}, "no later than expires"),
    ],
)
def test_an_invitation_does_not_contradict_itself(fields, match):
    with pytest.raises(InvalidValueError, match=match):
        Invite(code="i", by="a", issued=START, **fields)


@pytest.mark.parametrize(("seconds", "is_open"), [(-1, False), (0, True), (3_599, True), (3_600, False)])
def test_an_invitation_is_open_from_its_issue_until_it_expires(seconds, is_open):
    invite = Invite(code="i", by="a", issued=START, expires=START.add(hours=1))
    assert invite.is_open(START.add(seconds=seconds)) is is_open
    used = attrs.evolve(invite, used_by="x", used=START.add(minutes=1))
    assert not used.is_open(START.add(minutes=1))
    asked = [Applicant(id="b", at=START.add(seconds=seconds), invite="i")]
    group = attrs.evolve(GROUP, created=START.subtract(days=1))
    found = reasons(
        asked, AdmissionPolicy(mode="invitation"), state=AdmissionState(members=["a"]), invites=[invite], group=group
    )
    assert (found == ["admitted"]) is is_open


# --- deciding ---


@pytest.mark.parametrize("mode", ["open", "invitation"])
@pytest.mark.parametrize(
    ("others", "expected"),
    [(1, ["admitted"] * 2), (2, ["admitted", "group_full"]), (3, ["group_full"] * 2), (9, ["group_full"] * 2)],
)
def test_the_last_seat_is_given_and_no_more(mode, others, expected):
    asked = [Applicant(id=name, at=START, invited_by="x") for name in "ab"]
    more = {"inviters": ["x"]} if mode == "invitation" else {}
    assert reasons(asked, AdmissionPolicy(mode=mode), state=AdmissionState(others=others), **more) == expected


@pytest.mark.parametrize(("score", "expected"), [(59, "score_too_low"), (60, "admitted"), (61, "admitted")])
def test_the_score_asked_for_is_enough(score, expected):
    asked = [Applicant(id="a", at=START, score=score)]
    assert reasons(asked, AdmissionPolicy(min_score=60)) == [expected]
    assert reasons(asked, AdmissionPolicy(mode="approval", min_score=60)) == [expected]


def test_a_person_overrules_the_score():
    asked = [Applicant(id="a", at=START, score=1, approved=True), Applicant(id="b", at=START, score=99, approved=False)]
    assert reasons(asked, AdmissionPolicy(mode="approval", min_score=60)) == ["admitted", "declined"]


def test_who_was_let_in_may_bring_the_next():
    asked = [Applicant(id="b", at=START, invited_by="a"), Applicant(id="c", at=START, invited_by="b")]
    policy, state = AdmissionPolicy(mode="invitation"), AdmissionState(members=["a"])
    assert reasons(asked, policy, state=state) == ["admitted", "admitted"]
    assert reasons(asked[::-1], policy, state=state) == ["inviter_not_member", "admitted"]


def test_a_refused_applicant_may_ask_again():
    asked = [Applicant(id="a", at=START, passphrase=text) for text in ("开门", "芝麻开门", "芝麻开门")]
    policy = AdmissionPolicy(mode="passphrase", passphrase=KEPT)
    assert reasons(asked, policy) == ["wrong_passphrase", "admitted", "already_member"]


def test_an_invitation_is_used_once():
    invite = Invite(code=7, by="a", issued=START)
    asked = [Applicant(id=name, at=START, invite=7) for name in ("b", "c")]
    made = admit(
        asked, AdmissionPolicy(mode="invitation"), group=GROUP, tz=TZ, state=AdmissionState(members=["a"]),
        invites=[invite],
    )  # fmt: skip
    assert [row.reason.value for row in made.rows()] == ["admitted", "invite_used"]
    assert list(made.state.spent) == [7]
    folded = AdmissionState.from_log(EventLog.from_events(made.events), group="g", as_of=START)
    assert list(folded.spent) == [7]


def test_the_facts_are_those_that_the_rest_of_the_library_reads():
    asked = [Applicant(id="b", at=START, invited_by="a"), Applicant(id="c", at=START, invited_by="z")]
    state = AdmissionState(members=["a"])
    made = admit(asked, AdmissionPolicy(mode="invitation"), group=GROUP, tz=TZ, state=state)
    assert [(event.member, event.kind, event.target) for event in made.events] == [
        ("a", "invite", "b"),
        ("b", "join", None),
        ("c", "apply", None),
    ]
    assert made.events[2].extra["reason"] == "inviter_not_member"
    log = EventLog.concat(
        [EventLog.from_columns(member=["a"], kind="join", at=[START.subtract(days=1)], group=["g"]), made.log]
    )
    assert memberships(log, as_of=START).sizes() == {"g": 2}
    assert word_of_mouth(log).referred_share.value == pytest.approx(0.5)


def test_who_waits_is_promoted_in_order_when_a_seat_comes_free():
    asked = [Applicant(id=name, at=START.add(minutes=n)) for n, name in enumerate("abcde")]
    made = admit(asked, AdmissionPolicy(), group=GROUP, tz=TZ)
    left = [EventLog.from_columns(member=["b"], kind="leave", at=[START.add(hours=1)], group=["g"])]
    log = EventLog.concat([made.log, *left])
    state = AdmissionState.from_log(log, group="g", as_of=START.add(hours=2))
    seats = promote(state, AdmissionPolicy(), group=GROUP, tz=TZ, at=START.add(hours=2))
    assert [(row.applicant, row.outcome.value) for row in seats.rows()] == [("d", "admitted"), ("e", "waitlisted")]
    assert [(event.member, event.kind) for event in seats.events] == [("d", "join")]
    again = AdmissionState.from_log(EventLog.concat([log, seats.log]), group="g", as_of=START.add(hours=2))
    assert again == seats.state
    with pytest.raises(InvalidValueError, match="at: expected an instant at which all who wait had applied"):
        promote(made.state, AdmissionPolicy(), group=GROUP, tz=TZ, at=START)


def test_nobody_overtakes_those_who_wait():
    waiting = Applicants.from_applicants([Applicant(id="w", at=START)])
    state = AdmissionState(waiting=waiting)
    assert reasons([Applicant(id="a", at=START)], AdmissionPolicy(), state=state) == ["group_full"]
    assert reasons([Applicant(id="w", at=START)], AdmissionPolicy(), state=state) == ["already_waiting"]


def test_every_reason_is_told_in_both_languages():
    policy = AdmissionPolicy(mode="invitation", min_score=60, quota_per_inviter=2)
    for lang in ("en", "zh"):
        assert set(TOLD[lang]) == set(AdmissionReason)
    for code, reason in enumerate(AdmissionReason):
        made = Admissions(
            applicants=Applicants.from_applicants([Applicant(id="a", at=START)]),
            codes=[code],
            inviter=Coded.of([None], argument="inviter", nulls=True),
            policy=policy,
            group="g",
        )
        told = made.decision(0)
        assert told.explain().startswith(reason.en)
        assert told.explain(lang="zh").startswith(reason.zh)
        assert "{" not in told.explain() + told.explain(lang="zh")
        assert told.outcome in AdmissionOutcome


def test_a_cap_of_the_day_is_local():
    caps = {None: 1, dt.date(2024, 5, 2): 2}
    group = attrs.evolve(GROUP, platform=Platform(id="p", caps=caps))
    evening = pendulum.datetime(2024, 5, 1, 16, tz="UTC")  # midnight of the 2nd in Shanghai
    state = AdmissionState(others=1)
    assert reasons(
        [Applicant(id="a", at=evening.subtract(seconds=1))], AdmissionPolicy(), group=group, state=state
    ) == ["group_full"]
    assert reasons([Applicant(id="a", at=evening)], AdmissionPolicy(), group=group, state=state) == ["admitted"]


def test_nobody_asks():
    made = admit([], AdmissionPolicy(), group=GROUP, tz=TZ)
    assert len(made) == 0
    assert made.events == ()
    assert made.acceptance.trials == 0
    assert made.state == AdmissionState()
    assert "(no rows)" in str(made)


def test_what_comes_out_survives_a_pickle():
    made = admit([Applicant(id="a", at=START)], AdmissionPolicy(), group=GROUP, tz=TZ)
    back = pickle.loads(pickle.dumps(made))  # noqa: S301
    assert np.array_equal(back.codes, made.codes)
    assert back.state == made.state
    assert made.state != 7


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: admit("a", AdmissionPolicy(), group=GROUP, tz=TZ), InvalidTypeError, "applicants: expected Applicant"),
        (lambda: admit([], "open", group=GROUP, tz=TZ), InvalidTypeError, "policy: expected an AdmissionPolicy"),
        (lambda: admit([], AdmissionPolicy(), group="g", tz=TZ), InvalidTypeError, "group: expected a Group"),
        (lambda: admit([7], AdmissionPolicy(), group=GROUP, tz=TZ), InvalidTypeError, "records, got 7 at row 0"),
        (
            lambda: admit([], AdmissionPolicy(), group=GROUP, tz=TZ, inviters=["a"]),
            InvalidValueError,
            "inviters: expected none in mode 'open'",
        ),
        (
            lambda: admit(
                [], AdmissionPolicy(mode="invitation"), group=GROUP, tz=TZ,
                invites=[Invite(code=1, by="a", issued=START)] * 2,
            ),
            InvalidValueError,
            "invites: expected each code once, got 1 at row 1",
        ),
        (lambda: AdmissionState(invited=[1]), MisalignedError, "invited: expected one number for each of the 0"),
        (lambda: AdmissionState(others=-1), InvalidValueError, "others: expected a number of members >= 0"),
        (
            lambda: Applicants.from_columns(applicant=["a"], at=[0], time_unit="s", approved=[2]),
            InvalidTypeError,
            "approved: expected True, False or None, got 2 at row 0",
        ),
        (
            lambda: Applicants.from_columns(applicant=["a"], at=[0], time_unit="s", approved=np.array([2])),
            InvalidValueError,
            "approved: expected 1, 0 or -1, got 2 at row 0",
        ),
        (
            lambda: Applicants.from_columns(applicant=["a", "b"], at=[0], time_unit="s"),
            MisalignedError,
            "at: expected as many rows as `applicant`, which has 2, got 1 rows",
        ),
        (
            lambda: Applicants.from_columns(applicant=["a"], at=[0], time_unit="s", passphrase=[7]),
            InvalidTypeError,
            "passphrase: expected texts",
        ),
        (lambda: Applicant(id="a", at=dt.datetime(2024, 1, 1)), InvalidValueError, "at: expected an aware"),  # noqa: DTZ001
        (lambda: Applicant(id="a", at=START, approved=1), InvalidTypeError, "approved: expected True, False or None"),
    ],
)  # fmt: skip
def test_an_argument_that_cannot_be_used_is_named(call, error, match):
    with pytest.raises(error, match=match):
        call()


# --- one after the other, or all at once ---


@pytest.mark.parametrize(
    ("policy", "second", "reason"),
    [
        (AdmissionPolicy(mode="invitation", min_score=50), {"hours": 2, "score": None}, "invite_used"),
        (AdmissionPolicy(mode="invitation", min_score=50), {"hours": 2, "score": 40}, "invite_used"),
        (AdmissionPolicy(mode="invitation"), {"hours": 40, "score": 90}, "invite_expired"),
        (AdmissionPolicy(mode="invitation", min_score=50), {"hours": 2, "score": 40, "invite": None}, "score_too_low"),
        (
            AdmissionPolicy(mode="invitation", min_score=50, quota_per_inviter=1),
            {"hours": 2, "score": 40, "invite": None},
            "quota_exhausted",
        ),
    ],
)
def test_what_an_invitation_lacks_comes_before_the_score_in_a_batch_as_one_by_one(policy, second, reason):
    invites = [Invite(code="i1", by="root", issued=START, expires=START.add(hours=30))]
    second = {"invite": "i1", **second}
    asked = [
        Applicant(id="a", at=START.add(hours=1), score=90, invited_by="root", invite="i1"),
        Applicant(
            id="b",
            at=START.add(hours=second["hours"]),
            score=second["score"],
            invited_by="root",
            invite=second["invite"],
        ),
    ]
    options = {"group": GROUP, "tz": TZ, "invites": invites}
    root = AdmissionState(members=["root"])
    after = admit(asked[:1], policy, state=root, **options).state
    assert reasons(asked, policy, state=root, invites=invites) == ["admitted", reason]
    assert admit(asked[1], policy, state=after, **options).reason.value == reason


def test_caps_and_quotas_beyond_64_bits_are_no_limit():
    asked = [Applicant(id="a", at=START, invited_by="root")]
    policy = AdmissionPolicy(mode="invitation", cap=10**30, quota_per_inviter=10**30)
    assert reasons(asked, policy, state=AdmissionState(members=["root"])) == ["admitted"]
    free = attrs.evolve(GROUP, platform=Platform(id="p", caps=None))
    assert reasons(asked, policy, group=free, state=AdmissionState(members=["root"])) == ["admitted"]


@pytest.mark.parametrize(
    "state",
    [
        AdmissionState(members=["1"]),
        AdmissionState(barred=["1"]),
        AdmissionState(waiting=Applicants.from_applicants([Applicant(id="1", at=START)])),
    ],
)
def test_ids_of_another_type_than_those_known_are_refused(state):
    with pytest.raises(
        InvalidTypeError, match=r"applicants: expected labels of one type .*, got 1, a label of type int"
    ):
        admit([Applicant(id=1, at=START)], AdmissionPolicy(), group=GROUP, tz=TZ, state=state)


@pytest.mark.parametrize(("name", "value"), [("score", 3), ("score", [[3.0]]), ("approved", True)])
def test_a_column_of_applicants_has_one_dimension(name, value):
    with pytest.raises(MisalignedError, match=f"{name}: expected a column of one dimension"):
        Applicants.from_columns(applicant=["a"], at=[0], time_unit="s", **{name: value})


@pytest.mark.parametrize("others", [2**53, 10**30])
def test_a_number_of_others_that_cannot_be_is_refused(others):
    with pytest.raises(InvalidValueError, match="others: expected a number of members >= 0, below 2"):
        AdmissionState(others=others)


def test_missing_values_are_none_in_arrays_of_objects_as_in_lists():
    columns = {"applicant": ["a", "b"], "at": [0, 1], "time_unit": "s"}
    listed = Applicants.from_columns(**columns, score=[1, None], approved=[True, None])
    objects = Applicants.from_columns(
        **columns, score=np.array([1, None], dtype=object), approved=np.array([True, None], dtype=object)
    )
    assert objects == listed
    assert objects.approved.tolist() == [1, -1]
    pandas = pytest.importorskip("pandas")
    nullable = Applicants.from_columns(
        **columns,
        score=pandas.Series([1, None], dtype="Int64"),
        approved=pandas.Series([True, None], dtype="boolean"),
    )
    assert nullable == listed
    with pytest.raises(InvalidTypeError, match="approved: expected True, False or None, got 'yes' at row 1"):
        Applicants.from_columns(**columns, approved=np.array([True, "yes"], dtype=object))


def test_who_waits_does_so_once_and_is_not_in():
    waiting = Applicants.from_applicants([Applicant(id="a", at=START), Applicant(id="a", at=START)])
    with pytest.raises(InvalidValueError, match="waiting: expected each applicant once, got 'a'"):
        AdmissionState(waiting=waiting)
    with pytest.raises(InvalidValueError, match="waiting: expected applicants who are no members, got 'a'"):
        AdmissionState(members=["a"], waiting=waiting.take(np.array([0])))


def test_nobody_is_promoted_before_the_group_is_open():
    waiting = Applicants.from_applicants([Applicant(id="a", at=START.subtract(days=2))])
    early = START.subtract(days=1)
    made = promote(AdmissionState(waiting=waiting), AdmissionPolicy(), group=GROUP, tz=TZ, at=early)
    assert [row.reason.value for row in made.rows()] == ["group_full"]
