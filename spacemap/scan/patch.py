"""Directories that are what they were but for their sizes, times and owners: measured, and written into the base.

Otherwise the directory above each would have to be listed again for the sake of one row.
"""

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from spacemap.scan.base import Base, root_count
from spacemap.scan.batch import fitting
from spacemap.tree.batch import Batch
from spacemap.tree.columns import I64, U32, U64, Flag, Kind, Mask, Unsigned
from spacemap.tree.owners import index_type, merged
from spacemap.tree.subtree import names_below
from spacemap.tree.tree import Tree

Column = TypeVar("Column", bound=npt.NDArray[np.integer])

LONGEST_PATH = 4000
"""Below a root; what has a longer one is left to a listing."""


@dataclass(frozen=True, slots=True)
class Patch:
    """New values of directory entries."""

    entry: U32
    """Ascending."""
    apparent_size: U64
    blocks: U64
    mtime: I64
    owner: U32
    """Uids."""
    mtime_ns: I64
    ctime_ns: I64


def measure_directories(tree: Tree, differing: Mask, root_paths: Mapping[int, bytes]) -> Patch:
    """Return the new values of those directories, among entries that differ, that are still the same inode."""
    entries = np.flatnonzero(differing & (tree.kind == Kind.DIRECTORY)).tolist()
    measured: list[tuple[int, os.stat_result]] = []
    fds: dict[int, int] = {}
    try:
        for entry in entries:
            result = _measure(tree, entry, root_paths, fds)
            if result is not None:
                measured.append((entry, result))
    finally:
        for fd in fds.values():
            os.close(fd)
    results = [result for _, result in measured]
    return Patch(
        entry=np.array([entry for entry, _ in measured], np.uint32),
        apparent_size=np.array([result.st_size for result in results], np.uint64),
        blocks=np.array([result.st_blocks for result in results], np.uint64),
        mtime=np.array([result[stat.ST_MTIME] for result in results], np.int64),
        owner=np.array([result.st_uid for result in results], np.uint32),
        mtime_ns=np.array([fitting(result.st_mtime_ns) for result in results], np.int64),
        ctime_ns=np.array([fitting(result.st_ctime_ns) for result in results], np.int64),
    )


def _measure(tree: Tree, entry: int, root_paths: Mapping[int, bytes], fds: dict[int, int]) -> os.stat_result | None:
    """Return what a directory measures now; None where it is not the one that the tree has."""
    if tree.flags[entry] & np.uint8(Flag.MOUNT | Flag.UNMEASURED):
        return None
    root, names = names_below(tree, entry, root_count(tree))
    path = b"/".join(names)
    if len(path) > LONGEST_PATH:
        return None
    with suppress(OSError):
        if root not in fds:
            fds[root] = os.open(root_paths[root], getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC)
        result = os.stat(path, dir_fd=fds[root], follow_symlinks=False)
        identity = (int(tree.directories.device[tree.directory_row(entry)]), int(tree.inode[entry]))
        if stat.S_ISDIR(result.st_mode) and (result.st_dev, result.st_ino) == identity:
            return result
    return None


def patched(base: Base, patch: Patch) -> Base:
    """Return a base of a whole tree with new values; columns that have none are shared."""
    if not len(patch.entry):
        return base
    (batch,) = base.batches
    rows = patch.entry.astype(np.int64) - base.first
    own = base.tree.directories.entry
    place = np.searchsorted(own[own >= base.first], patch.entry)
    owner, owners = _with_owners(batch, rows, patch.owner)
    return replace(
        base,
        batches=[
            replace(
                batch,
                apparent_size=_with(batch.apparent_size, rows, patch.apparent_size),
                blocks=_with(batch.blocks, rows, patch.blocks),
                mtime=_with(batch.mtime, rows, patch.mtime),
                owner=owner,
                owners=owners,
                directory_mtime_ns=_with(batch.directory_mtime_ns, place, patch.mtime_ns),
                directory_ctime_ns=_with(batch.directory_ctime_ns, place, patch.ctime_ns),
            )
        ],
    )


def _with_owners(batch: Batch, rows: npt.NDArray[np.int64], uids: U32) -> tuple[Unsigned, U32]:
    """Return both columns of owners with those of some rows replaced; they are shared where nothing changes."""
    owners = merged([batch.owners, uids])
    new = owners.searchsorted(uids)
    if len(owners) == len(batch.owners) and np.array_equal(batch.owner[rows], new):
        return batch.owner, owners
    place = owners.searchsorted(batch.owners).astype(index_type(len(owners)))
    owner = place[batch.owner]
    owner[rows] = new
    return owner, owners


def _with(column: Column, rows: npt.NDArray[np.int64], values: "npt.NDArray[np.integer]") -> Column:
    """Return a copy of a column, wide enough, with new values in some rows."""
    low, high = np.min_scalar_type(int(values.min())), np.min_scalar_type(int(values.max()))
    fits = np.can_cast(low, column.dtype) and np.can_cast(high, column.dtype)
    dtype = column.dtype if fits else np.dtype(f"{column.dtype.kind}8")
    result = column.astype(dtype)
    result[rows] = values.astype(dtype)
    return cast(Column, result)
