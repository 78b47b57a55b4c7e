"""Globs as regular expressions over the bytes of names: the language of exclusions and of filters.

`*` and `?` stop at `/`, `**` does not, and `?` is one character even where it takes several bytes.
"""

import re
from collections.abc import Iterator

_CHARACTER = rb"(?:[\x01-.0-\x7f]|[\xc0-\xff][\x80-\xbf]*|[\x80-\xbf])"
"""One character of a name: ASCII but `/` and NUL, a whole UTF-8 sequence, or a stray byte."""


def glob_parts(glob: str) -> Iterator[str]:
    """Yield the parts of a glob: `**/` where it stands for any directories, `**`, `*`, `?`, a set, or a character."""
    at = 0
    while at < len(glob):
        end = at + 1
        if glob.startswith("**", at):
            # "a/**/b" also means "a/b".
            end += 2 if glob.startswith("**/", at) and (at == 0 or glob[at - 1] == "/") else 1
        elif glob[at] == "[":
            end = _set_end(glob, at) + 1 or end
        yield glob[at:end]
        at = end


def part_expression(part: str) -> bytes:
    """Return one of the parts as a regular expression over bytes; it never matches a NUL."""
    match part:
        case "**/":
            return rb"(?:[^\0]*/)?"
        case "**":
            return rb"[^\0]*"
        case "*":
            return rb"[^/\0]*"
        case "?":
            return _CHARACTER
    if len(part) > 1:
        return _translate_set(part[1:-1])
    return re.escape(part.encode("utf-8", "surrogateescape"))


def glob_expression(glob: str) -> bytes:
    """Return a glob as a regular expression over bytes, with no anchor at either end."""
    return b"".join(map(part_expression, glob_parts(glob)))


def _set_end(glob: str, start: int) -> int:
    """Return the place of the `]` that ends a set, or -1 where `[` is only itself."""
    at = start + 1
    if glob[at : at + 1] in ("!", "^"):
        at += 1
    return glob.find("]", at + 1)


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
