"""The only writer of stdout, and of the progress line on stderr."""

import errno
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from spacemap.errors import ExitCode, SpacemapError
from spacemap.render.text import cell_width, display_name, encodable, shorten
from spacemap.units import Units, format_count, format_duration, format_number, format_rate, format_size

# mypy knows the name; importing typing for it would double the cost of this module.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from spacemap.scan.progress import Progress

BROKEN_PIPE_STATUS = 141
"""What a shell reports of a command that SIGPIPE ended; `spacemap | head` ends so, without a word."""

READER_GONE = {errno.EPIPE: BROKEN_PIPE_STATUS, errno.EIO: int(ExitCode.INTERRUPTED)}
"""Exit status by error; the second is that of a terminal which was closed."""
_REDRAW_NS = 100_000_000
_MIN_WIDTH = 20


def write_bytes(data: bytes) -> None:
    """Write to stdout and flush. Raises SystemExit when the reader has gone, SpacemapError when there is no room."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        # The interpreter flushes once more at exit, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno not in READER_GONE:
            raise SpacemapError(f"the output cannot be written: {error.strerror}; make room for it") from error
        raise SystemExit(READER_GONE[error.errno]) from None


def write_text(text: str) -> None:
    """Write text to stdout in its encoding; characters that it does not have come out as escapes."""
    write_bytes(text.encode(stdout_encoding(), "backslashreplace"))


def write_file(path: str, data: bytes) -> None:
    """Write a file that the user named. Not by way of a second file: it may be a pipe or a device."""
    try:
        with open(path, "wb") as file:
            file.write(data)
    except OSError as error:
        raise SpacemapError(f"{display_name(os.fsencode(path))}: cannot be written: {error.strerror}") from error


def complain(message: str) -> None:
    """Write one line for the user to stderr."""
    stream = sys.stderr
    with suppress(OSError):  # a terminal that was closed
        stream.write(encodable(f"spacemap: {message}", stream.encoding or "utf-8") + "\n")
        stream.flush()


def stdout_encoding() -> str:
    """Return the encoding of stdout."""
    return sys.stdout.encoding or "utf-8"


def stdout_is_terminal() -> bool:
    """Return whether a person looks at stdout."""
    return sys.stdout.isatty()


def stdout_width(columns: str | None) -> int:
    """Return the cells of a line on stdout, given the value of COLUMNS; 80 in a pipe."""
    if columns and columns.isascii() and columns.isdigit() and int(columns) > 0:
        return int(columns)
    return _terminal_width(sys.stdout)


def _terminal_width(stream: "TextIO") -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


class ProgressLine:
    """One line on a terminal, redrawn in place, ten times a second at most."""

    def __init__(self, stream: "TextIO", units: Units, *, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._stream = stream
        self._units = units
        self._clock_ns = clock_ns
        self._next_ns = 0
        self._is_drawn = False

    def update(self, progress: "Progress") -> None:
        """Show the progress, unless the last redraw was just now."""
        self.show(lambda width: progress_text(progress, self._units, width))

    def show(self, text_of: Callable[[int], str]) -> None:
        """Show what `text_of` gives for a number of cells, unless the last redraw was just now."""
        now = self._clock_ns()
        if now < self._next_ns:
            return
        self._next_ns = now + _REDRAW_NS
        # The last column stays free: some terminals wrap as soon as it is written.
        line = text_of(max(_terminal_width(self._stream) - 1, _MIN_WIDTH))
        self._write("\r" + encodable(line, self._stream.encoding or "utf-8") + "\x1b[K")
        self._is_drawn = True

    def clear(self) -> None:
        """Take the line away; the cursor stands where it was before the first update."""
        if self._is_drawn:
            self._write("\r\x1b[K")
            self._is_drawn = False
            self._next_ns = 0

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            # Nobody looks; the scan goes on.
            self._next_ns = 1 << 63


def progress_text(progress: "Progress", units: Units, width: int) -> str:
    """Return the progress as one line of at most so many cells, the directory shortened to what is left."""
    parts = [
        format_number(progress.entries, "entry", "entries"),
        format_size(progress.disk_bytes, units),
        format_rate(progress.entries, progress.elapsed_ns),
        format_duration(progress.elapsed_ns),
    ]
    if progress.problems:
        parts.insert(2, f"{format_count(progress.problems)} unreadable")
    line = "  ".join(parts)
    room = width - cell_width(line) - 2
    if room >= 10:
        return f"{line}  {shorten(display_name(progress.directory), room, '...')}"
    return shorten(line, width, "...")
