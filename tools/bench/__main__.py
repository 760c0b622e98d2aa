"""Measures the shop: ``make bench``, or ``python -m tools.bench --database postgres://…``."""

import argparse
import http.client
import os
import random
import signal
import sys
import time
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from payments.demo.processes import free_port

from .gateway import gateway
from .load import PATIENCE, HttpRequest, Make
from .processes import memory_of_session, running
from .rounds import HEAD, Figures, Target, measure
from .rows import JSON, Row, bearer, order_of, orders, reads, successes
from .shop import create, drop, environment

DATABASE = "omache_bench"
#: Memory budget of two workers, MB (PSS).
MEMORY = 140


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--database", required=True, help="a PostgreSQL address that may create")
    parser.add_argument("--products", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument(
        "--orders",
        type=int,
        default=0,
        help="fill with this number of orders, copied days of trading",
    )
    parser.add_argument("--rounds", type=int, default=5, help="each with the constant view (5)")
    parser.add_argument("--requests", type=int, default=200, help="per row and round (200)")
    parser.add_argument("--only", default="", help="only rows whose name contains this")
    parser.add_argument("--keep", metavar="NAME", help="fill this database once and keep it")
    options = parser.parse_args()
    # On SIGTERM, stop the servers first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))
    name = options.keep or DATABASE
    parts = urlsplit(options.database)
    server = options.database.replace(parts.path, "/postgres")
    create(server, name, recreate=not options.keep)
    os.environ.update(environment(urlunsplit(parts._replace(path=f"/{name}"))))
    try:
        with gateway() as address:
            os.environ["DARAJA_BASE_URL"] = address
            missed = _bench(options, name)
    finally:
        if not options.keep:
            drop(server, name)
    if missed:
        sys.exit("Over the budget in every round: " + "; ".join(missed))


def _bench(options: argparse.Namespace, database: str) -> list[str]:
    """Print the tables. Returns a short sentence for each row above its budget."""
    import django

    django.setup()
    from django.core.management import call_command

    from . import data, large_dataset

    call_command("migrate", verbosity=0)
    # The shop does not start without static files.
    call_command("collectstatic", interactive=False, verbosity=0)
    missed = []
    for products in options.products:
        data.fill(products)
        if options.orders:
            large_dataset.fill(options.orders)
        print(f"\n{products:,} products\n{HEAD}", flush=True)
        for figures in _measure(options, database, products):
            print(figures, flush=True)
            if figures.is_missed:
                missed.append(
                    f"{figures.row.name.strip()} at {products:,}: {min(figures.ratios):.1f} times"
                    f" the constant view, {figures.row.budget:g} allowed"
                )
    return missed


def _measure(options: argparse.Namespace, database: str, products: int) -> list[Figures]:
    ports = free_port(), free_port(), free_port()
    constant, baseline, shop = (
        ["-m", "gunicorn", module, "-b", f"127.0.0.1:{port}", "--max-requests", "0"]
        for module, port in zip(
            ("tools.bench.constant", "tools.bench.baseline", "omachemainproj.wsgi"),
            ports,
            strict=True,
        )
    )
    with (
        running(constant, port=ports[0]) as constant_server,
        running(baseline, port=ports[1]) as baseline_server,
        running(shop, port=ports[2]) as server,
    ):
        unit = Target(constant_server, ports[0], database)
        bare = Target(baseline_server, ports[1], database)
        target = Target(server, ports[2], database)
        rows = [(row, target) for row in _rows(target, products, last=options.products[-1])]
        rows.insert(0, (Row("Django and DRF alone", _constant), bare))
        wanted = [(row, where) for row, where in rows if options.only in row.name]
        table = measure(wanted, unit, rounds=options.rounds, requests=options.requests)
        memory = memory_of_session(server.pid)
    if not options.only:
        print(f"memory of two workers: {memory:.0f} MB (PSS); the budget is {MEMORY}")
    return table


def _constant(_: int) -> Make:
    return lambda n: HttpRequest("/constant/")


def _rows(target: Target, products: int, *, last: int) -> list[Row]:
    """The rows for this number of products; orders only at the ``last`` number."""
    from products.models import Product

    from . import data

    # A new buyer each time: in a kept database the others have ordered before.
    regular = data.tokens(1, first=random.randrange(10**9, 10**10))[0]
    rows = reads(products, regular, _ask(target.port, "GET", "/").headers["ETag"] or "")
    if products == last:
        on_sale = list(Product.objects.on_sale().values_list("pk", flat=True)[:900])
        # 25 lines of cheap products: M-Pesa accepts at most KES 250,000 per payment.
        cheap = list(Product.objects.on_sale().order_by("price").values_list("pk", flat=True)[:25])
        _buy(target.port, regular, cheap[:1])
        _buy(target.port, regular, cheap[1:])
        rows += orders(on_sale, regular)
    return rows


def _buy(port: int, token: str, products: list[int]) -> None:
    """Order these and pay: a buyer who has paid may have more unpaid orders."""
    from payments.models import OrderPayment

    _ask(port, "POST", "/cashout/", order_of(products), (JSON, bearer(token)))
    # The prompt is sent after the answer.
    _wait_while(OrderPayment.objects.filter(status__in=["requested", "unknown"]), "rung")
    for paid in successes():
        _ask(port, paid.method, paid.path, paid.body, paid.headers)
    # A callback is answered before it is processed.
    _wait_while(OrderPayment.objects.filter(status="submitted"), "applied")


def _wait_while(payments: Any, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while payments.exists():
        if time.monotonic() > deadline:
            raise SystemExit(f"A payment is still waiting and is not {what}.")
        time.sleep(0.1)


def _ask(
    port: int,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> http.client.HTTPResponse:
    """The answer to one request. Raises SystemExit if it is not a success."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body, dict(headers))
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status >= 300:
        raise SystemExit(f"{method} {path}: {answer.status} {content.decode(errors='replace')}")
    return answer


if __name__ == "__main__":
    main()
