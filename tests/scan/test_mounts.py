"""Mounts inside the tree: second views count once, other and kernel file systems stay out when they are to."""

import json
import os
import sys
from pathlib import Path

import pytest

from spacemap.scan import EngineName
from spacemap.tree.columns import Skip
from tests.scan.engines import each_engine
from tests.scan.processes import can_mount, in_namespace, spacemap
from tests.scan.specs import Entry, make_tree

TREE = [
    Entry("a/big", content=500_000),
    Entry("a/sub/file", content=70_000),
    Entry("b/view", "directory"),
    Entry("b/other", content=10_000),
    Entry("mnt", "directory"),
    Entry("up", "directory"),
    Entry("work", "directory"),
    Entry("low/l", content=3000),
    Entry("sp ace\\\\\n", "directory"),
]
SCAN = """
import json, sys
from spacemap.scan import *
from tests.scan.comparison import as_bytes, skips, totals
engine, root, *words = sys.argv[1:]
boundary = MountBoundary.STAY if "-x" in words else MountBoundary.CROSS
symlinks = Symlinks.FOLLOW if "-L" in words else Symlinks.NEVER
options = [ScanOptions(EngineName(engine), n, boundary=boundary, symlinks=symlinks) for n in (1, 2, 7)]
snapshots = [scan([root], each) for each in options]
assert as_bytes(snapshots[0]) == as_bytes(snapshots[1]) == as_bytes(snapshots[2])
found = {path.decode(): int(skip) for path, skip in skips(snapshots[0]).items()}
print(json.dumps([found, totals(snapshots[0])]))
"""

pytestmark = pytest.mark.skipif(not can_mount(), reason="mounting needs root or user namespaces")
needs_overlay = pytest.mark.skipif(not can_mount("overlay"), reason="an overlay cannot be mounted here")


def _scan(script: str, root: Path, engine: EngineName, *words: str) -> tuple[dict[str, int], list[int], list[int]]:
    """Mount by a script in a namespace; return the skipped directories, the totals, and those of du."""
    left_out = [word for word in words if word.startswith("--exclude")]
    du_words = " ".join(f"'{word}'" for word in [*left_out, *(w for w in words if w in ("-x", "-L"))])
    script += f"""
        "$1" -c "$3" "$4" "$2" {" ".join(words)}
        du -s --block-size=1 {du_words} "$2"
        du -s --block-size=1 --apparent-size {du_words} "$2"
    """
    result = in_namespace(script, sys.executable, root, SCAN, engine.value)
    assert (0, b"") == (result.returncode, result.stderr)
    found, *by_du = result.stdout.splitlines()
    skipped, totals = json.loads(found)
    return skipped, totals, [int(line.split()[0]) for line in by_du]


@pytest.fixture
def tree(place: Path) -> Path:
    """Return a tree with places to mount something on."""
    return make_tree(place / "tree", TREE)


@each_engine
def test_a_bind_mount_counts_once(tree: Path, engine: EngineName) -> None:
    """A directory mounted a second time inside the tree is listed, flagged and left out of the sums."""
    skipped, totals, by_du = _scan('mount --bind "$2/a" "$2/b/view"', tree, engine, "--exclude=view")

    assert ({"b/view": Skip.SECOND_VIEW}, by_du) == (skipped, totals)


@each_engine
def test_a_mount_of_the_root_in_itself_ends(tree: Path, engine: EngineName) -> None:
    """The root mounted inside itself is entered once."""
    skipped, totals, by_du = _scan('mount --bind "$2" "$2/b/view"', tree, engine, "--exclude=view")

    assert ({"b/view": Skip.SECOND_VIEW}, by_du) == (skipped, totals)


@each_engine
def test_of_two_equal_mounts_the_lower_path_counts(tree: Path, engine: EngineName) -> None:
    """A file system mounted at two places of the tree counts at the first one, whoever comes first."""
    script = """
        mount -t tmpfs none "$2/mnt"
        head -c 90000 /dev/zero > "$2/mnt/data"
        mount --bind "$2/mnt" "$2/b/view"
    """
    skipped, totals, by_du = _scan(script, tree, engine, "--exclude=mnt")

    assert ({"mnt": Skip.SECOND_VIEW}, by_du) == (skipped, totals)


@each_engine
def test_a_bind_mount_from_outside_counts(tree: Path, engine: EngineName) -> None:
    """What is mounted from outside the tree is no second view."""
    script = 'mkdir "$2/../outside"; head -c 90000 /dev/zero > "$2/../outside/x"; mount --bind "$2/../outside" "$2/mnt"'
    skipped, totals, by_du = _scan(script, tree, engine)

    assert ({}, by_du) == (skipped, totals)


@each_engine
def test_one_file_system(tree: Path, engine: EngineName) -> None:
    """With -x a tmpfs inside is not descended into, and the totals are those of `du -x`."""
    script = 'mount -t tmpfs none "$2/mnt"; head -c 90000 /dev/zero > "$2/mnt/data"'
    skipped, totals, by_du = _scan(script, tree, engine, "-x")

    assert ({"mnt": Skip.OTHER_DEVICE}, by_du) == (skipped, totals)


@each_engine
def test_other_file_systems_are_entered(tree: Path, engine: EngineName) -> None:
    """Without -x a tmpfs inside counts, mounted at whatever name."""
    script = r"""
        mount -t tmpfs none "$2/sp ace\\
"
        head -c 90000 /dev/zero > "$2/sp ace\\
/data"
    """
    skipped, totals, by_du = _scan(script, tree, engine)

    assert ({}, by_du) == (skipped, totals)


@each_engine
def test_kernel_file_systems_are_left_out(tree: Path, engine: EngineName) -> None:
    """A /proc or /sys mounted inside the tree is listed, flagged and not descended into."""
    script = 'mount --rbind /proc "$2/mnt"'
    skipped, totals, by_du = _scan(script, tree, engine, "--exclude=mnt")

    assert ({"mnt": Skip.KERNEL_FS}, by_du) == (skipped, totals)


@needs_overlay
@each_engine
def test_an_overlay_of_what_is_scanned_counts_once(tree: Path, engine: EngineName) -> None:
    """An overlay whose upper layer lies in the tree is a second view of it."""
    script = 'mount -t overlay -o "lowerdir=$2/low,upperdir=$2/up,workdir=$2/work" none "$2/mnt"'
    skipped, totals, by_du = _scan(script, tree, engine, "--exclude=mnt")

    assert ({"mnt": Skip.SECOND_VIEW}, by_du) == (skipped, totals)


@each_engine
def test_a_symlink_to_a_second_view(tree: Path, engine: EngineName) -> None:
    """With symlinks followed, a link to a mount of what is counted already counts nothing."""
    os.symlink("view", tree / "b/link")
    skipped, totals, by_du = _scan('mount --bind "$2/a" "$2/b/view"', tree, engine, "-L", "--exclude=view")

    assert by_du == totals


def test_two_file_systems_with_equal_inodes(tree: Path) -> None:
    """A file with two links on one tmpfs is not mistaken for the one of the same inode number on another."""
    script = """
        for d in mnt b/view; do
            mount -t tmpfs none "$2/$d"
            head -c 90000 /dev/zero > "$2/$d/x"
            ln "$2/$d/x" "$2/$d/y"
        done
        test $(stat -c %i "$2/mnt/x") = $(stat -c %i "$2/b/view/x")
    """
    skipped, totals, by_du = _scan(script, tree, EngineName.AUTO)

    assert ({}, by_du) == (skipped, totals)


@each_engine
def test_proc_as_root_ends(engine: EngineName) -> None:
    """A kernel file system that was asked for is scanned, and the scan ends."""
    result = spacemap("/proc", "--json", "--quiet", "--engine", engine.value)

    assert (True, b"") == (result.returncode in (0, 1), result.stderr)
    assert json.loads(result.stdout)["totals"]["file_count"] > 1000
