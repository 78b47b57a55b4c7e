"""Engines: which there are, and the choice among them.

An engine is a `Walker` (see `contract`): it is given directories, lists them and all below them, and sends frames
(see `wire`). It never crosses to another mount or device and never enters what was reached through a symlink: it
hands those back.
"""

import os
import sys
from importlib import import_module
from typing import NamedTuple

from spacemap.errors import EngineError
from spacemap.scan.options import CacheTagged, EngineName, ScanOptions, Symlinks, Times

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.scan.contract import Walker, WalkerClass

FLUSH_ENTRIES = 6144
"""A lister sends its batch when it holds so many entries."""
WORKER_BITS = 48
"""References of one worker: its number stands above these bits; the scan's own root entries are worker 0."""
BASE_NUMBER = 0xFFFF
"""Stands for the tree of an earlier scan where workers are numbered."""


class EngineState(NamedTuple):
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
    EngineName.SCANDIR_RS: "measures files, Python the rest; exact, three times the cost of python; never for auto",
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
    if name is EngineName.NATIVE and _is_old_linux():
        return "Linux before 5.8 does not tell where a mount begins"
    try:
        import_module(MODULES[name])
    except ModuleNotFoundError as error:
        if name is EngineName.NATIVE:
            return "it was not built (no C compiler at installation, or SPACEMAP_NATIVE=skip)"
        return f"the package {error.name} is not installed on {sys.platform}"
    return ""


def _is_old_linux() -> bool:
    release = os.uname().release.split(".")
    return sys.platform == "linux" and [int(part) for part in release[:2] if part.isdigit()] < [5, 8]


def make_walker(name: EngineName, options: ScanOptions, *, place: "WalkerPlace") -> "Walker":
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


class WalkerPlace(NamedTuple):
    """Where a walker stands in its scan."""

    roots: tuple[bytes, ...]
    worker: int
    """Number of the worker, from 1."""
    listers: int
    sink: int
    """Descriptor for frames; -1: keep them in memory."""
