"""What is known of a scan while it runs."""

from typing import NamedTuple


class Progress(NamedTuple):
    """Counters of a running scan."""

    entries: int
    disk_bytes: int
    """Disk usage of the entries so far; links are not told apart yet."""
    problems: int
    directory: bytes
    """Path of a directory that is being listed."""
    elapsed_ns: int
