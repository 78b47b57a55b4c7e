"""The start screen: what to look at, where no path was given."""

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from spacemap.scan.space import DiskSpace
from spacemap.tui.cells import Piece, Writing
from spacemap.tui.start import OnSpace, Section, Start, start_pieces
from spacemap.tui.widgets.choices import ChoiceList
from spacemap.tui.widgets.lines import Line


class SpaceKnown(Message):
    """It is known how full a file system is."""

    def __init__(self, path: bytes, space: DiskSpace | None) -> None:
        self.path = path
        self.space = space
        super().__init__()


class StartScreen(Screen[tuple[bytes, ...] | None]):
    """Returns the directories to scan; None for none, after all."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape,ctrl+c", "dismiss(None)", "quit", show=False, priority=True)
    ]
    DEFAULT_CSS = """
    StartScreen { background: $background; overflow: hidden; }
    StartScreen ChoiceList { height: 1fr; background: $background; }
    """

    def __init__(self, sections: Sequence[Section], ask: Callable[[OnSpace], object], writing: Writing) -> None:
        """`ask` starts to ask how full the file systems are."""
        super().__init__(classes="" if writing.is_unicode else "-plain")
        self._writing = writing
        self._sections = sections
        self._ask = ask
        self._starts = [start for _, starts in sections for start in starts]
        self._spaces: dict[bytes, DiskSpace | None] = {}

    def compose(self) -> ComposeResult:
        """The list between two lines."""
        yield Line(name="title", classes="-bar")
        yield ChoiceList(markup=False, compact=True)
        yield Line(name="hints", classes="-bar")

    def on_mount(self) -> None:
        """Fill the list, and ask how full everything is."""
        self.query_one("#title", Line).show([Piece(" What to look at", "path")])
        keys = (("Enter", "scan"), ("q", "quit"))
        self.query_one("#hints", Line).show(
            [piece for key, text in keys for piece in (Piece(f" {key}", "key"), Piece(f" {text}", "faint"))]
        )
        self._fill()
        self._ask(lambda path, space: self.post_message(SpaceKnown(path, space)))

    def on_resize(self) -> None:
        """Fit the lines."""
        self.call_after_refresh(self._fill)

    @on(SpaceKnown)
    def note_space(self, message: SpaceKnown) -> None:
        """Show how full a file system is."""
        self._spaces[message.path] = message.space
        self._fill()

    @on(OptionList.OptionSelected)
    def choose(self, message: OptionList.OptionSelected) -> None:
        """Return what was chosen."""
        self.dismiss(self._starts[int(message.option_id or 0)].paths)

    def _fill(self) -> None:
        choices = self.query_one(ChoiceList)
        width = max(choices.scrollable_content_region.width - 4, 1)
        highlighted = choices.highlighted
        options: list[Option] = []
        number = 0
        for title, starts in self._sections:
            options.append(Option(Text(title), disabled=True))
            for start in starts:
                options.append(Option(self._line(start, width), str(number)))
                number += 1
        choices.set_options(options)
        choices.highlighted = 1 if highlighted is None else highlighted

    def _line(self, start: Start, width: int) -> Text:
        text = Text("  ", no_wrap=True, overflow="crop")
        bar = self.app.current_theme.primary
        for piece in start_pieces(start, self._spaces, width, time.time_ns(), self._writing):
            text.append(piece.text, bar if piece.style == "bar" else "")
        return text
