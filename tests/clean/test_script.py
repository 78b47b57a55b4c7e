"""The script: a plan to be read and run by hand; it checks, quotes, and refuses to run elsewhere."""

import os
import subprocess
from pathlib import Path

import pytest

from spacemap.clean import make_plan, write_script
from spacemap.errors import SpacemapError, UsageError
from spacemap.scan import scan
from tests.clean.cleaning import is_canary_alive, listing, planned, scanned, tree_in
from tests.scan.specs import Entry


def _run(script: Path, directory: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["sh", script], cwd=directory, capture_output=True, check=False)


def test_it_does_what_was_planned(place: Path) -> None:
    """Run in its root, the script removes what was planned, of every kind, and nothing else."""
    entries = [Entry("l", "symlink", target="../canary"), Entry("f", "fifo"), Entry("s/s", "socket")]
    root = tree_in(place, "a/b/file", "c/file", "c/keep", "keep", *entries)
    write_script(planned(scanned(root), "a", "c/file", "l", "f", "s/s"), place / "script")
    done = _run(place / "script", root)

    assert (0, b"") == (done.returncode, done.stderr)
    assert ["c", "c/keep", "keep", "s"] == listing(root)
    assert is_canary_alive(place)


def test_any_name(place: Path) -> None:
    """Names with quotes, newlines, undecodable bytes, dashes and expansions are removed; none of it is obeyed."""
    names = [b"-rf", b"new\nline", b"bad\xff", b"'", b'"', b"$(touch x)", b"`touch x`", b"*", b"\\", b" ", b"a b\n"]
    names += [b"'; touch x; '", b"#", b"~", b"%s"]
    root = tree_in(place, "keep")
    for name in names:
        Path(os.fsdecode(os.path.join(os.fsencode(root), name))).write_bytes(b"x")
    write_script(planned(scanned(root), *names), place / "script")
    done = _run(place / "script", root)

    assert (0, b"", ["keep"]) == (done.returncode, done.stderr, listing(root))


def test_it_runs_nowhere_else(place: Path) -> None:
    """In another directory, also one that holds the same, the script removes nothing and says where it belongs."""
    root = tree_in(place, "precious")
    write_script(planned(scanned(root), "precious"), place / "script")
    done = _run(place / "script", place / "canary")

    assert (2, f"run this in the directory that it was made for: cd -- {root}\n") == (
        done.returncode,
        done.stderr.decode(),
    )
    assert is_canary_alive(place)


def test_a_root_of_any_name(place: Path) -> None:
    """The name of the root may hold anything, too."""
    name = 'it\'s a "$(touch x)" `root`\\\n'
    tree_in(place)
    (place / "tree").rename(place / name)
    (place / name / "file").write_text("x")
    write_script(planned(scanned(place / name), "file"), place / "script")
    elsewhere, done = _run(place / "script", place), _run(place / "script", place / name)

    assert (2, 0, b"", []) == (elsewhere.returncode, done.returncode, done.stderr, listing(place / name))
    assert not (place / "x").exists()


def test_what_changed_stays(place: Path) -> None:
    """What was replaced or has grown stays, is told, and the status is 1; the rest goes."""
    root = tree_in(place, "a/file", "b", "c", "way/precious", "d", "e")
    plan = planned(scanned(root), "a", "b", "c", "way/precious", "d", "e")
    write_script(plan, place / "script")
    (root / "a").rename(root / "former")
    (root / "a").symlink_to("../canary")
    (root / "b").write_text("grown")
    (root / "c").unlink()
    (root / "c").symlink_to("../canary/precious")
    (root / "way").rename(place / "moved")
    (root / "way").symlink_to(place / "moved")
    (root / "d").unlink()
    done = _run(place / "script", root)

    assert ["a", "b", "c", "former", "former/file", "way"] == listing(root)
    assert {b"a", b"b", b"c", b"d", b"way/precious"} == {line.split(b": ")[1][2:] for line in done.stderr.splitlines()}
    assert (1, ["precious"]) == (done.returncode, listing(place / "moved"))
    assert is_canary_alive(place)


def test_it_is_written_whole_or_not_at_all(place: Path) -> None:
    """The owner may run it, others may not read it; where it cannot be written nothing is left."""
    root = tree_in(place, "a")
    plan = planned(scanned(root), "a")
    write_script(plan, place / "script")
    with pytest.raises(SpacemapError):
        write_script(plan, place / "missing/script")

    assert 0o700 == (place / "script").stat().st_mode & 0o777
    assert (place / "script").read_bytes().endswith(b"\nexit $status\n")
    assert ["canary", "script", "tree"] == sorted(os.listdir(place))


def test_one_root_only(place: Path) -> None:
    """A script belongs to one root: a plan for several is refused."""
    root = tree_in(place, "a/x", "b/y")
    snapshot = scan([root / "a", root / "b"])
    plan = make_plan(snapshot, range(3, len(snapshot.tree)))
    with pytest.raises(UsageError, match="one root"):
        write_script(plan, place / "script")

    assert (2, False) == (len(plan.entries), (place / "script").exists())
