"""What of a member is compared? A field that is known of them, or a fact that their history tells."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from shequn.columns.schema import Sort  # noqa: TC001  (attrs resolves the annotations of fields)

if TYPE_CHECKING:
    from shequn.columns.condition import RowCondition

__all__ = ["MEASURES", "Fact", "Field", "Measure", "Source", "shown_span", "spoken"]

Measure: TypeAlias = Literal["count", "sum", "distinct", "days_since", "first", "last"]
MEASURES: tuple[Measure, ...] = ("count", "sum", "distinct", "days_since", "first", "last")


@attrs.frozen(repr=False)
class Field:
    """What is known of a member under a name; `shequn.rules.field` makes one.

    Attributes
    ----------
    name : str

    Examples
    --------
    >>> Field("age")
    field('age')
    """

    name: str

    @property
    def sort(self) -> Sort | None:
        """Which sort of value it is, where the name alone tells."""
        return {"joined": "instant", "member": "label"}.get(self.name)  # type: ignore[return-value]

    def __repr__(self) -> str:
        """Show the source."""
        return f"field({self.name!r})"

    def describe(self, lang: str) -> str:
        """Return the field in words."""
        del lang
        return self.name


@attrs.frozen(kw_only=True, repr=False)
class Fact:
    """What the rows of a member tell: some kinds, in some window before the instant of the question.

    The window is ``(as_of − before − within, as_of − before]``, in microseconds; without `within` it has no beginning.
    `shequn.rules.count` and the other facts make one.

    Attributes
    ----------
    measure : {"count", "sum", "distinct", "days_since", "first", "last"}
    kinds : tuple of str, or None
        In ascending order; None stands for every kind that is activity.
    column : str or None
        What is added up, or told apart.
    within_us, before_us : int
    where : RowCondition or None

    Examples
    --------
    >>> Fact(measure="count", kinds=("like", "post"))
    count({'like', 'post'})
    """

    measure: Measure
    kinds: tuple[str, ...] | None  # ascending; None stands for every kind that is activity
    column: str | None = None
    within_us: int | None = None
    before_us: int = 0
    where: RowCondition | None = None

    @property
    def sort(self) -> Sort:
        """Which sort of value it is."""
        return "instant" if self.measure in {"first", "last"} else "number"

    def __repr__(self) -> str:
        """Show the source."""
        parts = [] if self.column is None else [repr(self.column)]
        if self.kinds is not None:
            shown = repr(self.kinds[0]) if len(self.kinds) == 1 else "{" + ", ".join(map(repr, self.kinds)) + "}"
            parts.append(f"kinds={shown}" if parts else shown)
        if self.within_us is not None:
            parts.append(f"within={shown_span(self.within_us)}")
        if self.before_us:
            parts.append(f"before={shown_span(self.before_us)}")
        if self.where is not None:
            parts.append(f"where={self.where!r}")
        return f"{self.measure}({', '.join(parts)})"

    def describe(self, lang: str) -> str:
        """Return the fact in words."""
        return (_in_chinese if lang == "zh" else _in_english)(self)


Source: TypeAlias = Field | Fact


def shown_span(us: int) -> str:
    """Return the source of a duration, the same whatever version of pendulum is there.

    Examples
    --------
    >>> shown_span(86_400_000_000)
    'timedelta(days=1)'
    """
    return repr(timedelta(microseconds=us)).removeprefix("datetime.")


def spoken(us: int, lang: str) -> str:
    """Return a duration in words, in the largest unit that it is a whole number of.

    Examples
    --------
    >>> spoken(86_400_000_000, "en"), spoken(5_400_000_000, "zh")
    ('1 day', '90 分钟')
    """
    units = [
        (86_400_000_000, "day", "天"),
        (3_600_000_000, "hour", "小时"),
        (60_000_000, "minute", "分钟"),
        (1_000_000, "second", "秒"),
        (1, "microsecond", "微秒"),
    ]
    size, en, zh = next(unit for unit in units if us % unit[0] == 0)
    n = us // size
    return f"{n:,} {zh}" if lang == "zh" else f"{n:,} {en}{'' if n == 1 else 's'}"


def _in_english(fact: Fact) -> str:
    kinds = "activity" if fact.kinds is None else " or ".join(fact.kinds)
    told = {
        "count": f"number of {kinds}",
        "sum": f"sum of {fact.column} over {kinds}",
        "distinct": f"number of different {fact.column} in {kinds}",
        "days_since": f"days since the last {kinds}",
        "first": f"first {kinds}",
        "last": f"last {kinds}",
    }[fact.measure]
    if fact.where is not None:
        told += f" where {fact.where!r}"
    if fact.within_us is not None:
        told += f" in {'the last ' if not fact.before_us else ''}{spoken(fact.within_us, 'en')}"
    if fact.before_us:
        told += f" up to {spoken(fact.before_us, 'en')} ago"
    return told


def _in_chinese(fact: Fact) -> str:
    kinds = "活跃行为" if fact.kinds is None else " 或 ".join(fact.kinds)
    window = ""
    if fact.before_us:
        window = f"{spoken(fact.before_us, 'zh')}前"
        window += f"的 {spoken(fact.within_us, 'zh')}内" if fact.within_us is not None else "为止"
    elif fact.within_us is not None:
        window = f"最近 {spoken(fact.within_us, 'zh')}"
    told = {
        "count": f"{kinds} 次数",
        "sum": f"{kinds} 的 {fact.column} 合计",
        "distinct": f"{kinds} 的不同 {fact.column} 数",
        "days_since": f"距上次 {kinds} 的天数",
        "first": f"首次 {kinds}",
        "last": f"最近一次 {kinds}",
    }[fact.measure]
    told = f"{window} {told}".strip()
    return told if fact.where is None else f"{told}（{fact.where!r}）"
