"""What a scan has received so far: the frames of batches, counted, and folded when memory runs short."""

from collections.abc import Callable

from spacemap.scan.batch import decode_batch, summarize
from spacemap.scan.frames import Arena

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.tree.batch import Batch

FIXED_BYTES = 52_000_000
"""Interpreter, libraries and workers of a scan; measured as proportional set size."""
PEAK_PER_BYTE = 2.0
"""Peak memory for each byte of batches: they go while the tree takes shape; measured with 1,080,000 entries."""
FIRST_THRESHOLD = 64 * 1024
"""Files smaller than this are folded first."""
LAST_THRESHOLD = 1 << 62
STEP = 16


class Collected:
    """Batches in order of arrival, and their counters."""

    def __init__(self, max_memory: int | None) -> None:
        self.arena = Arena()
        self.entries = 0
        self.blocks = 0
        self.problems = 0
        self.place = (0, b"")
        self.fold_below = 0
        """Files of fewer bytes of disk usage are folded; 0: none."""
        self._max_memory = max_memory
        self.frames: list[memoryview] = []
        """As received; folding and `release` take them away."""
        self._folded: list[tuple[int, Batch]] = []
        self._bytes = 0

    def add(self, frame: memoryview) -> None:
        """Take one batch in."""
        summary = summarize(frame)
        self.entries += summary.entries
        self.blocks += summary.blocks
        self.problems += summary.problems
        if summary.place:
            self.place = (summary.root, summary.place)
        self._bytes += len(frame)
        self.frames.append(frame)
        if self._max_memory is not None and self._expected() > self._max_memory:
            self._fold()

    def add_memory(self, frame: bytes) -> None:
        """Take in a batch that was made in this process."""
        room = self.arena.room(len(frame))
        room[:] = frame
        self.add(room)

    def batches(self) -> "list[Batch]":
        """Return all batches, decoded; the list is the caller's, the columns are views."""
        return [*(batch for _, batch in self._folded), *(decode_batch(frame) for frame in self.frames)]

    def hold(self) -> "Callable[[], list[Batch]]":
        """Return what returns all batches of this moment, decoded, later and in any thread."""
        folded, frames = [batch for _, batch in self._folded], list(self.frames)
        return lambda: [*folded, *map(decode_batch, frames)]

    def release(self) -> None:
        """Forget the frames; what `batches` returned keeps its own memory alive."""
        self.frames.clear()
        self._folded.clear()

    def _expected(self) -> int:
        """Return the bytes that the whole scan will take at its peak if nothing more arrives."""
        return FIXED_BYTES + int(self._bytes * PEAK_PER_BYTE)

    def _fold(self) -> None:
        """Fold what is here with a higher and higher threshold, until it fits with room for more."""
        from spacemap.tree.fold import fold_batch, stored_bytes  # noqa: PLC0415 - imports numpy

        target = (self._max_memory or 0) - ((self._max_memory or 0) - FIXED_BYTES) // 8
        self.fold_below = max(self.fold_below, FIRST_THRESHOLD)
        while True:
            older = [*self._folded, *((0, decode_batch(frame)) for frame in self.frames)]
            self.frames.clear()
            self._folded.clear()
            self.arena.renew()
            older.reverse()
            while older:  # one by one, so that what is folded goes before more is made
                below, batch = older.pop()
                if below != self.fold_below:
                    batch = fold_batch(batch, self.fold_below)
                self._folded.append((self.fold_below, batch))
            self._bytes = sum(stored_bytes(batch) for _, batch in self._folded)
            if self._expected() <= target or self.fold_below >= LAST_THRESHOLD:
                return
            self.fold_below = min(self.fold_below * STEP, LAST_THRESHOLD)
