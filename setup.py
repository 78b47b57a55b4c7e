"""The optional native engine. Everything else is in pyproject.toml.

SPACEMAP_NATIVE: auto (default; a failed build leaves the python engine), require, skip.
"""

import os
import sys
import sysconfig

from setuptools import Extension, setup

mode = os.environ.get("SPACEMAP_NATIVE", "auto")
if mode not in {"auto", "require", "skip"}:
    raise SystemExit(f"SPACEMAP_NATIVE={mode!r}: expected auto, require or skip")

free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
abi3 = sys.implementation.name == "cpython" and not free_threaded


def extension(name: str, *parts: str) -> Extension:
    folder = name.rpartition(".")[0].replace(".", "/")
    return Extension(
        name,
        sources=[f"{folder}/{part}.c" for part in (name.rpartition(".")[2], *parts)],
        depends=[f"{folder}/{part}.h" for part in parts],
        define_macros=[("Py_LIMITED_API", "0x030B0000")] if abi3 else [],
        py_limited_api=abi3,
        optional=mode == "auto",
        extra_compile_args=["-std=c11", "-O2", "-pthread", "-Wall", "-Wextra"]
        + (["-Werror"] if mode == "require" else []),
        extra_link_args=["-pthread"],
    )


natives = [
    extension("spacemap.scan._native", "_walk", "_listdir", "_batch", "_open", "_check", "_known"),
    extension("spacemap.tree._moves"),
    extension("spacemap.analyze._contents", "_partition", "_reading", "_xxh3"),
]
# statx, getdents64 and little-endian columns: Linux on the usual processors.
wanted = (
    mode != "skip" and sys.platform == "linux" and sys.byteorder == "little" and sys.implementation.name == "cpython"
)

setup(
    ext_modules=natives if wanted else [],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if wanted and abi3 else {},
)
