"""The application: one screen, its themes, the palette, and a clean end whatever ends it."""

import asyncio
import signal
import threading
from collections.abc import Iterable
from contextlib import suppress
from functools import partial

from textual import events
from textual.app import App, SystemCommand
from textual.screen import Screen

from spacemap.errors import SpacemapError
from spacemap.tui.jobs import Jobs
from spacemap.tui.keys import KEYS, TILE_KEYS, Key
from spacemap.tui.screens.browse import BrowseScreen
from spacemap.tui.subject import Outcome, Setting, Subject
from spacemap.tui.themes import DARK, LIGHT
from spacemap.tui.widgets.search import TypedLine

_SIGNALS = ("SIGTERM", "SIGHUP")


class Browser(App[Outcome | SpacemapError]):
    """Browses a subject; returns an outcome, or what kept it from being shown."""

    TITLE = "spacemap"
    CSS = """
    * { scrollbar-color: $panel; scrollbar-background: $surface; scrollbar-color-hover: $secondary; }
    Screen.-plain Toast { border: none !important; }
    Screen.-plain * { scrollbar-size-vertical: 0 !important; }
    """

    def __init__(self, jobs: Jobs, subject: Subject, setting: Setting) -> None:
        super().__init__()
        self.browsing = BrowseScreen(jobs, subject, setting)
        self._keys: tuple[Key, ...] = setting.keys
        for theme in (DARK, LIGHT):
            self.register_theme(theme)
        self.theme = setting.theme

    def on_mount(self) -> None:
        """Show the screen; let signals end the program as `q` does."""
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            for name in _SIGNALS:
                with suppress(AttributeError, NotImplementedError):
                    loop.add_signal_handler(getattr(signal, name), self.browsing.leave_now)
        self.set_keymap({key.name: key.keys for key in self._keys if key.keys and key not in (*KEYS, *TILE_KEYS)})
        self.push_screen(self.browsing)

    def on_key(self, event: events.Key) -> None:
        """Hand to a line what was typed after `/` or `f` and before that was obeyed: it went to the list."""
        if event.is_printable and isinstance(self.focused, TypedLine):
            event.prevent_default()
            self.focused.post_message(events.Key(event.key, event.character))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every key is in the palette, too, but those that only say where to."""
        yield from super().get_system_commands(screen)
        steps = {key.action for key in TILE_KEYS}
        for key in self._keys:
            if key.action not in steps and self.browsing.has_action(key.action.partition("(")[0]):
                title = f"{key.text[:1].upper()}{key.text[1:]}"
                yield SystemCommand(title, f"Key: {key.shown or 'none'}", partial(self.browsing.run_action, key.action))
