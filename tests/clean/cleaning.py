"""What tests of removal share: a scan that is over for sure, plans by paths, and a journal of their own."""

import os
from pathlib import Path

import pytest

from spacemap.clean import Journal, Method, Outcome, Plan, make_plan, remove
from spacemap.scan import ScanOptions, scan
from spacemap.tree.snapshot import Snapshot
from spacemap.tree.subtree import nearest_entry
from tests.scan.processes import wait_until
from tests.scan.specs import Entry, make_tree

Name = str | bytes


def scanned(root: Path, options: ScanOptions | None = None) -> Snapshot:
    """Return a snapshot after whose end whatever happens in the file system has a later time."""
    snapshot = scan([root], options or ScanOptions())
    probe = root.parent / "probe"

    def is_later() -> bool:
        probe.write_bytes(b"")
        os.utime(probe)
        return probe.stat().st_ctime_ns > snapshot.facts.finished_ns

    wait_until(is_later, "the clock of the file system")
    probe.unlink()
    return snapshot


def entry_of(snapshot: Snapshot, path: Name) -> int:
    """Return the entry of a path below the one root."""
    names = os.fsencode(path).split(b"/")
    entry, found = nearest_entry(snapshot.tree, names)
    assert found == len(names), path
    return entry


def planned(snapshot: Snapshot, *paths: Name) -> Plan:
    """Return the plan of paths below the one root, none of which is refused."""
    plan = make_plan(snapshot, [entry_of(snapshot, path) for path in paths])
    assert () == plan.refusals
    return plan


def listing(root: Path) -> list[str]:
    """Return the paths of everything below a directory, sorted."""
    top = os.fsencode(root)
    found = [os.path.join(place, name) for place, *below in os.walk(top) for names in below for name in names]
    return sorted(os.fsdecode(path[len(top) + 1 :]) for path in found)


def reasons(outcome: Outcome, root: Path) -> dict[str, str]:
    """Return why entries stayed, by path below a root."""
    assert len(outcome.stayed) == outcome.stayed_count
    return {os.fsdecode(os.path.relpath(stayed.path, os.fsencode(root))): stayed.reason for stayed in outcome.stayed}


def tree_in(place: Path, *entries: Entry | str) -> Path:
    """Return a new tree of entries, files of 5000 bytes where only a path is given, next to a canary."""
    (place / "canary").mkdir()
    (place / "canary/precious").write_text("precious")
    return make_tree(
        place / "tree", [each if isinstance(each, Entry) else Entry(each, content=5000) for each in entries]
    )


def is_canary_alive(place: Path) -> bool:
    """Return whether what must survive did."""
    return listing(place / "canary") == ["precious"] and (place / "canary/precious").read_text() == "precious"


def own_places(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the home directory and the user's data be below a place; return where the home trash is."""
    monkeypatch.setenv("HOME", str(place / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(place / "data"))
    return place / "data/Trash"


def journal_in(place: Path) -> Journal:
    """Return a journal of the test's own."""
    return Journal(str(place / "journal"))


def delete(place: Path, plan: Plan) -> Outcome:
    """Carry out a plan by deleting."""
    return remove(plan, Method.DELETE, journal_in(place))


def trash(place: Path, plan: Plan) -> Outcome:
    """Carry out a plan by moving to the trash."""
    return remove(plan, Method.TRASH, journal_in(place))
