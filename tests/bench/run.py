"""`make bench`: spacemap, the bare floor, du and the peers side by side on the same trees.

Environment: SPACEMAP is the command under test (default: the one beside this Python), SPACEMAP_PEERS the directories
with peers, separated like PATH; TMPDIR moves the default place of the trees.
Exit codes: 0 all limits kept, 1 a limit missed or not measured, 2 bad arguments.
"""

import argparse
import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import make_tree
from bench import Bench, build_floor
from machine import describe_machine
from measure import CommandFailedError, show_progress
from peers import DU, GDU_TREE, NCDU, OTHERS, Peer, PeerKind, find_peer
from report import as_markdown, as_text, write_raw
from results import Results
from scenarios import DEFAULT, SCENARIOS


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Measure what `arguments` ask for, print the tables, and return the exit code."""
    options = _parse(arguments, environment)
    options.work.mkdir(parents=True, exist_ok=True)
    results = Results()
    bench = _prepare(options, environment, results)
    machine = describe_machine(options.work)
    for name in options.only:
        show_progress(name)
        try:
            SCENARIOS[name](bench, results)
        except CommandFailedError as error:
            results.failed.append(name)
            results.remarks.append(f"{name}: ended early: {error}")
        except KeyboardInterrupt:
            results.failed.append(name)
            results.remarks.append(f"{name}: interrupted; what was measured before stands")
            break
    show_progress("")
    versions = {peer.kind.name: peer.version for peer in (bench.du, bench.ncdu, *bench.others) if peer is not None}
    print("\n".join(f"{key}: {value}" for key, value in (*machine.items(), *versions.items())), end="\n\n")
    print(as_text(results))
    if options.markdown:
        options.markdown.write_text(as_markdown(results, machine, versions))
    if options.raw:
        write_raw(options.raw, results, machine, versions)
    return int(not results.are_reached)


def _parse(arguments: Sequence[str], environment: Mapping[str, str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the files, two rounds: shows that it works")
    parser.add_argument(
        "--only", type=_scenario_names, default=DEFAULT, metavar="NAME,...", help=f"of: {', '.join(SCENARIOS)}"
    )
    parser.add_argument("--rounds", type=int, default=5, help="measured rounds (cold: at most 3)")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write a section for docs/benchmarks.md")
    parser.add_argument("--raw", type=Path, metavar="FILE", help="write every number as JSON")
    parser.add_argument(
        "--work",
        type=Path,
        default=make_tree.default_place(environment),
        metavar="DIR",
        help="place of the trees, on a real disk (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def _scenario_names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in SCENARIOS:
            raise argparse.ArgumentTypeError(f"no scenario {name!r}; there are {', '.join(SCENARIOS)}")
    return names


def _prepare(options: argparse.Namespace, environment: Mapping[str, str], results: Results) -> Bench:
    """Everything found and built; what is missing becomes a remark."""
    directories = [Path(name) for name in environment.get("SPACEMAP_PEERS", "").split(os.pathsep) if name]

    def find(kind: PeerKind) -> Peer | None:
        found = find_peer(kind, directories)
        if isinstance(found, Peer):
            return found
        results.remarks.append(found)
        return None

    du = find(DU)
    if du is None:
        raise SystemExit("run.py: du is missing, and everything is measured against it")
    rounds = min(2, options.rounds) if options.quick else options.rounds
    if options.quick:
        results.remarks.append("--quick: a tenth of the files and few rounds; these numbers prove nothing")
    return Bench(
        spacemap=_spacemap(environment),
        du=du,
        ncdu=find(NCDU),
        gdu_tree=find(GDU_TREE),
        others=tuple(peer for kind in OTHERS if (peer := find(kind))),
        peer_directories=tuple(directories),
        floor_program=build_floor(options.work),
        place=options.work,
        rounds=rounds,
        cold_rounds=min(rounds, 1 if options.quick else 3),
        million=make_tree.QUICK_MILLION if options.quick else make_tree.MILLION,
        small=make_tree.SMALL,
        huge=make_tree.QUICK_HUGE if options.quick else make_tree.HUGE,
    )


def _spacemap(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The command under test, checked to exist."""
    command = shlex.split(environment.get("SPACEMAP", "")) or [str(Path(sys.executable).with_name("spacemap"))]
    if shutil.which(command[0]) is None:
        raise SystemExit(f"run.py: {command[0]} is not there: install spacemap, or set SPACEMAP to its command")
    return tuple(command)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], os.environ))
