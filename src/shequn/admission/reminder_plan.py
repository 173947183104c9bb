"""Who is reminded when, and which reminders are put off or left out? The answer of `reminders`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.membership import NO_INSTANT
from shequn.columns.readonly import by_fields, frozen, read_only
from shequn.columns.table import Column, Tabular
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import MisalignedError, counted, message
from shequn.labels import Coded
from shequn.stats._checks import array_of, instance, refuse
from shequn.values.instants import from_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pendulum
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["Reminder", "ReminderPlan", "ReminderStatus"]


class ReminderStatus(Taxonomy):
    """What becomes of a reminder that falls due.

    Examples
    --------
    >>> ReminderStatus.from_label("顺延")
    <ReminderStatus.PUT_OFF: 'put_off'>
    """

    ON_TIME = "on_time", "按时", "on time"
    PUT_OFF = "put_off", "顺延", "put off"
    LEFT_OUT = "left_out", "取消", "left out"


_STATUSES = tuple(ReminderStatus)


class Reminder(NamedTuple):
    """One reminder of a `ReminderPlan`; instants in the zone of the plan.

    Examples
    --------
    >>> Reminder("ann", from_us(0), None, ReminderStatus.LEFT_OUT).status.zh
    '取消'
    """

    member: Label
    due: pendulum.DateTime
    at: pendulum.DateTime | None
    status: ReminderStatus


def _instants(values: Any) -> IntArray:  # noqa: ANN401
    return read_only(array_of("at_us", values, kinds="iu", expected="microseconds").astype(np.int64))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ReminderPlan(Tabular[Reminder]):
    """Reminders in order of the instant they are due, then of the log's members; made by `reminders`.

    Attributes
    ----------
    member : Coded
        Whom.
    due_us : ndarray of int64, shape (n,)
        When each falls due, in microseconds since 1970-01-01T00:00Z.
    at_us : ndarray of int64, shape (n,)
        When it may be sent; `NO_INSTANT` where it is left out.
    tz : str
        Zone of the wall clock.

    Examples
    --------
    >>> plan = ReminderPlan(
    ...     member=Coded.of(["ann", "bo"], argument="member"), due_us=[0, 60], at_us=[0, NO_INSTANT], tz="UTC"
    ... )
    >>> plan
    ReminderPlan(2 reminders: 1 on time, 0 put off, 1 left out)
    """

    member: Coded
    due_us: IntArray = attrs.field(converter=_instants)
    at_us: IntArray = attrs.field(converter=_instants)
    tz: str

    _Row: ClassVar[type[Any] | None] = Reminder

    def __attrs_post_init__(self) -> None:
        """Check that there is one of each, and that nothing is sent before it is due."""
        instance("member", self.member, Coded, expected="a Coded")
        for name in ("due_us", "at_us"):
            if getattr(self, name).shape != (len(self.member),):
                expected = f"one for each of the {len(self.member)} reminders"
                raise MisalignedError(message(name, expected, getattr(self, name).shape))
        early = (self.at_us != NO_INSTANT) & (self.at_us < self.due_us)
        if early.any():
            refuse("at_us", "instants from due_us on", self.at_us, early)

    def __len__(self) -> int:
        """Return the number of reminders that fall due."""
        return len(self.member)

    @property
    def is_sent(self) -> BoolArray:
        """Which of them are sent, on time or later, shape (n,)."""
        return frozen(self.at_us != NO_INSTANT)

    @property
    def sizes(self) -> dict[ReminderStatus, int]:
        """How many there are of each status."""
        return dict(zip(_STATUSES, np.bincount(self._codes(), minlength=len(_STATUSES)).tolist(), strict=True))

    def _codes(self) -> NDArray[np.int64]:
        late = np.where(self.at_us == self.due_us, 0, 1)
        codes: NDArray[np.int64] = np.where(self.at_us == NO_INSTANT, 2, late)
        return codes

    def _tidy(self) -> Sequence[Column]:
        statuses = np.fromiter(_STATUSES, dtype=object, count=len(_STATUSES))[self._codes()]
        due, at = (us.view("M8[us]") for us in (self.due_us, self.at_us))
        return [
            Column(key="member", en="member", zh="成员", values=self.member.labels()),
            Column(key="due", en="due (UTC)", zh="应提醒 (UTC)", values=due, format="date"),
            Column(key="at", en="at (UTC)", zh="提醒 (UTC)", values=at, format="date"),
            Column(key="status", en="status", zh="状态", values=statuses),
        ]

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        first, _, _, last = self._tidy()
        shown = [
            np.array([self._local(us) for us in column.tolist()], dtype=object) for column in (self.due_us, self.at_us)
        ]
        heads = ("应提醒", "提醒") if lang == "zh" else ("due", "at")
        return [
            first,
            *(Column(key=head, en=head, zh=head, values=v) for head, v in zip(heads, shown, strict=True)),
            last,
        ]

    def _local(self, us: int) -> str | None:
        return None if us == NO_INSTANT else f"{from_us(us, self.tz):YYYY-MM-DD HH:mm}"

    def _title(self, lang: Lang, /) -> str:
        n = self.sizes
        if lang == "zh":
            return f"{len(self):,} 条提醒（{self.tz}）：" + "，".join(f"{s.zh} {k:,}" for s, k in n.items())
        return f"{counted(len(self), 'reminder')} ({self.tz}): " + ", ".join(f"{k:,} {s.en}" for s, k in n.items())

    def _records(self, asked: str, columns: Mapping[str, NDArray[Any]]) -> Iterator[Reminder]:  # noqa: ARG002
        instants = (columns[name].view(np.int64).tolist() for name in ("due", "at"))
        labels = (columns[name].tolist() for name in ("member", "status"))
        for member, status, due, at in zip(*labels, *instants, strict=True):
            sent = None if at == NO_INSTANT else from_us(at, self.tz)
            yield Reminder(member, from_us(due, self.tz), sent, status)

    def __repr__(self) -> str:
        """Show how many there are of each status."""
        told = ", ".join(f"{k:,} {status.en}" for status, k in self.sizes.items())
        return f"ReminderPlan({counted(len(self), 'reminder')}: {told})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
