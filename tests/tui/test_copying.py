"""Paths on the clipboard: as they are where that is harmless, each on one line."""

import asyncio

import pytest

from spacemap.tui.copying import clipboard_text
from tests.trees import snapshot_of, tree_of
from tests.tui.browsing import browsing, press, said, session_of

SNAPSHOT = snapshot_of(tree_of({"a": {"x": 1, "y": 1}, "b": 1, "two\nlines": 1}))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (b"/a b/'c'", "/a b/'c'"),
        ("/é/名".encode(), "/é/名"),
        (b"/one\ntwo", "/one\\x0atwo"),
        (b"/\x1b[201~rm", "/\\x1b[201~rm"),
        (b"/\xff", "/\\xff"),
        ("/a\u2028b".encode(), "/a\\u2028b"),
    ],
    ids=["blanks and quotes", "letters", "line break", "escape sequence", "no text", "line separator"],
)
def test_a_path_is_one_line(path: bytes, text: str) -> None:
    """A path is copied as it is; what a shell would obey, or cannot be text, comes as an escape."""
    assert f"/\n{text}" == clipboard_text([path, b"/"])


def test_copying_one_and_all_that_is_marked() -> None:
    """`y` copies the path under the cursor, `Y` those of everything that is marked, and tells how many."""

    async def journey() -> tuple[list[str], str]:
        copied = []
        async with browsing(SNAPSHOT) as pilot:
            await press(pilot, "n", "y")
            copied.append(pilot.app.clipboard)
            await press(pilot, "Y")
            copied.append(pilot.app.clipboard)
            told = said(pilot)
            await press(pilot, "home", "space", "end", "space", "home", "enter", "j", "space", "Y")
            copied.append(pilot.app.clipboard)
            assert 3 == len(session_of(pilot).marks)
            return copied, told + said(pilot)

    copied, told = asyncio.run(journey())

    assert ["/root/a", "/root/a", "/root/a\n/root/a/x\n/root/two\\x0alines"] == copied
    assert "Nothing is marked" in told
    assert "Copied 3 paths" in told
    assert copied[0] == copied[1]


def test_too_many_are_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """More paths than a terminal takes are not copied in part: that is told instead."""
    monkeypatch.setattr("spacemap.tui.screens.actions.MOST_COPIED", 1)

    async def journey() -> tuple[str, str]:
        async with browsing(SNAPSHOT) as pilot:
            await press(pilot, "ctrl+a", "Y")
            return pilot.app.clipboard, said(pilot)

    clipboard, told = asyncio.run(journey())

    assert "" == clipboard
    assert "3 are marked, and no more than 1 paths are copied" in told
