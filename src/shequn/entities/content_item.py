"""What is there to post, how far along is it, and does it fit the platform?"""

from __future__ import annotations

from collections.abc import Iterable  # noqa: TC003  (who resolves the annotations of a record finds them)
from datetime import datetime  # noqa: TC003
from typing import TYPE_CHECKING, NamedTuple

import attrs

from shequn.entities._fields import Entity, aware, label
from shequn.entities._sets import label_set
from shequn.entities.content_taxonomies import (
    ContentFormat,
    ContentKind,
    ContentStatus,
    ContentSubkind,
    ContentViolation,
    Surface,
)
from shequn.entities.platform import Platform
from shequn.errors import InvalidValueError, counted, message
from shequn.stats._checks import instance, number_between, whole
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ContentItem", "Violation"]

_MOST_PIXELS = 2**31 - 1


def _id(id: str | int) -> str | int:  # noqa: A002  (the name of the field)
    return label("id", id)


def _kind(kind: ContentKind | str) -> ContentKind:
    return ContentKind.from_label(kind, argument="kind")


def _subkind(subkind: ContentSubkind | str | None) -> ContentSubkind | None:
    return None if subkind is None else ContentSubkind.from_label(subkind, argument="subkind")


def _format(format: ContentFormat | str | None) -> ContentFormat | None:  # noqa: A002  (the name of the field)
    return None if format is None else ContentFormat.from_label(format, argument="format")


def _surface(surface: Surface | str | None) -> Surface | None:
    return None if surface is None else Surface.from_label(surface, argument="surface")


def _topics(topics: Iterable[str | int]) -> tuple[str | int, ...]:
    return label_set("topics", topics)


def _author(author: str | int | None) -> str | int | None:
    return None if author is None else label("author", author)


def _created(created: datetime) -> datetime:
    return aware("created", created)


def _published(published: datetime | None) -> datetime | None:
    return None if published is None else aware("published", published)


def _archived(archived: datetime | None) -> datetime | None:
    return None if archived is None else aware("archived", archived)


def _tags(tags: Iterable[str | int]) -> tuple[str | int, ...]:
    return label_set("tags", tags)


def _quality(quality: float | None) -> float | None:
    return None if quality is None else number_between("quality", quality, 0, 1)


def _chars(chars: int | None) -> int | None:
    return None if chars is None else _at_least("chars", chars, 0)


def _seconds(seconds: float | None) -> float | None:
    return None if seconds is None else number_between("seconds", seconds, 0)


def _width(width: int | None) -> int | None:
    return None if width is None else _pixels("width", width)


def _height(height: int | None) -> int | None:
    return None if height is None else _pixels("height", height)


def _pixels(argument: str, value: object) -> int:
    read = _at_least(argument, value, 1)
    if read > _MOST_PIXELS:
        raise InvalidValueError(message(argument, f"at most {_MOST_PIXELS:,} pixels", value))
    return read


def _at_least(argument: str, value: object, least: int) -> int:
    read = whole(argument, value)
    if read < least:
        raise InvalidValueError(message(argument, f"{least} or more", value))
    return read


class Violation(NamedTuple):
    """One limit of a platform that a piece of content breaks.

    Attributes
    ----------
    code : ContentViolation
        Which.
    limit : float or tuple of ContentFormat
        What the platform allows: the most, the least, or the formats.
    value : float or ContentFormat
        What the content has.
    zh, en : str
        The same in words, for who has to mend it.

    Examples
    --------
    >>> Violation(ContentViolation.TOO_LONG, 60, 75, "时长 75 秒，上限 60 秒", "75 s, at most 60 s").code.zh
    '时长超限'
    """

    code: ContentViolation
    limit: float | tuple[ContentFormat, ...]
    value: float | ContentFormat
    zh: str
    en: str


@attrs.frozen(kw_only=True, eq=False)
class ContentItem(Entity):
    """One piece of content, from the idea to the archive (内容).

    Two items are the same when their ids are. How it did is not here: it is folded from events that carry its id.

    Parameters
    ----------
    id : str or int
        Its id.
    kind : ContentKind or str
        What it is for.
    subkind : ContentSubkind or str, optional
        The same more finely; one of `kind`.
    format : ContentFormat or str, optional
        What it is made of.
    surface : Surface or str, optional
        Where it is shown.
    topics, tags : iterable of labels, optional
        What it is about, and anything else it is marked with; each kept as a tuple in ascending order.
    author : str or int, optional
        Id of the member who made it.
    created : datetime
        When work on it begins or began; aware.
    published : datetime, optional
        When it is or was posted, not before `created`; None while nobody has set that.
    archived : datetime, optional
        When it is or was taken down or given up, after `created` and `published`.
    quality : float, optional
        Its score in [0, 1], by whatever rubric is in use.
    chars : int, optional
        Length of its text in characters.
    seconds : float, optional
        How long it plays.
    width, height : int, optional
        Size of its picture in pixels; both or neither.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used; `subkind` belongs to another kind; the instants are out of
        order; one of `width` and `height` is missing.
    UnknownLabelError
        `kind`, `subkind`, `format` or `surface` names no value.

    References
    ----------
    S3 §2.3, §3.1, §7.2, rows T3–T5, K6 and K18 of the domain table.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> item = ContentItem(
    ...     id="c7",
    ...     kind="教育性",
    ...     subkind="使用技巧",
    ...     format="短视频",
    ...     created=datetime(2024, 3, 1, tzinfo=UTC),
    ...     published=datetime(2024, 3, 8, 12, tzinfo=UTC),
    ...     seconds=75,
    ... )
    >>> item.status(datetime(2024, 3, 5, tzinfo=UTC)).zh
    '待发布'
    >>> [violation.en for violation in item.violations(Platform(id="short", max_seconds=60))]
    ['75 s, at most 60 s']
    """

    id: str | int = attrs.field(converter=_id)
    kind: ContentKind = attrs.field(converter=_kind)
    subkind: ContentSubkind | None = attrs.field(default=None, converter=_subkind)
    format: ContentFormat | None = attrs.field(default=None, converter=_format)
    surface: Surface | None = attrs.field(default=None, converter=_surface)
    topics: tuple[str | int, ...] = attrs.field(default=(), converter=_topics)
    author: str | int | None = attrs.field(default=None, converter=_author)
    created: datetime = attrs.field(converter=_created)
    published: datetime | None = attrs.field(default=None, converter=_published)
    archived: datetime | None = attrs.field(default=None, converter=_archived)
    tags: tuple[str | int, ...] = attrs.field(default=(), converter=_tags)
    quality: float | None = attrs.field(default=None, converter=_quality)
    chars: int | None = attrs.field(default=None, converter=_chars)
    seconds: float | None = attrs.field(default=None, converter=_seconds)
    width: int | None = attrs.field(default=None, converter=_width)
    height: int | None = attrs.field(default=None, converter=_height)

    def __attrs_post_init__(self) -> None:
        """Check what two fields say of each other."""
        if self.subkind is not None and self.subkind.kind is not self.kind:
            expected = (
                f"a subkind of {self.kind.value!r} ({self.subkind.value!r} belongs to {self.subkind.kind.value!r})"
            )
            raise InvalidValueError(message("subkind", expected, self.subkind.value))
        self._check_order()
        if (self.width is None) != (self.height is None):
            missing, given = ("width", "height") if self.width is None else ("height", "width")
            raise InvalidValueError(message(missing, f"a number of pixels, as for {given}", None))

    def _check_order(self) -> None:
        created_us = instant_us(self.created)
        if self.published is not None and instant_us(self.published) < created_us:
            raise InvalidValueError(
                message("published", f"an instant not before created ({self.created})", str(self.published))
            )
        if self.archived is None:
            return
        name, after = ("created", self.created) if self.published is None else ("published", self.published)
        if instant_us(self.archived) <= instant_us(after):
            raise InvalidValueError(message("archived", f"an instant after {name} ({after})", str(self.archived)))

    def status(self, as_of: datetime) -> ContentStatus:
        """Return how far along it is at an instant, as far as its own instants tell.

        Parameters
        ----------
        as_of : datetime
            The instant; aware.

        Returns
        -------
        ContentStatus
            PLANNED before `created`, then DRAFT, or SCHEDULED if `published` is set, PUBLISHED from `published` on, and
            ARCHIVED from `archived` on.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `as_of` is not an aware datetime.

        Examples
        --------
        >>> from datetime import UTC, datetime
        >>> ContentItem(id=1, kind="interactive", created=datetime(2024, 3, 1, tzinfo=UTC)).status(
        ...     datetime(2024, 2, 29, tzinfo=UTC)
        ... )
        <ContentStatus.PLANNED: 'planned'>
        """
        now_us = instant_us(as_of, argument="as_of")
        if now_us < instant_us(self.created):
            return ContentStatus.PLANNED
        if self.archived is not None and now_us >= instant_us(self.archived):
            return ContentStatus.ARCHIVED
        if self.published is None:
            return ContentStatus.DRAFT
        return ContentStatus.SCHEDULED if now_us < instant_us(self.published) else ContentStatus.PUBLISHED

    def violations(self, platform: Platform) -> tuple[Violation, ...]:
        """Return the limits of a platform that it breaks.

        Parameters
        ----------
        platform : Platform
            Where it is to be posted.

        Returns
        -------
        tuple of Violation
            In the order of `ContentViolation`; empty if it breaks none. A limit that the platform doesn't have, and one
            on something the item doesn't say, is not broken.

        Raises
        ------
        InvalidTypeError
            `platform` is not a Platform.

        References
        ----------
        S3 §7.2, row K18 of the domain table.

        Examples
        --------
        >>> from datetime import UTC, datetime
        >>> square = Platform(id="square", formats={"image"}, min_aspect=1, max_aspect=1)
        >>> drawn = datetime(2024, 3, 1, tzinfo=UTC)
        >>> wide = ContentItem(id=1, kind="interactive", format="image", created=drawn, width=1920, height=1080)
        >>> [(violation.code.value, violation.en) for violation in wide.violations(square)]
        [('too_wide', 'width ÷ height is 1.778, at most 1')]
        """
        instance("platform", platform, Platform, expected="a Platform, such as WECHAT_GROUP")
        return tuple(self._broken(platform))

    def _broken(self, platform: Platform) -> Iterator[Violation]:
        if self.format is not None and platform.formats is not None and self.format not in platform.formats:
            zh, en = ("、".join(f.zh for f in platform.formats), ", ".join(f.en for f in platform.formats))
            yield Violation(
                ContentViolation.FORMAT,
                platform.formats,
                self.format,
                f"形式为{self.format.zh}，支持：{zh}",
                f"{self.format.en}, where there may be: {en}",
            )
        if self.chars is not None and platform.max_chars is not None and self.chars > platform.max_chars:
            yield Violation(
                ContentViolation.TOO_MANY_CHARS,
                platform.max_chars,
                self.chars,
                f"{self.chars:,} 字，上限 {platform.max_chars:,} 字",
                f"{counted(self.chars, 'character')}, at most {platform.max_chars:,}",
            )
        if self.seconds is not None and platform.max_seconds is not None and self.seconds > platform.max_seconds:
            yield Violation(
                ContentViolation.TOO_LONG,
                platform.max_seconds,
                self.seconds,
                f"时长 {self.seconds:g} 秒，上限 {platform.max_seconds:g} 秒",
                f"{self.seconds:g} s, at most {platform.max_seconds:g} s",
            )
        if self.width is not None and self.height is not None:
            yield from _broken_by_picture(self.width, self.height, platform)


def _broken_by_picture(width: int, height: int, platform: Platform) -> Iterator[Violation]:
    aspect, pixels = width / height, width * height
    if platform.min_aspect is not None and aspect < platform.min_aspect:
        yield _of_aspect(ContentViolation.TOO_NARROW, aspect, platform.min_aspect, "下限", "at least")
    if platform.max_aspect is not None and aspect > platform.max_aspect:
        yield _of_aspect(ContentViolation.TOO_WIDE, aspect, platform.max_aspect, "上限", "at most")
    if platform.max_pixels is not None and pixels > platform.max_pixels:
        yield Violation(
            ContentViolation.TOO_MANY_PIXELS,
            platform.max_pixels,
            pixels,
            f"{pixels:,} 像素，上限 {platform.max_pixels:,} 像素",
            f"{counted(pixels, 'pixel')}, at most {platform.max_pixels:,}",
        )


def _of_aspect(code: ContentViolation, aspect: float, limit: float, zh: str, en: str) -> Violation:
    return Violation(
        code,
        limit,
        aspect,
        f"宽高比 {aspect:.4g}，{zh} {limit:.4g}",
        f"width ÷ height is {aspect:.4g}, {en} {limit:.4g}",
    )
