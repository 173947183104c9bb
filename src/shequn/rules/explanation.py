"""Why is a member selected, or not? Each test with what it looked at, what it asked, and its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import attrs

from shequn._doors import Doors
from shequn.columns.table import Column, Lang, Tabular
from shequn.rules.operands import Instant, Span
from shequn.rules.rule import InSegment, Joined, Rule, Test
from shequn.rules.sources import spoken
from shequn.values.instants import from_us

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shequn.rules.asking import Occasion
    from shequn.rules.operands import RuleOperand

__all__ = ["Explanation", "Reason", "explained"]

_JOINTS = {"and": ("all of", "全部满足"), "or": ("any of", "任一满足"), "not": ("not", "不满足")}
_SIGNS = {"==": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_VERDICTS = {True: ("yes", "是"), False: ("no", "否"), None: ("unknown", "未知")}


@attrs.frozen(kw_only=True)
class Reason(Doors):
    """One line of an `Explanation`.

    Attributes
    ----------
    level : int
        How deep it stands in the rule, 0 for the whole.
    what, what_zh : str
        What was looked at, or how the lines below are joined, in English and Chinese.
    value : str or None
        What the member has, as text; None where a line only joins others, or where it is unknown.
    wanted, wanted_zh : str or None
        What was asked of it, in English and Chinese; None where a line only joins others.
    verdict : bool or None
        None where it is unknown.

    Examples
    --------
    >>> import shequn as sq
    >>> reason = (sq.rules.field("age") >= 18).explain(sq.Member(id="ann")).last()
    >>> reason.what, reason.wanted, reason.value, reason.verdict
    ('age', '≥ 18', None, None)
    """

    level: int
    what: str
    what_zh: str
    value: str | None
    wanted: str | None
    wanted_zh: str | None
    verdict: bool | None


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Explanation(Doors, Tabular[Reason]):
    """Why a member is selected or not, line by line; see `Rule.explain`.

    Attributes
    ----------
    member : str or int
    verdict : bool or None
        Of the whole rule; None where it is unknown, which selects nobody.
    reasons : tuple of Reason
        Each part of the rule, every one before its parts.

    Examples
    --------
    >>> import shequn as sq
    >>> told = (sq.rules.field("age") >= 18).explain(sq.Member(id="ann", fields={"age": 17}))
    >>> told.verdict, told.reasons[0].value
    (False, '17')
    """

    member: str | int
    verdict: bool | None
    reasons: tuple[Reason, ...]

    _Row = Reason

    @property
    def is_selected(self) -> bool:
        """Whether the member is selected."""
        return self.verdict is True

    def _title(self, lang: Lang, /) -> str:
        if lang == "zh":
            return f"{self.member}：{'选中' if self.is_selected else '未选中'}"
        return f"{self.member}: {'selected' if self.is_selected else 'not selected'}"

    def __repr__(self) -> str:
        """Show the verdict."""
        return f"Explanation({self.member!r}: {_VERDICTS[self.verdict][0]}, {len(self.reasons)} lines)"

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        is_zh = lang == "zh"
        whats = ["  " * reason.level + (reason.what_zh if is_zh else reason.what) for reason in self.reasons]
        wanted = [reason.wanted_zh if is_zh else reason.wanted for reason in self.reasons]
        verdicts = [_VERDICTS[reason.verdict][is_zh] for reason in self.reasons]
        return [
            Column(key="what", en="what", zh="条件", values=whats),
            Column(key="value", en="value", zh="取值", values=[reason.value for reason in self.reasons]),
            Column(key="wanted", en="wanted", zh="要求", values=wanted),
            Column(key="verdict", en="verdict", zh="结论", values=verdicts),
        ]

    def _tidy(self) -> Sequence[Column]:
        columns: dict[str, list[object]] = {
            name: [getattr(reason, name) for reason in self.reasons] for name in attrs.fields_dict(Reason)
        }
        return [Column(key=name, en=name, zh=name, values=values) for name, values in columns.items()]


def explained(rule: Rule, occasion: Occasion) -> Explanation:
    """Return why one member is selected or not."""
    reasons = tuple(_reasons(rule, occasion, 0))
    return Explanation(member=occasion.member.id, verdict=reasons[0].verdict, reasons=reasons)


def _reasons(rule: Rule, occasion: Occasion, level: int) -> Iterator[Reason]:
    verdict = rule._truth(occasion)  # pyright: ignore[reportPrivateUsage]
    if isinstance(rule, Joined):
        en, zh = _JOINTS[rule.operator]
        yield Reason(level=level, what=en, what_zh=zh, value=None, wanted=None, wanted_zh=None, verdict=verdict)
        for part in rule.rules:
            yield from _reasons(part, occasion, level + 1)
    elif isinstance(rule, InSegment):
        en, zh = f"in segment {rule.name}", f"属于分群 {rule.name}"
        yield Reason(level=level, what=en, what_zh=zh, value=None, wanted=None, wanted_zh=None, verdict=verdict)
    elif isinstance(rule, Test):
        held = occasion.value(rule.source)
        yield Reason(
            level=level,
            what=rule.source.describe("en"),
            what_zh=rule.source.describe("zh"),
            value=None if held is None else _shown_value(held),
            wanted=_wanted(rule, "en"),
            wanted_zh=_wanted(rule, "zh"),
            verdict=verdict,
        )


def _shown_value(held: object) -> str:
    if isinstance(held, tuple):
        return "{" + ", ".join(map(str, cast("tuple[str | int, ...]", held))) + "}"
    if isinstance(held, float):
        return f"{held:,.12g}"
    return _shown_operand(held)


def _shown_operand(operand: RuleOperand | object) -> str:
    if isinstance(operand, Instant):
        return f"{from_us(operand.us):YYYY-MM-DD HH:mm:ss} UTC"
    return f"{operand:,}" if isinstance(operand, int) else str(operand)


def _wanted(test: Test, lang: str) -> str:
    """Return what a test asks of its source, in words."""
    is_zh = lang == "zh"
    if test.operator in _SIGNS:
        return f"{_SIGNS[test.operator]} {_shown_operand(test.operands[0])}"
    if test.operator == "is_known":
        return "已知" if is_zh else "known"
    if test.operator == "within_last":
        span = spoken(cast("Span", test.operands[0]).us, lang)
        return f"在最近 {span}内" if is_zh else f"in the last {span}"
    shown = [_shown_operand(operand) for operand in test.operands]
    if test.operator == "between":
        return f"介于 {shown[0]} 与 {shown[1]} 之间" if is_zh else f"between {shown[0]} and {shown[1]}"
    listed = ("、" if is_zh else ", ").join(shown)
    if test.operator == "isin":
        return f"属于 {{{listed}}}" if is_zh else f"in {{{listed}}}"
    words = ("all of", "全部含有") if test.operator == "has_all" else ("one of", "含有任一")
    if len(shown) == 1:
        words = ("has", "含有")
    return f"{words[is_zh]} {listed}"
