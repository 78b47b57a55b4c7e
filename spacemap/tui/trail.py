"""The places that were looked at, one after another, as pages in a browser. Kept by names, which outlive a tree."""

from dataclasses import dataclass, replace

from spacemap.tree.columns import Kind
from spacemap.tree.subtree import names_below_root, nearest_entry
from spacemap.tree.tree import Tree
from spacemap.tui.look import View

MOST = 200
"""Visits that are remembered."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A place, and the entry under the cursor when it was left."""

    directory: int
    view: View
    bucket: str = ""
    cursor: int | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    """A visit by names."""

    directory: tuple[bytes, ...]
    view: View
    bucket: str
    cursor: tuple[bytes, ...] | None = None


class Trail:
    """Visits, of which one is now; going somewhere else forgets what came after it."""

    def __init__(self) -> None:
        self._visits = [_Kept((), View.LIST, "")]
        self._at = 0

    def leave(self, tree: Tree, cursor: int | None) -> None:
        """Remember where the cursor is."""
        names = None if cursor is None else names_below_root(tree, cursor)
        self._visits[self._at] = replace(self._visits[self._at], cursor=names)

    def arrive(self, tree: Tree, visit: Visit) -> None:
        """Be somewhere else now; the same place once more is no visit."""
        kept = _Kept(names_below_root(tree, visit.directory), visit.view, visit.bucket)
        if kept == replace(self._visits[self._at], cursor=None):
            return
        self._visits = [*self._visits[: self._at + 1], kept][-MOST:]
        self._at = len(self._visits) - 1

    def step(self, tree: Tree, steps: int) -> Visit | None:
        """Go back (-1) or forward (1); return what was there, or what is left of it: None where the trail ends."""
        if not 0 <= self._at + steps < len(self._visits):
            return None
        self._at += steps
        kept = self._visits[self._at]
        directory, found = nearest_entry(tree, kept.directory)
        if tree.kind[directory] != Kind.DIRECTORY:
            directory = int(tree.parent[directory])
        elif found == len(kept.directory):
            entry, found = nearest_entry(tree, kept.cursor or ())
            is_there = kept.cursor is not None and found == len(kept.cursor)
            return Visit(directory, kept.view, kept.bucket, entry if is_there else None)
        return Visit(directory, View.LIST)
