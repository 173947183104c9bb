from __future__ import annotations

import copy
import json
import pickle
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np
import pytest

from shequn.columns.breakdown import Breakdown, SegmentRow, Tally
from shequn.columns.table import Column, width
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

    from shequn.columns.table import Lang

Visit = tuple[str, int, str | int | None]


class VisitorRow(NamedTuple):
    week: int
    visitors: int


@attrs.frozen(kw_only=True, eq=False)
class Visitors(Tally[VisitorRow]):
    """How many members came in each week from `start` on. Merging joins different spans: the axis is that of both."""

    _Row = VisitorRow

    start: int
    counts: Any
    remark: str = "made up"

    @classmethod
    def of(cls, visits: Iterable[Visit], weeks: range) -> Visitors:
        came = {(member, week) for member, week, _ in visits}
        return cls(
            start=weeks.start, counts=np.array([sum(w == week for _, w in came) for week in weeks], dtype=np.int64)
        )

    def merge(self, other: Self) -> Self:
        start, end = min(self.start, other.start), max(self._end, other._end)
        counts = np.zeros(end - start, dtype=np.int64)
        for part in (self, other):
            counts[part.start - start : part._end - start] += part.counts
        return attrs.evolve(self, start=start, counts=counts)

    @property
    def _end(self) -> int:
        return self.start + len(self.counts)

    def _headcount(self) -> Any:
        return self.counts

    def _emptied(self) -> Self:
        return attrs.evolve(self, counts=np.zeros_like(self.counts))

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [
            Column(key="week", en="week", zh="周", values=range(self.start, self._end)),
            Column(key="visitors", en="visitors", zh="到访", values=self.counts, format="count"),
        ]

    def _title(self, lang: Lang, /) -> str | None:
        return {"en": "Visitors", "zh": "到访人数"}[lang]

    def _notes(self, _lang: Lang, /) -> Sequence[str]:
        return [self.remark]


class Others(Visitors):
    """Another kind of result."""


def breakdown_of(visits: Sequence[Visit], weeks: range) -> Breakdown[Visitors]:
    """Break visits down by the label of each visit; a member with two labels is in two segments."""
    labels = dict.fromkeys(label for _, _, label in visits)
    parts = {label: Visitors.of([v for v in visits if v[2] == label], weeks) for label in labels}
    unassigned = parts.pop(None, None)
    return Breakdown(total=Visitors.of(visits, weeks), parts=parts, unassigned=unassigned)


def facts(breakdown: Breakdown[Visitors]) -> Any:
    """Return everything a breakdown of visitors knows, as plain values."""
    everybody = {"total": breakdown.total, "nowhere": breakdown.unassigned, **breakdown.parts}
    return {label: part and (part.start, part.counts.tolist()) for label, part in everybody.items()}


VISITS: list[Visit] = [
    ("ann", 3, "vip"), ("bo", 3, "new"), ("ann", 3, "new"), ("ann", 4, "vip"), ("cy", 4, None), ("ann", 4, None),
]  # fmt: skip
BY_SEGMENT = breakdown_of(VISITS, range(3, 5))


def test_a_breakdown_is_a_mapping_from_segment_to_result_in_the_order_of_the_segments() -> None:
    assert list(BY_SEGMENT) == ["vip", "new"]
    assert len(BY_SEGMENT) == 2
    assert "vip" in BY_SEGMENT
    assert "old" not in BY_SEGMENT
    assert BY_SEGMENT["new"].counts.tolist() == [2, 0]
    assert dict(BY_SEGMENT.items()) == dict(BY_SEGMENT.parts)
    assert BY_SEGMENT.get("old") is None
    assert BY_SEGMENT.total.counts.tolist() == [2, 2]
    assert BY_SEGMENT.unassigned is not None
    assert BY_SEGMENT.unassigned.counts.tolist() == [0, 2]


def test_an_unknown_segment_is_an_error_that_suggests_a_near_one() -> None:
    with pytest.raises(
        UnknownLabelError, match=r"^segment: expected a label of this breakdown, got 'vpi'; did you mean 'vip'\?$"
    ):
        BY_SEGMENT["vpi"]
    with pytest.raises(KeyError, match=r"got \['vip'\]"):
        BY_SEGMENT[["vip"]]  # type: ignore[index]


def test_the_parts_cannot_be_changed_from_outside() -> None:
    parts = {"vip": BY_SEGMENT["vip"]}
    breakdown = Breakdown(total=BY_SEGMENT.total, parts=parts)
    parts["late"] = BY_SEGMENT["new"]
    assert list(breakdown) == ["vip"]
    with pytest.raises(TypeError):
        breakdown.parts["late"] = BY_SEGMENT["new"]  # type: ignore[index]


def test_overlap_is_what_the_segments_and_those_in_none_count_beyond_the_distinct_total() -> None:
    assert BY_SEGMENT.overlap.tolist() == [1, 1]
    assert BY_SEGMENT.overlap.dtype == np.int64
    assert not BY_SEGMENT.overlap.flags.writeable
    assert BY_SEGMENT.total.counts.tolist() == [2, 2]
    alone = breakdown_of([("ann", 3, "vip"), ("bo", 3, None)], range(3, 5))
    assert alone.overlap.tolist() == [0, 0]


def test_to_columns_is_tidy_with_a_leading_segment_and_without_the_total() -> None:
    columns = BY_SEGMENT.to_columns()
    assert {key: values.tolist() for key, values in columns.items()} == {
        "segment": ["vip", "vip", "new", "new", None, None],
        "week": [3, 4, 3, 4, 3, 4],
        "visitors": [1, 1, 2, 0, 0, 2],
    }
    assert [values.dtype for values in columns.values()] == [np.dtype(object), np.dtype(np.int64), np.dtype(np.int64)]
    assert not any(values.flags.writeable for values in columns.values())
    assert json.loads(json.dumps(BY_SEGMENT.to_dict()))["columns"]["segment"] == columns["segment"].tolist()


def test_integer_segments_stay_integers_and_missing_ones_none() -> None:
    whole = breakdown_of([("ann", 0, 7), ("bo", 0, 2**62)], range(1))
    assert whole.to_columns()["segment"].dtype == np.int64
    assert whole.to_columns()["segment"].tolist() == [7, 2**62]
    assert whole[7].counts.tolist() == whole[np.int64(7)].counts.tolist() == [1]  # type: ignore[index]
    partly = breakdown_of([("ann", 0, 7), ("bo", 0, None)], range(1))
    assert partly.to_columns()["segment"].tolist() == [7, None]


def test_a_breakdown_into_nothing_has_columns_without_rows() -> None:
    nothing = breakdown_of([], range(3, 5))
    assert {key: (values.dtype.kind, len(values)) for key, values in nothing.to_columns().items()} == {
        "segment": ("O", 0), "week": ("i", 0), "visitors": ("i", 0)
    }  # fmt: skip
    assert list(nothing.rows()) == []
    assert nothing.overlap.tolist() == [0, 0]
    assert "(all)" in nothing.table()
    with pytest.raises(InvalidValueError, match=r"last: expected a result with at least one row, got 0"):
        nothing.last()


def test_the_table_starts_with_everybody_and_ends_with_those_in_no_segment() -> None:
    assert BY_SEGMENT.table() == (
        "Visitors\n"
        "segment       week  visitors\n"
        "────────────────────────────\n"
        "(all)            3         2\n"
        "(all)            4         2\n"
        "vip              3         1\n"
        "vip              4         1\n"
        "new              3         2\n"
        "new              4         0\n"
        "(unassigned)     3         0\n"
        "(unassigned)     4         2\n"
        "made up\n"
        "A member in several segments counts in each: they add up to as many as 1 more than the total."
    )
    lines = BY_SEGMENT.table(lang="zh").split("\n")
    assert lines[:2] == ["到访人数", "分组        周  到访"]
    assert {width(line) for line in lines[1:-2]} == {20}
    assert lines[3].startswith("（合计）")
    assert lines[-3].startswith("（未分组）")
    assert lines[-1] == "同一成员可属多个分组，各组分别计数：各组之和最多比合计多 1。"


def test_a_breakdown_without_overlap_adds_no_note() -> None:
    assert breakdown_of([("ann", 3, "vip")], range(3, 5)).table().endswith("\nmade up")
    assert str(BY_SEGMENT) == BY_SEGMENT.table()
    assert BY_SEGMENT._repr_html_().count("<tr>") == 1 + 8 + 2


def test_rows_carry_their_segment() -> None:
    rows = list(BY_SEGMENT.rows())
    assert rows[0] == SegmentRow("vip", VisitorRow(3, 1))
    assert [row.segment for row in rows] == ["vip", "vip", "new", "new", None, None]
    assert BY_SEGMENT.last() == rows[-1] == SegmentRow(None, VisitorRow(4, 2))


@attrs.frozen(kw_only=True, eq=False)
class Triangle(Tally):
    """A result whose printed columns depend on its data."""

    shown: Any

    def merge(self, other: Self) -> Self:
        raise NotImplementedError

    def _headcount(self) -> Any:
        return np.zeros(1, dtype=np.int64)

    def _emptied(self) -> Self:
        raise NotImplementedError

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [
            Column(key=key, en=key, zh=key, values=values, format="count" if key == "size" else "text")
            for key, values in self.shown.items()
        ]


def test_a_column_that_one_segment_lacks_is_missing_there() -> None:
    shown = {
        "n": [1, 2],
        "score": [0.5, 1.5],
        "size": [7, 8],
        "day": np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[D]"),
        "who": ["ann", "bo"],
        "is_new": [True, False],
    }
    breakdown = Breakdown(
        total=Triangle(shown={"a": [0]}), parts={1: Triangle(shown=shown), 2: Triangle(shown={"a": [9]})}
    )
    assert [line.split() for line in breakdown.table().split("\n")] == [
        ["segment", "a", "n", "score", "size", "day", "who", "is_new"],
        ["─" * 51],
        ["(all)", "0", "–", "–", "–", "–", "–", "–"],
        ["1", "–", "1", "0.5", "7", "2024-01-01", "ann", "yes"],
        ["1", "–", "2", "1.5", "8", "2024-01-02", "bo", "no"],
        ["2", "9", "–", "–", "–", "–", "–", "–"],
    ]
    columns = breakdown.to_columns()
    assert {key: values.dtype.kind for key, values in columns.items()} == {
        "segment": "i", "n": "O", "score": "f", "size": "f", "day": "M", "who": "O", "is_new": "O", "a": "O"
    }  # fmt: skip
    assert columns["n"].tolist() == [1, 2, None]
    assert columns["size"].tolist()[:2] == [7.0, 8.0]
    assert np.isnan(columns["size"][2])


def test_a_column_called_segment_is_refused_rather_than_hidden() -> None:
    inner = Triangle(shown={"segment": ["x"]})
    with pytest.raises(InvalidValueError, match=r"columns: expected each key once, got 'segment'"):
        Breakdown(total=inner, parts={"a": inner}).to_columns()


@pytest.mark.parametrize("seed", range(12))
def test_merging_breakdowns_of_different_members_and_spans_is_the_breakdown_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    spans = [range(0, 4), range(2, 7), range(5, 6)]
    logs: list[list[Visit]] = [
        [
            (
                f"m{i}_{rng.integers(4)}",
                int(rng.integers(span.start, span.stop)),
                [None, "a", "b", "c"][rng.integers(4)],
            )
            for _ in range(rng.integers(0, 9))
        ]
        for i, span in enumerate(spans)
    ]
    whole = facts(breakdown_of([visit for log in logs for visit in log], range(7)))
    first, second, third = (breakdown_of(log, span) for log, span in zip(logs, spans, strict=True))
    for merged in (
        first.merge(second).merge(third),
        first.merge(second.merge(third)),
        third.merge(first).merge(second),
    ):
        assert facts(merged) == whole
        assert merged.overlap.shape == (7,)
    assert facts(first.merge(breakdown_of([], spans[0]))) == facts(first)


def test_merging_keeps_the_order_of_the_first_and_adds_the_segments_of_the_second() -> None:
    later = breakdown_of([("dee", 4, "old"), ("eli", 4, "new")], range(4, 6))
    merged = BY_SEGMENT.merge(later)
    assert list(merged) == ["vip", "new", "old"]
    assert facts(merged) == {
        "total": (3, [2, 4, 0]), "nowhere": (3, [0, 2, 0]),
        "vip": (3, [1, 1, 0]), "new": (3, [2, 1, 0]), "old": (3, [0, 1, 0]),
    }  # fmt: skip
    assert merged.overlap.tolist() == [1, 1, 0]


def test_only_breakdowns_merge() -> None:
    with pytest.raises(InvalidTypeError, match=r"other: expected a Breakdown, got Visitors\("):
        BY_SEGMENT.merge(BY_SEGMENT.total)  # type: ignore[arg-type]


def test_a_breakdown_is_a_tally_too() -> None:
    nobody = BY_SEGMENT._emptied()
    assert facts(nobody) == {"total": (3, [0, 0]), "nowhere": None}
    assert facts(BY_SEGMENT.merge(nobody)) == facts(BY_SEGMENT)
    assert facts(nobody.merge(BY_SEGMENT)) == facts(BY_SEGMENT)
    assert BY_SEGMENT._headcount().tolist() == [2, 2]


def test_parts_that_do_not_fit_the_total_are_refused() -> None:
    total = Visitors(start=0, counts=np.array([1, 2]))
    short = Visitors(start=0, counts=np.array([1]))
    with pytest.raises(InvalidTypeError, match=r"total: expected a result that merges, got 3"):
        Breakdown(total=3, parts={})  # type: ignore[type-var]
    with pytest.raises(InvalidTypeError, match=r"parts: expected a mapping from segment to result, got \['a'\]"):
        Breakdown(total=total, parts=["a"])  # type: ignore[arg-type]
    with pytest.raises(InvalidTypeError, match=r"parts\['a'\]: expected a Visitors, as the total is, got Others"):
        Breakdown(total=total, parts={"a": Others(start=0, counts=np.array([1, 2]))})
    with pytest.raises(
        InvalidValueError, match=r"parts\['a'\]: expected a headcount of shape \(2,\), as in the total, got \(1,\)"
    ):
        Breakdown(total=total, parts={"a": short})
    with pytest.raises(InvalidValueError, match=r"unassigned: expected a headcount of shape \(2,\)"):
        Breakdown(total=total, parts={}, unassigned=short)


def test_a_breakdown_survives_pickle_copy_and_evolve() -> None:
    pickled: Breakdown[Visitors] = pickle.loads(pickle.dumps(BY_SEGMENT))  # noqa: S301
    for again in (pickled, copy.deepcopy(BY_SEGMENT), attrs.evolve(BY_SEGMENT)):
        assert type(again) is Breakdown
        assert facts(again) == facts(BY_SEGMENT)
        with pytest.raises(TypeError):
            again.parts["late"] = again.total  # type: ignore[index]


def test_a_breakdown_is_compared_by_value_has_slots_and_one_line_of_repr() -> None:
    total, part = BY_SEGMENT.total, BY_SEGMENT["vip"]
    assert Breakdown(total=total, parts={"a": part}) == Breakdown(total=total, parts={"a": part})
    assert Breakdown(total=total, parts={"a": part}) != Breakdown(total=total, parts={"b": part})
    assert not hasattr(BY_SEGMENT, "__dict__")
    assert repr(BY_SEGMENT) == "Breakdown(Visitors, segments=['vip', 'new'])"
    many = Breakdown(total=total, parts=dict.fromkeys(range(100), part))
    assert repr(many) == "Breakdown(Visitors, segments=[0, 1, 2, 3, 4, 5, ...])"
    with pytest.raises(TypeError, match="unhashable"):
        hash(BY_SEGMENT)
