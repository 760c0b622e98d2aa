"""The HTTP server, based on the standard library."""

import errno
import logging
import selectors
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .wire import Reply, Request, error_reply

logger = logging.getLogger(__name__)

#: Largest accepted request body, in bytes. Real requests have less than a thousand.
MAX_BODY = 256 * 1024


class PortInUse(Exception):
    """The server cannot listen on this address. The message is for the user."""


class Server(ThreadingHTTPServer):
    """Handles requests with one function, with a thread per connection.

    Call ``start`` once, then ``stop`` once.
    """

    daemon_threads = True
    #: How long handle_request waits for a connection, in seconds. The selector waits already.
    timeout = 0
    block_on_close = False
    request_queue_size = 128

    def __init__(self, host: str, port: int, answer: Callable[[Request], Reply]) -> None:
        self.answer = answer
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(
                    f"Port {port} on {host} is in use by another program. "
                    "Choose another with --port."
                ) from None
            raise PortInUse(f"Cannot listen on {host} port {port}: {error.strerror}.") from None
        except OverflowError:
            raise PortInUse(f"Port {port} does not exist. Choose one up to 65535.") from None
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(
            target=self._accept_connections, name="simulator-http", daemon=True
        )

    @property
    def url(self) -> str:
        """The server's base URL, without a trailing slash."""
        host, port = self.server_address[:2]
        host = str(host)
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def server_bind(self) -> None:
        """Bind without looking up this machine's name in the DNS, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def start(self) -> None:
        """Start serving in a separate thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and close all connections, without waiting for running requests."""
        self.stopping.set()
        self._wake.send(b"x")
        if self._thread.ident is not None:
            self._thread.join()
        for end in (self._wake, self._woken):
            end.close()
        self.server_close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            hang_up(connection)

    def _accept_connections(self) -> None:
        # Not serve_forever, which polls for shutdown twice a second and so stops late.
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self.stopping.is_set():
                selector.select()
                self.handle_request()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Keep track of the connection, so that ``stop`` can close it."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Stop tracking a closed connection."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log at debug level only: clients close connections all the time."""
        logger.debug("Connection from %s was closed", client_address, exc_info=True)


_METHODS = {f"do_{m}" for m in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")}


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    #: Seconds without a byte after which a connection is closed.
    timeout = 60
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        body = self._read_body()
        if isinstance(body, Reply):
            self.close_connection = True
            self._write(body)
            return
        path, query = _split(self.path)
        request = Request(
            method=self.command,
            path=path,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        self._write(self.server.answer(request))

    def version_string(self) -> str:
        """Return the server's name, without Python's version."""
        return "DarajaSimulator"

    def __getattr__(self, name: str) -> Any:
        # The base class looks for do_GET, do_POST and so on. One method handles them all.
        if name in _METHODS:
            return self._serve
        raise AttributeError(name)

    def _read_body(self) -> bytes | Reply:
        if "Transfer-Encoding" in self.headers:
            return error_reply(411, "400.002.05", "Invalid Request Payload")
        length = self.headers.get("Content-Length", "0").strip()
        if not (length.isascii() and length.isdecimal()):
            return error_reply(400, "400.002.05", "Invalid Request Payload")
        if len(length) > 12 or int(length) > MAX_BODY:
            return error_reply(413, "400.002.05", "Invalid Request Payload")
        return self.rfile.read(int(length))

    def _write(self, reply: Reply) -> None:
        if reply.delay:
            self.server.stopping.wait(reply.delay)
        if reply.ending == "nothing":
            self._hang_up()
            return
        bare = reply.status in (204, 304)
        self.send_response(reply.status)
        if not bare:
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and not bare:
            half = len(reply.body) // 2
            self.wfile.write(reply.body[:half] if reply.ending == "half" else reply.body)
        if reply.ending == "half":
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        hang_up(self.connection)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Send Daraja's error envelope for malformed HTTP and unknown methods."""
        self.close_connection = True
        if code == 501:
            self._write(error_reply(405, "405.001", "Method Not Allowed"))
        else:
            self._write(error_reply(code, "400.002.05", "Invalid Request Payload"))

    def log_message(self, *args: Any) -> None:
        """Do not log requests: the event log has more, and a path may contain a secret."""


def _split(target: str) -> tuple[str, dict[str, str]]:
    """Split a request target into path and query. The path of an invalid one is empty."""
    try:
        parts = urlsplit(target)
        return parts.path, dict(parse_qsl(parts.query, max_num_fields=50))
    except ValueError:
        return "", {}


def hang_up(connection: socket.socket) -> None:
    """Close a connection in both directions. Never raises."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        logger.debug("The client had closed the connection already")
