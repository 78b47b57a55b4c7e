"""The keys: each has an action, words and a place in help, and those of ncdu mean what they mean there."""

import asyncio
from io import StringIO

import pytest
from rich.console import Console
from textual.binding import Binding
from textual.screen import Screen

from spacemap.scan import ScanOptions
from spacemap.tui.app import Browser
from spacemap.tui.cells import FLAGS, MARKS, Writing
from spacemap.tui.jobs import Jobs
from spacemap.tui.keys import BINDINGS, CHANGING, KEYS, READ_ONLY, Key
from spacemap.tui.look import Graph, Sharing, Sort, View
from spacemap.tui.opening import Live
from spacemap.tui.screens.browse import BrowseScreen
from spacemap.tui.screens.help import help_page
from tests.trees import snapshot_of, tree_of
from tests.tui.browsing import browsing, press, session_of, setting, unused_journal

# What each key of ncdu 2 does, from its source.
NCDU = {
    "up": "move(-1)",
    "k": "move(-1)",
    "down": "move(1)",
    "j": "move(1)",
    "pageup": "page(-1)",
    "pagedown": "page(1)",
    "home": "first",
    "end": "last",
    "right": "open",
    "enter": "open",
    "l": "open",
    "left": "back",
    "h": "back",
    "<": "back",
    "backspace": "back",
    "n": "sort('NAME')",
    "s": "sort('SIZE')",
    "C": "sort('ITEMS')",
    "M": "sort('MTIME')",
    "t": "directories_first",
    "g": "graph",
    "a": "measure",
    "u": "sharing",
    "e": "hidden",
    "c": "items",
    "m": "mtime",
    "i": "info",
    "d": "remove",
    "r": "refresh",
    "b": "shell",
    "?": "help",
    "q": "leave_program",
}
# Keys that remove elsewhere, and do nothing here.
FREE = {"X", "delete", "ctrl+r", "ctrl+t", "ctrl+d"}


def _by_key() -> dict[str, Key]:
    return {name: key for key in KEYS for name in key.keys.split(",")}


def test_keys_of_ncdu() -> None:
    """Every key of ncdu has the same action here."""
    ours = _by_key()

    assert NCDU == {name: ours[name].action for name in NCDU}


def test_keys_that_remove_elsewhere_are_free() -> None:
    """No key that removes in another program does something here that its user did not mean."""
    assert set() == FREE & set(_by_key())


def test_no_key_twice() -> None:
    """A key has one meaning."""
    names = [name for key in KEYS for name in key.keys.split(",")]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.action)
def test_every_key_has_an_action(key: Key) -> None:
    """An action is a method of the screen, or one that Textual has."""
    name = key.action.partition("(")[0]

    assert name.startswith("app.") or callable(getattr(BrowseScreen, f"action_{name}"))
    assert key.text
    assert key.group


def test_every_action_has_a_key() -> None:
    """There is nothing to do that no key does."""
    inherited = set(dir(Screen))
    actions = {name for name in dir(BrowseScreen) if name.startswith("action_")} - inherited
    bound = {f"action_{key.action.partition('(')[0]}" for key in KEYS}

    assert actions == {name for name in bound if not name.startswith("action_app.")}


def test_bindings_are_the_keys() -> None:
    """What is bound is what help shows."""
    bound = [(each.key, each.action) for each in BINDINGS if isinstance(each, Binding)]

    assert [(key.keys, key.action) for key in KEYS] == bound


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_help_has_every_key_and_mark(encoding: str) -> None:
    """Help has a line for each key, each flag and each mark, in what the terminal can show."""
    writing = Writing(encoding=encoding)
    console = Console(width=200, file=StringIO())
    with console.capture() as captured:
        console.print(help_page(KEYS, writing))
    text = captured.get()

    assert [] == [key.action for key in KEYS if key.text not in text]
    assert [] == [flag for flag, meaning in FLAGS.items() if f"{flag}  {meaning}" not in text]
    assert [] == [mark for mark, meaning in MARKS.items() if f"{writing.mark(mark)}  {meaning.value}" not in text]
    assert encoding == "utf-8" or text.isascii()


def test_every_key_does_something() -> None:
    """Each key that changes how rows look changes it, and comes back to the beginning."""
    changes = {
        "a": lambda look: look.measure.value,
        "c": lambda look: look.shows_items,
        "m": lambda look: look.shows_mtime,
        "t": lambda look: look.directories_first,
        "e": lambda look: look.shows_hidden,
        "g": lambda look: look.graph,
        "u": lambda look: look.sharing,
    }
    steps = {"g": len(Graph), "u": len(Sharing)}

    async def journey() -> dict[str, tuple[int, bool]]:
        seen = {}
        async with browsing(snapshot_of(tree_of({"a": 1, "b": {"c": 1}}))) as pilot:
            for key, value in changes.items():
                values = [value(session_of(pilot).look)]
                for _ in range(steps.get(key, 2)):
                    await press(pilot, key)
                    values.append(value(session_of(pilot).look))
                seen[key] = (len(set(values)), values[0] == values[-1])
        return seen

    assert {key: (steps.get(key, 2), True) for key in changes} == asyncio.run(journey())


def test_keys_before_there_are_rows() -> None:
    """As long as nothing is known, no key does anything that needs rows."""

    async def journey() -> bool:
        app = Browser(Jobs(), Live((b"/",), ScanOptions(), journal=unused_journal), setting())
        async with app.run_test() as pilot:
            for key in KEYS:
                if key.action not in {"leave_program", "leave_here", "app.suspend_process", "help"}:
                    await press(pilot, *key.keys.split(","))
            return app.browsing.session is None and app.screen is app.browsing

    assert asyncio.run(journey())


def test_sort_and_view_keys() -> None:
    """Each sort key sets its order, each view key shows its view and returns from it."""

    async def journey() -> tuple[list[Sort], list[View]]:
        async with browsing(snapshot_of(tree_of({"a": 1, "b": {"c": 1}}))) as pilot:
            orders, views = [], []
            for key in "CMns":
                await press(pilot, key)
                orders.append(session_of(pilot).look.sort)
            for key in ("T", "T", "!", "escape", "v", "h", "escape"):
                await press(pilot, key)
                views.append(session_of(pilot).place.view)
            return orders, views

    orders, views = asyncio.run(journey())

    assert [Sort.ITEMS, Sort.MTIME, Sort.NAME, Sort.SIZE] == orders
    assert [View.LARGEST, View.LIST, View.PROBLEMS, View.LIST, View.TREEMAP, View.TREEMAP, View.LIST] == views


def test_a_kept_snapshot_has_no_key_that_needs_the_disk() -> None:
    """Refreshing, a shell and opening are neither there nor in help for a snapshot from a file."""

    async def journey() -> set[str]:
        async with browsing(snapshot_of(tree_of({"a": 1}))) as pilot:
            screen = pilot.app.browsing
            return {key.action for key in KEYS if not screen.check_action(key.action.partition("(")[0], ())}

    assert READ_ONLY | CHANGING == asyncio.run(journey())
