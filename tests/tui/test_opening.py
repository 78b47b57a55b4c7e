"""How directories are opened, without a terminal: kept scans come first, are updated, and followed by newer ones."""

import os
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import pytest

from spacemap.scan import Progress, ScanOptions, scan
from spacemap.scan.checkpoint import Checkpointing
from spacemap.store import cache
from spacemap.tree.snapshot import Completeness, Snapshot
from spacemap.tui.jobs import Ended, Failed, Happening, Jobs, NotKept, Recalled
from spacemap.tui.opening import Keeping, Live, Unfinished
from tests.tui.browsing import only_workers


@pytest.fixture
def tree(place: Path) -> Path:
    """Return a small directory tree."""
    for name in ("a", "b"):
        (place / "tree" / name).mkdir(parents=True)
        (place / "tree" / name / "file").write_bytes(b"x" * 9000)
    return place / "tree"


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what was made just now be taken for what was there before, and a few directories for many."""
    monkeypatch.setattr("spacemap.scan.stale.GRANULARITY_NS", 0)
    monkeypatch.setattr("spacemap.scan.reuse.MOST_STALE", 1.0)


@pytest.fixture
def keeping(place: Path) -> Keeping:
    """Return an empty cache."""
    return Keeping(str(place / "cache"), 1 << 30)


def _opened(jobs: Jobs, live: Live, *, resumes: bool = False, acts: Callable[[], object] | None = None) -> list[object]:
    """Open directories; return what happened, until what was scanned is kept. `acts` is called before an update."""
    happenings: SimpleQueue[Happening] = SimpleQueue()
    jobs.listen(happenings.put)
    jobs.open(live, resumes=resumes)
    seen: list[object] = []
    while not seen or not isinstance(seen[-1], Ended):
        seen.append(happenings.get(timeout=30))
        if isinstance(seen[-1], Recalled):
            if acts is not None:
                acts()
            jobs.show()
    if live.keeping is not None:
        jobs.keep(live.keeping, seen[-1].result.result())
    jobs.finish()
    while not happenings.empty():
        seen.append(happenings.get())
    return seen


def _result(seen: list[object]) -> Snapshot:
    snapshot: Snapshot = next(each for each in seen if isinstance(each, Ended)).result.result()
    return snapshot


def _live(tree: Path, keeping: Keeping | None, options: ScanOptions | None = None, **changes: object) -> Live:
    return Live((bytes(tree),), options or ScanOptions(), keeping)._replace(**changes)


def test_the_kept_scan_comes_first(tree: Path, keeping: Keeping) -> None:
    """The second time the kept scan is there before anything is scanned, and what changed since is in the update."""
    first = _result(_opened(Jobs(), _live(tree, keeping)))
    seen = _opened(Jobs(), _live(tree, keeping), acts=lambda: (tree / "new").write_bytes(b"x" * 9000))
    recalled = next(each.snapshot for each in seen if isinstance(each, Recalled))

    assert first.tree.names == recalled.tree.names
    assert scan([tree]).tree.names == _result(seen).tree.names
    assert "fast" == _result(seen).facts.base.level
    assert 1 == len(cache.scans(keeping.directory))
    assert scan([tree]).tree.names == _opened(Jobs(), _live(tree, keeping))[0].snapshot.tree.names


def test_other_options_are_another_scan(tree: Path, keeping: Keeping) -> None:
    """What was scanned with other options is not shown, and stays beside what is kept now."""
    _opened(Jobs(), _live(tree, keeping))
    seen = _opened(Jobs(), _live(tree, keeping, ScanOptions(exclude=("a",))))

    assert [] == [each for each in seen if isinstance(each, Recalled)]
    assert 2 == len(cache.scans(keeping.directory))


def test_nothing_is_kept_unless_asked_for(tree: Path) -> None:
    """Without a place to keep scans each one is a whole one."""
    seen = [_opened(Jobs(), _live(tree, None)) for _ in range(2)]

    assert [None, None] == [_result(each).facts.base for each in seen]


def test_a_damaged_file_is_told_of_and_replaced(tree: Path, keeping: Keeping) -> None:
    """A kept scan that cannot be read is named, and everything is scanned."""
    _opened(Jobs(), _live(tree, keeping))
    kept = Path(os.fsdecode(cache.scans(keeping.directory)[0].path))
    kept.write_bytes(kept.read_bytes()[:-9])
    seen = _opened(Jobs(), _live(tree, keeping))

    assert ["ignored in the cache"] == [str(each.reason)[:20] for each in seen if isinstance(each, Failed)]
    assert _result(seen).facts.base is None
    assert isinstance(_opened(Jobs(), _live(tree, keeping))[0], Recalled)


def test_a_place_that_cannot_be_written(tree: Path) -> None:
    """Where nothing can be kept the scan is there as ever, and the reason is told."""
    seen = _opened(Jobs(), _live(tree, Keeping("/dev/null/nowhere", 1 << 30)))

    assert scan([tree]).tree.names == _result(seen).tree.names
    assert [NotKept] == [type(each) for each in seen[seen.index(seen[-1]) :]]


def test_an_update_that_is_stopped_leaves_the_kept_scan(tree: Path, keeping: Keeping) -> None:
    """Half an update says less than the kept scan, which is whole."""
    _opened(Jobs(), _live(tree, keeping))
    jobs = Jobs()

    def interrupted(*_: object, base: Snapshot, **__: object) -> Snapshot:
        def stop(_: Progress) -> None:
            raise KeyboardInterrupt

        return scan([tree], ScanOptions(), stop, base=base)

    with pytest.MonkeyPatch.context() as patch:
        only_workers(patch)
        patch.setattr("spacemap.tui.jobs.scan", interrupted)
        seen = _opened(jobs, _live(tree, keeping))

    assert seen[0].snapshot is _result(seen)
    assert Completeness.COMPLETE is _result(seen).facts.completeness


def test_going_on_with_an_unfinished_scan(tree: Path, place: Path, keeping: Keeping) -> None:
    """What an interrupted scan left is taken up, and the result is that of a whole scan."""
    path = place / "scan.log"

    def stop(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        only_workers(patch)
        scan([tree], ScanOptions(), stop, checkpoint=Checkpointing(str(path)))
        assert path.exists()
        live = _live(tree, keeping, unfinished=Unfinished(str(path), 60))
        seen = _opened(Jobs(), live, resumes=True)

    assert scan([tree]).tree.names == _result(seen).tree.names
    assert not path.exists()


def test_a_missing_root_ends_the_scan(place: Path, keeping: Keeping) -> None:
    """What cannot be scanned is the scan's own failure, whether or not scans are kept."""
    ended = _opened_failing(_live(place / "gone", keeping))

    assert "cannot scan" in str(ended.result.exception())


def _opened_failing(live: Live) -> Ended:
    happenings: SimpleQueue[Happening] = SimpleQueue()
    jobs = Jobs()
    jobs.listen(happenings.put)
    jobs.open(live)
    ended = happenings.get(timeout=30)
    assert isinstance(ended, Ended)
    return ended
