"""A merchant's web server, which records the callbacks it gets."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Shop:
    """Listens for callbacks and responds with ``status`` after ``delay`` seconds."""

    def __init__(self):
        self.heard: list[tuple[str, dict[str, str], dict]] = []
        self.status = 200
        self.answer = {"ResultCode": 0, "ResultDesc": "Accepted"}
        self.location = ""
        self.delay = threading.Event()
        self.seconds = 0.0
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                shop.heard.append((self.path, dict(self.headers), json.loads(body)))
                shop.delay.wait(shop.seconds)
                answer = json.dumps(shop.answer).encode()
                self.send_response(shop.status)
                self.send_header("Content-Length", str(len(answer)))
                if shop.location:
                    self.send_header("Location", shop.location)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._server.handle_error = lambda *caller: None
        self.url = f"http://127.0.0.1:{self._server.server_port}/safwebhook/f00dfeed/"
        threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True).start()

    @property
    def paths(self):
        return [path for path, _, _ in self.heard]

    @property
    def results(self):
        """The ``stkCallback`` of each callback, oldest first."""
        bodies = (body for _, _, body in self.heard)
        return [body["Body"]["stkCallback"] for body in bodies if "Body" in body]

    def at(self, place):
        """Return the URL of a path."""
        return self.url + place

    @property
    def outcomes(self):
        """The ``Result`` of each asynchronous request, oldest first."""
        return [body["Result"] for body in self.posted_to("result")]

    def parameters(self, n=0):
        """The parameters of the nth result, by name."""
        rows = self.outcomes[n]["ResultParameters"]["ResultParameter"]
        return {row["Key"]: row.get("Value") for row in rows}

    def posted_to(self, place):
        """The bodies posted to a path, oldest first."""
        return [body for path, _, body in self.heard if path.endswith(place)]

    def items(self, n=0):
        """The metadata of the nth callback, by name."""
        items = self.results[n]["CallbackMetadata"]["Item"]
        return {item["Name"]: item.get("Value") for item in items}

    def stop(self):
        self.delay.set()
        self._server.shutdown()
        self._server.server_close()
