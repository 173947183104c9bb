"""Who asks to come in? Applications as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import attrs
import numpy as np

from shequn.columns.extra import same_fields
from shequn.columns.readonly import by_fields, frozen, read_only, read_only_or_none
from shequn.entities import Applicant
from shequn.errors import InvalidTypeError, MisalignedError, counted, message
from shequn.labels import Coded
from shequn.labels.encode import is_null
from shequn.stats._checks import array_of, instance, items_of, plain_array, reals, refuse
from shequn.values.instants import from_us, to_instants

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import FloatArray, IntArray
    from shequn.labels import Label

__all__ = ["Applicants"]

_LABELLED = ("passphrase", "invited_by", "invite")
_UNDECIDED = -1


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Applicants:
    """Applications, one a row in the order given; made by `from_columns` or `from_applicants`.

    Attributes
    ----------
    applicant : Coded
        Who.
    at_us : ndarray of int64, shape (n,)
        For when each is to be decided, in microseconds since 1970-01-01T00:00Z.
    score : ndarray of float64, shape (n,), or None
        What their answers are worth; NaN where that is not known.
    passphrase, invited_by, invite : Coded or None
        What they offered, who brought them, and the code of their invitation.
    approved : ndarray of int8, shape (n,), or None
        1 approved, 0 declined, -1 not decided.

    Examples
    --------
    >>> asked = Applicants.from_columns(applicant=["ann", "bo"], at=[0, 60], time_unit="s", approved=[True, None])
    >>> asked, asked.approved.tolist()
    (Applicants(2 applications), [1, -1])
    """

    applicant: Coded
    at_us: IntArray = attrs.field(converter=read_only)
    score: FloatArray | None = attrs.field(default=None, converter=read_only_or_none)
    passphrase: Coded | None = None
    invited_by: Coded | None = None
    invite: Coded | None = None
    approved: NDArray[np.int8] | None = attrs.field(default=None, converter=read_only_or_none)

    def __attrs_post_init__(self) -> None:
        """Check that the columns are as long as each other."""
        instance("applicant", self.applicant, Coded, expected="a Coded")
        for name in ("at_us", "score", *_LABELLED, "approved"):
            column: Any = getattr(self, name)
            if getattr(column, "ndim", 1) != 1:
                shape = f"an array of shape {column.shape}"
                raise MisalignedError(message(name.removesuffix("_us"), "a column of one dimension", shape))
            if column is not None and len(column) != len(self.applicant):
                expected = f"as many rows as `applicant`, which has {len(self.applicant)}"
                raise MisalignedError(message(name.removesuffix("_us"), expected, len(column)) + " rows")

    @classmethod
    def from_columns(
        cls,
        *,
        applicant: ArrayLike | Sequence[Label],
        at: ArrayLike | Sequence[dt.datetime],
        at_tz: str | None = None,
        time_unit: Literal["s", "ms", "us"] | None = None,
        score: ArrayLike | Sequence[float | None] | None = None,
        passphrase: ArrayLike | Sequence[str | None] | None = None,
        invited_by: ArrayLike | Sequence[Label | None] | None = None,
        invite: ArrayLike | Sequence[Label | None] | None = None,
        approved: ArrayLike | Sequence[bool | None] | None = None,
    ) -> Applicants:
        """Build from one column for each thing an `Applicant` says.

        Parameters
        ----------
        applicant : array_like of str or int, shape (n,)
            Who asks.
        at, at_tz, time_unit
            When, as `EventLog.from_columns` takes it.
        score, passphrase, invited_by, invite, approved : optional
            As in `Applicant`; None stands for none.

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            A column holds something else, or has another length.

        Examples
        --------
        >>> Applicants.from_columns(applicant=[7], at=[0], time_unit="s", invited_by=[3]).record(0).invited_by
        3
        """
        labelled = {
            name: None if column is None else Coded.of(column, argument=name, nulls=True)
            for name, column in (("passphrase", passphrase), ("invited_by", invited_by), ("invite", invite))
        }
        offered = labelled["passphrase"]
        if offered is not None and len(offered.index) and not offered.index.is_text:
            raise InvalidTypeError(message("passphrase", "texts", "numbers"))
        return cls(
            applicant=Coded.of(applicant, argument="applicant"),
            at_us=to_instants(at, at_tz=at_tz, time_unit=time_unit).us,
            score=None if score is None else _scores(score),
            approved=None if approved is None else _verdicts(approved),
            **labelled,
        )

    @classmethod
    def from_applicants(cls, applicants: Iterable[Applicant], /) -> Applicants:
        """Build from `Applicant` records.

        Examples
        --------
        >>> len(Applicants.from_applicants([Applicant(id="ann", at=from_us(0))]))
        1
        """
        rows = items_of("applicants", applicants, expected="Applicant records")
        for row, one in enumerate(rows):
            if not isinstance(one, Applicant):
                raise InvalidTypeError(message("applicants", "Applicant records", one, row=row))
        more: dict[str, Any] = {}
        for name in ("score", *_LABELLED, "approved"):
            column = [getattr(one, name) for one in rows]
            if any(value is not None for value in column):
                more[name] = column
        return cls.from_columns(applicant=[one.id for one in rows], at=[one.at for one in rows], **more)

    def __len__(self) -> int:
        """Return the number of applications."""
        return len(self.at_us)

    def record(self, row: int, /) -> Applicant:
        """Return one of them as an `Applicant`.

        Examples
        --------
        >>> Applicants.from_applicants([Applicant(id="ann", at=from_us(0), score=3)]).record(0).score
        3.0
        """
        score = None if self.score is None else float(self.score[row])
        approved = _UNDECIDED if self.approved is None else int(self.approved[row])
        labels: dict[str, Any] = {
            name: None if column is None else column.label(row)
            for name, column in ((name, getattr(self, name)) for name in _LABELLED)
        }
        return Applicant(
            id=self.applicant.index[int(self.applicant.codes[row])],
            at=from_us(int(self.at_us[row])),
            score=None if score is None or np.isnan(score) else score,
            approved=None if approved == _UNDECIDED else bool(approved),
            **labels,
        )

    def records(self) -> Iterator[Applicant]:
        """Yield each of them as an `Applicant`.

        Examples
        --------
        >>> asked = Applicants.from_columns(applicant=["ann", "bo"], at=[0, 60], time_unit="s")
        >>> [one.id for one in asked.records()]
        ['ann', 'bo']
        """
        return (self.record(row) for row in range(len(self)))

    def take(self, rows: NDArray[Any], /) -> Applicants:
        """Return some of the rows, in the order asked for.

        Examples
        --------
        >>> asked = Applicants.from_columns(applicant=["ann", "bo"], at=[0, 60], time_unit="s")
        >>> asked.take(np.array([1])).record(0).id
        'bo'
        """
        columns: dict[str, Any] = {}
        for field in attrs.fields(type(self)):
            column = getattr(self, field.name)
            if column is not None:
                columns[field.name] = column.take(rows) if isinstance(column, Coded) else frozen(column[rows])
        return Applicants(**columns)

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same applications in the same order, labels compared by label."""
        return same_fields(self, other) if isinstance(other, Applicants) else NotImplemented

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show how many there are."""
        return f"Applicants({counted(len(self), 'application')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def _listed(argument: str, column: Any) -> list[Any] | NDArray[Any]:  # noqa: ANN401
    """Return a column that may hold missing values as a list with None for each, and any other as it is."""
    given: Any = column
    if not isinstance(column, list | tuple):
        array = plain_array(argument, column, expected="a column")
        if array.dtype.kind != "O" or array.ndim != 1:
            return array
        given = array
    return [None if is_null(value) else value for value in given]


def _scores(score: object) -> FloatArray:
    given = _listed("score", score)
    if isinstance(given, list):
        given = [np.nan if value is None else value for value in given]
    return frozen(reals("score", given).copy())


def _verdicts(approved: object) -> NDArray[np.int8]:
    given = _listed("approved", approved)
    if isinstance(given, list):
        for row, item in enumerate(given):
            if not (item is None or isinstance(item, bool | np.bool_)):
                raise InvalidTypeError(message("approved", "True, False or None", item, row=row))
        return frozen(np.array([_UNDECIDED if item is None else int(item) for item in given], dtype=np.int8))
    column = array_of("approved", given, kinds="bi", expected="booleans, or 1, 0 and -1")
    unknown = (column < _UNDECIDED) | (column > 1)
    if unknown.any():
        refuse("approved", "1, 0 or -1", column, np.asarray(unknown))
    return frozen(column.astype(np.int8))
