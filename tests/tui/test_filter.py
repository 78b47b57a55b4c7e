"""The filter of the browser: in the session, and typed."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from spacemap.analyze.categories import default_categories
from spacemap.analyze.query import parse_query
from spacemap.errors import UsageError
from spacemap.scan import ScanOptions
from spacemap.tree.columns import Operation, Skip
from spacemap.tree.measure import Measure
from spacemap.tui.app import Browser
from spacemap.tui.cells import Writing, row_pieces
from spacemap.tui.jobs import Jobs
from spacemap.tui.look import Look, View
from spacemap.tui.opening import Live
from spacemap.tui.place import Place
from spacemap.tui.session import Session
from spacemap.tui.summary import total_pieces
from spacemap.tui.widgets.search import FilterLine, SearchLine, TypedLine
from tests.store.samples import before_owners
from tests.trees import Folder, Leaf, Spec, snapshot_of, tree_of
from tests.tui.browsing import (
    Browsing,
    HeldScan,
    browsing,
    press,
    said,
    screen_lines,
    screen_text,
    session_of,
    setting,
    wait_for,
    write_files,
)

SPEC: dict[str, Spec] = {
    "docs": Folder({"a.pdf": 5000, "b.txt": 9000, "deep": {"c.pdf": 100, "d.mp3": 700}}, disk=4096),
    "music": {"e.mp3": 60000},
    "f.pdf": Leaf(3000, mtime=7),
    "g.pdf": Leaf(3000, disk=512),
    "empty": {},
    "secret": Folder({}, skip=Skip.UNREADABLE, problem=(Operation.OPEN, 13)),
}


def _session(text: str, spec: dict[str, Spec] | None = None, **facts: object) -> Session:
    session = Session(snapshot_of(tree_of(spec or SPEC), **facts), default_categories(), Look())
    session.filter(parse_query(text))
    return session


def _rows(session: Session) -> dict[str, str]:
    """Return the rows by name with their sizes as they are shown."""
    rows = session.rows()
    shown = {}
    for row in range(rows.has_parent, len(rows)):
        pieces = row_pieces(session, row, 100, Writing())
        shown[pieces[-1].text.strip()] = pieces[2].text.strip()
    return shown


def test_rows_and_sums_are_of_what_matches() -> None:
    """A directory is there when something below it matches, with the sum and the number of that."""
    session = _session("ext:pdf")

    assert {"/docs": "5.5 KiB", "f.pdf": "3.0 KiB", "g.pdf": "512 B"} == _rows(session)
    assert 512 * (10 + 1 + 6 + 1) == session.whole()
    assert 5632 == session.largest()
    pieces = "".join(piece.text for piece in row_pieces(session, 0, 100, Writing()))
    assert " 2 /docs" in pieces
    session.open()
    assert {"a.pdf": "5.0 KiB", "/deep": "512 B"} == _rows(session)


def test_what_is_hidden_is_told() -> None:
    """The line of totals says how many entries and bytes the filter hides here."""
    session = _session("ext:pdf kind:file")
    shown, narrow = ("".join(piece.text for piece in total_pieces(session, width, Writing())) for width in (80, 40))

    assert "9.0 KiB   filter hides 8 entries, 73.0 KiB: ext:pdf kind:file" == narrow
    assert "9.0 KiB disk usage in 4 items   filter hides 8 entries, 73.0 KiB: ext:pdf kind:file" == shown
    session.filter(None)
    assert session.hidden_by_filter() is None
    assert "filter" not in "".join(piece.text for piece in total_pieces(session, 80, Writing()))


def test_every_view_is_filtered() -> None:
    """The largest files, types, ages, and what a search finds are of what matches; what could not be read is not."""
    session = _session("ext:pdf")
    session.see(View.LARGEST)
    assert {"docs/a.pdf", "docs/deep/c.pdf", "f.pdf", "g.pdf"} == set(_rows(session))
    session.see(View.TYPES)
    assert [("documents", session.whole(), 4)] == [(b.key, b.bytes, b.file_count) for b in session.rows().buckets]
    session.open()
    assert 4 == len(session.rows())
    session.see(View.AGES)
    assert session.whole() == sum(bucket.bytes for bucket in session.rows().buckets)
    session.search(b"c", everywhere=True)
    assert ["docs/deep/c.pdf"] == list(_rows(session))
    session.search(b"c", everywhere=False)
    assert ["/docs"] == list(_rows(session))
    session.see(View.PROBLEMS)
    assert 1 == len(session.rows())


def test_filter_changes_with_the_measure() -> None:
    """`size` is in the measure that is shown, so another measure is another filter."""
    session = _session("size>1K ext:pdf")

    assert {"/docs", "f.pdf"} == set(_rows(session))
    session.change(replace(session.look, measure=Measure.APPARENT))
    assert {"/docs", "f.pdf", "g.pdf"} == set(_rows(session))


def test_filter_survives_moves_and_another_tree() -> None:
    """Place, cursor and filter stay when the tree is replaced, and sums are those of the new one."""
    session = _session("ext:pdf")
    session.open()
    session.move_to(2)
    session.replace(snapshot_of(tree_of(SPEC | {"docs": {"deep": {"n.pdf": 20000, "o.mp3": 1}, "a.pdf": 1}})))

    assert (b"/root/docs", b"deep") == (session.path, session.tree.name(session.current))
    assert {"/deep": "20.0 KiB", "a.pdf": "512 B"} == _rows(session)
    session.back()
    assert {"/docs", "f.pdf", "g.pdf"} == set(_rows(session))


def test_cursor_stays_on_its_entry() -> None:
    """Typing a filter does not move the cursor off an entry that matches."""
    session = _session("kind:file")
    session.move_to(next(row for row in range(9) if session.tree.name(session.rows().entry(row)) == b"f.pdf"))
    session.filter(parse_query("ext:pdf"))

    assert b"f.pdf" == session.tree.name(session.current)


def test_what_a_view_leads_to_is_shown() -> None:
    """Going where a problem is gives the filter up, when it would hide it there."""
    session = _session("ext:pdf")
    session.see(View.PROBLEMS)
    session.open()
    session.open()

    assert (None, b"secret") == (session.look.filter, session.tree.name(session.current))


def test_a_filter_that_cannot_be_asked() -> None:
    """An unknown type, and ages of a scan without times, change nothing."""
    session = _session("ext:pdf", options={"times": "leave"})
    for text in ("type:film", "age>1d"):
        with pytest.raises(UsageError):
            session.filter(parse_query(text))

    assert "ext:pdf" == session.look.filter.text


def test_nothing_matches_here() -> None:
    """A place in which nothing matches has no rows but the one that leads up."""
    session = _session("ext:nothing")
    session.go(Place(1))

    assert (1, 0, 0) == (len(session.rows()), session.whole(), session.largest())


@pytest.fixture
def tree(place: Path) -> Path:
    """Return a small directory tree."""
    write_files(place, {"docs/a.txt": 9000, "docs/deep/b.py": 5000, "c.mp3": 30000, ".hidden": 1, "z.py": 1})
    return place


def _names(lines: list[str]) -> list[str]:
    return [line.split()[-1] for line in lines[3:10] if line]


def test_a_journey(tree: Path) -> None:
    """As one types, what matches is shown; an error leaves it there; Enter keeps it in every view, Escape clears."""

    async def journey() -> dict[str, list[str]]:
        seen = {}
        async with browsing(tree) as pilot:
            await press(pilot, "f", *"ext:py")
            seen["typed"] = screen_lines(pilot)
            await press(pilot, *" x")
            seen["wrong"] = screen_lines(pilot)
            await press(pilot, "enter")
            seen["still open"] = screen_lines(pilot)
            await press(pilot, "backspace", "backspace", "down", "enter")
            seen["kept"] = screen_lines(pilot)
            await press(pilot, "f")
            seen["again"] = [pilot.app.focused.value]
            await press(pilot, "enter", "T")
            seen["largest"] = screen_lines(pilot)
            await press(pilot, "escape")
            seen["list"] = screen_lines(pilot)
            await press(pilot, "escape")
            seen["cleared"] = screen_lines(pilot)
            await press(pilot, "f", *"ext:py", "escape")
            seen["given up"] = screen_lines(pilot)
            await press(pilot, "f", *"kind:dir", "ctrl+u")
            seen["emptied"] = screen_lines(pilot)
        return seen

    seen = asyncio.run(journey())

    assert ["/docs", "z.py"] == _names(seen["typed"])
    assert "filter hides 5 entries" in seen["typed"][1]
    assert "Enter keeps, Esc clears" in seen["typed"][-2]
    assert ["/docs", "z.py"] == _names(seen["wrong"])
    assert "Filter at 8: 'x' is no term by itself: write name:*x*" in seen["wrong"][-2]
    assert seen["wrong"][-2:] == seen["still open"][-2:]
    assert seen["kept"][-1].endswith("2/2")
    assert ["ext:py"] == seen["again"]
    assert ["docs/deep/b.py", "z.py"] == _names(seen["largest"])
    assert ["/docs", "z.py"] == _names(seen["list"])
    for step in ("cleared", "given up", "emptied"):
        assert 4 == len(_names(seen[step]))
        assert "filter hides" not in seen[step][1]


def test_a_filter_that_no_terminal_shows() -> None:
    """A filter from the command line may hold any byte: it is shown inert, and stays what it is when it is kept."""
    query = parse_query("name:\udcff\x1b*")

    async def journey() -> tuple[str, object, list[str]]:
        snapshot = snapshot_of(tree_of({b"\xff\x1bx": 1, "other": 1}))
        async with browsing(snapshot, look=Look(filter=query)) as pilot:
            await press(pilot, "f")
            value = pilot.app.focused.value
            await press(pilot, "enter")
            return value, session_of(pilot).look.filter, screen_lines(pilot)

    value, kept, lines = asyncio.run(journey())

    assert ("name:\\xff\\x1b*", query) == (value, kept)
    assert ["\\xff\\x1bx"] == _names(lines[:-1])


def test_typed_at_once(tree: Path) -> None:
    """What is typed right behind `f` is not lost and obeyed by no other key; the two lines do not hear each other."""

    async def journey() -> tuple[str, str, list[str]]:
        async with browsing(tree) as pilot:
            for key in "fname:c*":
                pilot.app.simulate_key(key)
            await press(pilot)
            await wait_for(pilot, lambda: len(session_of(pilot).rows()) == 1)
            await press(pilot, "enter", "slash", "x")
            lines = pilot.app.screen.query_one(FilterLine), pilot.app.screen.query_one(SearchLine)
            await press(pilot, "escape")
            return lines[0].value, lines[1].value, screen_lines(pilot)

    filtered, searched, lines = asyncio.run(journey())

    assert ("name:c*", "x") == (filtered, searched)
    assert ["c.mp3"] == _names(lines)


def test_no_line_before_there_are_rows(tree: Path) -> None:
    """Nothing can be filtered or searched before the first tree is there."""

    async def journey() -> bool:
        app = Browser(Jobs(), Live((bytes(tree),), ScanOptions()), setting())
        async with app.run_test() as pilot:
            await press(pilot, "f", "slash")
            return isinstance(app.focused, TypedLine)

    assert not asyncio.run(journey())


@pytest.mark.usefixtures("processes")
def test_filter_stays_while_a_scan_ends(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter that was typed during a scan holds for the whole tree."""
    held = HeldScan(monkeypatch)

    async def journey() -> tuple[list[str], str]:
        async with browsing(tree, waits=False) as pilot:
            await wait_for(pilot, lambda: pilot.app.browsing.session is not None)
            await press(pilot, "f", *"ext:py", "enter")
            held.released.set()
            await wait_for(pilot, lambda: not pilot.app.browsing.jobs.is_scanning and "z.py" in screen_text(pilot))
            return _names(screen_lines(pilot)), screen_lines(pilot)[1]

    names, totals = asyncio.run(journey())

    assert ["/docs", "z.py"] == names
    assert "filter hides 5 entries" in totals


def test_owners_that_were_not_kept() -> None:
    """A filter by owner says so where the snapshot tells of none, when typed and when it was there before."""

    async def journey() -> tuple[str, int, str]:
        async with browsing(before_owners(), (100, 24)) as pilot:
            rows = len(session_of(pilot).rows())
            await press(pilot, "f", *"owner:0")
            typed = screen_text(pilot)
            return typed, rows - len(session_of(pilot).rows()), await _complaint(pilot)

    typed, missing, complaint = asyncio.run(journey())

    assert "this was scanned before owners were kept" in typed
    assert 0 == missing
    assert "this was scanned before owners were kept" in complaint


async def _complaint(pilot: Browsing) -> str:
    """Return what is said of a filter that was there before such a snapshot came."""
    session, screen = session_of(pilot), pilot.app.browsing
    session.change(Look(filter=parse_query("owner:0")))
    screen.complain_of_filter()
    await pilot.pause()
    return said(pilot)
