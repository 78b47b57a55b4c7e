"""Entries that their user does not want to see for now. Kept by names, which outlive a tree."""

import numpy as np

from spacemap.tree.columns import EntryIds, Mask
from spacemap.tree.subtree import names_below_root, nearest_entry, subtree_slices
from spacemap.tree.tree import Tree
from spacemap.tui.look import Look
from spacemap.tui.order import visible


class Ignored:
    """A set of entries, found again in every tree."""

    def __init__(self) -> None:
        self._names: set[tuple[bytes, ...]] = set()
        self._found: tuple[Tree | None, list[int]] = (None, [])

    def __len__(self) -> int:
        return len(self._names)

    def switch(self, tree: Tree, entry: int) -> None:
        """Ignore an entry, or no longer."""
        self._names ^= {names_below_root(tree, entry)}
        self._found = (None, [])

    def holds(self, tree: Tree, entry: int) -> bool:
        """Return whether an entry is one of them."""
        return entry in self.entries(tree)

    def entries(self, tree: Tree) -> list[int]:
        """Return what of a tree is ignored, ascending, without what is below it."""
        if self._found[0] is not tree:
            found = (nearest_entry(tree, names) + (len(names),) for names in self._names)
            self._found = (tree, sorted(entry for entry, known, length in found if known == length))
        return self._found[1]

    def shown(self, tree: Tree, entries: EntryIds, look: Look, *, is_deep: bool) -> tuple[EntryIds, int, int]:
        """Return ascending entries that a look shows, and how many it hides and how many of the others are ignored."""
        left = entries if look.shows_hidden else visible(tree, entries)
        hidden, count = len(entries) - len(left), len(left)
        if not look.shows_ignored:
            left = self.without(tree, left, is_deep=is_deep)
        return left, hidden, count - len(left)

    def without(self, tree: Tree, entries: EntryIds, *, is_deep: bool) -> EntryIds:
        """Return ascending entries without what is ignored; `is_deep`: and without all that is below it."""
        if not self._names:
            return entries
        is_left: Mask = np.ones(len(entries), np.bool_)
        for ignored in self.entries(tree):
            for part in subtree_slices(tree, ignored) if is_deep else (slice(ignored, ignored + 1),):
                begin, end = np.searchsorted(entries, [part.start, part.stop]).tolist()
                is_left[begin:end] = False
        return entries[is_left]
