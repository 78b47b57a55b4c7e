"""Bringing slices to their places: in C where it was built, in numpy elsewhere, with the same result."""

from importlib import import_module
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

Index = npt.NDArray[np.int64]
Column = npt.NDArray[np.generic]
Value = TypeVar("Value", bound=np.generic)


class _Move(Protocol):
    def __call__(  # noqa: PLR0913 - the arguments of the C function
        self,
        target: Column | bytearray,
        source: Column | memoryview,
        to: Index,
        begin: Index,
        end: Index,
        width: int,
        /,
    ) -> None: ...


def ranges(first: Index, count: Index) -> Index:
    """Return first[0], first[0] + 1, ... for count[0] values, then the same of the next, laid end to end."""
    ends = np.cumsum(count)
    result = np.repeat(first - (ends - count), count)
    result += np.arange(len(result))
    return result


def distinct(ascending: npt.NDArray[Value]) -> npt.NDArray[Value]:
    """Return each value of an ascending array once; unlike numpy.unique it need not sort, nor import numpy.ma."""
    is_first = np.ones(len(ascending), np.bool_)
    is_first[1:] = ascending[1:] != ascending[:-1]
    return ascending[is_first]


def bounds(grouped: npt.NDArray[Value]) -> Index:
    """Return where each run of equal values begins, and where the last one ends; one 0 for no values."""
    is_bound = np.ones(len(grouped) + 1, np.bool_)
    is_bound[1:-1] = grouped[1:] != grouped[:-1]
    return np.flatnonzero(is_bound)


def move_in_numpy(  # noqa: PLR0913 - the arguments of the C function
    target: Column | bytearray, source: Column | memoryview, to: Index, begin: Index, end: Index, width: int
) -> None:
    """Copy source[begin:end] to target[to:], slice by slice; positions in values of `width` bytes."""
    if isinstance(target, np.ndarray) and isinstance(source, np.ndarray):
        target.view(f"u{width}")[ranges(to, end - begin)] = source.view(f"u{width}")[ranges(begin, end - begin)]
        return
    for first, last, place in zip((begin * width).tolist(), (end * width).tolist(), (to * width).tolist(), strict=True):
        target[place : place + last - first] = source[first:last]


def _load() -> _Move:
    try:
        move: _Move = import_module("spacemap.tree._moves").move
    except ModuleNotFoundError:
        return move_in_numpy
    return move


move_slices = _load()
