from __future__ import annotations

import copy
import json
import math

import attrs
import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.sharding.conformity import UnifiedAspect, conformity

TEMPLATE = {
    "制度": {"no ads": True, "quiet": "22-8"},
    "management": {"admins": 2},
    "content": {"morning post": "07:30", "weekly theme": "周三"},
    UnifiedAspect.SERVICE: {"reply within hours": 2},
}


def test_a_group_that_has_every_setting_conforms():
    found = conformity(TEMPLATE, {"一群": TEMPLATE})
    assert found.share == 1
    assert found.deviating == ()
    assert found.deviations == ()
    assert found.rates.tolist() == [[1, 1, 1, 1]]


def test_aspects_stand_in_the_order_of_the_taxonomy():
    assert conformity(TEMPLATE, {}).aspects == tuple(UnifiedAspect)
    assert conformity(TEMPLATE, {}).settings.tolist() == [1, 2, 2, 1]


def test_each_deviation_says_what_was_expected_and_what_was_found():
    own = {**TEMPLATE, "制度": {"no ads": False, "quiet": "22-8"}, "management": {}}
    found = conformity(TEMPLATE, {"一群": TEMPLATE, "二群": own})
    assert found.deviations == (
        ("二群", UnifiedAspect.MANAGEMENT, "admins", 2, None),
        ("二群", UnifiedAspect.RULES, "no ads", True, False),
    )
    assert found.conforming.tolist() == [[1, 2, 2, 1], [0, 2, 1, 1]]
    assert found.share == 10 / 12


def test_a_setting_of_a_groups_own_is_no_deviation():
    own = {**TEMPLATE, "content": {**TEMPLATE["content"], "song": "每晚"}}
    assert conformity(TEMPLATE, {"一群": own}).deviations == ()


def test_a_missing_setting_is_no_setting_that_is_none():
    assert conformity({"rules": {"limit": None}}, {"a": {"rules": {"limit": None}}}).share == 1
    assert conformity({"rules": {"limit": None}}, {"a": {}}).share == 0


def test_groups_that_deviate_most_come_first():
    worse = {"management": {"admins": 2}}
    better = {**TEMPLATE, "management": {"admins": 3}}
    assert conformity(TEMPLATE, {"a": better, "b": worse, "c": TEMPLATE}).deviating == ("b", "a")


def test_aspects_without_settings_are_left_out():
    assert conformity({"rules": {"no ads": True}, "service": {}}, {}).aspects == (UnifiedAspect.RULES,)


def test_no_groups_have_no_share():
    found = conformity(TEMPLATE, {})
    assert math.isnan(found.share)
    assert len(found) == 0
    assert "– of settings conform" in str(found)


def test_it_prints_and_tells_a_row_for_each_group_and_aspect():
    found = conformity(TEMPLATE, {7: {"制度": {"no ads": True}}})
    assert "0 / 1 个群完全符合" in found.table(lang="zh")
    assert repr(found) == "Conformity(0 of 1 group conforms, 5 deviations)"
    assert next(r for r in found.rows() if r.aspect is UnifiedAspect.RULES) == (7, UnifiedAspect.RULES, 2, 1, 0.5)
    assert len(found) == 4
    json.dumps(found.to_dict(), allow_nan=False)
    assert not copy.deepcopy(found).conforming.flags.writeable


def test_counts_that_do_not_fit_the_groups_are_refused():
    with pytest.raises(MisalignedError, match="conforming: expected one for each of 0 groups and 4 aspects"):
        attrs.evolve(conformity(TEMPLATE, {}), conforming=np.zeros((2, 2), dtype=int))


@pytest.mark.parametrize(
    ("fields", "error", "text"),
    [
        ({"groups": ["一群"]}, InvalidTypeError, "groups: expected an Index of groups"),
        ({"aspects": ["rules"]}, InvalidTypeError, "aspects: expected UnifiedAspect, got 'rules' at row 0"),
        ({"aspects": [UnifiedAspect.RULES] * 2}, InvalidValueError, "aspects: expected each aspect once"),
        ({"settings": [0]}, InvalidValueError, "settings: expected integers in"),
        ({"settings": [1, 1]}, MisalignedError, "settings: expected one for each of 1 aspect,"),
        ({"conforming": [[3]]}, InvalidValueError, "conforming: expected no more than there are settings, got 3"),
        ({"conforming": [[0.5]]}, InvalidTypeError, "conforming: expected integers"),
        ({"deviations": ()}, MisalignedError, "deviations: expected the 1 that do not conform, got 0"),
        ({"deviations": [5]}, InvalidTypeError, "deviations: expected Deviation, got 5 at row 0"),
    ],
)
def test_a_comparison_made_by_hand_is_checked(fields, error, text):
    found = conformity({"rules": {"no ads": True, "quiet": 22}}, {"一群": {"rules": {"no ads": True}}})
    assert attrs.evolve(found, conforming=[[1]]).rates.tolist() == [[0.5]]
    with pytest.raises(error, match=text):
        attrs.evolve(found, **fields)


def test_settings_that_are_arrays_are_compared_entry_by_entry():
    hours = np.array([8, 9, 22])
    found = conformity({"rules": {"hours": hours}}, {"a": {"rules": {"hours": hours.copy()}}, "b": {"rules": {}}})
    assert found.deviating == ("b",)
    other = conformity({"rules": {"hours": hours}}, {"a": {"rules": {"hours": hours + 1}}})
    assert other.deviating == ("a",)
    with pytest.raises(InvalidTypeError, match="setting 'hours': expected values that can be compared"):
        conformity({"rules": {"hours": [hours]}}, {"a": {"rules": {"hours": [hours + 1]}}})


def test_one_group_is_not_told_as_many():
    found = conformity({"rules": {"no ads": True}}, {"一群": {"rules": {"no ads": True}}})
    assert "1 of 1 group follows the template throughout" in str(found)
    assert repr(found) == "Conformity(1 of 1 group conforms, 0 deviations)"


@pytest.mark.parametrize(
    ("template", "groups", "error", "text"),
    [
        ({}, {}, InvalidValueError, "template: expected at least one setting"),
        ({"rules": {}}, {}, InvalidValueError, "template: expected at least one setting"),
        (5, {}, InvalidTypeError, "template: expected a mapping of aspect to settings"),
        ({5: {}}, {}, InvalidTypeError, "template: expected names of aspects"),
        ({"rules": 5}, {}, InvalidTypeError, "expected a mapping of setting to value, got 5"),
        ({"rules": {"a": 1}, "制度": {"a": 1}}, {}, InvalidValueError, "template: expected each aspect once"),
        ({"rules": {5: 1}}, {}, InvalidTypeError, "expected names of settings, got 5"),
        ({"ruls": {"a": 1}}, {}, UnknownLabelError, "did you mean 'rules'"),
        (TEMPLATE, [TEMPLATE], InvalidTypeError, "groups: expected a mapping of group to its settings"),
        (TEMPLATE, {"一群": 5}, InvalidTypeError, r"groups\['一群'\]: expected a mapping of aspect"),
    ],
)
def test_what_cannot_be_compared_is_refused(template, groups, error, text):
    with pytest.raises(error, match=text):
        conformity(template, groups)
