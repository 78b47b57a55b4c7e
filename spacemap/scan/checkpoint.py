"""Checkpoints: what a scan has received, kept in a log as it comes, and taken up again by the next scan.

Nothing else is kept, so nothing can disagree with it: what is not listed in the log is what is left to do.
"""

import os
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from spacemap.errors import FormatError, UsageError
from spacemap.scan.batch import decode_batch
from spacemap.scan.engine import WORKER_BITS
from spacemap.scan.options import ScanOptions
from spacemap.scan.wire import FrameType, WireError
from spacemap.store.log import LogWriter, continue_log, create_log
from spacemap.tree.batch import Batch

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.store.log import Frame

RENAMED = 100
"""Type of a frame of pairs of references: the listing of the first is that of the second. Stable on disk."""


class Checkpointing(NamedTuple):
    """Where a scan keeps its checkpoint, and when."""

    path: str
    resume: bool = False
    """Whether to take up what is there."""
    interval: float = 30.0
    """Seconds after which what was received is brought to the disk."""


class Resumed(NamedTuple):
    """What a checkpoint holds."""

    batches: list[Batch]
    """That of the roots first."""
    started_ns: int
    """Wall clock when the first scan began."""
    next_number: int
    """Of the workers: smaller ones gave references that are in use."""
    note: str
    """What could not be used; empty when all could."""


class Checkpoint:
    """The log of one scan."""

    def __init__(self, plan: Checkpointing, facts: dict[str, object]) -> None:
        self.plan = plan
        self._facts = facts
        self._log: LogWriter | None = None
        self._frames = 0
        """So many of the scan's frames are in the log."""
        self._renamed = 0
        self._synced = time.monotonic()

    def resume(self) -> Resumed:
        """Take up what is there. Raises UsageError when it is of another scan, FormatError when it is none."""
        content, log = continue_log(self.plan.path)
        try:
            _compare(self.plan.path, content.facts, self._facts)
            resumed = _replay(self.plan.path, content.frames, content.facts, content.lost)
        except BaseException:
            log.close()
            raise
        self._log = log
        return resumed

    def advance(self, frames: Sequence[memoryview], renamed: Sequence[tuple[int, int]]) -> None:
        """Write what is new. Called a few times a second; what it wrote outlives this process."""
        now = time.monotonic()
        self.begin()
        self._append(frames, renamed)
        if now - self._synced >= self.plan.interval and self._log is not None:
            self._log.sync()
            self._synced = now

    def begin(self) -> None:
        """Make the log, unless there is one. Raises UsageError, SpacemapError."""
        if self._log is None:
            self._log = create_log(self.plan.path, self._facts)

    def finish(self, frames: Sequence[memoryview], renamed: Sequence[tuple[int, int]]) -> None:
        """Keep everything for the scan that takes it up."""
        if self._log is not None:
            self._append(frames, renamed)
            self._log.sync()
            self._log.close()
            self._log = None

    def remove(self) -> None:
        """Remove the log of a scan that is complete."""
        if self._log is not None:
            self._log.remove()
            self._log = None

    def _append(self, frames: Sequence[memoryview], renamed: Sequence[tuple[int, int]]) -> None:
        if self._log is None:
            raise AssertionError("unreachable: nothing is appended before the log is made")
        new = [(int(FrameType.BATCH), frame) for frame in frames[self._frames :]]
        pairs = renamed[self._renamed :]
        if pairs:  # after the listings that they belong to
            body = b"".join(old.to_bytes(8, "little") + ref.to_bytes(8, "little") for old, ref in pairs)
            new.append((RENAMED, memoryview(body)))
        self._log.append(new)
        self._frames, self._renamed = len(frames), len(renamed)


def facts_of(roots: tuple[bytes, ...], options: ScanOptions, started_ns: int) -> dict[str, object]:
    """Return what the header of a log says of its scan."""
    return {
        "roots": [root.hex() for root in roots],
        "options": options.shaping(),
        "started_ns": started_ns,
        "host": os.uname().nodename,
    }


def roots_of(facts: Mapping[str, object]) -> list[bytes]:
    """Return the roots that the header of a log names."""
    roots = facts.get("roots")
    return [bytes.fromhex(root) for root in roots] if isinstance(roots, list) else []


def _compare(path: str, old: Mapping[str, object], new: Mapping[str, object]) -> None:
    """Raise UsageError when a checkpoint belongs to another scan, and name the difference."""
    if old.get("roots") != new["roots"]:
        names = ", ".join(repr(os.fsdecode(root)) for root in roots_of(old))
        raise UsageError(f"{path!r} is the checkpoint of a scan of {names}: give the same paths to resume it")
    before, now = old.get("options"), new["options"]
    if not isinstance(before, dict) or not isinstance(now, dict):
        raise FormatError(f"{path!r}: the header is damaged; remove the file and scan anew with --checkpoint")
    differing = [f"{key} (was {before.get(key)!r})" for key in now if before.get(key) != now[key]]
    if differing:
        raise UsageError(
            f"{path!r} is of a scan with other options: {', '.join(differing)}; give the same to resume it"
        )


def _replay(path: str, frames: "list[Frame]", facts: Mapping[str, object], lost: int) -> Resumed:
    """Return the batches of a log, with their listings under the references that they have by now."""
    import numpy as np  # noqa: PLC0415 - only for resuming

    from spacemap.scan.base import translated  # noqa: PLC0415 - imports numpy

    roots: Batch | None = None
    batches: list[Batch] = []
    try:
        for frame in frames:
            if frame.type == FrameType.BATCH:
                batch = _checked(decode_batch(frame.body))
                if batch.base_ref >> WORKER_BITS:
                    batches.append(batch)
                else:
                    roots = batch
            elif frame.type == RENAMED:
                pairs = np.frombuffer(frame.body, np.uint64).reshape(-1, 2)
                order = np.argsort(pairs[:, 0], kind="stable")
                old, new = pairs[order, 0], pairs[order, 1]
                batches = [translated(batch, old, new) for batch in batches]
    except (WireError, ValueError) as error:
        raise FormatError(f"{path!r}: {error}; remove the file and scan anew with --checkpoint") from error
    started_ns = facts.get("started_ns")
    if roots is None or not isinstance(started_ns, int):
        raise FormatError(f"{path!r}: nothing of the scan is in it; remove the file and scan anew with --checkpoint")
    note = f"the last {lost} bytes of the checkpoint were damaged; what they held was scanned again" if lost else ""
    highest = max((batch.base_ref >> WORKER_BITS for batch in batches), default=0)
    return Resumed([roots, *batches], started_ns, highest + 1, note)


def _checked(batch: Batch) -> Batch:
    """Return a batch whose columns fit each other. Raises WireError."""
    import numpy as np  # noqa: PLC0415 - only for resuming

    entries = len(batch)
    outside = entries - int(batch.listing_count.sum(dtype=np.int64))
    fits = (
        outside >= 0
        and (outside == 0 or batch.base_ref == 0)
        and int(batch.name_length.sum(dtype=np.int64)) == len(batch.names)
        and int(np.count_nonzero(batch.kind == 0)) == len(batch.directory_skip)
        and int(batch.link_index.max(initial=0)) < max(entries, 1)
        and bool((batch.kind <= 3).all() and (batch.directory_skip <= 11).all() and (batch.listing_skip <= 11).all())
    )
    if not fits:
        raise WireError("a batch has columns that do not fit each other")
    return batch
