"""Two pieces of work at the same time."""

from threading import Barrier

import pytest

from spacemap.tree.threads import in_two_threads


def test_both_run_at_the_same_time() -> None:
    """Each waits for the other, and both end."""
    barrier = Barrier(2, timeout=30)

    in_two_threads(barrier.wait, barrier.wait)

    assert not barrier.broken


@pytest.mark.parametrize("place", [0, 1])
def test_what_fails_is_raised(place: int) -> None:
    """The error of either is raised, after the other has ended."""
    done = []

    def fail() -> None:
        raise MemoryError

    work = [fail, lambda: done.append(1)]
    with pytest.raises(MemoryError):
        in_two_threads(work[place], work[1 - place])

    assert [1] == done
