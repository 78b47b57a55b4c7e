"""The journal: whole whatever ends a removal, one writer at a time, bounded; it tells all that went."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from spacemap.clean import Journal, Method, remove, undo_last
from spacemap.clean.lines import NAME, LineWriter, read_lines
from spacemap.clean.runs import Run, read_runs
from spacemap.errors import FormatError, SpacemapError, UsageError
from tests.clean.cleaning import delete, journal_in, listing, own_places, planned, scanned, trash, tree_in
from tests.conftest import remove as clear
from tests.scan.processes import environment, run_python, wait_until

REMOVE = """
import os, sys
from pathlib import Path
from spacemap.clean import *
from tests.clean.cleaning import *
place = Path(sys.argv[1])
os.environ.update(HOME=str(place / "home"), XDG_DATA_HOME=str(place / "data"))
snapshot = scanned(place / "tree")
names = sys.argv[3:] or os.listdir(place / "tree")
remove(planned(snapshot, *names), Method[sys.argv[2]], journal_in(place))
"""


def runs(place: Path) -> list[Run]:
    """Return what the journal of a place tells."""
    return list(read_runs(journal_in(place).directory))


def told(run: Run, *, is_done: bool) -> set[str]:
    """Return the paths that a run tells as gone, for sure or perhaps."""
    intents = [intent for intent in run.intents if intent.is_done == is_done]
    return {os.fsdecode(os.path.join(i.where.path(), name)) for i in intents for name in i.gone()}


def test_everything_that_went_is_told(place: Path) -> None:
    """A run tells when it began, what was planned, each name that went, and that it came to its end."""
    root = tree_in(place, "a/b/file", "a/file", "c")
    plan = planned(scanned(root), "a", "c")
    (root / "a/file").write_text("grown")
    before = {str(root / path) for path in listing(root)}
    delete(place, plan)
    (run,) = runs(place)

    gone = before - {str(root / path) for path in listing(root)}
    assert (gone, set()) == (told(run, is_done=True), told(run, is_done=False))
    assert {str(root / path) for path in ("a/b", "a/b/file", "c")} == gone
    assert ("delete", (os.fsencode(root / "a"), os.fsencode(root / "c")), 2) == (
        run.what,
        run.planned,
        run.planned_count,
    )
    assert run.end is not None
    assert (3, 1, False) == (run.end["entries"], run.end["stayed"], run.end["is_cancelled"])


@pytest.mark.parametrize("at", [0, 37, 81])
def test_killed_in_the_middle(large_place: Path, at: int) -> None:
    """After `kill -9` in the middle all that went is told, all that is told as done went, and the lock is gone."""
    clear(large_place)
    large_place.mkdir()
    root = large_place / "tree"
    root.mkdir()
    for number in range(100):
        (root / f"{number:02}").mkdir()
        for name in range(300):
            (root / f"{number:02}" / f"file {name}").write_bytes(b"x")
    before = {str(root / path) for path in listing(root)}
    command = [sys.executable, "-c", REMOVE, large_place, "DELETE"]
    with subprocess.Popen(command, env=environment()) as process:
        wait_until(lambda: not (root / f"{at:02}" / "file 0").exists(), "the removal to get there")
        process.send_signal(signal.SIGKILL)
    gone = before - {str(root / path) for path in listing(root)}
    (run,) = runs(large_place)

    sure, perhaps = told(run, is_done=True), told(run, is_done=False)
    assert -signal.SIGKILL == process.returncode
    assert (None, True) == (run.end, bool(gone) and gone != before)
    assert sure <= gone <= sure | perhaps
    assert delete(large_place, planned(scanned(root), *sorted(os.listdir(root)))).stayed == ()
    assert [] == listing(root)


def test_killed_while_moving(place: Path) -> None:
    """After `kill -9` between moves to the trash, undoing brings back all that was moved."""
    root = tree_in(place, *(f"{number:03}/file" for number in range(400)))
    before = listing(root)
    with subprocess.Popen([sys.executable, "-c", REMOVE, place, "TRASH"], env=environment()) as process:
        wait_until(lambda: not (root / "100").exists(), "the removal to get there")
        process.send_signal(signal.SIGKILL)
    left = len(listing(root))
    undone = run_python(
        "import os, sys\nfrom pathlib import Path\nfrom spacemap.clean import *\n"
        "os.environ.update(XDG_DATA_HOME=sys.argv[1] + '/data')\n"
        "print(undo_last(Journal(sys.argv[1] + '/journal')).stayed_count)",
        place,
    )

    assert (b"0\n", b"") == (undone.stdout, undone.stderr)
    assert (True, before) == (0 < left < len(before), listing(root))


def _small_journal(place: Path) -> Path:
    root = tree_in(place, "a/file", "b", "c")
    snapshot = scanned(root)
    delete(place, planned(snapshot, "a"))
    delete(place, planned(snapshot, "b"))
    path = Path(journal_in(place).directory) / NAME
    path.write_bytes(path.read_bytes().rstrip(b"\0"))
    return path


def test_a_torn_tail(place: Path) -> None:
    """Cut off at any byte, the journal tells the lines before, and what is appended then is read after them."""
    path = _small_journal(place)
    data = path.read_bytes()
    lines = data.splitlines(keepends=True)
    records = list(read_lines(str(path.parent)))
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        whole = data[:length].count(b"\n")
        assert records[:whole] == list(read_lines(str(path.parent)))
        writer = LineWriter(str(path.parent))
        writer.append([{"type": "end", "run": 1}])
        writer.close()
        assert [*records[:whole], {"type": "end", "run": 1}] == [
            {key: value for key, value in record.items() if key != "checksum" or index < whole}
            for index, record in enumerate(read_lines(str(path.parent)))
        ]

    assert len(lines) == len(records)


def test_a_damaged_line(place: Path) -> None:
    """A flipped bit is noticed: that line, and what follows it, is not told."""
    path = _small_journal(place)
    data = path.read_bytes()
    records = list(read_lines(str(path.parent)))
    for position in range(0, len(data), 13):
        path.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])

        assert records[: data[:position].count(b"\n")] == list(read_lines(str(path.parent)))


def test_lines_are_json(place: Path) -> None:
    """Every line is JSON, whatever the names; for any program to read."""
    root = tree_in(place)
    names = [b"new\nline", b"bad\xff", b"\\", b'","checksum":"']
    for name in names:
        Path(os.fsdecode(os.path.join(os.fsencode(root), name))).write_bytes(b"")
    delete(place, planned(scanned(root), *names))
    lines = (Path(journal_in(place).directory) / NAME).read_bytes().rstrip(b"\0").splitlines()
    deleted = [name for line in map(json.loads, lines) if line["type"] == "delete" for name in line["names"]]

    assert {"new\nline", "bad\\xff", "\\\\", '","checksum":"'} == set(deleted)
    assert {os.fsdecode(os.path.join(os.fsencode(root), name)) for name in names} == told(runs(place)[0], is_done=True)


def test_one_writer_at_a_time(place: Path) -> None:
    """While one removes, another is refused before anything is done; a lock does not outlive its holder."""
    root = tree_in(place, "a", "b")
    plan = planned(scanned(root), "a")
    journal = journal_in(place)
    with journal.recording("delete", [], 0), pytest.raises(UsageError, match="another spacemap"):
        remove(plan, Method.DELETE, journal)
    assert ["a", "b"] == listing(root)
    remove(plan, Method.DELETE, journal)

    assert ["b"] == listing(root)


def test_without_a_journal_nothing_goes(place: Path) -> None:
    """Where the journal cannot be written the removal is refused as a whole."""
    root = tree_in(place, "a")
    (place / "journal").write_text("no directory")
    with pytest.raises(SpacemapError, match="nothing is removed that it does not tell"):
        delete(place, planned(scanned(root), "a"))

    assert ["a"] == listing(root)


def test_the_journal_is_bounded(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its limit another file is begun, also within a run; the oldest go, and each batch can be read alone."""
    monkeypatch.setattr("spacemap.clean.lines.FILE_LIMIT", 4000)
    monkeypatch.setattr("spacemap.clean.lines.RESERVE", 100)
    monkeypatch.setattr("spacemap.clean.delete.FIRST_BATCH", 8)
    monkeypatch.setattr("spacemap.clean.delete.LARGEST_BATCH", 8)
    root = tree_in(place, *(f"a/deep/{number:03}/file" for number in range(200)))
    before = listing(root)
    delete(place, planned(scanned(root), "a"))
    sizes = [path.stat().st_size for path in (place / "journal").iterdir()]
    (run,) = runs(place)

    assert (5, True) == (len(sizes), max(sizes) <= 4100)
    gone = told(run, is_done=True)
    assert 20 < len(gone) < len(before)
    assert gone <= {str(root / path) for path in before}
    assert ("delete", len(before)) == (run.what, run.end and run.end["entries"])


def test_many_runs_in_many_files(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are told in their order across files, and the last trash is undone wherever it is told."""
    monkeypatch.setattr("spacemap.clean.lines.FILE_LIMIT", 1500)
    bin_path = own_places(place, monkeypatch)
    root = tree_in(place, *(f"{number}" for number in range(8)))
    snapshot = scanned(root)
    trash(place, planned(snapshot, "0"))
    for number in range(1, 4):
        delete(place, planned(snapshot, str(number)))
    undo_last(journal_in(place))

    assert ["trash", "delete", "delete", "delete", "restore"] == [run.what for run in runs(place)]
    assert [*"04567"] == listing(root)
    assert [] == listing(bin_path / "files")


def test_a_journal_of_a_newer_version(place: Path) -> None:
    """A run in a form of the future is refused with a line that says so."""
    with_version = {"type": "begin", "run": 5, "version": 2, "what": "x", "planned": [], "planned_count": 0}
    for record in (with_version, {"type": "delete", "run": 5, "number": 0}):
        writer = LineWriter(str(place / str(len(record))))
        writer.append([record])
        writer.close()
    for directory, message in ((6, "newer spacemap"), (3, "does not know")):
        with pytest.raises(FormatError, match=message):
            list(read_runs(str(place / str(directory))))


def test_its_files_are_private(place: Path) -> None:
    """Nobody else may read what a user removed."""
    _small_journal(place)
    directory = Path(journal_in(place).directory)

    assert {0o700} == {directory.stat().st_mode & 0o777}
    assert {0o600} == {path.stat().st_mode & 0o777 for path in directory.iterdir()}


def test_the_default_place(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """By default the journal is in the directory of the user's data."""
    own_places(place, monkeypatch)

    assert str(place / "data/spacemap/journal") == Journal().directory
