"""What is a piece of content: of which kind, in what form, where is it shown, and how far along is it?"""

from __future__ import annotations

from types import MappingProxyType

from shequn.entities.taxonomies import Taxonomy

__all__ = ["ContentFormat", "ContentKind", "ContentStatus", "ContentSubkind", "ContentViolation", "Surface"]


class ContentKind(Taxonomy):
    """What a piece of content is for (内容类型).

    References
    ----------
    S3 §3.1, row T3 of the domain table.

    Examples
    --------
    >>> [kind.zh for kind in ContentKind]
    ['信息性', '娱乐性', '互动性', '教育性']
    """

    INFORMATIONAL = "informational", "信息性", "informational"
    ENTERTAINMENT = "entertainment", "娱乐性", "entertainment"
    INTERACTIVE = "interactive", "互动性", "interactive"
    EDUCATIONAL = "educational", "教育性", "educational"


class ContentSubkind(Taxonomy):
    """What a piece of content is for, more finely; each belongs to one `ContentKind`.

    References
    ----------
    S3 §3.1, §2.3, §1.4 and S4, row T5 of the domain table. The sources put the first twelve under their kinds; to which
    kind the six others belong is this library's choice.

    Examples
    --------
    >>> ContentSubkind.from_label("生活小窍门").kind
    <ContentKind.EDUCATIONAL: 'educational'>
    """

    INDUSTRY_NEWS = "industry_news", "行业动态", "industry news", "行业资讯"
    PRODUCT_UPDATE = "product_update", "产品更新", "product update", "产品介绍"
    PROMOTION = "promotion", "促销", "promotion"
    FUNNY_VIDEO = "funny_video", "趣味视频", "funny video"
    JOKE = "joke", "段子", "joke"
    LIGHT_TOPIC = "light_topic", "轻松话题", "light topic"
    TOPIC = "topic", "话题", "topic"
    POLL = "poll", "投票", "poll"
    QA = "qa", "问答", "questions and answers"
    EXPERTISE = "expertise", "专业知识", "expert knowledge"
    USAGE_TIP = "usage_tip", "使用技巧", "usage tip"
    LIFE_HACK = "life_hack", "生活小窍门", "life hack"
    USER_STORY = "user_story", "用户故事", "user story"
    EVENT_PREVIEW = "event_preview", "活动预告", "event preview"
    CURRENT_AFFAIRS = "current_affairs", "时事", "current affairs"
    CELEBRITY_NEWS = "celebrity_news", "明星热点", "celebrity news"
    STOCKS = "stocks", "股票", "stocks"
    CHILD_CARE = "child_care", "育婴", "child care"

    @property
    def kind(self) -> ContentKind:
        """The kind it belongs to."""
        return _KIND_OF[self]


_KIND_OF = MappingProxyType(
    {
        ContentSubkind.from_label(subkind): kind
        for kind, subkinds in (
            (ContentKind.INFORMATIONAL, "industry_news product_update promotion event_preview current_affairs stocks"),
            (ContentKind.ENTERTAINMENT, "funny_video joke light_topic celebrity_news"),
            (ContentKind.INTERACTIVE, "topic poll qa user_story"),
            (ContentKind.EDUCATIONAL, "expertise usage_tip life_hack child_care"),
        )
        for subkind in subkinds.split()
    }
)


class ContentFormat(Taxonomy):
    """What a piece of content is made of (内容形式).

    References
    ----------
    S0, S2, S3 and S4, row T4 of the domain table.

    Examples
    --------
    >>> ContentFormat.from_label("图文")
    <ContentFormat.IMAGE_TEXT: 'image_text'>
    """

    ARTICLE = "article", "文章", "article"
    TEXT = "text", "文字", "text"
    IMAGE = "image", "图片", "image"
    IMAGE_TEXT = "image_text", "图文", "image with text"
    VIDEO = "video", "视频", "video"
    SHORT_VIDEO = "short_video", "短视频", "short video"
    LIVE = "live", "直播", "live stream"
    VOICE = "voice", "语音", "voice"


class Surface(Taxonomy):
    """Where on a platform a piece of content is shown (发布位置).

    References
    ----------
    S0, S2, S3 and S4, row T4 of the domain table.

    Examples
    --------
    >>> Surface.from_label("朋友圈")
    <Surface.MOMENTS: 'moments'>
    """

    GROUP_CHAT = "group_chat", "群聊", "group chat", "群内分享"
    MOMENTS = "moments", "朋友圈", "Moments", "朋友圈图文"
    OFFICIAL_ACCOUNT = "official_account", "公众号", "official account", "公众号推文"
    FEED = "feed", "信息流", "feed"
    FORUM = "forum", "论坛", "forum"
    BLOG = "blog", "博客", "blog"


class ContentStatus(Taxonomy):
    """How far along a piece of content is (内容状态); computed by `ContentItem.status`, never stored.

    References
    ----------
    S2 and S3 §2.3 (策划、制作、发布), row K6 of the domain table.

    Examples
    --------
    >>> [status.zh for status in ContentStatus]
    ['计划中', '草稿', '待发布', '已发布', '已下线']
    """

    PLANNED = "planned", "计划中", "planned"
    DRAFT = "draft", "草稿", "draft"
    SCHEDULED = "scheduled", "待发布", "scheduled"
    PUBLISHED = "published", "已发布", "published"
    ARCHIVED = "archived", "已下线", "archived"


class ContentViolation(Taxonomy):
    """Which limit of a platform a piece of content breaks.

    References
    ----------
    S3 §7.2 (调整图片尺寸、视频时长), row K18 of the domain table.

    Examples
    --------
    >>> ContentViolation.TOO_MANY_CHARS.zh
    '字数超限'
    """

    FORMAT = "format", "形式不支持", "format not supported"
    TOO_MANY_CHARS = "too_many_chars", "字数超限", "too many characters"
    TOO_LONG = "too_long", "时长超限", "too long"
    TOO_NARROW = "too_narrow", "画面过窄", "too narrow"
    TOO_WIDE = "too_wide", "画面过宽", "too wide"
    TOO_MANY_PIXELS = "too_many_pixels", "像素超限", "too many pixels"
