"""One file that is seen through two mounts is no duplicate of itself, and what is shared on the disk wastes nothing."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.analyze.finding import write
from tests.scan.processes import can_mount, in_namespace

FIND = """
import json, os, sys
from spacemap.analyze.duplicates import find_duplicates
from spacemap.scan import scan
roots = [os.path.realpath(path) for path in sys.argv[1:]]
snapshot = scan(roots)
found = find_duplicates(snapshot)
copies = [found.links(copy).tolist() for copy in range(len(found.copies.entry))]
paths = [[snapshot.tree.path(link).decode() for link in links] for links in copies]
print(json.dumps([paths, found.copies.is_shared.tolist(), found.wasted, len(found.not_compared)]))
"""

pytestmark = pytest.mark.skipif(not can_mount(), reason="mounting needs root or user namespaces")
needs_overlay = pytest.mark.skipif(not can_mount("overlay"), reason="an overlay cannot be mounted here")


def _find(script: str, root: Path, *roots: str) -> tuple[list[list[str]], list[bool], int, int]:
    """Mount by a script in a namespace and return copies, which share their blocks, waste, and files left out."""
    words = " ".join(f'"$2/{name}"' for name in roots)
    result = in_namespace(f'{script}\n"$1" -c "$3" {words}', sys.executable, root, FIND)
    assert (0, b"") == (result.returncode, result.stderr)
    copies, shared, wasted, left = json.loads(result.stdout)
    return copies, shared, wasted, left


def test_a_bind_mount(place: Path) -> None:
    """A directory that is mounted a second time holds no copies."""
    write(place / "a/file", b"x" * 9000)
    (place / "b").mkdir()

    assert ([], [], 0, 0) == _find('mount --bind "$2/a" "$2/b"', place, "a", "b")


@needs_overlay
def test_an_overlay_and_its_layer(place: Path) -> None:
    """A file of a lower layer and the same file in the overlay have other devices, and are one; a copy is a copy."""
    write(place / "low/file", b"x" * 9000)
    write(place / "low/copy", b"x" * 9000)
    for name in ("up", "work", "merged"):
        (place / name).mkdir()
    script = 'mount -t overlay -o "lowerdir=$2/low,upperdir=$2/up,workdir=$2/work" none "$2/merged"'
    copies, _, wasted, left = _find(script, place, "low", "merged")

    assert (2, 0) == (len(copies), left)
    assert (place / "low/copy").stat().st_blocks * 512 == wasted


def test_a_read_only_file_system(place: Path) -> None:
    """Copies on a file system that cannot be written to are found."""
    (place / "mnt").mkdir()
    script = """
        mount -t tmpfs none "$2/mnt"
        head -c 70000 /dev/zero > "$2/mnt/a"
        cp "$2/mnt/a" "$2/mnt/b"
        mount -o remount,ro "$2/mnt"
    """
    copies, _, _, left = _find(script, place, "mnt")

    assert ([[f"{place}/mnt/a"], [f"{place}/mnt/b"]], 0) == (copies, left)


@pytest.mark.skipif(shutil.which("mkfs.xfs") is None, reason="mkfs.xfs is not installed")
def test_shared_extents_waste_nothing(place: Path) -> None:
    """Copies that share their blocks are told as such, and waste nothing; a real copy does."""
    (place / "mnt").mkdir()
    script = """
        truncate -s 400M "$2/image"
        mkfs.xfs -q -m reflink=1 "$2/image"
        mount -o loop "$2/image" "$2/mnt" || exit 77
        head -c 70000 /dev/urandom > "$2/mnt/a"
        cp --reflink=always "$2/mnt/a" "$2/mnt/b"
        cp --reflink=never "$2/mnt/a" "$2/mnt/c"
        sync
    """
    words = '"$2/mnt"'
    result = in_namespace(f'{script}\n"$1" -c "$3" {words}', sys.executable, place, FIND)
    if result.returncode == 77:
        pytest.skip("no loop devices here")
    assert (0, b"") == (result.returncode, result.stderr)
    copies, shared, wasted, left = json.loads(result.stdout)

    assert ([f"{place}/mnt/{name}" for name in "abc"], 0) == ([path for (path,) in copies], left)
    assert [False, True, False] == shared
    assert 69632 + 4096 == wasted
