"""Who compares contents: the part in C and the one in Python, one after the other."""

import pytest

from spacemap.analyze.contents import Engine, engine_of

NATIVE, PYTHON = "spacemap.analyze._contents", "spacemap.analyze._python_contents"


@pytest.fixture(params=[NATIVE, PYTHON], ids=["native", "python"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Let contents be compared by one of both."""
    try:
        found = engine_of(request.param)
    except ModuleNotFoundError:
        pytest.skip("the C part was not built")
    monkeypatch.setattr("spacemap.analyze.duplicates.load", lambda: found)
    return found
