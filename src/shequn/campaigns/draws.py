"""Who won what, and can anybody check it? The result of `draw`."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.campaigns.chances import win_probabilities
from shequn.campaigns.drawing import (
    closing_digest,
    commit,
    commitment_of,
    drawn,
    per_member_of,
    require_enough,
    whole_tickets,
)
from shequn.campaigns.prizes import n_prizes_of, prize_name, prize_units, rewards_of, worst_case_of
from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import InvalidTypeError, InvalidValueError, counted, message
from shequn.labels import Index
from shequn.stats._checks import counts_column, instance, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.entities import Reward
    from shequn.labels import Label
    from shequn.values import Money

__all__ = ["Draw", "DrawFault", "DrawRow"]

_HEX_DIGITS = 64


class DrawFault(Taxonomy):
    """What is wrong with a draw.

    Examples
    --------
    >>> DrawFault.WINNERS.zh, DrawFault.from_label("secret")
    ('中奖名单与重演不符', <DrawFault.SECRET: 'secret'>)
    """

    SECRET = "secret", "密钥与事先公布的承诺不符", "the secret is not the one that was committed to"
    CLOSING = (
        "closing",
        "参与者、奖券、奖品或限额在截止后有变动",
        "entrants, tickets, prizes or cap changed after closing",
    )
    WINNERS = "winners", "中奖名单与重演不符", "the winners are not those that the seed gives"


class DrawRow(NamedTuple):
    """One prize and who won it; the names are those of `Draw.to_columns`.

    Examples
    --------
    >>> DrawRow(rank=1, prize="红包", member="ann").member
    'ann'
    """

    rank: int
    prize: str
    member: Label


def _prizes(prizes: Any) -> tuple[Reward, ...]:  # noqa: ANN401
    return rewards_of(prizes, argument="prizes")


def _bytes(secret: bytes) -> bytes:
    commit(secret)
    return bytes(secret)


def _text(public: str) -> str:
    if not isinstance(public, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("public", "a str", public))
    return public


def _digest(argument: str, digest: object) -> str:
    """Return a published digest in lower case."""
    if not isinstance(digest, str):
        raise InvalidTypeError(message(argument, "64 hexadecimal digits as a str", digest))
    told = digest.strip().lower()
    if len(told) != _HEX_DIGITS or set(told) - set("0123456789abcdef"):
        raise InvalidValueError(message(argument, "64 hexadecimal digits", digest))
    return told


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Draw(Tabular[DrawRow]):
    """Who won which prize, with all that it takes to draw again; made by `draw`, or from what an organiser publishes.

    Attributes
    ----------
    members : Index
        The n entrants, texts in the order of their UTF-8 bytes, integers by value.
    tickets : ndarray of int64, shape (n,)
        How many tickets each of them has.
    prizes : tuple of Reward
        In the order they were drawn, the first prize first.
    winners : ndarray of int64, shape (k,)
        Place in `members` of who won each single prize.
    per_member : int
        How many prizes one member can win.
    secret : bytes
        What was committed to before, and is revealed with the draw.
    public : str
        What nobody could know when entries closed; empty if there was none.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError, InfeasibleError
        The fields don't fit each other.

    Examples
    --------
    >>> from shequn.entities import Reward
    >>> from shequn.values import Money
    >>> made = Draw(
    ...     members=Index(["ann", "bo"]), tickets=[3, 1], prizes=[Reward(kind="prize", cost=Money(900, "CNY"))],
    ...     winners=[1], secret=b"sixteen bytes or more",
    ... )
    >>> made, [fault.value for fault in made.faults(commitment=made.commitment, closing=made.closing)]
    (Draw(1 prize, 2 entrants, 4 tickets), ['winners'])
    """

    members: Index
    tickets: IntArray
    prizes: tuple[Reward, ...] = attrs.field(converter=_prizes)
    winners: IntArray
    per_member: int = attrs.field(default=1, converter=per_member_of)
    secret: bytes = attrs.field(converter=_bytes)
    public: str = attrs.field(default="", converter=_text)

    _Row: ClassVar[type[Any] | None] = DrawRow

    def __attrs_post_init__(self) -> None:
        """Check that entrants, tickets, prizes and winners fit each other."""
        instance("members", self.members, Index, expected="an Index")
        n = len(self.members)
        tickets = counts_column("tickets", self.tickets, (n,), of=f"each of the {n} members")
        whole_tickets(tickets, n)
        if not all(one < other for one, other in pairwise(self.members.labels.tolist())):
            raise InvalidValueError(message("members", "labels in ascending order", self.members))
        n_prizes = n_prizes_of(self.prizes, argument="prizes")
        winners = counts_column("winners", self.winners, (n_prizes,), of=f"each of {counted(n_prizes, 'prize')}")
        bad = winners >= n
        if bad.any():
            refuse("winners", f"places in [0, {n})", winners, bad)
        require_enough(tickets, n_prizes, self.per_member)
        object.__setattr__(self, "tickets", tickets)
        object.__setattr__(self, "winners", winners)

    def __len__(self) -> int:
        """Return the number of prizes."""
        return len(self.winners)

    @property
    def commitment(self) -> str:
        """What had to be published before: the digest of the secret, 64 hexadecimal digits."""
        return commitment_of(self.secret)

    @property
    def closing(self) -> str:
        """What had to be published when entries closed: the digest of entrants, tickets, prizes and cap."""
        return closing_digest(self.members, self.tickets, self.prizes, self.per_member)

    @property
    def n_won(self) -> IntArray:
        """Prizes of each entrant, shape (n,)."""
        return frozen(np.bincount(self.winners, minlength=len(self.members)).astype(np.int64))

    @property
    def worst_case(self) -> Money | None:
        """What the prizes cost if every winner collects, exactly: all of them are drawn. None without prizes."""
        return worst_case_of(self.prizes)

    def chances(self) -> FloatArray:
        """Return how likely each entrant was to win something, shape (n,); see `win_probabilities`.

        Examples
        --------
        >>> from shequn.entities import Reward
        >>> from shequn.values import Money
        >>> made = Draw(
        ...     members=Index(["ann", "bo"]), tickets=[3, 1], prizes=[Reward(kind="prize", cost=Money(900, "CNY"))],
        ...     winners=[1], secret=b"sixteen bytes or more",
        ... )
        >>> made.chances().round(12).tolist()
        [0.75, 0.25]
        """
        return win_probabilities(self.tickets, len(self), per_member=self.per_member)

    def faults(self, *, commitment: str, closing: str) -> tuple[DrawFault, ...]:
        """Tell what is wrong with the draw, from what was published before it; nothing if it is as it should be.

        Parameters
        ----------
        commitment : str
            Published before entries opened: what `commit` gave.
        closing : str
            Published when entries closed: what `close_entries` gave.

        Returns
        -------
        tuple of DrawFault
            Empty if secret, entrants and winners are all right.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            One of them is not 64 hexadecimal digits.

        Examples
        --------
        >>> from shequn.entities import Reward
        >>> from shequn.values import Money
        >>> made = Draw(
        ...     members=Index(["ann"]), tickets=[1], prizes=[Reward(kind="prize", cost=Money(900, "CNY"))], winners=[0],
        ...     secret=b"sixteen bytes or more",
        ... )
        >>> [fault.zh for fault in made.faults(commitment="0" * 64, closing=made.closing)]
        ['密钥与事先公布的承诺不符']
        """
        own = self.closing
        again = drawn(self.tickets, len(self), self.per_member, secret=self.secret, public=self.public, closing=own)
        found = {
            DrawFault.SECRET: _digest("commitment", commitment) != self.commitment,
            DrawFault.CLOSING: _digest("closing", closing) != own,
            DrawFault.WINNERS: not np.array_equal(again, self.winners),
        }
        return tuple(fault for fault, is_so in found.items() if is_so)

    def verify(self, *, commitment: str, closing: str) -> bool:
        """Return whether the draw is as it should be: `faults` finds nothing.

        Examples
        --------
        >>> from shequn.entities import Reward
        >>> from shequn.values import Money
        >>> made = Draw(
        ...     members=Index(["ann"]), tickets=[1], prizes=[Reward(kind="prize", cost=Money(900, "CNY"))], winners=[0],
        ...     secret=b"sixteen bytes or more",
        ... )
        >>> made.verify(commitment=made.commitment, closing=made.closing)
        True
        """
        return not self.faults(commitment=commitment, closing=closing)

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        names = np.array([prize_name(prize, lang) for prize in self.prizes], dtype=object)
        units = prize_units(self.prizes, argument="prizes")
        won = names[units] if len(units) else np.zeros(0, dtype=object)
        return [
            Column(key="rank", en="rank", zh="名次", values=np.arange(1, len(self) + 1), format="count"),
            Column(key="prize", en="prize", zh="奖品", values=won),
            Column(key="member", en="member", zh="成员", values=self.members.labels[self.winners]),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        n, total = len(self.members), int(self.tickets.sum())
        if lang == "zh":
            return (f"{n:,} 人参与，{total:,} 张奖券；承诺 {self.commitment[:16]}…，截止摘要 {self.closing[:16]}…",)
        told = f"{counted(n, 'entrant')} with {counted(total, 'ticket')}"
        return (f"{told}; commitment {self.commitment[:16]}…, closing {self.closing[:16]}…",)

    def __repr__(self) -> str:
        """Show how many prizes, entrants and tickets there are."""
        entrants, tickets = counted(len(self.members), "entrant"), counted(int(self.tickets.sum()), "ticket")
        return f"Draw({counted(len(self), 'prize')}, {entrants}, {tickets})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
