"""Whose community is it, where and since when does it live, and what does it count days and money in?"""

from __future__ import annotations

from collections.abc import Iterable  # noqa: TC003  (who resolves the annotations of a record finds them)
from datetime import date, datetime, tzinfo

import attrs

from shequn.entities._fields import Entity, aware, label, records, text
from shequn.entities.platform import Platform
from shequn.entities.size import OPTIMAL_SIZE, SizeBand, size_band_of
from shequn.entities.taxonomies import CommunityType
from shequn.values import Money
from shequn.values.zones import zone, zone_name

__all__ = ["Community"]


def _id(id: str | int) -> str | int:  # noqa: A002  (the name of the field)
    return label("id", id)


def _name(name: str) -> str:
    return text("name", name)


def _type(type: CommunityType | str) -> CommunityType:  # noqa: A002  (the name of the field)
    return CommunityType.from_label(type, argument="type")


def _created(created: datetime) -> datetime:
    return aware("created", created)


def _tz(tz: str | tzinfo) -> str:
    return zone_name(tz)


def _currency(currency: str) -> str:
    return Money(0, currency).currency


def _platforms(platforms: Iterable[Platform]) -> tuple[Platform, ...]:
    return records("platforms", Platform, platforms)


def _positioning(positioning: str | None) -> str | None:
    return None if positioning is None else text("positioning", positioning)


@attrs.frozen(kw_only=True, eq=False)
class Community(Entity):
    """The whole community of a brand (社群), in one group or in thousands; it has no cap, its groups do.

    Two communities are the same when their ids are.

    Parameters
    ----------
    id : str or int
        Its id.
    name : str
        Its name.
    type : CommunityType or str
        What holds it together: one of the eight types, or a name of one.
    created : datetime
        When it began; aware.
    tz : str or tzinfo
        Time zone whose calendar it lives by; kept as its name.
    currency : str
        ISO 4217 code of what it trades in.
    platforms : iterable of Platform, optional
        Where it lives.
    positioning : str, optional
        For whom it is there, and with what, in a sentence (定位).
    size_band : SizeBand, default `OPTIMAL_SIZE`
        Size at which its groups should work.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used; a platform stands twice.
    UnknownLabelError
        `type` or `tz` is unknown.

    References
    ----------
    S1 §一, row T1 and §2 of the domain table.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> club = Community(
    ...     id="c1",
    ...     name="读书会",
    ...     type="知识型",
    ...     created=datetime(2024, 3, 1, tzinfo=UTC),
    ...     tz="Asia/Shanghai",
    ...     currency="CNY",
    ... )
    >>> club.type, club.size_band
    (<CommunityType.KNOWLEDGE: 'knowledge'>, SizeBand(lo=26, hi=36))
    """

    id: str | int = attrs.field(converter=_id)
    name: str = attrs.field(converter=_name)
    type: CommunityType = attrs.field(converter=_type)
    created: datetime = attrs.field(converter=_created)
    tz: str = attrs.field(converter=_tz)
    currency: str = attrs.field(converter=_currency)
    platforms: tuple[Platform, ...] = attrs.field(default=(), converter=_platforms)
    positioning: str | None = attrs.field(default=None, converter=_positioning)
    size_band: SizeBand = attrs.field(default=OPTIMAL_SIZE, converter=size_band_of)

    def local_date(self, at: datetime) -> date:
        """Return the calendar day of an instant where the community lives, as `Group.cap_at` wants it.

        Parameters
        ----------
        at : datetime
            The instant; aware.

        Raises
        ------
        InvalidTypeError
            `at` is no datetime.
        InvalidValueError
            `at` is naive.

        Examples
        --------
        >>> from datetime import UTC, datetime
        >>> new_year = datetime(2024, 12, 31, 16, tzinfo=UTC)
        >>> Community(
        ...     id="c1", name="读书会", type="knowledge", created=new_year, tz="Asia/Shanghai", currency="CNY"
        ... ).local_date(new_year)
        datetime.date(2025, 1, 1)
        """
        there = aware("at", at).astimezone(zone(self.tz))
        return date(there.year, there.month, there.day)
