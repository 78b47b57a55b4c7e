"""Checkpoints: what a scan has received, kept in a log as it comes, and taken up again by the next scan.

Nothing else is kept, so nothing can disagree with it: what is not listed in the log is what is left to do.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from spacemap.errors import FormatError, SpacemapError, UsageError
from spacemap.scan.options import ScanOptions
from spacemap.scan.wire import RENAMED, FrameType
from spacemap.store.log import LogWriter, continue_log, create_log

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.scan.replay import Resumed


class Checkpointing(NamedTuple):
    """Where a scan keeps its checkpoint, and when."""

    path: str
    resume: bool = False
    """Whether to take up what is there."""
    interval: float = 30.0
    """Seconds after which what was received is brought to the disk."""


class Checkpoint:
    """The log of one scan. One that cannot be written is given up, with a note: the scan goes on."""

    def __init__(self, plan: Checkpointing, facts: dict[str, object]) -> None:
        self.plan = plan
        self.notes: list[str] = []
        """What went wrong, for the user."""
        self._facts = facts
        self._log: LogWriter | None = None
        self._is_given_up = False
        self._frames = 0
        """So many of the scan's frames are in the log."""
        self._renamed = 0
        self._synced = time.monotonic()

    def begin(self) -> None:
        """Make the log. Raises UsageError, SpacemapError."""
        self._log = create_log(self.plan.path, self._facts)

    def resume(self) -> "Resumed":
        """Take up what is there. Raises UsageError when it is of another scan, FormatError when it is none."""
        from spacemap.scan.replay import replay  # noqa: PLC0415 - imports numpy

        content, log = continue_log(self.plan.path)
        try:
            _compare(self.plan.path, content.facts, self._facts)
            resumed = replay(self.plan.path, content, roots_of(self._facts))
        except BaseException:
            log.close()
            raise
        self._log = log
        return resumed

    def restart(self) -> None:
        """Forget what was taken up: this scan makes no use of it. Nothing of it may be looked at any more."""
        if self._log is not None and not self._is_given_up:
            self._frames = self._renamed = 0
            with self._giving_up():
                self._log.restart(self._facts)

    def advance(self, frames: Sequence[memoryview], renamed: Sequence[tuple[int, int]]) -> None:
        """Write what is new. Called a few times a second; what it wrote outlives this process."""
        now = time.monotonic()
        if self._is_given_up:
            return
        with self._giving_up():
            if self._log is None:
                self.begin()
            self._append(frames, renamed)
            if now - self._synced >= self.plan.interval and self._log is not None:
                self._log.sync()
                self._synced = now

    def finish(self, frames: Sequence[memoryview], renamed: Sequence[tuple[int, int]]) -> None:
        """Keep everything for the scan that takes it up."""
        if self._log is None:
            return
        if not self._is_given_up:
            with self._giving_up():
                self._append(frames, renamed)
                self._log.sync()
        self.close()

    def close(self) -> None:
        """Let go of the log as it is."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def remove(self) -> None:
        """Remove the log of a scan that is complete."""
        if self._log is not None:
            with self._giving_up():
                self._log.remove()
            self._log = None

    @contextmanager
    def _giving_up(self) -> Iterator[None]:
        """Let a failure end the log and not the scan."""
        try:
            yield
        except SpacemapError as error:
            self._is_given_up = True
            self.notes.append(f"no checkpoint is kept any more: {error}")
        except OSError as error:
            self._is_given_up = True
            self.notes.append(f"no checkpoint is kept any more: {self.plan.path!r}: {error.strerror}")

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
    try:
        return [bytes.fromhex(root) for root in roots] if isinstance(roots, list) else []
    except (TypeError, ValueError):
        return []


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
