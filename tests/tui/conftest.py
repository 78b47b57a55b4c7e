"""What many tests of the browser ask for by name."""

import pytest

from tests.tui.browsing import fresh_workers


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers be started as the browser starts them, in this test only."""
    fresh_workers(monkeypatch)
