"""The trash directories of the freedesktop specification, version 1.0: found, made, opened, and names reserved in them.

What is on the file system of the home directory goes to the home trash, all else to the top directory of its own one:
`.Trash/<uid>` where an administrator made a `.Trash` that is sticky and no symlink, else `.Trash-<uid>`.
"""

import os
import stat
import sys
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote_from_bytes

from spacemap.clean.outcome import StaysError, failure
from spacemap.locations import trash_directory
from spacemap.scan.mounts import MountTable

INFO_SUFFIX = b".trashinfo"
INSTEAD = "; delete it instead, or write a script"
_LONGEST_NAME = 255
_MOST_NAMES = 1_000_000
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Place(NamedTuple):
    """Where a trash directory is, by the specification."""

    path: bytes
    top: bytes | None
    """The directory that paths are written relative to; None in the home trash, where they are absolute."""


class Bin:
    """An open trash directory."""

    def __init__(self, place: Place, files: int, info: int) -> None:
        self.place = place
        self.files = files
        """Descriptor of the directory that holds what was moved."""
        self.info = info
        """Descriptor of the directory that holds where it came from."""
        self._numbers: dict[bytes, int] = {}

    def reserve(self, name: bytes, path: bytes, moment: datetime) -> bytes:
        """Reserve a free name by writing, and bringing to the disk, where an entry comes from. Raises StaysError."""
        try:
            return self._reserve(name, path, moment)
        except OSError as error:
            raise StaysError("trash", f"the trash cannot be written: {failure(error)}{INSTEAD}") from error

    def _reserve(self, name: bytes, path: bytes, moment: datetime) -> bytes:
        top = self.place.top
        told = path if top is None else os.path.relpath(path, top)
        lines = f"[Trash Info]\nPath={quote_from_bytes(told)}\nDeletionDate={moment:%Y-%m-%dT%H:%M:%S}\n"
        for number in range(self._numbers.get(name, 1), _MOST_NAMES):
            candidate = _candidate(name, number)
            with suppress(FileExistsError):
                self._write_info(candidate + INFO_SUFFIX, lines.encode("ascii"))
                if self._is_taken(candidate):  # by what somebody moved here without telling from where
                    self.release(candidate)
                    continue
                self._numbers[name] = number + 1
                return candidate
        raise StaysError("trash", f"the trash holds too many of this name{INSTEAD}")

    def _write_info(self, name: bytes, data: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=self.info)
        try:
            while data:
                data = data[os.write(descriptor, data) :]
            os.fsync(descriptor)
            os.fsync(self.info)
        except OSError:
            os.unlink(name, dir_fd=self.info)
            raise
        finally:
            os.close(descriptor)

    def _is_taken(self, name: bytes) -> bool:
        try:
            os.stat(name, dir_fd=self.files, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def release(self, name: bytes) -> None:
        """Forget a name that nothing has any more."""
        with suppress(OSError):  # nothing depends on it
            os.unlink(name + INFO_SUFFIX, dir_fd=self.info)

    def close(self) -> None:
        """Let go of it."""
        os.close(self.files)
        os.close(self.info)


def find_place(directory: bytes, device: int, mounts: MountTable) -> Place:
    """Return the trash for what is in a directory on a device; nothing is made. Raises StaysError without one."""
    if sys.platform == "darwin":
        raise StaysError("trash", f"the trash of this system is not one that spacemap knows{INSTEAD}")
    home = os.path.realpath(os.fsencode(trash_directory()))
    existing = home
    while not os.path.isdir(existing):
        existing = os.path.dirname(existing)
    try:
        is_on_home = os.stat(existing).st_dev == device and mounts.of(existing) is mounts.of(directory)
        if is_on_home:
            return Place(home, None)
        top = _top(directory, device, mounts)
        shared, owner = os.path.join(top, b".Trash"), str(os.getuid()).encode()
        if _is_shared_trash(shared):
            return Place(os.path.join(shared, owner), top)
        return Place(os.path.join(top, b".Trash-" + owner), top)
    except OSError as error:
        raise StaysError("trash", f"{failure(error)}{INSTEAD}") from error


def _top(directory: bytes, device: int, mounts: MountTable) -> bytes:
    """Return the topmost directory of a file system, by the table of mounts or, without one, by device numbers."""
    mount = mounts.of(directory)
    if mount is not None:
        if os.stat(mount.point).st_dev != device:
            raise StaysError("trash", f"its file system has no top directory, and so no trash{INSTEAD}")
        return mount.point
    while directory != b"/" and os.stat(os.path.dirname(directory)).st_dev == device:
        directory = os.path.dirname(directory)
    return directory


def _is_shared_trash(path: bytes) -> bool:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) and bool(mode & stat.S_ISVTX)


def make_bin(place: Place, device: int) -> Bin:
    """Return a trash directory, made if need be, for its owner alone. Raises StaysError where it cannot be used."""
    try:
        if place.top is None:
            os.makedirs(place.path, mode=0o700, exist_ok=True)
        else:
            with suppress(FileExistsError):
                os.mkdir(place.path, 0o700)
        return open_bin(place, device)
    except OSError as error:
        raise StaysError("trash", f"the trash cannot be used: {failure(error)}{INSTEAD}") from error


def open_bin(place: Place, device: int | None) -> Bin:
    """Return a trash directory that is there; its parts are made if need be. Raises OSError, StaysError.

    It is the user's own, no symlink, and on the device where one is given.
    """
    trash = os.open(place.path, _OPEN)
    try:
        if os.fstat(trash).st_uid != os.getuid():
            raise StaysError("trash", f"the trash there belongs to somebody else{INSTEAD}")
        parts: list[int] = []
        for name in (b"files", b"info"):
            with suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=trash)
            parts.append(os.open(name, _OPEN, dir_fd=trash))
        if device is not None and {os.fstat(part).st_dev for part in parts} != {device}:
            raise StaysError("trash", f"the trash is on another file system{INSTEAD}")
        return Bin(place, *parts)
    finally:
        os.close(trash)


def _candidate(name: bytes, number: int) -> bytes:
    """Return a name to try, short enough for its suffix."""
    ending = b".%d" % number if number > 1 else b""
    return name[: _LONGEST_NAME - len(INFO_SUFFIX) - len(ending)] + ending
