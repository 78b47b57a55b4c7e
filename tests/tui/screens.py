"""The screens that are stored, and how they are painted: text, and below each line the runs of its styles."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

import pytest
from rich.segment import Segment

from spacemap.scan.space import DiskSpace
from spacemap.tree.columns import Operation, Skip
from spacemap.tree.snapshot import Snapshot
from spacemap.tui.cells import Writing
from spacemap.tui.screens.start import StartScreen
from spacemap.tui.start import FileSystem, Here, OnSpace, Recent
from tests.trees import Folder, Leaf, snapshot_of, tree_of
from tests.tui.browsing import Browsing, browsing, press, setting

STORED = Path(__file__).parents[2] / "fixtures" / "screens"
SIZES = {"40x10": (40, 10), "80x24": (80, 24), "200x60": (200, 60)}
ASCII = Writing(encoding="ascii")
LIGHT = "spacemap-light"


@dataclass(frozen=True)
class Screen:
    """What is painted, and under which name it is stored."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    changes: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    has_styles: bool = False
    starts: bool = False
    """Whether the start screen is in front."""


def _screens() -> tuple[Screen, ...]:
    keys = {"list": (), "info": ("i",), "largest": ("T",), "types": ("v", "v"), "help": ("?",), "export": ("E",)}
    keys |= {"treemap": ("v",), "problems": ("!",), "preview": ("p", "j"), "basket": ("ctrl+a", "x"), "filter": ("f",)}
    screens = [Screen(f"{name}-{at}", size, keys[name]) for name in keys for at, size in SIZES.items()]
    screens += [Screen(f"start-{at}", size, starts=True) for at, size in SIZES.items()]
    looks = {"plain": {"writing": ASCII}, "dark": {}, "light": {"theme": LIGHT}, "no-color": {}}
    for look, changes in looks.items():
        environment = {"NO_COLOR": "1"} if look == "no-color" else {}
        screens += [
            Screen(f"list-{look}-{at}", size, changes=changes, environment=environment, has_styles=look != "plain")
            for at, size in SIZES.items()
            if at != "80x24"
        ]
    middle = SIZES["80x24"]
    for name in ("treemap", "basket", "info"):
        screens.append(Screen(f"{name}-plain", middle, keys[name], {"writing": ASCII}))
        screens.append(Screen(f"{name}-no-color", middle, keys[name], environment={"NO_COLOR": "1"}, has_styles=True))
    for name in ("list", "help"):
        screens.append(Screen(f"{name}-plain", middle, keys[name], {"writing": ASCII}))
    screens.append(Screen("start-plain", middle, changes={"writing": ASCII}, starts=True))
    screens.append(Screen("list-dark", middle, has_styles=True))
    screens.append(Screen("list-light", middle, changes={"theme": LIGHT}, has_styles=True))
    screens.append(Screen("list-no-color", middle, environment={"NO_COLOR": "1"}, has_styles=True))
    screens.append(Screen("start-light", middle, changes={"theme": LIGHT}, has_styles=True, starts=True))
    screens.append(Screen("too-small", (39, 9)))
    return tuple(screens)


SCREENS = _screens()


def snapshot() -> Snapshot:
    """Return a tree with something of everything but times, which look different in every time zone."""
    kept = snapshot_of(
        tree_of(
            {
                "videos": {"holiday.mkv": 3 << 30, "trailer.mp4": 250 << 20},
                "src": {f"module{number}.py": number * 1000 for number in range(30)},
                "名前の長いディレクトリ": {"ファイル.txt": 70_000},
                "secret": Folder({}, skip=Skip.UNREADABLE, problem=(Operation.OPEN, 13)),
                "proc": Folder({}, skip=Skip.KERNEL_FS),
                "empty": {},
                "\x1b[31mred": 5000,
                "link-a": Leaf(900_000, inode=77, device=3),
                "link-b": Leaf(900_000, inode=77, device=3),
                "archive.tar.gz": 40 << 20,
            }
        )
    )
    return replace(kept, facts=replace(kept.facts, options={"times": "leave"}))


def start_screen(screen: Screen) -> StartScreen:
    """Return the start screen of a machine that is the same everywhere."""
    systems = [
        FileSystem(b"/", "ext4"),
        FileSystem(b"/home", "btrfs"),
        FileSystem(b"/mnt/nas", "nfs4", is_remote=True),
        FileSystem(b"/mnt/old", "nfs4", is_remote=True),
    ]
    recent = Recent((b"/srv",), time.time_ns() - 7_300_000_000_000, 7 << 30)
    sections = [("Here", [Here(b"/home/ana/project")]), ("File systems", systems), ("Scanned before", [recent])]

    def ask(on_space: OnSpace) -> None:
        on_space(b"/", DiskSpace(500 << 30, 90 << 30, 400 << 30))
        on_space(b"/home", DiskSpace(2 << 40, 1 << 40, 1 << 40))
        on_space(b"/mnt/nas", None)

    return StartScreen(sections, ask, setting(**screen.changes).writing)


def set_environment(screen: Screen, patch: pytest.MonkeyPatch) -> None:
    """Let the environment be that of a screen, whatever it is here."""
    for name in ("NO_COLOR", "COLORTERM", "TEXTUAL_COLOR_SYSTEM"):
        patch.delenv(name, raising=False)
    for name, value in screen.environment.items():
        patch.setenv(name, value)


async def painted(screen: Screen) -> str:
    """Return the text of a screen, with the styles of its lines where they are compared, too."""
    async with browsing(snapshot(), screen.size, **screen.changes) as pilot:
        if screen.starts:
            pilot.app.push_screen(start_screen(screen))
            await pilot.pause()
        await press(pilot, *screen.keys)
        await pilot.pause()
        return "".join(_lines(pilot, has_styles=screen.has_styles))


def _lines(pilot: Browsing, *, has_styles: bool) -> list[str]:
    lines = []
    for strip in pilot.app.screen._compositor.render_strips(pilot.app.size):
        lines.append("".join(segment.text for segment in strip).rstrip() + "\n")
        if has_styles:
            lines.append(_runs(list(strip)))
    return lines


def _runs(segments: list[Segment]) -> str:
    at, runs = 0, []
    for style, group in groupby(segments, key=lambda segment: _words(segment)):
        begin, at = at, at + sum(segment.cell_length for segment in group)
        runs.append(f"| {begin}-{at} {style}\n")
    return "".join(runs)


def _words(segment: Segment) -> str:
    style = segment.style
    if style is None:
        return ""
    color, ground = (each.get_truecolor().hex if each else "default" for each in (style.color, style.bgcolor))
    marks = [name for name in ("bold", "italic", "underline", "reverse", "dim") if getattr(style, name)]
    return " ".join([color, "on", ground, *marks])


def _write() -> None:
    """Store every screen anew."""
    STORED.mkdir(exist_ok=True)
    for path in STORED.iterdir():
        path.unlink()
    for screen in SCREENS:
        with pytest.MonkeyPatch.context() as patch:
            set_environment(screen, patch)
            (STORED / f"{screen.name}.txt").write_text(asyncio.run(painted(screen)), "utf-8")


if __name__ == "__main__":
    _write()
