"""Files that were found equal, collected batch by batch, and laid out as groups."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from spacemap.analyze.contents import FILE_TYPE, MARK_TYPE, Rows, State
from spacemap.analyze.hashing import Batch, Classes, Ids
from spacemap.tree.columns import I64, U64, Mask
from spacemap.tree.duplicates import Proof

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Members:
    """Files in groups, those of a group side by side."""

    ids: Ids
    """Rows of Candidates."""
    group: Numbers
    """Ascending."""
    rows: Rows
    """Of `contents.FILE_TYPE`."""
    low: U64
    """Of the hash of the whole content."""
    high: U64
    has_digest: Mask
    proof: Numbers
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
        begin = np.flatnonzero(np.concatenate([[True], self.group[1:] != self.group[:-1], [True]]))
        return Classes(self.ids, begin.astype(np.int64), sizes[begin[:-1]])


@dataclass(slots=True)
class Collected:
    """Grows while batches come."""

    parts: list[Members] = field(default_factory=list)
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
        """Return all that is equal, the files of each group side by side."""
        if not self.parts:
            nothing, unsigned = np.zeros(0, np.int64), np.zeros(0, np.uint64)
            return Members(nothing, nothing, np.zeros(0, FILE_TYPE), unsigned, unsigned, np.zeros(0, np.bool_), nothing)
        names = Members.__dataclass_fields__
        together = Members(*(np.concatenate([getattr(part, name) for part in self.parts]) for name in names))
        return together.taken(np.lexsort((together.ids, together.group)))

    def _add(  # noqa: PLR0913 - the columns
        self, ids: Ids, rows: Rows, number: Numbers, low: U64, high: U64, has_digest: Mask, proof: Proof
    ) -> None:
        distinct, group, count = np.unique(number, return_inverse=True, return_counts=True)
        proofs = np.full(len(ids), proof, np.int64)
        alone = count[group] < 2  # the others changed while they were read
        members = Members(ids, group + self.groups, rows, low, high, has_digest, proofs)
        self.groups += len(distinct)
        self.parts.append(members.taken(~alone))
        disk = rows["blocks"] * np.uint64(512)
        most = np.zeros(len(distinct), np.uint64)
        np.maximum.at(most, group, disk)
        self.wasted += int(disk[~alone].sum()) - int(most[count > 1].sum())


def without_aliases(members: Members) -> tuple[Members, Numbers]:
    """Return members without those that are another's file seen through another mount, and whose each of the given is.

    Another device number, but equal inode, times and time of birth: an overlay and its layer, or one server twice.
    """
    rows = members.rows
    keys = (rows["device"], rows["birth_ns"], rows["ctime_ns"], rows["mtime_ns"], rows["inode"], members.group)
    order = np.lexsort(keys)
    same = np.zeros(len(order), np.bool_)
    if len(order) > 1:
        same[1:] = rows["device"][order][1:] != rows["device"][order][:-1]
        for key in keys[1:]:
            same[1:] &= key[order][1:] == key[order][:-1]
    owner = np.arange(len(order))
    begins = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
    owner[order] = order[begins]
    kept = owner == np.arange(len(order))
    place: I64 = np.cumsum(kept) - 1
    return members.taken(kept), place[owner]
