"""Which named segments does a rule need, and in which order are they answered?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shequn.errors import InvalidValueError, UnknownLabelError, message, suggest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from shequn.rules.rule import Rule

__all__ = ["in_order"]


def in_order(names: Collection[str], segments: Mapping[str, Rule]) -> list[str]:
    """Return some segments and those that their rules name, down to the last; each once, after those that it names.

    Raises
    ------
    UnknownLabelError
        There is no such segment.
    InvalidValueError
        Segments name each other in a circle.

    Examples
    --------
    >>> from shequn.rules import field, in_segment
    >>> in_order(["b"], {"a": field("age") >= 18, "b": ~in_segment("a")})
    ['a', 'b']
    """
    done: dict[str, None] = {}
    # A stack instead of recursion: a chain of segments may be as long as a caller likes.
    path: dict[str, Iterator[str]] = {}
    waiting = [iter(sorted(names))]
    while waiting:
        name = next(waiting[-1], None)
        if name is None:
            waiting.pop()
            if path:
                done[path.popitem()[0]] = None
        elif name in path:
            held = list(path)
            circle = " → ".join([*held[held.index(name) :], name])
            raise InvalidValueError(message("segments", "no circle of segments that name each other", circle))
        elif name not in done:
            if name not in segments:
                raise _unknown(name, segments)
            waiting.append(iter(sorted(segments[name].segments())))
            path[name] = waiting[-1]
    return list(done)


def _unknown(name: str, segments: Mapping[str, Rule]) -> UnknownLabelError:
    known = list(map(str, segments))
    expected = f"one of segments= ({', '.join(map(repr, known))})" if known else "a segment given by segments="
    return UnknownLabelError(message("in_segment", expected, name) + suggest(name, known))
