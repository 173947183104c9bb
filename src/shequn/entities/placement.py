"""Which tier is this member in, why, and what is missing to the next?"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import attrs

from shequn._doors import Doors
from shequn.entities.tier import Tier  # noqa: TC001  (who resolves the annotations of a record finds it)
from shequn.stats._checks import one_of

__all__ = ["Placement"]


@attrs.frozen(kw_only=True)
class Placement(Doors):
    """Where a member stands on a ladder, and why.

    Parameters
    ----------
    earned : int or float
        What they earned.
    tier : Tier or None
        The tier they are in now.
    previous : Tier or None
        The tier they were in before.
    next_tier : Tier or None
        The tier above `tier`, None at the top.

    See Also
    --------
    TierLadder.place : makes them.

    Examples
    --------
    >>> from shequn.entities import TierLadder
    >>> ladder = TierLadder.of({"普通": 0, "银卡": 1_000, "金卡": 5_000}, leave=0.9)
    >>> placement = ladder.place(earned=4_620, current="金卡")
    >>> placement.code, placement.moved, placement.kept_by_band
    ('金卡', 'held', True)
    >>> print(placement.reason())
    stays in 金卡 with 4,620: below 5,000, where one enters 金卡, and not below 4,500, where one leaves it
    >>> print(ladder.place(earned=4_620, current="普通").reason("zh"))
    升入银卡，已获 4,620：达到银卡门槛 1,000；距金卡还差 380
    """

    earned: float
    tier: Tier | None
    previous: Tier | None
    next_tier: Tier | None

    @property
    def code(self) -> str | int | None:
        """Code of the tier they are in, None for none."""
        return None if self.tier is None else self.tier.code

    @property
    def gap(self) -> float | None:
        """What is missing to enter the next tier; None at the top."""
        return None if self.next_tier is None else self.next_tier.threshold.enter - self.earned

    @property
    def kept_by_band(self) -> bool:
        """Whether they are in a tier that they have not earned enough to enter, and just enough to stay in."""
        return self.tier is not None and self.earned < self.tier.threshold.enter

    @property
    def moved(self) -> Literal["up", "held", "down"]:
        """Whether they went up, stayed, or went down."""
        before, now = _rank(self.previous), _rank(self.tier)
        return "held" if now == before else "up" if now > before else "down"

    def reason(self, lang: Literal["en", "zh"] = "en") -> str:
        """Return in a sentence why they are where they are.

        Parameters
        ----------
        lang : {"en", "zh"}, default "en"
            Its language.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `lang` is neither.

        Examples
        --------
        >>> from shequn.entities import TierLadder
        >>> print(TierLadder.of({"silver": 1_000, "gold": 5_000}).place(earned=400, current="gold").reason())
        falls out of gold with 400: below 4,500, where one leaves gold; 600 more to silver
        """
        one_of("lang", lang, tuple(_PHRASES))
        return _sentence(self, _PHRASES[lang])


def _rank(tier: Tier | None) -> float:
    return -math.inf if tier is None else tier.rank


class _Phrases(NamedTuple):
    up: str
    held: str
    down: str
    out: str
    none: str
    lost: str
    reached: str
    kept: str
    more: str
    sentence: str
    between: str


_PHRASES = {
    "en": _Phrases(
        up="moves up to {tier} with {earned}",
        held="stays in {tier} with {earned}",
        down="moves down from {previous} to {tier} with {earned}",
        out="falls out of {previous} with {earned}",
        none="is in no tier with {earned}",
        lost="below {previous_leave}, where one leaves {previous}",
        reached="at least {enter}, where one enters {tier}",
        kept="below {enter}, where one enters {tier}, and not below {leave}, where one leaves it",
        more="{gap} more to {next}",
        sentence="{head}: {facts}",
        between="; ",
    ),
    "zh": _Phrases(
        up="升入{tier}，已获 {earned}",
        held="保持{tier}，已获 {earned}",
        down="由{previous}降至{tier}，已获 {earned}",
        out="由{previous}降为无等级，已获 {earned}",
        none="未入等级，已获 {earned}",
        lost="低于{previous}保级线 {previous_leave}",
        reached="达到{tier}门槛 {enter}",
        kept="未达{tier}门槛 {enter}，但不低于保级线 {leave}",
        more="距{next}还差 {gap}",
        sentence="{head}：{facts}",
        between="；",
    ),
}


def _sentence(placement: Placement, phrases: _Phrases) -> str:
    tier, previous, gap = placement.tier, placement.previous, placement.gap
    values: dict[str, object] = {"earned": _number(placement.earned)}
    facts: list[str] = []
    if previous is not None:
        values |= {"previous": previous.code, "previous_leave": _number(previous.threshold.leave)}
    if tier is not None:
        values |= {"tier": tier.code, "enter": _number(tier.threshold.enter), "leave": _number(tier.threshold.leave)}
    if placement.next_tier is not None and gap is not None:
        values |= {"next": placement.next_tier.code, "gap": _number(gap)}

    if placement.moved == "down":
        facts.append(phrases.lost)
    if tier is not None:
        facts.append(phrases.kept if placement.kept_by_band else phrases.reached)
    if gap is not None:
        facts.append(phrases.more)
    if tier is None:
        head = phrases.none if previous is None else phrases.out
    else:
        head = {"up": phrases.up, "held": phrases.held, "down": phrases.down}[placement.moved]
    return phrases.sentence.format(head=head, facts=phrases.between.join(facts)).format(**values)


def _number(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:,.12g}"
