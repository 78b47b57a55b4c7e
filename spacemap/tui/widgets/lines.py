"""The lines around the list: where this is, how much it holds, how the scan goes, the columns, the keys."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from spacemap.render.palette import is_color
from spacemap.render.text import cell_width
from spacemap.tui.cells import Piece

_STYLES = ("path", "root", "state", "text", "faint", "heading", "heading-key", "key", "alert")


class Line(Widget):
    """One line of pieces, cut at the edge of the screen."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{name}" for name in _STYLES}
    DEFAULT_CSS = """
    Line { height: 1; background: $background; }
    Line.-bar { background: $surface; }
    Line .line--path { color: $foreground; text-style: bold; }
    Line .line--root { color: $foreground 75%; }
    Line .line--state { color: $success; text-style: bold; }
    Line .line--alert { color: $warning; text-style: bold; }
    Line .line--text { color: $foreground; }
    Line .line--faint { color: $foreground 75%; }
    Line .line--heading { color: $foreground 75%; }
    Line .line--heading-key { color: $foreground; text-style: bold; }
    Line .line--key { color: $secondary; text-style: bold; }
    """

    def __init__(self, *, name: str, classes: str = "") -> None:
        super().__init__(id=name, classes=classes)
        self._left: Sequence[Piece] = ()
        self._right: Sequence[Piece] = ()

    def show(self, left: Sequence[Piece], right: Sequence[Piece] = ()) -> None:
        """Show pieces from the left, and others that end at the right edge where there is room for both."""
        self._left, self._right = left, right
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return the line."""
        room = self.size.width - sum(cell_width(piece.text) for piece in (*self._left, *self._right))
        right = (Piece(" " * room, "text"), *self._right) if self._right and room >= 1 else ()
        shown = (*self._left, *right) if y == 0 else ()
        segments = [Segment(piece.text, self.rich_style + self._style(piece.style)) for piece in shown]
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _style(self, name: str) -> Style:
        return Style(color=name) if is_color(name) else self.get_component_rich_style(f"line--{name}", partial=True)
