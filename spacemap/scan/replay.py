"""What a checkpoint holds, read back: batches under the references that their listings have by now.

A log is a file that anybody may have written. What the checksums let through is looked at before it is used.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from spacemap.errors import FormatError
from spacemap.scan.batch import decode_batch
from spacemap.scan.engine import BASE_NUMBER, WORKER_BITS
from spacemap.scan.wire import RENAMED, FrameType, WireError
from spacemap.store.log import LogContent
from spacemap.tree.batch import Batch
from spacemap.tree.columns import U64, VANISHED, Flag, Kind, Operation, Skip
from spacemap.tree.order import References

MOST_WORKERS = BASE_NUMBER - 4096
"""Numbers of workers below this leave enough for one scan more."""
_FLAGS = sum(Flag) - Flag.FOLDED


class Resumed(NamedTuple):
    """What a checkpoint holds."""

    batches: list[Batch]
    """That of the roots first; none when the scan was interrupted before anything was kept."""
    started_ns: int
    """Wall clock when the first scan began."""
    next_number: int
    """Of the workers: smaller ones gave references that are in use."""
    note: str
    """What could not be used; empty when all could."""


def replay(path: str, content: LogContent, roots: Sequence[bytes]) -> Resumed:
    """Return what a log of a scan of these roots holds. Raises FormatError."""
    started_ns = content.facts.get("started_ns")
    try:
        if not isinstance(started_ns, int) or not -(1 << 63) <= started_ns < 1 << 63:
            raise WireError("the header does not say when the scan began")
        batches, next_number = _batches(content)
        if batches:
            _check_roots(batches[0], roots)
            _check_references(batches)
    except (WireError, ValueError) as error:
        raise FormatError(f"{path!r}: {error}; remove the file and scan anew with --checkpoint") from error
    lost = content.lost
    note = f"the last {lost} bytes of the checkpoint were damaged; what they held was scanned again" if lost else ""
    return Resumed(batches, started_ns, next_number, note)


def _batches(content: LogContent) -> tuple[list[Batch], int]:
    """Return the batches, the roots' first, and the number of the next worker. Raises WireError, ValueError."""
    roots: Batch | None = None
    batches: list[Batch] = []
    likes: dict[int, int] = {}
    """The reference that each has by the end of the log."""
    highest = 0
    for frame in reversed(content.frames):  # so that each reference is translated once
        if frame.type == FrameType.BATCH:
            batch = _checked(decode_batch(frame.body))
            highest = max(highest, _number(np.array([batch.base_ref], np.uint64)), _number(batch.listing_ref))
            if batch.base_ref:
                batches.append(_translated(batch, likes))
            elif roots is None:
                roots = batch
        elif frame.type == RENAMED:
            pairs = np.frombuffer(frame.body, np.uint64).reshape(-1, 2)
            highest = max(highest, _number(pairs.ravel()))
            for old, new in reversed(pairs.tolist()):
                likes[old] = likes.get(new, new)
    if highest >= MOST_WORKERS:
        raise WireError("too many workers have written it")
    return ([roots, *reversed(batches)] if roots is not None else []), highest + 1


def _number(refs: U64) -> int:
    """Return the highest number of a worker among references; those into the tree of an earlier scan lead nowhere."""
    numbers = refs >> np.uint64(WORKER_BITS)
    return int(numbers[numbers != BASE_NUMBER].max(initial=0))


def _translated(batch: Batch, likes: dict[int, int]) -> Batch:
    """Return a batch whose listings and problems are of the likes of their references."""
    if not likes:
        return batch
    listing_ref, problem_ref = (
        np.array([likes.get(ref, ref) for ref in refs.tolist()], np.uint64)
        for refs in (batch.listing_ref, batch.problem_ref)
    )
    return replace(batch, listing_ref=listing_ref, problem_ref=problem_ref)


def _checked(batch: Batch) -> Batch:
    """Return a batch whose columns fit each other. Raises WireError."""
    entries = len(batch)
    outside = entries - int(batch.listing_count.sum(dtype=np.int64))
    is_roots = batch.base_ref == 0
    names = np.frombuffer(batch.names, np.uint8)
    fits = (
        outside == int(is_roots)
        and (is_roots or 1 <= batch.base_ref >> WORKER_BITS < BASE_NUMBER)
        and int(batch.name_length.sum(dtype=np.int64)) == len(names)
        and int(np.count_nonzero(batch.kind == Kind.DIRECTORY)) == len(batch.directory_skip)
        and bool((np.diff(batch.link_index.astype(np.int64)) > 0).all())
        and int(batch.link_index.max(initial=0)) < max(entries, 1)
        and not batch.listing_count[batch.listing_skip != Skip.NONE].any()
    )
    knows = (
        int(batch.kind.max(initial=0)) <= max(Kind)
        and not (batch.flags & np.uint8(0xFF ^ _FLAGS)).any()
        and int(batch.directory_skip.max(initial=0)) <= max(Skip)
        and bool(((batch.listing_skip <= max(Skip)) | (batch.listing_skip == VANISHED)).all())
        and int(batch.problem_operation.max(initial=1)) <= max(Operation)
        and int(batch.problem_operation.min(initial=1)) >= min(Operation)
        and int(batch.problem_errno.max(initial=0)) < 1 << 31
        and (is_roots or (bool(batch.name_length.all()) and not (names == 0).any() and not (names == ord("/")).any()))
    )
    if not fits or not knows:
        raise WireError("a batch has columns that do not fit each other")
    return batch


def _check_roots(batch: Batch, roots: Sequence[bytes]) -> None:
    """Raise WireError unless the first batch is that of these roots."""
    ends = np.cumsum(batch.name_length.astype(np.int64)).tolist()
    names = [bytes(batch.names[begin:end]) for begin, end in zip([0, *ends], ends, strict=False)]
    above = [] if len(names) == 1 else [b""]
    if names != [*above, *roots] or batch.listing_ref.tolist() != [0] * len(above) or batch.kind[0] != Kind.DIRECTORY:
        raise WireError("its roots are not those of its header")


def _check_references(batches: Sequence[Batch]) -> None:
    """Raise WireError where two batches give the same references, or a listing is not a directory's."""
    base = np.array([batch.base_ref for batch in batches], np.uint64)
    size = np.array([len(batch) for batch in batches], np.uint64)
    order = np.lexsort((size, base))
    ends = base[order] + size[order]
    if (ends[:-1] > base[order][1:]).any():
        raise WireError("two batches hold entries of the same reference")
    refs = References(batches)
    kind = np.concatenate([batch.kind for batch in batches])
    for batch in batches:
        rows = refs.rows(batch.listing_ref)
        if (kind[rows[rows >= 0]] != Kind.DIRECTORY).any():
            raise WireError("a listing belongs to what is no directory")
