"""Figures look as they did when somebody looked at them: held loosely to images beside the tests.

The images were drawn by another version of matplotlib perhaps, with other fonts perhaps, so both are taken in grey and
averaged over blocks. What is drawn is held exactly in `test_plot_data`. ``python tests/unit/test_plot_images.py`` draws
the images anew; look at each of them before it is kept.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import rc_context, rcParamsDefault
from matplotlib.figure import Figure
from PIL import Image
from plot_worlds import FIGURES

IMAGES = Path(__file__).parents[1] / "images"
DPI, COLORS = 80, 64
PLACE = (0.24, 0.16, 0.73, 0.62)
BLOCK = 8  # pixels
CLOSE, CLOSE_INSIDE = 0.04, 0.025  # of the way from black to white; letters around the axes move more
LARGEST = 40_000  # bytes


def image_of(ax: Any) -> Image.Image:
    with io.BytesIO() as buffer:
        ax.figure.savefig(buffer, dpi=DPI)
        return Image.open(buffer).convert("RGB")


def on_fixed_axes(name: str) -> Any:
    """Draw on axes that stand where they stand, however wide the letters of this version are."""
    return FIGURES[name](ax=Figure(figsize=(7.2, 4.0)).add_axes(PLACE))


def drawn(name: str) -> Image.Image:
    with rc_context({key: value for key, value in rcParamsDefault.items() if not key.startswith("backend")}):
        return image_of(on_fixed_axes(name))


def blocks(image: Image.Image) -> np.ndarray:
    grey = np.asarray(image.convert("L"), dtype=np.float64) / 255
    height, width = (BLOCK * (side // BLOCK) for side in grey.shape)
    return grey[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK).mean(axis=(1, 3))


def distance(one: Image.Image, other: Image.Image) -> float:
    """Root mean square of what the blocks differ by."""
    assert one.size == other.size
    return float(np.sqrt(((blocks(one) - blocks(other)) ** 2).mean()))


def inside(image: Image.Image) -> Image.Image:
    """Cut out the axes: cells, bars, lines, and few letters."""
    (left, bottom, across, up), (width, height) = PLACE, image.size
    edges = (left * width, (1 - bottom - up) * height, (left + across) * width, (1 - bottom) * height)
    return image.crop([round(edge) for edge in edges])


def kept(name: str) -> Image.Image:
    return Image.open(IMAGES / f"{name}.png").convert("RGB")


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_looks_as_it_did(name):
    now, then = drawn(name), kept(name)
    assert distance(now, then) < CLOSE
    assert distance(inside(now), inside(then)) < CLOSE_INSIDE


def test_there_is_an_image_of_each_figure_and_it_is_small():
    assert {path.stem for path in IMAGES.glob("*.png")} == set(FIGURES)
    assert max(path.stat().st_size for path in IMAGES.glob("*.png")) < LARGEST


def hide_bars(ax: Any) -> None:
    bars = [container for container in ax.containers if hasattr(container, "patches")]
    for bar in bars[-1].patches:
        bar.set_visible(False)


def hide_bands(ax: Any) -> None:
    for band in (*ax.collections, *ax.patches, *ax.images):
        band.set_visible(False)


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("ledger", hide_bars),
        ("cohorts", hide_bands),
        ("retention", hide_bands),
        ("survival", hide_bands),
        ("funnel", hide_bars),
        ("movement", hide_bands),
        ("groups", hide_bands),
        ("stages", hide_bands),
        ("calendar", hide_bands),
    ],
)
def test_a_figure_that_lost_something_is_seen(name, spoil):
    ax = on_fixed_axes(name)
    spoil(ax)
    assert distance(inside(image_of(ax)), inside(kept(name))) > 2 * CLOSE_INSIDE


def test_a_line_that_lies_elsewhere_is_seen_as_well():
    ax = on_fixed_axes("ledger")
    ax.lines[0].set_ydata(0.5 * np.asarray(ax.lines[0].get_ydata()))
    assert distance(inside(image_of(ax)), inside(kept("ledger"))) > CLOSE_INSIDE


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    for figure in FIGURES:
        drawn(figure).quantize(COLORS, method=Image.Quantize.MAXCOVERAGE).save(IMAGES / f"{figure}.png", optimize=True)
