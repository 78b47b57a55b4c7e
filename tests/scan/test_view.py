"""What a watcher can ask of a running scan: a tree so far, and its end."""

import os
import sys
from pathlib import Path

import pytest

from spacemap.scan import Progress, scan
from spacemap.scan.rescan import Rescan
from spacemap.tree.columns import Skip
from spacemap.tree.snapshot import Completeness, Snapshot
from tests.scan.processes import run_python


@pytest.fixture
def tree(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a tree that is listed by workers, so that there are reports of progress."""
    monkeypatch.setattr("spacemap.scan.mounts.MountTable.may_hang", lambda *_: True)
    for directory in range(40):
        (place / f"d{directory}" / "sub").mkdir(parents=True)
        for file in range(10):
            (place / f"d{directory}" / "sub" / f"f{file}").write_bytes(b"x" * file)
    return place


def _paths(snapshot: Snapshot) -> set[bytes]:
    return {snapshot.tree.path(entry) for entry in range(len(snapshot.tree))}


def test_a_tree_so_far(tree: Path) -> None:
    """Whenever it is asked for, the tree so far is a part of the whole one, rolled up, and says that it is partial."""
    seen: list[Snapshot] = []

    def on_progress(progress: Progress) -> None:
        assert progress.view is not None
        seen.append(progress.view()())

    whole = scan([tree], on_progress=on_progress)

    assert seen
    assert Completeness.COMPLETE is whole.facts.completeness
    for snapshot in seen:
        totals = snapshot.tree.totals
        assert Completeness.INTERRUPTED is snapshot.facts.completeness
        assert _paths(snapshot) <= _paths(whole)
        assert int(totals.files[0] + totals.directories[0]) == len(snapshot.tree)
        complete = len(snapshot.tree) == len(whole.tree)
        assert complete or Skip.UNLISTED in snapshot.tree.directories.skip.tolist()


def test_a_view_is_of_its_moment(tree: Path) -> None:
    """A tree that is built late holds what was known when it was asked for."""
    builds = []

    def on_progress(progress: Progress) -> None:
        if progress.view is not None:
            builds.append((progress.entries, progress.view()))

    whole = scan([tree], on_progress=on_progress)
    first_entries, first = builds[0]

    # References to what no batch has brought yet are left out, so there may be fewer entries, never more.
    assert len(first().tree) <= first_entries <= len(whole.tree)


def test_a_callback_ends_the_listing(tree: Path) -> None:
    """KeyboardInterrupt from `on_progress` ends the scan as an interrupt does: with what is known."""

    def on_progress(_: Progress) -> None:
        raise KeyboardInterrupt

    snapshot = scan([tree], on_progress=on_progress)

    assert Completeness.INTERRUPTED is snapshot.facts.completeness
    assert (os.fsencode(tree),) == snapshot.roots


def test_no_view_beside_a_base(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While an earlier tree is used there is nothing better to show than that."""
    (place / "a" / "b").mkdir(parents=True)
    base = scan([place])
    views = []
    monkeypatch.setattr("spacemap.scan.run.SMALL_SECONDS", 0.0)
    scan([place], on_progress=lambda progress: views.append(progress.view), base=base, rescan=Rescan())

    assert all(view is None for view in views)


PROGRAM = """
import sys, threading
from spacemap.scan import scan
from spacemap.scan import run
from spacemap.scan.mounts import MountTable
from spacemap.scan.processes import prepare_processes

def work():
    snapshot = scan([sys.argv[1]])
    print(snapshot.facts.workers, len(snapshot.tree))

class NoDescriptor:
    def fileno(self): return -1
    def write(self, text): return len(text)
    def flush(self): pass

if __name__ == "__main__":
    MountTable.may_hang = lambda *_: True
    prepare_processes()
    sys.stderr = NoDescriptor()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
"""


def test_workers_beside_threads(tree: Path, tmp_path: Path) -> None:
    """Once prepared, workers start in a process with threads and without a descriptor for stderr."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    result = run_python("import runpy, sys; runpy.run_path(sys.argv.pop(1), run_name='__main__')", program, tree)
    workers, entries = map(int, result.stdout.split())

    assert (b"", 0) == (result.stderr, result.returncode)
    assert workers > 0
    assert len(scan([tree]).tree) == entries


def test_the_platform_has_descriptors() -> None:
    """What the tests above pretend is not so in this process."""
    assert sys.__stderr__ is not None
    assert sys.__stderr__.fileno() >= 0
