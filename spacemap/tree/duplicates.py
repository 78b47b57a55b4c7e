"""What is here twice: groups of files with equal contents and of equal directories, as arrays of ids of one tree."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from spacemap.tree.columns import I64, U8, U32, U64, EntryIds, Mask

Digests = npt.NDArray[np.uint8]
"""One row of 16 bytes each."""


class Proof(IntEnum):
    """How the contents of a group are known to be equal."""

    COMPARED = 1
    """Byte by byte, in this run."""
    HASHED = 2
    """By their hashes, at least one of which was kept by an earlier run."""


class LeftOut(IntEnum):
    """Why a file could be in no group."""

    UNREADABLE = 1
    CHANGED = 2
    """It vanished, or it is not what the scan saw, or it changed while it was read."""


@dataclass(frozen=True, slots=True)
class Copies:
    """The files of all groups, one row for each inode, as they were when they were read."""

    entry: U32
    """The link with the lowest id among those that were looked at."""
    device: U64
    inode: U64
    mtime_ns: I64
    ctime_ns: I64
    disk: U64
    """Bytes."""
    link_count: U32
    """As `st_nlink`."""
    first_link: I64
    """Length n + 1; the links of copy i are `links[first_link[i]:first_link[i + 1]]`."""
    links: U32
    """Entry ids of every link that was looked at, ascending for each copy."""
    is_shared: Mask
    """All its blocks are those of another copy of its group, which the file system shares: no waste."""
    is_told: Mask
    """It is in a directory that is reported as a copy as a whole."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of files with equal contents, the one with the most waste first, as the report has them."""

    size: U64
    """Bytes of each file."""
    wasted: U64
    """Bytes of disk usage of all copies but one; without what is shared, or told by a directory."""
    digest: Digests
    """XXH3, 128 bits, of the whole content, as xxhsum writes it."""
    has_digest: Mask
    """False where holes were left out, or not everything was hashed."""
    proof: U8
    """A `Proof` value."""
    first: I64
    """Length n + 1; the copies of group i are rows first[i] to first[i + 1] of `Copies`."""

    def __len__(self) -> int:
        return len(self.size)


def waste(disk: U64, is_counted: Mask, first: I64) -> U64:
    """Return the bytes of all copies of each group but the smallest, of those that count; groups begin at `first`."""
    if not len(first):
        return np.zeros(0, np.uint64)
    total: U64 = np.add.reduceat(np.where(is_counted, disk, np.uint64(0)), first)
    least: U64 = np.minimum.reduceat(np.where(is_counted, disk, np.iinfo(np.uint64).max), first)
    return total - np.minimum(total, least)


@dataclass(frozen=True, slots=True)
class DirectoryGroups:
    """Groups of directories that hold the same names with the same contents, the one with the most waste first."""

    size: U64
    """Bytes of the files in each."""
    files: U64
    """Files in each."""
    wasted: U64
    """Bytes of disk usage of the files in all but the first directory."""
    first: I64
    """Length n + 1; the directories of group i are `entries[first[i]:first[i + 1]]`."""
    entries: U32

    def __len__(self) -> int:
        return len(self.size)


@dataclass(frozen=True, slots=True)
class NotCompared:
    """Files that could not be read, or did not stay as they were."""

    entry: U32
    reason: U8
    """A `LeftOut` value."""
    errno: I64
    """0 where no system call failed."""

    def __len__(self) -> int:
        return len(self.entry)


@dataclass(frozen=True, slots=True)
class Effort:
    """What finding them took."""

    candidates: int
    """Inodes that shared their size with another."""
    candidate_bytes: int
    bytes_read: int
    known: int
    """Files whose hashes were kept by an earlier run."""
    elapsed_ns: int


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What was found in a tree."""

    groups: Groups
    copies: Copies
    directories: DirectoryGroups
    not_compared: NotCompared
    empty: EntryIds
    """Empty files, which waste nothing."""
    effort: Effort
    is_complete: bool
    """False when it was interrupted: there may be more."""
    notes: tuple[str, ...]
    """Lines for the user."""

    @property
    def wasted(self) -> int:
        """Bytes of disk usage that copies take, each once."""
        return int(self.groups.wasted.sum(dtype=np.uint64)) + int(self.directories.wasted.sum(dtype=np.uint64))

    def told(self) -> EntryIds:
        """Return the groups of files that have copies outside directories that are told as a whole, the most waste
        first."""
        if not len(self.groups):
            return np.zeros(0, np.int64)
        outside = np.add.reduceat((~self.copies.is_told).astype(np.int64), self.groups.first[:-1])
        return np.flatnonzero(outside > 1)

    def links(self, copy: int) -> EntryIds:
        """Return the links of a copy."""
        begin, end = self.copies.first_link[copy : copy + 2].tolist()
        links: EntryIds = self.copies.links[begin:end]
        return links
