"""Which forms of campaigns do people take part in, how deeply, and what does a participant cost?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.campaigns.design import campaign_records
from shequn.campaigns.forms import FormEffects
from shequn.entities import InteractionForm
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, counted, message
from shequn.stats._checks import counts_column, instance, items_of, level_in_unit, refuse
from shequn.values import Money, Rate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.entities import Campaign

__all__ = ["form_effects"]


def form_effects(
    campaigns: Iterable[Campaign],
    /,
    *,
    reached: ArrayLike,
    participants: ArrayLike,
    actions: ArrayLike | None = None,
    cost: Iterable[Money] | None = None,
    baseline: InteractionForm | str | Rate | None = None,
    level: float = 0.95,
) -> FormEffects:
    r"""Compare forms of campaigns by who took part of those reached, how much each did, and what each cost.

    Parameters
    ----------
    campaigns : iterable of Campaign
        k campaigns that are over, each once. One of several forms counts for each of them.
    reached, participants : array_like of int, shape (k,)
        Members reached by each, and those of them who took part.
    actions : array_like of int, shape (k,), optional
        What the participants did: posts, answers, check-ins.
    cost : iterable of Money, k of them, optional
        What each campaign cost, in one currency.
    baseline : InteractionForm, str or Rate, optional
        What a form is compared with: another form, or a rate from elsewhere. By default, for each form, the campaigns
        without it.
    level : float, default 0.95
        Confidence level of the intervals.

    Returns
    -------
    FormEffects
        A row for each form that occurs, in the order of the taxonomy.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        An argument can't be used; more took part than were reached; somebody acted where nobody took part; costs are
        negative or in two currencies; the baseline is a form that doesn't occur.
    UnknownLabelError
        `baseline` names no form.

    Notes
    -----
    Members of one campaign are not independent of each other: a good topic draws many. So how much campaigns of the
    very same forms differ widens the intervals. With participants :math:`x_i` of :math:`n_i` and :math:`p` the rate of
    all campaigns with the same set of forms as i,

    .. math:: \varphi = \max\Big(1, \frac1\nu \sum_i \frac{(x_i - n_i p)^2}{n_i p (1 - p)}\Big)

    where :math:`\nu` is the number of campaigns less that of sets. A rate has the Wilson interval of
    :math:`n / \varphi` trials with Student's quantile of :math:`\nu` degrees of freedom. The uplift is the difference
    to the baseline, with Newcombe's interval made of the two; a baseline from elsewhere has its own Wilson interval.
    Actions for each participant likewise: the score interval of a Poisson count, of actions over their own
    :math:`\varphi`. Where every campaign has a set of forms of its own, :math:`\nu` is 0: nothing tells how much such
    campaigns differ, :math:`\varphi` is 1, the intervals are too narrow, and a note says so.

    It compares what was done. Forms were not dealt out by lot, so a difference may be that of the audience or the
    season.

    References
    ----------
    Rows T6 and I10 of the domain table; McCullagh, P. & Nelder, J. A. (1989). Generalized Linear Models, 2nd ed., §4.5
    (over-dispersion); Newcombe, R. G. (1998). Statistics in Medicine 17, 873-890.

    Examples
    --------
    >>> import pendulum
    >>> from shequn.entities import Campaign
    >>> from shequn.values import Window
    >>> week = Window(pendulum.datetime(2024, 9, 1), pendulum.datetime(2024, 9, 8))
    >>> forms = ["lottery", "lottery", "lottery", "poll", "poll"]
    >>> past = [Campaign(id=n, forms={form}, window=week) for n, form in enumerate(forms)]
    >>> print(form_effects(past, reached=[400, 500, 450, 480, 510], participants=[60, 95, 70, 30, 22]))
    form     campaigns  reached  participants   rate  lower  upper  uplift    from     to
    ─────────────────────────────────────────────────────────────────────────────────────
    lottery          3    1,350           225  16.7%  12.9%  21.3%   11.4%    6.1%  16.5%
    poll             2      990            52   5.3%   3.0%   9.0%  -11.4%  -16.5%  -6.1%
    Dispersion 1.67 with 3 degrees of freedom; interval: 95%.
    """
    given = campaign_records(campaigns)
    shape, of = (len(given),), f"each of {counted(len(given), 'campaign')}"
    n = counts_column("reached", reached, shape, of=of)
    x = counts_column("participants", participants, shape, of=of)
    _refuse_more("participants", "at most reached", x, x > n)
    done = None if actions is None else counts_column("actions", actions, shape, of=of)
    if done is not None:
        _refuse_more("actions", "0 where nobody took part", done, (x == 0) & (done > 0))
    paid = None if cost is None else _paid(cost, len(given))
    sets = _sets_of_forms(given)
    has = np.array([[form in campaign.forms for campaign in given] for form in InteractionForm], dtype=np.bool_)
    has = has.reshape(len(InteractionForm), len(given))
    rows = np.flatnonzero(has.any(axis=1))
    base = _baseline(baseline, has[rows], rows, n, x)
    forms = tuple(InteractionForm)
    return FormEffects(
        forms=tuple(forms[row] for row in rows),
        campaigns=has[rows].sum(axis=1, dtype=np.int64),
        reached=has[rows] @ n,
        participants=has[rows] @ x,
        actions=None if done is None else has[rows] @ done,
        cost=None if paid is None else tuple(_total(paid, of_form) for of_form in has[rows]),
        base_reached=base.reached,
        base_participants=base.participants,
        base_is_given=isinstance(baseline, Rate),
        freedom=len(given) - (int(sets.max()) + 1 if len(sets) else 0),
        dispersion=_dispersion(x, n, sets, is_rate=True),
        action_dispersion=1.0 if done is None else _dispersion(done, x, sets, is_rate=False),
        level=level_in_unit(level),
    )


def _refuse_more(argument: str, expected: str, column: IntArray, bad: BoolArray) -> None:
    if bad.any():
        refuse(argument, expected, column, bad)


def _paid(cost: Iterable[Money], n: int) -> list[Money]:
    given = items_of("cost", cost, expected="Money, one for each campaign")
    if len(given) != n:
        raise MisalignedError(message("cost", f"one for each of {counted(n, 'campaign')}", f"{len(given)}"))
    for row, paid in enumerate(given):
        if not isinstance(paid, Money):
            raise InvalidTypeError(message("cost", "Money, one for each campaign", paid, row=row))
        if paid.minor < 0:
            raise InvalidValueError(message("cost", "amounts of 0 or more", str(paid), row=row))
        if paid.currency != given[0].currency:
            raise InvalidValueError(message("cost", f"amounts in {given[0].currency}", str(paid), row=row))
    return given


def _total(paid: list[Money], chosen: BoolArray) -> Money:
    return Money.total((one for one, is_chosen in zip(paid, chosen, strict=True) if is_chosen), paid[0].currency)


def _sets_of_forms(campaigns: list[Campaign]) -> IntArray:
    """Return the number of the set of forms that each campaign has."""
    numbers: dict[tuple[InteractionForm, ...], int] = {}
    return np.array([numbers.setdefault(one.forms, len(numbers)) for one in campaigns], dtype=np.int64)


class _Base(NamedTuple):
    reached: IntArray
    participants: IntArray


def _baseline(baseline: object, has: BoolArray, rows: IntArray, n: IntArray, x: IntArray) -> _Base:
    """Return the counts that each form is compared with."""
    if baseline is None:
        return _Base(~has @ n, ~has @ x)
    if isinstance(baseline, Rate):
        return _Base(np.full(len(rows), baseline.trials), np.full(len(rows), baseline.hits))
    instance("baseline", baseline, str, expected="an InteractionForm, a Rate or None")
    form = InteractionForm.from_label(str(baseline), argument="baseline")
    place = np.flatnonzero(rows == list(InteractionForm).index(form))
    if not len(place):
        raise InvalidValueError(message("baseline", "a form that occurs in the campaigns", form.value))
    of_form = has[int(place[0])]
    return _Base(np.full(len(rows), of_form @ n), np.full(len(rows), of_form @ x))


def _dispersion(x: IntArray, n: IntArray, sets: IntArray, *, is_rate: bool) -> float:
    """Return how many times as much as by chance campaigns with the same forms differ, at least 1."""
    n_sets = int(sets.max()) + 1 if len(sets) else 0
    freedom = len(x) - n_sets
    if freedom == 0:
        return 1.0
    trials, hits = np.bincount(sets, n, n_sets), np.bincount(sets, x, n_sets)
    rate: FloatArray = np.divide(hits, trials, out=np.zeros(n_sets), where=trials > 0)[sets]
    variance = n * rate * (1.0 - rate) if is_rate else n * rate
    square = np.divide((x - n * rate) ** 2, variance, out=np.zeros(len(x)), where=variance > 0)
    return max(1.0, math.fsum(square) / freedom)
