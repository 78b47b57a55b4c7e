"""What every scenario needs to know: the command under test, the peers, the trees and the number of rounds."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import make_tree
from make_tree import TreeSpec
from measure import Command, CommandFailedError, run_once, show_progress
from peers import Peer
from results import Results, Row, Target

KEPT = str(Path(__file__).with_name("kept.py"))
"""Makes snapshot files and checkpoints."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One invocation of the benchmark."""

    spacemap: tuple[str, ...]
    """The command under test, without arguments."""
    du: Peer
    ncdu: Peer | None
    gdu_tree: Peer | None
    """gdu in the mode that keeps the tree, for the comparison of memory."""
    others: tuple[Peer, ...]
    peer_directories: tuple[Path, ...]
    """Where other tools are looked for before PATH."""
    floor_program: Path
    place: Path
    """Holds the trees and what is built."""
    rounds: int
    cold_rounds: int
    million: TreeSpec
    small: TreeSpec
    huge: TreeSpec

    def tree(self, spec: TreeSpec) -> Path:
        """The root of the tree, made when it is not there yet."""
        show_progress(f"looking for the tree {spec.name}")
        return make_tree.tree_at(self.place, spec)[0]

    def scan(self, tree: Path, *options: str, name: str = "spacemap", engine: str = "native") -> Command:
        """The command under test on `tree`, with its report as JSON."""
        return Command(name, (*self.spacemap, str(tree), "--json", "--engine", engine, *options))

    def floor(self, tree: Path, threads: int = 2) -> Command:
        """The bare walker on `tree`."""
        name = "floor" if threads == 2 else f"floor, {threads} threads"
        return Command(name, (str(self.floor_program), str(tree), str(threads)))


def build_floor(place: Path) -> Path:
    """The program `floor`, compiled into `place`."""
    program = place / "floor"
    source = Path(__file__).with_name("floor.c")
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-pthread", str(source), "-o", str(program)], check=True)
    return program


def working(commands: Sequence[Command], results: Results) -> list[Command]:
    """Those that end with exit code 0; a remark for each of the others."""
    usable = []
    for command in commands:
        show_progress(f"trying {command.name}")
        try:
            run_once(command)
        except CommandFailedError as error:
            results.remarks.append(f"left out, since it failed: {error}")
        else:
            usable.append(command)
    return usable


def compare_totals(bench: Bench, tree: Path, results: Results) -> None:
    """Rows for spacemap against du, which must agree to the byte, and a remark for every tool that differs."""
    disk = _du(bench, tree)
    apparent = _du(bench, tree, "--apparent-size")
    with TemporaryDirectory(dir=bench.place) as directory:
        output = Path(directory) / "output"
        run_once(bench.scan(tree), output)
        own_disk, own_apparent = _own_totals(output)
        for what, difference in (
            ("disk_bytes - du", own_disk - disk),
            ("apparent_bytes - du --apparent-size", own_apparent - apparent),
        ):
            results.rows.append(Row("totals", what, "bytes", (float(difference),), Target(0, exact=True)))
        run_once(bench.floor(tree), output)
        floor_difference = int(output.read_text().split()[2]) - _du(bench, tree, "-l")
        if floor_difference:
            results.remarks.append(f"floor differs from `du -l` by {floor_difference:+,} bytes")
        for peer in filter(None, (*bench.others, bench.ncdu)):
            show_progress(f"total of {peer.kind.name}")
            if remark := _difference(peer, tree, output, disk):
                results.remarks.append(remark)


def _own_totals(output: Path) -> tuple[int, int]:
    """Disk usage and apparent size in bytes, as the command under test reports them."""
    try:
        totals = json.loads(output.read_bytes())["totals"]
        return int(totals["disk_bytes"]), int(totals["apparent_bytes"])
    except (json.JSONDecodeError, KeyError) as error:
        raise CommandFailedError(f"the JSON of the command under test has no totals: {error!r}") from error


def _difference(peer: Peer, tree: Path, output: Path, disk: int) -> str:
    """How the total of `peer` differs from `disk` bytes; empty when it does not."""
    try:
        run_once(peer.totals(tree), output)
    except CommandFailedError as error:
        return f"no total: {error}"
    difference = peer.kind.read_total(output) - disk
    counts = f" (counts {peer.kind.counts})" if peer.kind.counts else ""
    return f"{peer.kind.name} differs from `du` by {difference:+,} of {disk:,} bytes{counts}" if difference else ""


def _du(bench: Bench, tree: Path, *options: str) -> int:
    """Bytes that du says."""
    command: list[str | Path] = [bench.du.program, "-s", "--block-size=1", *options, tree]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0])
