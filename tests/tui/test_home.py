"""Being at home: the kept scan under the cursor while it is updated, what is asked once, and what would be lost."""

import asyncio
import os
from pathlib import Path

import pytest

from spacemap.errors import SpacemapError
from spacemap.scan import Progress, ScanOptions, scan
from spacemap.scan.checkpoint import Checkpointing
from spacemap.store import cache
from spacemap.tui.app import Browser
from spacemap.tui.jobs import Jobs
from spacemap.tui.launch import open_with_its_program
from spacemap.tui.opening import Keeping, Live, Unfinished
from spacemap.tui.screens.resume import ResumeScreen
from tests.tui.browsing import (
    HeldScan,
    browsing,
    fresh_workers,
    only_workers,
    press,
    said,
    screen_lines,
    screen_text,
    session_of,
    setting,
    unused_journal,
    wait_for,
    write_files,
)

SIZES = [(200, 60), (80, 24), (40, 10), (39, 9), (3, 2), (1, 1), (200, 1), (80, 24)]


@pytest.fixture(autouse=True)
def processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers be started as the browser starts them, and what was made just now be taken for old."""
    fresh_workers(monkeypatch)
    monkeypatch.setattr("spacemap.scan.stale.GRANULARITY_NS", 0)
    monkeypatch.setattr("spacemap.scan.reuse.MOST_STALE", 1.0)


@pytest.fixture
def tree(place: Path) -> Path:
    """Return a small directory tree."""
    write_files(place / "tree", {"docs/a.txt": 9000, "docs/b.py": 5000, "docs/c": 100, "d.mp3": 30000})
    return place / "tree"


@pytest.fixture
def keeping(place: Path, tree: Path) -> Keeping:
    """Return a cache that has a scan of the tree."""
    cache.keep(place / "cache", scan([tree]), 1 << 30)
    return Keeping(str(place / "cache"), 1 << 30)


def _browser(live: Live, **changes: object) -> Browser:
    jobs = Jobs()
    if live.unfinished is None:
        jobs.open(live)
    return Browser(jobs, live, setting(**changes))


def _live(tree: Path, keeping: Keeping | None = None, unfinished: Unfinished | None = None) -> Live:
    return Live((bytes(tree),), ScanOptions(), keeping, unfinished=unfinished, journal=unused_journal)


def test_an_update_leaves_the_cursor_where_it_is(tree: Path, keeping: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kept scan is there with its age; when the update comes, place and cursor are on what they were on."""
    held = HeldScan(monkeypatch)
    (tree / "docs" / "0").write_bytes(b"x" * 50000)

    async def journey() -> tuple[str, list[bytes], str]:
        app = _browser(_live(tree, keeping))
        async with app.run_test(size=(80, 24)) as pilot:
            await wait_for(pilot, lambda: app.browsing.session is not None)
            before = screen_lines(pilot)[0]
            await press(pilot, "down", "up", "n", "home", "j", "enter", "end", "k")
            session = session_of(pilot)
            names = [session.path, session.tree.name(session.current)]
            held.released.set()
            await wait_for(pilot, lambda: not app.browsing.jobs.is_scanning and len(session.rows()) == 5)
            names += [session.path, session.tree.name(session.current)]
            return before, names, screen_lines(pilot)[0]

    before, names, after = asyncio.run(journey())

    assert before.endswith(" from just now, updating")
    assert names[:2] == names[2:]
    assert [bytes(tree / "docs"), b"b.py"] == names[:2]
    assert after.endswith("/docs")


def test_stopping_an_update_keeps_the_age(tree: Path, keeping: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl+C the kept scan stays on the screen, whole, and still says how old it is."""
    held = HeldScan(monkeypatch)

    async def journey() -> tuple[str, int]:
        app = _browser(_live(tree, keeping))
        async with app.run_test(size=(80, 24)) as pilot:
            await wait_for(pilot, lambda: app.browsing.session is not None)
            await press(pilot, "ctrl+c")
            held.released.set()
            await wait_for(pilot, lambda: not app.browsing.jobs.is_scanning)
            await press(pilot)
            return screen_lines(pilot)[0], len(session_of(pilot).tree)

    line, count = asyncio.run(journey())

    assert line.endswith(" from just now")
    assert len(scan([tree]).tree) == count


def test_a_cache_that_cannot_be_written_is_told_of_once(tree: Path) -> None:
    """The browser works without a cache, and says so at the first scan, not at each."""

    async def journey() -> list[int]:
        app = _browser(_live(tree, Keeping("/dev/null/nowhere", 1 << 30)))
        async with app.run_test(size=(80, 24)) as pilot:
            seen = []
            await wait_for(pilot, lambda: "this scan is not kept" in said(pilot))
            for _ in range(2):
                await press(pilot, "R")
                await wait_for(pilot, lambda: not app.browsing.jobs.is_scanning)
                app.browsing.jobs.finish()
                await pilot.pause(0.05)
                seen.append(said(pilot).count("not kept"))
            return seen

    assert [1, 1] == asyncio.run(journey())


@pytest.mark.parametrize("is_taken_up", [True, False])
def test_an_unfinished_scan_is_asked_about(
    tree: Path, place: Path, is_taken_up: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is scanned before the answer; going on takes the checkpoint up, scanning anew leaves it."""
    path = place / "scan.log"

    def stop(_: Progress) -> None:
        raise KeyboardInterrupt

    only_workers(monkeypatch)
    scan([tree], ScanOptions(), stop, checkpoint=Checkpointing(str(path)))

    async def journey() -> tuple[bool, int]:
        app = _browser(_live(tree, unfinished=Unfinished(str(path), 7200)))
        async with app.run_test(size=(80, 24)) as pilot:
            assert isinstance(app.screen, ResumeScreen)
            assert "interrupted 2 hours ago" in screen_text(pilot)
            is_idle = not app.browsing.jobs.is_scanning
            await press(pilot, *([] if is_taken_up else ["j"]), "enter")
            await wait_for(pilot, lambda: app.browsing.session is not None and not app.browsing.jobs.is_scanning)
            return is_idle, len(session_of(pilot).tree)

    assert (True, len(scan([tree]).tree)) == asyncio.run(journey())
    assert is_taken_up != path.exists()


@pytest.mark.parametrize("dialog", ["question", "export", "help"])
def test_resize_storm_with_a_dialog(tree: Path, dialog: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 200x60 to 1x1 and back with a dialog open, the first of them before there are rows: nothing breaks."""
    held = HeldScan(monkeypatch)
    unfinished = Unfinished("/nonexistent", 60) if dialog == "question" else None

    async def journey() -> str:
        app = _browser(_live(tree, unfinished=unfinished))
        async with app.run_test(size=(80, 24)) as pilot:
            if unfinished is None:
                await wait_for(pilot, lambda: app.browsing.session is not None)
                await press(pilot, "E" if dialog == "export" else "?")
            for width, height in SIZES:
                await pilot.resize_terminal(width, height)
                assert (width, height) == app.size
            await press(pilot, "escape")
            held.released.set()
            await wait_for(pilot, lambda: app.browsing.session is not None and not app.browsing.jobs.is_scanning)
            return screen_text(pilot)

    text = asyncio.run(journey())

    assert "/docs" in text
    assert "Too small" not in text


@pytest.mark.parametrize("key", ["q", "Q"])
@pytest.mark.parametrize(
    ("seconds", "is_kept", "presses"), [(5, False, 2), (5, True, 1), (1, False, 1)], ids=["lost", "kept", "short"]
)
def test_leaving_asks_only_where_something_is_lost(
    tree: Path, keeping: Keeping, monkeypatch: pytest.MonkeyPatch, key: str, seconds: int, is_kept: bool, presses: int
) -> None:
    """One more key is needed to leave a scan that took long and is kept nowhere, and no other."""

    async def journey() -> int:
        app = _browser(_live(tree, keeping if is_kept else None))
        async with app.run_test(size=(80, 24)) as pilot:
            await wait_for(pilot, lambda: app.browsing.session is not None and not app.browsing.jobs.is_scanning)
            await press(pilot)
            if not is_kept:
                monkeypatch.setattr(app.browsing, "_loss_ns", seconds * 1_000_000_000)
            for number in range(1, 3):
                await press(pilot, key)
                if app.return_value is not None:
                    return number
                assert "is not kept; once more quits" in said(pilot)
            return 0

    assert presses == asyncio.run(journey())


def _program(place: Path, text: str) -> dict[str, str]:
    """Return an environment in which `xdg-open` is a script."""
    (place / "bin").mkdir()
    (place / "bin" / "xdg-open").write_text(f"#!/bin/sh\n{text}\n")
    (place / "bin" / "xdg-open").chmod(0o755)
    return {"PATH": f"{place}/bin:/usr/bin:/bin"}


@pytest.mark.parametrize(("key", "name"), [("o", "tree/d.mp3"), ("O", "tree")])
def test_opening_externally(tree: Path, place: Path, key: str, name: str) -> None:
    """`o` hands the entry under the cursor to the desktop, `O` the directory that holds it; its output is not seen."""
    environment = _program(place, f'echo noise; printf %s "$1" > {place}/new; mv {place}/new {place}/opened')

    async def journey() -> str:
        async with browsing(tree, environment=environment) as pilot:
            await press(pilot, "n", "home", key)
            await wait_for(pilot, lambda: "Opened" in said(pilot))
            return screen_text(pilot)

    text = asyncio.run(journey())

    assert "noise" not in text
    assert str(place / name) == (place / "opened").read_text()


@pytest.mark.parametrize(
    ("script", "path", "message"),
    [("exit 3", None, "found nothing to open"), ("", "/nonexistent", "cannot be started")],
    ids=["fails", "missing"],
)
def test_opening_that_fails_is_told(place: Path, script: str, path: str | None, message: str) -> None:
    """Where there is no program, or none for the file, that is said."""
    environment = _program(place, script)

    with pytest.raises(SpacemapError, match=message):
        open_with_its_program(os.fsencode(place), {"PATH": path} if path else environment)
