"""Where the blocks of a file are, as far as its file system tells: which copies share them, and waste nothing."""

import fcntl
import os
import struct

_FIEMAP = 0xC020660B
_HEAD = struct.Struct("=QQLLLL")
_EXTENT = struct.Struct("=QQQQQLLLL")
_ROOM = 128
_SYNC = 1
_LAST = 1
_UNKNOWN = 0x2 | 0x4 | 0x8 | 0x80 | 0x100 | 0x200
"""Flags of extents whose place says nothing: unknown, not yet allocated, encoded, encrypted, not aligned, inline,
in a tail."""

SHARING_FILE_SYSTEMS = frozenset({"btrfs", "xfs", "bcachefs", "ocfs2"})

Extents = tuple[tuple[int, int, int], ...]
"""Logical, physical, length; bytes."""


def extents_of(path: bytes) -> Extents | None:
    """Return where all of a file is; None where that is not told."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return _read(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> Extents | None:
    found: list[tuple[int, int, int]] = []
    start = 0
    while True:
        request = bytearray(_HEAD.size + _ROOM * _EXTENT.size)
        _HEAD.pack_into(request, 0, start, (1 << 64) - 1 - start, _SYNC, 0, _ROOM, 0)
        fcntl.ioctl(descriptor, _FIEMAP, request)
        count = _HEAD.unpack_from(request)[3]
        flags = _LAST
        for number in range(count):
            logical, physical, length, _, _, flags, *_ = _EXTENT.unpack_from(
                request, _HEAD.size + number * _EXTENT.size
            )
            if flags & _UNKNOWN:
                return None
            found.append((logical, physical, length))
            start = logical + length
        if flags & _LAST:
            return tuple(found) if found else None
