"""Is it our own? How much of a draft is in anything that was posted before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from shequn.content._comparable import require_comparable
from shequn.content.token_sets import ByItem, TokenSets
from shequn.labels import Index
from shequn.stats._checks import items_of, number_between, whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shequn.labels import Label

__all__ = ["Originality", "originality"]


def _similarity(value: float) -> float:
    return number_between("similarity", value, 0, 1)


def _shared(value: int) -> int:
    return whole("shared", value)


@attrs.frozen(kw_only=True)
class Originality:
    """How original a draft is, and the item that it is most like; made by `originality`.

    Parameters
    ----------
    similarity : float
        The highest Jaccard similarity with any item, in [0, 1].
    witness : str or int, optional
        The item that has it, of equal ones the first; None where no item shares a token.
    shared : int
        How many tokens the two share.

    Examples
    --------
    >>> Originality(similarity=0.75, witness="tea", shared=3).score
    0.25
    """

    similarity: float = attrs.field(converter=_similarity)
    witness: Label | None = None
    shared: int = attrs.field(default=0, converter=_shared)

    @property
    def score(self) -> float:
        """1 - `similarity`: 1 where nothing was taken, 0 where the very same stands in the corpus."""
        return 1.0 - self.similarity


def originality(tokens: Iterable[Label], corpus: ByItem | TokenSets, /, *, ignore: Iterable[Label] = ()) -> Originality:
    r"""Compare a draft with everything in a corpus, exactly.

    Parameters
    ----------
    tokens : iterable of str or of int
        Tokens of the draft, made as those of the corpus were.
    corpus : mapping of label to iterable, or TokenSets
        Tokens of what was posted before, ours or others'. For many drafts build the TokenSets once.
    ignore : iterable of str or of int, optional
        Items of the corpus that do not count, such as the draft itself.

    Returns
    -------
    Originality
        The score, and the item that bears witness. A draft without tokens shares none, and has the score 1.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An argument can't be used; the corpus does not have an item that is to be ignored.

    Notes
    -----
    :math:`1 - \max_c |x \cap c| / |x \cup c|`. Jaccard's similarity is low where a short text stands inside a long
    one: cut long texts into paragraphs first.

    References
    ----------
    Row K3 of the domain table.

    Examples
    --------
    >>> from shequn.content import shingles
    >>> corpus = {7: shingles("新品上市，限时八折"), 8: shingles("周末一起徒步")}
    >>> found = originality(shingles("新品上市，限时九折"), corpus)
    >>> found.witness, round(found.score, 2)
    (7, 0.5)
    """
    sets = TokenSets.of(corpus)
    given = items_of("tokens", tokens, expected="tokens of the draft, in a list or a set")
    mine = Index.encode(given, argument="tokens")[0]
    require_comparable("tokens", mine, sets.tokens)
    n = len(sets)
    is_mine = mine.places_of(sets.tokens) >= 0
    total = np.concatenate([[0], np.cumsum(is_mine[sets.codes])])
    shared = total[sets.offsets[1:]] - total[sets.offsets[:-1]]
    ignored = items_of("ignore", ignore, expected="labels of items")
    shared[[sets.items.code(label, argument="ignore") for label in ignored]] = 0
    if not n or not shared.any():
        return Originality(similarity=0.0)
    similarity = shared / np.maximum(sets.sizes + len(mine) - shared, 1)
    best = int(similarity.argmax())
    return Originality(similarity=float(similarity[best]), witness=sets.items[best], shared=int(shared[best]))
