"""A scan from begin to end: roots in, a Snapshot out."""

import os
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from threading import Thread

from spacemap.errors import UsageError
from spacemap.scan.capacity import cores, processes_and_listers, threads_alone, threads_of_check
from spacemap.scan.collected import FIXED_BYTES, Collected
from spacemap.scan.engine import BASE_NUMBER, WORKER_BITS, WalkerPlace, choose_engine, make_walker
from spacemap.scan.frames import Receiver
from spacemap.scan.frontier import Frontier, as_decisions
from spacemap.scan.interrupts import Interrupts
from spacemap.scan.late import LateCheckpoint
from spacemap.scan.mounts import read_mounts
from spacemap.scan.options import ScanOptions, Symlinks
from spacemap.scan.progress import Build, Progress
from spacemap.scan.rescan import Rescan
from spacemap.scan.roots import Root, distinct_roots, find_root, needs_parent, root_batch
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
    from spacemap.scan.base import Base
    from spacemap.scan.checkpoint import Checkpoint, Checkpointing
    from spacemap.scan.pool import Pool
    from spacemap.scan.reuse import Reuse, Surroundings
    from spacemap.tree.batch import Batch
    from spacemap.tree.snapshot import BaseUse, Snapshot
    from spacemap.tree.tree import Tree

SMALL_SECONDS = 0.005
"""A tree that takes no longer needs not even the preparation of workers."""
ALONE_SECONDS = 0.02
"""So long the calling process lists before it is worth while to start workers."""
ALONE_RESCAN_SECONDS = 0.1
"""The same where an earlier tree is in memory: forking is dearer, and what changed is mostly little."""
LEAST_MEMORY = FIXED_BYTES + 12_000_000

OnProgress = Callable[[Progress], None]


def scan(  # noqa: PLR0913 - each is a way to scan, and most have none but the first
    roots: Sequence[str | bytes | os.PathLike[str]],
    options: ScanOptions | None = None,
    on_progress: OnProgress | None = None,
    *,
    base: "Snapshot | None" = None,
    rescan: Rescan | None = None,
    checkpoint: "Checkpointing | LateCheckpoint | None" = None,
) -> "Snapshot":
    """Scan directories (or files) and return their tree with the facts of the scan.

    With a `base`, an earlier snapshot of the same roots, only what changed since is listed, as `rescan` says (see
    `Rescan`; by default, all that a full scan would find). A base that cannot be used is left, with a note.
    With a `checkpoint`, what was received is kept in a file, which a later scan takes up in the same way; it is
    removed when the scan is complete. A `LateCheckpoint` is made only when the scan takes long.

    A root that is a symlink is resolved; a root inside another is left out, with a note. An interrupt
    (KeyboardInterrupt) ends the listing: the snapshot then holds what was learnt, and says so. `on_progress` is
    called about ten times a second from the calling thread; it may raise KeyboardInterrupt to end the listing.

    Raises RootError, EngineError, UsageError, and SpacemapError for a checkpoint that cannot be written.
    """
    run = _Scan([find_root(root) for root in roots], options or ScanOptions(), on_progress)
    if isinstance(checkpoint, LateCheckpoint):
        run.late = checkpoint
    elif checkpoint is not None:
        run.keep(checkpoint)
    return run.run(base, rescan or Rescan())


class _Scan:
    """The state of one scan."""

    def __init__(self, roots: list[Root], options: ScanOptions, on_progress: OnProgress | None) -> None:
        if not roots:
            raise UsageError("nothing to scan: give at least one path")
        if options.max_memory is not None and options.max_memory < LEAST_MEMORY:
            raise UsageError(f"--max-memory must be at least {LEAST_MEMORY} bytes: the program itself needs as much")
        self.roots, self.notes = distinct_roots(roots)
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
        self.grows = False
        """Whether what was listed so far is the best there is to look at."""
        self.interrupts = Interrupts()
        self.pool: Pool | None = None
        self.reuse: Reuse | None = None
        self.base_use: BaseUse | None = None
        self.checked = 0
        """Entries of a base that were compared with the file system."""
        self.checkpoint: Checkpoint | None = None
        self.late: LateCheckpoint | None = None
        self.own_number = 1
        """Of this process where workers are numbered."""

    def keep(self, plan: "Checkpointing") -> None:
        """Keep a checkpoint. Raises UsageError where that makes no sense."""
        from spacemap.scan.checkpoint import Checkpoint, facts_of  # noqa: PLC0415 - most scans keep none

        if self.options.symlinks is Symlinks.FOLLOW:
            raise UsageError("a scan that follows symlinks cannot be resumed: leave out --follow-symlinks")
        if self.options.max_memory is not None:
            raise UsageError("a scan that folds files cannot be resumed: leave out --max-memory")
        self.checkpoint = Checkpoint(plan, facts_of(self.paths, self.options, self.started_ns))

    def run(self, base: "Snapshot | None", rescan: Rescan) -> "Snapshot":
        with self.interrupts:
            return self._run(base, rescan)

    def _run(self, base: "Snapshot | None", rescan: Rescan) -> "Snapshot":
        self.collected.add_memory(root_batch(self.roots, self.options))
        try:
            self._begin(base, rescan)
            self._list()
        except KeyboardInterrupt:
            self.is_interrupted = True
            if self.pool is not None:
                self.pool.stop()
        except BaseException:
            if self.pool is not None:
                self.pool.kill()
            if self.checkpoint is not None:
                self.checkpoint.finish(self.collected.frames, self._renamed())
            raise
        if self.checkpoint is not None:
            self._end_checkpoint(self.checkpoint)
        return self._snapshot()

    def _begin(self, base: "Snapshot | None", rescan: Rescan) -> None:
        """Fill the frontier: with the roots, or with what changed since an earlier scan."""
        if self.checkpoint is not None and self.checkpoint.plan.resume:
            self._resume(self.checkpoint, rescan)
        elif self.checkpoint is not None:
            self.checkpoint.begin()
        if base is not None and self.reuse is None:
            self._use(base, rescan)
        # What an unfinished scan left grows; of a whole tree, what was listed since would only show a part.
        self.grows = self.reuse is None or base is None
        if self.reuse is None:
            self._add_roots()

    def _list(self) -> None:
        """List until nothing is left."""
        if not any(self.mounts.may_hang(path) for path in self.paths):
            self._list_alone()
        if not len(self.frontier):
            self._begin_round()
        if len(self.frontier):
            self._list_in_workers()

    def _add_roots(self) -> None:
        """Let the roots be listed."""
        first_ref = int(needs_parent(self.roots))
        for number, root in enumerate(self.roots):
            if root.is_directory and self.options.max_depth != 0:
                result = root.result
                waiting = Waiting(first_ref + number, result.st_dev, result.st_ino, 0, number, 0, b"")
                self.frontier.add([waiting])

    def _use(self, snapshot: "Snapshot", rescan: Rescan) -> None:
        """Find out what of an earlier tree still holds, and what must be listed."""
        from spacemap.scan.base import base_of_tree  # noqa: PLC0415 - imports numpy
        from spacemap.scan.reuse import measured_from, root_entries, unusable  # noqa: PLC0415 - as above

        reason = unusable(snapshot, self._surroundings())
        if reason:
            self.notes.append(f"the earlier scan was not used: {reason}")
            return
        first_ref = int(needs_parent(self.roots))
        numbers = root_entries(snapshot.tree, self.roots)
        refs = {0: 0} | {entry: first_ref + number for entry, number in numbers.items()}
        started_ns = measured_from(snapshot.facts)
        self._reuse(base_of_tree(snapshot.tree, started_ns, refs, BASE_NUMBER << WORKER_BITS), rescan, started_ns)

    def _reuse(self, base: "Base", rescan: Rescan, started_ns: int) -> None:
        from spacemap.scan.reuse import plan_rescan  # noqa: PLC0415 - imports numpy

        reuse = plan_rescan(base, rescan, self._surroundings())
        if isinstance(reuse, str):
            self.notes.append(f"the earlier scan was not used: {reuse}")
            return
        self.reuse = reuse
        self.base_use = reuse.use(rescan.level, started_ns)
        self.frontier.resolve = reuse.resolve
        self.frontier.add(reuse.first_claims())

    def _resume(self, checkpoint: "Checkpoint", rescan: Rescan) -> None:
        """Take up what an earlier scan received, but for what changed since."""
        from spacemap.scan.base import base_of_batches  # noqa: PLC0415 - imports numpy

        resumed = checkpoint.resume()
        self.own_number = resumed.next_number
        if resumed.note:
            self.notes.append(resumed.note)
        if resumed.batches:
            self._reuse(base_of_batches(resumed.batches, {}, resumed.started_ns), rescan, resumed.started_ns)
        if self.reuse is None:
            checkpoint.restart()

    def _renamed(self) -> list[tuple[int, int]]:
        return self.reuse.renamed if self.reuse is not None else []

    def _advance_checkpoint(self) -> None:
        if self.late is not None and time.monotonic_ns() - self.clock_ns >= self.late.after * 1e9:
            self._begin_late(self.late)
        if self.checkpoint is not None:
            self.checkpoint.advance(self.collected.frames, self._renamed())

    def _begin_late(self, late: LateCheckpoint) -> None:
        from spacemap.scan.checkpoint import facts_of  # noqa: PLC0415 - most scans keep none

        self.late = None
        self.checkpoint = late.make(facts_of(self.paths, self.options, self.started_ns))

    def _end_checkpoint(self, checkpoint: "Checkpoint") -> None:
        """Remove the checkpoint of a complete scan; keep all of it when there is something left to do."""
        if self.is_interrupted or self.interrupts.is_pending:
            checkpoint.finish(self.collected.frames, self._renamed())
        else:
            checkpoint.remove()
        self.notes += checkpoint.notes

    def _surroundings(self) -> "Surroundings":
        from spacemap.scan.reuse import Surroundings  # noqa: PLC0415 - imports numpy

        threads = threads_of_check(self.engine, self.options)
        return Surroundings(self.engine, self.options, self.roots, self.mounts, cores(), threads, self._tick_check)

    def _batches(self) -> "list[Batch]":
        """Return all batches by now: that of the roots, those of a base, those that were listed."""
        roots, *listed = self.collected.batches()
        return [roots, *(self.reuse.batches() if self.reuse is not None else []), *listed]

    def _list_alone(self) -> None:
        """List in threads of this process for about as long as starting workers takes, and meanwhile prepare that."""
        place = WalkerPlace(self.paths, self.own_number, threads_alone(self.options), -1)
        walker = make_walker(self.engine, self.options, place=place)
        until = time.monotonic() + (ALONE_SECONDS if self.reuse is None else ALONE_RESCAN_SECONDS)
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
        if self.reuse is not None and not len(self.frontier):
            self.frontier.add(self.reuse.newly_linked(self.collected.batches()))

    def _list_in_workers(self) -> None:
        from spacemap.scan.pool import Pool  # noqa: PLC0415 - small trees need no processes

        processes, listers = processes_and_listers(self.engine, self.options)
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
            first_number=self.own_number + 1,
            inherited=lambda: () if self.checkpoint is None else (self.checkpoint,),
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

    def _tick_check(self, entries: int) -> None:
        """Show how far measuring a base has come."""
        self.checked = entries
        self._tick()

    def _tick(self) -> None:
        self.interrupts.check()
        self._advance_checkpoint()
        self._report_progress()

    def _report_progress(self) -> None:
        if self.on_progress is None:
            return
        root, below = self.collected.place
        directory = self.paths[root].rstrip(b"/") + b"/" + below if below else self.paths[root]
        self.on_progress(
            Progress(
                entries=self.checked + self.collected.entries,
                disk_bytes=self.collected.blocks * 512,
                problems=self.collected.problems,
                directory=directory,
                elapsed_ns=time.monotonic_ns() - self.clock_ns,
                view=self._hold if self.grows else None,
            )
        )

    def _hold(self) -> Build:
        """Take hold of what was received so far; building a tree of it does not disturb the scan."""
        hold, decisions = self.collected.hold(), dict(self.frontier.decisions)
        reused = self.reuse.batches() if self.reuse is not None else []

        def build() -> "Snapshot":
            from spacemap.tree.build import build_tree  # noqa: PLC0415 - imports numpy

            roots, *listed = hold()
            return self._with_facts(build_tree([roots, *reused, *listed], as_decisions(decisions)), is_interrupted=True)

        return build

    def _unlisted(self) -> list[Waiting]:
        from spacemap.scan.recover import unlisted_directories  # noqa: PLC0415 - imports numpy

        return unlisted_directories(self._batches(), as_decisions(self.frontier.decisions), self.paths)

    def _listed_identities(self) -> set[tuple[int, int]]:
        from spacemap.scan.recover import listed_identities  # noqa: PLC0415 - imports numpy

        return listed_identities(self._batches(), as_decisions(self.frontier.decisions))

    def _snapshot(self) -> "Snapshot":
        from dataclasses import replace  # noqa: PLC0415 - costs more than starting the workers

        finished_ns, elapsed_ns = time.time_ns(), time.monotonic_ns() - self.clock_ns
        tree = self._tree()
        if self.pool is not None:
            self.pool.join()
            self.notes += self.pool.notes
        if self.collected.fold_below:
            self.notes.append(
                f"memory was limited: files of less than {self.collected.fold_below} bytes are folded, "
                "one entry for each directory; totals are exact"
            )
        is_interrupted = self.is_interrupted or self.interrupts.is_pending
        snapshot = self._with_facts(tree, is_interrupted=is_interrupted)
        return replace(snapshot, facts=replace(snapshot.facts, finished_ns=finished_ns, elapsed_ns=elapsed_ns))

    def _with_facts(self, tree: "Tree", *, is_interrupted: bool) -> "Snapshot":
        from spacemap.tree.snapshot import Completeness, Facts, Snapshot  # noqa: PLC0415 - imports numpy

        facts = Facts(
            started_ns=self.started_ns,
            finished_ns=time.time_ns(),
            elapsed_ns=time.monotonic_ns() - self.clock_ns,
            engine=self.engine.value,
            workers=self.workers,
            requests=self.requests,
            host=os.uname().nodename,
            options=self.options.shaping(),
            completeness=Completeness.INTERRUPTED if is_interrupted else Completeness.COMPLETE,
            notes=tuple(self.notes),
            base=self.base_use,
        )
        return Snapshot(tree, self.paths, facts)

    def _tree(self) -> "Tree":
        from spacemap.tree.build import build_tree  # noqa: PLC0415 - imports numpy
        from spacemap.tree.narrow import narrowest  # noqa: PLC0415 - as above

        if self.reuse is not None and self.reuse.holds:
            return self.reuse.tree
        batches = self._batches()
        self.collected.release()
        tree = build_tree(batches, as_decisions(self.frontier.decisions))
        return tree if self.reuse is None else narrowest(tree)


def _import_tree() -> None:
    import_module("spacemap.tree.build")
