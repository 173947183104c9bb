"""How numbers that come in are checked, and how a bad one is reported.

The checks take anything NumPy can read as an array, give back a native array that may share memory with what came, and
never write to it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, NoReturn, SupportsIndex, TypeGuard, cast

import numpy as np

from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, message, suggest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray

__all__ = [
    "array_of",
    "broadcast",
    "counts",
    "counts_column",
    "flag",
    "generator",
    "instance",
    "is_integer",
    "items_of",
    "level_in_unit",
    "may_change",
    "number",
    "number_between",
    "one_of",
    "plain",
    "plain_array",
    "reals",
    "reals_column",
    "refuse",
    "whole",
]


def reals(argument: str, values: ArrayLike) -> FloatArray:
    """Return `values` as float64; integers and floats are taken, NaN stays.

    Examples
    --------
    >>> reals("x", [1, 2.5])
    array([1. , 2.5])
    """
    array = array_of(argument, values, kinds="iuf", expected="real numbers")
    return array.astype(np.float64, copy=False)


def counts(argument: str, values: ArrayLike) -> IntArray:
    """Return `values` as int64; anything but integers of 0 or more that fit is refused.

    Examples
    --------
    >>> counts("hits", [3, 0])
    array([3, 0])
    """
    array = array_of(argument, values, kinds="iu", expected="integers")
    bad = (array < 0) | (array > np.iinfo(np.int64).max)
    if bad.any():
        refuse(argument, "integers in [0, 2**63)", array, bad)
    return array.astype(np.int64, copy=False)


def counts_column(
    argument: str, values: ArrayLike, shape: tuple[int, ...], *, of: str, least: int = 0, most: int | None = None
) -> IntArray:
    """Return a column of a record, whole numbers, as read-only int64: the array itself where it is that already.

    Parameters
    ----------
    shape : tuple of int
        Shape it must have; -1 stands for any length.
    of : str
        What it has an entry for, in words.
    least, most : int, optional
        The smallest and the largest number that is accepted.

    Examples
    --------
    >>> counts_column("n_out", [3, 0], (2,), of="each of the 2 members").flags.writeable
    False
    """
    given = array_of(argument, values, kinds="iu", expected="integers")
    _require_shape(argument, given, shape, of)
    largest = int(np.iinfo(np.int64).max) if most is None else most
    bad = (given < least) | (given > largest)
    if bad.any():
        end = "2**63)" if most is None else f"{most}]"
        refuse(argument, f"integers in [{least}, {end}", given, np.asarray(bad))
    return _read_only(given, np.int64)


def reals_column(
    argument: str,
    values: ArrayLike,
    shape: tuple[int, ...],
    *,
    of: str,
    least: float = -math.inf,
    most: float = math.inf,
    above: bool = False,
    whole_too: bool = False,
) -> NDArray[Any]:
    """Return a column of a record, finite numbers, as read-only float64: the array itself where it is that already.

    Parameters
    ----------
    shape : tuple of int
        Shape it must have; -1 stands for any length.
    of : str
        What it has an entry for, in words.
    least, most : float, optional
        The smallest and the largest number that is accepted.
    above : bool, default False
        Whether `least` itself is not accepted.
    whole_too : bool, default False
        Whether integers stay int64.

    Examples
    --------
    >>> reals_column("reach", [0.5, 1], (2,), of="each of the 2 leaders", least=0).tolist()
    [0.5, 1.0]
    """
    given = array_of(argument, values, kinds="iuf", expected="numbers")
    _require_shape(argument, given, shape, of)
    if given.dtype.kind == "f":
        with np.errstate(over="ignore"):
            given = given.astype(np.float64, copy=False)
    fits = (given > least if above else given >= least) & (given <= most) & np.isfinite(given)
    largest = np.iinfo(np.int64).max
    is_whole = whole_too and given.dtype.kind != "f"
    if is_whole and given.dtype.kind == "u":
        fits &= given <= largest
    if not fits.all():
        refuse(argument, _span_in_words(least, most, above=above), given, np.asarray(~fits))
    return _read_only(given, np.int64 if is_whole else np.float64)


def _require_shape(argument: str, given: NDArray[Any], shape: tuple[int, ...], of: str) -> None:
    fits = given.ndim == len(shape) and all(want in {-1, has} for want, has in zip(shape, given.shape, strict=True))
    if not fits:
        raise MisalignedError(message(argument, f"one for {of}", f"an array of shape {given.shape}"))


def _span_in_words(least: float, most: float, *, above: bool) -> str:
    if least == -math.inf:
        return "finite numbers"
    if most == math.inf:
        return f"finite numbers {'above' if above else 'of'} {least:g}{'' if above else ' or more'}"
    return f"numbers in {'(' if above else '['}{least:g}, {most:g}]"


def may_change(array: NDArray[Any], /) -> bool:
    """Return whether somebody may write to the memory, by this array or by the one that it is a view of.

    pandas gives read-only views of memory that it writes to.

    Examples
    --------
    >>> own = np.zeros(2)
    >>> may_change(np.broadcast_to(own, (3, 2)))  # read-only itself
    True
    """
    while not array.flags.writeable and isinstance(array.base, np.ndarray):
        array = array.base
    return bool(array.flags.writeable)


def _read_only(given: NDArray[Any], dtype: type[Any]) -> NDArray[Any]:
    if given.dtype == dtype and given.dtype.isnative and not may_change(given):
        return given
    own = given.astype(dtype)
    own.setflags(write=False)
    return own


def array_of(argument: str, values: ArrayLike, *, kinds: str, expected: str) -> NDArray[Any]:
    """Return `values` as an array whose dtype is of one of the NumPy `kinds`; an empty one may be of any.

    Examples
    --------
    >>> array_of("mask", [True, False], kinds="b", expected="booleans")
    array([ True, False])
    """
    array = plain_array(argument, values, expected=f"an array of {expected}")
    if array.dtype.kind in kinds:
        return array
    if array.size == 0:
        return np.zeros(array.shape, dtype=np.bool_ if kinds == "b" else np.int64)
    raise InvalidTypeError(message(argument, expected, f"{array.dtype} values"))


def plain_array(argument: str, values: object, *, expected: str) -> NDArray[Any]:
    """Return `values` as an array of any dtype, which a ragged list is not, nor one with masked entries.

    Examples
    --------
    >>> plain_array("rows", [2, 0], expected="row numbers")
    array([2, 0])
    """
    try:
        array: NDArray[Any] = np.asarray(values)
    except MemoryError:
        raise
    except Exception:  # whatever a class of somebody's raises when it is asked for its array
        raise InvalidTypeError(message(argument, expected, values)) from None
    if isinstance(values, np.ma.MaskedArray):
        masked = np.flatnonzero(np.ma.getmaskarray(cast("Any", values)))
        if len(masked):
            row = int(np.unravel_index(int(masked[0]), array.shape)[0]) if array.ndim else None
            raise InvalidValueError(message(argument, f"{expected} without masked entries", "a masked one", row=row))
    return array


def items_of(argument: str, values: object, *, expected: str) -> list[Any]:
    """Return a list of what `values` holds; a text is one thing, and so is an array without axes.

    A mapping of anything is refused: who gives one means something by its values, and they would be dropped.

    Examples
    --------
    >>> items_of("kinds", ("post", "like"), expected="kinds")
    ['post', 'like']
    """
    try:
        if isinstance(values, str | bytes) or _has_values(values):
            raise TypeError
        items = iter(cast("Iterable[Any]", values))
    except TypeError:
        raise InvalidTypeError(message(argument, expected, values)) from None
    return list(items)


def _has_values(given: Any) -> bool:  # noqa: ANN401
    return isinstance(given, Mapping) and len(given) > 0  # pyright: ignore[reportUnknownArgumentType]


def instance(argument: str, value: object, kind: type[Any], *, expected: str) -> None:
    """Raise unless `value` is of a class.

    Examples
    --------
    >>> instance("name", "city", str, expected="a name")
    """
    if not isinstance(value, kind):
        raise InvalidTypeError(message(argument, expected, value))


def one_of(argument: str, value: object, known: Sequence[str]) -> None:
    """Raise unless an option is one of the words it can be.

    Examples
    --------
    >>> one_of("lang", "zh", ("en", "zh"))
    """
    if not isinstance(value, str) or value not in known:
        error = InvalidValueError if isinstance(value, str) else InvalidTypeError
        raise error(message(argument, f"one of {', '.join(map(repr, known))}", value) + suggest(value, known))


def flag(argument: str, value: object) -> bool:
    """Return `value`, True or False, as a Python bool.

    Examples
    --------
    >>> flag("inside", np.True_)
    True
    """
    given = plain(value)
    if not isinstance(given, bool):
        raise InvalidTypeError(message(argument, "True or False", value))
    return given


def is_integer(value: object) -> TypeGuard[int]:
    """Return whether a value is an integer, Python's or NumPy's; a boolean is none, nor is a span of time.

    Examples
    --------
    >>> is_integer(np.int8(3)), is_integer(True), is_integer(np.timedelta64(3, "s"))
    (True, False, False)
    """
    return isinstance(value, int | np.integer) and not isinstance(value, bool | np.timedelta64)


def whole(argument: str, value: object) -> int:
    """Return `value` as a Python int; floats and booleans are refused.

    Examples
    --------
    >>> whole("hits", np.int64(3))
    3
    """
    number = plain(value)
    if not isinstance(number, bool | np.timedelta64) and isinstance(number, SupportsIndex):
        # An array has the method too, and refuses at the call unless it holds one integer.
        with suppress(TypeError):
            return operator.index(number)
    raise InvalidTypeError(message(argument, "an integer", value))


def plain(value: object) -> object:
    """Return the Python number that a NumPy scalar holds, and anything else as it is.

    Examples
    --------
    >>> plain(np.float64(0.5))
    0.5
    """
    scalar: Any = value
    return scalar.item() if _is_scalar(value) else value


def _is_scalar(value: object) -> bool:
    """Whether a value is a number of NumPy's; a span or an instant is none, though NumPy can make one of it."""
    return isinstance(value, np.generic) and not isinstance(value, np.timedelta64 | np.datetime64)


def number(argument: str, value: object, *, expected: str = "a number") -> float:
    """Return one number as a Python float, which may be NaN or infinite; booleans and what no float holds are refused.

    Examples
    --------
    >>> number("tol", np.float32(0.5)), number("tol", 1)
    (0.5, 1.0)
    """
    given = plain(value)
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise InvalidTypeError(message(argument, "a number", value))
    try:
        return float(given)
    except OverflowError:
        raise InvalidValueError(message(argument, expected, value)) from None


def number_between(
    argument: str,
    value: object,
    least: float,
    most: float = math.inf,
    *,
    excluding: Literal["", "least", "most"] = "",
) -> float:
    """Return one finite number between two ends, both accepted unless one is excluded.

    Examples
    --------
    >>> number_between("damping", 0.85, 0, 1, excluding="most")
    0.85
    """
    if most == math.inf:
        expected = f"a finite number {'above' if excluding == 'least' else 'of'} {least:g}"
        expected += "" if excluding == "least" else " or more"
    else:
        expected = f"a number in {'(' if excluding == 'least' else '['}{least:g}, {most:g}"
        expected += ")" if excluding == "most" else "]"
    given = number(argument, value, expected=expected)
    is_end = (excluding == "least" and given == least) or (excluding == "most" and given == most)
    if not (math.isfinite(given) and least <= given <= most) or is_end:
        raise InvalidValueError(message(argument, expected, value))
    return given


def level_in_unit(level: float) -> float:
    """Return a confidence level strictly between 0 and 1 as a Python float.

    Examples
    --------
    >>> level_in_unit(0.95)
    0.95
    """
    number = plain(level)
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise InvalidTypeError(message("level", "a number between 0 and 1", level))
    if not 0.0 < number < 1.0:
        raise InvalidValueError(message("level", "a number between 0 and 1, both excluded", level))
    return float(number)


def broadcast(**arrays: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return views of the arrays at their common shape, in the order given.

    Examples
    --------
    >>> hits, trials = broadcast(hits=np.array([1, 2]), trials=np.array(4))
    >>> trials
    array([4, 4])
    """
    try:
        return np.broadcast_arrays(*arrays.values())
    except ValueError:
        shapes = {name: array.shape for name, array in arrays.items()}
        raise InvalidValueError(message(", ".join(arrays), "shapes that broadcast together", shapes)) from None


def refuse(argument: str, expected: str, values: NDArray[Any], bad: BoolArray) -> NoReturn:
    """Raise an `InvalidValueError` that shows the first bad value, its row and how many rows are bad.

    Rows count along the first axis; a number alone has none.
    """
    first = np.unravel_index(int(np.argmax(bad)), bad.shape)
    shown = values[first]
    if bad.ndim == 0:
        raise InvalidValueError(message(argument, expected, shown))
    rows = bad.any(axis=tuple(range(1, bad.ndim)))
    raise InvalidValueError(
        message(argument, expected, shown, row=int(first[0]), bad=int(np.count_nonzero(rows)), total=bad.shape[0]),
    )


def generator(rng: int | np.random.SeedSequence | np.random.Generator | None) -> np.random.Generator:
    """Return the generator that an option stands for (SPEC 7)."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        expected = "a seed of 0 or more, a SeedSequence, a Generator or None"
        raise InvalidTypeError(message("rng", expected, rng)) from None
