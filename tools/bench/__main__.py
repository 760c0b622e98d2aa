"""Measures the shop: ``make bench``, or ``python -m tools.bench --database postgres://…``."""

import argparse
import base64
import json
import os
import random
import tempfile
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import psycopg

from .gateway import gateway
from .load import HttpRequest, load
from .processes import (
    Server,
    cpu_of_database,
    cpu_of_session,
    free_port,
    memory_of_session,
    running,
)

DATABASE = "omache_bench"
#: Makes the n-th request of a row.
Make = Callable[[int], HttpRequest]
JSON = ("Content-Type", "application/json")


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--database", required=True, help="a PostgreSQL address that may create")
    parser.add_argument("--products", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--requests", type=int, default=1000, help="a row (1000)")
    parser.add_argument("--orders", type=int, default=900, help="spread, and hot (900)")
    options = parser.parse_args()
    parts = urlsplit(options.database)
    with psycopg.connect(options.database.replace(parts.path, "/postgres"), autocommit=True) as db:
        db.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        db.execute(f"CREATE DATABASE {DATABASE}")
    os.environ.update(_environment(urlunsplit(parts._replace(path=f"/{DATABASE}"))))
    try:
        with gateway() as address:
            os.environ["DARAJA_BASE_URL"] = address
            _bench(options)
    finally:
        with psycopg.connect(
            options.database.replace(parts.path, "/postgres"), autocommit=True
        ) as db:
            db.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def _environment(database: str) -> dict[str, str]:
    """Production, rehearsed on this machine; throttles off, since one client asks it all."""
    return {
        "OMACHE_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "omachemainproj.settings",
        "DATABASE_URL": database,
        "DJANGO_SECRET_KEY": "".join(random.choices("abcdefghijklmnop0123456789", k=60)),
        "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS": "off",
        "THROTTLES": "off",
        "DARAJA_BASE_URL": "http://127.0.0.1:1",
        "DARAJA_CALLBACK_BASE_URL": "http://127.0.0.1:1",
        "DARAJA_CONSUMER_KEY": "key",
        "DARAJA_CONSUMER_SECRET": "secret",
        "DARAJA_SHORTCODE": "174379",
        "DARAJA_PASSKEY": "passkey",
        "STATIC_ROOT": tempfile.mkdtemp(prefix="omache-bench-"),
    }


def _bench(options: argparse.Namespace) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from . import data

    call_command("migrate", verbosity=0)
    floor_port, shop_port = free_port(), free_port()
    floor = ["-m", "gunicorn", "tools.bench.constant", "-b", f"127.0.0.1:{floor_port}"]
    shop = ["-m", "gunicorn", "omachemainproj.wsgi", "-b", f"127.0.0.1:{shop_port}"]
    print(f"{'':48}{'CPU ms':>8}{'ratio':>8}{'req/s':>8}{'p99 ms':>8}  statuses")
    for products in options.products:
        data.fill(products)
        print(f"\n{products:,} products")
        with running(floor, port=floor_port) as floor_server:
            unit = _measure(
                "the constant view",
                floor_server,
                floor_port,
                lambda n: HttpRequest("/constant/"),
                3 * options.requests,
            )
        with running(shop, port=shop_port) as server:
            for name, make in _reads(products).items():
                _measure(name, server, shop_port, make, options.requests, unit)
            if products == options.products[-1]:
                _orders(server, shop_port, options.orders, unit)
            print(f"{'memory, two workers (PSS)':48}{memory_of_session(server.pid):8.0f} MB")


def _measure(
    name: str, server: Server, port: int, make: Make, requests: int, unit: float | None = None
) -> float:
    """Print a row, and return CPU ms a request."""
    load(port, make, requests=50)  # connections, plans and code are warm then
    before = cpu_of_session(server.pid) + cpu_of_database(DATABASE)
    result = load(port, make, requests=requests)
    cost = (cpu_of_session(server.pid) + cpu_of_database(DATABASE) - before) / requests * 1000
    ratio = f"{cost / unit:8.1f}" if unit else f"{'1':>8}"
    print(
        f"{name:48}{cost:8.2f}{ratio}{result.per_second:8.0f}{result.p99:8.1f}  {result.statuses}",
        flush=True,
    )
    return cost


def _reads(products: int) -> dict[str, Make]:
    from . import data

    token = ("Authorization", f"Bearer {data.tokens(1)[0]}")
    ids = [random.randint(1, products) for _ in range(1000)]
    page = _page_from(products // 2)
    return {
        "GET /": lambda n: HttpRequest("/"),
        "GET /product/kitchen/": lambda n: HttpRequest("/product/kitchen/"),
        "  … from the middle": lambda n: HttpRequest(f"/product/kitchen/?cursor={page}"),
        "  … dearest first": lambda n: HttpRequest("/product/kitchen/?ordering=-price"),
        "GET /product/{id}/": lambda n: HttpRequest(f"/product/{ids[n % 1000]}/"),
        "GET /product/search/ a rare word": lambda n: HttpRequest(
            f"/product/search/?search={ids[n % 1000]}"
        ),
        "  … a common word": lambda n: HttpRequest("/product/search/?search=samsung"),
        "  … two words": lambda n: HttpRequest("/product/search/?search=samsung+gold"),
        "  … misspelt": lambda n: HttpRequest("/product/search/?search=samsng"),
        "POST /cart/ 10 ids": lambda n: HttpRequest(
            "/cart/", "POST", json.dumps(ids[n % 900 : n % 900 + 10]).encode(), (JSON,)
        ),
        "GET /track/order/ (none yet)": lambda n: HttpRequest("/track/order/", headers=(token,)),
    }


def _page_from(middle: int) -> str:
    return base64.urlsafe_b64encode(f"[{middle}]".encode()).decode().rstrip("=")


def _orders(server: Server, port: int, orders: int, unit: float) -> None:
    """Orders spread over products, then on one hot product, then the callbacks that pay them."""
    from products.models import Product

    from . import data

    # Nobody may have more than three unpaid orders; a warm-up and a row are two each.
    everyone = data.tokens(2 * orders)
    half = orders

    def cash_out(tokens: list[str], product: Callable[[int], int]) -> Make:
        def make(n: int) -> HttpRequest:
            body = {"order": [{"product": product(n), "number": 1}], "mpesa_number": _phone()}
            token = ("Authorization", f"Bearer {tokens[n % len(tokens)]}")
            return HttpRequest("/cashout/", "POST", json.dumps(body).encode(), (JSON, token))

        return make

    on_sale = list(Product.objects.on_sale().values_list("pk", flat=True)[:900])
    spread = cash_out(everyone[:half], lambda n: on_sale[n % len(on_sale)])
    hot = cash_out(everyone[half:], lambda n: on_sale[0])
    _measure("POST /cashout/ spread", server, port, spread, orders, unit)
    _measure("POST /cashout/ one hot product", server, port, hot, orders, unit)
    bodies = _callbacks()
    _measure(
        "POST /safwebhook/<token>/ kept and applied",
        server,
        port,
        lambda n: bodies[n % len(bodies)],
        min(orders, len(bodies) - 50),
        unit,
    )
    token = ("Authorization", f"Bearer {everyone[0]}")
    _measure(
        "GET /track/order/",
        server,
        port,
        lambda n: HttpRequest("/track/order/", headers=(token,)),
        500,
        unit,
    )


def _phone() -> str:
    return f"2547{random.randrange(100_000_000):08d}"


def _callbacks() -> list[HttpRequest]:
    from payments.models import OrderPayment

    rows = OrderPayment.objects.filter(status="submitted").values_list(
        "pk", "callback_token", "merchant_request_id", "checkout_request_id", "amount"
    )
    return [
        HttpRequest(
            f"/safwebhook/{token}/", "POST", _success(pk, merchant, checkout, amount), (JSON,)
        )
        for pk, token, merchant, checkout, amount in rows
    ]


def _success(pk: int, merchant: str, checkout: str, amount: int) -> bytes:
    items = {
        "Amount": float(amount),
        "MpesaReceiptNumber": f"B{pk:09d}",
        "TransactionDate": 20261123120000,
        "PhoneNumber": 254700000000,
    }
    return json.dumps(
        {
            "Body": {
                "stkCallback": {
                    "MerchantRequestID": merchant,
                    "CheckoutRequestID": checkout,
                    "ResultCode": 0,
                    "ResultDesc": "The service request is processed successfully.",
                    "CallbackMetadata": {
                        "Item": [{"Name": name, "Value": value} for name, value in items.items()]
                    },
                }
            }
        }
    ).encode()


if __name__ == "__main__":
    main()
