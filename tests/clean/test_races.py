"""Others at work while something is removed: whoever is faster, nothing goes that was not planned."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from spacemap.clean import Method, remove, undo_last
from spacemap.clean.outcome import GONE
from spacemap.clean.runs import read_runs
from tests.clean.cleaning import (
    delete,
    is_canary_alive,
    journal_in,
    listing,
    own_places,
    planned,
    scanned,
    trash,
    tree_in,
)
from tests.scan.processes import environment
from tests.scan.specs import Entry, make_tree
from tests.tui.removing import contents

DIRECTORIES = [f"{number:02}" for number in range(40)]
# Puts symlinks in the places of directories, and the directories back, again and again.
SWAPPING = """
import os, sys
from contextlib import suppress
print("begun", flush=True)
while True:
    for name in os.listdir("."):
        with suppress(OSError):
            os.rename(name, name + ".away")
            os.symlink(sys.argv[1], name)
            os.unlink(name)
            os.rename(name + ".away", name)
"""
REMOVING = """
import sys
from pathlib import Path
from spacemap.clean import *
from spacemap.scan import scan
from tests.clean.cleaning import *
place = Path(sys.argv[1])
plan = planned(scan([place / "tree"]), *sys.argv[3:])
print("ready", flush=True)
sys.stdin.readline()
outcome = remove(plan, Method.DELETE, Journal(str(place / sys.argv[2])))
print(outcome.entries, *{stayed.reason for stayed in outcome.stayed}, sep="|")
"""
UNDOING = """
import os, signal, sys
from spacemap.clean import *
from spacemap.clean import undo
os.environ.update(XDG_DATA_HOME=sys.argv[1] + "/data")
rename, moved = undo.rename_exclusively, []
def rename_and_die(*arguments):
    rename(*arguments)
    moved.append(arguments)
    if len(moved) == 50:
        os.kill(os.getpid(), signal.SIGKILL)
undo.rename_exclusively = rename_and_die
undo_last(Journal(sys.argv[1] + "/journal"))
"""


@pytest.mark.parametrize("method", list(Method))
def test_symlinks_swapped_for_directories(place: Path, monkeypatch: pytest.MonkeyPatch, method: Method) -> None:
    """While directories are swapped for symlinks to a canary with the same names, nothing of the canary goes."""
    own_places(place, monkeypatch)
    names = [f"{below}/precious" for below in range(20)]
    root = tree_in(place, *(f"{directory}/{name}" for directory in DIRECTORIES for name in names))
    make_tree(place / "mirror", [Entry(name, content=5000) for name in names])
    before = contents(place / "mirror")
    plan = planned(scanned(root), *DIRECTORIES)
    command = [sys.executable, "-c", SWAPPING, "../mirror"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, env=environment()) as swapping:
        assert swapping.stdout is not None
        swapping.stdout.readline()
        remove(plan, method, journal_in(place))
        swapping.kill()

    assert before == contents(place / "mirror")
    assert is_canary_alive(place)


def test_two_remove_the_same(place: Path) -> None:
    """Two who remove the same at once, each with a journal, remove it together; what the other took is told as gone."""
    root = tree_in(place, "keep", *(f"{directory}/{name}" for directory in DIRECTORIES for name in range(50)))
    removing = [
        subprocess.Popen(
            [sys.executable, "-c", REMOVING, place, f"journal {number}", *DIRECTORIES],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            text=True,
        )
        for number in range(2)
    ]
    for process in removing:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in removing:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate()[0].strip().split("|") for process in removing]

    assert ["keep"] == listing(root), told
    assert 51 * len(DIRECTORIES) == sum(int(count) for count, *_ in told)
    # In the middle of removing a file, the kernel shows for a moment that it changed, and that it is still there.
    told_of = {GONE, "its content, name, owner or mode changed since the scan"}
    assert {reason for _, *reasons in told for reason in reasons} <= told_of
    assert is_canary_alive(place)


def test_where_the_process_stands(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory in which the process stands goes like any other."""
    root = tree_in(place, "a/here/file", "b")
    plan = planned(scanned(root), "a")
    monkeypatch.chdir(root / "a/here")
    outcome = delete(place, plan)

    assert (3, (), ["b"]) == (outcome.entries, outcome.stayed, listing(root))


@pytest.mark.parametrize("method", list(Method))
def test_every_kind(place: Path, monkeypatch: pytest.MonkeyPatch, method: Method) -> None:
    """Pipes, sockets, symlinks, links and, for root, devices go without being opened; from the trash they come back."""
    own_places(place, monkeypatch)
    kinds = [Entry("fifo", "fifo"), Entry("socket", "socket"), Entry("symlink", "symlink", target="../canary/precious")]
    root = tree_in(place, *kinds, "file", Entry("link", "link", target="file"))
    if os.geteuid() == 0:
        os.mknod(root / "null", 0o20600, os.makedev(1, 3))
        os.mknod(root / "block", 0o60600, os.makedev(7, 250))
    before = contents(root)
    outcome = remove(planned(scanned(root), *listing(root)), method, journal_in(place))

    assert ((), []) == (outcome.stayed, listing(root))
    if method is Method.TRASH:
        undo_last(journal_in(place))
        assert before == contents(root)
    assert is_canary_alive(place)


def test_deep_directories_and_back(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thousand levels, of a path that no call takes, are compared, moved to the trash, and brought back."""
    bin_path = own_places(place, monkeypatch)
    root = tree_in(place, Entry("chain", "chain", levels=2000, length=20, content=1))
    outcome = trash(place, planned(scanned(root), "chain"))

    assert ((), 4001, []) == (outcome.stayed, outcome.entries, os.listdir(root))
    assert 1 == undo_last(journal_in(place)).entries
    assert (["chain"], []) == (os.listdir(root), os.listdir(bin_path / "files"))
    assert 4001 == delete(place, planned(scanned(root), "chain")).entries


def test_killed_while_putting_back(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `kill -9` right behind a move of undoing, the next one brings back the rest, and all of it is told once."""
    bin_path = own_places(place, monkeypatch)
    root = tree_in(place, *(f"{number:03}/file" for number in range(300)))
    before = contents(root)
    trash(place, planned(scanned(root), *os.listdir(root)))
    killed = subprocess.run([sys.executable, "-c", UNDOING, place], env=environment(), check=False)
    left = len(os.listdir(bin_path / "files"))
    outcome = undo_last(journal_in(place))

    assert (-signal.SIGKILL, 250) == (killed.returncode, left)
    assert (left, ()) == (outcome.entries, outcome.stayed)
    assert before == contents(root)
    assert [] == os.listdir(bin_path / "files")
    assert ["trash", "restore", "restore"] == [run.what for run in read_runs(journal_in(place).directory)]
