"""What is browsed, and all that the browser is told: values, made by the command line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from spacemap.config import Settings
from spacemap.scan import ScanOptions
from spacemap.tree.snapshot import Snapshot
from spacemap.tui.cells import Writing
from spacemap.tui.keys import KEYS, TILE_KEYS, Key
from spacemap.tui.look import Look
from spacemap.tui.opening import Live


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot in a file: read-only."""

    path: bytes
    origin: Callable[[Snapshot], str]
    """As in `as of 2026-11-24 10:00, 3 hours ago`."""


Subject = Live | Kept


@dataclass(frozen=True, slots=True)
class Setting:
    """How the browser looks, and where it runs."""

    settings: Settings
    look: Look = field(default_factory=Look)
    writing: Writing = field(default_factory=Writing)
    theme: str = "spacemap-dark"
    environment: Mapping[str, str] = field(default_factory=dict)
    """Of programs that are started: a shell, and what opens a file."""
    keys: tuple[Key, ...] = (*KEYS, *TILE_KEYS)
    open: Callable[[tuple[bytes, ...]], Live] = lambda paths: Live(paths, ScanOptions())
    """How directories are scanned that are chosen in the browser."""
    cache_directory: str | None = None
    """Where scans are kept that can be chosen; None: none are offered."""

    def key(self, action: str) -> str:
        """Return what the first key of an action is called, by the name of the action; empty when it has none."""
        return next((key.shown.partition(" ")[0] for key in self.keys if key.name == action), "")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the browser leaves behind."""

    snapshot: Snapshot | None
    """None when not even a first tree was there."""
    is_partial: bool
    """Whether what was shown was not the whole."""
    directory: bytes | None
    """To be printed; None unless asked for."""
