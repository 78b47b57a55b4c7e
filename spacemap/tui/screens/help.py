"""Help: the keys as they are bound, and what flags and marks before rows mean."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from spacemap.render.text import cell_width
from spacemap.tui.cells import FLAGS, MARKS, Writing
from spacemap.tui.keys import Key

_ASCII = {"↑": "Up", "↓": "Down", "←": "Left", "→": "Right", "Ctrl+↓": "Ctrl+Down", "Ctrl+↑": "Ctrl+Up"}


class HelpScreen(ModalScreen[None]):
    """Everything on one page, to be scrolled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter,left,h", "dismiss", "close", show=False),
        Binding("j", "scroll(1)", "down", show=False),
        Binding("k", "scroll(-1)", "up", show=False),
    ]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen VerticalScroll {
        width: 84; max-width: 100%; height: auto; max-height: 100%;
        background: $surface; padding: 0 2; scrollbar-size-vertical: 1;
    }
    HelpScreen.-tall VerticalScroll { max-height: 94%; padding: 1 2; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]

    def __init__(self, keys: Sequence[Key], writing: Writing) -> None:
        super().__init__(classes="" if writing.is_unicode else "-plain")
        self._writing = writing
        self._keys = [key for key in keys if key.keys]

    def compose(self) -> ComposeResult:
        """The page."""
        with VerticalScroll():
            yield Static(help_text(self._keys, self._writing), markup=False)

    def action_scroll(self, lines: int) -> None:
        """Scroll by so many lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


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
