"""The pool: worker processes that list, and one loop that feeds them, takes work from the busy, replaces the dead."""

import fcntl
import math
import os
import select
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Protocol

from spacemap.errors import EngineError
from spacemap.scan.engine import WORKER_BITS
from spacemap.scan.frames import Receiver
from spacemap.scan.frontier import Frontier
from spacemap.scan.options import EngineName, ScanOptions
from spacemap.scan.processes import worker_context
from spacemap.scan.wire import FrameType, Waiting, decode_directories, encode_directories
from spacemap.scan.worker import status_rows, work

PIPE_SIZE = 1024 * 1024
"""What the kernel is asked to hold between a worker and the scan."""
ASK_AGAIN_FIRST, ASK_AGAIN_LAST = 0.001, 0.05
"""Seconds before a worker that had nothing to give is asked again: doubled each time."""
TICK = 0.1
"""Seconds between looks at clocks and reports of progress."""
FAREWELL = 2.0
"""Seconds that workers have to send what they know when a scan ends early."""
SUSPENDED = 5.0
"""Seconds without a look at the clocks after which this process itself must have been stopped."""
MAX_STILLBORN = 3
"""So many workers in a row may end without a word; then workers cannot run here."""
KILLED = 0.1
"""Seconds that the kernel has to end a killed worker; one that it cannot end is left to it."""
MAX_DEATHS = 3
"""So often a directory may be among those of a worker that died; then it is given up."""

WORKER_LOST = 11  # Skip; importing it would import numpy
SCAN = 4  # Operation


class Closable(Protocol):
    """Something that holds a descriptor."""

    def close(self) -> None:
        """Close it."""


class Worker:
    """One worker process, seen from the scan."""

    def __init__(self, number: int, process: BaseProcess, commands: Connection, results: Connection) -> None:
        self.number = number
        self.process = process
        self.commands = commands
        self.results = results
        self.is_idle = True
        self.asked_for_work = False
        self.ask_after = 0.0
        self.ask_pause = ASK_AGAIN_FIRST
        self.status_asked: float | None = None
        self.status_heard = time.monotonic()
        """When it was given work, or last said what it is doing."""
        self.has_spoken = False


class Pool:
    """Runs workers until the frontier is empty."""

    def __init__(  # noqa: PLR0913 - what a scan consists of
        self,
        engine: EngineName,
        options: ScanOptions,
        roots: tuple[bytes, ...],
        *,
        frontier: Frontier,
        collect: Callable[[memoryview], None],
        receiver: Callable[[int], Receiver],
        unlisted: Callable[[], list[Waiting]],
        tick: Callable[[], None],
        first_number: int,
        inherited: Callable[[], Sequence[Closable]],
    ) -> None:
        """`first_number` is that of the first worker; references of earlier numbers are taken. A forked worker closes
        what is `inherited` by then: a lock must not live on in it."""
        self._engine = engine
        self._options = options
        self._roots = roots
        self._frontier = frontier
        self._collect = collect
        self._receiver = receiver
        self._unlisted = unlisted
        self._tick = tick
        self._workers: dict[int, Worker] = {}
        """By the descriptor of their results."""
        self._receivers: dict[int, Receiver] = {}
        self._poll = select.poll()
        self._owner: dict[int, int] = {}
        """Worker by reference, for directories that were claimed."""
        self._deaths: dict[int, int] = {}
        self._started = first_number - 1
        self._inherited = inherited
        self._listers = 1
        self._next_tick = 0.0
        self._last_look = time.monotonic()
        self._awake_since_ns = 0
        self._stillborn = 0
        self._has_lost = False
        """Whether a worker was lost since everybody was idle for the last time."""
        self.notes: list[str] = []

    def start(self, processes: int, listers: int) -> None:
        """Start workers; each lists `listers` directories at a time."""
        self._listers = listers
        for _ in range(processes):
            self._start_worker()

    def run(self) -> None:
        """List until nothing waits and every worker is idle."""
        while True:
            self._give_out()
            busy = [worker for worker in self._workers.values() if not worker.is_idle]
            if not busy and not len(self._frontier) and not self._find_forgotten():
                return
            if not self._workers:
                self._start_worker()
                continue
            for fd, _ in self._poll.poll(self._patience() * 1000):
                self._hear(fd)
            now = time.monotonic()
            if now >= self._next_tick:
                self._next_tick = now + TICK
                self._tick()
                self._check_life(now)

    def stop(self) -> None:
        """Let the workers send what they have, for a short while, and end them all."""
        for worker in self._workers.values():
            self._tell(worker, encode_directories(FrameType.STOP))
        deadline = time.monotonic() + FAREWELL
        while self._workers and time.monotonic() < deadline:
            for fd, _ in self._poll.poll(100):
                self._take_frames(self._workers[fd])
                if self._receivers[fd].is_closed:
                    self._forget(self._workers[fd])
        self.kill()

    def kill(self) -> None:
        """End all workers at once."""
        for worker in list(self._workers.values()):
            worker.process.kill()
            worker.process.join(KILLED)
            self._forget(worker)

    def dismiss(self) -> None:
        """End idle workers without waiting for them."""
        for worker in self._workers.values():
            self._tell(worker, encode_directories(FrameType.STOP))

    def join(self) -> None:
        """Wait for the end of dismissed workers; one that does not end is killed."""
        for worker in list(self._workers.values()):
            worker.process.join(FAREWELL)
            if worker.process.is_alive():
                worker.process.kill()
            self._forget(worker)

    def _start_worker(self) -> None:
        self._started += 1
        context = worker_context()
        command_end, commands = context.Pipe(duplex=False)
        results, result_end = context.Pipe(duplex=False)
        for pipe in (commands, result_end):
            with suppress(OSError, AttributeError):  # the limit of an unprivileged user may be lower
                fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        others = [pipe for worker in self._workers.values() for pipe in (worker.commands, worker.results)]
        is_forked = context.get_start_method() == "fork"
        inherited = (commands, results, *others, *self._inherited()) if is_forked else ()
        place = (self._roots, self._started, self._listers)
        process = context.Process(
            target=work,
            args=(self._engine, self._options, place, (command_end, result_end), inherited),
            name=f"spacemap-worker-{self._started}",
            daemon=True,
        )
        process.start()
        command_end.close()
        result_end.close()
        worker = Worker(self._started, process, commands, results)
        self._workers[results.fileno()] = worker
        self._receivers[results.fileno()] = self._receiver(results.fileno())
        self._poll.register(results.fileno(), select.POLLIN)
        if self._frontier.poisoned:
            self._tell(worker, self._poison_frame())

    def _poison_frame(self) -> bytes:
        rows = [Waiting(0, device, inode, 0, 0, 0, b"") for device, inode in sorted(self._frontier.poisoned)]
        return encode_directories(FrameType.POISON, rows)

    def _tell(self, worker: Worker, frame: bytes) -> None:
        view = memoryview(frame)
        with suppress(BrokenPipeError):  # its death is noticed where its results end
            while view:
                view = view[os.write(worker.commands.fileno(), view) :]

    def _give_out(self) -> None:
        """Give what waits to the idle; when nothing waits, ask the busy to share."""
        idle = [worker for worker in self._workers.values() if worker.is_idle]
        for position, worker in enumerate(idle):
            claim = self._frontier.claim(len(idle) - position)
            if not claim:
                break
            self._owner.update((each.ref, worker.number) for each in claim)
            worker.is_idle = False
            worker.status_heard = time.monotonic()
            self._tell(worker, encode_directories(FrameType.DIRECTORIES, claim))
        else:
            return
        now = time.monotonic()
        for worker in self._workers.values():
            if not worker.is_idle and not worker.asked_for_work and now >= worker.ask_after:
                worker.asked_for_work = True
                self._tell(worker, encode_directories(FrameType.GIVE))

    def _patience(self) -> float:
        """Seconds to wait for news: until the next tick, or until somebody may be asked again."""
        now = time.monotonic()
        wait = max(0.0, self._next_tick - now)
        if any(worker.is_idle for worker in self._workers.values()):
            asks = [worker.ask_after - now for worker in self._workers.values() if not worker.is_idle]
            asks = [ask for ask in asks if ask > 0]
            wait = min([wait, *asks])
        return math.ceil(wait * 1000) / 1000

    def _hear(self, fd: int) -> None:
        worker, receiver = self._workers[fd], self._receivers[fd]
        stuck = self._take_frames(worker)
        if stuck:
            self._give_up(worker, stuck)
        elif receiver.is_closed:
            self._replace(worker, f"ended unexpectedly ({_exit_reason(worker.process)})")

    def _take_frames(self, worker: Worker) -> set[tuple[int, int]]:
        """Take in what a worker has sent; return the (device, inode) of directories in which it hangs."""
        stuck: set[tuple[int, int]] = set()
        for frame_type, frame in self._receivers[worker.results.fileno()].receive():
            worker.has_spoken = True
            if frame_type is FrameType.BATCH:
                self._collect(frame)
            elif frame_type is FrameType.DIRECTORIES:
                self._take_back(worker, decode_directories(bytes(frame)))
            elif frame_type is FrameType.IDLE:
                worker.is_idle = True
                worker.asked_for_work = False
            elif frame_type is FrameType.STATUS:
                worker.status_asked = None
                worker.status_heard = time.monotonic()
                stuck |= self._hanging(status_rows(bytes(frame)))
        return stuck

    def _take_back(self, worker: Worker, directories: list[Waiting]) -> None:
        self._frontier.add(directories)
        self._owner.update((each.ref, 0) for each in directories)
        if worker.asked_for_work:
            worker.asked_for_work = False
            worker.ask_pause = ASK_AGAIN_FIRST if directories else min(worker.ask_pause * 2, ASK_AGAIN_LAST)
            worker.ask_after = 0.0 if directories else time.monotonic() + worker.ask_pause

    def _check_life(self, now: float) -> None:
        """Ask silent workers what they are doing; give up those that do not say."""
        limit = self._options.stall_timeout
        if now - self._last_look > SUSPENDED:  # everybody was stopped, not only the workers
            self._awake_since_ns = time.monotonic_ns()
            for worker in self._workers.values():
                worker.status_asked, worker.status_heard = None, now
        self._last_look = now
        for worker in list(self._workers.values()):
            if worker.is_idle:
                worker.status_asked = None
            elif worker.status_asked is not None:
                if now - worker.status_asked > limit:
                    worker.process.kill()
                    self._replace(worker, f"did not answer for {limit:g} s")
            elif now - worker.status_heard > min(limit / 4, 5.0):
                worker.status_asked = now
                self._tell(worker, encode_directories(FrameType.STATUS))

    def _hanging(self, rows: list[tuple[int, int, int]]) -> set[tuple[int, int]]:
        """Return (device, inode) of the listings that have shown no sign of life for too long."""
        oldest_ns = time.monotonic_ns() - int(self._options.stall_timeout * 1e9)
        return {(device, inode) for since_ns, device, inode in rows if max(since_ns, self._awake_since_ns) < oldest_ns}

    def _give_up(self, worker: Worker, stuck: set[tuple[int, int]]) -> None:
        """Let nobody open these directories again, and do without the worker that hangs in them."""
        self._frontier.poisoned |= stuck
        for other in self._workers.values():
            if other is not worker:
                self._tell(other, self._poison_frame())
        worker.process.kill()
        self._replace(worker, f"hung in a directory for {self._options.stall_timeout:g} s")

    def _replace(self, worker: Worker, reason: str) -> None:
        """Put what a lost worker had not listed back to the frontier, in single directories, and start another."""
        self._forget(worker)
        ended_by_itself = worker.process.exitcode is not None and worker.process.exitcode > 0
        self._stillborn = self._stillborn + 1 if ended_by_itself and not worker.has_spoken else 0
        if self._stillborn >= MAX_STILLBORN:
            raise EngineError(
                f"workers cannot run here: the last one {reason}; a script that has threads of its own must call "
                "scan under `if __name__ == '__main__'`"
            )
        self._has_lost = True
        unlisted = self._unlisted()
        # What it handed back may hang below a listing that never arrived: then it comes again, by another reference.
        known = {each.ref for each in unlisted}
        self._frontier.keep(lambda each: each.ref >> WORKER_BITS != worker.number or each.ref in known)
        lost = [each for each in unlisted if self._owner.get(each.ref, each.ref >> WORKER_BITS) == worker.number]
        for each in lost:
            self._owner[each.ref] = 0
            self._deaths[each.ref] = self._deaths.get(each.ref, 0) + 1
            if self._deaths[each.ref] >= MAX_DEATHS:
                self._frontier.decisions[each.ref] = (WORKER_LOST, SCAN, 0)
        self._frontier.add_alone(each for each in lost if each.ref not in self._frontier.decisions)
        given_up = sum(each.ref in self._frontier.decisions for each in lost)
        self.notes.append(
            f"worker {worker.number} {reason}; {len(lost) - given_up} directories were listed again"
            + (f", {given_up} given up" if given_up else "")
        )
        self._start_worker()

    def _find_forgotten(self) -> bool:
        """Look once more for what was lost while the listings above it were still on their way from other workers."""
        if self._has_lost:
            self._has_lost = False
            self._frontier.add_forgotten(self._unlisted())
        return len(self._frontier) > 0

    def _forget(self, worker: Worker) -> None:
        fd = worker.results.fileno()
        self._poll.unregister(fd)
        del self._workers[fd], self._receivers[fd]
        worker.commands.close()
        worker.results.close()


def _exit_reason(process: BaseProcess) -> str:
    process.join(1.0)
    code = process.exitcode
    if code is None:
        return "its pipe closed"
    return f"signal {-code}" if code < 0 else f"exit status {code}"
