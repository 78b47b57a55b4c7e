"""Names made safe to show."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from spacemap.render.text import cell_width, display_name, display_text, encodable, shorten


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"plain.txt", "plain.txt"),
        ("grün 日本 e\u0301.txt".encode(), "grün 日本 e\u0301.txt"),
        (b"[bold]x[/]", "[bold]x[/]"),
        (b"back\\slash", "back\\slash"),
        (b"bad\xff\x80", "bad\\xff\\x80"),
        (b"a\nb\tc\x00\x7f", "a\\x0ab\\x09c\\x00\\x7f"),
        (b"\x1b[31mred\x1b]52;c;eA==\x07", "\\x1b[31mred\\x1b]52;c;eA==\\x07"),
        ("c1\x85\x9b".encode(), "c1\\u0085\\u009b"),
        ("\u202eevil\u2066\u2069".encode(), "\\u202eevil\\u2066\\u2069"),
        ("zero\u200b\u200d\ufeff\u00ad".encode(), "zero\\u200b\\u200d\\ufeff\\u00ad"),
        ("line\u2028\u2029".encode(), "line\\u2028\\u2029"),
        ("\ue000\U000f0000".encode(), "\\ue000\\U000f0000"),
        ("\u0378\U000e0041".encode(), "\\u0378\\U000e0041"),
        ("nbsp\u00a0\u3000".encode(), "nbsp\\u00a0\\u3000"),
        ("blank\u3164\u2800\ufe0f".encode(), "blank\\u3164\\u2800\\ufe0f"),
        ("\u0301mark".encode(), "\\u0301mark"),
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
        (b"   ", "\\x20\\x20\\x20"),
        (b" a b ", "\\x20a b\\x20"),
        (b"", ""),
    ],
)
def test_display_name(name: bytes, shown: str) -> None:
    """What a terminal would obey, hide or misplace is shown as an escape; all else as it is."""
    actual = display_name(name)

    assert shown == actual


def test_display_text_of_arguments() -> None:
    """Bytes that came in as surrogates, and lone surrogates, are shown as escapes."""
    actual = display_text("a\udcff\ud800")

    assert "a\\xff\\ud800" == actual


@given(st.binary(max_size=60))
def test_display_name_is_inert(name: bytes) -> None:
    """No byte sequence makes a control, format, private or unassigned character appear."""
    actual = display_name(name)

    assert [] == [c for c in actual if c != " " and (unicodedata.category(c)[0] == "C" or c.isspace())]
    assert actual.strip() == actual


@given(st.text(max_size=40))
def test_cell_width_is_that_of_rich(text: str) -> None:
    """Displayed text takes as many cells here as in the tables, but for marks that only some terminals join."""
    shown = display_text(text)
    plain = "".join(c for c in shown if unicodedata.category(c) in {"Lu", "Ll", "Nd", "Po", "Ps", "Pe", "Sm"})

    assert cell_len(plain) == cell_width(plain)


@pytest.mark.parametrize(
    ("text", "cells", "shown"),
    [
        ("short", 5, "short"),
        ("abcdefgh", 5, "ab…gh"),
        ("abcdefgh", 6, "ab…fgh"),
        ("日本語の名前", 7, "日本…前"),
        ("日本語の名前", 12, "日本語の名前"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_shorten(text: str, cells: int, shown: str) -> None:
    """A text that is too wide keeps its beginning and, rather, its end."""
    actual = shorten(text, cells)

    assert shown == actual


@given(st.text(max_size=60), st.integers(0, 30), st.sampled_from(["…", "..."]))
def test_shorten_fits(text: str, cells: int, ellipsis: str) -> None:
    """A shortened text never takes more cells than it may."""
    actual = cell_width(shorten(display_text(text), cells, ellipsis))

    assert actual <= cells


def test_encodable() -> None:
    """Characters that an encoding lacks become escapes."""
    actual = encodable("grün 日", "latin-1")

    assert "grün \\u65e5" == actual
