"""Duplicates on real trees: the groups are those of an oracle that reads everything, whatever the contents are."""

import os
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xxhash import xxh3_128_digest

from spacemap.analyze.contents import Engine
from spacemap.analyze.duplicates import DuplicateOptions, find_duplicates
from spacemap.scan import ScanOptions, Symlinks, scan
from spacemap.tree.duplicates import LeftOut, Proof
from tests.analyze.finding import group, oracle, paths, search, sets, write

_BOUNDS = (1, 3, 4, 8, 9, 16, 17, 128, 129, 240, 241, 1024, 4095, 4096, 4097, 8192, 16384, 20_000, 262_144, 300_000)


@st.composite
def contents(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """Draw files of few sizes: size, where the one byte is that tells it from others, and which one it is."""
    sizes = draw(st.lists(st.sampled_from(_BOUNDS), min_size=1, max_size=3))
    file = st.tuples(st.sampled_from(sizes), st.sampled_from((0, 1, 4095, 4096, 100_000, -1)), st.integers(0, 2))
    return draw(st.lists(file, min_size=2, max_size=14))


def _content(size: int, at: int, value: int) -> bytes:
    data = bytearray(b"x" * size)
    data[at if -size <= at < size else size // 2] = value
    return bytes(data)


@settings(max_examples=60)
@given(files=contents(), links=st.lists(st.integers(0, 13), max_size=3))
def test_groups_are_those_of_the_oracle(engine: Engine, files: list[tuple[int, int, int]], links: list[int]) -> None:
    """Files of equal sizes, beginnings and ends are told apart as SHA-256 of everything does; links are one file."""
    with TemporaryDirectory() as name:
        root = Path(name)
        for number, (size, at, value) in enumerate(files):
            write(root / f"d{number % 3}" / f"f{number}", _content(size, at, value))
        for number, of in enumerate(links):
            of %= len(files)
            os.link(root / f"d{of % 3}" / f"f{of}", root / f"link{number}")
        (root / "empty").touch()
        (root / "void").touch()
        (root / "symlink").symlink_to("d0/f0")
        snapshot, found = search(root)

        assert oracle(root) == sets(snapshot, found)
        assert 2 == len(found.empty)


def test_middle_alone_differs(engine: Engine, place: Path) -> None:
    """Files with equal beginnings and ends, but one byte in the middle, are no duplicates; their copies are."""
    for name, at in (("a", 150_000), ("b", 150_001), ("c", 150_000)):
        write(place / name, _content(300_000, at, 1))
    snapshot, found = search(place)

    assert group(place / "a", place / "c") == sets(snapshot, found)
    assert [Proof.COMPARED] == found.groups.proof.tolist()


@pytest.mark.parametrize("bits", [0, 1], ids=["equal digests", "two digests"])
def test_hashes_that_collide(engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch, bits: int) -> None:
    """The groups are right though all digests are equal: what is equal was compared."""
    for number in range(40):
        write(place / f"f{number}", _content(9000, 5000 + number % 13, number % 2))
    weak = engine._replace(compare=lambda *given: engine.compare(*given, bits))
    monkeypatch.setattr("spacemap.analyze.duplicates.load", lambda: weak)
    snapshot, found = search(place)

    assert oracle(place) == sets(snapshot, found)


def test_more_contents_than_there_is_room_for(engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not every content of a size can be held in memory, the groups are the same."""
    for number in range(200):
        write(place / f"f{number}", _content(10_000, 5000 + number % 70, 1))
    monkeypatch.setattr("spacemap.analyze.hashing.MEMORY", 1 << 16)
    snapshot, found = search(place)

    assert 70 == len(found.groups)
    assert oracle(place) == sets(snapshot, found)


def test_more_files_than_may_be_open(engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A class of more files than descriptors is closed and opened between its windows."""
    for number in range(60):
        write(place / f"f{number}", _content(70_000, 60_000, number % 3))
    monkeypatch.setattr("spacemap.analyze.hashing._descriptors", lambda: 16)
    snapshot, found = search(place)

    assert oracle(place) == sets(snapshot, found)


def test_links_are_one_file(engine: Engine, place: Path) -> None:
    """Hard links are no duplicates of each other; beside a copy they are listed, and waste nothing more."""
    one, copy = write(place / "one", b"x" * 5000), write(place / "copy", b"x" * 5000)
    alone = write(place / "alone", b"y" * 5000)
    for number, target in enumerate((one, one, alone)):
        os.link(target, place / f"link{number}")
    snapshot, found = search(place)

    assert group(one, copy, place / "link0", place / "link1") == sets(snapshot, found)
    assert [1, 3] == sorted(len(found.links(copy)) for copy in range(2))
    assert [1, 3] == sorted(found.copies.link_count.tolist())
    assert copy.stat().st_blocks * 512 == found.wasted


def test_one_file_by_two_ways(engine: Engine, place: Path) -> None:
    """Roots that are given twice, or hold one another, and symlinks that are followed give no file twice."""
    file = write(place / "tree/sub/file", b"x" * 5000)
    (place / "tree/way").symlink_to("sub")
    (place / "link").symlink_to("tree")
    roots = [place / "tree", place / "tree/", place / "tree/../tree", place / "link", place / "tree/sub"]
    snapshot = scan(roots, ScanOptions(symlinks=Symlinks.FOLLOW))

    assert frozenset() == sets(snapshot, find_duplicates(snapshot))
    write(place / "tree/copy", file.read_bytes())
    snapshot = scan(roots, ScanOptions(symlinks=Symlinks.FOLLOW))
    assert 2 == len(find_duplicates(snapshot).copies.entry)


def test_several_roots(engine: Engine, place: Path) -> None:
    """Copies below different roots are found, and a root may be a file."""
    files = [write(place / f"{name}/file", b"x" * 5000) for name in "ab"] + [write(place / "c", b"x" * 5000)]
    snapshot, found = search(place / "a", place / "b", place / "c")

    assert group(*files) == sets(snapshot, found)


def test_holes_are_not_read(engine: Engine, place: Path) -> None:
    """Sparse files are equal to full ones with the same bytes; where all have a hole nothing is read or hashed."""
    small = [place / "sparse", place / "full"]
    with small[0].open("wb") as file:
        file.truncate(3_000_000)
    write(small[1], bytes(3_000_000))
    huge = [place / f"huge{number}" for number in range(3)]
    for number, path in enumerate(huge):
        with path.open("wb") as file:
            file.truncate(1 << 40)
            file.seek((1 << 40) - 5 if number < 2 else 1 << 35)
            file.write(b"end")
    snapshot, found = search(place)

    assert group(*small) | group(*huge[:2]) == sets(snapshot, found)
    has_digest = dict(zip(found.groups.size.tolist(), found.groups.has_digest.tolist(), strict=True))
    assert {3_000_000: True, 1 << 40: False} == has_digest


def test_what_is_not_what_was_scanned(engine: Engine, place: Path) -> None:
    """Files that went, grew, were written anew, or became pipes and symlinks since the scan are in no group."""
    files = [write(place / f"f{number}", b"x" * 50_000) for number in range(8)]
    snapshot = scan([place])
    files[0].unlink()
    with files[1].open("ab") as file:
        file.write(b"more")
    os.truncate(files[2], 10)
    files[3].unlink()
    os.mkfifo(files[3])
    files[4].unlink()
    files[4].symlink_to(files[7])
    write(place / "new", b"x" * 50_000).rename(files[5])
    found = find_duplicates(snapshot)

    assert group(*files[6:]) == sets(snapshot, found)
    assert [os.fsencode(file) for file in files[:6]] == paths(snapshot, found.not_compared.entry)
    assert {LeftOut.CHANGED} == set(found.not_compared.reason.tolist())


def test_a_writer_all_the_while(engine: Engine, place: Path) -> None:
    """A file that is written to all the time is in no group, or in one that was true; the others are found."""
    files = [write(place / f"f{number}", b"x" * 400_000) for number in range(6)]
    stop = threading.Event()

    def write_once() -> None:
        with files[0].open("r+b") as file:
            file.write(os.urandom(8))

    def keep_writing() -> None:
        while not stop.is_set():
            write_once()

    write_once()  # it differs from the others from now on

    thread = threading.Thread(target=keep_writing)
    thread.start()
    try:
        snapshot, found = search(place)
    finally:
        stop.set()
        thread.join()

    assert group(*files[1:]) == sets(snapshot, found)


def test_only_sizes_that_were_asked_for(engine: Engine, place: Path) -> None:
    """Bounds of sizes hold both ends; what is smaller or larger is not even opened."""
    for size in (10, 20, 30, 40):
        for name in "ab":
            write(place / f"{name}{size}", b"x" * size)
    snapshot, found = search(place, options=DuplicateOptions(min_size=20, max_size=30))

    assert [30, 20] == found.groups.size.tolist()
    assert 4 == found.effort.candidates
    assert 100 == found.effort.bytes_read


def test_matching_entries_only(engine: Engine, place: Path) -> None:
    """With a mask only what matches is compared."""
    files = [write(place / name, b"x" * 100) for name in ("a.txt", "b.txt", "c.log")]
    snapshot = scan([place])
    mask = np.array([snapshot.tree.name(entry).endswith(b".txt") for entry in range(len(snapshot.tree))])

    assert group(*files[:2]) == sets(snapshot, find_duplicates(snapshot, matching=mask))


def test_most_waste_first(engine: Engine, place: Path) -> None:
    """Groups come by what their copies take on the disk but for one."""
    for name, size, count in (("small", 5000, 5), ("large", 50_000, 2), ("medium", 9000, 3)):
        for number in range(count):
            write(place / f"{name}{number}", name.encode() * (size // len(name)))
    _, found = search(place)
    wasted = found.groups.wasted.tolist()

    assert sorted(wasted, reverse=True) == wasted
    assert [50_000, 9000, 5000] == sorted(found.groups.size.tolist(), reverse=True)
    assert sum(wasted) == found.wasted


def test_nothing_to_compare(engine: Engine, place: Path) -> None:
    """A tree without files of equal size has no groups, and nothing of it is read."""
    write(place / "a", b"x")
    write(place / "b", b"xy")
    (place / "empty").touch()
    snapshot, found = search(place)

    assert (0, 0, 0, 0) == (len(found.groups), len(found.directories), found.effort.bytes_read, found.wasted)
    assert [os.fsencode(place / "empty")] == paths(snapshot, found.empty)


def test_paths_longer_than_the_system_takes(engine: Engine, place: Path) -> None:
    """Files at the end of paths beyond PATH_MAX are compared like any other."""
    descriptor = os.open(place, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=descriptor)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    for name in ("one", "two"):
        file = os.open(name, os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=descriptor)
        os.write(file, b"x" * 6000)
        os.close(file)
    os.close(descriptor)
    _, found = search(place)

    assert (1, 2, 0) == (len(found.groups), len(found.copies.entry), len(found.not_compared))


def test_marks_are_prefix_hashes(engine: Engine, place: Path) -> None:
    """The hash of a group is XXH3 of the whole content, for every way of the algorithm to treat a length."""
    expected = {}
    for size in (*range(1, 260), *_BOUNDS, 1023, 1025, 2048, 5119, 5120, 5121, 524_288, 600_001):
        content = np.random.default_rng(size).bytes(size)
        expected[size] = xxh3_128_digest(content)
        for name in "ab":
            write(place / f"{name}{size}", content)
    _, found = search(place)
    digests = [row.tobytes() for row in found.groups.digest]

    assert expected == dict(zip(found.groups.size.tolist(), digests, strict=True))


@pytest.mark.parametrize("verifies", [False, True])
@pytest.mark.parametrize("contents", [(), (b"one", b"two"), (b"one", b"longer")], ids=["no file", "one size", "two"])
def test_nothing_is_twice(place: Path, contents: tuple[bytes, ...], *, verifies: bool) -> None:
    """Where nothing is equal there are no groups, and nothing to compare once more."""
    for number, content in enumerate(contents):
        write(place / "tree" / str(number), content)
    (place / "tree").mkdir(exist_ok=True)
    _, found = search(place / "tree", options=DuplicateOptions(verifies=verifies))

    assert (0, 0, 0, True) == (len(found.groups), len(found.copies.entry), found.wasted, found.is_complete)
