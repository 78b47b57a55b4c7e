"""What is written to stdout, and the progress line on stderr."""

import io
import subprocess
import sys

import pytest

from spacemap.cli.output import BROKEN_PIPE_STATUS, ProgressLine, progress_text, stdout_width
from spacemap.render.text import cell_width
from spacemap.scan.progress import Progress
from spacemap.units import Units

PROGRESS = Progress(206_000, 3 * 2**30, 0, b"/home/me/\x1b[31m", 500_000_000)


def test_progress_text() -> None:
    """The line tells entries, bytes, rate, time and where the scan is, the name inert."""
    actual = progress_text(PROGRESS, Units.IEC, 80)

    assert "206,000 entries  3.0 GiB  412,000/s  500 ms  /home/me/\\x1b[31m" == actual


def test_progress_tells_problems() -> None:
    """What could not be read is told as soon as there is any."""
    actual = progress_text(Progress(1, 0, 2, b"/", 0), Units.IEC, 80)

    assert "1 entry  0 B  2 unreadable  -  0 ms  /" == actual


@pytest.mark.parametrize("width", [10, 20, 40, 60, 80])
def test_progress_fits(width: int) -> None:
    """The line never takes more cells than the terminal has."""
    actual = progress_text(Progress(10**9, 2**50, 10**6, "/宽".encode() * 50, 10**13), Units.BYTES, width)

    assert cell_width(actual) <= width


def test_progress_line_is_redrawn_ten_times_a_second() -> None:
    """Updates within a tenth of a second of the last redraw draw nothing, and the end clears the line."""
    now = [0]
    stream = io.StringIO()
    line = ProgressLine(stream, Units.IEC, clock_ns=lambda: now[0])
    for now[0] in range(0, 250_000_000, 10_000_000):
        line.update(PROGRESS)
    line.clear()
    line.clear()
    text = "206,000 entries  3.0 GiB  412,000/s  500 ms  /home/me/\\x1b[31m"

    assert f"\r{text}\x1b[K" * 3 + "\r\x1b[K" == stream.getvalue()


def test_progress_line_without_an_update_writes_nothing() -> None:
    """A scan that ends before the first redraw leaves no trace."""
    stream = io.StringIO()
    ProgressLine(stream, Units.IEC).clear()

    assert "" == stream.getvalue()


@pytest.mark.parametrize(("columns", "width"), [("120", 120), ("0", 80), ("x", 80), (None, 80), ("²", 80)])
def test_width_in_a_pipe(columns: str | None, width: int) -> None:
    """Without a terminal a line has 80 cells, or as many as COLUMNS says."""
    code = f"import sys; from spacemap.cli.output import stdout_width; sys.stdout.write(str(stdout_width({columns!r})))"
    actual = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert str(width) == actual
    assert stdout_width("33") == 33


def test_broken_pipe_is_quiet() -> None:
    """When the reader has gone, the command ends without a word, as one that SIGPIPE ended."""
    code = "from spacemap.cli.output import write_text\nfor _ in range(1000): write_text('x' * 1000)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        actual = process.stderr.read(), process.wait()

    assert (b"", BROKEN_PIPE_STATUS) == actual


def test_text_that_the_stream_cannot_hold() -> None:
    """Characters that stdout has no code for come out as escapes."""
    code = "from spacemap.cli.output import write_text; write_text('日x')"
    actual = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONIOENCODING": "ascii"}
    ).stdout

    assert b"\\u65e5x" == actual
