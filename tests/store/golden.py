"""The files of each format version that never change: `python -m tests.store.golden` writes those of a new one."""

from pathlib import Path

from spacemap.export.json_snapshot import write_json
from spacemap.store.schema import FORMAT_VERSION
from spacemap.store.snapshot import write_snapshot
from tests.store.samples import everything

FORMATS = Path(__file__).parents[2] / "fixtures" / "formats"
REPORT = b'{\n  "schema_version": 1\n}\n'


def make(place: Path) -> tuple[Path, Path]:
    """Write the sample snapshot in both forms and return the files."""
    blocks, text = place / f"v{FORMAT_VERSION}.smap", place / f"v{FORMAT_VERSION}.json"
    write_snapshot(blocks, everything())
    write_json(text, everything(), REPORT)
    return blocks, text


if __name__ == "__main__":
    make(FORMATS)
