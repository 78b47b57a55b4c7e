"""Paths as text for the clipboard: of as many lines as there are paths, whatever these hold."""

from collections.abc import Iterable
from unicodedata import category

from spacemap.render.text import display_name

MOST_COPIED = 10_000
"""Paths at a time: terminals drop what is longer than they take, and do not tell."""


def clipboard_text(paths: Iterable[bytes]) -> str:
    """Return paths, sorted, one a line. As they are, where that is text without control characters;
    else with escapes, as they are shown: pasted into a shell, a line break or an escape sequence would be obeyed."""
    return "\n".join(map(_line, sorted(paths)))


def _line(path: bytes) -> str:
    try:
        text = path.decode("utf-8")
    except UnicodeDecodeError:
        return display_name(path)
    # Cc: control characters; Zl and Zp: what some programs take for the end of a line.
    return display_name(path) if any(category(character) in ("Cc", "Zl", "Zp") for character in text) else text
