"""Until when was the community observed? What falls later was not seen, and is no evidence of absence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from shequn.columns.halves import in_halves
from shequn.errors import InvalidValueError, message
from shequn.values.instants import from_us, instant_us

if TYPE_CHECKING:
    import datetime as dt

    from shequn.columns.log import EventLog

__all__ = ["Horizon"]


@attrs.frozen
class Horizon:
    """The end of observation: the caller's, or one resolution after the last row.

    A derived horizon keeps what it was derived from, so that parts of a log give the horizon of the whole when they
    merge.

    Attributes
    ----------
    explicit_us : int or None
        The caller's ``observed_until`` in microseconds since 1970-01-01T00:00Z; None where it is derived.
    last_us : int or None
        Instant of the last row seen; None where the horizon is explicit, or nothing was seen.
    resolution_us : int
        Resolution of the instants.

    Examples
    --------
    >>> Horizon(last_us=0).merge(Horizon(last_us=5_000_000)).until_us
    6000000
    """

    explicit_us: int | None = None
    last_us: int | None = None
    resolution_us: int = 1_000_000

    @classmethod
    def of(cls, log: EventLog, observed_until: dt.datetime | None, /) -> Horizon:
        """Return the horizon of a log under a caller's ``observed_until``."""
        if observed_until is not None:
            return cls(explicit_us=instant_us(observed_until, argument="observed_until"))
        if not len(log):
            return cls()
        lasts: list[int] = []
        in_halves(len(log), lambda rows: lasts.append(int(log.at_us[rows.start : rows.stop].max())))
        return cls(last_us=max(lasts), resolution_us=log.resolution_us)

    @property
    def is_derived(self) -> bool:
        """Whether it was taken from the data."""
        return self.explicit_us is None

    @property
    def until_us(self) -> int | None:
        """The first instant not observed; None where nothing was."""
        if self.explicit_us is not None:
            return self.explicit_us
        return None if self.last_us is None else self.last_us + self.resolution_us

    def merge(self, other: Horizon, /) -> Horizon:
        """Return the horizon of both parts: derived ones take the later, explicit ones must agree.

        Raises
        ------
        InvalidValueError
            Two explicit horizons differ, or one is explicit and the other derived from rows.
        """
        if self == other or other == Horizon():
            return self
        if self == Horizon():
            return other
        if self.explicit_us is None and other.explicit_us is None:
            lasts = [last for last in (self.last_us, other.last_us) if last is not None]
            return Horizon(None, max(lasts, default=None), min(self.resolution_us, other.resolution_us))
        raise InvalidValueError(
            message("observed_until", f"the same end of observation in both parts ({self._name()})", other._name())
            + "; give every part the same `observed_until`"
        )

    def _name(self) -> str:
        if self.until_us is None:
            return "none"
        return f"{from_us(self.until_us).isoformat()}{', derived from the data' if self.is_derived else ''}"
