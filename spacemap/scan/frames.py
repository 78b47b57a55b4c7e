"""Frames on their way in: received without blocking, kept outside the heap so that their memory can be given back."""

import os

from spacemap.scan.wire import PREFIX_SIZE, FrameType, frame_length
from spacemap.tree.memory import anonymous_memory

ARENA_SIZE = 2 * 1024 * 1024


class Arena:
    """Anonymous mappings that frames are received into; one goes when the last view of it goes."""

    def __init__(self) -> None:
        self._block = memoryview(b"")
        self._used = 0

    def renew(self) -> None:
        """Begin another mapping, so that the one in use can go with its frames."""
        self._block = memoryview(b"")
        self._used = 0

    def room(self, size: int) -> memoryview:
        """Return writable memory of `size` bytes, aligned to 8."""
        if self._used + size > len(self._block):
            self._block = anonymous_memory(max(ARENA_SIZE, size), in_large_pages=True)
            self._used = 0
        start = self._used
        self._used += size + -size % 8
        return self._block[start : start + size]


class Receiver:
    """Reassembles the frames of one pipe."""

    def __init__(self, fd: int, arena: Arena) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._arena = arena
        self._prefix = bytearray(PREFIX_SIZE)
        self._frame: memoryview | None = None
        self._filled = 0
        self.is_closed = False

    def receive(self) -> list[tuple[FrameType, memoryview]]:
        """Return the frames that are complete by now. Raises WireError for what is none."""
        frames: list[tuple[FrameType, memoryview]] = []
        while True:
            target = memoryview(self._prefix) if self._frame is None else self._frame
            try:
                got = os.readv(self._fd, [target[self._filled :]])
            except BlockingIOError:
                return frames
            if not got:
                self.is_closed = True
                return frames
            self._filled += got
            if self._filled < len(target):
                continue
            if self._frame is None:
                _, length = frame_length(bytes(self._prefix))
                self._frame = self._arena.room(length)
                self._frame[:PREFIX_SIZE] = self._prefix
            if self._filled == len(self._frame):
                frames.append((frame_length(self._frame[:PREFIX_SIZE])[0], self._frame))
                self._frame, self._filled = None, 0
