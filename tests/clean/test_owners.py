"""What the user may not remove: it stays, with the reason of the system, and the rest goes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clean.cleaning import (
    delete,
    is_canary_alive,
    listing,
    own_places,
    planned,
    reasons,
    scanned,
    trash,
    tree_in,
)
from tests.scan.test_permissions import NOBODY, as_user, can_run

IMMUTABLE = "Operation not permitted (EPERM); it may be immutable, or belong to somebody else"
PROGRAM = """
import os, sys
from pathlib import Path
from spacemap.clean import *
from tests.clean.cleaning import *
assert os.getuid() != 0
place = Path(sys.argv[1])
root = place / "tree"
os.environ.update(HOME=str(place / "home"), XDG_DATA_HOME=str(place / "data"))
plan = planned(scanned(root), "sticky/foreign", "sticky/own", "shut/file", "names", "open")
assert inspect(plan).other_owner == 1, inspect(plan)
outcome = remove(plan, Method[sys.argv[2]], Journal(str(place / "journal")))
told = reasons(outcome, root)
assert told.pop("sticky/foreign").startswith("Operation not permitted (EPERM)"), told
assert told.pop("shut/file").startswith("Permission denied (EACCES)"), told
assert (set(told) == {"names/file"} if Method[sys.argv[2]] is Method.DELETE else not told), told
"""


@pytest.fixture
def immutable(place: Path) -> Path:
    """Return a tree with a file that cannot be removed, whoever asks."""
    root = tree_in(place, "a/b/file", "a/other", "c")
    if subprocess.run(["chattr", "+i", root / "a/b/file"], capture_output=True, check=False).returncode:
        pytest.skip("no file can be made immutable here")
    return root


def test_an_immutable_file(place: Path, immutable: Path) -> None:
    """An immutable file stays with all directories above it, and the rest of the plan goes."""
    try:
        outcome = delete(place, planned(scanned(immutable), "a", "c"))
    finally:
        subprocess.run(["chattr", "-i", immutable / "a/b/file"], check=True)

    assert ["a", "a/b", "a/b/file"] == listing(immutable)
    assert {"a/b/file": IMMUTABLE} == reasons(outcome, immutable)
    assert is_canary_alive(place)


def test_an_immutable_file_and_the_trash(place: Path, immutable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An immutable file that is planned itself stays, nothing is left of it in the trash, and the rest is moved."""
    bin_path = own_places(place, monkeypatch)
    try:
        outcome = trash(place, planned(scanned(immutable), "a/b/file", "a/other", "c"))
    finally:
        subprocess.run(["chattr", "-i", immutable / "a/b/file"], check=True)

    assert ["a", "a/b", "a/b/file"] == listing(immutable)
    assert {"a/b/file": f"{IMMUTABLE}; delete it instead, or write a script"} == reasons(outcome, immutable)
    assert ["c.trashinfo", "other.trashinfo"] == listing(bin_path / "info")


@pytest.mark.skipif(os.geteuid() != 0 or not can_run(), reason="needs root, and a user who can read the project")
@pytest.mark.parametrize("method", ["DELETE", "TRASH"])
def test_foreign_files(tmpfs_place: Path, method: str) -> None:
    """For an ordinary user the files of others in a sticky directory, and of shut directories, stay."""
    root = tree_in(tmpfs_place, "sticky/foreign", "sticky/own", "shut/file", "names/file", "open/file")
    for path in (tmpfs_place, *root.rglob("*"), root):
        os.chown(path, NOBODY, NOBODY)
    os.chown(root / "sticky", 0, 0)
    os.chown(root / "sticky/foreign", 0, 0)
    for name, mode in (("sticky", 0o1777), ("shut", 0o555), ("names", 0o555 if method == "DELETE" else 0o755)):
        (root / name).chmod(mode)
    result = as_user([sys.executable, "-c", PROGRAM, tmpfs_place, method])

    assert (0, "") == (result.returncode, result.stderr.decode())
    left = {"DELETE": ["names", "names/file"], "TRASH": []}[method]
    assert sorted([*left, "shut", "shut/file", "sticky", "sticky/foreign"]) == listing(root)
