"""Whether the time something takes grows with the length of its input, or with its square."""

import time
from collections.abc import Callable
from typing import Any


def grows_linearly(run: Callable[[Any], object], make: Callable[[int], Any], size: int) -> bool:
    """Whether eight times the input takes much less than 64 times as long.

    In CPU time of this thread, the best of three, so that a busy machine makes no difference.
    """

    def best(value: Any) -> float:
        times = []
        for _ in range(3):
            before = time.thread_time_ns()
            run(value)
            times.append(time.thread_time_ns() - before)
        return min(times)

    # A tenth of a millisecond more, since very short times are not measured well.
    return best(make(8 * size)) < 25 * (best(make(size)) + 100_000)
