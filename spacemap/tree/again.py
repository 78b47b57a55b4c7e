"""Entries of one tree found again in another by their paths, all at once: ids hold within one tree only."""

import numpy as np
import numpy.typing as npt

from spacemap.tree.columns import U8, EntryIds, Mask
from spacemap.tree.tree import Tree

Ids = npt.NDArray[np.int64]
_WORD = 8
"""Bytes of a name that are compared at a time."""


def found_again(old: Tree, entries: EntryIds, new: Tree) -> Ids:
    """Return, for each entry of the old tree, the one at the same path below the root in the new; -1 for none.

    Cost: the depth of the trees, times a binary search for all of a depth at a time.
    """
    wanted = with_ancestors(old, entries)
    parent = np.searchsorted(wanted, old.parent[wanted])
    result = np.full(len(wanted), -1, np.int64)
    if not len(wanted):
        return result
    result[0] = 0  # whatever the roots are called
    begin, end = 1, int(np.searchsorted(parent, 1))
    while begin < len(wanted):
        level = np.arange(begin, end)
        level = level[result[parent[level]] >= 0]
        result[level] = _children_named(new, result[parent[level]], old, wanted[level])
        begin, end = end, int(np.searchsorted(parent, end))
    return result[np.searchsorted(wanted, entries)]


def with_ancestors(tree: Tree, entries: EntryIds) -> Ids:
    """Return some entries and all that are above them, ascending, each once."""
    is_wanted = np.zeros(len(tree), np.bool_)
    at = np.unique(entries).astype(np.int64)
    while len(at):
        is_wanted[at] = True
        above = np.unique(tree.parent[at]).astype(np.int64)
        at = above[~is_wanted[above]]
    return np.flatnonzero(is_wanted)


def _children_named(tree: Tree, directories: Ids, names_of: Tree, entries: Ids) -> Ids:
    """Return the child in each directory that is called like an entry of another tree; -1 for none."""
    rows = np.searchsorted(tree.directories.entry, directories.astype(np.uint32))
    rows = np.minimum(rows, len(tree.directories.entry) - 1)
    is_directory = tree.directories.entry[rows] == directories
    low = tree.directories.first_child[rows].astype(np.int64)
    end = low + np.where(is_directory, tree.directories.child_count[rows], 0)
    high = end.copy()
    while len(open_ := np.flatnonzero(low < high)):
        middle = (low[open_] + high[open_]) // 2
        comes_before = _order(tree, middle, names_of, entries[open_]) < 0
        low[open_[comes_before]] = middle[comes_before] + 1
        high[open_[~comes_before]] = middle[~comes_before]
    result = np.full(len(entries), -1, np.int64)
    there = np.flatnonzero(low < end)
    same = there[_order(tree, low[there], names_of, entries[there]) == 0]
    result[same] = low[same]
    return result


def _order(left: Tree, of_left: Ids, right: Tree, of_right: Ids) -> npt.NDArray[np.int8]:
    """Return -1, 0 or 1, pair by pair, as the name on the left comes before, is equal, or comes after."""
    result = np.zeros(len(of_left), np.int8)
    undecided = np.arange(len(of_left))
    place = 0
    while len(undecided):
        ours, is_over = _words(left, of_left[undecided], place)
        theirs, _ = _words(right, of_right[undecided], place)
        result[undecided] = (ours > theirs).astype(np.int8) - (ours < theirs).astype(np.int8)
        # No name holds a zero byte, so a word that ends with one is the last, and equal words end together.
        undecided = undecided[(ours == theirs) & ~is_over]
        place += _WORD
    return result


def _words(tree: Tree, entries: Ids, place: int) -> tuple[npt.NDArray[np.uint64], Mask]:
    """Return eight bytes of each name as a number that sorts as they do, zeros after its end; and whether it ended."""
    names: U8 = np.frombuffer(tree.names, np.uint8)
    begin = tree.name_offset[entries].astype(np.int64) + place
    end = tree.name_offset[entries + 1].astype(np.int64)
    at = begin[:, None] + np.arange(_WORD)
    letters = np.where(at < end[:, None], names[np.minimum(at, len(names) - 1)], np.uint8(0))
    return np.ascontiguousarray(letters).view(">u8")[:, 0].astype(np.uint64), begin + _WORD > end
