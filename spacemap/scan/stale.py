"""What of a base must be listed again: found by measuring its entries, not by listing."""

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Protocol

import numpy as np

from spacemap.errors import UsageError
from spacemap.scan.base import Base
from spacemap.scan.options import EngineName
from spacemap.scan.patch import Patch, patch_of
from spacemap.scan.rescan import Level, Rescan
from spacemap.tree.columns import BLOCK_SIZE, GRANULARITY_NS, U8, U32, Flag, Kind, Mask, Skip
from spacemap.tree.place import Index, distinct, ranges
from spacemap.tree.rollup import depth_first
from spacemap.tree.subtree import find_child
from spacemap.tree.tree import Tree

KEEP, AGAIN, WHOLE = 0, 1, 2
"""States of a directory: its listing is used, it is listed again, it is listed again with all below it."""
CHUNK = 256
"""Directories that one thread checks at a time."""
TICK = 0.05
WAITING = 3
"""A thread that takes so many times its computing waits for the disk."""
RETRIED = (Skip.UNLISTED, Skip.UNREADABLE, Skip.TIMED_OUT, Skip.WORKER_LOST)
"""A directory skipped for one of these reasons has no listing to use."""
CACHE_TAG = b"CACHEDIR.TAG"


class Known(Protocol):
    """A tree that can be compared with the file system; `_native.Known` and `_python_check.Known`."""

    def check(self, begin: int, end: int, /) -> bytes:
        """Note which wanted children of the directories [begin, end), in the order that was given, differ; return what
        `patch_of` understands."""


@dataclass(frozen=True, slots=True)
class Stale:
    """The verdict on every directory of a base."""

    state: U8
    """KEEP, AGAIN or WHOLE, by row."""
    patch: Patch
    """New values of directories that are listed again while the listing above them stands."""
    trusted_entries: int
    """Files whose listing is used and that were not measured."""
    trusted_bytes: int
    """Their disk usage."""


@dataclass(frozen=True, slots=True)
class Checker:
    """What measuring needs to know of the scan."""

    engine: EngineName
    root_paths: dict[int, bytes]
    """By the entry of each root."""
    asks_cache_tags: bool
    processors: int
    """So many threads begin; what is in memory is compared no faster by more."""
    threads: int
    """So many there are at most, when the disk lets them wait."""
    stall_timeout: float
    tick: Callable[[int], None]
    """Called often from the calling thread with the entries checked so far; may raise KeyboardInterrupt."""


def find_stale(base: Base, rescan: Rescan, changed_roots: Iterable[int], mount_points: Mask, checker: Checker) -> Stale:
    """Return what must be listed again. `changed_roots` are entries of roots that are not what they were;
    `mount_points` a byte an entry, set where a mount begins now."""
    tree = base.tree
    directories = tree.directories
    only = _rows_at(base, rescan.only, checker.root_paths)
    alone = _rows_at(base, rescan.again, checker.root_paths)
    is_retried = rescan.retry or rescan.level is not Level.TRUST
    retried = np.flatnonzero(np.isin(directories.skip, [*RETRIED, Skip.CACHE_TAGGED]) & is_retried)
    wanted = _wanted(tree, rescan)
    if rescan.level is Level.TRUST:
        for entry in directories.entry[np.concatenate([only, alone, retried])].tolist():
            wanted[[entry, *tree.ancestors(entry)]] = True  # its own row is in the listing above it, and so on
    wanted[: base.first] = False
    differs, patch = differing(tree, wanted, checker)
    if not base.can_be_patched:
        patch = patch_of(())

    state = np.zeros(len(directories.entry), np.uint8)
    moved = differs.copy()
    moved[patch.entry] = False  # still in its place: the listing that it is in stands
    again = _rows_with(tree, moved | mount_points)
    if rescan.level is not Level.TRUST:
        # A boundary is looked at by whoever lists its directory.
        again |= _rows_with(tree, (tree.flags & np.uint8(Flag.MOUNT)) != 0)
        bound = base.started_ns - GRANULARITY_NS
        # A time of the future was set by hand: a change would replace it.
        again |= ((directories.mtime_ns > bound) & (directories.mtime_ns <= time.time_ns())) | (
            directories.ctime_ns > bound
        )
        if checker.asks_cache_tags:  # a tag may become valid without its directory changing
            again |= _holding(tree, CACHE_TAG)
    if is_retried:
        again |= _rows_with(tree, (tree.flags & np.uint8(Flag.UNMEASURED)) != 0)
        again |= np.isin(directories.entry, tree.problems.entry)
    again |= differs[directories.entry]
    again[alone] = True
    again |= np.isin(directories.entry, list(changed_roots))
    state[again & (directories.skip == Skip.NONE)] = AGAIN
    state[retried] = WHOLE
    state[directories.skip == Skip.UNLISTED] = WHOLE
    state[only] = WHOLE
    if base.first > 1:
        state[0] = KEEP  # the directory without a name is in no file system
    return Stale(state, patch, *_trusted(tree, wanted, state))


def _wanted(tree: Tree, rescan: Rescan) -> Mask:
    """Return the mask of entries to measure at a level."""
    if rescan.level is Level.TRUST:
        return np.zeros(len(tree), np.bool_)
    wanted = np.ones(len(tree), np.bool_)
    if rescan.level is Level.FAST:
        since = int(time.time()) - rescan.recent_seconds
        wanted = (tree.kind == Kind.DIRECTORY) | (tree.mtime >= since) | ((tree.flags & np.uint8(Flag.LINKED)) != 0)
        wanted |= (tree.apparent_size >= rescan.large_bytes) | (tree.blocks >= rescan.large_bytes // BLOCK_SIZE)
        recent = tree.directories.mtime_ns >= since * 1_000_000_000
        wanted[1:] |= np.repeat(recent, tree.directories.child_count)  # the children of each are one slice, in order
    excluded = tree.directories.entry[tree.directories.skip == Skip.EXCLUDED]
    wanted[excluded] = False  # an excluded directory costs no system call
    return wanted


def _rows_with(tree: Tree, mask: Mask) -> Mask:
    """Return, by directory row, whether one of its entries is in a mask."""
    result = np.zeros(len(tree.directories.entry), np.bool_)
    entries = np.flatnonzero(mask)
    result[np.searchsorted(tree.directories.entry, tree.parent[entries[entries > 0]])] = True
    return result


def _holding(tree: Tree, name: bytes) -> Mask:
    """Return, by directory row, whether it has an entry of this name."""
    result = np.zeros(len(tree), np.bool_)
    candidates = np.flatnonzero(np.diff(tree.name_offset) == len(name))
    letters = tree.name_offset[candidates].astype(np.int64)[:, None] + np.arange(len(name))
    result[candidates] = (np.frombuffer(tree.names, np.uint8)[letters] == np.frombuffer(name, np.uint8)).all(axis=1)
    return _rows_with(tree, result)


def _rows_at(base: Base, paths: Iterable[bytes], roots: dict[int, bytes]) -> Index:
    """Return the rows of directories given by absolute paths. Raises UsageError for one that the tree has not."""
    rows = []
    for path in paths:
        entry = find_entry(base.tree, path, roots)
        if entry is None or base.tree.kind[entry] != Kind.DIRECTORY:
            raise UsageError(f"{os.fsdecode(path)!r} is no directory of this tree: rescan what holds it")
        rows.append(base.tree.directory_row(entry))
    return np.array(rows, np.int64)


def find_entry(tree: Tree, path: bytes, roots: dict[int, bytes]) -> int | None:
    """Return the entry at an absolute path, given the paths of the root entries; None where the tree has none."""
    for entry, root in roots.items():
        if path == root:
            return entry
        prefix = root.rstrip(b"/") + b"/"
        if path.startswith(prefix):
            found: int | None = entry
            for name in path[len(prefix) :].split(b"/"):
                found = None if found is None else find_child(tree, found, name)
            return found
    return None


def _trusted(tree: Tree, wanted: Mask, state: U8) -> tuple[int, int]:
    """Return how many files are taken over unmeasured, and their disk usage."""
    is_trusted = np.zeros(len(tree), np.bool_)
    is_trusted[1:] = np.repeat(state == KEEP, tree.directories.child_count)
    is_trusted &= ~wanted
    is_trusted &= tree.kind != Kind.DIRECTORY
    is_counted = is_trusted & ((tree.flags & np.uint8(Flag.REPEATED)) == 0)
    blocks = int(tree.blocks.sum(dtype=np.uint64, where=is_counted))
    return int(np.count_nonzero(is_trusted)), blocks * BLOCK_SIZE


def differing(tree: Tree, wanted: Mask, checker: Checker) -> tuple[Mask, Patch]:
    """Measure the wanted entries in threads; return the mask of those that differ, and what directories measure now.

    Where a thread hangs, all that it had to check counts as differing: whoever lists it has ways to give up.
    """
    differs = np.zeros(len(tree), np.bool_)
    is_asked = _rows_with(tree, wanted)
    if not is_asked.any():
        return differs, patch_of(())
    # Depth-first: what the kernel keeps of a directory is still at hand when its children are asked for.
    order = depth_first(tree)
    counts = tree.directories.child_count[order]
    starts = distinct(np.flatnonzero(is_asked[order]) // CHUNK) * CHUNK
    chunks = {(at, min(at + CHUNK, len(order))): int(counts[at:][:CHUNK].sum()) for at in starts.tolist()}
    fds = _open_roots(checker.root_paths)
    known = _known(checker.engine, tree, order, fds, wanted, differs)
    share = _Share(known, chunks, checker)
    hung = share.run()
    patch = patch_of(share.changed)
    if not hung:  # a thread that hangs keeps using them
        for fd in fds:
            if fd >= 0:
                os.close(fd)
        return differs, patch
    result = differs.copy()
    for begin, end in hung:
        rows = order[begin:end]
        below = ranges(tree.directories.first_child[rows].astype(np.int64), counts[begin:end].astype(np.int64))
        result[below] |= wanted[below]
    return result, patch


class _Share:
    """Chunks that wait, and threads that check them."""

    def __init__(self, known: Known, chunks: dict[tuple[int, int], int], checker: Checker) -> None:
        """`chunks` gives the number of entries of each."""
        self._known = known
        self._sizes = chunks
        self._checker = checker
        self._waiting: SimpleQueue[tuple[int, int]] = SimpleQueue()
        for chunk in chunks:
            self._waiting.put(chunk)
        self._under_way: dict[int, tuple[float, tuple[int, int]]] = {}
        """When each thread began, and what, by its number."""
        self._done: list[int] = []
        """Entries of each chunk that was checked."""
        self.changed: list[bytes] = []
        """What the checks returned."""
        self._failure: MemoryError | None = None
        self._most = min(checker.threads, len(chunks))
        self._threads: list[Thread] = []
        self._growing = Lock()

    def run(self) -> list[tuple[int, int]]:
        """Check all chunks; return those that were not finished within the time that a stall may take."""
        for _ in range(min(self._most, self._checker.processors)):
            self._add_thread()
        try:
            for number, thread in enumerate(self._threads):  # which may become more
                while thread.is_alive() and not self._hangs(number):
                    done = len(self._done)
                    thread.join(TICK)
                    self._checker.tick(sum(self._done))
                    if len(self._done) == done:
                        self._add_thread()
        finally:  # after an interrupt, too: a thread ends when nothing waits
            left = self._drain()
        if self._failure is not None:
            raise self._failure
        return [*(chunk for _, chunk in self._under_way.values()), *left]

    def _add_thread(self) -> None:
        with self._growing:
            number = len(self._threads)
            if number < self._most:
                thread = Thread(target=self._work, args=(number,), daemon=True)
                thread.start()
                self._threads.append(thread)

    def _drain(self) -> list[tuple[int, int]]:
        left = []
        with suppress(Empty):
            while True:
                left.append(self._waiting.get_nowait())
        return left

    def _work(self, number: int) -> None:
        with suppress(Empty):
            while True:
                chunk = self._waiting.get_nowait()
                started, computed = time.monotonic(), time.thread_time()
                self._under_way[number] = (started, chunk)
                try:
                    self.changed.append(self._known.check(*chunk))
                except MemoryError as error:
                    self._failure = error
                del self._under_way[number]
                self._done.append(self._sizes[chunk])
                if time.monotonic() - started > WAITING * (time.thread_time() - computed):
                    self._add_thread()

    def _hangs(self, number: int) -> bool:
        now = time.monotonic()
        started, _ = self._under_way.get(number, (now, None))
        return now - started > self._checker.stall_timeout


def _open_roots(paths: dict[int, bytes]) -> list[int]:
    """Return a descriptor for each root entry, by entry; -1 where there is none."""
    flags = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
    fds = [-1] * (max(paths) + 1)
    for entry, path in paths.items():
        with suppress(OSError):  # then everything below it differs, and is listed
            fds[entry] = os.open(path, flags)
    return fds


def _known(  # noqa: PLR0913 - what both twins take
    engine: EngineName, tree: Tree, order: U32, fds: list[int], wanted: Mask, differs: Mask
) -> Known:
    if engine is not EngineName.NATIVE:
        from spacemap.scan import _python_check  # noqa: PLC0415 - only without the native engine

        return _python_check.Known(tree, order, fds, wanted, differs)
    directories, links = tree.directories, tree.links
    known: Known = import_module("spacemap.scan._native").Known(
        tree.parent,
        tree.kind,
        tree.flags,
        tree.apparent_size,
        tree.blocks,
        tree.mtime,
        tree.inode,
        np.ascontiguousarray(tree.owner),  # C cannot read one value for all
        tree.owners,
        tree.name_offset,
        tree.names,
        directories.entry,
        directories.first_child,
        directories.child_count,
        directories.device,
        directories.mtime_ns,
        directories.ctime_ns,
        order,
        links.entry,
        links.link_count,
        links.device,
        np.array(fds, np.int32),
        wanted.view(np.uint8),
        differs.view(np.uint8),
    )
    return known
