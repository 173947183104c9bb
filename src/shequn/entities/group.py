"""How many people fit into a group, when will it be full, and from which group does it descend?"""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

import attrs

from shequn.entities._fields import Entity, aware, label, text
from shequn.entities.platform import Platform
from shequn.entities.size import OPTIMAL_SIZE, SizeBand, size_band_of
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError, message, suggest
from shequn.stats._checks import items_of, plain, whole
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Group", "group_roots"]

_LAST_DAY = date.max.toordinal()


def _id(id: str | int) -> str | int:  # noqa: A002  (the name of the field)
    return label("id", id)


def _community(community: str | int) -> str | int:
    return label("community", community)


def _platform(platform: Platform) -> Platform:
    if not isinstance(platform, Platform):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("platform", "a Platform, such as WECHAT_GROUP", platform))
    return platform


def _name(name: str) -> str:
    return text("name", name)


def _created(created: datetime) -> datetime:
    return aware("created", created)


def _closed(closed: datetime | None) -> datetime | None:
    return None if closed is None else aware("closed", closed)


def _parent(parent: str | int | None) -> str | int | None:
    return None if parent is None else label("parent", parent)


@attrs.frozen(kw_only=True, eq=False)
class Group(Entity):
    """One chat group of a community on one platform (群); a community that grows is a chain of them.

    Two groups are the same when their ids are. Who is in it is not here: it is folded from join and leave events.

    Parameters
    ----------
    id : str or int
        Its id.
    community : str or int
        Id of the community it belongs to.
    platform : Platform
        Where it is, and so how many people it may have.
    name : str
        Its name.
    created : datetime
        When it was opened; aware.
    closed : datetime, optional
        When it was closed, after `created`; None while it is open.
    size_band : SizeBand, default `OPTIMAL_SIZE`
        Size at which it should work.
    parent : str or int, optional
        Id of the group it was split from, see `group_roots`.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used; `closed` is not after `created`; `parent` is the group itself.

    References
    ----------
    S1 §三(五), rows N1–N3 of the domain table.

    Examples
    --------
    >>> from datetime import UTC, date, datetime
    >>> from shequn.entities import WECHAT_GROUP
    >>> group = Group(
    ...     id="g7", community="c1", platform=WECHAT_GROUP, name="七群", created=datetime(2024, 3, 1, tzinfo=UTC)
    ... )
    >>> group.cap_at(date(2025, 1, 1)), group.headroom(480, on=date(2025, 1, 1))
    (500, 20)
    >>> group.full_on(480, growth_per_day=1.5, as_of=date(2025, 1, 1))
    datetime.date(2025, 1, 15)
    """

    id: str | int = attrs.field(converter=_id)
    community: str | int = attrs.field(converter=_community)
    platform: Platform = attrs.field(converter=_platform)
    name: str = attrs.field(converter=_name)
    created: datetime = attrs.field(converter=_created)
    closed: datetime | None = attrs.field(default=None, converter=_closed)
    size_band: SizeBand = attrs.field(default=OPTIMAL_SIZE, converter=size_band_of)
    parent: str | int | None = attrs.field(default=None, converter=_parent)

    def __attrs_post_init__(self) -> None:
        """Check what two fields say of each other."""
        if self.closed is not None and instant_us(self.closed) <= instant_us(self.created):
            raise InvalidValueError(message("closed", f"an instant after created ({self.created})", self.closed))
        if self.parent == self.id:
            raise InvalidValueError(message("parent", "another group than itself", self.parent))

    def cap_at(self, on: date) -> int | None:
        """Return the most members the group may have on a day, None for no cap.

        Parameters
        ----------
        on : date
            The calendar day, in the community's time zone (`Community.local_date`).

        Raises
        ------
        InvalidTypeError
            `on` is not a plain date.
        UnknownLabelError
            `on` lies before the first cap that is known of the platform.

        Examples
        --------
        >>> from datetime import UTC, date, datetime
        >>> from shequn.entities import QQ_GROUP
        >>> group = Group(id=1, community=1, platform=QQ_GROUP, name="一群", created=datetime(2024, 3, 1, tzinfo=UTC))
        >>> group.cap_at(date(2025, 1, 1))
        2000
        """
        return self.platform.cap_at(on)

    def headroom(self, n: int, *, on: date) -> int | None:
        """Return how many more members fit in, given that `n` are in.

        Parameters
        ----------
        n : int
            Members now, 0 or more.
        on : date
            The calendar day, in the community's time zone.

        Returns
        -------
        int or None
            ``cap - n``: negative where the group is over its cap, None for no cap.

        Raises
        ------
        InvalidTypeError, InvalidValueError, UnknownLabelError
            `n` is not a count, or `on` as in `cap_at`.

        Examples
        --------
        >>> from datetime import UTC, date, datetime
        >>> from shequn.entities import QQ_GROUP
        >>> group = Group(id=1, community=1, platform=QQ_GROUP, name="一群", created=datetime(2024, 3, 1, tzinfo=UTC))
        >>> group.headroom(1_990, on=date(2025, 1, 1))
        10
        """
        members, cap = _count(n), self.cap_at(on)
        return None if cap is None else cap - members

    def utilisation(self, n: int, *, on: date) -> float | None:
        """Return which share of the cap is taken when `n` members are in.

        Parameters
        ----------
        n : int
            Members now, 0 or more.
        on : date
            The calendar day, in the community's time zone.

        Returns
        -------
        float or None
            ``n / cap``: above 1 where the group is over its cap, None for no cap.

        Raises
        ------
        InvalidTypeError, InvalidValueError, UnknownLabelError
            `n` is not a count, or `on` as in `cap_at`.

        Examples
        --------
        >>> from datetime import UTC, date, datetime
        >>> from shequn.entities import QQ_GROUP
        >>> group = Group(id=1, community=1, platform=QQ_GROUP, name="一群", created=datetime(2024, 3, 1, tzinfo=UTC))
        >>> group.utilisation(500, on=date(2025, 1, 1))
        0.25
        """
        members, cap = _count(n), self.cap_at(on)
        return None if cap is None else members / cap

    def full_on(self, n: int, *, growth_per_day: float, as_of: date) -> date | None:
        """Return the day on which the group is predicted to be full.

        Parameters
        ----------
        n : int
            Members at `as_of`, 0 or more.
        growth_per_day : int, float or Fraction
            Members gained a day, joins less leaves.
        as_of : date
            The calendar day of `n`, in the community's time zone.

        Returns
        -------
        date or None
            The first day, `as_of` or later, on which the group has as many members as its cap. None where that
            never comes: there is no cap, the group has room and does not grow, or the day lies after the year 9999.

        Raises
        ------
        InvalidTypeError, InvalidValueError, UnknownLabelError
            `n` is not a count, `growth_per_day` not a finite number, or `as_of` as in `cap_at`.

        Notes
        -----
        The first d with ``n + growth_per_day * (d - as_of) >= cap(d)``, in exact arithmetic. A cap that is dated
        after `as_of` counts from its date on.

        References
        ----------
        S1 §三(五), row N1 of the domain table.

        Examples
        --------
        >>> from datetime import UTC, date, datetime
        >>> from shequn.entities import WECHAT_GROUP
        >>> opened = datetime(2024, 3, 1, tzinfo=UTC)
        >>> group = Group(id=1, community=1, platform=WECHAT_GROUP, name="一群", created=opened)
        >>> group.full_on(490, growth_per_day=3, as_of=date(2025, 1, 1))
        datetime.date(2025, 1, 5)
        >>> group.full_on(490, growth_per_day=-1, as_of=date(2025, 1, 1)) is None
        True
        """
        members, growth = _count(n), _growth(growth_per_day)
        for first, last, cap in _caps_from(self.platform, as_of):
            days = first
            if growth > 0:
                days = max(first, math.ceil((cap - members) / growth))
            if days <= last and members + growth * days >= cap:
                return as_of + timedelta(days=days)
        return None


def _caps_from(platform: Platform, as_of: date) -> Iterator[tuple[int, int, int]]:
    """Yield the caps in force from a day on, each with its first and last day counted from there."""
    if isinstance(as_of, datetime) or not isinstance(as_of, date):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("as_of", "a date without a time of day", as_of))
    cap = platform.cap_at(as_of)
    if platform.caps is None or cap is None:
        return
    first = 0
    today = as_of.toordinal()
    for since, next_cap in platform.caps.steps:
        if since is not None and since > as_of:
            yield first, since.toordinal() - today - 1, cap
            first, cap = since.toordinal() - today, next_cap
    yield first, _LAST_DAY - today, cap


def _count(n: int) -> int:
    members = whole("n", n)
    if members < 0:
        raise InvalidValueError(message("n", "a number of members >= 0", n))
    return members


def _growth(growth_per_day: float) -> Fraction:
    number = plain(growth_per_day)
    if isinstance(number, bool) or not isinstance(number, int | float | Fraction):
        raise InvalidTypeError(message("growth_per_day", "a number", growth_per_day))
    if isinstance(number, float) and not math.isfinite(number):
        raise InvalidValueError(message("growth_per_day", "a finite number", growth_per_day))
    return Fraction(number)


def group_roots(groups: Iterable[Group], /) -> dict[str | int, str | int]:
    """Return the group from which each group of a chain descends, and so check that every chain of parents ends.

    Parameters
    ----------
    groups : iterable of Group
        All groups of a community, parents included.

    Returns
    -------
    dict of id to id
        In the order given; a group without a parent is its own root.

    Raises
    ------
    UnknownLabelError
        A parent is not among the groups.
    InvalidValueError
        A group stands twice, or some groups are each other's ancestors.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from shequn.entities import WECHAT_GROUP
    >>> opened = datetime(2024, 3, 1, tzinfo=UTC)
    >>> first = Group(id="g1", community="c1", platform=WECHAT_GROUP, name="一群", created=opened)
    >>> second = attrs.evolve(first, id="g2", name="二群", parent="g1")
    >>> group_roots([first, second])
    {'g1': 'g1', 'g2': 'g1'}
    """
    parent_of = _parents(groups)
    root_of: dict[str | int, str | int] = {}
    for group in parent_of:
        path = _path_up(group, parent_of, root_of)
        root = root_of.get(path[-1], path[-1])
        root_of.update(dict.fromkeys(path, root))
    return {group: root_of[group] for group in parent_of}


def _parents(groups: Iterable[Group]) -> dict[str | int, str | int | None]:
    parent_of: dict[str | int, str | int | None] = {}
    for row, group in enumerate(items_of("groups", groups, expected="Group records")):
        if not isinstance(group, Group):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("groups", "Group records", group, row=row))
        if group.id in parent_of:
            raise InvalidValueError(message("groups", "each group once", group.id, row=row))
        parent_of[group.id] = group.parent
    for row, parent in enumerate(parent_of.values()):
        if parent is not None and parent not in parent_of:
            expected = f"one of the {len(parent_of)} groups, or None"
            raise UnknownLabelError(message("parent", expected, parent, row=row) + suggest(parent, parent_of))
    return parent_of


def _path_up(
    group: str | int, parent_of: dict[str | int, str | int | None], root_of: dict[str | int, str | int]
) -> list[str | int]:
    """Return a group and its ancestors, up to one without a parent or with a known root."""
    path = {group: None}
    at = group
    while at not in root_of and (parent := parent_of[at]) is not None:
        if parent in path:
            cycle = [*list(path)[list(path).index(parent) :], parent]
            raise InvalidValueError(message("parent", "chains of parents that end", " -> ".join(map(str, cycle))))
        path[parent] = None
        at = parent
    return list(path)
