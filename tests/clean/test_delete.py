"""Deleting: exactly what was planned goes; whatever differs from the plan stays, with a reason."""

import os
import socket
import time
from pathlib import Path

import pytest

from spacemap.clean import Method, Removing, make_plan, remove
from spacemap.scan import ScanOptions, scan
from spacemap.scan.rescan import Level, Rescan
from spacemap.tree.snapshot import Snapshot
from tests.clean.cleaning import (
    delete,
    is_canary_alive,
    journal_in,
    listing,
    planned,
    reasons,
    scanned,
    tree_in,
)
from tests.scan.processes import wait_until
from tests.scan.specs import Entry

MODIFIED = "it was modified since the scan"
REPLACED = "something else has taken its place since the scan"
STATUS = "its content, name, owner or mode changed since the scan"
ADDED = "something was added to it since the scan, or left out by it"
GONE = "it is not there any more"
ON_THE_WAY = "something else has taken its place, or that of a directory above it, since the scan"


def test_a_plan_is_carried_out(place: Path) -> None:
    """Planned files and directories with all below them are gone, and counted; nothing else is touched."""
    root = tree_in(place, "a/b/c/file", "a/b/file", "a/other", "keep/file", "single", Entry("a/empty", "directory"))
    plan = planned(scanned(root), "a", "single")
    outcome = delete(place, plan)

    assert ["keep", "keep/file"] == listing(root)
    assert (8, 8, (), False) == (plan.count, outcome.entries, outcome.stayed, outcome.is_cancelled)
    assert is_canary_alive(place)


def test_freed_bytes(place: Path) -> None:
    """What was freed is what the file system freed: of a file with two links nothing until the second goes."""
    root = tree_in(place, "a/file", Entry("a/link", "link", target="a/file"), Entry("b", "link", target="a/file"))
    snapshot = scanned(root)
    blocks = (root / "b").stat().st_blocks * 512
    first = delete(place, planned(snapshot, "a/file"))
    second = delete(place, planned(snapshot, "a/link", "b"))

    assert (0, blocks) == (first.disk_bytes, second.disk_bytes)


@pytest.mark.parametrize("target", ["../canary", "missing"])
def test_a_directory_replaced_by_a_symlink(place: Path, target: str) -> None:
    """A planned directory that became a symlink leads nowhere: the link and what it leads to stay."""
    root = tree_in(place, "a/precious", "b")
    plan = planned(scanned(root), "a", "b")
    (root / "a").rename(place / "moved")
    (root / "a").symlink_to(target)
    outcome = delete(place, plan)

    assert (["a"], ["precious"]) == (listing(root), listing(place / "moved"))
    assert {"a": ON_THE_WAY} == reasons(outcome, root)
    assert is_canary_alive(place)


def test_a_directory_on_the_way_replaced_by_a_symlink(place: Path) -> None:
    """Where a directory above planned files became a symlink, none of them is looked for behind it."""
    root = tree_in(place, "way/a/precious", "way/precious")
    plan = planned(scanned(root), "way/a", "way/precious")
    (root / "way").rename(place / "moved")
    (root / "way").symlink_to("../canary")
    outcome = delete(place, plan)

    assert ["a", "a/precious", "precious"] == listing(place / "moved")
    assert {"way/a", "way/precious"} == set(reasons(outcome, root))
    assert is_canary_alive(place)


def test_a_parent_renamed(place: Path) -> None:
    """Another directory of the same name, though it holds files of the same names, is not the planned one."""
    root = tree_in(place, "way/a/file", "way/file")
    plan = planned(scanned(root), "way/a", "way/file")
    (root / "way").rename(root / "renamed")
    (root / "way/a").mkdir(parents=True)
    os.link(root / "renamed/file", root / "way/file")
    os.link(root / "renamed/a/file", root / "way/a/file")
    before = listing(root)
    outcome = delete(place, plan)

    assert before == listing(root)
    assert {"way/a": f"its directory: {REPLACED}", "way/file": f"its directory: {REPLACED}"} == reasons(outcome, root)


def _grow(path: Path) -> None:
    with path.open("a") as file:
        file.write("more")


def _replace(path: Path) -> None:
    content, times = path.read_bytes(), path.stat().st_mtime_ns
    path.rename(path.with_name("former"))
    path.write_bytes(content)
    os.utime(path, ns=(times, times))


def _write_again(path: Path) -> None:
    """Write as much as before, and restore the time of modification."""
    times = path.stat().st_mtime_ns
    with path.open("r+b") as file:
        file.write(b"something else")
    os.utime(path, ns=(times, times))


def _make_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _make_symlink(path: Path) -> None:
    path.unlink()
    path.symlink_to("../canary/precious")


def _make_socket(path: Path) -> None:
    path.unlink()
    here = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(f"/proc/self/fd/{here}/{path.name}")
    os.close(here)


@pytest.mark.parametrize("is_inside", [False, True], ids=["planned itself", "in a planned directory"])
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_grow, MODIFIED),
        (lambda path: os.truncate(path, 100), MODIFIED),
        (lambda path: os.utime(path, (0, 0)), MODIFIED),
        (_replace, REPLACED),
        (_write_again, STATUS),
        (lambda path: path.chmod(0o600), STATUS),
        (_make_directory, REPLACED),
        (_make_symlink, REPLACED),
        (_make_socket, REPLACED),
        (lambda path: path.rename(path.with_name("former")), GONE),
    ],
    ids=["grown", "shortened", "touched", "replaced", "rewritten", "chmod", "directory", "symlink", "socket", "gone"],
)
def test_a_changed_file(place: Path, change: object, expected: str, *, is_inside: bool) -> None:
    """A file that is not what the scan saw stays, whatever happened to it, with a reason; its neighbour goes."""
    root = tree_in(place, "a/file", "a/other")
    (root / "a/file").write_bytes(b"x" * 5000)
    plan = planned(scanned(root), *(["a"] if is_inside else ["a/file", "a/other"]))
    change(root / "a/file")  # type: ignore[operator]
    expected_names = [name for name in listing(root) if name != "a/other"]
    outcome = delete(place, plan)

    assert expected_names == listing(root)
    told = reasons(outcome, root)
    assert expected == told.pop("a/file")
    assert ({"a": ADDED} if is_inside and expected == GONE else {}) == told
    assert is_canary_alive(place)


def test_an_empty_directory_replaced(place: Path) -> None:
    """Another directory in the place of an empty one stays, though it is as empty."""
    root = tree_in(place, Entry("a/empty", "directory"), Entry("b", "directory"))
    plan = planned(scanned(root), "a", "b")
    for path in ("a/empty", "b"):
        (root / path).rename(place / path.replace("/", "-"))
        (root / path).mkdir()
    outcome = delete(place, plan)

    assert ["a", "a/empty", "b"] == listing(root)
    assert {"a/empty": REPLACED, "b": REPLACED} == reasons(outcome, root)


def test_what_was_added_stays(place: Path) -> None:
    """What came into a planned directory since the scan stays, and so do the directories above it, which are told."""
    root = tree_in(place, "a/b/file", "a/c/file", "a/file")
    plan = planned(scanned(root), "a")
    (root / "a/b/new").write_text("new")
    outcome = delete(place, plan)

    assert ["a", "a/b", "a/b/new"] == listing(root)
    assert {"a/b": ADDED} == reasons(outcome, root)


def test_what_is_gone_keeps_nothing(place: Path) -> None:
    """What went by itself is told, and what held it is deleted all the same."""
    root = tree_in(place, "a/b/file", "a/c/file", "a/file")
    plan = planned(scanned(root), "a")
    (root / "a/file").unlink()
    (root / "a/b/file").unlink()
    (root / "a/b").rmdir()
    outcome = delete(place, plan)

    assert [] == listing(root)
    assert {"a/b": GONE, "a/file": GONE} == reasons(outcome, root)


def test_what_was_not_listed_stays(place: Path) -> None:
    """A directory that the scan did not enter, or that holds what it left out, stays."""
    root = tree_in(place, "a/deep/file", "b/excluded", "b/file")
    snapshot = scanned(root, ScanOptions(prune=("deep",), exclude=("excluded",)))
    plan = planned(snapshot, "a", "b")
    outcome = delete(place, plan)

    assert ["a", "a/deep", "a/deep/file", "b", "b/excluded"] == listing(root)
    assert {"a/deep": "the scan did not list what is in it", "b": ADDED} == reasons(outcome, root)
    assert 1 == plan.oddities.unlisted


def test_odd_names(place: Path) -> None:
    """Newlines, undecodable bytes, leading dashes and names that a shell or a format would take for something."""
    names = [b"-rf", b"new\nline", b"bad\xff\x80", b"\\x41", b"*", b"$(x)", b'"', b"'", b" ", b"~", b"x" * 255]
    root = tree_in(place)
    for directory in names:
        path = os.path.join(os.fsencode(root), directory)
        os.mkdir(path)
        for name in names:
            Path(os.fsdecode(os.path.join(path, name))).write_bytes(b"")
    plan = planned(scanned(root), *names)
    outcome = delete(place, plan)

    assert (len(names) * (len(names) + 1), (), []) == (outcome.entries, outcome.stayed, listing(root))


@pytest.mark.parametrize(("levels", "length"), [(300, 200), (4000, 1)], ids=["beyond PATH_MAX", "very deep"])
def test_deep_directories(place: Path, levels: int, length: int) -> None:
    """Directories far deeper than a path can be long, or than there may be descriptors, are deleted to the bottom."""
    root = tree_in(place, Entry("chain", "chain", levels=levels, length=length, content=1), "keep")
    plan = planned(scanned(root), "chain")
    outcome = delete(place, plan)

    assert ((), 2 * levels + 1) == (outcome.stayed, outcome.entries)
    assert ["keep"] == listing(root)


def test_a_symlinked_root(place: Path) -> None:
    """A root that was given by way of a symlink works; symlinks in it are deleted, not what they lead to."""
    tree_in(place, "a/file", Entry("a/link", "symlink", target="../../canary"))
    (place / "alias").symlink_to("tree")
    plan = planned(scanned(place / "alias"), "a")
    delete(place, plan)

    assert [] == listing(place / "tree")
    assert is_canary_alive(place)


def test_another_root_in_the_place_of_the_root(place: Path) -> None:
    """Where the root itself was exchanged, nothing goes."""
    root = tree_in(place, "a/file", "b")
    plan = planned(scanned(root), "a", "b")
    root.rename(place / "former")
    (place / "canary").rename(root)
    outcome = delete(place, plan)

    assert (["precious"], ["a", "a/file", "b"]) == (listing(root), listing(place / "former"))
    assert 2 == outcome.stayed_count


def test_several_roots(place: Path) -> None:
    """Entries below several roots are each found below their own."""
    root = tree_in(place, "one/a/file", "two/a/file", "two/b")
    snapshot = scan([root / "one", root / "two"])
    tree = snapshot.tree
    wanted = {os.fsencode(root / "one/a"), os.fsencode(root / "two/b")}
    outcome = delete(place, make_plan(snapshot, [at for at in range(len(tree)) if tree.path(at) in wanted]))

    assert (["one", "two", "two/a", "two/a/file"], 3) == (listing(root), outcome.entries)


def test_cancelling(place: Path) -> None:
    """A removal that is cancelled ends between two entries, says so, and its journal is whole."""
    root = tree_in(place, *(f"{number:03}" for number in range(300)))
    snapshot = scanned(root)
    seen: list[Removing] = []
    plan = make_plan(snapshot, range(1, len(snapshot.tree)))
    outcome = remove(plan, Method.DELETE, journal_in(place), seen.append, lambda: True)

    assert (True, 0, 300) == (outcome.is_cancelled, outcome.entries, len(listing(root)))
    assert [0] == [progress.entries for progress in seen]


def test_progress(place: Path) -> None:
    """The first progress comes at once, with the path of what is at hand."""
    root = tree_in(place, "a/file")
    seen: list[Removing] = []
    remove(planned(scanned(root), "a"), Method.DELETE, journal_in(place), seen.append)

    assert [Removing(0, 0, os.fsencode(root))] == seen[:1]


def test_an_entry_twice(place: Path) -> None:
    """A plan that was carried out finds nothing the second time."""
    root = tree_in(place, "a/file", "b")
    plan = planned(scanned(root), "a", "b")
    delete(place, plan)
    again = delete(place, plan)

    assert ({"a": GONE, "b": GONE}, 0) == (reasons(again, root), again.entries)


def refreshed(root: Path, snapshot: Snapshot, *directories: str) -> Snapshot:
    """Return a snapshot of which only some directories are of now."""
    again = tuple(os.fsencode(root / name) for name in directories)
    return scan([root], base=snapshot, rescan=Rescan(level=Level.TRUST, again=again))


@pytest.mark.parametrize("again", ["b", "a"], ids=["beside it", "its own"])
def test_rewritten_before_a_refresh(place: Path, again: str) -> None:
    """What was rewritten, with its size and times kept, since it was measured stays, however new the rest is."""
    root = tree_in(place, "a/file", "b/file")
    snapshot = scanned(root)
    status = (root / "a/file").stat()
    (root / "a/file").write_bytes(b"x" * 5000)
    os.utime(root / "a/file", ns=(status.st_atime_ns, status.st_mtime_ns))
    outcome = delete(place, planned(refreshed(root, snapshot, again), "a/file", "b/file"))

    assert (["a", "a/file", "b"], {"a/file": STATUS}) == (listing(root), reasons(outcome, root))


def test_new_since_the_base(place: Path) -> None:
    """What a refresh found goes: what was written since, and what was moved there with its old times."""
    root = tree_in(place, "a/file", "b/file", "old")
    snapshot = scanned(root)
    (root / "b/new").write_text("new")
    (root / "old").rename(root / "b/moved")
    wait_until(lambda: time.time() > snapshot.facts.started_ns // 10**9 + 1, "the next second")
    (root / "b/later").write_text("later")
    outcome = delete(place, planned(refreshed(root, snapshot, "b"), "b/later", "b/moved"))

    assert (["a", "a/file", "b", "b/file", "b/new"], {}) == (listing(root), reasons(outcome, root))
