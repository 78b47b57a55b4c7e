"""Engines: the contract that all keep, and the choice among them.

An engine is a `Walker`: it is given directories, lists them and all below them, and sends frames (see `wire`). It
never crosses to another mount or device, never enters what was reached through a symlink: it hands those back.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from spacemap.errors import EngineError
from spacemap.scan.options import CacheTagged, EngineName, ScanOptions, Symlinks, Times

Verdicts = Callable[[bytes, bytes], bytes | None]
"""`Exclusions.verdicts`."""

FLUSH_ENTRIES = 4096
"""A lister sends its batch when it holds so many entries."""
WORKER_BITS = 48
"""References of one worker: its number stands above these bits; the scan's own root entries are worker 0."""


class Walker(Protocol):
    """What the native and the python engine both are. Frames go to a descriptor, or are kept for `take`."""

    def start(self) -> None:
        """Start the listers, threads of this process."""

    def push(self, count: int, records: bytes, /) -> None:
        """Add the directories of a frame's body."""

    def poison(self, device: int, inode: int, /) -> None:
        """Hand this directory back instead of opening it, from now on."""

    def run(self, entries: int, /) -> None:
        """List in this thread until nothing waits or so many entries were found."""

    def give(self, whole: bool, /) -> None:  # noqa: FBT001 - the native twin takes it by position
        """Hand back half of what waits, or all of it, the oldest first; always answers with a frame."""

    def take(self) -> bytes:
        """Return the frames kept in memory, and forget them."""

    def status(self) -> list[tuple[int, int, int]]:
        """Return (last sign of life in monotonic ns, device, inode) of each listing under way."""

    def send(self, frame: bytes, /) -> None:
        """Write a frame of the caller's own between those of the listers."""

    def stop(self) -> None:
        """Finish the listings under way, send them, end the listers."""


class WalkerClass(Protocol):
    """How a walker is made."""

    def __call__(  # noqa: PLR0913 - what a walker must know
        self,
        *,
        roots: tuple[bytes, ...],
        ref_base: int,
        listers: int,
        sink: int,
        follow_symlinks: bool,
        read_times: bool,
        exclude_caches: bool,
        max_depth: int,
        flush_entries: int,
        exclude: Verdicts | None,
    ) -> Walker: ...


@dataclass(frozen=True, slots=True)
class EngineState:
    """Whether an engine can be used here, and why not."""

    name: EngineName
    reason: str
    """Empty when it can be used."""
    remark: str
    """What to know before choosing it."""


MODULES = {
    EngineName.NATIVE: "spacemap.scan._native",
    EngineName.PYTHON: "spacemap.scan._python",
    EngineName.SCANDIR_RS: "spacemap.scan._scandir_rs",
}
REMARKS = {
    EngineName.NATIVE: "C, threads in each worker; Linux",
    EngineName.PYTHON: "os.scandir, one process for each request; everywhere",
    EngineName.SCANDIR_RS: "scandir-rs lists, names that are not UTF-8 are listed by Python; never chosen by auto",
}


def engine_states() -> list[EngineState]:
    """Return the state of every engine, best first."""
    return [EngineState(name, _why_not(name), REMARKS[name]) for name in MODULES]


def choose_engine(name: EngineName) -> EngineName:
    """Return the engine to use: `auto` takes native where it was built, else python.

    Raises EngineError when a named engine is missing here. A binary that is there and does not load is an
    ImportError that nobody catches: a bug to report, not a slow scan.
    """
    if name is EngineName.AUTO:
        return EngineName.PYTHON if _why_not(EngineName.NATIVE) else EngineName.NATIVE
    reason = _why_not(name)
    if reason:
        raise EngineError(f"engine {name.value} cannot be used here: {reason}; `spacemap engines` lists the others")
    return name


def _why_not(name: EngineName) -> str:
    try:
        import_module(MODULES[name])
    except ModuleNotFoundError as error:
        if name is EngineName.NATIVE:
            return "it was not built (no C compiler at installation, or SPACEMAP_NATIVE=skip)"
        return f"the package {error.name} is not installed on {sys.platform}"
    return ""


def make_walker(name: EngineName, options: ScanOptions, *, place: "WalkerPlace") -> Walker:
    """Return a walker of a chosen engine."""
    from spacemap.scan.exclude import Exclusions  # noqa: PLC0415 - most scans exclude nothing

    exclusions = Exclusions(options.exclude, options.prune) if options.exclude or options.prune else None
    walker: WalkerClass = import_module(MODULES[name]).Walker
    return walker(
        roots=place.roots,
        ref_base=place.worker << WORKER_BITS,
        listers=place.listers,
        sink=place.sink,
        follow_symlinks=options.symlinks is Symlinks.FOLLOW,
        read_times=options.times is Times.READ,
        exclude_caches=options.cache_tagged is CacheTagged.EXCLUDE,
        max_depth=-1 if options.max_depth is None else options.max_depth,
        flush_entries=FLUSH_ENTRIES,
        exclude=None if exclusions is None else exclusions.verdicts,
    )


@dataclass(frozen=True, slots=True)
class WalkerPlace:
    """Where a walker stands in its scan."""

    roots: tuple[bytes, ...]
    worker: int
    """Number of the worker, from 1."""
    listers: int
    sink: int
    """Descriptor for frames; -1: keep them in memory."""
