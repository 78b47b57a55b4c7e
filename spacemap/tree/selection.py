"""A part of a tree's entries: the same rows, in which only these have sizes and are added up."""

from dataclasses import dataclass, replace

import numpy as np

from spacemap.tree.columns import EntryIds, Flag, Kind, Mask
from spacemap.tree.measure import Measure, root_size, subtree_sizes
from spacemap.tree.rollup import roll_up_matching
from spacemap.tree.subtree import repeated_within
from spacemap.tree.tree import Links, Tree


@dataclass(frozen=True, slots=True)
class Hidden:
    """What a selection leaves out of some whole."""

    entries: int
    """Folded files each."""
    of_entries: int
    bytes: int
    of_bytes: int


@dataclass(frozen=True, slots=True)
class Applied:
    """A filter, as a report tells of it."""

    text: str
    directories: int
    """How many match."""
    hidden: Hidden


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a tree matches. Ids mean the same in both trees."""

    whole: Tree
    tree: Tree
    """Sizes, links and totals are those of what matches: anything else is there with 0 bytes. An inode counts once
    among the links that match; a directory of `totals` counts itself in any case, problems are those of everything."""
    matching: Mask

    def holds(self, entries: EntryIds) -> Mask:
        """Return which of some entries match, or have something below them that does."""
        mask = self.matching[entries]
        is_directory = self.whole.kind[entries] == Kind.DIRECTORY
        rows = self.whole.directories.entry.searchsorted(entries[is_directory].astype(np.uint32))
        mask[is_directory] |= _below(self.tree)[rows] > 0
        return mask

    def hidden_below(self, directory: int, measure: Measure) -> Hidden:
        """Return what is left out below a directory; its own bytes, too, when it does not match."""
        row = self.whole.directory_row(directory)
        of_bytes, kept = (int(subtree_sizes(tree, measure)[row]) for tree in (self.whole, self.tree))
        entries, kept_entries = (int(_below(tree)[row]) for tree in (self.whole, self.tree))
        return Hidden(entries - kept_entries, entries, of_bytes - kept, of_bytes)

    def hidden(self, measure: Measure) -> Hidden:
        """Return what is left out of everything, the root counted where it is an entry of a file system."""
        is_entry = bool(self.whole.name(0))
        below = self.hidden_below(0, measure)
        of_bytes = root_size(self.whole, measure)
        return Hidden(
            below.entries + (is_entry and not self.matching[0]),
            below.of_entries + is_entry,
            of_bytes - root_size(self.tree, measure),
            of_bytes,
        )

    def applied(self, text: str, measure: Measure) -> Applied:
        """Return what there is to tell of the filter with this text."""
        directories = np.count_nonzero(self.matching[self.whole.directories.entry])
        return Applied(text, int(directories), self.hidden(measure))


def select(tree: Tree, matching: Mask) -> Selection:
    """Return the selection of a mask. Cost: a roll-up of the tree, whatever its size matches."""
    links = tree.links
    is_linked = matching[links.entry]
    kept = Links(links.entry[is_linked], links.device[is_linked], links.link_count[is_linked])
    part = replace(tree, links=kept, apparent_size=tree.apparent_size * matching, blocks=tree.blocks * matching)
    flags = tree.flags & np.uint8(~Flag.REPEATED & 0xFF)
    flags[repeated_within(part, [slice(0, len(tree))])] |= np.uint8(Flag.REPEATED)
    part = replace(part, flags=flags)
    return Selection(tree, replace(part, totals=roll_up_matching(part, matching)), matching)


def _below(tree: Tree) -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    """Return how many entries are below each directory, folded files each."""
    return tree.totals.files + tree.totals.directories - np.uint64(1)
