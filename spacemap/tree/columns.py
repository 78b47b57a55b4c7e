"""The vocabulary of the columns: kinds, flags and reasons, and their array types."""

from enum import IntEnum, IntFlag

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Unsigned = npt.NDArray[np.unsignedinteger]
"""A column stored in the narrowest unsigned type that holds it."""
Signed = npt.NDArray[np.signedinteger]
"""A column stored in the narrowest signed type that holds it."""
EntryIds = npt.NDArray[np.unsignedinteger | np.signedinteger]
"""Ids of entries of one tree."""
Mask = npt.NDArray[np.bool_]

BLOCK_SIZE = 512
"""Bytes in one unit of `st_blocks`, whatever the file system's own block size."""


class Kind(IntEnum):
    """What an entry is. Stable on disk."""

    DIRECTORY = 0
    FILE = 1
    SYMLINK = 2
    OTHER = 3
    """Socket, fifo, character or block device."""


class Flag(IntFlag):
    """Facts about one entry, a bit each. Stable on disk."""

    LINKED = 1
    """One of several hard links (or, when symlinks are followed, of several ways to one inode)."""
    REPEATED = 2
    """A counted link with a lower id stands for this inode; sums over a whole tree leave this entry out."""
    MOUNT = 4
    """A directory that begins another mount than its parent's."""
    VIA_SYMLINK = 8
    """The entry is a symlink whose target was measured in its place."""
    FOLDED = 16
    """Not a name in the file system: the sum of small files of its directory, see `Tree.folded`."""
    UNMEASURED = 32
    """Its metadata could not be read; sizes and times are 0."""


class Skip(IntEnum):
    """Why a directory was not descended into. Stable on disk."""

    NONE = 0
    EXCLUDED = 1
    PRUNED = 2
    OTHER_DEVICE = 3
    KERNEL_FS = 4
    UNREADABLE = 5
    TIMED_OUT = 6
    UNLISTED = 7
    SECOND_VIEW = 8
    """The same directory is listed elsewhere in this tree (bind mount, overlay, symlink loop)."""
    DEPTH_LIMIT = 9
    CACHE_TAGGED = 10
    WORKER_LOST = 11


ELSEWHERE = (Skip.OTHER_DEVICE, Skip.KERNEL_FS, Skip.SECOND_VIEW)
"""What is skipped for these reasons is not part of this tree: as in `du -x`, not even the directory itself counts."""

VANISHED = 255
"""As the skip of a listing in a batch: the directory was not there when it was to be listed. Stable on disk.

In the tree it is empty, and changed at `NEVER_NS`, so that nobody who finds it again takes it for empty.
"""
NEVER_NS = -(1 << 63)
GRANULARITY_NS = 2_000_000_000
"""What changed so shortly before it was looked at may have changed again within one tick of its clock."""


class Operation(IntEnum):
    """The step that failed in a problem. Stable on disk."""

    OPEN = 1
    LIST = 2
    STAT = 3
    SCAN = 4
    """A worker was lost or timed out while it listed this directory."""
