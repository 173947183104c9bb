from __future__ import annotations

import datetime as dt
import json
import pickle
import sys
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pendulum
import pytest
from pendulum import duration

import shequn as sq
from shequn import interop
from shequn.interop import DocumentError, from_document, json_schema, to_document
from shequn.sharding import Deviation, UnifiedAspect
from shequn.values import Band, Dated, RateDifference
from shequn.values.instants import instant_us

cattrs = pytest.importorskip("cattrs")

T = pendulum.datetime(2024, 3, 1, 8, tz="Asia/Shanghai")
CAMPAIGN = {
    "id": "c1",
    "forms": ["lottery"],
    "window": {"start": "2024-03-01T08:00:00+08:00[Asia/Shanghai]", "end": "2024-03-08T08:00:00+08:00[Asia/Shanghai]"},
    "rewards": [
        {"kind": "points", "cost": {"minor": 100, "currency": "CNY"}},
        {"kind": "gift", "cost": {"minor": 100, "currency": "CNY"}},
        {"kind": "coupon", "cost": {"minor": 100, "currency": "CNY"}},
    ],
}


def spoilt(path, value):
    document = json.loads(json.dumps(CAMPAIGN))
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return document


# --- what is written ---


def test_an_instant_keeps_its_offset_and_the_name_of_its_zone():
    assert to_document(sq.Window(T, T.add(days=1)))["start"] == "2024-03-01T08:00:00+08:00[Asia/Shanghai]"


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (dt.datetime(2024, 3, 1, tzinfo=dt.UTC), "2024-03-01T00:00:00Z"),
        (pendulum.datetime(2024, 3, 1, 0, 0, 0, 250_000), "2024-03-01T00:00:00.250000Z"),
        (dt.datetime(2024, 3, 1, tzinfo=dt.timezone(dt.timedelta(hours=8))), "2024-03-01T00:00:00+08:00"),
        (dt.datetime(2024, 3, 1, tzinfo=ZoneInfo("Asia/Shanghai")), "2024-03-01T00:00:00+08:00[Asia/Shanghai]"),
        (pendulum.datetime(1900, 6, 1, tz="Asia/Shanghai"), "1900-06-01T00:00:00+08:05:43[Asia/Shanghai]"),
        (dt.datetime(2024, 7, 1, tzinfo=ZoneInfo("Europe/London")), "2024-07-01T00:00:00+01:00[Europe/London]"),
        (dt.datetime(2024, 1, 1, tzinfo=ZoneInfo("Europe/London")), "2024-01-01T00:00:00+00:00[Europe/London]"),
    ],
)
def test_instants_of_every_kind_of_zone_come_back(at, text):
    event = sq.Event(member="ann", kind="join", at=at)
    document = to_document(event)
    assert document["at"] == text
    back = from_document(sq.Event, document)
    assert instant_us(back.at) == instant_us(at)
    assert back.at.isoformat() == at.isoformat()
    assert to_document(back) == document


def test_the_two_readings_of_a_clock_that_was_set_back_stay_apart():
    zone = ZoneInfo("Europe/Berlin")
    first, second = (dt.datetime(2024, 10, 27, 2, 30, tzinfo=zone, fold=fold) for fold in (0, 1))
    texts = [to_document(sq.Event(member=1, kind="post", at=at))["at"] for at in (first, second)]
    assert texts == ["2024-10-27T02:30:00+02:00[Europe/Berlin]", "2024-10-27T02:30:00+01:00[Europe/Berlin]"]
    back = [from_document(sq.Event, {"member": 1, "kind": "post", "at": text}).at for text in texts]
    assert [at.fold for at in back] == [0, 1]
    assert instant_us(back[1]) - instant_us(back[0]) == 3_600_000_000


def test_durations_money_taxonomies_sets_bytes_and_infinity_have_words():
    funnel = sq.Funnel(steps=("join", {"reply", "post"}), within=duration(days=7, hours=1))
    assert to_document(funnel)["within"] == {"days": 7, "seconds": 3600}
    assert to_document(funnel)["steps"][1]["kinds"] == ["post", "reply"]
    kinds = [kind.value for kind in sq.EventKind]
    assert to_document(sq.Goal(kinds=kinds, target=1))["kinds"] == sorted(kinds)
    assert to_document(sq.Reward(kind="积分", cost=sq.Money(5, "CNY"))) == {
        "schema_version": 1,
        "kind": "points",
        "cost": {"minor": 5, "currency": "CNY"},
        "quantity": 1,
    }
    assert to_document(sq.PassphraseHash(salt=bytes(16), digest=bytes(32)))["salt"] == "AAAAAAAAAAAAAAAAAAAAAA=="
    assert to_document(sq.Band(10, -np.inf)) == {"schema_version": 1, "enter": 10, "leave": {"float": "-inf"}}
    assert to_document(sq.DailyWindow(start="22:00", end="07:05", tz="UTC"))["end"] == "07:05"


def test_what_is_none_by_default_is_left_out_and_may_be_null():
    event = sq.Event(member="ann", kind="join", at=T)
    assert set(to_document(event)) == {"schema_version", "member", "kind", "at", "extra"}
    assert from_document(sq.Event, to_document(event) | {"group": None}) == event


def test_fields_of_ones_own_keep_numbers_text_truths_instants_and_days():
    fields = {"n": 1, "x": 1.0, "t": "a", "b": True, "none": None, "i": T, "d": pendulum.date(2024, 3, 1)}
    fields |= {"wall": pendulum.naive(2024, 3, 1), "inf": float("inf")}
    back = from_document(sq.Member, json.loads(json.dumps(to_document(sq.Member(id=1, fields=fields)))))
    assert back.fields == fields
    assert [type(value) for value in back.fields.values()] == [type(value) for value in fields.values()]
    assert back.fields["i"].timezone_name == "Asia/Shanghai"


def test_a_field_that_json_has_no_word_for_is_refused_with_its_place():
    with pytest.raises(DocumentError, match=r"^\$\.fields\.pair: expected null, true or false, text, a number"):
        to_document(sq.Member(id=1, fields={"pair": (1, 2)}))


def test_kinds_that_are_numbers_are_written_as_pairs():
    mix = sq.Mix({"a": 0.5, 1: 0.5})
    assert to_document(mix)["shares"] == [["a", 0.5], [1, 0.5]]
    assert from_document(sq.Mix, to_document(mix)) == mix
    with pytest.raises(DocumentError, match=r"^\$\.shares\[1\]: expected each key once, got 1"):
        from_document(sq.Mix, {"shares": [[1, 0.5], [1, 0.5]]})


def test_a_class_without_documents_is_refused():
    for ask in (lambda: from_document(int, {}), lambda: json_schema(sq.EventLog)):
        with pytest.raises(sq.InvalidTypeError, match=r"^cls: expected a class of DOCUMENTS, such as Campaign"):
            ask()


# --- what is refused, and where ---


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (spoilt(["rewards", 2, "cost", "currency"], 7), r"$.rewards[2].cost.currency: expected text, got 7"),
        (
            spoilt(["rewards", 2, "cost", "currency"], "yuan"),
            "$.rewards[2].cost.currency: expected three upper-case letters (ISO 4217), got 'yuan'",
        ),
        (spoilt(["rewards", 1, "cost", "minor"], 1.5), "$.rewards[1].cost.minor: expected an integer, got 1.5"),
        (spoilt(["rewards", 1, "cost", "minor"], True), "$.rewards[1].cost.minor: expected an integer, got True"),
        (spoilt(["rewards", 0, "quantity"], -1), "$.rewards[0].quantity: expected"),
        (spoilt(["rewards", 0, "cots"], 1), "$.rewards[0]: expected no keys but kind, cost, quantity, name, value,"),
        (spoilt(["rewards"], {}), "$.rewards: expected a list, got {}"),
        (spoilt(["forms", 0], "抽奖"), "$.forms[0]: expected one of the codes qa, event,"),
        (spoilt(["forms", 0], "lotery"), "did you mean 'lottery'?"),
        (spoilt(["window", "end"], "2024-03-08"), "$.window.end: expected an instant with its offset and zone"),
        (
            spoilt(["window", "end"], "2024-03-08T08:00:00+09:00[Asia/Shanghai]"),
            "$.window.end: expected the offset that Asia/Shanghai has then (2024-03-08T07:00:00+08:00), got",
        ),
        (spoilt(["window", "end"], "2024-03-08T08:00:00+08:00[Asia/Shangai]"), "$.window.end: tz: expected an IANA"),
        (spoilt(["window", "end"], "2024-02-30T08:00:00+08:00"), "$.window.end: "),
        (spoilt(["window", "end"], "2024-03-01T08:00:00+08:00"), "$.window.end: expected an instant after start"),
        (spoilt(["window"], None), "$.window: expected an object that tells a Window, got None"),
        (spoilt(["id"], ""), "$.id: expected text that is not empty, or an integer, got ''"),
        (spoilt(["budget"], {"minor": 1}), "$.budget: expected the key 'currency', got ['minor']"),
        (spoilt(["goal"], {"kinds": ["join", "join"], "target": 1}), "$.goal.kinds[1]: expected each one once"),
        (spoilt(["schema_version"], 2), "$.schema_version: expected 1, which this library writes, got 2"),
        (spoilt(["schema_version"], True), "$.schema_version: expected 1, which this library writes, got True"),
        (CAMPAIGN | {1: 2}, "$: expected keys that are text, got 1"),
        ([], "$: expected an object that tells a Campaign, got []"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(document, told):
    with pytest.raises(DocumentError) as caught:
        from_document(sq.Campaign, document)
    assert told in str(caught.value)
    assert caught.value.path.startswith("$")


def test_numbers_that_json_does_not_have_are_refused():
    for text in ("NaN", "Infinity", "-Infinity"):
        with pytest.raises(DocumentError, match=r"^\$\.enter: expected a finite number, as JSON has no others"):
            from_document(sq.Band, json.loads(f'{{"enter": {text}}}'))


def test_no_document_is_too_deep_or_holds_itself():
    deep = {"rule": {"not": {}}}
    below = deep["rule"]
    for _ in range(100_000):
        below["not"] = {"not": {}}
        below = below["not"]
    endless = {"all": []}
    endless["all"].append(endless)
    for rule in (deep, {"rule": endless}):
        with pytest.raises(DocumentError, match=r"at most 64 levels of nesting"):
            from_document(sq.rules.Rule, rule)
    fields = {}
    fields["fields"] = fields
    with pytest.raises(DocumentError, match=r"^\$\.fields\.fields: expected"):
        from_document(sq.Member, {"id": 1, "fields": fields})


def test_a_result_nested_too_deep_is_refused():
    told = {"set": []}
    for _ in range(100_000):
        told = {"set": [told]}
    document = {"type": "labels.Index", "labels": told}
    with pytest.raises(DocumentError, match=r"at most 64 levels of nesting"):
        interop.converter().structure(document, sq.Index)


def test_an_error_can_be_pickled_and_is_an_invalid_value():
    error = DocumentError("$.a", "expected b")
    assert str(pickle.loads(pickle.dumps(error))) == "$.a: expected b"  # noqa: S301
    assert isinstance(error, sq.InvalidValueError)
    assert len(str(DocumentError("$" + ".a" * 500, "expected b"))) < 400


# --- rules, conditions and segmentations tell their own ---


def test_a_rule_has_one_document_however_it_is_asked_for():
    rule = sq.rules.count("post", within=duration(days=30)) >= 5
    assert to_document(rule) == rule.to_dict()
    assert from_document(sq.rules.Rule, rule.to_dict()) == rule
    assert from_document(type(rule), rule.to_dict()) == rule


def test_what_is_wrong_in_a_rule_is_told_with_its_place_in_the_whole():
    step = {"kinds": ["purchase"], "where": {"column": "value", "operator": ">=", "operands": ["x"]}}
    with pytest.raises(
        DocumentError, match=r"^\$\.steps\[1\]\.where\.operands\[0\]: expected a number to ask '>=' of, got 'x'"
    ):
        from_document(sq.Funnel, {"steps": [{"kinds": ["join"]}, step], "within": {"days": 1}})


# --- a schema ---


def test_a_schema_is_self_contained_and_says_what_each_field_is():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json_schema(sq.Campaign)
    assert json.loads(json.dumps(schema)) == schema
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["properties"]["schema_version"] == {"const": 1}
    assert schema["required"] == ["id", "forms", "window"]
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(CAMPAIGN)
    assert validator.is_valid(to_document(from_document(sq.Campaign, CAMPAIGN)))


@pytest.mark.parametrize(
    "document",
    [
        spoilt(["rewards", 2, "cost", "currency"], "yuan"),
        spoilt(["rewards", 2, "cost", "minor"], "100"),
        spoilt(["rewards", 2, "quantity"], -1),
        spoilt(["forms", 0], "抽奖"),
        spoilt(["forms"], []),
        spoilt(["window", "end"], "2024-03-08"),
        spoilt(["id"], 1.5),
        spoilt(["theme"], "spring"),
        spoilt(["goal"], {"kinds": [], "target": 1}),
        spoilt(["goal"], {"kinds": ["join"], "target": 0}),
        spoilt(["goal"], {"kinds": ["join", "join"], "target": 1}),
        spoilt(["platforms"], [{"id": "p", "caps": {"steps": [["2024-01-01"]]}}]),
    ],
)
def test_the_schema_and_the_reader_refuse_the_same(document):
    jsonschema = pytest.importorskip("jsonschema")
    assert not jsonschema.Draft202012Validator(json_schema(sq.Campaign)).is_valid(document)
    with pytest.raises(DocumentError):
        from_document(sq.Campaign, document)


# --- cattrs ---


@attrs.define
class Plan:
    """A class of the user's own."""

    campaign: sq.Campaign
    starts: pendulum.DateTime
    every: pendulum.Duration
    on: dt.date
    seal: bytes
    owner: str | int
    counts: sq.Index
    audience: sq.rules.Rule | None = None


def test_records_are_fields_of_ones_own_classes():
    plan = Plan(
        campaign=from_document(sq.Campaign, CAMPAIGN),
        starts=T,
        every=duration(hours=3),
        on=dt.date(2024, 3, 1),
        seal=b"\x00\xff",
        owner=7,
        counts=sq.Index(["ann", "bo"]),
        audience=sq.rules.field("tier") >= "gold",
    )
    made = interop.converter()
    document = json.loads(json.dumps(made.unstructure(plan), allow_nan=False))
    assert document["starts"] == "2024-03-01T08:00:00+08:00[Asia/Shanghai]"
    back = made.structure(document, Plan)
    assert back == plan
    assert back.starts.timezone_name == "Asia/Shanghai"
    assert type(back.campaign.rewards[0].cost.minor) is int


def test_cattrs_tells_the_place_in_ones_own_class_too():
    document = {"campaign": spoilt(["rewards", 2, "cost", "currency"], 7)}
    with pytest.raises(cattrs.ClassValidationError) as caught:
        interop.converter().structure(document, Plan)
    told = cattrs.transform_error(caught.value, format_exception=lambda error, _: str(error))
    assert any("$.rewards[2].cost.currency: expected text, got 7" in line and "$.campaign" in line for line in told)


def test_a_result_comes_back_with_its_arrays():
    log = sq.EventLog.from_columns(member=["ann", "bo", "ann"], kind="post", at=[0, 60, 86_400], time_unit="s")
    ledger = sq.retention.flow_ledger(log, every="day", tz="Asia/Shanghai")
    made = interop.converter()
    document = json.loads(json.dumps(made.unstructure(ledger), allow_nan=False))
    assert document["type"] == "retention.FlowLedger"
    back = made.structure(document, sq.retention.FlowLedger)
    for name, column in ledger.to_columns().items():
        np.testing.assert_array_equal(back.to_columns()[name], column)
    assert not back.joined.flags.writeable


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({}, r"^\$\.type: expected the name of a class such as 'funnel\.FunnelResult', got None"),
        ({"type": "os.system"}, r"^\$\.type: expected the name of a class"),
        (
            {"type": "values.Money", "value": {"minor": 1, "currency": "CNY"}},
            r"^\$\.type: expected labels\.Index, got 'values\.Money'",
        ),
        ({"type": "labels.Index", "labels": ["a", "a"]}, r"^\$\.labels: expected each label once"),
        ({"type": "labels.Index", "labels": {"array": "int64", "shape": [3], "values": [1]}}, r"the shape of 1 values"),
        ({"type": "labels.Index", "labels": {"array": "V8", "shape": [0], "values": []}}, r"labels\.array: expected"),
        ({"type": "labels.Index", "positional": 10**12}, r"^\$\.positional: expected a number of rows in"),
        ({"type": "labels.Index", "labels": [], "schema_version": 3}, r"^\$\.schema_version: expected 1"),
    ],
)
def test_a_result_told_wrongly_is_refused_with_its_place(document, told):
    with pytest.raises(DocumentError, match=told):
        interop.converter().structure(document, sq.Index)


def array(dtype, values, shape=None):
    return {"array": dtype, "shape": [len(values)] if shape is None else shape, "values": values}


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (array("int64", [1, "2"]), r"values\[1\]: expected a value of an array of int64, got '2'"),
        (array("int64", [1, 2.0]), r"values\[1\]: expected a value of an array of int64, got 2\.0"),
        (array("int8", [1, 300]), r"values: expected values of an array of int8"),
        (array("float64", [1, float("nan")]), r"expected a finite number, as JSON has no others"),
        (array("int64", [1], [-1]), r"shape: expected the shape of 1 values, got \[-1\]"),
        (array("int64", [1], [1]) | {"more": 1}, r"expected no keys but array, shape, values, got 'more'"),
        ({"array": "int64", "values": []}, r"expected the key 'shape'"),
        ({"code": "x", "of": "values.Money"}, r"of: expected the name of a closed list"),
        ({"code": "x", "of": "entities.EventKind"}, r"code: expected a code of EventKind, got 'x'"),
        ({"pairs": [[1]]}, r"pairs\[0\]: expected a key and a value"),
        ({"pairs": [[1, 2], [1, 3]]}, r"pairs\[1\]: expected each key once"),
        ({"pairs": [[{"pairs": []}, 1]]}, r"pairs\[0\]: expected a key, got"),
        ({"set": [{"pairs": []}]}, r"set: expected what can stand in a set"),
        ({"set": [1, "a"]}, r"set: expected what can stand in a set, and has an order, got \[1, 'a'\]"),
        (
            {"type": "entities.EventKind", "fields": {"value": "join"}},
            r"expected \{'code': …, 'of': 'entities.EventKind'",
        ),
        ({"fraction": [1, 0]}, r"fraction: expected a numerator and a denominator above 0"),
        ({"fraction": [1, 2, 3]}, r"fraction: expected a numerator and a denominator above 0"),
        ({"duration": {"years": 1}}, r"duration: expected no keys but days, seconds, microseconds"),
        ({"bytes": "$$"}, r"bytes: expected bytes as base64"),
        ({"type": "values.Money", "value": {"minor": "1", "currency": "CNY"}}, r"value\.minor: expected an integer"),
        ({"no such word": 1}, r"expected a number, \{'float': 'inf'\}"),
    ],
)
def test_a_part_of_a_result_told_wrongly_is_refused_with_its_place(told, problem):
    document = {"type": "funnel.FunnelResult", "fields": {"steps": told}}
    with pytest.raises(DocumentError, match=r"^\$\.fields\.steps.*" + problem):
        interop.converter().structure(document, sq.funnel.FunnelResult)


def test_what_no_word_is_known_for_is_not_written():
    odd = RateDifference(np.array([1j]), 0.0, 0.0)
    with pytest.raises(DocumentError, match=r"^\$\.value: expected an array of truths, numbers, times or text"):
        interop.converter().unstructure(odd)


@pytest.mark.parametrize(
    "total",
    [
        np.array([], dtype="datetime64[D]"),
        np.array(["2024-03-01", "NaT"], dtype="datetime64[D]"),
        np.array([1, "NaT"], dtype="timedelta64[us]"),
        np.array([[1.5, np.nan], [np.inf, -np.inf]]),
        np.array(["a", "社群"]),
        np.array(["a", None, 3], dtype=object),
        np.array([[True], [False]]),
        np.array([2**64 - 1], dtype=np.uint64),
        np.array(1.5, dtype=np.float32),
        np.zeros((0, 3), dtype=np.int8),
        np.float64("nan"),
        (1, (2.5, None, "x"), float("-inf"), {"a": frozenset({2, 1})}),
    ],
    ids=repr,
)
def test_arrays_and_what_stands_beside_them_come_back_as_they_were(total):
    made = interop.converter()
    odd = Deviation("g", UnifiedAspect.RULES, "no ads", expected=total, found=None)
    document = json.loads(json.dumps(made.unstructure(odd), allow_nan=False))
    back = made.structure(document, Deviation).expected
    assert type(back) is type(total)
    if isinstance(total, np.ndarray):
        assert (back.dtype, back.shape) == (total.dtype, total.shape)
        assert not back.flags.writeable
        np.testing.assert_array_equal(back, total)
    else:
        np.testing.assert_equal(back, total)


def test_arrays_inside_of_arrays_are_read_to_a_depth():
    made = interop.converter()
    told = array("object", [array("int64", [7])])
    fields = {"group": "g", "setting": "s", "found": 1, "aspect": {"code": "rules", "of": "sharding.UnifiedAspect"}}

    def read(expected):
        document = {"type": "sharding.Deviation", "fields": fields | {"expected": expected}}
        return made.structure(document, Deviation).expected

    assert read(array("object", [told]))[0][0][0] == 7
    for _ in range(400):
        told = array("object", [told])
    with pytest.raises(DocumentError, match="expected at most 64 levels of nesting"):
        read(told)


def test_an_index_of_rows_is_written_up_to_the_length_that_is_read():
    made = interop.converter()
    assert len(made.structure(made.unstructure(sq.Index.positional(20_000_000)), sq.Index)) == 20_000_000
    with pytest.raises(DocumentError, match=r"^\$\.positional: expected a number of rows in \[0, 100,000,000\]"):
        made.structure({"type": "labels.Index", "positional": 100_000_001}, sq.Index)


# --- results whose parts do not agree ---


def told_log(**spoilt):
    log = sq.EventLog.from_columns(
        member=["a", "b", "a"], kind=["post", "join", "join"], at=[9, 1, 0], time_unit="s", value=[1, 2, 3]
    )
    document = json.loads(json.dumps(interop.converter().unstructure(log)))
    return document | {"fields": document["fields"] | spoilt}


def labelled(labels, codes):
    index = {"type": "labels.Index", "labels": labels}
    return {"type": "labels.Coded", "fields": {"index": index, "codes": array("int8", codes)}}


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        ({"is_sorted": True}, r"\.is_sorted: expected False, as the rows are in no order"),
        ({"is_sorted": "no"}, r"\.is_sorted: expected true or false, got 'no'"),
        ({"source_rows": array("int64", [5])}, r"\.source_rows: expected as many rows as `member`, 3, got 1"),
        ({"source_rows": array("int64", [0, 1, -1])}, r"\.source_rows: expected counts of 0 or more, got -1"),
        ({"at_us": array("int64", [1, 2])}, r": at: expected as many rows as `member`, which has 3, got 2"),
        ({"at_us": array("float64", [1.5, 2, 3])}, r"\.at_us: expected an array of int64"),
        ({"at_us": array("int64", [2**62, 1, 2])}, r": at: expected instants in \[1900, 2262\)"),
        ({"at_us": array("int64", [1, 2, 3])}, r"\.resolution_us: expected 1, 1000 or 1000000"),
        ({"resolution_us": 7}, r"\.resolution_us: expected 1, 1000 or 1000000"),
        ({"resolution_us": 0}, r"\.resolution_us: expected 1, 1000 or 1000000"),
        ({"resolution_us": "x"}, r"\.resolution_us: expected an integer, got 'x'"),
        ({"kind": labelled(["join"], [0, -1, 0])}, r"\.kind: expected labels"),
        ({"kind": labelled([1], [0, 0, 0])}, r"\.kind: expected labels that are all str"),
        ({"kind": ["join"] * 3}, r"\.kind: expected a Coded"),
        ({"member": labelled(["", "b"], [0, 1, 0])}, r"\.member: expected labels that are not empty"),
        ({"member": labelled(["a"], [0, 1, 0])}, r"\.member\.fields\.codes: expected"),
        ({"value": array("int64", [1])}, r"\.value: expected as many rows"),
        ({"value": array("str", ["a", "b", "c"])}, r"\.value: expected int or float, got 'a'"),
        ({"extra": {"pairs": [["ch", array("int64", [1])]]}}, r": ch: expected as many rows"),
        ({"extra": {"pairs": [["kind", array("int64", [1, 2, 3])]]}}, r"\.extra: expected column names other than"),
    ],
)
def test_a_log_whose_columns_do_not_agree_is_refused(spoilt, told):
    with pytest.raises(DocumentError, match=r"^\$\.fields" + told):
        interop.converter().structure(told_log(**spoilt), sq.EventLog)


def test_a_sorted_log_and_a_part_of_a_log_come_back():
    made = interop.converter()
    log = made.structure(told_log(), sq.EventLog)
    joins = log.where(kinds="join")
    for one in (log, log.sorted(), joins, joins.sorted(), log.sorted().where(kinds="join"), log.where(kinds="post")):
        back = made.structure(json.loads(json.dumps(made.unstructure(one))), sq.EventLog)
        assert (back.is_sorted, back.resolution_us, back.kinds) == (one.is_sorted, one.resolution_us, one.kinds)
        assert list(back.to_events()) == list(one.to_events())


WEEKS = sq.EventLog.from_columns(member=["a", "b", "a"], kind="join", at=[0, 8 * 86_400, 9 * 86_400], time_unit="s")


def refuses(result, told, spoilt):
    made = interop.converter()
    document = json.loads(json.dumps(made.unstructure(result)))
    assert made.structure(document, type(result)) is not None
    with pytest.raises(DocumentError, match=r"^\$\.fields\." + told):
        made.structure(document | {"fields": document["fields"] | spoilt}, type(result))


@pytest.mark.parametrize(
    ("told", "spoilt"),
    [
        ("opening: expected in each period what the one before retained", {"opening": array("int64", [5, 7])}),
        ("joined: expected counts of 0 or more, got -5", {"joined": array("int64", [-5, 1])}),
        ("joined: expected", {"joined": array("int64", [1])}),
        ("evaporated: expected at most `opening`", {"evaporated": array("int64", [1, 0])}),
        ("left: expected at most `evaporated`", {"left": array("int64", [0, 1])}),
        ("present_inside: expected at most `inside`", {"present_inside": array("int64", [9, 9])}),
        ("present_inside: expected at most who is", {n: array("int64", [9, 9]) for n in ("inside", "present_inside")}),
        ("tail: expected an array of shape", {"tail": array("int64", [1, 1, 1, 1], [2, 2])}),
        ("grace: expected a number of periods, 0 or more", {"grace": -1}),
        ("basis: expected one of activity, membership", {"basis": "habit"}),
        ("first_period: expected the number of a period", {"first_period": 2**70}),
    ],
)
def test_a_ledger_that_does_not_add_up_is_refused(told, spoilt):
    refuses(sq.retention.flow_ledger(WEEKS, every="week", tz="UTC"), told, spoilt)


def bit_sets(words, shape, n=2):
    return {"sets": {"type": "retention.BitSets", "fields": {"words": array("uint64", words, shape), "n_members": n}}}


def cell_sets(starts, members):
    fields = {"starts": array("int64", starts), "members": array("int32", members), "n_members": 2}
    return {"sets": {"type": "retention.CellSets", "fields": fields}}


@pytest.mark.parametrize(
    ("told", "spoilt"),
    [
        ("first: expected as many entries as 'members', which has 2, got 1", {"first": array("int32", [0])}),
        ("first: expected no period after one", {"first": array("int32", [0, 5])}),
        ("before: expected periods before 0", {"before": array("int32", [0, 0])}),
        ("before: expected an array of 1 dimension", {"before": array("int32", [0, 0], [2, 1])}),
        ("first: expected an array of int32", {"first": array("int64", [0, 1])}),
        ("sets: expected sets of the 2 members", bit_sets([1], [1, 1], 1)),
        (r"sets\.fields\.words: expected bits of the 2 members alone", bit_sets([1, 5], [2, 1])),
        (r"sets\.fields\.words: expected an array of shape", bit_sets([1, 1], [1, 2])),
        (r"sets\.fields\.starts: expected numbers from 0 to 3", cell_sets([0, 1], [0, 0, 1])),
        (r"sets\.fields\.starts: expected where each row starts", cell_sets([], [])),
        (r"sets\.fields\.starts: expected numbers in ascending", cell_sets([0, 3, 1, 3], [0, 0, 1])),
        (r"sets\.fields\.members: expected codes in \[0, 2\), got 7", cell_sets([0, 1, 2], [0, 7])),
        (r"sets\.fields\.members: expected codes in ascending", cell_sets([0, 1, 3], [0, 1, 0])),
    ],
)
def test_a_presence_whose_parts_do_not_agree_is_refused(told, spoilt):
    refuses(sq.retention.presence(WEEKS, every="week", tz="UTC"), told, spoilt)


def test_a_presence_of_cells_comes_back():
    made = interop.converter()
    held = sq.retention.presence(WEEKS, every="week", tz="UTC")
    document = json.loads(json.dumps(made.unstructure(held)))
    document["fields"] |= cell_sets([0, 1, 3], [0, 0, 1])
    assert made.structure(document, sq.retention.Presence).active.tolist() == held.active.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("told", "spoilt"),
    [
        ("n_rows: expected a count of 0 or more", {"n_rows": -1}),
        ("n_rows: expected the rows of all kinds together", {"n_rows": 4}),
        ("n_rows: expected an integer", {"n_rows": "3"}),
        ("kinds: expected a count of 1 or more", {"kinds": {"pairs": [["join", 0]]}}),
        ("members_by_kind: expected the kinds of `kinds`", {"members_by_kind": {"pairs": [["post", 1]]}}),
        ("members_by_kind: expected from 1 to as many members", {"members_by_kind": {"pairs": [["join", 9]]}}),
        ("value_by_kind: expected kinds of `kinds`", {"value_by_kind": {"pairs": [["post", 1]]}}),
        ("resolution: expected 's', 'ms' or 'us', got 'min'", {"resolution": "min"}),
        ("nulls: expected at most all rows", {"nulls": {"pairs": [["value", 9]]}}),
        ("first_at: expected an instant if there are rows", {"first_at": None}),
        ("last_at: expected an instant from", {"last_at": {"instant": "1950-01-01T00:00:00Z"}}),
    ],
)
def test_a_summary_that_does_not_add_up_is_refused(told, spoilt):
    refuses(WEEKS.describe(), told, spoilt)


# --- numbers, zones and values ---


@pytest.mark.parametrize("number", [10**400, -(10**400), 10**5_000], ids=["1e400", "-1e400", "1e5000"])
def test_a_number_that_no_float_holds_is_refused(number):
    with pytest.raises(DocumentError, match=r"^\$\.enter: expected a number that a float holds"):
        from_document(Band, {"enter": number, "leave": number})
    with pytest.raises(DocumentError, match=r"^\$\.enter: expected a finite number"):
        to_document(Band(number))
    with pytest.raises(sq.InvalidValueError, match=r"^threshold: expected a finite value to enter"):
        sq.entities.Tier(code="gold", rank=1, threshold=number)


def test_a_tier_is_left_at_what_a_float_holds():
    with pytest.raises(sq.InvalidValueError, match=r"^threshold: expected a value to leave that a float holds"):
        sq.entities.Tier(code="gold", rank=1, threshold=Band(1, -(10**400)))
    assert sq.entities.Tier(code="gold", rank=1, threshold=Band(1, float("-inf"))).threshold.leave == float("-inf")


@pytest.mark.parametrize("score", [float("inf"), float("-inf"), 10**400], ids=["inf", "-inf", "1e400"])
def test_a_score_is_finite(score):
    with pytest.raises(sq.InvalidValueError, match=r"^min_score: expected a finite number"):
        sq.entities.AdmissionPolicy(mode="approval", min_score=score)
    with pytest.raises(sq.InvalidValueError, match=r"^score: expected a finite number"):
        sq.entities.Applicant(id="ann", at=T, score=score)


def test_an_integer_of_any_size_stands_in_an_extra():
    event = sq.Event(member="ann", kind="post", at=T, extra={"serial": 10**400})
    assert from_document(sq.Event, to_document(event)) == event


def test_a_zone_of_pytz_has_its_name():
    pytz = pytest.importorskip("pytz")
    shown = []
    for tz in (pytz.timezone("Asia/Shanghai"), pytz.FixedOffset(480), pytz.utc):
        event = sq.Event(member="ann", kind="post", at=dt.datetime(2024, 3, 1, tzinfo=dt.UTC).astimezone(tz))
        shown.append(to_document(event)["at"])
    assert shown == ["2024-03-01T08:00:00+08:00[Asia/Shanghai]", "2024-03-01T08:00:00+08:00", "2024-03-01T00:00:00Z"]


@pytest.mark.parametrize("rule", [sq.rules.field("email") != "", sq.rules.field("email").isin({"a", ""})], ids=str)
def test_the_schema_of_a_rule_takes_empty_text(rule):
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator(json_schema(sq.rules.Rule)).validate(to_document(rule))


def test_dated_money_has_documents():
    cost = Dated({None: sq.Money(1, "CNY"), dt.date(2024, 1, 1): sq.Money(2, "CNY")})
    document = to_document(cost)
    assert document["steps"][1] == ["2024-01-01", {"minor": 2, "currency": "CNY"}]
    assert from_document(Dated[sq.Money], document) == cost
    assert interop.converter().structure(document, Dated[sq.Money]) == cost


def test_who_writes_what_has_no_documents_is_told_the_argument():
    with pytest.raises(sq.InvalidTypeError, match=r"^record: expected an instance of a class of DOCUMENTS"):
        to_document(5)


def test_without_cattrs_it_is_said_how_to_get_it(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "cattrs"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cattrs", None)
    with pytest.raises(ImportError, match=r"^cattrs is not installed: pip install 'shequn\[cattrs\]'"):
        interop.converter()
