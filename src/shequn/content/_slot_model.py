"""What is the rate of each hour of the week, where most hours have seen few posts? A hierarchical beta-binomial model.

Arrays in, arrays out. Hits of a slot follow a beta-binomial law about a mean that is, in log odds, the sum of a level,
an effect of the hour and one of the day. How large the effects are, and how far slots stray from them, is not known
either: it is averaged over a grid, with the weight that the data give to each point of it.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from shequn.columns.readonly import frozen
from shequn.stats.gammas import digamma_gap, log_gamma_ratio

if TYPE_CHECKING:
    from shequn._typing import BoolArray, FloatArray, IntArray

__all__ = ["SlotFit", "clustering_of", "effective", "fit_slots"]

HOURS: Final = 24
_LEVEL_VARIANCE: Final = 100.0
_REACH_HOURS: Final = 3.0  # the correlation of the effects of two hours falls by a factor e over so many
# Standard deviations, in log odds, of the effects of hours and of days, and of slots about their sum.
_OF_HOURS: Final = (0.03, 0.1, 0.25, 0.5, 1.0, 2.0)
_OF_DAYS: Final = (0.03, 0.1, 0.25, 0.6, 1.2)
_OF_SLOTS: Final = (0.03, 0.1, 0.2, 0.4, 0.8, 1.6)
_LEAST_STRENGTH: Final = 1e-2
_NODES: Final = np.array([-2.8569700138728056, -1.355626179974266, 0.0, 1.355626179974266, 2.8569700138728056])
_WEIGHTS: Final = np.array(
    [0.011257411327720682, 0.22207592200561266, 0.5333333333333333, 0.22207592200561266, 0.011257411327720682]
)
_MOST_ROUNDS: Final = 60
_MOST_HALVINGS: Final = 25
_LONGEST_STEP: Final = 2.0
_SETTLED: Final = 1e-8
_EDGE: Final = 1e-9


class SlotFit(NamedTuple):
    """The posterior of each slot, moment-matched by a beta distribution.

    Examples
    --------
    >>> fit = fit_slots(np.full(48, 2.0), np.full(48, 10.0), n_days=2)
    >>> fit.mean.round(2)[:2].tolist()
    [0.2, 0.2]
    """

    alpha: FloatArray
    beta: FloatArray
    expected: FloatArray
    """What hour and day alone would lead one to expect."""

    @property
    def mean(self) -> FloatArray:
        """Posterior means."""
        return frozen(self.alpha / (self.alpha + self.beta))


def fit_slots(hits: FloatArray, trials: FloatArray, /, *, n_days: int) -> SlotFit:
    r"""Return what is to be believed of each slot, slot ``day * 24 + hour``.

    Parameters
    ----------
    hits, trials : ndarray of float64, shape (n_days * 24,)
        May be fractions, for counts that were made smaller since they hang together. Some trial must be positive.

    Notes
    -----
    With :math:`\mu` the logistic function of level + hour + day:

    .. math:: k_s \sim \text{BetaBinomial}(n_s, \kappa \mu_s, \kappa (1 - \mu_s))

    The level is :math:`N(0, 10^2)`, effects of days :math:`N(0, \sigma_d^2)`, effects of hours a normal process on the
    circle with covariance :math:`\sigma_h^2 e^{-d / 3}` for hours d apart, and κ such that slots stray from
    :math:`\mu` by :math:`\sigma_s` in log odds at the overall rate. At each point of a grid of
    :math:`(\sigma_h, \sigma_d, \sigma_s)` the effects are integrated out by Laplace's method, which gives its weight; a
    rate given the effects is beta, and its first two moments are averaged over effects and grid.

    Examples
    --------
    >>> fit_slots(np.full(48, 2.0), np.full(48, 10.0), n_days=2).alpha.shape
    (48,)
    """
    design = _design(n_days)
    overall = (hits.sum() + 0.5) / (trials.sum() + 1.0)
    grid = np.array(list(product(_OF_HOURS, _OF_DAYS, _OF_SLOTS)))
    strength = np.maximum(1.0 / (grid[:, 2] ** 2 * overall * (1.0 - overall)) - 1.0, _LEAST_STRENGTH)[:, None]
    precision, log_det = _precisions(grid[:, 0], grid[:, 1], n_days)
    tried = trials > 0
    world = _World(design[tried], hits[tried], trials[tried], strength, precision)
    effects = np.zeros((len(grid), design.shape[1]))
    effects[:, 0] = np.log(overall / (1.0 - overall))
    effects, log_density = _peak(world, effects)
    curvature = world.curvature(effects)
    evidence = log_density + 0.5 * log_det - 0.5 * np.linalg.slogdet(curvature)[1]
    weight = np.exp(evidence - evidence.max())
    weight /= weight.sum()
    likely = weight > weight.max() * 1e-6
    weight = weight[likely] / weight[likely].sum()
    spread = np.sqrt(np.einsum("si,gij,sj->gs", design, np.linalg.inv(curvature[likely]), design, optimize=True))
    at = (effects[likely] @ design.T)[..., None] + spread[..., None] * _NODES
    return _matched(_logistic(at), strength[likely][:, :, None], hits, trials, weight)


def _matched(mu: FloatArray, strength: FloatArray, hits: FloatArray, trials: FloatArray, weight: FloatArray) -> SlotFit:
    """Return the beta distributions with the mean and the variance of a mixture of beta distributions."""
    each = weight[:, None, None] * _WEIGHTS
    sure = strength + trials[None, :, None]
    mean = (strength * mu + hits[None, :, None]) / sure
    first = (each * mean).sum(axis=(0, 2))
    variance = (each * (mean * (1.0 - mean) / (sure + 1.0) + (mean - first[None, :, None]) ** 2)).sum(axis=(0, 2))
    strength_of_all = np.maximum(first * (1.0 - first) / variance - 1.0, 1e-3)
    expected = (each * mu).sum(axis=(0, 2))
    return SlotFit(
        frozen(np.maximum(first * strength_of_all, 1e-6)),
        frozen(np.maximum((1.0 - first) * strength_of_all, 1e-6)),
        frozen(expected),
    )


def _design(n_days: int) -> FloatArray:
    """Return which effects add up to each slot, shape (n_days * 24, 1 + 24 + n_days)."""
    slot = np.arange(n_days * HOURS)
    design = np.zeros((len(slot), 1 + HOURS + n_days))
    design[:, 0] = 1.0
    design[slot, 1 + slot % HOURS] = 1.0
    design[slot, 1 + HOURS + slot // HOURS] = 1.0
    return design


def _precisions(of_hours: FloatArray, of_days: FloatArray, n_days: int) -> tuple[FloatArray, FloatArray]:
    """Return the inverse covariance of the effects at each point of the grid, and its log determinant."""
    apart = np.abs(np.subtract.outer(np.arange(HOURS), np.arange(HOURS)))
    like = np.exp(-np.minimum(apart, HOURS - apart) / _REACH_HOURS)
    size = 1 + HOURS + n_days
    precision = np.zeros((len(of_hours), size, size))
    precision[:, 0, 0] = 1.0 / _LEVEL_VARIANCE
    precision[:, 1 : 1 + HOURS, 1 : 1 + HOURS] = np.linalg.inv(like) / of_hours[:, None, None] ** 2
    days = np.arange(1 + HOURS, size)
    precision[:, days, days] = 1.0 / of_days[:, None] ** 2
    log_det = -np.log(_LEVEL_VARIANCE) - np.linalg.slogdet(like)[1]
    return precision, log_det - 2.0 * HOURS * np.log(of_hours) - 2.0 * n_days * np.log(of_days)


class _World(NamedTuple):
    """What is known, at g points of the grid and of the s slots that were tried."""

    design: FloatArray
    hits: FloatArray
    trials: FloatArray
    strength: FloatArray
    precision: FloatArray

    def at(self, rows: BoolArray | IntArray) -> _World:
        """Return some points of the grid alone."""
        return self._replace(strength=self.strength[rows], precision=self.precision[rows])

    def log_density(self, effects: FloatArray) -> FloatArray:
        """Return the log likelihood and the log prior of the effects, less a constant."""
        mu = self.mu(effects)
        a, b = self.strength * mu, self.strength * (1.0 - mu)
        shape = mu.shape
        k, rest = np.broadcast_to(self.hits, shape), np.broadcast_to(self.trials - self.hits, shape)
        whole = log_gamma_ratio(np.broadcast_to(self.strength, shape), np.broadcast_to(self.trials, shape))
        likelihood = (log_gamma_ratio(a, k) + log_gamma_ratio(b, rest) - whole).sum(axis=1)
        density: FloatArray = likelihood - 0.5 * np.einsum("gi,gij,gj->g", effects, self.precision, effects)
        return density

    def slope(self, effects: FloatArray) -> FloatArray:
        """Return the gradient of `log_density`."""
        mu = self.mu(effects)
        a, b = self.strength * mu, self.strength * (1.0 - mu)
        k, rest = np.broadcast_to(self.hits, mu.shape), np.broadcast_to(self.trials - self.hits, mu.shape)
        by_log_odds = self.strength * (digamma_gap(a, k) - digamma_gap(b, rest)) * mu * (1.0 - mu)
        slope: FloatArray = by_log_odds @ self.design - np.einsum("gij,gj->gi", self.precision, effects)
        return slope

    def curvature(self, effects: FloatArray) -> FloatArray:
        """Return the expected information of the quasi-likelihood with the same variance, plus that of the prior."""
        mu = self.mu(effects)
        weight = self.trials * (self.strength + 1.0) / (self.strength + self.trials) * mu * (1.0 - mu)
        information: FloatArray = np.matmul(self.design.T, weight[:, :, None] * self.design) + self.precision
        return information

    def mu(self, effects: FloatArray) -> FloatArray:
        """Return the mean of each slot at these effects, off 0 and 1."""
        return np.clip(_logistic(effects @ self.design.T), _EDGE, 1.0 - _EDGE)


def _logistic(x: FloatArray) -> FloatArray:
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, 1.0) / (1.0 + small)


def _peak(world: _World, effects: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Climb to the most likely effects at each point of the grid; return them, and the log density there."""
    height = world.log_density(effects)
    climbing = np.arange(len(effects))
    for _ in range(_MOST_ROUNDS):
        part, here = world.at(climbing), effects[climbing]
        step = np.linalg.solve(part.curvature(here), part.slope(here)[..., None])[..., 0].astype(np.float64)
        step *= np.minimum(1.0, _LONGEST_STEP / np.maximum(np.abs(step).max(axis=1, keepdims=True), _EDGE))
        there, reached = _ascended(part, here, step, height[climbing])
        gained = reached - height[climbing]
        effects[climbing], height[climbing] = there, reached
        climbing = climbing[gained > _SETTLED * (1.0 + np.abs(reached))]
        if not len(climbing):
            break
    return effects, height


def _ascended(world: _World, here: FloatArray, step: FloatArray, height: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Take each step, halved until it leads up; stay where none does."""
    there = here + step
    reached = world.log_density(there)
    for _ in range(_MOST_HALVINGS):
        low = np.flatnonzero(reached < height)
        if not len(low):
            return there, reached
        step[low] *= 0.5
        there[low] = here[low] + step[low]
        reached[low] = world.at(low).log_density(there[low])
    low = np.flatnonzero(reached < height)
    there[low], reached[low] = here[low], height[low]
    return there, reached


def clustering_of(slot: IntArray, hits: IntArray, trials: IntArray, /) -> float:
    r"""Return how much alike those reached by one post are: the intraclass correlation of posts within slots.

    0 where it can't be told, since no slot has two posts.

    Notes
    -----
    The estimator of the analysis of variance, clipped to [0, 1): with mean squares between posts of a slot (M) and
    within posts (W), :math:`(M - W) / (M + (n_0 - 1) W)`.

    References
    ----------
    Ridout, M. S., Demétrio, C. G. B. & Firth, D. (1999). Estimating intraclass correlation for binary data. Biometrics
    55, 137-148. https://doi.org/10.1111/j.0006-341X.1999.00137.x

    Examples
    --------
    >>> slot = np.zeros(4, dtype=np.int64)
    >>> clustering_of(slot, np.array([9, 1, 9, 1]), np.full(4, 10)) > 0.5
    True
    """
    asked = trials > 0
    slot, hits, trials = slot[asked], hits[asked], trials[asked]
    if not len(slot):
        return 0.0
    n = np.bincount(slot, trials)
    posts = np.bincount(slot)
    used = n > 0
    squares, pooled = np.bincount(slot, trials.astype(np.float64) ** 2)[used], np.bincount(slot, hits)[used]
    n, posts = n[used], posts[used]
    n_between = float((posts - 1).sum())
    n_within = float(n.sum() - posts.sum())
    if n_between <= 0 or n_within <= 0:
        return 0.0
    between = float((hits.astype(np.float64) ** 2 / trials).sum() - (pooled**2 / n).sum()) / n_between
    within = float((hits - hits.astype(np.float64) ** 2 / trials).sum()) / n_within
    size = float((n - squares / n).sum()) / n_between
    below = between + (size - 1.0) * within
    return float(np.clip((between - within) / below, 0.0, 0.999)) if below > 0 else 0.0


def effective(hits: IntArray, trials: IntArray, clustering: float, /) -> tuple[FloatArray, FloatArray]:
    """Return counts of posts made smaller to as many independent trials as they are worth.

    Examples
    --------
    >>> effective(np.array([5]), np.array([11]), 0.1)
    (array([2.5]), array([5.5]))
    """
    share = 1.0 / (1.0 + np.maximum(trials - 1, 0) * clustering)
    return frozen(hits * share), frozen(trials * share)
