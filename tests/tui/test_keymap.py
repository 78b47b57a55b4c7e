"""Keymaps: each key of each map does what its table says, and a configuration that cannot be used is named."""

import ast
import asyncio
import string

import pytest

from spacemap.config import Browsing, Keymap
from spacemap.errors import ConfigError
from spacemap.tui.keymap import KEYMAPS, keys_of, shown_keys
from spacemap.tui.keys import KEYS, Key
from spacemap.tui.screens.browse import BrowseScreen
from spacemap.tui.widgets.treemap import Treemap
from tests.trees import snapshot_of, tree_of
from tests.tui.browsing import Browsing as Pilot
from tests.tui.browsing import browsing, press, screen_lines, screen_text, session_of

# What keys of gdu 5 and dua 2 do, from their sources, as far as there is something of the kind here.
GDU = {
    "k": "up",
    "j": "down",
    "g": "first",
    "home": "first",
    "G": "last",
    "end": "last",
    "l": "open",
    "enter": "open",
    "right": "open",
    "h": "back",
    "left": "back",
    "n": "sort_name",
    "s": "sort_size",
    "C": "sort_items",
    "M": "sort_mtime",
    "c": "items",
    "m": "mtime",
    "B": "graph",
    "a": "measure",
    "i": "info",
    "r": "refresh",
    "b": "shell",
    "o": "open_externally",
    "v": "view",
    "y": "copy",
    "/": "search",
    "E": "export",
    "ctrl+z": "suspend",
    "?": "help",
    "q": "leave_program",
    "Q": "leave_here",
}
DUA = {
    "k": "up",
    "j": "down",
    "ctrl+u": "page_up",
    "pageup": "page_up",
    "ctrl+d": "page_down",
    "pagedown": "page_down",
    "H": "first",
    "home": "first",
    "G": "last",
    "end": "last",
    "l": "open",
    "enter": "open",
    "o": "open",
    "right": "open",
    "h": "back",
    "u": "back",
    "backspace": "back",
    "left": "back",
    "n": "sort_name",
    "s": "sort_size",
    "c": "sort_items",
    "m": "sort_mtime",
    "C": "items",
    "M": "mtime",
    "g": "graph",
    "S": "graph",
    "/": "search",
    "O": "open_externally",
    "r": "refresh",
    "R": "refresh_all",
    "ctrl+z": "suspend",
    "ctrl+l": "repaint",
    "?": "help",
    "q": "leave_program",
}
SNAPSHOT = snapshot_of(tree_of({"a": 1, "b": {"c": 1}}))


def _by_key(browsing: Browsing) -> dict[str, str]:
    return {name: key.name for key in _of_lists(browsing) for name in key.keys.split(",")}


def _of_lists(browsing: Browsing) -> tuple[Key, ...]:
    """Return all keys but those of the treemap, which do something else there."""
    return keys_of(browsing)[: len(KEYS)]


@pytest.mark.parametrize(("keymap", "expected"), [(Keymap.GDU, GDU), (Keymap.DUA, DUA)], ids=["gdu", "dua"])
def test_keys_of_other_tools(keymap: Keymap, expected: dict[str, str]) -> None:
    """In the map of a tool every key of it has the same action, or none."""
    ours = _by_key(Browsing(keymap=keymap))

    assert expected == {key: ours.get(key) for key in expected}


@pytest.mark.parametrize("keymap", Keymap, ids=lambda keymap: keymap.value)
def test_maps_are_whole(keymap: Keymap) -> None:
    """In every map each action has a key, no key has two, and only actions that exist are changed."""
    keys = _of_lists(Browsing(keymap=keymap))
    names = [name for key in keys for name in key.keys.split(",")]

    assert len(set(names)) == len(names)
    assert "" not in names
    assert set() == set(KEYMAPS[keymap]) - {key.name for key in keys}


@pytest.mark.parametrize("keymap", Keymap, ids=lambda keymap: keymap.value)
def test_pressed_keys_reach_their_actions(keymap: Keymap, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key of a map, pressed in the browser, starts the action of its table, and no other."""
    keys = _of_lists(Browsing(keymap=keymap))
    reached: list[str] = []

    async def journey() -> dict[str, list[str]]:
        seen = {}
        async with browsing(SNAPSHOT, keys=keys) as pilot:

            async def note(_: object, action: object, *__: object, **___: object) -> bool:
                reached.append(str(action))
                return True

            monkeypatch.setattr(type(pilot.app), "run_action", note)
            for key in keys:
                for name in key.keys.split(","):
                    reached.clear()
                    await pilot.press(name)
                    seen[name] = list(reached)
            monkeypatch.undo()
        return seen

    assert {name: [key.action] for key in keys for name in key.keys.split(",")} == asyncio.run(journey())


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, {"left": "tile_left", "right": "tile_right", "up": "tile_up", "down": "tile_down", "h": "back"}),
        ({"tile_left": "a,h"}, {"a": "tile_left", "h": "tile_left", "left": "back"}),
        ({"mark": "right"}, {"right": "mark", "left": "tile_left"}),
        ({"up": "up,w"}, {"up": "tile_up", "w": "up"}),
    ],
    ids=["as they are", "others", "given away", "of a list"],
)
def test_keys_of_the_treemap(chosen: dict[str, str], expected: dict[str, str]) -> None:
    """Steps from tile to tile have the keys that they are given; one that is given to anything else does that."""
    keys = keys_of(Browsing(keys=chosen))

    async def journey() -> dict[str, str]:
        reached: list[str] = []
        seen = {}
        async with browsing(SNAPSHOT, keys=keys) as pilot:
            await press(pilot, "v")
            for widget in (pilot.app.browsing, pilot.app.browsing.query_one(Treemap)):
                for key in keys:
                    name = key.action.partition("(")[0]
                    if hasattr(widget, f"action_{name}"):
                        setattr(widget, f"action_{name}", lambda *of, name=name: reached.append(str((name, *of))))
            actions = {str(_called(key)): key.name for key in keys}
            for name in expected:
                reached.clear()
                await press(pilot, name)
                seen[name] = " ".join(actions[each] for each in reached)
        return seen

    assert expected == asyncio.run(journey())


def _called(key: Key) -> tuple[object, ...]:
    name, _, given = key.action.partition("(")
    return (name, *ast.literal_eval(f"({given.rstrip(')')},)")) if given else (name,)


def test_shown_as_people_call_them() -> None:
    """The words for keys in help are those that follow from the keys."""
    assert [key.shown for key in KEYS] == [shown_keys(key.keys) for key in KEYS]


def test_own_keys(tmp_path: object) -> None:
    """A key of the configuration does what was asked for, no longer what it did, and help and the footer say so."""
    keys = keys_of(Browsing(keys={"sort_size": "x, ctrl+s", "help": "s", "info": "n"}))

    async def journey() -> tuple[list[str], list[bool], str]:
        async with browsing(SNAPSHOT, (120, 60), keys=keys) as pilot:
            looks = []
            for key in ("x", "ctrl+s"):
                await press(pilot, key)
                looks.append(session_of(pilot).look.is_reversed)
            footer = screen_lines(pilot)[-1]
            await press(pilot, "s")
            return looks, footer, screen_text(pilot)

    looks, footer, text = asyncio.run(journey())

    assert [True, False] == looks
    assert footer.startswith(" s help ")
    assert all(part in footer for part in (" x size", " n info"))
    assert "basket" not in footer
    assert "x Ctrl+S" in text
    assert "by name" not in text


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"sort_sizes": "x"}, 'browser.keys: unknown action "sort_sizes" (did you mean "sort_size"?)'),
        ({"info": "x", "help": "f1,x"}, 'browser.keys: "x" is bound twice: to info and help'),
        ({"info": "strg+x"}, 'browser.keys.info: "strg+x" is no key'),
        ({"info": "x,,y"}, 'browser.keys.info: "" is no key'),
        ({"info": "ctrl+\x1b"}, 'browser.keys.info: "ctrl+\\x1b" is no key'),
        ({"\x1b[m": "x"}, 'browser.keys: unknown action "\\x1b[m"'),
    ],
    ids=["unknown", "twice", "modifier", "empty", "control", "escape"],
)
def test_errors_name_what_is_wrong(keys: dict[str, str], message: str) -> None:
    """What cannot be bound is named, in characters that do no harm."""
    with pytest.raises(ConfigError) as caught:
        keys_of(Browsing(keys=keys))

    assert message in str(caught.value)


@pytest.mark.parametrize("key", [*string.ascii_letters, "f5", "ctrl+r", "comma", "space", "?", "+", "shift+up", "é"])
def test_keys_that_can_be_bound(key: str) -> None:
    """Characters, named keys, and both with modifiers can be bound."""
    assert key == {each.name: each.keys for each in keys_of(Browsing(keys={"info": key}))}["info"]


@pytest.mark.parametrize("keymap", Keymap, ids=lambda keymap: keymap.value)
def test_the_palette_has_every_action(keymap: Keymap) -> None:
    """Whatever can be done by a key is in the command palette, which names the key."""
    keys = keys_of(Browsing(keymap=keymap))

    async def journey() -> dict[str, str]:
        async with browsing(SNAPSHOT, keys=keys) as pilot:
            return {each.title: each.help for each in _commands(pilot)}

    commands = asyncio.run(journey())
    offered = [key for key in keys[: len(KEYS)] if BrowseScreen.has_action(_Kept(), key.action.partition("(")[0])]

    assert {f"{key.text[:1].upper()}{key.text[1:]}": f"Key: {key.shown}" for key in offered}.items() <= commands.items()


class _Kept:
    """What stands for a screen that shows a kept snapshot."""

    subject = None


def _commands(pilot: Pilot) -> list[object]:
    return list(pilot.app.get_system_commands(pilot.app.screen))
