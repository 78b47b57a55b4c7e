"""The checkpoint that a scan keeps by itself in the cache: when it begins, and how an earlier one is offered."""

import os
import time
from typing import NamedTuple

from spacemap.cli import output
from spacemap.errors import SpacemapError
from spacemap.scan.late import LateCheckpoint

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from collections.abc import Callable

    from spacemap.cli.arguments import Arguments
    from spacemap.config import Settings
    from spacemap.scan.automatic import AutomaticCheckpoint
    from spacemap.scan.checkpoint import Checkpoint
    from spacemap.store.cache import Key
    from spacemap.tree.snapshot import Snapshot

SECONDS = 60.0
"""A scan that takes longer keeps a checkpoint."""


class Left(NamedTuple):
    """The checkpoint of an interrupted scan."""

    path: bytes
    seconds: int
    """How long ago the last of it was written."""


def cache_directory(arguments: "Arguments", settings: "Settings") -> str:
    """Return where scans and checkpoints are kept."""
    from spacemap.locations import cache_directory as default  # noqa: PLC0415 - not before it is needed

    return arguments.earlier.cache_directory or settings.cache.directory or os.fspath(default())


def key_of(arguments: "Arguments") -> "Key":
    """Return what a scan with these arguments is found by. Raises RootError."""
    from spacemap.scan.roots import distinct_roots, find_root  # noqa: PLC0415 - not before it is needed
    from spacemap.store.cache import Key  # noqa: PLC0415 - as above

    roots, _ = distinct_roots([find_root(path) for path in arguments.paths or (".",)])
    return Key(os.uname().nodename, tuple(root.path for root in roots), arguments.scan.shaping())


class Automatic:
    """The automatic checkpoint of one scan."""

    def __init__(self, arguments: "Arguments", settings: "Callable[[], Settings]") -> None:
        self._arguments = arguments
        self._settings = settings
        self._checkpoint: AutomaticCheckpoint | None = None
        self._is_offered = False

    @property
    def plan(self) -> LateCheckpoint | None:
        """When to begin; None for scans that cannot be resumed."""
        options = self._arguments.scan
        if options.symlinks.value == "follow" or options.max_memory is not None:
            return None
        return LateCheckpoint(SECONDS, self._make)

    def offer(self, say: "Callable[[str], None]") -> None:
        """Say so, once, when an earlier scan of the same was interrupted and left a checkpoint."""
        if self._is_offered or self.plan is None or self._checkpoint is not None:  # the last: it has been replaced
            return
        self._is_offered = True
        left = self.left()
        if left is None:
            return
        from spacemap.cli.resuming import how_to_resume  # noqa: PLC0415 - mostly there is none
        from spacemap.units import format_ago  # noqa: PLC0415 - as above

        command = how_to_resume(self._arguments.words, os.fsdecode(left.path))
        say(f"a scan of the same was interrupted {format_ago(left.seconds)}; to continue that one: {command}")

    def left(self) -> Left | None:
        """Return what an earlier scan of the same left, unless it is still running, or a later one is kept."""
        directory = cache_directory(self._arguments, self._settings())
        if self.plan is None or not os.path.isdir(os.path.join(directory, "checkpoints")):  # so far without any import
            return None
        from spacemap.store.cache import checkpoint_path, is_locked, scan_path  # noqa: PLC0415 - mostly there is none

        try:
            key = key_of(self._arguments)
            path = checkpoint_path(directory, key)
            status = os.lstat(path)
        except (OSError, SpacemapError):  # the latter: the root has just gone
            return None
        if not status.st_size or is_locked(path) or _is_kept_since(status.st_mtime_ns, scan_path(directory, key)):
            return None
        return Left(path, int(time.time() - status.st_mtime))

    def tell(self, snapshot: "Snapshot") -> None:
        """Say how to continue an interrupted scan, if that can be done."""
        if self._checkpoint is None or not self._checkpoint.is_kept:
            return
        if snapshot.facts.completeness.value == "interrupted":
            tell_how_to_resume(self._arguments, self._checkpoint.plan.path)

    def _make(self, facts: dict[str, object]) -> "Checkpoint":
        from spacemap.scan.automatic import AutomaticCheckpoint  # noqa: PLC0415 - only for a long scan
        from spacemap.scan.checkpoint import Checkpointing, roots_of  # noqa: PLC0415 - as above
        from spacemap.store.cache import Key, checkpoint_path  # noqa: PLC0415 - as above

        key = Key(os.uname().nodename, tuple(roots_of(facts)), self._arguments.scan.shaping())
        path = checkpoint_path(cache_directory(self._arguments, self._settings()), key)
        plan = Checkpointing(os.fsdecode(path), interval=self._arguments.earlier.interval)
        self._checkpoint = AutomaticCheckpoint(path, plan, facts)
        return self._checkpoint


def _is_kept_since(moment_ns: int, path: bytes) -> bool:
    """Return whether a scan is kept that ended after a moment."""
    from spacemap.store.snapshot import open_snapshot  # noqa: PLC0415 - only beside a checkpoint

    try:
        return open_snapshot(path).facts.finished_ns > moment_ns
    except SpacemapError:  # there is none, or a damaged one
        return False


def tell_how_to_resume(arguments: "Arguments", path: str) -> None:
    """Write the command that continues a checkpoint to stderr."""
    from spacemap.cli.resuming import how_to_resume  # noqa: PLC0415 - only after an interrupt

    output.complain(f"interrupted; to continue: {how_to_resume(arguments.words, path)}")
