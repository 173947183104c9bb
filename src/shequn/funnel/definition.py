"""Which steps, in which order, how soon after one another? A funnel as a value: nothing is computed here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta  # noqa: TC003  # attrs resolves the annotations of fields
from typing import Any, Literal, TypeAlias, cast, get_args

import attrs

from shequn._doors import Doors
from shequn.columns.condition import RowCondition
from shequn.columns.kinds import kind_set
from shequn.errors import InvalidTypeError, InvalidValueError, message, suggest
from shequn.stats._checks import items_of, one_of
from shequn.values.elapsed import elapsed_us

__all__ = ["Entry", "Exclusion", "Funnel", "Order", "Reuse", "Step", "Ties"]

Order: TypeAlias = Literal["ordered", "strict", "any"]
Ties: TypeAlias = Literal["free", "increase"]
Reuse: TypeAlias = Literal["allow", "once"]
Entry: TypeAlias = Literal["first", "last", "shortest"]


def _kinds(kinds: Collection[str] | str) -> frozenset[str]:
    return kind_set(kinds, argument="kinds")


def _shown_kinds(kinds: frozenset[str]) -> str:
    """Return kinds as a set shows them, in an order that is always the same."""
    return f"{{{', '.join(map(repr, sorted(kinds)))}}}"


def _condition(where: RowCondition | None) -> RowCondition | None:
    if where is None or isinstance(where, RowCondition):
        return where
    raise InvalidTypeError(message("where", "a condition such as row('value') >= 100, or None", where))


def _name(argument: str, name: object) -> str:
    if not isinstance(name, str):
        raise InvalidTypeError(message(argument, "a non-empty str", name))
    if not name or name.isspace():
        raise InvalidValueError(message(argument, "a non-empty str", name))
    return str.__str__(name)


def _step_name(name: str | None) -> str:
    return "" if name is None or name == "" else _name("name", name)


@attrs.frozen(kw_only=True)
class Step(Doors):
    """One step of a funnel: rows of some kinds that meet a condition.

    Parameters
    ----------
    kinds : str or collection of str
        A row of any of these kinds matches.
    where : RowCondition, optional
        What else must be true of the row: ``row("value") >= 100``.
    name : str, optional
        What tables call the step; by default its kinds.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        There is no kind, or a field has another type.

    Examples
    --------
    >>> Step(kinds={"post", "reply"}).name
    'post / reply'
    """

    kinds: frozenset[str] = attrs.field(converter=_kinds, repr=_shown_kinds)
    where: RowCondition | None = attrs.field(default=None, converter=_condition)
    name: str = attrs.field(default="", converter=_step_name)

    def __attrs_post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", " / ".join(sorted(self.kinds)))


def _position_or_name(value: object, argument: str) -> int | str:
    if isinstance(value, str):
        return _name(argument, value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidTypeError(message(argument, "the name of a step, or its position from 0", value))
    return int(value)


def _after(after: int | str) -> int | str:
    return _position_or_name(after, "after")


def _before(before: int | str) -> int | str:
    return _position_or_name(before, "before")


@attrs.frozen(kw_only=True)
class Exclusion(Doors):
    """What must not happen between two steps.

    Parameters
    ----------
    kinds : str or collection of str
        A row of any of these kinds excludes.
    after, before : int or str
        The two steps, by position from 0 or by name: a chain is clean if no excluding row stands strictly between its
        rows of these steps, in time.
    where : RowCondition, optional
        What else must be true of an excluding row.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        There is no kind, or a field has another type.

    Examples
    --------
    >>> left = Exclusion(kinds="leave", after="join", before="purchase")
    >>> left.kinds
    frozenset({'leave'})
    """

    kinds: frozenset[str] = attrs.field(converter=_kinds, repr=_shown_kinds)
    after: int | str = attrs.field(converter=_after)
    before: int | str = attrs.field(converter=_before)
    where: RowCondition | None = attrs.field(default=None, converter=_condition)


def _step(given: object, row: int) -> Step:
    if isinstance(given, Step):
        return given
    expected = "a Step, a kind or a set of kinds"
    if isinstance(given, str):
        return Step(kinds=given)
    seen: object = given
    if isinstance(seen, Mapping) or not isinstance(seen, Collection):
        raise InvalidTypeError(message("steps", expected, given, row=row))
    kinds = cast("Collection[str]", given)
    if not kinds:
        raise InvalidValueError(message("steps", "at least one kind in each step", given, row=row))
    return Step(kinds=kinds)


def _steps(steps: Iterable[Step | Collection[str] | str]) -> tuple[Step, ...]:
    seen: object = steps
    if isinstance(seen, (str, Step, Mapping)):
        raise InvalidTypeError(message("steps", "a sequence of steps", steps))
    found = [_step(given, row) for row, given in enumerate(items_of("steps", steps, expected="a sequence of steps"))]
    if not found:
        raise InvalidValueError(message("steps", "at least one step", found))
    return tuple(found)


def _exclusions(exclusions: Iterable[Exclusion] | Exclusion) -> tuple[Exclusion, ...]:
    if isinstance(exclusions, Exclusion):
        return (exclusions,)
    found: list[Exclusion] = []
    for row, given in enumerate(items_of("exclusions", exclusions, expected="a sequence of Exclusion")):
        if not isinstance(given, Exclusion):
            raise InvalidTypeError(message("exclusions", "a sequence of Exclusion", given, row=row))
        found.append(given)
    return tuple(found)


def _optional(optional: Iterable[int | str] | str) -> tuple[int | str, ...]:
    if isinstance(optional, str):
        return (_name("optional", optional),)
    found = items_of("optional", optional, expected="positions or names of steps")
    return tuple(_position_or_name(given, "optional") for given in found)


def _within(within: timedelta) -> timedelta:
    elapsed_us("within", within)
    return within


def _min_gap(gap: timedelta | None) -> timedelta | None:
    if gap is not None:
        elapsed_us("min_gap", gap)
    return gap


def _max_gap(gap: timedelta | None) -> timedelta | None:
    if gap is not None:
        elapsed_us("max_gap", gap)
    return gap


def _column_name(name: str | None) -> str | None:
    return None if name is None else _name("hold_constant", name)


def _order(value: Order) -> Order:
    one_of("order", value, get_args(Order))
    return value


def _ties(value: Ties) -> Ties:
    one_of("ties", value, get_args(Ties))
    return value


def _reuse(value: Reuse) -> Reuse:
    one_of("reuse", value, get_args(Reuse))
    return value


def _entry(value: Entry) -> Entry:
    one_of("entry", value, get_args(Entry))
    return value


def _duration_us(value: timedelta | None) -> int | None:
    return None if value is None else elapsed_us("duration", value)


@attrs.frozen(kw_only=True)
class Funnel(Doors):
    """The steps that lead from hearing of us to what we hope for, and what counts as going through them.

    Parameters
    ----------
    steps : sequence of Step, str or set of str
        In order; a str or a set stands for a step of these kinds. A row may match several steps.
    within : timedelta
        The whole way, from the entry row to the last, takes at most this long; the boundary is inclusive.
    order : {"ordered", "strict", "any"}
        ``ordered``: the steps in this order, whatever happens in between. ``strict``: nothing else in between.
        ``any``: the most distinct steps inside one window, in any order.
    ties : {"free", "increase"}
        Whether rows at one instant count in either order, or instants must increase from step to step.
    reuse : {"allow", "once"}
        Whether one row may serve several steps.
    exclusions : sequence of Exclusion, optional
        What must not happen between two steps.
    optional : sequence of int or str, optional
        Steps, by position or name, that may be skipped; never the first.
    min_gap, max_gap : timedelta, optional
        Least and most time between one matched step and the next.
    hold_constant : str, optional
        A column of labels that must be the same in all matched rows: the same product from view to purchase. One member
        may have 16,384 values over five years of microseconds, and far more of whole seconds; beyond, rows are refused.
    entry : {"first", "last", "shortest"}
        Which chain is the witness, among those that get as far.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        No steps, a name that several steps bear, an optional first step, an exclusion whose bounds are no two steps in
        order, gaps that contradict each other or the window, or a condition that ``order="any"`` has no meaning for.

    Examples
    --------
    >>> from pendulum import duration
    >>> funnel = Funnel(steps=("join", {"post", "reply"}, "purchase"), within=duration(days=7))
    >>> [step.name for step in funnel.steps]
    ['join', 'post / reply', 'purchase']
    """

    steps: tuple[Step, ...] = attrs.field(converter=_steps)
    within: timedelta = attrs.field(converter=_within, eq=_duration_us)
    order: Order = attrs.field(default="ordered", converter=_order)
    ties: Ties = attrs.field(default="free", converter=_ties)
    reuse: Reuse = attrs.field(default="allow", converter=_reuse)
    exclusions: tuple[Exclusion, ...] = attrs.field(default=(), converter=_exclusions)
    optional: tuple[int | str, ...] = attrs.field(default=(), converter=_optional)
    min_gap: timedelta | None = attrs.field(default=None, converter=_min_gap, eq=_duration_us)
    max_gap: timedelta | None = attrs.field(default=None, converter=_max_gap, eq=_duration_us)
    hold_constant: str | None = attrs.field(default=None, converter=_column_name)
    entry: Entry = attrs.field(default="first", converter=_entry)

    def __attrs_post_init__(self) -> None:
        self._set("optional", tuple(sorted({self.position(step, argument="optional") for step in self.optional})))
        if 0 in self.optional:
            raise InvalidValueError(message("optional", "any step but the first, which begins the way", self.names[0]))
        self._set("exclusions", tuple(self._placed(exclusion) for exclusion in self.exclusions))
        gap, most, within = self.min_gap_us, self.max_gap_us, self.within_us
        if most is not None and gap > most:
            raise InvalidValueError(
                message("max_gap", f"a duration not shorter than min_gap ({self.min_gap})", self.max_gap)
            )
        if gap * (self.n_required - 1) > within:
            expected = f"a duration that leaves room for {self.n_required} steps within {self.within}"
            raise InvalidValueError(message("min_gap", expected, self.min_gap))
        if self.order == "any":
            self._refuse_order()

    def _set(self, field: str, value: object) -> None:
        object.__setattr__(self, field, value)

    def _placed(self, exclusion: Exclusion) -> Exclusion:
        after = self.position(exclusion.after, argument="exclusions.after")
        before = self.position(exclusion.before, argument="exclusions.before")
        if after >= before:
            raise InvalidValueError(
                message("exclusions.before", f"a step later than {self.names[after]!r}", self.names[before])
            )
        return attrs.evolve(exclusion, after=after, before=before)

    def _refuse_order(self) -> None:
        without_meaning = {
            "ties": (self.ties != "free", "there is no order that ties could be in"),
            "exclusions": (bool(self.exclusions), "no step stands between two others"),
            "optional": (bool(self.optional), "any step may be missing already"),
            "min_gap": (self.min_gap is not None, "there is no next step"),
            "max_gap": (self.max_gap is not None, "there is no next step"),
            "entry": (self.entry != "first", "the entry is the earliest row used"),
        }
        for argument, (is_given, reason) in without_meaning.items():
            if is_given:
                expected = f"nothing with order='any', where {reason}"
                raise InvalidValueError(message(argument, expected, getattr(self, argument)))

    @property
    def n_steps(self) -> int:
        """Number of steps."""
        return len(self.steps)

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each step."""
        return tuple(step.name for step in self.steps)

    @property
    def required(self) -> tuple[int, ...]:
        """Positions of the steps that may not be skipped; a level counts these."""
        return tuple(position for position in range(self.n_steps) if position not in self.optional)

    @property
    def skippable(self) -> tuple[int, ...]:
        """Positions of the optional steps."""
        return tuple(self.position(step) for step in self.optional)

    @property
    def n_required(self) -> int:
        """Number of steps that may not be skipped: the level of a member who went all the way."""
        return len(self.required)

    @property
    def within_us(self) -> int:
        """The window in microseconds."""
        return elapsed_us("within", self.within)

    @property
    def min_gap_us(self) -> int:
        """Least time between one matched step and the next, in microseconds."""
        return 0 if self.min_gap is None else elapsed_us("min_gap", self.min_gap)

    @property
    def max_gap_us(self) -> int | None:
        """Most time between one matched step and the next, in microseconds; None where there is no bound."""
        return None if self.max_gap is None else elapsed_us("max_gap", self.max_gap)

    @property
    def kinds(self) -> frozenset[str]:
        """Every kind that a step or an exclusion names."""
        parts: list[Step | Exclusion] = [*self.steps, *self.exclusions]
        return frozenset(kind for part in parts for kind in part.kinds)

    def position(self, step: int | str, /, *, argument: str = "step") -> int:
        """Return the position of a step, by name or by position itself.

        Raises
        ------
        InvalidValueError
            There is no such step, or several bear the name.

        Examples
        --------
        >>> from pendulum import duration
        >>> Funnel(steps=("join", "post"), within=duration(days=7)).position("post")
        1
        """
        given = _position_or_name(step, argument)
        if isinstance(given, int):
            if not 0 <= given < self.n_steps:
                raise InvalidValueError(message(argument, f"a step in [0, {self.n_steps})", given))
            return given
        found = [position for position, name in enumerate(self.names) if name == given]
        if len(found) != 1:
            expected = "the name of a step" if not found else "a name that one step bears, or a position"
            raise InvalidValueError(message(argument, expected, given) + suggest(given, self.names))
        return found[0]

    def __deepcopy__(self, memo: dict[int, Any], /) -> Funnel:
        """Return the funnel itself: nothing in it changes, and pendulum 3.0 loses the weeks of a duration it copies."""
        return self

    def __repr__(self) -> str:
        """Show the steps and the window, and what differs from the default."""
        fields: dict[str, Any] = {a.name: getattr(self, a.name) for a in attrs.fields(Funnel)[2:]}
        rest = [f"{a.name}={fields[a.name]!r}" for a in attrs.fields(Funnel)[2:] if fields[a.name] != a.default]
        return f"Funnel({' → '.join(self.names)} within {self.within}{''.join(f', {text}' for text in rest)})"
