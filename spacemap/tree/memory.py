"""Memory outside the heap, that can be given back as a whole. Imports no numpy: frames are received into it, too."""

import mmap
from contextlib import suppress


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
