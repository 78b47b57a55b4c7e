"""The treemap: the rows of a session as tiles, painted once for rows and size, and where keys and mouse lead."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from spacemap.render.palette import blend
from spacemap.render.treemap import Direction, tile_at, tile_beside
from spacemap.tui.canvas import paint
from spacemap.tui.cells import Writing
from spacemap.tui.keys import TILE_KEYS, Key
from spacemap.tui.marks import Marks
from spacemap.tui.place import Rows
from spacemap.tui.session import Session
from spacemap.tui.tiles import Mosaic, make_mosaic


class _Shade(NamedTuple):
    """How much of a tile's colour is in its background, and how its text stands out."""

    share: float
    is_bold: bool = False
    is_edge: bool = False


_SHADES = {
    "tile": _Shade(0.42),
    "title": _Shade(0.42, is_bold=True),
    "edge": _Shade(0.42, is_edge=True),
    "frame": _Shade(0.16),
    "frame-title": _Shade(0.16, is_bold=True),
    "frame-edge": _Shade(0.16, is_edge=True),
}


class Treemap(Widget, can_focus=True):
    """Paints tiles; some keys lead to the tile beside, every other is the screen's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.keys, key.action, key.text, show=False, id=key.name) for key in TILE_KEYS
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"treemap--cursor", "treemap--faint"}
    DEFAULT_CSS = """
    Treemap { width: 1fr; height: 1fr; background: $background; color: $foreground; display: none; }
    Treemap .treemap--cursor { background: $foreground; color: $background; text-style: bold; }
    Treemap .treemap--faint { color: $foreground 55%; }
    """

    class Chosen(Message):
        """A tile was clicked, or keys led to it."""

        def __init__(self, entry: int, *, opens: bool, inner: int | None = None) -> None:
            self.entry = entry
            self.opens = opens
            self.inner = inner
            """What was clicked of a tile that shows what is in it."""
            super().__init__()

    def __init__(self, writing: Writing, keys: Sequence[Key]) -> None:
        super().__init__()
        self._writing = writing
        self._steps = frozenset(key.action for key in keys if key.keys)
        """Actions that keys are left for."""
        self._session: Session | None = None
        self._empty = ""
        self._made: tuple[Rows | None, int, int] = (None, 0, 0)
        """What the tiles were made for: rows, columns and lines."""
        self._mosaic = Mosaic()
        self._painted: tuple[Mosaic, int | None, Marks | None] = (self._mosaic, None, None)
        """What the lines were painted of, the tile under the cursor, and what was marked."""
        self._lines: list[Strip] = []
        self._has_opened = False

    def show(self, session: Session, empty: str) -> None:
        """Paint a session as it is now; `empty` is said where there are no rows."""
        self._session = session
        self._empty = empty
        self.refresh()

    @property
    def mosaic(self) -> Mosaic:
        """The tiles of now."""
        session, (width, height) = self._session, self.size
        if session is not None:
            rows = session.rows()
            if self._made[0] is not rows or self._made[1:] != (width, height):
                self._made = (rows, width, height)
                self._mosaic = make_mosaic(session, width, height)
        return self._mosaic

    @property
    def index(self) -> int | None:
        """Which tile the cursor is in."""
        return None if self._session is None else self.mosaic.index_of(self._session.current)

    @property
    def is_on_others(self) -> bool:
        """Whether the cursor is in the tile of all that are too small for one."""
        return self.index is not None and self.index >= len(self.mosaic.tiles)

    def render_line(self, y: int) -> Strip:
        """Return one line."""
        mosaic, index, marks = now = (self.mosaic, self.index, None if self._session is None else self._session.marks)
        if mosaic is not self._painted[0] or index != self._painted[1] or marks is not self._painted[2]:
            self._painted = now
            self._lines = self._paint(mosaic, index)
        if y < len(self._lines):
            return self._lines[y]
        text = self._writing.cut(f"  {self._empty}", self.size.width) if y == 1 else ""
        faint = self.get_component_rich_style("treemap--faint")
        return Strip([Segment(text, faint)]).adjust_cell_length(self.size.width, self.rich_style)

    def notify_style_update(self) -> None:
        """Paint anew in the colours of another theme."""
        super().notify_style_update()
        self._painted = (Mosaic(), None, None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out a step whose key was given to something else: that is what it does here, too."""
        steps = {f"step('{direction}')" for direction in parameters} if action == "step" else set()
        return steps <= self._steps

    def action_step(self, direction: str) -> None:
        """Go to the tile that lies in a direction."""
        if self.index is None:
            return
        self._choose(tile_beside(self.mosaic.rects, self.index, Direction[direction]), opens=False)

    def on_click(self, event: events.Click) -> None:
        """Choose a tile; open the one that was chosen before, or what of it was clicked."""
        index = tile_at(self.mosaic.rects, event.x, event.y)
        # The second click of two that has already opened something lands on what was opened.
        if index is None or (event.chain > 1 and self._has_opened):
            return
        self._has_opened = index == self.index
        self._choose(index, opens=self._has_opened, inner=self.mosaic.inner_entry(index, event.x, event.y))

    def _choose(self, index: int, *, opens: bool, inner: int | None = None) -> None:
        entry = self.mosaic.entry_at(index)
        if entry is not None:
            self.post_message(self.Chosen(entry, opens=opens, inner=inner))

    def _paint(self, mosaic: Mosaic, index: int | None) -> list[Strip]:
        if self._session is None or not mosaic.rects:
            return []
        styles: dict[str, Style] = {}
        lines = paint(self._session.marks, mosaic, self.size, index, self._writing)
        for line in lines:
            for piece in line:
                if piece.style not in styles:
                    styles[piece.style] = self._style(piece.style)
        return [Strip([Segment(piece.text, styles[piece.style]) for piece in line]) for line in lines]

    def _style(self, name: str) -> Style:
        if name == "cursor":
            return self.get_component_rich_style("treemap--cursor")
        role, _, color = name.partition(" ")
        _, _, background, foreground = self.colors
        if not role:
            return self.rich_style
        shade = _SHADES[role]
        text = background if shade.is_edge else foreground
        return Style(color=text.hex6, bgcolor=blend(color, background.rgb, shade.share), bold=shade.is_bold)
