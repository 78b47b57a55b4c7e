"""Comparing what is below planned directories with the disk: by known names, as a rescan does; nothing is listed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spacemap.clean.plan import Plan, first_below, planned_slices
from spacemap.scan.capacity import cores, threads_of_check
from spacemap.scan.engine import choose_engine
from spacemap.scan.options import EngineName, ScanOptions
from spacemap.scan.stale import Checker, differing
from spacemap.tree.columns import ELSEWHERE, Flag, Kind, Mask, Skip
from spacemap.tree.owners import UNKNOWN_OWNER

_NOT_MEASURED = [int(skip) for skip in (Skip.EXCLUDED, *ELSEWHERE)]
STALL_SECONDS = 10.0
"""What does not answer for so long counts as changed: it cannot be removed either."""


@dataclass(frozen=True, slots=True)
class Below:
    """What is found below planned directories, these themselves left out."""

    entries: int
    """How many were compared."""
    changed_directories: int
    """Gone, replaced, or not as they were: with something added or taken away, or a time of their own. Or they cannot
    be looked at."""
    changed_files: int
    """The same of what is no directory."""
    other_owner: int
    """Entries that belong to another user than the one who asks, as the scan saw it."""


def look_below(plan: Plan, user: int, on_progress: Callable[[int, int], None]) -> Below:
    """Return how what is below planned directories differs from the tree. A system call for each entry, in threads.

    What the scan could not measure, or did not want to, is left out. `on_progress` is called often, from the calling
    thread, with how many of how many were compared; what it raises ends this.
    """
    tree = plan.tree
    wanted = _comparable_below(plan)
    count = int(np.count_nonzero(wanted))
    if not count:
        return Below(0, 0, 0, 0)
    is_other = (tree.owners != user) & (tree.owners != UNKNOWN_OWNER)
    is_foreign = wanted & is_other.take(tree.owner)
    engine, options = choose_engine(EngineName.AUTO), ScanOptions()
    checker = Checker(
        engine,
        _root_paths(plan),
        asks_cache_tags=False,
        processors=cores(),
        threads=threads_of_check(engine, options),
        stall_timeout=STALL_SECONDS,
        # Threads take whole directories: those beside the planned ones are counted, too.
        tick=lambda entries: on_progress(min(entries, count), count),
    )
    differs, _ = differing(tree, wanted, checker)
    is_directory = tree.kind == Kind.DIRECTORY
    return Below(
        count,
        int(np.count_nonzero(differs & is_directory)),
        int(np.count_nonzero(differs & ~is_directory)),
        int(np.count_nonzero(is_foreign)),
    )


def _comparable_below(plan: Plan) -> Mask:
    """Return the mask of entries below planned directories of which the tree knows what they were."""
    tree = plan.tree
    mask = np.zeros(len(tree), np.bool_)
    for part in planned_slices(tree, plan.entries.tolist()):
        mask[part] = True
    mask[plan.entries] = False
    mask &= (tree.flags & np.uint8(Flag.UNMEASURED | Flag.FOLDED | Flag.VIA_SYMLINK)) == 0
    directories = tree.directories
    # What was not entered on purpose was not measured, or is told of as a mount.
    mask[directories.entry[np.isin(directories.skip, _NOT_MEASURED)]] = False
    return mask


def _root_paths(plan: Plan) -> dict[int, bytes]:
    tree, first = plan.tree, first_below(plan.snapshot)
    return {entry: tree.name(entry) for entry in ((0,) if first == 1 else range(1, first))}
