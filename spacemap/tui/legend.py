"""The line above a treemap: the entry under the cursor, and what the colours mean. No terminal."""

from spacemap.render.text import cell_width
from spacemap.tree.columns import Kind
from spacemap.tui.cells import Piece, Writing, size_of
from spacemap.tui.session import Session
from spacemap.tui.tiles import Mosaic
from spacemap.units import format_percent

_MOST = 8
"""Colours that are explained."""
_NAME = 24
"""Cells that the name under the cursor has before its colour is explained."""


def current_pieces(session: Session, width: int, writing: Writing) -> list[Piece]:
    """Return what the cursor is on: name, size, share, and what its colour means."""
    entry = session.current
    if entry is None:
        return []
    tree = session.tree
    size = size_of(session.amounts, entry, session.look.measure)
    label, _ = session.partition(session.look.tiles).main_kind(session.look.measure, entry)
    facts = f"  {writing.amount(size)}  {format_percent(size, session.whole())}"
    name = tree.name(entry)
    slash = "/" if tree.kind[entry] == Kind.DIRECTORY and not name.startswith(b"/") else ""
    meaning = f"  {writing.cut(label, width)}"
    wanted = min(cell_width(writing.name(name, width)), _NAME) + len(slash) + 1
    if wanted + cell_width(facts) + cell_width(meaning) <= width:
        facts += meaning
    shown = slash + writing.name(name, max(width - cell_width(facts) - len(slash) - 1, 1))
    return [Piece(" " + shown, "path"), Piece(facts, "text")]


def color_pieces(mosaic: Mosaic, title: str, width: int, writing: Writing) -> list[Piece]:
    """Return what colours stand for, those of the largest tiles first, as many as there is room for."""
    pieces = [Piece(title, "faint")]
    used = cell_width(title) + 1
    swatch = "■" if writing.is_unicode else "#"
    for label, color in _by_size(mosaic)[:_MOST]:
        text = " " + writing.cut(label, 40)
        if used + cell_width(text) + 3 > width:
            break
        used += cell_width(text) + 3
        pieces += [Piece(f"  {swatch}", color), Piece(text, "faint")]
    return [*pieces, Piece(" ", "faint")]


def _by_size(mosaic: Mosaic) -> list[tuple[str, str]]:
    sizes: dict[tuple[str, str], int] = {}
    for tile in mosaic.tiles:
        for each in (tile,) if tile.inner is None else tile.inner.tiles:
            key = (each.label, each.color)
            sizes[key] = sizes.get(key, 0) + each.size
    return sorted(sizes, key=lambda key: -sizes[key])
