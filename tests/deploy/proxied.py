"""The shop as deploy/ configures it: gunicorn over the test database, behind a real proxy."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daraja_simulator.tests.waiting import PATIENCE
from payments.demo.processes import free_port
from tests.databases import url_of_test_database
from tools import nginx
from tools.soak.machine import Process, environment, gunicorn

DEPLOY = Path(__file__).parents[2] / "deploy"
#: A frontend on another origin, allowed by the shop.
ELSEWHERE = "https://elsewhere.example"


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)


@dataclass
class Shop:
    """The addresses and folders of one shop."""

    folder: Path
    web: int = field(default_factory=free_port)
    http: int = field(default_factory=free_port)
    https: int = field(default_factory=free_port)
    #: The address of its M-Pesa.
    mpesa: Any = None

    @property
    def certificate(self) -> Path:
        return self.folder / "fullchain.pem"

    @property
    def log(self) -> str:
        return (self.folder / "gunicorn.log").read_text()

    def ask(self, method, path, *, body=None, headers=None, tls=True, source="127.0.0.1"):
        """Send one request from a local address; a body other than bytes is sent as JSON."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        where = {"source_address": (source, 0), "timeout": 60}
        if tls:
            context = ssl.create_default_context(cafile=str(self.certificate))
            asking = http.client.HTTPSConnection("localhost", self.https, context=context, **where)
        else:
            asking = http.client.HTTPConnection("localhost", self.http, **where)
        # localhost may resolve to ::1, which an IPv4 source address cannot reach.
        asking._create_connection = lambda _, *rest: socket.create_connection(
            ("127.0.0.1", asking.port), *rest
        )
        try:
            # The server may answer before it has read everything.
            with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):
                asking.request(method, path, body, headers)
            got = asking.getresponse()
            return Answer(got.status, got.headers, got.read())
        finally:
            asking.close()

    def ask_gunicorn(self, path, **headers):
        """The same GET directly at gunicorn, as the proxy would send it."""
        asking = http.client.HTTPConnection("127.0.0.1", self.web, timeout=60)
        said = {"Host": f"localhost:{self.https}", "X-Forwarded-Proto": "https", **headers}
        try:
            asking.request("GET", path, headers=said)
            got = asking.getresponse()
            return Answer(got.status, got.headers, got.read())
        finally:
            asking.close()


def production_environment(shop: Shop, mpesa: str) -> dict:
    """The environment of its processes: production settings with the test database."""
    return environment(
        database=url_of_test_database(), web=shop.web, mpesa=mpesa, scratch=shop.folder, hold=15
    ) | {
        "HTTPS": "on",
        "THROTTLES": "on",
        "TRUSTED_PROXIES": "1",
        "DJANGO_ALLOWED_HOSTS": "localhost",
        "CORS_ALLOWED_ORIGINS": ELSEWHERE,
        "FRONTEND_URL": f"https://localhost:{shop.https}/shop",
        "DARAJA_CALLBACK_BASE_URL": f"https://localhost:{shop.https}",
    }


@contextmanager
def open_shop(folder: Path, mpesa: str) -> Iterator[Shop]:
    """A shop with a running gunicorn, without a proxy."""
    shop = Shop(folder)
    open_folder(shop)
    web: Process = gunicorn(production_environment(shop, mpesa), folder)
    try:
        web.start()
        yield shop
    finally:
        web.stop()


def open_folder(shop: Shop) -> None:
    """Create the files gunicorn and a proxy need: certificates, and a few static files."""
    folder = shop.folder
    nginx.write_certificate(folder)
    static = folder / "static" / "shop" / "assets"
    static.mkdir(parents=True)
    (folder / "static" / "staticfiles.json").write_text('{"version": "1.1", "paths": {}}')
    (static / "main-a1b2c3d4.js").write_text("let shop;" * 500)
    (static / "main-a1b2c3d4.js.gz").write_bytes(gzip.compress(b"let shop;" * 500))
    (static / "plain.js").write_text("let shop;")
    (folder / "certificate.pem").write_bytes(shop.certificate.read_bytes())


@contextmanager
def nginx_before(shop: Shop) -> Iterator[None]:
    """Debian's nginx with deploy/nginx/omache.conf, on free ports and in the shop's folder."""
    at = {"http": shop.http, "https": shop.https, "web": shop.web}
    configuration = nginx.write_configuration(shop.folder, **at)
    yield from _running([nginx.command(), "-c", str(configuration)], shop, {})


@contextmanager
def caddy_before(shop: Shop) -> Iterator[None]:
    """Debian's Caddy with deploy/caddy/Caddyfile, on free ports, with the test's certificate."""
    folder = shop.folder
    at = f"http_port {shop.http}\n\thttps_port {shop.https}\n\tadmin off\n\tskip_install_trust"
    tls = f"tls {shop.certificate} {folder}/privkey.pem\n"
    site = nginx.moved(
        (DEPLOY / "caddy" / "Caddyfile").read_text(),
        {
            "{\n\tservers {": f"{{\n\t{at}\n\tservers {{",
            "https://{$DOMAIN} {": f"https://{{$DOMAIN}} {{\n\t{tls}",
        },
    )
    (folder / "Caddyfile").write_text(site)
    environ = {
        "DOMAIN": "localhost",
        "SHOP": f"127.0.0.1:{shop.web}",
        "MEDIA": str(folder),
        "REQUEST_BUFFERS": "buffer_requests" if _is_old_caddy() else "request_buffers 16MiB",
        "XDG_DATA_HOME": str(folder / "caddy"),
        "XDG_CONFIG_HOME": str(folder / "caddy"),
    }
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    yield from _running(command, shop, environ)


def _is_old_caddy() -> bool:
    said = subprocess.run(
        [shutil.which("caddy"), "version"], capture_output=True, text=True, check=True
    ).stdout
    number = said.split()[0].removeprefix("v").split(".")
    return (int(number[0]), int(number[1])) < (2, 7)


def _running(command, shop: Shop, environ: dict) -> Iterator[None]:
    with (shop.folder / "proxy.log").open("wb") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **environ})
    try:
        _wait_for(shop, running)
        yield
    finally:
        running.terminate()
        running.wait(PATIENCE)


def _wait_for(shop: Shop, running: subprocess.Popen) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", shop.https), timeout=1).close()
            return
        except OSError:
            said = (shop.folder / "proxy.log").read_text()
            assert running.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.05)
