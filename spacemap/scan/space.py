"""How full the file system is that holds a path."""

import os
from typing import NamedTuple


class DiskSpace(NamedTuple):
    """Bytes of a file system, as `df` counts them."""

    total: int
    available: int
    """What a user without privileges can still write."""
    used: int


def disk_space(path: bytes) -> DiskSpace | None:
    """Return the space of the file system that holds a path, or None where the system does not tell."""
    try:
        facts = os.statvfs(path)
    except OSError:
        return None
    total = facts.f_blocks * facts.f_frsize
    if total == 0:
        return None
    return DiskSpace(total, facts.f_bavail * facts.f_frsize, total - facts.f_bfree * facts.f_frsize)
