"""Other programs, started from the browser: a shell in a directory, and what opens a file."""

import os
import subprocess
import sys
from collections.abc import Mapping

from spacemap.errors import SpacemapError
from spacemap.render.text import display_name

_SHELLS = ("SPACEMAP_SHELL", "NCDU_SHELL", "SHELL")
_LEVELS = ("SPACEMAP_LEVEL", "NCDU_LEVEL")
"""How many shells deep a user is, so that a prompt can show it."""

_PATIENCE = 10.0
"""Seconds in which what cannot open a file says so."""


def run_shell(directory: bytes, environment: Mapping[str, str]) -> None:
    """Run a shell in a directory until its user leaves it. Raises SpacemapError."""
    shell = next((environment[name] for name in _SHELLS if environment.get(name)), "/bin/sh")
    _run([shell], directory, shell_environment(environment))


def shell_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a shell that was started from here."""
    return {**environment, **{name: str(_level(environment.get(name, "")) + 1) for name in _LEVELS}}


def open_with_its_program(path: bytes, environment: Mapping[str, str]) -> None:
    """Let the desktop open a path, and wait a moment for a failure. Raises SpacemapError."""
    program = "open" if sys.platform == "darwin" else "xdg-open"
    quiet = subprocess.DEVNULL
    try:
        # A session of its own: it outlives the browser, takes no signal meant for it, and cannot reach its terminal.
        process = subprocess.Popen(
            [program, path], stdin=quiet, stdout=quiet, stderr=quiet, env=dict(environment), start_new_session=True
        )
    except OSError as error:
        raise SpacemapError(f"{program} cannot be started: {error.strerror}; install it to open files") from error
    try:
        status = process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        return  # it has become the program that shows the file
    if status:
        raise SpacemapError(f"{program} found nothing to open {display_name(path)} with (status {status})")


def _run(command: list[str], directory: bytes, environment: Mapping[str, str]) -> None:
    try:
        subprocess.run(command, cwd=directory, env=environment, check=False)
    except OSError as error:
        where = display_name(os.fsencode(error.filename or command[0]))
        raise SpacemapError(f"{where}: {error.strerror}; SPACEMAP_SHELL names another shell") from error


def _level(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
