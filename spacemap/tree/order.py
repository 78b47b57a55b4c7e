"""Where each entry goes: from listings in order of arrival to canonical order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spacemap.tree.batch import Batch
from spacemap.tree.columns import U8, U32, U64, VANISHED, Kind, Mask, Skip
from spacemap.tree.place import Index, ranges


@dataclass(frozen=True, slots=True)
class Decision:
    """What the scan decided about a directory that no engine listed."""

    skip: Skip
    operation: int = 0
    """`Operation` of the problem to record with it; 0: none."""
    errno: int = 0


class References:
    """From references to raw rows: positions in the batches laid end to end, in their order of arrival."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        self._kept = {number: batch.kept for number, batch in enumerate(batches) if batch.kept is not None}
        base = np.array([batch.base_ref for batch in batches], np.uint64)
        # A batch without entries has the base of the next one, which is meant.
        self._arrival = np.lexsort((np.array([len(batch) for batch in batches]), base))
        self._base = base[self._arrival]
        self.start: Index = np.zeros(len(batches) + 1, np.int64)
        np.cumsum([len(batch) for batch in batches], out=self.start[1:])

    def rows(self, refs: U64) -> Index:
        """Return the raw row of each reference; -1 for one whose batch was lost with its worker."""
        place = np.searchsorted(self._base, refs, side="right") - 1
        batch = self._arrival[place]
        offset = (refs - self._base[place]).astype(np.int64)
        for number, kept in self._kept.items():
            own = np.flatnonzero(batch == number)
            # An aggregate has the number of its listing's first entry, and stands before it.
            at = np.searchsorted(kept, offset[own], side="right") - 1
            is_kept = np.append(kept.astype(np.int64), -1)[at] == offset[own]
            offset[own] = np.where(is_kept, at, len(kept))
        row = self.start[batch] + offset
        return np.where((place >= 0) & (row < self.start[batch + 1]), row, -1)

    def refs(self, rows: Index) -> U64:
        """Return the reference of each raw row."""
        batch = np.searchsorted(self.start, rows, side="right") - 1
        offset = rows - self.start[batch]
        for number, kept in self._kept.items():
            own = batch == number
            offset[own] = kept[offset[own]]
        base = np.empty_like(self._base)
        base[self._arrival] = self._base
        return base[batch] + offset.astype(np.uint64)


@dataclass(frozen=True, slots=True)
class Order:
    """The canonical order of one scan. A rank counts raw directories, a row those of the tree, breadth-first."""

    directory_raw: Index
    """Raw row of each directory, by rank; ascending."""
    row: Index
    """Row of each directory, by rank; -1 for one that the tree does not reach."""
    rank: Index
    """Rank of each directory, by row."""
    first_child: U32
    """By row."""
    child_count: U32
    skip: U8
    vanished: Mask
    taken: Index
    """Number of the listing that is used for each directory, by rank, counted over all batches; -1: none."""
    first_listing: Index
    """Number of the first listing of each batch."""
    owner: Sequence[Index]
    """For each batch, the rank of the directory of each listing; -1 where its entry was lost with a worker."""

    def rows_of(self, raw: Index) -> Index:
        """Return the rows of directories given by their raw rows; -1 where the tree does not reach one."""
        rank = np.searchsorted(self.directory_raw, raw)
        return np.where(raw >= 0, self.row[np.minimum(rank, len(self.row) - 1)], -1)

    def slices(self, number: int, batch: Batch) -> tuple[Index, Index, Index]:
        """Return, for each listing that the tree reaches, the id of its first entry and its rows: to, begin, end.

        The batch of the roots begins with the root of the tree, which is in no listing: it is the first slice.
        """
        count = batch.listing_count.astype(np.int64)
        owner = self.owner[number]
        own = self.first_listing[number] + np.arange(len(owner))
        # A directory that was listed twice, by a worker and by the one that replaced it, has one of the listings.
        row = np.where((owner >= 0) & (self.taken[owner] == own), self.row[owner], -1)
        outside = len(batch) - int(count.sum())
        end = outside + np.cumsum(count)
        to = self.first_child[np.maximum(row, 0)].astype(np.int64)
        if outside:
            to, end, row = np.append(0, to), np.append(outside, end), np.append(0, row)
            count = np.append(outside, count)
        if (row >= 0).all():
            return to, end - count, end
        reached = np.flatnonzero(row >= 0)
        return to[reached], (end - count)[reached], end[reached]


def canonical_order(batches: Sequence[Batch], refs: References, decisions: Mapping[int, Decision]) -> Order:
    """Return where everything goes; cost: the number of directories, plus the depth of the tree."""
    is_directory = [batch.kind == Kind.DIRECTORY for batch in batches]
    directory_raw = np.concatenate(
        [np.flatnonzero(mask) + start for start, mask in zip(refs.start.tolist(), is_directory, strict=False)]
    )
    skip = np.concatenate([batch.directory_skip for batch in batches])
    # By rank: the entries of the listing, and the ranks of the directories among them, which are neighbours, too.
    count = np.zeros(len(skip), np.int64)
    first_directory, directory_count = np.zeros(len(skip), np.int64), np.zeros(len(skip), np.int64)
    taken = np.full(len(skip), -1, np.int64)
    first_listing = np.zeros(len(batches) + 1, np.int64)
    np.cumsum([len(batch.listing_ref) for batch in batches], out=first_listing[1:])
    owners = []
    seen = 0
    for number, (batch, mask) in enumerate(zip(batches, is_directory, strict=True)):
        raw = refs.rows(batch.listing_ref)
        owner = np.where(raw >= 0, np.searchsorted(directory_raw, raw), -1)
        owners.append(owner)
        before = np.zeros(len(mask) + 1, np.int64)
        np.cumsum(mask, out=before[1:])
        outside = len(mask) - int(batch.listing_count.sum(dtype=np.int64))
        end = outside + np.cumsum(batch.listing_count, dtype=np.int64)
        begin = end - batch.listing_count
        known = np.flatnonzero(owner >= 0)
        owner, begin, end = owner[known], begin[known], end[known]
        count[owner] = batch.listing_count[known]
        first_directory[owner] = seen + before[begin]
        directory_count[owner] = before[end] - before[begin]
        taken[owner] = first_listing[number] + known
        skip[owner] = batch.listing_skip[known]
        seen += int(before[-1])
    for ref, decision in decisions.items():
        raw = refs.rows(np.array([ref], np.uint64))
        skip[np.searchsorted(directory_raw, raw[raw >= 0])] = decision.skip
    vanished = skip == VANISHED
    skip[vanished] = Skip.NONE
    skip[(taken < 0) & (skip == Skip.NONE)] = Skip.UNLISTED
    levels = [np.zeros(1, np.int64)]
    while len(levels[-1]):
        level = levels[-1]
        levels.append(ranges(first_directory[level], directory_count[level]))
    rank = np.concatenate(levels)
    row = np.full(len(directory_raw), -1, np.int64)
    row[rank] = np.arange(len(rank))
    child_count = count[rank]
    return Order(
        directory_raw=directory_raw,
        row=row,
        rank=rank,
        first_child=(1 + np.cumsum(child_count) - child_count).astype(np.uint32),
        child_count=child_count.astype(np.uint32),
        skip=skip[rank],
        vanished=vanished[rank],
        taken=taken,
        first_listing=first_listing,
        owner=owners,
    )
