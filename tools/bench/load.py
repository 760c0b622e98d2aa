"""A load of keep-alive connections, each in a thread, bounded in count and in time."""

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class HttpRequest:
    """One request."""

    path: str
    method: str = "GET"
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Result:
    """What a load met."""

    requests: int
    seconds: float
    statuses: dict[int, int]
    slowest: list[float]

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def p99(self) -> float:
        """Milliseconds within which 99 of 100 were answered."""
        ordered = sorted(self.slowest)
        return ordered[int(len(ordered) * 0.99)] * 1000 if ordered else 0.0


def load(
    port: int, make: Callable[[int], HttpRequest], *, requests: int, connections: int = 8
) -> Result:
    """Send so many requests; ``make(n)`` gives the n-th."""
    lock = threading.Lock()
    statuses: dict[int, int] = {}
    times: list[float] = []
    numbers = iter(range(requests))

    def run() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        own_statuses: dict[int, int] = {}
        own_times: list[float] = []
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            request = make(number)
            begun = time.perf_counter()
            connection.request(request.method, request.path, request.body, dict(request.headers))
            answer = connection.getresponse()
            answer.read()
            own_times.append(time.perf_counter() - begun)
            own_statuses[answer.status] = own_statuses.get(answer.status, 0) + 1
        connection.close()
        with lock:
            times.extend(own_times)
            for status, count in own_statuses.items():
                statuses[status] = statuses.get(status, 0) + count

    threads = [threading.Thread(target=run) for _ in range(connections)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Result(requests, time.perf_counter() - begun, statuses, times)
