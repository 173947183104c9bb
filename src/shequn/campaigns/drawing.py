"""By what rules is a draw made, so that anybody can repeat it? The protocol ``shequn-draw/1``, in integers and SHA-256.

Bytes are put together with ``+``. ``u64(n)`` is an integer in 8 bytes, the most significant first; ``LP(x)`` is
``u64(len(x)) + x``; texts are UTF-8.

1. *Commitment*, published before entries open: ``SHA256("shequn-draw/1/commitment" + LP(secret))``.
2. *Entrants* in canonical order: texts by their UTF-8 bytes, integers by value. The rows of one member are one entrant,
   whose tickets are added.
3. *Closing digest*, published when entries close: ``SHA256("shequn-draw/1/closing" + u64(per_member) + u64(number of
   prizes) + for each prize LP(kind) + LP(name or empty) + u64(quantity) + u64(number of entrants) + for each entrant
   LP(label) + u64(tickets))``. A label is ``"s"`` and the text, or ``"i"`` and the integer in decimal digits.
4. *Seed*: ``SHA256("shequn-draw/1/seed" + LP(secret) + LP(public) + closing digest)``.
5. *Words*: block j = 0, 1, … is ``SHA256("shequn-draw/1/block" + seed + u64(j))``, four words of 8 bytes, the most
   significant byte first.
6. *A number below n*: take the next word w until w < 2⁶⁴ − (2⁶⁴ mod n); the number is w mod n.
7. *Winners*, prize by prize in the order given: number all tickets left from 0, entrant by entrant; a number below
   their total draws one. It is taken out, and once its member has won `per_member` prizes so are their others.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.columns import EventLog, Roster
from shequn.columns.readonly import frozen
from shequn.errors import InfeasibleError, InvalidTypeError, InvalidValueError, MisalignedError, counted, message
from shequn.labels import Index
from shequn.stats._checks import array_of, instance, items_of, plain_array, refuse, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import IntArray
    from shequn.entities import Reward
    from shequn.labels import Label

__all__ = [
    "closing_digest",
    "commit",
    "commitment_of",
    "drawn",
    "entrants_of",
    "per_member_of",
    "require_enough",
    "whole_tickets",
]

_LEAST_BYTES = 16
_WORD = 1 << 64
_MOST_TICKETS = 2**63 - 1


def commit(secret: bytes, /) -> str:
    """Return the commitment to a secret: what to publish before a draw, so that nobody can choose the secret later.

    Parameters
    ----------
    secret : bytes
        At least 16 random bytes, such as ``secrets.token_bytes(32)``; keep it to yourself until the draw.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        `secret` is no bytes, or so short that it could be found by trying.

    Notes
    -----
    ``SHA256("shequn-draw/1/commitment" + LP(secret))`` where ``LP(x)`` is the length of x in 8 bytes, the most
    significant first, and then x.

    Examples
    --------
    >>> commit(b"a secret of 2024-05-01, at least 16 bytes")[:16]
    '8da34762809beb24'
    """
    return commitment_of(_secret_of(secret))


def commitment_of(secret: bytes) -> str:
    """Return the commitment to a secret that was checked."""
    return sha256(b"shequn-draw/1/commitment" + _lp(secret)).hexdigest()


def _secret_of(secret: object) -> bytes:
    if not isinstance(secret, bytes | bytearray):
        raise InvalidTypeError(message("secret", "bytes, such as secrets.token_bytes(32)", type(secret).__name__))
    if len(secret) < _LEAST_BYTES:
        # Its length is told, not what it is: messages end up in logs.
        raise InvalidValueError(message("secret", f"at least {_LEAST_BYTES} bytes", counted(len(secret), "byte")))
    return bytes(secret)


# ── who takes part ───────────────────────────────────────────────────────────────────────────────────────────────────


def entrants_of(
    entries: EventLog | Roster | Index | Iterable[Label] | ArrayLike, tickets: ArrayLike | str | None
) -> tuple[Index, IntArray]:
    """Return entrants in canonical order, and how many tickets each of them has, shape (n,), read-only."""
    index, codes = _rows_of(entries)
    if isinstance(tickets, str):
        instance("entries", entries, EventLog, expected=f"an EventLog, which has a column {tickets!r}")
        assert isinstance(entries, EventLog)  # noqa: S101
        tickets = _numbers_of(entries, tickets)
    if tickets is None:
        own: IntArray = np.bincount(codes, minlength=len(index)).astype(np.int64)
    else:
        own = np.zeros(len(index), dtype=np.int64)
        np.add.at(own, codes, whole_tickets(tickets, len(codes)))
    labels = index.labels
    # Python compares text by code point, which is the order of its bytes in UTF-8.
    order = sorted(range(len(index)), key=labels.tolist().__getitem__) if index.is_text else np.argsort(labels)
    places = np.asarray(order, dtype=np.int64)
    return index.take(places), frozen(own[places])


def _rows_of(entries: Any) -> tuple[Index, NDArray[Any]]:  # noqa: ANN401
    if isinstance(entries, EventLog):
        return entries.members, entries.member_codes
    if isinstance(entries, Roster):
        entries = entries.members
    if isinstance(entries, Index):
        return entries, np.arange(len(entries))
    labels = items_of("entries", entries, expected="labels of members, an EventLog or a Roster")
    return Index.encode(entries if hasattr(entries, "__array__") else labels, argument="entries")


def _numbers_of(log: EventLog, name: str) -> NDArray[Any]:
    column = log.column(name, argument="tickets")
    if not isinstance(column, np.ndarray):
        raise InvalidTypeError(message("tickets", "a column of whole numbers", name) + ", which holds labels")
    return column


def whole_tickets(tickets: ArrayLike, n: int) -> IntArray:
    """Return a number of tickets for each of n entries: integers of 0 or more, whose sum fits 64 bits with sign."""
    expected = "whole numbers of tickets (multiply shares by 100, 1,000 … and round)"
    given = array_of("tickets", plain_array("tickets", tickets, expected=expected), kinds="iu", expected=expected)
    if given.shape != (n,):
        expected = f"one number for each of {counted(n, 'entry', 'entries')}"
        raise MisalignedError(message("tickets", expected, f"an array of shape {given.shape}"))
    bad = (given < 0) | (given > _MOST_TICKETS)
    if bad.any():
        refuse("tickets", "whole numbers of 0 or more, below 2**63 together", given, bad)
    total = sum(given.tolist())
    if total > _MOST_TICKETS:
        raise InvalidValueError(message("tickets", "whole numbers of 0 or more, below 2**63 together", total))
    return given.astype(np.int64)


def per_member_of(per_member: object) -> int:
    """Return how many prizes one member can win, 1 or more."""
    most = whole("per_member", per_member)
    if not 1 <= most <= _MOST_TICKETS:
        raise InvalidValueError(message("per_member", "1 or more", per_member))
    return most


def require_enough(tickets: IntArray, n_prizes: int, per_member: int, *, argument: str = "prizes") -> None:
    """Raise where there are more prizes than can be won."""
    can_win = sum(np.minimum(tickets, per_member).tolist())
    if n_prizes > can_win:
        n = int(np.count_nonzero(tickets))
        raise InfeasibleError(
            message(argument, f"at most {counted(can_win, 'prize')}", n_prizes)
            + f": that is all {counted(n, 'entrant')} with tickets can win, {per_member:,} each at most",
            zh=f"奖品：{n_prizes:,} 份多于能中的 {can_win:,} 份（有抽奖券的 {n:,} 人，每人最多 {per_member:,} 份）",
        )


# ── what is fixed when entries close ─────────────────────────────────────────────────────────────────────────────────


def closing_digest(members: Index, tickets: IntArray, prizes: tuple[Reward, ...], per_member: int) -> str:
    """Return the digest of who takes part with how many tickets, in which draw."""
    parts = [b"shequn-draw/1/closing", _u64(per_member), _u64(len(prizes))]
    for prize in prizes:
        parts += [_lp(prize.kind.value.encode()), _lp(_utf8("prizes", prize.name or "")), _u64(prize.quantity)]
    parts.append(_u64(len(members)))
    for label, n in zip(members.labels.tolist(), tickets.tolist(), strict=True):
        named = b"s" + _utf8("entries", label) if isinstance(label, str) else b"i%d" % label
        parts += [_lp(named), _u64(n)]
    return sha256(b"".join(parts)).hexdigest()


def _utf8(argument: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidValueError(message(argument, "text that UTF-8 can hold", text)) from None


def _u64(number: int) -> bytes:
    return number.to_bytes(8, "big")


def _lp(data: bytes) -> bytes:
    return _u64(len(data)) + data


# ── the draw ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def drawn(tickets: IntArray, n_prizes: int, per_member: int, *, secret: bytes, public: str, closing: str) -> IntArray:
    """Return the places of the winners, prize by prize, shape (n_prizes,), read-only."""
    words = _words(sha256(b"shequn-draw/1/seed" + _lp(secret) + _lp(_utf8("public", public)) + bytes.fromhex(closing)))
    urn = _Urn(tickets)
    left, wins = tickets.tolist(), dict[int, int]()
    winners = np.empty(n_prizes, dtype=np.int64)
    for rank in range(n_prizes):
        place = urn.place_of(_below(urn.total, words))
        wins[place] = wins.get(place, 0) + 1
        gone = left[place] if wins[place] == per_member else 1
        left[place] -= gone
        urn.take(place, gone)
        winners[rank] = place
    return frozen(winners)


def _words(seed: Any) -> Iterator[int]:  # noqa: ANN401
    key, number = b"shequn-draw/1/block" + seed.digest(), 0
    while True:
        block = sha256(key + _u64(number)).digest()
        yield from (int.from_bytes(block[start : start + 8], "big") for start in range(0, 32, 8))
        number += 1


def _below(n: int, words: Iterator[int]) -> int:
    """Return a number below n, each equally often: words of the last, incomplete round of n are passed over."""
    end = _WORD - _WORD % n
    return next(word for word in words if word < end) % n


class _Urn:
    """Tickets, entrant by entrant, in a Fenwick tree: finding one and taking one out cost log₂ n steps."""

    def __init__(self, tickets: IntArray) -> None:
        sums = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(tickets)])
        node = np.arange(len(sums))
        self._tree: list[int] = (sums - sums[node - (node & -node)]).tolist()
        self._top = 1 << (len(tickets).bit_length() - 1) if len(tickets) else 0
        self.total = int(sums[-1])

    def place_of(self, number: int) -> int:
        """Return whose ticket has a number."""
        node, step, tree = 0, self._top, self._tree
        while step:
            child = node + step
            if child < len(tree) and tree[child] <= number:
                node, number = child, number - tree[child]
            step >>= 1
        return node

    def take(self, place: int, n: int) -> None:
        """Take n tickets of an entrant out."""
        node, tree = place + 1, self._tree
        while node < len(tree):
            tree[node] -= n
            node += node & -node
        self.total -= n
