"""The largest files and directories of a tree."""

import numpy as np
import numpy.typing as npt

from spacemap.tree.columns import I64, U64, Flag, Kind, Mask
from spacemap.tree.measure import Measure, sizes, subtree_sizes
from spacemap.tree.subtree import repeated_within, subtree_slices
from spacemap.tree.tree import Tree

_CHUNK = 131_072


def largest_files(tree: Tree, count: int, measure: Measure, directory: int = 0, matching: Mask | None = None) -> I64:
    """Return the ids of the largest files below a directory, the largest first, equal ones by id.

    Each inode comes once. With `matching`, the tree is that of a selection.
    """
    best_ids, best_sizes = np.empty(0, np.int64), np.empty(0, np.uint64)
    parts = subtree_slices(tree, directory)
    repeated = repeated_within(tree, parts)
    for rows in (
        slice(start, min(start + _CHUNK, part.stop)) for part in parts for start in range(part.start, part.stop, _CHUNK)
    ):
        start = rows.start
        is_file = (tree.kind[rows] == Kind.FILE) & ((tree.flags[rows] & np.uint8(Flag.FOLDED)) == 0)
        if matching is not None:
            is_file &= matching[rows]
        begin, end = np.searchsorted(repeated, [rows.start, rows.stop]).tolist()
        is_file[repeated[begin:end].astype(np.intp) - start] = False
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


def largest_directories(tree: Tree, count: int, measure: Measure, among: Mask | None = None) -> I64:
    """Return the ids of the directories with the largest subtrees, the root left out.

    `among` says for each directory whether it may be one of them.
    """
    rows = np.arange(1, len(tree.directories.entry))
    if among is not None:
        rows = rows[among[1:]]
    largest = rows[_largest(subtree_sizes(tree, measure)[rows], count)]
    return tree.directories.entry[largest].astype(np.int64)


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
