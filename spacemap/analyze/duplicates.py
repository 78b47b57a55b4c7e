"""What is here twice: candidates from the columns, compared, and laid out as groups with the most waste first."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spacemap.analyze.candidates import Candidates, find_candidates
from spacemap.analyze.contents import State, load
from spacemap.analyze.grouping import lay_out
from spacemap.analyze.hashing import Classes, Readers, Reading
from spacemap.analyze.known import all_classes, found_rows, hashes_of, settle, sizes_of, without_known
from spacemap.analyze.members import Collected
from spacemap.errors import SpacemapError
from spacemap.store.hashes import Hashes, joined, keep_hashes, load_hashes, today
from spacemap.tree.columns import Mask
from spacemap.tree.duplicates import Duplicates, Effort, Proof
from spacemap.tree.snapshot import Snapshot

KEEP_EVERY_NS = 30_000_000_000
KEEP_AT_MOST = 250_000
"""Files whose hashes are in memory before they are brought to the cache."""


@dataclass(frozen=True, slots=True)
class DuplicateOptions:
    """What is looked for, and how."""

    min_size: int = 1
    """Bytes."""
    max_size: int | None = None
    verifies: bool = False
    """Compare what is equal by its hashes, and what was compared once more."""
    hashes: bytes | None = None
    """The file with the hashes of earlier runs; None: nothing is used or kept."""


class Progress(NamedTuple):
    """How far looking for duplicates is."""

    phase: str
    files: int
    of_files: int
    bytes_done: int
    """Of the files of which all is known, and what was read of others."""
    of_bytes: int
    bytes_read: int
    groups: int
    wasted: int
    """Bytes, as far as it is known."""
    elapsed_ns: int


OnProgress = Callable[[Progress], None]


def find_duplicates(
    snapshot: Snapshot,
    options: DuplicateOptions | None = None,
    on_progress: OnProgress | None = None,
    matching: Mask | None = None,
) -> Duplicates:
    """Return what is twice in a snapshot, among the entries that match; files are opened and read for it.

    An interrupt ends it: the result has what was found by then, and is not complete. What cannot be read, or is not
    what the scan saw, is left out and listed.
    """
    return _Search(snapshot, options or DuplicateOptions(), on_progress or _say_nothing, matching).run()


def _say_nothing(progress: Progress) -> None:  # noqa: ARG001 - the signature of OnProgress
    return


class _Search:
    """One search."""

    def __init__(
        self, snapshot: Snapshot, options: DuplicateOptions, on_progress: OnProgress, matching: Mask | None
    ) -> None:
        self._snapshot = snapshot
        self._options = options
        self._on_progress = on_progress
        self._started_ns = time.monotonic_ns()
        self._candidates: Candidates = find_candidates(snapshot.tree, options.min_size, options.max_size, matching)
        self._readers = Readers(snapshot.tree, self._candidates, self._on_turn, load())
        self._collected = Collected()
        self._phase = "comparing"
        self._found: list[Hashes] = []
        self._kept_ns = self._started_ns
        self._known = 0
        self._notes: list[str] = []

    def run(self) -> Duplicates:
        """Return what there is."""
        hashes = self._load()
        try:
            if len(hashes):
                self._compare_with(hashes)
            else:
                self._compare(all_classes(self._candidates))
            if self._options.verifies:
                self._verify()
        finally:
            self._keep()
        reading, candidates = self._readers.reading, self._candidates
        counts = np.diff(candidates.begin).astype(np.uint64)
        effort = Effort(
            candidates=len(candidates),
            candidate_bytes=int((candidates.size * counts).sum()),
            bytes_read=reading.bytes_read,
            known=self._known,
            elapsed_ns=time.monotonic_ns() - self._started_ns,
        )
        return lay_out(
            self._snapshot.tree, candidates, self._collected, effort, not reading.is_interrupted, tuple(self._notes)
        )

    def _compare(self, classes: Classes) -> None:
        for batch in self._readers.compare(classes):
            self._collected.take(batch)
            if self._options.hashes is not None:
                self._found.append(hashes_of(batch, time.time_ns()))
                is_due = time.monotonic_ns() - self._kept_ns > KEEP_EVERY_NS
                if is_due or sum(map(len, self._found)) > KEEP_AT_MOST:
                    self._keep()

    def _compare_with(self, hashes: Hashes) -> None:
        """Read only what is not known, and what could be equal to it."""
        candidates, now_ns = self._candidates, time.time_ns()
        self._phase = "looking up"
        self._on_turn(self._readers.reading)
        rows = self._readers.identified()
        known = found_rows(rows, candidates, hashes)
        self._known = int(np.count_nonzero(known >= 0))
        if (old := np.flatnonzero(hashes.used[known[known >= 0]] != today(now_ns))).size:
            used = hashes.taken(known[known >= 0][old])
            used.used[:] = today(now_ns)
            self._found.append(used)
        whole, unknown, mixed = without_known(candidates, known)
        self._phase = "comparing"
        self._compare(whole)
        is_out, fresh, new = np.zeros(len(candidates), np.bool_), np.zeros(len(candidates), np.bool_), []
        for batch in self._readers.compare(unknown, only_first=True):
            self._collected.fail(batch)
            new.append(hashes_of(batch, now_ns, with_recent=True))
            self._found.append(hashes_of(batch, now_ns))
            is_out[batch.ids] = batch.rows["state"] > State.EQUAL
            fresh[batch.ids] = True
            rows[batch.ids] = batch.rows
        if new:
            hashes = joined([hashes, *new])
            known = found_rows(rows, candidates, hashes)
        settled = settle(candidates, mixed[~is_out[mixed]], known, hashes, fresh)
        self._collected.take_known(settled.equal, rows, settled.low, settled.high)
        self._compare(settled.unclear)

    def _verify(self) -> None:
        """Compare all that is equal once more, byte by byte."""
        members = self._collected.members()
        self._phase = "verifying"
        again = Collected(failed=self._collected.failed)
        for batch in self._readers.compare(members.classes(sizes_of(self._candidates, members.ids))):
            again.take(batch)
        if not self._readers.reading.is_interrupted:
            self._collected = again
            return
        self._collected.keep(members.taken(members.proof == Proof.COMPARED))

    def _load(self) -> Hashes:
        if self._options.hashes is None:
            return Hashes.none()
        try:
            return load_hashes(self._options.hashes)
        except SpacemapError as error:
            self._notes.append(f"what earlier runs kept cannot be used: {error}")
            return Hashes.none()

    def _keep(self) -> None:
        found, self._found, self._kept_ns = self._found, [], time.monotonic_ns()
        path = self._options.hashes
        if path is None or not any(map(len, found)):
            return
        try:
            keep_hashes(path, found, time.time_ns())
        except SpacemapError as error:
            if not self._notes:
                self._notes.append(f"the next run reads everything again: {error}")

    def _on_turn(self, reading: Reading) -> None:
        elapsed = time.monotonic_ns() - self._started_ns
        self._on_progress(
            Progress(
                self._phase,
                reading.files,
                reading.of_files,
                reading.bytes_done,
                reading.of_bytes,
                reading.bytes_read,
                self._collected.groups,
                self._collected.wasted,
                elapsed,
            )
        )
