"""What is known of a scan while it runs."""

from collections.abc import Callable
from typing import NamedTuple

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.tree.snapshot import Snapshot

Build = Callable[[], "Snapshot"]
"""Builds a tree of what was known at some moment. Cost: that of building it; it may run in any thread."""


class Progress(NamedTuple):
    """Counters of a running scan."""

    entries: int
    disk_bytes: int
    """Disk usage of the entries so far; links are not told apart yet."""
    problems: int
    directory: bytes
    """Path of a directory that is being listed."""
    elapsed_ns: int
    view: Callable[[], Build] | None = None
    """Takes hold of what is known at this moment, for a tree so far, rolled up; only while `on_progress` runs.

    None while a whole earlier tree is used: then that one says more than what was listed since.
    """
