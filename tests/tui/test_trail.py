"""Back and forward through places, and entries that are left out for now, without a terminal."""

from dataclasses import replace

from spacemap.analyze.categories import default_categories
from spacemap.tui.look import View
from spacemap.tui.place import Place
from spacemap.tui.session import Session
from spacemap.tui.trail import MOST
from tests.trees import Spec, snapshot_of, tree_of

SPEC: dict[str, Spec] = {
    "docs": {"a.txt": 9000, "deep": {"b.txt": 5000}},
    "music": {"song.mp3": 700},
    "big.iso": 20_000,
}


def _session(spec: dict[str, Spec] | None = None) -> Session:
    return Session(snapshot_of(tree_of(spec or SPEC)), default_categories())


def _entry(session: Session, path: str) -> int:
    return next(e for e in range(len(session.tree)) if session.tree.path(e) == b"/root/" + path.encode())


def _names(session: Session) -> list[str]:
    return [session.tree.name(int(entry)).decode() for entry in session.rows().entries]


def test_back_and_forward() -> None:
    """Each place that was left comes back with its cursor, and forward leads to where one was."""
    session = _session()
    session.go(Place(_entry(session, "docs/deep")))
    session.see(View.LARGEST)
    session.go(Place(_entry(session, "music"), View.TREEMAP))
    seen = []
    for steps in (-1, -1, -1, -1, 1, 1):
        moved = session.revisit(steps)
        seen.append((moved, session.path, session.place.view))

    deep = b"/root/docs/deep"
    assert [
        (True, deep, View.LARGEST),
        (True, deep, View.LIST),
        (True, b"/root", View.LIST),
        (False, b"/root", View.LIST),
        (True, deep, View.LIST),
        (True, deep, View.LARGEST),
    ] == seen


def test_the_cursor_comes_back() -> None:
    """A place is shown with the cursor on the entry it was left on."""
    session = _session()
    session.move_to(2)
    left = session.current
    session.go(Place(_entry(session, "docs")))
    session.revisit(-1)

    assert left == session.current


def test_going_elsewhere_forgets_what_came_after() -> None:
    """After going back, another way replaces the old one."""
    session = _session()
    session.go(Place(_entry(session, "docs")))
    session.revisit(-1)
    session.go(Place(_entry(session, "music")))

    assert not session.revisit(1)
    assert session.revisit(-1)
    assert b"/root" == session.path


def test_searching_is_no_place() -> None:
    """What is typed leaves no trail; what is opened from it does, and leads back to where the search began."""
    session = _session()
    for text in (b"s", b"so", b"son"):
        session.search(text, everywhere=True)
    session.open()

    assert b"/root/music" == session.path
    session.revisit(-1)
    assert (b"/root", View.LIST, b"") == (session.path, session.place.view, session.place.search)
    assert not session.revisit(-1)


def test_the_trail_outlives_the_tree() -> None:
    """After another tree came, places are found by their names; of what is gone, what is above it."""
    session = _session()
    session.go(Place(_entry(session, "docs/deep")))
    session.go(Place(_entry(session, "music"), View.AGES))
    session.go(Place(0))
    session.replace(snapshot_of(tree_of({"aaa": {"b": 1}, "docs": {"x": 1}, "music": {"song.mp3": 1}})))
    session.revisit(-1)

    assert (b"/root/music", View.AGES) == (session.path, session.place.view)
    session.revisit(-1)
    assert (b"/root/docs", View.LIST) == (session.path, session.place.view)


def test_a_file_in_the_place_of_a_directory() -> None:
    """Where a directory has become a file, the directory above is shown."""
    session = _session()
    session.go(Place(_entry(session, "docs")))
    session.go(Place(0))
    session.replace(snapshot_of(tree_of({"docs": 5})))
    session.revisit(-1)

    assert b"/root" == session.path


def test_the_trail_has_an_end() -> None:
    """Only so many places are remembered, the last ones."""
    session = _session()
    directories = [_entry(session, "docs"), _entry(session, "music")]
    for number in range(MOST + 10):
        session.go(Place(directories[number % 2]))
    steps = 0
    while session.revisit(-1):
        steps += 1

    assert MOST - 1 == steps


def test_the_treemap_keeps_cursor_and_view() -> None:
    """List and tiles show the same rows with the same cursor; opening and going back stay among tiles."""
    session = _session()
    session.move_to(1)
    session.see_next()

    assert (View.TREEMAP, b"docs") == (session.place.view, session.tree.name(session.current))
    session.open()
    assert (b"/root/docs", View.TREEMAP, ["a.txt", "deep"]) == (session.path, session.place.view, _names(session))
    session.back()
    assert (b"/root", View.TREEMAP, b"docs") == (session.path, session.place.view, session.tree.name(session.current))
    assert not session.back()
    session.see(View.LIST)
    assert (View.LIST, b"docs") == (session.place.view, session.tree.name(session.current))


def test_the_row_that_leads_up_is_no_tile() -> None:
    """Below the root, the list has one row more than the treemap."""
    session = _session()
    session.go(Place(_entry(session, "docs")))
    rows = session.rows()
    session.see(View.TREEMAP)

    assert (True, False) == (rows.has_parent, session.rows().has_parent)
    assert rows.entries.tolist() == session.rows().entries.tolist()
    session.see(View.LIST)
    assert session.rows().has_parent


def test_searching_among_tiles() -> None:
    """A search in this directory leaves tiles out, and leaving it keeps the view."""
    session = _session()
    session.see(View.TREEMAP)
    session.search(b"mus", everywhere=False)

    assert (View.TREEMAP, ["music"]) == (session.place.view, _names(session))
    session.back()
    assert (View.TREEMAP, 3) == (session.place.view, len(session.rows()))


def test_ignored_entries_are_left_out() -> None:
    """What is ignored is in no list below or above it; how many there are is told, and sums stay."""
    session = _session()
    session.move_to(1)
    whole = session.whole()
    session.ignore()

    assert (["big.iso", "music"], 1, whole) == (_names(session), session.left_out(), session.whole())
    assert b"music" == session.tree.name(session.current)
    session.see(View.LARGEST)
    assert (["big.iso", "song.mp3"], 2) == (_names(session), session.left_out())


def test_ignored_entries_can_be_shown() -> None:
    """Shown again for a look, an ignored entry can be taken back."""
    session = _session()
    session.move_to(1)
    session.ignore()
    session.change(replace(session.look, shows_ignored=True))

    assert (["big.iso", "docs", "music"], 0) == (_names(session), session.left_out())
    docs = _entry(session, "docs")
    assert session.ignored.holds(session.tree, docs)
    session.move_to(1)
    session.ignore()
    assert not session.ignored.holds(session.tree, docs)


def test_ignored_entries_outlive_the_tree() -> None:
    """In another tree the same names are ignored, whatever their ids, and what is not there does no harm."""
    session = _session()
    session.ignore()
    session.replace(snapshot_of(tree_of(SPEC | {"aaa": 1})))

    assert "big.iso" not in _names(session)
    session.replace(snapshot_of(tree_of({"docs": {"a.txt": 1}})))
    assert (["docs"], 0) == (_names(session), session.left_out())


def test_only_entries_can_be_ignored() -> None:
    """The row that leads up and a bucket are no entries."""
    session = _session()
    session.go(Place(_entry(session, "docs")))

    assert not session.ignore()
    session.see(View.TYPES)
    assert not session.ignore()
