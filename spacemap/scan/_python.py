"""The python engine: a stack of waiting directories, and threads that empty it. It defines what the others must say."""

import os
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from errno import ENOENT

from spacemap.scan._lister import NOTHING, Lister
from spacemap.scan.mounts import read_mounts
from spacemap.scan.wire import SHORT_HEADER, FrameType, Note, Waiting, decode_directories, encode_directories

LISTER_BITS = 40
"""References of one lister: its number stands above these bits."""
FLUSH_AFTER_NS = 200_000_000
"""Time after which a batch leaves, for the live view."""
PATH_PIECE = 4000
"""Longer paths are opened piece by piece."""
MAX_OPEN_ROOTS = 16
"""Roots beyond them are opened anew for each directory, to spare descriptors."""
ROOT_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NONBLOCK
OPEN_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
PASS_FLAGS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC


class Walker:
    """Lists directories in threads of this process; the contract is `spacemap.scan.engine.Walker`."""

    def __init__(  # noqa: PLR0913 - the native twin has the same
        self,
        *,
        roots: tuple[bytes, ...],
        ref_base: int,
        listers: int,
        sink: int,
        follow_symlinks: bool,
        read_times: bool,
        exclude_caches: bool,
        max_depth: int,
        flush_entries: int,
        exclude: Callable[[bytes, bytes], bytes | None] | None,
    ) -> None:
        self.follow_symlinks = follow_symlinks
        self.read_times = read_times
        self.exclude_caches = exclude_caches
        self.max_depth = max_depth
        self.flush_entries = flush_entries
        self.exclude = exclude
        self._root_names = roots
        self.roots = [_open_root(root) if number < MAX_OPEN_ROOTS else -1 for number, root in enumerate(roots)]
        self.mount_names = [_mount_names(root) for root in roots]
        self._sink = sink
        self._memory: list[bytes] = []
        # Shared without a lock: a deque takes and gives single items atomically.
        self._stack: deque[Waiting] = deque()
        self._poisoned: set[tuple[int, int]] = set()
        self._condition = threading.Condition()
        self._out_lock = threading.Lock()
        self._listers = [Lister(self, ref_base + (number << LISTER_BITS)) for number in range(listers)]
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._announced = True
        self._stopping = False

    def open(self, waiting: Waiting) -> int:
        """Return a descriptor of the directory that was measured. Raises OSError, ENOENT when it is another by now."""
        root = self.roots[waiting.root]
        opened = root if root >= 0 else os.open(self._root_names[waiting.root], ROOT_FLAGS)
        try:
            fd = _open_below(opened, waiting.path, follow=self.follow_symlinks)
        finally:
            if opened != root:
                os.close(opened)
        result = os.fstat(fd)
        if (result.st_dev, result.st_ino) != (waiting.device, waiting.inode):
            os.close(fd)
            raise FileNotFoundError(ENOENT, os.strerror(ENOENT))
        return fd

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._work, args=(each,), daemon=True) for each in self._listers]
        for thread in self._threads:
            thread.start()

    def push(self, count: int, records: bytes, /) -> None:
        header = SHORT_HEADER.pack(0, 0, count, SHORT_HEADER.size + len(records))
        with self._condition:
            self._stack += decode_directories(header + records)
            self._announced = False
            self._condition.notify_all()

    def poison(self, device: int, inode: int, /) -> None:
        self._poisoned.add((device, inode))

    def wait(self, seconds: float, /) -> bool:
        with self._condition:
            return self._condition.wait_for(lambda: self._announced, seconds)

    def give(self, whole: bool, /) -> None:  # noqa: FBT001 - as in the contract
        given: list[Waiting] = []
        with self._condition:  # nobody may say that all is done before what was taken away is on its way
            count = len(self._stack) if whole else (len(self._stack) + 1) // 2
            with suppress(IndexError):  # the listers may have taken some meanwhile
                while len(given) < count:
                    given.append(self._stack.popleft())
            self._send(encode_directories(FrameType.DIRECTORIES, given))

    def take(self) -> bytes:
        with self._out_lock:
            frames = b"".join(self._memory)
            self._memory.clear()
        return frames

    def status(self) -> list[tuple[int, int, int]]:
        return [each.current for each in self._listers if each.current[0]]

    def send(self, frame: bytes, /) -> None:
        self._send(frame)

    def stop(self) -> None:
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        for thread in self._threads:
            thread.join()
        for lister in self._listers:
            self._send_batch(lister)
        for root in self.roots:
            if root >= 0:
                os.close(root)
        self.roots = []

    def _work(self, lister: Lister) -> None:
        is_sound = False
        try:
            self._serve(lister)
            self._send_batch(lister)  # not left to stop, which waits for a lister that may hang
            is_sound = True
        finally:
            if not is_sound and self._sink >= 0:
                # The worker must end, so that another takes its work over.
                traceback.print_exc()
                os._exit(1)

    def _serve(self, lister: Lister) -> None:
        while not self._stopping:
            try:
                waiting = self._stack.pop()
            except IndexError:
                self._await_work()
            else:
                self._list(lister, waiting)

    def _await_work(self) -> None:
        """Return once there may be something on the stack, or the walker stops."""
        with self._condition:
            self._idle += 1
            while not self._stack and not self._stopping:
                if self._idle == len(self._threads) and not self._announced:
                    self._announce_idle()
                self._condition.wait()
            self._idle -= 1

    def _announce_idle(self) -> None:
        """Nothing waits and nobody lists: send what is left, and say so."""
        self._announced = True
        for each in self._listers:
            self._send_batch(each)
        self._send(encode_directories(FrameType.IDLE))
        self._condition.notify_all()

    def _list(self, lister: Lister, waiting: Waiting) -> None:
        if self._poisoned and (waiting.device, waiting.inode) in self._poisoned:
            poisoned = Waiting(*_fields(waiting)[:5], waiting.notes | Note.POISONED, waiting.path)
            self._send(encode_directories(FrameType.DIRECTORIES, [poisoned]))
            return
        lister.current = (time.monotonic_ns(), waiting.device, waiting.inode)
        onward, back = lister.list_directory(waiting)
        lister.current = NOTHING
        if onward:
            self._stack.extend(reversed(onward))
            if self._idle:
                with self._condition:
                    self._condition.notify_all()
        if back:
            self._send(encode_directories(FrameType.DIRECTORIES, back))
        lister.batch.place = (waiting.root, waiting.path)
        if len(lister.batch.kind) >= self.flush_entries or time.monotonic_ns() - lister.sent_ns > FLUSH_AFTER_NS:
            self._send_batch(lister)

    def _send_batch(self, lister: Lister) -> None:
        lister.sent_ns = time.monotonic_ns()
        if not lister.batch.is_empty():
            self._send(lister.batch.take())

    def _send(self, frame: bytes) -> None:
        with self._out_lock:
            if self._sink < 0:
                self._memory.append(frame)
                return
            view = memoryview(frame)
            while view:
                view = view[os.write(self._sink, view) :]


def _fields(waiting: Waiting) -> tuple[int, int, int, int, int]:
    return waiting.ref, waiting.device, waiting.inode, waiting.depth, waiting.root


def _open_root(path: bytes) -> int:
    try:
        return os.open(path, ROOT_FLAGS)
    except OSError:
        return -1  # tried again, and reported, when the root is listed


def _open_below(root: int, path: bytes, *, follow: bool) -> int:
    """Return a descriptor of the directory at a path below a root, opened piece by piece. Raises OSError."""
    if not path:
        return os.open(".", OPEN_FLAGS, dir_fd=root)
    at = root
    try:
        while len(path) > PATH_PIECE:
            cut = path.rindex(b"/", 0, PATH_PIECE)
            onward = os.open(path[:cut], PASS_FLAGS, dir_fd=at)
            if at != root:
                os.close(at)
            at, path = onward, path[cut + 1 :]
        return os.open(path, OPEN_FLAGS & ~os.O_NOFOLLOW if follow else OPEN_FLAGS, dir_fd=at)
    finally:
        if at != root:
            os.close(at)


def _mount_names(root: bytes) -> dict[bytes, set[str]]:
    """Return, for each directory below a root in which something is mounted, the names of the mount points."""
    prefix = root.rstrip(b"/") + b"/"
    names: dict[bytes, set[str]] = {}
    for point in read_mounts().points_below(root):
        directory, _, name = point[len(prefix) :].rpartition(b"/")
        names.setdefault(directory, set()).add(os.fsdecode(name))
    return names
