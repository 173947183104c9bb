"""Which column of a log is summed?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.errors import InvalidTypeError, UnknownLabelError, message

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn.columns.log import EventLog

__all__ = ["summed_column"]


def summed_column(log: EventLog, value: str | None, /) -> NDArray[Any] | None:
    """Return the column of numbers that is summed; None for none, and of an empty log, which has none.

    Raises
    ------
    InvalidTypeError, UnknownLabelError
        The log lacks the column, or it holds no numbers.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> summed_column(EventLog.from_columns(member=[7], kind="buy", at=[0], time_unit="s", value=[5]), "value")
    array([5])
    """
    if value is None:
        return None
    try:
        column = log.column(value, argument="value")
    except UnknownLabelError as error:
        if not len(log):
            return None
        raise UnknownLabelError(f"{error}; value=None counts without money") from None
    if not isinstance(column, np.ndarray):
        raise InvalidTypeError(message("value", "the name of a column of numbers", value))
    return column
