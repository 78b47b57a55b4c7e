"""What removing a set of entries would free: nested entries once, an inode once, and only with its last link."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spacemap.tree.columns import U64, EntryIds, Flag, Kind, Mask
from spacemap.tree.links import grouped
from spacemap.tree.tree import Tree

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reclaim:
    """What goes when a set of entries is removed with everything below it."""

    entries: int
    """Names that go, directories and every link counted, each folded file too."""
    disk: int
    """Bytes of disk usage of what goes, each inode once."""
    shared: int
    """Bytes of it that stay all the same: hard links elsewhere, or unknown ones, keep them."""

    @property
    def exclusive(self) -> int:
        """Bytes that come free."""
        return self.disk - self.shared


def outermost(tree: Tree, entries: EntryIds) -> Ids:
    """Return the entries that are below none of the others, ascending, each once."""
    own = np.unique(entries).astype(np.int64)
    if not len(own):
        return own
    chosen = _mask(tree, own)
    # Many have the same parent, and what is below one of the others has its parent covered.
    parent = tree.parent[own].astype(np.int64)
    begins = np.ones(len(own), np.bool_)
    begins[1:] = parent[1:] != parent[:-1]  # ascending, since entries are breadth-first
    is_below = (owners(tree, parent[begins], chosen) >= 0)[np.cumsum(begins) - 1]
    is_below &= own != 0  # the root is its own parent
    result: Ids = own[~is_below]
    return result


def owners(tree: Tree, entries: EntryIds, chosen: Mask) -> Ids:
    """Return for each entry the nearest chosen one among itself and those above it; -1 for none.

    `chosen` has a value for each entry of the tree. Cost: the depth of the tree, over the entries asked for.
    """
    result = np.full(len(entries), -1, np.int64)
    waiting = np.arange(len(entries))
    at = entries.astype(np.int64)
    while len(waiting):
        found = chosen[at]
        result[waiting[found]] = at[found]
        goes_on = ~found & (at != 0)
        waiting, at = waiting[goes_on], tree.parent[at[goes_on]].astype(np.int64)
    return result


def covered(tree: Tree, candidates: EntryIds, entries: EntryIds) -> Mask:
    """Return which candidates are among some entries, or below one of them."""
    result: Mask = owners(tree, candidates, _mask(tree, entries)) >= 0
    return result


def reclaim(tree: Tree, entries: EntryIds) -> Reclaim:
    """Return what removing the entries would free. Cost: that of the entries and of all links, times the depth."""
    tops = outermost(tree, entries)
    is_directory = tree.kind[tops] == Kind.DIRECTORY
    rows = np.searchsorted(tree.directories.entry, tops[is_directory].astype(np.uint32))
    files = tops[~is_directory]
    disk = int(tree.totals.disk[rows].sum(dtype=np.uint64)) + int(tree.disk_usage(files).sum(dtype=np.uint64))
    count = int((tree.totals.files[rows] + tree.totals.directories[rows]).sum(dtype=np.uint64)) + len(files)
    count += _folded_among(tree, files)
    repeated, shared = _links_within(tree, tops)
    return Reclaim(count, disk - repeated, shared)


def shared_alone(tree: Tree, entries: EntryIds) -> U64:
    """Return the bytes of each entry that removing it alone would not free."""
    is_linked = (tree.flags[entries] & np.uint8(Flag.LINKED)) != 0
    result: U64 = tree.disk_usage(entries) * is_linked
    is_directory = tree.kind[entries] == Kind.DIRECTORY
    rows = np.searchsorted(tree.directories.entry, entries[is_directory].astype(np.uint32))
    result[is_directory] = tree.totals.shared[rows]
    return result


def other_holders(tree: Tree, entries: EntryIds) -> Ids:
    """Return the directories outside a set of entries that hold links to inodes within it, ascending."""
    links = tree.links
    if not len(links.entry):
        return np.zeros(0, np.int64)
    is_within = covered(tree, links.entry, entries)
    group = _inode_groups(tree)
    touched = np.zeros(int(group.max()) + 1, np.bool_)
    touched[group[is_within]] = True
    return np.unique(tree.parent[links.entry[touched[group] & ~is_within]]).astype(np.int64)


def _mask(tree: Tree, entries: EntryIds) -> Mask:
    mask = np.zeros(len(tree), np.bool_)
    mask[entries] = True
    return mask


def _folded_among(tree: Tree, files: Ids) -> int:
    """Return how many more files some entries stand for than there are entries."""
    folded = tree.folded
    counts = folded.file_count[np.isin(folded.entry, files)]
    return int(counts.sum(dtype=np.uint64)) - len(counts)


def _links_within(tree: Tree, tops: Ids) -> tuple[int, int]:
    """Return the bytes that the sizes of the entries count more than once, and those that links elsewhere keep."""
    links = tree.links
    owner = owners(tree, links.entry, _mask(tree, tops))
    within = np.flatnonzero(owner >= 0)
    if not len(within):
        return 0, 0
    group = _inode_groups(tree)[within]
    owner, entry = owner[within], links.entry[within]
    order = np.lexsort((owner, group))
    group, owner, entry, count = group[order], owner[order], entry[order], links.link_count[within][order]
    begins = np.ones(len(group), np.bool_)
    begins[1:] = group[1:] != group[:-1]
    # Once below each owner is how the totals of directories count.
    is_again = ~begins
    is_again[1:] &= owner[1:] != owner[:-1]
    disk = tree.disk_usage(entry)
    # What leads to an inode through a symlink is no link of it: removing it frees nothing.
    is_link = (tree.flags[entry] & np.uint8(Flag.VIA_SYMLINK)) == 0
    first = np.flatnonzero(begins)
    known = np.add.reduceat(is_link.astype(np.int64), first)
    stays = known < count[first]
    return int(disk[is_again].sum(dtype=np.uint64)), int(disk[first[stays]].sum(dtype=np.uint64))


def _inode_groups(tree: Tree) -> Ids:
    """Return a number for each link, equal for those of one inode."""
    by_inode, begins = grouped(tree)
    result = np.empty(len(by_inode), np.int64)
    result[by_inode] = np.cumsum(begins) - 1
    return result
