"""Sums over subtrees: a loop over depths, never over entries."""

import numpy as np
import numpy.typing as npt

from spacemap.tree.columns import BLOCK_SIZE, I64, U32, U64, Kind, Mask, Signed
from spacemap.tree.links import LinkSums
from spacemap.tree.place import bounds
from spacemap.tree.threads import in_two_threads
from spacemap.tree.tree import Totals, Tree

Rows = npt.NDArray[np.int64]


SHARED_FROM_ENTRIES = 100_000
"""Entries that are worth a second thread."""


def roll_up(tree: Tree) -> Totals:
    """Return the totals of each directory; within one subtree an inode counts once."""
    shape = _Shape(tree)
    return _added_up(tree, _Sums(tree, shape), _Counts(tree, shape))


def roll_up_matching(tree: Tree, matching: Mask) -> Totals:
    """Return the totals of what matches, of a tree that was rolled up before.

    Whatever else is there must have no sizes and no rows among the links, see `selection`. A directory counts itself
    whether it matches or not, so that what is below it is always one less. Problems are those of everything.
    """
    shape = _Shape(tree)
    return _added_up(tree, _SumsOfMatching(tree, shape, matching), _CountsOfMatching(tree, shape, matching))


def depth_first(tree: Tree) -> U32:
    """Return the rows of all directories such that what is below each follows it at once."""
    shape = _Shape(tree)
    below: U64 = np.ones(len(tree.directories.entry), np.uint64)
    shape.accumulate(below)
    result = np.zeros(len(below), np.uint32)
    result[shape.positions(below)] = np.arange(len(below), dtype=np.uint32)
    return result


def _added_up(tree: Tree, sums: "_Sums", counts: "_Counts") -> Totals:
    if len(tree) >= SHARED_FROM_ENTRIES:
        in_two_threads(sums.add_up, counts.add_up)
    else:
        sums.add_up()
        counts.add_up()
    return Totals(sums.apparent, sums.disk, sums.shared, counts.files, sums.directories, counts.problems, counts.newest)


class _Sums:
    """Both sizes of each subtree, what its hard links share, and how many directories it has."""

    def __init__(self, tree: Tree, shape: "_Shape") -> None:
        self._tree, self._shape = tree, shape
        size = len(tree.directories.entry)
        self.apparent: U64 = np.zeros(0, np.uint64)
        self.disk: U64 = np.zeros(0, np.uint64)
        self.shared: U64 = np.zeros(size, np.uint64)
        self.directories: U64 = np.ones(size, np.uint64)

    def add_up(self) -> None:
        tree, shape = self._tree, self._shape
        own = tree.directories.entry
        self.apparent = _children_sum(tree, tree.apparent_size)
        self.disk = _children_sum(tree, tree.blocks) * np.uint64(BLOCK_SIZE)
        self._count_directories()
        if len(tree.links.entry):
            links = LinkSums(tree, shape.parent, shape.depth, shape.positions(self._all_directories()))
            _subtract(self.apparent, links.meeting, links.repeated_apparent)
            _subtract(self.disk, links.meeting, links.repeated_disk)
            _add(self.shared, links.linked_directory, links.linked_disk)
            _subtract(self.shared, links.meeting, links.repeated_disk)
            _subtract(self.shared, links.closing, links.closing_disk)
        for column in (self.apparent, self.disk, self.shared):
            shape.accumulate(column)
        # Each directory's own size is in its parent's sum so far; now it joins its own.
        self.apparent += tree.apparent_size[own]
        self.disk += tree.disk_usage(own)

    def _count_directories(self) -> None:
        self._shape.accumulate(self.directories)

    def _all_directories(self) -> U64:
        """Return how many directories each subtree has, by which they are numbered depth-first."""
        return self.directories


class _SumsOfMatching(_Sums):
    """The same, with only those directories counted that match."""

    def __init__(self, tree: Tree, shape: "_Shape", matching: Mask) -> None:
        super().__init__(tree, shape)
        self.directories = matching[tree.directories.entry].astype(np.uint64)

    def _count_directories(self) -> None:
        itself = self.directories.copy()
        super()._count_directories()
        self.directories += np.uint64(1) - itself

    def _all_directories(self) -> U64:
        return self._tree.totals.directories


class _Counts:
    """How many files and problems each subtree has, and when it changed last."""

    def __init__(self, tree: Tree, shape: "_Shape") -> None:
        self._tree, self._shape = tree, shape
        self.files: U64 = np.zeros(0, np.uint64)
        self.problems: U64 = np.zeros(len(tree.directories.entry), np.uint64)
        self.newest: I64 = np.zeros(0, np.int64)

    def add_up(self) -> None:
        tree, shape = self._tree, self._shape
        directories = tree.directories
        subdirectories = np.bincount(shape.parent[1:], minlength=len(directories.entry)).astype(np.uint64)
        self.files = directories.child_count.astype(np.uint64) - subdirectories
        folded = tree.folded
        _add(self.files, shape.directory_of(tree, folded.entry), folded.file_count.astype(np.uint64) - np.uint64(1))
        _add(self.problems, shape.directory_of(tree, tree.problems.entry), np.ones(len(tree.problems), np.uint64))
        for column in (self.files, self.problems):
            shape.accumulate(column)
        self.newest = shape.newest(tree, tree.mtime)


class _CountsOfMatching(_Counts):
    """The same of what matches; the problems are those of everything."""

    def __init__(self, tree: Tree, shape: "_Shape", matching: Mask) -> None:
        super().__init__(tree, shape)
        self._matching = matching

    def add_up(self) -> None:
        tree, shape = self._tree, self._shape
        is_file = self._matching & (tree.kind != Kind.DIRECTORY)
        self.files = _children_sum(tree, is_file.view(np.uint8))
        folded = tree.folded
        more = (folded.file_count.astype(np.uint64) - np.uint64(1)) * self._matching[folded.entry]
        _add(self.files, shape.directory_of(tree, folded.entry), more)
        shape.accumulate(self.files)
        self.problems = tree.totals.problems
        never = tree.mtime.dtype.type(np.iinfo(tree.mtime.dtype).min)
        self.newest = shape.newest(tree, np.where(self._matching, tree.mtime, never))


def _add(column: U64, rows: Rows, values: U64) -> None:
    np.add.at(column, rows, values)


def _subtract(column: U64, rows: Rows, values: U64) -> None:
    # Modulo 2^64: a partial sum may go below 0, the sum over a subtree does not.
    np.subtract.at(column, rows, values)


def _children_sum(tree: Tree, column: npt.NDArray[np.unsignedinteger]) -> U64:
    """Return the sum of a column over the children of each directory."""
    result = np.zeros(len(tree.directories.entry), np.uint64)
    filled = np.flatnonzero(tree.directories.child_count)
    if len(filled):
        # Converted before: reduceat itself would convert piece by piece, and keep the interpreter's lock meanwhile.
        result[filled] = np.add.reduceat(column.astype(np.uint64, copy=False), tree.directories.first_child[filled])
    return result


class _Shape:
    """The directories as a tree of rows: parents, depths, and the levels from the root down."""

    def __init__(self, tree: Tree) -> None:
        entry = tree.directories.entry
        self.parent: Rows = np.searchsorted(entry, tree.parent[entry])
        # Breadth-first rows: a level is one slice, and the next one holds exactly its children.
        bounds = [0, 1]
        while bounds[-1] < len(entry):
            bounds.append(int(np.searchsorted(self.parent, bounds[-1])))
        self.levels = list(zip(bounds[:-1], bounds[1:], strict=True))
        self.depth: Rows = np.repeat(np.arange(len(self.levels)), [end - begin for begin, end in self.levels])
        self._families = [self._family(begin, end) for begin, end in self.levels[1:]]

    def _family(self, begin: int, end: int) -> tuple[Rows, Rows]:
        """Return where, in a level, the children of each parent begin, and those parents."""
        parent = self.parent[begin:end]
        first = bounds(parent)[:-1]
        return first + begin, parent[first]

    def accumulate(self, column: U64) -> None:
        """Add to every directory the values of all below it, the deepest level first."""
        for (_, end), (first, parent) in zip(reversed(self.levels[1:]), reversed(self._families), strict=True):
            column[parent] += np.add.reduceat(column[:end], first)

    def newest(self, tree: Tree, mtime: Signed) -> I64:
        """Return the newest mtime in each subtree, seconds; `mtime` has those of the entries."""
        directories = tree.directories
        result = mtime[directories.entry].astype(np.int64)
        if not mtime.any():  # times were left out
            return result
        filled = np.flatnonzero(directories.child_count)
        if len(filled):
            newest_child = np.maximum.reduceat(mtime, directories.first_child[filled])
            result[filled] = np.maximum(result[filled], newest_child)
        for (_, end), (first, parent) in zip(reversed(self.levels[1:]), reversed(self._families), strict=True):
            result[parent] = np.maximum(result[parent], np.maximum.reduceat(result[:end], first))
        return result

    def positions(self, subtree_directories: U64) -> Rows:
        """Return depth-first numbers of the directories, given how many each subtree has."""
        size = subtree_directories.astype(np.int64)
        position = np.zeros(len(size), np.int64)
        for (begin, end), (first, parent) in zip(self.levels[1:], self._families, strict=True):
            before = np.cumsum(size[begin:end]) - size[begin:end]
            counts = np.diff(np.append(first, end))
            position[begin:end] = before + np.repeat(position[parent] + 1 - before[first - begin], counts)
        return position

    def directory_of(self, tree: Tree, entries: npt.NDArray[np.uint32]) -> Rows:
        """Return the row of each entry's directory; a directory's own for a directory."""
        own = np.where(tree.kind[entries] == Kind.DIRECTORY, entries, tree.parent[entries])
        return np.searchsorted(tree.directories.entry, own)
