"""Which items say the same, or nearly? Sets of tokens that overlap, found by MinHash or by an inverted index.

Both ways first make candidates, and then count the tokens that the two really share, so that no pair is reported that
is not one. Items with the very same tokens are found before, and stand for each other: a text posted a thousand times
is compared once.
"""

from __future__ import annotations

from math import log, log1p
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from shequn.content.duplicates import Duplicates
from shequn.content.token_sets import ByItem, TokenSets, mixed
from shequn.errors import InvalidValueError, MisalignedError, message
from shequn.stats._checks import generator, number_between, one_of, whole
from shequn.stats.distinct import each_once
from shequn.values.instants import to_instants

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray

__all__ = ["bands_for", "near_duplicates"]

Method: TypeAlias = Literal["minhash", "exact"]

_TOKENS_AT_ONCE: Final = 1 << 11
_HASHES_AT_ONCE: Final = 128
_PAIRS_AT_ONCE: Final = 1 << 17
_MOST_HASHES: Final = 1 << 12
_SLACK: Final = 1e-9  # of shares times sizes, for what floats lose; candidates are judged without it
_MIXER: Final = np.uint64(0x9E3779B97F4A7C15)


def near_duplicates(
    tokens: ByItem | TokenSets,
    /,
    *,
    threshold: float = 0.8,
    method: Method = "minhash",
    n_hashes: int = 128,
    miss: float = 0.01,
    seed: int = 0,
    at: ArrayLike | Sequence[dt.datetime] | None = None,
    at_tz: str | None = None,
) -> Duplicates:
    r"""Find the items whose tokens are the same, or nearly, and what hangs together by them.

    Parameters
    ----------
    tokens : mapping of label to iterable of str or of int, or TokenSets
        Tokens by the label of the item: words, `shingles`, hashes of pictures. An item without any is like no other.
    threshold : float, default 0.8
        Two items are near duplicates from this Jaccard similarity on, in (0, 1].
    method : {"minhash", "exact"}, default "minhash"
        How pairs come into question: by MinHash, which misses a stated share of them, or by an index of the rarest
        tokens, which misses none and is slow where tokens are few and each is in many items.
    n_hashes : int, default 128
        How many hash functions there may be.
    miss : float, default 0.01
        How likely a pair of exactly the threshold may be missed, at most. More similar ones are missed less often.
    seed : int, default 0
        Of the hash functions. The same seed finds the same, in every process.
    at : array_like, shape (n,), optional
        When each item was posted, in the order of the items: aware datetimes, or wall-clock ones with `at_tz`.
    at_tz : str, optional
        Zone of instants that carry none.

    Returns
    -------
    Duplicates
        Pairs with their similarity, clusters, and after how many days something came again.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        An argument can't be used; so many hash functions do not do for so small a `miss`.

    Notes
    -----
    The Jaccard similarity of two sets is the share that both have of what either has. A hash function takes its least
    value over a set at a token that is equally likely to be any one, so that two sets agree in it with probability J.
    With b bands of r functions each, a pair that agrees in all of some band is a candidate: one of similarity J is
    missed with probability :math:`(1 - J^r)^b`. Of the r that keep this to `miss` at the threshold within `n_hashes`,
    the largest is taken, which makes the fewest candidates, and as few bands as will do.

    A pair of similarity t or more shares one of the :math:`|x| - \lceil t |x| \rceil + 1` rarest tokens of each: that
    is how the exact method finds its candidates.

    References
    ----------
    Row K3 of the domain table; Broder, A. Z. (1997). On the resemblance and containment of documents.
    https://doi.org/10.1109/SEQUEN.1997.666900

    Leskovec, J., Rajaraman, A. & Ullman, J. D. (2020). Mining of Massive Datasets, 3rd ed., ch. 3. http://www.mmds.org

    Bayardo, R. J., Ma, Y. & Srikant, R. (2007). Scaling up all pairs similarity search. WWW, 131-140.
    https://doi.org/10.1145/1242572.1242591

    Examples
    --------
    >>> from shequn.content import shingles
    >>> texts = {1: "今晚八点抽奖，转发有礼", 2: "今晚八点抽奖！转发有礼！！", 3: "周末徒步报名"}
    >>> found = near_duplicates({item: shingles(text, k=2) for item, text in texts.items()})
    >>> found, found.cluster.tolist(), found.miss < 0.01
    (Duplicates(3 items, 1 cluster, 1 repeat), [0, 0, 1], True)
    """
    one_of("method", method, get_args(Method))
    share = number_between("threshold", threshold, 0, 1, excluding="least")
    sets = TokenSets.of(tokens)
    _limits(n_hashes, miss)
    # The exact way has no need of hash functions, however low the threshold.
    bands = bands_for(share, n_hashes=n_hashes, miss=miss) if method == "minhash" else None
    if whole("seed", seed) < 0:
        raise InvalidValueError(message("seed", "0 or more", seed))
    instants = None if at is None else to_instants(at, argument="at", at_tz=at_tz).us
    if instants is not None and len(instants) != len(sets):
        expected = f"one for each of the {len(sets)} items"
        raise MisalignedError(message("at", expected, f"{len(instants)} instants"))
    hashes = mixed(sets.tokens)
    content = _same_content(sets, hashes)
    distinct = np.flatnonzero((content == np.arange(len(sets))) & (sets.sizes > 0))
    lot = _Lot.of(sets, distinct)
    if bands is not None:
        candidates = _by_minhash(lot, hashes, bands, seed)
    else:
        candidates = _by_rare_tokens(lot, len(sets.tokens), share)
    first, second, similarity = _judged(lot, candidates, share)
    return Duplicates(
        items=sets.items,
        content=content,
        first=distinct[first],
        second=distinct[second],
        similarity=similarity,
        threshold=share,
        miss=0.0 if bands is None else bands.missed(share),
        at_us=instants,
        is_empty=sets.sizes == 0,
    )


# --- how many hash functions ---


class _Bands(NamedTuple):
    """So many bands of so many rows: hash functions that must agree together."""

    bands: int
    rows: int

    def missed(self, similarity: float) -> float:
        """Return how likely a pair of such a similarity agrees in no band."""
        agree = similarity**self.rows
        return 0.0 if agree >= 1.0 else (1.0 - agree) ** self.bands


def bands_for(threshold: float, /, *, n_hashes: int, miss: float) -> _Bands:
    """Return the most rows, and the fewest bands of them, that miss a pair at the threshold seldom enough.

    Examples
    --------
    >>> bands = bands_for(0.8, n_hashes=128, miss=0.01)
    >>> bands.bands, bands.rows, round(bands.missed(0.8), 4), round(bands.missed(0.9), 6)
    (16, 6, 0.0077, 5e-06)
    """
    number, most = _limits(n_hashes, miss)
    found = None
    for rows in range(1, number + 1):
        bands = _bands_needed(threshold**rows, most)
        if bands is None or bands * rows > number:
            break
        found = _Bands(bands, rows)
    if found is None:
        least = _bands_needed(threshold, most)
        if least is None or least > _MOST_HASHES:
            expected = f"one that {_MOST_HASHES:,} hash functions do for, with a miss of {most:g}, or method='exact'"
            raise InvalidValueError(message("threshold", expected, threshold))
        expected = f"at least {least} for a threshold of {threshold:g} and a miss of {most:g}"
        raise InvalidValueError(message("n_hashes", expected, n_hashes))
    return found


def _limits(n_hashes: int, miss: float) -> tuple[int, float]:
    number = whole("n_hashes", n_hashes)
    if not 1 <= number <= _MOST_HASHES:
        raise InvalidValueError(message("n_hashes", f"1 to {_MOST_HASHES:,} hash functions", n_hashes))
    most = number_between("miss", miss, 0, 1, excluding="least")
    if most == 1.0:
        raise InvalidValueError(message("miss", "a number in (0, 1)", miss))
    return number, most


def _bands_needed(agree: float, most: float) -> int | None:
    if agree >= 1.0:
        return 1
    if agree < 1e-9:  # noqa: PLR2004
        return None
    bands = max(int(log(most) / log1p(-agree)), 1)
    while (1.0 - agree) ** bands > most:
        bands += 1
    return bands


# --- who has the same ---


def _same_content(sets: TokenSets, hashes: NDArray[np.uint64]) -> IntArray:
    """Return the first item with the very same tokens as each, shape (n,); an item without any has its own."""
    n = len(sets)
    content = np.arange(n)
    some = np.flatnonzero(sets.sizes > 0)
    if not len(some):
        return content
    prints = np.add.reduceat(hashes[sets.codes] * _MIXER ^ (hashes[sets.codes] >> np.uint64(29)), sets.offsets[some])
    lot = _Lot.of(sets, some)
    first = np.arange(len(some))
    # A set whose print is another's, and yet is not the same, is looked at again among those left.
    left = first
    while len(left):
        order = left[np.lexsort((left, lot.sizes[left], prints[left]))]
        begins = np.ones(len(order), dtype=np.bool_)
        begins[1:] = (prints[order[1:]] != prints[order[:-1]]) | (lot.sizes[order[1:]] != lot.sizes[order[:-1]])
        head = order[np.flatnonzero(begins)[np.cumsum(begins) - 1]]
        rest = order != head
        shared = _shared(lot, head[rest], order[rest])
        is_same = shared == lot.sizes[order[rest]]
        first[order[rest][is_same]] = head[rest][is_same]
        left = np.sort(order[rest][~is_same])
    content[some] = some[first]
    return content


class _Lot(NamedTuple):
    """Sets that are compared: their tokens one after the other."""

    offsets: IntArray
    sizes: IntArray
    codes: NDArray[np.int32]

    @classmethod
    def of(cls, sets: TokenSets, rows: IntArray) -> _Lot:
        if len(rows) == len(sets):
            return cls(sets.offsets, sets.sizes, sets.codes)
        sizes = sets.sizes[rows]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        return cls(offsets, sizes, sets.codes[_spread(sets.offsets[rows], sizes)])


def _spread(starts: IntArray, sizes: IntArray) -> IntArray:
    """Return the places start, start + 1, … of each run, one run after the other."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    places: IntArray = np.arange(total) + np.repeat(starts - (ends - sizes), sizes)
    return places


# --- candidates ---


def _by_minhash(lot: _Lot, hashes: NDArray[np.uint64], bands: _Bands, seed: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Give pairs that agree in all rows of some band, each once."""
    if len(lot.sizes) < 2:  # noqa: PLR2004
        return
    keys = _band_keys(lot, hashes, bands, seed)
    for band in range(bands.bands):
        order = np.argsort(keys[band], kind="stable")
        begins = np.concatenate([[True], keys[band][order[1:]] != keys[band][order[:-1]]])
        for u, v in _pairs_of_runs(order, begins):
            known = np.zeros(len(u), dtype=np.bool_)
            for earlier in range(band):
                known |= keys[earlier][u] == keys[earlier][v]
            yield u[~known], v[~known]


def _band_keys(lot: _Lot, hashes: NDArray[np.uint64], bands: _Bands, seed: int) -> NDArray[np.uint64]:
    """Return a key of each band and set: equal where all rows of the band agree."""
    draw = generator(seed)
    n = bands.bands * bands.rows
    factor = draw.integers(0, 2**63, n, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    term = draw.integers(0, 2**63, n, dtype=np.uint64) * np.uint64(2)
    keys = np.empty((bands.bands, len(lot.sizes)), dtype=np.uint64)
    at_once = max(_HASHES_AT_ONCE // bands.rows, 1)
    for start in range(0, bands.bands, at_once):
        part = slice(start * bands.rows, min(start + at_once, bands.bands) * bands.rows)
        table = ((hashes[:, None] * factor[part] + term[part]) >> np.uint64(32)).astype(np.uint32)
        least = _least(lot, table).reshape(len(lot.sizes), -1, bands.rows)
        key = np.zeros(least.shape[:2], dtype=np.uint64)
        for row in range(bands.rows):
            key = (key ^ least[:, :, row]) * _MIXER
            key ^= key >> np.uint64(29)
        keys[start : start + key.shape[1]] = key.T
    return keys


def _least(lot: _Lot, table: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the least value of each hash function over each set: rows of a table, in blocks that stay in the cache."""
    n = len(lot.sizes)
    least = np.empty((n, table.shape[1]), dtype=np.uint32)
    marks = np.searchsorted(lot.offsets, np.arange(0, int(lot.offsets[-1]), _TOKENS_AT_ONCE))
    ends = each_once(np.append(marks, n))
    for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        low = int(lot.offsets[start])
        values = table.take(lot.codes[low : int(lot.offsets[end])], axis=0)
        np.minimum.reduceat(values, lot.offsets[start:end] - low, axis=0, out=least[start:end])
    return least


def _by_rare_tokens(lot: _Lot, n_tokens: int, threshold: float) -> Iterator[tuple[IntArray, IntArray]]:
    """Give pairs that share a token among the rarest of each, without which they can't be similar enough."""
    rows = np.repeat(np.arange(len(lot.sizes)), lot.sizes)
    seen = np.bincount(lot.codes, minlength=n_tokens)
    rarity = np.empty(n_tokens, dtype=np.int64)
    rarity[np.argsort(seen, kind="stable")] = np.arange(n_tokens)
    width = max(n_tokens, 1)
    rank = np.sort(rows * width + rarity[lot.codes]) % width
    needed = np.ceil(threshold * lot.sizes - _SLACK).astype(np.int64)
    kept = _spread(lot.offsets[:-1], lot.sizes - np.maximum(needed, 1) + 1)
    order = np.argsort(rank[kept], kind="stable")
    token, doc = rank[kept][order], rows[kept][order]
    begins = np.concatenate([np.ones(min(len(token), 1), dtype=np.bool_), token[1:] != token[:-1]])
    for u, v in _pairs_of_runs(doc, begins):
        yield np.divmod(each_once(u * len(lot.sizes) + v), len(lot.sizes))


def _pairs_of_runs(values: IntArray, begins: BoolArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Give the pairs of values in one run, lower first, some at a time; a run goes from one beginning to the next."""
    n = len(values)
    ends = np.append(np.flatnonzero(begins), n)
    after = np.repeat(ends[1:], np.diff(ends)) - np.arange(n) - 1
    paired = np.flatnonzero(after)
    total = np.concatenate([[0], np.cumsum(after[paired])])
    start = 0
    while start < len(paired):
        end = max(int(np.searchsorted(total, int(total[start]) + _PAIRS_AT_ONCE, side="right")) - 1, start + 1)
        part = paired[start:end]
        u = values[np.repeat(part, after[part])]
        v = values[_spread(part + 1, after[part])]
        yield np.minimum(u, v), np.maximum(u, v)
        start = end


# --- judged by the real sets ---


def _judged(
    lot: _Lot, candidates: Iterator[tuple[IntArray, IntArray]], threshold: float
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the candidates that are similar enough, in order, each once."""
    n = max(len(lot.sizes), 1)
    keys, shares = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    for u, v in candidates:
        less, more = np.minimum(lot.sizes[u], lot.sizes[v]), np.maximum(lot.sizes[u], lot.sizes[v])
        may = less >= threshold * more - _SLACK
        first, second = u[may], v[may]
        shared = _shared(lot, first, second)
        share = shared / (lot.sizes[first] + lot.sizes[second] - shared)
        enough = share >= threshold
        keys.append(first[enough] * n + second[enough])
        shares.append(share[enough])
    key, row = np.unique(np.concatenate(keys), return_index=True)
    first, second = np.divmod(key, n)
    return first, second, np.concatenate(shares)[row]


def _shared(lot: _Lot, u: IntArray, v: IntArray) -> IntArray:
    """Count the tokens that the two sets of each pair share."""
    shared = np.zeros(len(u), dtype=np.int64)
    width = int(lot.codes.max(initial=0)) + 1
    work = np.concatenate([[0], np.cumsum(lot.sizes[u] + lot.sizes[v])])
    start = 0
    while start < len(u):
        end = max(int(np.searchsorted(work, int(work[start]) + 8 * _PAIRS_AT_ONCE, side="right")) - 1, start + 1)
        pair = np.arange(end - start) * width
        mine, theirs = (
            np.repeat(pair, lot.sizes[rows]) + lot.codes[_spread(lot.offsets[rows], lot.sizes[rows])]
            for rows in (u[start:end], v[start:end])
        )
        place = np.searchsorted(theirs, mine)
        hit = theirs[np.minimum(place, len(theirs) - 1)] == mine
        shared[start:end] = np.bincount(mine[hit] // width, minlength=end - start)
        start = end
    return shared
