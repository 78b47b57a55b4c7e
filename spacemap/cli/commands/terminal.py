"""Whether there is a terminal to browse on, and whether that is wanted."""

import os
import sys

from spacemap.cli.arguments import Arguments
from spacemap.errors import UsageError


def is_wanted(arguments: Arguments) -> bool:
    """Return whether to browse and not to report. Raises UsageError where that was asked for and cannot be."""
    if arguments.tui:
        if not (_is_terminal(sys.stdin) and _is_terminal(sys.stderr)):
            raise UsageError("--tui needs a terminal: stdin and stderr must be one, and TERM must not be dumb")
        return True
    return not arguments.reports and all(map(_is_terminal, (sys.stdin, sys.stdout, sys.stderr)))


def _is_terminal(stream: object) -> bool:
    isatty = getattr(stream, "isatty", None)
    return isatty is not None and isatty() and os.environ.get("TERM", "dumb") != "dumb"
