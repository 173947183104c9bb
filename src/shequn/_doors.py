"""How a framework that takes values by their annotation finds out how ours are read, written and described.

A class of records has `Doors` among its bases. Nothing of pydantic is imported until pydantic asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Doors"]


class Doors:
    """Base of what can be a field of a pydantic model, and so a part of a FastAPI body or answer."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Callable[[Any], Any]) -> Any:  # noqa: ANN401
        """Return how pydantic reads and writes a field of this class."""
        from shequn.interop._pydantic_schema import core_schema  # noqa: PLC0415  # the one way up, taken when asked

        return core_schema(source)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Callable[[Any], Any]) -> Any:  # noqa: ANN401
        """Return the JSON Schema of a field of this class, as OpenAPI shows it."""
        from shequn.interop._pydantic_schema import field_schema  # noqa: PLC0415

        return field_schema(schema)
