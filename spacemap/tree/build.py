"""From batches in any order of arrival to one Tree in canonical order."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace

import numpy as np

from spacemap.tree.batch import Batch
from spacemap.tree.buffer import Buffer
from spacemap.tree.columns import ELSEWHERE, NEVER_NS, U32, U64, Kind, Unsigned
from spacemap.tree.links import mark_repeated
from spacemap.tree.order import Decision, Order, References, Slices, canonical_order
from spacemap.tree.owners import index_type, merged, one_owner, without_unused
from spacemap.tree.place import Column, Index, move_slices
from spacemap.tree.rollup import roll_up
from spacemap.tree.threads import in_two_threads
from spacemap.tree.tree import Directories, Folded, Links, Problems, Totals, Tree

BYTE, WORD, LONG = np.dtype(np.uint8), np.dtype(np.uint32), np.dtype(np.uint64)
SHARED_FROM = 16
"""Batches that are worth a second thread."""
SHARED_FROM_ENTRIES = 100_000
"""Entries that are, in however few batches."""
PARENT_STEP = 4096
"""Directories whose children are told their parent at once."""


def build_tree(batches: list[Batch], decisions: Mapping[int, Decision]) -> Tree:
    """Return the tree of all batches. Each is taken from the list as it is used, so that its memory can go.

    The first batch begins with the root, reference 0. `decisions` are keyed by reference; a directory with neither
    a listing nor a decision becomes unlisted.
    """
    refs = References(batches)
    return build_in_order(batches, decisions, refs, canonical_order(batches, refs, decisions))


def build_in_order(batches: list[Batch], decisions: Mapping[int, Decision], refs: References, order: Order) -> Tree:
    """Return the same tree as `build_tree`, given the references of the batches and their canonical order."""
    layout = _Layout(batches)
    slices = order.slices
    columns = _Columns(batches, slices, layout)
    directories = _directories(batches, order)
    side = _SideTables(refs, order)
    for number, batch in enumerate(batches):
        side.put(number, batch, slices[number])
    _fill(columns, batches, slices)
    entry = np.flatnonzero(columns.kind == Kind.DIRECTORY).astype(np.uint32)
    columns.leave_out(entry[np.isin(directories.skip, ELSEWHERE)])
    side.decide(decisions)
    tree = columns.tree(replace(directories, entry=entry), side)
    mark_repeated(tree)
    tree = replace(tree, totals=roll_up(tree))
    _freeze(tree)
    return tree


def _fill(columns: "_Columns", batches: list[Batch], slices: Sequence[Slices]) -> None:
    """Bring all entries to their places, in two threads, and empty the list of batches."""
    # In order of arrival: neighbours there share memory, which goes with the last of them.
    waiting = list(zip(batches, slices, strict=True))
    size = sum(map(len, batches))
    waiting.reverse()
    batches.clear()
    if len(waiting) >= SHARED_FROM:

        def take_and_put() -> None:
            with suppress(IndexError):  # of the empty list; no look before, since the other thread takes, too
                while True:
                    batch, places = waiting.pop()
                    columns.put(batch, places)
                    columns.put_names(batch, places)

        in_two_threads(take_and_put, take_and_put)
        return

    def put_all() -> None:
        for batch, places in waiting:
            columns.put(batch, places)

    def put_all_names() -> None:
        for batch, places in waiting:
            columns.put_names(batch, places)

    if size >= SHARED_FROM_ENTRIES:  # a tree of an earlier scan is one batch
        in_two_threads(put_all, put_all_names)
    else:
        put_all()
        put_all_names()


class _Layout:
    """The types of the columns, and the block that has room for them: known before anything is in order."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        size = sum(map(len, batches))
        name_bytes = sum(len(batch.names) for batch in batches)
        self.unsigned = [_widest(batches, name) for name in ("apparent_size", "blocks", "inode")]
        self.mtime: np.dtype[np.signedinteger]
        self.mtime = np.dtype(np.int64) if any(batch.mtime.itemsize > 4 for batch in batches) else np.dtype(np.int32)
        self.owners = merged(batch.owners for batch in batches)
        self.is_large = name_bytes >= 1 << 32
        offset = np.dtype(np.uint64 if self.is_large else np.uint32)
        dtypes: list[np.dtype[np.generic]] = [BYTE, BYTE, WORD, self.mtime, *self.unsigned]
        if len(self.owners) > 1:
            dtypes.append(index_type(len(self.owners)))
        room = sum(Buffer.room(dtype, size) for dtype in dtypes)
        self.buffer = Buffer(room + Buffer.room(offset, size + 1) + Buffer.room(BYTE, name_bytes))


class _Columns:
    """The columns of the entries, filled batch by batch; names in a blob whose layout is known beforehand."""

    def __init__(self, batches: Sequence[Batch], slices: Sequence[Slices], layout: _Layout) -> None:
        size = sum(int((end - begin).sum()) for _, begin, end in slices)
        length = np.zeros(size, np.uint16)
        for batch, places in zip(batches, slices, strict=True):
            move_slices(length, batch.name_length, *places, 2)
        take = layout.buffer.take
        self.offset: U32 | U64
        self.offset = take(LONG, size + 1) if layout.is_large else take(WORD, size + 1)
        np.cumsum(length, out=self.offset[1:])
        self.names = take(BYTE, int(self.offset[-1]))
        self.parent = take(WORD, size)
        self.kind, self.flags = take(BYTE, size), take(BYTE, size)
        self.mtime = take(layout.mtime, size)
        self.apparent_size, self.blocks, self.inode = (take(dtype, size) for dtype in layout.unsigned)
        self.owners = layout.owners
        self.owner: Unsigned = one_owner(size)
        if len(self.owners) > 1:
            self.owner = take(index_type(len(self.owners)), size)

    def put(self, batch: Batch, slices: Slices) -> None:
        """Bring the entries of a batch to their places, but for their names."""
        pairs: list[tuple[Column, Column]] = [
            (self.kind, batch.kind),
            (self.flags, batch.flags),
            (self.apparent_size, batch.apparent_size),
            (self.blocks, batch.blocks),
            (self.mtime, batch.mtime),
            (self.inode, batch.inode),
        ]
        if len(self.owners) > 1:
            pairs.append((self.owner, self._owner_of(batch)))
        for column, values in pairs:
            if len(values):
                move_slices(column, values.astype(column.dtype, copy=False), *slices, column.itemsize)

    def _owner_of(self, batch: Batch) -> Unsigned:
        """Return the owner of each entry of a batch as an index of all owners."""
        if len(batch.owners) == len(self.owners):
            return batch.owner
        place = self.owners.searchsorted(batch.owners).astype(self.owner.dtype)
        return place[batch.owner] if len(batch.owner) else np.full(len(batch), place[:1])

    def put_names(self, batch: Batch, slices: Slices) -> None:
        """Bring the names of a batch to their places."""
        to, begin, end = slices
        local = np.zeros(len(batch) + 1, self.offset.dtype)
        np.cumsum(batch.name_length, out=local[1:])
        # Empty slices may stand at the very end, where no entry is.
        filled = np.flatnonzero(end > begin)
        places = self.offset[to[filled]].astype(np.int64)
        first, last = (local[at[filled]].astype(np.int64) for at in (begin, end))
        move_slices(self.names, batch.names, places, first, last, 1)

    def leave_out(self, entries: U32) -> None:
        """Let entries add nothing to any sum."""
        self.apparent_size[entries] = 0
        self.blocks[entries] = 0

    def tree(self, directories: Directories, side: "_SideTables") -> Tree:
        """Return the tree, not rolled up."""
        filled = np.flatnonzero(directories.child_count)
        for start in range(0, len(filled), PARENT_STEP):  # in parts: a whole column of them would be new memory
            rows = filled[start : start + PARENT_STEP]
            ids = np.repeat(directories.entry[rows], directories.child_count[rows])
            first = directories.first_child[rows[0]]
            self.parent[first : first + len(ids)] = ids
        owner, owners = without_unused(self.owner, self.owners)
        return Tree(
            parent=self.parent,
            kind=self.kind,
            flags=self.flags,
            apparent_size=self.apparent_size,
            blocks=self.blocks,
            mtime=self.mtime,
            inode=self.inode,
            owner=owner,
            owners=owners,
            name_offset=self.offset,
            names=self.names.data.toreadonly(),
            directories=directories,
            links=side.links(),
            problems=side.problems(directories.entry),
            folded=side.folded(),
            totals=Totals.none(),
        )


def _widest(batches: Sequence[Batch], name: str) -> np.dtype[np.unsignedinteger]:
    """Return the narrowest type that holds an unsigned column of all batches, one byte at least."""
    size = max((getattr(batch, name).itemsize for batch in batches if len(getattr(batch, name))), default=1)
    return np.dtype(f"u{size}")


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

    ctime_ns = column("directory_ctime_ns").astype(np.int64, copy=False)
    ctime_ns[order.vanished] = NEVER_NS
    return Directories(
        entry=np.zeros(0, np.uint32),
        first_child=order.first_child,
        child_count=order.child_count,
        device=column("directory_device").astype(np.uint64, copy=False),
        mtime_ns=column("directory_mtime_ns").astype(np.int64, copy=False),
        ctime_ns=ctime_ns,
        skip=order.skip,
    )


def _freeze(value: object) -> None:
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif is_dataclass(value):
        for field in fields(value):
            _freeze(getattr(value, field.name))
