"""How many members of a real chat community joined, came back, evaporated and were retained, week by week?

Without arguments it reads the 258,145 messages that 1,315 people wrote in the Chit-Chat Challenge of 2018, from the
package `chitchat-dataset`. Give it a CSV file with the columns member, kind and at to see a community of your own.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pendulum

import shequn as sq

HEADINGS = {
    "en": {
        "ledger": "Flow − evaporation = retained, by {every}",
        "cohorts": "Of those who began together, how many came back? Share by {every}s since the first",
        "stickiness": "What share of a month's members comes on an average day?",
        "projection": "If it goes on like this: {every}s ahead, from the last complete {every}",
        "what_if": (
            "With one tenth less evaporation ({before:.1%} → {after:.1%}), "
            "{every} {n} would retain {stock:,.0f} instead of {base:,.0f}."
        ),
        "residual": "The five identities of the ledger leave a residual of {residual}.",
        "funnel": "Of those who began, who got an answer, a second conversation, came back? Within {days} days",
        "timing": "How long did that take?",
        "segments": "Who is who? By messages of the last {days} days, before the longest pause and at the end",
        "movement": "From {before} to {after}: who moved where?",
        "groups": "Who sits with whom? Groups of {lo} to {hi}, {leaders} leaders in each, by the ties before {before}",
        "kept": "Dealt at random, groups of these sizes keep {random:.1%} of the talk inside; these keep {kept:.1%}.",
        "change": "And after it? Who wrote no more left, who was new joined: the same groups, by the fewest moves",
        "staying": "How long do they stay? By messages in the first {days} days; gone: silent for the last {idle} days",
        "stayed": "After {days} days {share} are still there.",
        "life": "Which stage of its life is it at? Alive: {share:.0%} of all who ever came are active in a week",
        "no_groups": "Too few members for groups of {lo} to {hi}: {reason}",
        "no_ties": "Nobody is tied to anybody: the rows name no target.",
        "no_projection": "No complete {every} opened with members, so there is nothing to project from.",
    },
    "zh": {
        "ledger": "流量 − 蒸发量 = 留量（按{every}）",
        "cohorts": "同期加入的成员有多少回来？自首{every}起各{every}的比例",
        "stickiness": "当月成员平均每天来多少？",
        "projection": "照此下去：从最后一个完整的{every}起",
        "what_if": (
            "若蒸发率降低十分之一（{before:.1%} → {after:.1%}），"
            "第 {n} {every}的留量为 {stock:,.0f}，而不是 {base:,.0f}。"
        ),
        "residual": "账本五条恒等式的残差为 {residual}。",
        "funnel": "开始发言的人中，有多少得到回应、开始第二段对话、隔周回来？窗口 {days} 天",
        "timing": "各步用了多久？",
        "segments": "谁是谁？按最近 {days} 天的消息数，最长停顿之前与期末",
        "movement": "从 {before} 到 {after}：谁去了哪里？",
        "groups": "谁和谁一个群？按 {before} 之前的联系分群，每群 {lo}–{hi} 人，{leaders} 名负责人",
        "kept": "随机分到同样大小的群，只有 {random:.1%} 的交流留在群内；这样分群留住 {kept:.1%}。",
        "change": "之后呢？不再发言的人离开，新来的人加入：还是这些群，调动最少",
        "staying": "留多久？按最初 {days} 天的消息数；最后 {idle} 天没有动静即算离开",
        "stayed": "{days} 天后仍在：{share}。",
        "life": "处在哪个生命阶段？每周有 {share:.0%} 的来过的人发言，即算活着",
        "no_groups": "成员太少，分不成 {lo}–{hi} 人的群：{reason}",
        "no_ties": "没有联系：数据里没有对话对象。",
        "no_projection": "没有一个完整的{every}以有成员开始，无从推算。",
    },
}
SEGMENTS = {
    "en": ["core", "regular", "occasional", "silent", "not yet here"],
    "zh": ["核心", "常客", "偶尔", "沉默", "尚未加入"],
}
FIRST_WEEK = {
    "en": ["below {}", "{} to {}", "{} and more"],
    "zh": ["不到 {} 条", "{} 至 {} 条", "{} 条以上"],
}
UNITS = {"hour": "小时", "day": "天", "week": "周", "month": "月", "quarter": "季度", "year": "年"}
LONGEST_OFFSET = 10
PERIODS_AHEAD = 8
PERIODS_JUDGED = 8
FUNNEL_DAYS = 28
SEGMENT_DAYS = 28
CORE, REGULAR = 100, 20  # messages
LEADERS = 2  # of each group
GROUPS_SHOWN = 8
EARLY_DAYS, FEW, MANY = 7, 10, 50  # messages in the first days
IDLE_DAYS, STAYED_DAYS = 30, 30
ALIVE = sq.Band(0.05, 0.02)  # active in a week, of all who ever came: nobody leaves this community in so many words


class BadInputError(Exception):
    """A file that cannot be used; its text is the one line that the user reads."""


def chat_log() -> sq.EventLog:
    """Read the messages of the package: who wrote, to whom, when, in which conversation."""
    try:
        from chitchat_dataset import Dataset  # noqa: PLC0415  (needed only without a file)
    except ImportError:
        raise BadInputError(
            "chitchat-dataset is not installed: pip install 'shequn[examples]', or name a CSV file"
        ) from None
    rows = [
        (message["sender"], message["timestamp"].removesuffix("Z"), other, conversation)
        for conversation, content in Dataset().items()
        for message, other in with_the_other([message for turn in content["messages"] for message in turn])
    ]
    member, at, target, item = map(list, zip(*rows, strict=True))
    return sq.EventLog.from_columns(
        member=member, kind="post", at=np.array(at, dtype="M8[s]"), at_tz="UTC", target=target, item=item
    )


def with_the_other(messages: list[dict[str, str]]) -> list[tuple[dict[str, str], str | None]]:
    """Pair each message of a conversation with the one who read it; None where one side spoke alone."""
    people = {message["sender"] for message in messages}
    return [(message, next(iter(people - {message["sender"]}), None)) for message in messages]


def file_log(path: Path, tz: str) -> sq.EventLog:
    """Read a CSV file with the columns member, kind and at: ISO 8601, and without an offset the wall clock of `tz`."""
    rows: list[dict[str, object]] = []
    lines: list[int] = []
    is_local = False
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = {"member", "kind", "at"}.difference(reader.fieldnames or ())
            if missing:
                raise BadInputError(f"{path}: row 1: no column named {' or '.join(sorted(missing))}")
            for row in reader:
                at = instant(row["at"], path, reader.line_num)
                rows.append({"member": row["member"], "kind": row["kind"], "at": at})
                lines.append(reader.line_num)
                is_local |= at.tzinfo is None
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInputError(f"{path}: not a CSV file in UTF-8 ({error})") from None
    accepted, rejected = sq.EventLog.ingest(rows, at_tz=tz if is_local else None)
    if rejected:
        first = rejected[0]
        raise BadInputError(
            f"{path}: row {lines[first.row]}: {first.reason} ({len(rejected)} of {len(rows)} rows are bad)"
        )
    return accepted


def instant(text: str | None, path: Path, line: int) -> dt.datetime:
    """Return the date and time that a cell holds."""
    try:
        return dt.datetime.fromisoformat(text or "")
    except ValueError:
        raise BadInputError(f"{path}: row {line}: at: expected an ISO 8601 date and time, got {text or ''!r}") from None


def report(log: sq.EventLog, *, every: Any, tz: str, lang: Any) -> str:  # noqa: ANN401
    """Return the whole report as text."""
    words = HEADINGS[lang]
    unit = UNITS[every] if lang == "zh" else every
    presence = sq.retention.presence(log, every=every, tz=tz)
    ledger = sq.retention.flow_ledger(log, every=every, tz=tz)
    cohorts = sq.retention.cohort_table(presence, max_offset=LONGEST_OFFSET)
    sections = [
        log.describe().table(lang=lang),
        "",
        words["ledger"].format(every=unit),
        ledger.table(lang=lang),
        words["residual"].format(residual=int(abs(ledger.residual).sum())),
        "",
        words["cohorts"].format(every=unit),
        cohorts.table(lang=lang),
        "",
        words["stickiness"],
        sq.retention.stickiness(log, per="month", tz=tz).table(lang=lang),
        "",
        words["projection"].format(every=unit),
        projection(ledger, unit=unit, lang=lang),
        "",
        funnel(log, tz=tz, lang=lang),
        "",
        movement(log, tz=tz, lang=lang),
        "",
        groups(log, tz=tz, lang=lang),
        "",
        staying(log, lang=lang),
        "",
        life(log, tz=tz, lang=lang),
    ]
    return "\n".join(sections)


def projection(ledger: sq.retention.FlowLedger, *, unit: str, lang: Any) -> str:  # noqa: ANN401
    """Return the projected stock, and what one tenth less evaporation would keep."""
    words = HEADINGS[lang]
    try:
        base = sq.retention.project(ledger, periods=PERIODS_AHEAD, over=PERIODS_JUDGED)
    except sq.ShequnError:
        return words["no_projection"].format(every=unit)
    better = base.what_if(evaporation_rate=base.evaporation_rate * 0.9)
    verdict = words["what_if"].format(
        before=base.evaporation_rate,
        after=better.evaporation_rate,
        every=unit,
        n=PERIODS_AHEAD,
        stock=better.stock[-1],
        base=base.stock[-1],
    )
    return f"{base.table(lang=lang)}\n{verdict}"


def milestones(log: sq.EventLog, tz: str) -> sq.EventLog:
    """Return what a funnel can be made of: first messages, answers, second conversations, returns in a later week."""
    ordered = log.sorted()
    who, at_us, members = ordered.member_codes, ordered.at_us, ordered.members.labels
    begins = np.flatnonzero(np.diff(who, prepend=-1))
    first = np.repeat(begins, np.diff(np.append(begins, len(who))))  # the row each member began with
    week = sq.Calendar(unit="week", tz=tz).index(at_us)
    found = [("began", members[who[begins]], at_us[begins])]
    if ordered.target is not None:
        answers = ordered.target.codes >= 0
        found.append(("answered", ordered.target.labels()[answers], at_us[answers]))
    if ordered.item is not None:
        another = ordered.item.codes != ordered.item.codes[first]
        found.append(("second conversation", members[who[another]], at_us[another]))
    later = week > week[first]
    found.append(("another week", members[who[later]], at_us[later]))
    return sq.EventLog.from_columns(
        member=np.concatenate([member for _, member, _ in found]),
        kind=np.concatenate([np.full(len(member), kind, dtype=object) for kind, member, _ in found]),
        at=np.concatenate([at for _, _, at in found]),
        time_unit="us",
    )


def funnel(log: sq.EventLog, *, tz: str, lang: Any) -> str:  # noqa: ANN401
    """Return how far people get from their first message to coming back, and how long it takes them."""
    reached = milestones(log, tz)
    has = {"answered": log.target is not None, "second conversation": log.item is not None}
    steps = [step for step in ("began", "answered", "second conversation", "another week") if has.get(step, True)]
    way = sq.Funnel(steps=steps, within=pendulum.duration(days=FUNNEL_DAYS))
    return "\n".join(
        [
            HEADINGS[lang]["funnel"].format(days=FUNNEL_DAYS),
            sq.funnel.convert(reached, way).table(lang=lang),
            "",
            HEADINGS[lang]["timing"],
            sq.funnel.time_to_convert(reached, way).table(lang=lang),
        ]
    )


def segmentation(names: list[str]) -> sq.segmentation.Segmentation:
    """Return the segments of members: the first rule that selects a member wins."""
    messages = sq.rules.count(within=pendulum.duration(days=SEGMENT_DAYS))
    core, regular, occasional, silent, not_yet = names
    return sq.segmentation.Segmentation(
        (core, messages >= CORE),
        (regular, messages >= REGULAR),
        (occasional, messages >= 1),
        (silent, sq.rules.did()),
        default=not_yet,
    )


def two_days(log: sq.EventLog) -> tuple[pendulum.DateTime, pendulum.DateTime]:
    """Return the instants of the last message before the longest pause, and of the last one of all."""
    at_us = np.sort(log.at_us)
    pause = int(np.argmax(np.diff(at_us, append=at_us[-1:])))
    before, after = (pendulum.from_timestamp(int(us) / 1_000_000) for us in (at_us[pause], at_us[-1]))
    return before, after


def movement(log: sq.EventLog, *, tz: str, lang: Any) -> str:  # noqa: ANN401
    """Return which segment members were in before the longest pause and are in at the end, and who moved where."""
    words = HEADINGS[lang]
    if not len(log):
        return words["segments"].format(days=SEGMENT_DAYS)
    roster = sq.Roster.from_columns(member=log.members.labels)
    segments = segmentation(SEGMENTS[lang])
    before, after = two_days(log)
    moved = sq.segmentation.migration(
        segments.assign(roster, log, as_of=before), segments.assign(roster, log, as_of=after)
    )
    return "\n".join(
        [
            words["segments"].format(days=SEGMENT_DAYS),
            moved.table(lang=lang),
            "",
            words["movement"].format(before=before.in_tz(tz).to_date_string(), after=after.in_tz(tz).to_date_string()),
            moved.flows().table(lang=lang),
        ]
    )


def groups(log: sq.EventLog, *, tz: str, lang: Any) -> str:  # noqa: ANN401
    """Return groups of those who talked before the longest pause, and what becomes of them after it."""
    words, band = HEADINGS[lang], sq.OPTIMAL_SIZE
    if not len(log) or log.target is None:
        return words["no_ties"]
    pause = two_days(log)[0].add(seconds=1)
    title = words["groups"].format(lo=band.lo, hi=band.hi, leaders=LEADERS, before=pause.in_tz(tz).to_date_string())
    # Of a part of the rows, those who stand in it; the log itself still knows the members of the whole.
    spring, autumn = (sq.PartialGraph.of(part).whole() for part in (log.where(end=pause), log.where(start=pause)))
    if not spring.n_ties:
        return f"{title}\n{words['no_ties']}"
    wrote = np.bincount(log.member_codes, minlength=len(log.members)) >= REGULAR
    leaders = set(log.members.labels[wrote].tolist())
    try:
        shards = sq.sharding.shard(
            spring, leaders=[member in leaders for member in spring.members], min_leaders=LEADERS, rng=2018
        )
        random = sq.sharding.Shards.of(spring, np.random.default_rng(2018).permutation(shards.group))
        came = [member for member in autumn.members if member not in spring.members]
        change = sq.sharding.rebalance(
            shards,
            sq.InteractionGraph.from_log(log),
            joined=came,
            left=[member for member in spring.members if member not in autumn.members],
            leaders=[member for member in came if member in leaders],
        )
    except sq.ShequnError as error:
        return f"{title}\n{words['no_groups'].format(lo=band.lo, hi=band.hi, reason=error)}"
    return "\n".join(
        [
            title,
            shards.table(lang=lang, max_rows=GROUPS_SHOWN),
            words["kept"].format(random=random.kept, kept=shards.kept),
            "",
            words["change"],
            change.table(lang=lang, max_rows=GROUPS_SHOWN),
        ]
    )


def by_first_week(log: sq.EventLog, names: list[str]) -> sq.Assignment:
    """Return how much members wrote in the first days after they came."""
    first = np.full(len(log.members), np.iinfo(np.int64).max)
    np.minimum.at(first, log.member_codes, log.at_us)
    is_early = log.at_us < first[log.member_codes] + EARLY_DAYS * 86_400_000_000
    wrote = np.bincount(log.member_codes[is_early], minlength=len(log.members))
    segments = [names[0].format(FEW), names[1].format(FEW, MANY - 1), names[2].format(MANY)]
    return sq.Assignment(
        members=log.members, codes=np.digitize(wrote, [FEW, MANY]).astype(np.int32), segments=sq.Index(segments)
    )


def staying(log: sq.EventLog, *, lang: Any) -> str:  # noqa: ANN401
    """Return how long members stay, by how they began."""
    words = HEADINGS[lang]
    curves = sq.retention.survival(
        log, idle_after=pendulum.duration(days=IDLE_DAYS), by=by_first_week(log, FIRST_WEEK[lang]), unit="hour"
    )
    title = words["staying"].format(days=EARLY_DAYS, idle=IDLE_DAYS)
    if not curves.total.n_events:
        return f"{title}\n{curves.total.table(lang=lang)}"
    month = pendulum.duration(days=STAYED_DAYS)
    share = ("，" if lang == "zh" else ", ").join(
        f"{name} {float(curve.at(month)):.1%}" for name, curve in curves.items()
    )
    return "\n".join(
        [
            title,
            curves.total.table(lang=lang, max_rows=GROUPS_SHOWN),
            "",
            sq.retention.log_rank(curves).table(lang=lang),
            words["stayed"].format(days=STAYED_DAYS, share=share),
        ]
    )


def life(log: sq.EventLog, *, tz: str, lang: Any) -> str:  # noqa: ANN401
    """Return the stage of the community's life week by week, and why it changed."""
    series = sq.lifecycle.community_series(log, every="week", tz=tz, unknown_kinds="ignore")
    found = sq.lifecycle.stages(series, policy=sq.lifecycle.StagePolicy(active_share=ALIVE))
    return f"{HEADINGS[lang]['life'].format(share=ALIVE.enter)}\n{found.table(lang=lang)}"


def main(arguments: list[str] | None = None) -> int:
    """Print the report; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, help="CSV file with the columns member, kind, at")
    parser.add_argument(
        "--tz", default="America/Denver", help="time zone of the periods (default: %(default)s, the community's own)"
    )
    parser.add_argument(
        "--every", default="week", choices=list(UNITS), help="period of ledger and cohorts (default: %(default)s)"
    )
    parser.add_argument(
        "--lang", default="en", choices=["en", "zh"], help="language of the report (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    try:
        sq.Calendar(unit=options.every, tz=options.tz)
        log = chat_log() if options.file is None else file_log(options.file, options.tz)
        print(report(log, every=options.every, tz=options.tz, lang=options.lang), flush=True)
    except BrokenPipeError:  # the reader, `head` perhaps, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (BadInputError, sq.ShequnError) as error:
        print(f"chat_community: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
