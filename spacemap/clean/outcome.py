"""What is told of a removal: while it runs, and when it is over."""

import errno as error_numbers
import os
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

GONE = "it is not there any more"
MOST_STAYED = 1000
"""So many entries that stayed are told one by one; all are counted."""


class Method(Enum):
    """How entries are removed. Stable on disk."""

    TRASH = "trash"
    """Moved to the trash of their file system; frees nothing before that is emptied."""
    DELETE = "delete"
    """Gone for ever."""


class Removing(NamedTuple):
    """How far a removal is."""

    entries: int
    """Removed so far, every entry of a directory counted."""
    disk_bytes: int
    """Freed so far; moved, with the trash."""
    current: bytes
    """The path of what is being removed."""


class Stayed(NamedTuple):
    """An entry that was not removed, or not restored."""

    path: bytes
    operation: str
    """The step that was not taken or failed: open, compare, delete, trash, restore."""
    reason: str
    """In words for the user."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a removal, or of its undoing."""

    entries: int
    """Removed, every entry of a deleted or moved directory counted; restored, those that were moved alone."""
    disk_bytes: int
    """Disk usage that was freed by deleting; that was moved, with the trash. A file with other links frees nothing."""
    stayed: tuple[Stayed, ...]
    """At most MOST_STAYED of those that stayed."""
    stayed_count: int
    is_cancelled: bool


class StaysError(Exception):
    """Why one entry is left alone; the rest goes on."""

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(reason)
        self.operation = operation
        self.reason = reason


def failure(error: OSError) -> str:
    """Return the words of the system for a failed call, and the name of the error."""
    number = error.errno or 0
    hints = {
        error_numbers.EPERM: "; it may be immutable, or belong to somebody else",
        error_numbers.EXDEV: "; it is on another file system",
    }
    return f"{os.strerror(number)} ({error_numbers.errorcode.get(number, number)}){hints.get(number, '')}"


class Tally:
    """Counts what goes and what stays."""

    def __init__(self) -> None:
        self.entries = 0
        self.disk_bytes = 0
        self._stayed: list[Stayed] = []
        self._stayed_count = 0

    def stay(self, path: bytes, operation: str, reason: str) -> None:
        """Count an entry that stays."""
        self._stayed_count += 1
        if len(self._stayed) < MOST_STAYED:
            self._stayed.append(Stayed(path, operation, reason))

    def outcome(self, *, is_cancelled: bool) -> Outcome:
        """Return what was counted."""
        return Outcome(self.entries, self.disk_bytes, tuple(self._stayed), self._stayed_count, is_cancelled)
