"""How is a record kept as JSON and read back, exactly, whoever wrote it?

A document is an object with the fields of a record and the version of its layout. Records inside it are told the same
way, without a version of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args, get_origin

from shequn.admission import AdmissionDecision, Onboarding, Progress
from shequn.campaigns import Arm, Attendance, Before, BeforeAfter, Change, Outcome
from shequn.columns import KindRow, RowCondition
from shequn.content import Gate, GateDecision, Message, Pressure, Variety
from shequn.entities import (
    Account,
    AdmissionPolicy,
    Applicant,
    Campaign,
    Community,
    ContentItem,
    Event,
    Goal,
    Group,
    Invite,
    Member,
    PassphraseHash,
    Placement,
    Platform,
    Reward,
    SizeBand,
    Tier,
    TierLadder,
)
from shequn.errors import InvalidTypeError, message
from shequn.funnel import Exclusion, Funnel, Step
from shequn.interop._forms import entries
from shequn.interop._records import form_of
from shequn.interop.errors import refusal
from shequn.lifecycle import MonetisationClock, StagePolicy
from shequn.lifetime import Discount
from shequn.rules import Explanation, Reason, Rule
from shequn.segmentation import RfmCuts, RfmDefinition, RfmGrid, Segmentation
from shequn.values import Band, Cadence, Calendar, DailyWindow, Dated, Mix, Money, QuietHours, Rate, Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shequn.interop._forms import Form, Schema

__all__ = [
    "DOCUMENTS",
    "document_class",
    "from_document",
    "inline_schema",
    "json_schema",
    "read_value",
    "to_document",
    "versioned",
    "write_value",
]

T = TypeVar("T")

_VERSION = 1
_DIALECT = "https://json-schema.org/draft/2020-12/schema"

# Values, records, rules, definitions and policies.
DOCUMENTS: tuple[type[Any], ...] = (
    *(Band, Cadence, Calendar, DailyWindow, Dated, Mix, Money, QuietHours, Rate, Window),
    *(Account, AdmissionPolicy, Applicant, Campaign, Community, ContentItem, Event, Goal, Group, Invite, Member),
    *(PassphraseHash, Placement, Platform, Reward, SizeBand, Tier, TierLadder),
    *(RowCondition, KindRow, Rule, Explanation, Reason, RfmCuts, RfmDefinition, RfmGrid, Segmentation),
    *(Funnel, Step, Exclusion, Discount, StagePolicy, MonetisationClock),
    *(Gate, GateDecision, Message, Pressure, Variety, AdmissionDecision, Onboarding, Progress),
    *(Arm, Attendance, Before, BeforeAfter, Change, Outcome),
)
_ABSTRACT = (RowCondition, Rule)


def document_class(cls: object) -> type[Any] | None:
    """Return the class whose documents those of `cls` are; None if it has none."""
    origin = get_origin(cls) or cls
    if not isinstance(origin, type):
        return None
    for base in _ABSTRACT:
        if issubclass(origin, base):
            return base
    return origin if origin in DOCUMENTS else None


def _form(cls: object) -> Form:
    if document_class(cls) is None:
        raise InvalidTypeError(message("cls", "a class of DOCUMENTS, such as Campaign", cls))
    return form_of(cls if get_args(cls) else document_class(cls))


def write_value(record: object, source: object = None) -> Any:  # noqa: ANN401
    """Return a record as JSON has it, without a version; `source` is its class as annotations write it.

    Examples
    --------
    >>> write_value(Money(9_900, "CNY"))
    {'minor': 9900, 'currency': 'CNY'}
    """
    if document_class(type(record)) is None:
        raise InvalidTypeError(message("record", "an instance of a class of DOCUMENTS, such as Campaign", record))
    return _form(_class_of(record) if source is None else source).write(record, "$")


def _class_of(record: object) -> Any:  # noqa: ANN401
    """Return the class of a record; of dated records with what they are."""
    cls: Any = type(record)
    if cls is Dated:
        steps: tuple[tuple[Any, object], ...] = cast("Any", record).steps
        kinds = {type(value) for _, value in steps}
        if len(kinds) == 1 and (kind := document_class(*kinds)) is not None:
            return cast("Any", Dated)[kind]
    return cls


def read_value(cls: type[T], told: object) -> T:
    """Return the record that JSON tells, with a version or without.

    Examples
    --------
    >>> read_value(Money, {"minor": 9900, "currency": "CNY"})
    Money(minor=9900, currency='CNY')
    """
    form = _form(cls)
    inside = entries(told, "$", f"an object that tells a {getattr(cls, '__name__', cls)}")
    if "schema_version" in inside:
        version = inside.pop("schema_version")
        if type(version) is not int or version != _VERSION:
            raise refusal("$.schema_version", f"{_VERSION}, which this library writes", version)
    return cast("T", form.read(inside, "$"))


def to_document(record: object, /) -> dict[str, Any]:
    """Return a record, rule, funnel or policy as a document, ready for `json.dumps`.

    Parameters
    ----------
    record : object
        An instance of one of `DOCUMENTS`.

    Returns
    -------
    dict
        ``schema_version``, and a key a field; fields that are None, as they are by default, are left out.

    Raises
    ------
    InvalidTypeError
        It is an instance of something else.
    DocumentError
        A field of the caller's own (``fields`` of a member, ``extra`` of an event) holds what JSON has no word for.

    Notes
    -----
    =============  ======================================================================================
    what           how it is written
    =============  ======================================================================================
    instant        ``"2024-03-01T08:00:00+08:00[Asia/Shanghai]"`` (RFC 9557), ``Z`` for UTC
    day            ``"2024-03-01"``
    duration       ``{"days": 7}``, with ``seconds`` and ``microseconds``
    money          ``{"minor": 9900, "currency": "CNY"}``
    taxonomy       its code
    set            a list in ascending order
    bytes          base64
    infinity, NaN  ``{"float": "inf"}``, where a field may hold them
    =============  ======================================================================================

    A `Dated` doesn't know of what it is: that of records is read, and described, as ``Dated[Money]``.

    Examples
    --------
    >>> to_document(Money(9_900, "CNY"))
    {'schema_version': 1, 'minor': 9900, 'currency': 'CNY'}
    """
    return {"schema_version": _VERSION, **write_value(record)}


def from_document(cls: type[T], document: Mapping[str, Any], /) -> T:
    """Return the record that a document tells.

    Parameters
    ----------
    cls : type
        One of `DOCUMENTS`.
    document : mapping
        What `to_document` wrote, or somebody else by `json_schema`. Where ``schema_version`` is left out, the current
        one is meant.

    Returns
    -------
    object
        An instance of `cls`, equal to what was written.

    Raises
    ------
    InvalidTypeError
        `cls` has no documents.
    DocumentError
        A key is missing or unknown, or a value is none of its field; the message begins with the place.

    Examples
    --------
    >>> from_document(Band, {"schema_version": 1, "enter": 5000, "leave": 4500})
    Band(enter=5000, leave=4500)
    >>> from_document(Band, {"enter": 5000, "leave": "4500"})
    Traceback (most recent call last):
    shequn.interop.errors.DocumentError: $.leave: expected a number, got '4500'
    """
    return read_value(cls, document)


def json_schema(cls: type[Any], /) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the documents of a class.

    Parameters
    ----------
    cls : type
        One of `DOCUMENTS`.

    Returns
    -------
    dict
        The schema, ready for `json.dumps`. It takes every document that `to_document` writes; what no schema can
        say, such as that a window ends after its start, `from_document` alone refuses.

    Raises
    ------
    InvalidTypeError
        `cls` has no documents.

    Examples
    --------
    >>> schema = json_schema(Money)
    >>> schema["required"], schema["properties"]["currency"]["pattern"]
    (['minor', 'currency'], '^[A-Z]{3}$')
    """
    shelf: dict[str, Schema] = {}
    body = _form(cls).schema(shelf)
    if set(body) == {"$ref"}:
        name = body["$ref"].rpartition("/")[2]
        is_recursive = name == "RowCondition"
        body = shelf[name] if is_recursive else shelf.pop(name)
    return {"$schema": _DIALECT, **versioned(body), **({"$defs": shelf} if shelf else {})}


def versioned(body: Schema) -> Schema:
    """Return the schema of a value that may tell its version as well.

    Examples
    --------
    >>> versioned({"type": "object", "properties": {}})["properties"]
    {'schema_version': {'const': 1}}
    """
    if "anyOf" in body:
        return {**body, "anyOf": [versioned(part) for part in body["anyOf"]]}
    return {**body, "properties": {"schema_version": {"const": _VERSION}, **body["properties"]}}


def inline_schema(cls: object) -> Schema:
    """Return the schema of a value inside another, with nothing to refer to.

    Examples
    --------
    >>> sorted(inline_schema(Money)["properties"])
    ['currency', 'minor', 'schema_version']
    """
    body = _form(cls).schema(None)
    return versioned(body) if "properties" in body else body
