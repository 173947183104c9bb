"""The gallery shows every figure, in both languages, and its script draws what the page shows."""

from __future__ import annotations

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from inspect import isfunction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from plot_worlds import FIGURES

from shequn import plot

DOCS = Path(__file__).parents[2] / "docs"
LARGEST = 40_000  # bytes


@pytest.fixture(scope="module")
def gallery() -> Any:
    spec: Any = spec_from_file_location("gallery", DOCS / "figures" / "gallery.py")
    module = module_from_spec(spec)
    path = list(sys.path)
    sys.modules["gallery"] = module
    spec.loader.exec_module(module)
    sys.path[:] = path
    return module


def test_the_page_shows_what_the_script_draws_in_its_order(gallery):
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    shown = re.findall(r"^!\[.{10,}\]\(_static/gallery/(.+)\.png\)$", page, flags=re.MULTILINE)
    assert shown == [f"{figure.name}-{lang}" for figure in gallery.figures() for lang in gallery.LANGUAGES]
    assert {path.stem for path in (DOCS / "_static" / "gallery").iterdir()} == set(shown)


def test_every_figure_is_in_the_gallery_and_named_on_its_page(gallery):
    public = {name for name in plot.__all__ if isfunction(getattr(plot, name))}
    assert {figure.name for figure in gallery.figures()} == public == set(FIGURES)
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    assert all(f"`plot.{name}(" in page for name in public)


def test_the_images_are_small():
    assert max(path.stat().st_size for path in (DOCS / "_static" / "gallery").iterdir()) < LARGEST


def test_a_figure_is_saved_with_few_colours(gallery, tmp_path):
    gallery.save(FIGURES["funnel"](), tmp_path / "funnel.png")
    with Image.open(tmp_path / "funnel.png") as image:
        assert image.mode == "P"
        assert image.size[0] == 720
