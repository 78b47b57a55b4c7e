"""Using a base while its stale directories are listed: which to list first, and what is known of what they hold."""

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from spacemap.scan.base import Base
from spacemap.scan.mounts import MountTable
from spacemap.scan.options import CacheTagged, EngineName, ScanOptions, Symlinks, Times
from spacemap.scan.patch import patched
from spacemap.scan.rescan import Level, Rescan
from spacemap.scan.roots import Root
from spacemap.scan.stale import AGAIN, KEEP, WHOLE, Checker, Stale, find_entry, find_stale
from spacemap.scan.wire import Note, Waiting
from spacemap.tree.batch import Batch
from spacemap.tree.columns import U64, Flag, Kind, Mask, Skip
from spacemap.tree.place import Index, distinct
from spacemap.tree.snapshot import BaseUse, Facts, Snapshot
from spacemap.tree.subtree import names_below
from spacemap.tree.tree import Tree

_NONE = np.zeros(0, np.uint64)
ALONE, BOUNDARY = int(Note.ALONE), int(Note.BOUNDARY)  # plain: asked of every directory
MOUNT = np.uint8(Flag.MOUNT)
MOST_STALE = 0.5
"""With a larger share of stale directories than this, a plain scan is faster."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a rescan needs to know of the scan that it is part of."""

    engine: EngineName
    options: ScanOptions
    roots: Sequence[Root]
    mounts: MountTable
    processors: int
    threads: int
    """This and the others are those of `Checker`."""
    tick: Callable[[int], None]


def unusable(snapshot: Snapshot, around: Surroundings) -> str:
    """Return why a snapshot cannot be the base of a scan; empty when it can."""
    old, new = snapshot.facts.options, around.options.shaping()
    differing = [key for key in new if old.get(key) != new[key]]
    if differing:
        return f"it was made with other options ({', '.join(differing)})"
    if set(snapshot.roots) != {root.path for root in around.roots}:
        return "it is of other roots"
    if around.options.symlinks is Symlinks.FOLLOW:
        return "symlinks are followed"
    if around.options.times is Times.LEAVE:
        return "times were left out"
    if not snapshot.tree.knows_owners:
        return "it was kept by a spacemap that did not tell owners"
    if len(snapshot.tree.folded.entry):
        return "small files are folded in it"
    if any(around.mounts.may_hang(root.path) for root in around.roots):
        return "the file system may be remote, where measuring known names is no faster than listing them"
    return ""


def root_entries(tree: Tree, roots: Sequence[Root]) -> dict[int, int]:
    """Return the number of each root by its entry in the tree."""
    if tree.name(0):
        return {0: 0}
    numbers = {root.path: number for number, root in enumerate(roots)}
    return {entry: numbers[tree.name(entry)] for entry in tree.children(0)}


def measured_from(facts: Facts) -> int:
    """Return when the directories of a snapshot were measured at the earliest: wall clock, in nanoseconds."""
    use = facts.base
    return use.started_ns if use is not None and use.level == Level.TRUST.value else facts.started_ns


def plan_rescan(base: Base, rescan: Rescan, around: Surroundings) -> "Reuse | str":
    """Measure the base against the file system; the reason where a plain scan is better."""
    tree = base.tree
    numbers = root_entries(tree, around.roots)
    for root_entry, number in numbers.items():
        if _is_another(tree, root_entry, around.roots[number]):
            return f"{os.fsdecode(around.roots[number].path)!r} is another than it was then"
    paths = {entry: around.roots[number].path for entry, number in numbers.items()}
    checker = Checker(
        engine=around.engine,
        root_paths={entry: path for entry, path in paths.items() if tree.kind[entry] == Kind.DIRECTORY},
        asks_cache_tags=around.options.cache_tagged is CacheTagged.EXCLUDE,
        processors=around.processors,
        threads=around.threads,
        stall_timeout=around.options.stall_timeout,
        tick=around.tick,
    )
    changed = [entry for entry, number in numbers.items() if not _is_same_root(tree, entry, around.roots[number])]
    begins_mount = np.zeros(len(tree), np.bool_)
    for path in paths.values():
        for point in around.mounts.points_below(path):
            entry = find_entry(tree, point, paths)
            if entry is not None:
                begins_mount[entry] = True
    stale = find_stale(base, rescan, changed, begins_mount, checker)
    listed = base.listing >= 0
    if rescan.level is not Level.TRUST and np.count_nonzero(stale.state[listed]) > MOST_STALE * listed.sum():
        return "more than half of it has changed"
    return Reuse(base, stale, numbers, is_changed=bool(changed))


def _is_another(tree: Tree, entry: int, root: Root) -> bool:
    """Return whether a root was replaced; a file, which is measured anew in any case, may be another file."""
    was_directory = int(tree.kind[entry]) == Kind.DIRECTORY
    if not root.is_directory or not was_directory:
        return root.is_directory != was_directory
    identity = int(tree.directories.device[tree.directory_row(entry)]), int(tree.inode[entry])
    return identity != (root.result.st_dev, root.result.st_ino)


def _is_same_root(tree: Tree, entry: int, root: Root) -> bool:
    result = root.result
    row = (result.st_size, result.st_blocks, result.st_ino, int(result[stat.ST_MTIME]), result.st_uid)
    known = [column[entry] for column in (tree.apparent_size, tree.blocks, tree.inode, tree.mtime)]
    known.append(tree.owners[tree.owner[entry]])
    if row != tuple(int(value) for value in known):
        return False
    if not root.is_directory:
        return result.st_nlink == 1 and not tree.flags[entry] & Flag.LINKED
    directories, at = tree.directories, tree.directory_row(entry)
    identity = (result.st_dev, result.st_mtime_ns, result.st_ctime_ns)
    return identity == (int(directories.device[at]), int(directories.mtime_ns[at]), int(directories.ctime_ns[at]))


class Reuse:
    """Lets what a new listing shares with the base keep its listings."""

    def __init__(self, base: Base, stale: Stale, root_numbers: dict[int, int], *, is_changed: bool) -> None:
        """`root_numbers` gives the number in the scan of each root entry."""
        self._base = patched(base, stale.patch)
        self._stale = stale
        self._state = stale.state
        self._root_numbers = root_numbers
        self.holds = not is_changed and not stale.state.any() and not len(stale.patch.entry)
        """Whether the tree of the base is the tree of now."""
        self._again: dict[tuple[int, bytes], int] = {}
        """Row, by root and path, of each directory that was handed out to be listed again."""
        self.renamed: list[tuple[int, int]] = []
        """(former reference, reference in the new listing) of directories that keep their listing."""
        entry = base.tree.directories.entry
        self._parent: Index = np.searchsorted(entry, base.tree.parent[entry])
        """Row of the directory above each."""
        self._known_links: set[int] = set()
        """Inodes to which new listings showed other links, and whose directories are listed again already."""
        self._families: dict[int, dict[bytes, int]] = {}
        """Rows by name of the directories in those that are listed again."""
        base.forget(np.flatnonzero(stale.state != KEEP))

    @property
    def tree(self) -> Tree:
        """The tree of the base."""
        return self._base.tree

    def batches(self) -> list[Batch]:
        """Return the batches of the base, with the listings that are still used."""
        return self._base.take()

    def use(self, level: Level, started_ns: int) -> BaseUse:
        """Return what to tell of this rescan."""
        kept = int(np.count_nonzero((self._state == KEEP) & (self._base.listing >= 0)))
        return BaseUse(
            level=level.value,
            started_ns=started_ns,
            kept_directories=kept,
            trusted_entries=self._stale.trusted_entries,
            trusted_bytes=self._stale.trusted_bytes,
        )

    def first_claims(self) -> list[Waiting]:
        """Return the stale directories whose own entries stand: those below other stale ones come as these hand them
        back."""
        base, state, parent = self._base, self._state, self._parent
        stands = state[parent] == KEEP
        stands[0] = True
        # Rows are breadth-first: what lies below a directory that is listed whole is not asked for.
        covered = _below(parent, state == WHOLE)
        rows = np.flatnonzero((state != KEEP) & stands & ~covered)
        return [self._waiting(row, int(base.ref[row])) for row in rows.tolist()]

    def newly_linked(self, listed: Iterable[Batch]) -> list[Waiting]:
        """Return, to be listed again, the directories of unmeasured files to which a new listing shows another link.

        They were not links when the base was made; one of them must not be counted beside the other.
        """
        tree = self._base.tree
        found = np.concatenate([_NONE, *(_linked_inodes(batch) for batch in listed)])
        inodes = set(found.tolist()) - self._known_links
        if not inodes:
            return []
        self._known_links |= inodes
        entries = np.flatnonzero(np.isin(tree.inode, np.array(list(inodes), np.uint64)))
        is_single = (tree.kind[entries] != Kind.DIRECTORY) & ((tree.flags[entries] & np.uint8(Flag.LINKED)) == 0)
        entries = entries[is_single & (entries >= self._base.first)]  # a root is measured anew
        rows = distinct(np.searchsorted(tree.directories.entry, tree.parent[entries]))
        rows = rows[self._state[rows] == KEEP]
        self._state[rows] = AGAIN
        claims = [self._waiting(row, int(self._base.current[row])) for row in rows.tolist()]
        self._base.forget(rows)
        return claims

    def resolve(self, waiting: Waiting) -> Waiting | None:
        """Return how a directory that was handed back is to be listed; None when its listing in the base stands."""
        row = self._row_of(waiting)
        # What a boundary or a second view kept from being entered is judged by the mounts of now.
        if row is None or self._state[row] == WHOLE or self._base.tree.directories.skip[row] != Skip.NONE:
            return waiting
        if self._state[row] == KEEP:
            self.renamed.append((int(self._base.current[row]), waiting.ref))
            self._base.rename(row, waiting.ref)
            return None
        self._again[waiting.root, waiting.path] = row
        return alone(waiting)

    def _row_of(self, waiting: Waiting) -> int | None:
        """Return the row of the same directory at the same path in the base."""
        above, _, name = waiting.path.rpartition(b"/")
        parent = self._again.get((waiting.root, above))
        if parent is None:
            return None
        row = self._family(parent).get(name)
        if row is None:
            return None
        tree = self._base.tree
        identity = int(tree.directories.device[row]), int(tree.inode[tree.directories.entry[row]])
        return row if identity == (waiting.device, waiting.inode) else None

    def _family(self, parent: int) -> dict[bytes, int]:
        """Return the rows of the directories in one of them, by name; their rows are neighbours."""
        if parent not in self._families:
            tree = self._base.tree
            begin, end = self._parent.searchsorted([parent, parent + 1]).tolist()
            begin = max(begin, 1)  # the root is its own parent
            entries = tree.directories.entry[begin:end].tolist()
            self._families[parent] = {tree.name(entry): row for row, entry in enumerate(entries, begin)}
        return self._families[parent]

    def _waiting(self, row: int, ref: int) -> Waiting:
        tree = self._base.tree
        entry = int(tree.directories.entry[row])
        root, names = names_below(tree, entry, self._base.first)
        is_again = self._state[row] == AGAIN
        notes = (ALONE if is_again else 0) | (BOUNDARY if tree.flags[entry] & MOUNT else 0)
        waiting = Waiting(
            ref=ref,
            device=int(tree.directories.device[row]),
            inode=int(tree.inode[entry]),
            depth=len(names),
            root=self._root_numbers[root],
            notes=notes,
            path=b"/".join(names),
        )
        if is_again:
            self._again[waiting.root, waiting.path] = row
        return waiting


def _linked_inodes(batch: Batch) -> U64:
    return batch.inode[batch.link_index].astype(np.uint64) if len(batch.inode) else _NONE


def alone(waiting: Waiting) -> Waiting:
    """Return a directory to be listed without what is below it."""
    return waiting._replace(notes=waiting.notes | ALONE)


def _below(parent: Index, mask: Mask) -> Mask:
    """Return, by row, whether a directory above it is in a mask; a loop over depths."""
    result = np.zeros(len(parent), np.bool_)
    begin, end = 1, int(np.searchsorted(parent, 1)) if len(parent) > 1 else 1
    while begin < len(parent):
        above = parent[begin:end]
        result[begin:end] = result[above] | mask[above]
        begin, end = end, int(np.searchsorted(parent, end))
    return result
