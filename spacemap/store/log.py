"""The log: frames appended to a file as they come, so that a crash costs the last of them and nothing before.

A header, then frames; numbers are little-endian. Header: magic, version u32, length of the JSON u32, JSON (what was
begun), checksum u64 of all before, zeros up to a multiple of 8. Frame: length of the body u64, number of the frame
u32, type u32, checksum u64 of the numbers before and the body, body, zeros up to a multiple of 8. A frame that is
torn, damaged or out of its turn ends the log: what follows was never written as far as a reader can know.
"""

import fcntl
import mmap
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from struct import Struct
from typing import NamedTuple

import orjson
from xxhash import xxh3_64, xxh3_64_intdigest

from spacemap.errors import FormatError, SpacemapError, UsageError

MAGIC = b"SMAPLOG\n"  # stable on disk, as is all of this layout
VERSION = 2
MAX_FACTS = 1 << 24

_HEADER = Struct("<8sII")
_FRAME = Struct("<QIIQ")
_CHECKSUM = Struct("<Q")

Path = str | bytes | os.PathLike[str]


class Frame(NamedTuple):
    """One frame as it was appended."""

    type: int
    body: memoryview
    """A view of the mapped file."""


class LogContent(NamedTuple):
    """What a log holds."""

    facts: Mapping[str, object]
    frames: list[Frame]
    end: int
    """Bytes up to the end of the last good frame."""
    lost: int
    """Bytes after it that are not a frame."""


class LogWriter:
    """Appends frames. Holds a lock on the file that goes with this process, however it ends."""

    def __init__(self, path: Path, descriptor: int, next_number: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._next_number = next_number

    def append(self, frames: Iterable[tuple[int, memoryview | bytes]]) -> None:
        """Write (type, body) of each frame; after a crash of this process they are there. Raises SpacemapError."""
        parts: list[memoryview | bytes] = []
        for frame_type, body in frames:
            head = _FRAME.pack(len(body), self._next_number, frame_type, 0)[: -_CHECKSUM.size]
            checksum = xxh3_64(head)
            checksum.update(body)
            parts += [head + _CHECKSUM.pack(checksum.intdigest()), body, bytes(-len(body) % 8)]
            self._next_number += 1
        try:
            for part in parts:
                _write(self._descriptor, part)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def sync(self) -> None:
        """Bring what was appended to the disk: after a power failure it is there. Raises SpacemapError."""
        try:
            os.fdatasync(self._descriptor) if hasattr(os, "fdatasync") else os.fsync(self._descriptor)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def close(self) -> None:
        """Let go of the file and its lock."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Remove the file, and let go of it. Raises SpacemapError where it cannot be removed."""
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise SpacemapError(f"{_shown(self.path)}: cannot be removed: {error.strerror}; remove it") from error
        finally:
            self.close()

    def restart(self, facts: Mapping[str, object]) -> None:
        """Forget all frames, and begin anew with other facts. Raises SpacemapError.

        What was read of the file is not to be looked at any more: its pages go.
        """
        try:
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            _write(self._descriptor, _head(facts))
        except OSError as error:
            raise _unwritable(self.path, error) from error
        self._next_number = 0


def create_log(path: Path, facts: Mapping[str, object]) -> LogWriter:
    """Begin a log where no file is, or an empty one.

    Raises UsageError when there is a file, or another process writes it; SpacemapError when it cannot be written.
    """
    descriptor = _open(path, os.O_RDWR | os.O_CREAT)
    if os.fstat(descriptor).st_size:
        os.close(descriptor)
        raise UsageError(f"{_shown(path)} is there already: continue it with --resume, or name another file")
    try:
        _write(descriptor, _head(facts))
    except OSError as error:
        with suppress(OSError):
            os.unlink(path)  # nothing is in it
        os.close(descriptor)
        raise _unwritable(path, error) from error
    return LogWriter(path, descriptor, 0)


def continue_log(path: Path) -> tuple[LogContent, LogWriter]:
    """Read a log, cut off what is no good frame at its end, and return it with its writer.

    Raises FormatError for what is no log of this version; UsageError when another process writes it.
    """
    descriptor = _open(path, os.O_RDWR)
    try:
        content = _content(path, descriptor)
        if content.lost:
            os.ftruncate(descriptor, content.end)
        os.lseek(descriptor, content.end, os.SEEK_SET)
    except OSError as error:
        os.close(descriptor)
        raise _unwritable(path, error) from error
    except SpacemapError:
        os.close(descriptor)
        raise
    return content, LogWriter(path, descriptor, len(content.frames))


def read_log(path: Path) -> LogContent:
    """Read a log that somebody else may be writing. Raises FormatError, SpacemapError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SpacemapError(f"{_shown(path)}: cannot be read: {error.strerror}; check the path") from error
    try:
        return _content(path, descriptor)
    finally:
        os.close(descriptor)


def _head(facts: Mapping[str, object]) -> bytes:
    """Return the header of a log."""
    document = orjson.dumps(facts)
    head = _HEADER.pack(MAGIC, VERSION, len(document)) + document
    head += _CHECKSUM.pack(xxh3_64_intdigest(head))
    return head + bytes(-len(head) % 8)


def _open(path: Path, flags: int) -> int:
    """Open and lock a file. Raises UsageError when another process holds the lock."""
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
    except OSError as error:
        raise _unwritable(path, error) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UsageError(f"{_shown(path)} is not a regular file: name another file for the checkpoint")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise UsageError(f"{_shown(path)} belongs to a scan that is running: wait for it, or end it") from error
    if not os.fstat(descriptor).st_nlink:  # its scan ended, and removed it, before the lock was ours
        os.close(descriptor)
        raise UsageError(f"{_shown(path)} is gone: the scan that it belonged to is complete")
    return descriptor


def _content(path: Path, descriptor: int) -> LogContent:
    size = os.fstat(descriptor).st_size
    if not size:
        raise FormatError(f"{_shown(path)}: the file is empty; begin the scan anew with --checkpoint")
    data = _mapped(path, descriptor, size)
    facts, at = _facts(path, data)
    frames: list[Frame] = []
    while (frame := _frame(data, at, len(frames))) is not None:
        frames.append(frame)
        at += _FRAME.size + len(frame.body) + -len(frame.body) % 8
    return LogContent(facts, frames, at, size - at)


def _mapped(path: Path, descriptor: int, size: int) -> memoryview:
    """Return the bytes of a file. The mapping goes by another opening of it: it keeps that, and with it a lock."""
    own = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not os.path.samestat(os.fstat(own), os.fstat(descriptor)):
            raise UsageError(f"{_shown(path)} was replaced while it was read: try again")
        return memoryview(mmap.mmap(own, size, access=mmap.ACCESS_READ))
    finally:
        os.close(own)


def _facts(path: Path, data: memoryview) -> tuple[Mapping[str, object], int]:
    """Return what the header says, and where the first frame begins."""
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise FormatError(f"{_shown(path)}: it is not a checkpoint of spacemap; name a file that --checkpoint wrote")
    broken = FormatError(f"{_shown(path)}: the header is damaged; remove the file and scan anew with --checkpoint")
    if len(data) < _HEADER.size:
        raise broken
    _, version, length = _HEADER.unpack_from(data)
    end = _HEADER.size + length
    if length > MAX_FACTS or end + _CHECKSUM.size > len(data):
        raise broken
    if _CHECKSUM.unpack_from(data, end)[0] != xxh3_64_intdigest(data[:end]):
        raise broken
    if version != VERSION:
        raise FormatError(
            f"{_shown(path)}: it has version {version} of the format, this spacemap continues version {VERSION}; "
            "use the spacemap that wrote it, or scan anew"
        )
    try:
        facts: object = orjson.loads(data[_HEADER.size : end])
    except orjson.JSONDecodeError:
        raise broken from None
    if not isinstance(facts, dict):
        raise broken
    end += _CHECKSUM.size
    return facts, end + -end % 8


def _frame(data: memoryview, at: int, number: int) -> Frame | None:
    """Return the frame that begins at an offset; None where no good one does."""
    if at + _FRAME.size > len(data):
        return None
    length, found, frame_type, checksum = _FRAME.unpack_from(data, at)
    begin = at + _FRAME.size
    if found != number or begin + length + -length % 8 > len(data):
        return None
    expected = xxh3_64(data[at : begin - _CHECKSUM.size])
    expected.update(data[begin : begin + length])
    if expected.intdigest() != checksum or any(data[begin + length : begin + length + -length % 8]):
        return None
    return Frame(frame_type, data[begin : begin + length])


def _write(descriptor: int, data: memoryview | bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _shown(path: Path) -> str:
    return repr(os.fsdecode(path))


def _unwritable(path: Path, error: OSError) -> SpacemapError:
    return SpacemapError(f"{_shown(path)}: cannot be written: {error.strerror}; make room or name another place")
