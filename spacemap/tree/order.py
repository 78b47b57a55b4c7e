"""Where each entry goes: from listings in order of arrival to canonical order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spacemap.tree.batch import Batch
from spacemap.tree.columns import U8, U32, U64, VANISHED, Kind, Mask, Skip
from spacemap.tree.place import Index, ranges

Slices = tuple[Index, Index, Index]
"""Ids of first entries, and rows of a batch: to, begin, end."""


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
        # A reference that no entry has is so far beyond the last base that its offset is negative.
        return np.where((place >= 0) & (offset >= 0) & (row < self.start[batch + 1]), row, -1)

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
    slices: Sequence[Slices]
    """For each batch, its listings that the tree reaches: the id of the first entry of each, and its rows."""

    def rows_of(self, raw: Index) -> Index:
        """Return the rows of directories given by their raw rows; -1 where the tree does not reach one."""
        rank = np.searchsorted(self.directory_raw, raw)
        return np.where(raw >= 0, self.row[np.minimum(rank, len(self.row) - 1)], -1)


def canonical_order(batches: Sequence[Batch], refs: References, decisions: Mapping[int, Decision]) -> Order:
    """Return where everything goes; cost: the number of directories, plus the depth of the tree."""
    is_directory = np.concatenate([batch.kind for batch in batches]) == Kind.DIRECTORY
    directory_raw = np.flatnonzero(is_directory)
    rank_of = np.zeros(len(is_directory) + 1, np.uint32)
    np.cumsum(is_directory, out=rank_of[1:])  # directories before each entry: for one, its rank
    skip = np.concatenate([batch.directory_skip for batch in batches])
    listings = _Listings(batches, refs, rank_of)
    # By rank: the entries of the listing, and the ranks of the directories among them, which are neighbours, too. A
    # directory that was listed twice, by a worker and by the one that replaced it, has the later one.
    count = np.zeros(len(skip), np.int64)
    first_directory, directory_count = np.zeros(len(skip), np.int64), np.zeros(len(skip), np.int64)
    taken = np.full(len(skip), -1, np.int64)
    known = np.flatnonzero(listings.owner >= 0)
    owner, begin = listings.owner[known], listings.begin[known]
    count[owner] = listings.count[known]
    first_directory[owner] = rank_of[begin]
    directory_count[owner] = rank_of[begin + listings.count[known]]
    directory_count -= first_directory
    taken[owner] = known
    skip[owner] = listings.skip[known]
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
    first_child = (1 + np.cumsum(child_count) - child_count).astype(np.uint32)
    return Order(
        directory_raw=directory_raw,
        row=row,
        rank=rank,
        first_child=first_child,
        child_count=child_count.astype(np.uint32),
        skip=skip[rank],
        vanished=vanished[rank],
        taken=taken,
        slices=listings.slices(taken, row, first_child),
    )


class _Listings:
    """The listings of all batches, laid end to end."""

    def __init__(self, batches: Sequence[Batch], refs: References, rank_of: U32) -> None:
        raw = refs.rows(np.concatenate([batch.listing_ref for batch in batches]))
        self.owner: Index = np.where(raw >= 0, rank_of[raw].astype(np.int64), -1)
        """Rank of the directory of each; -1 where its entry was lost with a worker."""
        self.count: Index = np.concatenate([batch.listing_count for batch in batches]).astype(np.int64)
        self.skip = np.concatenate([batch.listing_skip for batch in batches])
        self._first: Index = np.zeros(len(batches) + 1, np.int64)
        np.cumsum([len(batch.listing_ref) for batch in batches], out=self._first[1:])
        self._start = refs.start
        # The batch of the roots begins with the root of the tree, and others that are in no listing.
        ends = np.append(0, np.cumsum(self.count))[self._first]
        self._outside: Index = np.diff(refs.start) - np.diff(ends)
        before = np.repeat(np.cumsum(self._outside), np.diff(self._first))
        self.begin: Index = np.cumsum(self.count) - self.count + before
        """Raw row of the first entry of each."""

    def slices(self, taken: Index, row: Index, first_child: U32) -> list[Slices]:
        """Return those that the tree reaches, for each batch; the first slice of the first is the root of the tree."""
        number = np.arange(len(self.owner))
        used = np.flatnonzero((self.owner >= 0) & (taken[self.owner] == number) & (row[self.owner] >= 0))
        to = first_child[row[self.owner[used]]].astype(np.int64)
        begin = self.begin[used]
        end = begin + self.count[used]
        bounds = np.searchsorted(used, self._first).tolist()
        result = []
        for batch, (first, last) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
            own, start = slice(first, last), self._start[batch]
            result.append((to[own], begin[own] - start, end[own] - start))
        outside = int(self._outside[0])
        to, begin, end = result[0]
        result[0] = np.append(0, to), np.append(0, begin), np.append(outside, end)
        return result
