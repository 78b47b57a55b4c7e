"""Frames: what workers and the scan say to each other, byte for byte.

Little-endian; a frame begins with `magic u32, type u8` and holds its own length. Stable on disk: a checkpoint is
a file of these frames.

BATCH (1), header 88 bytes: magic u32, type u8, width u8 x 5 (apparent, blocks, mtime, inode, owner), padding 2,
entries u32, length u64, base reference u64, listings u32, directories u32, links u32, problems u32, bytes of names
u64, excluded u64, sum of blocks u64, bytes of the place u32, root of the place u32, owner u32, padding 4. The columns
of `spacemap.tree.batch.Batch` follow in order, each padded to 8 bytes, and last the place: the path below the root of
the directory listed last, for the progress line. Owners are uids; where their width is 0, all entries have that of
the header.

DIRECTORIES (2), IDLE (3) and the commands, header 24 bytes: magic u32, type u8, padding 7, count u32,
length u64. Then `count` records of 40 bytes (reference u64, device u64, inode u64, depth u32, root u16, notes u16,
length of the path u32, padding 4), then the paths below their roots.
"""

from collections.abc import Iterable, Iterator
from enum import IntEnum, IntFlag
from struct import Struct
from typing import NamedTuple

MAGIC = 0x31424D53
BATCH_HEADER = Struct("<IB5B2xIQQIIIIQQQIII4x")
SHORT_HEADER = Struct("<IB7xIQ")
RECORD = Struct("<QQQIHHI4x")
PREFIX_SIZE = SHORT_HEADER.size
"""So many bytes tell the type and length of any frame."""


class FrameType(IntEnum):
    """What a frame is. Stable on disk."""

    BATCH = 1
    DIRECTORIES = 2
    """From a worker: directories handed back. To a worker: a claim."""
    IDLE = 3
    STATUS = 4
    GIVE = 5
    """To a worker: hand back half of what waits."""
    POISON = 6
    """To a worker: never open these directories."""
    STOP = 7
    """To a worker: finish what is under way, send it, end."""


RENAMED = 100
"""Type of a frame that only checkpoints hold: pairs of references, u64; the listing of the first is that of the
second. Stable on disk."""
_FRAME_TYPES = {int(each): each for each in FrameType}


class Note(IntFlag):
    """What is special about a directory that waits. Stable on disk."""

    BOUNDARY = 1
    VIA_SYMLINK = 2
    POISONED = 4
    ALONE = 8
    """List this directory and hand back its subdirectories."""


class Waiting(NamedTuple):
    """A directory that has not been listed: one of the frontier."""

    ref: int
    """Reference of its entry, unique in a scan."""
    device: int
    inode: int
    depth: int
    root: int
    """Index of its root; `path` is below it."""
    notes: int
    path: bytes


class WireError(Exception):
    """A worker sent something that is no frame."""


def encode_directories(frame_type: FrameType, directories: Iterable[Waiting] = ()) -> bytes:
    """Return one frame of waiting directories, or a bare command."""
    directories = list(directories)
    records = b"".join(
        RECORD.pack(d.ref, d.device, d.inode, d.depth, d.root, d.notes, len(d.path)) for d in directories
    )
    paths = b"".join([d.path for d in directories])
    length = SHORT_HEADER.size + len(records) + len(paths)
    return SHORT_HEADER.pack(MAGIC, frame_type, len(directories), length) + records + paths


def decode_directories(frame: bytes) -> list[Waiting]:
    """Return the records of a frame of waiting directories. Raises WireError."""
    if len(frame) < SHORT_HEADER.size:
        raise WireError("a frame ends within its header")
    _, _, count, length = SHORT_HEADER.unpack_from(frame)
    start = SHORT_HEADER.size
    path_at = start + count * RECORD.size
    if length != len(frame) or path_at > length:
        raise WireError("a frame of directories is not as long as it says")
    result = []
    for ref, device, inode, depth, root, notes, path_length in RECORD.iter_unpack(frame[start:path_at]):
        result.append(Waiting(ref, device, inode, depth, root, notes, frame[path_at : path_at + path_length]))
        path_at += path_length
    return result


def frame_length(prefix: bytes | memoryview) -> tuple[FrameType, int]:
    """Return the type and whole length in bytes of the frame that begins with `prefix`. Raises WireError."""
    magic, number, _, length = SHORT_HEADER.unpack_from(prefix)
    frame_type = _FRAME_TYPES.get(number)
    if magic != MAGIC or frame_type is None:
        raise WireError(f"not a frame: {bytes(prefix[:8]).hex()}")
    return frame_type, length


def split_frames(data: bytes) -> Iterator[tuple[FrameType, bytes]]:
    """Yield the type and bytes of each frame in `data`."""
    at = 0
    while at < len(data):
        frame_type, length = frame_length(data[at : at + PREFIX_SIZE])
        yield frame_type, data[at : at + length]
        at += length
