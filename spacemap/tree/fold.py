"""Folding: the small files of one owner in each listing become one aggregate entry, so that a scan fits its memory."""

from dataclasses import fields, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from spacemap.tree.batch import Batch
from spacemap.tree.columns import BLOCK_SIZE, U64, Flag, Kind, Mask

Rows = npt.NDArray[np.int64]
Value = TypeVar("Value", bound=np.generic)


def stored_bytes(batch: Batch) -> int:
    """Return the bytes that the columns of a batch take."""
    values = [getattr(batch, field.name) for field in fields(batch)]
    return sum(value.nbytes for value in values if isinstance(value, np.ndarray | memoryview))


def fold_batch(batch: Batch, below: int) -> Batch:
    """Return the batch with what uses less than `below` bytes on disk folded, listing by listing.

    Directories, links and what could not be measured stay as they are; so does a file that is alone in being
    small among those of its owner. Sums stay exact: an aggregate has the summed sizes, the newest mtime and no name;
    it stands at the head of its listing, those of lower owners first. The columns are copies.
    """
    listing = np.repeat(np.arange(len(batch.listing_count)), batch.listing_count)
    first = np.cumsum(batch.listing_count, dtype=np.int64) - batch.listing_count
    if len(listing) != len(batch):  # the scan's own batch of roots has an entry outside any listing
        return batch
    is_aggregate = (batch.flags & np.uint8(Flag.FOLDED)) != 0
    small = (batch.kind != Kind.DIRECTORY) & (batch.flags == 0)
    small &= _full(batch.blocks, len(batch)) * np.uint64(BLOCK_SIZE) < np.uint64(below)
    small |= is_aggregate
    owner = _full(batch.owner, len(batch)).astype(np.int64)
    folds, group, (listing_of, owner_of) = _groups(small, listing, owner)
    stays = np.flatnonzero(~folds)
    starts = first[listing_of]
    # Kept rows and aggregates in one order: an aggregate stands at the head of its listing, as its empty name sorts.
    place = np.argsort(np.concatenate([stays * 2 + 1, starts * 2]), kind="stable")
    new_row = np.empty(len(batch), np.int64)
    new_row[stays] = np.argsort(place)[: len(stays)]

    counts = np.ones(len(batch), np.uint64)
    if batch.fold_row is not None and batch.fold_count is not None:
        counts[batch.fold_row] = batch.fold_count
    old_aggregate = np.flatnonzero(is_aggregate & ~folds)
    fold_row = np.concatenate([np.argsort(place)[len(stays) :], new_row[old_aggregate]])
    count = len(starts)
    fold_count = np.concatenate([_sums(counts, folds, group, count), counts[old_aggregate]])
    by_row = np.argsort(fold_row)
    before = np.arange(len(batch), dtype=np.uint32) if batch.kept is None else batch.kept

    def merged(kept: npt.NDArray[Value], aggregates: npt.NDArray[np.generic]) -> npt.NDArray[Value]:
        return np.concatenate([kept[stays], aggregates.astype(kept.dtype)])[place]

    removed = np.bincount(listing[folds], minlength=len(first)) - np.bincount(listing_of, minlength=len(first))
    return replace(
        _copied(batch),
        listing_count=(batch.listing_count - removed).astype(np.uint32),
        link_index=new_row[batch.link_index].astype(np.uint32),
        kind=merged(batch.kind, np.full(count, Kind.FILE)),
        flags=merged(batch.flags, np.full(count, Flag.FOLDED)),
        name_length=merged(batch.name_length, np.zeros(count)),
        apparent_size=merged(_full(batch.apparent_size, len(batch)), _sums(batch.apparent_size, folds, group, count)),
        blocks=merged(_full(batch.blocks, len(batch)), _sums(batch.blocks, folds, group, count)),
        mtime=merged(_full_signed(batch), _newest(batch, folds, group, count)),
        inode=merged(_full(batch.inode, len(batch)), np.zeros(count)),
        owner=merged(batch.owner, owner_of) if len(batch.owner) else batch.owner,
        names=_names(batch, folds),
        kept=merged(before, before[starts]),
        fold_row=fold_row[by_row].astype(np.uint32),
        fold_count=fold_count[by_row].astype(np.uint32),
    )


def _full(column: npt.NDArray[np.unsignedinteger], length: int) -> U64:
    """Return a column as u64; one that was left out is all 0."""
    return column.astype(np.uint64) if len(column) else np.zeros(length, np.uint64)


def _full_signed(batch: Batch) -> npt.NDArray[np.int64]:
    return batch.mtime.astype(np.int64) if len(batch.mtime) else np.zeros(len(batch), np.int64)


def _groups(small: Mask, listing: Rows, owner: Rows) -> tuple[Mask, Rows, tuple[Rows, Rows]]:
    """Return which rows fold, the group of each of them, and the listing and the owner of each group, ascending."""
    owners = int(owner.max(initial=0)) + 1
    rows = np.flatnonzero(small)
    key, group_of, size = np.unique(listing[rows] * owners + owner[rows], return_inverse=True, return_counts=True)
    is_group = size >= 2
    folds = np.zeros(len(small), np.bool_)
    folds[rows] = is_group[group_of]
    number = np.cumsum(is_group) - 1
    return folds, number[group_of[is_group[group_of]]], np.divmod(key[is_group], owners)


def _sums(column: npt.NDArray[np.unsignedinteger], folds: Mask, group: Rows, count: int) -> U64:
    """Return, for each group, the sum of the column over its rows, given in the order of the rows that fold; exact."""
    result = np.zeros(count, np.uint64)
    np.add.at(result, group, _full(column, len(folds))[folds])
    return result


def _newest(batch: Batch, folds: Mask, group: Rows, count: int) -> npt.NDArray[np.int64]:
    result = np.full(count, np.iinfo(np.int64).min)
    np.maximum.at(result, group, _full_signed(batch)[folds])
    return result


def _names(batch: Batch, folds: Mask) -> memoryview:
    stays = np.repeat(~folds, batch.name_length)
    return memoryview(np.frombuffer(batch.names, np.uint8)[stays].tobytes())


def _copied(batch: Batch) -> Batch:
    """Return the batch with side tables of its own, so that the frame behind it can go."""
    return replace(
        batch,
        listing_ref=batch.listing_ref.copy(),
        listing_skip=batch.listing_skip.copy(),
        directory_device=batch.directory_device.copy(),
        directory_mtime_ns=batch.directory_mtime_ns.copy(),
        directory_ctime_ns=batch.directory_ctime_ns.copy(),
        directory_skip=batch.directory_skip.copy(),
        link_count=batch.link_count.copy(),
        link_device=batch.link_device.copy(),
        problem_ref=batch.problem_ref.copy(),
        problem_errno=batch.problem_errno.copy(),
        problem_operation=batch.problem_operation.copy(),
        owners=batch.owners.copy(),
    )
