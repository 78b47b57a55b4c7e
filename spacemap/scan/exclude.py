"""Exclusions: patterns compiled to one question a directory, asked before anything is measured or entered.

A pattern is a glob on the name, or, when it holds a `/`, on the path below the root. A trailing `/` means
directories only. `re:` begins a regular expression that is searched in the path below the root. In a glob `*` and
`?` stop at `/`, `**` does not, and `?` is one character even where it takes several bytes.
"""

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

from spacemap.errors import UsageError
from spacemap.scan.glob import glob_expression


class Verdict(IntEnum):
    """What is to be done with a name. The values are shared with `_listdir.h`."""

    KEEP = 0
    EXCLUDE = 1
    PRUNE = 2
    """A directory is measured and shown, not entered."""


class _PathRule(NamedTuple):
    expression: re.Pattern[bytes]
    directories_only: bool
    verdict: Verdict


class Exclusions:
    """The compiled patterns of one scan."""

    def __init__(self, exclude: Iterable[str], prune: Iterable[str]) -> None:
        names: dict[tuple[bytes, Verdict], list[bytes]] = {}
        self._path_rules: list[_PathRule] = []
        for pattern in prune:
            names.setdefault((b"d", Verdict.PRUNE), []).append(_translate(pattern.rstrip("/"), pattern))
        for pattern in exclude:
            text = pattern[:-1] if pattern.endswith("/") and not pattern.startswith("re:") else pattern
            is_directory = text is not pattern
            if not text.strip("/"):
                raise UsageError(f"exclusion {pattern!r} is empty: give a name, a path or re:EXPRESSION")
            if pattern.startswith("re:"):
                self._path_rules.append(
                    _PathRule(_expression(pattern), directories_only=False, verdict=Verdict.EXCLUDE)
                )
            elif "/" in text:
                glob = re.compile(rb"\A" + _translate(text.lstrip("/"), pattern) + rb"\Z", re.DOTALL)
                self._path_rules.append(_PathRule(glob, directories_only=is_directory, verdict=Verdict.EXCLUDE))
            else:
                kinds = b"d" if is_directory else b"[df]"
                names.setdefault((kinds, Verdict.EXCLUDE), []).append(_translate(text, pattern))
        self._name_rules = [
            (re.compile(rb"\0" + kinds + rb"(?:" + rb"|".join(globs) + rb")(?=\0)", re.DOTALL), verdict)
            for (kinds, verdict), globs in names.items()
        ]

    def __bool__(self) -> bool:
        return bool(self._name_rules or self._path_rules)

    def verdicts(self, directory: bytes, records: bytes) -> bytes | None:
        """Return one `Verdict` byte a name, or None when all are kept.

        `records` holds, for each name, NUL, `d` or `f`, the name; a NUL ends it. `directory` is below the root.
        """
        result: bytearray | None = None
        for number, verdict in self._matches(directory, records):
            if result is None:
                result = bytearray(records.count(b"\0") - 1)
            if result[number] != Verdict.EXCLUDE:
                result[number] = verdict
        return None if result is None else bytes(result)

    def _matches(self, directory: bytes, records: bytes) -> Iterator[tuple[int, Verdict]]:
        for expression, verdict in self._name_rules:
            number, counted = 0, 0
            for match in expression.finditer(records):
                number += records.count(b"\0", counted, match.start())
                counted = match.start()
                yield number, verdict
        if not self._path_rules:
            return
        prefix = directory + b"/" if directory else b""
        for number, record in enumerate(records[1:-1].split(b"\0")):
            for rule in self._path_rules:
                if rule.directories_only and not record.startswith(b"d"):
                    continue
                if rule.expression.search(prefix + record[1:]) is not None:
                    yield number, rule.verdict

    def would_enter(self, path: bytes) -> bool:
        """Return whether a scan descends into each directory of a path below the root."""
        parts = path.split(b"/") if path else []
        return all(
            self.verdicts(b"/".join(parts[:depth]), b"\0d" + name + b"\0") is None for depth, name in enumerate(parts)
        )


def read_patterns(text: str) -> tuple[str, ...]:
    """Return the patterns of a file: one a line; blank lines and lines that begin with `#` are passed over."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def _expression(pattern: str) -> re.Pattern[bytes]:
    try:
        return re.compile(pattern.removeprefix("re:").encode("utf-8", "surrogateescape"), re.DOTALL)
    except re.error as error:
        raise UsageError(f"exclusion {pattern!r} is not a regular expression: {error}") from error


def _translate(glob: str, pattern: str) -> bytes:
    if not glob:
        raise UsageError(f"exclusion {pattern!r} is empty: give a name, a path or re:EXPRESSION")
    return glob_expression(glob)
