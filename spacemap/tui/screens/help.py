"""Help: the keys as they are bound, and what flags and marks before rows mean."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.binding import Binding, BindingType

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

    def text(self) -> Group:
        """Return the page."""
        return help_page(self._keys, self._writing)


def help_page(keys: Sequence[Key], writing: Writing) -> Group:
    """Return the page: a line for each key, group by group, and one for each flag and mark; what is longer than a line
    goes on below itself.
    """
    parts: list[Text | Table] = []
    for title, rows in _sections(keys, writing):
        parts.append(Text(("\n" if parts else "") + title, "bold underline"))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(style="bold", no_wrap=True)
        table.add_column()
        for left, right in rows:
            table.add_row(Text(f"  {left}"), Text(right))
        parts.append(table)
    return Group(*parts)


def _sections(keys: Sequence[Key], writing: Writing) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for group, members in groupby(keys, key=lambda key: key.group):
        yield group, [(_shown(key.shown, writing), key.text) for key in members]
    yield "Flags before a row", list(FLAGS.items())
    yield "Marks behind the flag", [(writing.mark(mark), meaning.value) for mark, meaning in MARKS.items()]


def _shown(keys: str, writing: Writing) -> str:
    return keys if writing.is_unicode else "".join(_ASCII.get(character, character) for character in keys)
