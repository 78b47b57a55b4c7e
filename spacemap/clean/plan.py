"""The Plan: entries of a snapshot that are to go, frozen, with what is odd about them and what is refused."""

import os
import pwd
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np

from spacemap.scan.mounts import MountTable, read_mounts
from spacemap.scan.options import Times
from spacemap.tree.columns import ELSEWHERE, EntryIds, Flag, Skip
from spacemap.tree.links import grouped
from spacemap.tree.snapshot import Snapshot
from spacemap.tree.subtree import directory_rows, names_below, subtree_slices
from spacemap.tree.tree import DIRECTORY, Tree

_SEEN_ELSEWHERE = {
    Skip.OTHER_DEVICE: "it is on another file system, which was not scanned",
    Skip.KERNEL_FS: "it is a kernel file system",
    Skip.SECOND_VIEW: "it is a second view of what is listed elsewhere",
}

FOLLOWED = "it was reached through a symlink; scan again without --follow-symlinks"
# Plain numbers: each is asked of every planned entry.
_MOUNT, _VIA_SYMLINK = int(Flag.MOUNT), int(Flag.VIA_SYMLINK)
_FOLDED, _UNMEASURED = int(Flag.FOLDED), int(Flag.UNMEASURED)


class Refusal(NamedTuple):
    """An entry that no plan takes."""

    entry: int
    reason: str
    """In words for the user."""


@dataclass(frozen=True, slots=True)
class Oddities:
    """What to know before a plan is carried out."""

    mounts: int
    """Mount points inside the planned directories, which stay with all above them."""
    linked_elsewhere: int
    """Files that have links outside the plan: removing them frees nothing."""
    unlisted: int
    """Directories inside the plan whose contents are not known: excluded, pruned, unreadable and the like."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to go. Holds the whole immutable tree: what is below a planned directory needs no objects of its own."""

    snapshot: Snapshot
    entries: EntryIds
    """Ids, ascending, none below another."""
    count: int
    """Entries that go, those below the planned directories included."""
    refusals: tuple[Refusal, ...]
    """Ascending by entry."""
    oddities: Oddities

    @property
    def tree(self) -> Tree:
        """The tree that the ids belong to."""
        return self.snapshot.tree

    def place(self, entry: int) -> tuple[int, tuple[bytes, ...]]:
        """Return the root that an entry is below, and the names that lead from there."""
        return names_below(self.tree, entry, first_below(self.snapshot))


def first_below(snapshot: Snapshot) -> int:
    """Return the first entry that is no root."""
    return 1 if snapshot.tree.name(0) else 1 + len(snapshot.roots)


def make_plan(snapshot: Snapshot, entries: Iterable[int]) -> Plan:
    """Return a plan to remove entries, those below one of them once; what must stay is refused with a reason.

    Never planned: the roots and all above them, `/`, the home directory and what holds it, mount points, what is on a
    file system that was not scanned or was seen elsewhere, what the scan could not measure, folded files.
    """
    tree, first = snapshot.tree, first_below(snapshot)
    refuser = _Refuser(snapshot)
    accepted: set[int] = set()
    refusals = []
    ascending = sorted(set(map(int, entries)))
    if ascending and not 0 <= ascending[0] <= ascending[-1] < len(tree):
        raise IndexError(f"there are {len(tree)} entries")
    refusals += [Refusal(entry, "it is a root of the scan") for entry in ascending if entry < first]
    below = (entry for entry in ascending if entry >= first)
    # Ancestors have lower ids: when a directory comes up, it is known which of them are planned.
    for parent, group in groupby(below, lambda entry: int(tree.parent[entry])):
        if not accepted.isdisjoint((parent, *tree.ancestors(parent))):
            continue
        above = refuser.above(parent)
        for entry in group:
            reason = refuser.reason(entry, above)
            if reason:
                refusals.append(Refusal(entry, reason))
            else:
                accepted.add(entry)
    planned = sorted(accepted)
    oddities, count = _look_at(tree, planned, refuser.mounts)
    return Plan(snapshot, np.array(planned, np.uint32), count, tuple(refusals), oddities)


class _Above(NamedTuple):
    """What entries of one directory have in common."""

    path: bytes
    """Of the directory, with a slash at the end."""
    reason: str
    """Why all of them are refused; empty when they are not."""


class _Refuser:
    """Tells why an entry must stay."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._tree = snapshot.tree
        self._has_times = snapshot.facts.options.get("times") != Times.LEAVE.value
        self.mounts = read_mounts()
        self._homes = home_directories()

    def above(self, directory: int) -> _Above:
        """Return what is so for all entries of a directory."""
        tree = self._tree
        reason = ""
        if any(int(tree.flags[each]) & _VIA_SYMLINK for each in (directory, *tree.ancestors(directory))):
            reason = FOLLOWED
        elif not self._has_times:
            reason = "the scan left times out, by which changes are noticed; scan again without --max-memory"
        return _Above(tree.path(directory).rstrip(b"/") + b"/", reason)

    def reason(self, entry: int, above: _Above) -> str:
        """Return why an entry is refused; empty when it is not."""
        tree, flags = self._tree, int(self._tree.flags[entry])
        if flags & (_FOLDED | _VIA_SYMLINK | _UNMEASURED):
            folded = "it stands for small files that were folded to save memory; scan again without --max-memory"
            return folded if flags & _FOLDED else FOLLOWED if flags & _VIA_SYMLINK else "the scan could not measure it"
        if above.reason:
            return above.reason
        path = above.path + tree.name(entry)
        if flags & _MOUNT or self.mounts.at(path) is not None:
            return "it is a mount point"
        if tree.kind[entry] != DIRECTORY:
            return ""
        if any(home == path or home.startswith(path + b"/") for home in self._homes):
            return "it is the home directory" if path in self._homes else "the home directory is in it"
        return _SEEN_ELSEWHERE.get(Skip(int(tree.directories.skip[tree.directory_row(entry)])), "")


def home_directories() -> set[bytes]:
    """Return the paths of the user's home directory: by the environment and by the table of users."""
    homes = {os.path.expanduser(b"~")}
    with suppress(KeyError):
        homes.add(os.fsencode(pwd.getpwuid(os.getuid()).pw_dir))
    return {os.path.realpath(home) for home in homes if os.path.isabs(home)} - {b"/"}


def planned_slices(tree: Tree, entries: Iterable[int]) -> Iterator[slice]:
    """Yield the ranges of ids that planned entries are, and have below them; files side by side are one range."""
    begin = end = 0
    for entry in entries:
        if tree.kind[entry] == DIRECTORY:
            yield from subtree_slices(tree, entry)
        elif entry == end:
            end += 1
        else:
            if begin < end:
                yield slice(begin, end)
            begin, end = entry, entry + 1
    if begin < end:
        yield slice(begin, end)


def _look_at(tree: Tree, entries: list[int], mounts: MountTable) -> tuple[Oddities, int]:
    """Return what is odd about planned entries, and how many go."""
    links = tree.links
    count = unlisted = 0
    points: set[bytes] = set()
    linked: list[EntryIds] = []
    for part in planned_slices(tree, entries):
        count += part.stop - part.start
        begin, end = links.entry.searchsorted(np.array([part.start, part.stop], np.uint32)).tolist()
        linked.append(np.arange(begin, end))
        rows = directory_rows(tree, part)
        skip = tree.directories.skip[rows]
        elsewhere = np.isin(skip, ELSEWHERE)
        unlisted += int(np.count_nonzero((skip != Skip.NONE) & ~elsewhere))
        begins = tree.flags[tree.directories.entry[rows]] & np.uint8(Flag.MOUNT) != 0
        points.update(map(tree.path, tree.directories.entry[rows][begins | elsewhere].tolist()))
    for entry in entries:  # and those that came since the scan
        if tree.kind[entry] == DIRECTORY:
            points.update(mounts.points_below(tree.path(entry)))
    return Oddities(len(points), _linked_elsewhere(tree, linked), unlisted), count


def _linked_elsewhere(tree: Tree, rows: list[EntryIds]) -> int:
    """Return how many inodes of planned links have more links than are planned."""
    by_inode, begins = grouped(tree, np.concatenate([np.zeros(0, np.int64), *rows]))
    if not len(by_inode):
        return 0
    first = np.flatnonzero(begins)
    planned = np.diff(np.append(first, len(by_inode)))
    return int(np.count_nonzero(np.maximum.reduceat(tree.links.link_count[by_inode], first) > planned))
