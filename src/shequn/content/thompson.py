"""Which slot is tried next, so that one learns where people respond and loses little by it? Thompson sampling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.errors import InvalidValueError, MisalignedError, counted, message
from shequn.stats._checks import (
    array_of,
    counts,
    generator,
    number_between,
    one_of,
    reals_column,
    refuse,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, FloatArray, IntArray

__all__ = ["Thompson", "lai_robbins", "regret", "slot_mask"]

Draws: TypeAlias = Literal["one", "each"]


def _clustering(value: float) -> float:
    return number_between("clustering", value, 0, 1, excluding="most")


def _alpha(values: ArrayLike) -> FloatArray:
    return reals_column("alpha", values, (-1,), of="each slot", least=0, above=True)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Thompson:
    r"""What is believed of the response in each of n slots, and a way to choose by it.

    A state that never changes: `choose` draws, `update` returns a new state. Between two posts store `alpha` and
    `beta`.

    Parameters
    ----------
    alpha, beta : array_like of float, shape (n,)
        Shapes of the beta distribution of each slot's rate, above 0. 1 and 1 know nothing;
        `SlotResponse.thompson` gives those of what has been seen so far.
    clustering : float, default 0
        How much alike those reached by one post are, in [0, 1): their intraclass correlation :math:`\rho`.

    Notes
    -----
    A rate is drawn from what is believed of each slot, and the slot with the highest one is chosen: each slot as often
    as it is likely to be the best (Thompson 1933). Of n people reached by one post k respond: `alpha` grows by k·w and
    `beta` by (n - k)·w, with :math:`w = 1 / (1 + (n - 1) \rho)`. Without the weight a single post to many people
    would settle the matter, though it may have been the post and not the hour.

    References
    ----------
    Thompson, W. R. (1933). On the likelihood that one unknown probability exceeds another in view of the evidence of
    two samples. Biometrika 25, 285-294. https://doi.org/10.1093/biomet/25.3-4.285

    Agrawal, S. & Goyal, N. (2012). Analysis of Thompson sampling for the multi-armed bandit problem. COLT, 39.1-39.26.

    Komiyama, J., Honda, J. & Nakagawa, H. (2015). Optimal regret analysis of Thompson sampling in stochastic
    multi-armed bandit problem with multiple plays. ICML, 1152-1161. https://arxiv.org/abs/1506.00779

    Examples
    --------
    >>> state = Thompson.knowing_nothing(168)
    >>> slot = state.choose(rng=7)[0]
    >>> state = state.update(slot, 12, 40)
    >>> state.alpha[slot], state.beta[slot]
    (np.float64(13.0), np.float64(29.0))
    """

    alpha: FloatArray = attrs.field(converter=_alpha)
    beta: FloatArray
    clustering: float = attrs.field(default=0.0, converter=_clustering)

    def __attrs_post_init__(self) -> None:
        """Check that the shapes fit each other."""
        of = f"each of {counted(len(self.alpha), 'slot')}"
        beta = reals_column("beta", self.beta, self.alpha.shape, of=of, least=0, above=True)
        object.__setattr__(self, "beta", beta)

    @classmethod
    def knowing_nothing(cls, n: int, /, *, clustering: float = 0.0) -> Thompson:
        """Return the state in which each rate of n slots is as likely as any other.

        Examples
        --------
        >>> Thompson.knowing_nothing(2).mean.tolist()
        [0.5, 0.5]
        """
        size = whole("n", n)
        if size < 1:
            raise InvalidValueError(message("n", "at least 1 slot", n))
        return cls(alpha=np.ones(size), beta=np.ones(size), clustering=clustering)

    @property
    def mean(self) -> FloatArray:
        """Mean of what is believed of each slot, shape (n,)."""
        return frozen(self.alpha / (self.alpha + self.beta))

    def choose(
        self,
        n: int = 1,
        /,
        *,
        rng: int | np.random.SeedSequence | np.random.Generator | None,
        where: ArrayLike | None = None,
        draws: Draws = "one",
    ) -> IntArray:
        """Choose slots for the next posts, of which none is known to work before all are out.

        Parameters
        ----------
        n : int, default 1
            How many.
        rng : int, SeedSequence, Generator or None
            Source of randomness. A generator goes on where it stopped; the same seed chooses the same.
        where : array_like of bool, shape (n_slots,), optional
            Slots that come into question, such as those outside work hours.
        draws : {"one", "each"}, default "one"
            The n best of one draw of rates, which are n different slots; or the best of a draw for each, which may
            repeat a slot.

        Returns
        -------
        ndarray of int64, shape (n,)
            Slots, in the order in which they came out best.

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            An argument can't be used; there are not so many slots.

        Examples
        --------
        >>> state = Thompson(alpha=[1, 30, 20], beta=[99, 70, 80])
        >>> state.choose(2, rng=7).tolist(), state.choose(4, rng=7, draws="each").tolist()
        ([1, 2], [1, 1, 1, 1])
        """
        number = whole("n", n)
        one_of("draws", draws, get_args(Draws))
        draw = generator(rng)
        slots = np.arange(len(self.alpha)) if where is None else np.flatnonzero(slot_mask(where, len(self.alpha)))
        most = len(slots) if draws == "one" else number * len(slots)
        if not 0 <= number <= most:
            raise InvalidValueError(message("n", f"a number from 0 to the {counted(len(slots), 'slot')}", n))
        if draws == "each":
            rates = draw.beta(self.alpha[slots], self.beta[slots], size=(number, len(slots)))
            best = rates.argmax(axis=1) if number else np.zeros(0, dtype=np.int64)
            return frozen(slots[best])
        rates = draw.beta(self.alpha[slots], self.beta[slots])
        best = [int(rates.argmax())] if number == 1 else np.argsort(-rates, kind="stable")[:number]
        return frozen(slots[best])

    def update(self, slot: ArrayLike, hits: ArrayLike, trials: ArrayLike, /) -> Thompson:
        """Return what is believed after more posts.

        Parameters
        ----------
        slot : int or array_like of int, shape (m,)
            Slot of each post; one may stand several times.
        hits, trials : int or array_like of int, shape (m,)
            How many were reached by each post, and how many of these responded.

        Returns
        -------
        Thompson
            The new state. In which order posts are told, or whether at once or one by one, makes no difference beyond
            the rounding of sums, and none at all without clustering.

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            An argument can't be used; more responded than were reached.

        Examples
        --------
        >>> state = Thompson.knowing_nothing(3).update([0, 2, 2], [1, 4, 5], [10, 10, 10])
        >>> state.alpha.tolist(), state.beta.tolist()
        ([2.0, 1.0, 10.0], [10.0, 1.0, 12.0])
        """
        at, k, n = (np.atleast_1d(counts(*named)) for named in (("slot", slot), ("hits", hits), ("trials", trials)))
        for name, column in (("hits", k), ("trials", n)):
            if column.shape != at.shape or at.ndim > 1:
                raise MisalignedError(message(name, f"one for each of {counted(at.size, 'post')}", column.shape))
        bad = at >= len(self.alpha)
        if bad.any():
            refuse("slot", f"a slot in [0, {len(self.alpha)})", at, bad)
        bad = k > n
        if bad.any():
            refuse("hits", "no more than `trials`", k, bad)
        weight = 1.0 / (1.0 + np.maximum(n - 1, 0) * self.clustering)
        alpha, beta = self.alpha.copy(), self.beta.copy()
        np.add.at(alpha, at, k * weight)
        np.add.at(beta, at, (n - k) * weight)
        return attrs.evolve(self, alpha=frozen(alpha), beta=frozen(beta))

    def __len__(self) -> int:
        """Return the number of slots."""
        return len(self.alpha)

    def __repr__(self) -> str:
        """Show how many slots there are."""
        return f"Thompson({counted(len(self), 'slot')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def regret(truth: ArrayLike, chosen: ArrayLike, /) -> FloatArray:
    r"""Return what was lost by not having known the best slots from the start.

    Parameters
    ----------
    truth : array_like of float, shape (n_slots,)
        True rate of each slot: known where responses are simulated.
    chosen : array_like of int, shape (t,) or (t, m)
        The slot chosen in each round, or the m different ones.

    Returns
    -------
    ndarray of float64, shape (t,)
        Expected responses lost up to each round, by each person reached. Never negative, never falling.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        An argument can't be used.

    Notes
    -----
    :math:`R_t = \sum_{u \le t} (\sum_{i \le m} p_{(i)} - \sum_{a \in A_u} p_a)` with :math:`p_{(i)}` the i-th highest
    rate: pseudo-regret, of the slots and not of the luck of their posts.

    Examples
    --------
    >>> regret([0.1, 0.3, 0.2], [0, 2, 1]).round(3).tolist()
    [0.2, 0.3, 0.3]
    """
    rates = _rates(truth)
    picked = np.asarray(counts("chosen", chosen))
    if picked.ndim not in {1, 2}:
        raise MisalignedError(message("chosen", "slots of shape (t,) or (t, m)", f"an array of shape {picked.shape}"))
    bad = picked >= len(rates)
    if bad.any():
        refuse("chosen", f"slots in [0, {len(rates)})", picked, bad)
    if picked.ndim == 1:
        return frozen(np.cumsum(rates.max(initial=0.0) - rates[picked]))
    ordered = np.sort(picked, axis=1)
    bad = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    if bad.any():
        refuse("chosen", "different slots in each round", picked[:, 0], bad)
    best = np.sort(rates)[::-1][: picked.shape[1]].sum()
    return frozen(np.cumsum(np.maximum(best - rates[picked].sum(axis=1), 0.0)))


def lai_robbins(truth: ArrayLike, /) -> float:
    r"""Return how much regret the best of all consistent policies adds, in the long run, each time t grows e-fold.

    Parameters
    ----------
    truth : array_like of float, shape (n_slots,)
        True rate of each slot.

    Returns
    -------
    float
        Coefficient of ln t, of one person reached in each round; 0 where the best slot always responds.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        `truth` holds no rates.

    Notes
    -----
    :math:`\sum_{a: p_a < p^*} (p^* - p_a) / \mathrm{KL}(p_a, p^*)`. Thompson sampling attains it (Kaufmann et al.).

    References
    ----------
    Lai, T. L. & Robbins, H. (1985). Asymptotically efficient adaptive allocation rules. Advances in Applied Mathematics
    6, 4-22. https://doi.org/10.1016/0196-8858(85)90002-8

    Kaufmann, E., Korda, N. & Munos, R. (2012). Thompson sampling: an asymptotically optimal finite-time analysis. ALT,
    199-213. https://arxiv.org/abs/1205.4217

    Examples
    --------
    >>> round(lai_robbins([0.1, 0.3]), 3)
    1.719
    """
    rates = _rates(truth)
    best = float(rates.max(initial=0.0))
    others = rates[rates < best]
    if not len(others) or best == 1.0:
        return 0.0
    misses = np.log1p((best - others) / (1.0 - best)) * (1.0 - others)
    hits = np.where(others > 0, others * np.log(np.where(others > 0, others, 1.0) / best), 0.0)
    return float(((best - others) / (hits + misses)).sum())


def _rates(truth: ArrayLike) -> FloatArray:
    return reals_column("truth", truth, (-1,), of="each slot", least=0, most=1)


def slot_mask(where: ArrayLike, n: int, /) -> BoolArray:
    """Return which of n slots come into question.

    Examples
    --------
    >>> slot_mask([True, False], 2).tolist()
    [True, False]
    """
    mask: BoolArray = array_of("where", where, kinds="b", expected="booleans")
    if mask.shape != (n,):
        raise MisalignedError(message("where", f"one for each of the {n} slots", f"an array of shape {mask.shape}"))
    return mask
