"""What the preview pane shows: of a directory its largest entries, of a file what was read. No terminal."""

import numpy as np

from spacemap.render.text import cell_width, display_name, shorten
from spacemap.tree.columns import Flag, Kind, Skip
from spacemap.tree.omissions import SKIP_TEXT
from spacemap.tui.cells import Piece, Writing, folded_files
from spacemap.tui.order import entry_bytes
from spacemap.tui.reading import Preview
from spacemap.tui.session import Session
from spacemap.tui.tiles import largest_positions, shown_children
from spacemap.units import format_count, format_number

LARGEST = 200
"""Entries of a directory that are shown."""
KEPT = "this is a kept scan: its files may be elsewhere, or gone; they are not read"
_HEX_WIDTHS = ((16, 71), (8, 39))
"""Bytes on a line, and the cells from which on there are so many; 4 on narrower ones."""


def known_preview(session: Session, entry: int, *, is_kept: bool) -> Preview | None:
    """Return what is known without opening anything; None for a file that can be read."""
    tree, path = session.tree, session.tree.path(entry)
    if tree.kind[entry] == Kind.DIRECTORY:
        return _of_directory(session, entry)
    if count := folded_files(tree, entry):
        return Preview(path, f"{format_count(count)} small files, folded to save memory")
    if is_kept:
        return Preview(path, "not read", note=KEPT)
    if tree.flags[entry] & Flag.VIA_SYMLINK:
        return Preview(path, "behind a symlink: not opened")
    if tree.kind[entry] == Kind.SYMLINK:
        return Preview(path, "symlink: not followed")
    if tree.kind[entry] != Kind.FILE:
        return Preview(path, "socket, pipe or device: not opened")
    return None


def _of_directory(session: Session, directory: int) -> Preview:
    tree, path = session.tree, session.tree.path(directory)
    skip = Skip(int(tree.directories.skip[tree.directory_row(directory)]))
    entries = shown_children(session, directory)
    amounts = entry_bytes(session.amounts, entries, session.look.measure)
    largest = largest_positions(amounts, LARGEST)
    names = tuple(
        display_name(tree.name(entry)) + ("/" if tree.kind[entry] == Kind.DIRECTORY else "")
        for entry in entries[largest].tolist()
    )
    title = f"directory, {format_number(len(entries), 'entry', 'entries')}"
    note = SKIP_TEXT[skip] if skip is not Skip.NONE else ""
    if len(names) < len(entries):
        note = f"the largest {format_count(len(names))} of them"
    return Preview(path, title, names, tuple(amounts[largest].astype(np.uint64).tolist()), note=note)


def preview_lines(preview: Preview, width: int, writing: Writing) -> list[list[Piece]]:
    """Return the lines of a preview, each of at most so many cells."""
    lines = [[Piece(writing.cut(preview.title, width), "title")]]
    if preview.note:
        lines.append([Piece(writing.cut(preview.note, width), "note")])
    if preview.data:
        lines += [[Piece(shorten(text, width, ""), "text")] for text in _hex_lines(preview.data, width)]
    sizes = [writing.amount(size) for size in preview.sizes]
    room = max(map(len, sizes), default=0)
    for number, text in enumerate(preview.lines):
        if sizes:
            size = sizes[number].rjust(room) + "  "
            lines.append([Piece(size, "size"), Piece(writing.cut(text, width - cell_width(size)), "text")])
        else:
            lines.append([Piece(_begin(text, width, writing), "text")])
    return lines


def _begin(text: str, width: int, writing: Writing) -> str:
    """Return the beginning of a line of text: unlike that of a name, its end tells no more."""
    # Only as much as can be shown is worth encoding; an escape is at most ten characters for one.
    shown = text[: width * 2]
    if not writing.is_unicode:
        shown = shown.encode(writing.encoding, "backslashreplace").decode(writing.encoding)
    if cell_width(shown) <= width:
        return shown
    cells = width - cell_width(writing.ellipsis)
    while cell_width(shown) > max(cells, 0):
        shown = shown[: max(len(shown) - max((cell_width(shown) - cells) // 2, 1), 0)]
    return shown + writing.ellipsis if cells >= 0 else ""


def _hex_lines(data: bytes, width: int) -> list[str]:
    count = next((count for count, cells in _HEX_WIDTHS if width >= cells), 4)
    lines = []
    for begin in range(0, len(data), count):
        part = data[begin : begin + count]
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)
        lines.append(f"{begin:04x}  {part.hex(' ').ljust(count * 3)} {text}")
    return lines
