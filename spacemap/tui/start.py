"""What can be opened where no path was given: here, the file systems, and what was scanned before. No terminal."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Thread

from spacemap.errors import SpacemapError
from spacemap.render.bars import share_bar
from spacemap.render.text import cell_width
from spacemap.scan.mounts import Mount, MountTable, is_remote
from spacemap.scan.space import DiskSpace, disk_space
from spacemap.store import cache
from spacemap.store.snapshot import open_snapshot
from spacemap.tui.cells import Piece, Writing
from spacemap.units import format_ago, format_percent

RECENT = 20
"""Earlier scans that are offered, the newest first."""
_BAR = 12
_AMOUNT, _AGE = 11, 15
_NAME = 16
"""Cells that a path has before anything else is shown beside it."""
OnSpace = Callable[[bytes, DiskSpace | None], object]


@dataclass(frozen=True, slots=True)
class Here:
    """The working directory."""

    path: bytes

    @property
    def paths(self) -> tuple[bytes, ...]:
        """What is scanned when this is chosen."""
        return (self.path,)


@dataclass(frozen=True, slots=True)
class FileSystem:
    """Something mounted."""

    path: bytes
    kind: str
    """As in mountinfo; empty where the system does not tell."""
    is_remote: bool = False

    @property
    def paths(self) -> tuple[bytes, ...]:
        """What is scanned when this is chosen."""
        return (self.path,)


@dataclass(frozen=True, slots=True)
class Recent:
    """A scan that is kept."""

    paths: tuple[bytes, ...]
    started_ns: int
    bytes: int
    """Disk usage."""


Start = Here | FileSystem | Recent
Section = tuple[str, Sequence[Start]]


def file_systems(table: MountTable) -> list[FileSystem]:
    """Return what is mounted; the root alone where the system does not tell."""
    mounts: Sequence[Mount] = table.file_systems()
    if not mounts:
        return [FileSystem(b"/", "")]
    return [FileSystem(mount.point, mount.kind, is_remote(mount)) for mount in mounts]


def recent_scans(directory: str | None) -> list[Recent]:
    """Return the kept scans, the newest first, each set of roots once; none where the cache cannot be read."""
    found: dict[tuple[bytes, ...], Recent] = {}
    try:
        files = [] if directory is None else cache.scans(directory)
    except SpacemapError:
        return []
    for file in files:
        try:
            opened = open_snapshot(file.path)
        except SpacemapError:  # damaged, or just removed: a scan replaces it
            continue
        recent = Recent(opened.roots, opened.facts.started_ns, opened.totals.disk_bytes)
        if opened.facts.host == os.uname().nodename:
            found[recent.paths] = max(recent, found.get(recent.paths, recent), key=lambda each: each.started_ns)
    return sorted(found.values(), key=lambda each: -each.started_ns)[:RECENT]


def working_directory() -> bytes | None:
    """Return where the program was started; None where that has been removed."""
    try:
        return os.getcwdb()
    except FileNotFoundError:
        return None


def sections(here: bytes | None, table: MountTable, directory: str | None) -> list[Section]:
    """Return all that can be chosen, under headings."""
    of_here = [] if here is None else [Here(here)]
    found: list[Section] = [
        ("Here", of_here),
        ("File systems", file_systems(table)),
        ("Scanned before", recent_scans(directory)),
    ]
    return [(title, starts) for title, starts in found if starts]


def measure_space(systems: Sequence[FileSystem], on_space: OnSpace) -> None:
    """Start to ask how full file systems are; the answers come in threads, and from a dead server none comes."""

    def ask(some: Sequence[FileSystem]) -> None:
        for system in some:
            on_space(system.path, disk_space(system.path))

    local = [system for system in systems if not system.is_remote]
    for group in ([local], [[system] for system in systems if system.is_remote]):
        for some in group:
            Thread(target=ask, args=(some,), daemon=True).start()


def start_pieces(
    start: Start, spaces: Mapping[bytes, DiskSpace | None], width: int, now_ns: int, writing: Writing
) -> list[Piece]:
    """Return the line of something that can be chosen, of at most so many cells; what does not fit is left out."""
    match start:
        case Here(path):
            return [Piece(writing.name(path, width), "path")]
        case FileSystem(path):
            columns = _space_columns(start, spaces, writing)
        case Recent(paths, started_ns, size):
            path = b", ".join(paths)
            age = format_ago((now_ns - started_ns) // 1_000_000_000)
            columns = [Piece(writing.amount(size).rjust(_AMOUNT), "text"), Piece(age.rjust(_AGE), "text")]
    pieces: list[Piece] = []
    room = width
    for piece in columns:
        cells = cell_width(piece.text) + 2
        if room - cells < _NAME:
            break
        room -= cells
        pieces += [piece, Piece("  ", "text")]
    return [*pieces, Piece(writing.name(path, room), "path")]


def _space_columns(system: FileSystem, spaces: Mapping[bytes, DiskSpace | None], writing: Writing) -> list[Piece]:
    space = spaces.get(system.path)
    if space is None:
        # Not known is not the same as asked and not told, but neither has numbers.
        missing = "not known" if system.path in spaces else "asking" + writing.ellipsis
        return [Piece(missing.rjust(_AMOUNT), "faint")]
    free = f"{writing.amount(space.available).rjust(_AMOUNT)} free"
    return [
        Piece(writing.amount(space.used).rjust(_AMOUNT), "text"),
        Piece(format_percent(space.used, space.total).rjust(6), "text"),
        Piece(share_bar(space.used, space.total, _BAR, writing.bars), "bar"),
        Piece(free, "text"),
        Piece(system.kind[:8].ljust(8), "faint"),
    ]
