"""How much does each act of a member count as engagement (互动)?"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shequn.entities import EventKind
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import instance, number_between

__all__ = ["ACT_WEIGHTS", "REACTION_WEIGHTS", "weights_of"]

# The source names the acts (发帖 回复 点赞 转发), not what they weigh: that is this library's choice, in the order of
# what an act costs the member and who else sees it.
REACTION_WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {EventKind.LIKE.value: 1.0, EventKind.REPLY.value: 2.0, EventKind.REPOST.value: 3.0}
)
ACT_WEIGHTS: Final[Mapping[str, float]] = MappingProxyType({EventKind.POST.value: 3.0, **REACTION_WEIGHTS})


def weights_of(weights: Mapping[str, float], /) -> dict[str, float]:
    """Return what each kind of event weighs, kinds as plain strings.

    Raises
    ------
    InvalidTypeError
        It is no mapping from str to number.
    InvalidValueError
        A weight is negative or not finite, or none is above 0.

    Examples
    --------
    >>> weights_of({"like": 1, "reply": 2.5})
    {'like': 1.0, 'reply': 2.5}
    """
    instance("weights", weights, Mapping, expected="a mapping from kind of event to weight")
    read: dict[str, float] = {}
    for kind, weight in weights.items():
        if not isinstance(kind, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("weights", "kinds of event as str", kind))
        read[str.__str__(kind)] = number_between(f"weights[{str.__str__(kind)!r}]", weight, 0)
    if not any(read.values()):
        raise InvalidValueError(message("weights", "a weight above 0 for at least one kind", dict(weights)))
    return read
