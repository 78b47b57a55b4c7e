"""Memory outside the heap, that can be given back as a whole. Imports no numpy: frames are received into it, too."""

import mmap
from contextlib import suppress

_MMAP_THRESHOLD = -3
_LARGE = 1 << 19


def anonymous_memory(size: int, *, in_large_pages: bool = False) -> memoryview:
    """Return zeroed memory of so many bytes; it goes with the last view of it.

    In large pages, where the system grants them, the first touch takes less time; they are for memory that is filled
    from begin to end, since the first byte of each takes all of it.
    """
    if not hasattr(mmap, "MAP_PRIVATE"):
        return memoryview(mmap.mmap(-1, max(size, 1)))
    memory = mmap.mmap(-1, max(size, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if in_large_pages and hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel without them
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(memory)


def give_back_large_blocks() -> None:
    """Let the C library take large arrays from the system one by one, so that each goes back when it is not needed.

    Left alone, glibc begins to put them on its heap as soon as one was freed, and there they leave holes.
    """
    from ctypes import CDLL  # noqa: PLC0415  5 ms that a scan does not need

    with suppress(AttributeError, OSError):  # another C library
        CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)
