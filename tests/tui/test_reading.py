"""Previews: text, numbers, archives; and that nothing is opened but the regular file that was scanned."""

import bz2
import gzip
import io
import lzma
import os
import socket
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from spacemap.render.text import cell_width
from spacemap.scan import scan
from spacemap.tree.subtree import find_child
from spacemap.tree.tree import Tree
from spacemap.tui.archives import Limits
from spacemap.tui.cells import Writing
from spacemap.tui.preview import preview_lines
from spacemap.tui.reading import HEX, Preview, read_preview, steps_to
from tests.scan.processes import can_mount, in_namespace
from tests.tui.browsing import INVISIBLE


def _clock() -> float:
    return 0.0


def _scanned(place: Path, name: str) -> tuple[Tree, int]:
    tree = scan([place]).tree
    entry = 0
    for part in name.split("/"):
        found = find_child(tree, entry, os.fsencode(part))
        assert found is not None
        entry = found
    return tree, entry


def _preview(place: Path, name: str, limits: Limits | None = None, clock: Callable[[], float] = _clock) -> Preview:
    tree, entry = _scanned(place, name)
    return read_preview(tree.path(entry), steps_to(tree, entry), limits, clock)


def _tar(mode: str, names: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode) as archive:
        for name, data in names.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return target.getvalue()


def _zip(names: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    return target.getvalue()


def test_text(place: Path) -> None:
    """Lines of text keep their indentation; whatever a terminal would obey is visible."""
    (place / "f").write_bytes(b"  one\n\ttwo\x07\x1b[31m\r\n\xe2\x80\xaeevil\xff" + b"x" * 100 + b"\n")
    preview = _preview(place, "f")

    assert "text" == preview.title
    assert ("  one", "    two\\x07\\x1b[31m", "\\u202eevil\\xff" + "x" * 100) == preview.lines


def test_long_text_is_cut(place: Path) -> None:
    """Of a large file only the beginning is read, and that is said."""
    (place / "f").write_bytes(b"line\n" * 1_000_000)
    preview = _preview(place, "f")

    assert "text, the first 64 KiB" == preview.title
    assert 1000 == len(preview.lines)


def test_utf_16(place: Path) -> None:
    """Text with a byte order mark is read as what it says."""
    (place / "f").write_bytes("für\nzwei".encode("utf-16"))

    assert ("für", "zwei") == _preview(place, "f").lines[:2]


def test_no_text_is_shown_as_numbers(place: Path) -> None:
    """What is no text is bytes, as many on a line as there is room for."""
    (place / "f").write_bytes(bytes(range(256)) * 100)
    preview = _preview(place, "f")
    lines = {width: preview_lines(preview, width, Writing())[1][0].text for width in (80, 50, 30)}

    assert ("no text, the first 4 KiB", HEX) == (preview.title, len(preview.data))
    assert "0000  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  ................" == lines[80]
    assert "0000  00 01 02 03 04 05 06 07  ........" == lines[50]
    assert "0000  00 01 02 03  ...." == lines[30]


def test_empty_file(place: Path) -> None:
    """An empty file is called that."""
    (place / "f").write_bytes(b"")

    assert "empty" == _preview(place, "f").title


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar(place: Path, mode: str) -> None:
    """Tar archives are listed, however they are compressed, with names that are only shown."""
    (place / "f").write_bytes(_tar(mode, {"a.txt": b"x" * 5000, "d/\x1b[31mb": b"", "c": b"y"}))
    preview = _preview(place, "f")

    assert preview.title.startswith("tar archive")
    assert (("a.txt", "d/\\x1b[31mb", "c"), (5000, 0, 1), "") == (preview.lines, preview.sizes, preview.note)


def test_zip(place: Path) -> None:
    """Zip archives are listed with the sizes that they unpack to."""
    (place / "f").write_bytes(_zip({"a.txt": b"x" * 5000, "d/": b""}))
    preview = _preview(place, "f")

    assert ("zip archive, 2 entries", ("a.txt", "d/"), (5000, 0)) == (preview.title, preview.lines, preview.sizes)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bz2", "xz"])
def test_compressed_text(place: Path, compress: Callable[[bytes], bytes]) -> None:
    """A compressed file that holds no archive is shown as what it unpacks to, of several streams all."""
    (place / "f").write_bytes(compress(b"one\n") + compress(b"two\n"))
    preview = _preview(place, "f")

    assert ("one", "two") == preview.lines
    assert "unpacked, text" in preview.title


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_damaged_tar(place: Path, mode: str) -> None:
    """An archive that is cut lists what is there, and says what is wrong with it."""
    data = _tar(mode, {f"f{number}": os.urandom(3000) for number in range(50)})
    (place / "f").write_bytes(data[: len(data) // 2])
    preview = _preview(place, "f")

    assert "damaged" in preview.note
    assert mode == "w:bz2" or "f0" in preview.lines


def test_tar_that_goes_on_with_something_else(place: Path) -> None:
    """A header in the middle that is none is no end."""
    data = bytearray(_tar("w", {"a": b"x" * 600, "b": b"y", "c": b"z"}))
    data[1536 + 100 : 1536 + 300] = b"\xee" * 200
    (place / "f").write_bytes(data)
    preview = _preview(place, "f")

    assert (("a",), True) == (preview.lines, preview.note.startswith("damaged"))


@pytest.mark.parametrize("cut", range(1, 150, 7))
def test_cut_zip(place: Path, cut: int) -> None:
    """A zip archive without its end, or with another one, is damaged, and nothing worse."""
    data = _zip({"a": b"x" * 50, "b": b"y"})
    (place / "cut").write_bytes(data[:-cut])
    changed = bytearray(data)
    changed[-cut] ^= 0xFF
    (place / "changed").write_bytes(changed)

    assert _preview(place, "cut").note.startswith("damaged") or cut < 3
    assert _preview(place, "changed").title.startswith("zip archive")


@pytest.mark.parametrize("mode", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_changed_archives(place: Path, mode: str) -> None:
    """Whatever bytes of an archive are changed, it is listed or called damaged, and nothing is raised."""
    names = {f"f{number}": b"text" * number for number in range(20)}
    data = _zip(names) if mode == "zip" else _tar(mode, names)
    random = Random(7)
    for _ in range(150):
        changed = bytearray(data)
        for _ in range(random.choice((1, 3, 20))):
            changed[random.randrange(4, len(changed))] = random.randrange(256)
        (place / "f").write_bytes(changed)
        preview = _preview(place, "f", Limits(bytes=1 << 22))

        assert len(preview.lines) <= 1000
        assert [] == INVISIBLE.findall("\n".join((preview.title, preview.note, *preview.lines)))


def test_many_entries(place: Path) -> None:
    """Only so many entries are listed, and that there are more is said."""
    names = {f"f{number}": b"" for number in range(30)}
    (place / "zip").write_bytes(_zip(names))
    (place / "tar").write_bytes(_tar("w", names))
    few = Limits(entries=10)

    assert (10, "and 20 more") == (len(_preview(place, "zip", few).lines), _preview(place, "zip", few).note)
    assert (10, "and more") == (len(_preview(place, "tar", few).lines), _preview(place, "tar", few).note)


def test_bombs(place: Path) -> None:
    """What unpacks to far more than it is is called a bomb, and is not unpacked beyond a bound."""
    (place / "zip").write_bytes(_zip({"zeros": bytes(20 << 20)}))
    (place / "tar").write_bytes(_tar("w:gz", {"zeros": bytes(20 << 20), "after": b""}))
    tar = _preview(place, "tar", Limits(bytes=1 << 20))

    assert "perhaps a bomb" in _preview(place, "zip").note
    assert (("zeros",), True) == (tar.lines, "only the first 1 MiB" in tar.note)
    assert "perhaps a bomb" in tar.note


def test_archives_take_so_much_time(place: Path) -> None:
    """After its seconds, what is known of an archive is shown, and that it took too long."""
    (place / "f").write_bytes(_tar("w:gz", {f"f{number}": os.urandom(90_000) for number in range(50)}))
    ticks = iter(range(10_000))
    preview = _preview(place, "f", Limits(seconds=20), lambda: float(next(ticks)))

    assert "it takes too long to read" in preview.note
    assert 50 > len(preview.lines)


@pytest.mark.parametrize("kind", ["pipe", "socket", "symlink"])
def test_what_became_something_else_is_not_opened(place: Path, kind: str) -> None:
    """A pipe, a socket or a symlink in the place of the scanned file is not opened, and nobody waits for it."""
    path = place / "f"
    path.write_bytes(b"text")
    tree, entry = _scanned(place, "f")
    path.rename(place / "moved")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        socket.socket(socket.AF_UNIX).bind(str(path))
    else:
        path.symlink_to(place / "moved")

    assert "not a regular file: not opened" == read_preview(b"", steps_to(tree, entry)).title


def test_another_file_is_not_read(place: Path) -> None:
    """A file that took the place of the one that was scanned is not shown as if it were that."""
    path = place / "f"
    path.write_bytes(b"text")
    tree, entry = _scanned(place, "f")
    (place / "other").write_bytes(b"secret")
    (place / "other").rename(path)

    assert read_preview(b"", steps_to(tree, entry)).title.startswith("not what was scanned")


def test_no_symlink_on_the_way(place: Path) -> None:
    """A directory that was replaced by a symlink leads nowhere; a root that is one does."""
    (place / "real" / "d").mkdir(parents=True)
    (place / "real" / "d" / "f").write_bytes(b"text")
    (place / "link").symlink_to("real")
    tree, entry = _scanned(place / "link", "d/f")

    assert ("text",) == read_preview(b"", steps_to(tree, entry)).lines
    (place / "real" / "d").rename(place / "elsewhere")
    (place / "real" / "d").symlink_to(place / "elsewhere")
    preview = read_preview(b"", steps_to(tree, entry))
    assert ((), True) == (preview.lines, preview.title.startswith("cannot be read"))


MOUNTED = """
import subprocess, sys
from spacemap.scan import scan
from spacemap.tree.subtree import nearest_entry
from spacemap.tui.reading import read_preview, steps_to
place = sys.argv[1]
tree = scan([place]).tree
entry, _ = nearest_entry(tree, (b"d", b"f"))
print(read_preview(b"", steps_to(tree, entry)).lines)
subprocess.run(["sh", "-ec", sys.argv[2]], check=True, cwd=place)
print(read_preview(b"", steps_to(tree, entry)).title)
"""


@pytest.mark.skipif(not can_mount(), reason="mounting needs root or user namespaces")
@pytest.mark.parametrize(
    "step",
    ["mount -t tmpfs none d; echo other > d/f", "mount --bind e d", "mount --bind e/f d/f"],
    ids=["tmpfs", "bind", "bind of a file"],
)
def test_nothing_mounted_since_is_opened(place: Path, step: str) -> None:
    """What was mounted over a directory or a file after the scan is not what was scanned."""
    for name in ("d", "e"):
        (place / name).mkdir()
        (place / name / "f").write_bytes(name.encode())
    result = in_namespace('exec "$@"', sys.executable, "-c", MOUNTED, place, step)
    refused = b"not what was scanned: changed since, or another file system; not opened"

    assert (0, b"", [b"('d',)", refused]) == (result.returncode, result.stderr, result.stdout.splitlines())


def test_sparse_file(place: Path) -> None:
    """A file without a block on the disk is not read: what made it may be a network away."""
    with (place / "f").open("wb") as file:
        file.truncate(1 << 40)

    assert "no part of it is on this disk: sparse, or kept elsewhere; not opened" == _preview(place, "f").title


def test_a_file_that_is_gone(place: Path) -> None:
    """What cannot be opened says why."""
    (place / "f").write_bytes(b"text")
    tree, entry = _scanned(place, "f")
    (place / "f").rename(place / "g")

    assert "cannot be read: No such file or directory" == read_preview(b"", steps_to(tree, entry)).title


def test_several_roots(place: Path) -> None:
    """A file below the second of several roots is found by the path of that root."""
    for name in ("a", "b"):
        (place / name).mkdir()
        (place / name / "f").write_bytes(name.encode())
    tree = scan([place / "a", place / "b"]).tree
    root = find_child(tree, 0, os.fsencode(place / "b"))
    assert root is not None
    entry = find_child(tree, root, b"f")
    assert entry is not None

    assert ("b",) == read_preview(b"", steps_to(tree, entry)).lines


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [1, 2, 7, 38, 90])
def test_lines_fit(width: int, encoding: str) -> None:
    """Whatever is shown fits its cells, in the characters that the terminal has, and is inert."""
    preview = Preview(b"", "a title that is long", ("漢字" * 80, "e\u0301" * 90, "plain", ""), note="noted " * 20)
    listed = Preview(b"", "t", ("漢字" * 80, "x"), (10**15, 1))
    for each in (preview, listed, Preview(b"", "t", data=bytes(range(256)))):
        text = [
            "".join(piece.text for piece in line) for line in preview_lines(each, width, Writing(encoding=encoding))
        ]

        assert [] == INVISIBLE.findall("".join(text))
        assert encoding == "utf-8" or all(line.isascii() for line in text)
        assert each.sizes or all(cell_width(line) <= width for line in text)
