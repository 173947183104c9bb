"""How far has each newcomer come, and which step is missing? The checklist, and the answer of `onboarding`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta  # noqa: TC003
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

import attrs
import numpy as np
from pendulum import DateTime, duration

from shequn._doors import Doors
from shequn.columns.kinds import kind_names, kind_set
from shequn.columns.membership import NO_INSTANT
from shequn.columns.readonly import by_fields, frozen, read_only
from shequn.columns.table import Column, Tabular
from shequn.entities._fields import FrozenMapping
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError, counted, message
from shequn.labels import Index, Label
from shequn.stats import SurvivalTable
from shequn.stats._checks import instance, items_of
from shequn.values import Rate
from shequn.values.elapsed import elapsed_us
from shequn.values.instants import from_us

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.table import Lang
    from shequn.values.rate import RateDifference

__all__ = ["Onboarding", "OnboardingProgress", "OnboardingRow", "Progress"]


def _steps(steps: Mapping[str, Iterable[str] | str] | Iterable[str]) -> FrozenMapping[frozenset[str]]:
    named: dict[Any, Any]
    if isinstance(steps, Mapping):
        named = dict(cast("Mapping[Any, Any]", steps))
    else:
        listed = items_of("steps", steps, expected="names of steps, or a mapping of name to kinds")
        for name in listed:
            _require_name(name)
        named = {name: name for name in listed}
        if len(named) != len(listed):
            raise InvalidValueError(message("steps", "each step once", steps))
    if not named:
        raise InvalidValueError(message("steps", "at least one step", "none"))
    for name in named:
        _require_name(name)
    return FrozenMapping({name: kind_set(kinds, argument=f"steps[{name!r}]") for name, kinds in named.items()})


def _require_name(name: object) -> None:
    if not isinstance(name, str) or not name or name.isspace():
        raise InvalidTypeError(message("steps", "names that are non-empty str", name))


def _within(within: timedelta) -> timedelta:
    elapsed_us("within", within, at_least=1)
    return within


def _received(received: Iterable[str]) -> frozenset[str]:
    given = received if isinstance(received, str) else items_of("received", received, expected="names of steps")
    return frozenset(kind_names(given, argument="received"))


@attrs.frozen(kw_only=True)
class Onboarding(Doors):
    """What a newcomer goes through (内松): a welcome, the card name changed, a first post.

    Parameters
    ----------
    steps : iterable of str, or mapping of str to kinds
        Names of the steps, and the kinds of event that do each; a name alone is the kind.
    within : duration, default 7 days
        How long after joining each may be done.
    received : iterable of str, optional
        Steps that others do: the newcomer is the target of the event, as of a welcome.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used, or `received` names no step.

    References
    ----------
    S1 §四(二), row A3 of the domain table.

    Examples
    --------
    >>> checklist = Onboarding(
    ...     steps={"welcome": "welcome", "rename": "rename", "first post": {"post", "reply"}}, received=["welcome"]
    ... )
    >>> list(checklist.steps), checklist.within.days
    (['welcome', 'rename', 'first post'], 7)
    """

    steps: Mapping[str, frozenset[str]] = attrs.field(converter=_steps)
    within: timedelta = attrs.field(default=duration(days=7), converter=_within)
    received: frozenset[str] = attrs.field(default=frozenset(), converter=_received)

    def __attrs_post_init__(self) -> None:
        """Check that what is received is a step."""
        for name in sorted(self.received.difference(self.steps)):
            raise InvalidValueError(message("received", f"steps among {', '.join(self.steps)}", name))

    def __deepcopy__(self, memo: dict[int, Any], /) -> Onboarding:
        """Return itself: nothing in it changes, and pendulum 3.0 loses the weeks of a duration it copies."""
        return self

    @property
    def within_us(self) -> int:
        """How long each step may take, in microseconds."""
        return elapsed_us("within", self.within)


def _done(done: Mapping[str, DateTime | None]) -> FrozenMapping[DateTime | None]:
    return FrozenMapping(done)


@attrs.frozen(kw_only=True)
class Progress(Doors):
    """How far one newcomer has come; made by `progress_of`.

    Attributes
    ----------
    member : str or int
    joined : pendulum.DateTime
        In UTC.
    done : mapping of str to pendulum.DateTime or None
        When each step was done, in UTC.
    is_judged : bool
        Whether the time for it is over.

    Examples
    --------
    >>> one = Progress(member="ann", joined=from_us(0), done={"welcome": from_us(5), "rename": None}, is_judged=False)
    >>> one.missing, one.is_complete
    (('rename',), False)
    """

    member: Label
    joined: DateTime
    done: Mapping[str, DateTime | None] = attrs.field(converter=_done)
    is_judged: bool

    @property
    def missing(self) -> tuple[str, ...]:
        """The steps that were not done, in order."""
        return tuple(name for name, at in self.done.items() if at is None)

    @property
    def is_complete(self) -> bool:
        """Whether every step was done."""
        return not self.missing


class OnboardingRow(NamedTuple):
    """One newcomer of an `OnboardingProgress`; times are in microseconds.

    Examples
    --------
    >>> OnboardingRow("ann", 2, 3, "first post", True).missing
    'first post'
    """

    member: Label
    done: int
    steps: int
    missing: str | None
    judged: bool


def _instants(values: Any) -> IntArray:  # noqa: ANN401
    return read_only(np.asarray(values, dtype=np.int64))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class OnboardingProgress(Tabular[OnboardingRow]):
    """Which steps each newcomer has done; made by `onboarding`.

    Attributes
    ----------
    members : Index
        The n members who joined.
    joined_us : ndarray of int64, shape (n,)
        When each first joined.
    done_us : ndarray of int64, shape (n, k)
        When each did each step; `NO_INSTANT` where they did not, or not in time.
    contributed_us : ndarray of int64, shape (n,)
        When each first contributed; `NO_INSTANT` where they have not.
    checklist : Onboarding
        Its k steps.
    as_of_us : int
        Until when facts are known.

    Examples
    --------
    >>> from shequn.columns.membership import NO_INSTANT
    >>> day = 86_400_000_000
    >>> made = OnboardingProgress(
    ...     members=Index(["ann", "bo"]), joined_us=[0, 0], done_us=[[1, day], [5, NO_INSTANT]],
    ...     contributed_us=[day, NO_INSTANT], checklist=Onboarding(steps=["welcome", "post"]), as_of_us=9 * day,
    ... )
    >>> made, made.completion
    (OnboardingProgress(2 newcomers, 1 complete), Rate(hits=1, trials=2))
    """

    members: Index
    joined_us: IntArray = attrs.field(converter=_instants)
    done_us: IntArray = attrs.field(converter=_instants)
    contributed_us: IntArray = attrs.field(converter=_instants)
    checklist: Onboarding
    as_of_us: int

    _Row: ClassVar[type[Any] | None] = OnboardingRow

    def __attrs_post_init__(self) -> None:
        """Check the shapes."""
        instance("members", self.members, Index, expected="an Index")
        instance("checklist", self.checklist, Onboarding, expected="an Onboarding")
        n, k = len(self.members), len(self.checklist.steps)
        for name, shape in (("joined_us", (n,)), ("done_us", (n, k)), ("contributed_us", (n,))):
            if getattr(self, name).shape != shape:
                raise MisalignedError(message(name, f"an array of shape {shape}", getattr(self, name).shape))

    def __len__(self) -> int:
        """Return the number of newcomers."""
        return len(self.members)

    @property
    def done(self) -> BoolArray:
        """Which steps each has done, shape (n, k)."""
        mask: BoolArray = self.done_us != NO_INSTANT
        return frozen(mask)

    @property
    def complete(self) -> BoolArray:
        """Who has done every step, shape (n,)."""
        mask: BoolArray = np.asarray(self.done.all(axis=1))
        return frozen(mask)

    @property
    def judged(self) -> BoolArray:
        """For whom the time is over, shape (n,)."""
        over: BoolArray = self.joined_us + self.checklist.within_us <= self.as_of_us
        return frozen(over)

    @property
    def young(self) -> int:
        """For how many it is not over yet."""
        return int((~self.judged).sum())

    @property
    def completion(self) -> Rate:
        """Share that did every step in time, of those for whom the time is over."""
        return self._rate(self.complete)

    @property
    def activation(self) -> Rate:
        """Share that contributed in time, of those for whom the time is over."""
        return self._rate(self._active)

    @property
    def _active(self) -> BoolArray:
        contributed = self.contributed_us != NO_INSTANT
        active: BoolArray = contributed & (self.contributed_us - self.joined_us < self.checklist.within_us)
        return active

    def _rate(self, mask: BoolArray) -> Rate:
        judged = self.judged
        return Rate(int((mask & judged).sum()), int(judged.sum()))

    def step_rate(self, step: str, /) -> Rate:
        """Return the share that did a step in time, of those for whom the time is over.

        Raises
        ------
        UnknownLabelError
            There is no such step.

        Examples
        --------
        >>> made = OnboardingProgress(
        ...     members=Index(["ann"]), joined_us=[0], done_us=[[1]], contributed_us=[1], as_of_us=2**50,
        ...     checklist=Onboarding(steps=["post"]),
        ... )
        >>> made.step_rate("post")
        Rate(hits=1, trials=1)
        """
        return self._rate(self.done[:, self._place(step)])

    def activation_by_step(self, step: str, /) -> tuple[Rate, Rate, RateDifference]:
        """Return how many contribute in time, of those who did a step and of those who did not, and the difference.

        Those who do a step differ from others in more than the step: what is seen is no effect of it.

        Raises
        ------
        UnknownLabelError
            There is no such step.

        Examples
        --------
        >>> made = OnboardingProgress(
        ...     members=Index(["ann", "bo"]), joined_us=[0, 0], done_us=[[1], [NO_INSTANT]],
        ...     contributed_us=[1, NO_INSTANT], as_of_us=2**50, checklist=Onboarding(steps=["rename"]),
        ... )
        >>> with_it, without, difference = made.activation_by_step("rename")
        >>> with_it.value, without.value, difference.value
        (1.0, 0.0, 1.0)
        """
        did, judged, active = self.done[:, self._place(step)], self.judged, self._active
        with_it, without = (Rate(int((active & part).sum()), int(part.sum())) for part in (judged & did, judged & ~did))
        return with_it, without, with_it.minus(without)

    def _place(self, step: str) -> int:
        names = list(self.checklist.steps)
        if step not in names:
            raise UnknownLabelError(message("step", f"one of {', '.join(names)}", step))
        return names.index(step)

    @property
    def first_contribution(self) -> SurvivalTable:
        """How long it takes to the first contribution, in microseconds; who has made none is censored at `as_of`.

        Who left without one still counts as having made none.
        """
        contributed = self.contributed_us != NO_INSTANT
        end = np.where(contributed, self.contributed_us, self.as_of_us)
        return SurvivalTable.from_durations(end - self.joined_us, contributed)

    @property
    def missing(self) -> dict[str, int]:
        """How many of those for whom the time is over have not done each step."""
        n = (~self.done[self.judged]).sum(axis=0).tolist()
        return dict(zip(self.checklist.steps, n, strict=True))

    def of(self, member: Label, /) -> Progress:
        """Return how far one newcomer has come.

        Raises
        ------
        UnknownLabelError
            There is no such newcomer.

        Examples
        --------
        >>> made = OnboardingProgress(
        ...     members=Index(["ann"]), joined_us=[0], done_us=[[1]], contributed_us=[1], as_of_us=2**50,
        ...     checklist=Onboarding(steps=["post"]),
        ... )
        >>> made.of("ann").missing
        ()
        """
        place = self.members.code(member, argument="member")
        done = {
            name: None if at == NO_INSTANT else from_us(at)
            for name, at in zip(self.checklist.steps, self.done_us[place].tolist(), strict=True)
        }
        joined = from_us(int(self.joined_us[place]))
        return Progress(member=member, joined=joined, done=done, is_judged=bool(self.judged[place]))

    # ── how it looks ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        names = list(self.checklist.steps)
        rates = [self.step_rate(name) for name in names]
        active = [self.activation_by_step(name) for name in names]
        shown = {
            "done": ("done", "完成", [rate.hits for rate in rates], "count"),
            "judged": ("judged", "可判定", [rate.trials for rate in rates], "count"),
            "rate": ("rate", "完成率", [rate.value for rate in rates], "rate"),
            "lower": ("lower", "下限", [rate.lower for rate in rates], "rate"),
            "upper": ("upper", "上限", [rate.upper for rate in rates], "rate"),
            "active_with": ("active with it", "完成者激活率", [one[0].value for one in active], "rate"),
            "active_without": ("without", "未完成者激活率", [one[1].value for one in active], "rate"),
        }
        labels = np.fromiter(names, dtype=object, count=len(names))
        return [
            Column(key="step", en="step", zh="步骤", values=labels),
            *(
                Column(
                    key=key, en=en, zh=zh, format="count" if how == "count" else "rate",
                    values=np.array(values, dtype=np.int64 if how == "count" else np.float64),
                )
                for key, (en, zh, values, how) in shown.items()
            ),
        ]  # fmt: skip

    def _tidy(self) -> Sequence[Column]:
        done, names = self.done, np.array([*self.checklist.steps, None], dtype=object)
        first_missing = np.where(done.all(axis=1), len(names) - 1, np.argmin(done, axis=1))
        n = np.full(len(self), len(names) - 1, dtype=np.int64)
        return [
            Column(key="member", en="member", zh="成员", values=self.members.labels),
            Column(key="done", en="done", zh="完成", values=done.sum(axis=1), format="count"),
            Column(key="steps", en="steps", zh="步骤", values=n, format="count"),
            Column(key="missing", en="missing", zh="缺少", values=names[first_missing]),
            Column(key="judged", en="judged", zh="可判定", values=self.judged),
        ]

    def _title(self, lang: Lang, /) -> str:
        at, days = f"{from_us(self.as_of_us):YYYY-MM-DD HH:mm} UTC", f"{self.checklist.within_us / 86_400_000_000:g}"
        if lang == "zh":
            return f"截至 {at}，入群后 {days} 天内的新人引导"
        return f"Onboarding within {days} days of joining, as of {at}"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        rate, young = self.completion, self.young
        if lang == "zh":
            return [f"全部完成：{rate.hits:,}/{rate.trials:,}；未到期 {young:,} 人"]
        return [f"all steps: {rate}; {counted(young, 'newcomer')} too young to judge"]

    def __repr__(self) -> str:
        """Show how many there are, and how many have done every step."""
        return f"OnboardingProgress({counted(len(self), 'newcomer')}, {int(self.complete.sum()):,} complete)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
