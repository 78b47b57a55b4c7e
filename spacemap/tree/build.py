"""From batches in any order of arrival to one Tree in canonical order."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace

import numpy as np

from spacemap.tree.batch import Batch
from spacemap.tree.columns import U8, U32, U64, Kind, Skip
from spacemap.tree.links import mark_repeated
from spacemap.tree.order import Decision, Order, References, canonical_order
from spacemap.tree.place import Column, Index, move_slices
from spacemap.tree.rollup import roll_up
from spacemap.tree.tree import Directories, Folded, Links, Problems, Totals, Tree

Slices = tuple[Index, Index, Index]
"""Ids of first entries, and rows of a batch: to, begin, end."""


def build_tree(batches: list[Batch], decisions: Mapping[int, Decision]) -> Tree:
    """Return the tree of all batches. Each is taken from the list as it is used, so that its memory can go.

    The first batch begins with the root, reference 0. `decisions` are keyed by reference; a directory with neither
    a listing nor a decision becomes unlisted.
    """
    refs = References(batches)
    order = canonical_order(batches, refs, decisions)
    slices = [order.slices(number, batch) for number, batch in enumerate(batches)]
    columns = _Columns(batches, slices)
    directories = _directories(batches, order)
    side = _SideTables(refs, order)
    # In order of arrival: neighbours there share memory, which goes with the last of them.
    batches.reverse()
    for number in range(len(batches)):
        batch = batches.pop()
        columns.put(batch, slices[number])
        side.put(number, batch, slices[number])
        del batch
    entry = np.flatnonzero(columns.kind == Kind.DIRECTORY).astype(np.uint32)
    columns.leave_out(entry[np.isin(directories.skip, ELSEWHERE)])
    side.decide(decisions)
    tree = columns.tree(replace(directories, entry=entry), side)
    mark_repeated(tree)
    tree = replace(tree, totals=roll_up(tree))
    _freeze(tree)
    return tree


ELSEWHERE = [Skip.OTHER_DEVICE, Skip.KERNEL_FS, Skip.SECOND_VIEW]
"""What is skipped for these reasons is not part of this tree: as in `du -x`, not even the directory itself counts."""


class _Columns:
    """The columns of the entries, filled batch by batch; names in a blob whose layout is known beforehand."""

    def __init__(self, batches: Sequence[Batch], slices: Sequence[Slices]) -> None:
        size = sum(int((end - begin).sum()) for _, begin, end in slices)
        length = np.zeros(size, np.uint16)
        for batch, places in zip(batches, slices, strict=True):
            move_slices(length, batch.name_length, *places, 2)
        total = int(length.sum(dtype=np.int64))
        self.offset: U32 | U64
        self.offset = np.zeros(size + 1, np.uint32) if total < 1 << 32 else np.zeros(size + 1, np.uint64)
        np.cumsum(length, out=self.offset[1:])
        self.names = bytearray(total)
        self.kind: U8 = np.zeros(size, np.uint8)
        self._columns = {
            name: np.zeros(size, _widest(batches, name))
            for name in ("flags", "apparent_size", "blocks", "mtime", "inode")
        }

    def put(self, batch: Batch, slices: Slices) -> None:
        """Bring the entries of a batch to their places."""
        for name, column in (("kind", self.kind), *self._columns.items()):
            values = getattr(batch, name)
            if len(values):
                move_slices(column, values.astype(column.dtype, copy=False), *slices, column.itemsize)
        to, begin, end = slices
        local = np.zeros(len(batch) + 1, np.int64)
        np.cumsum(batch.name_length, out=local[1:])
        # Empty slices may stand at the very end, where no entry is.
        filled = np.flatnonzero(end > begin)
        places = self.offset[to[filled]].astype(np.int64)
        move_slices(self.names, batch.names, places, local[begin[filled]], local[end[filled]], 1)

    def leave_out(self, entries: U32) -> None:
        """Let entries add nothing to any sum."""
        for name in ("apparent_size", "blocks"):
            self._columns[name][entries] = 0

    def tree(self, directories: Directories, side: "_SideTables") -> Tree:
        """Return the tree, not rolled up."""
        parent = np.zeros(len(self.kind), np.uint32)
        parent[1:] = np.repeat(directories.entry, directories.child_count)
        return Tree(
            parent=parent,
            kind=self.kind,
            **self._columns,
            name_offset=self.offset,
            names=memoryview(self.names).toreadonly(),
            directories=directories,
            links=side.links(),
            problems=side.problems(directories.entry),
            folded=side.folded(),
            totals=Totals.none(),
        )


def _widest(batches: Sequence[Batch], name: str) -> np.dtype[np.generic]:
    """Return the narrowest type that holds a column of all batches, one byte at least."""
    dtypes = {getattr(batch, name).dtype for batch in batches if len(getattr(batch, name))}
    return max(dtypes, key=lambda each: each.itemsize, default=np.dtype(np.uint8))


def _ids(rows: Index, slices: Slices) -> Index:
    """Return the ids of rows of a batch; -1 for one that the tree does not reach."""
    to, begin, end = slices
    filled = np.flatnonzero(end > begin)
    if not len(filled):
        return np.full(len(rows), -1, np.int64)
    to, begin, end = to[filled], begin[filled], end[filled]
    at = np.maximum(np.searchsorted(begin, rows, side="right") - 1, 0)
    return np.where((rows >= begin[at]) & (rows < end[at]), to[at] + rows - begin[at], -1)


class _SideTables:
    """Links, problems and aggregates, collected batch by batch."""

    def __init__(self, refs: References, order: Order) -> None:
        self._refs = refs
        self._order = order
        self._links: list[tuple[Column, ...]] = []
        self._problems: list[tuple[Column, ...]] = []
        self._directory_problems: list[tuple[Column, ...]] = []
        """With the row of the directory in place of its id."""
        self._folded: list[tuple[Column, ...]] = []

    def put(self, number: int, batch: Batch, slices: Slices) -> None:
        """Take what one batch has."""
        if len(batch.link_index):
            entry = _ids(batch.link_index.astype(np.int64), slices)
            self._links.append((entry, batch.link_device.copy(), batch.link_count.copy()))
        if batch.fold_row is not None and batch.fold_count is not None:
            self._folded.append((_ids(batch.fold_row.astype(np.int64), slices), batch.fold_count))
        if not len(batch.problem_ref):
            return
        raw = self._refs.rows(batch.problem_ref)
        row = raw - self._refs.start[number]
        is_own = (row >= 0) & (row < len(batch))
        own, other = np.flatnonzero(is_own), np.flatnonzero(~is_own)
        what = batch.problem_operation, batch.problem_errno
        self._problems.append((_ids(row[own], slices), *(column[own] for column in what)))
        self._directory_problems.append((self._order.rows_of(raw[other]), *(column[other] for column in what)))

    def decide(self, decisions: Mapping[int, Decision]) -> None:
        """Take the problems that decisions record."""
        failed = {ref: decision for ref, decision in decisions.items() if decision.operation}
        row = self._order.rows_of(self._refs.rows(np.array(list(failed), np.uint64)))
        operation = np.array([decision.operation for decision in failed.values()], np.uint8)
        errno = np.array([decision.errno for decision in failed.values()], np.uint32)
        self._directory_problems.append((row, operation, errno))

    def links(self) -> Links:
        entry, (device, count) = _sorted_by_entry(self._links, columns=2)
        return Links(entry=entry, device=device.astype(np.uint64), link_count=count.astype(np.uint32))

    def problems(self, directory_entry: U32) -> Problems:
        for row, *what in self._directory_problems:
            is_reached = row.astype(np.int64) >= 0
            entry = np.where(is_reached, directory_entry[np.where(is_reached, row, 0)].astype(np.int64), -1)
            self._problems.append((entry, *what))
        entry, (operation, errno) = _sorted_by_entry(self._problems, columns=2)
        return Problems(entry=entry, operation=operation.astype(np.uint8), errno=errno.astype(np.uint32))

    def folded(self) -> Folded:
        entry, (count,) = _sorted_by_entry(self._folded, columns=1)
        return Folded(entry=entry, file_count=count.astype(np.uint32))


def _sorted_by_entry(parts: list[tuple[Column, ...]], *, columns: int) -> tuple[U32, list[Column]]:
    """Return a side table by ascending entry, without entries that the tree does not reach."""
    none = np.zeros(0, np.uint8)
    entry = np.concatenate([none, *(part[0] for part in parts)]).astype(np.int64)
    rows = np.flatnonzero(entry >= 0)
    rows = rows[np.argsort(entry[rows], kind="stable")]
    values = [np.concatenate([none, *(part[number] for part in parts)])[rows] for number in range(1, columns + 1)]
    return entry[rows].astype(np.uint32), values


def _directories(batches: Sequence[Batch], order: Order) -> Directories:
    """Return the table of directories; their entry ids are not known yet."""

    def column(name: str) -> Column:
        return np.concatenate([getattr(batch, name) for batch in batches])[order.rank]

    return Directories(
        entry=np.zeros(0, np.uint32),
        first_child=order.first_child,
        child_count=order.child_count,
        device=column("directory_device").astype(np.uint64, copy=False),
        mtime_ns=column("directory_mtime_ns").astype(np.int64, copy=False),
        ctime_ns=column("directory_ctime_ns").astype(np.int64, copy=False),
        skip=order.skip,
    )


def _freeze(value: object) -> None:
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif is_dataclass(value):
        for field in fields(value):
            _freeze(getattr(value, field.name))
