"""Entries found again by path in another tree, all at once as one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spacemap.tree.again import found_again, with_ancestors
from spacemap.tree.subtree import names_below_root, nearest_entry
from spacemap.tree.tree import Tree
from tests.trees import Spec, tree_of

NAMES = [
    "a", "b", "ab", "é", "1234567", "12345678", "123456789", "1234567812345678", "1234567812345679",
    "x" * 200, "x" * 199,
]  # fmt: skip
specs = st.recursive(
    st.dictionaries(st.sampled_from(NAMES), st.integers(0, 9), max_size=6),
    lambda below: st.dictionaries(st.sampled_from(NAMES), st.one_of(st.integers(0, 9), below), max_size=6),
    max_leaves=30,
)


def _one_by_one(old: Tree, new: Tree) -> list[int]:
    result = []
    for entry in range(len(old)):
        names = names_below_root(old, entry)
        at, count = nearest_entry(new, names)
        result.append(at if count == len(names) else -1)
    return result


@given(specs, specs)
def test_as_one_by_one(before: dict[str, Spec], after: dict[str, Spec]) -> None:
    """Names of any length, in directories that came, went or became files: each entry is found, or none is."""
    old, new = tree_of(before), tree_of(before | after)

    assert _one_by_one(old, new) == found_again(old, np.arange(len(old)), new).tolist()
    other = tree_of(after)
    assert _one_by_one(old, other) == found_again(old, np.arange(len(old)), other).tolist()


@given(specs, st.lists(st.integers(0, 40), max_size=6))
def test_some_of_them(spec: dict[str, Spec], chosen: list[int]) -> None:
    """In the same tree every entry is itself, in the order that was asked for."""
    tree = tree_of(spec)
    entries = np.array([number % len(tree) for number in chosen], np.int64)

    assert entries.tolist() == found_again(tree, entries, tree).tolist()
    above = {each for entry in entries.tolist() for each in (entry, *tree.ancestors(entry))}
    assert sorted(above) == with_ancestors(tree, entries).tolist()
