"""Who came to an event, who did not, and what they did before and after: the answer of `attendance`."""

from __future__ import annotations

import datetime as dt  # noqa: TC003  (attrs resolves the annotations of fields)
import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.campaigns.estimates import Estimate
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidValueError, counted, message
from shequn.stats._checks import instance, level_in_unit, number, whole
from shequn.stats.means import welch
from shequn.values import Rate, Window
from shequn.values.elapsed import elapsed_us
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shequn.columns.table import Lang

__all__ = ["Attendance", "AttendanceRow", "BeforeAfter"]


def _as_key(value: float) -> float | None:
    """Return what a number is compared by: NaN is the same as NaN."""
    return None if math.isnan(value) else value


def _members(value: int) -> int:
    return _count("members", value)


def _before(value: int) -> int:
    return _count("before", value)


def _after(value: int) -> int:
    return _count("after", value)


def _count(argument: str, value: int) -> int:
    count = whole(argument, value)
    if count < 0:
        raise InvalidValueError(message(argument, "a count of 0 or more", value))
    return count


def _change_sd(value: float) -> float:
    given = number("change_sd", value)
    if given < 0 or math.isinf(given):
        raise InvalidValueError(message("change_sd", "a standard deviation of 0 or more, or NaN", value))
    return given


@attrs.frozen(kw_only=True)
class BeforeAfter(Doors):
    """How active some members were before and after an event.

    Parameters
    ----------
    members : int
        How many there are.
    before, after : int
        Their active rows, all together, in two stretches of one length.
    change_sd : float
        Standard deviation over members of rows after less rows before; NaN if it is not known.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A count is no integer of 0 or more, or the standard deviation is negative.

    Examples
    --------
    >>> came = BeforeAfter(members=40, before=80, after=120, change_sd=1.5)
    >>> came.change
    1.0
    """

    members: int = attrs.field(converter=_members)
    before: int = attrs.field(converter=_before)
    after: int = attrs.field(converter=_after)
    change_sd: float = attrs.field(default=math.nan, converter=_change_sd, eq=_as_key)

    @property
    def change(self) -> float:
        """Rows after less rows before, per member; NaN without members."""
        return (self.after - self.before) / self.members if self.members else math.nan


class AttendanceRow(NamedTuple):
    """Some members, and how active they were per member; the names are those of the table.

    Examples
    --------
    >>> row = AttendanceRow("attended", 40, 2.0, 3.0, 1.0, 0.5, 1.5)
    >>> row.change
    1.0
    """

    who: str
    members: int
    before: float
    after: float
    change: float
    lower: float
    upper: float


def _level(value: float) -> float:
    return level_in_unit(value)


@attrs.frozen(kw_only=True, repr=False)
class Attendance(Doors, Tabular[AttendanceRow]):
    """Who of the invited came to an event, and whether they were more active afterwards; made by `attendance`.

    Parameters
    ----------
    held : Window
        When it was held.
    registration_rate : Rate, optional
        Of the invited, who registered (报名率); None where it is not known who was invited or who registered.
    attendance_rate : Rate, optional
        Of the registered, who came (到场率); None where nobody had to register.
    walk_ins : int, default 0
        Members who came without being registered, where others were.
    attended : BeforeAfter
        Members who came.
    absent : BeforeAfter
        Members who were invited or registered, and did not come.
    span : Duration
        Length of the stretches before and after.
    as_of : aware datetime
        Up to when rows are known.
    wanted_span : Duration
        Length that the stretches will have when all is known.
    level : float, default 0.95
        Confidence level.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used.

    Examples
    --------
    >>> import pendulum
    >>> opens = pendulum.datetime(2024, 5, 18, 14, tz="Asia/Shanghai")
    >>> salon = Attendance(
    ...     held=Window(opens, opens.add(hours=3)),
    ...     registration_rate=Rate(60, 200),
    ...     attendance_rate=Rate(45, 60),
    ...     attended=BeforeAfter(members=45, before=90, after=135, change_sd=1.5),
    ...     absent=BeforeAfter(members=155, before=155, after=140, change_sd=1.2),
    ...     span=pendulum.duration(days=28),
    ...     wanted_span=pendulum.duration(days=28),
    ...     as_of=opens.add(days=30),
    ... )
    >>> salon.no_show_rate
    Rate(hits=15, trials=60)
    >>> print(f"{salon.carry_over.value:.2f} ({salon.carry_over.lower:.2f} to {salon.carry_over.upper:.2f})")
    1.10 (0.61 to 1.58)
    """

    held: Window
    registration_rate: Rate | None = None
    attendance_rate: Rate | None = None
    walk_ins: int = attrs.field(default=0, converter=_members)
    attended: BeforeAfter
    absent: BeforeAfter
    span: dt.timedelta
    wanted_span: dt.timedelta
    as_of: dt.datetime
    level: float = attrs.field(default=0.95, converter=_level)

    _Row: ClassVar[type[Any] | None] = AttendanceRow

    def __attrs_post_init__(self) -> None:
        """Check types."""
        instance("held", self.held, Window, expected="a Window")
        for name in ("registration_rate", "attendance_rate"):
            if getattr(self, name) is not None:
                instance(name, getattr(self, name), Rate, expected="a Rate or None")
        for name in ("attended", "absent"):
            instance(name, getattr(self, name), BeforeAfter, expected="a BeforeAfter")
        for name in ("span", "wanted_span"):
            elapsed_us(name, getattr(self, name), at_least=1)
        instant_us(self.as_of, argument="as_of")

    def __deepcopy__(self, memo: dict[int, Any], /) -> Attendance:
        """Return itself: nothing in it changes, and pendulum 3.0 loses the weeks of a duration it copies."""
        return self

    @property
    def no_show_rate(self) -> Rate | None:
        """Of the registered, who did not come (爽约率)."""
        came = self.attendance_rate
        return None if came is None else Rate(came.trials - came.hits, came.trials)

    @property
    def is_complete(self) -> bool:
        """Whether all of the stretch after the event is known."""
        return elapsed_us("span", self.span) >= elapsed_us("wanted_span", self.wanted_span)

    @property
    def carry_over(self) -> Estimate:
        """Change of rows per member of who came, less that of who did not (双重差分); an association.

        Who comes differs from who stays away in more than having come. NaN where either are none.
        """
        return self._change(self.attended, self.absent)

    def _change(self, ours: BeforeAfter, theirs: BeforeAfter | None = None) -> Estimate:
        other = (0.0, 0.0, None) if theirs is None else (theirs.change, theirs.change_sd**2, theirs.members)
        found = welch(ours.change, ours.change_sd**2, ours.members, *other, level=self.level)
        return Estimate(float(found.difference), float(found.lower), float(found.upper))

    def _tidy(self) -> Sequence[Column]:
        came, stayed = self.attended, self.absent
        found = [self._change(came), self._change(stayed), self.carry_over]
        numbers = {
            "before": ("before", "之前", [_per(came.before, came), _per(stayed.before, stayed), math.nan]),
            "after": ("after", "之后", [_per(came.after, came), _per(stayed.after, stayed), math.nan]),
            "change": ("change", "变化", [each.value for each in found]),
            "lower": ("lower", "下限", [each.lower for each in found]),
            "upper": ("upper", "上限", [each.upper for each in found]),
        }
        members = np.array([came.members, stayed.members, came.members + stayed.members])
        return [
            Column(key="who", en="who", zh="成员", values=np.array(list(_WHO), dtype=object)),
            Column(key="members", en="members", zh="人数", values=members, format="count"),
            *(
                Column(key=key, en=en, zh=zh, values=np.array(values), format="number", digits=2)
                for key, (en, zh, values) in numbers.items()
            ),
        ]

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        names = np.array([name[lang] for name in _WHO.values()], dtype=object)
        return [Column(key="who", en="active rows per member", zh="人均活跃行为", values=names), *self._tidy()[1:]]

    def _title(self, lang: Lang, /) -> str:
        day = f"{self.held.start:%Y-%m-%d %H:%M}"
        return f"{day} 的活动到场情况" if lang == "zh" else f"Attendance on {day}"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        words = _WORDS[lang]
        days = f"{elapsed_us('span', self.span) / 86_400_000_000:g}"
        rates = (
            ("registration", self.registration_rate),
            ("attendance", self.attendance_rate),
            ("no_show", self.no_show_rate),
        )
        told = [
            words[name].format(share=f"{rate.value:.1%}", n=f"{rate.hits:,}", of=f"{rate.trials:,}", low=f"{low:.1%}",
                               high=f"{high:.1%}")
            for name, rate in rates
            if rate is not None and rate.trials
            for low, high in [rate.interval(self.level)]
        ]  # fmt: skip
        if self.walk_ins:
            told.append(words["walk_ins"].format(n=f"{self.walk_ins:,}"))
        told.append(words["association"].format(days=days, level=f"{100 * self.level:.4g}%"))
        if not self.is_complete:
            told.append(words["not_over"].format(as_of=f"{self.as_of:%Y-%m-%d %H:%M}"))
        return told

    def __repr__(self) -> str:
        """Show how many came, and the carry-over."""
        found = self.carry_over
        everybody = counted(self.attended.members + self.absent.members, "member")
        return (
            f"Attendance({self.attended.members:,} of {everybody}, "
            f"carry-over {found.value:+.2f} ({found.lower:+.2f} to {found.upper:+.2f}))"
        )


def _per(rows: int, group: BeforeAfter) -> float:
    return rows / group.members if group.members else math.nan


_WHO: dict[str, dict[Lang, str]] = {
    "attended": {"en": "attended", "zh": "到场"},
    "absent": {"en": "absent", "zh": "未到场"},
    "difference": {"en": "difference", "zh": "差异"},
}
_WORDS: dict[Lang, dict[str, str]] = {
    "en": {
        "registration": "Registered: {share} of the invited ({n} of {of}; {low} to {high}).",
        "attendance": "Came: {share} of the registered ({n} of {of}; {low} to {high}).",
        "no_show": "No-show: {share} of the registered ({n} of {of}; {low} to {high}).",
        "walk_ins": "Came without registering: {n}.",
        "association": "{days} days before and after; intervals of {level}. Association, not effect.",
        "not_over": "The time after is not over yet: rows up to {as_of}, and as much from before.",
    },
    "zh": {
        "registration": "报名率：受邀者的 {share}（{n}/{of}，{low} 至 {high}）。",
        "attendance": "到场率：报名者的 {share}（{n}/{of}，{low} 至 {high}）。",
        "no_show": "爽约率：报名者的 {share}（{n}/{of}，{low} 至 {high}）。",
        "walk_ins": "未报名而到场：{n} 人。",
        "association": "前后各 {days} 天；置信水平 {level}。仅为相关，并非因果：到场者本就不同。",
        "not_over": "活动后时段尚未结束：数据截至 {as_of}，之前取等长时段。",
    },
}
