"""A file system that hangs: `fuse.py POINT opendir|lookup COMMAND...`, in a mount namespace of root's.

It holds a file, an empty directory `well`, and a directory `stuck` that is never opened, or whose only entry is never
looked up. The command runs while it is mounted; its exit status is that of this program. Source: linux/fuse.h.
"""

import ctypes
import os
import select
import stat
import subprocess
import sys
from struct import Struct

REQUEST = Struct("<IIQQIIII")
ANSWER = Struct("<IiQ")
ATTRIBUTES = Struct("<QQQQQQIIIIIIIIII")
ENTRY = Struct("<QQQQII")
LOOKUP, FORGET, GETATTR, STATFS, INIT, OPENDIR, READDIR, INTERRUPT, BATCH_FORGET = 1, 2, 3, 17, 26, 27, 28, 36, 42
ROOT, STUCK, WELL, FILE, NEVER = 1, 2, 3, 4, 5
NAMES = {ROOT: {b"stuck": STUCK, b"well": WELL, b"file": FILE}, STUCK: {b"never": NEVER}, WELL: {}}
ENOENT, ENOSYS = 2, 38


def main() -> int:
    """Mount, serve while the command runs, and return its status."""
    point, hangs_at, *command = sys.argv[1:]
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", os.fsencode(point), b"fuse", 0, options) != 0:
        raise OSError(ctypes.get_errno(), "mount")
    process = subprocess.Popen(command)
    end = os.pidfd_open(process.pid)
    poll = select.poll()
    poll.register(device, select.POLLIN)
    poll.register(end, select.POLLIN)
    while True:
        ready = [fd for fd, _ in poll.poll()]
        if end in ready:
            return process.wait()
        request = os.read(device, 1 << 20)
        _, operation, unique, node, *_ = REQUEST.unpack_from(request)
        body = request[REQUEST.size :]
        if operation in (FORGET, BATCH_FORGET, INTERRUPT) or _is_stuck(hangs_at, operation, node):
            continue
        answer = _answer(operation, node, body)
        data, error = (b"", -answer) if isinstance(answer, int) else (answer, 0)
        os.write(device, ANSWER.pack(ANSWER.size + len(data), error, unique) + data)


def _is_stuck(hangs_at: str, operation: int, node: int) -> bool:
    return node == STUCK and operation == (OPENDIR if hangs_at == "opendir" else LOOKUP)


def _answer(operation: int, node: int, body: bytes) -> bytes | int:
    """Return the body of an answer, or an errno."""
    if operation == INIT:
        return Struct("<IIIIHHIIHH32x").pack(7, 31, 1 << 16, 0, 8, 8, 1 << 16, 1, 0, 0)
    if operation == GETATTR:
        return Struct("<QII").pack(9, 0, 0) + _attributes(node)
    if operation == LOOKUP:
        child = NAMES[node].get(body.rstrip(b"\0"))
        return ENOENT if child is None else ENTRY.pack(child, 1, 9, 9, 0, 0) + _attributes(child)
    if operation == OPENDIR:
        return bytes(16)
    if operation == READDIR:
        _, offset = Struct("<QQ").unpack_from(body)
        return b"".join(_directory_entry(name, child) for name, child in NAMES[node].items()) if offset == 0 else b""
    return bytes(80) if operation == STATFS else ENOSYS


def _attributes(node: int) -> bytes:
    is_directory = node in NAMES
    mode = stat.S_IFDIR | 0o755 if is_directory else stat.S_IFREG | 0o644
    size, blocks = (0, 0) if is_directory else (5000, 10)
    return ATTRIBUTES.pack(node, size, blocks, 0, 0, 0, 0, 0, 0, mode, 1 + is_directory, 0, 0, 0, 512, 0)


def _directory_entry(name: bytes, node: int) -> bytes:
    kind = 4 if node in NAMES else 8
    return Struct("<QQII").pack(node, 1, len(name), kind) + name + bytes(-len(name) % 8)


if __name__ == "__main__":
    sys.exit(main())
