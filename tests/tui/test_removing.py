"""Removing through the browser: journeys on real files."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from spacemap.clean import Below, Journal, Method, Outcome, Plan, Removing, look_below, remove
from spacemap.clean.runs import read_runs
from spacemap.errors import SpacemapError
from spacemap.scan import scan
from spacemap.tui.screens.question import QuestionScreen
from spacemap.tui.screens.remove import RemoveScreen
from spacemap.tui.screens.stayed import StayedScreen
from spacemap.tui.subject import Outcome as Left
from spacemap.tui.widgets.choices import Choices
from tests.scan.processes import run_python
from tests.tui.browsing import (
    INVISIBLE,
    Browsing,
    Writing,
    browsing,
    press,
    screen_lines,
    screen_text,
    session_of,
    wait_for,
)
from tests.tui.removing import contents, journal_beside, mark, name_of, removable_tree, until, until_still


@pytest.fixture
def tree(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small directory tree, with the trash beside it."""
    return removable_tree(place, monkeypatch)


@pytest.fixture
def complaints(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is complained of; notes are not shown in tests."""
    told: list[str] = []
    monkeypatch.setattr("spacemap.tui.screens.actions.SessionScreen.complain", lambda _, error: told.append(str(error)))
    return told


def test_to_the_trash_and_back(tree: Path) -> None:
    """What is marked goes to the trash and out of the tree, and `U` brings it back into both."""
    before, sizes = contents(tree), scan([tree]).tree.totals.disk[0]

    async def journey() -> tuple[list[str], object, object, list[str], object]:
        async with browsing(tree, (160, 24), journal=journal_beside(tree)) as pilot:
            await mark(pilot, "docs", "c.mp3")
            await press(pilot, "d")
            await until(pilot, RemoveScreen)
            await press(pilot, "down", "enter")
            await until_still(pilot)
            await wait_for(pilot, lambda: not len(session_of(pilot).marks))
            gone, whole = sorted(contents(tree)), session_of(pilot).whole()
            expected = scan([tree]).tree.totals.disk[0]
            await press(pilot, "U")
            await until(pilot, QuestionScreen)
            told = screen_lines(pilot)
            await press(pilot, "down", "enter")
            await until_still(pilot)
            await wait_for(pilot, lambda: len(session_of(pilot).rows()) == 4)
            return gone, whole, expected, told, session_of(pilot).whole()

    gone, whole, expected, told, after = asyncio.run(journey())

    assert ["d.iso", "keep"] == gone
    assert expected == whole
    assert any(f"{tree}/docs" in line for line in told)
    assert before == contents(tree)
    assert sizes == after


def test_deleting_for_ever_takes_a_word(tree: Path) -> None:
    """A directory with something in it is deleted only after the word, or the number of entries, was typed."""

    async def journey(word: str) -> tuple[list[bool], list[str]]:
        async with browsing(tree, journal=journal_beside(tree)) as pilot:
            await mark(pilot, "docs")
            await press(pilot, "d")
            await until(pilot, RemoveScreen)
            await press(pilot, "down", "down", "enter")
            seen = [(tree / "docs").exists()]
            await press(pilot, *"yes", "enter")
            seen += [(tree / "docs").exists(), isinstance(pilot.app.screen, RemoveScreen)]
            await press(pilot, *word, "enter")
            await until_still(pilot)
            await wait_for(pilot, lambda: len(session_of(pilot).rows()) == 3)
            return seen, sorted(contents(tree))

    assert ([True, True, True], ["c.mp3", "d.iso", "keep"]) == asyncio.run(journey("delete"))


def test_a_single_file_is_deleted_by_choosing(tree: Path) -> None:
    """What is small is deleted without a word; a link that stays is told of, and its count follows."""

    async def journey() -> tuple[str, int]:
        async with browsing(tree, journal=journal_beside(tree)) as pilot:
            session = session_of(pilot)
            session.move_to(next(row for row in range(4) if name_of(pilot, row) == "c.mp3"))
            await press(pilot, "d")
            await until(pilot, RemoveScreen)
            told = screen_text(pilot)
            await press(pilot, "j", "j", "enter")
            await until_still(pilot)
            await wait_for(pilot, lambda: len(session.rows()) == 3)
            links = session.tree.links.link_count
            return told, len(links)

    told, links = asyncio.run(journey())

    assert "Remove c.mp3" in told
    assert "frees 0 B" in told
    assert "hard-linked elsewhere" in told
    assert not (tree / "c.mp3").exists()
    assert 0 == links


def test_what_changed_stays_and_is_told(tree: Path) -> None:
    """What is not what was scanned is told before, stays, and is listed with the reason; the rest goes."""

    async def journey() -> tuple[str, str, int]:
        async with browsing(tree, (160, 24), journal=journal_beside(tree)) as pilot:
            await mark(pilot, "keep", "d.iso")
            (tree / "keep").write_bytes(b"precious")
            await press(pilot, "d")
            await until(pilot, RemoveScreen)
            await wait_for(pilot, lambda: "comparing" not in screen_text(pilot))
            told = screen_text(pilot)
            await press(pilot, "down", "down", "enter")
            await until(pilot, StayedScreen)
            stayed = screen_text(pilot)
            await press(pilot, "escape")
            await until_still(pilot)
            await wait_for(pilot, lambda: len(session_of(pilot).rows()) == 3)
            return told, stayed, len(session_of(pilot).marks)

    told, stayed, marks = asyncio.run(journey())

    assert "1 changed since the scan" in told
    assert f"{tree}/keep" in stayed
    assert "modified since the scan" in stayed
    assert b"precious" == (tree / "keep").read_bytes()
    assert not (tree / "d.iso").exists()
    assert 1 == marks


def test_a_script_instead(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script is written where it was asked for, and nothing is removed."""
    monkeypatch.chdir(tree.parent)
    before = contents(tree)

    async def journey() -> None:
        async with browsing(tree, journal=journal_beside(tree)) as pilot:
            await mark(pilot, "keep")
            await press(pilot, "d")
            await until(pilot, RemoveScreen)
            await press(pilot, "down", "down", "down", "enter", "enter")
            await wait_for(pilot, lambda: (tree.parent / "remove.sh").exists())

    asyncio.run(journey())

    assert before == contents(tree)
    assert "'./keep'" in (tree.parent / "remove.sh").read_text()


class HeldRemoval:
    """A real removal that waits after its first report of progress until it is released."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.released = Event()
        monkeypatch.setattr("spacemap.tui.removal.remove", self._remove)

    def _remove(
        self,
        plan: Plan,
        method: Method,
        journal: Journal,
        on_progress: Callable[[Removing], None],
        is_cancelled: Callable[[], bool],
    ) -> Outcome:
        on_progress(Removing(0, 0, plan.tree.path(int(plan.entries[0]))))
        assert self.released.wait(60)
        return remove(plan, method, journal, on_progress, is_cancelled)


async def _begin_removal(pilot: Browsing) -> None:
    await mark(pilot, "docs", "keep")
    await press(pilot, "D")
    await until(pilot, RemoveScreen)
    await press(pilot, "down", "enter")
    await wait_for(pilot, lambda: pilot.app.browsing.removing is not None)


def test_a_removal_shows_progress_and_ends_when_told(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While something is removed that is shown, nothing is scanned and nothing else removed; Ctrl+C ends it."""
    held = HeldRemoval(monkeypatch)
    before = contents(tree)

    async def journey() -> tuple[list[str], bool]:
        async with browsing(tree, (120, 24), journal=journal_beside(tree)) as pilot:
            await _begin_removal(pilot)
            await press(pilot, "r", "R", "d", "U", "j", "i", "i")
            lines, is_scanning = screen_lines(pilot), pilot.app.browsing.jobs.is_scanning
            await press(pilot, "ctrl+c")
            held.released.set()
            await until_still(pilot)
            return lines, is_scanning

    lines, is_scanning = asyncio.run(journey())

    assert lines[0].endswith("removing")
    assert "0 entries  0 B  Ctrl+C stops" in lines[2]
    assert f"{tree}/" in lines[2]
    assert not is_scanning
    assert before == contents(tree)


def test_leaving_waits_for_what_is_at_hand(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`q` asks once more; then the removal is ended first, so that the journal knows how."""
    held = HeldRemoval(monkeypatch)

    async def journey() -> tuple[bool, object]:
        async with browsing(tree, journal=journal_beside(tree)) as pilot:
            await _begin_removal(pilot)
            await press(pilot, "q")
            runs = pilot.app.browsing.is_removing
            await press(pilot, "q")
            held.released.set()
            await wait_for(pilot, lambda: pilot.app.return_value is not None)
            return runs, pilot.app.return_value

    runs, outcome = asyncio.run(journey())
    told = list(read_runs(journal_beside(tree)().directory))

    assert runs
    assert isinstance(outcome, Left)
    assert [True] == [run.end["is_cancelled"] for run in told if run.end is not None]


def test_a_journal_that_cannot_be_written_keeps_everything(tree: Path, complaints: list[str]) -> None:
    """Without a journal nothing is removed, and that is told."""
    before = contents(tree)
    (tree.parent / "journal").write_text("a file")

    async def journey() -> None:
        async with browsing(tree, journal=journal_beside(tree)) as pilot:
            await mark(pilot, "keep")
            await press(pilot, "D")
            await until(pilot, RemoveScreen)
            await press(pilot, "down", "enter")
            await wait_for(pilot, lambda: complaints and not pilot.app.browsing.is_removing)

    asyncio.run(journey())

    assert [True] == ["journal" in complaint for complaint in complaints]

    assert before == contents(tree)


def test_a_removal_that_breaks_off(tree: Path, complaints: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the journal cannot be written any more in the middle, that is told, and rows follow what went."""

    def breaking_off(*arguments: object) -> Outcome:
        remove(*arguments)  # type: ignore[arg-type]
        raise SpacemapError("the journal is full")

    monkeypatch.setattr("spacemap.tui.removal.remove", breaking_off)

    async def journey() -> tuple[int, list[str], int]:
        async with browsing(tree, journal=journal_beside(tree)) as pilot:
            await mark(pilot, "docs", "keep")
            await press(pilot, "D")
            await until(pilot, RemoveScreen)
            await press(pilot, "down", "enter")
            await wait_for(pilot, lambda: complaints and len(session_of(pilot).rows()) == 2)
            await until_still(pilot)
            names = [name_of(pilot, row) for row in range(2)]
            return session_of(pilot).whole(), names, len(session_of(pilot).marks)

    whole, names, marks = asyncio.run(journey())

    assert ["the journal is full"] == complaints
    assert (scan([tree]).tree.totals.disk[0], ["d.iso", "c.mp3"], 0) == (whole, names, marks)


def test_a_script_never_replaces_a_file(tree: Path, complaints: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is taken is refused."""
    monkeypatch.chdir(tree.parent)
    (tree.parent / "remove.sh").write_text("mine")

    async def journey() -> None:
        async with browsing(tree, (120, 24), journal=journal_beside(tree)) as pilot:
            await press(pilot, "d")
            await until(pilot, RemoveScreen)
            await press(pilot, "down", "down", "down", "enter", "enter")
            await wait_for(pilot, lambda: complaints)

    asyncio.run(journey())

    assert ["remove.sh is there already; choose another name"] == complaints

    assert "mine" == (tree.parent / "remove.sh").read_text()


def test_what_may_not_go_is_told(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no plan takes is named with the reason, and where nothing is left there is nothing to choose."""
    monkeypatch.setenv("HOME", os.fspath(tree / "docs" / "deep"))

    async def journey() -> tuple[str, int]:
        async with browsing(tree, journal=journal_beside(tree)) as pilot:
            await mark(pilot, "docs")
            await press(pilot, "d")
            await until(pilot, RemoveScreen)
            return " ".join(screen_text(pilot).split()), pilot.app.screen.query_one(Choices).option_count

    text, choices = asyncio.run(journey())

    assert "docs stays: the home directory is in it" in text
    assert "Nothing goes" in text
    assert 1 == choices


def test_the_trash_itself_is_scanned_again(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the trash is below what is shown, what was moved is there at once."""
    monkeypatch.setenv("XDG_DATA_HOME", os.fspath(tree / "share"))

    async def journey() -> object:
        async with browsing(tree, journal=journal_beside(tree)) as pilot:
            await mark(pilot, "docs")
            await press(pilot, "D")
            await until(pilot, RemoveScreen)
            await press(pilot, "down", "enter")
            await wait_for(pilot, lambda: not len(session_of(pilot).marks))
            await until_still(pilot)
            return session_of(pilot).whole()

    whole = asyncio.run(journey())

    assert (tree / "share" / "Trash" / "files" / "docs").is_dir()
    assert scan([tree]).tree.totals.disk[0] == whole


def test_resize_storm(tree: Path) -> None:
    """From 200x60 to 1x1 and back with the basket, the questions and what is typed open: nothing breaks."""
    sizes = [(200, 60), (80, 24), (40, 10), (39, 9), (3, 2), (1, 1), (2, 60), (200, 1), (41, 11), (120, 30)]

    async def journey() -> str:
        async with browsing(tree, journal=journal_beside(tree)) as pilot:
            await press(pilot, "ctrl+a", "x")
            for key in ("", "d", "j", "j", "enter", "escape", "j", "j", "j", "enter"):
                await press(pilot, *([key] if key else ()))
                if key == "d":
                    await until(pilot, RemoveScreen)
                for width, height in sizes:
                    await pilot.resize_terminal(width, height)
                    assert (width, height) == pilot.app.size
            return screen_text(pilot)

    assert "Name of the script" in asyncio.run(journey())


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (200, 60)], ids=str)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_hostile_names(tree: Path, size: tuple[int, int], encoding: str) -> None:
    """No name is obeyed by a terminal or taken for markup in the basket, in a question, or where it is told of."""
    for name in ("\x1b]0;title\x07", "[bold]x[]", "\u202eabc", "宽" * 60, "a\nb"):
        (tree / name).write_text("x")

    async def journey() -> str:
        text = ""
        async with browsing(tree, size, journal=journal_beside(tree), writing=Writing(encoding=encoding)) as pilot:
            await press(pilot, "ctrl+a", "x")
            text += screen_text(pilot)
            for path in tree.iterdir():
                if path.is_file():
                    path.write_text("changed")
            await press(pilot, "d")
            await until(pilot, RemoveScreen)
            await wait_for(pilot, lambda: "comparing" not in screen_text(pilot))
            text += screen_text(pilot)
            await press(pilot, "pagedown", "pagedown")
            text += screen_text(pilot)
            await press(pilot, "down", "down", "enter", *"delete", "enter")
            await until(pilot, StayedScreen)
            return text + screen_text(pilot)

    text = asyncio.run(journey())

    assert [] == INVISIBLE.findall(text)
    assert encoding == "utf-8" or [] == [character for character in text if not character.isascii()]
    assert size == (40, 10) or "[bold]x[]" in text


def test_large_sums_are_made_beside(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes time to add up is added up by a job; until then it says so, and keys work."""
    monkeypatch.setattr("spacemap.tui.marks.LARGE", 1)

    async def journey() -> str:
        async with browsing(tree, journal=journal_beside(tree)) as pilot:
            await press(pilot, "ctrl+a")
            await wait_for(pilot, lambda: "frees" in screen_lines(pilot)[1])
            return screen_lines(pilot)[1]

    assert "4 marked frees" in asyncio.run(journey())


def test_looking_imports_nothing_that_removes() -> None:
    """The browser that only looks, or may only look, never imports what removes."""
    code = "import sys, spacemap.cli.commands.browse, spacemap.tui.app; print('spacemap.clean' in sys.modules)"

    assert b"False\n" == run_python(code).stdout


def test_changes_below_are_told_while_one_decides(tree: Path) -> None:
    """The dialog is there at once, on Cancel; what has changed deep in a directory, or is another's, follows."""

    async def journey() -> tuple[int | None, str]:
        async with browsing(tree, (160, 24), journal=journal_beside(tree)) as pilot:
            await mark(pilot, "docs")
            (tree / "docs/deep/b.py").write_bytes(b"precious")
            (tree / "docs/deep/new").write_bytes(b"")
            await press(pilot, "d")
            await until(pilot, RemoveScreen)
            await wait_for(pilot, lambda: "compared with the disk" in screen_text(pilot))
            return pilot.app.screen.query_one(Choices).highlighted, screen_text(pilot)

    highlighted, told = asyncio.run(journey())

    assert 0 == highlighted
    assert "! 1 directory and 1 file inside changed since the scan, or gone" in told
    assert "compared with the disk, and 5 entries inside" in told


def test_cancelling_ends_the_comparison(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison that gets no answer holds nobody up: the dialog tells how far it is, and Cancel ends both."""
    released, ended = Event(), Event()

    def slow(plan: Plan, user: int, on_progress: Callable[[int, int], None]) -> Below:
        on_progress(3, 5)
        assert released.wait(60)
        try:
            on_progress(4, 5)
        finally:
            ended.set()
        return look_below(plan, user, on_progress)

    monkeypatch.setattr("spacemap.tui.removal.look_below", slow)

    async def journey() -> tuple[str, int]:
        async with browsing(tree, (100, 24), journal=journal_beside(tree)) as pilot:
            await mark(pilot, "docs")
            await press(pilot, "d")
            await until(pilot, RemoveScreen)
            await wait_for(pilot, lambda: "3 of 5 inside" in screen_text(pilot))
            told = screen_text(pilot)
            await press(pilot, "enter")
            assert pilot.app.screen is pilot.app.browsing
            released.set()
            await wait_for(pilot, ended.is_set)
            await press(pilot, "d")
            await until(pilot, RemoveScreen)
            return told, len(session_of(pilot).marks)

    told, marks = asyncio.run(journey())

    assert "comparing with the disk: 3 of 5 inside" in told
    assert 1 == marks
    assert (tree / "docs").exists()


def test_removing_under_a_filter_says_so(tree: Path) -> None:
    """Where the filter hides some of what would go, the dialog says that it goes, too; a file alone hides nothing."""

    async def journey() -> list[bool]:
        seen = []
        async with browsing(tree, (100, 24), journal=journal_beside(tree)) as pilot:
            for text, name in (("ext:py", "docs"), ("ext:iso", "d.iso")):
                await press(pilot, "f", *["backspace"] * 10, *text, "enter")
                session = session_of(pilot)
                session.move_to(next(row for row in range(len(session.rows())) if name_of(pilot, row) == name))
                await press(pilot, "d")
                await until(pilot, RemoveScreen)
                seen.append("! with what the filter hides in it" in screen_text(pilot))
                await press(pilot, "escape")
        return seen

    assert [True, False] == asyncio.run(journey())
