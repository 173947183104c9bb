"""How much of what we send comes while people work?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shequn.columns.kinds import of_kinds
from shequn.columns.log import EventLog
from shequn.errors import InvalidTypeError, message
from shequn.values.daily_window import DailyWindow
from shequn.values.quiet_hours import QuietHours
from shequn.values.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Collection

    from shequn._typing import IntArray
    from shequn.columns.kinds import UnknownKinds

__all__ = ["disturbance_share"]


def disturbance_share(
    sent: EventLog | IntArray,
    /,
    *,
    working: DailyWindow | QuietHours,
    kinds: Collection[str] | str = "receive",
    unknown_kinds: UnknownKinds = "warn",
) -> Rate:
    """Return the share of messages that came in hours when they disturb (打扰率).

    Parameters
    ----------
    sent : EventLog, or ndarray of int64, shape (n,)
        What was sent: a log, or instants in microseconds since 1970-01-01T00:00Z.
    working : DailyWindow or QuietHours
        The hours in question. Of a `DailyWindow` all that lies inside counts, whatever its use; of `QuietHours` what is
        not allowed.
    kinds : str or collection of str
        Kinds of event in a log that are messages to members.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    Rate
        With its interval, which takes messages for independent of each other.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If `sent` is neither, or `working` no window.

    References
    ----------
    ``spec/domain.md``, row A5.

    Examples
    --------
    >>> from shequn.values import DailyWindow
    >>> work = DailyWindow(start="09:00", end="18:00", weekdays="mon-fri", tz="Asia/Shanghai")
    >>> disturbance_share([0, 7_200_000_000, 43_200_000_000], working=work)  # Thursday 08:00, 10:00, 20:00
    Rate(hits=1, trials=3)
    """
    if not isinstance(working, DailyWindow | QuietHours):
        raise InvalidTypeError(message("working", "a DailyWindow or QuietHours", working))
    if isinstance(sent, EventLog):
        is_kind = of_kinds(sent, kinds, unknown_kinds=unknown_kinds)
        return Rate.of(working.mask(sent.at_us[is_kind[sent.kind_codes]]))
    return Rate.of(working.mask(sent))
