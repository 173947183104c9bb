"""Who wins, so that neither the organiser nor anybody else could have arranged it (抽奖)?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shequn.campaigns.drawing import (
    closing_digest,
    commit,
    drawn,
    entrants_of,
    per_member_of,
    require_enough,
)
from shequn.campaigns.draws import Draw
from shequn.campaigns.prizes import n_prizes_of, rewards_of
from shequn.errors import InvalidTypeError, InvalidValueError, message

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import IntArray
    from shequn.columns import EventLog, Roster
    from shequn.entities import Reward
    from shequn.labels import Index, Label

__all__ = ["close_entries", "draw"]


def close_entries(
    entries: EventLog | Roster | Index | Iterable[Label] | ArrayLike,
    /,
    *,
    prizes: Sequence[Reward],
    tickets: ArrayLike | str | None = None,
    per_member: int = 1,
) -> str:
    """Return the digest of who takes part: what to publish when entries close, so that nobody is added later.

    Parameters
    ----------
    entries, prizes, tickets, per_member
        As in `draw`.

    Returns
    -------
    str
        64 hexadecimal digits, over entrants, their tickets, the prizes and the cap.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError, InfeasibleError
        As in `draw`.

    Examples
    --------
    >>> from shequn.entities import Reward
    >>> from shequn.values import Money
    >>> mug = Reward(kind="prize", cost=Money.of(30, "CNY"), name="mug")
    >>> close_entries(["ann", "bo", "ann"], prizes=[mug]) == close_entries(["bo", "ann", "ann"], prizes=[mug])
    True
    >>> close_entries(["ann", "bo"], prizes=[mug]) == close_entries(["ann", "bo", "cy"], prizes=[mug])
    False
    """
    return closing_digest(*_settled(entries, prizes, tickets, per_member))


def draw(
    entries: EventLog | Roster | Index | Iterable[Label] | ArrayLike,
    /,
    *,
    prizes: Sequence[Reward],
    secret: bytes,
    tickets: ArrayLike | str | None = None,
    per_member: int = 1,
    public: str = "",
) -> Draw:
    """Draw winners by ticket, without replacement, in a way that anybody can repeat from what was published.

    Parameters
    ----------
    entries : EventLog, Roster, Index, or labels
        Who takes part. The rows of one member are one entrant, whose tickets are added.
    prizes : sequence of Reward
        In the order they are drawn, the first prize first; one of quantity 3 stands for three.
    secret : bytes
        What `commit` was given before entries opened; at least 16 bytes.
    tickets : array_like of int, shape (n,), or name of a column of the log, optional
        How many tickets each row brings, 0 or more; by default 1.
    per_member : int, default 1
        How many prizes one member can win. A ticket wins once.
    public : str, default ""
        Something public that nobody could know when entries closed, such as the number of a state lottery or the hash
        of a block. Say before where it comes from. Without it, an organiser who knows the secret could try entrants
        until a friend wins, and only then close.

    Returns
    -------
    Draw
        Whom each prize goes to, and what it takes to check it.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        An argument can't be used: tickets that are no whole numbers, prizes in two currencies, a secret that is short.
    InfeasibleError
        There are more prizes than can be won under the cap.

    Notes
    -----
    The protocol ``shequn-draw/1`` uses integers and SHA-256 alone, so that any language repeats it:

    1. ``LP(x)`` is the length of x in 8 bytes, the most significant first, and then x; ``u64(n)`` is n in 8 such bytes;
       ``+`` puts bytes together; texts are UTF-8.
    2. Commitment: ``SHA256("shequn-draw/1/commitment" + LP(secret))``.
    3. Entrants in canonical order: texts by their UTF-8 bytes, integers by value.
    4. Closing digest: ``SHA256("shequn-draw/1/closing" + u64(per_member) + u64(number of prizes) + for each prize
       LP(kind) + LP(name or empty) + u64(quantity) + u64(number of entrants) + for each entrant LP(label) +
       u64(tickets))``; a label is ``"s"`` and the text, or ``"i"`` and the integer in decimal digits.
    5. Seed: ``SHA256("shequn-draw/1/seed" + LP(secret) + LP(public) + closing digest)``, the digest as 32 bytes.
    6. Block j = 0, 1, … is ``SHA256("shequn-draw/1/block" + seed + u64(j))``: four words of 8 bytes, the most
       significant byte first.
    7. A number below n: the next word w with w < 2⁶⁴ − (2⁶⁴ mod n), and then w mod n.
    8. Prize by prize, all tickets left are numbered from 0, entrant by entrant, and a number below their total draws
       one. It is taken out, and once its member has won `per_member` prizes so are their others.

    Everything depends on the order of steps: commit, take entries, close them and publish the digest, wait for the
    public value, draw, reveal. A library can't see when something was published.

    References
    ----------
    S0, S2, S3, row I2 of the domain table. Blum, M. (1983). Coin flipping by telephone. ACM SIGACT News 15(1), 23-27.
    https://doi.org/10.1145/1008908.1008911, for the commitment.

    Examples
    --------
    >>> from shequn.entities import Reward
    >>> from shequn.values import Money
    >>> prizes = [
    ...     Reward(kind="prize", cost=Money.of(299, "CNY"), name="眼霜"),
    ...     Reward(kind="coupon", cost=Money.of(10, "CNY"), name="券", quantity=2),
    ... ]
    >>> made = draw(
    ...     ["ann", "bo", "cy", "di"], tickets=[5, 1, 1, 3], prizes=prizes, secret=b"kept until 2024-05-01",
    ...     public="2024053 lottery: 02 07 11 19 25 30 + 08",
    ... )
    >>> print(made)
    rank  prize  member
    ───────────────────
       1  眼霜   di
       2  券     ann
       3  券     cy
    4 entrants with 10 tickets; commitment 037bdb58fbbe5811…, closing 1885e1a3157753e7…
    >>> print(made.worst_case)
    319.00 CNY
    """
    members, own, rewards, most = _settled(entries, prizes, tickets, per_member)
    commit(secret)
    if not isinstance(public, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("public", "a str", public))
    closing = closing_digest(members, own, rewards, most)
    n_prizes = sum(reward.quantity for reward in rewards)
    winners = drawn(own, n_prizes, most, secret=bytes(secret), public=public, closing=closing)
    return Draw(
        members=members, tickets=own, prizes=rewards, winners=winners, per_member=most, secret=secret, public=public
    )


def _settled(
    entries: EventLog | Roster | Index | Iterable[Label] | ArrayLike,
    prizes: Sequence[Reward],
    tickets: ArrayLike | str | None,
    per_member: int,
) -> tuple[Index, IntArray, tuple[Reward, ...], int]:
    rewards, most = rewards_of(prizes, argument="prizes"), per_member_of(per_member)
    if not rewards:
        raise InvalidValueError(message("prizes", "at least one prize", prizes))
    members, own = entrants_of(entries, tickets)
    require_enough(own, n_prizes_of(rewards, argument="prizes"), most)
    return members, own, rewards, most
