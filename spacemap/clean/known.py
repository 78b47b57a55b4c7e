"""What a plan knows of an entry, and whether what is found in its place is still that."""

import os
import stat
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from spacemap.clean.outcome import GONE, StaysError
from spacemap.tree.columns import Flag, Kind, Skip
from spacemap.tree.snapshot import Snapshot
from spacemap.tree.tree import Tree

_KINDS = {stat.S_IFDIR: int(Kind.DIRECTORY), stat.S_IFREG: int(Kind.FILE), stat.S_IFLNK: int(Kind.SYMLINK)}
_UNCOMPARABLE = int(Flag.UNMEASURED | Flag.FOLDED | Flag.VIA_SYMLINK)
_NO_MOMENT = 1 << 63
_SECOND = 10**9
UNMEASURED = "the scan could not measure it"
REPLACED = "something else has taken its place since the scan"


class Known(NamedTuple):
    """An entry that is no directory, as the scan saw it."""

    name: bytes
    is_comparable: bool
    kind: int
    device: int
    inode: int
    size: int
    mtime: int
    """Seconds."""
    unchanged_since_ns: int
    """When it was measured, or somewhat earlier. For what has several links the end of time: removing one of them
    changes the others."""


def known_entries(snapshot: Snapshot, directory: int, entries: Sequence[int]) -> list[Known]:
    """Return what is known of entries of one directory that are no directories."""
    tree, ids = snapshot.tree, np.array(entries, np.uint32)
    device = int(tree.directories.device[tree.directory_row(directory)])
    flags = tree.flags[ids].tolist()
    columns = (tree.kind[ids], tree.inode[ids], tree.apparent_size[ids], tree.mtime[ids])
    # What was modified meanwhile was measured after that.
    rows = zip(entries, flags, *(column.tolist() for column in columns), strict=True)
    began, listed, finished = _moments(snapshot, directory)
    return [
        Known(
            tree.name(entry),
            not flag & _UNCOMPARABLE,
            kind,
            device,
            inode,
            size,
            mtime,
            _NO_MOMENT if flag & Flag.LINKED else finished if began < mtime * _SECOND <= finished else listed,
        )
        for entry, flag, kind, inode, size, mtime in rows
    ]


def _moments(snapshot: Snapshot, directory: int) -> tuple[int, int, int]:
    """Return when measuring began, when the files of a directory were measured at the earliest, and when it was over;
    in nanoseconds.

    A directory that changed meanwhile was listed after that. Where an earlier scan was used, its files may be as that
    one saw them.
    """
    facts, tree = snapshot.facts, snapshot.tree
    base, finished = facts.base, facts.finished_ns
    began = facts.started_ns if base is None or not base.trusted_entries else base.started_ns
    changed = int(tree.directories.ctime_ns[tree.directory_row(directory)])
    return began, max(began, min(changed, finished)), finished


def compare(found: os.stat_result, known: Known) -> None:
    """Raise StaysError unless what was found is what is known: device, inode, kind, size, times."""
    if not known.is_comparable:
        raise StaysError("compare", UNMEASURED)
    kind = _KINDS.get(stat.S_IFMT(found.st_mode), int(Kind.OTHER))
    if (found.st_dev, found.st_ino, kind) != (known.device, known.inode, known.kind):
        raise StaysError("compare", REPLACED)
    if found.st_size != known.size or int(found[stat.ST_MTIME]) != known.mtime:
        raise StaysError("compare", "it was modified since the scan")
    # The tree has seconds: of what was written again within one, the status tells.
    if found.st_ctime_ns > known.unchanged_since_ns:
        if not found.st_nlink:  # removed between finding its name and looking at it
            raise StaysError("compare", GONE)
        raise StaysError("compare", "its content, name, owner or mode changed since the scan")


def compare_directory(found: os.stat_result, tree: Tree, directory: int) -> None:
    """Raise StaysError unless a directory is the one of the tree."""
    if tree.flags[directory] & Flag.UNMEASURED:
        raise StaysError("compare", UNMEASURED)
    if not stat.S_ISDIR(found.st_mode) or (found.st_dev, found.st_ino) != identity(tree, directory):
        raise StaysError("compare", REPLACED)


def identity(tree: Tree, directory: int) -> tuple[int, int]:
    """Return device and inode of a directory of the tree."""
    return int(tree.directories.device[tree.directory_row(directory)]), int(tree.inode[directory])


def skip_of(tree: Tree, directory: int) -> Skip:
    """Return why a directory was not entered."""
    return Skip(int(tree.directories.skip[tree.directory_row(directory)]))
