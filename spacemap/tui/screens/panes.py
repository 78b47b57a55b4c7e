"""The panes beside the list: info, of three pages, and preview; they follow the cursor."""

from textual import on

from spacemap.tree.tree import Tree
from spacemap.tui.facts import Fact, Tab, links_of, size_facts
from spacemap.tui.jobs import Jobs, Measured, Previewed
from spacemap.tui.opening import Live
from spacemap.tui.preview import known_preview
from spacemap.tui.reading import Preview, steps_to
from spacemap.tui.screens.actions import SessionScreen
from spacemap.tui.subject import Setting, Subject
from spacemap.tui.widgets.info import InfoPane, entry_facts, link_facts, reason_facts, status_facts, stored_facts
from spacemap.tui.widgets.preview import PreviewPane

_ROOM_FOR_BOTH = 24
"""Lines from which on both panes are below the list; the wide screen has them in different places."""


class PaneScreen(SessionScreen):
    """Shows what is known of the entry under the cursor, asks the file system for the rest, and the file for its
    beginning."""

    def __init__(self, jobs: Jobs, subject: Subject, setting: Setting) -> None:
        super().__init__(jobs, subject, setting)
        self._tab = Tab.INFO
        self._told: tuple[Tree | None, bytes] = (None, b"")
        """The tree and the path that the facts are of."""
        self._status: list[Fact] = []
        """What the file system says of that path, or of a kept scan what that said."""
        self._previewed: tuple[Tree | None, bytes] = (None, b"")

    @property
    def _info(self) -> InfoPane:
        return self.query_one(InfoPane)

    @property
    def is_choosing_link(self) -> bool:
        """Whether keys that move are for the info pane."""
        return self.has_class("-informing") and self._info.can_focus

    def action_info(self) -> None:
        self._show_info(is_shown=not self.has_class("-informing"))

    def action_tab(self, tab: str) -> None:
        self._tab = Tab[tab]
        self._show_info(is_shown=True)

    def action_next_tab(self) -> None:
        if self.has_class("-informing"):
            tabs = list(Tab)
            self.action_tab(tabs[(tabs.index(self._tab) + 1) % len(tabs)].name)

    def action_preview(self) -> None:
        is_shown = not self.has_class("-previewing")
        self.set_class(is_shown, "-previewing")
        self._previewed = (None, b"")
        if is_shown and self.size.height < _ROOM_FOR_BOTH:
            self.remove_class("-informing")
        self.call_after_refresh(self.paint)

    def action_scroll_pane(self, lines: int) -> None:
        is_previewing = self.has_class("-previewing")
        (self.query_one(PreviewPane) if is_previewing else self._info).scroll_relative(y=lines, animate=False)

    def _show_info(self, *, is_shown: bool) -> None:
        self.set_class(is_shown, "-informing")
        self._told = (None, b"")
        if is_shown and self.size.height < _ROOM_FOR_BOTH:
            self.remove_class("-previewing")
        self.call_after_refresh(self.paint)

    @on(InfoPane.TabClicked)
    def show_tab(self, message: InfoPane.TabClicked) -> None:
        """Show the page that was clicked."""
        self.action_tab(message.tab.name)

    @on(InfoPane.Jumped)
    def jump(self, message: InfoPane.Jumped) -> None:
        """Go to another link of the entry."""
        self.here.show(message.entry)
        self.paint()

    def paint_panes(self) -> None:
        """Show what is known of the entry under the cursor, where a pane is open."""
        entry = self.here.current
        if entry is None:
            entry = self.here.place.directory
        now = (self.here.tree, self.here.tree.path(entry))
        if self.has_class("-informing") and not _is_same(self._told, now):
            is_live = isinstance(self.subject, Live)
            self._told, self._status = now, [] if is_live else stored_facts(self.here.snapshot, entry)
            self._show_facts(entry)
            if is_live and now[1]:
                self.jobs.measure(now[1])
        if self.has_class("-previewing") and not _is_same(self._previewed, now):
            self._previewed = now
            self._preview(entry, now[1])

    def _show_facts(self, entry: int) -> None:
        tree, units = self.here.tree, self.setting.writing.units
        match self._tab:
            case Tab.INFO:
                facts = [*entry_facts(self.here.snapshot, entry, units), *self._status]
            case Tab.LINKS:
                facts = link_facts(tree, entry)
            case Tab.SIZE:
                facts = [*size_facts(self.here, entry, units), *reason_facts(tree, entry)]
        self._info.show(self._tab, facts, links_of(tree, entry))

    def show_status(self, measured: Measured) -> None:
        """Show what the file system says of an entry, if it is still the one that is shown."""
        tree, path = self._told
        if path != measured.path or tree is not self.here.tree:
            return
        self._status = status_facts(measured.result)
        if self._tab is Tab.INFO:
            entry = self.here.current
            self._show_facts(self.here.place.directory if entry is None else entry)

    def _preview(self, entry: int, path: bytes) -> None:
        preview = known_preview(self.here, entry, is_kept=not isinstance(self.subject, Live))
        if preview is None:
            preview = Preview(path, "reading")
            self.jobs.preview(path, steps_to(self.here.tree, entry))
        self.query_one(PreviewPane).show(preview)

    def show_preview(self, previewed: Previewed) -> None:
        """Show what was read, if it is still what the cursor is on."""
        if self._previewed[1] == previewed.preview.path:
            self.query_one(PreviewPane).show(previewed.preview)


def _is_same(told: tuple[Tree | None, bytes], now: tuple[Tree, bytes]) -> bool:
    return told[0] is now[0] and told[1] == now[1]
