"""Do many contribute alike, or few nearly everything?"""

from __future__ import annotations

from math import fsum, isfinite, nan
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.numbers import exact_sum, to_numbers
from shequn.columns.readonly import by_fields, frozen, read_only
from shequn.columns.table import Tabular
from shequn.errors import InvalidValueError, counted, message
from shequn.network.facts import Fact, measures, tidy
from shequn.stats._checks import items_of, refuse, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import FloatArray
    from shequn.columns.table import Column, Lang

__all__ = ["ContributionShares", "concentration"]

_MOST_MEMBERS = 2**31 - 1  # codes of an index are int32


def concentration(values: ArrayLike, /, *, top: Iterable[int] = (1, 3, 10)) -> ContributionShares:
    r"""Measure how unevenly contributions are spread over members.

    Parameters
    ----------
    values : array_like of numbers, shape (n,)
        What each member contributed, 0 or more: messages, ties, spending. Who gave nothing belongs in it, as a 0: the
        Gini coefficient minds them, the rest doesn't.
    top : iterable of int, default (1, 3, 10)
        For how many of the largest contributors to tell their share.

    Returns
    -------
    ContributionShares

    Raises
    ------
    InvalidTypeError
        Something is not a number.
    InvalidValueError
        A value is negative, NaN or infinite, or a number of `top` is below 1.

    Notes
    -----
    With shares :math:`s_i = x_i / \sum x` and values in ascending order :math:`x_{(1)} \le \dots \le x_{(n)}`:

    - Herfindahl-Hirschman index :math:`H = \sum s_i^2`, the chance that two contributions drawn at random are of one
      member; effective number :math:`1 / H`, as many equal contributors would give the same.
    - Gini coefficient :math:`G = \frac{2 \sum i\, x_{(i)}}{n \sum x} - \frac{n + 1}{n}`, from 0 (all alike) to
      :math:`1 - 1/n` (one gives all).
    - Contributor absence factor: the fewest members who give more than half; were they absent, less than half would be
      left.

    Where nothing is contributed the absence factor is 0 and all else NaN.

    References
    ----------
    Row C13 of the domain table; Rhoades, S. A. (1993). The Herfindahl-Hirschman index. Federal Reserve Bulletin 79,
    188-189; Laakso, M. & Taagepera, R. (1979). "Effective" number of parties. Comparative Political Studies 12, 3-27.
    https://doi.org/10.1177/001041407901200101; Dixon, P. M. et al. (1987). Bootstrapping the Gini coefficient of
    inequality. Ecology 68, 1548-1551. https://doi.org/10.2307/1939238; CHAOSS project, metric "Contributor Absence
    Factor", which asks for half where this asks for more than half.

    Examples
    --------
    >>> messages = concentration([60, 20, 10, 10, 0])
    >>> messages.hhi, round(messages.effective_number, 2), round(messages.gini, 2), messages.absence_factor
    (0.42, 2.38, 0.52, 1)
    """
    return ContributionShares(values=to_numbers(values, argument="values"), top=top)


def _top(top: Iterable[int]) -> tuple[int, ...]:
    wanted = tuple(whole("top", number) for number in items_of("top", top, expected="numbers of members"))
    for number in wanted:
        if not 1 <= number <= _MOST_MEMBERS:
            raise InvalidValueError(message("top", "numbers of members from 1 on, less than 2**31", number))
    return tuple(dict.fromkeys(wanted))


def _falling(values: ArrayLike) -> NDArray[Any]:
    numbers = to_numbers(values, argument="values")
    bad = ~(numbers >= 0) | (numbers == np.inf)
    if bad.any():
        refuse("values", "finite numbers of 0 or more", numbers, bad)
    with np.errstate(over="ignore"):
        total = exact_sum(numbers, argument="values")
    if not isfinite(total):
        raise InvalidValueError(message("values", "numbers whose sum is finite", "larger ones"))
    return read_only(frozen(np.sort(numbers)[::-1].copy()))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ContributionShares(Tabular[Any]):
    """How unevenly contributions are spread; made by `concentration`, where the formulas are.

    Parameters
    ----------
    values : array_like of numbers, shape (n,)
        What each contributed; kept from the largest to the smallest.
    top : iterable of int, default (1, 3, 10)
        For how many of the largest contributors to tell their share.

    Examples
    --------
    >>> print(ContributionShares(values=[60, 20, 10, 10, 0], top=[1, 3]))
    measure                     value
    ─────────────────────────────────
    contributors                    4
    total                         100
    HHI                          0.42
    effective number             2.38
    Gini                         0.52
    share of the top 1          60.0%
    share of the top 3          90.0%
    contributor absence factor      1
    """

    values: NDArray[Any] = attrs.field(converter=_falling)
    top: tuple[int, ...] = attrs.field(default=(1, 3, 10), converter=_top)

    @property
    def n_contributors(self) -> int:
        """How many contributed anything."""
        return int(np.count_nonzero(self.values))

    @property
    def total(self) -> int | float:
        """All that was contributed."""
        return exact_sum(self.values, argument="values")

    @property
    def hhi(self) -> float:
        """Herfindahl-Hirschman index, from 1/n (all alike) to 1 (one gives all); NaN where nothing is contributed."""
        shares = self._shares()
        return float(np.dot(shares, shares)) if len(shares) else nan

    @property
    def effective_number(self) -> float:
        """How many equal contributors would be as concentrated; NaN where nothing is contributed."""
        return 1.0 / self.hhi

    @property
    def gini(self) -> float:
        """Gini coefficient over all members, those who gave nothing included; NaN where nothing is contributed."""
        shares = self._shares()
        n = len(shares)
        if not n:
            return nan
        gini = float(np.dot(np.arange(n, 0, -1, dtype=np.float64), shares)) * 2.0 / n - (n + 1) / n
        return max(gini, 0.0)  # rounding alone makes it negative

    @property
    def absence_factor(self) -> int:
        """The fewest members who give more than half; 0 where nothing is contributed."""
        given = np.cumsum(self.values)
        if not len(given) or not given[-1]:
            return 0
        fewest = int(np.argmax(given > given[-1] - given)) + 1
        if self.values.dtype.kind == "f":  # sums are rounded; near the half, exact ones decide
            values = self.values.tolist()
            while fewest > 1 and fsum(values[: fewest - 1]) > fsum(values[fewest - 1 :]):
                fewest -= 1
            while fsum(values[:fewest]) <= fsum(values[fewest:]):
                fewest += 1
        return fewest

    def top_share(self, k: int, /) -> float:
        """Share of the `k` largest contributors, of all where there are no more; NaN where nothing is contributed.

        Examples
        --------
        >>> concentration([60, 20, 10, 10, 0]).top_share(2)
        0.8
        """
        (number,) = _top([k])
        if not self.total:
            return nan
        return exact_sum(self.values[:number], argument="values") / self.total

    def _shares(self) -> FloatArray:
        """Return the share of each, none where nothing is contributed."""
        most = float(self.values[0]) if len(self.values) else 0.0
        if not most:
            return np.zeros(0)
        parts: FloatArray = self.values / most  # neither overflows nor vanishes
        shares: FloatArray = parts / parts.sum()
        return shares

    def _facts(self) -> list[Fact]:
        return [
            Fact("contributors", "contributors", "贡献者", "count", (self.n_contributors,)),
            Fact("total", "total", "总量", "count", (self.total,)),
            Fact("hhi", "HHI", "赫芬达尔指数", "number", (self.hhi,)),
            Fact("effective_number", "effective number", "有效人数", "number", (self.effective_number,)),
            Fact("gini", "Gini", "基尼系数", "number", (self.gini,)),
            *(
                Fact(f"top_{k}", f"share of the top {k}", f"前 {k} 名占比", "rate", (self.top_share(k),))
                for k in self.top
            ),
            Fact("absence_factor", "contributor absence factor", "贡献者缺席因子", "count", (self.absence_factor,)),
        ]

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        return measures(self._facts(), lang, _VALUE)

    def _tidy(self) -> Sequence[Column]:
        return tidy(self._facts(), _VALUE)

    def __repr__(self) -> str:
        """Show how many there are, and how many give more than half."""
        contributors = counted(self.n_contributors, "contributor")
        return f"ContributionShares({contributors}, absence factor {self.absence_factor:,})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


_VALUE = (("value", "value", "数值"),)
