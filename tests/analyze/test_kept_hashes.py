"""Hashes that are kept: a second run reads only what changed, and nothing is believed beyond the identity of a file."""

import os
import signal
from pathlib import Path

import pytest

from spacemap.analyze.contents import Engine
from spacemap.analyze.duplicates import DuplicateOptions, Progress
from spacemap.store.hashes import hashes_path, load_hashes
from spacemap.tree.duplicates import Duplicates, Proof
from spacemap.tree.snapshot import Snapshot
from tests.analyze.finding import OLD_NS, group, oracle, search, sets, write

EVERY_TIME = -(1 << 60)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files be kept that were made just now: no test can make one with a change time of long ago."""
    monkeypatch.setattr("spacemap.analyze.known.GRANULARITY_NS", EVERY_TIME)


@pytest.fixture
def tree(place: Path) -> Path:
    """Return a tree of pairs, of files that differ late, and of single ones."""
    for number in range(6):
        write(place / f"tree/pair{number}", bytes([number // 2]) * 60_000)
        write(
            place / f"tree/late{number}", b"x" * (40_000 + number % 3) + bytes([number]) + b"x" * (20_000 - number % 3)
        )
        write(place / f"tree/small{number}", bytes([number // 3]) * 900)
    return place / "tree"


def _search(tree: Path, *, verifies: bool = False) -> tuple[Snapshot, Duplicates]:
    path = hashes_path(tree.parent / "cache", "host")
    return search(tree, options=DuplicateOptions(hashes=path, verifies=verifies))


def test_second_run_reads_nothing(engine: Engine, tree: Path, at_once: None) -> None:
    """With nothing changed, nothing is read, and the groups are the same, now by their hashes."""
    first = _search(tree)
    second = _search(tree)

    assert oracle(tree) == sets(*first) == sets(*second)
    assert (0, 18) == (second[1].effort.bytes_read, second[1].effort.known)
    assert {Proof.HASHED} == set(second[1].groups.proof.tolist())
    assert first[1].groups.digest.tolist() == second[1].groups.digest.tolist()


def test_what_is_equal_by_hash_is_compared_when_asked(engine: Engine, tree: Path, at_once: None) -> None:
    """With --verify all that is equal is read once more, and proved."""
    _search(tree)
    snapshot, found = _search(tree, verifies=True)

    assert oracle(tree) == sets(snapshot, found)
    assert {Proof.COMPARED} == set(found.groups.proof.tolist())


def test_a_changed_file_is_read_again(engine: Engine, tree: Path, at_once: None) -> None:
    """A file that was written anew with its former size and times is read again, and what could be equal to it."""
    _search(tree)
    write(tree / "pair0", b"\x01" * 60_000)
    write(tree / "small0", b"\x07" * 900)
    snapshot, found = _search(tree)

    assert OLD_NS == (tree / "pair0").stat().st_mtime_ns
    assert oracle(tree) == sets(snapshot, found)
    assert 16 == found.effort.known
    assert found.effort.bytes_read < 4 * 60_000 + 3 * 4096


def test_new_files_among_known_ones(engine: Engine, tree: Path, at_once: None) -> None:
    """New copies of known files, and new files of their size, are told apart from them."""
    _search(tree)
    write(tree / "new/pair", b"\x02" * 60_000)
    write(tree / "new/other", b"\x02" * 59_999 + b"\x03")
    write(tree / "new/small", b"\x01" * 900)
    snapshot, found = _search(tree)

    assert oracle(tree) == sets(snapshot, found)
    assert oracle(tree) == sets(*_search(tree))


def test_recent_files_are_not_kept(engine: Engine, tree: Path) -> None:
    """A file that changed less than two seconds before it was read may change again unnoticed, and is not kept."""
    _search(tree)

    assert 0 == len(load_hashes(hashes_path(tree.parent / "cache", "host")))


def test_damaged_hashes_are_a_note(engine: Engine, tree: Path, at_once: None) -> None:
    """What cannot be read of the cache is told; everything is read, and kept anew."""
    _search(tree)
    path = Path(os.fsdecode(hashes_path(tree.parent / "cache", "host")))
    damaged = bytearray(path.read_bytes())
    damaged[200] ^= 1
    path.write_bytes(damaged)
    snapshot, found = _search(tree)

    assert oracle(tree) == sets(snapshot, found)
    assert 0 == found.effort.known
    assert "cannot be used" in found.notes[0]
    assert () == _search(tree)[1].notes


def test_a_cache_that_cannot_be_written(engine: Engine, tree: Path, at_once: None) -> None:
    """Where nothing can be kept, everything is found all the same, and a note says so."""
    (tree.parent / "cache").write_bytes(b"a file")
    snapshot, found = _search(tree)

    assert oracle(tree) == sets(snapshot, found)
    assert 1 == len(found.notes)


def test_an_interrupted_run_keeps_what_it_hashed(
    engine: Engine, place: Path, at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an interrupt the result is not complete, and what was read is not read again."""
    monkeypatch.setattr("spacemap.analyze.hashing._BATCH_FILES", 2)
    for number in range(40):
        for name in "ab":
            write(place / f"tree/{name}{number}", bytes([number]) * (9000 - number))
    path = hashes_path(place / "cache", "host")
    turns = []

    def interrupt(progress: Progress) -> None:
        if progress.groups and not turns:  # something is known, and there is more to come
            turns.append(progress)
            os.kill(os.getpid(), signal.SIGINT)

    _, stopped = search(place / "tree", options=DuplicateOptions(hashes=path), on_progress=interrupt)
    kept = len(load_hashes(path))
    snapshot, found = search(place / "tree", options=DuplicateOptions(hashes=path))

    assert (False, True) == (stopped.is_complete, found.is_complete)
    assert kept >= 2
    assert kept == found.effort.known
    assert oracle(place / "tree") == sets(snapshot, found)


def test_two_runs_keep_what_both_found(engine: Engine, place: Path, at_once: None) -> None:
    """What another run has added to the cache is still there after this one adds its own."""
    pairs = [[write(place / f"{tree}/{name}", tree.encode() * 5000) for name in "ab"] for tree in ("one", "two")]
    path = hashes_path(place / "cache", "host")
    for number in range(2):
        snapshot, found = search(place / ("one", "two")[number], options=DuplicateOptions(hashes=path))
        assert group(*pairs[number]) == sets(snapshot, found)

    assert 4 == len(load_hashes(path))
