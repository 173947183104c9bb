"""How the documentation is built: ``sphinx-build -W docs docs/_build``."""

from __future__ import annotations

import logging
import re
import sys
from enum import Enum
from importlib import import_module
from inspect import isclass, isroutine
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from sphinx.pycode import ModuleAnalyzer
from sphinx.util.logging import getLogger

import shequn

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "shequn"
author = "shequn contributors"
copyright = "shequn contributors"
version = release = shequn.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
# A glob of the table of contents may stand for pages still to be written; `suppress_warnings` can't name this warning.
logging.getLogger("sphinx.sphinx.directives.other").addFilter(lambda record: "toctree glob pattern" not in record.msg)

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_title = f"shequn {release}"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
napoleon_google_docstring = False
# As a field list: "lower" is an attribute of many classes, and a reference to it would be ambiguous.
napoleon_custom_sections = [("Attributes", "returns_style")]
napoleon_use_rtype = False
napoleon_preprocess_types = False
default_role = "code"

# A reference to a name of ours that leads nowhere is an error. Names of other projects can't be looked up without a
# network, and private names, type variables and what a module of a room keeps to itself stand on no page.
nitpicky = True
# "shape (n,)" and "names" are words, and attributes of several classes too.
suppress_warnings = ["ref.python"]
nitpick_ignore_regex = [
    (r"py:.*", r"(?!shequn\.).*"),
    (r"py:.*", r"shequn\.(\w+\.)*(_.*|[A-Z]|\w+_co)"),
    (r"py:class", r"shequn\.[a-z]+\.[a-z_]+\.[A-Z]\w+"),
]

# The value of a constant is shown where it is no longer than this.
LONGEST_VALUE = 80


def warn_of_missing_names(_: Sphinx, env: BuildEnvironment) -> None:
    """Warn, and so fail the build, where a public name stands on no page."""
    described = {name for name, *_ in env.get_domain("py").get_objects()}
    rooms = [room.name for room in iter_modules(shequn.__path__, "shequn.") if not room.name.startswith("shequn._")]
    for room in rooms:
        for name in getattr(import_module(room), "__all__", ()):
            if f"{room}.{name}" not in described:
                getLogger(__name__).warning("%s.%s is public and stands on no page of the reference", room, name)


def keep_the_colon(*event: Any) -> None:
    """Save the docstring of a property from napoleon, which takes what stands before a colon for a type."""
    _, what, _, _, _, lines = event
    if what == "property":
        lines[:0] = ["..", ""]  # an empty comment


def list_what_autodoc_leaves_out(*event: Any) -> None:
    """Describe the constants and type aliases of a room, and the members of a taxonomy."""
    _, what, name, thing, _, lines = event
    if what == "module":
        for constant in getattr(thing, "__all__", ()):
            value = getattr(thing, constant)
            if not isclass(value) and not isroutine(value):
                shown = re.sub(r"\s+", " ", str(value) if hasattr(value, "__args__") else repr(value))
                option = [f"   :value: {shown}"] if len(shown) <= LONGEST_VALUE else []
                lines += ["", f".. py:data:: {constant}", *option, "", *docstring_of(name, constant)]
    elif isclass(thing) and issubclass(thing, Enum):
        members = [
            f"   * - ``{member.name}``\n     - ``{member.value}``\n     - {getattr(member, 'zh', '')}"
            for member in thing
        ]
        lines += ["", ".. list-table::", "", *"\n".join(members).splitlines()]


def docstring_of(room: str, constant: str) -> list[str]:
    """The text under a constant, wherever in its room it is defined."""
    for module in [m for path, m in sys.modules.items() if path.startswith(f"{room}.") and hasattr(m, constant)]:
        text = ModuleAnalyzer.for_module(module.__name__).find_attr_docs().get(("", constant))
        if text:
            return [f"   {line}" for line in text]
    return []


def skip_tuple_fields(*event: object) -> bool | None:
    """Leave out "Alias for field number 0": the class says under Attributes what its fields are."""
    _, _, _, member, _, _ = event
    return True if type(member).__name__ == "_tuplegetter" else None


def setup(app: Sphinx) -> None:
    """Let Sphinx know the above; napoleon's own handler has priority 500."""
    app.connect("autodoc-process-docstring", keep_the_colon, priority=400)
    app.connect("autodoc-process-docstring", list_what_autodoc_leaves_out, priority=600)
    app.connect("autodoc-skip-member", skip_tuple_fields)
    app.connect("env-check-consistency", warn_of_missing_names)
