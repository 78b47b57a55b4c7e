"""Whole processes under a stopwatch: one run, and rounds of pairs whose ratios cancel the noise of the machine."""

import os
import pty
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


class CommandFailedError(Exception):
    """A command under measurement could not be started or ended with another exit code than 0."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something to run, and the name it has in the tables."""

    name: str
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a command took."""

    wall_s: float
    user_s: float
    system_s: float
    max_rss_bytes: int
    """Of the largest single process; never below that of this Python, which Linux carries over exec."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rounds of a subject against others. Keys are command names; one value per run or round."""

    runs: dict[str, list[Run]]
    ratios: dict[str, list[float]]
    """Wall time of the subject divided by that of the other, run back to back."""


@contextmanager
def spawned(command: Command, stdout: Path = Path(os.devnull), stderr: int | None = None) -> Iterator[int]:
    """The process id of `command`; its standard error goes to `stderr`, or aside and into the message of a failure.

    The body must wait for the process with `finish`.
    """
    with tempfile.TemporaryFile() as talk:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.fspath(stdout), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
            (os.POSIX_SPAWN_DUP2, talk.fileno() if stderr is None else stderr, 2),
        ]
        try:
            yield os.posix_spawnp(command.argv[0], command.argv, os.environ, file_actions=actions)
        except OSError as error:
            raise CommandFailedError(f"{command.name}: {error}") from error
        except CommandFailedError as error:
            talk.seek(0)
            said = talk.read(2000).decode(errors="backslashreplace").strip()
            raise CommandFailedError(f"{command.name}: {error}: {said}") from error


def finish(process: int, started: float) -> Run:
    """What the process took since `started` (seconds of `time.perf_counter`), after waiting for its end."""
    _, status, usage = os.wait4(process, 0)
    wall = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        raise CommandFailedError(f"ended with exit code {code}")
    return Run(wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024)


def run_once(command: Command, stdout: Path = Path(os.devnull), stderr: int | None = None) -> Run:
    """One run of `command`, from its start to its end."""
    started = time.perf_counter()
    with spawned(command, stdout, stderr) as process:
        return finish(process, started)


def run_pairs(
    subject: Command,
    others: Sequence[Command],
    rounds: int,
    runner: Callable[[Command], Run] = run_once,
    *,
    warm_up: int = 1,
) -> Pairs:
    """`rounds` measured rounds. In each, every other runs next to a fresh run of the subject.

    Which of a pair goes first alternates, and the others rotate, so that nobody always follows the same neighbour.
    """
    pairs = Pairs({command.name: [] for command in (subject, *others)}, {other.name: [] for other in others})
    for command in (subject, *others) * warm_up:
        runner(command)
    for number in range(rounds):
        shift = number % max(1, len(others))
        for place, other in enumerate((*others[shift:], *others[:shift])):
            show_progress(f"round {number + 1} of {rounds}: {other.name}")
            order = (subject, other) if (number + place) % 2 == 0 else (other, subject)
            walls = {}
            for command in order:
                run = runner(command)
                pairs.runs[command.name].append(run)
                walls[command.name] = run.wall_s
            pairs.ratios[other.name].append(walls[subject.name] / walls[other.name])
    return pairs


def run_rotating(commands: Sequence[Command], rounds: int, runner: Callable[[Command], Run] = run_once) -> Pairs:
    """One warm-up and `rounds` measured rounds of every command, in rotating order, without ratios."""
    pairs = Pairs({command.name: [] for command in commands}, {})
    for number in range(-1, rounds):
        shift = number % len(commands)
        for command in (*commands[shift:], *commands[:shift]):
            show_progress(f"round {number + 1} of {rounds}: {command.name}")
            run = runner(command)
            if number >= 0:
                pairs.runs[command.name].append(run)
    return pairs


def drop_caches() -> None:
    """Write out what is dirty and forget pages, directory entries and inodes. Needs root."""
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3")


def run_cold(command: Command) -> Run:
    """One run of `command` on cold caches; its own program file is cold as well."""
    drop_caches()
    return run_once(command)


@contextmanager
def drained_terminal() -> Iterator[int]:
    """A terminal to write to, whose other side reads everything and throws it away."""
    master, slave = pty.openpty()
    reader = threading.Thread(target=_drain, args=(master,))
    reader.start()
    try:
        yield slave
    finally:
        os.close(slave)
        reader.join()
        os.close(master)


def _drain(master: int) -> None:
    # Linux reports the last close of the other side as EIO.
    with suppress(OSError):
        while os.read(master, 65536):
            pass


def show_progress(text: str) -> None:
    """Say on a terminal what is being measured; silent elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
