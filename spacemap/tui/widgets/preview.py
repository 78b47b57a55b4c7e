"""The pane with the beginning of a file, what is in an archive, or the largest entries of a directory."""

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from spacemap.tui.cells import Piece, Writing
from spacemap.tui.preview import preview_lines
from spacemap.tui.reading import Preview

_STYLES = ("title", "note", "size", "text")


class PreviewPane(ScrollView, can_focus=False, inherit_bindings=False):
    """Lines that were made for its width; the wheel scrolls them."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"preview--{name}" for name in _STYLES}
    DEFAULT_CSS = """
    PreviewPane {
        display: none; height: 40%; background: $surface;
        overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; scrollbar-gutter: stable;
    }
    PreviewPane .preview--title { color: $foreground; text-style: bold; }
    PreviewPane .preview--note { color: $warning; }
    PreviewPane .preview--size { color: $foreground 75%; }
    PreviewPane .preview--text { color: $foreground; }
    """

    def __init__(self, writing: Writing) -> None:
        super().__init__()
        self._writing = writing
        self._preview = Preview(b"", "")
        self._lines: list[list[Piece]] = []
        self._width = 0

    def show(self, preview: Preview) -> None:
        """Show another preview, from its beginning on."""
        if preview.path != self._preview.path:
            self.scroll_to(y=0, animate=False)
        self._preview = preview
        self._fit()

    def on_resize(self) -> None:
        """Make the lines for another width."""
        self._fit()

    def _fit(self) -> None:
        self._width = self.scrollable_content_region.width
        # A blank at either side.
        self._lines = preview_lines(self._preview, max(self._width - 2, 0), self._writing)
        self.virtual_size = Size(self._width, len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line of the window."""
        row = y + round(self.scroll_y)
        pieces = self._lines[row] if row < len(self._lines) else []
        segments = [Segment(" ", self.rich_style)]
        segments += [Segment(piece.text, self.rich_style + self._style(piece.style)) for piece in pieces]
        return Strip(segments).adjust_cell_length(self._width, self.rich_style)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"preview--{name}", partial=True)
