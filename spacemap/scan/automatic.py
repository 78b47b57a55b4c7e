"""The checkpoint that nobody asked for: what goes wrong with it ends it, never the scan."""

from collections.abc import Sequence
from contextlib import suppress

from spacemap.errors import SpacemapError
from spacemap.scan.checkpoint import Checkpoint, Checkpointing
from spacemap.store.cache import discard, make_place


class AutomaticCheckpoint(Checkpoint):
    """A checkpoint in the cache, in the place of one that an earlier scan of the same left there."""

    def __init__(self, path: bytes, plan: Checkpointing, facts: dict[str, object]) -> None:
        super().__init__(plan, facts)
        self._path = path
        self.failure = ""
        """Why none is kept; empty as long as one is."""

    @property
    def is_kept(self) -> bool:
        """Whether an interrupted scan can be continued from it."""
        return not self.failure

    def begin(self) -> None:
        """Make the log. Raises UsageError when another scan writes it, SpacemapError."""
        make_place(self._path)
        discard(self._path)  # where a lock forbids it, making the new one tells so
        super().begin()

    def advance(self, frames: Sequence[memoryview], renamed: Sequence[tuple[int, int]]) -> None:
        """Write what is new, as long as that works."""
        if self.is_kept:
            try:
                super().advance(frames, renamed)
            except SpacemapError as error:
                self._give_up(error)

    def finish(self, frames: Sequence[memoryview], renamed: Sequence[tuple[int, int]]) -> None:
        """Keep everything for the scan that takes it up, as long as that works."""
        try:
            super().finish(frames, renamed)
        except SpacemapError as error:
            self._give_up(error)

    def remove(self) -> None:
        """Remove the log, if it is still there."""
        with suppress(OSError):
            super().remove()

    def _give_up(self, error: SpacemapError) -> None:
        self.failure = str(error)
        self.remove()  # half a log is worth less than the room that it takes
