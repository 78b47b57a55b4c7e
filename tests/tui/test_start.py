"""The start screen: what it offers, in lines that fit, and what choosing one of them does."""

import asyncio
import os
from pathlib import Path
from queue import SimpleQueue

import pytest

from spacemap.render.text import cell_width
from spacemap.scan import ScanOptions, scan
from spacemap.scan.mounts import MountTable, read_mounts
from spacemap.scan.space import DiskSpace, disk_space
from spacemap.store import cache
from spacemap.tui.app import Browser
from spacemap.tui.cells import Writing
from spacemap.tui.jobs import Jobs
from spacemap.tui.opening import Live
from spacemap.tui.screens.start import StartScreen
from spacemap.tui.start import FileSystem, Here, Recent, file_systems, measure_space, sections, start_pieces
from spacemap.tui.subject import Outcome
from tests.tui.browsing import (
    INVISIBLE,
    Browsing,
    press,
    said,
    screen_lines,
    screen_text,
    session_of,
    setting,
    wait_for,
)

MOUNTINFO = rb"""22 27 0:21 / /proc rw - proc proc rw
24 27 0:6 / /dev rw - devtmpfs devtmpfs rw
25 24 0:23 / /dev/shm rw - tmpfs tmpfs rw
27 1 8:1 / / rw - ext4 /dev/sda1 rw
28 27 8:2 / /home rw - btrfs /dev/sda2 rw,subvol=/
29 27 8:1 /srv/data /export rw - ext4 /dev/sda1 rw
30 27 0:40 / /tmp rw - tmpfs tmpfs rw
31 27 0:41 / /run rw - tmpfs tmpfs rw
32 31 8:3 / /run/media/ana/stick rw - vfat /dev/sdb1 rw
33 27 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro
34 27 0:50 / /mnt/nas rw - nfs4 nas:/ rw
35 27 0:51 / /run/user/1000/gvfs rw - fuse.gvfsd-fuse gvfsd-fuse rw
"""
NOW = 1_800_000_000_000_000_000


@pytest.fixture
def table(tmp_path: Path) -> MountTable:
    """Return the mounts of a desktop."""
    source = tmp_path / "mountinfo"
    source.write_bytes(MOUNTINFO)
    return read_mounts(str(source))


def test_file_systems_of_a_desktop(table: MountTable) -> None:
    """Each file system that a user fills is there once, with its whole, and nothing of the kernel's or the system's."""
    found = [(system.path, system.is_remote) for system in file_systems(table)]

    expected = [(b"/", False), (b"/home", False), (b"/mnt/nas", True), (b"/run/media/ana/stick", False)]
    assert [*expected, (b"/tmp", False)] == found


def test_without_a_table_of_mounts() -> None:
    """Where the system does not tell what is mounted there is the root."""
    assert [FileSystem(b"/", "")] == file_systems(MountTable([]))


def test_space_is_told_as_it_comes() -> None:
    """Every file system is asked, and what cannot be told is told so."""
    answers: SimpleQueue[tuple[bytes, DiskSpace | None]] = SimpleQueue()
    systems = [FileSystem(b"/", "ext4"), FileSystem(b"/nonexistent", "nfs4", is_remote=True)]
    measure_space(systems, lambda path, space: answers.put((path, space)))
    answered = dict(answers.get(timeout=30) for _ in systems)

    assert disk_space(b"/").total == answered[b"/"].total
    assert answered[b"/nonexistent"] is None


def test_recent_scans_are_those_that_are_kept(place: Path, table: MountTable) -> None:
    """What is kept is offered, the newest first, each set of roots once, and a damaged file is left out."""
    for name in "abc":
        (place / name).mkdir()
        (place / name / "file").write_bytes(b"x" * 5000)
    kept = place / "cache"
    for name, options in (("a", ScanOptions()), ("b", ScanOptions()), ("a", ScanOptions(exclude=("z",)))):
        cache.keep(kept, scan([place / name], options), 1 << 30)
    cache.keep(kept, scan([place / "c"]), 1 << 30)
    stem = cache.Key(os.uname().nodename, (bytes(place / "c"),), ScanOptions().shaping()).stem
    (kept / "scans" / os.fsdecode(stem + b".smap")).write_bytes(b"damaged")
    found = dict(sections(b"/here", table, str(kept)))

    assert [Here(b"/here")] == found["Here"]
    assert [(bytes(place / "a"),), (bytes(place / "b"),)] == [recent.paths for recent in found["Scanned before"]]
    assert "Scanned before" not in dict(sections(b"/here", table, None))
    assert "Scanned before" not in dict(sections(b"/here", table, "/dev/null/nowhere"))


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [8, 16, 36, 76, 200])
def test_lines_fit(width: int, encoding: str) -> None:
    """Whatever there is to say, a line has no more cells than there are, and its path is the last to go."""
    writing = Writing(encoding=encoding)
    spaces = {b"/a": DiskSpace(500 << 30, 100 << 30, 390 << 30), b"/b": None}
    name = "/" + "\x1b[31m" + "名" * 90
    starts = [
        Here(os.fsencode(name)),
        FileSystem(b"/a", "fuse.something-long"),
        FileSystem(b"/b", "nfs4", is_remote=True),
        FileSystem(b"/c", "nfs4", is_remote=True),
        Recent((b"/a", os.fsencode(name)), NOW - 7_200_000_000_000, 5 << 30),
    ]
    lines = ["".join(piece.text for piece in start_pieces(each, spaces, width, NOW, writing)) for each in starts]

    assert [] == [line for line in lines if cell_width(line) > width]
    assert [] == INVISIBLE.findall("\n".join(lines))
    assert encoding == "utf-8" or "".join(lines).isascii()
    assert width < 76 or ("78.0%" in lines[1] and "100.0 GiB free" in lines[1] and "2 hours ago" in lines[4])
    assert lines[1].endswith("/a")


@pytest.fixture
def tree(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working directory, a small tree."""
    (place / "below").mkdir()
    (place / "below" / "file").write_bytes(b"x" * 9000)
    monkeypatch.chdir(place)
    return place


def _browser(**changes: object) -> Browser:
    return Browser(Jobs(), Live((), ScanOptions()), setting(**changes))


async def _started(pilot: Browsing) -> None:
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, StartScreen) and "free" in screen_text(pilot))


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (200, 60)], ids=str)
def test_enter_scans_the_first(tree: Path, size: tuple[int, int]) -> None:
    """The working directory comes first, and Enter scans it."""

    async def journey() -> tuple[list[str], bytes]:
        app = _browser()
        async with app.run_test(size=size) as pilot:
            await wait_for(pilot, lambda: isinstance(pilot.app.screen, StartScreen) and "Here" in screen_text(pilot))
            lines = screen_lines(pilot)
            await press(pilot, "enter")
            await wait_for(pilot, lambda: app.browsing.session is not None)
            return lines, session_of(pilot).path

    lines, path = asyncio.run(journey())

    assert "Here" in lines[1]
    assert lines[2].strip().startswith("/")
    assert any("File systems" in line for line in lines)
    assert bytes(tree) == path


def test_a_kept_scan_is_chosen_by_mouse(tree: Path, place: Path) -> None:
    """A click on what was scanned before opens it."""
    (place / "other").mkdir()
    cache.keep(place / "cache", scan([place / "other"]), 1 << 30)

    async def journey() -> bytes:
        app = _browser(cache_directory=str(place / "cache"))
        async with app.run_test(size=(120, 30)) as pilot:
            await _started(pilot)
            line = next(at for at, text in enumerate(screen_lines(pilot)) if "place/other" in text)
            await pilot.click(offset=(10, line))
            await wait_for(pilot, lambda: app.browsing.session is not None)
            return session_of(pilot).path

    assert bytes(place / "other") == asyncio.run(journey())


def test_a_root_that_has_gone_can_be_chosen_anew(tree: Path, place: Path) -> None:
    """What cannot be scanned is said, and the start screen is there again."""
    (place / "other").mkdir()
    cache.keep(place / "cache", scan([place / "other"]), 1 << 30)
    (place / "other").rmdir()

    async def journey() -> bool:
        async with _browser(cache_directory=str(place / "cache")).run_test(size=(120, 30)) as pilot:
            await _started(pilot)
            await press(pilot, "end", "enter")
            await wait_for(pilot, lambda: "cannot scan" in said(pilot))
            return isinstance(pilot.app.screen, StartScreen)

    assert asyncio.run(journey())


@pytest.mark.parametrize("key", ["q", "escape", "ctrl+c"])
def test_leaving_is_no_failure(tree: Path, key: str) -> None:
    """Whoever wants to see nothing leaves, and nothing was partial."""

    async def journey() -> object:
        async with _browser().run_test(size=(80, 24)) as pilot:
            await _started(pilot)
            await press(pilot, key)
            return pilot.app.return_value

    assert Outcome(None, is_partial=False, directory=None) == asyncio.run(journey())


def test_resize_storm(tree: Path) -> None:
    """From 200x60 to 1x1 and back nothing breaks, and the row that was chosen stays."""
    sizes = [(200, 60), (80, 24), (40, 10), (20, 5), (3, 2), (1, 1), (2, 60), (200, 1), (80, 24)]

    async def journey() -> tuple[str, int | None]:
        async with _browser().run_test(size=(80, 24)) as pilot:
            await _started(pilot)
            await press(pilot, "j")
            for width, height in sizes:
                await pilot.resize_terminal(width, height)
            await pilot.pause()
            return screen_text(pilot), pilot.app.screen.query_one("ChoiceList").highlighted

    text, row = asyncio.run(journey())

    assert "File systems" in text
    assert 3 == row
