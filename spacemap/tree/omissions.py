"""What a tree does not hold, and why: skipped directories and problems, counted for the reader."""

import errno as error_numbers
import os
from dataclasses import dataclass

import numpy as np

from spacemap.tree.columns import Operation, Skip
from spacemap.tree.tree import Tree


@dataclass(frozen=True, slots=True)
class Omissions:
    """Directories that were not descended into, by reason."""

    directories: dict[Skip, int]
    """How many, for every reason that occurs; NONE never does."""
    paths: int
    """Entries that were skipped or could not be read, each once."""


def omissions(tree: Tree) -> Omissions:
    """Return what a tree leaves out."""
    skip = tree.directories.skip
    counts = np.bincount(skip, minlength=max(Skip) + 1).tolist()
    skipped = tree.directories.entry[skip != Skip.NONE]
    is_left_out = np.zeros(len(tree), np.bool_)
    is_left_out[skipped] = is_left_out[tree.problems.entry] = True
    paths = int(np.count_nonzero(is_left_out))
    return Omissions({reason: counts[reason] for reason in Skip if reason is not Skip.NONE and counts[reason]}, paths)


_FAILED = {
    Operation.OPEN: "cannot be opened",
    Operation.LIST: "cannot be listed",
    Operation.STAT: "cannot be measured",
    Operation.SCAN: "given up while being listed",
}


SKIP_TEXT = {
    Skip.EXCLUDED: "excluded",
    Skip.PRUNED: "pruned",
    Skip.OTHER_DEVICE: "on another file system",
    Skip.KERNEL_FS: "kernel file systems",
    Skip.UNREADABLE: "unreadable",
    Skip.TIMED_OUT: "timed out",
    Skip.UNLISTED: "not listed yet",
    Skip.SECOND_VIEW: "counted where they are seen first",
    Skip.DEPTH_LIMIT: "at the depth limit",
    Skip.CACHE_TAGGED: "tagged as caches",
    Skip.WORKER_LOST: "lost with a worker",
}
"""What is said of directories that were not descended into."""


def describe_problem(operation: int, errno: int) -> str:
    """Return a problem in words: the step that failed, and the system's reason where it gave one."""
    text = _FAILED[Operation(operation)]
    if not errno:
        return text
    name = error_numbers.errorcode.get(errno, str(errno))
    return f"{text}: {os.strerror(errno)} ({name})"
