"""Names that contain a text, found in the blob of all names at once."""

import numpy as np
import numpy.typing as npt

from spacemap.tree.columns import U8, EntryIds, Mask
from spacemap.tree.place import distinct
from spacemap.tree.tree import Tree

_CHUNK = 1 << 22
"""Bytes of names at a time."""
_SHORT = 16
"""Bytes of a text that many names have."""
_SHIFT = np.uint8(0x20)


def names_containing(tree: Tree, part: slice, text: bytes) -> EntryIds:
    """Return the entries of a range of ids whose names contain the text, ascending.

    Without a capital letter in the text, ASCII letters of either case are equal. Cost: a few passes over the names.
    """
    if not text or part.start >= part.stop:
        return np.arange(part.start, part.stop)
    found = []
    for start, stop in name_chunks(tree, part):
        begin, end = int(tree.name_offset[start]), int(tree.name_offset[stop])
        names = np.frombuffer(tree.names[begin:end], np.uint8)
        offset = tree.name_offset[start : stop + 1].astype(np.int64) - begin
        found.append(_owners(_positions(names, text), offset, len(text)) + start)
    return np.concatenate(found)


def name_chunks(tree: Tree, part: slice) -> list[tuple[int, int]]:
    """Return ranges of entries with about as many bytes of names each, few enough for a processor's cache."""
    begin, end = int(tree.name_offset[part.start]), int(tree.name_offset[part.stop])
    cuts = np.arange(begin + _CHUNK, end, _CHUNK).astype(tree.name_offset.dtype)
    inner = tree.name_offset[part.start : part.stop + 1].searchsorted(cuts) + part.start
    bounds = distinct(np.concatenate([[part.start], inner, [part.stop]])).tolist()
    return list(zip(bounds[:-1], bounds[1:], strict=True))


def _positions(names: U8, text: bytes) -> npt.NDArray[np.int64]:
    """Return where in the names the text begins."""
    folds = text == text.lower()
    if len(names) < len(text):
        return np.zeros(0, np.int64)
    # The rarer of the first two bytes would do; both together leave few enough for the rest.
    room = len(names) - len(text) + 1
    mask = _equal(names[:room], text[0], folds=folds)
    if len(text) > 1:
        mask &= _equal(names[1 : room + 1], text[1], folds=folds)
    positions = np.flatnonzero(mask)
    for place, byte in enumerate(text[2:], 2):
        positions = positions[_equal(names[positions + place], byte, folds=folds)]
    return positions


def _equal(names: U8, byte: int, *, folds: bool) -> Mask:
    if folds and ord("a") <= byte <= ord("z"):
        names = names | _SHIFT
    mask: Mask = names == byte
    return mask


def _owners(positions: npt.NDArray[np.int64], offset: npt.NDArray[np.int64], length: int) -> npt.NDArray[np.int64]:
    """Return the rows of names in which a text of so many bytes begins and ends; positions ascend."""
    if len(positions) * 4 > len(offset) and length <= _SHORT:
        return _owners_of_many(positions, offset, length)
    row = np.searchsorted(offset, positions, side="right") - 1
    row = row[positions + length <= offset[row + 1]]
    return distinct(row)


def _owners_of_many(
    positions: npt.NDArray[np.int64], offset: npt.NDArray[np.int64], length: int
) -> npt.NDArray[np.int64]:
    """Return the same in a pass over the names: searching the name of each position would be many."""
    begins: Mask = np.zeros(int(offset[-1]), np.bool_)
    begins[positions] = True
    filled = np.flatnonzero(offset[1:] > offset[:-1])
    first, end = offset[filled], offset[filled + 1]
    for back in range(1, length):  # what begins here ends in the next name
        tail = end - back
        begins[tail[tail >= first]] = False
    return filled[np.logical_or.reduceat(begins, first)]
