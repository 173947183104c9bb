"""A private-domain community (创富群) from the first application to the end of a campaign, on one page in Chinese.

Everybody in it is made up, with a seed: three groups, some three hundred members who join, check in, chat, buy, bring
others and leave. What the community decides (whom to let in, whom to write to, what to post when, whom to draw) comes
from the library, and each decision becomes facts of the same log, from which the next one is made.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import attrs
import numpy as np
import pendulum
from pendulum import duration

import shequn as sq
from shequn import rules as r

TZ = "Asia/Shanghai"
OPENED = pendulum.datetime(2024, 3, 4, tz=TZ)
STARTS = pendulum.datetime(2024, 4, 22, tz=TZ)  # the campaign
ENDS = pendulum.datetime(2024, 5, 6, tz=TZ)
WORDS = "静待花开"  # the passphrase
SECRET = bytes.fromhex("5e1f0c4b9a7d2836e4c1b0a95f7d3e28")  # in real life os.urandom(16), shown after the draw

COMMUNITY = sq.Community(
    id="创富",
    name="创富群",
    type="知识型",
    created=OPENED,
    tz=TZ,
    currency="CNY",
    platforms=[sq.WECHAT_GROUP],
    positioning="想学理财的上班族，每天一课，不荐股",
)
SHARE_WHO_KNOW, SHARE_INVITED, LIFT, PLACES_SHOWN = 0.9, 0.3, 1.9, 5
GROUPS = [
    sq.Group(id=name, community=COMMUNITY.id, platform=sq.WECHAT_GROUP, name=f"创富{name}", created=OPENED)
    for name in ("一群", "二群", "三群")
]
POLICY = sq.AdmissionPolicy(
    mode="入群暗号",
    # In real life os.urandom(16) and the default cost.
    passphrase=sq.PassphraseHash.of(WORDS, salt=b"a salt of its own", cost=6),
    cap=120,
)
LADDER = sq.TierLadder.of({"普通": 0, "银卡": 60, "金卡": 200}, leave=0.9)
CAMPAIGN = sq.Campaign(
    id="五一理财节",
    community=COMMUNITY.id,
    theme="节日庆祝",
    forms={"打卡", "抽奖", "限时优惠"},
    window=sq.Window(STARTS, ENDS),
    platforms=[sq.WECHAT_GROUP],
    rewards=[
        sq.Reward(kind="优惠券", cost=sq.Money.of(5, "CNY"), quantity=120, name="课程券"),
        sq.Reward(kind="奖品", cost=sq.Money.of(199, "CNY"), quantity=1, name="一等奖 记账本礼盒"),
        sq.Reward(kind="奖品", cost=sq.Money.of(39, "CNY"), quantity=5, name="二等奖 理财书"),
    ],
    budget=sq.Money.of(1_000, "CNY"),
    goal=sq.Goal(kinds="purchase", target=60),
)
WORK = sq.DailyWindow(start="09:00", end="18:00", weekdays="mon-fri", tz=TZ)
NIGHT = sq.DailyWindow(start="22:30", end="07:30", tz=TZ)


# --- the people, made up ---


class People(NamedTuple):
    """Who was let in, and their habits: the chance a day to check in, to write, to buy and to leave."""

    ids: list[str]
    groups: list[str]
    since: np.ndarray
    check_in: np.ndarray
    post: np.ndarray
    purchase: np.ndarray
    leave: np.ndarray


def applications(group: sq.Group, rng: np.random.Generator) -> list[sq.Applicant]:
    """Return those who ask to come into a group in its first four weeks; some don't know the passphrase."""
    n = int(rng.integers(125, 150))
    minutes = np.sort(rng.choice(28 * 24 * 60, n, replace=False)).tolist()
    knows = rng.random(n) < SHARE_WHO_KNOW
    names = [f"{str(group.id)[0]}{number:03}" for number in range(n)]
    return [
        sq.Applicant(
            id=name,
            at=OPENED.add(minutes=minute),
            passphrase=WORDS if known else "芝麻开门",
            invited_by=inviter(names, knows[:row], rng),
        )
        for row, (name, minute, known) in enumerate(zip(names, minutes, knows, strict=True))
    ]


def inviter(names: list[str], knows: np.ndarray, rng: np.random.Generator) -> str | None:
    """Return who brought somebody, three times in ten: one of those who came before and were let in."""
    before = np.flatnonzero(knows)
    return names[int(rng.choice(before))] if len(before) and rng.random() < SHARE_INVITED else None


def people(log: sq.EventLog, rng: np.random.Generator) -> People:
    """Draw the habits of those who joined."""
    stays = sq.memberships(log, as_of=STARTS)
    eager = rng.beta(1.2, 2.5, len(stays))
    return People(
        ids=stays.member.labels().tolist(),
        groups=stays.group.labels().tolist(),
        since=stays.joined_us,
        check_in=0.8 * eager,
        post=0.5 * eager,
        purchase=0.008 + 0.02 * eager,
        leave=0.02 * (1 - eager) ** 4,
    )


def lived(
    log: sq.EventLog, crowd: People, window: sq.Window, rng: np.random.Generator, written_to: np.ndarray | None = None
) -> sq.EventLog:
    """Let everybody who has not left live through a window, and add what they did.

    Who was written to buys more, and their check-ins are those of the campaign.
    """
    invited = np.zeros(len(crowd.ids), dtype=bool) if written_to is None else written_to
    gone = np.isin(crowd.ids, log.where(kinds="leave").member.labels())
    chances = {
        "check_in": crowd.check_in,
        "post": crowd.post,
        "purchase": crowd.purchase * np.where(invited, LIFT, 1.0),
        "leave": crowd.leave,
    }
    events: list[sq.Event] = []
    for day in range(window.duration.days):
        morning = pendulum.instance(window.start).add(days=day)
        here = ~gone & (crowd.since < morning.int_timestamp * 1_000_000)
        for kind, chance in chances.items():
            did = here & (rng.random(len(here)) < chance)
            gone |= did & (kind == "leave")
            for person in np.flatnonzero(did).tolist():
                at = morning.add(minutes=23 * 60 if kind == "leave" else int(rng.integers(7 * 60, 23 * 60)))
                fen = int(rng.lognormal(4.2, 0.6) * 100) if kind == "purchase" else None
                item = CAMPAIGN.id if kind == "check_in" and invited[person] else None
                who, group = crowd.ids[person], crowd.groups[person]
                events.append(sq.Event(member=who, kind=kind, at=at, group=group, value=fen, item=item))
    return extended(log, events)


def redemptions(log: sq.EventLog, chosen: sq.segmentation.Audience) -> list[sq.Event]:
    """Return the coupons used: by who was written to and bought in the campaign, until there are no more."""
    bought = log.where(kinds="purchase", members=chosen.members.labels[chosen.treated].tolist(), start=STARTS, end=ENDS)
    coupon = CAMPAIGN.rewards[0]
    return [attrs.evolve(sale, kind="redeem", item=coupon.name) for sale in bought.to_events()][: coupon.quantity]


# --- facts are added, and the state is folded anew ---


def extended(log: sq.EventLog, events: list[sq.Event]) -> sq.EventLog:
    """Return the log with more facts."""
    return sq.EventLog.concat([log, sq.EventLog.from_events(events)])


def inside(log: sq.EventLog, as_of: pendulum.DateTime) -> sq.Roster:
    """Return who is in one of the groups."""
    stays = sq.memberships(log, as_of=as_of)
    return sq.Roster.from_members(
        sq.Member(id=stay.member, community=COMMUNITY.id, joined=stay.joined)
        for stay in stays.rows()
        if stay.left is None
    )


def points(log: sq.EventLog, roster: sq.Roster) -> np.ndarray:
    """Return what each member has earned: a point for each day's check-in, a point for each 元."""
    earned = np.zeros(len(roster), dtype=np.int64)
    for kind in ("check_in", "purchase"):
        rows = log.where(kinds=kind)
        worth = np.ones(len(rows)) if kind == "check_in" else np.asarray(rows.value) // 100
        place = roster.members.places_of(rows.members)[rows.member_codes]
        np.add.at(earned, place[place >= 0], worth[place >= 0].astype(np.int64))
    return earned


# --- what the community decides ---


def items() -> list[sq.ContentItem]:
    """Return what waits to be posted in the two weeks of the campaign."""
    kinds = {"生活小窍门": 3, "专业知识": 4, "话题": 3, "活动预告": 2, "促销": 2}
    subkinds = [subkind for subkind, n in kinds.items() for _ in range(n)]
    return [
        sq.ContentItem(
            id=f"{number:02} {subkind}",
            kind=sq.ContentSubkind.from_label(subkind).kind,
            subkind=subkind,
            format="图文",
            surface="群内分享",
            created=STARTS.subtract(days=3),
        )
        for number, subkind in enumerate(subkinds, 1)
    ]


def through_the_gate(plan: sq.content.Schedule, chosen: sq.segmentation.Audience) -> sq.content.GateDecisions:
    """Offer each post of the plan to each who is written to, and let the gate decide."""
    gate = sq.content.Gate(quiet=(WORK, NIGHT), cadence=sq.Cadence(per_week=2, min_gap=duration(hours=36)), tz=TZ)
    to = chosen.members.labels[chosen.treated].tolist()
    posts = [post.at for post in plan.rows()]
    return gate.decide_all(
        sq.content.Messages.from_columns(member=to * len(posts), at=[at for at in posts for _ in to], item=CAMPAIGN.id)
    )


def main() -> None:
    """Print the page."""
    rng = np.random.default_rng(20240304)
    print(f"{COMMUNITY.name}：{COMMUNITY.positioning}")

    doors = [sq.admission.admit(applications(group, rng), POLICY, group=group, tz=TZ) for group in GROUPS]
    section("一、谁可以入群", *(f"{door.group}（上限 {POLICY.cap} 人）\n{door.table(lang='zh')}" for door in doors))
    log = sq.EventLog.concat([door.log for door in doors])
    crowd = people(log, rng)
    log = lived(log, crowd, sq.Window(OPENED, STARTS), rng)

    ledger = sq.retention.flow_ledger(log, every="week", tz=TZ, by="group", observed_until=STARTS)
    weeks = (f"{name}\n{ledger[name].table(lang='zh')}" for name in ledger)
    section("二、七周下来，各群还剩多少人（流量 − 蒸发量 = 留量）", *weeks)

    roster = inside(log, STARTS)
    tiers = LADDER.place_all(points(log, roster), members=roster.members)
    sizes = "，".join(f"{tier} {n} 人" for tier, n in tiers.sizes().items())
    section("三、会员等级：打卡一天 1 分，消费 1 元 1 分", sizes)

    chosen = whom(log, roster.with_field("等级", tiers))
    log = campaign(log, crowd, chosen, rng)
    spent = prizes_drawn(log) + CAMPAIGN.rewards[0].cost * len(log.where(kinds="redeem"))
    outcome = sq.campaigns.outcome(
        log,
        CAMPAIGN,
        treated=chosen,
        margin=0.6,
        as_of=ENDS,
        cost=spent,
        intended=0.7,
        baseline=sq.Window(STARTS.subtract(days=14), STARTS),
    )
    section("九、活动值不值", outcome.table(lang="zh"))


def section(title: str, *tables: str) -> None:
    """Print a part of the page."""
    print("", title, "─" * 60, *tables, sep="\n")


def local(at: dt.datetime | None) -> str:
    """Return how the community's clocks show an instant in UTC."""
    return "–" if at is None else pendulum.instance(at.replace(tzinfo=dt.UTC)).in_timezone(TZ).format("MM-DD HH:mm")


def whom(log: sq.EventLog, roster: sq.Roster) -> sq.segmentation.Audience:
    """Choose who is written to and who is left alone to compare with, and show why for one member."""
    rule = (r.field("等级") >= "银卡") | r.did("check_in", within=duration(days=14))
    rule &= ~r.did("purchase", within=duration(days=7))
    chosen = sq.segmentation.audience(rule, roster, log, as_of=STARTS, holdout=0.3, rng=51)
    member = next(roster.to_members())
    history = list(log.where(members=member.id).to_events())
    why = rule.explain(member, history, as_of=STARTS, schema=roster.schema)
    section(f"四、{CAMPAIGN.id}：写给谁，谁留作对照", chosen.table(lang="zh"), why.table(lang="zh"))
    return chosen


def campaign(
    log: sq.EventLog, crowd: People, chosen: sq.segmentation.Audience, rng: np.random.Generator
) -> sq.EventLog:
    """Plan what is posted, send it through the gate, and let the two weeks pass."""
    waiting = items()
    plan = sq.content.schedule(
        waiting,
        window=CAMPAIGN.window,
        tz=TZ,
        times=["07:45", "12:30", "18:30", "20:00", "21:30"],
        quiet=(WORK, NIGHT),
        cadence=sq.Cadence(per_day=1, per_week=5, min_gap=duration(hours=12)),
        variety=sq.content.Variety(in_a_row=2),
        priority={item.id: 3 for item in waiting if item.subkind in ("event_preview", "promotion")},
    )
    section("五、发什么、什么时候发：避开上班和夜里", plan.table(lang="zh"))

    sent = through_the_gate(plan, chosen)
    later = next(row for row in sent.rows() if row.action == "hold")
    told = f"例如：{later.member} 的一条{later.action.zh}，{later.reason.zh}，最早可发：{local(later.next_allowed)}"
    section("六、每条消息过一道闸门：每人每周至多两条，间隔至少一天半", sent.table(lang="zh"), told)

    written_to = np.isin(crowd.ids, chosen.members.labels[chosen.treated])
    log = sq.EventLog.concat([log, sent.receipts()])
    log = lived(log, crowd, CAMPAIGN.window, rng, written_to)
    return extended(log, redemptions(log, chosen))


def prizes_drawn(log: sq.EventLog) -> sq.Money:
    """Show who of the campaign checked in for longest, draw the prizes, and return what they cost."""
    checks = log.where(kinds="check_in", items=CAMPAIGN.id)
    streaks = sq.campaigns.streaks(checks, tz=TZ, as_of=ENDS, grace=1)
    places = sq.campaigns.rank(streaks.longest)  # who is equal shares a place
    best = [row for row in np.argsort(places, kind="stable").tolist() if places[row] <= PLACES_SHOWN]
    told = (f"第 {places[row]:>2} 名  {streaks.members[row]}  连续 {streaks.longest[row]} 天" for row in best)
    section("七、谁连续打卡最久（可缺一天）", *told)

    prizes = [reward for reward in CAMPAIGN.rewards if reward.kind == "prize"]
    commitment = sq.campaigns.commit(SECRET)  # published before the campaign
    closing = sq.campaigns.close_entries(checks, prizes=prizes)  # published when it ends
    made = sq.campaigns.draw(checks, prizes=prizes, secret=SECRET, public="2024-05-06 福彩3D 407")
    verdict = "通过" if made.verify(commitment=commitment, closing=closing) else "不通过"
    section("八、抽奖：打卡一天一张票，谁都可以复核", made.table(lang="zh"), f"复核{verdict}")
    return sum((prize.worst_case() for prize in prizes[1:]), prizes[0].worst_case())


if __name__ == "__main__":
    main()
