"""What the arithmetic of blocks says, against a search that goes through every deal."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from shequn.sharding import packing_search
from shequn.sharding.packing_search import Block, Problem, deal, decide


@st.composite
def problems(draw):
    lo = draw(st.integers(1, 4))
    hi = draw(st.integers(lo, 7))
    min_leaders = draw(st.integers(0, min(4, hi)))
    sizes = draw(st.lists(st.integers(1, hi), max_size=4))
    blocks = []
    for place, size in enumerate(sizes):
        shunned = draw(st.sets(st.integers(0, len(sizes) - 1), max_size=2)) - {place}
        leaders = draw(st.integers(0, size)) if min_leaders else 0
        blocks.append(Block(size, leaders, draw(st.booleans()), frozenset(shunned)))
    both_ways = [
        block._replace(apart=frozenset(i for i, b in enumerate(blocks) if i in block.apart or place in b.apart))
        for place, block in enumerate(blocks)
    ]
    n_free = draw(st.integers(0, 12))
    n_free_leaders = draw(st.one_of(st.just(n_free), st.integers(0, n_free)))
    return Problem(sum(sizes) + n_free, lo, hi, min_leaders, n_free_leaders, tuple(both_ways))


@settings(max_examples=200)
@given(problems())
def test_the_numbers_of_groups_decided_are_those_that_a_search_finds(problem):
    n_seated = sum(block.is_seated for block in problem.blocks)
    counts = range(max(-(-problem.n // problem.hi), n_seated), problem.n // problem.lo + 1)
    yes, undecided = decide(problem, counts)
    prepared, seated, items = packing_search._prepared(problem)
    effort = packing_search._Effort(steps=10**9, nodes=10**9)
    found = [
        k
        for k in counts
        if packing_search._searched(packing_search._Groups(prepared, seated, k), items, 0, effort, set())
    ]
    assert [k for run in yes for k in run] == found
    assert undecided == []
    assert all(one.stop < other.start for one, other in pairwise(yes))
    assert [k for k in counts if deal(problem, k) is not None] == found
