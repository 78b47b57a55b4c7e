"""The roots of a scan: found, told apart, and measured."""

import os
import stat
from collections.abc import Sequence
from typing import NamedTuple

from spacemap.errors import RootError
from spacemap.scan.batch import BatchWriter
from spacemap.scan.options import ScanOptions, Symlinks, Times

DIRECTORY, LINKED, DEPTH_LIMIT = 0, 1, 9  # Kind, Flag, Skip; importing them would import numpy
UNKNOWN_OWNER = 0xFFFFFFFF  # of tree.owners, as above
KIND_OF_TYPE = {4: DIRECTORY, 8: 1, 10: 2} | dict.fromkeys((0, 1, 2, 6, 12), 3)


class Root(NamedTuple):
    """A path to scan, as found."""

    path: bytes
    result: os.stat_result

    @property
    def is_directory(self) -> bool:
        """Whether there is something to list."""
        return stat.S_ISDIR(self.result.st_mode)


def find_root(given: str | bytes | os.PathLike[str]) -> Root:
    path = os.path.realpath(os.fsencode(given))
    try:
        return Root(path, os.stat(path))
    except OSError as error:
        shown = os.fsdecode(given)
        raise RootError(f"cannot scan {shown!r}: {error.strerror}; check the path") from error


def distinct_roots(roots: list[Root]) -> tuple[list[Root], list[str]]:
    """Return the roots that are not inside another one, ascending by path, and a note for each that is left out."""
    kept: list[Root] = []
    notes = []
    for number, root in enumerate(roots):
        others = [other for at, other in enumerate(roots) if at != number and (other.path != root.path or at < number)]
        holder = next(
            (o for o in others if root.path == o.path or root.path.startswith(o.path.rstrip(b"/") + b"/")), None
        )
        if holder is None:
            kept.append(root)
        else:
            notes.append(f"{os.fsdecode(root.path)!r} is part of {os.fsdecode(holder.path)!r} and counted there")
    return sorted(kept, key=lambda root: root.path), notes


def needs_parent(roots: Sequence[Root]) -> bool:
    """Return whether the roots hang below a directory without a name: several do, and a file."""
    return len(roots) > 1 or not roots[0].is_directory


def root_batch(roots: Sequence[Root], options: ScanOptions) -> bytes:
    """Return the batch of the roots as one frame: reference 0 is the root of the tree.

    The reference of root k is k, or k + 1 below the directory without a name.
    """
    batch = BatchWriter(0)
    if needs_parent(roots):
        _append_root(batch, None, options)
    for root in roots:
        _append_root(batch, root, options)
        if root.is_directory and options.max_depth == 0:
            batch.directory_skip[-1] = DEPTH_LIMIT
    if needs_parent(roots):
        batch.add_listing(0, len(roots), 0)
    return batch.take()


def _append_root(batch: BatchWriter, root: Root | None, options: ScanOptions) -> None:
    """Append a root's entry, or for None the directory without a name that holds several."""
    reads_times = options.times is Times.READ
    kind = KIND_OF_TYPE[stat.S_IFMT(root.result.st_mode) >> 12] if root else DIRECTORY
    if kind == DIRECTORY:
        times = (root.result.st_mtime_ns, root.result.st_ctime_ns) if root and reads_times else (0, 0)
        batch.add_directory(root.result.st_dev if root else 0, *times, 0)
    is_link = False
    if root is not None and kind != DIRECTORY and (root.result.st_nlink > 1 or options.symlinks is Symlinks.FOLLOW):
        is_link = True
        batch.link_index.append(len(batch))
        batch.link_count.append(root.result.st_nlink)
        batch.link_device.append(root.result.st_dev)
    batch.kind.append(kind)
    batch.flags.append(LINKED if is_link else 0)
    batch.name_length.append(len(root.path) if root else 0)
    batch.names.append(root.path if root else b"")
    batch.apparent_size.append(root.result.st_size if root else 0)
    batch.blocks.append(root.result.st_blocks if root else 0)
    batch.mtime.append(int(root.result[stat.ST_MTIME]) if root and reads_times else 0)
    batch.inode.append(root.result.st_ino if root else 0)
    batch.owner.append(root.result.st_uid if root else UNKNOWN_OWNER)
