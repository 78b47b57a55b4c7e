"""The file of the journal: one JSON line for each step, with a checksum, appended and brought to the disk.

A few kilobytes of zeros after the last line are kept in reserve: they let a removal begin where the disk is full.
"""

import fcntl
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

import orjson
from xxhash import xxh3_64_hexdigest

from spacemap.errors import SpacemapError, UsageError

NAME, LOCK = "journal.jsonl", "lock"
FILE_LIMIT = 32 << 20
"""Bytes after which another file is begun."""
KEPT_FILES = 3
"""So many former files are kept: NAME with .1 is the newest of them."""
RESERVE = 64 << 10

_SUM = b',"checksum":"'
_TAIL = re.compile(rb'[0-9a-f]{16}"\}')

Value = str | int | bool | None | Sequence["Value"] | Mapping[str, "Value"]
Record = Mapping[str, Value]


class LineWriter:
    """Appends lines. Holds a lock that goes with this process, however it ends."""

    def __init__(self, directory: str) -> None:
        """Open the journal of a directory, which is made if need be.

        Raises UsageError when another process writes it, SpacemapError when it cannot be written.
        """
        self._directory = directory
        try:
            os.makedirs(directory, mode=0o700, exist_ok=True)
            self._lock = os.open(os.path.join(directory, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unwritable(directory, error) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise UsageError("another spacemap is removing or restoring files: wait for it, or end it") from error
        except OSError:
            pass  # a file system without locks
        try:
            self._descriptor, self._end = self._open()
        except OSError as error:
            os.close(self._lock)
            raise _unwritable(directory, error) from error

    def append(self, records: Iterable[Record]) -> None:
        """Write lines; after a crash of this process they are there. Raises SpacemapError."""
        data = b"".join(map(_line, records))
        try:
            if self._end and self._end + len(data) > FILE_LIMIT:
                self._rotate()
            while data:
                written = os.pwrite(self._descriptor, data, self._end)
                self._end, data = self._end + written, data[written:]
        except OSError as error:
            raise _unwritable(self._directory, error) from error

    def sync(self) -> None:
        """Bring what was appended to the disk: after a power failure it is there. Raises SpacemapError."""
        try:
            os.fdatasync(self._descriptor) if hasattr(os, "fdatasync") else os.fsync(self._descriptor)
        except OSError as error:
            raise _unwritable(self._directory, error) from error

    def close(self) -> None:
        """Renew the reserve, and let go of the file and the lock."""
        if hasattr(os, "posix_fallocate"):
            with suppress(OSError):  # the disk is full: what is left of the reserve stays
                os.posix_fallocate(self._descriptor, self._end, RESERVE)
        os.close(self._descriptor)
        os.close(self._lock)

    def _open(self) -> tuple[int, int]:
        """Return a descriptor of the file, and where its next line begins."""
        path = os.path.join(self._directory, NAME)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read()
        if not data:  # a new file: its name is to be on the disk before what it tells is done
            self._sync_names()
        end = _good_end(data)
        if data[end:].strip(b"\0"):  # a torn line: no reader may take its rest for another
            os.pwrite(descriptor, bytes(len(data) - end), end)
        return descriptor, end

    def _sync_names(self) -> None:
        place = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(place)
        finally:
            os.close(place)

    def _rotate(self) -> None:
        os.ftruncate(self._descriptor, self._end)
        os.close(self._descriptor)
        paths = [os.path.join(self._directory, name) for name in _file_names()]
        for older, newer in zip(paths, paths[1:], strict=False):
            with suppress(FileNotFoundError):
                os.replace(newer, older)
        self._descriptor, self._end = self._open()


def is_written(directory: str) -> bool:
    """Return whether a process is writing the journal of a directory now."""
    try:
        descriptor = os.open(os.path.join(directory, LOCK), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(descriptor)
    return False


def read_lines(directory: str) -> Iterator[dict[str, object]]:
    """Yield the records of a journal, the oldest first; a torn line ends its file. Raises SpacemapError."""
    for name in _file_names():
        path = os.path.join(directory, name)
        try:
            with open(path, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise SpacemapError(f"{path!r}: cannot be read: {error.strerror}; check the path") from error
        for line in data[: _good_end(data)].splitlines():
            record: object = orjson.loads(line)
            if isinstance(record, dict):
                yield record


def _file_names() -> list[str]:
    """Return the names of the files, the oldest first."""
    return [*(f"{NAME}.{number}" for number in range(KEPT_FILES, 0, -1)), NAME]


def _line(record: Record) -> bytes:
    body = orjson.dumps(record)
    return body[:-1] + _SUM + xxh3_64_hexdigest(body).encode() + b'"}\n'


def _good_end(data: bytes) -> int:
    """Return where the last good line of a file ends that has none but good ones before it."""
    end = 0
    while (newline := data.find(b"\n", end)) >= 0 and _is_whole(data[end:newline]):
        end = newline + 1
    return end


def _is_whole(line: bytes) -> bool:
    body, separator, tail = line.rpartition(_SUM)
    return bool(separator and _TAIL.fullmatch(tail)) and xxh3_64_hexdigest(body + b"}").encode() == tail[:16]


def _unwritable(directory: str, error: OSError) -> SpacemapError:
    reason = f"the journal in {directory!r} cannot be written: {error.strerror}"
    return SpacemapError(f"{reason}; nothing is removed that it does not tell, so make room there")
