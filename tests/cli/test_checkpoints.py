"""Checkpoints on the command line: kept, offered, continued by the very command that was printed."""

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from spacemap.store.log import read_log
from tests.conftest import remove
from tests.scan.processes import COMMAND, environment, finish, kill, run_python, spacemap, start_spacemap, wait_until
from tests.scan.specs import make_tree, wide_tree
from tests.scan.test_rescan import wait_until_settled
from tests.scan.test_terminal import INVISIBLE

EARLY = """
import os, sys
from spacemap.cli import automatic, main
automatic.SECONDS = float(sys.argv[1])
code = main.main(sys.argv[2:])
sys.stderr.flush()
os._exit(code)
"""
"""Begins the automatic checkpoint after other seconds than 60."""
SLOW = ("--engine", "python", "--threads", "1")
"""Makes a scan take long enough to be interrupted."""


@pytest.fixture(scope="module")
def settled(large_place: Path) -> Path:
    """Return a tree of 60,000 entries that nobody has touched for more than two seconds."""
    root = make_tree(large_place / "tree", wide_tree(1500, 40))
    wait_until_settled()
    return root


def _start_early(*words: str | Path, after: str = "0", **changes: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", EARLY, after, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**changes),
        start_new_session=True,
    )


def _has_frames(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 100_000


def _interrupted(process: subprocess.Popen[bytes], log: Path, number: signal.Signals = signal.SIGINT) -> str:
    """Interrupt a scan as soon as its checkpoint holds something; return what it said on stderr."""
    wait_until(lambda: _has_frames(log) or process.poll() is not None, "frames in the checkpoint")
    kill(process.pid, number)
    code, out, err = finish(process)
    assert (130, True) == (code, b"partial: the scan was interrupted" in out)
    return err.decode()


def _totals(output: bytes) -> str:
    """Return the totals of a summary."""
    return output.decode().splitlines()[1].partition(";")[0]


def _run_printed(err: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command that was printed, as a shell would."""
    (line,) = err.splitlines()
    command = line.removeprefix("spacemap: interrupted; to continue: ")
    assert command != line
    program, *words = shlex.split(command)
    assert program == "spacemap"
    return subprocess.run([*COMMAND, *words], capture_output=True, env=environment(), check=False, timeout=120)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_printed_command_continues(place: Path, settled: Path, number: signal.Signals) -> None:
    """After each signal the printed command gives what a whole scan gives, and the checkpoint is gone."""
    log = place / "scan of 'it'.log"
    words = ("--summary", "--exclude", "*7", settled)
    expected = _totals(spacemap(*words).stdout)
    err = _interrupted(start_spacemap(*SLOW, "--checkpoint", log, *words), log, number)

    result = _run_printed(err)

    assert (0, b"", expected) == (result.returncode, result.stderr, _totals(result.stdout))
    assert b"used at level verified" in result.stdout
    assert not log.exists()


def test_checkpoint_of_a_complete_scan(place: Path, settled: Path) -> None:
    """A complete scan leaves no checkpoint, and to continue it is an error that says so."""
    log = place / "log"
    expected = _totals(spacemap("--summary", settled).stdout)
    result = spacemap("--summary", "--checkpoint", log, settled)
    again = spacemap("--resume", log)

    assert (0, expected, False) == (result.returncode, _totals(result.stdout), log.exists())
    assert (2, b"") == (again.returncode, again.stdout)
    assert b"there is no such checkpoint: its scan is complete or never began" in again.stderr


def test_forms_of_resume(place: Path, settled: Path) -> None:
    """Without a PATH, roots and options come from the checkpoint; what is given must be the same, and is named."""
    log = place / "log"
    options = ("--exclude", "*7", "-x")
    expected = _totals(spacemap("--summary", *options, settled).stdout)
    _interrupted(start_spacemap(*SLOW, "--checkpoint", log, "--summary", *options, settled), log)
    kept = log.read_bytes()
    wrong = {
        "it is there already; continue it with --resume": ("--checkpoint", log, *options, settled),
        "is of a scan with other options: exclude (was ['*7'])": ("--resume", log, "-x", settled),
        "one_file_system (was True)": ("--resume", log, "--exclude", "*7"),
        f"is the checkpoint of a scan of '{settled}'": ("--resume", log, *options, place),
    }
    for message, words in wrong.items():
        result = spacemap("--summary", *words)

        assert (2, b"", 1) == (result.returncode, result.stdout, result.stderr.count(b"\n"))
        assert message in result.stderr.decode()
    for words in ([], ["--cached=fast", "--cache-dir", place / "cache"], [*options], [*options, settled]):
        log.write_bytes(kept)
        result = spacemap("--summary", "--resume", log, *words)

        assert (0, b"", expected) == (result.returncode, result.stderr, _totals(result.stdout))
        assert (b"level fast" if words[:1] == ["--cached=fast"] else b"level verified") in result.stdout
        assert not log.exists()
    assert _totals(spacemap("--summary", "--cached=trust", *words, "--cache-dir", place / "cache").stdout) == expected


def test_not_a_checkpoint(place: Path, settled: Path) -> None:
    """An empty file, and one of something else, is refused with a line that says what it is."""
    (place / "empty").touch()
    (place / "other").write_text("something else")
    for name, status, message in (
        ("empty", 3, "the file is empty; begin the scan anew with --checkpoint"),
        ("other", 3, "it is not a checkpoint of spacemap"),
    ):
        for words in ([], [settled]):
            result = spacemap("--resume", place / name, *words)

            assert (status, b"", 1) == (result.returncode, result.stdout, result.stderr.count(b"\n"))
            assert message in result.stderr.decode()
    assert "something else" == (place / "other").read_text()
    assert 0 == spacemap("--checkpoint", place / "empty", settled).returncode


def test_one_scan_at_a_time(place: Path, settled: Path) -> None:
    """While a scan keeps a checkpoint no other one can have it; when it was killed the next one can."""
    log = place / "log"
    process = start_spacemap(*SLOW, "--checkpoint", log, settled)
    wait_until(lambda: _has_frames(log), "frames in the checkpoint")
    os.kill(process.pid, signal.SIGSTOP)
    result = spacemap("--resume", log)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()

    assert (2, b"") == (result.returncode, result.stdout)
    assert b"belongs to a scan that is running: wait for it, or end it\n" in result.stderr
    assert _totals(spacemap("--summary", settled).stdout) == _totals(spacemap("--summary", "--resume", log).stdout)


def test_automatic_checkpoint(place: Path, settled: Path) -> None:
    """A long scan keeps one by itself; the next says so and goes on; --resume takes it, by path or by file."""
    words = (*SLOW, "--summary", "--cache-dir", place)
    expected = _totals(spacemap("--summary", settled).stdout)
    process = _start_early(*words, settled)
    wait_until(lambda: any(map(_has_frames, place.glob("checkpoints/*.log"))), "an automatic checkpoint")
    (log,) = place.glob("checkpoints/*.log")
    err = _interrupted(process, log)
    kept = log.read_bytes()
    line = f"a scan of the same was interrupted just now; to continue that one: spacemap --resume {log} "

    following = spacemap("--summary", "--cache-dir", place, settled)
    assert (0, expected, kept) == (following.returncode, _totals(following.stdout), log.read_bytes())
    assert following.stderr.decode().startswith(f"spacemap: {line}")
    shared = ("--summary", "--cache-dir", place)
    for again in (None, ("--resume", *shared, settled), ("--resume", settled, *shared), (settled, *shared, "--resume")):
        log.write_bytes(kept)
        result = _run_printed(err) if again is None else spacemap(*again)

        assert (0, b"", expected) == (result.returncode, result.stderr, _totals(result.stdout))
        assert b"level verified" in result.stdout
        assert not log.exists()
    missing = spacemap("--resume", settled, "--cache-dir", place)
    assert (2, True) == (missing.returncode, b"no unfinished scan of" in missing.stderr)


def test_automatic_checkpoint_of_the_working_directory(place: Path, settled: Path) -> None:
    """--resume alone continues the scan of the directory that one is in; one with other options is named."""
    process = _start_early(*SLOW, "--cache-dir", place, "--summary", "-x", settled)
    wait_until(lambda: any(map(_has_frames, place.glob("checkpoints/*.log"))), "an automatic checkpoint")
    (log,) = place.glob("checkpoints/*.log")
    _interrupted(process, log)
    command = [*COMMAND, "--cache-dir", place, "--summary", "--resume"]
    run = {"cwd": settled, "env": environment(), "capture_output": True, "check": False, "timeout": 60}

    other = subprocess.run(command, **run)
    result = subprocess.run([*command, "-x"], **run)

    assert (2, b"") == (other.returncode, other.stdout)
    assert f"has other options than these; to continue it: spacemap --resume {log}\n" in other.stderr.decode()
    assert (0, b"") == (result.returncode, result.stderr)


def test_long_scan_replaces_the_old_checkpoint(place: Path, settled: Path) -> None:
    """A scan that takes long itself begins its checkpoint anew in the place of the old one, also of a damaged one."""
    words = (*SLOW, "--summary", "--cache-dir", place)
    process = _start_early(*words, settled)
    wait_until(lambda: any(map(_has_frames, place.glob("checkpoints/*.log"))), "an automatic checkpoint")
    (log,) = place.glob("checkpoints/*.log")
    _interrupted(process, log)
    log.write_bytes(b"damaged")
    process = _start_early(*words, settled)
    _interrupted(process, log)

    assert settled == Path(os.fsdecode(bytes.fromhex(read_log(log).facts["roots"][0])))
    assert 0 == spacemap("--resume", log, "--summary").returncode


def test_running_scan_keeps_its_checkpoint(place: Path, settled: Path) -> None:
    """While one scan keeps the automatic checkpoint, another of the same runs without, and says so."""
    words = (*SLOW, "--summary", "--cache-dir", place)
    first = _start_early(*words, settled)
    wait_until(lambda: any(map(_has_frames, place.glob("checkpoints/*.log"))), "an automatic checkpoint")
    os.kill(first.pid, signal.SIGSTOP)
    code, out, err = finish(_start_early(*SLOW, "--json", "--cache-dir", place, settled))
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    (note,) = json.loads(out)["scan"]["notes"]

    assert (0, b"") == (code, err)
    assert note.startswith("no checkpoint is kept any more: ")
    assert "belongs to a scan that is running" in note


@pytest.mark.parametrize("directory", ["/dev/null/x", "/dev/full"])
def test_cache_that_cannot_be_written(settled: Path, directory: str) -> None:
    """Where no checkpoint can be kept the scan goes on, and says why."""
    code, out, err = finish(_start_early(*SLOW, "--json", "--cache-dir", directory, settled))
    document = json.loads(out)
    (note,) = document["scan"]["notes"]

    assert (0, b"") == (code, err)
    assert json.loads(spacemap("--json", settled).stdout)["totals"] == document["totals"]
    assert note.startswith(f"no checkpoint is kept any more: '{directory}/checkpoints': cannot be made: ")


@pytest.mark.parametrize("option", [["--follow-symlinks"], ["--max-memory", "200M"], ["--cached=fast"]], ids=str)
def test_scans_without_a_checkpoint(place: Path, settled: Path, option: list[str]) -> None:
    """What cannot be resumed keeps no checkpoint, however long it takes."""
    words = ("--cache-dir", place / "cache", "--summary", settled)
    spacemap("--cached", *words)
    code, _, err = finish(_start_early(*SLOW, *option, *words))

    assert (0, b"", False) == (code, err, (place / "cache" / "checkpoints").exists())


def test_names_that_cannot_be_shown(tmpfs_place: Path) -> None:
    """Where a path is not printable, the printed command is the checkpoint alone, and it is enough."""
    root = make_tree(tmpfs_place / "\x1b[31m\u202e\udcff", wide_tree(1500, 40))
    log = tmpfs_place / "log"
    expected = _totals(spacemap("--summary", root).stdout)
    err = _interrupted(start_spacemap(*SLOW, "--summary", "--checkpoint", log, root), log)

    assert f"spacemap: interrupted; to continue: spacemap --resume {log}\n" == err
    result = spacemap("--summary", "--resume", log)
    assert (0, expected) == (result.returncode, _totals(result.stdout))
    odd = tmpfs_place / "log\x1b]0;x\x07"
    err = _interrupted(start_spacemap(*SLOW, "--summary", "--checkpoint", odd, root), odd)
    assert [] == INVISIBLE.findall(err)
    assert "the name of the file, which this terminal cannot show" in err
    remove(root)


def test_interrupt_before_anything_was_kept(place: Path, settled: Path) -> None:
    """A checkpoint that was begun and holds nothing yet is continued by scanning everything."""
    program = """
import os, signal, sys
from spacemap.cli import main
from spacemap.scan import run
begin = run._Scan._begin
def interrupt(*arguments):
    begin(*arguments)
    raise KeyboardInterrupt
run._Scan._begin = interrupt
code = main.main(sys.argv[1:])
sys.stderr.flush()
os._exit(code)
"""
    interrupted = run_python(program, "--checkpoint", place / "log", "--summary", settled)
    result = _run_printed(interrupted.stderr.decode())

    assert 130 == interrupted.returncode
    assert (0, _totals(spacemap("--summary", settled).stdout)) == (result.returncode, _totals(result.stdout))
    assert [] == os.listdir(place)


def test_terminal_that_was_closed(place: Path, settled: Path) -> None:
    """When the terminal goes, with SIGHUP, the checkpoint is kept, and nothing is said to nobody: status 130."""
    log = place / "log"
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *SLOW, "--progress", "--checkpoint", log, "--summary", settled],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(),
        start_new_session=True,
    ) as process:
        os.close(theirs)
        wait_until(lambda: _has_frames(log) or process.poll() is not None, "frames in the checkpoint")
        os.close(ours)
        kill(process.pid, signal.SIGHUP)

        assert 130 == process.wait(60)
    assert _totals(spacemap("--summary", settled).stdout) == _totals(spacemap("--summary", "--resume", log).stdout)


def test_output_without_room(settled: Path) -> None:
    """A report that cannot be written is one line and status 3, not a traceback."""
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            [*COMMAND, "--summary", settled],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            check=False,
            timeout=60,
        )

    expected = b"spacemap: the output cannot be written: No space left on device; make room for it\n"
    assert (3, expected) == (result.returncode, result.stderr)
