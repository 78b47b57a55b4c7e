"""The Tree: every entry of a scan as immutable columns, in canonical order."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spacemap.tree.columns import (
    BLOCK_SIZE,
    I64,
    U8,
    U32,
    U64,
    EntryIds,
    Flag,
    Kind,
    Mask,
    Signed,
    Unsigned,
)
from spacemap.tree.owners import UNKNOWN_OWNER

DIRECTORY = int(Kind.DIRECTORY)  # plain: asked often


@dataclass(frozen=True, slots=True)
class Directories:
    """One row per directory entry, ascending by entry id; row 0 is the root."""

    entry: U32
    first_child: U32
    child_count: U32
    device: U64
    mtime_ns: I64
    ctime_ns: I64
    skip: U8
    """A `Skip` value; anything but NONE means that the directory has no children here."""


@dataclass(frozen=True, slots=True)
class Links:
    """One row per entry that is one of several links, ascending by entry id."""

    entry: U32
    device: U64
    link_count: U32
    """`st_nlink` at the time of the scan."""


@dataclass(frozen=True, slots=True)
class Problems:
    """What could not be read, ascending by entry id."""

    entry: U32
    operation: U8
    errno: U32
    """0 where no system call failed (a lost worker)."""

    def __len__(self) -> int:
        return len(self.entry)


@dataclass(frozen=True, slots=True)
class Folded:
    """How many files each aggregate entry stands for, ascending by entry id."""

    entry: U32
    file_count: U32


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the subtree of each directory, aligned with `Directories`, the directory itself included.

    Within one subtree an inode counts once, however many links it has there.
    """

    apparent: U64
    """Bytes."""
    disk: U64
    """Bytes."""
    shared: U64
    """Bytes of disk usage that deleting the subtree would not free: inodes with links outside it."""
    files: U64
    """Entries that are not directories, every link counted."""
    directories: U64
    """Directories, the one itself included."""
    problems: U64
    newest_mtime: I64
    """Seconds; the newest modification of any entry of the subtree."""

    @classmethod
    def none(cls) -> "Totals":
        """Return the totals of a tree that is not rolled up yet: no rows."""
        unsigned, signed = np.zeros(0, np.uint64), np.zeros(0, np.int64)
        return cls(unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, signed)


@dataclass(frozen=True, slots=True)
class Tree:
    """Entries as columns; ids are row numbers, the root is 0.

    Canonical order: breadth-first by directory, names ascending by raw bytes within a directory. So
    `parent[i] < i`, the children of a directory are one slice, and equal file systems give equal bytes.
    All arrays are read-only.
    """

    parent: U32
    """The root is its own parent."""
    kind: U8
    flags: U8
    apparent_size: Unsigned
    """`st_size`, bytes."""
    blocks: Unsigned
    """`st_blocks`, units of 512 bytes; `disk_usage()` gives bytes."""
    mtime: Signed
    """Seconds since 1970; all 0 when the scan was told to leave times out."""
    inode: Unsigned
    owner: Unsigned
    """Index into `owners`."""
    owners: U32
    """Uids that occur, ascending; `tree.owners.UNKNOWN_OWNER` of what was not measured."""
    name_offset: U32 | U64
    """Length n + 1; the name of entry i is `names[name_offset[i]:name_offset[i + 1]]`."""
    names: memoryview
    """The names as the kernel gave them; the root's is its whole path, an aggregate's is empty."""
    directories: Directories
    links: Links
    problems: Problems
    folded: Folded
    totals: Totals

    def __len__(self) -> int:
        return len(self.parent)

    @property
    def knows_owners(self) -> bool:
        """Whether it tells whose anything is; a snapshot from before owners were kept does not."""
        return int(self.owners[0]) != UNKNOWN_OWNER

    def name(self, entry: int) -> bytes:
        """Return the raw name of one entry."""
        return bytes(self.names[int(self.name_offset[entry]) : int(self.name_offset[entry + 1])])

    def path(self, entry: int) -> bytes:
        """Return the path of one entry, beginning with the root's name. Cost: its depth."""
        parts: list[bytes] = []
        while entry != 0:
            parts.append(self.name(entry))
            entry = int(self.parent[entry])
        root = self.name(0)
        if root:
            parts.append(root)
        parts.reverse()
        return b"/".join(parts) if not root.endswith(b"/") or len(parts) == 1 else root + b"/".join(parts[1:])

    def disk_usage(self, entries: EntryIds | slice | None = None) -> U64:
        """Return `st_blocks` x 512 in bytes, for all entries or the given ones; u64."""
        blocks = self.blocks if entries is None else self.blocks[entries]
        return blocks.astype(np.uint64) * np.uint64(BLOCK_SIZE)

    def directory_row(self, entry: int) -> int:
        """Return the row of `directories` and `totals` for a directory entry.

        Raises KeyError when the entry is not a directory.
        """
        # In the type of the column: for any other, numpy converts the whole column first.
        row = int(self.directories.entry.searchsorted(np.uint32(entry)))
        if row == len(self.directories.entry) or int(self.directories.entry[row]) != entry:
            raise KeyError(entry)
        return row

    def children(self, entry: int) -> range:
        """Return the ids of a directory's entries; empty for anything else."""
        if self.kind[entry] != DIRECTORY:
            return range(0)
        row = self.directory_row(entry)
        first = int(self.directories.first_child[row])
        return range(first, first + int(self.directories.child_count[row]))

    def counted(self) -> Mask:
        """Return the mask of entries whose sizes a sum over the whole tree takes: each inode once."""
        mask: Mask = (self.flags & np.uint8(Flag.REPEATED)) == 0
        return mask

    def ancestors(self, entry: int) -> Iterator[int]:
        """Yield the parents of an entry, the nearest first, the root last."""
        while entry != 0:
            entry = int(self.parent[entry])
            yield entry
