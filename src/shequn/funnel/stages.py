"""Which are the five stages of a community's funnel? The preset 认知 → 输出 → 交互 → 裂变 → 转化."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, cast

import attrs

from shequn.entities.taxonomies import Taxonomy
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.funnel.definition import Entry, Exclusion, Funnel, Order, Reuse, Step, Ties

if TYPE_CHECKING:
    from datetime import timedelta

__all__ = ["FunnelStage", "five_stages"]


class FunnelStage(Taxonomy):
    """The five stages that lead from hearing of a community to what it is for, in order.

    References
    ----------
    S4, row T16 of the domain table.

    Examples
    --------
    >>> [stage.zh for stage in FunnelStage]
    ['认知', '输出', '交互', '裂变', '转化']
    >>> FunnelStage.from_label("裂变")
    <FunnelStage.FISSION: 'fission'>
    """

    AWARENESS = "awareness", "认知", "awareness"
    OUTPUT = "output", "输出", "output"
    INTERACTION = "interaction", "交互", "interaction"
    FISSION = "fission", "裂变", "fission"
    CONVERSION = "conversion", "转化", "conversion"


def five_stages(
    kinds: Mapping[str, Step | Collection[str] | str],
    /,
    *,
    within: timedelta,
    order: Order = "ordered",
    ties: Ties = "free",
    reuse: Reuse = "allow",
    exclusions: Iterable[Exclusion] | Exclusion = (),
    optional: Iterable[int | str] | str = (),
    min_gap: timedelta | None = None,
    max_gap: timedelta | None = None,
    hold_constant: str | None = None,
    entry: Entry = "first",
) -> Funnel:
    """Return the funnel of the five stages: awareness, output, interaction, fission, conversion.

    Parameters
    ----------
    kinds : mapping of FunnelStage or str to Step, str or collection of str
        What counts as each of the five stages, in any order of the mapping. A stage is named by its code, its Chinese
        or its English name. None may be left out: which kinds of event stand for a stage differs from community to
        community, and a funnel of fewer steps is a `Funnel` of its own. A stage that members may skip is given and
        named in `optional`.
    within : timedelta
        The whole way takes at most this long.
    order, ties, reuse, exclusions, optional, min_gap, max_gap, hold_constant, entry
        As in `Funnel`; steps are named by position or by the stage's English name.

    Returns
    -------
    Funnel
        Its steps bear the English names of the stages, a `Step` that was given as well.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        A stage is missing, stands twice or is unknown, or an option is refused by `Funnel`.

    Notes
    -----
    For a table in Chinese, exchange the names in the result, not in the funnel: results merge where funnels are equal.
    ``attrs.evolve(result, steps=[stage.zh for stage in FunnelStage]).table(lang="zh")`` shows 认知, 输出 and so on.

    References
    ----------
    S4, row T16 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> five_stages(
    ...     {"认知": "join", "输出": "post", "交互": {"reply", "like"}, "裂变": "invite", "转化": "purchase"},
    ...     within=pendulum.duration(weeks=4),
    ... )
    Funnel(awareness → output → interaction → fission → conversion within 4 weeks)
    """
    steps = _by_stage(kinds)
    return Funnel(
        steps=[_named(stage, steps[stage]) for stage in FunnelStage],
        within=within,
        order=order,
        ties=ties,
        reuse=reuse,
        exclusions=exclusions,
        optional=optional,
        min_gap=min_gap,
        max_gap=max_gap,
        hold_constant=hold_constant,
        entry=entry,
    )


def _by_stage(kinds: object) -> dict[FunnelStage, object]:
    if not isinstance(kinds, Mapping):
        raise InvalidTypeError(message("kinds", "a mapping from stage to kinds of event", kinds))
    found: dict[FunnelStage, object] = {}
    for label, given in cast("Mapping[object, object]", kinds).items():
        stage = FunnelStage.from_label(cast("str", label), argument="kinds")
        if stage in found:
            raise InvalidValueError(message("kinds", f"the stage {stage.en} ({stage.zh}) once", label))
        found[stage] = given
    missing = [f"{stage.en} ({stage.zh})" for stage in FunnelStage if stage not in found]
    if missing:
        expected = f"all five stages; {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} left out"
        raise InvalidValueError(message("kinds", expected, [stage.value for stage in found]))
    return found


def _named(stage: FunnelStage, given: object) -> Step:
    """Return the step of a stage, under the name of the stage."""
    if isinstance(given, Step):
        return attrs.evolve(given, name=stage.en)
    argument, expected = f"kinds[{stage.value!r}]", "a Step, a kind or a set of kinds"
    if isinstance(given, Mapping) or not isinstance(given, Collection):
        raise InvalidTypeError(message(argument, expected, cast("Mapping[object, object]", given)))
    kinds = cast("Collection[str]", given)
    if not kinds:
        raise InvalidValueError(message(argument, expected, kinds))
    return Step(kinds=kinds, name=stage.en)
