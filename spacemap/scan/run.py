"""A scan from begin to end: roots in, a Snapshot out."""

import os
import stat
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from threading import Thread
from typing import NamedTuple

from spacemap.errors import RootError, UsageError
from spacemap.scan.batch import BatchWriter
from spacemap.scan.collected import FIXED_BYTES, Collected
from spacemap.scan.engine import WalkerPlace, choose_engine, make_walker
from spacemap.scan.frames import Receiver
from spacemap.scan.frontier import Frontier, as_decisions
from spacemap.scan.interrupts import Interrupts
from spacemap.scan.mounts import read_mounts
from spacemap.scan.options import EngineName, ScanOptions, Symlinks, Times
from spacemap.scan.progress import Progress
from spacemap.scan.wire import (
    PREFIX_SIZE,
    FrameType,
    Waiting,
    decode_directories,
    encode_directories,
    split_frames,
)

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.scan.pool import Pool
    from spacemap.tree.snapshot import Snapshot

DIRECTORY, LINKED, DEPTH_LIMIT = 0, 1, 9  # Kind, Flag, Skip; importing them would import numpy
KIND_OF_TYPE = {4: DIRECTORY, 8: 1, 10: 2} | dict.fromkeys((0, 1, 2, 6, 12), 3)
OWN_NUMBER = 0xFFFF
"""Stands for this process where workers are numbered."""
SMALL_SECONDS = 0.005
"""A tree that takes no longer needs not even the preparation of workers."""
ALONE_SECONDS = 0.02
"""So long the calling process lists before it is worth while to start workers."""
AUTO_REQUESTS = {EngineName.NATIVE: 16, EngineName.PYTHON: 0, EngineName.SCANDIR_RS: 0}
"""Directories listed at the same time when the choice is ours; 0: as many as there are processors."""
MAX_LISTERS = 64
MAX_WORKERS = 1024
RESERVED_DESCRIPTORS = 32
LEAST_MEMORY = FIXED_BYTES + 12_000_000

OnProgress = Callable[[Progress], None]


class Root(NamedTuple):
    """A path to scan, as found."""

    path: bytes
    result: os.stat_result

    @property
    def is_directory(self) -> bool:
        """Whether there is something to list."""
        return stat.S_ISDIR(self.result.st_mode)


def scan(
    roots: Sequence[str | bytes | os.PathLike[str]],
    options: ScanOptions | None = None,
    on_progress: OnProgress | None = None,
) -> "Snapshot":
    """Scan directories (or files) and return their tree with the facts of the scan.

    A root that is a symlink is resolved; a root inside another is left out, with a note. An interrupt
    (KeyboardInterrupt) ends the listing: the snapshot then holds what was learnt, and says so. `on_progress` is
    called about ten times a second from the calling thread.

    Raises RootError, EngineError, UsageError.
    """
    run = _Scan([_find_root(root) for root in roots], options or ScanOptions(), on_progress)
    return run.run()


def _find_root(given: str | bytes | os.PathLike[str]) -> Root:
    path = os.path.realpath(os.fsencode(given))
    try:
        return Root(path, os.stat(path))
    except OSError as error:
        shown = os.fsdecode(given)
        raise RootError(f"cannot scan {shown!r}: {error.strerror}; check the path") from error


def _distinct(roots: list[Root]) -> tuple[list[Root], list[str]]:
    """Return the roots that are not inside another one, and a note for each that is left out."""
    kept: list[Root] = []
    notes = []
    for number, root in enumerate(roots):
        others = [other for at, other in enumerate(roots) if at != number and (other.path != root.path or at < number)]
        holder = next(
            (o for o in others if root.path == o.path or root.path.startswith(o.path.rstrip(b"/") + b"/")), None
        )
        if holder is None:
            kept.append(root)
        else:
            notes.append(f"{os.fsdecode(root.path)!r} is part of {os.fsdecode(holder.path)!r} and counted there")
    return kept, notes


class _Scan:
    """The state of one scan."""

    def __init__(self, roots: list[Root], options: ScanOptions, on_progress: OnProgress | None) -> None:
        if not roots:
            raise UsageError("nothing to scan: give at least one path")
        if options.max_memory is not None and options.max_memory < LEAST_MEMORY:
            raise UsageError(f"--max-memory must be at least {LEAST_MEMORY} bytes: the program itself needs as much")
        self.roots, self.notes = _distinct(roots)
        self.options = options
        self.engine = choose_engine(options.engine)
        self.on_progress = on_progress
        self.paths = tuple(root.path for root in self.roots)
        self.mounts = read_mounts()
        devices = tuple(root.result.st_dev for root in self.roots)
        self.frontier = Frontier(options, self.paths, devices, self.mounts)
        self.collected = Collected(options.max_memory)
        self.started_ns = time.time_ns()
        self.clock_ns = time.monotonic_ns()
        self.workers = 0
        self.requests = 1
        self.is_interrupted = False
        self.interrupts = Interrupts()
        self.pool: Pool | None = None

    def run(self) -> "Snapshot":
        with self.interrupts:
            return self._run()

    def _run(self) -> "Snapshot":
        self.collected.add_memory(self._root_batch())
        try:
            if not any(self.mounts.may_hang(path) for path in self.paths):
                self._list_alone()
            if not len(self.frontier):
                self._begin_round()
            if len(self.frontier):
                self._list_in_workers()
        except KeyboardInterrupt:
            self.is_interrupted = True
            if self.pool is not None:
                self.pool.stop()
        except BaseException:
            if self.pool is not None:
                self.pool.kill()
            raise
        return self._snapshot()

    def _root_batch(self) -> bytes:
        """Return the batch of the roots themselves: reference 0 is the root of the tree."""
        batch = BatchWriter(0)
        # Several roots, or a file, hang below a directory without a name.
        needs_parent = len(self.roots) > 1 or not self.roots[0].is_directory
        if needs_parent:
            _append_root(batch, None, self.options)
        for number, root in enumerate(self.roots):
            ref = batch.next_ref
            _append_root(batch, root, self.options)
            if root.is_directory and self.options.max_depth == 0:
                batch.directory_skip[-1] = DEPTH_LIMIT
            elif root.is_directory:
                self.frontier.add([Waiting(ref, root.result.st_dev, root.result.st_ino, 0, number, 0, b"")])
        if needs_parent:
            batch.add_listing(0, len(self.roots), 0)
        return batch.take()

    def _list_alone(self) -> None:
        """List in threads of this process for about as long as starting workers takes, and meanwhile prepare that."""
        cores = _cores()
        listers = min(cores, self.options.threads or cores, MAX_LISTERS)
        walker = make_walker(self.engine, self.options, place=WalkerPlace(self.paths, OWN_NUMBER, listers, -1))
        until = time.monotonic() + ALONE_SECONDS
        walker.start()
        try:
            has_time = True
            while len(self.frontier) and has_time:
                claim = self.frontier.claim(1)
                walker.push(len(claim), encode_directories(FrameType.DIRECTORIES, claim)[PREFIX_SIZE:])
                if not walker.wait(SMALL_SECONDS):
                    import_module("spacemap.scan.pool")
                    has_time = walker.wait(max(0.0, until - time.monotonic()))
                self._take(walker.take())
                self.interrupts.check()
                if has_time and not len(self.frontier):
                    self._begin_round()
        finally:
            walker.stop()
            walker.give(True)
            self._take(walker.take())

    def _take(self, frames: bytes) -> None:
        for frame_type, frame in split_frames(frames):
            if frame_type is FrameType.BATCH:
                self.collected.add_memory(frame)
            elif frame_type is FrameType.DIRECTORIES:
                self.frontier.add(decode_directories(frame))

    def _begin_round(self) -> None:
        self.frontier.begin_round(self._listed_identities)

    def _list_in_workers(self) -> None:
        from spacemap.scan.pool import Pool  # noqa: PLC0415 - small trees need no processes

        processes, listers = self._plan()
        self.workers, self.requests = processes, processes * listers
        self.pool = Pool(
            self.engine,
            self.options,
            self.paths,
            frontier=self.frontier,
            collect=self.collected.add,
            receiver=lambda fd: Receiver(fd, self.collected.arena),
            unlisted=self._unlisted,
            tick=self._tick,
        )
        self.pool.start(processes, listers)
        # The tree is built with numpy; its import fits in the time that workers need for their first batches.
        Thread(target=_import_tree, daemon=True).start()
        self.pool.run()
        while True:
            self.interrupts.check()
            self._begin_round()
            if not len(self.frontier):
                break
            self.pool.run()
        self.pool.dismiss()

    def _plan(self) -> tuple[int, int]:
        """Return how many processes to start, and how many directories each lists at a time."""
        cores = _cores()
        requests = self.options.threads or AUTO_REQUESTS[self.engine] or cores
        if self.engine is not EngineName.NATIVE:
            return min(requests, _most_workers()), 1
        processes = min(cores, requests, _most_workers())
        return processes, min(-(-requests // processes), MAX_LISTERS)

    def _tick(self) -> None:
        self.interrupts.check()
        self._report_progress()

    def _report_progress(self) -> None:
        if self.on_progress is None:
            return
        root, below = self.collected.place
        directory = self.paths[root].rstrip(b"/") + b"/" + below if below else self.paths[root]
        self.on_progress(
            Progress(
                entries=self.collected.entries,
                disk_bytes=self.collected.blocks * 512,
                problems=self.collected.problems,
                directory=directory,
                elapsed_ns=time.monotonic_ns() - self.clock_ns,
            )
        )

    def _unlisted(self) -> list[Waiting]:
        from spacemap.scan.recover import unlisted_directories  # noqa: PLC0415 - imports numpy

        return unlisted_directories(self.collected.batches(), as_decisions(self.frontier.decisions), self.paths)

    def _listed_identities(self) -> set[tuple[int, int]]:
        from spacemap.scan.recover import listed_identities  # noqa: PLC0415 - imports numpy

        return listed_identities(self.collected.batches(), as_decisions(self.frontier.decisions))

    def _snapshot(self) -> "Snapshot":
        from spacemap.tree.build import build_tree  # noqa: PLC0415 - imports numpy
        from spacemap.tree.snapshot import Completeness, Facts, Snapshot  # noqa: PLC0415 - imports numpy

        finished_ns, elapsed_ns = time.time_ns(), time.monotonic_ns() - self.clock_ns
        batches = self.collected.batches()
        self.collected.release()
        tree = build_tree(batches, as_decisions(self.frontier.decisions))
        if self.pool is not None:
            self.pool.join()
            self.notes += self.pool.notes
        if self.collected.fold_below:
            self.notes.append(
                f"memory was limited: files of less than {self.collected.fold_below} bytes are folded, "
                "one entry for each directory; totals are exact"
            )
        is_interrupted = self.is_interrupted or self.interrupts.is_pending
        facts = Facts(
            started_ns=self.started_ns,
            finished_ns=finished_ns,
            elapsed_ns=elapsed_ns,
            engine=self.engine.value,
            workers=self.workers,
            requests=self.requests,
            host=os.uname().nodename,
            options=self.options.shaping(),
            completeness=Completeness.INTERRUPTED if is_interrupted else Completeness.COMPLETE,
            notes=tuple(self.notes),
        )
        return Snapshot(tree, self.paths, facts)


def _append_root(batch: BatchWriter, root: Root | None, options: ScanOptions) -> None:
    """Append a root's entry, or for None the directory without a name that holds several."""
    reads_times = options.times is Times.READ
    kind = KIND_OF_TYPE[stat.S_IFMT(root.result.st_mode) >> 12] if root else DIRECTORY
    if kind == DIRECTORY:
        times = (root.result.st_mtime_ns, root.result.st_ctime_ns) if root and reads_times else (0, 0)
        batch.add_directory(root.result.st_dev if root else 0, *times, 0)
    is_link = False
    if root is not None and kind != DIRECTORY and (root.result.st_nlink > 1 or options.symlinks is Symlinks.FOLLOW):
        is_link = True
        batch.link_index.append(len(batch))
        batch.link_count.append(root.result.st_nlink)
        batch.link_device.append(root.result.st_dev)
    batch.kind.append(kind)
    batch.flags.append(LINKED if is_link else 0)
    batch.name_length.append(len(root.path) if root else 0)
    batch.names.append(root.path if root else b"")
    batch.apparent_size.append(root.result.st_size if root else 0)
    batch.blocks.append(root.result.st_blocks if root else 0)
    batch.mtime.append(int(root.result[stat.ST_MTIME]) if root and reads_times else 0)
    batch.inode.append(root.result.st_ino if root else 0)


def _most_workers() -> int:
    """Return how many workers the descriptors of this process are enough for: each takes three, and two to start."""
    limit = os.sysconf("SC_OPEN_MAX") if hasattr(os, "sysconf") else 512
    return max(1, (limit - RESERVED_DESCRIPTORS) // 4) if limit > 0 else MAX_WORKERS


def _cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _import_tree() -> None:
    import_module("spacemap.tree.build")
