"""Tiles of a session, and what is painted of them, without a terminal."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacemap.analyze.by import By
from spacemap.analyze.categories import default_categories
from spacemap.analyze.query import parse_query
from spacemap.render.text import cell_width
from spacemap.tree.columns import Kind
from spacemap.tree.measure import Measure
from spacemap.tui.canvas import paint
from spacemap.tui.cells import Writing
from spacemap.tui.legend import color_pieces, current_pieces
from spacemap.tui.look import Look, View
from spacemap.tui.marks import Marks
from spacemap.tui.place import Place
from spacemap.tui.session import Session
from spacemap.tui.tiles import largest_positions, make_mosaic
from tests.trees import Folder, Leaf, Name, Spec, snapshot_of, tree_of
from tests.tui.browsing import INVISIBLE

SPEC: dict[Name, Spec] = {
    "films": {"a.mp4": 900_000, "b.mp4": 300_000, "small.txt": 10_000},
    "song.mp3": Leaf(400_000, mtime=1_600_000_000),
    ".hidden": 200_000,
    "nothing": Leaf(0, disk=0),
    **{f"crumb{number}": 512 for number in range(30)},
}


def _session(spec: dict[Name, Spec] | None = None, **look: object) -> Session:
    session = Session(snapshot_of(tree_of(spec or SPEC)), default_categories(), Look(**look))
    session.see(View.TREEMAP)
    return session


def _lines(session: Session, size: tuple[int, int], encoding: str = "utf-8", cursor: int | None = 0) -> list[str]:
    mosaic = make_mosaic(session, *size)
    lines = paint(session.marks, mosaic, size, cursor, Writing(encoding=encoding))
    return ["".join(piece.text for piece in line) for line in lines]


def test_tiles_are_the_rows() -> None:
    """The largest rows have tiles, whatever the order of the rows; all others are counted in one."""
    for look in ({}, {"is_reversed": True}, {"measure": Measure.APPARENT}):
        session = _session(**look)
        mosaic = make_mosaic(session, 80, 20)
        names = [session.tree.name(tile.entry) for tile in mosaic.tiles]

        assert [b"films", b"song.mp3", b".hidden"] == names
        assert len(session.rows()) - 3 == mosaic.others
        assert session.whole() == sum(tile.size for tile in mosaic.tiles) + mosaic.others_size


def test_what_is_not_listed_has_no_tile() -> None:
    """Hidden and ignored rows leave their room to the others."""
    session = _session(shows_hidden=False)
    session.move_to(1)
    session.ignore()
    mosaic = make_mosaic(session, 80, 20)

    assert [b"films"] == [session.tree.name(tile.entry) for tile in mosaic.tiles]


def test_directories_show_what_is_in_them() -> None:
    """Where there is room, a directory's tile holds tiles of its entries, inside of it."""
    session = _session()
    films = make_mosaic(session, 80, 20).tiles[0]

    assert films.inner is not None
    assert [b"a.mp4", b"b.mp4"] == [session.tree.name(tile.entry) for tile in films.inner.tiles]
    assert all(films.rect.holds(tile.rect.x, tile.rect.y) for tile in films.inner.tiles)
    assert None is make_mosaic(session, 20, 4).tiles[0].inner


def test_colours_by_type_and_by_age() -> None:
    """A tile has the colour of what most of it is: its category, or how long ago it was modified."""
    session = _session()

    assert ["Videos", "Audio"] == [tile.label for tile in make_mosaic(session, 80, 20).tiles[:2]]
    session.change(Look(tiles=By.AGE))
    assert "2 years to 5 years" == make_mosaic(session, 80, 20).tiles[1].label


@pytest.mark.parametrize(("encoding", "letters"), [("utf-8", "✓·+"), ("ascii", "x-+")])
def test_marks_are_letters(encoding: str, letters: str) -> None:
    """What is marked, lies below it or holds it has a letter before its name, as in the list."""
    session, (marked, below, above) = _session(), letters
    tree = session.tree

    def named(directory: int, name: bytes) -> int:
        return next(entry for entry in tree.children(directory) if tree.name(entry) == name)

    def painted(*entries: int) -> str:
        session.mark(Marks(tree, np.array(sorted(entries), np.int64)))
        return "\n".join(_lines(session, (160, 60), encoding, cursor=1))

    films = named(0, b"films")
    assert f" {marked} " not in painted()
    whole = painted(films)
    assert f"{marked} /films" in whole
    assert f"{below} a.mp4" in whole
    part = painted(named(films, b"a.mp4"), named(0, b"song.mp3"))
    assert f"{above} /films" in part
    assert f"{marked} a.mp4" in part
    assert f"{marked} song.mp3" in part
    assert re.search(rf"{re.escape(above)} \+?31", painted(named(0, b"crumb7")))
    assert not re.search(rf"{re.escape(above)} \+?31", part)


def test_colours_under_a_filter() -> None:
    """A directory whose matching bytes are none has the colour of what matches in it, or that of directories."""
    spec: dict[Name, Spec] = {"a": {"x.mp4": Leaf(0, disk=0), "y.txt": 500}, "b": {"c": {}}, "d": {"z.log": 7}}
    session = _session(spec)
    partition = session.partition(By.TYPE)
    assert "Directories themselves" == partition.main_kind(Measure.DISK, session.rows().entries[-1])[0]
    session.filter(parse_query("name:x.mp4 | name:c"))
    kinds = [
        session.partition(By.TYPE).main_kind(Measure.DISK, entry)[0]
        for entry in sorted(session.rows().entries.tolist())
    ]

    assert ["Videos", "Directories themselves"] == kinds


def test_cursor_and_tiles() -> None:
    """Each entry is in its tile or in that of the others, which stands for the largest of them."""
    session = _session()
    mosaic = make_mosaic(session, 80, 20)
    entries = session.rows().entries.tolist()

    assert [0, 1, 2, *[3] * (len(entries) - 3)] == [mosaic.index_of(entry) for entry in entries]
    assert (entries[0], entries[3]) == (mosaic.entry_at(0), mosaic.entry_at(3))
    assert None is make_mosaic(_session({"a": {}}), 0, 0).index_of(1)


def test_where_nothing_takes_space() -> None:
    """Entries without bytes share one tile."""
    session = _session({"a": Leaf(0, disk=0), "b": {}})
    mosaic = make_mosaic(session, 40, 6)

    assert ((), 2, 0) == (mosaic.tiles, mosaic.others, mosaic.others_size)
    assert "2 more" in "".join(_lines(session, (40, 6)))


@given(st.lists(st.integers(0, 2**64 - 1), max_size=50), st.integers(1, 60))
def test_largest_positions(amounts: list[int], count: int) -> None:
    """The largest come first, equal ones in their order, as a full sort has them."""
    found = largest_positions(np.array(amounts, np.uint64), count).tolist()
    by_size = sorted(amounts, reverse=True)[:count]

    assert by_size == [amounts[at] for at in found]
    assert all(a < b for a, b in zip(found, found[1:], strict=False) if amounts[a] == amounts[b])


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("size", [(200, 60), (80, 24), (40, 6), (9, 3), (3, 1), (1, 1)], ids=str)
def test_every_line_fills_its_cells(size: tuple[int, int], encoding: str) -> None:
    """Wide, combining and hostile names fill their cells, no more and no less, with every tile under the cursor."""
    names = [b"\xe6\xbc\xa2" * 60, b"e\xcc\x81" * 40, b"\x1b[31m\xff", "\u202eevil[bold]".encode(), b"plain"]
    inner: dict[Name, Spec] = {name: 40_000 * number + 512 for number, name in enumerate(names)}
    session = _session({**inner, "dir": inner, b"\xe6\xbc\xa2dir": inner})
    for cursor in (None, *range(len(make_mosaic(session, *size).rects))):
        lines = _lines(session, size, encoding, cursor)

        assert [size[0]] * size[1] == [cell_width(line) for line in lines]
        assert [] == INVISIBLE.findall("\n".join(lines))
        assert encoding == "utf-8" or all(line.isascii() for line in lines)


@pytest.mark.parametrize(("encoding", "corners"), [("utf-8", "┏┓┗┛"), ("ascii", "####")])
def test_the_cursor_is_a_frame(encoding: str, corners: str) -> None:
    """The tile under the cursor has a frame: it does not take colours to see it."""
    session = _session()
    mosaic = make_mosaic(session, 80, 20)
    for index, rect in enumerate(mosaic.rects[:3]):
        lines = _lines(session, (80, 20), encoding, index)
        right, bottom = rect.x + rect.width - 1, rect.y + rect.height - 1
        found = lines[rect.y][rect.x] + lines[rect.y][right] + lines[bottom][rect.x] + lines[bottom][right]

        assert corners == found


def test_labels() -> None:
    """A tile says its name, its size and, where there is room, what its colour means."""
    text = "\n".join(_lines(_session(), (100, 30)))

    assert all(part in text for part in ("/films", "song.mp3", "391.0 KiB", "Audio", "Videos", "+31"))


def test_the_line_above() -> None:
    """Above the tiles stand the entry under the cursor and what colours mean, each in its room."""
    session = _session()
    session.move_to(1)
    writing = Writing()
    mosaic = make_mosaic(session, 80, 20)
    for width in range(12, 120):
        current = "".join(piece.text for piece in current_pieces(session, width, writing))
        colors = "".join(piece.text for piece in color_pieces(mosaic, "by type", width, writing))

        assert cell_width(colors) <= max(width, len("by type "))
        assert width < 30 or cell_width(current) <= width
    assert " song.mp3  391.0 KiB  21.9%  Audio" == current
    assert "■ Videos" in colors


def test_small_files_and_links_are_told() -> None:
    """An aggregate says how many files it is, and marks of lists stand before names."""
    spec: dict[Name, Spec] = {
        "": Leaf(90_000, folded_files=1234),
        "sock": Leaf(50_000, kind=Kind.OTHER),
        "d": Folder({}, disk=51_200),
    }
    text = "\n".join(_lines(_session(spec), (80, 12), cursor=None))

    assert "(1,234 small files)" in text
    assert "@ sock" in text
    assert "/d" in text


def test_several_roots() -> None:
    """Roots are tiles that are called by their paths."""
    snapshot = snapshot_of(tree_of({"/a": {"x": 5000}, "/b": {"y": 900}}, root=""), "/a", "/b")
    session = Session(snapshot, default_categories())
    session.go(Place(0, View.TREEMAP))

    assert "/a" in "".join(_lines(session, (40, 6)))
    assert "//a" not in "".join(_lines(session, (40, 6)))
