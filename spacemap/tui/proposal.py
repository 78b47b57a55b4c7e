"""What is proposed to be removed: a plan, what it would free, and what has to be scanned again afterwards."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from spacemap.clean import Plan, make_plan
from spacemap.tree.columns import Kind, Skip
from spacemap.tree.measure import Measure
from spacemap.tree.reclaim import Reclaim, other_holders, reclaim
from spacemap.tree.snapshot import Snapshot
from spacemap.tree.subtree import nearest_entry
from spacemap.tui.marks import Ids
from spacemap.tui.order import entry_bytes

GRAVE_BYTES = 1 << 30
GRAVE_ENTRIES = 1000
"""What is as large as this is not deleted for ever by choosing alone."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Entries that may be removed."""

    plan: Plan
    entries: Ids
    """Those of the plan, the largest first."""
    total: Reclaim

    @property
    def is_grave(self) -> bool:
        """Whether deleting them for ever takes more than choosing it."""
        tree = self.plan.tree
        directories = self.entries[tree.kind[self.entries] == Kind.DIRECTORY]
        rows = np.searchsorted(tree.directories.entry, directories.astype(np.uint32))
        # Nobody knows what is in a directory that was not listed.
        is_filled = tree.directories.child_count[rows].any() or (tree.directories.skip[rows] != Skip.NONE).any()
        return bool(is_filled) or self.total.disk >= GRAVE_BYTES or self.total.entries >= GRAVE_ENTRIES


def propose(snapshot: Snapshot, entries: Ids) -> Proposal:
    """Return a proposal to remove some entries of a snapshot. Cost: see `make_plan` and `reclaim`."""
    plan = make_plan(snapshot, entries.tolist())
    planned = plan.entries.astype(np.int64)
    order = np.argsort(entry_bytes(plan.tree, planned, Measure.DISK))[::-1]
    return Proposal(plan, planned[order], reclaim(plan.tree, planned))


def changed_by(proposal: Proposal) -> set[bytes]:
    """Return the paths of the directories whose listings change when the entries are removed."""
    tree = proposal.plan.tree
    changed = np.union1d(tree.parent[proposal.entries].astype(np.int64), other_holders(tree, proposal.entries))
    return {path for entry in changed.tolist() if (path := tree.path(entry))}


def nearest_directories(snapshot: Snapshot, paths: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return for absolute paths the directories of a snapshot that they are, or that hold what is new on the way there.

    Those outside it are left out.
    """
    found = {directory for path in paths if (directory := _nearest_directory(snapshot, path))}
    return tuple(sorted(found))


def _nearest_directory(snapshot: Snapshot, path: bytes) -> bytes:
    tree = snapshot.tree
    for root in snapshot.roots:
        before = root.rstrip(b"/") + b"/"
        if path != root and not path.startswith(before):
            continue
        below = tuple(name for name in path[len(before) :].split(b"/") if name)
        entry, _ = nearest_entry(tree, below if tree.name(0) else (root, *below))
        return tree.path(entry if tree.kind[entry] == Kind.DIRECTORY else int(tree.parent[entry]))
    return b""
