"""Does a campaign suit its audience, is there enough to win, how varied are the forms, and is a festival near?"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from shequn.campaigns.design_reviews import DesignReview
from shequn.columns import Roster
from shequn.entities import Campaign, CampaignTheme, InteractionForm
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError, message, suggest
from shequn.stats._checks import instance, items_of, whole
from shequn.values import Mix, Money
from shequn.values.zones import zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shequn._typing import BoolArray, IntArray
    from shequn.labels import Label

__all__ = ["campaign_records", "form_mix", "review_designs"]


def review_designs(
    campaigns: Iterable[Campaign],
    roster: Roster,
    /,
    *,
    tags: str | None = "interests",
    theme_topics: Mapping[CampaignTheme | str, Iterable[Label]] | None = None,
    participants: int | Mapping[Label, int] | None = None,
    reference: Money | None = None,
    festivals: Mapping[dt.date, str] | None = None,
    tz: str | dt.tzinfo | None = None,
    level: float = 0.95,
) -> DesignReview:
    r"""Read what the plans of campaigns promise, part by part, before any of them runs.

    Parameters
    ----------
    campaigns : iterable of Campaign
        The plans, each once.
    roster : Roster
        The audience.
    tags : str, optional
        Name of the roster's tags that tell interests; None to do without the fit.
    theme_topics : mapping of CampaignTheme to labels, optional
        The tags that a theme speaks to, besides the topics that a campaign states.
    participants : int or mapping of campaign id to int, optional
        How many are expected to take part, 1 or more; without it nobody knows what there is for each.
    reference : Money, optional
        What should be there for each, above 0.
    festivals : mapping of date to str, optional
        Local days of festivals (节日) with their names; the library brings none.
    tz : str or tzinfo, optional
        The zone whose days those are; needed with `festivals`.
    level : float, default 0.95
        Confidence level of the fit's interval.

    Returns
    -------
    DesignReview
        A row for each campaign.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used; a campaign comes twice; there are two currencies.
    UnknownLabelError
        The roster has no such tags, or `participants` lacks a campaign.

    Notes
    -----
    - Fit: the share of the audience that carries a tag among the campaign's topics and those of its theme, with its
      Wilson interval; NaN where it has no topics. Who carries no tags at all counts as not touched, and is told of.
    - Reward for each: :math:`\sum_r v_r \min(q_r, n) / n` over rewards of worth :math:`v_r`, of which there are
      :math:`q_r`, and n participants, nobody getting two of one reward. The worth is the reward's `value`, or its cost
      where that isn't stated. Adequacy is its ratio to `reference`.
    - Forms: how many a campaign has. Their diversity over all campaigns is `form_mix`, in which each campaign counts 1,
      in equal parts for its forms.
    - Festival: the first one on the campaign's first local day or later, and how many days after that it comes.

    These are parts of a judgement. They are not added up, since what a festival is worth in tags is nobody's to know.

    References
    ----------
    S3 §4.1, S2, rows I1, T6, T10 and T13 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> from shequn.entities import Reward
    >>> from shequn.values import Window
    >>> interests = [["tea"]] * 5 + [["cakes"]] + [None] * 2
    >>> roster = Roster.from_columns(member=list(range(8)), tags={"interests": interests})
    >>> opens = pendulum.datetime(2024, 9, 10, 20, tz="Asia/Shanghai")
    >>> moon = Campaign(
    ...     id="mid-autumn",
    ...     theme="festival",
    ...     forms={"lottery", "check_in"},
    ...     topics={"cakes"},
    ...     window=Window(opens, opens.add(days=7)),
    ...     rewards=[Reward(kind="gift", cost=Money.of(30, "CNY"), value=Money.of(50, "CNY"), quantity=10)],
    ... )
    >>> print(
    ...     review_designs(
    ...         [moon],
    ...         roster,
    ...         theme_topics={"festival": ["tea"]},
    ...         participants=100,
    ...         reference=Money.of(4, "CNY"),
    ...         festivals={dt.date(2024, 9, 17): "中秋"},
    ...         tz="Asia/Shanghai",
    ...     )
    ... )
    campaign    touched    fit  lower  upper  forms  for each  adequacy  festival  in days
    ──────────────────────────────────────────────────────────────────────────────────────
    mid-autumn        6  75.0%  40.9%  92.9%      2      5.00      1.25  中秋            7
    Audience: 8 members, 2 without tags.
    Forms over all campaigns: 2.0 effective of 12.
    """
    plans = campaign_records(campaigns)
    instance("roster", roster, Roster, expected="a Roster")
    currency = _currency(plans, reference)
    touched, has_topics, untagged = _touched(plans, roster, tags, _topics_of_themes(theme_topics))
    each = np.array([_for_each(plan, _expected(participants, plan)) for plan in plans], dtype=np.float64)
    table = _festivals(festivals, tz)
    days = [_next_festival(plan, table, tz) for plan in plans]
    return DesignReview(
        campaigns=tuple(plan.id for plan in plans),
        n_audience=len(roster),
        n_untagged=untagged,
        touched=touched,
        has_topics=has_topics,
        n_forms=np.array([len(plan.forms) for plan in plans], dtype=np.int64),
        forms=form_mix(plans),
        for_each=each,
        reference=None if reference is None else float(reference.major),
        currency=currency,
        festivals=tuple(name for name, _ in days),
        in_days=np.array([after for _, after in days], dtype=np.float64),
        level=level,
    )


def campaign_records(campaigns: object) -> list[Campaign]:
    """Return a list of campaigns, each of which stands there once.

    Examples
    --------
    >>> campaign_records([])
    []
    """
    given = items_of("campaigns", campaigns, expected="Campaign records")
    seen: set[Label] = set()
    for row, campaign in enumerate(given):
        if not isinstance(campaign, Campaign):
            raise InvalidTypeError(message("campaigns", "Campaign records", campaign, row=row))
        if campaign.id in seen:
            raise InvalidValueError(message("campaigns", "each campaign once", campaign.id, row=row))
        seen.add(campaign.id)
    return given


def form_mix(campaigns: Sequence[Campaign]) -> Mix | None:
    """Return the mix of forms, a campaign counting 1 in equal parts for its forms; None without campaigns.

    Examples
    --------
    >>> form_mix([]) is None
    True
    """
    counts = dict.fromkeys((form.value for form in InteractionForm), Fraction(0))
    for campaign in campaigns:
        for form in campaign.forms:
            counts[form.value] += Fraction(1, len(campaign.forms))
    return Mix.of({form: float(count) for form, count in counts.items()}) if campaigns else None


def _currency(plans: list[Campaign], reference: Money | None) -> str | None:
    if reference is not None:
        instance("reference", reference, Money, expected="Money or None")
        if reference.minor <= 0:
            raise InvalidValueError(message("reference", "an amount above 0", str(reference)))
    currency = None if reference is None else reference.currency
    for row, plan in enumerate(plans):
        if currency is None:
            currency = plan.currency
        elif plan.currency not in {None, currency}:
            raise InvalidValueError(message("campaigns", f"rewards and budgets in {currency}", plan.currency, row=row))
    return currency


def _topics_of_themes(theme_topics: object) -> dict[CampaignTheme, set[Label]]:
    if theme_topics is None:
        return {}
    instance("theme_topics", theme_topics, Mapping, expected="a mapping of theme to labels")
    given = cast("Mapping[str, Iterable[Label]]", theme_topics)
    return {
        CampaignTheme.from_label(theme, argument="theme_topics"): set(
            items_of(f"theme_topics[{str(theme)!r}]", labels, expected="a set of labels")
        )
        for theme, labels in given.items()
    }


def _touched(
    plans: list[Campaign], roster: Roster, tags: str | None, of_themes: dict[CampaignTheme, set[Label]]
) -> tuple[IntArray, BoolArray, int]:
    """Return how many members each campaign touches, whether it has topics, and how many members have no tags."""
    nothing: set[Label] = set()
    topics = [
        of_themes.get(plan.theme, nothing).union(plan.topics) if plan.theme else set(plan.topics) for plan in plans
    ]
    if tags is None:
        return np.zeros(len(plans), dtype=np.int64), np.zeros(len(plans), dtype=np.bool_), len(roster)
    instance("tags", tags, str, expected="a str or None")
    if tags not in roster.tags:
        raise UnknownLabelError(message("tags", "a name of the roster's tags", tags) + suggest(tags, roster.tags))
    column = roster.tags[tags]
    touched = [_carrying(column, labels) for labels in topics]
    untagged = int(np.count_nonzero(np.diff(column.offsets) == 0))
    return np.array(touched, dtype=np.int64), np.array([bool(labels) for labels in topics], dtype=np.bool_), untagged


def _carrying(column: Any, labels: set[Label]) -> int:  # noqa: ANN401  (Tags, which the house keeps to itself)
    carries = np.zeros(len(column), dtype=np.bool_)
    for label in labels:
        carries |= column.mask(label)
    return int(np.count_nonzero(carries))


def _expected(participants: object, plan: Campaign) -> int | None:
    if participants is None:
        return None
    name = "participants"
    given = participants
    if isinstance(participants, Mapping):
        name = f"participants[{plan.id!r}]"
        of_plan = cast("Mapping[Label, object]", participants)
        if plan.id not in of_plan:
            raise UnknownLabelError(message("participants", "a number for each campaign", f"none for {plan.id!r}"))
        given = of_plan[plan.id]
    expected = whole(name, given)
    if expected < 1:
        raise InvalidValueError(message(name, "1 or more", given))
    return expected


def _for_each(plan: Campaign, participants: int | None) -> float:
    """Return what there is to get for each participant, in major units."""
    if participants is None:
        return math.nan
    if plan.currency is None:
        return 0.0
    worth = [reward.cost if reward.value is None else reward.value for reward in plan.rewards]
    minor = sum(one.minor * min(reward.quantity, participants) for one, reward in zip(worth, plan.rewards, strict=True))
    return float(Fraction(Money(minor, plan.currency).major) / participants)


def _festivals(festivals: object, tz: object) -> list[tuple[dt.date, str]]:
    if festivals is None:
        return []
    if tz is None:
        raise InvalidTypeError(message("tz", "the zone whose days the festivals are", tz))
    instance("festivals", festivals, Mapping, expected="a mapping of date to the name of a festival")
    given = cast("Mapping[object, object]", festivals)
    for day, name in given.items():
        if isinstance(day, dt.datetime) or not isinstance(day, dt.date):
            raise InvalidTypeError(message("festivals", "dates without a time of day", day))
        instance(f"festivals[{day}]", name, str, expected="the name of a festival")
    return sorted(cast("Mapping[dt.date, str]", given).items())


def _next_festival(
    plan: Campaign, festivals: list[tuple[dt.date, str]], tz: str | dt.tzinfo | None
) -> tuple[str | None, float]:
    if tz is None:
        return None, math.nan
    start = plan.window.start.astimezone(zone(tz))
    first = dt.date(start.year, start.month, start.day)
    ahead = [(day, name) for day, name in festivals if day >= first]
    return (ahead[0][1], float((ahead[0][0] - first).days)) if ahead else (None, math.nan)
