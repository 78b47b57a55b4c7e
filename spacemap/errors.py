"""What stops a command: one class per exit code, each message says what, which, and what to do."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit status of the command line."""

    COMPLETE = 0
    INCOMPLETE = 1
    """Finished, with parts that could not be read."""
    USAGE = 2
    FAILURE = 3
    INTERRUPTED = 130


class SpacemapError(Exception):
    """A failure that ends the command with one line for the user."""

    exit_code = ExitCode.FAILURE


class UsageError(SpacemapError):
    """Arguments, options or configuration that cannot be used as given."""

    exit_code = ExitCode.USAGE


class ConfigError(UsageError):
    """A configuration file with an unknown key or a value of the wrong kind."""


class RootError(UsageError):
    """A path to scan that does not exist or cannot be looked at."""


class EngineError(SpacemapError):
    """A named engine that is not built here or cannot be loaded."""


class FormatError(SpacemapError):
    """Bytes that are not what their format promises."""
