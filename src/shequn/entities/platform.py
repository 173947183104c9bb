"""Where does a community live, how many people may a group have there on a day, and what may be posted?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TypeAlias

import attrs

from shequn.entities._fields import Entity, label, text
from shequn.entities._sets import taxa
from shequn.entities.content_taxonomies import ContentFormat
from shequn.entities.taxonomies import Openness, PlatformBreadth
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import number_between, whole
from shequn.values import Dated

__all__ = ["QQ_GROUP", "WECHAT_CAP_STEPS", "WECHAT_GROUP", "WEIBO", "Platform", "wechat_group"]

Caps: TypeAlias = int | Mapping[date | None, int] | Dated[int] | None


def _id(id: str | int) -> str | int:  # noqa: A002  (the name of the field)
    return label("id", id)


def _zh(zh: str) -> str:
    return text("zh", zh)


def _en(en: str) -> str:
    return text("en", en)


def _source(source: str | None) -> str | None:
    return None if source is None else text("source", source)


def _breadth(breadth: PlatformBreadth | str | None) -> PlatformBreadth | None:
    return None if breadth is None else PlatformBreadth.from_label(breadth, argument="breadth")


def _openness(openness: Openness | str | None) -> Openness | None:
    return None if openness is None else Openness.from_label(openness, argument="openness")


def _caps(caps: Caps) -> Dated[int] | None:
    if caps is None:
        return None
    if isinstance(caps, Dated):
        dated = caps
    elif isinstance(caps, Mapping):
        dated = Dated(caps)
    else:
        dated = Dated[int].always(caps)
    whole_caps = tuple((since, whole("caps", cap)) for since, cap in dated.steps)
    for _, cap in whole_caps:
        if cap < 1:
            raise InvalidValueError(message("caps", "caps of 1 member or more", cap))
    return Dated(whole_caps)


def _formats(formats: Iterable[ContentFormat | str] | None) -> tuple[ContentFormat, ...] | None:
    return None if formats is None else taxa("formats", ContentFormat, formats)


def _max_chars(max_chars: int | None) -> int | None:
    return None if max_chars is None else _positive("max_chars", max_chars)


def _max_seconds(max_seconds: float | None) -> float | None:
    return None if max_seconds is None else number_between("max_seconds", max_seconds, 0, excluding="least")


def _min_aspect(min_aspect: float | None) -> float | None:
    return None if min_aspect is None else number_between("min_aspect", min_aspect, 0, excluding="least")


def _max_aspect(max_aspect: float | None) -> float | None:
    return None if max_aspect is None else number_between("max_aspect", max_aspect, 0, excluding="least")


def _max_pixels(max_pixels: int | None) -> int | None:
    return None if max_pixels is None else _positive("max_pixels", max_pixels)


def _positive(argument: str, value: object) -> int:
    read = whole(argument, value)
    if read < 1:
        raise InvalidValueError(message(argument, "1 or more, or None", value))
    return read


def _id_as_text(platform: Platform) -> str:
    return str(platform.id)


@attrs.frozen(kw_only=True, eq=False)
class Platform(Entity):
    """A place where groups live (平台): who can see them, and how many people one may have.

    The catalogue is open: a platform of your own is a record like the ones given here. Two platforms are the same
    when their ids are.

    Parameters
    ----------
    id : str or int
        Its id.
    zh, en : str, optional
        Its Chinese and English name; the id by default.
    breadth : PlatformBreadth or str, optional
        For everybody or for a niche.
    openness : Openness or str, optional
        A private circle or public.
    caps : int, mapping of date to int, or Dated, optional
        Most members a group may have: one number, or numbers with the first day each holds (None, for the first, is
        since ever). None stands for no cap.
    formats : iterable of ContentFormat or str, optional
        What content may be made of; None for anything.
    max_chars : int, optional
        Most characters a text may have.
    max_seconds : float, optional
        Longest that content may play.
    min_aspect, max_aspect : float, optional
        Least and most that the width of a picture may be over its height: 9 / 16 for an upright one.
    max_pixels : int, optional
        Most pixels of a picture, width by height.
    source : str, optional
        Where the figures come from.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used; a cap is below 1; `min_aspect` is above `max_aspect`.
    UnknownLabelError
        `breadth`, `openness` or a format names no value.

    References
    ----------
    Rows N1, N2, N15, T11 and K18 of the domain table. The sources give no limits on content, so the platforms given
    here have none: set those of the day with `attrs.evolve`.

    Examples
    --------
    >>> forum = Platform(id="forum", zh="自建论坛", openness="public", caps=10_000)
    >>> forum.cap_at(date(2025, 1, 1))
    10000
    >>> QQ_GROUP.cap_at(date(2025, 1, 1)), WEIBO.cap_at(date(2025, 1, 1))
    (2000, None)
    """

    id: str | int = attrs.field(converter=_id)
    zh: str = attrs.field(default=attrs.Factory(_id_as_text, takes_self=True), converter=_zh)
    en: str = attrs.field(default=attrs.Factory(_id_as_text, takes_self=True), converter=_en)
    breadth: PlatformBreadth | None = attrs.field(default=None, converter=_breadth)
    openness: Openness | None = attrs.field(default=None, converter=_openness)
    caps: Dated[int] | None = attrs.field(default=None, converter=_caps)
    formats: tuple[ContentFormat, ...] | None = attrs.field(default=None, converter=_formats)
    max_chars: int | None = attrs.field(default=None, converter=_max_chars)
    max_seconds: float | None = attrs.field(default=None, converter=_max_seconds)
    min_aspect: float | None = attrs.field(default=None, converter=_min_aspect)
    max_aspect: float | None = attrs.field(default=None, converter=_max_aspect)
    max_pixels: int | None = attrs.field(default=None, converter=_max_pixels)
    source: str | None = attrs.field(default=None, converter=_source)

    def __attrs_post_init__(self) -> None:
        """Check the order of the ends."""
        if self.min_aspect is not None and self.max_aspect is not None and self.min_aspect > self.max_aspect:
            raise InvalidValueError(message("min_aspect", f"at most max_aspect ({self.max_aspect:g})", self.min_aspect))

    def cap_at(self, on: date) -> int | None:
        """Return the most members a group may have on a day, None for no cap.

        Parameters
        ----------
        on : date
            The calendar day, in the community's time zone.

        Raises
        ------
        InvalidTypeError
            `on` is not a plain date.
        UnknownLabelError
            `on` lies before the first cap that is known.

        Examples
        --------
        >>> forum = Platform(id="forum", caps={None: 100, date(2025, 1, 1): 300})
        >>> forum.cap_at(date(2024, 12, 31)), forum.cap_at(date(2025, 1, 1))
        (100, 300)
        """
        return None if self.caps is None else self.caps.at(on)


WECHAT_CAP_STEPS = (40, 200, 500)
"""Caps of a WeChat group (微信群上限) in their order; the source gives no dates. S1 §三(五), row N1 of the table."""


def wechat_group(*, dates: tuple[date, date]) -> Platform:
    """Return the WeChat group (微信群) with the dates on which its cap was raised, for who looks at old groups.

    Parameters
    ----------
    dates : tuple of two dates
        The first day of the cap of 200 and the first day of the cap of 500. The source gives none, so the caller
        supplies them.

    Returns
    -------
    Platform
        Equal to `WECHAT_GROUP`, since it has the same id, with dated caps.

    Raises
    ------
    InvalidTypeError
        A date is none, or has a time of day.
    InvalidValueError
        There are not two dates, or the second is not after the first.

    References
    ----------
    S1 §三(五), row N1 of the domain table.

    Examples
    --------
    >>> old = wechat_group(dates=(date(2012, 5, 1), date(2013, 8, 1)))
    >>> [old.cap_at(date(year, 6, 1)) for year in (2011, 2012, 2014)]
    [40, 200, 500]
    """
    if not isinstance(dates, tuple | list):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("dates", "two dates", dates))
    if len(dates) != len(WECHAT_CAP_STEPS) - 1:
        raise InvalidValueError(message("dates", "the first days of the caps of 200 and of 500", dates))
    if None in dates:
        raise InvalidTypeError(message("dates", "two dates", dates))
    return attrs.evolve(WECHAT_GROUP, caps=Dated(tuple(zip((None, *dates), WECHAT_CAP_STEPS, strict=True))))


WECHAT_GROUP = Platform(
    id="wechat_group",
    zh="微信群",
    en="WeChat group",
    breadth=PlatformBreadth.MASS,
    openness=Openness.PRIVATE,
    caps=WECHAT_CAP_STEPS[-1],
    source="S1 §三(五): 40, 200, 500 in this order",
)
"""WeChat group (微信群), with the latest cap of 500. S1 §三(五), rows N1 and T11 of the domain table."""

QQ_GROUP = Platform(
    id="qq_group",
    zh="QQ群",
    en="QQ group",
    breadth=PlatformBreadth.MASS,
    caps=2_000,
    source="S1 §三(五)",
)
"""QQ group (QQ群), cap 2,000. S1 §三(五), rows N2 and T11 of the domain table."""

WEIBO = Platform(
    id="weibo",
    zh="微博",
    en="Weibo",
    breadth=PlatformBreadth.MASS,
    openness=Openness.PUBLIC,
    source="S1",
)
"""Weibo (微博), a public circle without a cap. S1, row T11 of the domain table."""
