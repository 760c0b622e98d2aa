"""A gateway that accepts every prompt and does nothing: only the shop's own cost remains."""

import itertools
import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: A random start: a kept database already has the ids of earlier runs.
_numbers = itertools.count(random.randrange(10**15))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer({"access_token": "bench", "expires_in": "3599"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        number = next(_numbers)
        self._answer(
            {
                "MerchantRequestID": f"bench-{number}",
                "CheckoutRequestID": f"ws_CO_{number:020d}",
                "ResponseCode": "0",
                "ResponseDescription": "Success",
                "CustomerMessage": "Success",
            }
        )

    def _answer(self, body: dict[str, str]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def gateway() -> Iterator[str]:
    """Yield the gateway's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
