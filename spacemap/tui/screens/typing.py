"""A line at the bottom in which something is typed, while the rows follow."""

from abc import abstractmethod

from textual import on

from spacemap.tui.cells import Piece
from spacemap.tui.screens.actions import SessionScreen
from spacemap.tui.widgets.search import TypedLine


class TypingScreen(SessionScreen):
    """Holds lines that are typed in, one at a time."""

    @abstractmethod
    def set_typing(self, line: TypedLine, *, is_typing: bool) -> None:
        """Show a line to be typed in, or the keys again."""

    @abstractmethod
    def tell_typing(self, pieces: list[Piece]) -> None:
        """Say something above the line that is typed in."""

    def tell_hint(self, title: str, text: str, style: str) -> None:
        """Say above the line what is typed in it, and something about that."""
        shown = self.setting.writing.cut(text, max(self.size.width - len(title) - 3, 1))
        self.tell_typing([Piece(f" {title} ", "key"), Piece(shown, style)])

    def end_typing(self, line: TypedLine) -> None:
        """Leave a line."""
        self.set_typing(line, is_typing=False)
        self.call_after_refresh(self.paint)

    @on(TypedLine.Stepped)
    def step(self, message: TypedLine.Stepped) -> None:
        """Move in what was found."""
        self.action_move(message.rows)
