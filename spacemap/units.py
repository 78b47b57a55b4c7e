"""The only place where sizes, counts, ages, durations, rates and shares become text, and come from it."""

import re
from enum import Enum

from spacemap.errors import UsageError


class Units(Enum):
    """How sizes are written."""

    IEC = "iec"
    """Powers of 1024: KiB, MiB."""
    SI = "si"
    """Powers of 1000: kB, MB."""
    BYTES = "bytes"
    """Every byte, with thousands separators."""


_IEC = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")
_SI = ("kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
# Compiled where they are used: compiling takes longer than importing all the rest.
_SIZE = r"\s*([0-9]+)(?:\.([0-9]*))?\s*(?:([kmgtpezy])(ib|b)?|b)?\s*"
_AGE = r"\s*([0-9]+)(?:\.([0-9]*))?\s*([a-z]+)\s*"

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_YEAR = 365 * _DAY
_AGE_UNITS = {"s": 1, "min": _MINUTE, "h": _HOUR, "d": _DAY, "w": 7 * _DAY, "mo": 30 * _DAY, "y": _YEAR}
_AGE_NAMES = ((_YEAR, "year"), (_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (1, "second"))


def format_size(size: int, units: Units) -> str:
    """Return a number of bytes with one decimal place: `1.5 GiB`, `1.6 GB`, `1,610,612,736 B`."""
    base, names = (1024, _IEC) if units is Units.IEC else (1000, _SI)
    if units is Units.BYTES or abs(size) < base:
        return f"{size:,} B"
    sign, size = ("-" if size < 0 else ""), abs(size)
    unit = 1
    for name in names:
        unit *= base
        tenths = (size * 20 + unit) // (unit * 2)
        # Rounded first: 1023.96 KiB is 1.0 MiB, never 1024.0 KiB.
        if tenths < base * 10 or name == names[-1]:
            return f"{sign}{tenths // 10:,}.{tenths % 10} {name}"
    raise AssertionError("unreachable")


def format_bound(size: int, units: Units) -> str:
    """Return a number of bytes as the boundary of a range: without a decimal place where it is a round one."""
    return format_size(size, units).replace(".0 ", " ")


def parse_size(text: str) -> int:
    """Return the bytes that a size such as `1.5G`, `64MiB`, `10kB` or `4096` means.

    A letter alone, or with `iB`, counts in 1024; with `B` in 1000. Parts of a byte are dropped.
    """
    match = re.fullmatch(_SIZE, text, re.IGNORECASE)
    if match is None:
        raise UsageError(f"{text!r} is not a size: write a number of bytes, or one with K, KiB or kB (M, G, T ...)")
    whole, decimals, letter, suffix = match.groups()
    decimals = decimals or ""
    power = "kmgtpezy".index(letter.lower()) + 1 if letter else 0
    base = 1000 if (suffix or "").lower() == "b" else 1024
    return int(whole + decimals) * int(base**power) // int(10 ** len(decimals))


def format_count(count: int) -> str:
    """Return a number with thousands separators."""
    return f"{count:,}"


def format_number(count: int, noun: str, plural: str | None = None) -> str:
    """Return a number and what it counts: `1 file`, `2,000 files`; the plural when adding `s` does not give it."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def format_percent(part: int, whole: int) -> str:
    """Return a share with one decimal place: `12.5%`; `<0.1%` for what would round to nothing."""
    if part <= 0 or whole <= 0:
        return "0.0%"
    permille = (part * 2000 + whole) // (whole * 2)
    return f"{permille // 10}.{permille % 10}%" if permille else "<0.1%"


def percent(part: int, whole: int) -> float:
    """Return a share in percent, with two decimal places; 0 of nothing."""
    return round(100 * part / whole, 2) if whole > 0 else 0.0


def format_duration(nanoseconds: int) -> str:
    """Return an elapsed time: `340 ms`, `2.5 s`, `3 min 05 s`, `2 h 05 min`."""
    milliseconds = max(nanoseconds, 0) // 1_000_000
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    seconds = milliseconds // 1000
    if seconds < _MINUTE:
        return f"{seconds}.{milliseconds % 1000 // 100} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min {seconds % _MINUTE:02} s"
    return f"{seconds // _HOUR:,} h {seconds % _HOUR // _MINUTE:02} min"


def format_rate(count: int, nanoseconds: int) -> str:
    """Return how many in a second: `412,000/s`; `-` before any time has passed."""
    return f"{count * 1_000_000_000 // nanoseconds:,}/s" if nanoseconds > 0 else "-"


def format_age(seconds: int) -> str:
    """Return an age in the largest unit that divides it, else in the largest that it reaches: `30 days`, `1 year`."""
    for unit, name in _AGE_NAMES:
        if seconds >= unit and seconds % unit == 0:
            return format_number(seconds // unit, name)
    for unit, name in _AGE_NAMES:
        if seconds >= unit:
            return format_number(seconds // unit, name)
    return "0 seconds"


def format_ago(seconds: int) -> str:
    """Return how long ago something was, in the largest unit that it reaches: `3 hours ago`, `just now`."""
    if seconds < 0:
        return "in the future"
    for unit, name in _AGE_NAMES:
        if unit >= _MINUTE and seconds >= unit:
            return f"{format_number(seconds // unit, name)} ago"
    return "just now"


def format_moment(nanoseconds: int) -> str:
    """Return a moment, nanoseconds since 1970, as local time to the minute: `2026-11-24 10:00`."""
    from datetime import datetime  # noqa: PLC0415  5 ms that a scan does not need

    return f"{datetime.fromtimestamp(nanoseconds // 1_000_000_000):%Y-%m-%d %H:%M}"


def parse_age(text: str) -> int:
    """Return the seconds that an age such as `30d`, `12h`, `2w`, `6mo` or `1y` means; a year has 365 days."""
    match = re.fullmatch(_AGE, text, re.IGNORECASE)
    unit = _AGE_UNITS.get(match[3].lower()) if match else None
    if match is None or unit is None:
        hint = "; m could be minutes (min) or months (mo)" if match and match[3].lower() == "m" else ""
        raise UsageError(f"{text!r} is not an age: write a number and s, min, h, d, w, mo or y, as in 30d{hint}")
    decimals = match[2] or ""
    return int(match[1] + decimals) * unit // int(10 ** len(decimals))
