"""Other file systems: none is entered that was not planned, and each has a trash of its own."""

import sys
from pathlib import Path

import pytest

from tests.clean.cleaning import is_canary_alive, listing
from tests.scan.processes import can_mount, in_namespace

pytestmark = pytest.mark.skipif(not can_mount(), reason="mounting needs root or user namespaces")

HEAD = """
import os, subprocess, sys
from pathlib import Path
from spacemap.clean import *
from tests.clean.cleaning import *
place = Path(sys.argv[1])
os.environ.update(HOME=str(place / "home"), XDG_DATA_HOME=str(place / "data"))

def mount(*words):
    subprocess.run(["mount", *map(str, words)], check=True)

def tmpfs(path, options="mode=755"):
    path.mkdir(parents=True, exist_ok=True)
    mount("-t", "tmpfs", "-o", options, "none", path)

def on_other(*paths, options="mode=755"):
    "Return a tree on a tmpfs of its own, scanned, and its plan of all that is at the top."
    fs = place / "fs"
    tmpfs(fs, options)
    root = tree_in(fs, *paths)
    snapshot = scanned(root)
    return fs, root, make_plan(snapshot, range(1, 1 + len(os.listdir(root))))
"""


def _run(place: Path, program: str) -> None:
    """Run a program in a mount namespace; it asserts what holds."""
    result = in_namespace('exec "$1" -c "$2" "$3"', sys.executable, HEAD + program, place)

    assert (0, "") == (result.returncode, result.stderr.decode())


@pytest.mark.parametrize("source", ["tmpfs", "bind"])
@pytest.mark.parametrize("method", ["DELETE", "TRASH"])
def test_mounted_since_the_scan(place: Path, method: str, source: str) -> None:
    """What is mounted inside a planned directory after the scan stays, be it of the same device, and all above it."""
    program = f"""
root = tree_in(place, "a/b/file", "a/file", "c")
plan = planned(scanned(root), "a", "c")
if "{source}" == "bind":
    mount("--bind", place / "canary", root / "a/b")
else:
    tmpfs(root / "a/b")
    (root / "a/b/file").write_text("x" * 5000)
inside = listing(root / "a/b")
outcome = remove(plan, Method.{method}, journal_in(place))
assert listing(root / "a/b") == inside and not (root / "c").exists()
(told,) = set(reasons(outcome, root)) - {{"a"}} or {{"a"}}
assert told == ("a/b" if Method.{method} is Method.DELETE else "a"), told
assert "another file system" in reasons(outcome, root)[told]
assert is_canary_alive(place)
"""
    _run(place, program)

    assert is_canary_alive(place)


@pytest.mark.parametrize("method", ["DELETE", "TRASH"])
def test_mounted_before_the_scan(place: Path, method: str) -> None:
    """A mount inside a planned directory is odd, and stays; mount points themselves are refused."""
    program = f"""
root = tree_in(place, "a/mnt/hidden", "a/file")
tmpfs(root / "a/mnt")
(root / "a/mnt/precious").write_text("precious")
snapshot = scanned(root)
assert ["it is a mount point"] == [r.reason for r in make_plan(snapshot, [entry_of(snapshot, "a/mnt")]).refusals]
plan = planned(snapshot, "a")
assert 1 == plan.oddities.mounts
outcome = remove(plan, Method.{method}, journal_in(place))
assert listing(root / "a/mnt") == ["precious"] and outcome.stayed_count == 1
script = place / "script"
write_script(plan, script)
done = subprocess.run(["sh", script], cwd=root, capture_output=True, text=True)
assert done.returncode == 1 and "another file system is mounted there" in done.stderr, done
assert listing(root / "a/mnt") == ["precious"]
"""
    _run(place, program)


def test_mounted_where_the_scan_did_not_look(place: Path) -> None:
    """A mount inside a pruned directory keeps what holds it out of the trash, and is not entered by deleting."""
    program = """
root = tree_in(place, "a/pruned/mnt/hidden", "a/file")
tmpfs(root / "a/pruned/mnt")
(root / "a/pruned/mnt/precious").write_text("precious")
plan = planned(scanned(root, ScanOptions(prune=("pruned",))), "a")
assert 1 == plan.oddities.mounts
before = listing(root)
assert reasons(trash(place, plan), root) == {"a": "another file system is mounted there, somewhere below"}
assert listing(root) == before
delete(place, plan)
assert listing(root) == [path for path in before if path != "a/file"]
"""
    _run(place, program)


def test_below_a_mount_that_was_scanned(place: Path) -> None:
    """What lies on a file system that was scanned as part of the root can be removed there."""
    program = """
root = tree_in(place, "mnt/hidden", "other")
tmpfs(root / "mnt")
(root / "mnt/a").mkdir()
(root / "mnt/a/file").write_text("x")
(root / "mnt/b").write_text("y")
snapshot = scanned(root)
delete(place, planned(snapshot, "mnt/a"))
assert listing(root) == ["mnt", "mnt/b", "other"]
trash(place, planned(snapshot, "mnt/b"))
assert listing(root / "mnt/.Trash-0/files") == ["b"]
undo_last(journal_in(place))
assert (root / "mnt/b").read_text() == "y"
plan = planned(snapshot, "mnt/b")
subprocess.run(["umount", root / "mnt"], check=True)
(root / "mnt/b").write_text("y")
assert reasons(delete(place, plan), root)["mnt/b"].startswith("its directory: something else")
assert (root / "mnt/b").exists()
"""
    _run(place, program)


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        ("pass", ".Trash-0"),
        ("(fs / '.Trash').mkdir(); (fs / '.Trash').chmod(0o1777)", ".Trash/0"),
        ("(fs / '.Trash').mkdir(); (fs / '.Trash').chmod(0o777)", ".Trash-0"),
        ("(fs / 'real').mkdir(); (fs / 'real').chmod(0o1777); (fs / '.Trash').symlink_to('real')", ".Trash-0"),
        ("(fs / '.Trash').write_text('')", ".Trash-0"),
    ],
    ids=["none", "sticky", "not sticky", "symlink", "file"],
)
def test_the_trash_of_another_file_system(place: Path, prepare: str, expected: str) -> None:
    """Off the home file system its own top directory has the trash, as the specification says; paths are relative."""
    program = f"""
fs, root, plan = on_other("a/file", "b c")
{prepare}
outcome = trash(place, plan)
assert outcome.stayed == () and listing(root) == [], outcome
bin_path = fs / "{expected}"
assert listing(bin_path / "files") == ["a", "a/file", "b c"]
assert "Path=tree/b%20c" in (bin_path / "info/b c.trashinfo").read_text().splitlines()
assert bin_path.stat().st_mode & 0o777 == 0o700 and not (place / "data").exists()
assert 2 == undo_last(journal_in(place)).entries
assert listing(root) == ["a", "a/file", "b c"]
"""
    _run(place, program)


def test_a_full_file_system(place: Path) -> None:
    """Where the trash cannot be written for lack of room all stays, nothing is left in it, and deleting still works."""
    program = """
fs, root, plan = on_other("a/file", "b", options="size=200k")
(fs / ".Trash-0").mkdir(mode=0o700)
with (fs / "filler").open("wb", buffering=0) as file:
    try:
        while file.write(b"x" * 4096):
            pass
    except OSError:
        pass
outcome = trash(place, plan)
told = "the trash cannot be written: No space left on device (ENOSPC); delete it instead, or write a script"
assert reasons(outcome, root) == {"a": told, "b": told}
assert listing(fs / ".Trash-0") == ["files", "info"] and listing(root) == ["a", "a/file", "b"]
assert delete(place, plan).entries == 3 and is_canary_alive(fs)
"""
    _run(place, program)


def test_a_read_only_file_system(place: Path) -> None:
    """On a read-only file system everything stays, with the reason, by either way."""
    program = """
fs, root, plan = on_other("a/file", "b")
mount("-o", "remount,ro", fs)
outcome = trash(place, plan)
told = "the trash cannot be used: Read-only file system (EROFS); delete it instead, or write a script"
assert reasons(outcome, root) == {"a": told, "b": told}
outcome = delete(place, plan)
assert reasons(outcome, root) == dict.fromkeys(["a/file", "b"], "Read-only file system (EROFS)")
assert listing(root) == ["a", "a/file", "b"] and is_canary_alive(fs)
"""
    _run(place, program)


def test_a_full_disk_under_the_journal(place: Path) -> None:
    """A removal begins on a disk without any room, thanks to what the journal keeps in reserve, and makes some."""
    program = """
fs, root, plan = on_other("a/file", "b", options="size=600k")
journal = Journal(str(fs / "journal"))
remove(make_plan(plan.snapshot, []), Method.DELETE, journal)
with (fs / "filler").open("wb", buffering=0) as file:
    try:
        while file.write(b"x" * 4096):
            pass
    except OSError:
        pass
assert remove(plan, Method.DELETE, journal).entries == 3 and listing(root) == []
"""
    _run(place, program)


def test_the_trash_is_never_on_another_disk(place: Path) -> None:
    """A home trash that leads to another file system is refused; nothing is copied."""
    program = """
root = tree_in(place, "a")
tmpfs(place / "data/Trash/files")
outcome = trash(place, planned(scanned(root), "a"))
assert reasons(outcome, root) == {"a": "the trash is on another file system; delete it instead, or write a script"}
assert listing(root) == ["a"] and listing(place / "data/Trash/files") == []
"""
    _run(place, program)

    assert ["tree", "tree/a"] == [path for path in listing(place) if path.startswith("tree")]


def test_a_script_after_something_was_mounted(place: Path) -> None:
    """A script leaves a directory alone in which something was mounted since it was written, whatever the names."""
    program = r"""
names = ["a", "b c", "d\n", "e\t\\040", "f'"]
root = tree_in(place, "ab/file")
for name in names:
    (root / name / "mnt").mkdir(parents=True)
write_script(planned(scanned(root), "ab", *names), place / "script")
for name in names:
    mount("--bind", place / "canary", root / name / "mnt")
done = subprocess.run(["sh", place / "script"], cwd=root, capture_output=True, text=True)
assert done.returncode == 1 and done.stderr.count("another file system is mounted there") == len(names), done
assert all(listing(root / name) == ["mnt", "mnt/precious"] for name in names) and not (root / "ab").exists()
assert is_canary_alive(place)
"""
    _run(place, program)

    assert is_canary_alive(place)


@pytest.mark.parametrize("method", ["DELETE", "TRASH"])
def test_a_read_only_bind_mount(place: Path, method: str) -> None:
    """What is seen through a read-only bind mount stays, though its file system can be written."""
    program = f"""
root = tree_in(place, "a/file", "b")
mount("--bind", root, root)
mount("-o", "remount,ro,bind", root)
outcome = remove(planned(scanned(root), "a", "b"), Method.{method}, journal_in(place))
assert outcome.entries == 0 and all("(EROFS)" in stayed.reason for stayed in outcome.stayed), outcome
assert listing(root) == ["a", "a/file", "b"]
"""
    _run(place, program)


@pytest.mark.parametrize("method", ["DELETE", "TRASH"])
def test_a_disk_that_fills_up_under_the_journal(place: Path, method: str) -> None:
    """What cannot be told any more stays where it is, with no name reserved for it; all that went is told."""
    program = f"""
from spacemap.clean.runs import read_runs
from spacemap.errors import SpacemapError
root = tree_in(place, *(f"{{number:0100}}" for number in range(6000)))
snapshot = scanned(root)
tmpfs(place / "journal", "size=160k")
before = set(os.listdir(root))
try:
    remove(make_plan(snapshot, range(1, len(snapshot.tree))), Method.{method}, journal_in(place))
    raise AssertionError("the journal had room for all")
except SpacemapError as error:
    assert "No space left on device" in str(error), error
gone = before - set(os.listdir(root))
(run,) = read_runs(str(place / "journal"))
assert gone and gone < before
assert gone <= {{os.fsdecode(name) for intent in run.intents for name in intent.gone()}}
if Method.{method} is Method.TRASH:
    assert listing(place / "data/Trash/files") == sorted(gone)
    assert listing(place / "data/Trash/info") == sorted(f"{{name}}.trashinfo" for name in gone)
"""
    _run(place, program)
