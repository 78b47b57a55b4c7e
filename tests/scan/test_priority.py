"""How workers share the processor with an interface."""

from tests.scan.processes import run_python

PROGRAM = """
import os, time
from spacemap.scan.processes import prepare_processes, worker_context
{prepare}
worker = worker_context().Process(target=time.sleep, args=(30,))
worker.start()
print(os.getpriority(os.PRIO_PROCESS, worker.pid) - os.nice(0))
worker.kill()
"""


def test_workers_of_an_interface_stand_back() -> None:
    """Workers that come from the server have a lower priority; those of a report have that of the report."""
    niceness = [run_python(PROGRAM.format(prepare=line)).stdout for line in ("prepare_processes()", "")]

    assert [b"10\n", b"0\n"] == niceness
