"""The frontier: directories not yet listed, and what is decided about those that will not be."""

import os
from collections.abc import Callable, Iterable
from errno import ETIMEDOUT

from spacemap.scan.exclude import Exclusions
from spacemap.scan.mounts import MountTable
from spacemap.scan.options import KernelFileSystems, MountBoundary, ScanOptions
from spacemap.scan.wire import RECORD, Note, Waiting

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.tree.order import Decision

CLAIM_DIRECTORIES = 512
CLAIM_BYTES = 128 * 1024
"""A claim fits the pipe to its worker, so that giving it never waits."""

OTHER_DEVICE, KERNEL_FS, TIMED_OUT, SECOND_VIEW = 3, 4, 6, 8  # Skip; importing it would import numpy
SCAN = 4  # Operation
BOUNDARY, VIA_SYMLINK, POISONED, ALONE = (int(note) for note in Note)  # plain: asked of every directory


class Frontier:
    """Takes directories in, decides about mounts and followed links, hands the others out as claims."""

    def __init__(self, options: ScanOptions, roots: tuple[bytes, ...], devices: tuple[int, ...], mounts: MountTable):
        self.decisions: dict[int, tuple[int, int, int]] = {}
        """By reference: skip, operation, errno."""
        self.poisoned: set[tuple[int, int]] = set()
        """(device, inode) of directories that must not be opened again."""
        self.resolve: Callable[[Waiting], Waiting | None] | None = None
        """Of a rescan: how to list a directory that was handed back; None when it need not be."""
        self._options = options
        self._roots = roots
        self._devices = devices
        self._mounts = mounts
        self._exclusions = Exclusions(options.exclude, options.prune)
        self._waiting: list[Waiting] = []
        self._alone: list[Waiting] = []
        self._links: list[Waiting] = []
        self._seen: set[tuple[int, int]] | None = None

    def __len__(self) -> int:
        return len(self._waiting) + len(self._alone)

    def add(self, directories: Iterable[Waiting]) -> None:
        """Take in directories that somebody listed and nobody entered."""
        for each in directories:
            if each.notes & POISONED or (each.device, each.inode) in self.poisoned:
                self.decisions[each.ref] = (TIMED_OUT, SCAN, ETIMEDOUT)
            elif each.notes & ALONE:  # let in before, and handed back unlisted
                (self._waiting if self._takes_alone() else self._alone).append(each)
            elif self._seen is not None or each.notes & VIA_SYMLINK:
                self._links.append(each)
            elif each.notes & BOUNDARY:
                self._judge_boundary(each)
            else:
                self._enter(each)

    def _takes_alone(self) -> bool:
        """Return whether directories are claimed by the dozen although each is listed without what is below it."""
        return self._seen is not None or self.resolve is not None

    def _enter(self, each: Waiting) -> None:
        """Let a directory be listed, unless a base knows what is in it."""
        known = each if self.resolve is None else self.resolve(each)
        if known is not None:
            self._waiting.append(known)

    def add_alone(self, directories: Iterable[Waiting]) -> None:
        """Take in what a lost worker left: each is to be a claim of its own."""
        for each in directories:
            if (each.device, each.inode) in self.poisoned:
                self.decisions[each.ref] = (TIMED_OUT, SCAN, ETIMEDOUT)
            else:
                self._alone.append(_alone(each))

    def add_forgotten(self, unlisted: Iterable[Waiting]) -> None:
        """Take in what is unlisted although everybody is idle, but for what waits for a round of its own."""
        if self._seen is None:  # from then on nothing is claimed before its entry has arrived
            waiting = {each.ref for each in self._links}
            self.add([each for each in unlisted if each.ref not in waiting])

    def keep(self, is_wanted: Callable[[Waiting], bool]) -> None:
        """Forget what waits and is not wanted."""
        self._waiting, self._alone, self._links = (
            [each for each in waiting if is_wanted(each)] for waiting in (self._waiting, self._alone, self._links)
        )

    def claim(self, sharers: int) -> list[Waiting]:
        """Return what one worker should list next, a fair share of what waits; a single one where care is due."""
        if self._alone:
            return [self._alone.pop()]
        count = min(max(1, -(-len(self._waiting) // sharers)), CLAIM_DIRECTORIES)
        claim: list[Waiting] = []
        size = 0
        while self._waiting and len(claim) < count and size < CLAIM_BYTES:
            each = self._waiting.pop()
            size += RECORD.size + len(each.path)
            claim.append(each)
        return claim

    def begin_round(self, seen: Callable[[], set[tuple[int, int]]]) -> None:
        """Once all else is listed: let in the directories behind followed links, each only once.

        Rounds go by whole levels, real directories before links and by path, so that the result does not depend
        on who was faster. `seen` gives (device, inode) of every directory listed before the first round.
        """
        if not self._links:
            return
        if self._seen is None:
            self._seen = seen()
        candidates = sorted(self._links, key=lambda each: (each.notes & VIA_SYMLINK, each.root, each.path))
        self._links = []
        for each in candidates:
            if (each.device, each.inode) in self._seen:
                self.decisions[each.ref] = (SECOND_VIEW, 0, 0)
                continue
            self._seen.add((each.device, each.inode))
            before = len(self)
            if each.notes & (BOUNDARY | VIA_SYMLINK):
                self._judge_boundary(each)
            else:
                self._waiting.append(each)
            if len(self) > before:
                self._waiting[-1] = _alone(self._waiting[-1])

    def _judge_boundary(self, each: Waiting) -> None:
        path = self._absolute(each)
        if each.notes & VIA_SYMLINK:
            path = os.path.realpath(path)
        if self._options.boundary is MountBoundary.STAY and each.device != self._devices[each.root]:
            self.decisions[each.ref] = (OTHER_DEVICE, 0, 0)
        elif self._options.kernel_fs is KernelFileSystems.SKIP and self._mounts.is_kernel(path):
            self.decisions[each.ref] = (KERNEL_FS, 0, 0)
        elif self._mounts.second_view(path, self._is_scanned) is not None:
            self.decisions[each.ref] = (SECOND_VIEW, 0, 0)
        else:
            self._enter(each)

    def _absolute(self, each: Waiting) -> bytes:
        return self._roots[each.root].rstrip(b"/") + b"/" + each.path

    def _is_scanned(self, path: bytes) -> bool:
        """Return whether this scan lists the directory at an absolute path on its ordinary way."""
        for number, root in enumerate(self._roots):
            prefix = root.rstrip(b"/") + b"/"
            if path != root and not path.startswith(prefix):
                continue
            mount = self._mounts.of(path)
            if self._options.boundary is MountBoundary.STAY and mount and mount.device != self._devices[number]:
                return False
            below = path[len(prefix) :]
            depth = below.count(b"/") + 1 if below else 0
            if self._options.max_depth is not None and depth >= self._options.max_depth:
                return False
            return self._exclusions.would_enter(below) and os.path.isdir(path)
        return False


def _alone(each: Waiting) -> Waiting:
    return Waiting(each.ref, each.device, each.inode, each.depth, each.root, each.notes | ALONE, each.path)


def as_decisions(raw: dict[int, tuple[int, int, int]]) -> "dict[int, Decision]":
    """Return the decisions in the words of the tree."""
    from spacemap.tree.columns import Skip  # noqa: PLC0415 - imports numpy
    from spacemap.tree.order import Decision  # noqa: PLC0415 - imports numpy

    return {ref: Decision(Skip(skip), operation, errno) for ref, (skip, operation, errno) in raw.items()}
