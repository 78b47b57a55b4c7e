"""What kept hashes tell of candidates, so that what did not change is not read again."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spacemap.analyze.candidates import Candidates
from spacemap.analyze.contents import Rows, State
from spacemap.analyze.hashing import Batch, Classes, Ids
from spacemap.store.hashes import Hashes, today
from spacemap.tree.columns import GRANULARITY_NS, U64, Mask
from spacemap.tree.place import bounds, ranges

Keys = npt.NDArray[np.int64]

_DEPTHS = 1024


@dataclass(frozen=True, slots=True)
class Settled:
    """What is to be done about candidates, by hashes alone."""

    equal: Classes
    """Equal by their hashes."""
    low: U64
    """Of the hash of each class of `equal`."""
    high: U64
    unclear: Classes
    """To be compared."""


def all_classes(candidates: Candidates) -> Classes:
    """Return all candidates, class by class."""
    return Classes(np.arange(len(candidates)), candidates.begin, candidates.size)


def without_known(candidates: Candidates, known: npt.NDArray[np.int64]) -> tuple[Classes, Classes, Ids]:
    """Return classes of which nothing is known, the unknown files of the others, and all files of the others.

    `known` has a row of the hashes for each candidate, or -1.
    """
    class_of = np.repeat(np.arange(len(candidates.size)), np.diff(candidates.begin))
    has_known = np.bincount(class_of[known >= 0], minlength=len(candidates.size)) > 0
    is_mixed = has_known[class_of]
    ids = np.arange(len(candidates))
    fresh = _classes(candidates, ids[~is_mixed], class_of[~is_mixed])
    unknown = _classes(candidates, ids[is_mixed & (known < 0)], class_of[is_mixed & (known < 0)])
    return fresh, unknown, ids[is_mixed]


def settle(candidates: Candidates, ids: Ids, known: npt.NDArray[np.int64], hashes: Hashes, fresh: Mask) -> Settled:
    """Tell files apart by their hashes: `known` is the row of each candidate, `fresh` those that were read just now.

    Files of which a first mark is missing are told apart by nothing.
    """
    class_of = np.repeat(np.arange(len(candidates.size)), np.diff(candidates.begin))[ids]
    row = known[ids]
    group = class_of.astype(np.int64)
    equal: list[tuple[Ids, Keys]] = []
    unclear: list[tuple[Ids, Keys]] = []
    depth = 0
    while len(ids):
        count = hashes.first_mark[row + 1] - hashes.first_mark[row]
        lacking = (row < 0) | (count <= depth)
        mark = np.where(lacking, 0, hashes.first_mark[row] + depth)
        offset = np.where(lacking, 0, hashes.mark_offset[mark]).astype(np.uint64)
        doubtful = _groups_with(group, lacking | (offset != _first_of_each(group, offset)))
        unclear.append((ids[doubtful], group[doubtful] * _DEPTHS + depth))
        keep = ~doubtful
        ids, row, group, mark, offset = ids[keep], row[keep], group[keep], mark[keep], offset[keep]
        group = _numbered(group, hashes.mark_low[mark], hashes.mark_high[mark])
        several = _counts(group) > 1
        ids, row, group, offset = ids[several], row[several], group[several], offset[several]
        is_whole = offset == sizes_of(candidates, ids)
        equal.append((ids[is_whole], group[is_whole] * _DEPTHS + depth))
        ids, row, group = ids[~is_whole], row[~is_whole], group[~is_whole]
        # What was read just now goes no further by hashes: contents are compared where they can be.
        reads = _groups_with(group, fresh[ids])
        unclear.append((ids[reads], group[reads] * _DEPTHS + depth + _DEPTHS // 2))
        ids, row, group = ids[~reads], row[~reads], group[~reads]
        depth += 1
    found = _joined(candidates, equal)
    last = hashes.first_mark[known[found.order[found.begin[:-1]]] + 1] - 1
    return Settled(found, hashes.mark_low[last], hashes.mark_high[last], _joined(candidates, unclear))


def hashes_of(batch: Batch, now_ns: int, *, with_recent: bool = False) -> Hashes:
    """Return what a batch tells; not of files that changed so recently that they may change again unnoticed."""
    rows = batch.rows
    marks = batch.marks[np.argsort(batch.marks["file"], kind="stable")]
    newest = np.maximum(rows["mtime_ns"], rows["ctime_ns"])
    is_kept = np.isin(rows["state"], (State.UNIQUE, State.EQUAL))
    if not with_recent:
        is_kept &= newest < batch.begun_ns - GRANULARITY_NS
    count = np.bincount(marks["file"], minlength=len(rows))
    ends = np.cumsum(count)
    is_kept &= count > 0
    chosen = ranges((ends - count)[is_kept], count[is_kept])
    return Hashes(
        device=rows["device"][is_kept],
        inode=rows["inode"][is_kept],
        size=batch.sizes[is_kept],
        mtime_ns=rows["mtime_ns"][is_kept],
        ctime_ns=rows["ctime_ns"][is_kept],
        used=np.full(int(np.count_nonzero(is_kept)), today(now_ns), np.uint32),
        first_mark=np.concatenate([[0], np.cumsum(count[is_kept])]).astype(np.int64),
        mark_offset=marks["offset"][chosen],
        mark_low=marks["low"][chosen],
        mark_high=marks["high"][chosen],
    )


def found_rows(rows: Rows, candidates: Candidates, hashes: Hashes) -> npt.NDArray[np.int64]:
    """Return the row of the hashes for each candidate as it is now, -1 where nothing is known."""
    size = np.repeat(candidates.size, np.diff(candidates.begin))
    row = hashes.find(rows["device"], rows["inode"], size, rows["mtime_ns"], rows["ctime_ns"])
    is_other = (rows["errno"] != 0) | (rows["inode"] != candidates.inode) | (rows["device"] != candidates.device)
    row[is_other] = -1
    return row


def sizes_of(candidates: Candidates, ids: Ids) -> U64:
    """Return the size of each of some candidates, bytes."""
    return candidates.size[candidates.begin.searchsorted(ids, "right") - 1]


def _joined(candidates: Candidates, parts: list[tuple[Ids, Keys]]) -> Classes:
    ids = np.concatenate([np.zeros(0, np.int64), *(part for part, _ in parts)])
    key = np.concatenate([np.zeros(0, np.int64), *(key for _, key in parts)])
    several = _counts(key) > 1
    return _classes(candidates, ids[several], key[several])


def _classes(candidates: Candidates, ids: Ids, group: Keys) -> Classes:
    """Return classes of files by group, those with the most to gain first."""
    order = np.lexsort((ids, group))
    ids, group = ids[order], group[order]
    begin = bounds(group)
    size, count = sizes_of(candidates, ids[begin[:-1]]), np.diff(begin)
    by_gain = np.argsort(-(size.astype(np.float64) * (count - 1)), kind="stable")
    return Classes(
        ids[ranges(begin[:-1][by_gain], count[by_gain])],
        np.concatenate([[0], np.cumsum(count[by_gain])]).astype(np.int64),
        size[by_gain],
    )


def _numbered(*keys: npt.NDArray[np.integer]) -> Keys:
    """Return a number for each row, equal where all keys are."""
    order = np.lexsort(keys[::-1])
    begins = np.zeros(len(order), np.bool_)
    for key in keys:
        begins[1:] |= key[order][1:] != key[order][:-1]
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(begins)
    return number


def _counts(group: Keys) -> Keys:
    """Return for each row how many are in its group."""
    _, inverse, count = np.unique(group, return_inverse=True, return_counts=True)
    return count[inverse]


def _groups_with(group: Keys, is_such: Mask) -> Mask:
    """Return the rows whose group has such a row."""
    return np.isin(group, np.unique(group[is_such]))


def _first_of_each(group: Keys, values: U64) -> U64:
    """Return for each row the value of the first row of its group."""
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    return values[first[inverse]]
