"""The line in which a search is typed."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class SearchLine(Input):
    """Tells of every change; Tab widens, Enter keeps, Escape gives up, arrows move in the list meanwhile."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "widen", "search in everything, or here", show=False),
        Binding("escape", "give_up", "end the search", show=False),
        Binding("up", "step(-1)", "up one row", show=False),
        Binding("down", "step(1)", "down one row", show=False),
    ]
    DEFAULT_CSS = """
    SearchLine { height: 1; border: none; padding: 0; background: $surface; display: none; width: 1fr; }
    SearchLine:focus { border: none; background-tint: $foreground 0%; }
    """

    class Widened(Message):
        """Search everywhere, or only here."""

    class GivenUp(Message):
        """No search after all."""

    class Stepped(Message):
        """Move in what was found."""

        def __init__(self, rows: int) -> None:
            self.rows = rows
            super().__init__()

    def action_widen(self) -> None:
        """Ask for the other extent."""
        self.post_message(self.Widened())

    def action_give_up(self) -> None:
        """Ask for an end."""
        self.post_message(self.GivenUp())

    def action_step(self, rows: int) -> None:
        """Ask for the cursor to move."""
        self.post_message(self.Stepped(rows))
