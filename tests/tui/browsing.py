"""The browser without a terminal: started on real trees, its keys pressed, its screen read."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event

import pytest
from textual.pilot import Pilot

from spacemap.analyze.categories import default_categories
from spacemap.clean import Journal
from spacemap.config import Settings
from spacemap.scan import Progress, ScanOptions, scan
from spacemap.scan.late import LateCheckpoint
from spacemap.scan.processes import prepare_processes
from spacemap.scan.rescan import Rescan
from spacemap.tree.snapshot import Snapshot
from spacemap.tui.app import Browser
from spacemap.tui.cells import Writing
from spacemap.tui.jobs import Jobs
from spacemap.tui.look import Look
from spacemap.tui.opening import Live
from spacemap.tui.session import Session
from spacemap.tui.subject import Kept, Setting

Browsing = Pilot[object]
INVISIBLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def setting(**changes: object) -> Setting:
    """Return a setting with default categories."""
    return Setting(**({"settings": Settings(default_categories())} | changes))


def unused_journal() -> Journal:
    """Stand for the journal where nothing is removed: no test tells the journal of whoever runs it."""
    raise AssertionError("unreachable")


@asynccontextmanager
async def browsing(
    subject: Path | Snapshot,
    size: tuple[int, int] = (80, 24),
    *,
    waits: bool = True,
    journal: Callable[[], Journal] | None = unused_journal,
    **changes: object,
) -> AsyncIterator[Browsing]:
    """Browse a directory, scanned at once, or a snapshot; wait until its rows are there."""
    jobs = Jobs()
    if isinstance(subject, Path):
        paths = (bytes(subject),)
        jobs.scan(paths, ScanOptions())
        app = Browser(jobs, Live(paths, ScanOptions(), journal=journal), setting(**changes))
    else:
        jobs.load(b"kept.smap", lambda _: subject)
        app = Browser(jobs, Kept(b"kept.smap", lambda _: "as of 2026-11-24 10:00, 3 hours ago"), setting(**changes))
    async with app.run_test(size=size) as pilot:
        if waits:
            await wait_for(pilot, lambda: app.browsing.session is not None and not jobs.is_scanning)
        yield pilot


async def wait_for(pilot: Browsing, condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for a condition while the application goes on."""
    for _ in range(int(seconds / 0.01)):
        if condition():
            await pilot.pause()
            return
        await pilot.pause(0.01)
    raise AssertionError(f"waited {seconds} s; on the screen:\n{screen_text(pilot)}")


async def press(pilot: Browsing, *keys: str) -> None:
    """Press keys and wait until what they did is painted."""
    await pilot.press(*keys)
    await pilot.pause()


def session_of(pilot: Browsing) -> Session:
    """Return the session that is shown."""
    session: Session | None = pilot.app.browsing.session
    assert session is not None
    return session


def screen_lines(pilot: Browsing) -> list[str]:
    """Return what is on the screen, a line of text each, without the blanks at the ends."""
    strips = pilot.app.screen._compositor.render_strips(pilot.app.size)
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def screen_text(pilot: Browsing) -> str:
    """Return what is on the screen."""
    return "\n".join(screen_lines(pilot))


def said(pilot: Browsing) -> str:
    """Return what was told in passing, and is still to be seen."""
    return "\n".join(notification.message for notification in pilot.app._notifications)


def fresh_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers be started as the browser starts them, in this test only."""
    monkeypatch.setattr("spacemap.scan.processes._is_prepared", False)
    prepare_processes()


def write_files(top: Path, sizes: Mapping[str, int]) -> None:
    """Make files of some bytes by their paths below a directory, and the directories that they are in."""
    for name, size in sizes.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)


def only_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let even the smallest tree be listed by workers, as where a file system may hang."""
    monkeypatch.setattr("spacemap.scan.mounts.MountTable.may_hang", lambda *_: True)


class HeldScan:
    """A real scan that stops at its first report of progress until it is released."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.released = Event()
        only_workers(monkeypatch)
        monkeypatch.setattr("spacemap.tui.jobs.scan", self._scan)

    def _scan(
        self,
        paths: tuple[bytes, ...],
        options: ScanOptions,
        on_progress: Callable[[Progress], None],
        *,
        base: Snapshot | None,
        rescan: Rescan | None,
        checkpoint: LateCheckpoint | None,
    ) -> Snapshot:
        def held(progress: Progress) -> None:
            on_progress(progress)
            assert self.released.wait(60)
            on_progress(progress)

        return scan(paths, options, held, base=base, rescan=rescan, checkpoint=checkpoint)


__all__ = [
    "INVISIBLE",
    "Browsing",
    "HeldScan",
    "Look",
    "Writing",
    "browsing",
    "only_workers",
    "press",
    "said",
    "screen_lines",
    "screen_text",
    "session_of",
    "setting",
    "unused_journal",
    "wait_for",
]
