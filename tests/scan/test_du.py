"""Totals equal du's to the byte: on fixtures, on random trees, on a real installation."""

import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from spacemap.scan import EngineName, MountBoundary, ScanOptions, Symlinks, scan
from tests.conftest import SHARED_MEMORY, remove
from tests.scan.comparison import sums_by_walking, sums_of, totals
from tests.scan.engines import BUILT, each_engine, each_thread_count
from tests.scan.measure_by_du import both
from tests.scan.specs import TREE_NAMES, Entry, make_tree, needs_tmpfs, read_spec
from tests.scan.trees import random_trees


@pytest.fixture(scope="module")
def fixture_tree(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the tree of a fixture, on a file system that can hold it."""
    entries = read_spec(request.param)
    if needs_tmpfs(entries) and not SHARED_MEMORY.is_dir():
        pytest.skip("no tmpfs at /dev/shm")
    place = tmp_path_factory.mktemp("fixture")
    if needs_tmpfs(entries):
        place = Path(tempfile.mkdtemp(prefix="spacemap-", dir=SHARED_MEMORY))
    yield make_tree(place / request.param, entries)
    remove(place)


each_fixture = pytest.mark.parametrize("fixture_tree", TREE_NAMES, indirect=True)


@each_fixture
@each_engine
def test_totals_of_fixtures_equal_du(fixture_tree: Path, engine: EngineName) -> None:
    """Disk usage and apparent size of every fixture are those of du, to the byte."""
    if engine is EngineName.SCANDIR_RS and fixture_tree.name == "levels":
        pytest.skip("scandir-rs takes 40 s for 1,500 levels")
    expected = both(fixture_tree)

    actual = totals(scan([fixture_tree], ScanOptions(engine=engine)))

    assert expected == actual


@each_fixture
def test_totals_in_workers_equal_du(fixture_tree: Path, only_workers: None) -> None:
    """A fixture listed by worker processes has du's totals, too."""
    expected = both(fixture_tree)

    actual = totals(scan([fixture_tree], ScanOptions(threads=7)))

    assert expected == actual


@given(entries=random_trees())
def test_random_trees_equal_du(entries: list[Entry]) -> None:
    """Any tree of files, holes, hard links, symlinks, fifos, sockets and odd names has du's totals in any engine."""
    place = Path(tempfile.mkdtemp(prefix="spacemap-"))
    try:
        root = make_tree(place / "tree", entries)
        expected = [both(root)] * len(BUILT)

        actual = [totals(scan([root], ScanOptions(engine=engine))) for engine in BUILT]

        assert expected == actual
    finally:
        remove(place)


@given(entries=random_trees())
def test_random_trees_equal_an_oracle(entries: list[Entry]) -> None:
    """Each directory's sums, what it shares with the outside, and its newest time are those of a brute-force walk."""
    place = Path(tempfile.mkdtemp(prefix="spacemap-", dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None))
    try:
        root = make_tree(place / "tree", entries)
        below = root / "0" if (root / "0").is_dir() and not (root / "0").is_symlink() else root
        expected = [sums_by_walking(bytes(below))] * len(BUILT)

        actual = [sums_of(scan([below], ScanOptions(engine=engine))) for engine in BUILT]

        assert expected == actual
    finally:
        remove(place)


@pytest.mark.parametrize("pattern", ["*.o", "b", "[ab]*", "?", "*.tar.*", "[!a]", "\\xff*"])
@given(entries=random_trees(names=["a", "b", "ab", "x.o", "y.tar.gz", "a.b", "\\xff", "\\xffa"]))
@settings(max_examples=8)
def test_excluded_names_equal_du(pattern: str, entries: list[Entry]) -> None:
    """A glob on names leaves out what `du --exclude` leaves out."""
    place = Path(tempfile.mkdtemp(prefix="spacemap-"))
    raw = pattern.replace("\\xff", "\udcff")
    try:
        root = make_tree(place / "the tree", entries)
        expected = [both(root, f"--exclude={raw}")] * len(BUILT)

        actual = [totals(scan([root], ScanOptions(engine=engine, exclude=(raw,)))) for engine in BUILT]

        assert expected == actual
    finally:
        remove(place)


@given(entries=random_trees(follow=True))
def test_followed_symlinks_equal_du(entries: list[Entry]) -> None:
    """With symlinks followed, totals are those of `du -L`: each file and directory once, however it is reached."""
    place = Path(tempfile.mkdtemp(prefix="spacemap-"))
    try:
        root = make_tree(place / "tree", entries)
        expected = [both(root, "-L")] * len(BUILT)

        actual = [totals(scan([root], ScanOptions(engine=e, symlinks=Symlinks.FOLLOW))) for e in BUILT]

        assert expected == actual
    finally:
        remove(place)


@pytest.mark.parametrize("kind", ["stdlib", "purelib", "/usr/share/doc"])
@each_engine
@each_thread_count
def test_real_trees_equal_du(kind: str, engine: EngineName, threads: int) -> None:
    """A Python installation and its packages have du's totals with any number of requests."""
    root = Path(sysconfig.get_path(kind)) if not kind.startswith("/") else Path(kind)
    if not root.is_dir():
        pytest.skip(f"no {root} here")
    if engine is EngineName.SCANDIR_RS and kind == "stdlib":
        pytest.skip("scandir-rs takes ten times as long; the packages show the same")
    expected = both(root.resolve())

    actual = totals(scan([root], ScanOptions(engine=engine, threads=threads)))

    assert expected == actual


@each_engine
def test_usr_equals_du(engine: EngineName) -> None:
    """/usr has du's totals on its own file system."""
    if engine is EngineName.SCANDIR_RS:
        pytest.skip("scandir-rs takes ten times as long; the packages show the same")
    expected = both("/usr", "-x")

    actual = totals(scan(["/usr"], ScanOptions(engine=engine, boundary=MountBoundary.STAY)))

    assert expected == actual


def test_giants_do_not_overflow(tmpfs_place: Path) -> None:
    """Two files of nearly 8 EiB add up to what du says, and no disk usage."""
    root = make_tree(tmpfs_place / "tree", read_spec("giants"))

    tree = scan([root]).tree

    assert (9223372036854775807 + 9223372036854775000 + 100, 4096) == (
        int(tree.apparent_size[tree.kind == 1].sum()),
        int(tree.totals.disk[0]),
    )
