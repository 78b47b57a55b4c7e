"""No name ever reaches a terminal raw: not in reports, JSON, warnings, errors or the progress line."""

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from tests.scan.processes import COMMAND, environment, spacemap
from tests.scan.specs import Entry, make_tree, read_spec

RAW_JSON = pytest.mark.xfail(strict=True, reason="orjson leaves DEL, C1 and bidirectional controls as they are")
RAW_WORDS = pytest.mark.xfail(strict=True, reason="the message quotes the word as it was given")
REPORTS = {
    "report": [],
    "verbose": ["--verbose", "--top", "200"],
    "bytes": ["--verbose", "--bytes", "--top", "200"],
    "size": ["--by", "size", "--verbose"],
    "age": ["--by", "age", "--verbose"],
    "json": ["--json", "--top", "200"],
    "progress": ["--progress", "--verbose"],
    "exclude": ["--exclude", "\x1b[31m*", "--prune", "\x9b*", "--json"],
}
WIDTHS = ("20", "60", "200")
INVISIBLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
REDRAW = re.compile("\r|\x1b\\[K")
"""What the progress line itself needs to be drawn in place."""


@pytest.fixture(scope="module")
def hostile(large_place: Path) -> Path:
    """Return the hostile tree, in a directory whose own name is hostile."""
    root = make_tree(large_place / "\x1b]0;title\x07\u202e\udcff [bold]", read_spec("hostile"))
    for name in ("\x1b[31mlink", "\u202elink"):
        os.symlink(name, root / name)
    return root


def _text(data: bytes) -> str:
    return data.decode("utf-8")


@pytest.mark.parametrize(
    "report", [pytest.param(name, marks=[RAW_JSON] if "--json" in words else []) for name, words in REPORTS.items()]
)
@pytest.mark.parametrize("width", WIDTHS)
def test_reports(hostile: Path, report: str, width: str) -> None:
    """With colour off, everything that is printed is visible characters and newlines, in UTF-8."""
    result = spacemap(hostile, *REPORTS[report], COLUMNS=width)

    assert result.returncode in (0, 1)
    assert [] == INVISIBLE.findall(_text(result.stdout))
    assert [] == INVISIBLE.findall(REDRAW.sub("", _text(result.stderr)))


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8"])
def test_other_encodings(hostile: Path, locale: str) -> None:
    """A terminal without UTF-8 gets ASCII."""
    result = spacemap(hostile, "--verbose", LC_ALL=locale, PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")

    assert result.returncode in (0, 1)
    assert locale == "C.UTF-8" or result.stdout.isascii()
    assert [] == INVISIBLE.findall(_text(result.stdout))


def test_markup_shows_literally(hostile: Path) -> None:
    """Names that look like markup are printed as they are."""
    text = _text(spacemap(hostile, "--verbose", "--top", "200", COLUMNS="200").stdout)

    assert "[bold]x[" in text
    assert "/[/]\n" in text
    assert "\\x1b]52;c;eA==\\x07" in text


def test_a_terminal(hostile: Path) -> None:
    """On a terminal with colours the only escape sequences are colours and the redrawing of the progress line."""
    ours, theirs = pty.openpty()
    environ = environment(TERM="xterm-256color", COLUMNS="120")
    del environ["NO_COLOR"]
    process = subprocess.Popen(
        [*COMMAND, "--report", "--verbose", hostile], stdout=theirs, stderr=theirs, stdin=theirs, env=environ
    )
    os.close(theirs)
    text = ""
    while True:
        try:
            text += os.read(ours, 65536).decode("utf-8", "replace")
        except OSError:
            break
    os.close(ours)

    assert process.wait() in (0, 1)
    assert "\x1b[" in text
    assert [] == INVISIBLE.findall(re.sub("\x1b\\[[0-9;]*m|\x1b\\[K|\r", "", text))


@pytest.mark.parametrize(
    "words",
    [
        ["/no\x1b[31m"],
        ["/no\u202e\x9b"],
        ["/bad\udcff"],
        ["--exclude", "re:(\x1b[31m"],
        pytest.param(["--exclude-from", "/no\x1b]0;x\x07"], marks=RAW_WORDS),
        ["--config", "/no\x1b]0;x\x07"],
        ["--output", "/no\x1b/\x07", "/usr/lib/os-release"],
        ["--engine", "\x1b[31m"],
        pytest.param(["--\x1b[31m"], marks=RAW_WORDS),
        ["--threads", "\x1b[31m"],
        ["--size-buckets", "\x1b[31m"],
        ["--age-buckets", "\x1b[31m"],
        ["--max-memory", "\x1b[31m"],
    ],
    ids=repr,
)
def test_error_lines(words: list[str]) -> None:
    """An error quotes what was wrong so that a terminal does not obey it."""
    result = spacemap(*words)

    assert (b"", True) == (result.stdout, result.returncode in (2, 3))
    assert [] == INVISIBLE.findall(_text(result.stderr))


def test_problems(tmpfs_place: Path) -> None:
    """Paths in notes and warnings are as harmless as all others."""
    root = make_tree(tmpfs_place / "\x1b[31mroot", [Entry("a\u202e/b", content=1)])

    result = spacemap(root, root / "a\u202e", "--verbose")

    assert "is part of" in _text(result.stdout)
    assert [] == INVISIBLE.findall(_text(result.stdout + result.stderr))
