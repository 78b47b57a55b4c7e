"""The scandir-rs engine: the python engine, with regular files measured by the package scandir-rs.

What scandir-rs 2.10 does not say exactly is asked again, so that the snapshot stays the same to the byte:

- It drops names that are not UTF-8, and says nothing of a directory it cannot open: `os.listdir` reads every directory
  a second time and decides which names there are.
- Of a symlink it tells the size, but mode, inode, links and blocks of the target; of a directory the time of birth as
  ctime; of what it cannot measure, zeros; times before 1970 cannot be read. `os.stat` measures what is no regular file
  of the years 1970 to 2242.
- It takes paths, not descriptors, and resolves them name by name, on one chain of 1,200 directories for 20 s: a
  directory whose path has more than 64 names or is not UTF-8 is left to the python engine.
- It measures before one could exclude, and does not tell which symlink it followed: with exclusions or followed
  symlinks the python engine does everything.
"""

import os
from typing import TYPE_CHECKING, TypedDict, Unpack, cast

from scandir_rs import ReturnType, Scandir

from spacemap.scan import _lister, _python
from spacemap.scan.wire import Waiting

if TYPE_CHECKING:
    from datetime import datetime

    from scandir_rs import DirEntryExt

    from spacemap.scan.contract import Verdicts

LONGEST_PATH = 64
"""Names; a directory below is left to the python engine."""
LATEST_MTIME = 1 << 33
"""Seconds; from here on a float no longer tells the last microsecond of a second from the next second."""


class _Settings(TypedDict):
    """What a walker is given besides its roots."""

    ref_base: int
    listers: int
    sink: int
    follow_symlinks: bool
    read_times: bool
    exclude_caches: bool
    max_depth: int
    flush_entries: int
    exclude: "Verdicts | None"


class Walker(_python.Walker):
    """The python engine's walker with other listers."""

    def __init__(self, *, roots: tuple[bytes, ...], **settings: Unpack[_Settings]) -> None:
        super().__init__(roots=roots, **settings)
        real_roots = [os.path.realpath(root) for root in roots]
        self._listers = [Lister(self, each.batch.base_ref, real_roots) for each in self._listers]


class Lister(_lister.Lister):
    """Lists by scandir-rs where nothing is out of the ordinary."""

    def __init__(self, walker: _python.Walker, base_ref: int, real_roots: list[bytes]) -> None:
        super().__init__(walker, base_ref)
        self._real_roots = real_roots
        self._is_exact = not (walker.exclude or walker.follow_symlinks)

    def _list_open(self, fd: int, waiting: Waiting) -> tuple[list[Waiting], list[Waiting]]:
        error, names = _lister._read_names(fd)
        is_tagged = self._walker.exclude_caches and "CACHEDIR.TAG" in names
        rows = (
            self._measure_by_scandir_rs(fd, names, waiting) if self._is_exact and not error and not is_tagged else None
        )
        if rows is None:
            return super()._list_open(fd, waiting)
        batch = self.batch
        before, first_directory = len(batch), len(batch.directory_skip)
        if rows:
            self._append_all(names, rows, waiting)
        batch.add_listing(waiting.ref, len(rows), _lister.SKIP_NONE)
        return self._subdirectories(before, first_directory, waiting, None)

    def _measure_by_scandir_rs(self, fd: int, names: list[str], waiting: Waiting) -> list[os.stat_result] | None:
        """Return a result a name; None when the python engine has to list the directory."""
        if not names:
            return []
        path = os.path.join(self._real_roots[waiting.root], waiting.path)
        if path.count(b"/") > LONGEST_PATH:
            return None
        try:
            scandir = Scandir(path.decode(), skip_hidden=False, max_depth=1, return_type=ReturnType.Ext)
            found = cast("list[DirEntryExt]", scandir.collect()[0])
        except Exception:  # noqa: BLE001 - scandir-rs raises nothing narrower; what is wrong, the python engine finds
            return None
        entries = {entry.path: entry for entry in found}
        try:
            return [_row(entries.get(name), fd, name) for name in names]
        except OSError:
            return None


def _row(entry: "DirEntryExt | None", fd: int, name: str) -> os.stat_result:
    """Return what scandir-rs says of an entry where it is exact, else what `os.stat` says. Raises OSError."""
    if entry is None or not entry.is_file or not entry.st_ino or not 0 < entry.mtime < LATEST_MTIME:
        return os.stat(name, dir_fd=fd, follow_symlinks=False)
    moment = cast("datetime", entry.st_mtime)  # the float `mtime` is rounded, perhaps up to the next second
    mtime = int(moment.timestamp())
    fields = (entry.st_mode, entry.st_ino, entry.st_dev, entry.st_nlink, entry.st_uid, 0, entry.st_size, 0, mtime, 0)
    return os.stat_result(fields, {"st_blocks": entry.st_blocks})
