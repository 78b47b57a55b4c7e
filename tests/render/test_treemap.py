"""The treemap: no gap, no overlap, areas in proportion, and a way by arrows to every tile."""

from hypothesis import given
from hypothesis import strategies as st

from spacemap.render.treemap import Direction, Layout, Rect, lay_out, tile_at, tile_beside

_LEAST = (6, 2)
_weights = st.lists(st.one_of(st.integers(0, 9), st.integers(0, 2**62)), max_size=120)
_areas = st.builds(Rect, st.just(3), st.just(2), st.integers(1, 200), st.integers(1, 60))
_rests = st.one_of(st.none(), st.integers(0, 2**62))


def _laid_out(weights: list[int], area: Rect, rest: int | None) -> Layout:
    return lay_out(sorted(weights, reverse=True), area, _LEAST, rest)


@given(_weights, _areas, _rests)
def test_every_cell_is_in_one_tile(weights: list[int], area: Rect, rest: int | None) -> None:
    """Whatever the weights and the size, tiles cover the area, and none covers another."""
    layout = _laid_out(weights, area, rest)
    covered = [
        (x, y)
        for tile in layout.all
        for x in range(tile.x, tile.x + tile.width)
        for y in range(tile.y, tile.y + tile.height)
    ]
    cells = {(area.x + x, area.y + y) for x in range(area.width) for y in range(area.height)}

    assert len(covered) == len(set(covered))
    assert set(covered) == (cells if weights or rest is not None else set())


@given(_weights, _areas, _rests)
def test_no_tile_is_too_small(weights: list[int], area: Rect, rest: int | None) -> None:
    """Each tile has the least size, and whatever has none of its own is in the last one."""
    layout = _laid_out(weights, area, rest)

    assert all(tile.width >= _LEAST[0] and tile.height >= _LEAST[1] for tile in layout.tiles)
    assert (layout.more is not None) == (rest is not None or len(layout.tiles) < len(weights))


@given(_weights, _areas, _rests)
def test_arrows_lead_to_every_tile(weights: list[int], area: Rect, rest: int | None) -> None:
    """From the first tile there is a way to each other one, and no arrow leads out of the area."""
    rects = _laid_out(weights, area, rest).all
    reached, waiting = ({0}, [0]) if rects else (set(), [])
    while waiting:
        index = waiting.pop()
        for direction in Direction:
            beside = tile_beside(rects, index, direction)
            if beside not in reached:
                reached.add(beside)
                waiting.append(beside)

    assert set(range(len(rects))) == reached


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_areas_are_in_proportion(weights: list[int]) -> None:
    """With many cells to a tile, its area is that of its weight within a quarter."""
    layout = _laid_out(weights, Rect(0, 0, 400, 200), None)
    total = sum(weights)

    assert layout.more is None
    for tile, weight in zip(layout.tiles, sorted(weights, reverse=True), strict=True):
        assert 0.75 < tile.cells * total / (weight * 400 * 200) < 1.25


def test_known_layout() -> None:
    """The example of the paper, on cells as wide as high: two stand on the left, then two side by side."""
    layout = lay_out([6, 6, 4, 3, 2, 2, 1], Rect(0, 0, 120, 40), (1, 1))

    assert [Rect(0, 0, 60, 20), Rect(0, 20, 60, 20)] == list(layout.tiles[:2])
    assert (0, 0, 60) == (layout.tiles[2].y, layout.tiles[3].y, layout.tiles[2].x)
    assert layout.tiles[2].cells > layout.tiles[3].cells


def test_nothing_to_show() -> None:
    """Without weights there are no tiles; weights of nothing share one; an area that is too small is one."""
    area = Rect(0, 0, 40, 10)

    assert Layout((), None) == lay_out([], area, _LEAST)
    assert Layout((), area) == lay_out([0, 0], area, _LEAST)
    assert Layout((), Rect(0, 0, 5, 1)) == lay_out([9], Rect(0, 0, 5, 1), _LEAST)


def test_edges() -> None:
    """At the edge an arrow stays where it is; where no tile is, none is found."""
    rects = lay_out([1, 1], Rect(0, 0, 40, 10), _LEAST).all

    assert 0 == tile_beside(rects, 0, Direction.LEFT) == tile_beside(rects, 0, Direction.UP)
    assert 1 == tile_beside(rects, 0, Direction.RIGHT)
    assert None is tile_at(rects, 40, 0)
