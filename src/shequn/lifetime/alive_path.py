"""When did we begin to doubt whether a member is still there? One member, purchase by purchase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, counts_field, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, message
from shequn.stats._checks import array_of, number, number_between, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.lifetime.bgnbd import BetaGeoNBD

__all__ = ["AlivePath", "AlivePathRow", "path_of"]

_MOST_ROWS = 1_000_000
_STEP = "a step above 0, for at most a million rows"


class AlivePathRow(NamedTuple):
    """One age; the names are those of `AlivePath`.

    Examples
    --------
    >>> AlivePathRow(age=4.0, repeats=1, p_alive=0.73).repeats
    1
    """

    age: float
    repeats: int
    p_alive: float


def _reals(values: Any) -> FloatArray:  # noqa: ANN401
    return frozen(array_of("age, p_alive", values, kinds="iuf", expected="numbers").astype(np.float64))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AlivePath(Tabular[AlivePathRow]):
    """The probability that a member is active, from age to age; made by `BetaGeoNBD.alive_path`.

    Attributes
    ----------
    age : ndarray of float64, shape (n,)
        Periods since the first purchase. At a purchase it is the age right after it.
    repeats : ndarray of int64, shape (n,)
        Repeat purchases by then.
    p_alive : ndarray of float64, shape (n,)

    Examples
    --------
    >>> AlivePath(age=[0, 4], repeats=[0, 0], p_alive=[1.0, 1.0])
    AlivePath(2 ages, 100.0% at last)
    """

    age: FloatArray = attrs.field(converter=_reals)
    repeats: IntArray = counts_field()
    p_alive: FloatArray = attrs.field(converter=_reals)

    _Row: ClassVar[type[Any] | None] = AlivePathRow

    def __attrs_post_init__(self) -> None:
        for name in ("repeats", "p_alive"):
            column = getattr(self, name)
            if column.shape != self.age.shape or column.ndim != 1:
                raise MisalignedError(message(name, f"one entry for each of the {self.age.size} ages", column.shape))

    def _tidy(self) -> Sequence[Column]:
        digits = 0 if np.array_equal(self.age, np.floor(self.age)) else 2
        return [
            Column(key="age", en="age", zh="观察期", values=self.age, format="number", digits=digits),
            Column(key="repeats", en="repeats", zh="复购次数", values=self.repeats, format="count"),
            Column(key="p_alive", en="P(alive)", zh="活跃概率", values=self.p_alive, format="rate"),
        ]

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return self._tidy()

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        n = len(self.age)
        last = f", {self.p_alive[-1]:.1%} at last" if n else ""
        return f"AlivePath({n:,} age{'s' * (n != 1)}{last})"


def path_of(model: BetaGeoNBD, purchases: ArrayLike, age: float, every: float, /) -> AlivePath:
    """Return the path of `BetaGeoNBD.alive_path`.

    Examples
    --------
    >>> from shequn.lifetime import BetaGeoNBD
    >>> path_of(BetaGeoNBD(r=0.243, alpha=4.414, a=0.793, b=2.426), [], 3, 1).p_alive.tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    end, step = number_between("age", age, 0.0), number("every", every, expected=_STEP)
    if not 0 < step < np.inf or end / step > _MOST_ROWS:
        raise InvalidValueError(message("every", _STEP, every))
    bought = array_of("purchases", purchases, kinds="iuf", expected="numbers").astype(np.float64)
    if bought.ndim != 1:
        raise InvalidTypeError(message("purchases", "ages at purchases, one after the other", f"shape {bought.shape}"))
    bad = ~((bought > 0) & (bought <= end))
    bad[1:] |= ~(bought[1:] > bought[:-1])
    if bad.any():
        refuse("purchases", f"ascending ages above 0, up to {end:g}", bought, bad)
    at = np.unique(np.concatenate([np.arange(0.0, end + step * 1e-9, step).clip(max=end), bought, [end]]))
    repeats = np.searchsorted(bought, at, side="right")
    last = np.append(0.0, bought)[repeats]
    return AlivePath(age=at, repeats=repeats, p_alive=model.p_alive(frequency=repeats, recency=last, age=at))
