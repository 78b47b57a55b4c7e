"""Frames: what is written is what is read, and what is no frame is refused."""

import os
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacemap.scan.batch import BatchWriter, decode_batch, summarize
from spacemap.scan.frames import Arena, Receiver
from spacemap.scan.wire import (
    FrameType,
    Note,
    Waiting,
    WireError,
    decode_directories,
    encode_directories,
    frame_length,
    split_frames,
)

u64 = st.integers(0, (1 << 64) - 1)
u32 = st.integers(0, (1 << 32) - 1)
u8 = st.integers(0, 255)
i64 = st.integers(-(1 << 63), (1 << 63) - 1)
names = st.binary(min_size=1, max_size=20)
waiting = st.builds(
    Waiting,
    ref=u64,
    device=u64,
    inode=u64,
    depth=u32,
    root=st.integers(0, 65535),
    notes=st.integers(0, int(Note.BOUNDARY | Note.VIA_SYMLINK | Note.POISONED | Note.ALONE)),
    path=st.binary(max_size=300),
)
owners = st.sampled_from([0, 1000, 1001, 70_000, (1 << 32) - 1])
entries = st.tuples(st.sampled_from([0, 1, 2, 3]), u8, names, u64, st.integers(0, 1 << 50), i64, u64, owners)


@st.composite
def writers(draw: st.DrawFn) -> tuple[BatchWriter, dict[str, list[int] | bytes | int]]:
    """Draw a filled writer and what was put into it."""
    base = draw(st.integers(0, 1 << 60))
    batch = BatchWriter(base)
    rows = draw(st.lists(entries, max_size=12))
    if draw(st.booleans()):
        rows = [(*row[:-1], rows[0][-1]) for row in rows]  # one owner
    expected: dict[str, list[int] | bytes | int] = {
        name: []
        for name in (
            "directory_device directory_mtime_ns directory_ctime_ns directory_skip link_index link_count link_device "
            "problem_ref problem_errno problem_operation listing_ref listing_count listing_skip"
        ).split()
    }
    for index, (kind, flags, name, apparent, blocks, mtime, inode, owner) in enumerate(rows):
        if kind == 0:
            batch.add_directory(inode, mtime, ~mtime, flags)
            _extend(expected, directory_device=inode, directory_mtime_ns=mtime, directory_ctime_ns=~mtime)
            _extend(expected, directory_skip=flags)
        if flags & 1:
            batch.link_index.append(index)
            batch.link_count.append(flags)
            batch.link_device.append(apparent)
            _extend(expected, link_index=index, link_count=flags, link_device=apparent)
        if flags & 2:
            batch.add_problem(inode, 3, flags)
            _extend(expected, problem_ref=inode, problem_operation=3, problem_errno=flags)
        batch.kind.append(kind)
        batch.flags.append(flags)
        batch.name_length.append(len(name))
        batch.names.append(name)
        batch.apparent_size.append(apparent)
        batch.blocks.append(blocks)
        batch.mtime.append(mtime)
        batch.inode.append(inode)
        batch.owner.append(owner)
    ref, skip = draw(u64), draw(u8)
    batch.add_listing(ref, len(rows), skip)
    batch.excluded = draw(u32)
    batch.place = (draw(st.integers(0, 9)), draw(st.binary(max_size=40)))
    _extend(expected, listing_ref=ref, listing_count=len(rows), listing_skip=skip)
    columns = list(zip(*rows, strict=True)) or [()] * 8
    told = ("kind", "flags", None, "apparent_size", "blocks", "mtime", "inode", "owner")
    for name, column in zip(told, columns, strict=True):
        if name is not None:
            expected[name] = list(column)
    expected |= {
        "base_ref": base,
        "name_length": [len(name) for name in columns[2]],
        "names": b"".join(columns[2]),
        "excluded": batch.excluded,
    }
    return batch, expected


def _extend(expected: dict[str, list[int] | bytes | int], **values: int) -> None:
    for name, value in values.items():
        column = expected[name]
        assert isinstance(column, list)
        column.append(value)


@given(drawn=writers())
def test_a_batch_comes_back(drawn: tuple[BatchWriter, dict[str, list[int] | bytes | int]]) -> None:
    """Every column of a batch is decoded to what was written, in the narrowest width; zeros may be left out."""
    writer, expected = drawn
    frame = writer.take()
    batch = decode_batch(frame)
    values = {field.name: getattr(batch, field.name) for field in fields(batch)}

    actual = {
        name: value.tolist() if isinstance(value, np.ndarray) else bytes(value) if name == "names" else value
        for name, value in values.items()
        if name in expected
    }
    for name in ("apparent_size", "blocks", "mtime", "inode"):
        if not actual[name] and not any(expected[name]):
            actual[name] = expected[name]
    uids = batch.owners.tolist()
    actual["owner"] = [uids[at] for at in batch.owner.tolist() or [0] * len(batch)]

    assert expected == actual
    assert sorted(set(expected["owner"])) == uids
    assert (len(batch.owner) > 0) == (len(uids) > 1)
    assert writer.is_empty()


@given(drawn=writers())
def test_a_summary_is_read_from_the_header(drawn: tuple[BatchWriter, dict[str, list[int] | bytes | int]]) -> None:
    """The counters of progress need no decoding."""
    writer, expected = drawn
    place, problems = writer.place, len(writer.problem_ref)

    summary = summarize(memoryview(writer.take()))

    assert (len(expected["kind"]), sum(expected["blocks"]), problems, *place) == (
        summary.entries,
        summary.blocks,
        summary.problems,
        summary.root,
        summary.place,
    )


@given(drawn=writers(), data=st.data())
def test_a_truncated_batch_is_refused(
    drawn: tuple[BatchWriter, dict[str, list[int] | bytes | int]], data: st.DataObject
) -> None:
    """A batch that ends before its length says so is a WireError, wherever it ends."""
    frame = drawn[0].take()
    size = data.draw(st.integers(0, len(frame) - 1))

    with pytest.raises(WireError):
        decode_batch(frame[:size])


@given(drawn=writers(), data=st.data())
def test_a_batch_with_a_lie_is_refused_or_read(
    drawn: tuple[BatchWriter, dict[str, list[int] | bytes | int]], data: st.DataObject
) -> None:
    """A changed count never reads outside the frame: it is a WireError, or other values."""
    frame = bytearray(drawn[0].take())
    frame[data.draw(st.integers(5, 87))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        batch = decode_batch(bytes(frame))
    except WireError:
        return

    assert len(batch.names) <= len(frame)


@given(directories=st.lists(waiting, max_size=8), frame_type=st.sampled_from([FrameType.DIRECTORIES, FrameType.POISON]))
def test_directories_come_back(directories: list[Waiting], frame_type: FrameType) -> None:
    """Waiting directories are decoded to what was encoded."""
    frame = encode_directories(frame_type, directories)

    assert (frame_type, len(frame)) == frame_length(frame)
    assert directories == decode_directories(frame)


@given(directories=st.lists(waiting, max_size=4), data=st.data())
def test_truncated_directories_are_refused(directories: list[Waiting], data: st.DataObject) -> None:
    """A frame of directories that is too short is a WireError."""
    frame = encode_directories(FrameType.DIRECTORIES, directories)
    size = data.draw(st.integers(0, len(frame) - 1))

    with pytest.raises(WireError):
        decode_directories(frame[:size])


@pytest.mark.parametrize("prefix", [bytes(24), b"SMB1" + b"\xff" + bytes(19), b"\n" * 24], ids=repr)
def test_what_is_no_frame(prefix: bytes) -> None:
    """Bytes that do not begin a frame are a WireError."""
    with pytest.raises(WireError):
        frame_length(prefix)


@given(frames=st.lists(st.lists(waiting, max_size=3), max_size=5), pieces=st.lists(st.integers(1, 700), min_size=1))
def test_frames_are_reassembled(frames: list[list[Waiting]], pieces: list[int]) -> None:
    """Whatever the pieces in which a pipe hands them over, frames come out whole and in order."""
    encoded = [encode_directories(FrameType.DIRECTORIES, frame) for frame in frames]
    data = b"".join(encoded)
    reading, writing = os.pipe()
    receiver = Receiver(reading, Arena())
    received = []
    try:
        while data:
            piece, data = data[: pieces[0]], data[pieces[0] :]
            pieces = [*pieces[1:], pieces[0]]
            os.write(writing, piece)
            received += [bytes(frame) for _, frame in receiver.receive()]
        assert not receiver.is_closed
        os.close(writing)
        received += [bytes(frame) for _, frame in receiver.receive()]
    finally:
        os.close(reading)

    assert (encoded, True) == (received, receiver.is_closed)
    assert encoded == [frame for _, frame in split_frames(b"".join(encoded))]
