"""C sources built beside a harness of their own, with a sanitizer."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wno-sign-conversion")
SANITIZERS = ("address,undefined", "thread")


def build(place: Path, sanitizer: str, harness: Path, sources: Sequence[Path], *more: str) -> Path:
    """Return the program made of a harness and sources with a sanitizer; skips where there is none."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    (place / "empty.c").write_text("int main(void) { return 0; }\n")
    options = ["-std=c11", "-g", "-O1", "-pthread", "-fno-omit-frame-pointer", f"-fsanitize={sanitizer}"]
    options += ["-fno-sanitize-recover=all", *more]
    trial = subprocess.run([compiler, *options, place / "empty.c", "-o", place / "empty"], check=False)
    if trial.returncode or subprocess.run([place / "empty"], check=False).returncode:
        pytest.skip(f"no -fsanitize={sanitizer} here")
    command = [compiler, *options, *WARNINGS, f"-I{sources[0].parent}", harness, *sources, "-o", place / "harness"]
    result = subprocess.run(command, capture_output=True, check=False)
    assert (0, b"") == (result.returncode, result.stderr)
    return place / "harness"
