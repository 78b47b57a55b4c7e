"""What no key may do: change a file without a question, or at all where nothing may be changed."""

import asyncio
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from spacemap import clean
from spacemap.config import Browsing as Preferences
from spacemap.config import Keymap
from spacemap.tree.snapshot import Snapshot
from spacemap.tui.keymap import keys_of
from spacemap.tui.keys import CHANGING, KEYS, OTHER_PROGRAMS, Key
from spacemap.tui.screens.help import HelpScreen
from spacemap.tui.screens.question import CANCEL, QuestionScreen
from spacemap.tui.widgets.choices import Choices
from tests.trees import snapshot_of, tree_of
from tests.tui.browsing import (
    browsing,
    press,
    screen_lines,
    screen_text,
    wait_for,
)
from tests.tui.removing import back, contents, journal_beside, mark, removable_tree, until, until_still

CHANGES = ["unlink", "remove", "rename", "replace", "renames", "truncate", "ftruncate", "rmdir", "removedirs", "link"]
ELSEWHERE = {"leave_program", "leave_here", "app.suspend_process", "shell", "open_externally"}
"""Actions that end the browser, or start what is not it."""


@pytest.fixture
def tree(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small directory tree, with the trash beside it."""
    return removable_tree(place, monkeypatch)


@pytest.mark.parametrize("keys", [("enter",), ("escape",), ("down", "up", "enter")], ids=str)
@pytest.mark.parametrize("key", ["d", "D", "U"])
def test_questions_begin_at_cancel(tree: Path, key: str, keys: tuple[str, ...]) -> None:
    """Whoever answers a question without having chosen anything changes nothing."""

    async def journey() -> tuple[object, bool]:
        async with browsing(tree, journal=journal_beside(tree)) as pilot:
            await press(pilot, "D")
            await until(pilot, QuestionScreen)
            await press(pilot, "down", "enter")
            await until_still(pilot)
            before = contents(tree)
            await press(pilot, key)
            await until(pilot, QuestionScreen)
            chosen = pilot.app.screen.query_one(Choices).highlighted_option.id
            await press(pilot, *keys)
            await wait_for(pilot, lambda: pilot.app.screen is pilot.app.browsing)
            return chosen, before == contents(tree)

    assert (CANCEL, True) == asyncio.run(journey())


def _names(keys: str) -> list[str]:
    return keys.split(",")


def _all_keys(keys: Iterable[Key]) -> list[str]:
    return [name for key in keys if key.action not in ELSEWHERE for name in _names(key.keys)]


ALL_KEYS = _all_keys(KEYS)


class Recorded:
    """Calls that would change files; none is carried out."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        for name in CHANGES:
            monkeypatch.setattr(os, name, self._recorder(name))
        # They rename by a system call that `os` has not.
        for module in ("trash", "undo"):
            monkeypatch.setattr(f"spacemap.clean.{module}.rename_exclusively", self._recorder("rename_exclusively"))

    def _recorder(self, name: str) -> Callable[..., None]:
        def record(*arguments: object, **_: object) -> None:
            self.calls.append(f"{name}{arguments}")

        return record


@pytest.mark.parametrize("keymap", Keymap, ids=lambda keymap: keymap.value)
@pytest.mark.parametrize("marks", [(), ("docs", "keep")], ids=["unmarked", "marked"])
def test_no_key_changes_a_file(
    tree: Path, marks: tuple[str, ...], keymap: Keymap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In no keymap a key by itself, or one that follows `d`, `D` or `U` at once, reaches a call that changes files."""
    keys = keys_of(Preferences(keymap=keymap))
    before = contents(tree)
    after_question = ["enter", "space", "y", "Y", "t", "d", "D", "U", "x", "delete", "tab", "j"]

    async def journey() -> list[str]:
        async with browsing(tree, journal=journal_beside(tree), keys=keys) as pilot:
            await press(pilot, "D")
            await until(pilot, QuestionScreen)
            await press(pilot, "escape")
            await mark(pilot, *marks)
            recorded = Recorded(monkeypatch)
            for first, then in (
                ((), _all_keys(keys)),
                ("d", after_question),
                ("D", after_question),
                ("U", after_question),
            ):
                for key in then:
                    await press(pilot, *first, key)
                    await back(pilot)
            monkeypatch.undo()
            return recorded.calls

    assert [] == asyncio.run(journey())
    assert before == contents(tree)


@pytest.mark.parametrize(("key", "answers"), [("D", ("down", "enter")), ("d", ("down", "down", "enter"))], ids=str)
def test_what_changes_files_is_recorded(
    tree: Path, key: str, answers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other way round: what a key does after its question was answered reaches a call that is recorded above."""

    async def journey() -> list[str]:
        async with browsing(tree, journal=journal_beside(tree)) as pilot:
            await mark(pilot, "keep")
            await press(pilot, key)
            await until(pilot, QuestionScreen)
            recorded = Recorded(monkeypatch)
            await press(pilot, *answers)
            await wait_for(pilot, lambda: recorded.calls and not pilot.app.browsing.is_removing)
            monkeypatch.undo()
            return recorded.calls

    before = contents(tree)

    assert ["keep" in call for call in asyncio.run(journey())][:1] == [True]
    assert before == contents(tree)


@pytest.mark.parametrize("kind", ["kept", "read-only"])
def test_read_only_has_no_way_to_change_a_file(tree: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Browsing what is kept, or with --read-only, no key reaches what removes; help and header say so."""
    reached: list[str] = []
    for name in clean.__all__:
        monkeypatch.setattr(clean, name, lambda *_, name=name, **__: reached.append(name))
    subject: Path | Snapshot = tree if kind == "read-only" else snapshot_of(tree_of({"a": 1, "b": {"c": 1}}))

    async def journey() -> tuple[str, str, set[str]]:
        async with browsing(subject, (100, 120), journal=None) as pilot:
            header = screen_lines(pilot)[0]
            for key in ALL_KEYS:
                await press(pilot, key, "j", "enter")
                await back(pilot)
            await press(pilot, "?")
            await until(pilot, HelpScreen)
            browser = pilot.app.browsing
            absent = {name for name in CHANGING | OTHER_PROGRAMS if not browser.has_action(name)}
            return header, screen_text(pilot), absent

    header, help_, absent = asyncio.run(journey())

    assert [] == reached
    assert header.endswith("read-only")
    assert CHANGING | OTHER_PROGRAMS == absent
    assert [] == [key.text for key in KEYS if key.action in CHANGING and key.text in help_]
