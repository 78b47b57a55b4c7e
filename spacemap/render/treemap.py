"""A squarified treemap on a grid of character cells: rectangles without a gap and without an overlap.

After Bruls, Huizing and van Wijk, "Squarified Treemaps", 2000: strips are filled along the shorter side for as long as
the worst of their rectangles becomes more like a square. Here a cell is twice as high as wide, and edges are cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

CELL_ASPECT = 2
"""How many times as high as wide a cell is."""


class Rect(NamedTuple):
    """A rectangle of cells."""

    x: int
    y: int
    width: int
    height: int

    @property
    def cells(self) -> int:
        """How many cells it covers."""
        return self.width * self.height

    def holds(self, x: int, y: int) -> bool:
        """Return whether a cell is in it."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


class Direction(Enum):
    """Where the next tile is looked for: a step in columns and in lines."""

    LEFT = (-1, 0)
    RIGHT = (1, 0)
    UP = (0, -1)
    DOWN = (0, 1)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the first of some weights are, in their order, and the one tile for all others."""

    tiles: tuple[Rect, ...]
    more: Rect | None
    """None when every weight has a tile of its own."""

    @property
    def all(self) -> tuple[Rect, ...]:
        """Every rectangle, that for the others last."""
        return self.tiles if self.more is None else (*self.tiles, self.more)


def lay_out(weights: Sequence[int], area: Rect, least: tuple[int, int], rest: int | None = None) -> Layout:
    """Return tiles that fill an area, in proportion to falling weights as far as whole cells allow.

    What would get less than `least` (columns, lines) shares one last tile with the `rest`, the sum of weights that were
    not even given; None: there are none. Cost: the number of tiles there is room for.
    """
    if area.width < least[0] or area.height < least[1]:
        return Layout((), area if weights or rest is not None else None)
    total = sum(weights) + (rest or 0)
    smallest = least[0] * least[1]
    count = next((n for n, weight in enumerate(weights) if weight * area.cells < total * smallest), len(weights))
    count = count if total else 0
    while count:
        others = total - sum(weights[:count])
        has_more = count < len(weights) or rest is not None
        # However little the others weigh, their tile can be seen.
        more = (max(others, total * smallest // area.cells, 1),) if has_more else ()
        rects = _squarify((*weights[:count], *more), area, least)
        if rects is not None:
            return Layout(tuple(rects[:count]), rects[-1] if has_more else None)
        count = count * 7 // 8
    return Layout((), area if weights or rest is not None else None)


def tile_at(rects: Sequence[Rect], x: int, y: int) -> int | None:
    """Return the index of the rectangle that holds a cell."""
    return next((index for index, rect in enumerate(rects) if rect.holds(x, y)), None)


def tile_beside(rects: Sequence[Rect], index: int, direction: Direction) -> int:
    """Return the index of the nearest rectangle in a direction, at the edge the same one.

    Of those that touch, the one beside the middle.
    """
    rect, (right, down) = rects[index], direction.value
    x = rect.x + (rect.width // 2 if not right else -1 if right < 0 else rect.width)
    y = rect.y + (rect.height // 2 if not down else -1 if down < 0 else rect.height)
    found = tile_at(rects, x, y)
    return index if found is None else found


def _squarify(weights: Sequence[int], area: Rect, least: tuple[int, int]) -> list[Rect] | None:
    """Return a rectangle for each weight; None when not all can have the least size."""
    rects: list[Rect] = []
    left = sum(weights)
    while len(rects) < len(weights):
        is_column = area.width >= area.height * CELL_ASPECT
        side, length = (area.height, area.width) if is_column else (area.width, area.height)
        least_along, least_across = (least[1], least[0]) if is_column else least
        waiting = weights[len(rects) :]
        count = _strip(waiting, side * (CELL_ASPECT if is_column else 1), area.cells * CELL_ASPECT / left)
        count = min(count, side // least_along)
        if length < 2 * least_across:
            count = len(waiting)
        if count * least_along > side or not count:
            return None
        strip = waiting[:count]
        across = length
        if count < len(waiting):
            across = _rounded(length * sum(strip), left)
            across = max(min(across, length - least_across), least_across)
        begin = 0
        for extent in _split(side, strip, least_along):
            x, y = (area.x, area.y + begin) if is_column else (area.x + begin, area.y)
            rects.append(Rect(x, y, across, extent) if is_column else Rect(x, y, extent, across))
            begin += extent
        left -= sum(strip)
        area = (
            Rect(area.x + across, area.y, area.width - across, area.height)
            if is_column
            else Rect(area.x, area.y + across, area.width, area.height - across)
        )
    return rects


def _strip(weights: Sequence[int], side: int, scale: float) -> int:
    """Return how many of the weights the next strip holds; `scale` is the area of a weight of 1, as wide as cells."""
    total, smallest, largest, before = 0, weights[0], weights[0], float("inf")
    for count, weight in enumerate(weights):
        total += weight
        smallest, largest = min(smallest, weight), max(largest, weight)
        strip = total * scale
        worst = max(side * side * largest * scale / strip**2, strip**2 / (side * side * smallest * scale))
        if worst > before:
            return count
        before = worst
    return len(weights)


def _split(side: int, weights: Sequence[int], least: int) -> list[int]:
    """Return parts of a side in proportion to weights, none below the least."""
    parts = []
    left, weight_left = side, sum(weights)
    for number, weight in enumerate(weights, 1):
        most = left - least * (len(weights) - number)
        part = max(min(_rounded(left * weight, weight_left), most), least)
        parts.append(part if number < len(weights) else left)
        left, weight_left = left - part, weight_left - weight
    return parts


def _rounded(dividend: int, divisor: int) -> int:
    return (2 * dividend + divisor) // (2 * divisor)
