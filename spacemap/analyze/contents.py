"""Comparing the contents of files of one size: in C where it was built, in Python elsewhere, with the same result."""

from enum import IntEnum
from importlib import import_module
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.void]

FILE_TYPE = np.dtype(
    [
        ("directory", "<i8"),  # where its directory's path, ended by 0, begins in `directories`
        ("name", "<i8"),  # where its name begins in `names`
        ("name_length", "<i4"),
        ("part", "<u4"),  # files with equal contents have equal parts
        ("device", "<u8"),
        ("inode", "<u8"),
        ("blocks", "<u8"),
        ("links", "<u8"),
        ("mtime_ns", "<i8"),
        ("ctime_ns", "<i8"),
        ("birth_ns", "<i8"),  # 0 where it is not known
        ("errno", "<i4"),
        ("state", "<i4"),
    ]
)
MARK_TYPE = np.dtype([("offset", "<u8"), ("low", "<u8"), ("high", "<u8"), ("file", "<u4"), ("unused", "<u4")])
FIRST_WINDOW = 4096
"""Bytes that are read of every file first."""
MEMORY = 4 << 20
"""Bytes of windows that one thread holds."""


class Counter(IntEnum):
    """Where in an array are the numbers that whoever compares counts up meanwhile."""

    BYTES = 0
    """Read, or skipped as a hole."""
    WAITED = 1
    """Windows that were not in the page cache."""
    FILES = 2
    """Of which everything is known."""
    STOP = 3
    """Set by others: it ends."""


class State(IntEnum):
    """What became of a file."""

    WAITING = 0
    UNIQUE = 1
    EQUAL = 2
    """To all others of its part."""
    FAILED = 3
    CHANGED = 4
    STOPPED = 5


class Compare(Protocol):
    """Finds out state, part and identity of each file of each class, and returns marks.

    A mark is the digest of the beginning of a file, up to where others of its class differ from it, or to its end.
    With `only_first`, what is left together after the first window is equal as far as that. `mask` weakens digests,
    which must not matter: what is EQUAL was compared.
    """

    def __call__(  # noqa: PLR0913 - the arguments of the C function
        self,
        files: Rows,
        begins: npt.NDArray[np.int64],
        sizes: npt.NDArray[np.uint64],
        directories: bytes,
        names: memoryview,
        counters: npt.NDArray[np.uint64],
        memory: int,
        open_files: int,
        only_first: bool,  # noqa: FBT001
        mask: int = -1,
        /,
    ) -> bytes: ...


class Identify(Protocol):
    """Fills in the identity of each file as it is now; `errno` where it has none."""

    def __call__(self, files: Rows, directories: bytes, names: memoryview, /) -> None: ...


class Engine(NamedTuple):
    """Who knows the contents of files."""

    name: str
    compare: Compare
    identify: Identify


def load() -> Engine:
    """Return what was built, or what is always there."""
    try:
        return engine_of("spacemap.analyze._contents")
    except ModuleNotFoundError:
        return engine_of("spacemap.analyze._python_contents")


def engine_of(module: str) -> Engine:
    """Return the engine of a module. Raises ModuleNotFoundError where it was not built."""
    found = import_module(module)
    return Engine(module, found.compare, found.identify)
