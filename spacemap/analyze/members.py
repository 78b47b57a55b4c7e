"""Files that were found equal, collected batch by batch, and laid out as groups."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from spacemap.analyze.candidates import Candidates
from spacemap.analyze.contents import MARK_TYPE, Rows, State
from spacemap.analyze.hashing import Batch, Classes, Ids
from spacemap.tree.columns import I64, U8, U64, Mask
from spacemap.tree.duplicates import Proof
from spacemap.tree.place import bounds

Numbers = npt.NDArray[np.int64]

SEEN_TYPE = np.dtype(
    [("mtime_ns", "<i8"), ("ctime_ns", "<i8"), ("birth_ns", "<i8"), ("blocks", "<u8"), ("links", "<u4")]
)
"""What is known of a member beside what its candidate says."""


@dataclass(frozen=True, slots=True)
class Members:
    """Files in groups, those of a group side by side."""

    ids: Ids
    """Rows of Candidates."""
    group: Numbers
    """Ascending."""
    rows: Rows
    """Of `SEEN_TYPE`."""
    low: U64
    """Of the hash of the whole content."""
    high: U64
    has_digest: Mask
    proof: U8
    """`Proof` values."""

    def taken(self, chosen: npt.NDArray[np.int64] | Mask) -> "Members":
        """Return some of them."""
        return Members(
            self.ids[chosen],
            self.group[chosen],
            self.rows[chosen],
            self.low[chosen],
            self.high[chosen],
            self.has_digest[chosen],
            self.proof[chosen],
        )

    def classes(self, sizes: U64) -> Classes:
        """Return the groups as classes to be compared; `sizes` are those of the files."""
        begin = bounds(self.group)
        return Classes(self.ids, begin, sizes[begin[:-1]])


_COLUMNS = {
    "ids": np.dtype(np.int64),
    "group": np.dtype(np.int64),
    "rows": SEEN_TYPE,
    "low": np.dtype(np.uint64),
    "high": np.dtype(np.uint64),
    "has_digest": np.dtype(np.bool_),
    "proof": np.dtype(np.uint8),
}


@dataclass(slots=True)
class Collected:
    """Grows while batches come."""

    columns: tuple[list[npt.NDArray[np.generic]], ...] = field(default_factory=lambda: tuple([] for _ in _COLUMNS))
    """For each field of Members its parts, those of a group side by side."""
    failed: list[tuple[Ids, Rows]] = field(default_factory=list)
    groups: int = 0
    wasted: int = 0
    """Bytes of all copies but one of each group, as far as it is known now."""

    def take(self, batch: Batch) -> None:
        """Take what is equal in a batch, and what could not be compared."""
        self.fail(batch)
        is_equal = batch.rows["state"] == State.EQUAL
        rows = batch.rows[is_equal]
        if not len(rows):
            return
        whole = np.zeros(len(batch.rows), np.int64) - 1
        marks = np.flatnonzero(batch.marks["offset"] == batch.sizes[batch.marks["file"]])
        whole[batch.marks["file"][marks]] = marks
        mark = whole[is_equal]
        digests = batch.marks if len(batch.marks) else np.zeros(1, MARK_TYPE)
        low, high = digests["low"][mark], digests["high"][mark]
        self._add(batch.ids[is_equal], rows, rows["part"].astype(np.int64), low, high, mark >= 0, Proof.COMPARED)

    def take_known(self, classes: Classes, rows: Rows, low: U64, high: U64) -> None:
        """Take classes that are equal by their hashes; `rows` are those of all candidates."""
        counts = np.diff(classes.begin)
        number = np.repeat(np.arange(len(classes)), counts)
        all_have = np.ones(len(number), np.bool_)
        self._add(classes.order, rows[classes.order], number, low[number], high[number], all_have, Proof.HASHED)

    def fail(self, batch: Batch) -> None:
        """Take what could not be compared."""
        failed = np.isin(batch.rows["state"], (State.FAILED, State.CHANGED))
        if failed.any():
            self.failed.append((batch.ids[failed], batch.rows[failed]))

    def members(self) -> Members:
        """Return all that is equal, the files of each group side by side, and forget it: it is half of the memory."""
        whole: list[npt.NDArray[np.generic]] = []
        for kind, parts in zip(_COLUMNS.values(), self.columns, strict=True):
            whole.append(np.concatenate([np.zeros(0, kind), *parts]))
            parts.clear()
        return Members(*whole)  # type: ignore[arg-type]

    def keep(self, members: Members) -> None:
        """Take members back."""
        for name, parts in zip(_COLUMNS, self.columns, strict=True):
            parts.append(getattr(members, name))

    def _add(  # noqa: PLR0913 - the columns
        self, ids: Ids, rows: Rows, number: Numbers, low: U64, high: U64, has_digest: Mask, proof: Proof
    ) -> None:
        distinct, group, count = np.unique(number, return_inverse=True, return_counts=True)
        order = np.lexsort((ids, group))
        order = order[count[group[order]] > 1]  # the others of one that is alone changed while they were read
        group = group[order]
        seen = np.empty(len(order), SEEN_TYPE)
        for name in SEEN_TYPE.names or ():
            seen[name] = rows[name][order]
        proofs = np.full(len(order), proof, np.uint8)
        self.keep(Members(ids[order], group + self.groups, seen, low[order], high[order], has_digest[order], proofs))
        self.groups += len(distinct)
        disk = seen["blocks"] * np.uint64(512)
        most = np.zeros(len(distinct), np.uint64)
        np.maximum.at(most, group, disk)
        self.wasted += int(disk.sum()) - int(most.sum())


def without_aliases(members: Members, candidates: Candidates) -> tuple[Members, Numbers]:
    """Return members without those that are another's file seen through another mount, and whose each of the given is.

    Another device number, but equal inode, times and time of birth: an overlay and its layer, or one server twice.
    """
    rows, device, inode = members.rows, candidates.device[members.ids], candidates.inode[members.ids]
    if not len(device) or (device == device[0]).all():
        return members, np.arange(len(device))
    keys = (device, rows["birth_ns"], rows["ctime_ns"], rows["mtime_ns"], inode, members.group)
    order = np.lexsort(keys)
    same = np.zeros(len(order), np.bool_)
    same[1:] = device[order][1:] != device[order][:-1]
    for key in keys[1:]:
        same[1:] &= key[order][1:] == key[order][:-1]
    owner = np.arange(len(order))
    begins = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
    owner[order] = order[begins]
    kept = owner == np.arange(len(order))
    place: I64 = np.cumsum(kept) - 1
    return members.taken(kept), place[owner]
