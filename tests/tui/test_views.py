"""Journeys through the treemap and the panes, on real trees."""

import asyncio
import os
from pathlib import Path

import pytest

from spacemap.tree.columns import Operation, Skip
from spacemap.tree.snapshot import Snapshot
from spacemap.tui.latest import Latest
from spacemap.tui.look import View
from spacemap.tui.widgets.info import InfoPane
from spacemap.tui.widgets.listing import Listing
from spacemap.tui.widgets.treemap import Treemap
from tests.scan.specs import make_tree, read_spec
from tests.store.samples import before_owners
from tests.trees import Folder, Leaf, snapshot_of, tree_of
from tests.tui.browsing import (
    INVISIBLE,
    Browsing,
    HeldScan,
    Writing,
    browsing,
    press,
    screen_lines,
    screen_text,
    session_of,
    wait_for,
)

SPEC = {"docs": {"a.txt": 90_000, "deep": {"b.py": 50_000}}, "song.mp3": 60_000, "c": 40_000, "tiny": 1}


@pytest.fixture
def tree(place: Path) -> Path:
    """Return a small directory tree with a file of two links."""
    for name, size in {"docs/a.txt": 90_000, "docs/deep/b.py": 50_000, "c.mp3": 60_000}.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"line of text\n" * (size // 13))
    os.link(place / "c.mp3", place / "docs" / "link.mp3")
    return place


def _current(pilot: Browsing) -> bytes:
    session = session_of(pilot)
    return b"" if session.current is None else session.tree.name(session.current)


def test_treemap_by_keys() -> None:
    """Arrows go from tile to tile, Enter opens a directory, Backspace leads up, and Escape returns to the list."""

    async def journey() -> list[object]:
        async with browsing(snapshot_of(tree_of(SPEC))) as pilot:
            await press(pilot, "v")
            seen: list[object] = [isinstance(pilot.app.focused, Treemap), _current(pilot)]
            for key in ("right", "left", "down", "enter", "backspace"):
                await press(pilot, key)
                seen.append((_current(pilot), session_of(pilot).path))
            await press(pilot, "escape")
            return [*seen, session_of(pilot).place.view, isinstance(pilot.app.focused, Listing), _current(pilot)]

    seen = asyncio.run(journey())

    assert [True, b"docs"] == seen[:2]
    assert (b"song.mp3", b"/root") == seen[2]
    assert [(b"docs", b"/root"), (b"docs", b"/root"), (b"a.txt", b"/root/docs"), (b"docs", b"/root")] == seen[3:7]
    assert [View.LIST, True, b"docs"] == seen[7:]


def test_treemap_by_mouse() -> None:
    """A click chooses a tile, the next one opens it, with the cursor on what of it was clicked."""

    async def journey() -> list[tuple[bytes, bytes]]:
        seen = []
        async with browsing(snapshot_of(tree_of(SPEC))) as pilot:
            await press(pilot, "v", "right")
            rects = pilot.app.screen.query_one(Treemap).mosaic
            deep = rects.tiles[0].inner.tiles[1].rect
            for _ in range(2):
                await pilot.click(Treemap, offset=(deep.x + 1, deep.y + 1))
                await pilot.pause()
                seen.append((_current(pilot), session_of(pilot).path))
        return seen

    assert [(b"docs", b"/root"), (b"deep", b"/root/docs")] == asyncio.run(journey())


def test_a_double_click_opens_one_directory() -> None:
    """The second click of two on the tile under the cursor opens nothing of what the first one opened."""

    async def journey() -> bytes:
        async with browsing(snapshot_of(tree_of({"a": {"b": {"c": {"d": 9000}}}}))) as pilot:
            await press(pilot, "v")
            await pilot.click(Treemap, offset=(40, 0), times=2)
            await pilot.pause()
            return session_of(pilot).path

    assert b"/root/a" == asyncio.run(journey())


def test_the_tile_of_the_others_opens_the_list() -> None:
    """What has no tile of its own is found in the list, with the cursor on the largest of it."""

    async def journey() -> tuple[bool, View, bytes]:
        async with browsing(snapshot_of(tree_of({"big": 10**9, "small": 700, "smaller": 600}))) as pilot:
            await press(pilot, "v", "down", "right")
            is_on_others = pilot.app.screen.query_one(Treemap).is_on_others
            await press(pilot, "enter")
            return is_on_others, session_of(pilot).place.view, _current(pilot)

    assert (True, View.LIST, b"small") == asyncio.run(journey())


def test_treemap_colours_by_age() -> None:
    """`g` colours tiles by age, and by type again; the line above says which."""

    async def journey() -> list[bool]:
        seen = []
        async with browsing(snapshot_of(tree_of(SPEC)), (120, 24)) as pilot:
            await press(pilot, "v")
            for _ in range(3):
                seen.append("by type" in screen_lines(pilot)[2])
                await press(pilot, "g")
        return seen

    assert [True, False, True] == asyncio.run(journey())


def test_treemap_of_an_empty_directory() -> None:
    """Where nothing is, that is said, and no key does harm."""

    async def journey() -> str:
        async with browsing(snapshot_of(tree_of({}))) as pilot:
            await press(pilot, "v", "left", "down", "enter", "g", "i", "p", "end")
            return screen_text(pilot)

    assert "nothing is in this directory" in asyncio.run(journey())


def test_pages_of_info(tree: Path) -> None:
    """Number keys and Tab change the page; the one with links takes the keys, and Enter goes to a link."""

    async def journey() -> tuple[list[str], bytes, bool]:
        pages = []
        async with browsing(tree, (100, 40)) as pilot:
            await press(pilot, "slash", "c", ".", "m", "enter", "i")
            await wait_for(pilot, lambda: "Owner" in screen_text(pilot))
            for keys in (("tab",), ("tab",), ("tab",), ("3",), ("2",)):
                await press(pilot, *keys)
                pages.append(screen_text(pilot))
            focused = isinstance(pilot.app.focused, InfoPane)
            await press(pilot, "down", "up", "enter")
            path = session_of(pilot).tree.path(session_of(pilot).current or 0)
            return pages, path, focused

    pages, path, is_focused = asyncio.run(journey())

    assert [f"{tree}/docs/link.mp3" in page for page in pages] == [True, False, False, False, True]
    assert [("Exclusive" in page, "Owner" in page) for page in pages[1:4]] == [
        (True, False),
        (False, True),
        (True, False),
    ]
    assert (os.fsencode(tree / "docs" / "link.mp3"), True) == (path, is_focused)


@pytest.mark.parametrize(
    ("snapshot", "owner"),
    [
        (snapshot_of(tree_of({"a": Leaf(1, owner=0)}), host=os.uname().nodename), "root"),
        (snapshot_of(tree_of({"a": Leaf(1, owner=4242)}), host="elsewhere"), "4242"),
        (before_owners(), None),
    ],
    ids=["here", "elsewhere", "not kept"],
)
def test_info_of_a_kept_snapshot_has_the_owner(snapshot: Snapshot, owner: str | None) -> None:
    """Whose an entry was is told as far as it was kept: by name where it was scanned here, else by number."""

    async def journey() -> list[str]:
        async with browsing(snapshot, (100, 40)) as pilot:
            await press(pilot, "i")
            return [line.split()[1] for line in screen_lines(pilot) if line.strip().startswith("Owner ")]

    assert ([] if owner is None else [owner]) == asyncio.run(journey())


def test_info_says_why_a_directory_is_so_large() -> None:
    """The third page adds up: total, what stays, what is freed, the largest parts, and what is not known."""
    spec = {
        "d": {
            "x": Leaf(9000, inode=5),
            "y": 4000,
            "secret": Folder({}, skip=Skip.UNREADABLE, problem=(Operation.OPEN, 13)),
        },
        "e": {"z": Leaf(9000, inode=5)},
    }

    async def journey() -> str:
        async with browsing(snapshot_of(tree_of(spec)), (100, 40)) as pilot:
            await press(pilot, "n", "home", "3")
            return screen_text(pilot)

    text = asyncio.run(journey())

    assert "13.0 KiB (13,312 B), 100.0% of its directory" in text
    assert "9.0 KiB (9,216 B); hard-linked from elsewhere" in text
    assert "4.0 KiB (4,096 B); so much is free when this is deleted" in text
    assert "9.0 KiB, 69.2%  x" in text
    assert "1 entry in it could not be read" in text


def test_preview_follows_the_cursor(tree: Path) -> None:
    """`p` shows what is in a directory, and the beginning of a file; once more closes it."""

    async def journey() -> tuple[str, str, str]:
        async with browsing(tree, (120, 30)) as pilot:
            await press(pilot, "home", "p")
            directory = screen_text(pilot)
            await press(pilot, "enter", "down")
            await wait_for(pilot, lambda: "line of text" in screen_text(pilot))
            file = screen_text(pilot)
            await press(pilot, "ctrl+down", "ctrl+up", "p")
            return directory, file, screen_text(pilot)

    directory, file, closed = asyncio.run(journey())

    assert "directory, 3 entries" in directory
    assert "a.txt" in directory
    assert "text, the first 64 KiB" in file
    assert "line of text" not in closed


def test_preview_of_a_kept_snapshot() -> None:
    """A file of a kept scan is not opened, and that is said; of directories everything is known."""

    async def journey() -> tuple[str, str]:
        async with browsing(snapshot_of(tree_of(SPEC)), (120, 30)) as pilot:
            await press(pilot, "p")
            directory = screen_text(pilot)
            await press(pilot, "down")
            return directory, screen_text(pilot)

    directory, file = asyncio.run(journey())

    assert "deep/" in directory
    assert "this is a kept scan" in file


@pytest.mark.usefixtures("processes")
def test_retry_of_what_could_not_be_read(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Among problems, `R` tries only these again, and tells how much could be read."""
    subtree = tree_of({"docs": Folder({}, skip=Skip.UNREADABLE, problem=(Operation.OPEN, 13))}, root=os.fsencode(tree))
    rescans = []

    async def journey() -> tuple[list[str], list[str], int]:
        async with browsing(tree) as pilot:
            jobs = pilot.app.browsing.jobs
            scan = jobs.scan

            def recorded(*arguments: object) -> None:
                rescans.append(arguments[3])
                scan(*arguments)

            monkeypatch.setattr(jobs, "scan", recorded)
            session_of(pilot).replace(snapshot_of(subtree))
            await press(pilot, "!")
            rows = [bucket.label for bucket in session_of(pilot).rows().buckets]
            await press(pilot, "R")
            await wait_for(pilot, lambda: not jobs.is_scanning and pilot.app._notifications)
            notes = [note.message for note in pilot.app._notifications]
            return rows, notes, len(session_of(pilot).rows())

    rows, notes, left = asyncio.run(journey())

    assert ["cannot be opened: Permission denied (EACCES)"] == rows
    assert [(True, ())] == [(rescan.retry, rescan.only) for rescan in rescans]
    assert (["1 entry could be read now, 0 cannot"], 0) == (notes, left)


def test_ignoring_and_going_back() -> None:
    """`I` takes an entry out of the rows and says how many are, `z` shows them; `[` and `]` go through places."""

    async def journey() -> list[object]:
        async with browsing(snapshot_of(tree_of(SPEC))) as pilot:
            await press(pilot, "I")
            seen: list[object] = ["1 ignored" in screen_lines(pilot)[1], "/docs" in screen_text(pilot)]
            await press(pilot, "z")
            seen += [screen_lines(pilot)[3][:1], "/docs" in screen_text(pilot)]
            await press(pilot, "I", "home", "enter", "v", "[", "[")
            seen.append((session_of(pilot).path, session_of(pilot).place.view))
            await press(pilot, "]", "]")
            seen.append((session_of(pilot).path, session_of(pilot).place.view))
            return seen

    expected = [True, False, "-", True, (b"/root", View.LIST), (b"/root/docs", View.TREEMAP)]

    assert expected == asyncio.run(journey())


@pytest.mark.usefixtures("processes")
def test_resize_storm(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 200x60 to 1x1 and back, during a scan, with the treemap and each pane open: nothing breaks."""
    held = HeldScan(monkeypatch)
    sizes = [(200, 60), (80, 24), (40, 10), (39, 9), (20, 5), (3, 2), (1, 1), (2, 60), (200, 1), (41, 11), (200, 60)]

    async def journey() -> str:
        async with browsing(tree, waits=False) as pilot:
            await wait_for(pilot, lambda: pilot.app.browsing.session is not None)
            for keys in (("v",), ("p",), ("i",), ("2",), ("3",), ("slash", "d"), ("escape", "g")):
                await press(pilot, *keys)
                for width, height in sizes:
                    await pilot.resize_terminal(width, height)
                    assert (width, height) == pilot.app.size
            held.released.set()
            await wait_for(pilot, lambda: not pilot.app.browsing.jobs.is_scanning)
            return screen_text(pilot)

    assert "/docs" in asyncio.run(journey())


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (200, 60)], ids=str)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_hostile_names(large_place: Path, size: tuple[int, int], encoding: str) -> None:
    """In the treemap and in panes, too, no name is obeyed by a terminal or wider than its cells."""
    root = make_tree(large_place / f"\x1b]0;t\x07\u202e[bold]{size}{encoding}", read_spec("hostile"))

    async def journey() -> str:
        text = ""
        async with browsing(root, size, writing=Writing(encoding=encoding)) as pilot:
            for keys in (("n", "v"), ("right", "p"), ("down", "down"), ("enter", "i"), ("2",), ("3", "escape")):
                await press(pilot, *keys)
                text += screen_text(pilot) + "\n"
        return text

    text = asyncio.run(journey())

    assert [] == INVISIBLE.findall(text)
    assert encoding == "utf-8" or text.isascii()


def test_only_the_latest_is_done() -> None:
    """What was asked for while something was being done is forgotten, but for the last."""
    from threading import Event

    begun, goes_on, done = Event(), Event(), Event()
    seen = []

    def first() -> None:
        begun.set()
        goes_on.wait(30)

    latest = Latest("test")
    latest.ask(first)
    assert begun.wait(30)
    for number in range(5):
        latest.ask(lambda number=number: (seen.append(number), done.set()))
    goes_on.set()

    assert done.wait(30)
    assert [4] == seen
