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


class Verdict(IntEnum):
    """What is to be done with a name. The values are shared with `_listdir.h`."""

    KEEP = 0
    EXCLUDE = 1
    PRUNE = 2
    """A directory is measured and shown, not entered."""


_CHARACTER = rb"(?:[\x01-.0-\x7f]|[\xc0-\xff][\x80-\xbf]*|[\x80-\xbf])"
"""One character of a name: ASCII but `/` and NUL, a whole UTF-8 sequence, or a stray byte."""


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
    """Return a glob as a regular expression over bytes, anchored at its begin only."""
    if not glob:
        raise UsageError(f"exclusion {pattern!r} is empty: give a name, a path or re:EXPRESSION")
    result = b""
    at = 0
    while at < len(glob):
        character = glob[at]
        if glob.startswith("**", at):
            # "a/**/b" also means "a/b".
            whole = glob.startswith("**/", at) and (at == 0 or glob[at - 1] == "/")
            result += rb"(?:[^\0]*/)?" if whole else rb"[^\0]*"
            at += 3 if whole else 2
        elif character == "*":
            result += rb"[^/\0]*"
            at += 1
        elif character == "?":
            result += _CHARACTER
            at += 1
        elif character == "[" and (end := _set_end(glob, at)):
            result += _translate_set(glob[at + 1 : end])
            at = end + 1
        else:
            result += re.escape(character.encode("utf-8", "surrogateescape"))
            at += 1
    return result


def _set_end(glob: str, start: int) -> int:
    """Return the place of the `]` that ends a set, or 0 where `[` is only itself."""
    at = start + 1
    if glob[at : at + 1] in ("!", "^"):
        at += 1
    end = glob.find("]", at + 1)
    return max(end, 0)


def _translate_set(inside: str) -> bytes:
    """Return `[...]` of a glob as alternatives, since a member may take several bytes."""
    negated = inside[0] in "!^"
    members = inside[1:] if negated else inside
    parts: list[bytes] = []
    at = 0
    while at < len(members):
        if members[at + 1 : at + 2] == "-" and at + 2 < len(members):
            parts += _translate_range(ord(members[at]), ord(members[at + 2]))
            at += 3
        else:
            parts.append(re.escape(members[at].encode("utf-8", "surrogateescape")))
            at += 1
    alternatives = rb"(?:" + rb"|".join(parts or [rb"(?!)"]) + rb")"
    return rb"(?!" + alternatives + rb")" + _CHARACTER if negated else alternatives


def _translate_range(low: int, high: int) -> Iterator[bytes]:
    """Yield expressions for the UTF-8 sequences of all characters from one to another."""
    for last in (0x7F, 0x7FF, 0xFFFF, 0x10FFFF):  # so many bytes are one, two, three, four
        if low <= min(last, high):
            yield _between(*(chr(code).encode("utf-8", "surrogatepass") for code in (low, min(last, high))))
            low = last + 1


def _between(low: bytes, high: bytes) -> bytes:
    """Return an expression for the byte sequences from one to another of the same length."""
    if low == high:
        return re.escape(low)
    if len(low) == 1:
        return b"[" + re.escape(low) + b"-" + re.escape(high) + b"]"
    if low[0] == high[0]:
        return re.escape(low[:1]) + _between(low[1:], high[1:])
    rest = len(low) - 1
    parts = [
        re.escape(low[:1]) + _between(low[1:], b"\xbf" * rest),
        re.escape(high[:1]) + _between(b"\x80" * rest, high[1:]),
    ]
    if low[0] + 1 < high[0]:
        parts.append(b"[" + bytes([low[0] + 1]) + b"-" + bytes([high[0] - 1]) + b"][\x80-\xbf]{%d}" % rest)
    return b"(?:" + b"|".join(parts) + b")"
