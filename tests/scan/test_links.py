"""Hard links count once, deterministically, and each directory knows what it shares."""

from pathlib import Path

from spacemap.scan import EngineName, ScanOptions, scan
from tests.scan.comparison import repeated, sums_of, totals
from tests.scan.engines import each_engine
from tests.scan.specs import Entry, make_tree

THREE = [
    Entry("a/first", content=300_000),
    Entry("b/second", "link", target="a/first"),
    Entry("b/third", "link", target="a/first"),
]


@each_engine
def test_three_links_over_two_directories(place: Path, engine: EngineName) -> None:
    """The root counts an inode once and shares nothing; each directory counts it once and shares all of it."""
    root = make_tree(place / "tree", THREE)
    disk = (root / "a/first").stat().st_blocks * 512

    sums = sums_of(scan([root], ScanOptions(engine=engine)))

    assert {b"": (disk + 3 * 4096, 0), b"a": (disk + 4096, disk), b"b": (disk + 4096, disk)} == {
        path: (each.disk, each.shared) for path, each in sums.items()
    }


@each_engine
def test_links_outside(place: Path, engine: EngineName) -> None:
    """An inode with a link outside the scan is shared all the way up."""
    root = make_tree(place / "tree", THREE)
    disk = (root / "a/first").stat().st_blocks * 512

    sums = sums_of(scan([root / "b"], ScanOptions(engine=engine)))

    assert (disk + 4096, disk) == (sums[b""].disk, sums[b""].shared)


@each_engine
def test_the_first_path_is_charged(place: Path, engine: EngineName) -> None:
    """Of several links the one that stands first in canonical order counts, the others are marked."""
    root = make_tree(place / "tree", [Entry("z", content=9), *THREE, Entry("a/b/deep", "link", target="z")])

    actual = repeated(scan([root], ScanOptions(engine=engine)))

    assert [b"b/second", b"b/third", b"a/b/deep"] == actual


@each_engine
def test_two_roots_share_links(place: Path, engine: EngineName) -> None:
    """Links between two roots of one scan count once and are shared with nobody."""
    root = make_tree(place / "tree", THREE)
    disk = (root / "a/first").stat().st_blocks * 512

    snapshot = scan([root / "a", root / "b"], ScanOptions(engine=engine))

    assert (disk + 2 * 4096, 0) == (totals(snapshot)[0], int(snapshot.tree.totals.shared[0]))
