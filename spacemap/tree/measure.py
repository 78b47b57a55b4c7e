"""Which of the two sizes of an entry a sum adds up, and those sums without overflow."""

from enum import Enum

import numpy as np

from spacemap.tree.columns import BLOCK_SIZE, U64, EntryIds, Flag, Unsigned
from spacemap.tree.tree import Tree

_CHUNK = 131_072


class Measure(Enum):
    """What is added up."""

    DISK = "disk usage"
    """`st_blocks` x 512."""
    APPARENT = "apparent size"
    """`st_size`."""


def unit_column(tree: Tree, measure: Measure) -> tuple[Unsigned, int]:
    """Return the stored column of a measure and how many bytes one unit of it is."""
    return (tree.blocks, BLOCK_SIZE) if measure is Measure.DISK else (tree.apparent_size, 1)


def sizes(tree: Tree, measure: Measure, rows: EntryIds | slice) -> U64:
    """Return bytes for the given entries."""
    column, unit = unit_column(tree, measure)
    result: U64 = column[rows].astype(np.uint64)
    return result * np.uint64(unit) if unit != 1 else result


def subtree_sizes(tree: Tree, measure: Measure) -> U64:
    """Return the bytes of each directory's subtree, aligned with `tree.directories`."""
    return tree.totals.disk if measure is Measure.DISK else tree.totals.apparent


def root_size(tree: Tree, measure: Measure) -> int:
    """Return the bytes of the whole tree, each inode once; exact even where 64 bits do not hold it."""
    column, unit = unit_column(tree, measure)
    if len(tree.totals.disk) and int(column.max()) * unit * len(tree) < 1 << 64:
        return int(subtree_sizes(tree, measure)[0])
    total = 0
    for start in range(0, len(tree), _CHUNK):
        rows = slice(start, start + _CHUNK)
        values = column[rows] * ((tree.flags[rows] & np.uint8(Flag.REPEATED)) == 0)
        high, low = values >> np.uint64(32), values & np.uint64(0xFFFFFFFF)
        total += (int(high.sum(dtype=np.uint64)) << 32) + int(low.sum(dtype=np.uint64))
    return total * unit
