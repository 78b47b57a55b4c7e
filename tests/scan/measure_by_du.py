"""What `du` says: the other side of the differential tests."""

import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from tests.scan.processes import environment


def du(*arguments: str | bytes | Path) -> int:
    """Return the total that `du -s --block-size=1` prints; it may complain of what it cannot read.

    In UTF-8, where its globs know characters.
    """
    command = ["du", "-s", "--block-size=1", *arguments]
    result = subprocess.run(command, capture_output=True, env=environment(), check=False)
    return int(result.stdout.split(b"\t")[0])


def du_apparent(root: str | bytes | Path, *arguments: str) -> int:
    """Return the total of `du --apparent-size`, directories included, as they were until coreutils 9.1."""
    total = du("--apparent-size", *arguments, root)
    return total if _counts_directories() else total + _directory_sizes(root, *arguments)


@cache
def _counts_directories() -> bool:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as empty:
        return du("--apparent-size", empty) > 0


def _directory_sizes(root: str | bytes | Path, *arguments: str) -> int:
    """Return the sum of `st_size` over the directories that du visits."""
    result = subprocess.run(["du", "-0", *arguments, root], capture_output=True, check=False)
    return sum(_size(line.partition(b"\t")[2]) for line in result.stdout.split(b"\0")[:-1])


def _size(path: bytes) -> int:
    """Return `st_size`; the path may be longer than PATH_MAX."""
    at = os.open("/", os.O_PATH)
    while len(path) > 2000:
        cut = path.rindex(b"/", 0, 2000)
        onward = os.open(path[:cut], os.O_PATH, dir_fd=at)
        path = path[cut + 1 :]
        os.close(at)
        at = onward
    size = os.stat(path, dir_fd=at).st_size
    os.close(at)
    return size


def both(root: str | bytes | Path, *arguments: str) -> tuple[int, int]:
    """Return disk usage and apparent size, as du tells them."""
    return du(*arguments, root), du_apparent(root, *arguments)
