"""The check of known entries without C: one `os.stat` for each, compared with the row of the tree."""

import os
import stat
from errno import EBADF
from struct import Struct

import numpy as np

from spacemap.scan.batch import fitting
from spacemap.tree.columns import U32, Flag, Kind, Mask
from spacemap.tree.subtree import names_below
from spacemap.tree.tree import Tree

PLACE_FLAGS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
LONGEST_PATH = 4000
CHANGED = Struct("<IIQQqqq")
"""What `check` returns for a directory that differs and is still where and what it was, as in `patch.CHANGED`."""
KIND_OF_TYPE = {stat.S_IFDIR: Kind.DIRECTORY, stat.S_IFREG: Kind.FILE, stat.S_IFLNK: Kind.SYMLINK}


class Known:
    """A tree to be compared with the file system; the native twin is `_native.Known`."""

    def __init__(self, tree: Tree, order: U32, root_fds: list[int], wanted: Mask, differs: Mask):
        self._tree = tree
        self._order = order
        self._root_fds = root_fds
        self._wanted = wanted
        self._differs = differs

    def check(self, begin: int, end: int, /) -> bytes:
        """Compare the wanted children of the directories order[begin:end]; return those that changed."""
        directories = self._tree.directories
        changed: list[bytes] = []
        for row in self._order[begin:end].tolist():
            first = int(directories.first_child[row])
            last = first + int(directories.child_count[row])
            entries = (first + np.flatnonzero(self._wanted[first:last])).tolist()
            if entries:
                self._check_directory(row, entries, changed)
        return b"".join(changed)

    def _check_directory(self, row: int, entries: list[int], changed: list[bytes]) -> None:
        device = int(self._tree.directories.device[row])
        try:
            fd = self._open(int(self._tree.directories.entry[row]))
        except OSError:  # what cannot be reached is to be listed, which tells why
            self._differs[entries] = True
            return
        try:
            for entry in entries:
                found = _found(fd, self._tree.name(entry))
                self._differs[entry] = found is None or not self._is_same(found, entry, device)
                if found is not None and self._differs[entry] and self._is_in_its_place(found, entry):
                    changed.append(_changed(entry, found))
        finally:
            os.close(fd)

    def _open(self, entry: int) -> int:
        """Return a descriptor of a directory, opened piece by piece. Raises OSError."""
        root, names = names_below(self._tree, entry, len(self._root_fds))
        if self._root_fds[root] < 0:
            raise OSError(EBADF, "the root has no descriptor")
        fd = os.dup(self._root_fds[root])
        while names:
            count, length = 0, 0
            while count < len(names) and length + len(names[count]) < LONGEST_PATH:
                length += len(names[count]) + 1
                count += 1
            try:
                below = os.open(b"/".join(names[:count]), PLACE_FLAGS, dir_fd=fd)
            finally:
                os.close(fd)
            fd, names = below, names[count:]
        return fd

    def _is_in_its_place(self, found: os.stat_result, entry: int) -> bool:
        """Return whether a directory is the one that the tree has there."""
        tree = self._tree
        if tree.kind[entry] != Kind.DIRECTORY or tree.flags[entry] & np.uint8(Flag.MOUNT | Flag.UNMEASURED):
            return False
        identity = int(tree.directories.device[tree.directory_row(entry)]), int(tree.inode[entry])
        return stat.S_ISDIR(found.st_mode) and (found.st_dev, found.st_ino) == identity

    def _is_same(self, found: os.stat_result, entry: int, device: int) -> bool:
        tree = self._tree
        flags = int(tree.flags[entry])
        kind = KIND_OF_TYPE.get(stat.S_IFMT(found.st_mode), Kind.OTHER)
        row = (kind, found.st_size, found.st_blocks, found.st_ino, int(found[stat.ST_MTIME]), found.st_uid)
        known = [column[entry] for column in (tree.kind, tree.apparent_size, tree.blocks, tree.inode, tree.mtime)]
        known.append(tree.owners[tree.owner[entry]])
        if flags & Flag.UNMEASURED or row != tuple(int(value) for value in known):
            return False
        if kind == Kind.DIRECTORY:
            return self._is_same_directory(found, entry, device)
        if found.st_nlink > 1 or flags & Flag.LINKED:
            return found.st_nlink > 1 and bool(flags & Flag.LINKED) and self._is_same_link(found, entry)
        return True

    def _is_same_directory(self, found: os.stat_result, entry: int, device: int) -> bool:
        directories, row = self._tree.directories, self._tree.directory_row(entry)
        times = fitting(found.st_mtime_ns), fitting(found.st_ctime_ns)
        return (found.st_dev, *times, found.st_dev != device) == (
            int(directories.device[row]),
            int(directories.mtime_ns[row]),
            int(directories.ctime_ns[row]),
            bool(self._tree.flags[entry] & Flag.MOUNT),
        )

    def _is_same_link(self, found: os.stat_result, entry: int) -> bool:
        links = self._tree.links
        row = int(np.searchsorted(links.entry, entry))
        return row < len(links.entry) and (int(links.entry[row]), found.st_nlink, found.st_dev) == (
            entry,
            int(links.link_count[row]),
            int(links.device[row]),
        )


def _found(fd: int, name: bytes) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=fd, follow_symlinks=False)
    except OSError:
        return None


def _changed(entry: int, found: os.stat_result) -> bytes:
    """Return a row of `patch.CHANGED`."""
    times = int(found[stat.ST_MTIME]), fitting(found.st_mtime_ns), fitting(found.st_ctime_ns)
    return CHANGED.pack(entry, found.st_uid, found.st_size, found.st_blocks, *times)
