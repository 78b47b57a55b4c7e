"""What tests of duplicates share: a search on a real tree, its groups as sets, and an oracle that reads everything."""

import hashlib
import os
import stat
from collections import defaultdict
from pathlib import Path

import numpy as np

from spacemap.analyze.duplicates import DuplicateOptions, OnProgress, find_duplicates
from spacemap.scan import ScanOptions, scan
from spacemap.tree.duplicates import Duplicates
from spacemap.tree.snapshot import Snapshot

Sets = frozenset[frozenset[bytes]]
"""Groups, each the paths of its files, every link included."""

OLD_NS = 1_500_000_000_000_000_000


def search(
    *roots: Path, options: DuplicateOptions | None = None, on_progress: OnProgress | None = None
) -> tuple[Snapshot, Duplicates]:
    """Return a scan and what is twice in it."""
    snapshot = scan(list(roots), ScanOptions())
    return snapshot, find_duplicates(snapshot, options, on_progress)


def sets(snapshot: Snapshot, found: Duplicates) -> Sets:
    """Return the groups as paths."""
    tree = snapshot.tree
    return frozenset(
        frozenset(
            tree.path(entry)
            for copy in range(*found.groups.first[i : i + 2].tolist())
            for entry in found.links(copy).tolist()
        )
        for i in range(len(found.groups))
    )


def oracle(root: Path, algorithm: str = "sha256") -> Sets:
    """Return the groups that reading every file gives: equal contents in several inodes."""
    by_content: defaultdict[bytes, dict[tuple[int, int], set[bytes]]] = defaultdict(lambda: defaultdict(set))
    for directory, _, names in os.walk(os.fsencode(root)):
        for name in names:
            path = os.path.join(directory, name)
            status = os.lstat(path)
            if not stat.S_ISREG(status.st_mode) or not status.st_size or not os.access(path, os.R_OK):
                continue
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, algorithm).digest()
            by_content[digest][status.st_dev, status.st_ino].add(path)
    return frozenset(
        frozenset(path for links in inodes.values() for path in links)
        for inodes in by_content.values()
        if len(inodes) > 1
    )


def paths(snapshot: Snapshot, entries: np.ndarray) -> list[bytes]:
    """Return the paths of some entries."""
    return [snapshot.tree.path(int(entry)) for entry in entries]


def write(path: Path, content: bytes) -> Path:
    """Write a file of long ago, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(OLD_NS, OLD_NS))
    return path


def group(*files: Path) -> Sets:
    """Return one group."""
    return frozenset({frozenset(os.fsencode(file) for file in files)})
