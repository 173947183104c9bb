"""What a campaign brought about, and how sure that is: the answer of `outcome`."""

# Longer than most files: every figure is made of the same two arms, and the table shows them all.

from __future__ import annotations

import datetime as dt  # noqa: TC003  (attrs resolves the annotations of fields)
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias, get_args

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.campaigns.arm import Arm, Before
from shequn.campaigns.estimates import Estimate, MoneyEstimate, nearest
from shequn.columns.table import Column, Tabular
from shequn.entities.campaign import Campaign
from shequn.errors import InvalidTypeError, InvalidValueError, counted, message
from shequn.stats._checks import instance, level_in_unit, number_between, one_of
from shequn.stats.intervals import newcombe
from shequn.stats.means import welch
from shequn.stats.paired import paired_proportions
from shequn.stats.tails import chi2_sf
from shequn.values import Money, Window
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shequn.columns.table import Lang

__all__ = ["Attribution", "Metric", "Outcome", "OutcomeRow", "SampleRatio"]

Metric: TypeAlias = Literal["reached", "participated", "converted"]
Attribution: TypeAlias = Literal["items", "window"]
Method: TypeAlias = Literal["holdout", "pre_post", "none"]

_SUSPICIOUS = 0.001
_SKEWNESS_RULE = 355.0


def _margin(value: float) -> float:
    return number_between("margin", value, 0, 1)


def _intended(value: float | None) -> float | None:
    if value is None:
        return None
    share = number_between("intended", value, 0, 1)
    if share in {0.0, 1.0}:
        raise InvalidValueError(message("intended", "a share of treated members between 0 and 1", value))
    return share


def _cost(value: Money | None) -> Money | None:
    if value is None:
        return None
    instance("cost", value, Money, expected='Money, such as Money.of("500", "CNY")')
    if value.minor < 0:
        raise InvalidValueError(message("cost", "an amount of 0 or more", str(value)))
    return value


def _as_of(value: dt.datetime) -> dt.datetime:
    instant_us(value, argument="as_of")
    return value


def _attribution(value: Attribution) -> Attribution:
    one_of("attribution", value, get_args(Attribution))
    return value


class SampleRatio(NamedTuple):
    """Whether the arms are as large, one beside the other, as they were meant to be.

    Examples
    --------
    >>> ratio = SampleRatio(intended=0.5, observed=0.51, p_value=0.02)
    >>> ratio.is_suspicious
    False
    """

    intended: float
    """Share of members who were to be treated."""
    observed: float
    """Share who are, of both arms together."""
    p_value: float
    """Of Pearson's chi-square test with one degree of freedom."""

    @property
    def is_suspicious(self) -> bool:
        """Whether chance alone would deal arms like these less than once in a thousand times."""
        return self.p_value < _SUSPICIOUS


class OutcomeRow(NamedTuple):
    """One figure; money is in minor units.

    Examples
    --------
    >>> row = OutcomeRow("converted", 0.8, 0.6, 0.2, 0.0524, 0.3339)
    >>> row.difference
    0.2
    """

    metric: str
    treated: float
    compared: float
    difference: float
    lower: float
    upper: float


@attrs.frozen(kw_only=True, repr=False)
class Outcome(Doors, Tabular[OutcomeRow]):
    """What a campaign brought about; made by `outcome`, where the definitions are, or from two arms counted elsewhere.

    Members are compared as they were assigned, whether the campaign reached them or not.

    Parameters
    ----------
    campaign : Campaign
    treated : Arm
        Of one member at least.
    held_out : Arm, optional
        Members the campaign left alone. Without it there is no more than a comparison with before.
    as_of : aware datetime
        Up to when rows are known.
    margin : float
        Share of revenue that is left when the goods are paid for, in [0, 1].
    cost : Money, optional
        What the campaign cost.
    intended : float, optional
        Share of members who were to be treated.
    baseline : Window, optional
        When `Arm.before` was.
    level : float, default 0.95
        Confidence level of all intervals.
    attribution : {"items", "window"}, default "window"
        Whether reach and participation are told by rows of the campaign's own items, or by any in its window.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used, an arm is empty, or money is in two currencies.

    Examples
    --------
    >>> import pendulum
    >>> opens = pendulum.datetime(2024, 9, 10, tz="Asia/Shanghai")
    >>> autumn = Campaign(id="mid-autumn", forms={"lottery"}, window=Window(opens, opens.add(days=7)))
    >>> found = Outcome(
    ...     campaign=autumn,
    ...     treated=Arm(members=70, reached=66, converted=56),
    ...     held_out=Arm(members=80, converted=48),
    ...     as_of=opens.add(days=7),
    ...     margin=0.4,
    ... )
    >>> print(f"{found.uplift.value:.4f} ({found.uplift.lower:.4f} to {found.uplift.upper:.4f})")
    0.2000 (0.0524 to 0.3339)
    """

    campaign: Campaign
    treated: Arm
    held_out: Arm | None = None
    as_of: dt.datetime = attrs.field(converter=_as_of)
    margin: float = attrs.field(converter=_margin)
    cost: Money | None = attrs.field(default=None, converter=_cost)
    intended: float | None = attrs.field(default=None, converter=_intended)
    baseline: Window | None = None
    level: float = attrs.field(default=0.95, converter=level_in_unit)
    attribution: Attribution = attrs.field(default="window", converter=_attribution)

    _Row: ClassVar[type[Any] | None] = OutcomeRow

    def __attrs_post_init__(self) -> None:
        """Check that the arms fit each other and the money is of one currency."""
        instance("campaign", self.campaign, Campaign, expected="a Campaign")
        for name, arm in (("treated", self.treated), ("held_out", self.held_out)):
            if arm is None and name == "held_out":
                continue
            instance(name, arm, Arm, expected="an Arm")
            if arm is not None and not arm.members:
                raise InvalidValueError(message(name, "an arm of at least one member", 0))
        if self.baseline is not None and not isinstance(self.baseline, Window):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("baseline", "a Window or None", self.baseline))
        _require_one_currency(
            self.campaign,
            {
                "cost": self.cost,
                "treated": self.treated.revenue,
                "held_out": None if self.held_out is None else self.held_out.revenue,
            },
        )

    # ── what is compared ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def method(self) -> Method:
        """What the treated are compared with: a holdout, themselves before (not causal), or nothing."""
        if self.held_out is not None:
            return "holdout"
        return "none" if self.treated.before is None or self.treated.before.change is None else "pre_post"

    @property
    def is_complete(self) -> bool:
        """Whether the campaign's window had ended by `as_of`."""
        return instant_us(self.as_of) >= self.campaign.window.end_us

    @property
    def is_goal_reached(self) -> bool | None:
        """Whether as many of the treated converted as the goal says; None without a goal."""
        goal = self.campaign.goal
        return None if goal is None else self.treated.converted >= goal.target

    @property
    def sample_ratio(self) -> SampleRatio | None:
        """Whether the arms have the sizes they were to have; None without `intended` or a holdout."""
        if self.intended is None or self.held_out is None:
            return None
        treated, both = self.treated.members, self.treated.members + self.held_out.members
        expected = self.intended * both
        statistic = (treated - expected) ** 2 / expected + (treated - expected) ** 2 / (both - expected)
        return SampleRatio(self.intended, treated / both, float(chi2_sf(statistic, 1)))

    @property
    def is_large_enough(self) -> bool | None:
        """Whether each arm has more than 355 × skewness² members, so that intervals of revenue keep their level.

        None where the skewness is not known. It is a rule of thumb, and a strict one: of arms of one size the
        skewnesses cancel. See Kohavi, R. et al. (2014). Seven rules of thumb for web site experimenters. KDD '14.
        https://doi.org/10.1145/2623330.2623341
        """
        arms = [arm for arm in (self.treated, self.held_out) if arm is not None]
        if any(math.isnan(arm.revenue_skewness) for arm in arms):
            return None
        return all(arm.members > _SKEWNESS_RULE * arm.revenue_skewness**2 for arm in arms)

    # ── shares of members ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def uplift(self) -> Estimate:
        """Share of treated who converted less that of the held out, or less that before where nobody was held out."""
        return self.difference("converted")

    def difference(self, metric: Metric, /) -> Estimate:
        """Return a share of the treated less that of those they are compared with.

        Parameters
        ----------
        metric : {"reached", "participated", "converted"}

        Returns
        -------
        Estimate
            Newcombe's interval against a holdout. Without one only conversion is compared with before, by the interval
            of Bonett and Price for the same members asked twice.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `metric` is none of these.

        Examples
        --------
        >>> import pendulum
        >>> opens = pendulum.datetime(2024, 9, 10)
        >>> autumn = Campaign(id="mid-autumn", forms={"lottery"}, window=Window(opens, opens.add(days=7)))
        >>> found = Outcome(
        ...     campaign=autumn, treated=Arm(members=70, reached=66), held_out=Arm(members=80), as_of=opens, margin=0.4
        ... )
        >>> round(found.difference("reached").value, 3)
        0.943
        """
        one_of("metric", metric, get_args(Metric))
        ours = getattr(self.treated, metric), self.treated.members
        if self.held_out is not None:
            theirs = getattr(self.held_out, metric), self.held_out.members
            lower, upper = newcombe(*ours, *theirs, level=self.level)
            return Estimate(ours[0] / ours[1] - theirs[0] / theirs[1], float(lower), float(upper))
        return _paired(self.treated, self.level) if metric == "converted" else Estimate.unknown()

    @property
    def heat_uplift(self) -> Estimate:
        """How much more often a treated member took part than one held out (讨论热度), with Welch's interval."""
        if self.held_out is None:
            return Estimate.unknown()
        ours, theirs = ((arm.actions_per_member, arm.actions_sd, arm.members) for arm in (self.treated, self.held_out))
        return _mean_difference(ours, theirs, self.level)

    @property
    def conversion_change_uplift(self) -> Estimate:
        """Change of conversion of the treated less that of the held out (双重差分); NaN without a baseline.

        The interval is the two of Bonett and Price put together by square and add.
        """
        if self.held_out is None:
            return Estimate.unknown()
        ours, theirs = (_paired(arm, self.level) for arm in (self.treated, self.held_out))
        value = ours.value - theirs.value
        return Estimate(
            value,
            value - math.hypot(ours.value - ours.lower, theirs.upper - theirs.value),
            value + math.hypot(ours.upper - ours.value, theirs.value - theirs.lower),
        )

    # ── money ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def revenue_uplift(self) -> Estimate:
        """Revenue per member less that of the held out, or less that before, in minor units; Welch's interval."""
        if self.held_out is None:
            return self._revenue_changes()[0]
        ours, theirs = self.treated, self.held_out
        return _mean_difference(
            (ours.revenue_per_member, ours.revenue_sd, ours.members),
            (theirs.revenue_per_member, theirs.revenue_sd, theirs.members),
            self.level,
        )

    @property
    def revenue_change_uplift(self) -> Estimate:
        """Change of revenue per member less that of the held out (双重差分), in minor units; NaN without a baseline."""
        return self._revenue_changes()[1]

    def _revenue_changes(self) -> tuple[Estimate, Estimate]:
        """Return the change of the treated, and that less the change of the held out."""
        unknown = Estimate.unknown()
        ours = _change(self.treated)
        if ours is None:
            return unknown, unknown
        theirs = None if self.held_out is None else _change(self.held_out)
        return (
            _mean_difference(ours, None, self.level),
            unknown if theirs is None else _mean_difference(ours, theirs, self.level),
        )

    @property
    def theta(self) -> float:
        """How much of a member's revenue goes with one more of the number it is adjusted by; NaN without a baseline.

        Of all slopes the one that leaves the least variance of the difference.
        """
        pair = self._both_before()
        if pair is None:
            return math.nan
        slopes = sum(before.covariance / arm.members for arm, before in pair)
        spread = sum(before.covariate_sd**2 / arm.members for arm, before in pair)
        return slopes / spread if spread else 0.0 * slopes

    @property
    def adjusted_revenue_uplift(self) -> Estimate:
        r"""`revenue_uplift` adjusted by what members did before (CUPED), in minor units; NaN without a baseline.

        Notes
        -----
        Of each member's revenue y and covariate x before the campaign, y - θ x is compared by Welch's interval. With
        arms a of n members, :math:`\theta = \sum_a s_{xy,a} / n_a \big/ \sum_a s_{xx,a} / n_a`, which leaves the least
        variance. Treatment can't have changed x, so that nothing but noise is taken away: of the variance
        the share ρ². Deng, A. et al. (2013). Improving the sensitivity of online controlled experiments by utilizing
        pre-experiment data. WSDM '13. https://doi.org/10.1145/2433396.2433413
        """
        pair, theta = self._both_before(), self.theta
        if pair is None:
            return Estimate.unknown()
        samples = [
            (
                arm.revenue_per_member - theta * before.covariate_mean,
                math.sqrt(_adjusted_variance(arm, before, theta)),
                arm.members,
            )
            for arm, before in pair
        ]
        return _mean_difference(samples[0], samples[1], self.level)

    @property
    def variance_reduction(self) -> float:
        """Share of the variance of `revenue_uplift` that the adjustment takes away; NaN without a baseline."""
        pair = self._both_before()
        if pair is None:
            return math.nan
        whole = sum(arm.revenue_sd**2 / arm.members for arm, _ in pair)
        left = sum(_adjusted_variance(arm, before, self.theta) / arm.members for arm, before in pair)
        return 1.0 - left / whole if whole else 0.0 * whole

    def _both_before(self) -> list[tuple[Arm, Before]] | None:
        """Return both arms with what is known of before; None where something is not."""
        if self.held_out is None or self.treated.before is None or self.held_out.before is None:
            return None
        return [(self.treated, self.treated.before), (self.held_out, self.held_out.before)]

    @property
    def incremental_revenue(self) -> MoneyEstimate | None:
        """Revenue of the treated that there would not have been: `revenue_uplift` of all of them; None if not known."""
        return self._of_all(self.revenue_uplift, self._incremental())

    @property
    def adjusted_incremental_revenue(self) -> MoneyEstimate | None:
        """The same of `adjusted_revenue_uplift`."""
        return self._of_all(self.adjusted_revenue_uplift)

    def _of_all(self, each: Estimate, exact: Fraction | None = None) -> MoneyEstimate | None:
        currency = self.currency
        n = self.treated.members
        value = None if currency is None else nearest(each.value * n if exact is None else exact, currency)
        if value is None or currency is None:
            return None
        return MoneyEstimate(value, nearest(each.lower * n, currency), nearest(each.upper * n, currency))

    def _incremental(self) -> Fraction | None:
        """Return the revenue that is more, exactly, in minor units."""
        ours, n = self.treated.revenue, self.treated.members
        if ours is None:
            return None
        if self.held_out is not None:
            theirs = self.held_out.revenue
            return None if theirs is None else ours.minor - Fraction(theirs.minor * n, self.held_out.members)
        before = None if self.treated.before is None else self.treated.before.revenue
        return None if before is None or self.method == "none" else Fraction(ours.minor - before.minor)

    @property
    def profit(self) -> MoneyEstimate | None:
        """Incremental revenue × margin - cost, with the interval of the revenue; None if either is not known."""
        exact, currency = self._incremental(), self.currency
        if exact is None or self.cost is None or currency is None or self.incremental_revenue is None:
            return None
        each, n, cost = self.revenue_uplift, self.treated.members, self.cost.minor
        ends = [nearest(end * n * self.margin - cost, currency) for end in (each.lower, each.upper)]
        value = nearest(exact * Fraction(str(self.margin)) - cost, currency)
        return None if value is None else MoneyEstimate(value, *ends)

    @property
    def roi(self) -> Estimate:
        """(Incremental revenue × margin - cost) / cost (投资回报率); NaN without a cost or a comparison.

        The interval is that of the revenue: cost is taken for known.
        """
        return self._return_on(self.revenue_uplift)

    @property
    def adjusted_roi(self) -> Estimate:
        """The same of `adjusted_revenue_uplift`."""
        return self._return_on(self.adjusted_revenue_uplift)

    def _return_on(self, each: Estimate) -> Estimate:
        if self.cost is None or not self.cost.minor:
            return Estimate.unknown()
        factor = self.treated.members * self.margin / self.cost.minor
        return Estimate(*(end * factor - 1.0 for end in each))

    @property
    def currency(self) -> str | None:
        """Of the money, ISO 4217; None where there is none."""
        if self.treated.revenue is not None:
            return self.treated.revenue.currency
        return self.campaign.currency if self.cost is None else self.cost.currency

    # ── as a table ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _figures(self) -> list[_Figure]:
        ours, theirs = self.treated, self.held_out
        before = ours.before if self.method == "pre_post" else None
        figures = [
            _Figure("members", "members", "人数", "count", ours.members, theirs.members if theirs else None),
            *(
                self._share(metric, zh, before)
                for metric, zh in (("reached", "触达"), ("participated", "参与"), ("converted", "转化"))
            ),
        ]
        if ours.actions is not None:
            figures.insert(3, self._heat())
        change = self.conversion_change_uplift
        if not math.isnan(change.value):
            figures.append(
                _Figure.of("converted_change", "converted, diff-in-diff", "转化（双重差分）", "rate", change)
            )
        return figures + (self._money_figures(before) if ours.revenue is not None else [])

    def _heat(self) -> _Figure:
        ours, theirs = self.treated, self.held_out
        found, compared = self.heat_uplift, math.nan
        if theirs is not None:
            compared = theirs.actions_per_member
        elif self.method == "none":
            alone = _mean_difference((ours.actions_per_member, ours.actions_sd, ours.members), None, self.level)
            found = Estimate(math.nan, alone.lower, alone.upper)
        name = "actions per member"
        return _Figure(
            "actions_per_member", name, "讨论热度（人均次数）", "number", ours.actions_per_member, compared, found
        )

    def _share(self, metric: Any, zh: str, before: Before | None) -> _Figure:  # noqa: ANN401
        ours, theirs, found = self.treated, self.held_out, self.difference(metric)
        compared = math.nan
        if theirs is not None:
            compared = getattr(theirs, metric) / theirs.members
        elif before is not None and metric == "converted":
            compared = before.converted / ours.members
        elif before is None:
            rate = {"reached": ours.reach_rate, "participated": ours.participation_rate}.get(
                metric, ours.conversion_rate
            )
            found = Estimate(math.nan, *rate.interval(self.level))
        return _Figure(metric, metric, zh, "rate", getattr(ours, metric) / ours.members, compared, found)

    def _money_figures(self, before: Before | None) -> list[_Figure]:
        ours, theirs = self.treated, self.held_out
        compared = math.nan
        if theirs is not None:
            compared = theirs.revenue_per_member
        elif before is not None and before.revenue is not None:
            compared = before.revenue.minor / ours.members
        alone = _mean_difference((ours.revenue_per_member, ours.revenue_sd, ours.members), None, self.level)
        each = Estimate(math.nan, alone.lower, alone.upper) if self.method == "none" else self.revenue_uplift
        name, name_zh = "revenue per member", "人均收入"
        first = _Figure("revenue_per_member", name, name_zh, "money", ours.revenue_per_member, compared, each)
        adjusted, change = self.adjusted_revenue_uplift, self.revenue_change_uplift
        more = [
            _Figure.of("revenue_adjusted", f"{name}, adjusted", f"{name_zh}（CUPED 校正）", "money", adjusted),
            _Figure.of("revenue_change", f"{name}, diff-in-diff", f"{name_zh}（双重差分）", "money", change),
        ]
        incremental = self.incremental_revenue
        if incremental is not None:
            ends = (math.nan if end is None else float(end.minor) for end in incremental[1:])
            found = Estimate(float(incremental.value.minor), *ends)
            more.append(_Figure.of("incremental_revenue", "incremental revenue", "增量收入", "money", found))
        more.append(_Figure.of("roi", "ROI", "投资回报率", "rate", self.roi))
        more.append(_Figure.of("roi_adjusted", "ROI, adjusted", "投资回报率（CUPED 校正）", "rate", self.adjusted_roi))
        return [first, *(figure for figure in more if not math.isnan(figure.found.value))]

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        figures, currency = self._figures(), self.currency
        names = [figure.zh if lang == "zh" else figure.en for figure in figures]
        shown = [
            ("treated", "treated", "触达组", [figure.treated for figure in figures]),
            {
                "holdout": ("compared", "held out", "对照组", [figure.compared for figure in figures]),
                "pre_post": ("compared", "before", "活动前", [figure.compared for figure in figures]),
                "none": None,
            }[self.method],
            None
            if self.method == "none"
            else ("difference", "difference", "差异", [figure.found.value for figure in figures]),
            ("lower", "lower", "下限", [figure.found.lower for figure in figures]),
            ("upper", "upper", "上限", [figure.found.upper for figure in figures]),
        ]
        formats = [figure.format for figure in figures]
        drawn = [Column(key="metric", en="metric", zh="指标", values=np.array(names, dtype=object))]
        for column in shown:
            if column is not None:
                key, en, zh, values = column
                texts = np.empty(len(values), dtype=object)
                texts[:] = [_shown(value, how, currency) for value, how in zip(values, formats, strict=True)]
                drawn.append(Column(key=key, en=en, zh=zh, values=texts, format="number"))
        return drawn

    def _tidy(self) -> Sequence[Column]:
        figures = self._figures()
        numbers = {
            "treated": ("treated", "触达组", [figure.treated for figure in figures]),
            "compared": ("compared", "对照", [figure.compared for figure in figures]),
            "difference": ("difference", "差异", [figure.found.value for figure in figures]),
            "lower": ("lower", "下限", [figure.found.lower for figure in figures]),
            "upper": ("upper", "上限", [figure.found.upper for figure in figures]),
        }
        keys = np.array([figure.key for figure in figures], dtype=object)
        return [
            Column(key="metric", en="metric", zh="指标", values=keys),
            *(
                Column(key=key, en=en, zh=zh, values=np.array(values, dtype=np.float64), format="number")
                for key, (en, zh, values) in numbers.items()
            ),
        ]

    def _title(self, lang: Lang, /) -> str:
        return f"活动效果：{self.campaign.id}" if lang == "zh" else f"Outcome of {self.campaign.id}"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        words = _WORDS[lang]
        notes = [words[self.method].format(level=f"{100 * self.level:.4g}%")]
        if self.treated.revenue is not None:
            cost = words["no_cost"] if self.cost is None else f"{self.cost.major:,f} {self.cost.currency}"
            notes.append(words["money"].format(margin=f"{self.margin:.1%}", cost=cost, currency=self.currency))
        if not math.isnan(self.variance_reduction):
            notes.append(words["cuped"].format(share=f"{self.variance_reduction:.1%}"))
        goal = self.campaign.goal
        if goal is not None:
            reached = words["goal" if self.is_goal_reached else "no_goal"]
            notes.append(reached.format(converted=f"{self.treated.converted:,}", target=f"{goal.target:,}"))
        if self.attribution == "window" and self.treated.actions is not None:
            notes.append(words["window"])
        if self.cost is not None and not self.cost.minor and self.campaign.rewards:
            notes.append(words["no_rows_of_cost"])
        if not self.is_complete:
            notes.append(words["not_over"].format(as_of=f"{self.as_of:%Y-%m-%d %H:%M}"))
        if self.campaign.cancelled is not None and instant_us(self.campaign.cancelled) <= instant_us(self.as_of):
            notes.append(words["cancelled"].format(at=f"{self.campaign.cancelled:%Y-%m-%d %H:%M}"))
        ratio = self.sample_ratio
        if ratio is not None and ratio.is_suspicious:
            notes.append(
                words["ratio"].format(
                    observed=f"{ratio.observed:.1%}", intended=f"{ratio.intended:.1%}", p=f"{ratio.p_value:.1g}"
                )
            )
        if self.is_large_enough is False:
            notes.append(words["skewed"])
        return notes

    def __repr__(self) -> str:
        """Show the sizes of the arms and the uplift."""
        arms = f"{self.treated.members:,} treated"
        if self.held_out is not None:
            arms += f", {self.held_out.members:,} held out"
        uplift = self.uplift
        if math.isnan(uplift.value):
            return f"Outcome({self.campaign.id!r}, {arms}, {counted(self.treated.converted, 'conversion')})"
        ends = f"{uplift.lower:+.1%} to {uplift.upper:+.1%}"
        return f"Outcome({self.campaign.id!r}, {arms}, uplift {uplift.value:+.1%} ({ends}))"


class _Figure(NamedTuple):
    """One line of the table."""

    key: str
    en: str
    zh: str
    format: Literal["count", "rate", "number", "money"]
    treated: float
    compared: float | None
    found: Estimate = Estimate.unknown()

    @classmethod
    def of(cls, key: str, en: str, zh: str, how: Literal["rate", "money"], found: Estimate) -> _Figure:
        """Return a line that has no more than a difference."""
        return cls(key, en, zh, how, math.nan, math.nan, found)


_WORDS: dict[Lang, dict[str, str]] = {
    "en": {
        "holdout": "Treated against held out at random, as assigned; intervals of {level}.",
        "pre_post": "Pre/post, not causal: the same members before the campaign; intervals of {level}.",
        "none": "Nothing to compare with: no holdout and no baseline of the same length; intervals of {level}.",
        "money": "Margin {margin}, cost {cost}; money in {currency}.",
        "no_cost": "not given",
        "cuped": "The adjustment by what members did before takes away {share} of the variance.",
        "goal": "Goal reached: {converted} converted, {target} wanted.",
        "no_goal": "Goal not reached: {converted} converted, {target} wanted.",
        "window": "No row names the campaign: all that was received or done in its window counts.",
        "no_rows_of_cost": "No reward was redeemed by a row, so cost is 0; what was drawn or handed out goes to cost=.",
        "not_over": "Not over yet: rows up to {as_of}.",
        "cancelled": "Called off on {at}; rows of the whole window count.",
        "ratio": "Warning: {observed} of members are treated, {intended} were to be (p = {p}). Find out why first.",
        "skewed": "Few members for revenue as skewed as this: its intervals may be too narrow.",
    },
    "zh": {
        "holdout": "触达组与随机对照组比较（按分组计）；置信水平 {level}。",
        "pre_post": "前后对比，非因果：同一批成员活动前后；置信水平 {level}。",
        "none": "无可比对象：没有对照组，也没有等长的基线期；置信水平 {level}。",
        "money": "毛利率 {margin}，成本 {cost}；金额单位 {currency}。",
        "no_cost": "未给出",
        "cuped": "按活动前表现校正，方差减少 {share}。",
        "goal": "目标达成：转化 {converted} 人，目标 {target} 人。",
        "no_goal": "目标未达成：转化 {converted} 人，目标 {target} 人。",
        "window": "没有带活动编号的记录：活动期内收到的、做的都算触达与参与。",
        "no_rows_of_cost": "没有兑换记录，成本为 0；抽出或发放的奖品请用 cost= 给出。",
        "not_over": "活动尚未结束：数据截至 {as_of}。",
        "cancelled": "活动已于 {at} 取消；仍按整个活动期统计。",
        "ratio": "警告：触达组占 {observed}，计划为 {intended}（p = {p}）。请先查明原因。",
        "skewed": "收入分布偏斜而人数偏少，区间可能过窄。",
    },
}


def _shown(value: float | None, how: str, currency: str | None) -> str | None:
    if value is None or math.isnan(value):
        return None
    if how == "count":
        return f"{int(value):,}"
    if how == "rate":
        return f"{value:z.1%}"
    if how == "number":
        return f"{value:z,.2f}"
    amount = None if currency is None else nearest(value, currency)
    return None if amount is None else f"{amount.major:,f}"


def _paired(arm: Arm, level: float) -> Estimate:
    """Return the change of an arm's conversion."""
    change = None if arm.before is None else arm.before.change
    if change is None:
        return Estimate.unknown()
    lower, upper = paired_proportions(change.gained, change.lost, arm.members, level=level)
    return Estimate((change.gained - change.lost) / arm.members, float(lower), float(upper))


_Sample: TypeAlias = tuple[float, float, int]
"""Mean, standard deviation and size."""


def _change(arm: Arm) -> _Sample | None:
    """Return the change of revenue per member; None where it is not known."""
    before = arm.before
    if before is None or before.change is None or before.revenue is None or arm.revenue is None:
        return None
    return (arm.revenue.minor - before.revenue.minor) / arm.members, before.change.sd, arm.members


def _mean_difference(first: _Sample, second: _Sample | None, level: float) -> Estimate:
    (mean1, sd1, n1), other = first, second or (0.0, 0.0, None)
    found = welch(mean1, sd1 * sd1, n1, other[0], other[1] * other[1], other[2], level=level)
    return Estimate(float(found.difference), float(found.lower), float(found.upper))


def _adjusted_variance(arm: Arm, before: Before, theta: float) -> float:
    """Return the variance of revenue less theta times the covariate."""
    variance = arm.revenue_sd**2 - 2.0 * theta * before.covariance + (theta * before.covariate_sd) ** 2
    return max(variance, 0.0) if variance == variance else variance  # noqa: PLR0124


def _require_one_currency(campaign: Campaign, amounts: dict[str, Money | None]) -> None:
    currency, whose = campaign.currency, "the campaign"
    for name, amount in amounts.items():
        if amount is None:
            continue
        if currency is None:
            currency, whose = amount.currency, name
        elif amount.currency != currency:
            raise InvalidValueError(message(name, f"Money in {currency}, as {whose}", str(amount)))
