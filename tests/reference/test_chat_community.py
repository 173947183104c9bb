"""The main job: the example on the real community, on files of one's own, and on bad ones."""

from __future__ import annotations

import importlib.util
import itertools
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from chitchat_dataset import Dataset

import shequn as sq

if TYPE_CHECKING:
    from types import ModuleType

EXAMPLE = Path(__file__).parents[2] / "examples" / "chat_community.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("chat_community", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def chat(example: ModuleType) -> sq.EventLog:
    return example.chat_log()


def weeks_of_members() -> dict[str, set[datetime]]:
    """Count in plain Python: the Monday of each local week in which each member wrote."""
    denver = ZoneInfo("America/Denver")
    weeks: dict[str, set[datetime]] = {}
    for conversation in Dataset().values():
        for turn in conversation["messages"]:
            for message in turn:
                day = datetime.fromisoformat(message["timestamp"]).astimezone(denver).replace(tzinfo=None)
                monday = datetime(day.year, day.month, day.day) - timedelta(days=day.weekday())  # noqa: DTZ001
                weeks.setdefault(message["sender"], set()).add(monday)
    return weeks


def ways_of_members() -> dict[str, list[datetime]]:
    """Follow in plain Python how far each member got within 28 days: began, answered, second conversation, week."""
    denver = ZoneInfo("America/Denver")
    wrote: dict[str, list[tuple[datetime, str]]] = {}
    answered: dict[str, list[datetime]] = {}
    for name, conversation in Dataset().items():
        messages = [message for turn in conversation["messages"] for message in turn]
        people = {message["sender"] for message in messages}
        for message in messages:
            at = datetime.fromisoformat(message["timestamp"])
            wrote.setdefault(message["sender"], []).append((at, name))
            for other in list(people - {message["sender"]})[:1]:
                answered.setdefault(other, []).append(at)
    ways: dict[str, list[datetime]] = {}
    for member, rows in wrote.items():
        rows.sort(key=lambda row: row[0])
        began, first_conversation = rows[0]
        week = began.astimezone(denver).isocalendar()[:2]
        steps = [
            answered.get(member, []),
            [at for at, name in rows if name != first_conversation],
            [at for at, _ in rows if at.astimezone(denver).isocalendar()[:2] != week],
        ]
        way = [began]
        for instants in steps:
            later = [at for at in instants if way[-1] <= at <= began + timedelta(days=28)]
            if not later:
                break
            way.append(min(later))
        ways[member] = way
    return ways


def test_the_funnel_of_the_real_community_is_what_plain_python_says(example, chat):
    ways = ways_of_members()
    reached = example.milestones(chat, "America/Denver")
    found = sq.funnel.match(
        reached, sq.Funnel(steps=[str(kind) for kind in reached.kinds], within=timedelta(days=example.FUNNEL_DAYS))
    )
    assert dict(zip(found.members, found.level.tolist(), strict=True)) == {m: len(way) for m, way in ways.items()}
    for member, at_us in zip(found.members, found.at_us, strict=True):
        way = [int(at.timestamp()) * 1_000_000 for at in ways[member]]
        assert at_us[: len(way)].tolist() == way


def test_the_segments_of_the_real_community_are_what_plain_python_counts(example, chat):
    names = example.SEGMENTS["en"]
    segments = example.segmentation(names)
    roster = sq.Roster.from_columns(member=chat.members.labels)
    wrote: dict[str, list[datetime]] = {}
    for conversation in Dataset().values():
        for turn in conversation["messages"]:
            for message in turn:
                wrote.setdefault(message["sender"], []).append(datetime.fromisoformat(message["timestamp"]))
    instants = sorted(at for times in wrote.values() for at in times)
    pauses = [later - at for at, later in itertools.pairwise(instants)]
    days = (instants[pauses.index(max(pauses))], instants[-1])
    assert [day.timestamp() for day in example.two_days(chat)] == [day.timestamp() for day in days]
    for day in days:
        expected = {}
        for member, times in wrote.items():
            recent = sum(day - timedelta(days=28) < at <= day for at in times)
            segment = 0 if recent >= 100 else 1 if recent >= 20 else 2 if recent else 3 if min(times) <= day else 4
            expected[member] = names[segment]
        found = segments.assign(roster, chat, as_of=day)
        assert dict(zip(found.members, found.labels().tolist(), strict=True)) == expected


def test_the_ledger_of_the_real_community_is_what_sets_in_plain_python_say(chat):
    weeks = weeks_of_members()
    ledger = sq.retention.flow_ledger(chat, every="week", tz="America/Denver")
    week = min(min(active) for active in weeks.values())
    for row in ledger.rows():
        assert row.period.isoformat() == week.date().isoformat()
        before = {m for m, active in weeks.items() if week - timedelta(weeks=1) in active}
        now = {m for m, active in weeks.items() if week in active}
        joined = {m for m in now if min(weeks[m]) == week}
        assert (row.opening, row.joined, row.revived) == (len(before), len(joined), len(now - before - joined))
        assert (row.evaporated, row.retained) == (len(before - now), len(now))
        week += timedelta(weeks=1)
    assert not ledger.residual.any()


def test_the_log_holds_every_message_with_the_other_person_as_its_target(chat):
    assert len(chat) == 258_145
    assert len(chat.members) == 1_315
    assert chat.item is not None
    assert chat.target is not None
    sides = Counter(len({m["sender"] for t in c["messages"] for m in t}) for c in Dataset().values())
    alone = {
        conversation
        for conversation, target in zip(chat.item.labels(), chat.target.labels(), strict=True)
        if target is None
    }
    assert (len(alone), len(chat.item.index)) == (sides[1], 7_168) == (3_150, 7_168)


def test_the_report_speaks_english_and_chinese(example, capsys):
    assert example.main([]) == 0
    english = capsys.readouterr().out
    assert "2018-04-30" in english
    assert "residual of 0" in english
    assert "With one tenth less evaporation" in english
    assert example.main(["--lang", "zh", "--every", "month", "--tz", "Asia/Shanghai"]) == 0
    chinese = capsys.readouterr().out
    assert "期初" in chinese
    assert "残差为 0" in chinese


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_of_ones_own_works_with_offsets_and_with_wall_clocks(example, capsys, tmp_path):
    offsets = (
        "member,kind,at\nann,post,2024-01-01T09:00+08:00\nann,post,2024-01-08T01:00Z\nbo,join,2024-01-09T00:00:00Z\n"
    )
    walls = "member,kind,at\nann,post,2024-01-01 09:00\nann,post,2024-01-08 09:00\nbo,join,2024-01-09 08:00\n"
    reports = []
    for text in (offsets, walls):
        assert example.main([write(tmp_path / "own.csv", text), "--tz", "Asia/Shanghai"]) == 0
        reports.append(capsys.readouterr().out)
    assert reports[0] == reports[1]
    assert "3 rows, 2 members" in reports[0]
    [first_week] = [line for line in reports[0].splitlines() if line.startswith("2024-01-01        0 ")]
    assert first_week.split()[:4] == ["2024-01-01", "0", "1", "0"]


def test_a_wall_clock_that_the_zone_skipped_is_refused_with_its_row(example, capsys, tmp_path):
    text = "member,kind,at\nann,post,2024-03-09T02:30\nann,post,2024-03-10T02:30\n"
    assert example.main([write(tmp_path / "gap.csv", text), "--tz", "America/New_York"]) == 2
    assert "row 3: at: expected wall clock times that exist in America/New_York" in capsys.readouterr().err


def test_a_reader_who_has_seen_enough_is_no_error():
    command = f"{sys.executable} {EXAMPLE} | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)  # noqa: S602
    assert done.stdout.startswith("258,145 rows")
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "member,kind,at\nann,post,2024-01-01\nbo,post,yesterday\n",
            "row 3: at: expected an ISO 8601 date and time, got 'yesterday'",
        ),
        ("member,kind,at\nann,post,2024-01-01\n,post,2024-01-02\n", "row 3: member: "),
        ("member,kind,at\nann,post\n", "row 2: at: "),
        ("member,at\nann,2024-01-01\n", "row 1: no column named kind"),
        ("", "row 1: no column named at or kind or member"),
        ("member,kind,at\nann,post,1875-01-01\n", "row 2: at: expected instants in [1900, 2262)"),
    ],
)
def test_a_bad_file_gets_one_line_with_its_row_and_status_2(example, capsys, tmp_path, text, words):
    assert example.main([write(tmp_path / "bad.csv", text)]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


def test_what_is_no_csv_file_gets_one_line_and_status_2(example, capsys, tmp_path):
    (tmp_path / "picture.csv").write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF")
    assert example.main([str(tmp_path / "picture.csv")]) == 2
    assert "not a CSV file in UTF-8" in capsys.readouterr().err
    assert example.main([str(tmp_path / "nothing.csv")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_an_unknown_zone_gets_a_hint_and_status_2(example, capsys):
    assert example.main(["--tz", "Asia/Shangai"]) == 2
    assert "did you mean 'Asia/Shanghai'?" in capsys.readouterr().err


def test_a_file_without_rows_is_reported_as_empty(example, capsys, tmp_path):
    assert example.main([write(tmp_path / "empty.csv", "member,kind,at\n")]) == 0
    assert "nothing to project from" in capsys.readouterr().out
