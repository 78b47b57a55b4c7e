"""The rows of a place as tiles of a treemap: which entries get one, where, and what is said in it. No terminal."""

from dataclasses import dataclass, field

import numpy as np

from spacemap.render.treemap import Layout, Rect, lay_out, tile_at
from spacemap.tree.columns import U64, EntryIds, Kind
from spacemap.tree.tree import Tree
from spacemap.tui.order import entry_bytes
from spacemap.tui.session import Session

LEAST = (8, 2)
"""Columns and lines of the smallest tile: some letters of a name, and an edge."""
INNER_LEAST = (6, 2)
"""Of the smallest tile within the tile of a directory."""
ROOM = (14, 5)
"""Columns and lines from which on the tile of a directory shows what is in it."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One entry."""

    rect: Rect
    entry: int
    size: int
    """Bytes, of a directory those of its subtree."""
    label: str
    """What its colour means."""
    color: str
    inner: "Mosaic | None" = None
    """What is in a directory, where there is room."""


@dataclass(frozen=True, slots=True)
class Mosaic:
    """Tiles without a gap, from the largest on."""

    tiles: tuple[Tile, ...] = ()
    more: Rect | None = None
    """The tile of all entries that are too small for one of their own."""
    other_entries: EntryIds = field(default_factory=lambda: np.zeros(0, np.int64), compare=False)
    others_size: int = 0
    first_other: int | None = None
    """The largest of them."""

    @property
    def others(self) -> int:
        """How many share one tile."""
        return len(self.other_entries)

    @property
    def rects(self) -> tuple[Rect, ...]:
        """Every rectangle, that of the others last."""
        own = tuple(tile.rect for tile in self.tiles)
        return own if self.more is None else (*own, self.more)

    def index_of(self, entry: int | None) -> int | None:
        """Return which rectangle an entry is in; None where there are none."""
        own = next((index for index, tile in enumerate(self.tiles) if tile.entry == entry), None)
        return own if own is not None or self.more is None else len(self.tiles)

    def entry_at(self, index: int) -> int | None:
        """Return the entry that a rectangle stands for; of the others the largest."""
        return self.tiles[index].entry if index < len(self.tiles) else self.first_other

    def inner_entry(self, index: int, x: int, y: int) -> int | None:
        """Return the entry within a directory's tile that is shown at a cell; None where that is the tile itself."""
        inner = self.tiles[index].inner if index < len(self.tiles) else None
        at = None if inner is None else tile_at(inner.rects, x, y)
        return None if inner is None or at is None else inner.entry_at(at)


def make_mosaic(session: Session, width: int, height: int) -> Mosaic:
    """Return the tiles of a session's rows in so many cells. Cost: one pass over the rows, and the tiles."""
    if width < 1 or height < 1:
        return Mosaic()
    return _mosaic(session, session.rows().entries, Rect(0, 0, width, height), is_inner=False)


def _mosaic(session: Session, entries: EntryIds, area: Rect, *, is_inner: bool) -> Mosaic:
    least = INNER_LEAST if is_inner else LEAST
    amounts = entry_bytes(session.amounts, entries, session.look.measure)
    largest = largest_positions(amounts, area.cells // (least[0] * least[1]) + 2)
    weights = amounts[largest].tolist()
    total = _exact_sum(amounts)
    rest = total - sum(weights) if len(largest) < len(entries) else None
    layout: Layout = lay_out(weights, area, least, rest)
    shown = len(layout.tiles)
    is_other = np.ones(len(entries), np.bool_)
    is_other[largest[:shown]] = False
    return Mosaic(
        tiles=tuple(
            _tile(session, int(entries[row]), size, rect, is_inner=is_inner)
            for row, size, rect in zip(largest[:shown].tolist(), weights[:shown], layout.tiles, strict=True)
        ),
        more=layout.more,
        other_entries=entries[is_other],
        others_size=total - sum(weights[:shown]),
        first_other=int(entries[largest[shown]]) if shown < len(largest) else None,
    )


def _tile(session: Session, entry: int, size: int, rect: Rect, *, is_inner: bool) -> Tile:
    label, color = session.partition(session.look.tiles).main_kind(session.look.measure, entry)
    inner = None
    has_room = rect.width >= ROOM[0] and rect.height >= ROOM[1]
    if has_room and not is_inner and _has_children(session.tree, entry):
        area = Rect(rect.x + 1, rect.y + 1, rect.width - 2, rect.height - 2)
        inner = _mosaic(session, shown_children(session, entry), area, is_inner=True)
    return Tile(rect, entry, size, label, color, inner)


def _has_children(tree: Tree, entry: int) -> bool:
    return tree.kind[entry] == Kind.DIRECTORY and bool(len(tree.children(entry)))


def shown_children(session: Session, directory: int) -> EntryIds:
    """Return the entries of a directory that its list would show."""
    children = session.tree.children(directory)
    entries = np.arange(children.start, children.stop)
    if session.selection is not None:
        entries = entries[session.selection.holds(entries)]
    return session.ignored.shown(session.tree, entries, session.look, is_deep=False)[0]


def largest_positions(amounts: U64, count: int) -> EntryIds:
    """Return the positions of the largest amounts, at most so many, falling; equal ones in their order."""
    chosen = np.arange(len(amounts))
    if count < len(amounts):
        chosen = np.sort(np.argpartition(amounts, len(amounts) - count)[-count:])
    return chosen[np.argsort(amounts.max(initial=0) - amounts[chosen], kind="stable")]


def _exact_sum(amounts: U64) -> int:
    high, low = amounts >> np.uint64(32), amounts & np.uint64(0xFFFFFFFF)
    return (int(high.sum(dtype=np.uint64)) << 32) + int(low.sum(dtype=np.uint64))
