"""Who won a challenge, with which entry, and what does each of them get? The result of `challenge`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias, get_args

import attrs
import numpy as np

from shequn.campaigns.prizes import prize_name, rewards_of, worst_case_of
from shequn.columns.readonly import by_fields, codes_column
from shequn.columns.table import Column, Tabular
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import MisalignedError, counted, message
from shequn.labels import Index
from shequn.stats._checks import counts_column, instance, one_of, reals_column
from shequn.values import Money

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import IntArray
    from shequn.columns.table import Lang
    from shequn.entities import Reward
    from shequn.labels import Label

__all__ = ["ENTRY_CODE", "NO_PRIZE", "SHARED", "Challenge", "ChallengeRow", "EntryReason", "PrizeTies"]

PrizeTies: TypeAlias = Literal["share", "all", "earliest"]

NO_PRIZE, SHARED = -1, -2


class EntryReason(Taxonomy):
    """Why an entry of a challenge counts, or does not.

    Examples
    --------
    >>> EntryReason.NO_KEYWORD.zh, EntryReason.from_label("计入")
    ('缺少关键词', <EntryReason.COUNTED: 'counted'>)
    """

    COUNTED = "counted", "计入", "counted"
    NOT_BEST = "not_best", "非本人最佳", "not the member's best"
    NO_SCORE = "no_score", "没有成绩", "without a score"
    NO_KEYWORD = "no_keyword", "缺少关键词", "without the keyword"
    OUTSIDE_WINDOW = "outside_window", "不在活动时间内", "outside the window"
    OTHER_KIND = "other_kind", "不是参赛内容", "no entry"


_REASONS = tuple(EntryReason)
ENTRY_CODE = {reason: np.int8(code) for code, reason in enumerate(_REASONS)}


class ChallengeRow(NamedTuple):
    """One member of a challenge; the names are those of `Challenge.to_columns`.

    Attributes
    ----------
    rank : int
    member : str or int
    score : int or float
    prize : str or None
        What they get; None for nothing, or for a share that is paid in money.
    award : int
        What that costs, in minor units.

    Examples
    --------
    >>> ChallengeRow(rank=1, member="ann", score=88, prize="眼霜", award=29_900).award
    29900
    """

    rank: int
    member: Label
    score: float
    prize: str | None
    award: int


def _codes(codes: ArrayLike) -> NDArray[np.int8]:
    return codes_column("codes", codes, len(_REASONS), of="reasons")


def _prizes(prizes: Any) -> tuple[Reward, ...]:  # noqa: ANN401
    return rewards_of(prizes, argument="prizes")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Challenge(Tabular[ChallengeRow]):
    """Who won a challenge and what they get, and why other entries don't count; made by `challenge`.

    Attributes
    ----------
    members : Index
        The n members with an entry that counts, the best first.
    row : ndarray of int64, shape (n,)
        The row of that entry in the log.
    score : ndarray of int64 or float64, shape (n,)
    rank : ndarray of int64, shape (n,)
    prize : ndarray of int64, shape (n,)
        Place in `prizes`; -1 for none, -2 for a share of what equals get together.
    award : ndarray of int64, shape (n,)
        What it costs, in minor units.
    prizes : tuple of Reward
    ties : {"share", "all", "earliest"}
    codes : ndarray of int8, shape (n_rows,)
        Why each row of the log counts or not, as its position in `EntryReason`.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        A column has another length, or says what can't be.

    Examples
    --------
    >>> from shequn.entities import Reward
    >>> cream = Reward(kind="prize", cost=Money.of(299, "CNY"), name="眼霜")
    >>> made = Challenge(
    ...     members=Index(["ann", "bo"]), row=[1, 0], score=[9, 5], rank=[1, 2], prize=[0, -1], award=[29_900, 0],
    ...     prizes=[cream], codes=[0, 0],
    ... )
    >>> print(made)
    rank  member  score  prize  award, minor units
    ──────────────────────────────────────────────
       1  ann         9  眼霜               29,900
       2  bo          5  –                       0
    2 entries; 2 counted
    """

    members: Index
    row: IntArray
    score: NDArray[Any]
    rank: IntArray
    prize: IntArray
    award: IntArray
    prizes: tuple[Reward, ...] = attrs.field(default=(), converter=_prizes)
    ties: PrizeTies = "share"
    codes: NDArray[np.int8] = attrs.field(converter=_codes)

    _Row: ClassVar[type[Any] | None] = ChallengeRow

    def __attrs_post_init__(self) -> None:
        """Check lengths and codes."""
        instance("members", self.members, Index, expected="an Index")
        one_of("ties", self.ties, get_args(PrizeTies))
        n = len(self.members)
        of, most = f"each of the {n} members", max(len(self.prizes) - 1, 0)
        for name, least, largest in (
            ("row", 0, None),
            ("rank", 1, None),
            ("prize", SHARED, most),
            ("award", 0, None),
        ):
            column = counts_column(name, getattr(self, name), (n,), of=of, least=least, most=largest)
            object.__setattr__(self, name, column)
        object.__setattr__(self, "score", reals_column("score", self.score, (n,), of=of, whole_too=True))
        if self.codes.ndim != 1 or int(np.count_nonzero(self.codes == ENTRY_CODE[EntryReason.COUNTED])) != n:
            raise MisalignedError(message("codes", f"one entry that counts for {of}", f"shape {self.codes.shape}"))

    def __len__(self) -> int:
        """Return the number of members with an entry that counts."""
        return len(self.members)

    @property
    def cost(self) -> Money | None:
        """What all that members get costs, exactly; None without prizes."""
        if not self.prizes:
            return None
        return Money(sum(self.award.tolist()), self.prizes[0].cost.currency)

    @property
    def worst_case(self) -> Money | None:
        """What the prizes cost if each is handed out once; with ``ties="all"`` the cost can exceed it."""
        return worst_case_of(self.prizes)

    @property
    def entries(self) -> dict[EntryReason, int]:
        """How many rows of the log there are of each reason, also of none."""
        counts = np.bincount(self.codes, minlength=len(_REASONS))
        return dict(zip(_REASONS, counts.tolist(), strict=True))

    def reason(self, row: int, /) -> EntryReason:
        """Return why a row of the log counts or not.

        Examples
        --------
        >>> Challenge(members=Index(), row=[], score=[], rank=[], prize=[], award=[], codes=[3]).reason(0).en
        'without the keyword'
        """
        return _REASONS[int(self.codes[row])]

    def _names(self, lang: Lang, share: str | None) -> NDArray[Any]:
        names = [*(prize_name(prize, lang) for prize in self.prizes), share, None]
        table = np.empty(len(names), dtype=object)
        table[:] = names
        return table[self.prize]  # -1 and -2 stand at the end

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        return self._own_columns(self._names(lang, "均分" if lang == "zh" else "share"))

    def _tidy(self) -> Sequence[Column]:
        return self._own_columns(self._names("en", None))

    def _own_columns(self, names: NDArray[Any]) -> Sequence[Column]:
        return [
            Column(key="rank", en="rank", zh="名次", values=self.rank, format="count"),
            Column(key="member", en="member", zh="成员", values=self.members.labels),
            Column(key="score", en="score", zh="成绩", values=self.score, format="number"),
            Column(key="prize", en="prize", zh="奖品", values=names),
            Column(key="award", en="award, minor units", zh="奖值（分）", values=self.award, format="count"),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        entries = self.entries
        del entries[EntryReason.OTHER_KIND]
        told = [(reason, n) for reason, n in entries.items() if n]
        n = sum(entries.values())
        if lang == "zh":
            return ("；".join([f"{n:,} 条参赛内容", *(f"{reason.zh} {k:,}" for reason, k in told)]),)
        first = counted(n, "entry", "entries")
        return ("; ".join([first, *(f"{k:,} {reason.en}" for reason, k in told)]),)

    def __repr__(self) -> str:
        """Show how many members are ranked, and what it costs."""
        cost = "" if self.cost is None else f", prizes for {self.cost}"
        return f"Challenge({counted(len(self), 'member')}{cost})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
