"""Roots of every kind, depth limits, symlinks: what is scanned and what is said."""

import os
from pathlib import Path

import pytest

from spacemap.errors import EngineError, RootError, UsageError
from spacemap.scan import EngineName, ScanOptions, Symlinks, scan
from spacemap.scan.engine import engine_states
from spacemap.tree.columns import Flag, Kind, Skip
from tests.scan.comparison import as_bytes, paths, skips, totals
from tests.scan.engines import each_engine, each_thread_count
from tests.scan.measure_by_du import both, du, du_apparent
from tests.scan.processes import spacemap
from tests.scan.specs import Entry, make_tree, read_spec

TREE = [Entry("a/b/c/d", content=5000), Entry("a/x", content=6000), Entry("y", content=7000), Entry("e", "directory")]


@pytest.fixture
def tree(place: Path) -> Path:
    """Return a tree four levels deep."""
    return make_tree(place / "tree", TREE)


@pytest.mark.parametrize(
    ("depth", "files", "limited"),
    [(0, 0, {b""}), (1, 1, {b"a", b"e"}), (2, 2, {b"a/b"}), (3, 2, {b"a/b/c"}), (4, 3, set()), (99, 3, set())],
)
@each_engine
@each_thread_count
def test_max_depth(
    tree: Path, depth: int, files: int, limited: set[bytes], engine: EngineName, threads: int, only_workers: None
) -> None:
    """Directories at the limit are measured and flagged, and nothing below them is."""
    snapshot = scan([tree], ScanOptions(engine=engine, threads=threads, max_depth=depth))

    assert files == int(snapshot.tree.totals.files[0])
    assert dict.fromkeys(limited, Skip.DEPTH_LIMIT) == skips(snapshot)


def test_the_report_says_that_totals_stop(tree: Path) -> None:
    """With a depth limit the report says where the totals stop."""
    result = spacemap(tree, "--max-depth", "1")

    assert (0, b"") == (result.returncode, result.stderr)
    assert "Totals stop at depth 1 for 2 directories" in result.stdout.decode()


@pytest.mark.parametrize("name", ["a/x", "pipe", "socket", "bad\udcff"])
@each_engine
def test_files_as_roots(tree: Path, name: str, engine: EngineName) -> None:
    """A root that is no directory is measured."""
    os.mkfifo(tree / "pipe")
    os.mknod(tree / "socket", 0o140600)
    (tree / "bad\udcff").write_bytes(b"x" * 3000)
    expected = both(os.fsencode(tree / name))

    snapshot = scan([tree / name], ScanOptions(engine=engine))

    assert expected == totals(snapshot)
    assert [1, os.fsencode(tree / name)] == [int(snapshot.tree.totals.files[0]), snapshot.tree.path(1)]


@each_engine
@each_thread_count
def test_several_roots(tree: Path, engine: EngineName, threads: int, only_workers: None) -> None:
    """Several roots are one tree, their sums one sum; in canonical order, in whichever order they were given."""
    roots = [tree / "y", tree / "a", tree / "e"]
    expected = (sum(du(root) for root in roots), sum(du_apparent(root) for root in roots))

    snapshot = scan(roots, ScanOptions(engine=engine, threads=threads))

    assert expected == totals(snapshot)
    assert tuple(sorted(map(os.fsencode, roots))) == snapshot.roots
    assert {os.fsencode(tree / name) for name in ("y", "a", "a/b", "a/b/c", "a/b/c/d", "a/x", "e")} == {
        snapshot.tree.path(entry) for entry in range(1, len(snapshot.tree))
    }


@pytest.mark.parametrize("roots", [["", "a"], ["a", ""], ["", ""], ["a/b", "a/x", ""], ["", "e/../a/b"]], ids=repr)
def test_nested_roots(tree: Path, roots: list[str]) -> None:
    """A root inside another one is counted once, and a note says so."""
    expected = as_bytes(scan([tree]))

    snapshot = scan([os.path.join(tree, root) for root in roots])

    assert (expected, len(roots) - 1) == (as_bytes(snapshot), len(snapshot.facts.notes))
    assert "is part of" in snapshot.facts.notes[0]


def test_roots_whose_names_begin_alike(tree: Path) -> None:
    """A root is not inside another one for beginning with its name."""
    (tree / "a2").mkdir()

    assert () == scan([tree / "a", tree / "a2"]).facts.notes


def test_a_symlink_as_root(tree: Path) -> None:
    """A root that is a symlink is resolved, symlinks on the way to it are, too."""
    (tree.parent / "link").symlink_to("tree")
    expected = as_bytes(scan([tree / "a"]))

    actual = as_bytes(scan([tree.parent / "link" / "a"]))

    assert expected == actual
    assert as_bytes(scan([tree])) == as_bytes(scan([tree.parent / "link"]))


@pytest.mark.parametrize("name", ["missing", "y/below", "dangling", "loop", "no\x1b[31m"], ids=repr)
def test_a_root_that_is_not_there(tree: Path, name: str) -> None:
    """A root that does not exist is an error that names it, status 2, with nothing on stdout."""
    (tree / "dangling").symlink_to("nowhere")
    (tree / "loop").symlink_to("loop")
    with pytest.raises(RootError):
        scan([tree / name])

    result = spacemap(tree / name)

    assert (2, b"") == (result.returncode, result.stdout)
    assert f"cannot scan {str(tree / name)!r}: " in result.stderr.decode()
    assert 1 == result.stderr.count(b"\n")


def test_no_roots() -> None:
    """Nothing to scan is an error."""
    with pytest.raises(UsageError):
        scan([])


@each_engine
def test_an_empty_directory(tree: Path, engine: EngineName) -> None:
    """An empty directory is a tree of one entry."""
    snapshot = scan([tree / "e"], ScanOptions(engine=engine))

    assert (1, 4096, []) == (len(snapshot.tree), totals(snapshot)[0], paths(snapshot))


def test_a_missing_engine() -> None:
    """An engine that is named and not here is an error, never replaced by another one."""
    missing = [state.name for state in engine_states() if state.reason]
    if not missing:
        pytest.skip("every engine is here")

    with pytest.raises(EngineError):
        scan(["/usr"], ScanOptions(engine=missing[0]))


@each_engine
@each_thread_count
def test_symlink_loops(place: Path, engine: EngineName, threads: int) -> None:
    """Followed loops end; each directory is entered once, on its real path where it has one below the root.

    A link that leads nowhere counts as itself; du leaves it out.
    """
    root = make_tree(place / "tree", read_spec("loops"))
    expected = both(root, "-L")

    snapshot = scan([root], ScanOptions(engine=engine, threads=threads, symlinks=Symlinks.FOLLOW))

    links = {b"a/here", b"a/up", b"a/b/top", b"x/to-y", b"y/to-x"}
    assert (expected[0], expected[1] + len("no/such/thing")) == totals(snapshot)
    assert dict.fromkeys(links, Skip.SECOND_VIEW) == skips(snapshot)


@each_engine
def test_followed_symlinks_out_of_the_tree(place: Path, engine: EngineName) -> None:
    """What followed symlinks lead to counts once, under the first of them; dangling links count as themselves."""
    outside = make_tree(
        place / "outside", [Entry("d/e/file", content=9000), Entry("back", "symlink", target=str(place))]
    )
    root = make_tree(
        place / "tree",
        [
            Entry("1/to-e", "symlink", target=str(outside / "d/e")),
            Entry("2/to-d", "symlink", target=str(outside / "d")),
            Entry("3/to-d", "symlink", target="../2/to-d"),
            Entry("4", "symlink", target=str(outside / "d/e/file")),
            Entry("5", "symlink", target="nowhere"),
            Entry("6", "symlink", target=str(outside)),
        ],
    )
    expected = both(root, "-L")

    snapshot = scan([root], ScanOptions(engine=engine, symlinks=Symlinks.FOLLOW))

    assert (expected[0], expected[1] + len("nowhere")) == totals(snapshot)
    assert [Skip.SECOND_VIEW] * 5 == list(skips(snapshot).values())
    kinds = {path: Kind(int(snapshot.tree.kind[entry])) for entry, path in _entries(snapshot)}
    assert (Kind.SYMLINK, Kind.FILE) == (kinds[b"5"], kinds[b"4"])


@each_engine
def test_symlinks_are_not_followed(place: Path, engine: EngineName) -> None:
    """By default a symlink is an entry of its own and nothing more."""
    root = make_tree(place / "tree", read_spec("loops"))

    snapshot = scan([root], ScanOptions(engine=engine))

    links = [path for entry, path in _entries(snapshot) if snapshot.tree.kind[entry] == Kind.SYMLINK]
    flags = int(snapshot.tree.flags.max(initial=0))
    assert (8, {}, 0) == (len(links), skips(snapshot), flags & Flag.VIA_SYMLINK)


def _entries(snapshot: object) -> list[tuple[int, bytes]]:
    tree = snapshot.tree
    return [(entry, tree.path(entry)[len(tree.name(0)) + 1 :]) for entry in range(1, len(tree))]
