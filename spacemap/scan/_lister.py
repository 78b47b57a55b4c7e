"""The lister of the python engine: `os.listdir` and `os.lstat` by descriptor, a directory at a time into a batch."""

import os
import stat
import time
from contextlib import suppress
from errno import EIO, ELOOP, ENOENT, ENOTDIR
from itertools import accumulate
from operator import attrgetter

from spacemap.scan.batch import BatchWriter
from spacemap.scan.wire import Note, Waiting

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.scan._python import Walker

DIRECTORY, FILE, SYMLINK, OTHER = 0, 1, 2, 3  # Kind; importing it would import numpy
LINKED, MOUNT, VIA_SYMLINK, UNMEASURED = 1, 4, 8, 32  # Flag
SKIP_NONE, EXCLUDED, PRUNED, UNREADABLE, DEPTH_LIMIT, CACHE_TAGGED = 0, 1, 2, 5, 9, 10  # Skip
SKIP_VANISHED = 255  # VANISHED
OPEN, LIST, STAT = 1, 2, 3  # Operation
UNKNOWN_OWNER = 0xFFFFFFFF  # of tree.owners
KEEP, EXCLUDE, PRUNE = 0, 1, 2  # Verdict
BOUNDARY, THROUGH_LINK, ALONE = int(Note.BOUNDARY), int(Note.VIA_SYMLINK), int(Note.ALONE)  # plain: asked often

SIGN_OF_LIFE = 4096
"""Names after which a listing shows that it advances."""
CACHE_TAG_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"
VANISHED = frozenset((ENOENT, ENOTDIR, ELOOP))
"""Errors of opening what is no longer there, or no longer a directory: nothing in it stayed unread."""
KIND_OF_TYPE = tuple({4: DIRECTORY, 8: FILE, 10: SYMLINK}.get(number, OTHER) for number in range(16))
"""By the upper four bits of `st_mode`."""
BLOCKS = attrgetter("st_blocks")
NOTHING = (0, 0, 0)
"""The state of a lister that lists nothing."""


class Lister:
    """One thread's batch, and the listing under way."""

    def __init__(self, walker: "Walker", base_ref: int) -> None:
        self.batch = BatchWriter(base_ref)
        self.sent_ns = time.monotonic_ns()
        self.current = NOTHING
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
        before, first_directory = len(batch.kind), len(batch.directory_skip)
        rows = None if walker.exclude or walker.follow_symlinks else self._measure_all(fd, names)
        if rows is None:
            self._append_each(fd, names, waiting)
        elif rows:
            self._append_all(names, rows, waiting)
        count = len(batch.kind) - before
        batch.add_listing(waiting.ref, count, UNREADABLE if error and not count else SKIP_NONE)
        return self._subdirectories(before, first_directory, waiting, None if rows is None else names)

    def _measure_all(self, fd: int, names: list[str]) -> list[os.stat_result] | None:
        """Return a result a name, or None when one of them has none."""
        look = os.lstat
        try:
            rows = [look(name, dir_fd=fd) for name in names[:SIGN_OF_LIFE]]
            for start in range(SIGN_OF_LIFE, len(names), SIGN_OF_LIFE):
                self.current = (time.monotonic_ns(), *self.current[1:])
                rows += [look(name, dir_fd=fd) for name in names[start : start + SIGN_OF_LIFE]]
        except OSError:
            return None
        return rows

    def _append_all(self, names: list[str], rows: list[os.stat_result], waiting: Waiting) -> None:
        """Append a listing in which nothing is out of the ordinary, column by column."""
        batch = self.batch
        start = len(batch.kind)
        modes, inodes, devices, links, owners, _, sizes, _, mtimes, _ = zip(*rows, strict=True)
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
        batch.inode += inodes
        batch.owner += owners
        batch.apparent_size += sizes
        batch.blocks += map(BLOCKS, rows)
        batch.mtime += mtimes if self._walker.read_times else bytes(len(names))
        joined = "".join(names)
        if joined.isascii():
            batch.name_length += map(len, names)
            batch.names.append(joined.encode())
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
        batch.owner.append(row.st_uid)
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
        batch.owner.append(UNKNOWN_OWNER)
        batch.apparent_size.append(0)
        batch.blocks.append(0)
        batch.mtime.append(0)
        self._append_name(entry.name)

    def _append_name(self, name: str) -> None:
        raw = os.fsencode(name)
        self.batch.name_length.append(len(raw))
        self.batch.names.append(raw)

    def _append_directory(self, row: os.stat_result, name: str, waiting: Waiting) -> int:
        device, walker = row.st_dev, self._walker
        mtime_ns, ctime_ns = (row.st_mtime_ns, row.st_ctime_ns) if walker.read_times else (0, 0)
        self.batch.add_directory(device, mtime_ns, ctime_ns, SKIP_NONE)
        if device != waiting.device:
            return MOUNT
        points = walker.mount_names[waiting.root]
        return MOUNT if points and name in points.get(waiting.path, ()) else 0

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


def _read_names(fd: int) -> tuple[int, list[str]]:
    """Return an errno, or 0, and the names of an open directory, ascending by raw bytes."""
    try:
        names = os.listdir(fd)
    except OSError as error:
        return (0 if error.errno == ENOENT else error.errno or EIO), []
    names.sort()
    if not "".join(names).isascii():  # undecodable bytes sort elsewhere as text
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
