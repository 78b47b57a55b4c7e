"""A part of a tree: the entries below a directory, as slices, and entries found by their names."""

from collections.abc import Sequence

import numpy as np

from spacemap.tree.columns import EntryIds
from spacemap.tree.links import grouped
from spacemap.tree.tree import Tree

Slices = Sequence[slice]
"""Ranges of entry ids, ascending."""


def directory_rows(tree: Tree, entries: slice | range) -> slice:
    """Return the rows of `directories` whose entries lie in a range of ids."""
    # In the type of the column: for any other, numpy converts the whole column first.
    begin, end = tree.directories.entry.searchsorted(np.array([entries.start, entries.stop], np.uint32)).tolist()
    return slice(begin, end)


def subtree_slices(tree: Tree, directory: int) -> Slices:
    """Return all entries of a subtree, the directory first. Cost: its depth.

    In canonical order the entries of one depth below a directory are neighbours.
    """
    result = [slice(directory, directory + 1)]
    while True:
        rows = directory_rows(tree, result[-1])
        first, count = tree.directories.first_child[rows], tree.directories.child_count[rows]
        filled = np.flatnonzero(count)
        if not len(filled):
            return result
        result.append(slice(int(first[filled[0]]), int(first[filled[-1]]) + int(count[filled[-1]])))


def repeated_within(tree: Tree, parts: Slices) -> EntryIds:
    """Return the entries of a subtree that its sums leave out, ascending: another link of the inode comes first in it.

    The slices are those of `subtree_slices`.
    """
    links = tree.links
    bounds = [links.entry.searchsorted(np.array([part.start, part.stop], np.uint32)).tolist() for part in parts]
    rows = np.concatenate([np.arange(begin, end) for begin, end in bounds])
    by_inode, begins = grouped(tree, rows)
    return np.sort(links.entry[by_inode[~begins]])


def find_child(tree: Tree, directory: int, name: bytes) -> int | None:
    """Return the entry of a name in a directory; None when there is none."""
    children = tree.children(directory)
    low, high = children.start, children.stop
    while low < high:
        middle = (low + high) // 2
        if tree.name(middle) < name:
            low = middle + 1
        else:
            high = middle
    return low if low < children.stop and tree.name(low) == name else None


def names_below_root(tree: Tree, entry: int) -> tuple[bytes, ...]:
    """Return the names that lead from the root of a tree to an entry, which outlive the tree as its ids do not."""
    return names_below(tree, entry, 1)[1]


def names_below(tree: Tree, entry: int, first: int) -> tuple[int, tuple[bytes, ...]]:
    """Return the root that an entry is below, and the names that lead from there; `first` is the first entry that is
    no root."""
    names = []
    while entry >= first:
        names.append(tree.name(entry))
        entry = int(tree.parent[entry])
    return entry, tuple(reversed(names))


def nearest_entry(tree: Tree, names: Sequence[bytes]) -> tuple[int, int]:
    """Return the entry that names lead to, or the last one on the way there, and how many names were found."""
    entry = 0
    for found, name in enumerate(names):
        child = find_child(tree, entry, name)
        if child is None:
            return entry, found
        entry = child
    return entry, len(names)
