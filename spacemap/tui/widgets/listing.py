"""The list: as many lines of a session's rows as the screen shows, painted one by one from the columns."""

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from spacemap.render.palette import is_color
from spacemap.tui.cells import Writing, row_pieces
from spacemap.tui.marks import Marks
from spacemap.tui.place import Rows
from spacemap.tui.session import Session

_LEAD = 2
"""Rows that stay visible beyond the cursor, where there are so many."""
_NAMED = ("flag", "mark", "amount", "bar", "items", "faint", "directory", "file", "other")


class Listing(ScrollView, can_focus=True, inherit_bindings=False):
    """Paints rows; moves nothing but its own window over them. Keys are the screen's: its own would only scroll."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"listing--{name}" for name in (*_NAMED, "cursor")}
    DEFAULT_CSS = """
    Listing { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; background: $background; }
    Listing .listing--flag { color: $warning; text-style: bold; }
    Listing .listing--mark { color: $success; text-style: bold; }
    Listing .listing--amount { color: $foreground; }
    Listing .listing--bar { color: $primary; }
    Listing .listing--items { color: $foreground 75%; }
    Listing .listing--faint { color: $foreground 55%; }
    Listing .listing--directory { color: $secondary; text-style: bold; }
    Listing .listing--file { color: $foreground; }
    Listing .listing--other { color: $foreground 75%; text-style: italic; }
    Listing .listing--cursor { background: $panel; color: $foreground; text-style: bold; }
    """

    class Clicked(Message):
        """A row was clicked."""

        def __init__(self, row: int, *, opens: bool) -> None:
            self.row = row
            self.opens = opens
            super().__init__()

    def __init__(self, writing: Writing) -> None:
        super().__init__()
        self._writing = writing
        self._session: Session | None = None
        self._empty = ""
        self._painted: tuple[Rows | None, int, Marks | None] = (None, 0, None)
        """The rows, the cells and the marks that the lines below were painted for."""
        self._lines: dict[tuple[int, bool], Strip] = {}
        """By row, and whether the cursor is on it: a move paints the screen up to three times, and changes two rows."""

    @property
    def cells(self) -> int:
        """Cells of a row, the scrollbar left out."""
        return self.scrollable_content_region.width

    def show(self, session: Session | None, empty: str) -> None:
        """Paint a session as it is now, its cursor in sight; `empty` is said where there are no rows."""
        self._session = session
        self._empty = empty
        self._fit()
        self.refresh()

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._fit()

    def _fit(self) -> None:
        session = self._session
        if session is None:
            return
        count, height = len(session.rows()), max(self.size.height, 1)
        self.virtual_size = Size(self.cells, count)
        lead = min(_LEAD, (height - 1) // 2)
        top = min(session.top, session.cursor - lead)
        top = max(top, session.cursor - height + 1 + lead)
        session.top = max(min(top, count - height), 0)
        self.scroll_to(y=session.top, animate=False, force=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Remember what a wheel or the scrollbar did."""
        super().watch_scroll_y(old_value, new_value)
        if self._session is not None:
            self._session.top = round(new_value)

    def render_line(self, y: int) -> Strip:
        """Return one line of the window."""
        width, session = self.cells, self._session
        row = y + round(self.scroll_y)
        if session is None or row >= len(session.rows()):
            rows = None if session is None else session.rows()
            is_empty = rows is None or len(rows) == rows.has_parent
            text = self._empty if is_empty and y == 1 + (rows is not None and rows.has_parent) else ""
            faint = self.get_component_rich_style("listing--faint")
            shown = self._writing.cut(f"  {text}", width) if text else ""
            return Strip([Segment(shown, faint)]).adjust_cell_length(width, self.rich_style)
        rows, cells, marks = self._painted
        if rows is not session.rows() or cells != width or marks is not session.marks:
            self._painted = (session.rows(), width, session.marks)
            self._lines.clear()
        place = (row, row == session.cursor)
        if place not in self._lines:
            self._lines[place] = self._paint_row(session, row, width)
        return self._lines[place]

    def notify_style_update(self) -> None:
        """Paint anew in the colours of another theme."""
        super().notify_style_update()
        self._lines.clear()

    def _paint_row(self, session: Session, row: int, width: int) -> Strip:
        base = self.rich_style
        is_cursor = row == session.cursor
        if is_cursor:
            base += self.get_component_rich_style("listing--cursor")
        pieces = row_pieces(session, row, width, self._writing)
        segments = [Segment(piece.text, self._style(piece.style, base, keeps=is_cursor)) for piece in pieces]
        return Strip(segments).adjust_cell_length(width, base)

    def _style(self, name: str, base: Style, *, keeps: bool) -> Style:
        if name in _NAMED:
            style = self.get_component_rich_style(f"listing--{name}", partial=True)
        elif is_color(name):
            style = Style(color=name)
        else:
            return base
        return base + Style(color=style.color, bold=style.bold, italic=style.italic) if keeps else base + style

    def on_click(self, event: events.Click) -> None:
        """Tell which row was clicked; the second click of two opens it."""
        row = event.y + round(self.scroll_y)
        if self._session is not None and row < len(self._session.rows()):
            self.post_message(self.Clicked(row, opens=event.chain > 1))
