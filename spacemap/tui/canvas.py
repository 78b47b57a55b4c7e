"""A treemap painted into cells: fills, edges, names and sizes, and the frame of the tile under the cursor."""

from collections.abc import Sequence
from dataclasses import dataclass

from spacemap.render.text import cell_width, character_width
from spacemap.render.treemap import Rect
from spacemap.tree.columns import Kind
from spacemap.tui.cells import Piece, Writing, flag_of, folded_files, mark_text
from spacemap.tui.marks import Mark, Marks
from spacemap.tui.tiles import Mosaic, Tile
from spacemap.units import format_count

OTHERS = "#767676"
"""Colour of the tile for all that are too small for one."""
_SIZE_ROOM = 5
"""Cells of a name that are left where a size stands on the same line."""


@dataclass(frozen=True, slots=True)
class _Strokes:
    """What lines are drawn with."""

    right: str
    bottom: str
    corners: str
    across: str
    down: str


_BLOCKS = _Strokes(right="▕", bottom="▁", corners="┏┓┗┛", across="━", down="┃")
_ASCII = _Strokes(right="|", bottom="_", corners="####", across="#", down="#")


@dataclass(frozen=True, slots=True)
class _Label:
    """What is said in a tile, to be cut to the room there is."""

    mark: str
    name: bytes | str
    """Text where it is no name of an entry."""
    size: str
    meaning: str = ""
    """Of the colour."""


@dataclass(frozen=True, slots=True)
class _Shades:
    """Styles of a tile."""

    name: str
    text: str
    edge: str

    @classmethod
    def of(cls, color: str, *, is_cursor: bool, is_bold: bool) -> "_Shades":
        """Return those of a colour; under the cursor there is but one."""
        if is_cursor:
            return cls("cursor", "cursor", "cursor")
        return cls(f"{'title' if is_bold else 'tile'} {color}", f"tile {color}", f"edge {color}")


def paint(
    marks: Marks, mosaic: Mosaic, size: tuple[int, int], cursor: int | None, writing: Writing
) -> list[list[Piece]]:
    """Return the lines of a treemap of the tree that `marks` are of, pieces as wide as it; `cursor` is the index of a
    rectangle.

    Styles are `tile`, `title` or `edge`, for a tile with others in it `frame-title`, `frame` or `frame-edge`, each with
    a blank and a colour behind it, or `cursor`.
    """
    painting = _Painting(marks, size, writing)
    painting.paint(mosaic, cursor)
    if cursor is not None:
        painting.frame(mosaic, cursor)
    return painting.lines()


class _Painting:
    """Cells, each with a character and the name of a style."""

    def __init__(self, marks: Marks, size: tuple[int, int], writing: Writing) -> None:
        self._tree = marks.tree
        self._marks = marks
        self._writing = writing
        self._strokes = _BLOCKS if writing.is_unicode else _ASCII
        self._text = [[" "] * size[0] for _ in range(size[1])]
        self._style = [[""] * size[0] for _ in range(size[1])]

    def lines(self) -> list[list[Piece]]:
        """Return every line as runs of one style."""
        return [_pieces(text, style) for text, style in zip(self._text, self._style, strict=True)]

    def paint(self, mosaic: Mosaic, cursor: int | None) -> None:
        """Paint all tiles, and those within them."""
        for index, tile in enumerate(mosaic.tiles):
            if tile.inner is not None:
                self._paint_frame_of(tile)
                self.paint(tile.inner, None)
            else:
                is_directory = self._tree.kind[tile.entry] == Kind.DIRECTORY
                shades = _Shades.of(tile.color, is_cursor=index == cursor, is_bold=is_directory)
                self._paint_leaf(tile.rect, self._label(tile), shades)
        if mosaic.more is not None:
            size = self._writing.amount(mosaic.others_size)
            shades = _Shades.of(OTHERS, is_cursor=cursor == len(mosaic.tiles), is_bold=False)
            room = max(mosaic.more.width - 2, 0)
            count = f"{format_count(mosaic.others)} more"
            mark = self._mark(self._marks.of_some(mosaic.other_entries))
            name = count if len(mark) + len(count) <= room else f"+{mosaic.others}"
            self._paint_leaf(mosaic.more, _Label(mark, name, size), shades)

    def frame(self, mosaic: Mosaic, index: int) -> None:
        """Draw a frame around the tile under the cursor: more than a colour tells which it is."""
        rect = mosaic.rects[index]
        if rect.width < 4 or rect.height < 3:
            self._write(rect.x, rect.y, ">", "cursor")
            return
        right, bottom, across = rect.x + rect.width - 1, rect.y + rect.height - 1, self._strokes.across
        for y in range(rect.y + 1, bottom):
            self._write(rect.x, y, self._strokes.down, "cursor")
            self._write(right, y, self._strokes.down, "cursor")
        corners = self._strokes.corners
        self._write(rect.x, bottom, corners[2] + across * (rect.width - 2) + corners[3], "cursor")
        if index < len(mosaic.tiles) and mosaic.tiles[index].inner is not None:
            self._write(rect.x, rect.y, " " * rect.width, "cursor")
            room = Rect(rect.x + 2, rect.y, rect.width - 4, 1)
            self._write_label(room, self._label(mosaic.tiles[index]), "cursor", "cursor")
        self._write(rect.x, rect.y, corners[0], "cursor")
        self._write(right, rect.y, corners[1], "cursor")

    def _paint_frame_of(self, tile: Tile) -> None:
        rect, color = tile.rect, tile.color
        self._fill(rect, f"frame {color}", f"frame-edge {color}")
        room = Rect(rect.x + 1, rect.y, rect.width - 2, 1)
        self._write_label(room, self._label(tile), f"frame-title {color}", f"frame {color}")

    def _paint_leaf(self, rect: Rect, label: _Label, shades: _Shades) -> None:
        self._fill(rect, shades.text, shades.edge)
        # A blank before the text; edges at the right and, where there is more than one line, at the bottom.
        room = Rect(rect.x + 1, rect.y, max(rect.width - 2, 0), max(rect.height - 1, 1))
        self._write_label(room, label, shades.name, shades.text)

    def _label(self, tile: Tile) -> _Label:
        size = self._writing.amount(tile.size)
        mark = self._mark(self._marks.of(tile.entry))
        if count := folded_files(self._tree, tile.entry):
            return _Label(mark, f"({format_count(count)} small files)", size)
        name = self._tree.name(tile.entry)
        flag = flag_of(self._tree, tile.entry)
        slash = "/" if self._tree.kind[tile.entry] == Kind.DIRECTORY and not name.startswith(b"/") else ""
        return _Label(mark + (f"{flag} " if flag and flag != "e" else "") + slash, name, size, tile.label)

    def _mark(self, mark: Mark) -> str:
        """Return what stands before a name: the letter that the list has, and a blank."""
        return "" if mark is Mark.NONE else f"{mark_text(mark, self._writing)} "

    def _write_label(self, room: Rect, label: _Label, name_style: str, style: str) -> None:
        """Write a name, its size below it or at the end of the line, and below both what the colour means."""
        is_low = room.height < 2 or cell_width(label.size) > room.width
        behind = room.width - cell_width(label.size) - 1
        if is_low and behind >= _SIZE_ROOM + len(label.mark):
            self._write(room.x, room.y, self._named(label, behind), name_style)
            self._write(room.x + behind + 1, room.y, label.size, style)
        else:
            self._write(room.x, room.y, self._named(label, room.width), name_style)
        if not is_low:
            self._write(room.x, room.y + 1, label.size, style)
            meaning = self._writing.cut(label.meaning, room.width)
            if room.height >= 4 and meaning == label.meaning:
                self._write(room.x, room.y + 2, meaning, style)

    def _named(self, label: _Label, cells: int) -> str:
        cells = max(cells - len(label.mark), 0)
        if isinstance(label.name, str):
            return label.mark + self._writing.cut(label.name, cells)
        return label.mark + self._writing.name(label.name, cells)

    def _fill(self, rect: Rect, style: str, edge: str) -> None:
        """Fill a tile, with an edge at the right and at the bottom."""
        right, below = rect.x + rect.width - 1, rect.y + rect.height
        for y in range(rect.y, below):
            self._text[y][rect.x : right + 1] = " " * rect.width
            self._style[y][rect.x : right + 1] = [style] * rect.width
            self._write(right, y, self._strokes.right, edge)
        if rect.height > 1:
            self._write(rect.x, below - 1, self._strokes.bottom * rect.width, edge)

    def _write(self, x: int, y: int, text: str, style: str) -> None:
        """Write text into cells that are known to be there."""
        for character in text:
            cells = character_width(character)
            if not cells:
                self._text[y][x - 1] += character
                continue
            self._text[y][x : x + cells] = [character, ""][:cells]
            self._style[y][x : x + cells] = [style] * cells
            x += cells


def _pieces(text: Sequence[str], styles: Sequence[str]) -> list[Piece]:
    pieces = []
    begin = 0
    for end in range(1, len(styles) + 1):
        if end == len(styles) or styles[end] != styles[begin]:
            pieces.append(Piece("".join(text[begin:end]), styles[begin]))
            begin = end
    return pieces
