"""What the numbers were measured on, in words that name no path and no host."""

import os
import platform
import re
from pathlib import Path


def describe_machine(place: Path) -> dict[str, str]:
    """Processor, cores, memory, kernel, load, Python, and the file system that holds `place`."""
    memory_kib = int(_first_match("/proc/meminfo", r"^MemTotal:\s*(\d+)") or 0)
    return {
        "processor": _first_match("/proc/cpuinfo", r"^model name\s*:\s*(.+)$") or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory_kib / 1024**2:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "file system": _file_system(place),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "load at the start": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def _first_match(path: str, pattern: str) -> str:
    """The first group of the first match in the file; empty without one."""
    found = re.search(pattern, Path(path).read_text(), re.MULTILINE)
    return found[1].strip() if found else ""


def _file_system(place: Path) -> str:
    """Type and mount options of the file system that holds `place`."""
    device = place.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, source = line.partition(" - ")
        fields = mount.split()
        if fields[2] == wanted:
            return f"{source.split()[0]} ({fields[5]})"
    return "unknown"
