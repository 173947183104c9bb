"""What is done with each part of a log, how two answers become one, and what is made of the last one?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, get_args

import attrs
import numpy as np

from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, counted, message
from shequn.labels import Index
from shequn.stats._checks import instance, items_of, one_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Plan", "Split", "merged"]

Split: TypeAlias = Literal["member", "span", "any"]
R_co = TypeVar("R_co", covariant=True)


@attrs.frozen(kw_only=True, eq=False)
class Plan(Generic[R_co]):
    """How something is counted in parts: `partial` of each part, `merge` of two, `finish` of the last; and it pickles.

    `plan` makes one from a function of the library, and `run` says what it means. An engine does the same with the
    parts on many machines, so that nothing but these functions and what they return travels.

    Attributes
    ----------
    partial : callable
        From an `EventLog`, a part, to its tally.
    merge : callable
        From two tallies to that of both; associative and commutative.
    finish : callable
        From the tally of all parts to the answer.
    split : {"member", "span", "any"}
        What the parts must be: all rows of a member in one; all rows of a span of time in one; or rows split in
        whatever way.
    then : callable, optional
        From the answer to the plan of one more pass over the same parts, whose answer is the one that was asked for.

    See Also
    --------
    plan : Makes one from a function of the library.

    Examples
    --------
    >>> from operator import add, itemgetter
    >>> log = EventLog.from_columns(member=["ann", "bo", "cy"], kind="post", at=[0, 1, 2], time_unit="s")
    >>> rows = Plan(partial=len, merge=add, finish=int, split="any")
    >>> rows.run(log.partition(2))
    3
    """

    partial: Callable[[EventLog], Any]
    merge: Callable[[Any, Any], Any]
    finish: Callable[[Any], R_co]
    split: Split = attrs.field(default="member")
    then: Callable[[R_co], Plan[R_co]] | None = None

    def __attrs_post_init__(self) -> None:
        """Check that the functions are some."""
        one_of("split", self.split, get_args(Split))
        for name in ("partial", "merge", "finish"):
            if not callable(getattr(self, name)):
                raise InvalidTypeError(message(name, "a function", getattr(self, name)))
        if self.then is not None and not callable(self.then):
            raise InvalidTypeError(message("then", "a function or None", self.then))

    def run(self, parts: Iterable[EventLog], /) -> R_co:
        """Return the answer for a log in parts, in this process: the definition of what an engine returns.

        Parameters
        ----------
        parts : iterable of EventLog
            Split as `split` says, such as by ``log.partition(n)``. No parts are one part without rows.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            A part is no log, or rows of a member are in two parts of a plan that is split by member.

        Examples
        --------
        >>> from shequn.interop.engines import plan
        >>> from shequn.retention import flow_ledger
        >>> log = EventLog.from_columns(member=["ann", "bo", "ann"], kind="post", at=[0, 1, 2], time_unit="s")
        >>> whole = flow_ledger(log, every="day", tz="UTC")
        >>> plan(flow_ledger, every="day", tz="UTC").run(log.partition(3)) == whole
        True
        """
        logs: list[EventLog] = items_of("parts", parts, expected="EventLog objects") or [EventLog.empty()]
        for row, log in enumerate(logs):
            if not isinstance(log, EventLog):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise InvalidTypeError(message("parts", "EventLog objects", log, row=row))
        if self.split == "member":
            _refuse_shared_members(logs)
        answer = self.finish(merged([self.partial(log) for log in logs], self.merge))
        return answer if self.then is None else self.then(answer).run(logs)


def _refuse_shared_members(logs: Sequence[EventLog]) -> None:
    """Raise where a member has rows in two parts, and so would be counted as two."""
    labels = [log.members.labels[np.bincount(log.member_codes, minlength=len(log.members)) > 0] for log in logs]
    for kind in {some.dtype for some in labels}:
        every = np.concatenate([some for some in labels if some.dtype == kind])
        index, codes = Index.encode(every, argument="parts")
        if len(index) < len(every):
            twice = np.flatnonzero(np.bincount(codes) > 1)
            expected = "rows of a member in one part (split by log.partition, or by time with plan_funnel_spans)"
            raise InvalidValueError(
                message("parts", expected, index[int(twice[0])]) + f" in two ({counted(len(twice), 'member')})"
            )


def merged(tallies: Sequence[Any], merge: Callable[[Any, Any], Any]) -> Any:  # noqa: ANN401 - whatever a plan counts
    """Return one tally of at least one, merging neighbours so that none is merged more often than log2 of how many.

    Examples
    --------
    >>> merged(["a", "b", "c"], lambda one, other: f"({one}{other})")
    '((ab)c)'
    """
    left = list(tallies)
    while len(left) > 1:
        pairs = [merge(left[place], left[place + 1]) for place in range(0, len(left) - 1, 2)]
        left = pairs + left[len(pairs) * 2 :]
    return left[0]


def require_plan(plan: object) -> None:
    """Raise unless it is a plan."""
    instance("plan", plan, Plan, expected="a Plan, such as plan(retention.flow_ledger, every='week', tz='UTC')")
