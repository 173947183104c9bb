"""Who brought whom (口碑传播)?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns import EventLog, Roster
from shequn.columns.membership import NO_INSTANT
from shequn.columns.readonly import frozen
from shequn.columns.table import Column, Tabular
from shequn.entities import EventKind
from shequn.errors import InvalidValueError, MisalignedError, counted, message
from shequn.labels import Index
from shequn.network.cascades import Cascades, Generations
from shequn.network.invitations import brought_by_log, brought_by_roster
from shequn.network.trees import Forest, on_a_cycle
from shequn.stats._checks import array_of, counts_column, instance, may_change, one_of, refuse, whole
from shequn.values import Rate
from shequn.values.elapsed import elapsed_us
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["InviterRow", "WordOfMouth", "word_of_mouth"]


def word_of_mouth(
    data: EventLog | Roster,
    /,
    *,
    invite: Collection[str] | str = EventKind.INVITE.value,
    join: Collection[str] | str = EventKind.JOIN.value,
    invited_by: str = "invited_by",
    unknown_kinds: UnknownKinds = "warn",
) -> WordOfMouth:
    r"""Tell who brought whom: cascades of invitations, the share of newcomers they bring, and who brings most.

    Parameters
    ----------
    data : EventLog or Roster
        A log with invitations, ``member`` → ``target``, and with the joins of those who came; or a roster with a field
        that says who invited each.
    invite, join : collection of str
        Of a log: the kinds of event that invite somebody, and that bring a member in.
    invited_by : str, default "invited_by"
        Of a roster: the field with the inviter's label.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    WordOfMouth
        The inviter of each member; its `cascades` and `generations` are tables of their own.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An argument can't be used.

    Notes
    -----
    Newcomers are those with a join in the log, or all in the roster. Who else acts in the log was there before.

    An invitation counts if at its instant the inviter is in (their first join is not later, or they have none) and the
    one invited is not (their first join is not earlier). *Of those to one person the first one wins*, of the same
    instant the earlier row; somebody who came back is still theirs. The rows that don't count are told, each under one
    heading: ``again`` (not the first), ``late`` (the one invited is in), ``premature`` (the inviter is not),
    ``to_self`` and ``without_target``. Nobody is thus brought by somebody who came later (of joins at the same instant
    the order of rows decides), and no circle is possible. A roster knows no instants of invitations: inviters who
    joined later are left out as ``premature``, and then each member of a circle (``circular``) counts as brought by
    nobody.

    A cascade is a tree: who was brought by nobody, whom they brought, whom those brought, and so on. The last
    generations have had less time to bring others than the first; `WordOfMouth.generations_within` gives each member
    the same.

    References
    ----------
    Row C19 of the domain table; Goel, S., Anderson, A., Hofman, J. & Watts, D. J. (2016). The structural virality of
    online diffusion. Management Science 62, 180-196. https://doi.org/10.1287/mnsc.2015.2158

    Examples
    --------
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "bo", "cy", "ann", "cy", "dee"],
    ...     kind=["invite", "join", "invite", "join", "invite", "invite", "join"],
    ...     target=["bo", None, "cy", None, "cy", "dee", None],
    ...     at=[0, 10, 20, 30, 40, 50, 60],
    ...     time_unit="s",
    ... )
    >>> found = word_of_mouth(log)
    >>> print(found)
    brought by members: 100.0% (3 of 3, 95% CI 43.9%–100.0%)
    inviter  generation  invited  joined  conversion  downstream
    ────────────────────────────────────────────────────────────
    ann               0        1       1      100.0%           3
    bo                1        1       1      100.0%           2
    cy                2        1       1      100.0%           1
    invitations that don't count: 1 late
    >>> found.path("dee")
    ('ann', 'bo', 'cy', 'dee')
    """
    if isinstance(data, EventLog):
        brought = brought_by_log(data, invite=invite, join=join, unknown_kinds=unknown_kinds)
    else:
        instance("data", data, Roster, expected="an EventLog or a Roster")
        brought = brought_by_roster(data, invited_by=invited_by)
    return WordOfMouth(
        members=brought.members,
        newcomer=brought.newcomer,
        inviter=brought.inviter,
        invited=brought.invited,
        joined_us=brought.joined_us,
        left_out=brought.left_out,
    )


class InviterRow(NamedTuple):
    """One who brought others or tried to; the names are those of `WordOfMouth`.

    Examples
    --------
    >>> InviterRow("ann", 0, 5, 3, 0.6, 17).downstream
    17
    """

    member: Label
    generation: int
    invited: int
    joined: int
    conversion: float
    downstream: int


def _mask(values: ArrayLike) -> BoolArray:
    given = array_of("newcomer", values, kinds="b", expected="booleans")
    return given if not may_change(given) else frozen(given.copy())


def _left_out(counts: Mapping[str, int]) -> Mapping[str, int]:
    instance("left_out", counts, Mapping, expected="a mapping of reason to how many")
    checked: dict[str, int] = {}
    for reason, number in counts.items():
        one_of("left_out", reason, list(_REASONS))
        checked[str(reason)] = whole("left_out", number)
        if checked[str(reason)] < 0:
            raise InvalidValueError(message("left_out", "counts of 0 or more", number))
    return MappingProxyType(checked)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class WordOfMouth(Tabular[InviterRow]):
    """Who brought whom; made by `word_of_mouth`, where the rule is. Its table has one row an inviter.

    Inviters stand in order of all whom they brought, themselves or through others.

    Parameters
    ----------
    members : Index
        The n members.
    newcomer : ndarray of bool, shape (n,)
        Who came while one watched; the others were there before.
    inviter : ndarray of int64, shape (n,)
        Code of who brought each newcomer, -1 for nobody.
    invited : ndarray of int64, shape (n,), optional
        How many people were first invited by each, whether they came or not; None where only those who came are known.
    joined_us : ndarray of int64, shape (n,), optional
        When each came, in microseconds since 1970-01-01T00:00Z; -2**63 where that is not known.
    left_out : mapping of str to int
        How many invitations don't count, by reason.

    Examples
    --------
    >>> found = WordOfMouth(
    ...     members=Index(["ann", "bo", "cy"]), newcomer=[False, True, True], inviter=[-1, 0, 1], left_out={}
    ... )
    >>> found, found.referred_share.value, found.joined.tolist(), found.downstream.tolist()
    (WordOfMouth(2 of 2 newcomers brought by members), 1.0, [1, 1, 0], [2, 1, 0])
    """

    members: Index
    newcomer: BoolArray = attrs.field(converter=_mask)
    inviter: IntArray
    invited: IntArray | None = None
    joined_us: IntArray | None = None
    left_out: Mapping[str, int] = attrs.field(factory=dict[str, int], converter=_left_out)

    _Row: ClassVar[type[Any] | None] = InviterRow

    def __attrs_post_init__(self) -> None:
        """Check that everybody was brought by at most one other, who came before."""
        instance("members", self.members, Index, expected="an Index")
        n = len(self.members)
        for name, least in (("inviter", -1), ("invited", 0), ("joined_us", NO_INSTANT)):
            if getattr(self, name) is not None:
                given = counts_column(name, getattr(self, name), (-1,), of="each member", least=least)
                object.__setattr__(self, name, given)
        for name in ("newcomer", "inviter", "invited", "joined_us"):
            values = getattr(self, name)
            if values is not None and values.shape != (n,):
                raise MisalignedError(
                    message(name, f"one for each of the {n} members", f"an array of shape {values.shape}")
                )
        bad = (self.inviter < -1) | (self.inviter >= n) | ((self.inviter >= 0) & ~self.newcomer)
        if bad.any():
            refuse("inviter", f"codes in [0, {n}) of newcomers, -1 for all others", self.inviter, bad)
        circular = on_a_cycle(self.inviter)
        if circular.any():
            refuse("inviter", "nobody who is their own ancestor", self.inviter, circular)
        if self.invited is not None:
            fewer = self.invited < self.joined
            if fewer.any():
                refuse("invited", "no fewer than joined", self.invited, fewer)

    # ── of each member ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def joined(self) -> IntArray:
        """How many each member brought themselves, shape (n,)."""
        return frozen(np.bincount(self.inviter[self.inviter >= 0], minlength=len(self.members)))

    @property
    def generation(self) -> IntArray:
        """Steps from whoever started the cascade, 0 for who was brought by nobody, shape (n,)."""
        return frozen(Forest.of(self.inviter).generation)

    @property
    def downstream(self) -> IntArray:
        """How many each member brought, themselves or through others, shape (n,)."""
        return frozen(Forest.of(self.inviter).size - 1)

    @property
    def conversion(self) -> FloatArray:
        """Share of those each member invited who came, shape (n,); NaN where nobody was, or it is not known."""
        if self.invited is None:
            return frozen(np.full(len(self.members), np.nan))
        return frozen(
            np.divide(self.joined, self.invited, out=np.full(len(self.members), np.nan), where=self.invited > 0)
        )

    def path(self, member: Label, /) -> tuple[Label, ...]:
        """Return through whom a member came: the first of the cascade, whom they brought, …, the member.

        Raises
        ------
        UnknownLabelError
            There is no such member.

        Examples
        --------
        >>> WordOfMouth(members=Index(["ann", "bo"]), newcomer=[False, True], inviter=[-1, 0]).path("bo")
        ('ann', 'bo')
        """
        way = [self.members.code(member, argument="member")]
        while self.inviter[way[-1]] >= 0:
            way.append(int(self.inviter[way[-1]]))
        return tuple(self.members[code] for code in reversed(way))

    def explain(self, member: Label, /, *, lang: Lang = "en") -> str:
        """Say in one sentence who brought a member, and whom they brought.

        Raises
        ------
        UnknownLabelError
            There is no such member.

        Examples
        --------
        >>> found = WordOfMouth(members=Index(["ann", "bo"]), newcomer=[False, True], inviter=[-1, 0])
        >>> found.explain("bo")
        'bo: brought by ann, generation 1; brought 0 themselves, 0 with those through others'
        >>> found.explain("ann", lang="zh")
        'ann：此前已在；直接带来 1 人，连同间接共 1 人'
        """
        one_of("lang", lang, ("en", "zh"))
        code = self.members.code(member, argument="member")
        forest = Forest.of(self.inviter)
        by, generation = int(self.inviter[code]), int(forest.generation[code])
        direct, all_of_them = int(self.joined[code]), int(forest.size[code]) - 1
        came = bool(self.newcomer[code])
        if lang == "zh":
            how = f"由 {self.members[by]} 带来，第 {generation} 代" if by >= 0 else "自行加入" if came else "此前已在"
            return f"{member}：{how}；直接带来 {direct:,} 人，连同间接共 {all_of_them:,} 人"
        how = (
            f"brought by {self.members[by]}, generation {generation}"
            if by >= 0
            else "came by themselves"
            if came
            else "was there before"
        )
        return f"{member}: {how}; brought {direct:,} themselves, {all_of_them:,} with those through others"

    # ── of the community ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def referred_share(self) -> Rate:
        """Share of newcomers whom a member brought, with its interval."""
        return Rate(int((self.inviter >= 0).sum()), int(self.newcomer.sum()))

    @property
    def cascades(self) -> Cascades:
        """The trees of at least two members: how large, deep and wide, and how viral."""
        shapes = Forest.of(self.inviter).shapes()
        order = np.argsort(-shapes.size, kind="stable")
        return Cascades(
            members=self.members,
            root=shapes.root[order],
            size=shapes.size[order],
            depth=shapes.depth[order],
            width=shapes.width[order],
            virality=shapes.mean_distance[order],
        )

    @property
    def generations(self) -> Generations:
        """Members by generation, and how many each of them invited and brought."""
        generation = self.generation
        n = int(generation.max()) + 1 if len(generation) else 0
        invited = None
        if self.invited is not None:
            invited = np.zeros(n, dtype=np.int64)
            np.add.at(invited, generation, self.invited)
        members = np.bincount(generation, minlength=n)
        return Generations(members=members, joined=np.append(members[1:], 0)[:n], invited=invited)

    def generations_within(self, within: dt.timedelta, /, *, observed_until: dt.datetime) -> Generations:
        """Return how many each member brought in their first days, of those who have had as many.

        That compares generations fairly: the last ones are as old as the first when they are judged.

        Parameters
        ----------
        within : timedelta or Duration
            Count whom members brought earlier than so long after their own joining.
        observed_until : aware datetime
            Up to when joins are known; a member counts who joined so long before it, or earlier.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            An argument can't be used, or it is not known when members joined.

        Examples
        --------
        >>> from datetime import timedelta
        >>> from shequn.values.instants import from_us
        >>> day_us = 86_400_000_000
        >>> found = WordOfMouth(
        ...     members=Index(["ann", "bo", "cy"]), newcomer=[True, True, True], inviter=[-1, 0, 1],
        ...     joined_us=[0, 5 * day_us, 9 * day_us],
        ... )
        >>> print(found.generations_within(timedelta(days=5), observed_until=from_us(10 * day_us)))
        generation  members  joined  K-factor
        ─────────────────────────────────────
                 0        1       0      0.00
                 1        1       1      1.00
        of those who joined at least 5 days ago, and whom they brought within 5 days
        """
        window = elapsed_us("within", within, at_least=1)
        until = instant_us(observed_until, argument="observed_until")
        if self.joined_us is None:
            raise InvalidValueError(message("joined_us", "when each member joined", None))
        known = self.joined_us != NO_INSTANT
        mature = known & (self.joined_us <= until - window)
        brought = np.flatnonzero((self.inviter >= 0) & known)
        by = self.inviter[brought]
        brought, by = brought[mature[by]], by[mature[by]]
        by = by[self.joined_us[brought] - self.joined_us[by] < window]
        generation = self.generation
        members = np.bincount(generation[mature])
        joined = np.bincount(generation[by], minlength=len(members))
        return Generations(members=members, joined=joined, within_us=window)

    # ── as a table ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _inviters(self) -> tuple[IntArray, Forest]:
        """Return who invited or brought anybody, those who brought most first."""
        forest = Forest.of(self.inviter)
        tried = self.joined if self.invited is None else self.invited
        who = np.flatnonzero(tried > 0)
        return who[np.lexsort((-tried[who], -self.joined[who], -forest.size[who]))], forest

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        unknown = {"invited", "conversion"} if self.invited is None else set[str]()
        return [column for column in self._tidy() if column.key not in unknown]

    def _tidy(self) -> Sequence[Column]:
        who, forest = self._inviters()
        invited = np.full(len(who), -1) if self.invited is None else self.invited[who]
        counts = {
            "generation": ("generation", "代", forest.generation[who]),
            "invited": ("invited", "邀请人数", invited),
            "joined": ("joined", "入群人数", self.joined[who]),
        }
        return [
            Column(key="member", en="inviter", zh="邀请人", values=self.members.labels[who]),
            *(
                Column(key=key, en=en, zh=zh, values=values, format="count", null=-1)
                for key, (en, zh, values) in counts.items()
            ),
            Column(key="conversion", en="conversion", zh="转化率", values=self.conversion[who], format="rate"),
            Column(key="downstream", en="downstream", zh="累计带来", values=forest.size[who] - 1, format="count"),
        ]

    def _title(self, lang: Lang, /) -> str:
        share = self.referred_share
        named = "由成员带来的新人：" if lang == "zh" else "brought by members: "
        if not share.trials:
            return f"{named}–"
        if lang == "zh":
            lower, upper = share.interval()
            interval = f"95% 区间 {lower:.1%}–{upper:.1%}"
            return f"{named}{share.value:.1%}（{share.trials:,} 人中 {share.hits:,} 人，{interval}）"
        return f"{named}{share}"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        told = [(reason, number) for reason, number in self.left_out.items() if number]
        if not told:
            return ()
        if lang == "zh":
            return ("不计的邀请：" + "，".join(f"{_REASONS[reason]} {number:,}" for reason, number in told),)
        listed = ", ".join(f"{number:,} {reason.replace('_', ' ')}" for reason, number in told)
        return (f"invitations that don't count: {listed}",)

    def __repr__(self) -> str:
        """Show how many newcomers there are, and how many of them were brought."""
        share = self.referred_share
        return f"WordOfMouth({share.hits:,} of {counted(share.trials, 'newcomer')} brought by members)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return partial(WordOfMouth, **(attrs.asdict(self, recurse=False) | {"left_out": dict(self.left_out)})), ()


_REASONS = {
    "again": "重复",
    "late": "对方已在群",
    "premature": "邀请人尚未入群",
    "to_self": "邀请自己",
    "without_target": "无对象",
    "circular": "循环邀请",
}
