"""A fake gateway on a real socket, with scripted responses, valid or not."""

import contextlib
import json
import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from daraja_simulator.tests.waiting import PATIENCE

OAUTH = "/oauth/v1/generate"
PUSH = "/mpesa/stkpush/v1/processrequest"
QUERY = "/mpesa/stkpushquery/v1/query"
PAY = "/mpesa/b2c/v3/paymentrequest"
REVERSE = "/mpesa/reversal/v1/request"
STATUS = "/mpesa/transactionstatus/v1/query"
BALANCE = "/mpesa/accountbalance/v1/query"
REGISTER_URLS = "/mpesa/c2b/v2/registerurl"
REGISTER_PULL = "/pulltransactions/v1/register"
PULL = "/pulltransactions/v1/query"

CHECKOUT_ID = "ws_CO_31012025102115123712345678"
MERCHANT_ID = "5dbd-4f93-a478-1234567890abcdef"

ACCEPTED = {
    "MerchantRequestID": MERCHANT_ID,
    "CheckoutRequestID": CHECKOUT_ID,
    "ResponseCode": "0",
    "ResponseDescription": "Success. Request accepted for processing",
    "CustomerMessage": "Success. Request accepted for processing",
}
PAID = {
    "ResponseCode": "0",
    "ResponseDescription": "The service request has been accepted successsfully",
    "MerchantRequestID": MERCHANT_ID,
    "CheckoutRequestID": CHECKOUT_ID,
    "ResultCode": "0",
    "ResultDesc": "The service request is processed successfully.",
}

OPENED = {
    "ConversationID": "AG_20250131_00004e48cf7e3533f581",
    "OriginatorConversationID": "10571-7910404-1",
    "ResponseCode": "0",
    "ResponseDescription": "Accept the service request successfully.",
}
REGISTERED = {
    "OriginatorCoversationID": "6e86-45dd-91ac-fd5d4178ab523408729",
    "ResponseCode": "0",
    "ResponseDescription": "Success",
}


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as it arrived. `peer` tells connections apart."""

    method: str
    path: str
    headers: dict
    body: bytes
    peer: tuple

    @property
    def fields(self):
        return json.loads(self.body)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer on a kept connection takes 40 ms

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        heard = ReceivedRequest(
            self.command, self.path, dict(self.headers), body, self.client_address
        )
        path = self.path.partition("?")[0]
        with self.server.lock:
            self.server.heard.append(heard)
            script = self.server.scripts[path]
            act = script.pop(0) if len(script) > 1 else script[0]
        act(self)

    def do_POST(self):
        self.do_GET()

    def log_message(self, *_):
        pass


class Gateway(ThreadingHTTPServer):
    """Answers each path from a script; the last line of a script is repeated."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.hung_up = threading.Event()
        self.heard: list[ReceivedRequest] = []
        self.scripts: dict[str, list[Callable]] = defaultdict(lambda: [replies(404, {})])
        self.tokens_given = 0
        self.scripts[OAUTH] = [gives_token]
        self.scripts[PUSH] = [replies(200, ACCEPTED)]
        self.scripts[QUERY] = [replies(200, PAID)]
        for path in (PAY, REVERSE, STATUS, BALANCE):
            self.scripts[path] = [replies(200, OPENED)]
        self.scripts[REGISTER_URLS] = [replies(200, REGISTERED)]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def on(self, path, *script):
        self.scripts[path] = list(script)

    def heard_on(self, path):
        return [heard for heard in self.heard if heard.path.partition("?")[0] == path]

    def handle_error(self, request, client_address):
        """Ignore closed connections, which are part of the tests."""


@contextlib.contextmanager
def running_gateway() -> Iterator[Gateway]:
    gateway = Gateway()
    thread = threading.Thread(target=gateway.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield gateway
    finally:
        gateway.stopping.set()
        gateway.shutdown()
        gateway.server_close()
        thread.join()


def replies(status, body, **headers):
    """A complete response: a dict is sent as JSON, bytes unchanged."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    def act(handler):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(raw)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(raw)

    return act


def gives_token(handler):
    with handler.server.lock:
        handler.server.tokens_given += 1
        token = f"token-{handler.server.tokens_given}"
    replies(200, {"access_token": token, "expires_in": "3599"})(handler)


def error(status, code, message):
    return replies(status, {"requestId": "1-2-3", "errorCode": code, "errorMessage": message})


def stays_silent(handler):
    handler.server.stopping.wait(PATIENCE)
    handler.close_connection = True


def resets(handler):
    """Reset the connection after the whole request was read."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def hangs_up(handler):
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def stops_half_way(handler):
    raw = json.dumps(ACCEPTED).encode()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(raw)))
    handler.end_headers()
    handler.wfile.write(raw[: len(raw) // 2])
    hangs_up(handler)


def trickles(handler):
    """Send single bytes endlessly: each pause is short, but the response never ends."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    with contextlib.suppress(OSError):
        while not handler.server.stopping.wait(0.02):
            handler.wfile.write(b" ")
    handler.close_connection = True


def answers_and_hangs_up(handler):
    """Close an idle connection without notice, as gateways do."""
    replies(200, ACCEPTED)(handler)
    hangs_up(handler)
    handler.server.hung_up.set()


def writes(raw):
    """Send any bytes instead of a response."""

    def act(handler):
        with contextlib.suppress(OSError):
            handler.wfile.write(raw)
            hangs_up(handler)

    return act
