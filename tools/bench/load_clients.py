"""Many concurrent clients, some of them slow: ``python -m tools.bench.load_clients PLAN``.

A separate process, so that its cost does not count as the measuring client's. The plan is JSON,
as in ``Plan``; the result is printed as JSON.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import socket
import ssl
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

#: Average seconds someone looks at a page, and a buyer needs for an order.
LOOK, DECIDE = 2.0, 4.0
#: Seconds between two requests of a measuring client.
PROBE = 0.1
#: Seconds within which all clients have started.
ARRIVE = 4.0
#: Seconds any client waits for an answer.
PATIENCE = 60
#: A slow connection: bytes and seconds per piece of a head, of a body, of an answer.
HEAD, BODY, READ = (1, 0.3), (8_000, 0.4), (500, 0.5)
#: Size in bytes of a picture uploaded over a slow connection.
UPLOAD = 3_000_000


@dataclass(frozen=True)
class Plan:
    """Which clients run, for how long, and against which server."""

    port: int
    host: str
    #: The certificate to trust; empty: plain HTTP.
    trusted: str
    seconds: float
    #: Number of clients of each kind in ``KINDS``.
    people: dict[str, int]
    products: list[int]
    #: Access tokens, each good for two orders.
    tokens: list[str]


@dataclass
class Met:
    """Per kind of client: the count of each status or error, and the waiting times, ms."""

    answers: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    waits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


class _Line:
    """The connection of one client, reopened when closed."""

    def __init__(self, plan: Plan, number: int, *, buffer: int = 0) -> None:
        self._plan, self._buffer = plan, buffer
        # One address per client, as in reality: the proxy limits connections per address.
        self._address = f"127.0.{1 + number // 250}.{1 + number % 250}"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams and self._streams[0].at_eof():
            # The connection was idle, and the server has closed it.
            self.close()
        if self._streams is None:
            plain = socket.socket()
            if self._buffer:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer)
            plain.bind((self._address, 0))
            plain.setblocking(False)
            await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", self._plan.port))
            trusted = self._plan.trusted
            context = ssl.create_default_context(cafile=trusted) if trusted else None
            self._streams = await asyncio.open_connection(
                sock=plain,
                ssl=context,
                server_hostname="localhost" if context else None,
                limit=self._buffer or 2**16,
            )
        return self._streams

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None

    def head(self, method: str, path: str, **headers: str) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._plan.host}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()

    async def ask(self, request: bytes) -> str:
        """Send a request; returns its status."""
        reader, writer = await self.streams()
        writer.write(request)
        return await self.answer(reader)

    async def answer(self, reader: asyncio.StreamReader) -> str:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length or 0))
        if b"connection: close" in head:
            self.close()
        return head.split(b" ", 2)[1].decode()


class LoadClients:
    """All clients of a plan, concurrently."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.met = plan, Met()
        self._until = 0.0
        self._orders = itertools.count()

    async def run(self) -> Met:
        """Run the clients for the plan's duration."""
        self._until = time.monotonic() + self.plan.seconds
        numbers = itertools.count()
        people = [
            asyncio.create_task(self._be(kind, next(numbers)))
            for kind, count in self.plan.people.items()
            for _ in range(count)
        ]
        await asyncio.sleep(self.plan.seconds)
        for person in people:
            person.cancel()
        await asyncio.gather(*people, return_exceptions=True)
        return self.met

    async def _be(self, kind: str, number: int) -> None:
        line = _Line(self.plan, number, buffer=4096 if kind == "slow readers" else 0)
        # Clients do not all start at the same moment.
        await asyncio.sleep(random.uniform(0, 0.5 if kind == "probe" else ARRIVE))
        # Checked each time: wait_for may swallow a cancellation.
        while time.monotonic() < self._until:
            try:
                await asyncio.wait_for(KINDS[kind](self, line, kind), PATIENCE)
            except (OSError, EOFError, asyncio.LimitOverrunError, TimeoutError) as error:
                self.met.answers[kind][type(error).__name__] += 1
                line.close()
                await asyncio.sleep(1)

    async def _timed(self, line: _Line, kind: str, request: bytes) -> None:
        await line.streams()
        begun = time.perf_counter()
        status = await line.ask(request)
        self.met.waits[kind].append((time.perf_counter() - begun) * 1000)
        self.met.answers[kind][status] += 1

    async def probe(self, line: _Line, kind: str) -> None:
        """Request the home page regularly: this is the measurement."""
        await asyncio.sleep(random.uniform(0, 2 * PROBE))
        await self._timed(line, kind, line.head("GET", "/"))

    async def read(self, line: _Line, kind: str) -> None:
        """Request a page, and look at it for a while."""
        product = random.choice(self.plan.products)
        pages = (
            "/",
            "/product/kitchen/",
            "/product/phones/?ordering=-price",
            f"/product/{product}/",
            f"/product/{product}/",
            f"/product/search/?search={random.choice(('samsung', 'sofa', 'gold', 'mini'))}",
        )
        await self._timed(line, kind, line.head("GET", random.choice(pages)))
        await asyncio.sleep(random.expovariate(1 / LOOK))

    async def buy(self, line: _Line, kind: str) -> None:
        """Cash out one product: the prompt is sent after the answer, by a slow gateway."""
        await asyncio.sleep(random.expovariate(1 / DECIDE))
        token = self.plan.tokens[next(self._orders) // 2 % len(self.plan.tokens)]
        body = json.dumps(
            {
                "order": [{"product": random.choice(self.plan.products), "number": 1}],
                "mpesa_number": f"2547{random.randrange(10_000):04d}5566",
            }
        ).encode()
        head = line.head(
            "POST",
            "/cashout/",
            Authorization=f"Bearer {token}",
            Content_Type="application/json",
            Content_Length=str(len(body)),
        )
        await self._timed(line, kind, head + body)

    async def send_a_slow_head(self, line: _Line, kind: str) -> None:
        """Send the head of a request a byte at a time, until the server hangs up."""
        _, writer = await line.streams()
        await _dribble(writer, line.head("GET", "/", X_Padding="x" * 300), *HEAD)
        self.met.answers[kind][await line.answer((await line.streams())[0])] += 1

    async def send_a_slow_body(self, line: _Line, kind: str) -> None:
        """Upload a picture over a slow connection."""
        reader, writer = await line.streams()
        kind_of_body = "multipart/form-data; boundary=omache"
        writer.write(
            line.head(
                "POST",
                "/create/",
                Authorization=f"Bearer {self.plan.tokens[-1]}",
                Content_Type=kind_of_body,
                Content_Length=str(UPLOAD),
            )
        )
        sending = asyncio.create_task(_dribble(writer, b"x" * UPLOAD, *BODY))
        try:
            self.met.answers[kind][await line.answer(reader)] += 1
        finally:
            sending.cancel()
            line.close()

    async def read_slowly(self, line: _Line, kind: str) -> None:
        """Request the home page, and read it slowly."""
        reader, writer = await line.streams()
        writer.write(line.head("GET", "/", Connection="close"))
        while await reader.read(READ[0]):
            await asyncio.sleep(READ[1])
        self.met.answers[kind]["read"] += 1
        line.close()


async def _dribble(writer: asyncio.StreamWriter, whole: bytes, size: int, pause: float) -> None:
    for begin in range(0, len(whole), size):
        writer.write(whole[begin : begin + size])
        with suppress(ConnectionError):
            await writer.drain()
        if writer.is_closing():
            break
        await asyncio.sleep(pause)


#: The kinds of clients.
KINDS: dict[str, Callable[[LoadClients, _Line, str], Awaitable[None]]] = {
    "probe": LoadClients.probe,
    "readers": LoadClients.read,
    "buyers": LoadClients.buy,
    "slow heads": LoadClients.send_a_slow_head,
    "slow bodies": LoadClients.send_a_slow_body,
    "slow readers": LoadClients.read_slowly,
}


def clients_of_each_kind(connections: int) -> dict[str, int]:
    """Split the connections: of sixteen, two buy, and three are slow, each differently."""
    share = max(connections // 16, 1)
    slow = dict.fromkeys(("slow heads", "slow bodies", "slow readers"), share)
    return {**slow, "buyers": 2 * share, "readers": connections - 5 * share}


def main() -> None:
    plan = Plan(**json.loads(sys.stdin.read()))
    print(json.dumps(vars(asyncio.run(LoadClients(plan).run()))))


if __name__ == "__main__":
    main()
