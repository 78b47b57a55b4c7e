"""The log survives whatever happens to its end, and nothing in it can surprise a reader."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacemap.errors import FormatError
from spacemap.store.log import Frame, continue_log, create_log, read_log

FACTS = {"roots": ["2f"], "started_ns": 1, "text": "é"}
BODIES = [(1, b"first"), (100, b""), (1, bytes(range(40))), (7, b"x" * 8)]


@pytest.fixture
def whole(place: Path) -> tuple[Path, bytes]:
    """Return a log of four frames, and its bytes."""
    path = place / "log"
    with_frames(path)
    return path, path.read_bytes()


def with_frames(path: Path) -> None:
    log = create_log(path, FACTS)
    log.append(BODIES[:1])
    log.append(BODIES[1:])
    log.sync()
    log.close()


def _plain(frames: list[Frame]) -> list[tuple[int, bytes]]:
    return [(frame.type, bytes(frame.body)) for frame in frames]


def _read(path: Path, data: bytes) -> list[tuple[int, bytes]] | None:
    """Return the frames that are read of some bytes; None when they are refused."""
    path.write_bytes(data)
    try:
        content = read_log(path)
    except FormatError:
        return None
    assert content.end + content.lost == len(data)
    assert content.facts == FACTS
    return _plain(content.frames)


def test_what_was_written_is_read(whole: tuple[Path, bytes]) -> None:
    """Facts and frames come back as they were appended, and more can be appended to them."""
    path, _ = whole
    content, log = continue_log(path)
    log.append([(9, b"more")])
    log.close()

    assert (FACTS, BODIES, 0) == (content.facts, _plain(content.frames), content.lost)
    assert [*BODIES, (9, b"more")] == _plain(read_log(path).frames)


def test_truncated_anywhere(whole: tuple[Path, bytes]) -> None:
    """Cut after any number of bytes a log is refused, or has the frames that are whole."""
    path, data = whole
    found = [_read(path, data[:size]) for size in range(len(data))]
    lengths = [-1 if frames is None else len(frames) for frames in found]

    assert sorted(lengths) == lengths
    assert {-1, 0, 1, 2, 3} == set(lengths)
    assert all(frames is None or frames == BODIES[: len(frames)] for frames in found)


@pytest.mark.parametrize("bit", [1, 128])
def test_flipped_anywhere(whole: tuple[Path, bytes], bit: int) -> None:
    """With any byte changed a log is refused, or has the frames before the damage."""
    path, data = whole
    header = len(data) - sum(24 + len(body) + -len(body) % 8 for _, body in BODIES)
    for at in range(len(data)):
        frames = _read(path, data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :])

        assert (at < header - 8) <= (frames is None)
        assert frames is None or (frames == BODIES[: len(frames)] and len(frames) < len(BODIES)) or at < header


@given(st.binary(max_size=200), st.integers(0, 300))
def test_any_bytes(place: Path, junk: bytes, keep: int) -> None:
    """Whatever follows the beginning of a log: what is no frame is not read, and nothing else is raised."""
    path = place / "log"
    path.unlink(missing_ok=True)
    with_frames(path)
    frames = _read(path, path.read_bytes()[:keep] + junk)

    assert frames is None or frames == BODIES[: len(frames)]


def test_continued_after_damage(whole: tuple[Path, bytes]) -> None:
    """What is appended to a damaged log follows its last good frame."""
    path, data = whole
    chance = random.Random(1)
    for size in chance.sample(range(120, len(data)), 30):
        path.write_bytes(data[:size] + bytes(chance.randrange(256) for _ in range(chance.randrange(40))))
        content, log = continue_log(path)
        log.append([(5, b"after")])
        log.close()

        assert [*BODIES[: len(content.frames)], (5, b"after")] == _plain(read_log(path).frames)
        assert 0 == read_log(path).lost


def test_huge_lengths(whole: tuple[Path, bytes]) -> None:
    """A frame, or a header, that says it has nearly 2^64 or 2^32 bytes is none."""
    path, data = whole
    header = len(data) - sum(24 + len(body) + -len(body) % 8 for _, body in BODIES)
    for value in ((1 << 64) - 1, (1 << 64) - 8, 1 << 63, len(data)):
        assert [] == _read(path, data[:header] + value.to_bytes(8, "little") + data[header + 8 :])
    for value in ((1 << 32) - 1, 1 << 24, len(data)):
        assert None is _read(path, data[:12] + value.to_bytes(4, "little") + data[16:])


def test_begun_anew(whole: tuple[Path, bytes]) -> None:
    """A log that is begun anew has other facts and no frames, and those that follow are numbered from the first."""
    path, _ = whole
    _, log = continue_log(path)
    log.restart({"other": 1})
    log.append(BODIES[:2])
    log.close()
    content = read_log(path)

    assert ({"other": 1}, BODIES[:2], 0) == (content.facts, _plain(content.frames), content.lost)
