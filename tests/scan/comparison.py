"""Snapshots as plain values, to be compared with each other and with a brute-force walk."""

import os
import stat
from collections import defaultdict
from dataclasses import dataclass, fields, is_dataclass

import numpy as np

from spacemap.tree.columns import Flag, Kind, Skip
from spacemap.tree.snapshot import Snapshot
from spacemap.tree.tree import Tree


def as_bytes(snapshot: Snapshot) -> dict[str, tuple[str, bytes]]:
    """Return every column of a snapshot's tree as its type and bytes."""
    return {"roots": ("", b"\0".join(snapshot.roots)), **_columns("", snapshot.tree)}


def _columns(prefix: str, value: object) -> dict[str, tuple[str, bytes]]:
    if isinstance(value, np.ndarray):
        return {prefix: (value.dtype.str, value.tobytes())}
    if isinstance(value, memoryview):
        return {prefix: ("", bytes(value))}
    assert is_dataclass(value)
    result: dict[str, tuple[str, bytes]] = {}
    for field in fields(value):
        result |= _columns(f"{prefix}.{field.name}", getattr(value, field.name))
    return result


def totals(snapshot: Snapshot) -> tuple[int, int]:
    """Return disk usage and apparent size of a whole tree."""
    return int(snapshot.tree.totals.disk[0]), int(snapshot.tree.totals.apparent[0])


def problems(snapshot: Snapshot) -> list[tuple[bytes, int, int]]:
    """Return (path below the root, operation, errno) of each problem."""
    tree = snapshot.tree
    rows = zip(
        tree.problems.entry.tolist(), tree.problems.operation.tolist(), tree.problems.errno.tolist(), strict=True
    )
    return [(below(tree, entry), operation, errno) for entry, operation, errno in rows]


def below(tree: Tree, entry: int) -> bytes:
    """Return the path of an entry below the root; empty for the root."""
    return tree.path(entry)[len(tree.name(0)) :].lstrip(b"/")


def paths(snapshot: Snapshot) -> list[bytes]:
    """Return the paths of all entries below the root, ascending."""
    return sorted(below(snapshot.tree, entry) for entry in range(1, len(snapshot.tree)))


def skips(snapshot: Snapshot) -> dict[bytes, Skip]:
    """Return why directories were not descended into."""
    tree = snapshot.tree
    rows = np.flatnonzero(tree.directories.skip)
    return {below(tree, int(tree.directories.entry[row])): Skip(int(tree.directories.skip[row])) for row in rows}


@dataclass
class Sums:
    """What a directory adds up to."""

    apparent: int = 0
    disk: int = 0
    shared: int = 0
    files: int = 0
    directories: int = 0
    newest_mtime: int = -(1 << 63)


def sums_of(snapshot: Snapshot) -> dict[bytes, Sums]:
    """Return the totals of each directory, by path below the root."""
    tree, sums = snapshot.tree, snapshot.tree.totals
    return {
        below(tree, int(entry)): Sums(
            int(sums.apparent[row]),
            int(sums.disk[row]),
            int(sums.shared[row]),
            int(sums.files[row]),
            int(sums.directories[row]),
            int(sums.newest_mtime[row]),
        )
        for row, entry in enumerate(tree.directories.entry)
    }


def sums_by_walking(root: bytes) -> dict[bytes, Sums]:
    """Return the same by brute force: every directory adds up, anew, all that is below it."""
    everything: dict[bytes, os.stat_result] = {b"": os.lstat(root)}
    waiting = [b""]
    while waiting:
        directory = waiting.pop()
        for name in os.listdir(os.path.join(root, directory)):
            path = os.path.join(directory, name)
            everything[path] = os.lstat(os.path.join(root, path))
            if stat.S_ISDIR(everything[path].st_mode):
                waiting.append(path)
    return {
        path: _sum_up(
            {each: row for each, row in everything.items() if not path or (each + b"/").startswith(path + b"/")}
        )
        for path, row in everything.items()
        if stat.S_ISDIR(row.st_mode)
    }


def _sum_up(subtree: dict[bytes, os.stat_result]) -> Sums:
    result = Sums()
    inodes: dict[tuple[int, int], list[os.stat_result]] = defaultdict(list)
    for row in subtree.values():
        inodes[row.st_dev, row.st_ino].append(row)
        result.newest_mtime = max(result.newest_mtime, row[stat.ST_MTIME])
        if stat.S_ISDIR(row.st_mode):
            result.directories += 1
        else:
            result.files += 1
    for links in inodes.values():
        result.apparent += links[0].st_size
        result.disk += links[0].st_blocks * 512
        if not stat.S_ISDIR(links[0].st_mode) and links[0].st_nlink > len(links):
            result.shared += links[0].st_blocks * 512
    return result


def recomputed(tree: Tree) -> list[tuple[int, int, int, int]]:
    """Return (apparent, disk, files, directories) of each directory, added up from the entries alone."""
    result = []
    sizes = [int(size) for size in tree.apparent_size]
    disks = [int(blocks) * 512 for blocks in tree.blocks]
    identity: dict[int, tuple[int, int]] = {
        int(entry): (int(device), int(tree.inode[entry]))
        for entry, device in zip(tree.links.entry, tree.links.device, strict=True)
    }
    folded = dict(zip(tree.folded.entry.tolist(), tree.folded.file_count.tolist(), strict=True))
    subtrees: dict[int, list[int]] = {int(entry): [] for entry in tree.directories.entry}
    for entry in range(len(tree)):
        for above in {entry, *tree.ancestors(entry)} & subtrees.keys():
            subtrees[above].append(entry)
    for members in subtrees.values():
        seen: set[tuple[int, int]] = set()
        counted = [m for m in members if m not in identity or not (identity[m] in seen or seen.add(identity[m]))]
        is_directory = [int(tree.kind[member]) == Kind.DIRECTORY for member in members]
        files = sum(folded.get(m, 1) for m, own in zip(members, is_directory, strict=True) if not own)
        result.append((sum(sizes[m] for m in counted), sum(disks[m] for m in counted), files, sum(is_directory)))
    return result


def told(tree: Tree) -> list[tuple[int, int, int, int]]:
    """Return the same from the columns of totals."""
    sums = tree.totals
    columns = (sums.apparent, sums.disk, sums.files, sums.directories)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def repeated(snapshot: Snapshot) -> list[bytes]:
    """Return the paths of links that another one stands for."""
    tree = snapshot.tree
    return [below(tree, int(entry)) for entry in np.flatnonzero(tree.flags & np.uint8(Flag.REPEATED))]
