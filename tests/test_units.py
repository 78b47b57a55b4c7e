"""Sizes, counts, ages, durations, rates and shares as text, and back."""

import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacemap.errors import UsageError
from spacemap.units import (
    Units,
    format_age,
    format_ago,
    format_bound,
    format_count,
    format_duration,
    format_moment,
    format_number,
    format_percent,
    format_rate,
    format_size,
    parse_age,
    parse_size,
    percent,
)


@pytest.mark.parametrize(
    ("size", "units", "text"),
    [
        (0, Units.IEC, "0 B"),
        (1023, Units.IEC, "1,023 B"),
        (1024, Units.IEC, "1.0 KiB"),
        (1536, Units.IEC, "1.5 KiB"),
        (1024**2 - 1, Units.IEC, "1.0 MiB"),
        (1024**3 * 3 // 2, Units.IEC, "1.5 GiB"),
        (2**63, Units.IEC, "8.0 EiB"),
        (2**65, Units.IEC, "32.0 EiB"),
        (1024**8 * 5000, Units.IEC, "5,000.0 YiB"),
        (-1536, Units.IEC, "-1.5 KiB"),
        (999, Units.SI, "999 B"),
        (1000, Units.SI, "1.0 kB"),
        (999_999, Units.SI, "1.0 MB"),
        (1_234_567, Units.BYTES, "1,234,567 B"),
    ],
)
def test_format_size(size: int, units: Units, text: str) -> None:
    """A size has one decimal place in the largest unit that keeps it at 1 or more, after rounding."""
    actual = format_size(size, units)

    assert text == actual


@given(st.integers(0, 2**70))
def test_format_size_is_near(size: int) -> None:
    """What a size reads as differs from it by at most half of the last decimal place."""
    number, unit = format_size(size, Units.IEC).split()
    scale = 1024 ** ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"].index(unit)

    assert abs(round(float(number.replace(",", "")) * 10) * scale - size * 10) <= scale / 2 + 1


def test_format_bound() -> None:
    """A boundary is written without a decimal place where it is a round number."""
    actual = [format_bound(1024**2, Units.IEC), format_bound(1536, Units.IEC)]

    assert ["1 MiB", "1.5 KiB"] == actual


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("4096", 4096),
        ("12b", 12),
        ("1k", 1024),
        ("1.5G", 1024**3 * 3 // 2),
        ("64MiB", 64 * 1024**2),
        ("10kB", 10_000),
        ("2 GB", 2_000_000_000),
        (" 1.0005kB ", 1000),
        ("3.T", 3 * 1024**4),
        ("1.5", 1),
    ],
)
def test_parse_size(text: str, size: int) -> None:
    """A letter alone or with iB counts in 1024, with B in 1000, and a part of a byte is dropped."""
    actual = parse_size(text)

    assert size == actual


@pytest.mark.parametrize("text", ["", "M", "-1", "1X", "1 2", "1.5.2", "1KiBB", "٣k", "0x10"])
def test_parse_size_refuses(text: str) -> None:
    """What is not a size is an error that quotes it and says what to write."""
    with pytest.raises(UsageError) as caught:
        parse_size(text)

    assert f"{text!r} is not a size: write a number of bytes, or one with K, KiB or kB (M, G, T ...)" == str(
        caught.value
    )


@given(st.integers(0, 2**80))
def test_sizes_round_trip(size: int) -> None:
    """A number of bytes is itself, whatever its size."""
    actual = parse_size(str(size))

    assert size == actual


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5min", 300), ("12h", 43_200), ("30d", 2_592_000), ("2W", 1_209_600), ("1.5 d", 129_600)]
    + [("6mo", 15_552_000), ("1y", 31_536_000)],
)
def test_parse_age(text: str, seconds: int) -> None:
    """An age is a number and a unit, a month 30 days and a year 365."""
    actual = parse_age(text)

    assert seconds == actual


@pytest.mark.parametrize("text", ["", "d", "30", "-1d", "1fortnight"])
def test_parse_age_refuses(text: str) -> None:
    """What is not an age is an error that quotes it and says what to write."""
    with pytest.raises(UsageError) as caught:
        parse_age(text)

    assert f"{text!r} is not an age: write a number and s, min, h, d, w, mo or y, as in 30d" == str(caught.value)


def test_parse_age_ambiguous_letter() -> None:
    """The letter m alone is refused with both of its meanings."""
    with pytest.raises(UsageError, match=r"m could be minutes \(min\) or months \(mo\)"):
        parse_age("5m")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 seconds"), (1, "1 second"), (3600, "1 hour"), (2_592_000, "30 days"), (31_536_000, "1 year")]
    + [(90_000, "25 hours"), (31_536_001, "31,536,001 seconds")],
)
def test_format_age(seconds: int, text: str) -> None:
    """An age is exact, in the largest unit that divides it."""
    actual = format_age(seconds)

    assert text == actual


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (-1, "0 ms"),
        (340_000_000, "340 ms"),
        (2_590_000_000, "2.5 s"),
        (185_000_000_000, "3 min 05 s"),
        (7_500_000_000_000, "2 h 05 min"),
    ],
)
def test_format_duration(nanoseconds: int, text: str) -> None:
    """A duration is written in the two units that matter."""
    actual = format_duration(nanoseconds)

    assert text == actual


def test_format_counts_and_rates() -> None:
    """Numbers have thousands separators, and one thing is not a plural."""
    actual = [format_count(1234567), format_number(1, "file"), format_number(2000, "entry", "entries")]
    actual += [format_rate(206_000, 500_000_000), format_rate(1, 0)]

    assert ["1,234,567", "1 file", "2,000 entries", "412,000/s", "-"] == actual


@pytest.mark.parametrize(
    ("part", "whole", "text", "number"),
    [
        (1, 8, "12.5%", 12.5),
        (0, 8, "0.0%", 0.0),
        (1, 10**9, "<0.1%", 0.0),
        (3, 0, "0.0%", 0.0),
        (8, 8, "100.0%", 100.0),
    ],
)
def test_percent(part: int, whole: int, text: str, number: float) -> None:
    """A share is a percentage, nothing of nothing is 0, and what is there is never written as 0.0%."""
    actual = format_percent(part, whole), percent(part, whole)

    assert (text, number) == actual


def test_units_import_is_light() -> None:
    """Formatting a size does not import numpy."""
    code = "import sys, spacemap.units, spacemap.cli.output; print('numpy' in sys.modules, 'rich' in sys.modules)"
    actual = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "False False\n" == actual


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "in the future"),
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (3 * 3600 + 59 * 60, "3 hours ago"),
        (86400, "1 day ago"),
        (800 * 86400, "2 years ago"),
    ],
)
def test_format_ago(seconds: int, text: str) -> None:
    """How long ago is told in the largest unit that it reaches."""
    assert text == format_ago(seconds)


def test_format_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A moment is local time to the minute."""
    with monkeypatch.context() as environment:
        environment.setenv("TZ", "UTC")
        time.tzset()
        actual = format_moment(1_700_000_000_123_000_000)
    time.tzset()

    assert "2023-11-14 22:13" == actual
