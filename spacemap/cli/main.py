"""The entry of the program: one place that turns failures into a line and an exit status."""

import gc
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from types import FrameType

from spacemap import __version__
from spacemap.cli import output
from spacemap.errors import ExitCode, SpacemapError

COMMANDS = {
    "engines": "spacemap.cli.commands.engines",
    "cache": "spacemap.cli.commands.cache",
    "journal": "spacemap.cli.commands.journal",
}
"""Words that are a command when they stand first; a directory of that name is `./engines`."""


def run() -> None:
    """Run the program and end the process."""
    # Most of what is made here lives to the end: looking for garbage in it only costs time.
    gc.disable()
    code = main(sys.argv[1:])
    with suppress(OSError):  # a terminal that was closed
        sys.stderr.flush()
    # Nothing is left to tidy: the kernel takes back a large tree faster than the interpreter does.
    os._exit(code)


def main(words: list[str]) -> int:
    """Run one command line and return the exit status."""
    # The columns need no linear algebra: its threads would cost memory and time at import.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _interrupt)
    try:
        return int(_command(words))
    except SpacemapError as error:
        output.complain(str(error))
        return int(error.exit_code)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(ExitCode.USAGE)
    except MemoryError:
        output.complain("out of memory; --max-memory SIZE folds small files so that a scan fits")
        return int(ExitCode.FAILURE)


def _command(words: list[str]) -> ExitCode:
    if words == ["--version"]:
        return _print_version()
    if words and words[0] in COMMANDS:
        code: ExitCode = import_module(COMMANDS[words[0]]).run(words[1:])
        return code
    from spacemap.cli.arguments import parse  # noqa: PLC0415 - argparse is not needed for the version

    arguments = parse(words)
    if arguments is None:
        return _print_version()
    if arguments.duplicates is not None:
        from spacemap.cli.commands import duplicates  # noqa: PLC0415 - most command lines do not ask for them

        return duplicates.run(arguments, arguments.duplicates)
    from spacemap.cli.commands import terminal  # noqa: PLC0415 - as above

    if terminal.is_wanted(arguments):
        from spacemap.cli.commands import browse  # noqa: PLC0415 - a report does not need it

        return browse.run(arguments)
    if arguments.is_stored:
        from spacemap.cli.commands import stored  # noqa: PLC0415 - a scan does not need it

        return stored.run(arguments)
    if arguments.earlier.resumes or arguments.earlier.checkpoint is not None:
        from spacemap.cli.commands import checkpointed  # noqa: PLC0415 - not for a plain scan

        return checkpointed.run(arguments)
    if arguments.earlier.level is not None:
        from spacemap.cli.commands import cached  # noqa: PLC0415 - as above

        return cached.run(arguments)
    from spacemap.cli.commands import scan  # noqa: PLC0415 - a wrong argument costs no more than its message

    return scan.run(arguments)


def _print_version() -> ExitCode:
    output.write_text(f"spacemap {__version__}\n")
    return ExitCode.COMPLETE


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    raise KeyboardInterrupt
