"""Who is this person in the community, who brought them, and what is known of them?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping  # noqa: TC003  (who resolves the annotations of a record finds them)
from datetime import datetime  # noqa: TC003

import attrs

from shequn._doors import Doors
from shequn.entities._fields import EMPTY, Entity, aware, label, records, tag_sets, text, values
from shequn.errors import InvalidValueError, message

__all__ = ["Account", "Member"]


def _platform(platform: str | int) -> str | int:
    return label("platform", platform)


def _handle(handle: str) -> str:
    return text("handle", handle)


@attrs.frozen(kw_only=True)
class Account(Doors):
    """What a person is called on a platform (账号).

    Parameters
    ----------
    platform : str or int
        Id of the platform.
    handle : str
        The name, unique on that platform.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used.

    Examples
    --------
    >>> Account(platform="weibo", handle="@ann")
    Account(platform='weibo', handle='@ann')
    """

    platform: str | int = attrs.field(converter=_platform)
    handle: str = attrs.field(converter=_handle)


# The first condition of each is the common case, spelt out to spare a call for each of many members.


def _id(id: str | int) -> str | int:  # noqa: A002  (the name of the field)
    return id if type(id) is str and id else label("id", id)


def _community(community: str | int | None) -> str | int | None:
    return community if community is None or (type(community) is str and community) else label("community", community)


def _joined(joined: datetime | None) -> datetime | None:
    return None if joined is None else aware("joined", joined)


def _invited_by(invited_by: str | int | None) -> str | int | None:
    return (
        invited_by
        if invited_by is None or (type(invited_by) is str and invited_by)
        else label("invited_by", invited_by)
    )


def _tags(tags: Mapping[str, Iterable[str | int]]) -> Mapping[str, tuple[str | int, ...]]:
    return EMPTY if tags is EMPTY else tag_sets("tags", tags)


_NO_ACCOUNTS: tuple[Account, ...] = ()


def _accounts(accounts: Iterable[Account]) -> tuple[Account, ...]:
    return () if accounts is _NO_ACCOUNTS else records("accounts", Account, accounts)


def _fields(fields: Mapping[str, object]) -> Mapping[str, object]:
    return EMPTY if fields is EMPTY else values("fields", fields)


@attrs.frozen(kw_only=True, eq=False)
class Member(Entity):
    """One person in one community (成员).

    Two members are the same when their ids are. Roles, tiers, balances and activity are not here: they are folded
    from events as of an instant.

    Parameters
    ----------
    id : str or int
        Their id.
    community : str or int, optional
        Id of the community; may be left out where there is one only.
    joined : datetime, optional
        When they joined the community, if that is known; aware.
    invited_by : str or int, optional
        Id of the member who brought them.
    tags : mapping of str to a set of labels, optional
        Named sets, such as ``{"interests": {"tea", "hiking"}}``; each is kept as a tuple in ascending order.
    accounts : iterable of Account, optional
        What they are called where.
    fields : mapping of str to a value, optional
        Anything else that is known: city, age. Each value is one text, number or date.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used; `invited_by` is the member themself; an account stands twice.

    Examples
    --------
    >>> ann = Member(id="ann", tags={"interests": {"tea", "hiking"}}, fields={"city": "上海"})
    >>> ann.tags["interests"], ann.fields["city"]
    (('hiking', 'tea'), '上海')
    >>> from datetime import datetime
    >>> Member(id="bo", joined=datetime(2024, 1, 1))
    Traceback (most recent call last):
    ...
    shequn.errors.InvalidValueError: joined: expected an aware datetime, got datetime.datetime(2024, 1, 1, 0, 0)
    """

    id: str | int = attrs.field(converter=_id)
    community: str | int | None = attrs.field(default=None, converter=_community)
    joined: datetime | None = attrs.field(default=None, converter=_joined)
    invited_by: str | int | None = attrs.field(default=None, converter=_invited_by)
    tags: Mapping[str, tuple[str | int, ...]] = attrs.field(default=EMPTY, converter=_tags)
    accounts: tuple[Account, ...] = attrs.field(default=_NO_ACCOUNTS, converter=_accounts)
    fields: Mapping[str, object] = attrs.field(default=EMPTY, converter=_fields)

    def __attrs_post_init__(self) -> None:
        """Check what two fields say of each other."""
        if self.invited_by == self.id:
            raise InvalidValueError(message("invited_by", "another member than the one themself", self.invited_by))
