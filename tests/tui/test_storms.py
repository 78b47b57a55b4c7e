"""Resizing: every view, pane, line and dialog of the browser survives every size, while a scan runs and after it."""

import asyncio
from pathlib import Path

import pytest

from spacemap.tui.screens.question import QuestionScreen
from spacemap.tui.screens.remove import RemoveScreen
from spacemap.tui.screens.stayed import StayedScreen
from tests.tui.browsing import Browsing, HeldScan, browsing, press, screen_lines, session_of, wait_for
from tests.tui.removing import journal_beside, mark, removable_tree, until, until_still

SIZES = [(200, 60), (80, 24), (40, 10), (39, 9), (20, 5), (3, 2), (1, 1), (2, 60), (200, 1), (41, 11), (80, 24)]
SHOWN = {
    "list": (),
    "treemap": ("v",),
    "largest": ("v", "v"),
    "types": ("v", "v", "v"),
    "ages": ("v", "v", "v", "v"),
    "owners": ("v", "v", "v", "v", "v"),
    "problems": ("!",),
    "basket": ("ctrl+a", "x"),
    "info": ("i",),
    "links": ("i", "2"),
    "why": ("i", "3"),
    "preview": ("p", "j"),
    "both panes": ("i", "p"),
    "searching": ("/", "d"),
    "found": ("/", "d", "enter"),
    "filtering": ("f", *"size>1"),
    "filtered": ("f", *"size>1", "enter"),
    "export": ("E",),
    "help": ("?",),
    "palette": ("ctrl+p",),
    "columns": ("c", "m", "u", "g", "a"),
}


@pytest.fixture
def tree(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small directory tree, with the trash beside it."""
    return removable_tree(place, monkeypatch)


async def _storm(pilot: Browsing) -> list[tuple[int, int]]:
    """Resize to every size, and return those at which the screen was not of that size."""
    wrong = []
    for width, height in SIZES:
        await pilot.resize_terminal(width, height)
        await pilot.pause()
        lines = screen_lines(pilot)
        if pilot.app.size != (width, height) or len(lines) != height:
            wrong.append((width, height))
    return wrong


@pytest.mark.parametrize("keys", SHOWN.values(), ids=SHOWN.keys())
def test_while_a_scan_runs(tree: Path, keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is shown is shown again at the size of the beginning, and Escape leads back to the rows."""
    held = HeldScan(monkeypatch)

    async def journey() -> tuple[list[tuple[int, int]], bool, int]:
        async with browsing(tree, waits=False, journal=journal_beside(tree)) as pilot:
            await wait_for(pilot, lambda: pilot.app.browsing.session is not None)
            await press(pilot, *keys)
            before = type(pilot.app.screen), session_of(pilot).place.view
            wrong = await _storm(pilot)
            is_same = before == (type(pilot.app.screen), session_of(pilot).place.view)
            held.released.set()
            await until_still(pilot)
            wrong += await _storm(pilot)
            for _ in range(3):
                await press(pilot, "escape")
            return wrong, is_same, len(session_of(pilot).rows())

    wrong, is_same, rows = asyncio.run(journey())

    assert ([], True) == (wrong, is_same)
    assert rows == 4


def test_dialogs_of_removing(tree: Path) -> None:
    """The questions before removing and putting back, and what stayed, can be resized, and still work afterwards."""

    async def journey() -> list[tuple[int, int]]:
        async with browsing(tree, journal=journal_beside(tree)) as pilot:
            await mark(pilot, "keep", "d.iso")
            (tree / "keep").write_text("grown")
            await press(pilot, "D")
            await until(pilot, RemoveScreen)
            wrong = await _storm(pilot)
            await press(pilot, "down", "enter")
            await until(pilot, StayedScreen)
            wrong += await _storm(pilot)
            await press(pilot, "escape")
            await until_still(pilot)
            await press(pilot, "U")
            await until(pilot, QuestionScreen)
            wrong += await _storm(pilot)
            await press(pilot, "down", "enter")
            await wait_for(pilot, lambda: (tree / "d.iso").exists())
            await until_still(pilot)
            return wrong

    assert [] == asyncio.run(journey())
    assert (tree / "keep").read_text() == "grown"
