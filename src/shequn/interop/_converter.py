"""Records as fields of somebody else's attrs classes: a converter of cattrs that knows them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pendulum

from shequn.errors import from_extra
from shequn.interop._documents import document_class, from_document, to_document
from shequn.interop._forms import Binary, Day, Instant, Span
from shequn.interop._results import is_result, read_result, write_result

if TYPE_CHECKING:
    from collections.abc import Callable

    from cattrs import Converter

    from shequn.interop._forms import Form

__all__ = ["converter"]


def converter() -> Converter:
    """Return a converter of cattrs that knows every record, rule, funnel, policy and result.

    Returns
    -------
    cattrs.Converter
        One of its own, to which hooks for the caller's classes can be added. It refuses unknown keys. Besides the
        records it takes instants, days, durations and bytes as documents write them.

    Raises
    ------
    MissingExtraError
        cattrs is not installed: ``pip install 'shequn[cattrs]'``.

    Notes
    -----
    Records, rules, definitions and policies are read by the constructors that people use, so that anybody may have
    written their documents. Those of results (logs, ledgers, tables) are for a store that one trusts: that each field
    is of its type and columns are of one length is checked for all of them, what the numbers of a log, a presence, a
    ledger and a summary say to each other for these; that others are the result of any data is not.

    What is wrong with a document is a `DocumentError` with its place. Inside a class of the caller's own, cattrs puts
    it into a group; ``cattrs.transform_error(error, format_exception=lambda error, _: str(error))`` lists what is in
    there, with the place in both.

    Examples
    --------
    >>> import shequn as sq
    >>> json = converter()
    >>> json.unstructure(sq.Money(9_900, "CNY"))
    {'schema_version': 1, 'minor': 9900, 'currency': 'CNY'}
    >>> json.structure({"minor": 9900, "currency": "CNY"}, sq.Money)
    Money(minor=9900, currency='CNY')
    """
    with from_extra("cattrs"):
        from cattrs.preconf.json import make_converter  # noqa: PLC0415

    made = make_converter(forbid_extra_keys=True)
    forms: tuple[tuple[type[Any], Form], ...] = (
        (bytes, Binary()),
        (dt.timedelta, Span()),
        (dt.datetime, Instant()),
        (dt.date, Day(pendulum.Date)),
    )
    for kind, form in forms:
        made.register_unstructure_hook(kind, _writer(form))
        made.register_structure_hook(kind, _reader(form))
    made.register_unstructure_hook_func(_is_document, to_document)
    made.register_structure_hook_func(_is_document, _read_document)
    made.register_unstructure_hook_func(is_result, write_result)
    made.register_structure_hook_func(is_result, _read_result)
    return made


def _is_document(cls: object) -> bool:
    return document_class(cls) is not None


def _read_document(told: Any, cls: Any) -> Any:  # noqa: ANN401
    return from_document(cls, told)


def _read_result(told: Any, cls: Any) -> Any:  # noqa: ANN401
    return read_result(cls, told)


def _writer(form: Form) -> Callable[[Any], Any]:
    return lambda value: form.write(value, "$")


def _reader(form: Form) -> Callable[[Any, Any], Any]:
    return lambda told, _cls: form.read(told, "$")
