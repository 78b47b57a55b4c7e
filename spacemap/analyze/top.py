"""The largest files and directories of a tree."""

import numpy as np
import numpy.typing as npt

from spacemap.tree.columns import I64, U64, Flag, Kind
from spacemap.tree.measure import Measure, sizes, subtree_sizes
from spacemap.tree.tree import Tree

_CHUNK = 131_072


def largest_files(tree: Tree, count: int, measure: Measure) -> I64:
    """Return the ids of the largest files, the largest first, equal ones by id. Each inode comes once."""
    best_ids, best_sizes = np.empty(0, np.int64), np.empty(0, np.uint64)
    left_out = np.uint8(Flag.REPEATED | Flag.FOLDED)
    for start in range(0, len(tree), _CHUNK):
        rows = slice(start, start + _CHUNK)
        is_file = (tree.kind[rows] == Kind.FILE) & ((tree.flags[rows] & left_out) == 0)
        values = sizes(tree, measure, rows)
        if len(best_ids) == count and count:
            # An equal size has a higher id here, so it cannot get in.
            is_file &= values > best_sizes[-1]
        found = np.flatnonzero(is_file)
        ids = np.concatenate([best_ids, found + start])
        all_sizes = np.concatenate([best_sizes, values[found]])
        chosen = _largest(all_sizes, count)
        best_ids, best_sizes = ids[chosen], all_sizes[chosen]
    return best_ids


def largest_directories(tree: Tree, count: int, measure: Measure) -> I64:
    """Return the ids of the directories with the largest subtrees, the root left out."""
    rows = _largest(subtree_sizes(tree, measure)[1:], count) + 1
    return tree.directories.entry[rows].astype(np.int64)


def _largest(values: U64, count: int) -> npt.NDArray[np.intp]:
    """Return the indices of the largest values, the largest first, equal ones in their order."""
    if count <= 0:
        return np.empty(0, np.intp)
    if count < len(values):
        least = np.partition(values, len(values) - count)[len(values) - count]
        above = np.flatnonzero(values > least)
        equal = np.flatnonzero(values == least)[: count - len(above)]
        candidates = np.sort(np.concatenate([above, equal]))
    else:
        candidates = np.arange(len(values))
    # Sorting by the complement keeps the order of equal values.
    return candidates[np.argsort(~values[candidates], kind="stable")]
