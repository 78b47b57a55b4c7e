"""Removing through the browser in tests: a tree that may be changed, a trash and a journal beside it, and waiting."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from spacemap.clean import Journal
from spacemap.tui.widgets.search import TypedLine
from tests.tui.browsing import Browsing, fresh_workers, press, session_of, wait_for, write_files


def removable_tree(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small directory tree, and let the trash be beside it."""
    monkeypatch.setenv("XDG_DATA_HOME", os.fspath(place / "data"))
    fresh_workers(monkeypatch)
    files = {"docs/a.txt": 9000, "docs/deep/b.py": 5000, "c.mp3": 30000, "keep": 2000, "d.iso": 70000, "docs/z": 1}
    write_files(place / "tree", files)
    os.link(place / "tree" / "c.mp3", place / "tree" / "docs" / "link.mp3")
    return place / "tree"


def journal_beside(tree: Path) -> Callable[[], Journal]:
    """Return what opens a journal beside the tree."""
    return lambda: Journal(os.fspath(tree.parent / "journal"))


def contents(root: Path) -> dict[str, tuple[int, int]]:
    """Return inode and size of everything below a directory, by path."""
    return {os.fspath(path.relative_to(root)): (path.lstat().st_ino, path.lstat().st_size) for path in root.rglob("*")}


async def until(pilot: Browsing, kind: type[object]) -> None:
    """Wait until a screen of some kind is shown."""
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, kind))


async def until_still(pilot: Browsing) -> None:
    """Wait until what was removed is gone from the tree."""
    screen = pilot.app.browsing
    await wait_for(pilot, lambda: not screen.is_removing and not screen.jobs.is_scanning)


async def back(pilot: Browsing) -> None:
    """Return to the rows, whatever was opened."""
    await until_still(pilot)
    while pilot.app.screen is not pilot.app.browsing or isinstance(pilot.app.focused, TypedLine):
        await press(pilot, "escape")


async def mark(pilot: Browsing, *names: str) -> None:
    """Mark rows by name."""
    session = session_of(pilot)
    for name in names:
        row = next(row for row in range(len(session.rows())) if name_of(pilot, row) == name)
        session.move_to(row)
        await press(pilot, "space")


def name_of(pilot: Browsing, row: int) -> str:
    """Return the name in a row; empty where it has none."""
    session = session_of(pilot)
    entry = session.rows().entry(row)
    return "" if entry is None else session.tree.name(entry).decode()
