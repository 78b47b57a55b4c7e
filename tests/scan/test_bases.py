"""What a base must not hide: roots that were replaced, directories that were away, what was never measured."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from spacemap.scan import EngineName, ScanOptions, scan
from spacemap.scan.frontier import Frontier
from spacemap.scan.progress import Progress
from spacemap.scan.rescan import Level, Rescan
from spacemap.scan.wire import Waiting
from spacemap.tree.snapshot import Snapshot
from tests.conftest import remove
from tests.scan.comparison import as_bytes
from tests.scan.engines import each_engine
from tests.scan.processes import children, kill
from tests.scan.specs import Entry, make_tree, wide_tree
from tests.scan.test_rescan import wait_until_settled

DIRECTORY = [Entry("below/file", content=3000), Entry("file", content=10)]


@pytest.fixture(scope="module")
def settled(large_place: Path) -> Path:
    """Return a tree of 40 directories that nobody has touched for more than two seconds."""
    root = make_tree(large_place / "tree", wide_tree(40, 3))
    wait_until_settled()
    return root


@pytest.fixture
def other(large_place: Path) -> Iterator[Path]:
    """Return a path for another root, where nothing is."""
    yield large_place / "other"
    remove(large_place / "other")


def _make(path: Path, kind: str) -> None:
    if kind == "directory":
        make_tree(path, DIRECTORY)
    else:
        path.write_text("x" * 9000)


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "several"])
@pytest.mark.parametrize("after", ["directory", "file"])
@pytest.mark.parametrize("before", ["directory", "file"])
def test_a_root_that_was_replaced(settled: Path, other: Path, before: str, after: str, alone: bool) -> None:
    """A root that is another directory, or another kind of file, than it was is listed as in a full scan."""
    roots = [other] if alone else [other, settled]
    _make(other, before)
    base = scan(roots)
    other.rename(settled.parent / "aside")
    _make(other, after)
    remove(settled.parent / "aside")
    expected = as_bytes(scan(roots))

    again = scan(roots, base=base)

    assert expected == as_bytes(again)
    noted = [f"the earlier scan was not used: {str(other)!r} is another than it was then"]
    assert ([] if before == after == "file" else noted) == list(again.facts.notes)


def test_a_root_that_is_one_of_several_links(settled: Path, other: Path) -> None:
    """A root that is a file, and becomes one of several links or the only one again, counts as in a full scan."""
    _make(other, "file")
    roots = [other, settled]
    snapshot = scan(roots)
    link = settled / "0/0/0/another link"
    for change in (lambda: os.link(other, link), link.unlink):
        change()
        expected = as_bytes(scan(roots))
        snapshot = scan(roots, base=snapshot)

        assert expected == as_bytes(snapshot)


def test_trust_does_not_make_younger(settled: Path, other: Path) -> None:
    """A directory that had just changed when it was listed is not trusted later because a scan trusted it between."""
    wait_until_settled()
    make_tree(other, DIRECTORY)
    base = scan([other, settled])
    trusting = scan([other, settled], base=base, rescan=Rescan(Level.TRUST))
    wait_until_settled()
    trusting = scan([other, settled], base=trusting, rescan=Rescan(Level.TRUST))

    again = scan([other, settled], base=trusting)

    assert trusting.facts.base is not None
    assert again.facts.base is not None
    assert base.facts.started_ns == trusting.facts.base.started_ns == again.facts.base.started_ns
    assert len(base.tree.directories.entry) - 3 == again.facts.base.kept_directories


def test_what_was_away_is_not_taken_for_empty(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that was elsewhere at the moment of its listing, and is back, is listed again."""
    base, snapshot = scan([settled]), _scan_while_away(settled, "0/0", b"0/0/0", monkeypatch)
    expected = as_bytes(scan([settled]))

    again = scan([settled], base=snapshot)

    assert len(base.tree) - 4 == len(snapshot.tree)
    assert expected == as_bytes(again)


def _scan_while_away(root: Path, name: str, waiting: bytes, monkeypatch: pytest.MonkeyPatch) -> Snapshot:
    """Return the snapshot of a rescan during which `name` is elsewhere when `waiting`, below it, is to be listed."""
    base = scan([root])
    with (root / os.fsdecode(waiting) / "0001").open("ab") as file:  # a reason to list what has old times itself
        file.write(b"x")
    claim = Frontier.claim

    def claim_and_move(frontier: Frontier, sharers: int) -> list[Waiting]:
        claimed = claim(frontier, sharers)
        if waiting in [each.path for each in claimed] and (root / name).exists():
            (root / name).rename(root.parent / "away")
        return claimed

    with monkeypatch.context() as context:
        context.setattr(Frontier, "claim", claim_and_move)
        snapshot = scan([root], base=base)
    (root.parent / "away").rename(root / name)
    return snapshot


@pytest.mark.parametrize("deaths", [1, 2, 6])
@each_engine
def test_workers_that_die(settled: Path, monkeypatch: pytest.MonkeyPatch, engine: EngineName, deaths: int) -> None:
    """A rescan whose workers die finds what a full scan finds, or says what it gave up."""
    options = ScanOptions(engine, threads=2)
    base = scan([settled], options)
    for number, file in enumerate(sorted(settled.rglob("0002"))):
        if number % 3 == 0:
            file.write_bytes(bytes(number * 7000 + deaths))
    expected = as_bytes(scan([settled], options))
    monkeypatch.setattr("spacemap.scan.run._Scan._list_alone", lambda scan: None)
    monkeypatch.setattr("spacemap.scan.pool.TICK", 0.0)
    monkeypatch.setattr("spacemap.scan.pool.PIPE_SIZE", 4096)
    monkeypatch.setattr("spacemap.scan.engine.FLUSH_ENTRIES", 1)
    killed: set[int] = set()

    def kill_one(progress: Progress) -> None:
        workers = [pid for pid in children(os.getpid()) if pid not in killed]
        if progress.entries > 10 * len(killed) + 3 and len(killed) < deaths and workers:
            killed.add(workers[0])
            kill(workers[0], signal.SIGKILL)

    again = scan([settled], options, kill_one, base=base)

    assert len(killed) > 0
    assert again.facts.base is not None
    assert expected == as_bytes(again) or any("given up" in note for note in again.facts.notes)
