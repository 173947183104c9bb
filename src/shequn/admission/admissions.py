"""Who was let in, who waits, who was refused, and why? The answers of `admit` and `promote`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.admission.applicants import Applicants
from shequn.admission.reasons import REASON_CODE, REASONS, TOLD, AdmissionOutcome, AdmissionReason
from shequn.admission.state import APPLY, AdmissionState
from shequn.columns import EventLog
from shequn.columns.readonly import by_fields, codes_column, frozen
from shequn.columns.table import Column, Tabular
from shequn.entities import AdmissionPolicy, Applicant, Event, EventKind
from shequn.errors import InvalidValueError, MisalignedError, message
from shequn.labels import Coded, Index
from shequn.stats._checks import instance, one_of, whole
from shequn.stats.distinct import each_once
from shequn.values import Rate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["AdmissionDecision", "AdmissionRow", "Admissions"]

_OUTCOMES = tuple(AdmissionOutcome)
_OUTCOME_OF_REASON = np.array([_OUTCOMES.index(reason.outcome) for reason in REASONS], dtype=np.int8)
_FULL = REASON_CODE[AdmissionReason.GROUP_FULL]


def _explained(reason: AdmissionReason, policy: AdmissionPolicy, lang: Lang) -> str:
    one_of("lang", lang, ("en", "zh"))
    why = TOLD[lang][reason].format(min_score=policy.min_score, quota=policy.quota_per_inviter)
    return f"{reason.zh}：{why}" if lang == "zh" else f"{reason.en}: {why}"


class AdmissionRow(NamedTuple):
    """One application of `Admissions`.

    Examples
    --------
    >>> AdmissionRow("ann", AdmissionOutcome.REFUSED, AdmissionReason.BARRED).reason.zh
    '曾被移出'
    """

    applicant: Label
    outcome: AdmissionOutcome
    reason: AdmissionReason


def _reason_codes(codes: ArrayLike) -> NDArray[np.int8]:
    return codes_column("codes", codes, len(REASONS), of="reasons")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Admissions(Tabular[AdmissionRow]):
    """What became of many applications, one row each in the order given; made by `admit` and `promote`.

    Attributes
    ----------
    applicants : Applicants
        The n applications.
    codes : ndarray of int8, shape (n,)
        The reason of each, as its position in `AdmissionReason`.
    inviter : Coded
        Who brought each; none where nobody did.
    policy : AdmissionPolicy
        By which it was decided.
    group : str or int
        Where to.
    before : AdmissionState
        What was known before.
    promoted_us : int or None
        For what comes of a waiting list: when seats were given out.

    Examples
    --------
    >>> from shequn.labels import Coded
    >>> asked = Applicants.from_columns(applicant=["ann", "bo", "cy"], at=[0, 1, 2], time_unit="s")
    >>> made = Admissions(
    ...     applicants=asked, codes=[0, 1, 5], inviter=Coded.of([None, None, None], argument="inviter", nulls=True),
    ...     policy=AdmissionPolicy(), group="g1",
    ... )
    >>> made
    Admissions(1 admitted, 1 waitlisted, 1 refused)
    >>> print(made.table(lang="zh"))
    结果  原因      人数   占比
    ───────────────────────────
    通过  通过         1  33.3%
    候补  群满候补     1  33.3%
    拒绝  曾被移出     1  33.3%
    """

    applicants: Applicants
    codes: NDArray[np.int8] = attrs.field(converter=_reason_codes)
    inviter: Coded
    policy: AdmissionPolicy
    group: str | int
    before: AdmissionState = attrs.field(factory=AdmissionState)
    promoted_us: int | None = None

    _Row: ClassVar[type[Any] | None] = AdmissionRow

    def __attrs_post_init__(self) -> None:
        """Check that there is one reason and one inviter for each application."""
        instance("applicants", self.applicants, Applicants, expected="Applicants")
        for name in ("codes", "inviter"):
            if len(getattr(self, name)) != len(self.applicants):
                expected = f"one entry for each of the {len(self.applicants)} applications"
                raise MisalignedError(message(name, expected, len(getattr(self, name))))

    def __len__(self) -> int:
        """Return the number of applications."""
        return len(self.applicants)

    # ── who ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def admitted(self) -> BoolArray:
        """Which were let in, shape (n,)."""
        return frozen(self.codes == REASON_CODE[AdmissionReason.ADMITTED])

    @property
    def waitlisted(self) -> BoolArray:
        """Which have to wait, for a seat or for a review, shape (n,)."""
        return self._are(AdmissionOutcome.WAITLISTED)

    @property
    def refused(self) -> BoolArray:
        """Which were refused, shape (n,)."""
        return self._are(AdmissionOutcome.REFUSED)

    def _are(self, outcome: AdmissionOutcome) -> BoolArray:
        mask: BoolArray = _OUTCOME_OF_REASON[self.codes] == _OUTCOMES.index(outcome)
        return frozen(mask)

    @property
    def sizes(self) -> dict[AdmissionReason, int]:
        """How many applications there are of each reason, also of none."""
        return dict(zip(REASONS, np.bincount(self.codes, minlength=len(REASONS)).tolist(), strict=True))

    @property
    def acceptance(self) -> Rate:
        """Share that was let in, of those that were let in or refused; who waits is not decided."""
        admitted = int(self.admitted.sum())
        return Rate(admitted, admitted + int(self.refused.sum()))

    def decision(self, row: int, /) -> AdmissionDecision:
        """Return what became of one application.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            There is no such row.

        Examples
        --------
        >>> from shequn.labels import Coded
        >>> asked = Applicants.from_columns(applicant=["ann"], at=[0], time_unit="s")
        >>> nobody = Coded.of([None], argument="inviter", nulls=True)
        >>> made = Admissions(applicants=asked, codes=[5], inviter=nobody, policy=AdmissionPolicy(), group="g1")
        >>> print(made.decision(0).explain())
        barred: was removed from the group before
        """
        place = whole("row", row)
        if not 0 <= place < len(self):
            raise InvalidValueError(message("row", f"a row in [0, {len(self)})", row))
        one = slice(place, place + 1)
        return AdmissionDecision(
            applicant=self.applicants.record(place),
            reason=REASONS[int(self.codes[place])],
            policy=self.policy,
            group=self.group,
            events=tuple(self._taken(one)._log_of(self._brought[one]).to_events()),
        )

    def _taken(self, rows: slice) -> Admissions:
        places = np.arange(len(self))[rows]
        return attrs.evolve(
            self, applicants=self.applicants.take(places), codes=self.codes[rows], inviter=self.inviter.take(places)
        )

    # ── what to store ────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def events(self) -> tuple[Event, ...]:
        """The facts to store, see `log`."""
        return tuple(self.log.to_events())

    @property
    def log(self) -> EventLog:
        """The facts to store, as columns in order of instant and application.

        Who is let in has a ``join`` that says ``invited_by``, and before it an ``invite`` of who brought them, if that
        is a member: a row of somebody outside would count them in. Everybody else has an ``apply`` that says
        ``outcome`` and ``reason``. `AdmissionState.from_log` reads them. Of a waiting list only who got a seat has new
        facts.
        """
        return self._log_of(self._brought)

    @property
    def _brought(self) -> BoolArray:
        """Which were let in and brought by who was a member by then."""
        n_labels = len(self.applicants.applicant.index)
        rows = np.flatnonzero(self.admitted)
        rows = rows[np.argsort(self.applicants.at_us[rows], kind="stable")]
        joined = np.full(n_labels + 1, len(self), dtype=np.int64)
        # Backwards, so that of several rows of one applicant the first one stays.
        joined[self.applicants.applicant.codes[rows[::-1]]] = np.arange(len(rows))[::-1]
        inviters = self.inviter.index
        # The last place stands for who is not among the applicants, and for who is nobody.
        among = np.append(self.applicants.applicant.index.places_of(inviters), -1)
        was_in = np.append(self.before.members.places_of(inviters) >= 0, False)
        code = self.inviter.codes[rows]
        known = was_in[code] | (joined[among[code]] < np.arange(len(rows)))
        brought = np.zeros(len(self), dtype=np.bool_)
        brought[rows] = known & (code >= 0)
        return frozen(brought)

    def _log_of(self, is_brought: BoolArray) -> EventLog:
        rows = np.arange(len(self)) if self.promoted_us is None else np.flatnonzero(self.admitted)
        at_us = self.applicants.at_us if self.promoted_us is None else np.full(len(self), self.promoted_us)
        rows = rows[np.argsort(at_us[rows], kind="stable")]
        brought = is_brought[rows]
        # The row of an invitation stands before that of the join.
        of_row = np.repeat(rows, 1 + brought)
        is_invite = np.zeros(len(of_row), dtype=np.bool_)
        is_invite[(np.cumsum(1 + brought) - 2)[brought]] = True
        return self._log(of_row, is_invite, frozen(at_us[of_row].astype(np.int64)))

    def _log(self, of_row: IntArray, is_invite: BoolArray, at_us: IntArray) -> EventLog:
        n, own, let_in = len(of_row), ~is_invite, self.admitted[of_row]
        applicant, inviter = self.applicants.applicant.take(of_row), self.inviter.take(of_row)
        members = applicant.index.union(inviter.index, argument="invited_by")
        here, there = applicant.under(members).codes, inviter.under(members).codes
        kinds = Index([EventKind.JOIN.value, EventKind.INVITE.value, APPLY])
        kind = np.where(is_invite, 1, np.where(let_in, 0, 2))
        codes = self.codes[of_row]
        not_in = own & ~let_in
        extra: dict[str, Any] = {
            "mode": Coded(index=Index([self.policy.mode.value]), codes=np.where(own, 0, -1)),
            "outcome": _worded([outcome.value for outcome in _OUTCOMES], _OUTCOME_OF_REASON[codes], not_in),
            "reason": _worded([reason.value for reason in REASONS], codes, not_in),
        }
        if (inviter.codes >= 0).any():
            extra["invited_by"] = Coded(index=inviter.index, codes=np.where(own, inviter.codes, -1)).compact()
        invite = self.applicants.invite
        if invite is not None:
            invite = invite.take(of_row)
            extra["invite"] = Coded(index=invite.index, codes=np.where(own, invite.codes, -1)).compact()
        target = None
        if is_invite.any():
            target = Coded(index=applicant.index, codes=np.where(is_invite, applicant.codes, -1)).compact()
        return EventLog(
            member=Coded(index=members, codes=np.where(is_invite, there, here)).compact(),
            kind=Coded(index=kinds, codes=kind),
            at_us=at_us,
            resolution_us=_resolution(at_us),
            target=target,
            group=Coded(index=Index([self.group]), codes=np.zeros(n, dtype=np.int8)),
            extra={name: column for name, column in extra.items() if len(column.index) and (column.codes >= 0).any()},
        )

    @property
    def state(self) -> AdmissionState:
        """What is known afterwards: where the next `admit` goes on."""
        before, let_in = self.before, self.admitted
        applicant = self.applicants.applicant
        joined = applicant.index.take(each_once(applicant.codes[let_in]))
        waits = self.codes == _FULL
        more: dict[str, Any] = {}
        if self.promoted_us is None:
            more["waiting"] = _stacked(before.waiting, self._waiting(waits))
            more |= self._used(let_in | waits)
        else:
            more["waiting"] = self.applicants.take(np.flatnonzero(~let_in))
        back = joined.places_of(before.barred)
        return attrs.evolve(before, members=before.members.union(joined), barred=before.barred.take(back < 0), **more)

    def _waiting(self, waits: BoolArray) -> Applicants:
        rows = np.flatnonzero(waits)
        rows = rows[np.argsort(self.applicants.at_us[rows], kind="stable")]
        asked = self.applicants.take(rows)
        inviter = self.inviter.take(rows)
        return Applicants(
            applicant=asked.applicant.compact(),
            at_us=asked.at_us,
            invited_by=inviter.compact() if (inviter.codes >= 0).any() else None,
            invite=None if asked.invite is None else asked.invite.compact(),
        )

    def _used(self, accepted: BoolArray) -> dict[str, Any]:
        before = self.before
        index = before.inviters.union(self.inviter.index, argument="invited_by")
        codes = self.inviter.under(index).codes[accepted]
        invited = np.bincount(codes[codes >= 0], minlength=len(index))
        invited[index.places_of(before.inviters)] += before.invited
        spent, invite = before.spent, self.applicants.invite
        if invite is not None:
            used = invite.codes[accepted]
            spent = spent.union(invite.index.take(each_once(used[used >= 0])), argument="invite")
        return {"inviters": index, "invited": invited, "spent": spent}

    # ── how it looks ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        shown = sorted(
            ((reason, n) for reason, n in self.sizes.items() if n), key=lambda one: _OUTCOMES.index(one[0].outcome)
        )
        n = np.array([n for _, n in shown], dtype=np.int64)
        outcomes = np.fromiter((reason.outcome for reason, _ in shown), dtype=object, count=len(shown))
        reasons = np.fromiter((reason for reason, _ in shown), dtype=object, count=len(shown))
        return [
            Column(key="outcome", en="outcome", zh="结果", values=outcomes),
            Column(key="reason", en="reason", zh="原因", values=reasons),
            Column(key="applicants", en="applicants", zh="人数", values=n, format="count"),
            Column(key="share", en="share", zh="占比", values=n / max(len(self), 1), format="rate"),
        ]

    def _tidy(self) -> Sequence[Column]:
        outcomes = np.fromiter(_OUTCOMES, dtype=object, count=len(_OUTCOMES))[_OUTCOME_OF_REASON[self.codes]]
        reasons = np.fromiter(REASONS, dtype=object, count=len(REASONS))[self.codes]
        return [
            Column(key="applicant", en="applicant", zh="申请人", values=self.applicants.applicant.labels()),
            Column(key="outcome", en="outcome", zh="结果", values=outcomes),
            Column(key="reason", en="reason", zh="原因", values=reasons),
        ]

    def __repr__(self) -> str:
        """Show how many there are of each outcome."""
        n = [int(mask.sum()) for mask in (self.admitted, self.waitlisted, self.refused)]
        return f"Admissions({n[0]:,} admitted, {n[1]:,} waitlisted, {n[2]:,} refused)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def _worded(words: list[str], codes: NDArray[Any], where: BoolArray) -> Coded:
    return Coded(index=Index(words), codes=np.where(where, codes, -1)).compact()


def _resolution(at_us: IntArray) -> int:
    return next(unit for unit in (1_000_000, 1_000, 1) if not (at_us % unit).any())


def _stacked(first: Applicants, second: Applicants) -> Applicants:
    if not len(first) or not len(second):
        return first if len(first) else second
    more: dict[str, Any] = {}
    for name in ("invited_by", "invite"):
        parts = [getattr(one, name) for one in (first, second)]
        if any(part is not None for part in parts):
            whole_parts = [
                Coded(index=Index(), codes=np.full(len(one), -1)) if part is None else part
                for one, part in zip((first, second), parts, strict=True)
            ]
            more[name] = Coded.concat(whole_parts)
    return Applicants(
        applicant=Coded.concat([first.applicant, second.applicant]),
        at_us=frozen(np.concatenate([first.at_us, second.at_us])),
        **more,
    )


@attrs.frozen(kw_only=True)
class AdmissionDecision(Doors):
    """What became of one application; made by `admit`.

    Attributes
    ----------
    applicant : Applicant
        Who asked.
    reason : AdmissionReason
        Why it went so.
    policy : AdmissionPolicy
        By which it was decided.
    group : str or int
        Where to.
    events : tuple of Event
        The facts to store.

    Examples
    --------
    >>> import pendulum
    >>> from shequn.entities import Applicant
    >>> asked = Applicant(id="ann", at=pendulum.datetime(2024, 5, 1))
    >>> made = AdmissionDecision(
    ...     applicant=asked, reason=AdmissionReason.SCORE_TOO_LOW,
    ...     policy=AdmissionPolicy(min_score=60), group="g1",
    ... )
    >>> made.outcome, made.explain(lang="zh")
    (<AdmissionOutcome.REFUSED: 'refused'>, '分数不足：分数低于要求的 60 分')
    """

    applicant: Applicant
    reason: AdmissionReason
    policy: AdmissionPolicy
    group: str | int
    events: tuple[Event, ...] = ()

    @property
    def outcome(self) -> AdmissionOutcome:
        """Admitted, waitlisted or refused."""
        return self.reason.outcome

    def explain(self, *, lang: Lang = "en") -> str:
        """Return the reason as a sentence.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `lang` is neither "en" nor "zh".

        Examples
        --------
        >>> import pendulum
        >>> from shequn.entities import Applicant
        >>> asked = Applicant(id="ann", at=pendulum.datetime(2024, 5, 1))
        >>> made = AdmissionDecision(
        ...     applicant=asked, reason=AdmissionReason.BARRED, policy=AdmissionPolicy(), group="g1"
        ... )
        >>> made.explain()
        'barred: was removed from the group before'
        """
        return _explained(self.reason, self.policy, lang)
