"""Where one is in a tree, and the rows that are there."""

from dataclasses import dataclass, replace

import numpy as np

from spacemap.analyze.breakdown import Bucket
from spacemap.analyze.by import By
from spacemap.tree.columns import EntryIds
from spacemap.tui.look import View

BY_VIEW = {View.TYPES: By.TYPE, View.AGES: By.AGE, View.OWNERS: By.OWNER}
"""What the buckets of a view are by."""


@dataclass(frozen=True, slots=True)
class Place:
    """What is listed."""

    directory: int
    view: View = View.LIST
    bucket: str = ""
    """Key of the category, age, owner or reason that was opened; empty: the buckets themselves are the rows."""
    search: bytes = b""
    """Only names that contain this; see `names_containing`."""

    @property
    def shows_buckets(self) -> bool:
        """Whether the rows are buckets and not entries."""
        return (self.view in BY_VIEW or self.view is View.PROBLEMS) and not self.bucket

    @property
    def shows_children(self) -> bool:
        """Whether the rows are the entries of the directory, as a list or as tiles."""
        return self.view in (View.LIST, View.TREEMAP)

    @property
    def has_parent(self) -> bool:
        """Whether the first row leads to the directory above."""
        return self.view is View.LIST and self.directory != 0 and not self.search

    def has_rows_of(self, other: "Place") -> bool:
        """Whether another place of the same tree has the same rows, but for the one that leads up."""
        is_same = (self.directory, self.search) == (other.directory, other.search)
        return is_same and self.shows_children and other.shows_children

    def narrows(self, other: "Place") -> bool:
        """Whether the rows of another place of the same tree, which are entries, are these and perhaps more."""
        is_longer = self.search != other.search and self.search.startswith(other.search)
        return is_longer and replace(self, search=other.search) == other

    @property
    def is_flat(self) -> bool:
        """Whether the rows are entries of several directories."""
        return not self.shows_children and not self.shows_buckets


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a place, in their order."""

    entries: EntryIds
    buckets: tuple[Bucket, ...] = ()
    has_parent: bool = False
    """Whether the first row leads to the directory above."""

    def __len__(self) -> int:
        return len(self.entries) + len(self.buckets) + self.has_parent

    def entry(self, row: int) -> int | None:
        """Return the entry of a row; None for a bucket and for the row that leads up."""
        at = row - self.has_parent
        return int(self.entries[at]) if 0 <= at < len(self.entries) else None

    def row_of(self, entry: int) -> int | None:
        """Return the row of an entry, if there is one."""
        found = np.flatnonzero(self.entries == entry)
        return int(found[0]) + self.has_parent if len(found) else None
