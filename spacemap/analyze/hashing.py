"""Contents of candidates compared in rounds, by threads that leave the interpreter's lock to others while they read."""

import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spacemap.analyze.candidates import Candidates
from spacemap.analyze.contents import FILE_TYPE, MARK_TYPE, MEMORY, Counter, Engine, Rows
from spacemap.scan.capacity import cores
from spacemap.scan.interrupts import Interrupts
from spacemap.tree.columns import I64, U64
from spacemap.tree.tree import Tree

Ids = npt.NDArray[np.int64]
"""Rows of Candidates."""

MAX_READERS = 16
_BATCH_FILES = 2048
_BATCH_BYTES = 64 << 20
_TURN_SECONDS = 0.05
_WAITS = 8
"""Windows in one turn that the disk was waited for, and more threads are worth it."""
_MANY_FILES = 8192


@dataclass(frozen=True, slots=True)
class Classes:
    """Candidates that may be equal: those of class i are order[begin[i]:begin[i + 1]]."""

    order: Ids
    begin: I64
    size: U64
    """Bytes, of each file of a class."""

    def __len__(self) -> int:
        return len(self.size)


class Batch(NamedTuple):
    """Some classes whose files are all known now."""

    ids: Ids
    rows: Rows
    """Of `contents.FILE_TYPE`."""
    sizes: U64
    """Bytes, of each file."""
    marks: Rows
    """Of `contents.MARK_TYPE`; `file` is a row."""
    begun_ns: int
    """Wall clock, before the first file was opened."""


@dataclass(slots=True)
class Reading:
    """How far comparing is; sums over all rounds."""

    files: int = 0
    bytes_done: int = 0
    """Bytes of the files of which all is known; what was read of others counts, too."""
    bytes_read: int = 0
    of_files: int = 0
    of_bytes: int = 0
    is_interrupted: bool = False


@dataclass(slots=True)
class Readers:
    """Runs classes through threads, batch by batch, those with the most to gain first."""

    tree: Tree
    candidates: Candidates
    on_turn: Callable[[Reading], None]
    engine: Engine
    reading: Reading = field(default_factory=Reading)
    _directories: bytes = b""
    _directory_at: I64 = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        self._directories, self._directory_at = _directory_paths(self.tree, self.candidates)

    def compare(self, classes: Classes, *, only_first: bool = False) -> Iterator[Batch]:
        """Yield batches as they become known. After an interrupt the rest is not looked at."""
        if self.reading.is_interrupted or not len(classes):
            return
        self.reading.of_files += len(classes.order)
        self.reading.of_bytes += int((classes.size * np.diff(classes.begin).astype(np.uint64)).sum())
        yield from _Round(self, classes, only_first=only_first).run()

    def rows(self, ids: Ids) -> Rows:
        """Return a row for each candidate, with what the scan knows of it."""
        entry = self.candidates.entry[ids]
        rows = np.zeros(len(ids), FILE_TYPE)
        begin = self.tree.name_offset[entry].astype(np.int64)
        rows["directory"] = self._directory_at[ids]
        rows["name"] = begin
        rows["name_length"] = self.tree.name_offset[entry + np.uint32(1)].astype(np.int64) - begin
        rows["device"], rows["inode"] = self.candidates.device[ids], self.candidates.inode[ids]
        return rows

    def identified(self) -> Rows:
        """Return a row for each candidate, with its identity as it is now."""
        parts = np.array_split(np.arange(len(self.candidates)), cores())
        found: dict[int, Rows] = {}

        def identify(number: int) -> None:
            found[number] = self.rows(parts[number])
            self.engine.identify(found[number], self._directories, self.tree.names)

        threads = [threading.Thread(target=identify, args=(number,)) for number in range(len(parts))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return np.concatenate([found[number] for number in range(len(parts))])

    def read(  # noqa: PLR0913 - what there is to read, and how
        self, rows: Rows, begins: I64, sizes: U64, counters: U64, *, only_first: bool, open_files: int
    ) -> Rows:
        """Let the engine compare a batch; return its marks."""
        marks = self.engine.compare(
            rows, begins, sizes, self._directories, self.tree.names, counters, MEMORY, open_files, only_first
        )
        return np.frombuffer(marks, MARK_TYPE)


class _Round:
    """One pass over classes."""

    def __init__(self, readers: Readers, classes: Classes, *, only_first: bool) -> None:
        self._readers = readers
        self._classes = classes
        self._only_first = only_first
        self._batches = list(_batches(classes))
        self._next = 0
        self._lock = threading.Lock()
        self._counters = np.zeros(len(Counter), np.uint64)
        self._results: SimpleQueue[Batch | BaseException] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._most = min(_most_readers(readers.candidates), len(self._batches))
        self._open_files = max(_descriptors() // (2 * max(self._most, 1)), 4)

    def run(self) -> Iterator[Batch]:
        reading = self._readers.reading
        before = Reading(reading.files, reading.bytes_done, reading.bytes_read)
        begun_bytes = waited = settled_bytes = read_of_settled = 0
        for _ in range(min(cores(), self._most)):
            self._start()
        try:
            with Interrupts() as interrupts:
                for _ in range(len(self._batches)):
                    while (result := self._result()) is None:
                        self._stop_if(interrupts.is_pending)
                        waited = self._add_readers(waited)
                        begun_bytes = int(self._counters[Counter.BYTES]) - read_of_settled
                        self._tell(before, settled_bytes + max(begun_bytes, 0))
                    if isinstance(result, BaseException):
                        raise result
                    self._stop_if(interrupts.is_pending)
                    settled_bytes += int(result.sizes.sum())
                    read_of_settled = int(self._counters[Counter.BYTES])
                    self._tell(before, settled_bytes)
                    yield result
        finally:
            self._counters[Counter.STOP] = 1
            for thread in self._threads:
                thread.join()
            reading.bytes_read = before.bytes_read + int(self._counters[Counter.BYTES])

    def _tell(self, before: Reading, done: int) -> None:
        reading = self._readers.reading
        reading.files = before.files + int(self._counters[Counter.FILES])
        reading.bytes_done = min(before.bytes_done + done, reading.of_bytes)
        reading.bytes_read = before.bytes_read + int(self._counters[Counter.BYTES])
        self._readers.on_turn(reading)

    def _stop_if(self, is_pending: bool) -> None:  # noqa: FBT001 - a fact
        if is_pending:
            self._counters[Counter.STOP] = 1
            self._readers.reading.is_interrupted = True

    def _result(self) -> Batch | BaseException | None:
        try:
            return self._results.get(timeout=_TURN_SECONDS)
        except Empty:
            return None

    def _add_readers(self, waited: int) -> int:
        """Let more threads wait for the disk, if that is what those there are do."""
        now = int(self._counters[Counter.WAITED])
        if now >= waited + _WAITS and len(self._threads) < self._most:
            self._start()
        return now

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                number, self._next = self._next, self._next + 1
            if number >= len(self._batches):
                return
            try:
                self._results.put(self._compared(*self._batches[number]))
            except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
                self._results.put(error)
                return

    def _compared(self, low: int, high: int) -> Batch:
        """Compare the files of classes low to high."""
        classes = self._classes
        begins = classes.begin[low : high + 1]
        ids = classes.order[begins[0] : begins[-1]]
        begins = begins - begins[0]
        sizes = classes.size[low:high]
        begun_ns = time.time_ns()
        rows = self._readers.rows(ids)
        marks = self._readers.read(
            rows, begins, sizes, self._counters, only_first=self._only_first, open_files=self._open_files
        )
        return Batch(ids, rows, np.repeat(sizes, np.diff(begins)), marks, begun_ns)


def _batches(classes: Classes) -> Iterator[tuple[int, int]]:
    """Yield ranges of classes that are worth a call each."""
    low, files, size = 0, 0, 0
    counts = np.diff(classes.begin).tolist()
    for number, (count, each) in enumerate(zip(counts, classes.size.tolist(), strict=True)):
        if files and (files + count > _BATCH_FILES or size + count * each > _BATCH_BYTES):
            yield low, number
            low, files, size = number, 0, 0
        files, size = files + count, size + count * each
    if files:
        yield low, len(counts)


def _directory_paths(tree: Tree, candidates: Candidates) -> tuple[bytes, I64]:
    """Return the paths of the candidates' directories, each ended by 0, and where that of each candidate begins."""
    parent = tree.parent[candidates.entry]
    directories, of_candidate = np.unique(parent, return_inverse=True)
    needed: set[int] = set()
    for directory in directories.tolist():
        entry = directory
        while entry not in needed:
            needed.add(entry)
            entry = int(tree.parent[entry])
    paths: dict[int, bytes] = {}
    for entry in sorted(needed):  # parents come first
        above = paths.get(int(tree.parent[entry]), b"")
        paths[entry] = above.rstrip(b"/") + b"/" + tree.name(entry) if above else tree.name(entry)
    blob = [paths[entry] for entry in directories.tolist()]
    begins = np.cumsum([0, *(len(each) + 1 for each in blob)])[:-1]
    return b"\0".join([*blob, b""]), begins.astype(np.int64)[of_candidate]


def _most_readers(candidates: Candidates) -> int:
    """Return how many threads may read: one where a disk turns."""
    devices = set(np.unique(candidates.device[:: max(len(candidates) // 4096, 1)]).tolist())
    return 1 if any(map(_is_rotating, devices)) else MAX_READERS


def _is_rotating(device: int) -> bool:
    place = f"/sys/dev/block/{os.major(device)}:{os.minor(device)}"
    if os.path.basename(os.path.realpath(place)).startswith(("vd", "xvd", "nbd")):
        return False  # a virtual disk calls itself rotating, whatever is below it
    for queue in (f"{place}/queue/rotational", f"{place}/../queue/rotational"):
        try:
            with open(queue, "rb") as file:
                return file.read(1) == b"1"
        except OSError:
            continue
    return False


def raise_descriptor_limit() -> None:
    """Let this process have as many files open as it may, within reason: what stays open is not opened again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, _MANY_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _descriptors() -> int:
    """Return how many files may be open at a time."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MANY_FILES if soft == resource.RLIM_INFINITY else min(soft, _MANY_FILES)
