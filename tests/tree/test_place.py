"""Slices that are brought to their places, in C and without."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacemap.tree.place import Index, bounds, distinct, move_in_numpy, move_slices, ranges


def _slices(lengths: list[int], gaps: list[tuple[int, int]]) -> tuple[Index, Index, Index]:
    to = begin = 0
    rows = []
    for length, (before_source, before_target) in zip(lengths, gaps, strict=True):
        begin, to = begin + before_source, to + before_target
        rows.append((to, begin, begin + length))
        begin, to = begin + length, to + length
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    return columns[0].copy(), columns[1].copy(), columns[2].copy()


@given(
    pieces=st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0, 0, 1, 3]), st.sampled_from([0, 0, 1, 3]))),
    width=st.sampled_from([1, 2, 4, 8]),
    chance=st.randoms(use_true_random=False),
)
def test_both_ways_move_the_same(pieces: list[tuple[int, int, int]], width: int, chance: Random) -> None:
    """Neighbours on both sides, on one, empty ones, in any order: each value is where numpy brings it."""
    to, begin, end = _slices([piece[0] for piece in pieces], [piece[1:] for piece in pieces])
    numbers = list(range(len(pieces)))
    if chance.random() < 0.5:
        chance.shuffle(numbers)
    to, begin, end = to[numbers], begin[numbers], end[numbers]
    source = (1 + np.arange(end.max(initial=0))).astype(f"u{width}")
    expected = np.zeros(int((to + end - begin).max(initial=0)), source.dtype)
    moved = expected.copy()

    move_in_numpy(expected, source, to, begin, end, width)
    move_slices(moved, source, to, begin, end, width)

    assert expected.tolist() == moved.tolist()


@pytest.mark.skipif(move_slices is move_in_numpy, reason="the C part was not built")
@pytest.mark.parametrize(
    "slices",
    [
        ([0], [0], [5]),
        ([2], [0], [3]),
        ([-1], [0], [1]),
        ([0], [-1], [1]),
        ([0], [3], [2]),
        ([0, 2], [0, 2], [2, 5]),
        ([0, 2], [0, 2], [2, 1]),
        ([(1 << 63) - 1], [0], [2]),
        ([0, 2], [0, 2], [2, (1 << 63) - 1]),
        ([0, -(1 << 63)], [0, 2], [2, 4]),
    ],
    ids=str,
)
def test_what_leaves_its_array_is_refused(slices: tuple[list[int], list[int], list[int]]) -> None:
    """A slice outside of either array, also as the neighbour of one that is inside, is an error and writes nothing
    beyond."""
    target, source = np.zeros(4, np.uint8), np.ones(4, np.uint8)

    with pytest.raises(ValueError, match="leaves its array"):
        move_slices(target, source, *(np.array(column, np.int64) for column in slices), 1)


def test_ranges_bounds_and_distinct() -> None:
    """Ranges are laid end to end; runs are found, none in nothing; of an ascending array each value is there once."""
    assert [0, 2, 3, 4] == bounds(np.array([7, 7, 1, 7])).tolist()
    assert [0] == bounds(np.zeros(0, np.int64)).tolist()
    assert [3, 4, 9] == ranges(np.array([3, 7, 9]), np.array([2, 0, 1])).tolist()
    assert [1, 2, 5] == distinct(np.array([1, 1, 2, 5, 5])).tolist()
    assert [] == distinct(np.zeros(0, np.int64)).tolist()
