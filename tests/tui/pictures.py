"""The pictures of the documentation: the browser on a home directory that is the same everywhere, as SVG.

`python -m tests.tui.pictures` draws them anew; the start screen is that of the stored screens.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spacemap.clean import Below, Inspection, Method
from spacemap.scan import ScanOptions
from spacemap.tree.snapshot import Snapshot
from spacemap.tui.app import Browser
from spacemap.tui.cells import Writing
from spacemap.tui.jobs import Jobs
from spacemap.tui.opening import Live
from spacemap.tui.proposal import propose
from spacemap.tui.screens.remove import RemoveScreen
from spacemap.tui.tellings import Compared, Inspected
from tests.trees import Leaf, Spec, snapshot_of, tree_of
from tests.tui.browsing import Browsing, press, session_of, setting, unused_journal, wait_for
from tests.tui.screens import Screen, set_environment, start_screen

DOCS = Path(__file__).parents[2] / "docs"
HOME = b"/home/ana"
_DAY = 86_400
_NOW = 1_795_000_000
_KIB, _MIB, _GIB = 1 << 10, 1 << 20, 1 << 30


def _many(names: str, count: int, size: int, days: int) -> dict[str | bytes, Spec]:
    """Return so many files of about a size, the newest so many days old, named by a pattern with the number."""
    return {
        names.format(number): Leaf(size * (5 + number * 7 % 11) // 10, mtime=_NOW - (days + number) * _DAY)
        for number in range(count)
    }


def home() -> Snapshot:
    """Return the home directory of somebody who films, programs, and never empties anything."""
    film = Leaf(4 * _GIB + 300 * _MIB, mtime=_NOW - 40 * _DAY, inode=77)
    specification: dict[str | bytes, Spec] = {
        "Videos": {
            "2026 Lisbon": _many("clip {:03}.mp4", 46, 310 * _MIB, 40),
            "2025 Alps": _many("GX01{:04}.mp4", 31, 280 * _MIB, 420),
            "finished": {"Lisbon.mkv": film, "Alps.mkv": Leaf(3 * _GIB, mtime=_NOW - 400 * _DAY)},
            "to upload.mkv": film,
        },
        "Pictures": {
            str(year): _many("IMG_{:04}.jpg", 120, 5 * _MIB, (2026 - year) * 365) for year in range(2021, 2027)
        },
        "projects": {
            "atlas": {
                "node_modules": {f"package-{number}": _many("index{}.js", 6, 400 * _KIB, 90) for number in range(40)},
                ".git": {"objects": _many("pack-{}.pack", 4, 160 * _MIB, 3)},
                "src": _many("module{}.ts", 60, 14 * _KIB, 1),
            },
            "renderer": {
                "target": {"debug": _many("librenderer-{}.rlib", 40, 70 * _MIB, 12), "release": {}},
                "src": _many("scene{}.rs", 45, 11 * _KIB, 12),
            },
            "thesis": {"figures": _many("figure{}.png", 25, 2 * _MIB, 700), "thesis.tex": 410 * _KIB},
        },
        "Downloads": {
            "debian-13.1.0-amd64-DVD-1.iso": Leaf(3 * _GIB + 700 * _MIB, mtime=_NOW - 210 * _DAY),
            "takeout-20260802.zip": Leaf(2 * _GIB, mtime=_NOW - 110 * _DAY),
            "地図データ.zip": Leaf(640 * _MIB, mtime=_NOW - 300 * _DAY),
            **_many("paper{}.pdf", 30, 3 * _MIB, 20),
        },
        "Music": {name: _many("{:02}.flac", 12, 32 * _MIB, 900) for name in ("Fado", "Jazz", "Öster", "Piano")},
        ".cache": {
            "pip": _many("wheel{}.body", 50, 6 * _MIB, 15),
            "thumbnails": _many("{}.png", 200, 90 * _KIB, 2),
            "browser": _many("entry{}", 150, 4 * _MIB, 0),
        },
        "machines": {"windows.qcow2": Leaf(41 * _GIB, disk=17 * _GIB, mtime=_NOW - 60 * _DAY)},
        "notes.txt": Leaf(9 * _KIB, mtime=_NOW - _DAY),
    }
    kept = snapshot_of(tree_of(specification, HOME), HOME)
    return replace(kept, facts=replace(kept.facts, options={}))


async def _drawn(size: tuple[int, int], act: Callable[[Browsing], object]) -> str:
    """Return a picture of the home directory, browsed as if it had just been scanned, after something was done."""
    jobs, snapshot = Jobs(), home()
    jobs.load(b"", lambda _: snapshot)
    app = Browser(jobs, Live((HOME,), ScanOptions(), journal=unused_journal), setting())
    async with app.run_test(size=size) as pilot:
        await wait_for(pilot, lambda: app.browsing.session is not None)
        await act(pilot)
        await pilot.pause()
        # Viewers other than browsers drop blanks at the beginning of a piece.
        return app.export_screenshot(title="spacemap ~").replace("<text class", '<text xml:space="preserve" class')


def _keys(*keys: str) -> Callable[[Browsing], object]:
    return lambda pilot: press(pilot, *keys)


async def _question(pilot: Browsing) -> None:
    """Ask about what a home directory has too much of, as if the disk still had it as it was scanned."""
    session = session_of(pilot)
    tree = session.tree
    names = (b"Videos/to upload.mkv", b"projects/renderer/target", b".cache")
    wanted = {HOME + b"/" + name for name in names}
    entries = [entry for entry in range(len(tree)) if tree.path(entry) in wanted]
    session.mark(session.marks.plus(np.array(entries, np.int64)))
    pilot.app.browsing.paint()
    proposal = propose(session.snapshot, np.array(entries, np.int64))
    question = RemoveScreen(proposal, tuple(Method), Writing())
    pilot.app.push_screen(question)
    await pilot.pause()
    question.take(Inspected(proposal, Inspection(0, 0)))
    question.take(Compared(proposal, Below(proposal.total.entries - len(entries), 0, 0, 0)))


async def _start(pilot: Browsing) -> None:
    pilot.app.push_screen(start_screen(Screen("start", SIZE, starts=True)))


SIZE = (100, 24)
PICTURES: dict[str, Callable[[Browsing], object]] = {
    "browser": _keys("j", "space", "k"),
    "treemap": _keys("v"),
    "info": _keys("p", "i", "3"),
    "basket": _keys("j", "j", "space", "enter", "j", "j", "space", "backspace", "j", "j", "space", "x"),
    "removing": _question,
    "start": _start,
}


def draw(name: str) -> str:
    """Return a picture as SVG; the same wherever and whenever it is drawn."""
    with pytest.MonkeyPatch.context() as patch:
        set_environment(Screen(name, SIZE), patch)
        patch.setenv("TZ", "UTC")
        patch.setenv("HOME", "/nonexistent")
        time.tzset()
        return asyncio.run(_drawn(SIZE, PICTURES[name]))


def _write() -> None:
    """Draw every picture anew."""
    for name in PICTURES:
        (DOCS / f"{name}.svg").write_text(draw(name), "utf-8")


if __name__ == "__main__":
    _write()
