"""A load of keep-alive connections, one per thread, bounded in number and in time."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

#: Seconds a client waits for one answer. On a shared machine a queue may be long.
PATIENCE = 60


@dataclass(frozen=True)
class HttpRequest:
    """One HTTP request."""

    path: str
    method: str = "GET"
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()


#: Creates the n-th request of a load.
Make = Callable[[int], HttpRequest]


@dataclass
class Result:
    """The outcome of a load: the count of each status, or of each error without an answer."""

    seconds: float = 0.0
    answers: Counter[int | str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)

    def add(self, other: "Result") -> None:
        self.seconds += other.seconds
        self.answers += other.answers
        self.times += other.times

    @property
    def per_second(self) -> float:
        return len(self.times) / self.seconds if self.seconds else 0.0

    @property
    def p99(self) -> float:
        """Milliseconds within which 99 % were answered."""
        ordered = sorted(self.times)
        return ordered[int(len(ordered) * 0.99)] * 1000 if ordered else 0.0


def load(port: int, make: Make, *, start: int, requests: int, connections: int = 8) -> Result:
    """Send this number of requests, starting with the ``start``-th.

    Never raises for errors of the server or a busy machine: a client whose request timed out, or
    whose connection broke, is counted under the error's name, and continues with a new connection.
    """
    lock = threading.Lock()
    numbers = iter(range(start, start + requests))
    result = Result()

    def run() -> None:
        own = Result()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            request = make(number)
            begun = time.perf_counter()
            try:
                connection.request(
                    request.method, request.path, request.body, dict(request.headers)
                )
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                own.answers[type(error).__name__] += 1
                connection.close()
                continue
            own.times.append(time.perf_counter() - begun)
            own.answers[answer.status] += 1
        connection.close()
        with lock:
            result.add(own)

    threads = [threading.Thread(target=run) for _ in range(connections)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result.seconds = time.perf_counter() - begun
    return result
