"""Help: the keys as they are bound, and what flags and marks before rows mean."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType

from spacemap.render.text import cell_width
from spacemap.tui.cells import FLAGS, MARKS, Writing
from spacemap.tui.keys import Key
from spacemap.tui.screens.page import PageScreen

_ASCII = {"↑": "Up", "↓": "Down", "←": "Left", "→": "Right", "Ctrl+↓": "Ctrl+Down", "Ctrl+↑": "Ctrl+Up"}


class HelpScreen(PageScreen):
    """Everything on one page."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark,f1", "dismiss", "close", show=False)]

    def __init__(self, keys: Sequence[Key], writing: Writing) -> None:
        super().__init__(writing)
        self._keys = [key for key in keys if key.keys]

    def text(self) -> Text:
        """Return the page."""
        return help_text(self._keys, self._writing)


def help_text(keys: list[Key], writing: Writing) -> Text:
    """Return the page: a line for each key, group by group, and one for each flag and mark."""
    text = Text()
    for title, rows in _sections(keys, writing):
        text.append(("\n\n" if text else "") + title, "bold underline")
        width = max(cell_width(left) for left, _ in rows)
        for left, right in rows:
            text.append("\n  " + left + " " * (width - cell_width(left) + 2), "bold")
            text.append(right)
    return text


def _sections(keys: list[Key], writing: Writing) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for group, members in groupby(keys, key=lambda key: key.group):
        yield group, [(_shown(key.shown, writing), key.text) for key in members]
    yield "Flags before a row", list(FLAGS.items())
    yield "Marks behind the flag", [(writing.mark(mark), meaning.value) for mark, meaning in MARKS.items()]


def _shown(keys: str, writing: Writing) -> str:
    return keys if writing.is_unicode else "".join(_ASCII.get(character, character) for character in keys)
