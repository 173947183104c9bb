"""Which one segment is each member in, by rules of which the first that selects them wins?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.columns.readonly import by_fields, read_only
from shequn.columns.table import Column, Lang, Tabular
from shequn.errors import InvalidTypeError, InvalidValueError, ShequnError, message
from shequn.labels import Assignment, Index
from shequn.rules.asking import Occasion, Situation
from shequn.rules.explanation import Explanation, explained
from shequn.rules.rule import Rule, require_rule
from shequn.rules.terms import segment_name
from shequn.stats._checks import instance, items_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns import EventLog, Roster
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.schema import Schema
    from shequn.entities import Event, Member

__all__ = ["SegmentCheck", "SegmentCheckRow", "Segmentation"]

_VERSION = 1


@attrs.frozen(repr=False, init=False)
class Segmentation(Doors):
    """Named rules in order, of which the first that selects a member wins; who is selected by none is in the default.

    Every member is in exactly one segment. The rules may name each other by `in_segment`: then whom a *rule* selects is
    meant, whichever segment they end up in.

    Parameters
    ----------
    *pairs, segments : tuple of (str, Rule)
        Name and rule of each, in the order in which they are tried: one after the other, or as one sequence by the name
        of `segments`.
    default : str
        The segment of all others.

    Attributes
    ----------
    segments : tuple of (str, Rule)
    default : str

    Raises
    ------
    InvalidTypeError, InvalidValueError
        Something is no pair of a name and a rule, or a name stands twice.

    Examples
    --------
    >>> import pendulum
    >>> import shequn as sq
    >>> from shequn.rules import count, did
    >>> month = pendulum.duration(days=30)
    >>> segmentation = Segmentation(
    ...     ("buyers", did("purchase", within=month)), ("talkers", count("post", within=month) >= 2), default="others"
    ... )
    >>> log = sq.EventLog.from_columns(
    ...     member=["ann", "bo", "bo", "ann"],
    ...     kind=["purchase", "post", "post", "post"],
    ...     at=[0, 60, 120, 180],
    ...     time_unit="s",
    ... )
    >>> roster = sq.Roster.from_columns(member=["ann", "bo", "cy"])
    >>> segmentation.assign(roster, log, as_of=pendulum.datetime(1970, 1, 2)).labels().tolist()
    ['buyers', 'talkers', 'others']
    """

    segments: tuple[tuple[str, Rule], ...]
    default: str

    def __init__(self, *pairs: tuple[str, Rule], segments: Iterable[tuple[str, Rule]] = (), default: str) -> None:
        """Check names and rules."""
        given = [*pairs, *items_of("segments", segments, expected="pairs of a name and a rule")]
        named = tuple(_pair(pair, place) for place, pair in enumerate(given))
        names = [name for name, _ in named]
        last = segment_name("default", default)
        for place, name in enumerate([*names, last]):
            if name in names[:place]:
                argument = "default" if place == len(names) else f"segments[{place}]"
                raise InvalidValueError(message(argument, "a name that no other segment has", name))
        self.__attrs_init__(segments=named, default=last)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all segments, the default last."""
        return (*(name for name, _ in self.segments), self.default)

    def assign(
        self,
        roster: Roster,
        log: EventLog | None = None,
        /,
        *,
        as_of: dt.datetime | None = None,
        segments: Mapping[str, Rule] | None = None,
        unknown_kinds: UnknownKinds = "warn",
    ) -> Assignment:
        """Return the segment of each member of a roster.

        Parameters
        ----------
        roster, log, as_of, unknown_kinds
            As in `Rule.mask`.
        segments : mapping of str to Rule, optional
            Further rules that `in_segment` may name, beside the segments themselves.

        Returns
        -------
        Assignment
            Over ``roster.members``, with the segments in their order and the default last; nobody is in none.

        Raises
        ------
        InvalidTypeError, InvalidValueError, UnknownLabelError
            As in `Rule.mask`; among other things where rules name each other in a circle.
        """
        situation = self._situation(roster, log, as_of, segments, unknown_kinds)
        codes = _first_of(self._where_true(situation), len(roster))
        return Assignment(members=roster.members, codes=codes, segments=Index(list(self.names)))

    def sizes(
        self,
        roster: Roster,
        log: EventLog | None = None,
        /,
        *,
        as_of: dt.datetime | None = None,
        segments: Mapping[str, Rule] | None = None,
        unknown_kinds: UnknownKinds = "warn",
    ) -> dict[str, int]:
        """Return how many members each segment has, empty ones included; parameters and errors as in `assign`.

        Examples
        --------
        >>> import shequn as sq
        >>> from shequn.rules import field
        >>> roster = sq.Roster.from_columns(member=["ann", "bo"], fields={"age": [30, None]})
        >>> Segmentation(("grown-up", field("age") >= 18), default="others").sizes(roster)
        {'grown-up': 1, 'others': 1}
        """
        codes = self.assign(roster, log, as_of=as_of, segments=segments, unknown_kinds=unknown_kinds).codes
        counts: list[int] = np.bincount(codes, minlength=len(self.names)).tolist()
        return dict(zip(self.names, counts, strict=True))

    def place(
        self,
        member: Member,
        history: Iterable[Event] = (),
        /,
        *,
        as_of: dt.datetime | None = None,
        segments: Mapping[str, Rule] | None = None,
        schema: Schema | None = None,
    ) -> str:
        """Return the segment of one member: the same as their place in `assign`.

        Parameters and errors are those of `Rule.matches`.

        Examples
        --------
        >>> import shequn as sq
        >>> from shequn.rules import field
        >>> adults = Segmentation(("grown-up", field("age") >= 18), default="others")
        >>> adults.place(sq.Member(id="ann", fields={"age": 30}))
        'grown-up'
        """
        known = self._known(segments)
        occasion = Occasion.of(member, history, as_of, known, schema)
        self._check_rules(schema, known)
        for name, rule in self.segments:
            if rule._truth(occasion) is True:  # pyright: ignore[reportPrivateUsage]
                return name
        return self.default

    def explain(
        self,
        member: Member,
        history: Iterable[Event] = (),
        /,
        *,
        as_of: dt.datetime | None = None,
        segments: Mapping[str, Rule] | None = None,
        schema: Schema | None = None,
    ) -> dict[str, Explanation]:
        """Return why a member is in a segment: the explanation of each rule that was tried, the one that won last.

        Parameters and errors are those of `Rule.matches`. Whoever is in the default was tried by all.

        Examples
        --------
        >>> import shequn as sq
        >>> from shequn.rules import field
        >>> adults = Segmentation(("grown-up", field("age") >= 18), default="others")
        >>> adults.explain(sq.Member(id="ann", fields={"age": 17}))
        {'grown-up': Explanation('ann': no, 1 lines)}
        """
        known = self._known(segments)
        occasion = Occasion.of(member, history, as_of, known, schema)
        self._check_rules(schema, known)
        told: dict[str, Explanation] = {}
        for name, rule in self.segments:
            told[name] = explained(rule, occasion)
            if told[name].is_selected:
                break
        return told

    def check(
        self,
        roster: Roster,
        log: EventLog | None = None,
        /,
        *,
        as_of: dt.datetime | None = None,
        segments: Mapping[str, Rule] | None = None,
        unknown_kinds: UnknownKinds = "warn",
    ) -> SegmentCheck:
        """Return how the rules fare on a roster: overlaps, the gap that the default fills, rules that nobody reaches.

        Parameters and errors are those of `assign`.

        Examples
        --------
        >>> import shequn as sq
        >>> from shequn.rules import field
        >>> roster = sq.Roster.from_columns(member=["ann", "bo", "cy"], fields={"age": [30, 70, None]})
        >>> report = Segmentation(
        ...     ("grown-up", field("age") >= 18), ("senior", field("age") >= 65), default="others"
        ... ).check(roster)
        >>> print(report)
        segment   selected  taken before  assigned  unknown  share
        ──────────────────────────────────────────────────────────
        grown-up         2             0         2        1  66.7%
        senior           1             1         0        1   0.0%
        others           3             2         1        0  33.3%
        1 rule selects only members of earlier segments: senior
        >>> report.unreachable, report.gap
        (('senior',), 1)
        """
        situation = self._situation(roster, log, as_of, segments, unknown_kinds)
        selected, refused = self._where_true(situation), self._where_true(situation, negated=True)
        n = len(selected)
        overlaps = [np.count_nonzero(one & other) for one in selected for other in selected]
        told = [np.count_nonzero(one | other) for one, other in zip(selected, refused, strict=True)]
        return SegmentCheck(
            segments=self.names,
            assigned=np.bincount(_first_of(selected, len(roster)), minlength=n + 1),
            unknown=len(roster) - np.array(told, dtype=np.int64),
            overlaps=np.array(overlaps, dtype=np.int64).reshape(n, n),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the segmentation as a document ready for JSON; see `from_dict`.

        Examples
        --------
        >>> from shequn.rules import did
        >>> Segmentation(("buyers", did("purchase")), default="others").to_dict()["default"]
        'others'
        """
        named = [{"name": name, "rule": rule.to_dict()["rule"]} for name, rule in self.segments]
        return {"schema_version": _VERSION, "segments": named, "default": self.default}

    @staticmethod
    def from_dict(document: Mapping[str, Any], /) -> Segmentation:
        """Return the segmentation that `to_dict` wrote, equal to the one it was.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            The document is none of a segmentation; the message says where in it.

        Examples
        --------
        >>> Segmentation.from_dict({"schema_version": 1, "segments": [{"name": "a", "rule": {}}], "default": "b"})
        Traceback (most recent call last):
        ...
        shequn.errors.InvalidValueError: $.segments[0].rule: expected one key, of all, any, not, segment, field, ...
        """
        instance("$", document, Mapping, expected="a mapping")
        for key in ("schema_version", "segments", "default"):
            if key not in document:
                raise InvalidValueError(message("$", f"the key {key!r}", dict(document)))
        if set(document) != {"schema_version", "segments", "default"}:
            other = next(key for key in document if key not in {"schema_version", "segments", "default"})
            raise InvalidValueError(message("$", "no keys but schema_version, segments, default", other))
        entries: object = document["segments"]
        if not isinstance(entries, list | tuple):
            raise InvalidTypeError(message("$.segments", "a list", entries))
        version: object = document["schema_version"]
        if type(version) is not int or version != _VERSION:
            raise InvalidValueError(message("$.schema_version", f"{_VERSION}, which this library writes", version))
        pairs = [
            _read_pair(entry, f"$.segments[{place}]") for place, entry in enumerate(cast("Sequence[object]", entries))
        ]
        default = segment_name("$.default", document["default"])
        try:
            return Segmentation(*pairs, default=default)
        except ShequnError as error:
            raise type(error)(f"$.{error}") from None

    def __repr__(self) -> str:
        """Show the names in order."""
        return f"Segmentation({' → '.join(self.names)})"

    # ── what they share ──────────────────────────────────────────────────────────────────────────────────────────────

    def _known(self, further: Mapping[str, Rule] | None) -> dict[str, Rule]:
        """Return every rule that `in_segment` may name."""
        if further is not None:
            instance("segments", further, Mapping, expected="a mapping of name to rule")
        known: dict[str, Rule] = dict(further or {})
        for name, rule in self.segments:
            if name in known:
                raise InvalidValueError(message("segments", "names that no segment of its own has", name))
            known[name] = rule
        return known

    def _check_rules(self, schema: Schema | None, known: Mapping[str, Rule]) -> None:
        for _, rule in self.segments:
            rule.check(schema, segments=known)

    def _situation(
        self,
        roster: Roster,
        log: EventLog | None,
        as_of: dt.datetime | None,
        segments: Mapping[str, Rule] | None,
        unknown_kinds: UnknownKinds,
    ) -> Situation:
        """Return what all rules are asked of: what several of them need of the log is worked out once."""
        known = self._known(segments)
        situation = Situation.of(roster, log, as_of, known, unknown_kinds)
        self._check_rules(roster.schema, known)
        return situation

    def _where_true(self, situation: Situation, *, negated: bool = False) -> list[BoolArray]:
        return [situation.where_true(rule, negated=negated) for _, rule in self.segments]


def _first_of(selected: list[BoolArray], n_members: int) -> NDArray[np.int32]:
    """Return which rule is the first to select each member; the number of rules where none does."""
    codes = np.full(n_members, len(selected), dtype=np.int32)
    for code in range(len(selected) - 1, -1, -1):
        codes[selected[code]] = code
    return codes


def _pair(pair: object, place: int) -> tuple[str, Rule]:
    argument = f"segments[{place}]"
    if not isinstance(pair, tuple) or len(cast("tuple[object, ...]", pair)) != 2:  # noqa: PLR2004
        raise InvalidTypeError(message(argument, "a pair of a name and a rule", pair))  # pyright: ignore[reportUnknownArgumentType]
    name, rule = cast("tuple[object, object]", pair)
    require_rule(argument, rule)
    return segment_name(argument, name), cast("Rule", rule)


def _read_pair(entry: object, path: str) -> tuple[str, Rule]:
    instance(path, entry, Mapping, expected="a mapping with a name and a rule")
    told = cast("Mapping[str, Any]", entry)
    if set(told) != {"name", "rule"}:
        raise InvalidValueError(message(path, "the keys 'name' and 'rule'", list(told)))
    name = segment_name(f"{path}.name", told["name"])
    try:
        return name, Rule.from_dict({"schema_version": _VERSION, "rule": told["rule"]})
    except ShequnError as error:
        raise type(error)(str(error).replace("$", path, 1)) from None


def _counts(counts: NDArray[Any]) -> IntArray:
    return read_only(np.asarray(counts, dtype=np.int64))


@attrs.frozen(kw_only=True)
class SegmentCheckRow:
    """One segment of a `SegmentCheck`; the default would take everybody whom no earlier one has.

    Examples
    --------
    >>> import shequn as sq
    >>> roster = sq.Roster.from_columns(member=["ann", "bo"])
    >>> Segmentation(default="all").check(roster).last()
    SegmentCheckRow(segment='all', selected=2, taken_before=0, assigned=2, unknown=0, share=1.0)
    """

    segment: str
    selected: int
    taken_before: int
    assigned: int
    unknown: int
    share: float


@attrs.frozen(kw_only=True, repr=False, eq=False)
class SegmentCheck(Tabular[SegmentCheckRow]):
    """How the rules of a `Segmentation` fare on a roster.

    Attributes
    ----------
    segments : tuple of str, length k + 1
        The names, the default last.
    assigned : ndarray of int64, shape (k + 1,)
        Members of each segment: they add up to the roster.
    unknown : ndarray of int64, shape (k,)
        Members on whom the verdict of the rule is unknown.
    overlaps : ndarray of int64, shape (k, k)
        How many members two rules both select; on the diagonal, how many one selects.

    Examples
    --------
    >>> import shequn as sq
    >>> from shequn.rules import field
    >>> roster = sq.Roster.from_columns(member=["ann", "bo"], fields={"age": [30, 17]})
    >>> report = Segmentation(("grown-up", field("age") >= 18), default="others").check(roster)
    >>> report.assigned.tolist(), report.overlaps.tolist()
    ([1, 1], [[1]])
    """

    segments: tuple[str, ...]
    assigned: IntArray = attrs.field(converter=_counts)
    unknown: IntArray = attrs.field(converter=_counts)
    overlaps: IntArray = attrs.field(converter=_counts)

    _Row = SegmentCheckRow

    @property
    def selected(self) -> IntArray:
        """How many members each rule selects, shape (k,)."""
        return read_only(np.diagonal(self.overlaps).copy())

    @property
    def taken_before(self) -> IntArray:
        """How many members that a rule selects are in an earlier segment, shape (k,)."""
        return read_only(self.selected - self.assigned[:-1])

    @property
    def gap(self) -> int:
        """How many members no rule selects: those of the default."""
        return int(self.assigned[-1])

    @property
    def unreachable(self) -> tuple[str, ...]:
        """Segments whose rule selects members, all of whom are in earlier segments."""
        rows = zip(self.segments, self.selected.tolist(), self.assigned.tolist(), strict=False)
        return tuple(name for name, selected, assigned in rows if selected and not assigned)

    @property
    def empty(self) -> tuple[str, ...]:
        """Segments whose rule selects nobody."""
        return tuple(name for name, n in zip(self.segments, self.selected.tolist(), strict=False) if not n)

    def __reduce__(self) -> tuple[Callable[..., SegmentCheck], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the sizes."""
        sizes = ", ".join(f"{name}: {n:,}" for name, n in zip(self.segments, self.assigned.tolist(), strict=True))
        return f"SegmentCheck({sizes})"

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        n = int(self.assigned.sum())
        columns: list[tuple[str, str, str, list[Any], str]] = [
            ("segment", "segment", "分群", list(self.segments), "text"),
            ("selected", "selected", "符合", [*self.selected.tolist(), n], "count"),
            ("taken_before", "taken before", "已归前群", [*self.taken_before.tolist(), n - self.gap], "count"),
            ("assigned", "assigned", "归入", self.assigned.tolist(), "count"),
            ("unknown", "unknown", "未知", [*self.unknown.tolist(), 0], "count"),
            ("share", "share", "占比", (self.assigned / max(n, 1)).tolist(), "rate"),
        ]
        return [
            Column(key=key, en=en, zh=zh, values=values, format=cast("Any", shown))
            for key, en, zh, values, shown in columns
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        notes: list[str] = []
        for names, en, zh in (
            (self.unreachable, "selects only members of earlier segments", "只选中了已归入前面分群的成员"),
            (self.empty, "selects nobody", "没有选中任何人"),
        ):
            if names and lang == "zh":
                notes.append(f"{len(names)} 条规则{zh}：{'、'.join(names)}")
            elif names:
                rules, verb = ("rule", en) if len(names) == 1 else ("rules", en.replace("selects", "select"))
                notes.append(f"{len(names)} {rules} {verb}: {', '.join(names)}")
        return notes
