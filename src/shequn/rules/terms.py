"""How is a test written? A field or a fact by name, and what it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, cast

import attrs

from shequn.columns.condition import RowCondition
from shequn.columns.kinds import kind_set
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.rules.operands import RuleOperator, checked
from shequn.rules.rule import InSegment, Rule, Test, joined, require_rule
from shequn.rules.sources import Fact, Field, Measure, Source
from shequn.stats._checks import instance, items_of
from shequn.values.elapsed import elapsed_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable

    from numpy.typing import ArrayLike

    from shequn.columns.comparing import Operand

__all__ = [
    "Term",
    "all_of",
    "any_of",
    "count",
    "days_since",
    "did",
    "distinct",
    "fact_of",
    "field",
    "first",
    "in_segment",
    "last",
    "never",
    "segment_name",
    "sum",
]

_IN_PARENTHESES = "; put each comparison in parentheses: (field('age') >= 18) & (field('city') == '上海')"


@attrs.frozen(eq=False, repr=False)
class Term:
    """Something of a member by name; a comparison with it gives a `Rule`.

    Since ``==`` makes a rule, two of these cannot be asked whether they are the same: compare the `source` instead.

    Attributes
    ----------
    source : Field or Fact

    Examples
    --------
    >>> field("city") == "上海"
    field('city') == '上海'
    """

    source: Source

    is_compared = True

    # NumPy numbers then leave `number <= term` to this class.
    __array_ufunc__ = None

    def __eq__(self, other: object) -> Rule:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the rule that a member's value is this."""
        return self._compared("==", other)

    def __ne__(self, other: object) -> Rule:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the rule that a member's value is another one than this; an unknown one is no other."""
        return self._compared("!=", other)

    def __lt__(self, other: Operand | dt.datetime) -> Rule:
        """Return the rule that a member's value is less, earlier, or lower in the order of labels."""
        return self._compared("<", other)

    def __le__(self, other: Operand | dt.datetime) -> Rule:
        """Return the rule that a member's value is this or less."""
        return self._compared("<=", other)

    def __gt__(self, other: Operand | dt.datetime) -> Rule:
        """Return the rule that a member's value is more, later, or higher in the order of labels."""
        return self._compared(">", other)

    def __ge__(self, other: Operand | dt.datetime) -> Rule:
        """Return the rule that a member's value is this or more."""
        return self._compared(">=", other)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def isin(self, values: Iterable[Operand] | ArrayLike, /) -> Rule:
        """Return the rule that a member's value is one of these labels or numbers; of none, nobody's is.

        Examples
        --------
        >>> field("city").isin(["上海", "北京"])
        field('city').isin(['上海', '北京'])
        """
        return self._compared("isin", *items_of(f"{self!r}.isin", values, expected="a collection of labels or numbers"))

    def between(self, low: Operand | dt.datetime, high: Operand | dt.datetime, /) -> Rule:
        """Return the rule that a member's value lies in [low, high], both included.

        Examples
        --------
        >>> count("post").between(1, 5)
        count('post').between(1, 5)
        """
        return self._compared("between", low, high)

    def is_known(self) -> Rule:
        """Return the rule that something is known: the one test that an unknown value answers.

        Examples
        --------
        >>> ~field("age").is_known()
        ~field('age').is_known()
        """
        return self._compared("is_known")

    def has(self, label: str | int, /) -> Rule:
        """Return the rule that a label is among a member's tags; those of whom no tags are known have none.

        Examples
        --------
        >>> field("interests").has("baking")
        field('interests').has_all('baking')
        """
        return self._compared("has_all", label)

    def has_all(self, *labels: str | int) -> Rule:
        """Return the rule that all of some labels are among a member's tags.

        Examples
        --------
        >>> field("interests").has_all("baking", "tea")
        field('interests').has_all('baking', 'tea')
        """
        return self._compared("has_all", *labels)

    def has_any(self, *labels: str | int) -> Rule:
        """Return the rule that one of some labels is among a member's tags.

        Examples
        --------
        >>> field("interests").has_any("baking", "tea")
        field('interests').has_any('baking', 'tea')
        """
        return self._compared("has_any", *labels)

    def within_last(self, duration: dt.timedelta, /) -> Rule:
        """Return the rule that an instant lies in (as_of − duration, as_of].

        Examples
        --------
        >>> from datetime import timedelta
        >>> field("joined").within_last(timedelta(days=7))
        field('joined').within_last(timedelta(days=7))
        """
        return self._compared("within_last", duration)

    def _compared(self, operator: RuleOperator, *operands: object) -> Rule:
        found = checked(self.source, operator, operands, locate=lambda _: repr(self))
        return Test(source=self.source, operator=operator, operands=found)

    def __bool__(self) -> bool:
        """Refuse: a term is neither true nor false."""
        raise InvalidTypeError(f"{self!r} is a value and no rule; compare it with something")

    def _no_rule(self, _other: object = None) -> NoReturn:
        raise InvalidTypeError(f"{self!r} is a value and no rule{_IN_PARENTHESES}")

    __and__ = _no_rule
    __rand__ = _no_rule
    __or__ = _no_rule
    __ror__ = _no_rule
    __invert__ = _no_rule

    def __repr__(self) -> str:
        """Show the source."""
        return repr(self.source)


def field(name: str, /) -> Term:
    """Return what is known of a member under a name: a field, tags, ``member`` (their id), or ``joined`` (an instant).

    Raises
    ------
    InvalidTypeError, InvalidValueError
        `name` is no str, or an empty one.

    Examples
    --------
    >>> field("age") >= 18
    field('age') >= 18
    """
    instance("field", name, str, expected="the name of a field")
    if not name:
        raise InvalidValueError(message("field", "the name of a field", name))
    return Term(Field(str.__str__(name)))


def count(
    kinds: Collection[str] | str | None = None,
    /,
    *,
    within: dt.timedelta | None = None,
    before: dt.timedelta | None = None,
    where: RowCondition | None = None,
) -> Term:
    """Return how many rows a member has.

    Parameters
    ----------
    kinds : str or collection of str, optional
        Of these kinds; by default of all that are activity (all but apply, receive, leave, remove, mute and role).
    within : timedelta, optional
        Rows in (as_of − before − within, as_of − before]; by default from the beginning.
    before : timedelta, optional
        How long before `as_of` the window ends.
    where : RowCondition, optional
        Only rows of which this is true; see `shequn.row`.

    Returns
    -------
    Term
        An integer, always known.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An option has a type or value that cannot be used, such as a negative duration: a window in the future.

    Examples
    --------
    >>> from datetime import timedelta
    >>> count("post", within=timedelta(days=30)) >= 5
    count('post', within=timedelta(days=30)) >= 5
    """
    return fact_of("count", kinds, within=within, before=before, where=where)


def did(
    kinds: Collection[str] | str | None = None,
    /,
    *,
    within: dt.timedelta | None = None,
    before: dt.timedelta | None = None,
    where: RowCondition | None = None,
) -> Rule:
    """Return the rule that a member has such a row: ``count(...) >= 1``, with the options of `count`.

    Examples
    --------
    >>> did("purchase")
    count('purchase') >= 1
    """
    return count(kinds, within=within, before=before, where=where) >= 1


def never(
    kinds: Collection[str] | str | None = None,
    /,
    *,
    within: dt.timedelta | None = None,
    before: dt.timedelta | None = None,
    where: RowCondition | None = None,
) -> Rule:
    """Return the rule that a member has no such row: ``count(...) == 0``, with the options of `count`.

    Examples
    --------
    >>> never({"post", "reply"})
    count({'post', 'reply'}) == 0
    """
    return count(kinds, within=within, before=before, where=where) == 0


def sum(  # noqa: A001  (as NumPy and data frames call it)
    column: str,
    /,
    *,
    kinds: Collection[str] | str | None = None,
    within: dt.timedelta | None = None,
    before: dt.timedelta | None = None,
    where: RowCondition | None = None,
) -> Term:
    """Return the sum of a column of numbers over a member's rows; rows without a number add nothing.

    Parameters
    ----------
    column : str
        ``value`` or a column of the caller's own.
    kinds, within, before, where
        As in `count`.

    Returns
    -------
    Term
        A number: 0 without rows. Integers are added exactly, and floats from the lowest to the highest, so that the
        order of rows makes no difference. Unknown only where infinities of both signs meet.

    Examples
    --------
    >>> sum("value", kinds="purchase") >= 100_00
    sum('value', kinds='purchase') >= 10000
    """
    return fact_of("sum", kinds, column=column, within=within, before=before, where=where)


def distinct(
    column: str,
    /,
    *,
    kinds: Collection[str] | str | None = None,
    within: dt.timedelta | None = None,
    before: dt.timedelta | None = None,
    where: RowCondition | None = None,
) -> Term:
    """Return how many different labels or numbers a column holds over a member's rows; a missing one doesn't count.

    Parameters
    ----------
    column : str
        Such as ``item``, ``group``, ``target`` or one of the caller's own.
    kinds, within, before, where
        As in `count`.

    Examples
    --------
    >>> distinct("item", kinds="purchase") >= 3
    distinct('item', kinds='purchase') >= 3
    """
    return fact_of("distinct", kinds, column=column, within=within, before=before, where=where)


def days_since(
    kinds: Collection[str] | str | None = None,
    /,
    *,
    within: dt.timedelta | None = None,
    before: dt.timedelta | None = None,
    where: RowCondition | None = None,
) -> Term:
    """Return how many days of 24 hours, with fractions, lie between a member's last row and `as_of`; see `count`.

    Who has no such row has no last one: every comparison is unknown. `never` and `is_known` ask about that.

    Examples
    --------
    >>> days_since("purchase") > 30
    days_since('purchase') > 30
    """
    return fact_of("days_since", kinds, within=within, before=before, where=where)


def first(
    kinds: Collection[str] | str | None = None,
    /,
    *,
    within: dt.timedelta | None = None,
    before: dt.timedelta | None = None,
    where: RowCondition | None = None,
) -> Term:
    """Return the instant of a member's first row of some kinds, unknown where there is none; see `count`.

    Examples
    --------
    >>> from datetime import timedelta
    >>> first("purchase").within_last(timedelta(days=1))
    first('purchase').within_last(timedelta(days=1))
    """
    return fact_of("first", kinds, within=within, before=before, where=where)


def last(
    kinds: Collection[str] | str | None = None,
    /,
    *,
    within: dt.timedelta | None = None,
    before: dt.timedelta | None = None,
    where: RowCondition | None = None,
) -> Term:
    """Return the instant of a member's last row of some kinds, unknown where there is none; see `count`.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> last("post") >= datetime(2024, 5, 1, tzinfo=UTC)
    last('post') >= 2024-05-01T00:00:00+00:00
    """
    return fact_of("last", kinds, within=within, before=before, where=where)


def fact_of(
    measure: Measure,
    kinds: object,
    /,
    *,
    column: object = None,
    within: object = None,
    before: object = None,
    where: object = None,
    at: str = "",
) -> Term:
    """Check what a fact is told by, and return it; `at` goes before the names of arguments in errors."""
    if column is not None or measure in {"sum", "distinct"}:
        instance(f"{at}column", column, str, expected="the name of a column")
        if not column:
            raise InvalidValueError(message(f"{at}column", "the name of a column", column))
    if where is not None:
        instance(f"{at}where", where, RowCondition, expected="a condition such as row('value') >= 100")
    named = None if kinds is None else tuple(sorted(kind_set(cast("Any", kinds), argument=f"{at}kinds")))
    return Term(
        Fact(
            measure=measure,
            kinds=named,
            column=None if column is None else str.__str__(cast("str", column)),
            within_us=None if within is None else _in_the_past(f"{at}within", within),
            before_us=0 if before is None else _in_the_past(f"{at}before", before),
            where=cast("RowCondition | None", where),
        )
    )


def _in_the_past(argument: str, duration: object) -> int:
    try:
        return elapsed_us(argument, duration)
    except InvalidValueError as error:
        if "not negative" in str(error):
            raise InvalidValueError(f"{error}; a window cannot lie in the future") from None
        raise


def in_segment(name: str, /) -> Rule:
    """Return the rule that a named segment selects a member; ``segments=`` gives its rule where the question is put.

    A segment is the set of members that its rule selects: who is not selected because something is unknown is not in
    it, and ``~in_segment(name)`` selects them.

    Examples
    --------
    >>> in_segment("vip") & ~in_segment("staff")
    in_segment('vip') & ~in_segment('staff')
    """
    return InSegment(name=segment_name("in_segment", name))


def segment_name(argument: str, name: object) -> str:
    """Return the name of a segment."""
    instance(argument, name, str, expected="the name of a segment")
    if not name:
        raise InvalidValueError(message(argument, "the name of a segment", name))
    return str.__str__(cast("str", name))


def all_of(*rules: Rule) -> Rule:
    """Return the rule that all hold; of none it is true of everybody.

    Examples
    --------
    >>> all_of(field("age") >= 18, field("age") < 65)
    (field('age') >= 18) & (field('age') < 65)
    """
    return _joined_all("and", rules)


def any_of(*rules: Rule) -> Rule:
    """Return the rule that one holds or more; of none it is true of nobody.

    Examples
    --------
    >>> any_of()
    any_of()
    """
    return _joined_all("or", rules)


def _joined_all(operator: Any, rules: tuple[Rule, ...]) -> Rule:  # noqa: ANN401
    for rule in rules:
        require_rule("rules", rule)
    return joined(operator, rules)
