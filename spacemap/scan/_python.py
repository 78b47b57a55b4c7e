"""The python engine: `os.scandir` and `os.stat` relative to a descriptor. It defines what the others must say."""

import os
import stat
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from errno import EIO, ELOOP, ENOENT, ENOTDIR
from itertools import accumulate

from spacemap.scan.batch import BatchWriter
from spacemap.scan.mounts import read_mounts
from spacemap.scan.wire import SHORT_HEADER, FrameType, Note, Waiting, decode_directories, encode_directories

DIRECTORY, FILE, SYMLINK, OTHER = 0, 1, 2, 3  # Kind; importing it would import numpy
LINKED, MOUNT, VIA_SYMLINK, UNMEASURED = 1, 4, 8, 32  # Flag
SKIP_NONE, EXCLUDED, PRUNED, UNREADABLE, DEPTH_LIMIT, CACHE_TAGGED = 0, 1, 2, 5, 9, 10  # Skip
SKIP_VANISHED = 255  # VANISHED
OPEN, LIST, STAT = 1, 2, 3  # Operation
KEEP, EXCLUDE, PRUNE = 0, 1, 2  # Verdict
BOUNDARY, THROUGH_LINK, ALONE = int(Note.BOUNDARY), int(Note.VIA_SYMLINK), int(Note.ALONE)  # plain: asked often

LISTER_BITS = 40
"""References of one lister: its number stands above these bits."""
SIGN_OF_LIFE = 4096
"""Names after which a listing shows that it advances."""
FLUSH_AFTER = 0.2
"""Seconds after which a batch leaves, for the live view."""
PATH_PIECE = 4000
"""Longer paths are opened piece by piece."""
CACHE_TAG_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"
VANISHED = frozenset((ENOENT, ENOTDIR, ELOOP))
"""Errors of opening what is no longer there, or no longer a directory: nothing in it stayed unread."""

MAX_OPEN_ROOTS = 16
"""Roots beyond them are opened anew for each directory, to spare descriptors."""
ROOT_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NONBLOCK
OPEN_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
PASS_FLAGS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
KIND_OF_TYPE = tuple({4: DIRECTORY, 8: FILE, 10: SYMLINK}.get(number, OTHER) for number in range(16))
"""By the upper four bits of `st_mode`."""


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
        self._stack: list[Waiting] = []
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
        with self._condition:
            self._poisoned.add((device, inode))

    def wait(self, seconds: float, /) -> bool:
        with self._condition:
            return self._condition.wait_for(lambda: self._announced, seconds)

    def give(self, whole: bool, /) -> None:  # noqa: FBT001 - as in the contract
        with self._condition:
            count = len(self._stack) if whole else (len(self._stack) + 1) // 2
            given, self._stack = self._stack[:count], self._stack[count:]
            self._condition.notify_all()  # with nothing left, somebody must say that all are idle
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

    def _work(self, lister: "Lister") -> None:
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

    def _serve(self, lister: "Lister") -> None:
        while True:
            with self._condition:
                self._idle += 1
                while not self._stack and not self._stopping:
                    if self._idle == len(self._threads) and not self._announced:
                        self._announce_idle()
                    self._condition.wait()
                self._idle -= 1
                if self._stopping:
                    return
                waiting = self._stack.pop()
            self._list(lister, waiting)

    def _announce_idle(self) -> None:
        """Nothing waits and nobody lists: send what is left, and say so."""
        self._announced = True
        for each in self._listers:
            self._send_batch(each)
        self._send(encode_directories(FrameType.IDLE))
        self._condition.notify_all()

    def _list(self, lister: "Lister", waiting: Waiting) -> None:
        if (waiting.device, waiting.inode) in self._poisoned:
            poisoned = Waiting(*_fields(waiting)[:5], waiting.notes | Note.POISONED, waiting.path)
            self._send(encode_directories(FrameType.DIRECTORIES, [poisoned]))
            return
        lister.current = (time.monotonic_ns(), waiting.device, waiting.inode)
        onward, back = lister.list_directory(waiting)
        lister.current = (0, 0, 0)
        if onward:
            with self._condition:
                self._stack += reversed(onward)
                if self._idle:
                    self._condition.notify_all()
        if back:
            self._send(encode_directories(FrameType.DIRECTORIES, back))
        lister.batch.place = (waiting.root, waiting.path)
        if len(lister.batch) >= self.flush_entries or time.monotonic() - lister.sent > FLUSH_AFTER:
            self._send_batch(lister)

    def _send_batch(self, lister: "Lister") -> None:
        lister.sent = time.monotonic()
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


class Lister:
    """One thread's batch, and the listing under way."""

    def __init__(self, walker: Walker, base_ref: int) -> None:
        self.batch = BatchWriter(base_ref)
        self.sent = time.monotonic()
        self.current = (0, 0, 0)
        self._walker = walker

    def list_directory(self, waiting: Waiting) -> tuple[list[Waiting], list[Waiting]]:
        """List one directory into the batch; return its subdirectories to enter, and those to hand back."""
        batch = self.batch
        try:
            fd = self._walker.open(waiting)
        except OSError as error:
            vanished = error.errno in VANISHED
            if not vanished:
                batch.add_problem(waiting.ref, OPEN, error.errno or 0)
            batch.add_listing(waiting.ref, 0, SKIP_VANISHED if vanished else UNREADABLE)
            return [], []
        try:
            return self._list_open(fd, waiting)
        finally:
            os.close(fd)

    def _list_open(self, fd: int, waiting: Waiting) -> tuple[list[Waiting], list[Waiting]]:
        batch, walker = self.batch, self._walker
        error, names = _read_names(fd)
        if error:
            batch.add_problem(waiting.ref, LIST, error)
        if walker.exclude_caches and "CACHEDIR.TAG" in names and _has_cache_tag(fd):
            batch.add_listing(waiting.ref, 0, CACHE_TAGGED)
            return [], []
        before, first_directory = len(batch), len(batch.directory_skip)
        rows = None if walker.exclude or walker.follow_symlinks else self._measure_all(fd, names)
        if rows is None:
            self._append_each(fd, names, waiting)
        elif rows:
            self._append_all(names, rows, waiting)
        count = len(batch) - before
        batch.add_listing(waiting.ref, count, UNREADABLE if error and not count else SKIP_NONE)
        return self._subdirectories(before, first_directory, waiting, None if rows is None else names)

    def _measure_all(self, fd: int, names: list[str]) -> list[os.stat_result] | None:
        """Return a result a name, or None when one of them has none."""
        look = os.lstat
        rows: list[os.stat_result] = []
        try:
            for start in range(0, len(names), SIGN_OF_LIFE):
                part = names[start : start + SIGN_OF_LIFE]
                rows += [look(name, dir_fd=fd) for name in part]
                self.current = (time.monotonic_ns(), *self.current[1:])
        except OSError:
            return None
        return rows

    def _append_all(self, names: list[str], rows: list[os.stat_result], waiting: Waiting) -> None:
        """Append a listing in which nothing is out of the ordinary, column by column."""
        batch = self.batch
        start = len(batch)
        modes, inodes, devices, links, _, _, sizes, _, mtimes, _ = zip(*rows, strict=True)
        kinds = bytes([KIND_OF_TYPE[mode >> 12] for mode in modes])
        flags = bytearray(len(names))
        at = kinds.find(DIRECTORY)
        while at >= 0:
            flags[at] = self._append_directory(rows[at], names[at], waiting)
            at = kinds.find(DIRECTORY, at + 1)
        if max(links) > 1:
            for i in [i for i, count in enumerate(links) if count > 1 and kinds[i] != DIRECTORY]:
                flags[i] = self._append_link(start + i, rows[i])
        batch.kind += kinds
        batch.flags += flags
        batch.inode.extend(inodes)
        batch.apparent_size.extend(sizes)
        batch.blocks.extend([row.st_blocks for row in rows])
        batch.mtime.extend(mtimes if self._walker.read_times else bytes(len(names)))
        joined = "".join(names)
        if joined.isascii():
            batch.name_length.extend(map(len, names))
            batch.names.append(joined.encode("ascii"))
        else:
            for name in names:
                self._append_name(name)

    def _append_each(self, fd: int, names: list[str], waiting: Waiting) -> None:
        """Append a listing entry by entry: with exclusions, with followed symlinks, with something unreadable."""
        found: dict[str, os.DirEntry[str]] = {}
        try:
            with os.scandir(fd) as iterator:
                found.update((entry.name, entry) for entry in iterator)
        except OSError as error:
            self.batch.add_problem(waiting.ref, LIST, error.errno or EIO)
        names = [name for name in names if name in found]
        verdicts = self._verdicts(names, found, waiting)
        for name, verdict in zip(names, verdicts, strict=True):
            entry = found[name]
            if verdict == EXCLUDE:
                if _is_directory(entry):
                    self._append_unmeasured(entry, 0, EXCLUDED, waiting)
                else:
                    self.batch.excluded += 1
                continue
            row, is_followed = _measure(fd, name, follow=self._walker.follow_symlinks)
            if isinstance(row, os.stat_result):
                self._append_row(name, row, waiting, is_followed=is_followed, is_pruned=verdict == PRUNE)
            elif row != ENOENT:
                self.batch.add_problem(self.batch.next_ref, STAT, row)
                self._append_unmeasured(entry, UNMEASURED, UNREADABLE, waiting)

    def _verdicts(self, names: list[str], found: dict[str, "os.DirEntry[str]"], waiting: Waiting) -> bytes:
        ask = self._walker.exclude
        if ask is None or not names:
            return bytes(len(names))
        kinds = [b"\0d" if _is_directory(found[name]) else b"\0f" for name in names]
        records = b"".join([kind + os.fsencode(name) for kind, name in zip(kinds, names, strict=True)])
        return ask(waiting.path, records + b"\0") or bytes(len(names))

    def _append_row(
        self, name: str, row: os.stat_result, waiting: Waiting, *, is_followed: bool, is_pruned: bool
    ) -> None:
        batch = self.batch
        kind = KIND_OF_TYPE[row.st_mode >> 12]
        flags = VIA_SYMLINK if is_followed else 0
        if kind == DIRECTORY:
            flags |= self._append_directory(row, name, waiting)
            if is_pruned:
                batch.directory_skip[-1] = PRUNED
        elif row.st_nlink > 1 or self._walker.follow_symlinks:
            flags |= self._append_link(len(batch), row)
        batch.kind.append(kind)
        batch.flags.append(flags)
        batch.inode.append(row.st_ino)
        batch.apparent_size.append(row.st_size)
        batch.blocks.append(row.st_blocks)
        batch.mtime.append(int(row[stat.ST_MTIME]) if self._walker.read_times else 0)
        self._append_name(name)

    def _append_unmeasured(self, entry: "os.DirEntry[str]", flags: int, skip: int, waiting: Waiting) -> None:
        batch = self.batch
        kind = OTHER
        with suppress(OSError):
            kind = FILE if entry.is_file(follow_symlinks=False) else SYMLINK if entry.is_symlink() else OTHER
        if _is_directory(entry):
            kind = DIRECTORY
            batch.add_directory(waiting.device, 0, 0, skip)
        batch.kind.append(kind)
        batch.flags.append(flags)
        batch.inode.append(entry.inode())
        batch.apparent_size.append(0)
        batch.blocks.append(0)
        batch.mtime.append(0)
        self._append_name(entry.name)

    def _append_name(self, name: str) -> None:
        raw = os.fsencode(name)
        self.batch.name_length.append(len(raw))
        self.batch.names.append(raw)

    def _append_directory(self, row: os.stat_result, name: str, waiting: Waiting) -> int:
        times = (row.st_mtime_ns, row.st_ctime_ns) if self._walker.read_times else (0, 0)
        self.batch.add_directory(row.st_dev, *times, SKIP_NONE)
        points = self._walker.mount_names[waiting.root].get(waiting.path, ())
        return MOUNT if row.st_dev != waiting.device or name in points else 0

    def _append_link(self, index: int, row: os.stat_result) -> int:
        self.batch.link_index.append(index)
        self.batch.link_count.append(row.st_nlink)
        self.batch.link_device.append(row.st_dev)
        return LINKED

    def _subdirectories(
        self, before: int, first_directory: int, waiting: Waiting, names: list[str] | None
    ) -> tuple[list[Waiting], list[Waiting]]:
        """Return the directories of the listing just appended: those to enter, and those to hand back."""
        batch = self.batch
        onward: list[Waiting] = []
        back: list[Waiting] = []
        at_limit = 0 <= self._walker.max_depth <= waiting.depth + 1
        prefix = waiting.path + b"/" if waiting.path else b""
        at, rank = batch.kind.find(DIRECTORY, before), first_directory
        raw_names: list[bytes] = []
        if at >= 0 and names is None:
            raw_names = self._names_of(before)
        while at >= 0:
            if batch.directory_skip[rank] == SKIP_NONE and at_limit:
                batch.directory_skip[rank] = DEPTH_LIMIT
            elif batch.directory_skip[rank] == SKIP_NONE:
                flags = batch.flags[at]
                notes = (BOUNDARY if flags & MOUNT else 0) | (THROUGH_LINK if flags & VIA_SYMLINK else 0)
                subdirectory = Waiting(
                    batch.base_ref + at,
                    batch.directory_device[rank],
                    batch.inode[at],
                    waiting.depth + 1,
                    waiting.root,
                    notes,
                    prefix + (raw_names[at - before] if names is None else os.fsencode(names[at - before])),
                )
                (back if notes or waiting.notes & ALONE else onward).append(subdirectory)
            at, rank = batch.kind.find(DIRECTORY, at + 1), rank + 1
        return onward, back

    def _names_of(self, before: int) -> list[bytes]:
        """Return the raw names of the entries of the listing just appended."""
        lengths = self.batch.name_length[before:]
        pieces: list[bytes] = []
        missing = sum(lengths)
        while missing > 0:
            pieces.append(self.batch.names[-1 - len(pieces)])
            missing -= len(pieces[-1])
        joined = b"".join(reversed(pieces))
        ends = list(accumulate(lengths))
        return [joined[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def _is_directory(entry: "os.DirEntry[str]") -> bool:
    """Return whether an entry is a directory; False also where that cannot be told."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # a file system that does not tell types, in a directory without search permission
        return False


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


def _read_names(fd: int) -> tuple[int, list[str]]:
    """Return an errno, or 0, and the names of an open directory, ascending by raw bytes."""
    try:
        names = os.listdir(fd)
    except OSError as error:
        return (0 if error.errno == ENOENT else error.errno or EIO), []
    names.sort()
    try:
        "".join(names).encode()
    except UnicodeEncodeError:  # undecodable bytes sort elsewhere as text
        names.sort(key=os.fsencode)
    return 0, names


def _measure(fd: int, name: str, *, follow: bool) -> tuple[os.stat_result | int, bool]:
    """Return the result or an errno, and whether it is of a symlink's target."""
    try:
        row = os.stat(name, dir_fd=fd, follow_symlinks=False)
    except OSError as error:
        return error.errno or EIO, False
    if follow and stat.S_ISLNK(row.st_mode):
        with suppress(OSError):  # a link that leads nowhere is measured itself
            return os.stat(name, dir_fd=fd), True
    return row, False


def _has_cache_tag(fd: int) -> bool:
    """Return whether the tag is a regular file with the signature; source: bford.info/cachedir."""
    try:
        tag = os.open("CACHEDIR.TAG", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=fd)
    except OSError:
        return False
    try:
        return os.read(tag, len(CACHE_TAG_SIGNATURE)) == CACHE_TAG_SIGNATURE
    except OSError:
        return False
    finally:
        os.close(tag)
