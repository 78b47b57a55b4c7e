"""The other tools: where they are, how they are called, and how to read the total each one prints."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from measure import Command

PATH = "{path}"
"""Stands for the tree in the command lines below."""


@dataclass(frozen=True, slots=True)
class PeerKind:
    """A tool as we know it before looking for it."""

    name: str
    binaries: tuple[str, ...]
    """Names to look for on PATH and in the peer directories."""
    timed: tuple[str, ...]
    """Arguments of the measured run."""
    totals: tuple[str, ...]
    """Arguments of the run whose output `read_total` understands; none for a tool whose total is not compared."""
    read_total: Callable[[Path], int]
    """Bytes, from the file with the output of the `totals` run."""
    counts: str
    """What the total is meant to be; empty when it should equal that of du."""
    version: tuple[str, ...] = ("--version",)
    peer_directory_only: tuple[str, ...] = ()
    """Names that mean this tool only in a peer directory."""
    at_least: tuple[int, ...] = ()
    """Versions below this one are too old to compare with."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool found on this machine."""

    kind: PeerKind
    program: Path
    version: str

    def timed(self, tree: Path) -> Command:
        """The command to measure on `tree`."""
        return self._command(self.kind.timed, tree)

    def totals(self, tree: Path) -> Command:
        """The command whose output holds the total of `tree`."""
        return self._command(self.kind.totals, tree)

    def _command(self, arguments: Sequence[str], tree: Path) -> Command:
        filled = (str(tree) if argument == PATH else argument for argument in arguments)
        return Command(self.kind.name, (str(self.program), *filled))


def _first_number(output: Path) -> int:
    """The first number, with or without separators of thousands."""
    found = re.search(r"\d[\d,]*", output.read_text(errors="replace"))
    return int(found[0].replace(",", "")) if found else -1


def _last_line_number(output: Path) -> int:
    """The first number of the last line."""
    found = re.findall(r"^\D*(\d+)", output.read_text(errors="replace"), re.MULTILINE)
    return int(found[-1]) if found else -1


def _pdu_total(output: Path) -> int:
    return int(json.loads(output.read_bytes())["tree"]["size"])


def _rust_spacemap_total(output: Path) -> int:
    return int(json.loads(output.read_bytes())["totals"]["total_bytes"])


def _ncdu_total(output: Path) -> int:
    """The sum over an ncdu export, one entry a line, hard links once. Assumes one file system."""
    size = re.compile(rb'"dsize":(\d+)')
    link = re.compile(rb'"ino":(\d+)')
    seen: set[bytes] = set()
    total = 0
    with output.open("rb") as lines:
        for line in lines:
            found = size.search(line)
            inode = link.search(line)
            if found and not (inode and inode[1] in seen):
                total += int(found[1])
            if inode:
                seen.add(inode[1])
    return total


DU = PeerKind("du", ("du",), ("-s", PATH), (), _first_number, "")
NCDU = PeerKind(
    "ncdu",
    ("ncdu",),
    ("--ignore-config", "-0", "-t", "2", "-o", "/dev/null", PATH),
    ("--ignore-config", "-0", "-t", "2", "-o", "-", PATH),
    _ncdu_total,
    "",
    at_least=(2, 8),
)
GDU = PeerKind(
    "gdu",
    ("gdu", "gdu-go"),
    ("-n", "-p", "-c", "-s", PATH),
    ("-n", "-p", "-c", "-s", "--no-prefix", PATH),
    _first_number,
    "no directories themselves; with hard links it varies from run to run",
)
GDU_TREE = PeerKind(
    "gdu -o", ("gdu", "gdu-go"), ("-n", "-p", "-c", "-o", "/dev/null", PATH), (), _first_number, "the whole tree"
)
OTHERS = (
    GDU,
    PeerKind(
        "dua",
        ("dua",),
        ("aggregate", PATH),
        ("-f", "bytes", "aggregate", PATH),
        _last_line_number,
        "all but the root itself",
    ),
    PeerKind(
        "dust",
        ("dust",),
        ("-d", "0", "-P", "-c", "-b", PATH),
        ("-d", "0", "-P", "-c", "-b", "-o", "b", PATH),
        _first_number,
        "",
    ),
    PeerKind(
        "pdu",
        ("pdu",),
        ("--max-depth", "1", PATH),
        ("--max-depth", "1", "--json-output", PATH),
        _pdu_total,
        "hard links once per name",
    ),
    PeerKind("diskus", ("diskus",), (PATH,), (PATH,), _first_number, ""),
    PeerKind(
        "spacemap-rs",
        ("spacemap-rs",),
        ("--json", PATH),
        ("--json", PATH),
        _rust_spacemap_total,
        "apparent sizes of files only",
        version=("--help",),
        peer_directory_only=("spacemap",),
    ),
    PeerKind(
        "spacemap-rs --parallel",
        ("spacemap-rs",),
        ("--json", "--parallel", PATH),
        ("--json", "--parallel", PATH),
        _rust_spacemap_total,
        "apparent sizes of files only",
        version=("--help",),
        peer_directory_only=("spacemap",),
    ),
)


def find_peer(kind: PeerKind, directories: Sequence[Path]) -> Peer | str:
    """The tool from the first directory that has it, else from PATH; a sentence when it is missing or too old."""
    program = _program(kind, directories)
    if program is None:
        return f"{kind.name}: missing"
    version = _version(program, kind)
    numbers = tuple(int(part) for part in re.findall(r"\d+", version))
    if numbers < kind.at_least:
        return f"{kind.name}: missing ({version} is older than {'.'.join(map(str, kind.at_least))})"
    return Peer(kind, program, version)


def find_program(name: str, directories: Sequence[Path]) -> str | None:
    """The path of a program in the first directory that has it, else on PATH."""
    return shutil.which(name, path=os.pathsep.join([*map(str, directories), os.environ.get("PATH", os.defpath)]))


def _program(kind: PeerKind, directories: Sequence[Path]) -> Path | None:
    for directory in directories:
        for name in kind.binaries + kind.peer_directory_only:
            if (directory / name).is_file():
                return directory / name
    for name in kind.binaries:
        if found := shutil.which(name):
            return Path(found)
    return None


def _version(program: Path, kind: PeerKind) -> str:
    """The first dotted number that the tool prints about itself, "unknown" without one."""
    command: list[str | Path] = [program, *kind.version]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if found := re.search(rb"\d+(\.\d+)+", run.stdout + run.stderr):
        return found[0].decode()
    # The Rust spacemap has no --version, but carries the paths of its sources.
    if inside := re.search(rb"/spacemap-(\d+\.\d+\.\d+)/src/", program.read_bytes()):
        return inside[1].decode()
    return "unknown"
