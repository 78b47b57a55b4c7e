"""Export: the dialog, and files that are written whole, in every form, and never in the place of others unasked."""

import asyncio
import json
from pathlib import Path

import pytest

from spacemap.errors import SpacemapError
from spacemap.export.json_snapshot import open_snapshot
from spacemap.scan import scan
from spacemap.tree.measure import Measure
from spacemap.tui.exporting import ExportForm, export
from spacemap.tui.screens.export import ExportScreen
from tests.trees import snapshot_of, tree_of
from tests.tui.browsing import browsing, press, said, screen_text, setting, wait_for

SNAPSHOT = snapshot_of(tree_of({"a": 1, "b": {"c.py": 5000}}))


@pytest.mark.parametrize("form", [ExportForm.SNAPSHOT, ExportForm.ENTRIES], ids=lambda form: form.value)
def test_what_was_written_opens_again(place: Path, form: ExportForm) -> None:
    """A snapshot and JSON with entries hold the whole tree."""
    (place / "file").write_bytes(b"x" * 5000)
    snapshot = scan([place])
    path = place / ("out.smap" if form is ExportForm.SNAPSHOT else "out.json")
    export(bytes(path), snapshot, form, setting().settings, Measure.DISK)

    assert snapshot.tree.names == open_snapshot(path).tree.names


def test_the_report_is_that_of_the_command_line(place: Path) -> None:
    """The report has the totals and the categories, and no entries."""
    (place / "file.py").write_bytes(b"x" * 5000)
    export(bytes(place / "out.json"), scan([place]), ExportForm.REPORT, setting().settings, Measure.APPARENT)
    document = json.loads((place / "out.json").read_bytes())

    assert 1 == document["totals"]["file_count"]
    assert ["code", "directories"] == sorted(bucket["key"] for bucket in document["buckets"])
    assert "snapshot" not in document


def test_a_failure_leaves_what_was_there(place: Path) -> None:
    """What cannot be written is an error, and nothing of it is left."""
    (place / "taken").mkdir()
    for form in ExportForm:
        with pytest.raises(SpacemapError):
            export(bytes(place / "taken"), SNAPSHOT, form, setting().settings, Measure.DISK)

    assert ["taken"] == [each.name for each in place.iterdir()]


@pytest.mark.parametrize("size", [(40, 10), (80, 24)], ids=str)
def test_the_dialog(place: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    """`E` asks for form and name, the name follows the form until it is typed, and Enter writes."""
    monkeypatch.chdir(place)

    async def journey() -> None:
        async with browsing(SNAPSHOT, size) as pilot:
            await press(pilot, "E", "down", "enter")
            assert "root.json" in screen_text(pilot)
            await press(pilot, "home", *"my-", "enter")
            await wait_for(pilot, lambda: (place / "my-root.json").exists())
            await wait_for(pilot, lambda: "Wrote" in said(pilot))

    asyncio.run(journey())

    assert SNAPSHOT.tree.names == open_snapshot(place / "my-root.json").tree.names


def test_replacing_takes_a_second_key(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is there is said to be there, and replaced at the second Enter; Escape leaves it."""
    monkeypatch.chdir(place)
    (place / "root.smap").write_bytes(b"mine")
    (place / "folder").mkdir()

    async def journey() -> list[bool]:
        seen = []
        async with browsing(SNAPSHOT) as pilot:
            await press(pilot, "E", "enter", "enter")
            seen.append("Enter once more replaces it" in screen_text(pilot))
            await press(pilot, "escape")
            seen.append(isinstance(pilot.app.screen, ExportScreen))
            seen.append((place / "root.smap").read_bytes() == b"mine")
            await press(pilot, "E", "enter", "ctrl+u", *"folder", "enter")
            seen.append("That is a directory" in screen_text(pilot))
            await press(pilot, "ctrl+u", *"root.smap", "enter", "enter")
            await wait_for(pilot, lambda: (place / "root.smap").read_bytes() != b"mine")
        return seen

    assert [True, False, True, True] == asyncio.run(journey())
    assert SNAPSHOT.tree.names == open_snapshot(place / "root.smap").tree.names


def test_nothing_is_replaced_where_nothing_is_changed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --read-only a file that is there stays, however often Enter is pressed; another name is written to."""
    monkeypatch.chdir(place)
    root = place / "root"
    root.mkdir()
    (place / "root.smap").write_bytes(b"mine")

    async def journey() -> bool:
        async with browsing(root, journal=None) as pilot:
            await press(pilot, "E", "enter", "enter", "enter", "enter")
            seen = "and stays; name another file" in screen_text(pilot)
            await press(pilot, "home", *"new-", "enter")
            await wait_for(pilot, lambda: (place / "new-root.smap").exists())
            return seen

    assert asyncio.run(journey())
    assert b"mine" == (place / "root.smap").read_bytes()


def test_a_failure_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be written the reason is on the screen, and the browser goes on."""
    monkeypatch.chdir("/proc")

    async def journey() -> None:
        async with browsing(SNAPSHOT, (120, 30)) as pilot:
            await press(pilot, "E", "enter", "enter")
            await wait_for(pilot, lambda: "cannot be written" in said(pilot))

    asyncio.run(journey())
