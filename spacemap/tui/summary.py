"""What the lines around the list say. No terminal."""

from spacemap.render.text import cell_width, display_text
from spacemap.scan.progress import Progress
from spacemap.tree.snapshot import Completeness, Facts, Snapshot
from spacemap.tui.cells import Piece, Writing
from spacemap.tui.keys import Key
from spacemap.tui.look import View
from spacemap.tui.session import Session
from spacemap.units import format_ago, format_count, format_duration, format_number, format_rate

_VIEWS = {
    View.LARGEST: "largest files",
    View.TYPES: "by type",
    View.AGES: "by age",
    View.PROBLEMS: "could not be read",
}


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


def total_pieces(session: Session, writing: Writing) -> list[Piece]:
    """Return how much is here, and what of it is listed."""
    tree, place, look = session.tree, session.place, session.look
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
    elif place.view is not View.LIST:
        number = format_count(len(session.rows()))
        what = session.bucket_label() if place.bucket else _VIEWS[place.view]
        pieces += [Piece("   ", "text"), Piece(f"{what}: {number}", "state")]
    if not look.shows_hidden:
        hidden = session.hidden()
        if hidden:
            pieces += [Piece("   ", "text"), Piece(f"{format_count(hidden)} hidden", "alert")]
    return pieces


def state_pieces(session: Session | None, *, is_scanning: bool, origin: str) -> list[Piece]:
    """Return how far what is shown can be relied on."""
    if origin:
        return [Piece(f" {origin} ", "alert")]
    if is_scanning:
        return [Piece(" scanning " if session is None or is_partial(session.snapshot) else " updating ", "state")]
    return [Piece(" partial ", "alert")] if session is not None and is_partial(session.snapshot) else []


def recalled_origin(facts: Facts, now_ns: int, *, is_scanning: bool) -> str:
    """Return the age of a kept scan that is shown, and whether it is being updated."""
    age = format_ago((now_ns - facts.started_ns) // 1_000_000_000)
    return f"from {age}, updating" if is_scanning else f"from {age}"


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


def key_pieces(keys: list[Key], width: int) -> list[Piece]:
    """Return the most used keys, as many as there is room for; help comes first."""
    pieces: list[Piece] = []
    used = 0
    first = [key for key in keys if key.action == "help" and key.keys]
    for key in [*first, *(key for key in keys if key.short and key.keys and key not in first)]:
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
