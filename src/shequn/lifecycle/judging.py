"""Which stage follows on which, and why? One period after the other, so that later ones can't change earlier ones."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Final, NamedTuple

from shequn.lifecycle.policy import MEASURES
from shequn.lifecycle.stage import LifecycleStage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shequn.columns.table import Lang
    from shequn.lifecycle.policy import StagePolicy

__all__ = ["Evidence", "Judge", "Measured", "Move", "explained"]

_GERMINATION, _GROWTH, _ACTIVE, _DECLINE, _DORMANCY = LifecycleStage


class Measured(NamedTuple):
    """What is known of one period."""

    size: float
    growth: float
    activity: float
    active_share: float


class Evidence(NamedTuple):
    """One condition of a change, in the period of the change.

    Attributes
    ----------
    measure : str
        ``size``, ``growth``, ``activity``, ``active_share``, or ``awake``, which is activity against another band.
    value : float
        The measure in that period.
    threshold : float
        What it was held against: the band's `leave` where it held in the period before, else its `enter`.
    holds : bool
        Whether the value is at or above it.

    Examples
    --------
    >>> Evidence(measure="growth", value=0.08, threshold=0.02, holds=True).holds
    True
    """

    measure: str
    value: float
    threshold: float
    holds: bool


class Move(NamedTuple):
    """A change of stage: to where, after how many periods in which its conditions held, and which these are."""

    to: LifecycleStage
    held: int
    evidence: tuple[Evidence, ...]


class _Rule(NamedTuple):
    """From which stages a condition leads to another one."""

    to: LifecycleStage
    sources: frozenset[LifecycleStage]
    condition: str
    hold: str


# In the order in which they are asked. A condition that holds excludes those it contradicts, not those after it.
_RULES: Final = (
    _Rule(_ACTIVE, frozenset({_DECLINE, _DORMANCY}), "lively", "revival_hold"),
    _Rule(_DORMANCY, frozenset({_GERMINATION, _GROWTH, _ACTIVE, _DECLINE}), "silent", "dormancy_hold"),
    _Rule(_DECLINE, frozenset({_GROWTH, _ACTIVE}), "weak", "decline_hold"),
    _Rule(_DECLINE, frozenset({_GERMINATION}), "weak and sized", "decline_hold"),
    _Rule(_ACTIVE, frozenset({_GERMINATION}), "settled and sized", "active_hold"),
    _Rule(_ACTIVE, frozenset({_GROWTH}), "settled", "active_hold"),
    _Rule(_GROWTH, frozenset({_GERMINATION}), "growing and sized", "growth_hold"),
)
# What each condition is made of, for the evidence.
_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "lively": ("activity", "active_share"),
    "silent": ("growth", "awake"),
    "weak": ("growth", "activity", "active_share"),
    "weak and sized": ("size", "growth", "activity", "active_share"),
    "settled": ("growth", "activity", "active_share"),
    "settled and sized": ("size", "growth", "activity", "active_share"),
    "growing and sized": ("size", "growth"),
}


class Judge:
    """Goes through periods in their order, and tells when the stage changes."""

    def __init__(self, policy: StagePolicy, stage: LifecycleStage) -> None:
        self.stage: LifecycleStage = stage
        self._policy = policy
        self._bands = [getattr(policy, name) for name in MEASURES]
        self._inside = [False] * len(MEASURES)
        self._streaks = dict.fromkeys(_PARTS, 0)
        self._rules = [(rule, int(getattr(policy, rule.hold))) for rule in _RULES]

    def step(self, now: Measured) -> Move | None:
        """Take in one more period; return the change of stage in it, if there is one."""
        values = (now.size, now.growth, now.activity, now.active_share, now.activity)
        thresholds = [band.leave if was else band.enter for band, was in zip(self._bands, self._inside, strict=True)]
        # A growth that isn't known, as in the first period, is neither above a threshold nor below it.
        self._inside = [value >= threshold for value, threshold in zip(values, thresholds, strict=True)]
        is_known = not isnan(now.growth)
        self._count(is_known=is_known)
        for rule, hold in self._rules:
            if self.stage in rule.sources and self._streaks[rule.condition] >= hold:
                self.stage = rule.to
                evidence = zip(MEASURES, values, thresholds, self._inside, strict=True)
                parts = _PARTS[rule.condition]
                found = tuple(Evidence(*item) for item in evidence if item[0] in parts)
                return Move(rule.to, self._streaks[rule.condition], _decisive(rule.condition, found))
        return None

    def _count(self, *, is_known: bool) -> None:
        """Count for how many periods in a row each condition holds."""
        sized, growing, is_active, is_shared, awake = self._inside
        lively, calm = is_active and is_shared, is_known and not growing
        now = {
            "lively": lively,
            "silent": calm and not awake,
            "weak": calm and not lively,
            "weak and sized": calm and not lively and sized,
            "settled": calm and lively,
            "settled and sized": calm and lively and sized,
            "growing and sized": growing and sized,
        }
        for name, holds in now.items():
            self._streaks[name] = self._streaks[name] + 1 if holds else 0


def _decisive(condition: str, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Leave out of a failing pair the one that held: it takes both to be lively, and one of them to be weak."""
    if condition not in {"weak", "weak and sized"}:
        return evidence
    return tuple(e for e in evidence if not (e.holds and e.measure in {"activity", "active_share"}))


_SAID: Final[Mapping[str, tuple[str, str]]] = {
    "size": ("members", "成员数"),
    "growth": ("growth", "增长率"),
    "activity": ("messages a member", "人均消息"),
    "active_share": ("active share", "活跃占比"),
    "awake": ("messages a member", "人均消息"),
}


def explained(move: Move, lang: Lang, /) -> str:
    """Say why a stage changed: values, thresholds and for how long.

    Examples
    --------
    >>> move = Move(LifecycleStage.RAPID_GROWTH, 2, (Evidence("growth", 0.08, 0.02, True),))
    >>> explained(move, "en"), explained(move, "zh")
    ('growth 8.0% (at least 2.0%), 2 periods in a row', '增长率 8.0%（不低于 2.0%），连续 2 个周期')
    """
    parts = [_told(evidence, lang) for evidence in move.evidence]
    if lang == "zh":
        return f"{'，'.join(parts)}，连续 {move.held} 个周期"
    return f"{', '.join(parts)}, {move.held} period{'s' * (move.held != 1)} in a row"


def _told(evidence: Evidence, lang: Lang) -> str:
    en, zh = _SAID[evidence.measure]
    value, threshold = _pair(evidence)
    if lang == "zh":
        return f"{zh} {value}（{'不低于' if evidence.holds else '低于'} {threshold}）"
    return f"{en} {value} ({'at least' if evidence.holds else 'below'} {threshold})"


def _pair(evidence: Evidence) -> tuple[str, str]:
    """Return value and threshold with as many decimals as it takes to tell them apart."""
    mark = {"size": "f", "activity": "f", "awake": "f"}.get(evidence.measure, "%")
    value = threshold = ""
    for digits in range({"size": 0, "activity": 2, "awake": 2}.get(evidence.measure, 1), 9):
        value, threshold = (f"{number:z,.{digits}{mark}}" for number in (evidence.value, evidence.threshold))
        if value != threshold or evidence.value == evidence.threshold:
            break
    return value, threshold
