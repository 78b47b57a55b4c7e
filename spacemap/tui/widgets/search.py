"""The lines in which something is typed that changes the rows meanwhile."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class TypedLine(Input):
    """Tells of every change; Enter keeps, Escape gives up, arrows move in the list meanwhile."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "give up what is typed", show=False),
        Binding("up", "step(-1)", "up one row", show=False),
        Binding("down", "step(1)", "down one row", show=False),
    ]
    DEFAULT_CSS = """
    TypedLine { height: 1; border: none; padding: 0; background: $surface; display: none; width: 1fr; }
    TypedLine:focus { border: none; background-tint: $foreground 0%; }
    """

    class GivenUp(Message):
        """Nothing of what was typed after all."""

        def __init__(self, line: "TypedLine") -> None:
            self.line = line
            super().__init__()

        @property
        def control(self) -> "TypedLine":
            """The line, by which handlers are chosen."""
            return self.line

    class Stepped(Message):
        """Move in what was found."""

        def __init__(self, rows: int) -> None:
            self.rows = rows
            super().__init__()

    def action_give_up(self) -> None:
        """Ask for an end."""
        self.post_message(self.GivenUp(self))

    def action_step(self, rows: int) -> None:
        """Ask for the cursor to move."""
        self.post_message(self.Stepped(rows))


class SearchLine(TypedLine):
    """A part of names; Tab widens the search."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "widen", "search in everything, or here", show=False),
    ]

    class Widened(Message):
        """Search everywhere, or only here."""

    def action_widen(self) -> None:
        """Ask for the other extent."""
        self.post_message(self.Widened())


class FilterLine(TypedLine):
    """A filter."""
