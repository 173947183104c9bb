"""The figures of ``docs/concepts/how-groups-are-found.md``, each drawn from a run of the library.

``python docs/figures/draw.py`` writes them beside this file, the same bytes each time on one machine. It needs
matplotlib, which is in the extra ``plot``.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle, PathPatch
from matplotlib.path import Path as Line
from matplotlib.ticker import MaxNLocator

from shequn.graph import InteractionGraph
from shequn.sharding import Shards, feasible, rebalance, shard
from shequn.sharding.engine import refinement, search
from shequn.sharding.engine.ties import by_degree, from_neighbours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from matplotlib.axes import Axes

    from shequn._typing import FloatArray, IntArray
    from shequn.labels import Index
    from shequn.sharding import Change

HERE = Path(__file__).parent
BOUNDS = (26, 36)
SEED = 5
MEMBERS = 3_000
TALLEST = 0.75  # of the bars of sizes

# Okabe and Ito's colours, which the colour-blind can tell apart; in print without colour the shapes tell.
BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"
CIRCLES = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW)
SHAPES = ("o", "s", "^", "D", "v", "P")
INK, FAINT, LINE, PAPER, BAND = "#222222", "#666666", "#b8b8b8", "#fcfcfa", "#dfeaf2"

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "shequn",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": PAPER,
    "hatch.linewidth": 0.6,
    "path.simplify": False,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
}


def main() -> None:
    """Draw all figures."""
    with mpl.rc_context(STYLE):
        for draw in (draw_kept, draw_stages, draw_steps, draw_rounds, draw_rebalancing, draw_feasible):
            figure = draw()
            name = draw.__name__.removeprefix("draw_")
            figure.savefig(HERE / f"groups-{name}.svg", metadata={"Date": None, "Creator": None})


# --- communities ---


class Circles(NamedTuple):
    """A community that is drawn at random: circles of friends, who also talk to others."""

    graph: InteractionGraph
    circle: IntArray  # of each member


def circles(sizes: Sequence[int] | IntArray, replies: int, *, spread: float = 0, seed: int = SEED) -> Circles:
    """Draw replies between members, four of five to somebody of the same circle.

    The more spread there is, the more is written and received by a few, and the more members have no tie at all.
    """
    rng = np.random.default_rng(seed)
    size = np.asarray(sizes)
    circle = np.repeat(np.arange(len(size)), size)
    running = np.concatenate([[0.0], np.cumsum(np.exp(spread * rng.standard_normal(len(circle))))])
    first = np.concatenate([[0], np.cumsum(size)])

    def someone(of: IntArray | None = None) -> IntArray:
        low, high = (0, running[-1]) if of is None else (running[first[of]], running[first[of + 1]])
        luck = low + (high - low) * rng.random(replies)
        found: IntArray = np.searchsorted(running, luck, side="right") - 1
        return found

    source = someone()
    target = np.where(rng.random(replies) < 0.8, someone(circle[source]), someone())  # noqa: PLR2004
    return Circles(InteractionGraph.from_ties(source, target, n_members=len(circle), self_ties="drop"), circle)


def uneven() -> Circles:
    """Return 3,000 members in circles of 8 to 80, most of them small; some write a lot, many nearly nothing."""
    possible = np.arange(8, 81)
    sizes = np.random.default_rng(SEED).choice(possible, size=200, p=1 / possible / (1 / possible).sum())
    sizes = sizes[np.cumsum(sizes) <= MEMBERS]
    sizes = np.append(sizes, MEMBERS - sizes.sum())
    return circles(sizes, 8 * MEMBERS, spread=1)


def at_random(n: int, n_groups: int) -> IntArray:
    """Return groups of even size, dealt without a look at who talks to whom."""
    return np.random.default_rng(SEED).permutation(n) % n_groups


# --- kept: a community at random and sharded, side by side ---


def draw_kept() -> Figure:
    """Show what lies inside groups of a small community, dealt at random and by its ties."""
    community = circles([28, 30, 33, 35, 36, 38], 700)
    graph = community.graph
    sharded = shard(graph, rng=7)
    dealt = Shards.of(graph, at_random(len(graph), sharded.n_groups))
    figure = Figure(figsize=(7.4, 4.6))
    for axes, shards, title in zip(figure.subplots(1, 2), (dealt, sharded), ("dealt at random", "shard"), strict=True):
        _draw_groups(axes, graph, shards.group, community.circle)
        axes.set_title(f"{title}: kept {shards.kept:.0%}", pad=4, fontsize=11)
    figure.text(
        0.5,
        0.06,
        "Each disc is a group. Colour and shape tell circles of friends.\n"
        "Black: ties inside a group, which are kept. Grey: ties between groups.",
        ha="center",
        va="center",
        color=FAINT,
        linespacing=1.5,
    )
    figure.subplots_adjust(left=0.01, right=0.99, top=0.94, bottom=0.12, wspace=0.02)
    return figure


def _draw_groups(axes: Axes, graph: InteractionGraph, group: Any, circle: IntArray) -> None:  # noqa: ANN401
    """Draw each group as a disc, its members in it, and all ties."""
    codes = _in_best_order(np.asarray(group, dtype=np.int64), circle)
    n_groups = int(codes.max()) + 1
    angle = np.pi / 2 - 2 * np.pi * np.arange(n_groups) / n_groups
    middle = 2.1 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    place = np.empty((len(codes), 2))
    for code in range(n_groups):
        members = np.flatnonzero(codes == code)
        members = members[np.argsort(circle[members], kind="stable")]
        place[members] = middle[code] + 0.83 * _sunflower(len(members))
        axes.add_patch(Circle(tuple(middle[code]), 0.97, facecolor="white", edgecolor=LINE, linewidth=1))
    is_inside = codes[graph.source] == codes[graph.target]
    _draw_ties(axes, place, graph, ~is_inside, edgecolor=LINE, linewidth=0.3, zorder=2)
    _draw_ties(axes, place, graph, is_inside, edgecolor=INK, linewidth=0.55, zorder=3)
    for which, (colour, shape) in enumerate(zip(CIRCLES, SHAPES, strict=True)):
        here = place[circle == which]
        axes.scatter(here[:, 0], here[:, 1], s=19, c=colour, marker=shape, edgecolors="white", linewidths=0.5, zorder=4)
    axes.set(xlim=(-3.15, 3.15), ylim=(-3.15, 3.15), aspect="equal")
    axes.axis("off")


def _in_best_order(codes: IntArray, circle: IntArray) -> IntArray:
    """Return the same groups, numbered by the circle that most of their members are of."""
    counts = np.zeros((int(codes.max()) + 1, int(circle.max()) + 1), dtype=np.int64)
    np.add.at(counts, (codes, circle), 1)
    number = np.empty(len(counts), dtype=np.int64)
    number[np.argsort(counts.argmax(axis=1), kind="stable")] = np.arange(len(counts))
    return number[codes]


def _sunflower(n: int) -> FloatArray:
    """Return n places spread evenly over the unit disc."""
    k = np.arange(n)
    radius, angle = np.sqrt((k + 0.5) / n), k * np.pi * (3 - np.sqrt(5))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _draw_ties(axes: Axes, place: FloatArray, graph: InteractionGraph, which: Any, **look: Any) -> None:  # noqa: ANN401
    ends = np.stack([place[graph.source[which]], place[graph.target[which]]], axis=1).reshape(-1, 2)
    steps = np.tile([Line.MOVETO, Line.LINETO], int(np.count_nonzero(which))).astype(Line.code_type)
    axes.add_patch(PathPatch(Line(np.round(ends, 3), steps), facecolor="none", **look))


# --- stages: sizes and kept, one stage after the other ---


class Stage(NamedTuple):
    """Groups as one step of the engine left them."""

    name: str
    codes: IntArray


@contextmanager
def watched(graph: InteractionGraph, *names: str) -> Iterator[list[Stage]]:
    """Note the groups that stages of the search return, of members in the order of the graph."""
    seen: list[Stage] = []
    order = by_degree(from_neighbours(graph.neighbours()))[1]

    def noting(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(step)
        def noted(*args: Any, **options: Any) -> Any:  # noqa: ANN401
            found = step(*args, **options)
            codes = found[0] if type(found) is tuple else getattr(found, "codes", found)
            seen.append(Stage(name, _as_given(codes, order)))
            return found

        return noted

    with ExitStack() as stack:
        for name in names:
            stack.enter_context(patch.object(search, name, noting(name, getattr(search, name))))
        yield seen


def _as_given(codes: IntArray, order: IntArray) -> IntArray:
    """Return the groups of members as the graph numbers them; the engine numbers them by how many ties they have."""
    given = np.empty_like(codes)
    given[order] = codes
    return given


def draw_stages() -> Figure:
    """Show the sizes of groups and what they keep after each stage."""
    graph = uneven().graph
    with watched(graph, "grow", "pack", "into_bounds", "refine") as seen:
        shard(graph, rng=7)
    names = [stage.name for stage in seen]
    repaired = names.index("into_bounds")
    stages = [
        ("half coarsened", seen[names.index("grow")].codes),
        ("coarsened", seen[names.index("pack") - 1].codes),
        ("packed", seen[names.index("pack")].codes),
        ("repaired", seen[repaired].codes),
        ("first four steps", seen[repaired + 1].codes),
        ("cooled", seen[-1].codes),
    ]
    figure = Figure(figsize=(7.4, 6.2))
    rows = figure.subplots(len(stages), 1, sharex=True, sharey=True)
    for axes, (name, codes) in zip(rows, stages, strict=True):
        _draw_sizes(axes, name, codes, Shards.of(graph, codes).kept)
    rows[0].text(31, 1.12, "26 to 36", ha="center", va="bottom", color=BLUE, transform=rows[0].get_xaxis_transform())
    rows[-1].set_xlabel("members of a group")
    figure.supylabel("share of all members", x=0.005, fontsize=9)
    figure.subplots_adjust(left=0.09, right=0.98, top=0.94, bottom=0.09, hspace=0.38)
    return figure


def _draw_sizes(axes: Axes, name: str, codes: IntArray, kept: float) -> None:
    """Draw which share of members is in groups of each size."""
    sizes = np.bincount(codes)
    at = np.unique(sizes)
    share = np.bincount(sizes, weights=sizes)[at] / len(codes)
    is_outside = (at < BOUNDS[0]) | (at > BOUNDS[1])
    axes.axvspan(BOUNDS[0] - 0.5, BOUNDS[1] + 0.5, facecolor=BAND, edgecolor="none")
    axes.bar(at[~is_outside], share[~is_outside], width=0.8, color=BLUE)
    axes.bar(at[is_outside], share[is_outside], width=0.8, color="white", edgecolor=ORANGE, hatch="////", linewidth=0.8)
    n_outside = int(((sizes < BOUNDS[0]) | (sizes > BOUNDS[1])).sum())
    axes.text(2, 0.95, name, fontweight="bold", va="top", transform=axes.get_xaxis_transform())
    text = f"kept {kept:.1%}\n{n_outside} of {len(sizes)} outside the bounds"
    axes.text(2, 0.68, text, va="top", color=FAINT, linespacing=1.4, transform=axes.get_xaxis_transform())
    axes.set(xlim=(0, BOUNDS[1] + 1), ylim=(0, TALLEST))
    axes.yaxis.set_major_formatter("{x:.0%}")


# --- steps: move, swap, chain ---


def draw_steps() -> Figure:
    """Show the three steps of refinement, on groups of at most four: seats are at the top, bottom, left and right."""
    figure = Figure(figsize=(7.4, 1.6))
    move, swap, chain = figure.subplots(1, 3, width_ratios=(2, 2, 3))
    going, coming = (0, 3), (1, 2)
    _draw_step(move, "move", {"A": "0123", "B": "013"}, [("x", going, coming)])
    _draw_step(swap, "swap", {"A, full": "0123", "B, full": "0123"}, [("x", going, coming), ("y", coming, going)])
    names = {"A": "0123", "B, full": "0123", "C": "013"}
    _draw_step(chain, "chain", names, [("x", going, (1, 0)), ("y", (1, 0), (2, 2))])
    figure.subplots_adjust(left=0.01, right=0.99, top=0.87, bottom=0.02, wspace=0.06)
    return figure


def _draw_step(
    axes: Axes, title: str, groups: dict[str, str], moves: list[tuple[str, tuple[int, int], tuple[int, int]]]
) -> None:
    """Draw groups, each with the seats that are taken, and who goes from which seat of which group to which."""
    seats = np.array([[0, 0.34], [0, -0.34], [-0.34, 0], [0.34, 0]])
    apart = 1.7
    for group, (name, taken) in enumerate(groups.items()):
        middle = np.array([apart * group, 0])
        axes.add_patch(Circle((middle[0], middle[1]), 0.7, facecolor="white", edgecolor=LINE))
        axes.text(middle[0], -0.93, name, ha="center", va="center", color=FAINT)
        for seat, (x, y) in enumerate(middle + seats):
            if str(seat) in taken:
                axes.add_patch(Circle((x, y), 0.14, facecolor=BLUE, edgecolor=BLUE))
            else:
                axes.add_patch(Circle((x, y), 0.14, facecolor="none", edgecolor=FAINT, linestyle=":"))
    for who, *ends in moves:
        (x, y), end = (seats[seat] + (apart * group, 0) for group, seat in ends)
        axes.add_patch(Circle((x, y), 0.17, facecolor=ORANGE, edgecolor=INK, linewidth=0.8, zorder=4))
        axes.text(x, y, who, ha="center", va="center", color="white", fontweight="bold", fontsize=9, zorder=5)
        arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.2, "shrinkA": 8, "shrinkB": 8}
        axes.annotate("", tuple(end), (x, y), arrowprops={**arrow, "connectionstyle": "arc3,rad=-0.45"}, zorder=6)
    axes.set_title(title, fontweight="bold", pad=2)
    axes.set(xlim=(-0.85, apart * len(groups) - 0.85), ylim=(-1.08, 0.85), aspect="equal")
    axes.axis("off")


# --- rounds: slower cooling ---


def draw_rounds() -> Figure:
    """Show what is kept after each step of cooling, and beside it what chance keeps."""
    graph = uneven().graph
    runs = {"quick": _kept_by_step(graph, 0), "normal": _kept_by_step(graph, 12), "high": _kept_by_step(graph, 48)}
    colours = (SKY, BLUE, INK)
    chance = Shards.of(graph, at_random(len(graph), shard(graph, rng=7, effort=0).n_groups)).kept

    figure = Figure(figsize=(7.4, 3.3))
    bars, curve = figure.subplots(1, 2, width_ratios=(1, 1.5))
    names = ["random", "quick (0)", "normal (12)", "high (48)"]
    kept = [chance, *(run[-1] for run in runs.values())]
    bars.barh(names, kept, color=["white", *colours], edgecolor=INK, height=0.6, linewidth=0.8)
    for row, share in enumerate(kept):
        bars.text(share + 0.01, row, f"{share:.1%}", va="center")
    bars.invert_yaxis()
    bars.set(xlim=(0, 0.85), xlabel="kept")
    bars.xaxis.set_major_formatter("{x:.0%}")
    bars.tick_params(axis="y", length=0, labelcolor=INK)

    # The slow one first: where all begin alike, the quick one is seen.
    for (name, run), colour in reversed(list(zip(runs.items(), colours, strict=True))):
        curve.plot(run, color=colour, linewidth=1.4)
        curve.plot(len(run) - 1, run[-1], "o", color=colour, markeredgecolor=INK, markersize=6)
        curve.annotate(name, (len(run) - 1, run[-1]), (0, 7), textcoords="offset points", ha="center")
    curve.set_xscale("symlog", linthresh=1, linscale=0.3)
    curve.set_xticks([0, 1, 3, 10, 30, 100], ["0", "1", "3", "10", "30", "100"])
    curve.set_xticks([], minor=True)
    curve.set(xlabel="steps done", ylabel="kept, close up", xlim=(-0.1, 150))
    low, high = min(min(run) for run in runs.values()), max(kept)
    curve.set_ylim(low - 0.05 * (high - low), high + 0.15 * (high - low))
    curve.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    curve.yaxis.set_major_formatter("{x:.0%}")
    figure.subplots_adjust(left=0.13, right=0.985, top=0.96, bottom=0.15, wspace=0.36)
    return figure


def _kept_by_step(graph: InteractionGraph, rounds: int) -> list[float]:
    """Return what is kept by the groups that are repaired, after each step from there on, and in the end."""
    order = by_degree(from_neighbours(graph.neighbours()))[1]
    kept: list[float] = []

    def noted(seats: Any, found: Any) -> Any:  # noqa: ANN401
        if seats.groups.bounds == BOUNDS:  # others are clusters that still grow
            kept.append(Shards.of(graph, _as_given(seats.codes, order)).kept)
        return step(seats, found)

    step = refinement._step
    with patch.object(refinement, "_step", noted):
        done = shard(graph, rng=7, effort=rounds)
    return [*kept, done.kept]


# --- rebalancing: kept against moves ---


class Wave(NamedTuple):
    """Groups as they were, who came and who went, and who talks to whom afterwards."""

    before: Shards
    joined: list[Any]
    left: list[Any]
    graph: InteractionGraph

    def after(self, max_moves: int) -> Change:
        """Return the groups brought back into bounds."""
        return rebalance(self.before, self.graph, joined=self.joined, left=self.left, max_moves=max_moves)


def wave() -> Wave:
    """Return a community that a few join and many leave, from some groups nobody and from others half."""
    everybody = uneven().graph
    rng = np.random.default_rng(SEED)
    joined = rng.choice(MEMBERS, size=MEMBERS // 40, replace=False)
    before = shard(everybody.align(_without(everybody, joined)), rng=7)
    loss = np.clip(rng.gamma(0.5, 0.3, before.n_groups), 0, 0.5)
    left = before.members.labels[rng.random(len(before.members)) < loss[before.group]]
    return Wave(before, joined.tolist(), left.tolist(), everybody.align(_without(everybody, left)))


def draw_rebalancing() -> Figure:
    """Show what a budget of moves buys after members came and went."""
    change = wave()
    changes = [change.after(budget) for budget in (0, 10, 20, 30, 40, 60, 80, 100, 150, 200, 250, 300)]
    moves, kept = [found.n_moves for found in changes], [found.shards.kept for found in changes]
    fresh, bound = shard(change.graph, rng=7), changes[0].lower_bound
    margin = 0.12 * (max(fresh.kept, kept[-1]) - kept[0])

    figure = Figure(figsize=(7.4, 3.5))
    axes = figure.subplots()
    axes.axvspan(0, bound, facecolor="white", edgecolor=LINE, hatch="////", linewidth=0)
    axes.axvline(bound, color=ORANGE, linewidth=1.4)
    axes.plot(moves, kept, "-o", color=BLUE, markersize=5)
    axes.plot(moves[0], kept[0], "o", color=ORANGE, markersize=8, markeredgecolor=INK)
    axes.axhline(fresh.kept, color=INK, linestyle="--", linewidth=1)
    new_deal = f"a new deal: {fresh.kept:.1%}, and {_fewest_moved(change.before, fresh):,} move"
    axes.text(bound + moves[-1] / 40, fresh.kept + margin / 5, new_deal, va="bottom")
    budget_0 = f"max_moves=0: {moves[0]} moves\nlower_bound: {bound}"
    axes.annotate(budget_0, (moves[0], kept[0]), (14, 0), textcoords="offset points", va="center", linespacing=1.4)
    axes.set(xlim=(0, moves[-1] * 1.03), ylim=(kept[0] - margin, max(fresh.kept, kept[-1]) + margin), ylabel="kept")
    n_stayed = len(change.before.members) - len(change.left)
    axes.set_xlabel(
        f"who moves, of {n_stayed:,} who stay ({len(change.left)} have left, {len(change.joined)} have joined)"
    )
    axes.yaxis.set_major_formatter("{x:.0%}")
    figure.subplots_adjust(left=0.09, right=0.98, top=0.97, bottom=0.14)
    return figure


def _without(graph: InteractionGraph, gone: Any) -> Index:  # noqa: ANN401
    stays = ~np.isin(graph.members.labels, gone)
    return graph.members.take(np.flatnonzero(stays))


def _fewest_moved(before: Shards, after: Shards) -> int:
    """Return how many change their group, where each new group carries on the old one it shares most members with."""
    both = before.members.codes_of(after.members.labels.tolist())
    old, new = before.group[both[both >= 0]], after.group[both >= 0]
    shared = np.zeros((before.n_groups, after.n_groups), dtype=np.int64)
    np.add.at(shared, (old, new), 1)
    stay = 0
    while shared.any():
        one, other = np.unravel_index(int(shared.argmax()), shared.shape)
        stay += int(shared[one, other])
        shared[one, :] = shared[:, other] = 0
    return len(old) - stay


# --- feasible: which communities can be dealt ---


def draw_feasible() -> Figure:
    """Show which numbers of members go into groups of 26 to 36."""
    most = 155
    works = np.array([n for n in range(1, most + 1) if feasible(n).verdict == "feasible"])
    gaps = np.setdiff1d(np.arange(1, most + 1), works)
    figure = Figure(figsize=(7.4, 2.7))
    axes = figure.subplots()
    rows = range(1, most // BOUNDS[0] + 1)
    for k in rows:
        lo, hi = BOUNDS[0] * k, BOUNDS[1] * k
        axes.barh(k, min(hi, most) - lo + 1, left=lo - 0.5, height=0.62, color=BAND, edgecolor=BLUE, linewidth=0.9)
        label = f"{lo} to {hi}" if hi <= most else f"{lo} to {hi} →"
        middle = (lo + min(hi, most)) / 2
        fits = min(hi, most) - lo > 16  # noqa: PLR2004
        axes.text(middle if fits else lo - 2, k, label, ha="center" if fits else "right", va="center")
    for run in np.split(gaps, np.flatnonzero(np.diff(gaps) > 1) + 1):
        axes.barh(0, len(run), 0.62, run[0] - 0.5, hatch="////", facecolor="white", edgecolor=ORANGE, linewidth=0.9)
        axes.axvspan(run[0] - 0.5, run[-1] + 0.5, color=ORANGE, alpha=0.08, linewidth=0)
        text = f"{run[0]} to {run[-1]}"
        axes.text((run[0] + run[-1]) / 2, -0.42, text, ha="center", va="bottom", color=ORANGE, fontweight="bold")
    for run in np.split(works, np.flatnonzero(np.diff(works) > 1) + 1):
        axes.barh(0, len(run), left=run[0] - 0.5, height=0.62, color=BLUE)
    axes.set_yticks([0, *rows], ["can be dealt", *(f"{k} group{'s' * (k > 1)}" for k in rows)])
    axes.set(xlim=(0.5, most + 1), ylim=(len(rows) + 0.6, -0.85), xlabel="members")
    axes.set_xticks([1, 26, 36, 52, 72, 78, 108, 144])
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    figure.subplots_adjust(left=0.13, right=0.985, top=0.99, bottom=0.17)
    return figure


if __name__ == "__main__":
    main()
