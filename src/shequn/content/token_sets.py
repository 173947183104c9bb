"""What is an item made of? The set of its tokens: words, shingles, hashes of pictures, whatever is to be compared."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast
from unicodedata import normalize

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, counted, message
from shequn.labels import Index
from shequn.labels.order import ascending_order
from shequn.stats._checks import array_of, instance, items_of, may_change, refuse, whole
from shequn.stats.distinct import each_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import IntArray
    from shequn.labels import Label

__all__ = ["ByItem", "TokenSets", "mixed", "shingles"]

# A mapping is invariant in its keys: labels are either all str or all int.
ByItem: TypeAlias = "Mapping[str, Iterable[Label]] | Mapping[int, Iterable[Label]]"

_TOKENS: Final = "tokens that are all str or all int"


def shingles(text: str, /, *, k: int = 3) -> frozenset[str]:
    """Return the runs of k characters of a text, without spaces, punctuation and the difference of cases and widths.

    Characters rather than words, so that it does for Chinese, which has no spaces.

    Parameters
    ----------
    text : str
        What is to be compared.
    k : int, default 3
        Length of a run: short ones forgive more changes, long ones meet by chance less often.

    Returns
    -------
    frozenset of str
        All runs; the whole text where it is shorter than k; none of a text without a letter or digit.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used.

    Notes
    -----
    The text is brought to Unicode's form NFKC and case-folded; of that letters and digits stay.

    References
    ----------
    Broder, A. Z. (1997). On the resemblance and containment of documents. Proceedings of Compression and Complexity of
    Sequences, 21-29. https://doi.org/10.1109/SEQUEN.1997.666900

    Examples
    --------
    >>> sorted(shingles("新品上市！", k=2)), sorted(shingles("Tea-time", k=6))
    (['上市', '品上', '新品'], ['eatime', 'teatim'])
    """
    instance("text", text, str, expected="a text")
    length = whole("k", k)
    if length < 1:
        raise InvalidValueError(message("k", "at least 1 character", k))
    plain = "".join(filter(str.isalnum, normalize("NFKC", text).casefold()))
    if len(plain) <= length:
        return frozenset({plain} - {""})
    return frozenset(plain[start : start + length] for start in range(len(plain) - length + 1))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TokenSets:
    """The set of tokens of each of n items, as codes.

    Build it with `of` or `from_columns`.

    Parameters
    ----------
    items : Index
        The n items.
    tokens : Index
        The tokens there are.
    offsets : ndarray of int64, shape (n + 1,)
        Where the tokens of each item begin and end among `codes`.
    codes : ndarray of int32, shape (m,)
        Codes of tokens, ascending within an item and each once.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        The columns do not fit each other.

    Examples
    --------
    >>> sets = TokenSets.of({"tea": ["hot", "tea"], "cake": ["tea", "cake", "tea"]})
    >>> sets, sets.sizes.tolist(), sorted(sets.tokens_of("cake"))
    (TokenSets(2 items, 3 tokens), [2, 2], ['cake', 'tea'])
    """

    items: Index
    tokens: Index
    offsets: IntArray
    codes: NDArray[np.int32]

    def __attrs_post_init__(self) -> None:
        """Check that each item has a set."""
        instance("items", self.items, Index, expected="an Index")
        instance("tokens", self.tokens, Index, expected="an Index")
        offsets = array_of("offsets", self.offsets, kinds="iu", expected="integers")
        codes = array_of("codes", self.codes, kinds="iu", expected="integers")
        if offsets.shape != (len(self.items) + 1,):
            expected = f"one more than the {counted(len(self.items), 'item')}"
            raise MisalignedError(message("offsets", expected, f"an array of shape {offsets.shape}"))
        if codes.ndim != 1 or offsets[0] != 0 or offsets[-1] != len(codes) or (np.diff(offsets) < 0).any():
            raise MisalignedError(message("offsets", "0, ascending, up to the number of codes", offsets))
        bad = (codes < 0) | (codes >= len(self.tokens))
        if bad.any():
            refuse("codes", f"codes in [0, {len(self.tokens)})", codes, bad)
        goes_on = np.ones(max(len(codes) - 1, 0), dtype=np.bool_)
        starts = offsets[1:-1][(offsets[1:-1] > 0) & (offsets[1:-1] < len(codes))]
        goes_on[starts - 1] = False
        bad = np.concatenate([np.zeros(min(len(codes), 1), dtype=np.bool_), goes_on & (np.diff(codes) <= 0)])
        if bad.any():
            refuse("codes", "codes ascending within an item, each once", codes, bad)
        object.__setattr__(self, "offsets", _own(offsets, np.int64))
        object.__setattr__(self, "codes", _own(codes, np.int32))

    @classmethod
    def of(cls, tokens: ByItem | TokenSets, /) -> TokenSets:
        """Build from the tokens of each item.

        Parameters
        ----------
        tokens : mapping of label to iterable of str or of int
            Tokens by the label of the item; one that stands twice counts once, and an item may have none.

        Returns
        -------
        TokenSets
            Items in the order given, tokens ascending.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            Labels or tokens are neither all str nor all int; the tokens of an item are one str.

        Examples
        --------
        >>> TokenSets.of({1: shingles("今天上新"), 2: shingles("今天上新啦")})
        TokenSets(2 items, 3 tokens)
        """
        if isinstance(tokens, TokenSets):
            return tokens
        if not isinstance(tokens, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("tokens", "tokens by the label of the item, or TokenSets", tokens))
        named = cast("Mapping[Label, Iterable[Label]]", tokens)
        of_items = [_listed(given, label) for label, given in named.items()]
        items = Index(list(named), argument="items")
        sizes = np.fromiter(map(len, of_items), dtype=np.int64, count=len(of_items))
        every = list(chain.from_iterable(of_items))
        index, code = Index.encode(every, argument="token")
        order = ascending_order(index.labels)  # a set of text comes in another order in each process
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        return _gathered(items, np.repeat(np.arange(len(items)), sizes), index.take(order), place[code])

    @classmethod
    def from_columns(cls, *, item: ArrayLike | Sequence[Label], token: ArrayLike | Sequence[Label]) -> TokenSets:
        """Build from a row for each token of an item.

        Parameters
        ----------
        item, token : array_like of str or of int, shape (m,)
            Columns of equal length; a token that stands twice counts once.

        Returns
        -------
        TokenSets
            Items as `Index.encode` orders them: text by first appearance, numbers ascending.

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            A column can't be used.

        Examples
        --------
        >>> TokenSets.from_columns(item=[7, 7, 9], token=["hot", "tea", "tea"]).sizes.tolist()
        [2, 1]
        """
        items, rows = Index.encode(item, argument="item")
        tokens, code = Index.encode(token, argument="token")
        if len(code) != len(rows):
            raise MisalignedError(
                message("token", f"as many rows as `item`, which has {len(rows)}", len(code)) + " rows"
            )
        return _gathered(items, rows.astype(np.int64), tokens, code)

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.items)

    @property
    def sizes(self) -> IntArray:
        """How many tokens each item has, shape (n,)."""
        return frozen(np.diff(self.offsets))

    def tokens_of(self, item: Label, /) -> frozenset[Label]:
        """Return the tokens of one item.

        Raises
        ------
        UnknownLabelError
            There is no such item.

        Examples
        --------
        >>> TokenSets.of({"tea": ["hot"]}).tokens_of("tea")
        frozenset({'hot'})
        """
        row = self.items.code(item, argument="item")
        codes = self.codes[self.offsets[row] : self.offsets[row + 1]]
        return frozenset(self.tokens.labels[codes].tolist())

    def __repr__(self) -> str:
        """Show how many items and tokens there are."""
        return f"TokenSets({counted(len(self), 'item')}, {counted(len(self.tokens), 'token')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def _listed(given: object, label: Label) -> list[Label]:
    """Return the tokens of one item as a list."""
    if isinstance(given, list | tuple | set | frozenset):
        return cast("list[Label]", given)
    try:
        return items_of("tokens", given, expected=f"{_TOKENS}, in a list or a set")
    except InvalidTypeError as error:
        raise InvalidTypeError(f"{error} for the item {label!r}") from None


def _gathered(items: Index, rows: IntArray, tokens: Index, code: NDArray[np.integer[Any]]) -> TokenSets:
    width = max(len(tokens), 1)
    keys = rows * width + code
    rows, code64 = np.divmod(each_once(keys), width)
    offsets = np.zeros(len(items) + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=len(items)), out=offsets[1:])
    return TokenSets(items=items, tokens=tokens, offsets=frozen(offsets), codes=frozen(code64.astype(np.int32)))


def _own(array: NDArray[Any], dtype: type[Any]) -> NDArray[Any]:
    return array if array.dtype == dtype and not may_change(array) else frozen(array.astype(dtype))


_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)


def mixed(index: Index, /) -> NDArray[np.uint64]:
    """Return a hash of 64 bits of each label, the same in every process: BLAKE2b of text, SplitMix64 of integers.

    Examples
    --------
    >>> mixed(Index(["tea"])).tolist(), mixed(Index([7])).tolist()
    ([10431608578837538234], [7191089600892374487])
    """
    if index.is_text:
        text = cast("list[str]", index.labels.tolist())
        digests = b"".join([blake2b(label.encode("utf-8", "surrogatepass"), digest_size=8).digest() for label in text])
        return frozen(np.frombuffer(digests, dtype="<u8").astype(np.uint64))
    x = index.labels.astype(np.int64).view(np.uint64) + _STEP
    x = (x ^ (x >> np.uint64(30))) * _FIRST
    x = (x ^ (x >> np.uint64(27))) * _SECOND
    return frozen(x ^ (x >> np.uint64(31)))
