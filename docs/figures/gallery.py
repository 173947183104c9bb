"""The figures of ``docs/gallery.md``: what `shequn.plot` draws of a real chat community, and of one that is made up.

``python docs/figures/gallery.py`` writes them into ``docs/_static/gallery``. It needs the extras ``plot`` and
``examples``; the communities are those of ``examples/chat_community.py`` and ``examples/private_domain.py``.
"""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

import attrs
import matplotlib as mpl
import numpy as np
from pendulum import datetime, duration
from PIL import Image

import shequn as sq
from shequn import lifecycle, lifetime, plot

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "docs" / "_static" / "gallery"
sys.path.insert(0, str(ROOT / "examples"))

import chat_community as chat  # noqa: E402
import private_domain as private  # noqa: E402

TZ = "America/Denver"
LANGUAGES: tuple[Any, ...] = ("en", "zh")
OFFSETS = 10
DAYS = {
    "en": ("repeat days with a message before (members below)", "days with a message a member"),
    "zh": ("此前再次发言的天数（下方为人数）", "人均发言天数（天）"),
}


class Figure(NamedTuple):
    """One figure of the gallery, in a language."""

    name: str
    draw: Callable[[Any], Axes]


def figures() -> tuple[Figure, ...]:
    """Return the figures in the order of the page."""
    return (
        Figure("ledger", lambda lang: plot.ledger(sq.retention.flow_ledger(log(), every="week", tz=TZ), lang=lang)),
        Figure("cohorts", lambda lang: plot.cohorts(cohorts(), lang=lang)),
        Figure("retention", lambda lang: plot.retention(cohorts(), lang=lang)),
        Figure("survival", lambda lang: plot.survival(staying(lang), lang=lang)),
        Figure("funnel", lambda lang: plot.funnel(steps(), lang=lang)),
        Figure("movement", lambda lang: plot.movement(moved(lang), lang=lang)),
        Figure("groups", lambda lang: plot.groups(dealt(), lang=lang)),
        Figure("stages", lambda lang: plot.stages(life(), lang=lang)),
        Figure("calibration", days_foreseen),
        Figure("calendar", lambda lang: plot.calendar(campaign()[0], quiet=(private.WORK, private.NIGHT), lang=lang)),
        Figure("uplift", lambda lang: plot.uplift(campaign()[1], lang=lang)),
    )


# --- the chat community ---


@cache
def log() -> sq.EventLog:
    """Return the messages."""
    found: sq.EventLog = chat.chat_log()
    return found


@cache
def cohorts() -> sq.retention.CohortTable:
    """Return who came back, week by week."""
    return sq.retention.cohort_table(log(), every="week", tz=TZ, max_offset=OFFSETS)


def staying(lang: Any) -> Any:  # noqa: ANN401
    """Return how long members stay, by how much they wrote at first."""
    first = chat.by_first_week(log(), chat.FIRST_WEEK[lang])
    curves = sq.retention.survival(log(), idle_after=duration(days=chat.IDLE_DAYS), by=first, unit="hour")
    return {name: curve.in_unit("day") for name, curve in curves.items()}


@cache
def steps() -> sq.funnel.FunnelResult:
    """Return how far members get."""
    way = sq.Funnel(
        steps=("began", "answered", "second conversation", "another week"), within=duration(days=chat.FUNNEL_DAYS)
    )
    return sq.funnel.convert(chat.milestones(log(), TZ), way)


def moved(lang: Any) -> sq.segmentation.Migration:  # noqa: ANN401
    """Return who moved between segments over the longest pause."""
    roster = sq.Roster.from_columns(member=log().members.labels)
    segments = chat.segmentation(chat.SEGMENTS[lang])
    before, after = (segments.assign(roster, log(), as_of=day) for day in chat.two_days(log()))
    found = sq.segmentation.migration(before, after)
    # Its rules are asked from the core outwards; a figure stands on its lowest segment.
    upwards = sq.segmentation.Migration.from_counts(segments=found.segments[::-1], counts=found.counts[::-1, ::-1])
    return attrs.evolve(upwards, ordered=True)


@cache
def dealt() -> sq.sharding.Shards:
    """Return groups of those who talked before the longest pause."""
    spring = sq.PartialGraph.of(log().where(end=chat.two_days(log())[0].add(seconds=1))).whole()
    wrote = np.bincount(log().member_codes, minlength=len(log().members)) >= chat.REGULAR
    leaders = set(log().members.labels[wrote].tolist())
    who = [member in leaders for member in spring.members]
    return sq.sharding.shard(spring, leaders=who, min_leaders=chat.LEADERS, rng=2018)


@cache
def life() -> lifecycle.Stages:
    """Return the stages of the community's life."""
    series = lifecycle.community_series(log(), every="week", tz=TZ, unknown_kinds="ignore")
    return lifecycle.stages(series, policy=lifecycle.StagePolicy(active_share=chat.ALIVE))


@cache
def foreseen() -> lifetime.HoldoutCheck:
    """Return whether BG/NBD, fitted to autumn up to the middle of October, foresaw the days on which members wrote."""
    autumn = log().where(start=datetime(2018, 9, 1, tz=TZ))
    split_at, as_of = datetime(2018, 10, 15, tz=TZ), datetime(2018, 11, 12, tz=TZ)
    days: dict[str, Any] = {"every": "day", "tz": TZ, "kinds": {"post"}, "value": None}
    return lifetime.holdout_split(autumn, split_at=split_at, as_of=as_of, **days).check()


def days_foreseen(lang: Any) -> Axes:  # noqa: ANN401
    """Draw what was foreseen, and say on the axes what was counted."""
    ax = plot.calibration(foreseen(), lang=lang)
    x, y = DAYS[lang]
    ax.set(xlabel=x, ylabel=y)
    return ax


# --- the community that is made up ---


@cache
def campaign() -> tuple[Any, Any]:
    """Run the example, and keep the schedule it plans and the outcome it finds."""
    kept: dict[str, Any] = {}

    def keep(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
        def kept_run(*given: Any, **options: Any) -> Any:  # noqa: ANN401
            kept[name] = run(*given, **options)
            return kept[name]

        return kept_run

    watched_schedule = patch.object(sq.content, "schedule", keep("schedule", sq.content.schedule))
    watched_outcome = patch.object(sq.campaigns, "outcome", keep("outcome", sq.campaigns.outcome))
    with watched_schedule, watched_outcome, redirect_stdout(io.StringIO()):
        private.main()
    return kept["schedule"], kept["outcome"]


def main() -> None:
    """Draw all figures in both languages."""
    TARGET.mkdir(exist_ok=True)
    with mpl.rc_context({"svg.hashsalt": "shequn", "savefig.dpi": 110}):
        for figure in figures():
            for lang in LANGUAGES:
                save(figure.draw(lang), TARGET / f"{figure.name}-{lang}.png")


def save(ax: Axes, path: Path) -> None:
    """Write the figure of the axes with so few colours that it stays small."""
    drawn: Any = ax.figure
    with io.BytesIO() as buffer:
        drawn.savefig(buffer)
        Image.open(buffer).convert("RGB").quantize(128, method=Image.Quantize.MAXCOVERAGE).save(path, optimize=True)


if __name__ == "__main__":
    main()
