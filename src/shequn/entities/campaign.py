"""What is the campaign about, how do people take part, what can it cost at worst, and is it on?"""

from __future__ import annotations

from collections.abc import Collection, Iterable  # noqa: TC003  (who resolves the annotations of a record finds them)
from datetime import datetime  # noqa: TC003

import attrs

from shequn._doors import Doors
from shequn.entities._fields import Entity, aware, label, records, text
from shequn.entities._sets import label_set, taxa
from shequn.entities.campaign_taxonomies import CampaignStatus, CampaignTheme, InteractionForm
from shequn.entities.platform import Platform
from shequn.entities.reward import Reward, money
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import instance, items_of, whole
from shequn.values import Money, Window
from shequn.values.instants import instant_us

__all__ = ["Campaign", "Goal"]


def _kinds(kinds: Collection[str] | str) -> frozenset[str]:
    given = [kinds] if isinstance(kinds, str) else items_of("kinds", kinds, expected="kinds of events")
    if not given:
        raise InvalidValueError(message("kinds", "at least one kind of event", kinds))
    return frozenset(text("kinds", kind) for kind in given)


def _shown_kinds(kinds: frozenset[str]) -> str:
    """Return kinds as a set shows them, in an order that is always the same."""
    return f"{{{', '.join(map(repr, sorted(kinds)))}}}"


def _target(target: int) -> int:
    read = whole("target", target)
    if read < 1:
        raise InvalidValueError(message("target", "1 member or more", target))
    return read


@attrs.frozen(kw_only=True)
class Goal(Doors):
    """What a campaign is to bring about: so many members who do a thing (活动目标).

    Parameters
    ----------
    kinds : str or collection of str
        Kinds of events, any of which is a conversion.
    target : int
        Number of distinct members who should convert; 1 or more.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        There are no kinds, or a field has a type or value that cannot be used.

    References
    ----------
    Row I10 of the domain table.

    Examples
    --------
    >>> Goal(kinds="purchase", target=50)
    Goal(kinds={'purchase'}, target=50)
    """

    kinds: frozenset[str] = attrs.field(converter=_kinds, repr=_shown_kinds)
    target: int = attrs.field(converter=_target)


def _id(id: str | int) -> str | int:  # noqa: A002  (the name of the field)
    return label("id", id)


def _community(community: str | int | None) -> str | int | None:
    return None if community is None else label("community", community)


def _theme(theme: CampaignTheme | str | None) -> CampaignTheme | None:
    return None if theme is None else CampaignTheme.from_label(theme, argument="theme")


def _forms(forms: Iterable[InteractionForm | str]) -> tuple[InteractionForm, ...]:
    return taxa("forms", InteractionForm, forms)


def _window(window: Window) -> Window:
    instance("window", window, Window, expected="a Window, from its first instant until just before its end")
    return window


def _topics(topics: Iterable[str | int]) -> tuple[str | int, ...]:
    return label_set("topics", topics)


def _platforms(platforms: Iterable[Platform]) -> tuple[Platform, ...]:
    return records("platforms", Platform, platforms)


def _rewards(rewards: Iterable[Reward]) -> tuple[Reward, ...]:
    given = items_of("rewards", rewards, expected="Reward records")
    for row, reward in enumerate(given):
        if not isinstance(reward, Reward):
            raise InvalidTypeError(message("rewards", "Reward records", reward, row=row))
    return tuple(given)


def _budget(budget: Money | None) -> Money | None:
    return None if budget is None else money("budget", budget)


def _goal(goal: Goal | None) -> Goal | None:
    if goal is not None:
        instance("goal", goal, Goal, expected="a Goal or None")
    return goal


def _cancelled(cancelled: datetime | None) -> datetime | None:
    return None if cancelled is None else aware("cancelled", cancelled)


@attrs.frozen(kw_only=True, eq=False)
class Campaign(Entity):
    """One campaign: what it is about, how people take part, when, and what they can get (活动).

    Two campaigns are the same when their ids are. Who took part is not here: it is folded from events that carry its
    id in `Event.item`.

    Parameters
    ----------
    id : str or int
        Its id.
    community : str or int, optional
        Id of the community it is for; may be left out where there is one only.
    theme : CampaignTheme or str, optional
        What it is about; None for none of these.
    forms : iterable of InteractionForm or str
        How people take part: one form at least, each kept once, in the order of the taxonomy.
    window : Window
        From when until just before when it runs.
    topics : iterable of labels, optional
        What it is about in the words of members' tags, kept in ascending order.
    platforms : iterable of Platform, optional
        Where it runs.
    rewards : iterable of Reward, optional
        What people can get; all costs in one currency.
    budget : Money, optional
        The most it may cost, not below the worst case of the rewards; None for no limit.
    goal : Goal, optional
        What it is to bring about.
    cancelled : datetime, optional
        When it was called off, before its end; aware.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used; there is no form; rewards and budget are in two currencies; the
        rewards' worst case exceeds the budget; it is cancelled after its end.
    UnknownLabelError
        `theme` or a form names no value.

    References
    ----------
    S3 §4.1, S2, rows I1, T6, T10 and T13 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> opens = pendulum.datetime(2024, 9, 10, 20, tz="Asia/Shanghai")
    >>> campaign = Campaign(
    ...     id="mid-autumn",
    ...     theme="节日庆祝",
    ...     forms={"抽奖", "打卡"},
    ...     window=Window(opens, opens.add(days=7)),
    ...     rewards=[Reward(kind="奖品", cost=Money.of(299, "CNY"), quantity=3)],
    ...     budget=Money.of(1_000, "CNY"),
    ...     goal=Goal(kinds={"purchase"}, target=50),
    ... )
    >>> print(campaign.worst_case(), campaign.status(opens.add(days=1)).zh)
    897.00 CNY 进行中
    """

    id: str | int = attrs.field(converter=_id)
    community: str | int | None = attrs.field(default=None, converter=_community)
    theme: CampaignTheme | None = attrs.field(default=None, converter=_theme)
    forms: tuple[InteractionForm, ...] = attrs.field(converter=_forms)
    window: Window = attrs.field(converter=_window)
    topics: tuple[str | int, ...] = attrs.field(default=(), converter=_topics)
    platforms: tuple[Platform, ...] = attrs.field(default=(), converter=_platforms)
    rewards: tuple[Reward, ...] = attrs.field(default=(), converter=_rewards)
    budget: Money | None = attrs.field(default=None, converter=_budget)
    goal: Goal | None = attrs.field(default=None, converter=_goal)
    cancelled: datetime | None = attrs.field(default=None, converter=_cancelled)

    def __attrs_post_init__(self) -> None:
        """Check what two fields say of each other."""
        self._check_money()
        if self.cancelled is not None and instant_us(self.cancelled) >= self.window.end_us:
            raise InvalidValueError(
                message("cancelled", f"an instant before the end of window ({self.window.end})", str(self.cancelled))
            )

    def _check_money(self) -> None:
        for row, reward in enumerate(self.rewards):
            if reward.cost.currency != self.currency:
                whose = "the first reward" if self.budget is None else "the budget"
                raise InvalidValueError(
                    message("rewards", f"costs in {self.currency}, as {whose}", str(reward.cost), row=row)
                )
        worst = self.worst_case()
        if worst is not None and self.budget is not None and worst > self.budget:
            raise InvalidValueError(
                message("rewards", f"a worst case of at most the budget of {self.budget}", str(worst))
            )

    @property
    def currency(self) -> str | None:
        """The currency of its budget and rewards; None where it has neither."""
        if self.budget is not None:
            return self.budget.currency
        return self.rewards[0].cost.currency if self.rewards else None

    def worst_case(self) -> Money | None:
        """Return what the rewards cost if every one is claimed, exactly.

        Returns
        -------
        Money or None
            At most the budget. Without rewards it is zero in the currency of the budget, and None where there is
            neither.

        Examples
        --------
        >>> import pendulum
        >>> opens = pendulum.datetime(2024, 9, 10)
        >>> Campaign(id=1, forms={"poll"}, window=Window(opens, opens.add(days=1))).worst_case() is None
        True
        """
        if self.currency is None:
            return None
        return Money.total((reward.worst_case() for reward in self.rewards), self.currency)

    def status(self, as_of: datetime) -> CampaignStatus:
        """Return how far along it is at an instant, as far as its own instants tell.

        Parameters
        ----------
        as_of : datetime
            The instant; aware.

        Returns
        -------
        CampaignStatus
            SCHEDULED before its window, RUNNING inside, ENDED from its end on; CANCELLED from `cancelled` on.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `as_of` is not an aware datetime.

        Examples
        --------
        >>> import pendulum
        >>> opens = pendulum.datetime(2024, 9, 10)
        >>> campaign = Campaign(id=1, forms={"poll"}, window=Window(opens, opens.add(days=1)))
        >>> [campaign.status(opens.add(hours=hours)).value for hours in (-1, 0, 24)]
        ['scheduled', 'running', 'ended']
        """
        now_us = instant_us(as_of, argument="as_of")
        if self.cancelled is not None and now_us >= instant_us(self.cancelled):
            return CampaignStatus.CANCELLED
        if now_us < self.window.start_us:
            return CampaignStatus.SCHEDULED
        return CampaignStatus.RUNNING if now_us < self.window.end_us else CampaignStatus.ENDED
