"""`spacemap engines`: which engines can be used here, which one `auto` takes, and why not the others."""

from spacemap.cli import output
from spacemap.errors import ExitCode, UsageError
from spacemap.scan.engine import choose_engine, engine_states
from spacemap.scan.options import EngineName


def run(words: list[str]) -> ExitCode:
    """Print the state of every engine."""
    if words:
        raise UsageError(f"engines takes no arguments, but got {words[0]!r}")
    chosen = choose_engine(EngineName.AUTO)
    states = engine_states()
    width = max(len(state.name.value) for state in states)
    lines = [
        f"{state.name.value:<{width}}  {'no ' if state.reason else 'yes'}  "
        + ("auto takes it; " if state.name is chosen else "")
        + (f"not here: {state.reason}" if state.reason else state.remark)
        for state in states
    ]
    output.write_text("\n".join(lines) + "\n")
    return ExitCode.COMPLETE
