"""Who is talked to, who is held out, and why is everybody else left out? The answer of `audience`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, codes_column, frozen, read_only_or_none
from shequn.columns.table import Column, Tabular
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import MisalignedError, message
from shequn.labels import Assignment, Index
from shequn.stats._checks import instance, one_of
from shequn.values.instants import from_us

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["REASON_CODE", "Audience", "AudienceReason", "AudienceRow"]


class AudienceReason(Taxonomy):
    """Why a member is in an audience, held out of it, or left out.

    Examples
    --------
    >>> AudienceReason.HELD_OUT.zh, AudienceReason.from_label("超出名额")
    ('对照', <AudienceReason.OVER_LIMIT: 'over_limit'>)
    """

    TREATED = "treated", "触达", "treated"
    HELD_OUT = "held_out", "对照", "held out"
    OVER_LIMIT = "over_limit", "超出名额", "over the limit"
    UNKNOWN_SCORE = "unknown_score", "分数未知", "score unknown"
    UNKNOWN = "unknown", "信息不足", "unknown to the rule"
    NOT_SELECTED = "not_selected", "未选中", "not selected"


_REASONS = tuple(AudienceReason)
REASON_CODE = {reason: np.int8(code) for code, reason in enumerate(_REASONS)}


class AudienceRow(NamedTuple):
    """One member of an `Audience`.

    Attributes
    ----------
    member : str or int
    reason : AudienceReason
        Treated, held out, or why left out.
    score : int or float
        NaN where it is unknown or none was given.

    Examples
    --------
    >>> AudienceRow(member="ann", reason=AudienceReason.TREATED, score=30).reason.zh
    '触达'
    """

    member: Label
    reason: AudienceReason
    score: float


def _reason_codes(codes: ArrayLike) -> NDArray[np.int8]:
    return codes_column("codes", codes, len(_REASONS), of="reasons")


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Audience(Tabular[AudienceRow]):
    """Who is treated, who is held out, and who is left out and why; made by `audience`.

    Attributes
    ----------
    members : Index
        The n members of the roster.
    codes : ndarray of int8, shape (n,)
        The reason of each, as its position in `AudienceReason`.
    score : ndarray of int64 or float64, shape (n,), or None
        What ranked them.
    limit : int or None
        How many there was room for, those held out included.
    holdout : float
        Share that was to be held out.
    as_of_us : int
        The instant of the question, in microseconds since 1970-01-01T00:00Z.

    Examples
    --------
    >>> import pendulum
    >>> import shequn as sq
    >>> from shequn.segmentation import audience
    >>> roster = sq.Roster.from_columns(member=[f"u{n}" for n in range(40)])
    >>> mask = np.arange(40) < 25
    >>> chosen = audience(mask, roster, as_of=pendulum.datetime(2024, 5, 1), limit=20, holdout=0.1, rng=7)
    >>> print(chosen)
    Audience as of 2024-05-01 00:00 UTC
    reason          members  share
    ──────────────────────────────
    treated              18  45.0%
    held out              2   5.0%
    over the limit        5  12.5%
    not selected         15  37.5%
    >>> print(chosen.table(lang="zh").splitlines()[0])
    截至 2024-05-01 00:00 UTC 的人群
    """

    members: Index
    codes: NDArray[np.int8] = attrs.field(converter=_reason_codes)
    score: NDArray[Any] | None = attrs.field(default=None, converter=read_only_or_none)
    limit: int | None = None
    holdout: float = 0.0
    as_of_us: int

    _Row: ClassVar[type[Any] | None] = AudienceRow

    def __attrs_post_init__(self) -> None:
        """Check lengths."""
        instance("members", self.members, Index, expected="an Index")
        for name, column in (("codes", self.codes), ("score", self.score)):
            if column is not None and column.shape != (len(self.members),):
                expected = f"one entry for each of the {len(self.members)} members"
                raise MisalignedError(message(name, expected, column.shape))

    def __len__(self) -> int:
        """Return the number of members of the roster."""
        return len(self.members)

    @property
    def treated(self) -> BoolArray:
        """Whom to talk to, shape (n,)."""
        return self._are(AudienceReason.TREATED)

    @property
    def held_out(self) -> BoolArray:
        """Whom to leave alone to compare with, shape (n,)."""
        return self._are(AudienceReason.HELD_OUT)

    @property
    def left_out(self) -> BoolArray:
        """Everybody else, shape (n,)."""
        return frozen(self.codes > REASON_CODE[AudienceReason.HELD_OUT])

    def _are(self, reason: AudienceReason) -> BoolArray:
        return frozen(self.codes == REASON_CODE[reason])

    @property
    def assignment(self) -> Assignment:
        """The arm of each member, ``treated``, ``held_out`` or ``left_out``, as every ``by=`` takes it."""
        arms = Index([AudienceReason.TREATED.value, AudienceReason.HELD_OUT.value, "left_out"])
        return Assignment(members=self.members, codes=np.minimum(self.codes, 2).astype(np.int32), segments=arms)

    @property
    def sizes(self) -> dict[AudienceReason, int]:
        """How many members there are of each reason, also of none."""
        counts = np.bincount(self.codes, minlength=len(_REASONS))
        return dict(zip(_REASONS, counts.tolist(), strict=True))

    def reason(self, member: Label, /) -> AudienceReason:
        """Return why a member is in the audience or not.

        Raises
        ------
        UnknownLabelError
            There is no such member.

        Examples
        --------
        >>> import pendulum
        >>> import shequn as sq
        >>> from shequn.segmentation import audience
        >>> roster = sq.Roster.from_columns(member=["ann", "bo"])
        >>> audience([True, False], roster, as_of=pendulum.datetime(2024, 5, 1)).reason("bo").en
        'not selected'
        """
        return _REASONS[int(self.codes[self.members.code(member, argument="member")])]

    def explain(self, member: Label, /, *, lang: Lang = "en") -> str:
        """Return a sentence about why a member is in the audience or not.

        Parameters
        ----------
        member : str or int
        lang : {"en", "zh"}

        Raises
        ------
        UnknownLabelError
            There is no such member.

        Examples
        --------
        >>> import pendulum
        >>> import shequn as sq
        >>> from shequn.segmentation import audience
        >>> roster = sq.Roster.from_columns(member=["ann", "bo"])
        >>> chosen = audience([True, True], roster, as_of=pendulum.datetime(2024, 5, 1), limit=1, score=[3, 8])
        >>> print(chosen.explain("ann"))
        ann: over the limit: selected, but there was room for 1 of 2, by score; score 3
        >>> print(chosen.explain("bo", lang="zh"))
        bo：触达：符合规则；得分 8
        """
        one_of("lang", lang, ("en", "zh"))
        place = self.members.code(member, argument="member")
        reason = _REASONS[int(self.codes[place])]
        sizes = self.sizes
        n_ranked = sum(sizes[one] for one in _REASONS[:3])
        told = _WHY[lang][reason].format(limit=self.limit, n=n_ranked, how=_HOW[lang][self.score is not None])
        named = f"{member}{_COLON[lang]}{reason.zh if lang == 'zh' else reason.en}{_COLON[lang]}{told}"
        if self.score is None or reason in {AudienceReason.NOT_SELECTED, AudienceReason.UNKNOWN}:
            return named
        number = self.score[place].item()
        return named if number != number else named + _SCORE[lang].format(score=number)  # noqa: PLR0124

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        shown = [(reason, n) for reason, n in self.sizes.items() if n or reason is AudienceReason.TREATED]
        reasons, counts = np.fromiter((reason for reason, _ in shown), dtype=object), np.array([n for _, n in shown])
        shares = counts / max(len(self), 1) if len(self) else np.full(len(counts), np.nan)
        return [
            Column(key="reason", en="reason", zh="原因", values=reasons),
            Column(key="members", en="members", zh="成员", values=counts, format="count"),
            Column(key="share", en="share", zh="占比", values=shares, format="rate"),
        ]

    def _tidy(self) -> Sequence[Column]:
        reasons = np.fromiter(_REASONS, dtype=object, count=len(_REASONS))[self.codes]
        scores = np.full(len(self), np.nan) if self.score is None else self.score
        return [
            Column(key="member", en="member", zh="成员", values=self.members.labels),
            Column(key="reason", en="reason", zh="原因", values=reasons),
            Column(key="score", en="score", zh="得分", values=scores, format="number"),
        ]

    def _title(self, lang: Lang, /) -> str:
        at = f"{from_us(self.as_of_us):YYYY-MM-DD HH:mm} UTC"
        return f"截至 {at} 的人群" if lang == "zh" else f"Audience as of {at}"

    def __eq__(self, other: object) -> bool:
        """Return whether both put the same members, in the same order, into the same arms for the same reasons."""
        if not isinstance(other, Audience):
            return NotImplemented
        same_scores = (self.score is None) == (other.score is None) and (
            self.score is None or np.array_equal(self.score, cast("Any", other.score), equal_nan=True)
        )
        return (
            self.members == other.members
            and np.array_equal(self.codes, other.codes)
            and same_scores
            and (self.limit, self.holdout, self.as_of_us) == (other.limit, other.holdout, other.as_of_us)
        )

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show the sizes of the arms."""
        arms = self.assignment.sizes()
        return f"Audience({arms['treated']:,} treated, {arms['held_out']:,} held out, {arms['left_out']:,} left out)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


_COLON: dict[Lang, str] = {"en": ": ", "zh": "："}
_SCORE: dict[Lang, str] = {"en": "; score {score:,}", "zh": "；得分 {score:,}"}
_HOW: dict[Lang, tuple[str, str]] = {"en": ("by lot", "by score"), "zh": ("抽签决定", "按得分")}
_WHY: dict[Lang, dict[AudienceReason, str]] = {
    "en": {
        AudienceReason.TREATED: "selected by the rule",
        AudienceReason.HELD_OUT: "selected by the rule, and drawn by lot to compare with",
        AudienceReason.OVER_LIMIT: "selected, but there was room for {limit:,} of {n:,}, {how}",
        AudienceReason.UNKNOWN_SCORE: "selected, but without a score there is no place among the first {limit:,}",
        AudienceReason.UNKNOWN: "the rule asks for something that is not known of this member",
        AudienceReason.NOT_SELECTED: "the rule does not select this member",
    },
    "zh": {
        AudienceReason.TREATED: "符合规则",
        AudienceReason.HELD_OUT: "符合规则，随机抽为对照，不触达",
        AudienceReason.OVER_LIMIT: "符合规则，但 {n:,} 人中名额只有 {limit:,}，{how}",
        AudienceReason.UNKNOWN_SCORE: "符合规则，但没有得分，无法排入前 {limit:,} 名",
        AudienceReason.UNKNOWN: "规则所需的信息未知",
        AudienceReason.NOT_SELECTED: "不符合规则",
    },
}
