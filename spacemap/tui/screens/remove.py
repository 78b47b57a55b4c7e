"""The question before anything is removed: what goes, what comes free, what is odd about it, and how."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, Static

from spacemap.clean import Below, Inspection, Method
from spacemap.render.text import display_name, display_text
from spacemap.tui.cells import Piece, Writing
from spacemap.tui.proposal import Proposal
from spacemap.tui.screens.question import QuestionScreen
from spacemap.tui.tellings import Compared, Comparing, Inspected
from spacemap.tui.widgets.choices import Choices
from spacemap.units import format_count, format_number

CHOICES = {Method.TRASH: "Move to the trash", Method.DELETE: "Delete for ever"}
SCRIPT = "Write a shell script instead"
WORD = "delete"
SCRIPT_NAME = "remove.sh"
MOST_PATHS = 100
MOST_REFUSED = 5


@dataclass(frozen=True, slots=True)
class Script:
    """Remove nothing, but write down how to."""

    path: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What comparing with the disk has told so far."""

    inspection: Inspection | None = None
    """Of what is to be removed itself."""
    below: Below | None = None
    """Of what is in it."""
    progress: tuple[int, int] = (0, 0)
    """How many entries below were compared, of how many; 0: that has not begun."""


class RemoveScreen(QuestionScreen[Method | Script]):
    """Asks how to remove what is proposed; deleting much for ever takes a word that is typed."""

    DEFAULT_CSS = """
    RemoveScreen #asked { height: 1; }
    RemoveScreen Input { height: 1; border: none; padding: 0; background: $panel; }
    RemoveScreen Input:focus { border: none; background-tint: $foreground 0%; }
    RemoveScreen #asked, RemoveScreen Input { display: none; }
    """

    def __init__(
        self, proposal: Proposal, methods: Iterable[Method], writing: Writing, *, is_filtered: bool = False
    ) -> None:
        """With `is_filtered`, not all that would go is shown: that is told."""
        choices = [CHOICES[method] for method in methods]
        if len(choices) > 1:
            choices.append(SCRIPT)
        super().__init__(title_of(proposal, writing), writing, choices if len(proposal.entries) else ())
        self._proposal = proposal
        self._is_filtered = is_filtered
        self._seen = Seen()
        self._asks_for = ""
        """What was chosen and needs something to be typed."""
        self.tell(told_of(proposal, self._seen, writing, is_filtered=is_filtered))

    def more(self) -> ComposeResult:
        """The line to type in."""
        yield Static(id="asked", markup=False)
        yield Input(select_on_focus=False)

    def take(self, told: Inspected | Comparing | Compared) -> None:
        """Tell how what is to be removed differs from what was scanned, as far as that is known by now."""
        if told.proposal is not self._proposal:
            return
        match told:
            case Inspected(_, inspection):
                self._seen = replace(self._seen, inspection=inspection)
            case Comparing(_, compared, count):
                self._seen = replace(self._seen, progress=(compared, count))
            case Compared(_, below):
                self._seen = replace(self._seen, below=below)
        self.tell(told_of(self._proposal, self._seen, self._writing, is_filtered=self._is_filtered))

    def answer(self, choice: str) -> None:
        """Answer, or ask for a word or a name before."""
        if choice == SCRIPT:
            self._ask(choice, "Name of the script; Esc: back", SCRIPT_NAME)
        elif choice == CHOICES[Method.DELETE] and self._proposal.is_grave:
            count = format_count(self._proposal.total.entries)
            self._ask(choice, f"Type {count} or {WORD}; Esc: back", "")
        else:
            self.dismiss(Method.TRASH if choice == CHOICES[Method.TRASH] else Method.DELETE)

    def _ask(self, choice: str, question: str, value: str) -> None:
        self._asks_for = choice
        self.query_one("#asked", Static).update(self._writing.cut(question, self.size.width - 4))
        self.query_one("#title", Static).update(choice)
        line = self.query_one(Input)
        line.value = value
        line.cursor_position = len(value)
        self._set_typing(True)

    def _set_typing(self, is_typing: bool) -> None:  # noqa: FBT001 - both ways
        line, choices = self.query_one(Input), self.query_one(Choices)
        line.display = self.query_one("#asked", Static).display = is_typing
        choices.display = not is_typing
        choices.highlighted = 0
        self.set_focus(line if is_typing else choices)

    @on(Input.Submitted)
    def typed(self, message: Input.Submitted) -> None:
        """Answer if what was typed is what was asked for."""
        message.stop()
        text = message.value.strip()
        if self._asks_for == SCRIPT:
            if text:
                self.dismiss(Script(text))
        elif text.replace(",", "") in (WORD, str(self._proposal.total.entries)):
            self.dismiss(Method.DELETE)
        else:
            self.query_one(Input).value = ""
            self.app.bell()

    def action_cancel(self) -> None:
        """Leave the line, or the question."""
        if self.query_one(Input).display:
            self.query_one("#title", Static).update(self.title_text)
            self._set_typing(False)
        else:
            self.dismiss(None)


def title_of(proposal: Proposal, writing: Writing) -> str:
    """Return what is to be removed, in a few words."""
    entries = proposal.entries
    if len(entries) == 1:
        return f"Remove {writing.cut(display_name(proposal.plan.tree.name(int(entries[0]))), 60)}"
    return f"Remove {format_number(len(entries), 'marked entry', 'marked entries')}" if len(entries) else "Nothing goes"


def told_of(proposal: Proposal, seen: Seen, writing: Writing, *, is_filtered: bool = False) -> list[Piece]:
    """Return the lines about what is to be removed, and about how that was compared with the disk so far."""
    tree, total = proposal.plan.tree, proposal.total
    whole = format_number(total.entries, "entry", "entries")
    lines = [Piece(f"{whole}, {writing.amount(total.disk)}; frees {writing.amount(total.exclusive)}", "path")]
    if is_filtered and total.entries > len(proposal.entries):
        lines.append(Piece("! with what the filter hides in it", "alert"))
    lines += [Piece(f"! {text}", "alert") for text in oddities(proposal, writing)]
    lines += [Piece(f"! {text}", "alert") for text in differences(seen)]
    lines.append(Piece(f"  {comparison(seen)}", "faint"))
    lines += [Piece(f"  {display_name(tree.path(entry))}", "text") for entry in proposal.entries[:MOST_PATHS].tolist()]
    if len(proposal.entries) > MOST_PATHS:
        lines.append(Piece(f"  and {format_count(len(proposal.entries) - MOST_PATHS)} more", "faint"))
    return lines


def oddities(proposal: Proposal, writing: Writing) -> list[str]:
    """Return what is odd about what is to be removed, as far as the scan knows."""
    plan, total = proposal.plan, proposal.total
    odd = plan.oddities
    refused = plan.refusals[:MOST_REFUSED]
    result = [display_text(f"{display_name(plan.tree.path(each.entry))} stays: {each.reason}") for each in refused]
    if len(plan.refusals) > MOST_REFUSED:
        result.append(f"{format_count(len(plan.refusals) - MOST_REFUSED)} more stay")
    if total.shared:
        linked = format_number(odd.linked_elsewhere, "file is", "files are")
        result.append(f"{writing.amount(total.shared)} stay: {linked} hard-linked elsewhere")
    if odd.mounts:
        result.append(f"{format_number(odd.mounts, 'mount')} inside: what is mounted stays, and what it is in")
    if odd.unlisted:
        unlisted = format_number(odd.unlisted, "directory", "directories")
        result.append(f"{unlisted} inside not listed: deleting leaves them, the trash takes them")
    return result


def differences(seen: Seen) -> list[str]:
    """Return how what is to be removed differs from what was scanned, as far as it was compared."""
    result = []
    if seen.inspection is not None:
        counts = (
            (seen.inspection.changed, "changed since the scan, or gone: what is not as it was stays"),
            (seen.inspection.other_owner, "of another owner"),
        )
        result += [f"{format_count(count)} {what}" for count, what in counts if count]
    if seen.below is None:
        return result
    directories, files = seen.below.changed_directories, seen.below.changed_files
    parts = []
    if directories:
        parts.append(format_number(directories, "directory", "directories"))
    if files:
        parts.append(format_number(files, "file"))
    if parts:
        result.append(f"{' and '.join(parts)} inside changed since the scan, or gone: what is not as it was stays")
    if seen.below.other_owner:
        result.append(f"{format_number(seen.below.other_owner, 'entry', 'entries')} inside of another owner")
    return result


def comparison(seen: Seen) -> str:
    """Return how far comparing with the disk has come."""
    if seen.below is not None:
        inside = f", and {format_number(seen.below.entries, 'entry', 'entries')} inside" if seen.below.entries else ""
        return f"compared with the disk{inside}"
    compared, count = seen.progress
    return f"comparing with the disk{f': {format_count(compared)} of {format_count(count)} inside' if count else ''}"
