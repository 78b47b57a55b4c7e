"""The cache: the newest snapshot of each set of roots, and checkpoints of long scans, all of which can be made again.

`scans/` and `checkpoints/` hold files named `<hash of host and roots>-<hash of options>`, so that scans with other
exclusions stand beside each other. Several programs may use it at once and none waits: a file is replaced whole or
removed, and one that was opened stays readable. What has another name, or is no regular file, is left alone.
"""

import fcntl
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NamedTuple

from xxhash import xxh3_64_hexdigest

from spacemap.errors import SpacemapError
from spacemap.store.blocks import TEMPORARY, Durability, shown
from spacemap.store.facts import Option
from spacemap.store.snapshot import open_snapshot, write_snapshot
from spacemap.tree.snapshot import Snapshot

SCANS, CHECKPOINTS, HASHES = b"scans", b"checkpoints", b"hashes"
SIZE_LIMIT = 2 << 30
"""Bytes that kept scans take at most when nothing else is said."""
LEFTOVER_SECONDS = 3600.0
"""A temporary file that nobody has touched for so long, and nobody has locked, is that of a writer that was killed."""

_NAME = re.compile(rb"[0-9a-f]{16}-[0-9a-f]{16}\.(?:smap|log|hash)")
_TEMPORARY_NAME = re.compile(re.escape(TEMPORARY).replace(b"%s", b"[0-9a-f]{16}"))

Options = Mapping[str, Option]
Path = str | bytes | os.PathLike[str]


class Key(NamedTuple):
    """What a scan is found by."""

    host: str
    roots: tuple[bytes, ...]
    """Absolute, ascending."""
    options: Options
    """Those that shape the tree."""

    @property
    def stem(self) -> bytes:
        """The name of its files without the suffix."""
        return self.roots_stem + xxh3_64_hexdigest(_as_text(sorted(self.options.items()))).encode()

    @property
    def roots_stem(self) -> bytes:
        """The beginning of the names of all files of these roots."""
        return xxh3_64_hexdigest(_as_text((self.host, self.roots))).encode() + b"-"


class CacheFile(NamedTuple):
    """A file that spacemap keeps in a cache directory."""

    path: bytes
    bytes: int
    used_ns: int
    """When it was last written or used."""


class Found(NamedTuple):
    """What the cache has for a scan."""

    snapshot: Snapshot | None
    path: bytes
    warnings: tuple[str, ...]
    """A line for each file that could not be used."""


class Cleared(NamedTuple):
    """What was removed."""

    files: int
    bytes: int
    busy: int
    """Files that running scans use, which stay."""


def find(directory: Path, key: Key) -> Found:
    """Return the kept scan with these roots and options; else the last used one of the same roots, if there is any.

    Marks it as used. What cannot be read or is damaged is passed over with a warning.
    """
    warnings = []
    exact = key.stem + b".smap"
    try:
        candidates = [file for file in scans(directory) if os.path.basename(file.path).startswith(key.roots_stem)]
    except SpacemapError as error:
        return Found(None, b"", (str(error),))
    for file in sorted(candidates, key=lambda each: (os.path.basename(each.path) != exact, -each.used_ns)):
        try:
            opened = open_snapshot(file.path)
            if opened.roots != key.roots or opened.facts.host != key.host:
                continue
            snapshot = opened.load()
        except SpacemapError as error:
            if os.path.lexists(file.path):  # else another process has just removed it
                warnings.append(str(error))
            continue
        with suppress(OSError):  # it may be gone by now, or the directory read-only
            os.utime(file.path, follow_symlinks=False)
        return Found(snapshot, file.path, tuple(warnings))
    return Found(None, b"", tuple(warnings))


def keep(directory: Path, snapshot: Snapshot, size_limit: int) -> None:
    """Keep a snapshot in the place of the former one of its roots and options, then remove the least recently used
    until all take no more than `size_limit` bytes; this one stays in any case.

    Raises SpacemapError when it cannot be kept; the former one is then untouched.
    """
    key = Key(snapshot.facts.host, snapshot.roots, snapshot.facts.options)
    name = key.stem + b".smap"
    with _making(directory, SCANS) as place:
        _sweep(place, LEFTOVER_SECONDS)
        path = scan_path(directory, key)
        if os.path.islink(path):
            raise SpacemapError(f"{shown(path)}: it is a symlink, which spacemap has not made; remove it")
        write_snapshot(path, snapshot, durability=Durability.CRASH)
        _evict(place, name, size_limit)


def scan_path(directory: Path, key: Key) -> bytes:
    """Return where a scan is kept."""
    return os.path.join(os.path.abspath(os.fsencode(directory)), SCANS, key.stem + b".smap")


def checkpoint_path(directory: Path, key: Key) -> bytes:
    """Return where a scan keeps the checkpoint that nobody asked for."""
    return os.path.join(os.path.abspath(os.fsencode(directory)), CHECKPOINTS, key.stem + b".log")


def make_place(path: bytes) -> None:
    """Make the directory of a file of the cache, if need be. Raises SpacemapError."""
    above, sub = os.path.split(os.path.dirname(path))
    with _making(above, sub):
        return


def scans(directory: Path) -> list[CacheFile]:
    """Return the kept scans, by name. Raises SpacemapError."""
    return _files(directory, SCANS, b".smap")


def checkpoints(directory: Path) -> list[CacheFile]:
    """Return the checkpoints of scans that are running or were interrupted, by name. Raises SpacemapError."""
    return _files(directory, CHECKPOINTS, b".log")


def kept_hashes(directory: Path) -> list[CacheFile]:
    """Return the files with hashes of contents, by name. Raises SpacemapError."""
    return _files(directory, HASHES, b".hash")


def is_locked(path: Path) -> bool:
    """Return whether a running scan has a lock on a file; False when there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def discard(path: bytes) -> bool:
    """Remove a checkpoint; False when a running scan has a lock on it. Raises SpacemapError."""
    with _listing(os.path.dirname(path)) as place:
        if place is None:
            return True
        return _remove_idle(place, os.path.basename(path))


def clear(directory: Path) -> Cleared:
    """Remove all that spacemap has made in a cache directory, but for what running scans use. Raises SpacemapError."""
    files = size = busy = 0
    for sub in (SCANS, CHECKPOINTS, HASHES):
        with _listing(os.path.join(os.fsencode(directory), sub)) as place:
            if place is None:
                continue
            for name, status in _entries(place, _NAME):
                if _remove_idle(place, name):
                    files, size = files + 1, size + status.st_size
                else:
                    busy += 1
            files, size = (sum(pair) for pair in zip((files, size), _sweep(place, 0.0), strict=True))
        with suppress(OSError):  # something else is in it
            os.rmdir(os.path.join(os.fsencode(directory), sub))
    return Cleared(files, size, busy)


def _as_text(value: object) -> bytes:
    return repr(value).encode("utf-8", "surrogatepass")


def _files(directory: Path, sub: bytes, suffix: bytes) -> list[CacheFile]:
    above = os.path.join(os.path.abspath(os.fsencode(directory)), sub)
    with _listing(above) as place:
        entries = [] if place is None else _entries(place, _NAME)
    return [
        CacheFile(os.path.join(above, name), status.st_size, status.st_mtime_ns)
        for name, status in entries
        if name.endswith(suffix)
    ]


def _entries(place: int, pattern: re.Pattern[bytes]) -> list[tuple[bytes, os.stat_result]]:
    """Return the regular files of a directory that have a name of spacemap's, by name."""
    entries = []
    for name in sorted(map(os.fsencode, os.listdir(place))):
        if pattern.fullmatch(name):
            with suppress(FileNotFoundError):  # another process was faster
                status = os.stat(name, dir_fd=place, follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    entries.append((name, status))
    return entries


@contextmanager
def _listing(path: bytes) -> Iterator[int | None]:
    """Open a directory of the cache; None when there is none. Raises SpacemapError, also for what fails in it."""
    try:
        try:
            place = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            yield None
            return
        try:
            yield place
        finally:
            os.close(place)
    except OSError as error:
        raise SpacemapError(f"{shown(path)}: cannot be used: {error.strerror}; name another --cache-dir") from error


@contextmanager
def _making(directory: Path, sub: bytes) -> Iterator[int]:
    """Open a directory of the cache that is made when there is none, for nobody else to read. Raises SpacemapError."""
    path = os.path.join(os.fsencode(directory), sub)
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with suppress(FileExistsError):
            os.mkdir(path, 0o700)
    except OSError as error:
        raise SpacemapError(f"{shown(path)}: cannot be made: {error.strerror}; name another --cache-dir") from error
    with _listing(path) as place:
        if place is None:
            raise SpacemapError(f"{shown(path)}: it was removed just now; run the command again")
        yield place


def _evict(place: int, written: bytes, size_limit: int) -> None:
    files = [(name, status) for name, status in _entries(place, _NAME) if name.endswith(b".smap")]
    excess = sum(status.st_size for _, status in files) - size_limit
    for name, status in sorted(files, key=lambda file: (file[1].st_mtime_ns, file[0])):
        if excess <= 0:
            return
        if name != written:
            _remove(place, name)
            excess -= status.st_size


def _sweep(place: int, seconds: float) -> tuple[int, int]:
    """Remove what killed writers left, untouched for so long; return how many files and bytes that were."""
    files = size = 0
    for name, status in _entries(place, _TEMPORARY_NAME):
        if time.time() - status.st_mtime >= seconds and _remove_idle(place, name):
            files, size = files + 1, size + status.st_size
    return files, size


def _remove_idle(place: int, name: bytes) -> bool:
    """Remove a file unless a running process has a lock on it; return whether it is gone."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place)
    except FileNotFoundError:
        return True
    try:
        if not _lock(descriptor, fcntl.LOCK_EX):
            return False
        _remove(place, name)
    finally:
        os.close(descriptor)
    return True


def _remove(place: int, name: bytes) -> None:
    with suppress(FileNotFoundError):  # another process was faster
        os.unlink(name, dir_fd=place)


def _lock(descriptor: int, kind: int) -> bool:
    """Return whether nobody has a lock; a file system without locks has none."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
