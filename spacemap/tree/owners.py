"""Owners: to whom the entries of a tree belong. They are few, so an entry has the index of one of them."""

from collections.abc import Iterable

import numpy as np

from spacemap.tree.columns import U32, Unsigned
from spacemap.tree.place import distinct

UNKNOWN_OWNER = (1 << 32) - 1
"""In the place of a uid: an entry that was not measured, or a snapshot from before owners were kept. Stable on disk;
no file belongs to this number, which means "leave it" to the system."""

_CHUNK = 131_072


def one_owner(length: int) -> Unsigned:
    """Return the column of entries that all have the same owner; it takes no memory."""
    return np.broadcast_to(np.zeros(1, np.uint8), length)


def index_type(count: int) -> "np.dtype[np.unsignedinteger]":
    """Return the narrowest type of an index of so many owners."""
    return np.dtype(np.min_scalar_type(max(count - 1, 0)))


def indexed(uids: Unsigned) -> tuple[Unsigned, U32]:
    """Return, for the uid of each entry, its index among those that occur, and these, ascending."""
    if uids.itemsize > 2:
        owners = np.unique(uids)
        return owners.searchsorted(uids).astype(index_type(len(owners))), owners.astype(np.uint32)
    occurs = np.zeros(1 << 8 * uids.itemsize, np.bool_)
    occurs[uids] = True
    found = np.flatnonzero(occurs)
    place = np.zeros(len(occurs), index_type(len(found)))
    place[found] = np.arange(len(found))
    return place[uids], found.astype(np.uint32)


def merged(parts: Iterable[U32]) -> U32:
    """Return the owners that are in any of the parts, ascending."""
    return distinct(np.sort(np.concatenate([np.zeros(0, np.uint32), *parts])))


def without_unused(owner: Unsigned, owners: U32) -> tuple[Unsigned, U32]:
    """Return both columns of a tree without owners of no entry; the first takes no memory where one is left."""
    if len(owners) == 1:
        return owner, owners
    is_used = np.zeros(len(owners), np.bool_)
    for start in range(0, len(owner), _CHUNK):  # numpy makes 64 bits of each index
        is_used[owner[start : start + _CHUNK]] = True
    kept = owners[is_used]
    if len(kept) == 1:
        return one_owner(len(owner)), kept
    if len(kept) == len(owners):
        return owner, owners
    place = (np.cumsum(is_used) - 1).astype(index_type(len(kept)))
    return place[owner], kept
