"""Which inflow and evaporation does a ledger show, how well are they known, and how much do they move?

The rate is pooled over periods. What it moves between periods beyond chance is estimated by the method of moments
(DerSimonian and Laird 1986, https://doi.org/10.1016/0197-2456(86)90046-2), that of the inflow by its excess over
Poisson.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.errors import InvalidValueError, message
from shequn.stats._checks import whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import FloatArray
    from shequn.retention.ledger import FlowLedger

__all__ = ["error_of_share", "rates_of_ledger", "widest"]


def rates_of_ledger(
    ledger: FlowLedger, over: int | None, referral: float, *, with_rate: bool, with_inflow: bool
) -> tuple[FloatArray, dict[str, Any]]:
    """Return the last complete stock, and the assumptions that the last complete periods give."""
    n_over = None if over is None else whole("over", over)
    if n_over is not None and n_over < 1:
        raise InvalidValueError(message("over", "a number of periods >= 1", over))
    complete = np.flatnonzero(ledger.complete)
    if not len(complete):
        raise InvalidValueError(message("data", "a ledger with at least one complete period", ledger))
    seen: dict[str, Any] = {"calendar": ledger.calendar, "first_period": ledger.first_period + int(complete[-1]) + 1}
    if with_rate or with_inflow:
        # Until it first opens with members a community is being founded, and that is no flow to go by.
        begun = complete[np.cumsum(ledger.opening[complete]) > 0]
        used = begun if n_over is None else begun[-n_over:]
        opening = ledger.opening[used]
        if not opening.sum():
            among = "" if n_over is None else f" among its last {n_over}"
            expected = f"a ledger with a complete period{among} that opened with members"
            raise InvalidValueError(message("data", expected, ledger))
        seen |= _fit_rate(ledger.evaporated[used], opening) if with_rate else {}
        seen |= _fit_inflow(ledger.flow[used], opening, referral) if with_inflow else {}
    return np.array([float(ledger.retained[complete[-1]])]), seen


def _fit_rate(evaporated: NDArray[Any], opening: NDArray[Any]) -> dict[str, float]:
    """Return the pooled evaporation rate, its fluctuation between periods and its standard error."""
    opened = opening > 0
    lost, held = evaporated[opened].astype(np.float64), opening[opened].astype(np.float64)
    total = held.sum()
    rate = lost.sum() / total
    fluctuation = 0.0
    if 0 < rate < 1 and len(held) > 1:
        chance = rate * (1 - rate)
        excess = ((lost - held * rate) ** 2 / held).sum() / chance - (len(held) - 1)  # Cochran's Q less its expectation
        between = excess * chance / (total - (held**2).sum() / total)
        fluctuation = min(math.sqrt(max(between, 0.0)), widest(rate))
    error = math.hypot(error_of_share(lost.sum(), total), fluctuation * math.sqrt((held**2).sum()) / total)
    return {"constant_rate": float(rate), "rate_error": error, "rate_fluctuation": fluctuation}


def _fit_inflow(flow: NDArray[Any], opening: NDArray[Any], referral: float) -> dict[str, float]:
    """Return the mean inflow that referral leaves to explain, its fluctuation and its standard error."""
    n_periods, mean_flow, mean_opening = len(flow), float(flow.mean()), float(opening.mean())
    if referral > mean_flow / mean_opening:
        expected = f"at most {mean_flow / mean_opening:.4g}, which explains all flow of the ledger, or an `inflow`"
        raise InvalidValueError(message("referral_rate", expected, referral))
    between = float((flow - referral * opening).var(ddof=1)) - mean_flow if n_periods > 1 else 0.0
    variance = max(between, 0.0)
    return {
        "inflow": max(mean_flow - referral * mean_opening, 0.0),
        "inflow_error": math.sqrt(variance / n_periods + (float(flow.sum()) + 0.5) / n_periods**2),
        "inflow_fluctuation": math.sqrt(variance),
    }


def error_of_share(hits: float, trials: float) -> float:
    """Return the standard deviation of Jeffreys' posterior of a share."""
    a, b = hits + 0.5, trials - hits + 0.5
    return math.sqrt(a * b / (a + b + 1)) / (a + b)


def widest(rate: float) -> float:
    """Return the largest standard deviation of a random share with this mean."""
    return math.sqrt(rate * (1 - rate))
