"""Records as fields of a pydantic model: how pydantic reads one, writes it, and shows it in OpenAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args, get_origin

from shequn.interop._documents import inline_schema, read_value, write_value
from shequn.interop._hints import check_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from shequn.interop._forms import Schema

__all__ = ["core_schema", "field_schema"]

_SOURCE = "shequn_class"


def core_schema(source: Any) -> Any:  # noqa: ANN401
    """Return the core schema of a class of documents: an instance of it, or what tells one.

    Notes
    -----
    The versions of what goes over a wire are the API's own affair, so that none is written; one that is given is
    checked.
    """
    from pydantic_core import core_schema as make  # noqa: PLC0415  # pydantic is there, as it asks

    def write(record: Any) -> Any:  # noqa: ANN401
        return write_value(record, source)

    return make.no_info_plain_validator_function(
        _reader(source),
        serialization=make.plain_serializer_function_ser_schema(write, when_used="json"),
        metadata={_SOURCE: source},
    )


def _reader(source: Any) -> Callable[[Any], Any]:  # noqa: ANN401
    kind, parts = get_origin(source) or source, get_args(source)

    def read(given: Any) -> Any:  # noqa: ANN401
        if not isinstance(given, kind):
            return read_value(source, given)
        if parts:  # what a Dated[int] holds its own constructor can't know
            check_fields(given, "$", parts)
        return given

    return read


def field_schema(schema: Any) -> Schema:  # noqa: ANN401
    """Return the JSON Schema of a field, from the core schema that `core_schema` made."""
    while "metadata" not in schema or _SOURCE not in schema["metadata"]:
        schema = schema["schema"]
    return inline_schema(schema["metadata"][_SOURCE])
