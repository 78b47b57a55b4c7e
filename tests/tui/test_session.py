"""The session: places, rows, order and cursor, without a terminal."""

from dataclasses import replace

import pytest

from spacemap.analyze.categories import default_categories
from spacemap.tree.columns import Flag, Kind, Operation, Skip
from spacemap.tree.measure import Measure
from spacemap.tui.look import Look, Sort, View
from spacemap.tui.place import Place
from spacemap.tui.session import Session
from tests.trees import Folder, Leaf, Spec, snapshot_of, tree_of

SPEC: dict[str, Spec] = {
    "docs": {"a.txt": Leaf(700, mtime=50), "b.pdf": Leaf(9000, mtime=10), "deep": {"c.txt": Leaf(100, mtime=99)}},
    "music": Folder({"song.mp3": Leaf(5000, mtime=20)}, mtime=5),
    ".hidden": Leaf(3000, mtime=70),
    "big.iso": Leaf(20000, disk=512, mtime=40),
    "secret": Folder({}, skip=Skip.UNREADABLE, problem=(Operation.OPEN, 13)),
    "left out": Folder({}, skip=Skip.EXCLUDED),
    "tie1": 100,
    "tie2": 100,
}


def _session(spec: dict[str, Spec] | None = None, **look: object) -> Session:
    return Session(snapshot_of(tree_of(spec or SPEC)), default_categories(), Look(**look))


def _names(session: Session) -> list[str]:
    rows = session.rows()
    above = [".."] if rows.has_parent else []
    return above + [session.tree.name(int(entry)).decode() for entry in rows.entries]


def _entry(session: Session, path: str) -> int:
    return next(e for e in range(len(session.tree)) if session.tree.path(e) == b"/root/" + path.encode())


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        ({}, "docs,music,.hidden,big.iso,tie1,tie2,left out,secret"),
        ({"is_reversed": True}, "left out,secret,big.iso,tie1,tie2,.hidden,music,docs"),
        ({"measure": Measure.APPARENT}, "big.iso,docs,music,.hidden,tie1,tie2,left out,secret"),
        ({"sort": Sort.NAME}, ".hidden,big.iso,docs,left out,music,secret,tie1,tie2"),
        ({"sort": Sort.NAME, "is_reversed": True}, "tie2,tie1,secret,music,left out,docs,big.iso,.hidden"),
        ({"sort": Sort.ITEMS}, "docs,.hidden,big.iso,music,tie1,tie2,left out,secret"),
        ({"sort": Sort.MTIME}, "docs,.hidden,big.iso,music,left out,secret,tie1,tie2"),
        ({"directories_first": True}, "docs,music,left out,secret,.hidden,big.iso,tie1,tie2"),
        ({"shows_hidden": False}, "docs,music,big.iso,tie1,tie2,secret"),
    ],
    ids=str,
)
def test_order(look: dict[str, object], expected: str) -> None:
    """Rows come in the order of the look, equal ones by name."""
    assert expected.split(",") == _names(_session(**look))


def test_order_of_numbers_that_cannot_be_packed() -> None:
    """Sizes near the largest that there are sort as all others do."""
    spec: dict[str, Spec] = {
        "a": Leaf(2**62, disk=0),
        "b": Leaf(2**63 - 1, disk=0),
        "c": {"d": Leaf(1, disk=0)},
        "e": 1,
    }
    look = {"measure": Measure.APPARENT, "directories_first": True}

    assert ["c", "b", "a", "e"] == _names(_session(spec, **look))


def test_hidden_rows_are_counted() -> None:
    """What is not shown is told of."""
    session = _session(shows_hidden=False)

    assert 2 == session.hidden()
    session.change(replace(session.look, shows_hidden=True))
    assert 0 == session.hidden()


def test_open_and_back() -> None:
    """Opening goes down, the first row and `back` go up, and the cursor is on where one came from."""
    session = _session()
    session.open()

    assert (b"/root/docs", ["..", "b.pdf", "a.txt", "deep"]) == (session.path, _names(session))
    session.move_to(3)
    session.open()
    assert b"/root/docs/deep" == session.path
    session.open()
    assert (b"/root/docs", 3) == (session.path, session.cursor)
    assert session.back()
    assert (b"/root", _entry(session, "docs")) == (session.path, session.current)
    assert not session.back()


def test_files_do_not_open() -> None:
    """A file leads nowhere in the list of its directory."""
    session = _session()
    session.move_to(3)

    assert not session.open()
    assert b"/root" == session.path


def test_cursor_stays_on_its_entry() -> None:
    """Another order moves the rows, not what the cursor is on; before anybody moved it, it stays on top."""
    session = _session()
    session.sort_by(Sort.NAME)

    assert 0 == session.cursor
    session.move_to(3)
    left_out = session.current
    session.sort_by(Sort.SIZE)
    assert (left_out, 6) == (session.current, session.cursor)


def test_sorting_again_reverses() -> None:
    """The same key twice is the other direction, a third time the first one again."""
    session = _session()
    seen = []
    for _ in range(3):
        session.sort_by(Sort.NAME)
        seen.append(_names(session)[0])

    assert [".hidden", "tie2", ".hidden"] == seen


def test_cursor_never_leaves_the_rows() -> None:
    """However far it is moved, the cursor is on a row; without rows it is 0."""
    session = _session()
    positions = []
    for row in (-5, 999, 2):
        session.move_to(row)
        positions.append(session.cursor)

    assert [0, 7, 2] == positions
    empty = Session(snapshot_of(tree_of({})), default_categories())
    empty.move_to(5)
    assert (0, None, False) == (empty.cursor, empty.current, empty.open())


def test_replaced_tree_keeps_place_and_cursor_by_path() -> None:
    """Ids shift when entries are added; the directory and the entry under the cursor stay."""
    session = _session()
    session.open()
    session.move_to(2)
    session.replace(snapshot_of(tree_of(SPEC | {"aaa": {"x": 1}, "big.iso": Leaf(1)})))

    assert (b"/root/docs", _entry(session, "docs/a.txt")) == (session.path, session.current)


def test_replaced_tree_without_the_place() -> None:
    """When the directory is gone, or is a file now, the nearest one above it is shown."""
    session = _session()
    session.go(Place(_entry(session, "docs/deep")))
    session.replace(snapshot_of(tree_of({"docs": {"other": 1}})))

    assert b"/root/docs" == session.path
    session.replace(snapshot_of(tree_of({"docs": 5})))
    assert (b"/root", ["docs"]) == (session.path, _names(session))


def test_replaced_tree_without_the_entry() -> None:
    """When the entry under the cursor is gone, the cursor stays about where it was."""
    session = _session()
    session.move_to(7)
    session.replace(snapshot_of(tree_of({"one": 1, "two": 2})))

    assert 1 == session.cursor


def test_cursor_on_top_stays_on_top_while_rows_grow() -> None:
    """A cursor that nobody moved shows the largest row of a growing tree."""
    session = _session({"a": 1000, "b": 10})
    session.replace(snapshot_of(tree_of({"a": 1000, "b": 50000})))

    assert (0, b"b") == (session.cursor, session.tree.name(session.current))


def test_largest_files_of_the_subtree() -> None:
    """The view of the largest files is flat and of everything below; opening a row shows it in its directory."""
    session = _session()
    session.go(Place(_entry(session, "docs"), View.LARGEST))

    assert ["b.pdf", "a.txt", "c.txt"] == _names(session)
    session.move_to(2)
    session.open()
    assert (b"/root/docs/deep", _entry(session, "docs/deep/c.txt")) == (session.path, session.current)


def test_largest_files_count_links_within_the_subtree() -> None:
    """A link whose inode is counted elsewhere is among the largest of its own directory."""
    session = _session({"a": {"x": Leaf(9000, inode=5)}, "b": {"y": Leaf(9000, inode=5)}})
    session.go(Place(_entry(session, "b"), View.LARGEST))

    assert ["y"] == _names(session)


def test_buckets_open_to_their_entries() -> None:
    """By type, a row is a category; opening it lists its entries, and `back` returns to it."""
    session = _session()
    session.see(View.TYPES)
    buckets = session.rows().buckets

    assert sum(bucket.bytes for bucket in buckets) == session.whole()
    keys = [bucket.key for bucket in buckets]
    session.move_to(keys.index("audio"))
    session.open()
    assert (["song.mp3"], "Audio") == (_names(session), session.bucket_label())
    session.back()
    assert keys.index("audio") == session.cursor
    session.back()
    assert View.LIST is session.place.view


def test_buckets_of_a_subtree_add_up() -> None:
    """In every directory, categories and ages add up to its total, with hard links across directories, too."""
    spec: dict[str, Spec] = SPEC | {"a": {"x.py": Leaf(9000, inode=5)}, "b": {"y.py": Leaf(9000, inode=5), "z": 3}}
    session = _session(spec)
    for directory in session.tree.directories.entry.tolist():
        for view in (View.TYPES, View.AGES, View.OWNERS):
            for measure in Measure:
                session.go(Place(directory, view))
                session.change(replace(session.look, measure=measure))

                assert session.whole() == sum(bucket.bytes for bucket in session.rows().buckets)


def test_buckets_in_order() -> None:
    """Categories follow the sort key; ages stay from new to old when it is the size."""
    session = _session(sort=Sort.NAME)
    session.see(View.TYPES)
    labels = [bucket.label for bucket in session.rows().buckets]

    assert sorted(labels) == labels
    session.change(replace(session.look, sort=Sort.ITEMS))
    counts = [bucket.file_count for bucket in session.rows().buckets]
    assert sorted(counts, reverse=True) == counts
    session.change(replace(session.look, sort=Sort.SIZE))
    session.see(View.AGES)
    assert "Under 1 day" == session.rows().buckets[0].label


def test_by_owner() -> None:
    """Owners come by falling bytes, each opens its files and no directory, and going back finds the owner again."""
    spec: dict[str, Spec] = {
        "a": Folder({"x": Leaf(9000, owner=1000), "y": Leaf(500, owner=1000)}, disk=4096, owner=1000),
        "z": Leaf(100, owner=4_000_000_000),
    }
    session = _session(spec)
    session.see(View.OWNERS)
    buckets = session.rows().buckets

    # The snapshot is of another host, whose names are not known here.
    assert [("1000", 9216 + 512 + 4096, 2), ("4000000000", 512, 1)] == [
        (bucket.label, bucket.bytes, bucket.file_count) for bucket in buckets if bucket.bytes
    ]
    session.move_to(1)
    session.open()
    assert (["z"], "4000000000") == (_names(session), session.bucket_label())
    session.back()
    assert 1 == session.cursor
    session.move_to(0)
    session.open()
    assert ["x", "y"] == _names(session)
    session.open()
    assert (View.LIST, "x") == (session.place.view, session.tree.name(session.current).decode())


def test_problems_by_reason() -> None:
    """Each reason is a row with how many there are, which opens to them; hidden ones are not left out."""
    spec: dict[str, Spec] = {
        "a": Folder({}, problem=(Operation.OPEN, 13)),
        ".b": Leaf(9000, problem=(Operation.STAT, 5)),
        "c": Folder({}, problem=(Operation.OPEN, 13)),
    }
    session = _session(spec, shows_hidden=False)
    session.see(View.PROBLEMS)

    counts = [(bucket.label.partition(":")[0], bucket.file_count) for bucket in session.rows().buckets]
    assert [("cannot be opened", 2), ("cannot be measured", 1)] == counts
    session.open()
    assert ["a", "c"] == _names(session)
    session.back()
    session.move_to(1)
    session.open()
    assert ([".b"], "cannot be measured: Input/output error (EIO)") == (_names(session), session.bucket_label())
    session.back()
    assert 1 == session.cursor
    session.back()
    assert View.LIST is session.place.view


def test_views_follow_one_another() -> None:
    """`see_next` comes back to the list; from a view outside the cycle it does, too."""
    session = _session()
    seen = []
    for _ in range(6):
        session.see_next()
        seen.append(session.place.view)

    assert [View.TREEMAP, View.LARGEST, View.TYPES, View.AGES, View.OWNERS, View.LIST] == seen
    session.see(View.PROBLEMS)
    session.see_next()
    assert View.LIST is session.place.view


def test_search_here_and_everywhere() -> None:
    """A search leaves rows out, or lists what it finds anywhere; leaving it keeps the directory."""
    session = _session()
    session.search(b"c", everywhere=False)

    assert ["docs", "music", "secret"] == _names(session)
    session.search(b".TXT", everywhere=True)
    assert [] == _names(session)
    session.search(b".txt", everywhere=True)
    assert ["a.txt", "c.txt"] == _names(session)
    session.move_to(1)
    session.open()
    assert (b"/root/docs/deep", b"c.txt") == (session.path, session.tree.name(session.current))
    session.search(b"nothing like it", everywhere=False)
    assert 0 == len(session.rows())
    session.back()
    assert (b"/root/docs/deep", b"") == (session.path, session.place.search)


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("look", [{}, {"sort": Sort.NAME}, {"shows_hidden": False, "is_reversed": True}], ids=str)
def test_a_longer_search_shows_what_it_alone_would(look: dict[str, object], *, everywhere: bool) -> None:
    """Typed letter by letter, or at once: rows, their order, and what is left out are the same; so they are after the
    order changed in between, and after the text became another."""
    typed = _session(**look)
    for text in (b"e", b"i", b"ie", b"i", b"id", b"idd", b".", b"t", b"ti", b"tie", b"tie1", b"tie"):
        at_once = _session(**look)
        at_once.search(text, everywhere=everywhere)
        typed.search(text, everywhere=everywhere)

        assert (_names(at_once), at_once.hidden()) == (_names(typed), typed.hidden())
        assert at_once.largest() == typed.largest()
        if text == b"ti":
            typed.sort_by(Sort.MTIME)
            look = {**look, "sort": typed.look.sort, "is_reversed": False, "shows_mtime": True}


def test_showing_a_hidden_entry_shows_hidden_ones() -> None:
    """What a flat view leads to is never invisible where it leads."""
    session = _session()
    session.see(View.LARGEST)
    session.move_to(_names(session).index(".hidden"))
    session.look = replace(session.look, shows_hidden=False)
    session.open()

    assert b".hidden" == session.tree.name(session.current)


def test_several_roots() -> None:
    """Several roots are the rows of a place without a path."""
    session = Session(snapshot_of(tree_of({"/a": {"x": 1}, "/b": {}}, root=""), "/a", "/b"), default_categories())

    assert (b"", ["/a", "/b"]) == (session.path, _names(session))
    session.open()
    assert (b"/a", ["..", "x"]) == (session.path, _names(session))


def test_largest_row() -> None:
    """Bars are drawn beside the largest row, whatever the order."""
    session = _session({"a": 5000, "b": Leaf(100, kind=Kind.SYMLINK, flags=Flag(0))}, sort=Sort.NAME)

    assert 5120 == session.largest()
    empty = _session({"empty": {}})
    assert 0 == empty.largest()
