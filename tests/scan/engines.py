"""The engines and numbers of requests that tests are repeated for, and what only root can try."""

import os

import pytest

from spacemap.scan.engine import engine_states
from spacemap.scan.options import EngineName

ENGINES = [
    pytest.param(state.name, id=state.name.value, marks=pytest.mark.skipif(bool(state.reason), reason=state.reason))
    for state in engine_states()
]
each_engine = pytest.mark.parametrize("engine", ENGINES)
each_thread_count = pytest.mark.parametrize("threads", [1, 2, 7], ids="threads={}".format)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
BUILT = [state.name for state in engine_states() if not state.reason]
QUICK = [engine for engine in BUILT if engine is not EngineName.SCANDIR_RS]
"""Those that list a tree in no more than a few times the time of the fastest."""
