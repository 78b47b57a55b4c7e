"""The browser from the command line: when it opens, what it leaves behind, and that a report never needs it."""

import os
import pty
import signal
import struct
import subprocess
import termios
from fcntl import ioctl
from pathlib import Path

import pytest

from spacemap.errors import ExitCode
from tests.scan.processes import COMMAND, environment, run_python, spacemap, wait_until

ALTERNATE_SCREEN = b"\x1b[?1049h"
LEFT = b"\x1b[?1049l"


class Terminal:
    """A child on a terminal of its own."""

    def __init__(self, *words: str | Path, pipes_stdout: bool = False, cwd: Path | None = None, **changes: str) -> None:
        self._ours, theirs = pty.openpty()
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environ = environment(**({"TERM": "xterm-256color"} | changes))
        out = subprocess.PIPE if pipes_stdout else theirs
        self.process = subprocess.Popen(
            [*COMMAND, *words], stdin=theirs, stdout=out, stderr=theirs, env=environ, start_new_session=True, cwd=cwd
        )
        os.close(theirs)
        os.set_blocking(self._ours, False)
        self.shown = b""

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._ours)

    def wait_for(self, text: bytes) -> None:
        """Wait until some text has been shown."""
        wait_until(lambda: text in self._read(), f"{text!r} on the terminal")

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._ours, keys)

    def end(self) -> int:
        """Return the exit status; what is shown meanwhile is read, or the child would wait for that."""
        wait_until(lambda: (self._read(), self.process.poll())[1] is not None, "the end of the child")
        self._read()
        return self.process.returncode

    def _read(self) -> bytes:
        try:
            self.shown += os.read(self._ours, 1 << 16)
        except (BlockingIOError, OSError):
            return self.shown
        return self.shown


@pytest.fixture
def tree(place: Path) -> Path:
    """Return a small directory tree."""
    (place / "below").mkdir()
    (place / "below" / "file").write_bytes(b"x" * 9000)
    return place


def test_read_only(tree: Path) -> None:
    """With --read-only, and where symlinks are followed, that is in the first line; else it is not."""
    for words, expected in ((("--read-only",), True), (("--follow-symlinks",), True), ((), False)):
        with Terminal(tree, *words) as terminal:
            terminal.wait_for(b"/below")
            terminal.press(b"q")
            status = terminal.end()

        assert (ExitCode.COMPLETE, expected) == (status, b"read-only" in terminal.shown)


def test_opens_on_a_terminal(tree: Path) -> None:
    """On a terminal a directory is browsed, and `q` leaves the terminal as it was, with status 0."""
    with Terminal(tree) as terminal:
        terminal.wait_for(b"/below")
        terminal.press(b"q")
        status = terminal.end()

    assert ExitCode.COMPLETE == status
    assert ALTERNATE_SCREEN in terminal.shown
    assert LEFT in terminal.shown


def test_opens_a_snapshot(tree: Path, tmp_path: Path) -> None:
    """A snapshot file is browsed, too."""
    kept = tmp_path / "kept.smap"
    assert 0 == spacemap(tree, "--output", kept).returncode
    with Terminal(kept) as terminal:
        terminal.wait_for(b"read-only")
        terminal.press(b"q")

        assert ExitCode.COMPLETE == terminal.end()


@pytest.mark.parametrize(
    "words",
    [["--report"], ["--summary"], ["--json"], ["-v"], ["--by", "age"], ["--top", "3"], ["--quiet"]],
    ids=" ".join,
)
def test_reports_on_a_terminal(tree: Path, words: list[str]) -> None:
    """What only a report has prints a report, on a terminal, too."""
    with Terminal(tree, *words) as terminal:
        assert ExitCode.COMPLETE == terminal.end()

    assert ALTERNATE_SCREEN not in terminal.shown
    assert b"disk" in terminal.shown.lower()


def test_writes_a_file_on_a_terminal(tree: Path, tmp_path: Path) -> None:
    """`--output` writes its file, and browses nothing."""
    with Terminal(tree, "--output", tmp_path / "kept.smap") as terminal:
        assert ExitCode.COMPLETE == terminal.end()

    assert ALTERNATE_SCREEN not in terminal.shown
    assert (tmp_path / "kept.smap").exists()


def test_a_dumb_terminal_gets_a_report(tree: Path) -> None:
    """Where nothing can be painted, a report is printed."""
    with Terminal(tree, TERM="dumb") as terminal:
        assert ExitCode.COMPLETE == terminal.end()

    assert ALTERNATE_SCREEN not in terminal.shown
    assert b"disk usage in 1 file" in terminal.shown


def test_prints_the_directory(tree: Path) -> None:
    """With `--tui` and a pipe, `Q` hands the directory to who reads the pipe, byte for byte."""
    odd = tree / "\udcffodd"
    odd.mkdir()
    with Terminal("--tui", tree, pipes_stdout=True) as terminal:
        terminal.wait_for(b"odd")
        terminal.press(b"n\x1b[F\r")
        terminal.wait_for(b"nothing is in this directory")
        terminal.press(b"Q")
        status = terminal.end()
        printed = terminal.process.stdout.read()

    assert (ExitCode.COMPLETE, os.fsencode(odd) + b"\n") == (status, printed)


def test_a_missing_root_is_an_error_as_ever(tree: Path) -> None:
    """What cannot be scanned ends the program with its line and status, not with an empty screen."""
    with Terminal(tree / "gone") as terminal:
        assert ExitCode.USAGE == terminal.end()

    assert b"cannot scan" in terminal.shown


def test_a_damaged_snapshot_is_an_error_as_ever(tmp_path: Path, tree: Path) -> None:
    """A file that is no whole snapshot is refused with its line and status."""
    kept = tmp_path / "kept.smap"
    spacemap(tree, "--output", kept)
    kept.write_bytes(kept.read_bytes()[:-40])
    with Terminal(kept) as terminal:
        assert ExitCode.FAILURE == terminal.end()

    assert b"kept.smap" in terminal.shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "SIGHUP"])
def test_signals_restore_the_terminal(tree: Path, number: signal.Signals) -> None:
    """A signal ends the program as `q` does."""
    with Terminal(tree) as terminal:
        terminal.wait_for(b"/below")
        os.kill(terminal.process.pid, number)
        terminal.end()

    assert LEFT in terminal.shown


def test_a_shell_in_the_directory(tree: Path) -> None:
    """`b` runs a shell in the directory that is shown, which knows how deep it is; then the rows are there again."""
    shell = tree / "shell"
    shell.write_text('#!/bin/sh\necho "in $PWD level $SPACEMAP_LEVEL $NCDU_LEVEL"\n')
    shell.chmod(0o755)
    with Terminal(tree, SPACEMAP_SHELL=str(shell), SPACEMAP_LEVEL="2") as terminal:
        terminal.wait_for(b"/below")
        terminal.press(b"nt\r")
        terminal.wait_for(b"/..")
        terminal.press(b"b")
        terminal.wait_for(f"in {tree}/below level 3 1".encode())
        terminal.press(b"q")

        assert ExitCode.COMPLETE == terminal.end()


@pytest.mark.parametrize("words", [["--tui"], ["--tui", "--report"], ["--tui", "--json"]], ids=" ".join)
def test_tui_needs_a_terminal(tree: Path, words: list[str]) -> None:
    """Asked for without a terminal, or beside a report, the browser is an error that says why."""
    result = spacemap(tree, *words)

    assert (ExitCode.USAGE, b"") == (result.returncode, result.stdout)
    assert b"--tui" in result.stderr


def test_without_a_path_the_browser_asks(tree: Path, tmp_path: Path) -> None:
    """On a terminal without PATH there is something to choose from; what was chosen is kept, and offered next time."""
    changes = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    with Terminal(cwd=tree, **changes) as terminal:
        terminal.wait_for(b"File systems")
        assert b"Scanned before" not in terminal.shown
        terminal.press(b"\r")
        terminal.wait_for(b"/below")
        terminal.press(b"q")
        assert ExitCode.COMPLETE == terminal.end()
    with Terminal(cwd=tree, **changes) as terminal:
        terminal.wait_for(b"Scanned before")
        terminal.press(b"q")
        assert ExitCode.COMPLETE == terminal.end()


def test_in_a_pipe_the_path_is_here(tree: Path) -> None:
    """Without PATH and without a terminal a report scans the working directory, as ever."""
    result = spacemap("--summary", cwd=tree)

    assert ExitCode.COMPLETE == result.returncode
    assert os.fsencode(tree) in result.stdout


def test_the_second_time_the_kept_scan_comes_first(tree: Path, tmp_path: Path) -> None:
    """What was browsed is kept, and shown with its age when the same is browsed again."""
    changes = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    for is_first in (True, False):
        with Terminal(tree, **changes) as terminal:
            terminal.wait_for(b"/below")
            if not is_first:
                terminal.wait_for(b"from just now")
            terminal.press(b"q")
            assert ExitCode.COMPLETE == terminal.end()

    assert 1 == len(list((tmp_path / "cache").rglob("*.smap")))


def test_the_configuration_forbids_keeping(tree: Path, tmp_path: Path) -> None:
    """With `cached = false` nothing of what is browsed is written anywhere."""
    (tmp_path / "config.toml").write_text("[browser]\ncached = false\n")
    with Terminal(tree, "--config", tmp_path / "config.toml", XDG_CACHE_HOME=str(tmp_path / "cache")) as terminal:
        terminal.wait_for(b"/below")
        terminal.press(b"q")
        assert ExitCode.COMPLETE == terminal.end()

    assert not (tmp_path / "cache").exists()


def test_keys_that_cannot_be_bound_end_the_program(tree: Path, tmp_path: Path) -> None:
    """A configuration with an action that there is not is an error as ever, and the terminal is left alone."""
    (tmp_path / "config.toml").write_text('[browser.keys]\nsort_sizes = "x"\n')
    with Terminal(tree, "--config", tmp_path / "config.toml") as terminal:
        assert ExitCode.USAGE == terminal.end()

    assert b'unknown action "sort_sizes"' in terminal.shown
    assert ALTERNATE_SCREEN not in terminal.shown


def test_a_report_does_not_import_the_browser(tree: Path) -> None:
    """A report pays nothing for the browser."""
    program = (
        "import sys; from spacemap.cli.main import main; main([sys.argv[1], '--report']);"
        "print(sorted(name for name in sys.modules if name.split('.')[0] == 'textual' or '.tui' in name))"
    )
    result = run_python(program, tree)

    assert b"[]" == result.stdout.splitlines()[-1]
