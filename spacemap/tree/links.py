"""Hard links: which entry stands for an inode, and how much a subtree shares with the rest of the world."""

import numpy as np
import numpy.typing as npt

from spacemap.tree.columns import U64, EntryIds, Flag
from spacemap.tree.tree import Tree

Rows = npt.NDArray[np.int64]


def mark_repeated(tree: Tree) -> None:
    """Set Flag.REPEATED on every link but the one with the lowest id of its inode; the tree is changed.

    A file that changes during the scan may be measured differently by each of its links: they all get the sizes of
    the one that counts, so that every sum agrees with every other.
    """
    by_inode, begins = grouped(tree)
    if not len(by_inode):
        return
    entry = tree.links.entry[by_inode]
    counted = entry[begins][np.cumsum(begins) - 1]
    tree.flags[entry[~begins]] |= np.uint8(Flag.REPEATED)
    tree.apparent_size[entry] = tree.apparent_size[counted]
    tree.blocks[entry] = tree.blocks[counted]


def other_links(tree: Tree, entry: int) -> EntryIds:
    """Return the other links of a file in the tree, ascending; none for what has but one name."""
    links = tree.links
    at = int(links.entry.searchsorted(np.uint32(entry)))
    if at == len(links.entry) or links.entry[at] != entry:
        return np.zeros(0, np.int64)
    same = (links.device == links.device[at]) & (tree.inode[links.entry] == tree.inode[entry])
    same[at] = False
    others: EntryIds = links.entry[same]
    return others


def grouped(tree: Tree, rows: Rows | None = None) -> tuple[Rows, npt.NDArray[np.bool_]]:
    """Return rows of the links, all by default, those of one inode together and their ids ascending; and where inodes
    begin."""
    links = tree.links
    rows = np.arange(len(links.entry)) if rows is None else rows
    entry, device = links.entry[rows], links.device[rows]
    inode = tree.inode[entry]
    order = np.lexsort((entry, inode, device))
    device, inode = device[order], inode[order]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (device[1:] != device[:-1]) | (inode[1:] != inode[:-1])
    return rows[order], begins


class LinkSums:
    """What hard links change in the sums of directories. Rows are those of `tree.directories`.

    `depth` and `parent` describe the directories; `position` numbers them depth-first, so that a subtree is one
    range of positions.
    """

    def __init__(self, tree: Tree, parent: Rows, depth: Rows, position: Rows) -> None:
        self._parent = parent
        self._depth = depth
        by_inode, begins = grouped(tree)
        entry = tree.links.entry[by_inode]
        directory = np.searchsorted(tree.directories.entry, tree.parent[entry])
        group = np.cumsum(begins) - 1
        # Depth-first within each group: neighbours then meet in the nearest common ancestor.
        by_place = np.lexsort((position[directory], group))
        entry, directory, group = entry[by_place], directory[by_place], group[by_place]
        same = np.flatnonzero(group[1:] == group[:-1]) + 1
        self.meeting = self._common_ancestor(directory[same - 1], directory[same])
        """Directory rows in which one more link of an inode meets the others: there it counts once too often."""
        self.repeated_apparent: U64 = tree.apparent_size[entry[same]].astype(np.uint64)
        self.repeated_disk: U64 = tree.disk_usage(entry[same])

        first, last = np.flatnonzero(begins), np.append(np.flatnonzero(begins)[1:], len(begins)) - 1
        top = self._common_ancestor(directory[first], directory[last]) if len(first) else first
        # What leads to an inode through a symlink is no link of it: deleting it frees nothing.
        is_link = (tree.flags[entry] & np.uint8(Flag.VIA_SYMLINK)) == 0
        size = np.bincount(group[is_link], minlength=len(first))
        complete = size >= tree.links.link_count[by_inode][first]
        self.closing = top[complete]
        """Directory rows that hold all links of an inode, for each such inode the deepest."""
        self.closing_disk: U64 = tree.disk_usage(entry[first[complete]])
        self.linked_directory = directory
        self.linked_disk: U64 = tree.disk_usage(entry)

    def _common_ancestor(self, left: Rows, right: Rows) -> Rows:
        """Return the nearest common ancestors, pair by pair; cost: the depth of the tree."""
        left, right = left.copy(), right.copy()
        while True:
            apart = np.flatnonzero(left != right)
            if not len(apart):
                return left
            a, b = left[apart], right[apart]
            climbs = self._depth[a] >= self._depth[b]
            left[apart] = np.where(climbs, self._parent[a], a)
            right[apart] = np.where(climbs & (self._depth[a] > self._depth[b]), b, self._parent[b])
