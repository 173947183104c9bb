"""The five stages of a community's funnel, as a preset."""

from __future__ import annotations

import attrs
import pendulum
import pytest

from shequn.columns import EventLog
from shequn.columns.condition import row
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError
from shequn.funnel import Exclusion, Funnel, Step, convert
from shequn.funnel.stages import FunnelStage, five_stages

KINDS = {
    "awareness": "read",
    "output": "post",
    "interaction": {"reply", "like"},
    "fission": "invite",
    "conversion": "buy",
}
MONTH = pendulum.duration(weeks=4)


def test_the_stages_are_in_order_and_known_by_both_names():
    assert [stage.en for stage in FunnelStage] == ["awareness", "output", "interaction", "fission", "conversion"]
    assert [stage.zh for stage in FunnelStage] == ["认知", "输出", "交互", "裂变", "转化"]
    assert [FunnelStage.from_label(stage.zh) for stage in FunnelStage] == list(FunnelStage)
    assert FunnelStage.OUTPUT == "output"


def test_the_preset_is_a_funnel_of_five_steps_named_after_the_stages():
    assert five_stages(KINDS, within=MONTH) == Funnel(
        steps=[Step(kinds=kinds, name=name) for name, kinds in KINDS.items()], within=MONTH
    )


def test_a_stage_is_named_in_either_language_and_the_order_of_the_mapping_is_free():
    mixed = {"转化": "buy", FunnelStage.FISSION: "invite", "交互": ("reply", "like"), "Output": "post", "认知": "read"}
    assert five_stages(mixed, within=MONTH) == five_stages(KINDS, within=MONTH)


def test_a_step_with_a_condition_takes_the_name_of_its_stage():
    large = Step(kinds="buy", where=row("value") >= 100, name="large order")
    last = five_stages({**KINDS, "conversion": large}, within=MONTH).steps[-1]
    assert (last.name, last.where) == ("conversion", row("value") >= 100)


def test_options_are_those_of_a_funnel():
    options = {
        "order": "strict",
        "ties": "increase",
        "reuse": "once",
        "exclusions": Exclusion(kinds="leave", after="awareness", before="conversion"),
        "optional": "fission",
        "min_gap": pendulum.duration(seconds=1),
        "max_gap": pendulum.duration(days=9),
        "hold_constant": "item",
        "entry": "last",
    }
    funnel = five_stages(KINDS, within=MONTH, **options)
    assert funnel == attrs.evolve(five_stages(KINDS, within=MONTH), **options)
    assert funnel.optional == (3,)
    assert all(getattr(funnel, name) != getattr(five_stages(KINDS, within=MONTH), name) for name in options)


def test_a_table_shows_the_chinese_names_once_the_result_bears_them():
    log = EventLog.from_columns(member=["ann"] * 3, kind=["read", "post", "like"], at=[0, 1, 2], time_unit="s")
    result = convert(log, five_stages(KINDS, within=MONTH), unknown_kinds="ignore")
    table = attrs.evolve(result, steps=[stage.zh for stage in FunnelStage]).table(lang="zh")
    assert [line.split()[:2] for line in table.splitlines()[2:]] == [
        ["认知", "1"],
        ["输出", "1"],
        ["交互", "1"],
        ["裂变", "0"],
        ["转化", "0"],
    ]


def test_a_stage_left_out_is_refused_by_name():
    some = {stage: KINDS[stage] for stage in ("awareness", "output", "interaction")}
    with pytest.raises(InvalidValueError, match=r"all five stages; fission \(裂变\), conversion \(转化\) are left out"):
        five_stages(some, within=MONTH)
    with pytest.raises(InvalidValueError, match=r"conversion \(转化\) is left out, got \['awareness', 'output', "):
        five_stages({**some, "fission": "invite"}, within=MONTH)


def test_a_stage_given_twice_or_unknown_is_refused():
    with pytest.raises(InvalidValueError, match=r"kinds: expected the stage awareness \(认知\) once, got '认知'"):
        five_stages({**KINDS, "认知": "read"}, within=MONTH)
    with pytest.raises(UnknownLabelError, match=r"kinds: .* got 'convertion'; did you mean 'conversion'"):
        five_stages({**KINDS, "convertion": "buy"}, within=MONTH)
    with pytest.raises(InvalidTypeError, match=r"kinds: .* got 3"):
        five_stages({**KINDS, 3: "buy"}, within=MONTH)


def test_what_stands_for_a_stage_is_checked():
    for wrong in (["read", "post"], "read", None):
        with pytest.raises(InvalidTypeError, match="kinds: expected a mapping from stage to kinds"):
            five_stages(wrong, within=MONTH)
    for wrong in (None, {"like": 1}, 3):
        with pytest.raises(InvalidTypeError, match=r"kinds\['fission'\]: expected a Step, a kind or a set of kinds"):
            five_stages({**KINDS, "fission": wrong}, within=MONTH)
    for nothing in ((), ""):
        with pytest.raises(InvalidValueError, match=r"kinds\['fission'\]: expected a Step, a kind"):
            five_stages({**KINDS, "fission": nothing}, within=MONTH)
