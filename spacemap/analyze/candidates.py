"""Files that could be duplicates: of equal size, several inodes; found from the columns, no file is opened."""

import os
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from spacemap.tree.columns import I64, U32, U64, Flag, Kind, Mask
from spacemap.tree.place import bounds, ranges
from spacemap.tree.tree import Tree

_UNUSABLE = np.uint8(Flag.FOLDED | Flag.UNMEASURED | Flag.VIA_SYMLINK)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Inodes that share their size with another, one row each; files of one size are a class, and side by side."""

    entry: U32
    """The link with the lowest id."""
    device: U64
    inode: U64
    size: U64
    """Bytes, of the files of each class."""
    begin: I64
    """Length c + 1: where each class begins. The one with the most to gain comes first."""
    empty: U32
    """Empty files, ascending."""
    other: U32
    """Further links of candidates."""
    other_of: I64
    """Which candidate each of them is a link of; ascending, the links of one by id."""

    def __len__(self) -> int:
        return len(self.entry)


def find_candidates(tree: Tree, min_size: int, max_size: int | None, matching: Mask | None) -> Candidates:
    """Return the candidates of a tree: files of at least and at most so many bytes, among those that match.

    What was reached through a symlink, folded or not measured is none of them. Rows of a class ascend by device and
    inode.
    """
    usable = (tree.kind == Kind.FILE) & ((tree.flags & _UNUSABLE) == 0)
    usable[0] = False
    if matching is not None:
        usable &= matching
    empty = np.flatnonzero(usable & (tree.apparent_size == 0)).astype(np.uint32)
    usable &= (tree.apparent_size >= max(min_size, 1)) & (tree.apparent_size <= (max_size or np.iinfo(np.int64).max))
    considered = np.flatnonzero(usable).astype(np.uint32)
    entry = considered[_is_repeated(tree.apparent_size[considered])]
    size, device, inode = tree.apparent_size[entry].astype(np.uint64), devices_of(tree, entry), tree.inode[entry]
    order = np.lexsort((inode, device, size))
    size, device, inode, entry = size[order], device[order], inode[order], entry[order]
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = (size[1:] != size[:-1]) | (device[1:] != device[:-1]) | (inode[1:] != inode[:-1])
    other, other_of = entry[~is_first], (np.cumsum(is_first) - 1)[~is_first]
    size, device, inode, entry = size[is_first], device[is_first], inode[is_first].astype(np.uint64), entry[is_first]
    begin = bounds(size)
    count = np.diff(begin)
    gain = size[begin[:-1]] * np.maximum(count - 1, 0).astype(np.uint64)
    classes = np.argsort(np.iinfo(np.uint64).max - gain, kind="stable")
    classes = classes[count[classes] > 1]
    rows = ranges(begin[:-1][classes], count[classes])
    row_of = np.full(len(entry), -1, np.int64)
    row_of[rows] = np.arange(len(rows))
    other_of = row_of[other_of]
    by_row = np.argsort(other_of, kind="stable")
    by_row = by_row[other_of[by_row] >= 0]
    return Candidates(
        entry=entry[rows],
        device=device[rows],
        inode=inode[rows],
        size=size[begin[:-1][classes]],
        begin=np.concatenate([[0], np.cumsum(count[classes])]).astype(np.int64),
        empty=empty,
        other=other[by_row],
        other_of=other_of[by_row],
    )


def _is_repeated(size: U64) -> Mask:
    """Return which values occur more than once."""
    order = np.argsort(size, kind="stable")
    ascending = size[order]
    same = ascending[1:] == ascending[:-1]
    repeated = np.zeros(len(size), np.bool_)
    repeated[order[1:]] |= same
    repeated[order[:-1]] |= same
    return repeated


def devices_of(tree: Tree, entry: U32) -> U64:
    """Return the device of each file: that of its directory, or the one by which links were told apart."""
    device = tree.directories.device[tree.directories.entry.searchsorted(tree.parent[entry])]
    at = tree.links.entry.searchsorted(entry)
    at[at == len(tree.links.entry)] = 0
    if len(tree.links.entry):
        is_link = tree.links.entry[at] == entry
        device[is_link] = tree.links.device[at[is_link]]
    if not tree.name(0):  # a root that is a file has no directory in the tree
        for row in np.flatnonzero(tree.parent[entry] == 0).tolist():
            with suppress(OSError):  # it is gone, and will be found so
                device[row] = os.lstat(tree.path(int(entry[row]))).st_dev
    return device
