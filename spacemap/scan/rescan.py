"""What a rescan is told: how much of an earlier tree to take on trust, and what to list again in any case."""

from enum import Enum
from typing import NamedTuple


class Level(Enum):
    """How an earlier tree is compared with the file system before its listings are used."""

    VERIFIED = "verified"
    """Every directory and every file is measured again: misses nothing that a full scan sees."""
    FAST = "fast"
    """Every directory; of the files only the large and the recent."""
    TRUST = "trust"
    """Nothing: only what was asked for is listed."""


class Rescan(NamedTuple):
    """How to use an earlier tree."""

    level: Level = Level.VERIFIED
    only: tuple[bytes, ...] = ()
    """Absolute paths of directories that are listed again with everything below them, whatever the level."""
    again: tuple[bytes, ...] = ()
    """Absolute paths of directories that are listed again, whatever the level, without the directories in them."""
    retry: bool = False
    """Whether what could not be read is tried again at level TRUST, as the other levels always do."""
    large_bytes: int = 1 << 20
    """At level FAST, files of at least so many bytes are measured."""
    recent_seconds: int = 7 * 24 * 3600
    """At level FAST, files are measured that were modified so recently, or whose directory was."""
