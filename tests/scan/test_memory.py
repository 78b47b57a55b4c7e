"""--max-memory: totals stay exact, detail goes, visibly."""

import json
from pathlib import Path

import pytest

from spacemap.errors import UsageError
from spacemap.scan import EngineName, ScanOptions, scan
from spacemap.scan.run import LEAST_MEMORY
from spacemap.tree.columns import Flag
from tests.scan.comparison import recomputed, sums_of, told
from tests.scan.engines import each_engine
from tests.scan.processes import spacemap
from tests.scan.specs import Entry, make_tree, wide_tree

ROOM = 400_000
"""Bytes for the entries in the tests here; so little that small trees do not fit."""


@pytest.fixture(scope="module")
def tree(large_place: Path) -> Path:
    """Return a tree of 20,000 files, some of them large, some links."""
    entries = [*wide_tree(400, 50), *(Entry(f"0/0/0/large{number}", content=200_000 + number) for number in range(5))]
    return make_tree(large_place / "tree", entries)


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> int:
    """Return a limit that is small enough for a small tree not to fit."""
    monkeypatch.setattr("spacemap.scan.run.LEAST_MEMORY", 0)
    monkeypatch.setattr("spacemap.scan.collected.FIXED_BYTES", 0)
    return ROOM


@each_engine
@pytest.mark.parametrize("threads", [1, 7], ids="threads={}".format)
def test_totals_stay_exact(tree: Path, little_memory: int, engine: EngineName, threads: int) -> None:
    """Every directory's sums are those of a scan without a limit, although most files are folded."""
    expected = sums_of(scan([tree], ScanOptions(engine=engine)))

    snapshot = scan([tree], ScanOptions(engine=engine, threads=threads, max_memory=little_memory))

    assert expected == sums_of(snapshot)
    assert recomputed(snapshot.tree) == told(snapshot.tree)


def test_what_is_folded_is_visible(tree: Path, little_memory: int) -> None:
    """Folded files of a directory are one aggregate without a name, that counts them; a note says why.

    How many directories are folded is up to the order in which batches arrive; that most entries are is not.
    """
    whole = scan([tree])

    snapshot = scan([tree], ScanOptions(max_memory=little_memory))

    folded = snapshot.tree.folded
    parents = snapshot.tree.parent[folded.entry].tolist()
    assert len(whole.tree) - len(snapshot.tree) == int(folded.file_count.sum()) - len(folded.entry)
    assert len(parents) == len(set(parents))
    assert len(snapshot.tree) < len(whole.tree) // 2
    assert {b""} == {snapshot.tree.name(int(entry)) for entry in folded.entry}
    assert {Flag.FOLDED} == set((snapshot.tree.flags[folded.entry]).tolist())
    assert any("memory was limited" in note for note in snapshot.facts.notes)


def test_large_files_and_links_stay(tree: Path, little_memory: int) -> None:
    """Large files and links keep their names."""
    snapshot = scan([tree], ScanOptions(max_memory=little_memory))
    names = [snapshot.tree.name(entry) for entry in range(1, len(snapshot.tree))]

    assert (5, 400) == (sum(name.startswith(b"large") for name in names), names.count(b"link"))


def test_what_fits_is_not_folded(tree: Path) -> None:
    """A limit that is large enough changes nothing."""
    snapshot = scan([tree], ScanOptions(max_memory=1 << 40))

    assert (0, ()) == (len(snapshot.tree.folded.entry), snapshot.facts.notes)


def test_too_little() -> None:
    """A limit below what the program itself needs is an error."""
    with pytest.raises(UsageError):
        scan(["/usr"], ScanOptions(max_memory=LEAST_MEMORY - 1))


def test_the_report_counts_folded_files(place: Path) -> None:
    """The command line takes sizes with units, and JSON has the exact counts."""
    root = make_tree(place / "tree", wide_tree(10, 10))
    result = spacemap(root, "--json", "--max-memory", "1G")

    assert (0, 110) == (result.returncode, json.loads(result.stdout)["totals"]["file_count"])
    assert 2 == spacemap(root, "--max-memory", "1M").returncode
