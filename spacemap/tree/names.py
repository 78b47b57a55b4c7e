r"""Names as text that can be turned back: `\` becomes `\\`, a byte that is not UTF-8 becomes `\xNN`."""

import re

_ESCAPE = re.compile(rb"\\(?:\\|x([0-9a-f]{2}))")


def name_to_text(name: bytes) -> str:
    r"""Return the reversible text of a raw name or path; plain UTF-8 without backslash is itself."""
    return name.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def text_to_name(text: str) -> bytes:
    """Return the raw bytes that `name_to_text` was given. Raises ValueError for text it cannot have made."""
    raw = text.encode("utf-8")
    if raw.count(b"\\") != sum(len(match[0]) if match[0] == b"\\\\" else 1 for match in _ESCAPE.finditer(raw)):
        raise ValueError(f"stray backslash in name {text!r}")
    return _ESCAPE.sub(_unescape, raw)


def _unescape(match: re.Match[bytes]) -> bytes:
    digits = match[1]
    return b"\\" if digits is None else bytes.fromhex(digits.decode())
