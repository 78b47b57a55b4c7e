r"""Names made safe to show: whatever a terminal would obey, hide or misplace comes out as a visible escape."""

from functools import lru_cache

_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Printable by their category, and yet nothing to see."""


def display_name(name: bytes) -> str:
    r"""Return a name or path as one line of inert text; `\xNN` stands for a byte, `\uNNNN` for a character."""
    if name.isascii():
        return display_text(name.decode("ascii"))
    return display_text(name.decode("utf-8", "surrogateescape"))


def display_text(text: str) -> str:
    """Return text as one line of inert text; surrogates that stand for bytes are shown as these bytes."""
    if text.isascii() and text.isprintable() and text[:1] != " " and text[-1:] != " ":
        return text
    shown = "".join([character if _is_visible(character) else _escape(character) for character in text])
    inner = shown.lstrip(" ")
    leading = len(shown) - len(inner)
    stripped = inner.rstrip(" ")
    if shown and cell_width(stripped[:1]) == 0 and stripped:
        # A mark would combine with whatever stands before the name.
        stripped = _escape(stripped[0]) + stripped[1:]
    return "\\x20" * leading + stripped + "\\x20" * (len(inner) - len(stripped) if inner else 0)


def encodable(text: str, encoding: str) -> str:
    """Return the text with escapes for the characters that an encoding does not have."""
    return text.encode(encoding, "backslashreplace").decode(encoding)


def cell_width(text: str) -> int:
    """Return how many terminal cells displayed text takes."""
    return len(text) if text.isascii() else sum(map(character_width, text))


def shorten(text: str, cells: int, ellipsis: str = "…") -> str:
    """Return the text, or its beginning and end around an ellipsis, in at most so many cells."""
    if cell_width(text) <= cells:
        return text
    room = cells - cell_width(ellipsis)
    if room < 0:
        return _take(text, cells)
    # The end of a path tells more than its beginning.
    tail = _take(text[::-1], room - room // 2)[::-1]
    return _take(text, room - cell_width(tail)) + ellipsis + tail


def _take(text: str, cells: int) -> str:
    used = 0
    for index, character in enumerate(text):
        used += character_width(character)
        if used > cells:
            return text[:index]
    return text


def _is_visible(character: str) -> bool:
    is_selector = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    return character.isprintable() and character not in _BLANK and not is_selector


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


@lru_cache(4096)
def character_width(character: str) -> int:
    """Return how many cells a character takes: 0 for what combines with the one before."""
    if character.isascii():
        return 1
    from unicodedata import category, east_asian_width  # noqa: PLC0415  1 MB that ASCII names do not need

    if category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if east_asian_width(character) in {"W", "F"} else 1
