"""By what is the stage of a community judged? Thresholds that don't flicker, and how long each must be kept."""

from __future__ import annotations

from typing import Any, Final

import attrs

from shequn._doors import Doors
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import whole
from shequn.values.band import Band

__all__ = ["MEASURES", "StagePolicy"]

MEASURES: Final = ("size", "growth", "activity", "active_share", "awake")
"""The conditions of a policy, each a band on one measure; ``awake`` is a second one on activity."""

_LONGEST: Final = 10_000


def _band(name: str, enter: float, leave: float) -> Any:  # noqa: ANN401
    def check(_policy: object, _field: object, value: object) -> None:
        if not isinstance(value, Band):
            raise InvalidTypeError(message(name, f"a Band, such as Band({enter:g}, {leave:g})", value))

    return attrs.field(default=Band(enter, leave), validator=check)


def _hold(name: str, default: int) -> Any:  # noqa: ANN401
    def convert(value: object) -> int:
        periods = whole(name, value)
        if not 1 <= periods <= _LONGEST:
            raise InvalidValueError(message(name, f"1 to {_LONGEST:,} periods", value))
        return periods

    return attrs.field(default=default, converter=convert)


@attrs.frozen(kw_only=True)
class StagePolicy(Doors):
    """Thresholds of the stages, each with hysteresis, and for how many periods in a row a condition must hold.

    The defaults are priors for periods of a week, to be overridden: growth and activity of other periods are others.
    Nothing but the order of stages, and the size at which a group works, is from the literature.

    Parameters
    ----------
    size : Band, default Band(26, 18)
        Members from which on a community is more than a seed. 26 is the least of the sizes that work best (row N3).
    growth : Band, default Band(0.05, 0.02)
        *Growing*: change of the logarithm of members in a period; 0.05 doubles them in 14.
    activity : Band, default Band(1.0, 0.5)
        Messages a member in a period; *lively* with this and the next.
    active_share : Band, default Band(0.2, 0.1)
        Share of the members who are active in a period.
    awake : Band, default Band(0.1, 0.02)
        Messages a member in a period, below which it is *silent*. Not above `activity`, at either end.
    growth_hold, active_hold, decline_hold, dormancy_hold, revival_hold : int, default 2, 2, 3, 4, 2
        Periods in a row for which a condition must hold before the stage changes.

    Raises
    ------
    InvalidTypeError
        A threshold is no Band, or a number of periods no integer.
    InvalidValueError
        A number of periods is not in [1, 10,000], or `awake` is above `activity`.

    References
    ----------
    S1 §三(二), (五), rows T2, C8 and N3 of the domain table.

    Examples
    --------
    >>> monthly = StagePolicy(growth=Band(0.2, 0.08), activity=Band(4, 2), awake=Band(0.4, 0.1), dormancy_hold=2)
    >>> monthly.growth.holds(0.1, inside=True)
    True
    """

    size: Band = _band("size", 26, 18)
    growth: Band = _band("growth", 0.05, 0.02)
    activity: Band = _band("activity", 1.0, 0.5)
    active_share: Band = _band("active_share", 0.2, 0.1)
    awake: Band = _band("awake", 0.1, 0.02)
    growth_hold: int = _hold("growth_hold", 2)
    active_hold: int = _hold("active_hold", 2)
    decline_hold: int = _hold("decline_hold", 3)
    dormancy_hold: int = _hold("dormancy_hold", 4)
    revival_hold: int = _hold("revival_hold", 2)

    def __attrs_post_init__(self) -> None:
        for end in ("enter", "leave"):
            most = getattr(self.activity, end)
            if getattr(self.awake, end) > most:
                expected = f"{end} at most {most}, that of activity"
                raise InvalidValueError(message("awake", expected, getattr(self.awake, end)))
