"""Who is in the community, and what is known of each? One row a member, as columns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import attrs
import numpy as np

from shequn.columns.arrow import field_of, instants_field, labels_field, lists_field, stream_of
from shequn.columns.extra import extra_column, same_columns
from shequn.columns.frames import decoded, plain_column, present_rows
from shequn.columns.membership import NO_INSTANT, Memberships
from shequn.columns.numbers import concat_numbers
from shequn.columns.readonly import frozen, read_only, read_only_or_none
from shequn.columns.schema import FieldType, Schema
from shequn.columns.tags import Tags
from shequn.entities import Member
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError, message, suggest
from shequn.labels import Assignment, Coded, Index
from shequn.labels.encode import is_null
from shequn.stats._checks import instance, items_of, plain_array
from shequn.stats.distinct import each_once
from shequn.values.instants import from_us, instant_faults, to_instants

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.arrow import Field as ArrowField
    from shequn.entities import MemberRole
    from shequn.labels import Label

__all__ = ["Roster"]

Field: TypeAlias = "Assignment | NDArray[Any]"

_OWN = ("member", "joined", "left")
_RECORD = ("community", "invited_by")  # fields of a `Member` that are columns like any other here


def _frozen_fields(fields: Mapping[str, Field]) -> Mapping[str, Field]:
    return MappingProxyType(
        {name: field if isinstance(field, Assignment) else read_only(field) for name, field in fields.items()}
    )


def _frozen_tags(tags: Mapping[str, Tags]) -> Mapping[str, Tags]:
    return MappingProxyType(dict(tags))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Roster:
    """One row a member: who, since when, and what is known of them, as read-only columns in the order they were given.

    Build one with `from_columns` or `from_members`. Roles in groups are not here: they are folded from the log, see
    `memberships` and `has_role`.

    Attributes
    ----------
    members : Index
        The n members.
    joined_us, left_us : ndarray of int64, shape (n,)
        When they joined and left the community: microseconds since 1970-01-01T00:00Z, and -2**63 (NumPy's NaT, seen
        through ``.view("M8[us]")``) where that is not known or has not happened.
    fields : mapping of str to Assignment or ndarray
        What is known: labels as an `Assignment` over `members`, numbers as int64 or float64 of shape (n,).
    tags : mapping of str to Tags
        Named sets of labels.
    accounts : ndarray of tuple, shape (n,), or None
        What members are called on platforms, where the roster was made from records that say so.

    Examples
    --------
    >>> roster = Roster.from_columns(
    ...     member=["ann", "bo"],
    ...     fields={"city": ["上海", None], "age": [30, 41]},
    ...     tags={"interests": [{"tea"}, {"tea", "hiking"}]},
    ... )
    >>> roster.field("city").mask("上海").tolist(), roster.field("age").tolist()
    ([True, False], [30, 41])
    >>> roster.has_tag("interests", "hiking").tolist()
    [False, True]
    """

    members: Index
    joined_us: NDArray[np.int64] = attrs.field(converter=read_only)
    left_us: NDArray[np.int64] = attrs.field(converter=read_only)
    fields: Mapping[str, Field] = attrs.field(factory=dict[str, Field], converter=_frozen_fields)
    tags: Mapping[str, Tags] = attrs.field(factory=dict[str, Tags], converter=_frozen_tags)
    accounts: NDArray[Any] | None = attrs.field(default=None, converter=read_only_or_none)

    def __attrs_post_init__(self) -> None:
        """Check that every column has one entry a member."""
        columns: dict[str, Any] = {"joined_us": self.joined_us, "left_us": self.left_us, "accounts": self.accounts}
        for name, column in (columns | dict(self.fields) | dict(self.tags)).items():
            if column is not None and len(column) != len(self.members):
                expected = f"one entry for each of the {len(self.members)} members"
                raise MisalignedError(message(name, expected, len(column)) + " entries")

    # ── facts in ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def from_columns(
        cls,
        *,
        member: ArrayLike | Sequence[Label],
        joined: ArrayLike | Sequence[dt.datetime | None] | None = None,
        left: ArrayLike | Sequence[dt.datetime | None] | None = None,
        fields: Mapping[str, Assignment | Coded | ArrayLike | Sequence[object]] | None = None,
        tags: Mapping[str, Sequence[Iterable[Label] | None] | ArrayLike] | None = None,
        at_tz: str | None = None,
        time_unit: Literal["s", "ms", "us"] | None = None,
    ) -> Roster:
        """Build from one column for each thing that is known of members.

        A column is a list, an array, or a column of a pandas or Polars data frame or an Arrow table.

        Parameters
        ----------
        member : array_like of str or int, shape (n,)
            Unique members.
        joined, left : array_like, shape (n,), optional
            When they joined and left the community, in the forms of `EventLog.from_columns`; None or NaT where that is
            not known or has not happened.
        fields : mapping of str to column, optional
            Numbers stay numbers, booleans become 0 and 1, text becomes labels; None stands for not known. Give an
            `Assignment` where the order of the labels means something.
        tags : mapping of str to column, optional
            A collection of labels in each row, or None.
        at_tz, time_unit
            As in `EventLog.from_columns`, for `joined` and `left`.

        Returns
        -------
        Roster

        Raises
        ------
        InvalidValueError
            A member stands twice, or left before joining.
        MisalignedError
            Columns differ in length, or an assignment is of other members.
        InvalidTypeError
            A column holds something else; the message names the column and the first bad row.

        Examples
        --------
        >>> roster = Roster.from_columns(member=["ann", "bo"], joined=[60, None], time_unit="s")
        >>> roster.joined_us.view("M8[us]").tolist()
        [datetime.datetime(1970, 1, 1, 0, 1), None]
        """
        for argument, named in (("fields", fields), ("tags", tags)):
            if named is not None:
                instance(argument, named, Mapping, expected="a mapping of name to column")
        members = _unique_members(member)
        roster = cls(
            members=members,
            joined_us=_instants(joined, "joined", members, at_tz=at_tz, time_unit=time_unit),
            left_us=_instants(left, "left", members, at_tz=at_tz, time_unit=time_unit),
        )
        _refuse_left_before_joined(roster)
        named_tags = {name: _tags(name, sets, members) for name, sets in (tags or {}).items()}
        for name in named_tags:
            if name in (fields or {}):
                raise InvalidValueError(message("tags", "names that no field has", name))
        for name, field in (fields or {}).items():
            roster = roster.with_field(name, field)
        return attrs.evolve(roster, tags=named_tags)

    @classmethod
    def from_members(cls, members: Iterable[Member], /) -> Roster:
        """Build from `Member` records.

        Their community and who invited them become the fields ``community`` and ``invited_by``.

        Raises
        ------
        InvalidTypeError
            Something is not a `Member`, or a field holds values that are neither numbers nor text.
        InvalidValueError
            A member stands twice, or a field is called ``community`` or ``invited_by``.

        Examples
        --------
        >>> ann, bo = Member(id="ann", fields={"city": "上海"}), Member(id="bo", invited_by="ann")
        >>> roster = Roster.from_members([ann, bo])
        >>> roster.field("city").labels().tolist(), roster.field("invited_by").labels().tolist()
        (['上海', None], [None, 'ann'])
        """
        rows = items_of("members", members, expected="Member records")
        for row, member in enumerate(rows):
            if not isinstance(member, Member):
                raise InvalidTypeError(message("members", "Member records", member, row=row))
        names = dict.fromkeys(name for member in rows for name in member.fields)
        for name in names:
            if name in _RECORD:
                raise InvalidValueError(message("fields", f"names other than {', '.join(_RECORD)}", name))
        fields: dict[str, list[Any]] = {name: [member.fields.get(name) for member in rows] for name in names}
        for name in _RECORD:
            column = [getattr(member, name) for member in rows]
            if any(value is not None for value in column):
                fields[name] = column
        tag_names = dict.fromkeys(name for member in rows for name in member.tags)
        roster = cls.from_columns(
            member=[member.id for member in rows],
            joined=[member.joined for member in rows],
            fields=fields,
            tags={name: [member.tags.get(name, ()) for member in rows] for name in tag_names},
        )
        if not any(member.accounts for member in rows):
            return roster
        accounts = np.fromiter((member.accounts for member in rows), dtype=object, count=len(rows))
        return attrs.evolve(roster, accounts=frozen(accounts))

    # ── what it holds ────────────────────────────────────────────────────────────────────────────────────────────────

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.members)

    def field(self, name: str, /) -> Assignment | NDArray[Any]:
        """Return a field: labels as an `Assignment`, numbers as an array of shape (n,).

        Raises
        ------
        UnknownLabelError
            There is no such field; the message suggests the closest one.

        Examples
        --------
        >>> Roster.from_columns(member=["ann"], fields={"age": [30]}).field("age")
        array([30])
        """
        instance("name", name, str, expected="the name of a field")
        if name not in self.fields:
            expected = f"one of the roster's fields ({', '.join(self.fields)})"
            raise UnknownLabelError(message("name", expected, name) + suggest(name, self.fields))
        return self.fields[name]

    def with_field(self, name: str, field: Assignment | Coded | ArrayLike | Sequence[object], /) -> Roster:
        """Return the roster with one more field, or another one of that name.

        Parameters
        ----------
        name : str
        field : Assignment or column, shape (n,)
            An assignment of the same members in the same order, or of as many unnamed ones; or a column in their order.

        Raises
        ------
        MisalignedError
            It is of other members, or of another length; see `Assignment.align`.

        Examples
        --------
        >>> tiers = Assignment.from_mapping({"ann": "gold", "bo": "silver"}, segments=["silver", "gold"], ordered=True)
        >>> Roster.from_columns(member=["ann", "bo"]).with_field("tier", tiers).field("tier").ordered
        True
        """
        if not isinstance(name, str) or not name or name in _OWN:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidValueError(message("name", f"a field name other than {', '.join(_OWN)}", name))
        if name in self.tags:
            raise InvalidValueError(message("name", "a name that no tags have", name))
        column: Field
        if isinstance(field, Assignment):
            self.members.require_aligned(field.members, argument=name)
            column = attrs.evolve(field, members=self.members)
        else:
            found = extra_column(field, name=name)
            _require_length(name, found, self.members)
            if isinstance(found, Coded):
                column = Assignment(members=self.members, codes=found.codes, segments=found.index)
            else:
                column = found
        return attrs.evolve(self, fields={**self.fields, name: column})

    @property
    def schema(self) -> Schema:
        """What is known of members, by name, and of which sort it is; what a rule is checked against.

        ``member`` and ``joined`` are always there, whether anybody's instant is known or not.

        Examples
        --------
        >>> Roster.from_columns(member=["ann"], fields={"city": ["上海"]}).schema.fields["city"].labels
        Index(['上海'])
        """
        types = {"member": FieldType(sort="label", labels=self.members), "joined": FieldType(sort="instant")}
        for name, field in self.fields.items():
            if isinstance(field, Assignment):
                types[name] = FieldType(sort="label", labels=field.segments, is_ordered=field.ordered)
            else:
                types[name] = FieldType(sort="number")
        return Schema(fields=types | {name: FieldType(sort="tags") for name in self.tags})

    def has_tag(self, name: str, label: Label, /) -> BoolArray:
        """Return which members have a label among the tags of a name, shape (n,).

        Raises
        ------
        UnknownLabelError
            There are no tags of that name. (A label that nobody has is in no row.)

        Examples
        --------
        >>> roster = Roster.from_columns(member=["ann", "bo"], tags={"interests": [{"tea"}, None]})
        >>> roster.has_tag("interests", "tea").tolist()
        [True, False]
        """
        instance("name", name, str, expected="the name of tags")
        if name not in self.tags:
            expected = f"one of the roster's tags ({', '.join(self.tags)})"
            raise UnknownLabelError(message("name", expected, name) + suggest(name, self.tags))
        return self.tags[name].mask(label)

    def has_role(self, role: MemberRole | str, stays: Memberships, /, *, group: Label | None = None) -> BoolArray:
        """Return which members are inside a group in a role, shape (n,).

        Parameters
        ----------
        role : MemberRole or str
            Code, Chinese or English name.
        stays : Memberships
            As of when it is asked.
        group : str or int, optional
            In this group; by default in any.

        Raises
        ------
        UnknownLabelError
            There is no such role, or no such group.

        Examples
        --------
        >>> from shequn.columns import EventLog, memberships
        >>> log = EventLog.from_columns(
        ...     member=["ann", "bo"], kind="join", at=[0, 0], time_unit="s", extra={"role": ["群主", None]}
        ... )
        >>> stays = memberships(log, as_of=from_us(0))
        >>> Roster.from_columns(member=["cy", "bo", "ann"]).has_role("owner", stays).tolist()
        [False, False, True]
        """
        instance("stays", stays, Memberships, expected="Memberships")
        inside = np.append(stays.inside(group, role=role), np.False_)
        return frozen(inside[stays.members.places_of(self.members)])

    # ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def where(self, mask: ArrayLike, /) -> Roster:
        """Return the members for whom a mask of shape (n,) holds, in the same order.

        Examples
        --------
        >>> Roster.from_columns(member=["ann", "bo"]).where([False, True]).members
        Index(['bo'])
        """
        given = _array(mask, "mask")
        if given.dtype != np.bool_:
            raise InvalidTypeError(message("mask", "an array of bool", given.dtype.name))
        _require_length("mask", given, self.members)
        return self._select(np.flatnonzero(given), self.members.take(given))

    def take(self, rows: ArrayLike, /) -> Roster:
        """Return the members at distinct rows, in the order of these.

        Examples
        --------
        >>> Roster.from_columns(member=["ann", "bo", "cy"]).take([2, 0]).members
        Index(['cy', 'ann'])
        """
        given = _array(rows, "rows")
        if given.size and given.dtype.kind not in "iu":
            raise InvalidTypeError(message("rows", "row numbers", given.dtype.name))
        bad = (given < 0) | (given >= len(self))
        if not bad.any() and len(each_once(given)) < len(given):
            bad = np.ones(len(given), dtype=np.bool_)
            bad[np.unique(given, return_index=True)[1]] = False
        if bad.any():
            row, expected = int(np.flatnonzero(bad)[0]), f"distinct row numbers in [0, {len(self)})"
            raise InvalidValueError(
                message("rows", expected, given[row], row=row, bad=int(bad.sum()), total=len(given))
            )
        order = given.astype(np.int64)
        return self._select(order, self.members.take(order))

    def align(self, index: Index, /) -> Roster:
        """Return the roster over another index of members, such as ``log.members``.

        Of those who are not in this roster nothing is known there. A field of integers becomes one of float64 with NaN
        where someone is unknown.

        Raises
        ------
        MisalignedError
            An index is positional, and the other of another length.

        Examples
        --------
        >>> Roster.from_columns(member=["ann"], fields={"age": [30]}).align(Index(["bo", "ann"])).field("age")
        array([nan, 30.])
        """
        instance("index", index, Index, expected="an Index of members")
        if self.members.is_positional or index.is_positional:
            index.require_aligned(self.members, argument="roster")
            return self._select(np.arange(len(index)), index)
        return self._select(self.members.places_of(index).astype(np.int64), index)

    def _select(self, rows: IntArray, index: Index) -> Roster:
        """Return these rows under a new index; -1 stands for someone unknown."""
        accounts = None
        if self.accounts is not None:
            accounts = np.empty(len(self) + 1, dtype=object)
            accounts[:-1], accounts[-1] = self.accounts, ()
            accounts = frozen(accounts[rows])
        return Roster(
            members=index,
            joined_us=frozen(np.append(self.joined_us, NO_INSTANT)[rows]),
            left_us=frozen(np.append(self.left_us, NO_INSTANT)[rows]),
            fields={name: _select_field(name, field, rows, index) for name, field in self.fields.items()},
            tags={name: sets.take(rows) for name, sets in self.tags.items()},
            accounts=accounts,
        )

    # ── facts out ────────────────────────────────────────────────────────────────────────────────────────────────────

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return every column as an array of shape (n,), labels decoded, each set of tags a tuple.

        ``joined`` and ``left`` are datetime64[us] in UTC, and there only where somebody has one; accounts are left out.

        Examples
        --------
        >>> roster = Roster.from_columns(member=["ann", "bo"], tags={"interests": [{"tea"}, None]})
        >>> {name: column.tolist() for name, column in roster.to_columns().items()}
        {'member': ['ann', 'bo'], 'interests': [('tea',), ()]}
        """
        columns: dict[str, NDArray[Any]] = {"member": self.members.labels}
        for name, instants in (("joined", self.joined_us), ("left", self.left_us)):
            if (instants != NO_INSTANT).any():
                columns[name] = instants.view("M8[us]")
        columns |= {name: f.labels() if isinstance(f, Assignment) else f for name, f in self.fields.items()}
        return columns | {name: sets.to_objects() for name, sets in self.tags.items()}

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Lend the columns of `to_columns` to any library of Arrow's C interface: ``pl.DataFrame(roster)``.

        Labels are dictionaries, in order where the order means something; tags are lists, instants timestamps in UTC,
        null where not known. `requested_schema` is left aside, as it may be.

        Examples
        --------
        >>> type(Roster.from_columns(member=["ann"]).__arrow_c_stream__()).__name__
        'PyCapsule'
        """
        instants = {"joined": self.joined_us, "left": self.left_us}
        gone = {name: at_us == NO_INSTANT for name, at_us in instants.items()}
        columns = [field_of("member", self.members)]
        columns += [instants_field(name, instants[name], missing=gone[name]) for name in gone if not gone[name].all()]
        columns += [_field_of(name, field) for name, field in self.fields.items()]
        columns += [lists_field(name, tags.labels, tags.offsets) for name, tags in self.tags.items()]
        return stream_of(columns, len(self))

    def to_members(self) -> Iterator[Member]:
        """Yield one `Member` a row, with instants in UTC; when somebody left is no part of the record.

        Examples
        --------
        >>> roster = Roster.from_columns(member=["ann"], fields={"age": [30], "invited_by": ["bo"]})
        >>> ann = next(roster.to_members())
        >>> ann.id, ann.fields, ann.invited_by
        ('ann', {'age': 30}, 'bo')
        """
        fields = {name: _values(field) for name, field in self.fields.items()}
        sets = {name: tags.to_objects() for name, tags in self.tags.items()}
        for row, (member, joined) in enumerate(zip(self.members, self.joined_us.tolist(), strict=True)):
            known = {name: column[row] for name, column in fields.items() if not is_null(column[row])}
            own: dict[str, Any] = {name: known.pop(name) for name in _RECORD if name in known}
            yield Member(
                id=member,
                joined=None if joined == NO_INSTANT else from_us(joined),
                tags={name: labels for name, column in sets.items() if (labels := column[row])},
                accounts=() if self.accounts is None else self.accounts[row],
                fields=known,
                **own,
            )

    def __eq__(self, other: object) -> bool:
        """Return whether both know the same of the same members in the same order, fields and tags by name."""
        if not isinstance(other, Roster):
            return NotImplemented
        if self.members != other.members or {*self.fields} != {*other.fields} or {*self.tags} != {*other.tags}:
            return False
        pairs: list[tuple[object, object]] = [
            (self.joined_us, other.joined_us),
            (self.left_us, other.left_us),
            (self.accounts, other.accounts),
        ]
        pairs += [(field, other.fields[name]) for name, field in self.fields.items()]
        pairs += [(sets, other.tags[name]) for name, sets in self.tags.items()]
        return all(same_columns(one, another) for one, another in pairs)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show the size of the roster and what is known."""
        named = [
            f"{what}: {', '.join(names)}" for what, names in (("fields", self.fields), ("tags", self.tags)) if names
        ]
        return f"Roster({'; '.join([f'{len(self):,} members', *named])})"

    def __reduce__(self) -> tuple[Callable[..., Roster], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        fields: dict[str, Any] = {field.name: getattr(self, field.name) for field in attrs.fields(Roster)}
        return partial(Roster, **(fields | {"fields": dict(self.fields), "tags": dict(self.tags)})), ()


def _unique_members(member: object) -> Index:
    members = Index(decoded(plain_column(member)), argument="member")
    if "" in members:
        raise InvalidValueError(message("member", "labels that are not empty", "", row=members.code("")))
    return members


def _require_length(name: str, column: Any, members: Index) -> None:  # noqa: ANN401
    if len(column) != len(members):
        raise MisalignedError(
            message(name, f"as many rows as `member`, which has {len(members)}", len(column)) + " rows"
        )


def _refuse_left_before_joined(roster: Roster) -> None:
    bad = (roster.left_us < roster.joined_us) & (roster.left_us != NO_INSTANT)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        expected = f"an instant not before {from_us(roster.joined_us[row]).isoformat()}, when they joined"
        got = from_us(roster.left_us[row]).isoformat()
        raise InvalidValueError(message("left", expected, got, row=row, bad=int(bad.sum()), total=len(bad)))


def _tags(name: str, sets: object, members: Index) -> Tags:
    if not isinstance(name, str) or not name or name in _OWN:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidValueError(message("tags", f"names other than {', '.join(_OWN)}", name))
    tags = Tags.of(sets, argument=name)
    _require_length(name, tags, members)
    return tags


def _array(values: ArrayLike, argument: str) -> NDArray[Any]:
    given = plain_array(argument, values, expected="a 1-D array")
    if given.ndim != 1:
        raise InvalidValueError(message(argument, "a 1-D array", f"an array of shape {given.shape}"))
    return given


def _select_field(name: str, field: Field, rows: IntArray, index: Index) -> Field:
    if isinstance(field, Assignment):
        codes = np.append(field.codes, np.int32(-1))[rows]
        return attrs.evolve(field, members=index, codes=frozen(codes))
    if (rows >= 0).all():
        return frozen(field[rows])
    return frozen(concat_numbers([field, None], [len(field), 1], argument=name)[rows])


def _field_of(name: str, field: Field) -> ArrowField:
    if isinstance(field, Assignment):
        return labels_field(name, Coded(index=field.segments, codes=field.codes), is_ordered=field.ordered)
    return field_of(name, field)


def _values(field: Field) -> list[Any]:
    values: list[Any] = (field.labels() if isinstance(field, Assignment) else field).tolist()
    return values


# --- instants, some of them missing ---


def _instants(
    values: object, argument: str, members: Index, *, at_tz: str | None, time_unit: Literal["s", "ms", "us"] | None
) -> IntArray:
    """Read a column of instants in which missing ones become `NO_INSTANT`."""
    us = np.full(len(members), NO_INSTANT, dtype=np.int64)
    if values is None:
        return frozen(us)
    known, missing = present_rows(decoded(plain_column(values)), argument=argument)
    _require_length(argument, missing, members)
    present = np.flatnonzero(~missing)
    try:
        us[present] = to_instants(known, argument=argument, at_tz=at_tz, time_unit=time_unit).us
    except (InvalidTypeError, InvalidValueError) as error:
        faults = instant_faults(known, argument=argument, at_tz=at_tz, time_unit=time_unit)
        place = min(faults)
        told = f" at row {place} ({len(faults)} of {len(known)} rows)"
        meant = f" at row {present[place]} ({len(faults)} of {len(missing)} rows)"
        raise type(error)(str(error).replace(told, meant)) from None
    return frozen(us)
