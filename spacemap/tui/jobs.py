"""What takes time, in threads: a scan or a file being loaded, and looks at single entries. Tells by events."""

import os
import stat
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event, Lock

from spacemap.errors import SpacemapError
from spacemap.scan import Progress, ScanOptions, scan
from spacemap.scan.progress import Build
from spacemap.scan.rescan import Rescan
from spacemap.tui.latest import Latest
from spacemap.tui.opening import Keeping, Live, Unfinished, keep, recollect

TYPE_CHECKING = False  # what mypy takes for true; the tree may be imported while workers list
if TYPE_CHECKING:
    from spacemap.tree.snapshot import Snapshot
    from spacemap.tui.reading import Preview, Step

FIRST_PAUSE = 0.15
"""Seconds after the first tree so far before the next is built."""
COST_FACTOR = 10
"""A tree so far is built when so many times as long has passed as the last one took."""


@dataclass(frozen=True, slots=True)
class Progressed:
    """A scan goes on."""

    progress: Progress


@dataclass(frozen=True, slots=True)
class Arrived:
    """A tree of what is known so far."""

    snapshot: "Snapshot"


@dataclass(frozen=True, slots=True)
class Recalled:
    """An earlier scan was kept; it is being updated."""

    snapshot: "Snapshot"


@dataclass(frozen=True, slots=True)
class NotKept:
    """A scan could not be kept."""

    reason: SpacemapError


@dataclass(frozen=True, slots=True)
class Failed:
    """Something on the side did not work."""

    reason: SpacemapError


@dataclass(frozen=True, slots=True)
class Done:
    """Something on the side is done."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A scan, or loading a file, has ended."""

    result: "Future[Snapshot]"


@dataclass(frozen=True, slots=True)
class Measured:
    """What the file system says of one path now."""

    path: bytes
    result: os.stat_result | OSError


@dataclass(frozen=True, slots=True)
class Previewed:
    """The beginning of a file was read."""

    preview: "Preview"


@dataclass(frozen=True, slots=True)
class Told:
    """What other work tells."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Work ended as it never should."""

    error: BaseException


Happening = Progressed | Arrived | Recalled | Ended | NotKept | Done | Failed | Measured | Previewed | Told | Broken
Post = Callable[[Happening], object]


class Jobs:
    """Runs one scan at a time. What happens before somebody listens is kept."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(4, "spacemap-job")
        self._reader = Latest("spacemap-preview")
        self._lock = Lock()
        self._kept: list[Happening] = []
        self._listener: Post | None = None
        self._stops = Event()
        self._is_building = False
        self._next_view = 0.0
        self._is_shown = Event()
        self._base: Snapshot | None = None
        """The kept scan that is being updated."""
        self._writers: list[Future[None]] = []
        self.is_scanning = False

    def listen(self, listener: Post) -> None:
        """Tell a listener, in whatever thread, of what has happened and will."""
        with self._lock:
            self._listener = listener
            kept, self._kept = self._kept, []
        for happening in kept:
            listener(happening)

    def open(self, live: Live, *, resumes: bool = False) -> None:
        """Start to scan directories: to update what is kept of them, which is told of first, or all of them anew;
        with `resumes` to go on with the unfinished scan instead."""

        def work() -> "Snapshot":
            if resumes and live.unfinished is not None:
                return self._resume(live, live.unfinished)
            recollection = recollect(live)
            for warning in recollection.warnings:
                self._tell(Failed(SpacemapError(f"ignored in the cache: {warning}")))
            base = recollection.snapshot
            if base is None or live.keeping is None:
                return scan(live.paths, live.options, self._grow, base=None, rescan=None, checkpoint=live.checkpoint)
            self._base = base
            self._tell(Recalled(base))
            # What is on its way to the screen comes before what may take its place later.
            self._is_shown.wait()
            return self._update(live.paths, live.options, base, live.keeping.rescan)

        self._start(work)

    def scan(
        self,
        paths: tuple[bytes, ...],
        options: ScanOptions,
        base: "Snapshot | None" = None,
        rescan: Rescan | None = None,
    ) -> None:
        """Start a scan, or an update of a base; trees so far are told of where there is no base."""

        def work() -> "Snapshot":
            if base is None:
                return scan(paths, options, self._grow, base=None, rescan=rescan, checkpoint=None)
            return self._update(paths, options, base, rescan)

        self._start(work)

    def load(self, path: bytes, opener: "Callable[[bytes], Snapshot]") -> None:
        """Start to load a kept snapshot."""
        self._executor.submit(opener, path).add_done_callback(self._end)

    def keep(self, keeping: Keeping, snapshot: "Snapshot") -> None:
        """Start to keep a scan that has ended."""
        self._writers.append(self._executor.submit(self._keep, keeping, snapshot, self._base))

    def write(self, work: "Callable[[], str]") -> None:
        """Start to write a file, which `finish` waits for. What it returns is told; a SpacemapError is a failure."""
        self._writers.append(self._executor.submit(self._run, work))

    def finish(self) -> None:
        """Wait until what is being written is whole."""
        wait(self._writers)

    def show(self) -> None:
        """Take note that what was told of is on the screen."""
        self._is_shown.set()

    def run(self, work: "Callable[[], str]") -> None:
        """Start something on the side. What it returns is told; a SpacemapError is a failure."""
        self._executor.submit(self._run, work)

    def measure(self, path: bytes) -> None:
        """Ask the file system about one path."""
        self._executor.submit(self._measure, path)

    def do(self, work: Callable[[Post], None]) -> None:
        """Start other work, which tells by what it is given."""
        self._executor.submit(work, self._tell).add_done_callback(self._check)

    def preview(self, path: bytes, steps: "tuple[Step, ...]") -> None:
        """Read the beginning of a file; what was asked for before and has not begun is forgotten."""
        self._reader.ask(lambda: self._preview(path, steps))

    def stop(self) -> None:
        """Let the scan end soon, with what it knows."""
        self._stops.set()
        self._is_shown.set()

    def _tell(self, happening: Happening) -> None:
        with self._lock:
            if self._listener is None:
                self._kept.append(happening)
                return
        self._listener(happening)

    def _check(self, result: "Future[None]") -> None:
        error = result.exception()
        if error is not None:
            self._tell(Broken(error))

    def _start(self, work: "Callable[[], Snapshot]") -> None:
        if self.is_scanning:
            raise AssertionError("unreachable: one scan at a time")
        self.is_scanning = True
        self._stops.clear()
        self._next_view = 0.0
        self._base = None
        self._executor.submit(work).add_done_callback(self._end)

    def _update(
        self, paths: tuple[bytes, ...], options: ScanOptions, base: "Snapshot", rescan: Rescan | None
    ) -> "Snapshot":
        """Return what is there now; the base itself when that was stopped, since it says more than half an update."""
        from spacemap.store.earlier import since_oldest  # noqa: PLC0415 - there is a tree, and with it numpy
        from spacemap.tree.snapshot import Completeness  # noqa: PLC0415 - as above

        updated = scan(paths, options, self._show_progress, base=base, rescan=rescan, checkpoint=None)
        if updated.facts.completeness is Completeness.INTERRUPTED:
            return base
        return since_oldest(updated, base)

    def _resume(self, live: Live, unfinished: Unfinished) -> "Snapshot":
        from spacemap.scan.checkpoint import Checkpointing  # noqa: PLC0415 - only where there is a checkpoint

        plan = Checkpointing(unfinished.checkpoint, resume=True)
        rescan = live.keeping.rescan if live.keeping is not None else None
        return scan(live.paths, live.options, self._grow, base=None, rescan=rescan, checkpoint=plan)

    def _run(self, work: "Callable[[], str]") -> None:
        try:
            self._tell(Done(work()))
        except SpacemapError as error:
            self._tell(Failed(error))

    def _keep(self, keeping: Keeping, snapshot: "Snapshot", base: "Snapshot | None") -> None:
        try:
            keep(keeping, snapshot, base)
        except SpacemapError as error:
            self._tell(NotKept(error))

    def _end(self, result: "Future[Snapshot]") -> None:
        self.is_scanning = False
        self._tell(Ended(result))

    def _show_progress(self, progress: Progress) -> None:
        if self._stops.is_set():
            raise KeyboardInterrupt
        self._tell(Progressed(progress))

    def _grow(self, progress: Progress) -> None:
        self._show_progress(progress)
        if progress.view is not None and not self._is_building and time.monotonic() >= self._next_view:
            self._is_building = True
            self._executor.submit(self._build, progress.view())

    def _build(self, build: Build) -> None:
        begun = time.thread_time()
        snapshot = build()
        # Of this thread alone: time spent waiting for the scan is not what building costs it.
        self._next_view = time.monotonic() + max(FIRST_PAUSE, COST_FACTOR * (time.thread_time() - begun))
        self._is_building = False
        if self.is_scanning:
            self._tell(Arrived(snapshot))

    def _measure(self, path: bytes) -> None:
        try:
            result: os.stat_result | OSError = os.lstat(path)
        except OSError as error:
            result = error
        self._tell(Measured(path, result))

    def _preview(self, path: bytes, steps: "tuple[Step, ...]") -> None:
        from spacemap.tui.reading import read_preview  # noqa: PLC0415 - imports numpy, and what archives need

        self._tell(Previewed(read_preview(path, steps)))


def owner_text(result: os.stat_result) -> str:
    """Return owner and group by name, where the system has one."""
    from grp import getgrgid  # noqa: PLC0415 - absent on some platforms
    from pwd import getpwuid  # noqa: PLC0415 - as above

    try:
        owner = getpwuid(result.st_uid).pw_name
    except KeyError:
        owner = str(result.st_uid)
    try:
        group = getgrgid(result.st_gid).gr_name
    except KeyError:
        group = str(result.st_gid)
    return f"{owner}:{group}"


def mode_text(result: os.stat_result) -> str:
    """Return the mode as `ls` shows it, and in octal."""
    return f"{stat.filemode(result.st_mode)} ({stat.S_IMODE(result.st_mode):04o})"


def failure_of(ended: Ended) -> SpacemapError | None:
    """Return what stopped a job; what is no failure to tell a user of is raised."""
    error = ended.result.exception()
    if error is None or isinstance(error, SpacemapError):
        return error
    raise error
