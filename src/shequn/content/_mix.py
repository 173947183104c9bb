"""Is the content varied enough: how much is there of each kind?"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np

from shequn.content.mixes import By, ContentMix, names_of, target_of
from shequn.entities import ContentItem
from shequn.errors import InvalidTypeError, InvalidValueError, counted, message
from shequn.stats._checks import items_of, one_of, reals_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray
    from shequn.content.mixes import Name
    from shequn.entities.taxonomies import Taxonomy
    from shequn.labels import Label
    from shequn.values import Mix

__all__ = ["content_items", "mix"]


def mix(
    items: Iterable[ContentItem],
    /,
    *,
    by: By = "kind",
    target: Mix | Mapping[Label, float] | None = None,
    weights: ArrayLike | None = None,
) -> ContentMix:
    r"""Count content by kind, and compare its mix with the one that is wanted.

    Parameters
    ----------
    items : iterable of ContentItem
        What was posted, or is planned; each once.
    by : {"kind", "subkind", "format", "surface", "topic"}
        What to count by. An item with several topics counts an equal part for each of them.
    target : Mix or mapping of label to share, optional
        The mix that is wanted: codes or names of the taxonomy, or topics. What it leaves out is wanted not at all.
    weights : array_like of numbers, shape (n,), optional
        What each item counts, 0 or more: its readers, its minutes. By default 1.

    Returns
    -------
    ContentMix
        A row for each value of the taxonomy, or each topic that occurs or is wanted.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        An argument can't be used, or an item comes twice.
    UnknownLabelError
        `target` names no value of the taxonomy.

    Notes
    -----
    The mix is :math:`p_i = w_i / \sum_j w_j` over the items that say what they are; how many don't is `missing`.
    Diversity is told by Hill numbers, the effective number of kinds: of order 0 how many occur, of order 1 the
    exponential of the Shannon entropy, of order 2 the inverse of the chance that two random items are alike. The gap is
    :math:`p_i - t_i`, the distance :math:`\frac12 \sum_i |p_i - t_i|`.

    References
    ----------
    S3 §3.1, rows K1 and T3–T5 of the domain table; Hill, M. O. (1973). Diversity and evenness. Ecology 54, 427-432.
    https://doi.org/10.2307/1934352

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> kinds = ["informational"] * 6 + ["interactive"] * 2
    >>> first = datetime(2024, 3, 1, tzinfo=UTC)
    >>> items = [ContentItem(id=n, kind=kind, created=first) for n, kind in enumerate(kinds)]
    >>> print(mix(items, target={"信息性": 0.5, "互动性": 0.25, "教育性": 0.25}))
    kind           items  share  target     gap
    ───────────────────────────────────────────
    informational      6  75.0%   50.0%   25.0%
    entertainment      0   0.0%    0.0%    0.0%
    interactive        2  25.0%   25.0%    0.0%
    educational        0   0.0%   25.0%  -25.0%
    Effective kinds (Hill numbers of order 0, 1, 2): 2.00, 1.75, 1.60.
    Distance to the target: 25.0%; due next: educational.
    """
    one_of("by", by, get_args(By))
    given = content_items(items)
    labels = [_labels_of(item, by) for item in given]
    weight = _weights(weights, len(given))
    wanted = target_of(target, by)
    names = names_of(by, labels, wanted)
    place = {name: row for row, name in enumerate(names)}
    n_items, amount = np.zeros(len(names), dtype=np.int64), np.zeros(len(names))
    for of_item, counts in zip(labels, weight.tolist(), strict=True):
        for name in of_item:
            n_items[place[name]] += 1
            amount[place[name]] += counts / len(of_item)
    return ContentMix(
        by=by,
        names=names,
        items=n_items,
        weight=amount,
        missing=sum(not of_item for of_item in labels),
        target=wanted,
        unit=float(weight.mean()) if weight.any() else 1.0,
    )


def content_items(items: object) -> list[ContentItem]:
    """Return a list of items, each of which stands there once."""
    given = items_of("items", items, expected="ContentItem records")
    seen: set[Label] = set()
    for row, item in enumerate(given):
        if not isinstance(item, ContentItem):
            raise InvalidTypeError(message("items", "ContentItem records", item, row=row))
        if item.id in seen:
            raise InvalidValueError(message("items", "each item once", item.id, row=row))
        seen.add(item.id)
    return given


def _labels_of(item: ContentItem, by: By) -> tuple[Name, ...]:
    if by == "topic":
        return item.topics
    one: Taxonomy | None = getattr(item, by)
    return () if one is None else (one,)


def _weights(weights: ArrayLike | None, n: int) -> FloatArray:
    if weights is None:
        return np.ones(n)
    return reals_column("weights", weights, (n,), of=f"each of the {counted(n, 'item')}", least=0)
