"""What is marked: a set of entries of one tree, never changed but replaced, and how keys change it. No terminal."""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from spacemap.tree.again import found_again, with_ancestors
from spacemap.tree.columns import EntryIds, Flag, Mask
from spacemap.tree.reclaim import Reclaim, reclaim
from spacemap.tree.tree import Tree

LARGE = 100_000
"""Marks, or hard links in the tree, from which adding up is worth a thread."""
Ids = npt.NDArray[np.int64]


class Mark(Enum):
    """How an entry has to do with what is marked."""

    NONE = ""
    MARKED = "marked"
    BELOW = "below what is marked: it goes with that"
    ABOVE = "something below is marked"


class Marks:
    """Entries that are marked, ascending; one below another counts once."""

    def __init__(self, tree: Tree, entries: EntryIds | None = None) -> None:
        """Mark ascending entries, each once; what cannot be removed by itself is left out."""
        self.tree = tree
        self.entries: Ids = np.zeros(0, np.int64) if entries is None else markable(tree, entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, entry: int) -> bool:
        return _holds(self.entries, entry)

    def of(self, entry: int) -> Mark:
        """Return how an entry has to do with what is marked. Cost: its depth."""
        if not len(self.entries):
            return Mark.NONE
        if entry in self:
            return Mark.MARKED
        if any(above in self for above in self.tree.ancestors(entry)):
            return Mark.BELOW
        return Mark.ABOVE if _holds(self._above, entry) else Mark.NONE

    def of_some(self, entries: EntryIds) -> Mark:
        """Return how entries of one directory have to do with what is marked, as if they were one. Cost: their number,
        where anything is marked."""
        if not len(self.entries) or not len(entries):
            return Mark.NONE
        if _holds_any(self.entries, entries) or _holds_any(self._above, entries):
            return Mark.ABOVE
        return self.of(int(entries[0]))

    def plus(self, entries: EntryIds) -> "Marks":
        """Return these marks and others."""
        return Marks(self.tree, np.flatnonzero(self._mask() | _mask(self.tree, entries)))

    def switched(self, entries: EntryIds) -> "Marks":
        """Return the marks with each of the entries marked that is not, and the others not."""
        if len(entries) == 1:  # no pass over the whole tree for one key
            at = int(self.entries.searchsorted(entries[0]))
            is_marked = int(entries[0]) in self
            changed: Ids = np.delete(self.entries, at) if is_marked else np.insert(self.entries, at, entries[0])
            return Marks(self.tree, changed)
        return Marks(self.tree, np.flatnonzero(self._mask() ^ _mask(self.tree, entries)))

    def found_in(self, tree: Tree) -> "Marks":
        """Return the marks in another tree, by path; what is gone is not marked."""
        if not len(self.entries):
            return Marks(tree)
        found = found_again(self.tree, self.entries, tree)
        return Marks(tree, np.unique(found[found >= 0]))

    @property
    def is_added_up(self) -> bool:
        """Whether `sum` costs nothing, or so little that nobody notices."""
        return "sum" in self.__dict__ or len(self.entries) + len(self.tree.links.entry) < LARGE

    @cached_property
    def sum(self) -> Reclaim:
        """What removing all of them would free."""
        return reclaim(self.tree, self.entries)

    def _mask(self) -> Mask:
        return _mask(self.tree, self.entries)

    @cached_property
    def _above(self) -> Ids:
        return with_ancestors(self.tree, self.tree.parent[self.entries])


@dataclass(frozen=True, slots=True)
class Range:
    """Rows that are being marked one after another from a first one."""

    first: int
    """Row."""
    cursor: int
    before: Marks
    """What was marked before it began."""
    after: Marks


def markable(tree: Tree, entries: EntryIds) -> Ids:
    """Return those of ascending entries that can be removed by themselves: no root, no folded files."""
    is_root = entries == 0 if tree.name(0) else tree.parent[entries] == 0
    is_folded = (tree.flags[entries] & np.uint8(Flag.FOLDED)) != 0
    result: Ids = entries[~is_root & ~is_folded].astype(np.int64)
    return result


def _mask(tree: Tree, entries: EntryIds) -> Mask:
    mask = np.zeros(len(tree), np.bool_)
    mask[entries] = True
    return mask


def _holds(entries: Ids, entry: int) -> bool:
    at = int(entries.searchsorted(entry))
    return at < len(entries) and int(entries[at]) == entry


def _holds_any(entries: Ids, some: EntryIds) -> bool:
    at = np.minimum(entries.searchsorted(some), len(entries) - 1)
    return bool((entries[at] == some).any())
