"""Real processes: the command line as a child, its workers, and conditions waited for."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "spacemap")
AS_OTHER_USER = ("setpriv", "--reuid", "65534", "--clear-groups")
Word = str | bytes | Path


def environment(**changes: str) -> dict[str, str]:
    """Return the environment of a child that finds this checkout, nobody's configuration and nobody's cache."""
    return {
        **os.environ,  # noqa: TID251 - a child's environment begins with ours
        "PYTHONPATH": str(REPOSITORY),
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "XDG_CONFIG_HOME": "/nonexistent",
        "XDG_CACHE_HOME": "/dev/null/nowhere",
        **changes,
    }


def spacemap(*words: Word, cwd: Path | None = None, **changes: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command line to its end."""
    command, environ = [*COMMAND, *words], environment(**changes)
    return subprocess.run(command, capture_output=True, env=environ, check=False, timeout=120, cwd=cwd)


def start_spacemap(*words: Word, **changes: str) -> subprocess.Popen[bytes]:
    """Start the command line in a process group of its own."""
    return subprocess.Popen(
        [*COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**changes),
        start_new_session=True,
    )


def run_python(program: str, *words: Word, **changes: str) -> subprocess.CompletedProcess[bytes]:
    """Run a Python program given as text."""
    command = [sys.executable, "-c", program, *words]
    return subprocess.run(command, capture_output=True, env=environment(**changes), check=False, timeout=120)


def children(pid: int) -> list[int]:
    """Return the living children of a process; empty when it is gone."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        text = " ".join(Path(f"/proc/{pid}/task/{task}/children").read_text("ascii") for task in tasks)
    except OSError:
        return []
    return [child for child in map(int, text.split()) if state(child) not in ("", "Z")]


def state(pid: int) -> str:
    """Return the letter that the kernel has for the state of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
    except OSError:
        return ""


def is_alive(pid: int) -> bool:
    """Return whether a process still runs."""
    return state(pid) not in ("", "Z")


def wait_until(condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Wait for a condition; the test fails when it does not come."""
    deadline = time.monotonic() + seconds
    tick = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        tick.wait(0.002)


def kill(pid: int, number: signal.Signals) -> None:
    """Send a signal, unless the process has gone by itself."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def finish(process: subprocess.Popen[bytes], seconds: float = 60.0) -> tuple[int, bytes, bytes]:
    """Return the exit status, stdout and stderr of a child that ends by itself."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return process.returncode, out, err


def in_namespace(script: str, *words: Word) -> subprocess.CompletedProcess[bytes]:
    """Run a shell script in mount namespace of its own: what it mounts goes when it ends."""
    command = ["unshare", *(["-m"] if os.geteuid() == 0 else ["-rm"]), "sh", "-ec", script, "sh", *words]
    return subprocess.run(command, capture_output=True, env=environment(), check=False, timeout=120)


def as_other_user(place: Path) -> list[str]:
    """Return what to put before a command so that permissions hold for it, with a way to a directory of a test.

    Empty where they hold anyway.
    """
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("no program to become another user")
    for above in (place, *place.parents):
        if above.stat().st_uid == 0 and above.is_relative_to("/tmp"):
            above.chmod(above.stat().st_mode | 0o555)
    if not _can_other_users_run_python():
        pytest.skip("another user cannot load this interpreter: its library is in a directory that is closed to others")
    return [*AS_OTHER_USER]


@cache
def _can_other_users_run_python() -> bool:
    command = [*AS_OTHER_USER, sys.executable, "-c", ""]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def can_mount(kind: str = "tmpfs") -> bool:
    """Return whether a mount namespace can be made here, and something mounted in it."""
    options: Sequence[str] = ("-o", "lowerdir=/usr/bin:/usr/lib") if kind == "overlay" else ()
    return in_namespace(f'mount -t {kind} "$@" none /mnt', *options).returncode == 0
