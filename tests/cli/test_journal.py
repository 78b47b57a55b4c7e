"""`spacemap journal`: what was removed, as text and as JSON, and undoing from the command line."""

import json
from pathlib import Path

import pytest

from spacemap.clean import Journal, Method, remove
from spacemap.units import Units, format_size
from tests.clean.cleaning import listing, own_places, planned, scanned, tree_in
from tests.scan.processes import spacemap


@pytest.fixture
def root(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a tree out of which something was deleted, and something moved to the trash."""
    own_places(place, monkeypatch)
    root = tree_in(place, "a/file", "b", "c\n", "d")
    snapshot = scanned(root)
    plan = planned(snapshot, "a", "b")
    (root / "b").write_text("grown")
    remove(plan, Method.DELETE, Journal())
    remove(planned(snapshot, "c\n", "d"), Method.TRASH, Journal())
    return root


def _journal(place: Path, *words: str) -> tuple[int, str, str]:
    result = spacemap("journal", *words, XDG_DATA_HOME=str(place / "data"))
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def test_as_text(place: Path, root: Path) -> None:
    """Each removal is a line with its counts, and the planned paths, names shown inert."""
    code, out, err = _journal(place)
    first, second = out.split("\n\n")

    assert (0, "") == (code, err)
    freed, moved = (format_size(each["disk_bytes"], Units.IEC) for each in json.loads(_journal(place, "--json")[1]))
    assert f"  2 entries deleted, {freed}; 1 stayed\n  {root}/a\n  {root}/b" == first[16:]
    assert f"  2 entries moved to the trash, {moved}\n  {root}/c\\x0a\n  {root}/d\n" == second[16:]


def test_as_json(place: Path, root: Path) -> None:
    """In JSON every path that went is told, in the reversible form of names."""
    code, out, err = _journal(place, "--json")
    deleted, trashed = json.loads(out)

    assert (0, "") == (code, err)
    assert [f"{root}/a/file", f"{root}/a"] == deleted["gone"]
    assert [f"{root}/c\n", f"{root}/d"] == trashed["gone"]
    assert [("delete", "complete", 2, 1), ("trash", "complete", 2, 0)] == [
        (each["what"], each["state"], each["entries"], each["stayed"]) for each in (deleted, trashed)
    ]


def test_the_last(place: Path, root: Path) -> None:
    """`--last` limits how many are listed; a negative number is refused."""
    assert 1 == len(json.loads(_journal(place, "--json", "--last", "1")[1]))
    assert "nothing was removed\n" == _journal(place, "--last", "0")[1]
    assert (2, "spacemap: --last -1: give 0 or more\n") == _journal(place, "--last", "-1")[::2]


def test_undo(place: Path, root: Path) -> None:
    """Undoing restores what it can, tells the rest on stderr with status 1, and is in the journal itself."""
    (root / "d").write_text("new")
    told = _journal(place, "undo")

    error = f"spacemap: {root}/d: its name is in use again; it stays in the trash\n"
    assert (1, "1 entry restored from the trash\n", error) == told
    assert ["b", "c\n", "d"] == listing(root)
    assert "  1 entry restored; 1 stayed\n" in _journal(place, "--last", "1")[1]
    (root / "d").unlink()
    assert (0, "1 entry restored from the trash\n", "") == _journal(place, "undo")
    assert 2 == _journal(place, "undo")[0]


def test_a_removal_under_way(place: Path, root: Path) -> None:
    """What is not at its end is told as running while its process lives, and as cut off afterwards."""
    with Journal().recording("delete", [b"/x"], 1) as recorder:
        recorder.intend(
            [
                {"type": "directory", "id": 0, "root": "/", "below": []},
                {"type": "delete", "in": 0, "names": ["x", "y"]},
            ]
        )
        running = _journal(place, "--last", "1")[1]
    cut_off = _journal(place, "--last", "1")[1]

    assert running.endswith("  0 entries deleted, 2 more may have been (running)\n  /x\n")
    assert cut_off.endswith("  0 entries deleted, 2 more may have been (cut off)\n  /x\n")
    assert ["/x", "/y"] == json.loads(_journal(place, "--json", "--last", "1")[1])[0]["may_be_gone"]


def test_without_a_journal(place: Path) -> None:
    """Where nothing was ever removed, that is said, nothing is made, and there is nothing to undo."""
    assert (0, "nothing was removed\n", "") == _journal(place)
    code, _, err = _journal(place, "undo")
    assert (2, True) == (code, "nothing to undo" in err)
    assert not (place / "data").exists()
