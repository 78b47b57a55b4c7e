"""The checkpoint that nobody asked for: in the cache, in the place of one that an earlier scan of the same left."""

from spacemap.scan.checkpoint import Checkpoint, Checkpointing
from spacemap.store.cache import discard, make_place


class AutomaticCheckpoint(Checkpoint):
    """A checkpoint that is begun when the scan has gone on for a while."""

    def __init__(self, path: bytes, plan: Checkpointing, facts: dict[str, object]) -> None:
        super().__init__(plan, facts)
        self._path = path

    @property
    def is_kept(self) -> bool:
        """Whether it holds what the scan received, as far as that went."""
        return not self._is_given_up

    def begin(self) -> None:
        """Make the log. Raises UsageError when another scan writes it, SpacemapError."""
        make_place(self._path)
        discard(self._path)  # where a lock forbids it, making the new one tells so
        super().begin()
