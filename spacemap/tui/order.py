"""Entries in order: keys from columns, sorted in one pass whatever their number."""

from collections.abc import Callable

import numpy as np

from spacemap.analyze.breakdown import Bucket
from spacemap.analyze.by import By
from spacemap.tree.columns import I64, U64, EntryIds, Kind, Mask, Skip
from spacemap.tree.measure import Measure, sizes, subtree_sizes
from spacemap.tree.tree import Tree
from spacemap.tui.look import Look, Sort

_DOT = ord(".")


def entry_bytes(tree: Tree, entries: EntryIds, measure: Measure) -> U64:
    """Return the bytes of each entry, of a directory those of its subtree."""
    result = sizes(tree, measure, entries)
    is_directory = tree.kind[entries] == Kind.DIRECTORY
    result[is_directory] = subtree_sizes(tree, measure)[_rows(tree, entries[is_directory])]
    return result


def entry_items(tree: Tree, entries: EntryIds) -> U64:
    """Return how many entries each directory holds below it, folded files each; 1 for anything else."""
    result = np.ones(len(entries), np.uint64)
    is_directory = tree.kind[entries] == Kind.DIRECTORY
    rows = _rows(tree, entries[is_directory])
    result[is_directory] = tree.totals.files[rows] + tree.totals.directories[rows] - np.uint64(1)
    return result


def entry_mtimes(tree: Tree, entries: EntryIds) -> I64:
    """Return when each entry was modified, seconds; of a directory the newest time below it."""
    result = tree.mtime[entries].astype(np.int64)
    is_directory = tree.kind[entries] == Kind.DIRECTORY
    result[is_directory] = tree.totals.newest_mtime[_rows(tree, entries[is_directory])]
    return result


def ordered(tree: Tree, entries: EntryIds, look: Look) -> EntryIds:
    """Return ascending entries as a look orders them; what is equal keeps its place, which is that of its name."""
    key = _key(tree, entries, look)
    group = tree.kind[entries] != Kind.DIRECTORY if look.directories_first else None
    index_bits = max(len(entries) - 1, 1).bit_length()
    key_bits = int(key.max()).bit_length() if len(key) else 0
    if key_bits + index_bits + 1 <= 64:
        # Sorting packed numbers takes a tenth of the time of sorting indices, and is as stable.
        packed = (key << np.uint64(index_bits)) | np.arange(len(key), dtype=np.uint64)
        if group is not None:
            packed |= group.astype(np.uint64) << np.uint64(key_bits + index_bits)
        packed.sort()
        return entries[(packed & np.uint64((1 << index_bits) - 1)).astype(np.intp)]
    return entries[np.lexsort((key,) if group is None else (key, group))]


def ordered_as(wider: EntryIds, entries: EntryIds) -> EntryIds:
    """Return entries in the order that they have among others: quicker than ordering them anew."""
    if len(wider) == len(entries):
        return wider
    is_one: Mask = np.zeros(int(wider.max(initial=-1)) + 1, np.bool_)
    is_one[entries] = True
    return wider[is_one[wider]]


def ordered_buckets(buckets: tuple[Bucket, ...], by: By, look: Look) -> tuple[Bucket, ...]:
    """Return buckets in the order of a look; ages by size or time from new to old, as they come."""
    key: Callable[[Bucket], str | int] | None = None
    if look.sort is Sort.NAME:
        key = _label
    elif look.sort is Sort.ITEMS:
        key = _fewer_files
    elif look.sort is Sort.SIZE and by is not By.AGE:
        key = _fewer_bytes
    in_order = buckets if key is None else tuple(sorted(buckets, key=key))
    return in_order[::-1] if look.is_reversed else in_order


def _label(bucket: Bucket) -> str:
    return bucket.label


def _fewer_files(bucket: Bucket) -> int:
    return -bucket.file_count


def _fewer_bytes(bucket: Bucket) -> int:
    return -bucket.bytes


def visible(tree: Tree, entries: EntryIds) -> EntryIds:
    """Return the entries that are neither hidden by their names nor excluded."""
    begin = tree.name_offset[entries]
    names = np.frombuffer(tree.names, np.uint8)
    has_name = tree.name_offset[entries + 1] > begin
    is_hidden: Mask = has_name & (names[np.minimum(begin, max(len(names) - 1, 0))] == _DOT)
    is_directory = tree.kind[entries] == Kind.DIRECTORY
    is_hidden[is_directory] |= tree.directories.skip[_rows(tree, entries[is_directory])] == Skip.EXCLUDED
    return entries[~is_hidden]


def _key(tree: Tree, entries: EntryIds, look: Look) -> U64:
    """Return numbers that ascend in the order of the look."""
    if look.sort is Sort.NAME:
        key = np.arange(len(entries), dtype=np.uint64)
    elif look.sort is Sort.SIZE:
        key = entry_bytes(tree, entries, look.measure)
    elif look.sort is Sort.ITEMS:
        key = entry_items(tree, entries)
    else:
        mtime = entry_mtimes(tree, entries)
        # As unsigned, a difference of any two times fits.
        key = (mtime - mtime.min()).view(np.uint64) if len(mtime) else mtime.view(np.uint64)
    ascends = (look.sort is Sort.NAME) != look.is_reversed
    return key if ascends or not len(key) else key.max() - key


def _rows(tree: Tree, directories: EntryIds) -> I64:
    return np.searchsorted(tree.directories.entry, directories.astype(np.uint32))
