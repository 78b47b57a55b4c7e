"""The filter language: a text such as `size>1G type:video -name:*.log` read into conditions. Imports nothing heavy.

docs/filter.md describes it. What conditions there are is in `conditions`, what one means for the entries of a tree in
`matching`.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

from spacemap.analyze.conditions import FLAGS, KINDS, Condition, Either, Every, Not, Number, Pattern, Query, Words
from spacemap.errors import UsageError
from spacemap.units import parse_age, parse_size

MAX_DEPTH = 50
"""Parentheses within parentheses."""


def parse_query(text: str) -> Query:
    """Return what a text asks for. Raises UsageError: one line with the place in the text and what to do."""
    return Query(text.strip(), _Reader(text).whole())


def fail(position: int, message: str) -> NoReturn:
    """Raise the UsageError for what is at a position of a filter."""
    raise UsageError(f"filter, at {position}: {message}")


class _Value(NamedTuple):
    """What a term says of its key."""

    key: str
    operator: str
    """`:`, `=`, `<`, `<=`, `>` or `>=`."""
    text: str
    position: int


class _Term(NamedTuple):
    read: Callable[[_Value], Condition]
    example: str


def _size(value: _Value) -> Condition:
    return _range(value, _parsed(value, parse_size))


def _count(value: _Value) -> Condition:
    if not (value.text.isascii() and value.text.isdigit() and len(value.text) < 20):
        fail(value.position, f"{value.text!r} is not a number: write digits, as in {TERMS[value.key].example}")
    return _range(value, int(value.text))


def _age(value: _Value) -> Condition:
    if re.fullmatch(_DATE, value.text):
        fail(value.position, f"{value.text!r} is a date: write modified{value.operator}{value.text}")
    return _range(value, _parsed(value, parse_age))


def _modified(value: _Value) -> Condition:
    first, last = _period(value)
    match value.operator:
        case "<":
            return Number(value.key, None, first - 1)
        case "<=":
            return Number(value.key, None, last)
        case ">":
            return Number(value.key, last + 1, None)
        case ">=":
            return Number(value.key, first, None)
    return Number(value.key, first, last)


_DATE = r"(\d{4})(?:-(\d\d?)(?:-(\d\d?)(?:[T ](\d\d?):(\d\d))?)?)?"


def _period(value: _Value) -> tuple[int, int]:
    """Return the first and the last second of a year, month, day or minute in local time, since 1970."""
    from datetime import datetime, timedelta  # noqa: PLC0415  5 ms that almost no filter needs

    match = re.fullmatch(_DATE, value.text)
    if match is None:
        hint = f"; for an age write age{value.operator}{value.text}" if value.text[-1:].isalpha() else ""
        fail(value.position, f"{value.text!r} is no date: write 2026, 2026-11, 2026-11-24 or 2026-11-24T10:00{hint}")
    year, month, day, hour, minute = (None if part is None else int(part) for part in match.groups())
    try:
        begin = datetime(year or 0, month or 1, day or 1, hour or 0, minute or 0)
        if minute is not None:
            end = begin + timedelta(minutes=1)
        elif day is not None:
            end = begin + timedelta(days=1)
        elif month is not None:
            end = datetime(begin.year + begin.month // 12, begin.month % 12 + 1, 1)
        else:
            end = datetime(begin.year + 1, 1, 1)
        return int(begin.timestamp()), int(end.timestamp()) - 1
    except (ValueError, OverflowError):
        fail(value.position, f"{value.text!r} is in no calendar: write a date such as 2026-11-24")


def _range(value: _Value, number: int) -> Condition:
    match value.operator:
        case "<":
            return Number(value.key, None, number - 1)
        case "<=":
            return Number(value.key, None, number)
        case ">":
            return Number(value.key, number + 1, None)
        case ">=":
            return Number(value.key, number, None)
    return Number(value.key, number, number)


def _parsed(value: _Value, parse: Callable[[str], int]) -> int:
    try:
        return parse(value.text)
    except UsageError as error:
        fail(value.position, str(error))


def _type(value: _Value) -> Condition:
    # Which categories there are, the configuration says: `matching` compares.
    return _words(value, value.text.lower().split(","))


def _kind(value: _Value) -> Condition:
    words = value.text.lower().split(",")
    for word in words:
        _know(value, word, tuple(KINDS))
    return _words(value, [KINDS[word] for word in words])


def _flag(value: _Value) -> Condition:
    words = value.text.lower().split(",")
    for word in words:
        _know(value, word, FLAGS)
    return _words(value, words)


def _extension(value: _Value) -> Condition:
    words = [word.removeprefix(".") for word in value.text.split(",")]
    if not all(words) or any("/" in word for word in words):
        fail(value.position, f"{value.text!r} is no extension: write {TERMS[value.key].example}")
    return _words(value, words)


def _owner(value: _Value) -> Condition:
    # Which users there are, the machine of the scan says: `matching` looks them up.
    words = value.text.split(",")
    if not all(words):
        fail(value.position, f"{value.text!r} is no owner: write {TERMS[value.key].example}, or a number")
    return _words(value, words)


def _words(value: _Value, words: Sequence[str]) -> Condition:
    _only_equal(value)
    return Words(value.key, tuple(words), value.position)


def _know(value: _Value, word: str, known: Sequence[str]) -> None:
    if word not in known:
        fail(value.position, f"there is no {value.key} {word!r}; there are {', '.join(known)}")


def _name(value: _Value) -> Condition:
    _only_equal(value)
    expression = value.text.removeprefix("re:")
    if expression != value.text:
        try:
            re.compile(expression.encode("utf-8", "surrogateescape"))
        except (re.error, OverflowError, RecursionError) as error:
            fail(value.position, f"{expression!r} is not a regular expression: {error}")
    elif "/" in value.text:
        fail(value.position, f"a name holds no /: write path:{value.text}")
    return Pattern(value.key, expression, expression != value.text)


def _path(value: _Value) -> Condition:
    _only_equal(value)
    parts = value.text.strip("/").split("/")
    if value.text.startswith("re:"):
        fail(value.position, "path takes a glob, and only name a regular expression: write path:**/*.log")
    if not all(parts) or ".." in parts:
        fail(value.position, f"{value.text!r} is no path below the root: write {TERMS[value.key].example}")
    if any("**" in part and part != "**" for part in parts):
        fail(value.position, "** stands for whole directories: write path:a/**/b, or * within a name")
    return Pattern(value.key, value.text, is_expression=False)


def _only_equal(value: _Value) -> None:
    if value.operator not in ":=":
        fail(value.position, f"{value.key} is not compared: write {TERMS[value.key].example}")


TERMS = {
    "size": _Term(_size, "size>1G"),
    "disk": _Term(_size, "disk>1G"),
    "apparent": _Term(_size, "apparent>1G"),
    "age": _Term(_age, "age>90d"),
    "modified": _Term(_modified, "modified<2026-01-01"),
    "items": _Term(_count, "items>1000"),
    "links": _Term(_count, "links>1"),
    "type": _Term(_type, "type:video"),
    "kind": _Term(_kind, "kind:file"),
    "owner": _Term(_owner, "owner:root"),
    "name": _Term(_name, "name:*.log"),
    "ext": _Term(_extension, "ext:log,gz"),
    "path": _Term(_path, "path:**/cache/**"),
    "flag": _Term(_flag, "flag:hidden"),
}
"""The terms of the language by their keys, in the order in which they are told."""

_HEAD = re.compile(r"([A-Za-z]+)(?:(:)|\s*([<>]=?|=)\s*)")
_WORD = re.compile(r"[^\s()|]+")
_BLANKS = re.compile(r"\s*")


class _Reader:
    """Reads a text from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def whole(self) -> Condition:
        self._skip_blanks()
        if self._at == len(self._text):
            fail(1, f"it is empty: write terms, such as {TERMS['size'].example}")
        condition = self._either(0)
        if self._at < len(self._text):
            fail(self._at + 1, "nothing is open that this ) closes: leave it out, or quote it")
        return condition

    def _either(self, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            fail(self._at + 1, f"more than {MAX_DEPTH} parentheses within one another: write fewer")
        conditions = [self._every(depth)]
        while self._takes("|", "or"):
            conditions.append(self._every(depth))
        return conditions[0] if len(conditions) == 1 else Either(tuple(conditions))

    def _every(self, depth: int) -> Condition:
        conditions = [self._one(depth)]
        while True:
            is_asked = self._takes("", "and")
            if not is_asked and (self._at == len(self._text) or self._text[self._at] in "|)" or self._sees("or")):
                return conditions[0] if len(conditions) == 1 else Every(tuple(conditions))
            conditions.append(self._one(depth))

    def _one(self, depth: int) -> Condition:
        is_negated = False
        while self._takes("-", "not"):
            is_negated = not is_negated
        opened = self._at + 1
        if self._takes("(", ""):
            condition = self._either(depth + 1)
            if not self._takes(")", ""):
                fail(opened, "this ( is not closed: add )")
        else:
            condition = self._term()
        return Not(condition) if is_negated else condition

    def _term(self) -> Condition:
        begin, head = self._at, _HEAD.match(self._text, self._at)
        if head is None:
            word = _WORD.match(self._text, begin)
            if word is None or word[0].lower() in ("and", "or"):
                fail(begin + 1, f"a term is missing here: write one, such as {TERMS['size'].example}")
            hint = TERMS[word[0].lower()].example if word[0].lower() in TERMS else f"name:*{word[0]}*"
            fail(begin + 1, f"{word[0]!r} is no term by itself: write {hint}")
        key = head[1].lower()
        term = TERMS.get(key)
        if term is None:
            fail(begin + 1, f"there is no term {key!r}; there are {', '.join(TERMS)}")
        self._at = head.end()
        position = self._at + 1
        text = self._value()
        if not text:
            fail(position, f"{key} of what? Write {term.example}")
        self._skip_blanks()
        return term.read(_Value(key, head[2] or head[3], text, position))

    def _value(self) -> str:
        """Return the value that begins here: what is quoted, else all up to a blank, `|` or a `)` not opened in it."""
        text, begin = self._text, self._at
        if text[begin : begin + 1] in ('"', "'"):
            end = text.find(text[begin], begin + 1)
            if end < 0:
                fail(begin + 1, f"this {text[begin]} is not closed: add {text[begin]}")
            self._at = end + 1
            if self._at < len(text) and not (text[self._at].isspace() or text[self._at] in "()|"):
                fail(self._at + 1, "a quoted value ends here: quote the whole of it")
            return text[begin + 1 : end]
        opened = 0
        while self._at < len(text) and not text[self._at].isspace():
            character = text[self._at]
            if not opened and character in ")|":
                break
            opened += (character == "(") - (character == ")")
            self._at += 1
        return text[begin : self._at]

    def _takes(self, sign: str, word: str) -> bool:
        """Return whether a sign or a word stands here, and go behind it and what blanks follow."""
        length = 0
        if sign and self._text.startswith(sign, self._at):
            length = len(sign)
        elif word and self._sees(word):
            length = len(word)
        self._at += length
        if length:
            self._skip_blanks()
        return length > 0

    def _sees(self, word: str) -> bool:
        found = _WORD.match(self._text, self._at)
        return found is not None and found[0].lower() == word

    def _skip_blanks(self) -> None:
        blanks = _BLANKS.match(self._text, self._at)
        self._at = self._at if blanks is None else blanks.end()
