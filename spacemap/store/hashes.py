"""Kept hashes: what is known of the contents of files, found by identity, so that only what changed is read again.

One file of checksummed blocks, replaced whole. A program that is about to replace it holds a lock and takes over what
others have added meanwhile. An identity is (device, inode, size, mtime_ns, ctime_ns): when any of it differs, nothing
is known.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_hexdigest, xxh3_64_intdigest

from spacemap.errors import FormatError, SpacemapError
from spacemap.store.blocks import Column, Durability, Layout, Path, atomic_file, open_blocks, verified, write_blocks
from spacemap.store.cache import HASHES, make_place
from spacemap.tree.columns import I64, U32, U64
from spacemap.tree.place import ranges

ALGORITHM = "xxh3-128, windows from 4096 bytes"
"""How marks are made: files of another algorithm have another name."""
LIMIT = 4_000_000
"""Files that are kept; those that were not used for longest go first."""

_COLUMNS = {
    "device": "u",
    "inode": "u",
    "size": "u",
    "mtime_ns": "i",
    "ctime_ns": "i",
    "used": "u",
    "first_mark": "i",
    "mark_offset": "u",
    "mark_low": "u",
    "mark_high": "u",
}
_LAYOUT = Layout(100, xxh3_64_intdigest(repr((ALGORITHM, _COLUMNS)).encode()), _COLUMNS)
_DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Hashes:
    """Files by identity, and for each the digests of its beginning up to some offsets."""

    device: U64
    inode: U64
    size: U64
    mtime_ns: I64
    ctime_ns: I64
    used: U32
    """Days since 1970 when it was last of use."""
    first_mark: I64
    """Length n + 1; the marks of file i are rows first_mark[i] to first_mark[i + 1] of the next three."""
    mark_offset: U64
    """Ascending for each file; the last one may be its size."""
    mark_low: U64
    mark_high: U64

    def __len__(self) -> int:
        return len(self.device)

    @classmethod
    def none(cls) -> "Hashes":
        """Return hashes of nothing."""
        unsigned, signed = np.zeros(0, np.uint64), np.zeros(0, np.int64)
        return cls(
            unsigned,
            unsigned,
            unsigned,
            signed,
            signed,
            np.zeros(0, np.uint32),
            np.zeros(1, np.int64),
            unsigned,
            unsigned,
            unsigned,
        )

    def taken(self, rows: npt.NDArray[np.int64]) -> "Hashes":
        """Return some of them."""
        count = np.diff(self.first_mark)[rows]
        marks = ranges(self.first_mark[:-1][rows], count)
        return Hashes(
            self.device[rows],
            self.inode[rows],
            self.size[rows],
            self.mtime_ns[rows],
            self.ctime_ns[rows],
            self.used[rows],
            np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
            self.mark_offset[marks],
            self.mark_low[marks],
            self.mark_high[marks],
        )

    def find(self, device: U64, inode: U64, size: U64, mtime_ns: I64, ctime_ns: I64) -> npt.NDArray[np.int64]:
        """Return the row of each identity, -1 where it is not known."""
        if not len(self):
            return np.full(len(device), -1, np.int64)
        key = _key(self.device, self.inode)
        order = np.argsort(key, kind="stable")
        at = np.minimum(key[order].searchsorted(_key(device, inode)), len(order) - 1)
        row = order[at].astype(np.int64)
        is_same = (self.device[row] == device) & (self.inode[row] == inode) & (self.size[row] == size)
        is_same &= (self.mtime_ns[row] == mtime_ns) & (self.ctime_ns[row] == ctime_ns)
        row[~is_same] = -1
        return row

    def check(self) -> None:
        """Raise FormatError unless the columns fit together."""
        columns = (self.device, self.inode, self.size, self.mtime_ns, self.ctime_ns, self.used)
        files = {len(column) for column in columns}
        marks = {len(column) for column in (self.mark_offset, self.mark_low, self.mark_high)}
        first = self.first_mark
        if files != {len(first) - 1} or first[0] != 0 or marks != {int(first[-1])} or (np.diff(first) < 0).any():
            raise FormatError("the columns of kept hashes do not fit together")


def joined(parts: Sequence[Hashes]) -> Hashes:
    """Return the hashes of all parts; of several for one inode, the last."""
    return Hashes(**dict(_joined_columns(parts, _chosen(parts))))  # type: ignore[arg-type]


def _chosen(parts: Sequence[Hashes]) -> npt.NDArray[np.int64]:
    """Return the rows of all parts, laid end to end, that are the last of their inode."""
    key = np.concatenate([_key(part.device, part.inode) for part in parts])
    order = np.argsort(key, kind="stable")
    is_last = np.ones(len(order), np.bool_)
    is_last[:-1] = key[order[1:]] != key[order[:-1]]
    return np.sort(order[is_last]).astype(np.int64)


def _joined_columns(
    parts: Sequence[Hashes], rows: npt.NDArray[np.int64]
) -> Iterator[tuple[str, npt.NDArray[np.int64 | np.uint64 | np.uint32]]]:
    """Yield the columns of some rows of all parts by name, one after the other: all at once are a lot of memory."""
    counts = np.concatenate([np.diff(part.first_mark) for part in parts])
    begins = np.cumsum(counts) - counts
    counts = counts[rows]
    marks = ranges(begins[rows], counts)
    for name in _COLUMNS:
        if name == "first_mark":
            yield name, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        else:
            column = np.concatenate([getattr(part, name) for part in parts])
            yield name, column[marks if name.startswith("mark_") else rows]


def hashes_path(directory: Path, host: str) -> bytes:
    """Return where the hashes of a host are kept in a cache directory."""
    stem = f"{xxh3_64_hexdigest(host.encode())}-{xxh3_64_hexdigest(ALGORITHM.encode())}.hash"
    return os.path.join(os.path.abspath(os.fsencode(directory)), HASHES, stem.encode())


def load_hashes(path: bytes) -> Hashes:
    """Return what is kept in a file; nothing where there is none.

    Raises FormatError for a damaged file, SpacemapError for one that cannot be read.
    """
    if not os.path.lexists(path):
        return Hashes.none()
    file = open_blocks(path, {_LAYOUT.version: _LAYOUT})
    columns = {name: np.frombuffer(verified(file, name), f"<{block.type}") for name, block in file.blocks.items()}
    hashes = Hashes(**columns)
    hashes.check()
    return hashes


def keep_hashes(path: bytes, found: Sequence[Hashes], now_ns: int) -> None:
    """Add hashes to those that are kept, of which other programs may have added some meanwhile.

    Raises SpacemapError when they cannot be kept; what was there before is then untouched.
    """
    make_place(path)
    try:
        lock = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise SpacemapError(f"hashes cannot be kept: {error.strerror}; name another --cache-dir") from error
    try:
        with suppress(OSError):  # not every file system has locks; the last writer wins there
            fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            kept = load_hashes(path)
        except SpacemapError:  # damaged: it can be made again
            kept = Hashes.none()
        parts = [kept, *found]
        rows = _chosen(parts)
        if len(rows) > LIMIT:
            used = np.concatenate([part.used for part in parts])[rows]
            rows = np.sort(rows[np.argsort(used, kind="stable")[-LIMIT:]])
        with atomic_file(path, Durability.CRASH) as file:
            columns = (_as_column(name, values) for name, values in _joined_columns(parts, rows))
            write_blocks(file, _LAYOUT, columns, {"algorithm": ALGORITHM, "written_ns": now_ns})
    finally:
        os.close(lock)


def today(now_ns: int) -> int:
    """Return the day for `Hashes.used`."""
    return now_ns // _DAY_NS


def _key(device: U64, inode: U64) -> U64:
    """Return one number for (device, inode); two pairs may share it, which costs no more than reading a file again."""
    key: U64 = inode.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + device.astype(np.uint64)
    return key


def _as_column(name: str, values: npt.NDArray[np.int64 | np.uint64 | np.uint32]) -> Column:
    return Column(name, values.dtype.str[1:], np.ascontiguousarray(values).view(np.uint8).data)
