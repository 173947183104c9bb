"""What does a caller of a funnel's strategies ask for? Options that they share, checked once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import attrs

from shequn.columns.kinds import of_kinds
from shequn.columns.log import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.funnel.attempts import Eligible
from shequn.funnel.definition import Funnel
from shequn.funnel.reading import Reading
from shequn.stats._checks import one_of
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt

    from shequn.columns.kinds import UnknownKinds

__all__ = ["Asked", "Maturity"]

Maturity: TypeAlias = Literal["all", "complete"]


@attrs.frozen(eq=False)
class Asked:
    """A log cut to what was observed, a funnel, and the entries that count."""

    log: EventLog
    funnel: Funnel
    start_us: int | None
    end_us: int | None
    maturity: Maturity
    until_us: int | None
    unknown_kinds: UnknownKinds

    @classmethod
    def of(
        cls,
        log: EventLog,
        funnel: Funnel,
        *,
        start: dt.datetime | None,
        end: dt.datetime | None,
        maturity: Maturity,
        observed_until: dt.datetime | None,
        unknown_kinds: UnknownKinds,
    ) -> Asked:
        """Check the options that the strategies share."""
        if not isinstance(log, EventLog):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("log", "an EventLog", log))
        if not isinstance(funnel, Funnel):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("funnel", "a Funnel", funnel))
        one_of("maturity", maturity, get_args(Maturity))
        start_us = None if start is None else instant_us(start, argument="start")
        end_us = None if end is None else instant_us(end, argument="end")
        if start_us is not None and end_us is not None and start_us > end_us:
            raise InvalidValueError(message("end", f"an instant not before start ({start})", end))
        until_us = None if observed_until is None else instant_us(observed_until, argument="observed_until")
        if maturity == "complete" and until_us is None:
            expected = "an aware datetime with maturity='complete': the same for every part of a log"
            raise InvalidTypeError(message("observed_until", expected, observed_until))
        seen = log if observed_until is None else log.where(end=observed_until)
        if not len(seen):  # nobody will read it, and so nobody else will say
            of_kinds(seen, funnel.kinds, argument="steps", unknown_kinds=unknown_kinds)
        return cls(seen, funnel, start_us, end_us, maturity, until_us, unknown_kinds)

    def reading(self) -> Reading:
        """Return the funnel as the log's rows tell it; the log has some."""
        return Reading.of(self.log, self.funnel, self.unknown_kinds)

    @property
    def entered(self) -> Eligible:
        """Entries between the dates."""
        return Eligible(self.start_us, self.end_us)

    @property
    def eligible(self) -> Eligible:
        """Entries between the dates that are judged: with maturity='complete', those whose window was observed."""
        if self.maturity == "all" or self.until_us is None:
            return self.entered
        mature = self.until_us - self.funnel.within_us
        return Eligible(self.start_us, mature if self.end_us is None else min(mature, self.end_us))
