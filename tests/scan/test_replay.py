"""Frames whose checksums are right and whose content is not are refused before anything is made of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacemap.errors import FormatError
from spacemap.scan.base import base_of_batches
from spacemap.scan.batch import BatchWriter
from spacemap.scan.engine import BASE_NUMBER, WORKER_BITS
from spacemap.scan.replay import Resumed, replay
from spacemap.scan.wire import RENAMED
from spacemap.store.log import Frame, LogContent
from spacemap.tree.columns import VANISHED

FIRST = 1 << WORKER_BITS
SECOND = 2 << WORKER_BITS
WIDE = (1 << 64) - 1


def add(batch: BatchWriter, name: bytes, *, kind: int = 1, inode: int = 5) -> None:
    """Append an entry; of kind 0, a directory."""
    if kind == 0:
        batch.add_directory(1, 2, 3, 0)
    batch.kind.append(kind)
    batch.flags.append(0)
    batch.name_length.append(len(name))
    batch.names.append(name)
    batch.apparent_size.append(100)
    batch.blocks.append(8)
    batch.mtime.append(-1)
    batch.inode.append(inode)


def roots() -> BatchWriter:
    batch = BatchWriter(0)
    add(batch, b"/r", kind=0)
    return batch


def first() -> BatchWriter:
    """Return the listing of the root: a directory of reference FIRST, and a file that is one of several links."""
    batch = BatchWriter(FIRST)
    add(batch, b"d", kind=0)
    batch.link_index.append(len(batch))
    batch.link_count.append(2)
    batch.link_device.append(1)
    add(batch, b"f")
    batch.add_listing(0, 2, 0)
    return batch


def second() -> BatchWriter:
    """Return the listing of the directory, and a problem in it."""
    batch = BatchWriter(SECOND)
    add(batch, b"x")
    add(batch, b"y")
    batch.add_listing(FIRST, 2, 0)
    batch.add_problem(FIRST, 1, 13)
    return batch


def log(*bodies: bytes | tuple[int, bytes], started: object = 1, lost: int = 0) -> LogContent:
    frames = [
        Frame(1, memoryview(body)) if isinstance(body, bytes) else Frame(body[0], memoryview(body[1]))
        for body in bodies
    ]
    return LogContent({"started_ns": started}, frames, 0, lost)


def read(content: LogContent) -> Resumed:
    return replay("log", content, [b"/r"])


def pairs(*refs: int) -> tuple[int, bytes]:
    return RENAMED, np.array(refs, np.uint64).tobytes()


def names(resumed: Resumed) -> list[bytes]:
    tree = base_of_batches(resumed.batches, {}, resumed.started_ns).tree
    return [tree.path(entry) for entry in range(len(tree))]


def test_batches_in_any_order() -> None:
    """Whatever the order of batches, and of frames that are not for checkpoints, the tree is whole."""
    ordered = [roots().take(), first().take(), second().take()]
    expected = [b"/r", b"/r/d", b"/r/f", b"/r/d/x", b"/r/d/y"]

    assert expected == names(read(log(*ordered)))
    assert expected == names(read(log(*ordered[::-1], (3, b""), (55, b"of a version to come"))))
    assert (3, [b"/r", b"/r/d", b"/r/f"]) == (read(log(*ordered)).next_number, names(read(log(*ordered[:2]))))


def test_numbers_that_only_references_tell() -> None:
    """A worker whose own entries never arrived, but whose directories others listed, has used its number."""
    listed = BatchWriter(FIRST)
    listed.add_listing(7 << WORKER_BITS, 0, 0)

    assert 8 == read(log(roots().take(), listed.take())).next_number
    assert 10 == read(log(roots().take(), first().take(), pairs(FIRST, 9 << WORKER_BITS))).next_number
    assert 2 == read(log(roots().take(), first().take(), pairs(FIRST, BASE_NUMBER << WORKER_BITS))).next_number


def test_renamed_more_than_once() -> None:
    """A listing goes from reference to reference in the order of the log, within a frame and over several."""
    again = BatchWriter(3 << WORKER_BITS)
    add(again, b"e", kind=0)
    add(again, b"f")
    again.add_listing(0, 2, 0)
    above = again.take()
    expected = [b"/r", b"/r/e", b"/r/f", b"/r/e/x", b"/r/e/y"]
    between, last = 5 << WORKER_BITS, 3 << WORKER_BITS
    before = roots().take(), first().take(), second().take()

    assert expected == names(read(log(*before, pairs(FIRST, between, between, last), above)))
    assert expected == names(read(log(*before, pairs(FIRST, between), pairs(between, last), above)))
    assert expected[:3] == names(read(log(*before[:2], pairs(FIRST, last), above, before[2])))


def _changed(make: Callable[[], BatchWriter], change: Callable[[BatchWriter], object]) -> bytes:
    batch = make()
    change(batch)
    return batch.take()


def _set(column: str, at: int, value: int) -> Callable[[BatchWriter], None]:
    def change(batch: BatchWriter) -> None:
        getattr(batch, column)[at] = value

    return change


def _append(column: str, value: object) -> Callable[[BatchWriter], None]:
    return lambda batch: getattr(batch, column).append(value)


def _in_itself() -> BatchWriter:
    batch = roots()
    batch.add_listing(0, 1, 0)
    return batch


LINK_COLUMNS = ("link_index", "link_count", "link_device")
HOSTILE = {
    "a count beyond the entries": _changed(first, _set("listing_count", 0, 3)),
    "a huge count": _changed(first, _set("listing_count", 0, (1 << 32) - 1)),
    "entries in no listing": _changed(first, _set("listing_count", 0, 1)),
    "a listing of a skipped directory": _changed(first, _set("listing_skip", 0, 5)),
    "an unknown skip of a listing": _changed(first, _set("listing_skip", 0, 99)),
    "an unknown skip of a directory": _changed(first, _set("directory_skip", 0, VANISHED)),
    "more directories than entries": _changed(first, lambda batch: batch.add_directory(1, 1, 1, 0)),
    "an unknown kind": _changed(first, _set("kind", 1, 4)),
    "an unknown flag": _changed(first, _set("flags", 1, 64)),
    "an aggregate": _changed(first, _set("flags", 1, 16)),
    "a link beyond the entries": _changed(first, _set("link_index", 0, 2)),
    "a link twice": _changed(first, lambda batch: [_append(column, 1)(batch) for column in LINK_COLUMNS]),
    "a name that is too long": _changed(first, _set("name_length", 0, 60_000)),
    "an empty name": _changed(first, lambda b: (_set("name_length", 0, 0)(b), _set("name_length", 1, 2)(b))),
    "a name with a slash": _changed(first, lambda batch: batch.names.__setitem__(1, b"/")),
    "a name with a NUL": _changed(first, lambda batch: batch.names.__setitem__(1, b"\0")),
    "names beyond their lengths": _changed(first, _append("names", b"more")),
    "an unknown operation": _changed(second, _set("problem_operation", 0, 9)),
    "an unknown errno": _changed(second, _set("problem_errno", 0, (1 << 32) - 1)),
    "a listing of a file": _changed(second, _set("listing_ref", 0, FIRST + 1)),
    "entries that others are": _changed(second, lambda batch: setattr(batch, "base_ref", FIRST + 1)),
    "entries of nobody": _changed(second, lambda batch: setattr(batch, "base_ref", 5)),
    "entries of a base": _changed(second, lambda batch: setattr(batch, "base_ref", BASE_NUMBER << WORKER_BITS)),
    "entries at the end of all": _changed(second, lambda batch: setattr(batch, "base_ref", WIDE)),
    "the last worker": _changed(second, lambda batch: setattr(batch, "base_ref", (BASE_NUMBER - 1) << WORKER_BITS)),
    "a root in itself": _in_itself().take(),
    "two roots": _changed(roots, lambda batch: add(batch, b"/s", kind=0)),
    "another root": _changed(roots, lambda batch: batch.names.__setitem__(0, b"/q")),
    "no root": BatchWriter(0).take(),
    "a root that is a file": _changed(lambda: BatchWriter(0), lambda batch: add(batch, b"/r")),
    "half a pair": (RENAMED, bytes(24)),
    "a part of a number": (RENAMED, bytes(17)),
    "no header": b"SMB1",
    "a header alone": first().take()[:80],
    "a width of three bytes": first().take()[:5] + b"\3" + first().take()[6:],
}  # fmt: skip


@pytest.mark.parametrize("frame", HOSTILE.values(), ids=list(HOSTILE))
def test_what_does_not_fit(frame: bytes | tuple[int, bytes]) -> None:
    """A frame that cannot be right is refused with the name of the file, and what to do."""
    with pytest.raises(FormatError, match="^'log': .*; remove the file and scan anew with --checkpoint$"):
        read(log(roots().take(), first().take(), second().take(), frame))


@pytest.mark.parametrize("started", [None, "1", 1.5, 1 << 64, -(1 << 64)])
def test_a_header_that_does_not_fit(started: object) -> None:
    """A header that does not say when the scan began is refused."""
    with pytest.raises(FormatError):
        read(log(roots().take(), started=started))


@settings(max_examples=400)
@given(st.integers(0, 2), st.integers(0, 2000), st.binary(min_size=1, max_size=9))
def test_any_change(number: int, at: int, change: bytes) -> None:
    """With any bytes of any frame replaced, a log is refused, or is a tree."""
    frames = [roots().take(), first().take(), second().take()]
    at %= len(frames[number])
    frames[number] = (frames[number][:at] + change + frames[number][at + len(change) :])[: len(frames[number])]
    try:
        resumed = read(log(*frames))
    except FormatError:
        return

    assert 1 <= len(names(resumed)) <= 5


def test_a_hostile_file(place: Path) -> None:
    """The bytes that a frame has are all that it can cost: counts beyond them are refused before anything is made."""
    huge = bytearray(first().take())
    for begin, size in ((12, 4), (32, 4), (36, 4), (40, 4), (44, 4), (48, 8)):
        frame = huge.copy()
        frame[begin : begin + size] = b"\xff" * size
        with pytest.raises(FormatError):
            read(log(roots().take(), bytes(frame)))
