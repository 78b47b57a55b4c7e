"""Contents compared by Python alone: the same marks and parts as `_contents.c`, which see."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_128

from spacemap.analyze.contents import FIRST_WINDOW, MARK_TYPE, Counter, Rows, State

_MAX_WINDOW = 1 << 18
_SHORTEST_JUMP = 1 << 20
_MIN_SLOTS = 3
_WORTH_FORGETTING = 1 << 20
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NO_TRACE = getattr(os, "O_NOATIME", 0)
_LONGEST_PATH = 4096
_GONE = (FileNotFoundError, NotADirectoryError)


class _LeftOutError(Exception):
    """A file that cannot be compared: its state is set."""


@dataclass(slots=True)
class _Source:
    """A file while it is worked on."""

    index: int
    descriptor: int = -1
    was_opened: bool = False
    is_sparse: bool = False
    absent: int | None = None
    """From here on it was not in the page cache."""
    read_end: int = 0


@dataclass(slots=True)
class _Part:
    """Files that are equal up to an offset."""

    sources: list[_Source]
    offset: int
    state: xxh3_128
    is_hashed: bool
    """No hole was left out of the state."""


@dataclass(slots=True)
class _Content:
    """Files of a part with equal windows."""

    window: bytes | None
    """None: there was no room, and they are equal by their digest alone."""
    digest: int
    sources: list[_Source] = field(default_factory=list)


def identify(files: Rows, directories: bytes, names: memoryview, /) -> None:
    """Fill in the identity of each file as it is now; `errno` where it has none."""
    for row in files:
        try:
            status = os.lstat(_path(row, directories, names))
        except OSError as error:
            row["errno"] = error.errno or 0
            continue
        row["blocks"], row["links"] = status.st_blocks, status.st_nlink
        row["mtime_ns"], row["ctime_ns"] = status.st_mtime_ns, status.st_ctime_ns
        row["device"], row["inode"] = status.st_dev, status.st_ino


def compare(  # noqa: PLR0913 - as Compare says
    files: Rows,
    begins: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.uint64],
    directories: bytes,
    names: memoryview,
    counters: npt.NDArray[np.uint64],
    memory: int,
    open_files: int,
    only_first: bool,  # noqa: FBT001
    mask: int = -1,
    /,
) -> bytes:
    """Return the marks; see `contents.Compare`."""
    run = _Run(files, directories, names, counters, memory, open_files, only_first=only_first, mask=mask)
    for begin, end, size in zip(begins[:-1].tolist(), begins[1:].tolist(), sizes.tolist(), strict=True):
        run.tell_apart(range(begin, end), size)
    return np.array(run.marks, MARK_TYPE).tobytes()


class _Run:
    """One call."""

    def __init__(  # noqa: PLR0913 - those of the call
        self,
        files: Rows,
        directories: bytes,
        names: memoryview,
        counters: npt.NDArray[np.uint64],
        memory: int,
        open_files: int,
        *,
        only_first: bool,
        mask: int,
    ) -> None:
        self._files = files
        self._directories = directories
        self._names = names
        self._counters = counters
        self._memory = memory
        self._open_files = open_files
        self._only_first = only_first
        self._mask = mask & (1 << 64) - 1
        self._parts = 0
        self.marks: list[tuple[int, int, int, int, int]] = []

    def tell_apart(self, indices: range, size: int) -> None:
        """Find out all about the files of one size."""
        stack = [_Part([_Source(index) for index in indices], 0, xxh3_128(), is_hashed=True)]
        while stack:
            part = stack.pop()
            if part.offset:
                self._jump(part, size)
            length = self._window_at(part.offset, size)
            contents = list(self._read_windows(part, size, length))
            for content in contents:
                stack += self._follow(part, content, contents, size, length)

    def _window_at(self, offset: int, size: int) -> int:
        window = min(offset or FIRST_WINDOW, _MAX_WINDOW, self._memory // _MIN_SLOTS & ~(FIRST_WINDOW - 1))
        return min(size - offset, window)

    def _read_windows(self, part: _Part, size: int, length: int) -> list[_Content]:
        """Return the contents that a window of each file has; files that fail are in none."""
        slots = self._memory // (length + 64)
        by_window: dict[bytes, _Content] = {}
        by_digest: dict[int, _Content] = {}
        for source in part.sources:
            if self._counters[Counter.STOP]:
                self._settle(source, size, State.STOPPED, 0)
                continue
            try:
                window = self._read(part, source, size, length)
            except _LeftOutError:
                self._counters[Counter.FILES] += np.uint64(1)
                continue
            content = by_window.get(window)
            if content is None:
                digest = self._digest(part, window)
                content = by_digest.get(digest)
            if content is None:
                has_room = len(by_window) + 1 < slots
                content = _Content(window if has_room else None, digest)
                if has_room:
                    by_window[window] = content
                else:
                    by_digest[digest] = content
            content.sources.append(source)
        return [*by_window.values(), *by_digest.values()]

    def _digest(self, part: _Part, window: bytes) -> int:
        state = part.state.copy()
        state.update(window)
        return state.intdigest() & (self._mask << 64 | self._mask)

    def _follow(
        self, part: _Part, content: _Content, contents: list[_Content], size: int, length: int
    ) -> Iterator[_Part]:
        """Yield what is to be read on of files that have a window in common; else all of them is known."""
        offset = part.offset + length
        if content.window is None and len(content.sources) > 1:
            yield _Part(content.sources, part.offset, part.state, part.is_hashed)
            return
        is_told = part.offset == 0 or offset == size or len(contents) > 1
        if part.is_hashed and is_told and sum(each.digest == content.digest for each in contents) == 1:
            low, high = content.digest & (1 << 64) - 1, content.digest >> 64
            self.marks += [(offset, low, high, source.index, 0) for source in content.sources]
        if len(content.sources) == 1 or offset == size or self._only_first:
            state = State.UNIQUE if len(content.sources) == 1 else State.EQUAL
            for source in content.sources:
                self._settle(source, size, state, self._parts)
            self._parts += 1
            return
        following = part.state.copy()
        following.update(content.window or b"")
        yield _Part(content.sources, offset, following, part.is_hashed)

    def _jump(self, part: _Part, size: int) -> None:
        """Leave out where all files have a hole."""
        if len(part.sources) > self._open_files:
            return
        nearest = size
        for source in part.sources:
            if not source.is_sparse or source.descriptor < 0:
                return
            nearest = min(nearest, _next_data(source.descriptor, part.offset, size))
        nearest = min(nearest, size - 1) & ~(FIRST_WINDOW - 1)
        if nearest >= part.offset + _SHORTEST_JUMP:
            self._counters[Counter.BYTES] += np.uint64((nearest - part.offset) * len(part.sources))
            part.offset, part.is_hashed = nearest, False

    def _settle(self, source: _Source, size: int, state: State, number: int) -> None:
        """Note all about a file; what changed while it was read is not what was read."""
        row = self._files[source.index]
        try:
            self._close(source, size)
        except _LeftOutError:
            state = State(int(row["state"]))
        row["state"], row["part"] = state, number
        self._counters[Counter.FILES] += np.uint64(1)

    def _read(self, part: _Part, source: _Source, size: int, length: int) -> bytes:
        if source.descriptor < 0:
            self._open(source, size)
        window = bytearray()
        while len(window) < length:
            try:
                got = self._read_some(source, part.offset + len(window), length - len(window))
            except OSError as error:
                raise self._fails(source, State.FAILED, error.errno or 0) from error
            if not got:  # it was cut
                raise self._fails(source, State.CHANGED, 0)
            window += got
        self._counters[Counter.BYTES] += np.uint64(length)
        if len(part.sources) > self._open_files:
            self._close(source, size)
        return bytes(window)

    def _read_some(self, source: _Source, offset: int, length: int) -> bytes:
        if source.is_sparse:
            data = _next_data(source.descriptor, offset, 1 << 62)
            if data > offset:
                return bytes(min(length, data - offset))
        if source.absent is None and hasattr(os, "RWF_NOWAIT"):
            buffer = bytearray(length)
            try:
                got = os.preadv(source.descriptor, [buffer], offset, os.RWF_NOWAIT)
                is_cached = got > 0
            except BlockingIOError:
                is_cached = False
            except OSError:  # it cannot tell what is cached
                return os.pread(source.descriptor, length, offset)
            if is_cached:
                return bytes(buffer[:got])
        if source.absent is None:
            source.absent = offset
        data_read = os.pread(source.descriptor, length, offset)
        source.read_end = offset + len(data_read)
        self._counters[Counter.WAITED] += np.uint64(1)
        return data_read

    def _open(self, source: _Source, size: int) -> None:
        row = self._files[source.index]
        try:
            source.descriptor = _open_path(_path(row, self._directories, self._names))
            status = os.fstat(source.descriptor)
        except OSError as error:
            is_gone = isinstance(error, _GONE) or error.errno == errno.ELOOP
            raise self._fails(source, State.CHANGED if is_gone else State.FAILED, error.errno or 0) from error
        if not source.was_opened:
            row["blocks"], row["links"] = status.st_blocks, status.st_nlink
            row["mtime_ns"], row["ctime_ns"] = status.st_mtime_ns, status.st_ctime_ns
            source.was_opened, source.is_sparse = True, status.st_blocks * 512 < size
        if not _is_same(row, status, size):
            raise self._fails(source, State.CHANGED, 0)

    def _close(self, source: _Source, size: int) -> None:
        if source.descriptor < 0:
            return
        try:
            status = os.fstat(source.descriptor)
        except OSError as error:
            raise self._fails(source, State.FAILED, error.errno or 0) from error
        if not _is_same(self._files[source.index], status, size):
            raise self._fails(source, State.CHANGED, 0)
        _forget(source)
        os.close(source.descriptor)
        source.descriptor = -1

    def _fails(self, source: _Source, state: State, error: int) -> _LeftOutError:
        """Set the state of a file, and return what is to be raised."""
        self._files[source.index]["state"], self._files[source.index]["errno"] = state, error
        if source.descriptor >= 0:
            os.close(source.descriptor)
            source.descriptor = -1
        return _LeftOutError()


def _forget(source: _Source) -> None:
    """Let what was not in the page cache before go again."""
    if source.absent is not None and hasattr(os, "posix_fadvise"):
        length = source.read_end - source.absent
        if length >= _WORTH_FORGETTING:
            os.posix_fadvise(source.descriptor, source.absent, length, os.POSIX_FADV_DONTNEED)
    source.absent = None


def _path(row: np.void, directories: bytes, names: memoryview) -> bytes:
    begin, name = int(row["directory"]), int(row["name"])
    directory = directories[begin : directories.index(b"\0", begin)]
    return directory + b"/" + bytes(names[name : name + int(row["name_length"])])


def _is_same(row: np.void, status: os.stat_result, size: int) -> bool:
    seen = (size, row["device"], row["inode"], row["mtime_ns"], row["ctime_ns"])
    now = (status.st_size, status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
    return stat.S_ISREG(status.st_mode) and seen == now


def _open_path(path: bytes) -> int:
    """Open a path of any length: what is too long piece by piece."""
    above: int | None = None
    try:
        while len(path) >= _LONGEST_PATH:
            head = path[: _LONGEST_PATH - 1].rpartition(b"/")[0]
            following = os.open(head, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=above)
            if above is not None:
                os.close(above)
            above, path = following, path[len(head) + 1 :]
        try:
            return os.open(path, _FLAGS | _NO_TRACE, dir_fd=above)
        except PermissionError:  # only owners read without a trace
            return os.open(path, _FLAGS, dir_fd=above)
    finally:
        if above is not None:
            os.close(above)


def _next_data(descriptor: int, offset: int, size: int) -> int:
    """Return the next byte at or behind an offset that is in no hole."""
    try:
        return os.lseek(descriptor, offset, os.SEEK_DATA)
    except OSError as error:
        return size if error.errno == errno.ENXIO else offset  # nothing but a hole
