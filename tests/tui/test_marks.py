"""Marks: what is marked by which key, what stays marked in another tree, and how the basket lists it."""

import weakref
from collections.abc import Callable

import numpy as np
import pytest

from spacemap.analyze.categories import default_categories
from spacemap.tree.reclaim import Reclaim
from spacemap.tui.cells import Writing, row_pieces
from spacemap.tui.look import Look, Sort, View
from spacemap.tui.marking import clear_marks, extend_marks, mark_all, mark_others, switch_mark
from spacemap.tui.marks import Mark, Marks
from spacemap.tui.place import Place
from spacemap.tui.session import Session
from spacemap.tui.summary import totals_and_marks
from tests.trees import Leaf, Spec, snapshot_of, tree_of

SPEC: dict[str, Spec] = {
    "a": {"deep": {"x": 9000, "y": 100}, "z": 3000},
    "b": 5000,
    "c": 4000,
    "d": 2000,
    ".e": 1000,
}


def _session(spec: dict[str, Spec] | None = None, **look: object) -> Session:
    return Session(snapshot_of(tree_of(spec or SPEC)), default_categories(), Look(**({"sort": Sort.NAME} | look)))


def _marked(session: Session) -> list[str]:
    return [session.tree.path(entry).decode().removeprefix("/root/") for entry in session.marks.entries.tolist()]


def _entry(session: Session, path: str) -> int:
    return next(e for e in range(len(session.tree)) if session.tree.path(e) == b"/root/" + path.encode())


def _mark(session: Session, *paths: str) -> None:
    session.mark(Marks(session.tree, np.array(sorted(_entry(session, path) for path in paths))))


def test_switching_moves_down() -> None:
    """A row is marked and the next one is under the cursor; marked once more it no longer is."""
    session = _session()
    switch_mark(session)
    switch_mark(session)

    assert ([".e", "a"], 2) == (_marked(session), session.cursor)
    session.move_to(0)
    switch_mark(session)
    assert ["a"] == _marked(session)


def test_the_row_that_leads_up_is_not_marked() -> None:
    """The row of the directory above is passed, alone and in a range."""
    session = _session()
    session.go(Place(_entry(session, "a")))
    switch_mark(session)

    assert ([], 1) == (_marked(session), session.cursor)
    session.move_to(0)
    extend_marks(session, 1)
    assert ["a/deep"] == _marked(session)


def test_a_range_grows_and_shrinks() -> None:
    """Rows from the first to the cursor are marked; on the way back they are as they were before."""
    session = _session()
    _mark(session, "c")
    session.move_to(1)
    seen = []
    for rows in (1, 1, 1, -1, -1, -1, -1):
        extend_marks(session, rows)
        seen.append("".join(_marked(session)))

    assert ["abc", "abc", "abcd", "abc", "abc", "ac", ".eac"] == seen


@pytest.mark.parametrize(
    ("between", "expected"),
    [(clear_marks, "bc"), (switch_mark, "acd"), (lambda session: session.move_to(3), "abcd")],
    ids=["cleared", "switched", "moved"],
)
def test_a_range_ends_with_whatever_else_is_done(between: Callable[[Session], None], expected: str) -> None:
    """After anything else, extending begins anew where the cursor is, and what is marked stays."""
    session = _session()
    session.move_to(1)
    extend_marks(session, 1)
    between(session)
    extend_marks(session, 1)

    assert expected == "".join(_marked(session))


def test_all_and_others() -> None:
    """All rows are marked, or those that are not; what is marked elsewhere stays."""
    session = _session()
    _mark(session, "a/z", "b")
    mark_others(session)

    assert [".e", "a", "c", "d", "a/z"] == _marked(session)
    mark_all(session)
    assert [".e", "a", "b", "c", "d", "a/z"] == _marked(session)
    session.search(b"b", everywhere=False)
    mark_others(session)
    assert [".e", "a", "c", "d", "a/z"] == _marked(session)
    clear_marks(session)
    assert [] == _marked(session)


def test_roots_and_folded_files_are_not_marked() -> None:
    """What cannot be removed by itself is never marked: a directory that was scanned, small files in one row."""
    roots = Session(snapshot_of(tree_of({"/a": {"x": 1}, "/b": {}}, root=""), "/a", "/b"), default_categories())
    mark_all(roots)
    folded = _session({"a": 1, "": Leaf(10, folded_files=3)})
    mark_all(folded)

    assert [] == _marked(roots)
    assert ["a"] == _marked(folded)
    assert 0 == len(Marks(folded.tree, np.array([0])))


def test_marks_are_kept_by_path() -> None:
    """In another tree what was marked is marked, whatever its id; what is gone is not."""
    session = _session()
    _mark(session, "a/deep", "a/deep/x", "b", "c")
    session.replace(snapshot_of(tree_of({"0": {"new": 1}, "a": {"deep": {"x": 1}}, "c": {"was a file": 1}})))

    assert ["c", "a/deep", "a/deep/x"] == _marked(session)
    session.replace(snapshot_of(tree_of({})))
    assert [] == _marked(session)


def test_a_replaced_tree_is_let_go() -> None:
    """Nothing about marks keeps a tree that was replaced."""
    session = _session()
    extend_marks(session, 1)
    before = weakref.ref(session.marks)
    session.replace(snapshot_of(tree_of(SPEC)))

    assert None is before()
    assert 2 == len(session.marks)


def test_how_entries_have_to_do_with_marks() -> None:
    """A marked entry, what is below it, what holds it, and everything else are told apart."""
    session = _session()
    _mark(session, "a/deep")
    of = {path: session.marks.of(_entry(session, path)) for path in ("a", "a/deep", "a/deep/x", "a/z", "b")}

    assert {"a": Mark.ABOVE, "a/deep": Mark.MARKED, "a/deep/x": Mark.BELOW, "a/z": Mark.NONE, "b": Mark.NONE} == of
    assert Mark.NONE is Marks(session.tree).of(1)


@pytest.mark.parametrize(("encoding", "signs"), [("utf-8", " ✓· +"), ("ascii", " x- +")])
def test_a_mark_is_a_character(encoding: str, signs: str) -> None:
    """Rows show their marks by a character behind the flag, in any encoding."""
    session = _session()
    _mark(session, "a/deep", "b")
    writing = Writing(encoding=encoding)
    shown = []
    for path, place in ((".e", ""), ("b", ""), ("a/deep/x", "a/deep"), ("a/z", "a"), ("a", "")):
        session.go(Place(_entry(session, place) if place else 0))
        row = session.rows().row_of(_entry(session, path))
        shown.append("".join(piece.text for piece in row_pieces(session, row, 80, writing))[1])

    assert list(signs) == shown


def test_nested_marks_count_once() -> None:
    """A mark below another changes no sum."""
    session = _session()
    _mark(session, "a", "a/deep", "a/deep/x", "b")

    assert Reclaim(6, 9216 + 512 + 3072 + 5120, 0) == session.marks.sum


def test_the_basket() -> None:
    """It lists what is marked wherever it is, hidden or not, in the order of the look; what is taken out is gone."""
    session = _session(sort=Sort.SIZE, shows_hidden=False)
    _mark(session, ".e", "a/deep/x", "c")
    session.see(View.MARKED)
    names = [session.tree.name(entry) for entry in session.rows().entries.tolist()]

    assert [b"x", b"c", b".e"] == names
    session.move_to(1)
    switch_mark(session)
    assert (["a/deep/x"], 1) == ([path for path in _marked(session) if path != ".e"], session.cursor)
    extend_marks(session, -1)
    assert (2, 0) == (len(session.marks), session.cursor)
    session.open()
    assert (b"/root/a/deep", b"x") == (session.path, session.tree.name(session.current))


def test_the_basket_shows_what_comes_free() -> None:
    """Each row has its size and what removing it alone would free; the line above has the sum of all."""
    linked = Leaf(5000, inode=7)
    session = _session({"a": {"x": linked}, "b": {"y": linked}, "c": 2000})
    _mark(session, "a/x", "b/y")
    session.see(View.MARKED)
    row = "".join(piece.text for piece in row_pieces(session, 0, 80, Writing()))
    left, right = totals_and_marks(session, 80, Writing())

    assert ["5.0", "KiB", "0", "B"] == row[2:].split()[:4]
    assert "2 marks  5.0 KiB come free of 5.0 KiB in 2 entries" == "".join(piece.text for piece in left)
    assert [] == right


@pytest.mark.parametrize(("width", "expected"), [(80, True), (40, False)])
def test_marks_are_told_before_anything_else(width: int, expected: bool) -> None:
    """How much is marked is on the screen in any width; what gives way is how much is here."""
    session = _session()
    _mark(session, "b", "c")
    left, right = totals_and_marks(session, width, Writing())
    texts = ["".join(piece.text for piece in pieces) for pieces in (left, right)]

    assert "2 marked frees 9.0 KiB " == texts[1]
    assert expected == ("items" in texts[0])
    assert len(texts[0]) + len(texts[1]) < width
