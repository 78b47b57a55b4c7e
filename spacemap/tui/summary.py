"""What the lines around the list say. No terminal."""

from typing import NamedTuple

from spacemap.render.text import cell_width, display_text
from spacemap.scan.progress import Progress
from spacemap.tree.snapshot import Completeness, Facts, Snapshot
from spacemap.tui.cells import Piece, Writing
from spacemap.tui.keys import Key
from spacemap.tui.look import View
from spacemap.tui.marks import Marks
from spacemap.tui.session import Session
from spacemap.units import format_ago, format_count, format_duration, format_number, format_rate

TYPE_CHECKING = False  # what mypy takes for true; most who browse remove nothing
if TYPE_CHECKING:
    from spacemap.clean import Removing

_VIEWS = {
    View.LARGEST: "largest files",
    View.TYPES: "by type",
    View.AGES: "by age",
    View.OWNERS: "by owner",
    View.PROBLEMS: "could not be read",
}
_ADDING_UP = "adding up"


def path_pieces(session: Session, width: int, writing: Writing) -> list[Piece]:
    """Return where this is: the root, and more visibly the path below it."""
    tree, path = session.tree, session.path
    root = tree.path(0)
    if not root:
        return [Piece(writing.name(path, width) if path else "several directories", "path")]
    below = path[len(root) :]
    shown = writing.name(below, width) if below else ""
    before = writing.name(root, width - cell_width(shown))
    return [Piece(before, "root" if below else "path"), Piece(shown, "path")]


def total_pieces(session: Session, width: int, writing: Writing) -> list[Piece]:
    """Return how much is here, and what of it is listed."""
    tree, place, look = session.amounts, session.place, session.look
    if place.view is View.MARKED:
        return _basket_pieces(session.marks, writing)
    row = tree.directory_row(place.directory)
    items = int(tree.totals.files[row]) + int(tree.totals.directories[row]) - 1
    pieces = [
        Piece(writing.amount(session.whole()), "path"),
        Piece(f" {look.measure.value} in {format_number(items, 'item')}", "text"),
    ]
    if place.search or place.view is View.FOUND:
        text = display_text(place.search.decode("utf-8", "surrogateescape"))
        where, all_of_it = "", len(tree.children(place.directory))
        if place.view is View.FOUND:
            where, all_of_it = " in everything", len(tree) - 1
        found = f'"{text}"{where}: {format_count(len(session.rows()))} of {format_count(all_of_it)}'
        pieces += [Piece("   ", "text"), Piece(writing.cut(found, 60), "alert")]
    elif not place.shows_children:
        number = format_count(len(session.rows()))
        what = session.bucket_label() if place.bucket else _VIEWS[place.view]
        pieces += [Piece("   ", "text"), Piece(f"{what}: {number}", "state")]
    if not look.shows_hidden:
        hidden = session.hidden()
        if hidden:
            pieces += [Piece("   ", "text"), Piece(f"{format_count(hidden)} hidden", "alert")]
    if left_out := session.left_out():
        pieces += [Piece("   ", "text"), Piece(f"{format_count(left_out)} ignored", "alert")]
    return _with_filter(pieces, session, width, writing)


def _with_filter(pieces: list[Piece], session: Session, width: int, writing: Writing) -> list[Piece]:
    """Return the pieces and how much the filter hides here; its text comes last, where it may be cut."""
    hidden, query = session.hidden_by_filter(), session.look.filter
    if hidden is None or query is None:
        return pieces
    amount = f"   filter hides {format_number(hidden.entries, 'entry', 'entries')}, {writing.amount(hidden.bytes)}"
    if sum(cell_width(piece.text) for piece in pieces) + cell_width(amount) > width:
        # What is hidden tells more than what the amount is called, which the heading says, too.
        pieces = [pieces[0], *pieces[2:]]
    text = writing.cut(f": {display_text(query.text)}", 200)
    return [*pieces, Piece(amount, "alert"), Piece(text, "alert")]


def _basket_pieces(marks: Marks, writing: Writing) -> list[Piece]:
    pieces = [Piece(format_number(len(marks), "mark"), "path")]
    if not marks.is_added_up:
        return [*pieces, Piece(f"  {_ADDING_UP}", "faint")]
    total = marks.sum
    told = f" come free of {writing.amount(total.disk)} in {format_number(total.entries, 'entry', 'entries')}"
    return [*pieces, Piece("  ", "text"), Piece(writing.amount(total.exclusive), "state"), Piece(told, "text")]


def mark_pieces(session: Session, writing: Writing) -> list[Piece]:
    """Return how much is marked, and what removing it would free; nothing where nothing is, or where that is told."""
    marks = session.marks
    if not len(marks) or session.place.view is View.MARKED:
        return []
    freed = f"frees {writing.amount(marks.sum.exclusive)}" if marks.is_added_up else _ADDING_UP
    return [Piece(f"{format_count(len(marks))} marked", "state"), Piece(f" {freed} ", "text")]


def totals_and_marks(session: Session, width: int, writing: Writing) -> tuple[list[Piece], list[Piece]]:
    """Return how much is here, and how much is marked; only the size of what is here where not both have room."""
    totals, marks = total_pieces(session, width, writing), mark_pieces(session, writing)
    has_room = sum(cell_width(piece.text) for piece in (*totals, *marks)) < width
    return (totals if has_room or not marks else totals[:1]), marks


class State(NamedTuple):
    """What is under way, and what this is."""

    origin: str = ""
    """Of a kept snapshot; see `Kept.origin`."""
    is_scanning: bool = False
    is_removing: bool = False
    is_read_only: bool = False


def state_pieces(session: Session | None, state: State) -> list[Piece]:
    """Return how far what is shown can be relied on, and that nothing can be changed where that is so."""
    parts = [state.origin] if state.origin else []
    if state.is_removing:
        parts.append("removing")
    elif state.is_scanning:
        parts.append("scanning" if session is None or is_partial(session.snapshot) else "updating")
    elif not state.origin and session is not None and is_partial(session.snapshot):
        parts.append("partial")
    if state.is_read_only:
        parts.append("read-only")
    style = "state" if state.is_scanning else "alert"
    return [Piece(f" {', '.join(parts)} ", style)] if parts else []


def recalled_origin(facts: Facts, now_ns: int) -> str:
    """Return the age of a kept scan that is shown."""
    return f"from {format_ago((now_ns - facts.started_ns) // 1_000_000_000)}"


def is_partial(snapshot: Snapshot) -> bool:
    """Return whether a scan did not go to its end."""
    return snapshot.facts.completeness is Completeness.INTERRUPTED


def progress_pieces(progress: Progress, width: int, writing: Writing) -> list[Piece]:
    """Return how a scan goes, as one line."""
    parts = [
        format_number(progress.entries, "entry", "entries"),
        writing.amount(progress.disk_bytes),
        format_rate(progress.entries, progress.elapsed_ns),
        format_duration(progress.elapsed_ns),
    ]
    if progress.problems:
        parts.insert(2, f"{format_count(progress.problems)} unreadable")
    text = "  ".join(parts)
    room = width - cell_width(text) - 2
    where = "  " + writing.name(progress.directory, room) if room >= 10 else ""
    return [Piece(writing.cut(text, width), "state"), Piece(where, "faint")]


def removing_pieces(removing: "Removing | None", width: int, writing: Writing) -> list[Piece]:
    """Return how a removal goes, as one line; None: it has told nothing yet."""
    if removing is None:
        return [Piece("beginning", "state")]
    done = f"{format_number(removing.entries, 'entry', 'entries')}  {writing.amount(removing.disk_bytes)}"
    text = f"{done}  Ctrl+C stops"
    room = width - cell_width(text) - 2
    where = "  " + writing.name(removing.current, room) if room >= 10 else ""
    return [Piece(writing.cut(text, width), "state"), Piece(where, "faint")]


_MOST_USED = ("help", "view", "mark", "remove", "search", "filter", "basket", "quit", "info", "preview", "size", "name")
"""What the line of keys shows first, by the short names of keys."""
_PLACE = {short: place for place, short in enumerate(_MOST_USED)}


def key_pieces(keys: list[Key], width: int) -> list[Piece]:
    """Return the most used keys, as many as there is room for."""
    pieces: list[Piece] = []
    used = 0
    named = [key for key in keys if key.short and key.keys]
    for key in sorted(named, key=lambda each: _PLACE.get(each.short, len(_PLACE))):
        name = key.shown.split(" ")[0]
        cells = len(name) + 1 + len(key.short) + 2
        if used + cells > width:
            break
        used += cells
        pieces += [Piece(f" {name}", "key"), Piece(f" {key.short}", "faint")]
    return pieces


def position_pieces(session: Session) -> list[Piece]:
    """Return which row of how many the cursor is on."""
    count = len(session.rows())
    return [Piece(f"{format_count(min(session.cursor + 1, count))}/{format_count(count)} ", "faint")]
