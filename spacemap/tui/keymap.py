"""Keymaps: the keys of other tools, and those of the configuration, in the place of our own."""

import difflib
from collections.abc import Mapping

from textual.keys import Keys, key_to_character

from spacemap.config import Browsing, Keymap
from spacemap.errors import ConfigError
from spacemap.render.text import display_text
from spacemap.tui.keys import KEYS, TILE_KEYS, Key

KEYMAPS: Mapping[Keymap, Mapping[str, str]] = {
    Keymap.NCDU: {},
    Keymap.GDU: {
        "first": "home,g,0",
        "graph": "B",
    },
    Keymap.DUA: {
        "page_up": "pageup,ctrl+u",
        "page_down": "pagedown,ctrl+d",
        "first": "home,H,0",
        "open": "right,enter,l,o",
        "back": "left,h,<,backspace,u",
        "sort_items": "c",
        "sort_mtime": "m",
        "items": "C",
        "mtime": "M",
        "measure": "A",
        "graph": "g,S",
        "sharing": "L",
        "open_externally": "O",
        "open_folder": "ctrl+o",
    },
}
"""Where a map differs from ours, by the name of the action. `a` of dua marks everything, so nothing else has it."""
_MOVES = ("up", "down", "back", "open")
"""Actions of the list whose keys the treemap may have for its own."""
_SHOWN = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "escape": "Esc",
    "delete": "Del",
    "insert": "Ins",
}
_NAMED = {key.value for key in Keys}


def keys_of(browsing: Browsing) -> tuple[Key, ...]:
    """Return the keys of a configuration. Raises ConfigError for an action or a key that there is not, and for a key
    with two meanings.

    A key that the configuration gives to an action is taken from the action that the map gives it to. Those of the
    treemap come last: there a key may do something else than in a list, but does what it was given to do elsewhere.
    """
    chosen = {action: _listed(action, keys) for action, keys in browsing.keys.items()}
    _check(chosen)
    tiles = {key.name for key in TILE_KEYS}
    taken = {key for action, keys in chosen.items() if action not in tiles for key in keys}
    moved = {key for action in _MOVES for key in chosen.get(action, ())}
    of_tiles = {key for action in tiles for key in chosen.get(action, ())}
    return (
        *(_rebound(key, browsing.keymap, chosen, taken) for key in KEYS),
        *(_rebound(key, browsing.keymap, chosen, of_tiles | taken - moved) for key in TILE_KEYS),
    )


def shown_keys(keys: str) -> str:
    """Return keys, with commas between, as people call them."""
    return " ".join(map(_shown, keys.split(",")))


def _rebound(key: Key, keymap: Keymap, chosen: Mapping[str, list[str]], taken: set[str]) -> Key:
    keys = chosen.get(key.name)
    if keys is None:
        keys = [each for each in KEYMAPS[keymap].get(key.name, key.keys).split(",") if each not in taken]
    return key._replace(keys=",".join(keys), shown=shown_keys(",".join(keys)) if keys else "")


def _listed(action: str, keys: str) -> list[str]:
    return [_checked(action, key.strip()) for key in keys.split(",")]


def _checked(action: str, key: str) -> str:
    """Return a key by its name. Raises ConfigError for what is none."""
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    is_key = last.isprintable() and (len(last) == 1 or last in _NAMED or key_to_character(last) is not None)
    if last in ("", " ") or not is_key or not set(modifiers) <= {"ctrl", "shift", "alt"}:
        shown = display_text(key)
        expected = "write a character, or a name such as enter, f5, ctrl+r, comma, space"
        raise ConfigError(f'browser.keys.{display_text(action)}: "{shown}" is no key: {expected}')
    return key


def _check(chosen: Mapping[str, list[str]]) -> None:
    known = [key.name for key in (*KEYS, *TILE_KEYS)]
    tiles = {key.name for key in TILE_KEYS}
    owners: dict[tuple[str, bool], str] = {}
    for action, keys in chosen.items():
        if action not in known:
            near = difflib.get_close_matches(action, known, n=1, cutoff=0.5)
            hint = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(known)}"
            raise ConfigError(f'browser.keys: unknown action "{display_text(action)}" ({hint})')
        for key in keys:
            where = key, action in tiles
            if where in owners:
                twice = f"is bound twice: to {owners[where]} and {action}"
                raise ConfigError(f'browser.keys: "{display_text(key)}" {twice}')
            owners[where] = action


def _shown(key: str) -> str:
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    word = _SHOWN.get(last) or (last.capitalize() if len(last) > 1 else last.upper() if modifiers else last)
    return "+".join([*(modifier.capitalize() for modifier in modifiers), word])
