"""Journeys through the browser, on real trees."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from spacemap.scan import scan
from spacemap.tree.columns import Operation, Skip
from spacemap.tree.snapshot import Completeness
from spacemap.tui.look import View
from spacemap.tui.screens.help import HelpScreen
from spacemap.tui.subject import Outcome
from spacemap.tui.themes import LIGHT
from tests.scan.specs import make_tree, read_spec
from tests.trees import Folder, Leaf, snapshot_of, tree_of
from tests.tui.browsing import (
    INVISIBLE,
    HeldScan,
    Writing,
    browsing,
    only_workers,
    press,
    said,
    screen_lines,
    screen_text,
    session_of,
    wait_for,
    write_files,
)


@pytest.fixture
def tree(place: Path) -> Path:
    """Return a small directory tree."""
    write_files(place, {"docs/a.txt": 9000, "docs/deep/b.py": 5000, "c.mp3": 30000, ".hidden": 1, "docs/z": 1})
    os.link(place / "c.mp3", place / "docs" / "link.mp3")
    return place


def test_a_journey(tree: Path) -> None:
    """Rows are there, opening goes down, info tells all, and quitting leaves the whole snapshot."""

    async def journey() -> tuple[list[str], str, str, object]:
        async with browsing(tree) as pilot:
            first = screen_lines(pilot)
            await press(pilot, "n", "t", "down", "up", "enter", "j", "j", "i")
            await wait_for(pilot, lambda: "Owner" in screen_text(pilot))
            below = screen_text(pilot)
            await press(pilot, "i", "backspace")
            back = screen_lines(pilot)[0]
            await press(pilot, "q")
            return first, below, back, pilot.app.return_value

    first, below, back, outcome = asyncio.run(journey())
    expected = scan([tree])

    assert str(tree) in first[0]
    assert ["/docs", "c.mp3", ".hidden"] == [line.split()[-1] for line in first[3:6]]
    assert f"{tree}/docs/a.txt" in below
    assert "-rw-r--r-- (0644)" in below
    assert str(tree) == back.strip()
    assert isinstance(outcome, Outcome)
    assert (False, None) == (outcome.is_partial, outcome.directory)
    assert expected.tree.names == outcome.snapshot.tree.names


def test_info_names_the_other_links(tree: Path) -> None:
    """Info on a hard link says how many there are, where the others are, and that deleting this one frees nothing."""

    async def journey() -> str:
        async with browsing(tree, (100, 40)) as pilot:
            await press(pilot, "slash", "c", ".", "m", "enter", "i")
            await wait_for(pilot, lambda: "Owner" in screen_text(pilot))
            text = screen_text(pilot)
            await press(pilot, "2")
            return text + screen_text(pilot)

    text = asyncio.run(journey())

    assert "2, all in this tree" in text
    assert f"{tree}/docs/link.mp3" in text
    assert "0 B are freed" in text
    assert "one of several hard links" in text


def test_keys_that_move() -> None:
    """Every key that moves moves the cursor, and the window goes with it."""
    snapshot = snapshot_of(tree_of({f"f{number:03}": 1 for number in range(100)}))

    async def journey() -> list[tuple[int, bool]]:
        seen = []
        async with browsing(snapshot, (80, 24)) as pilot:
            for key in ("end", "k", "home", "down", "pagedown", "pageup", "G", "0", "j", "up"):
                await press(pilot, key)
                cursor = session_of(pilot).cursor
                seen.append((cursor, any(line.endswith(f"f{cursor:03}") for line in screen_lines(pilot))))
        return seen

    page = 24 - 4 - 1
    expected = [99, 98, 0, 1, 1 + page, 1, 99, 0, 1, 0]

    assert [(cursor, True) for cursor in expected] == asyncio.run(journey())


def test_search_narrows_widens_and_ends(tree: Path) -> None:
    """As one types, only what contains the text is there; Tab looks everywhere, Escape gives all back."""

    async def journey() -> list[tuple[View, int]]:
        seen = []
        async with browsing(tree) as pilot:
            for keys in (("slash", "d", "o"), ("tab",), ("backspace", "backspace", "b", "."), ("escape",)):
                await press(pilot, *keys)
                session = session_of(pilot)
                seen.append((session.place.view, len(session.rows())))
            # What is typed at once, before the line has the focus, is not lost and obeyed by no other key.
            for key in "/qy":
                pilot.app.simulate_key(key if key != "/" else "slash")
            await press(pilot)
            seen.append((session_of(pilot).place.view, len(session_of(pilot).rows())))
            await press(pilot, "escape")
        return seen

    assert [(View.LIST, 1), (View.FOUND, 1), (View.FOUND, 1), (View.LIST, 3)] == asyncio.run(journey())[:4]


def test_search_keeps_what_was_found(tree: Path) -> None:
    """Enter leaves the line, and the rows stay; opening one of them goes where it is."""

    async def journey() -> tuple[int, bytes]:
        async with browsing(tree) as pilot:
            await press(pilot, "slash", "tab", "p", "y", "enter")
            count = len(session_of(pilot).rows())
            await press(pilot, "enter")
            return count, session_of(pilot).path

    assert (1, os.fsencode(tree / "docs" / "deep")) == asyncio.run(journey())


def test_help_opens_and_closes(tree: Path) -> None:
    """`?` shows the keys; Escape returns."""

    async def journey() -> list[bool]:
        async with browsing(tree, (80, 120)) as pilot:
            await press(pilot, "?")
            seen = [isinstance(pilot.app.screen, HelpScreen), "scan this directory again" in screen_text(pilot)]
            await press(pilot, "escape")
            return [*seen, isinstance(pilot.app.screen, HelpScreen)]

    assert [True, True, False] == asyncio.run(journey())


@pytest.mark.usefixtures("processes")
def test_refresh_shows_what_changed(tree: Path) -> None:
    """`r` lists the directory again; place and cursor stay."""

    async def journey() -> tuple[bytes, bytes, int]:
        async with browsing(tree) as pilot:
            await press(pilot, "n", "home", "j", "j", "enter", "j", "j")
            session = session_of(pilot)
            name = session.tree.name(session.current)
            (tree / "docs" / "0new").write_bytes(b"x" * 40000)
            await press(pilot, "r")
            await wait_for(pilot, lambda: not pilot.app.browsing.jobs.is_scanning)
            await wait_for(pilot, lambda: len(session.rows()) == 6)
            return name, session.tree.name(session.current), session.whole()

    before, after, whole = asyncio.run(journey())

    assert before == after
    assert whole == scan([tree / "docs"]).tree.totals.disk[0]


@pytest.mark.usefixtures("processes")
def test_refresh_all_finds_what_became_readable(tree: Path) -> None:
    """`R` looks at everything again."""

    async def journey() -> int:
        async with browsing(tree) as pilot:
            (tree / "docs" / "deep" / "new").write_bytes(b"x" * 40000)
            await press(pilot, "R")
            await wait_for(pilot, lambda: not pilot.app.browsing.jobs.is_scanning)
            return session_of(pilot).whole()

    assert asyncio.run(journey()) == scan([tree]).tree.totals.disk[0]


@pytest.mark.usefixtures("processes")
def test_workers_start_inside_the_application(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers start where there are threads, and where stderr is something without a descriptor."""

    async def journey() -> tuple[int, int, int]:
        async with browsing(tree) as pilot:
            before = session_of(pilot).snapshot.facts.workers
            only_workers(monkeypatch)
            await press(pilot, "R")
            await wait_for(pilot, lambda: not pilot.app.browsing.jobs.is_scanning)
            await wait_for(pilot, lambda: session_of(pilot).snapshot.facts.workers)
            return before, sys.stderr.fileno(), len(session_of(pilot).tree)

    assert (0, -1, len(scan([tree]).tree)) == asyncio.run(journey())


@pytest.mark.usefixtures("processes")
def test_rows_grow_and_end_as_in_a_report(large_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are there while the scan runs, keys work on them, and the tree at its end is that of a scan to a report."""
    for directory in range(60):
        (large_place / f"d{directory}" / "sub").mkdir(parents=True)
        for file in range(20):
            (large_place / f"d{directory}" / "sub" / f"f{file}").write_bytes(b"x" * file * 100)
    held = HeldScan(monkeypatch)

    async def journey() -> tuple[list[str], object]:
        async with browsing(large_place, waits=False) as pilot:
            await wait_for(pilot, lambda: pilot.app.browsing.session is not None)
            during = screen_lines(pilot)
            await press(pilot, "s", "v", "v", "v", "h", "j", "i", "slash", "d", "escape", "r")
            held.released.set()
            await wait_for(pilot, lambda: not pilot.app.browsing.jobs.is_scanning)
            await press(pilot, "q")
            return during, pilot.app.return_value

    during, outcome = asyncio.run(journey())
    expected = scan([large_place])

    assert during[0].endswith("scanning")
    assert isinstance(outcome, Outcome)
    assert not outcome.is_partial
    assert expected.tree.names == outcome.snapshot.tree.names
    assert (expected.tree.totals.disk == outcome.snapshot.tree.totals.disk).all()


@pytest.mark.usefixtures("processes")
def test_stopping_keeps_what_is_known(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl+C ends the scan, not the program; what is known stays, and says that it is partial."""
    held = HeldScan(monkeypatch)

    async def journey() -> tuple[str, object]:
        async with browsing(tree, waits=False) as pilot:
            await wait_for(pilot, lambda: pilot.app.browsing.session is not None)
            await press(pilot, "ctrl+c")
            held.released.set()
            await wait_for(pilot, lambda: not pilot.app.browsing.jobs.is_scanning)
            await wait_for(pilot, lambda: "partial" in screen_lines(pilot)[0])
            line = screen_lines(pilot)[0]
            await press(pilot, "q")
            return line, pilot.app.return_value

    line, outcome = asyncio.run(journey())

    assert line.endswith("partial")
    assert isinstance(outcome, Outcome)
    assert outcome.is_partial
    assert Completeness.INTERRUPTED is outcome.snapshot.facts.completeness


def test_without_a_scan_stopping_twice_quits(tree: Path) -> None:
    """Ctrl+C where no scan runs says that once more quits; that does, and one that comes late asks again."""

    async def journey() -> tuple[bool, bool, bool]:
        async with browsing(tree) as pilot:
            await press(pilot, "ctrl+c")
            told = "once more quits" in said(pilot)
            pilot.app.browsing._sure_until = 0.0  # the time is over
            await press(pilot, "ctrl+c")
            goes_on = pilot.app.return_value is None
            await press(pilot, "ctrl+c")
            return told, goes_on, isinstance(pilot.app.return_value, Outcome)

    assert (True, True, True) == asyncio.run(journey())


@pytest.mark.usefixtures("processes")
def test_resize_storm(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 200x60 to 1x1 and back, during a scan, with info, help and a search open: nothing breaks."""
    held = HeldScan(monkeypatch)
    sizes = [(200, 60), (80, 24), (40, 10), (39, 9), (20, 5), (3, 2), (1, 1), (2, 60), (200, 1), (41, 11), (200, 60)]

    async def journey() -> str:
        async with browsing(tree, waits=False) as pilot:
            await wait_for(pilot, lambda: pilot.app.browsing.session is not None)
            for keys in (
                (),
                ("i",),
                ("?",),
                ("escape", "slash", "d"),
                ("escape", "v"),
                ("v", "v", "!"),
                ("g", "m", "u"),
            ):
                await press(pilot, *keys)
                for width, height in sizes:
                    await pilot.resize_terminal(width, height)
                    assert (width, height) == pilot.app.size
            held.released.set()
            await wait_for(pilot, lambda: not pilot.app.browsing.jobs.is_scanning)
            await press(pilot, "escape")
            return screen_text(pilot)

    text = asyncio.run(journey())

    assert "/docs" in text
    assert "Too small" not in text


@pytest.mark.parametrize(("size", "is_small"), [((40, 10), False), ((39, 10), True), ((40, 9), True)])
def test_too_small(tree: Path, size: tuple[int, int], is_small: bool) -> None:
    """At 40x10 there are rows; below that, a line says what is needed."""

    async def journey() -> list[str]:
        async with browsing(tree, size) as pilot:
            return screen_lines(pilot)

    lines = asyncio.run(journey())

    assert is_small == lines[0].startswith("Too small: 40x10")
    assert is_small != any("/docs" in line for line in lines)


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (200, 60)], ids=str)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_hostile_names(large_place: Path, size: tuple[int, int], encoding: str) -> None:
    """No name is obeyed by a terminal, taken for markup, or wider than its cells, in any view."""
    root = make_tree(large_place / f"\x1b]0;title\x07\u202e[bold]{size}{encoding}", read_spec("hostile"))

    async def journey() -> str:
        text = ""
        async with browsing(root, size, writing=Writing(encoding=encoding)) as pilot:
            for keys in (("n",), ("pagedown",), ("i", "j"), ("j", "j", "y"), ("i", "T"), ("v",), ("!",), ("end", "?")):
                await press(pilot, *keys)
                text += screen_text(pilot)
            if size == (200, 60):
                await press(pilot, "escape", "escape", "slash", "[", "b", "o", "l", "d", "]")
                assert 1 == len(session_of(pilot).rows())
                text += screen_text(pilot)
        return text

    text = asyncio.run(journey())

    assert [] == INVISIBLE.findall(text)
    assert encoding == "utf-8" or [] == [character for character in text if not character.isascii()]
    assert size != (200, 60) or "[bold]x[" in text


def test_marks_and_reasons() -> None:
    """What could not be read is marked, listed with its reason, and explained."""
    tree = tree_of(
        {
            "secret": Folder({}, skip=Skip.UNREADABLE, problem=(Operation.OPEN, 13)),
            "part": {"x": Leaf(9, problem=(Operation.STAT, 5))},
            "proc": Folder({}, skip=Skip.KERNEL_FS),
            "empty": {},
        }
    )

    async def journey() -> tuple[list[str], str]:
        async with browsing(snapshot_of(tree), (100, 24)) as pilot:
            await press(pilot, "n")
            marks = [line[:1] for line in screen_lines(pilot)[3:7]]
            await press(pilot, "!", "down", "enter", "i")
            return marks, screen_text(pilot)

    marks, text = asyncio.run(journey())

    assert ["e", ".", "^", "!"] == marks
    assert "cannot be opened: Permission denied (EACCES)" in text
    assert "could not be read: what is shown is less than there is" in text


def test_a_kept_snapshot_says_how_old_it_is() -> None:
    """What comes from a file is labelled with its age, and as read-only."""

    async def journey() -> str:
        async with browsing(snapshot_of(tree_of({"a": 1}))) as pilot:
            return screen_lines(pilot)[0]

    assert asyncio.run(journey()).endswith("as of 2026-11-24 10:00, 3 hours ago, read-only")


def test_empty_directory() -> None:
    """Where nothing is, that is said."""

    async def journey() -> str:
        async with browsing(snapshot_of(tree_of({}))) as pilot:
            await press(pilot, "j", "end", "enter", "i", "y", "T", "enter", "v", "v", "enter", "v", "v", "enter", "v")
            return screen_text(pilot)

    assert "nothing is in this directory" in asyncio.run(journey())


def test_mouse(tree: Path) -> None:
    """A click puts the cursor on a row, two open it."""

    async def journey() -> tuple[int, bytes]:
        async with browsing(tree) as pilot:
            await pilot.click(offset=(30, 4))
            await pilot.pause()
            cursor = session_of(pilot).cursor
            await pilot.click(offset=(30, 3), times=2)
            await pilot.pause()
            return cursor, session_of(pilot).path

    assert (1, os.fsencode(tree / "docs")) == asyncio.run(journey())


def test_ascii_has_no_blocks(tree: Path) -> None:
    """Where the encoding has no bars, they are number signs, and nothing on the screen is beyond ASCII."""

    async def journey() -> str:
        async with browsing(tree, writing=Writing(encoding="ascii")) as pilot:
            await press(pilot, "g", "g")
            return screen_text(pilot)

    text = asyncio.run(journey())

    assert "###" in text
    assert text.isascii()


@pytest.mark.parametrize("theme", ["spacemap-dark", LIGHT.name])
def test_cursor_is_more_than_a_colour(tree: Path, theme: str) -> None:
    """In both themes the row under the cursor differs by its background and by bold letters."""

    async def journey() -> tuple[bool, bool]:
        async with browsing(tree, theme=theme) as pilot:
            strips = pilot.app.screen._compositor.render_strips(pilot.app.size)
            cursor, other = ([segment.style for segment in strips[line]] for line in (3, 4))
            backgrounds = {style.bgcolor for style in cursor[:3]} & {style.bgcolor for style in other[:3]}
            return not backgrounds, all(style.bold for style in cursor[:3])

    assert (True, True) == asyncio.run(journey())


def test_leaving_with_the_directory(tree: Path) -> None:
    """`Q` leaves with the directory that is shown."""

    async def journey() -> object:
        async with browsing(tree) as pilot:
            await press(pilot, "enter", "Q")
            return pilot.app.return_value

    outcome = asyncio.run(journey())

    assert isinstance(outcome, Outcome)
    assert os.fsencode(tree / "docs") == outcome.directory
