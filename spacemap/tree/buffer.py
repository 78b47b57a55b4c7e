"""One block of memory for the columns of a tree."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from spacemap.tree.memory import anonymous_memory

Value = TypeVar("Value", bound=np.generic)

ALIGNMENT = 64


class Buffer:
    """Hands out zeroed columns of one block, one after the other."""

    def __init__(self, size: int) -> None:
        self._block = anonymous_memory(size)
        self._used = 0

    @staticmethod
    def room(dtype: np.dtype[np.generic], length: int) -> int:
        """Return the bytes that a column takes in a buffer."""
        size = dtype.itemsize * length
        return size + -size % ALIGNMENT

    def take(self, dtype: np.dtype[Value], length: int) -> npt.NDArray[Value]:
        """Return the next column, writable."""
        column = np.frombuffer(self._block, dtype, length, self._used)
        self._used += self.room(dtype, length)
        return column
