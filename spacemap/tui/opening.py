"""Directories to browse: what earlier scans of the same left, and where this one is kept. No terminal."""

import os
from collections.abc import Callable
from typing import NamedTuple

from spacemap.scan.late import LateCheckpoint
from spacemap.scan.options import ScanOptions
from spacemap.scan.rescan import Level, Rescan

TYPE_CHECKING = False  # what mypy takes for true; a scan is begun before numpy is imported
if TYPE_CHECKING:
    from spacemap.clean import Journal
    from spacemap.tree.snapshot import Snapshot


class Keeping(NamedTuple):
    """Where scans are kept, and how a kept one is used."""

    directory: str
    size_limit: int
    """Bytes that kept scans take at most."""
    rescan: Rescan = Rescan(Level.FAST)


class Unfinished(NamedTuple):
    """What an interrupted scan of the same left."""

    checkpoint: str
    seconds: int
    """How long ago the last of it was written."""


class Live(NamedTuple):
    """Directories of this machine, scanned while they are looked at."""

    paths: tuple[bytes, ...]
    """Empty: they are chosen first."""
    options: ScanOptions
    keeping: Keeping | None = None
    """None: no kept scan is used, and this one is not kept."""
    checkpoint: LateCheckpoint | None = None
    unfinished: Unfinished | None = None
    journal: "Callable[[], Journal] | None" = None
    """Opens what is told of all that is removed; None: nothing can be, nor any other program be started."""


class Recollection(NamedTuple):
    """What is kept of an earlier scan of the same with the same options."""

    snapshot: "Snapshot | None"
    warnings: tuple[str, ...] = ()
    """A line for each file of the cache that could not be used."""


def recollect(live: Live) -> Recollection:
    """Return the kept scan of directories, every column verified. Raises RootError."""
    if live.keeping is None:
        return Recollection(None)
    from spacemap.scan.roots import distinct_roots, find_root  # noqa: PLC0415 - only where scans are kept
    from spacemap.store import cache  # noqa: PLC0415 - as above
    from spacemap.store.earlier import differing  # noqa: PLC0415 - as above

    roots, _ = distinct_roots([find_root(path) for path in live.paths])
    key = cache.Key(os.uname().nodename, tuple(root.path for root in roots), live.options.shaping())
    found = cache.find(live.keeping.directory, key)
    is_same = found.snapshot is not None and not differing(found.snapshot, key.options)
    return Recollection(found.snapshot if is_same else None, found.warnings)


def keep(keeping: Keeping, snapshot: "Snapshot", base: "Snapshot | None") -> None:
    """Keep a complete scan for the next time. Raises SpacemapError."""
    from spacemap.store.earlier import keep_newer  # noqa: PLC0415 - not before a scan has ended

    keep_newer(keeping.directory, snapshot, base, keeping.size_limit)
