"""Removing through the browser: journeys on real files, and what no key may do."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from spacemap import clean
from spacemap.clean import Journal, Method, Outcome, Plan, Removing, remove
from spacemap.clean.runs import read_runs
from spacemap.scan import scan
from spacemap.scan.processes import prepare_processes
from spacemap.tree.snapshot import Snapshot
from spacemap.tui.keys import CHANGING, KEYS, OTHER_PROGRAMS
from spacemap.tui.screens.help import HelpScreen
from spacemap.tui.screens.question import CANCEL, Choices, QuestionScreen
from spacemap.tui.screens.remove import RemoveScreen
from spacemap.tui.screens.stayed import StayedScreen
from spacemap.tui.subject import Outcome as Left
from tests.scan.processes import run_python
from tests.trees import snapshot_of, tree_of
from tests.tui.browsing import Browsing, browsing, press, screen_lines, screen_text, session_of, wait_for

CHANGES = ["unlink", "remove", "rename", "replace", "renames", "truncate", "ftruncate", "rmdir", "removedirs", "link"]
ELSEWHERE = {"leave_program", "leave_here", "app.suspend_process", "shell", "open_externally"}
"""Actions that end the browser, or start what is not it."""


@pytest.fixture
def tree(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small directory tree, and let the trash be beside it."""
    monkeypatch.setenv("XDG_DATA_HOME", os.fspath(place / "data"))
    monkeypatch.setattr("spacemap.scan.processes._is_prepared", False)
    prepare_processes()
    files = {"docs/a.txt": 9000, "docs/deep/b.py": 5000, "c.mp3": 30000, "keep": 2000, "d.iso": 70000, "docs/z": 1}
    for name, size in files.items():
        path = place / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    os.link(place / "tree" / "c.mp3", place / "tree" / "docs" / "link.mp3")
    return place / "tree"


@pytest.fixture
def complaints(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is complained of; notes are not shown in tests."""
    told: list[str] = []
    monkeypatch.setattr("spacemap.tui.screens.actions.SessionScreen.complain", lambda _, error: told.append(str(error)))
    return told


def _journal(tree: Path) -> Callable[[], Journal]:
    return lambda: Journal(os.fspath(tree.parent / "journal"))


def _contents(root: Path) -> dict[str, tuple[int, int]]:
    return {os.fspath(path.relative_to(root)): (path.lstat().st_ino, path.lstat().st_size) for path in root.rglob("*")}


async def _until(pilot: Browsing, kind: type[object]) -> None:
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, kind))


async def _until_still(pilot: Browsing) -> None:
    """Wait until what was removed is gone from the tree."""
    browsing_ = pilot.app.browsing
    await wait_for(pilot, lambda: not browsing_.is_removing and not browsing_.jobs.is_scanning)


async def _back(pilot: Browsing) -> None:
    """Return to the rows, whatever was opened."""
    await _until_still(pilot)
    while pilot.app.screen is not pilot.app.browsing or pilot.app.focused.id == "search":
        await press(pilot, "escape")


async def _mark(pilot: Browsing, *names: str) -> None:
    session = session_of(pilot)
    for name in names:
        row = next(row for row in range(len(session.rows())) if _name(pilot, row) == name)
        session.move_to(row)
        await press(pilot, "space")


def _name(pilot: Browsing, row: int) -> str:
    session = session_of(pilot)
    entry = session.rows().entry(row)
    return "" if entry is None else session.tree.name(entry).decode()


def test_to_the_trash_and_back(tree: Path) -> None:
    """What is marked goes to the trash and out of the tree, and `U` brings it back into both."""
    before, sizes = _contents(tree), scan([tree]).tree.totals.disk[0]

    async def journey() -> tuple[list[str], object, object, list[str], object]:
        async with browsing(tree, (160, 24), journal=_journal(tree)) as pilot:
            await _mark(pilot, "docs", "c.mp3")
            await press(pilot, "d")
            await _until(pilot, RemoveScreen)
            await press(pilot, "down", "enter")
            await _until_still(pilot)
            await wait_for(pilot, lambda: not len(session_of(pilot).marks))
            gone, whole = sorted(_contents(tree)), session_of(pilot).whole()
            expected = scan([tree]).tree.totals.disk[0]
            await press(pilot, "U")
            await _until(pilot, QuestionScreen)
            told = screen_lines(pilot)
            await press(pilot, "down", "enter")
            await _until_still(pilot)
            await wait_for(pilot, lambda: len(session_of(pilot).rows()) == 4)
            return gone, whole, expected, told, session_of(pilot).whole()

    gone, whole, expected, told, after = asyncio.run(journey())

    assert ["d.iso", "keep"] == gone
    assert expected == whole
    assert any(f"{tree}/docs" in line for line in told)
    assert before == _contents(tree)
    assert sizes == after


def test_deleting_for_ever_takes_a_word(tree: Path) -> None:
    """A directory with something in it is deleted only after the word, or the number of entries, was typed."""

    async def journey(word: str) -> tuple[list[bool], list[str]]:
        async with browsing(tree, journal=_journal(tree)) as pilot:
            await _mark(pilot, "docs")
            await press(pilot, "d")
            await _until(pilot, RemoveScreen)
            await press(pilot, "down", "down", "enter")
            seen = [(tree / "docs").exists()]
            await press(pilot, *"yes", "enter")
            seen += [(tree / "docs").exists(), isinstance(pilot.app.screen, RemoveScreen)]
            await press(pilot, *word, "enter")
            await _until_still(pilot)
            await wait_for(pilot, lambda: len(session_of(pilot).rows()) == 3)
            return seen, sorted(_contents(tree))

    assert ([True, True, True], ["c.mp3", "d.iso", "keep"]) == asyncio.run(journey("delete"))


def test_a_single_file_is_deleted_by_choosing(tree: Path) -> None:
    """What is small is deleted without a word; a link that stays is told of, and its count follows."""

    async def journey() -> tuple[str, int]:
        async with browsing(tree, journal=_journal(tree)) as pilot:
            session = session_of(pilot)
            session.move_to(next(row for row in range(4) if _name(pilot, row) == "c.mp3"))
            await press(pilot, "d")
            await _until(pilot, RemoveScreen)
            told = screen_text(pilot)
            await press(pilot, "j", "j", "enter")
            await _until_still(pilot)
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
        async with browsing(tree, (160, 24), journal=_journal(tree)) as pilot:
            await _mark(pilot, "keep", "d.iso")
            (tree / "keep").write_bytes(b"precious")
            await press(pilot, "d")
            await _until(pilot, RemoveScreen)
            await wait_for(pilot, lambda: "comparing" not in screen_text(pilot))
            told = screen_text(pilot)
            await press(pilot, "down", "down", "enter")
            await _until(pilot, StayedScreen)
            stayed = screen_text(pilot)
            await press(pilot, "escape")
            await _until_still(pilot)
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
    before = _contents(tree)

    async def journey() -> None:
        async with browsing(tree, journal=_journal(tree)) as pilot:
            await _mark(pilot, "keep")
            await press(pilot, "d")
            await _until(pilot, RemoveScreen)
            await press(pilot, "down", "down", "down", "enter", "enter")
            await wait_for(pilot, lambda: (tree.parent / "remove.sh").exists())

    asyncio.run(journey())

    assert before == _contents(tree)
    assert "'./keep'" in (tree.parent / "remove.sh").read_text()


@pytest.mark.parametrize("keys", [("enter",), ("escape",), ("down", "up", "enter")], ids=str)
@pytest.mark.parametrize("key", ["d", "D", "U"])
def test_questions_begin_at_cancel(tree: Path, key: str, keys: tuple[str, ...]) -> None:
    """Whoever answers a question without having chosen anything changes nothing."""

    async def journey() -> tuple[object, bool]:
        async with browsing(tree, journal=_journal(tree)) as pilot:
            await press(pilot, "D")
            await _until(pilot, QuestionScreen)
            await press(pilot, "down", "enter")
            await _until_still(pilot)
            before = _contents(tree)
            await press(pilot, key)
            await _until(pilot, QuestionScreen)
            chosen = pilot.app.screen.query_one(Choices).highlighted_option.id
            await press(pilot, *keys)
            await wait_for(pilot, lambda: pilot.app.screen is pilot.app.browsing)
            return chosen, before == _contents(tree)

    assert (CANCEL, True) == asyncio.run(journey())


def _names(keys: str) -> list[str]:
    return keys.split(",")


ALL_KEYS = [name for key in KEYS if key.action not in ELSEWHERE for name in _names(key.keys)]


class Recorded:
    """Calls that would change files; none is carried out."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        for name in CHANGES:
            monkeypatch.setattr(os, name, self._recorder(name))

    def _recorder(self, name: str) -> Callable[..., None]:
        def record(*arguments: object, **_: object) -> None:
            self.calls.append(f"{name}{arguments}")

        return record


@pytest.mark.parametrize("marks", [(), ("docs", "keep")], ids=["unmarked", "marked"])
def test_no_key_changes_a_file(tree: Path, marks: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """No key by itself, and none that follows `d`, `D` or `U` at once, reaches a call that changes files."""
    before = _contents(tree)
    after_question = ["enter", "space", "y", "Y", "t", "d", "D", "U", "x", "delete", "tab", "j"]

    async def journey() -> list[str]:
        async with browsing(tree, journal=_journal(tree)) as pilot:
            await press(pilot, "D")
            await _until(pilot, QuestionScreen)
            await press(pilot, "escape")
            await _mark(pilot, *marks)
            recorded = Recorded(monkeypatch)
            for first, keys in ((), ALL_KEYS), ("d", after_question), ("D", after_question), ("U", after_question):
                for key in keys:
                    await press(pilot, *first, key)
                    await _back(pilot)
            monkeypatch.undo()
            return recorded.calls

    assert [] == asyncio.run(journey())
    assert before == _contents(tree)


@pytest.mark.parametrize("kind", ["kept", "read-only"])
def test_read_only_has_no_way_to_change_a_file(tree: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Browsing what is kept, or with --read-only, no key reaches what removes; help and header say so."""
    reached: list[str] = []
    for name in clean.__all__:
        monkeypatch.setattr(clean, name, lambda *_, name=name, **__: reached.append(name))
    subject: Path | Snapshot = tree if kind == "read-only" else snapshot_of(tree_of({"a": 1, "b": {"c": 1}}))

    async def journey() -> tuple[str, str, set[str]]:
        async with browsing(subject, (100, 70), journal=None) as pilot:
            header = screen_lines(pilot)[0]
            for key in ALL_KEYS:
                await press(pilot, key, "j", "enter")
                await _back(pilot)
            await press(pilot, "?")
            await _until(pilot, HelpScreen)
            browser = pilot.app.browsing
            absent = {name for name in CHANGING | OTHER_PROGRAMS if not browser.has_action(name)}
            return header, screen_text(pilot), absent

    header, help_, absent = asyncio.run(journey())

    assert [] == reached
    assert header.endswith("read-only")
    assert CHANGING | OTHER_PROGRAMS == absent
    assert [] == [key.text for key in KEYS if key.action in CHANGING and key.text in help_]


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
    await _mark(pilot, "docs", "keep")
    await press(pilot, "D")
    await _until(pilot, RemoveScreen)
    await press(pilot, "down", "enter")
    await wait_for(pilot, lambda: pilot.app.browsing.removing is not None)


def test_a_removal_shows_progress_and_ends_when_told(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While something is removed that is shown, nothing is scanned and nothing else removed; Ctrl+C ends it."""
    held = HeldRemoval(monkeypatch)
    before = _contents(tree)

    async def journey() -> tuple[list[str], bool]:
        async with browsing(tree, (120, 24), journal=_journal(tree)) as pilot:
            await _begin_removal(pilot)
            await press(pilot, "r", "R", "d", "U", "j", "i", "i")
            lines, is_scanning = screen_lines(pilot), pilot.app.browsing.jobs.is_scanning
            await press(pilot, "ctrl+c")
            held.released.set()
            await _until_still(pilot)
            return lines, is_scanning

    lines, is_scanning = asyncio.run(journey())

    assert lines[0].endswith("removing")
    assert "0 entries  0 B  Ctrl+C stops" in lines[2]
    assert f"{tree}/" in lines[2]
    assert not is_scanning
    assert before == _contents(tree)


def test_leaving_waits_for_what_is_at_hand(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`q` asks once more; then the removal is ended first, so that the journal knows how."""
    held = HeldRemoval(monkeypatch)

    async def journey() -> tuple[bool, object]:
        async with browsing(tree, journal=_journal(tree)) as pilot:
            await _begin_removal(pilot)
            await press(pilot, "q")
            runs = pilot.app.browsing.is_removing
            await press(pilot, "q")
            held.released.set()
            await wait_for(pilot, lambda: pilot.app.return_value is not None)
            return runs, pilot.app.return_value

    runs, outcome = asyncio.run(journey())
    told = list(read_runs(_journal(tree)().directory))

    assert runs
    assert isinstance(outcome, Left)
    assert [True] == [run.end["is_cancelled"] for run in told if run.end is not None]


def test_a_journal_that_cannot_be_written_keeps_everything(tree: Path, complaints: list[str]) -> None:
    """Without a journal nothing is removed, and that is told."""
    before = _contents(tree)
    (tree.parent / "journal").write_text("a file")

    async def journey() -> None:
        async with browsing(tree, journal=_journal(tree)) as pilot:
            await _mark(pilot, "keep")
            await press(pilot, "D")
            await _until(pilot, RemoveScreen)
            await press(pilot, "down", "enter")
            await wait_for(pilot, lambda: complaints and not pilot.app.browsing.is_removing)

    asyncio.run(journey())

    assert [True] == ["journal" in complaint for complaint in complaints]

    assert before == _contents(tree)


def test_a_script_never_replaces_a_file(tree: Path, complaints: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is taken is refused."""
    monkeypatch.chdir(tree.parent)
    (tree.parent / "remove.sh").write_text("mine")

    async def journey() -> None:
        async with browsing(tree, (120, 24), journal=_journal(tree)) as pilot:
            await press(pilot, "d")
            await _until(pilot, RemoveScreen)
            await press(pilot, "down", "down", "down", "enter", "enter")
            await wait_for(pilot, lambda: complaints)

    asyncio.run(journey())

    assert ["remove.sh is there already; choose another name"] == complaints

    assert "mine" == (tree.parent / "remove.sh").read_text()


def test_what_may_not_go_is_told(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no plan takes is named with the reason, and where nothing is left there is nothing to choose."""
    monkeypatch.setenv("HOME", os.fspath(tree / "docs" / "deep"))

    async def journey() -> tuple[str, int]:
        async with browsing(tree, journal=_journal(tree)) as pilot:
            await _mark(pilot, "docs")
            await press(pilot, "d")
            await _until(pilot, RemoveScreen)
            return " ".join(screen_text(pilot).split()), pilot.app.screen.query_one(Choices).option_count

    text, choices = asyncio.run(journey())

    assert "docs stays: the home directory is in it" in text
    assert "Nothing goes" in text
    assert 1 == choices


def test_the_trash_itself_is_scanned_again(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the trash is below what is shown, what was moved is there at once."""
    monkeypatch.setenv("XDG_DATA_HOME", os.fspath(tree / "share"))

    async def journey() -> object:
        async with browsing(tree, journal=_journal(tree)) as pilot:
            await _mark(pilot, "docs")
            await press(pilot, "D")
            await _until(pilot, RemoveScreen)
            await press(pilot, "down", "enter")
            await wait_for(pilot, lambda: not len(session_of(pilot).marks))
            await _until_still(pilot)
            return session_of(pilot).whole()

    whole = asyncio.run(journey())

    assert (tree / "share" / "Trash" / "files" / "docs").is_dir()
    assert scan([tree]).tree.totals.disk[0] == whole


def test_large_sums_are_made_beside(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes time to add up is added up by a job; until then it says so, and keys work."""
    monkeypatch.setattr("spacemap.tui.marks.LARGE", 1)

    async def journey() -> str:
        async with browsing(tree, journal=_journal(tree)) as pilot:
            await press(pilot, "ctrl+a")
            await wait_for(pilot, lambda: "frees" in screen_lines(pilot)[1])
            return screen_lines(pilot)[1]

    assert "4 marked frees" in asyncio.run(journey())


def test_looking_imports_nothing_that_removes() -> None:
    """The browser that only looks, or may only look, never imports what removes."""
    code = "import sys, spacemap.cli.commands.browse, spacemap.tui.app; print('spacemap.clean' in sys.modules)"

    assert b"False\n" == run_python(code).stdout
