"""docs/cli.md says what the parser says."""

from pathlib import Path

import pytest

from tests.docs.reference import reference


def test_cli_reference_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference in docs/ is the one that the parser makes now; `make docs` renews it."""
    monkeypatch.setenv("COLUMNS", "100")

    assert reference() == Path(__file__).parents[2].joinpath("docs/cli.md").read_text()
