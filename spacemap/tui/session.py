"""The session: where in which tree its user is, how it looks, and the rows that follow from that. No terminal."""

from dataclasses import replace

import numpy as np

from spacemap.analyze.breakdown import BreakdownOptions, Bucket, Partition, partition
from spacemap.analyze.by import By
from spacemap.analyze.categories import Category
from spacemap.analyze.conditions import Query
from spacemap.analyze.matching import check_query
from spacemap.analyze.owner import naming_owners
from spacemap.analyze.top import largest_files
from spacemap.tree.columns import EntryIds, Kind
from spacemap.tree.measure import Measure, subtree_sizes
from spacemap.tree.search import names_containing
from spacemap.tree.selection import Hidden, Selection
from spacemap.tree.snapshot import Snapshot
from spacemap.tree.subtree import names_below_root, nearest_entry
from spacemap.tree.tree import Tree
from spacemap.tui.ignored import Ignored
from spacemap.tui.look import CYCLE, Look, Sort, View
from spacemap.tui.marks import Marks, Range
from spacemap.tui.narrowing import Narrowing
from spacemap.tui.order import entry_bytes, ordered, ordered_as, ordered_buckets, visible
from spacemap.tui.place import BY_VIEW, Place, Rows
from spacemap.tui.reasons import entries_with, label_of, reasons
from spacemap.tui.trail import Trail, Visit

LARGEST = 1000
"""Rows of the view of the largest files."""
_WHOLE = (View.PROBLEMS, View.MARKED)
"""Views that leave out nothing because it is hidden or ignored."""


class Session:
    """A tree, a place in it, and a cursor. Everything is kept by path when the tree is replaced."""

    def __init__(self, snapshot: Snapshot, categories: tuple[Category, ...], look: Look | None = None) -> None:
        self.snapshot = snapshot
        self.look = look or Look()
        self.marks = Marks(snapshot.tree)
        self.reach: Range | None = None
        """The rows that were marked last by extending, as long as nothing else was done."""
        self.place = Place(0)
        self.cursor = 0
        """Row."""
        self.top = 0
        """First row on the screen."""
        self._categories = categories
        self._has_moved = False
        self._rows: Rows | None = None
        self._largest: int | None = None
        self._hidden = self._left_out = 0
        self._partitions: dict[By, Partition] = {}
        self._narrowing = Narrowing(categories)
        self._trail = Trail()
        self.ignored = Ignored()

    @property
    def tree(self) -> Tree:
        """The tree of now."""
        return self.snapshot.tree

    @property
    def selection(self) -> Selection | None:
        """What the filter lets through; None without one."""
        if self.look.filter is None:
            return None
        return self._narrowing.selection(self.snapshot, self.look.filter, self.look.measure)

    @property
    def amounts(self) -> Tree:
        """The tree with the sizes and sums that are shown: of what the filter lets through, or of everything.

        In the basket always of everything, since what is marked is removed with all that is in it.
        """
        selection = None if self.place.view is View.MARKED else self.selection
        return self.tree if selection is None else selection.tree

    @property
    def path(self) -> bytes:
        """Path of the directory that is listed."""
        return self.tree.path(self.place.directory)

    @property
    def current(self) -> int | None:
        """The entry under the cursor."""
        return self.rows().entry(self.cursor)

    def rows(self) -> Rows:
        """Return the rows, made when first asked for."""
        if self._rows is None:
            self._rows = self._make_rows()
            self._largest = None
        return self._rows

    def hidden(self) -> int:
        """Return how many rows are left out because they are hidden."""
        self.rows()
        return self._hidden

    def left_out(self) -> int:
        """Return how many rows are left out because they are ignored."""
        self.rows()
        return self._left_out

    def ignore(self) -> bool:
        """Ignore the entry under the cursor, or no longer; False where there is none."""
        entry = self.current
        if entry is None:
            return False
        self.ignored.switch(self.tree, entry)
        self._rows = None
        self._has_moved = True
        self._keep_cursor(None)
        return True

    def bucket_label(self) -> str:
        """Return what the bucket that was opened is called; empty for none."""
        if self.place.view is View.PROBLEMS:
            return label_of(self.place.bucket)
        if self.place.view not in BY_VIEW:
            return ""
        kinds = self.partition(BY_VIEW[self.place.view]).plan.kinds
        return next((kind.label for kind in kinds if kind.key == self.place.bucket), "")

    def whole(self) -> int:
        """Return the bytes of the directory that is listed, of which a row is a share; for the basket of all."""
        directory = 0 if self.place.view is View.MARKED else self.place.directory
        return int(subtree_sizes(self.amounts, self.look.measure)[self.tree.directory_row(directory)])

    def largest(self) -> int:
        """Return the bytes of the largest row, beside which bars are drawn."""
        if self._largest is None:
            rows = self.rows()
            amounts = entry_bytes(self.amounts, rows.entries, self.look.measure)
            of_buckets = (bucket.bytes for bucket in rows.buckets)
            self._largest = max(int(amounts.max(initial=0)), *of_buckets, 0)
        return self._largest

    def move_to(self, row: int) -> None:
        """Put the cursor on a row, or on the nearest there is."""
        self.cursor = max(min(row, len(self.rows()) - 1), 0)
        self._has_moved = True

    def change(self, look: Look) -> None:
        """Look at the same rows in another way; the cursor stays on its entry."""
        entry = self.current
        if (look.filter, look.measure) != (self.look.filter, self.look.measure):
            self._partitions.clear()
        self.look = look
        self._rows = None
        self._keep_cursor(entry if self._has_moved else None)

    def filter(self, query: Query | None) -> None:
        """Show and add up only what matches, here and everywhere; None: everything.

        Raises UsageError, and changes nothing, for a filter that cannot be asked of this snapshot.
        """
        if query is not None:
            check_query(query, self._categories, self.snapshot)
        self.change(replace(self.look, filter=query))

    def hidden_by_filter(self) -> Hidden | None:
        """Return how much of the directory that is listed the filter leaves out; None without one."""
        selection = self.selection
        return None if selection is None else selection.hidden_below(self.place.directory, self.look.measure)

    def sort_by(self, sort: Sort) -> None:
        """Order the rows; once more reverses them."""
        look = self.look
        self.change(
            replace(
                look,
                sort=sort,
                is_reversed=look.sort is sort and not look.is_reversed,
                # What rows are ordered by is to be seen.
                shows_items=look.shows_items or sort is Sort.ITEMS,
                shows_mtime=look.shows_mtime or sort is Sort.MTIME,
            )
        )

    def mark(self, marks: Marks) -> None:
        """Let other entries be marked."""
        self.marks = marks
        if self.place.view is View.MARKED:
            self._rows = None
            self._keep_cursor(None)

    def go(self, place: Place, entry: int | None = None) -> None:
        """List a place, with the cursor on an entry if it is there, else on the first row."""
        if self.place.view is not View.FOUND:
            self._trail.leave(self.tree, self.current)
        self._enter(place, entry)
        if place.view is not View.FOUND:
            self._trail.arrive(self.tree, Visit(place.directory, place.view, place.bucket))

    def revisit(self, steps: int) -> bool:
        """Go back (-1) or forward (1) to where this was, or to what is left of it; False where that ends."""
        if self.place.view is not View.FOUND:
            self._trail.leave(self.tree, self.current)
        visit = self._trail.step(self.tree, steps)
        if visit is not None:
            self._enter(Place(visit.directory, visit.view, visit.bucket), visit.cursor)
        return visit is not None

    def _enter(self, place: Place, entry: int | None) -> None:
        before, self.place = self.place, place
        rows, self._rows = self._rows, None
        if rows is not None and before.has_rows_of(place):
            # As tiles instead of a list: what takes long, finding and ordering them, is done.
            self._rows = replace(rows, has_parent=place.has_parent)
        elif rows is not None and place.narrows(before):
            self._rows, self._largest = self._make_rows(rows.entries), None
        self.cursor = self.top = 0
        self._has_moved = entry is not None
        if entry is not None:
            self._keep_cursor(entry)

    def open(self) -> bool:
        """Go where the row under the cursor leads; False when it leads nowhere."""
        rows, place = self.rows(), self.place
        if rows.has_parent and self.cursor == 0:
            return self.back()
        if place.shows_buckets:
            if not rows.buckets:
                return False
            self.go(replace(place, bucket=rows.buckets[self.cursor].key))
            return True
        entry = rows.entry(self.cursor)
        if entry is None:
            return False
        if place.is_flat:
            self.show(entry)
            return True
        if self.tree.kind[entry] != Kind.DIRECTORY:
            return False
        self.go(Place(entry, place.view))
        return True

    def show(self, entry: int) -> None:
        """List the directory that holds an entry, with the cursor on it, and let nothing hide it there."""
        if not self.look.shows_hidden and self._is_hidden(entry):
            self.look, self._rows = replace(self.look, shows_hidden=True), None
        if self.selection is not None and not self.selection.holds(np.array([entry]))[0]:
            self.change(replace(self.look, filter=None))
        self.go(Place(int(self.tree.parent[entry])), entry)

    def back(self) -> bool:
        """Leave a search, a bucket, a view, or the directory; False at the root."""
        place = self.place
        if place.search:
            self.go(Place(place.directory, self._view_of_children), self.current)
        elif place.bucket:
            key = place.bucket
            self.go(replace(place, bucket=""))
            self._has_moved = True
            self.cursor = next((row for row, bucket in enumerate(self.rows().buckets) if bucket.key == key), 0)
        elif not place.shows_children:
            self.go(Place(place.directory))
        elif place.directory != 0:
            self.go(Place(int(self.tree.parent[place.directory]), place.view), place.directory)
        else:
            return False
        return True

    def see(self, view: View) -> None:
        """Look at the directory in one of the views; in the one that is shown already, return to the list."""
        self._see(View.LIST if view is self.place.view else view)

    def see_next(self) -> None:
        """Look at the directory in the next view."""
        view = self.place.view
        self._see(CYCLE[(CYCLE.index(view) + 1) % len(CYCLE)] if view in CYCLE else CYCLE[0])

    def _see(self, view: View) -> None:
        place = Place(self.place.directory, view)
        has_same_rows = place.shows_children and self.place.shows_children and self._has_moved
        self.go(place, self.current if has_same_rows else None)

    @property
    def _view_of_children(self) -> View:
        return self.place.view if self.place.shows_children else View.LIST

    def search(self, text: bytes, *, everywhere: bool) -> None:
        """Leave only names that contain a text, of this directory or of the whole tree."""
        if not text and not everywhere:
            self.go(Place(self.place.directory, self._view_of_children))
            return
        self.go(Place(self.place.directory, View.FOUND if everywhere else self._view_of_children, search=text))

    def replace(self, snapshot: Snapshot) -> None:
        """Put another tree in the place of this one; place and cursor stay where they are by path."""
        old, entry = self.tree, self.current
        here = names_below_root(old, self.place.directory)
        there = None if entry is None or not self._has_moved else names_below_root(old, entry)
        cursor, top = self.cursor, self.top
        self.snapshot = snapshot
        self.marks = self.marks.found_in(snapshot.tree)
        self.reach = None  # it would keep the tree before
        self._partitions.clear()
        self._rows = None
        directory, found = nearest_entry(self.tree, here)
        if found < len(here) or self.tree.kind[directory] != Kind.DIRECTORY:
            if self.tree.kind[directory] != Kind.DIRECTORY:
                directory = int(self.tree.parent[directory])
            self._enter(Place(directory), None)
            return
        self.place = replace(self.place, directory=directory)
        self.top = top
        kept = None
        if there is not None:
            at, found = nearest_entry(self.tree, there)
            kept = at if found == len(there) else None
        self.cursor = cursor
        self._keep_cursor(kept)

    def _keep_cursor(self, entry: int | None) -> None:
        row = None if entry is None else self.rows().row_of(entry)
        self.cursor = max(min(self.cursor if row is None else row, len(self.rows()) - 1), 0)

    def _is_hidden(self, entry: int) -> bool:
        return not len(visible(self.tree, np.array([entry])))

    def _make_rows(self, wider: EntryIds | None = None) -> Rows:
        """Return the rows; `wider` has all their entries, and perhaps more, in the order of now."""
        place, tree = self.place, self.amounts
        if place.shows_buckets:
            self._hidden = self._left_out = 0
            return Rows(np.zeros(0, np.int64), self._buckets())
        entries = self._entries()
        if place.view is View.PROBLEMS:
            tree = self.tree
        if place.view in _WHOLE:
            self._hidden = self._left_out = 0
        else:
            entries, self._hidden, self._left_out = self.ignored.shown(tree, entries, self.look, is_deep=place.is_flat)
        in_order = ordered(tree, entries, self.look) if wider is None else ordered_as(wider, entries)
        return Rows(in_order, has_parent=place.has_parent)

    def _entries(self) -> EntryIds:
        """Return the entries of the place, ascending. What could not be read is never filtered."""
        place, tree, selection = self.place, self.amounts, self.selection
        match place.view:
            case View.LIST | View.TREEMAP:
                children = tree.children(place.directory)
                entries = names_containing(tree, slice(children.start, children.stop), place.search)
                return entries if selection is None else entries[selection.holds(entries)]
            case View.LARGEST:
                matching = None if selection is None else selection.matching
                return np.sort(largest_files(tree, LARGEST, self.look.measure, place.directory, matching))
            case View.PROBLEMS:
                return entries_with(tree, place.bucket)
            case View.MARKED:
                return self.marks.entries
            case View.FOUND:
                entries = names_containing(tree, slice(1, len(tree)), place.search)
                return entries if selection is None else entries[selection.matching[entries]]
            case View.TYPES | View.AGES | View.OWNERS:
                return self.partition(BY_VIEW[place.view]).entries(place.bucket, place.directory)

    def _buckets(self) -> tuple[Bucket, ...]:
        if self.place.view is View.PROBLEMS:
            return reasons(self.tree)
        by = BY_VIEW[self.place.view]
        buckets = self.partition(by).buckets(self.look.measure, self.place.directory)
        return ordered_buckets(buckets, by, self.look)

    def partition(self, by: By) -> Partition:
        """Return which category or age each entry of the tree has; found once for a tree."""
        if by not in self._partitions:
            facts = self.snapshot.facts
            options = BreakdownOptions(
                by,
                Measure.DISK,
                self._categories,
                now_seconds=facts.started_ns // 1_000_000_000,
                name_owner=naming_owners(facts.host),
            )
            matching = None if self.selection is None else self.selection.matching
            self._partitions[by] = partition(self.amounts, options, matching)
        return self._partitions[by]
