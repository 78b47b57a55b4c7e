"""The contract that all engines keep, for the type checker: nothing here is needed at run time."""

from collections.abc import Callable
from typing import Protocol

Verdicts = Callable[[bytes, bytes], bytes | None]
"""`Exclusions.verdicts`."""


class Walker(Protocol):
    """What the native and the python engine both are. Frames go to a descriptor, or are kept for `take`."""

    def start(self) -> None:
        """Start the listers, threads of this process."""

    def push(self, count: int, records: bytes, /) -> None:
        """Add the directories of a frame's body."""

    def poison(self, device: int, inode: int, /) -> None:
        """Hand this directory back instead of opening it, from now on."""

    def wait(self, seconds: float, /) -> bool:
        """Wait until nothing waits and nobody lists, at most so long; return whether that is so."""

    def give(self, whole: bool, /) -> None:  # noqa: FBT001 - the native twin takes it by position
        """Hand back half of what waits, or all of it, the oldest first; always answers with a frame."""

    def take(self) -> bytes:
        """Return the frames kept in memory, and forget them."""

    def status(self) -> list[tuple[int, int, int]]:
        """Return (last sign of life in monotonic ns, device, inode) of each listing under way."""

    def send(self, frame: bytes, /) -> None:
        """Write a frame of the caller's own between those of the listers."""

    def stop(self) -> None:
        """Finish the listings under way, send them, end the listers."""


class WalkerClass(Protocol):
    """How a walker is made."""

    def __call__(  # noqa: PLR0913 - what a walker must know
        self,
        *,
        roots: tuple[bytes, ...],
        ref_base: int,
        listers: int,
        sink: int,
        follow_symlinks: bool,
        read_times: bool,
        exclude_caches: bool,
        max_depth: int,
        flush_entries: int,
        exclude: Verdicts | None,
    ) -> Walker: ...
