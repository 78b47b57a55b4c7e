"""Directories that are what they were but for their sizes, times and owners: measured, and written into the base.

Otherwise the directory above each would have to be listed again for the sake of one row.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from spacemap.scan.base import Base
from spacemap.tree.batch import Batch
from spacemap.tree.columns import I64, U32, U64, Unsigned
from spacemap.tree.owners import index_type, merged

Column = TypeVar("Column", bound=npt.NDArray[np.integer])


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


CHANGED = np.dtype(
    [
        ("entry", "<u4"),
        ("owner", "<u4"),
        ("apparent_size", "<u8"),
        ("blocks", "<u8"),
        ("mtime", "<i8"),
        ("mtime_ns", "<i8"),
        ("ctime_ns", "<i8"),
    ]
)
"""What a check returns for each directory that differs and is still where and what it was."""


def patch_of(changed: Iterable[bytes]) -> Patch:
    """Return the patch of all that checks returned."""
    rows = np.frombuffer(b"".join(changed), CHANGED)
    rows = rows[np.argsort(rows["entry"])]
    return Patch(*(np.ascontiguousarray(rows[field.name]) for field in fields(Patch)))


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
