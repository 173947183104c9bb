"""Ways into and out of other people's stacks: JSON documents with a schema, cattrs, pydantic; engines in `engines`.

`DOCUMENTS` lists the classes whose documents have a schema: values, records, rules, definitions and policies.
"""

from shequn.interop._converter import converter as converter
from shequn.interop._documents import DOCUMENTS as DOCUMENTS
from shequn.interop._documents import from_document as from_document
from shequn.interop._documents import json_schema as json_schema
from shequn.interop._documents import to_document as to_document
from shequn.interop.errors import DocumentError as DocumentError

__all__ = [
    "DOCUMENTS",
    "DocumentError",
    "converter",
    "from_document",
    "json_schema",
    "to_document",
]
