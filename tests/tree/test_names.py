"""Names as reversible text."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spacemap.tree.names import name_to_text, text_to_name


@given(name=st.binary(max_size=60))
@example(name=b"\\")
@example(name=b"\\x41")
@example(name=b"\\\\xff\xff")
@example(name=b"\xed\xa0\x80")
@example(name="e\u0301\u202e".encode())
def test_any_name_comes_back(name: bytes) -> None:
    """Text made of any bytes is turned back into these bytes."""
    assert name == text_to_name(name_to_text(name))


@given(name=st.text().filter(lambda text: "\\" not in text))
def test_plain_text_is_itself(name: str) -> None:
    """UTF-8 without a backslash is not changed."""
    assert name == name_to_text(name.encode())


@given(text=st.text(st.sampled_from("\\xf0aé"), max_size=12))
def test_text_has_one_meaning(text: str) -> None:
    """Text is refused, or is what its name is shown as, or an escape of what could stand for itself."""
    try:
        name = text_to_name(text)
    except ValueError:
        return

    assert name == text_to_name(name_to_text(name))


@pytest.mark.parametrize("text", ["\\", "\\x", "\\x4", "\\xG0", "\\n", "\\\\\\", "\\xFF"])
def test_stray_backslashes_are_refused(text: str) -> None:
    """A backslash that begins no escape is an error."""
    with pytest.raises(ValueError, match="stray backslash"):
        text_to_name(text)
