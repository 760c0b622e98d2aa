"""The rows of the bench: which requests are measured, and the budget of each.

A budget is a multiple of the constant view's CPU in the same rounds. docs/performance.md explains
each.
"""

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from .load import HttpRequest, Make

JSON = ("Content-Type", "application/json")
#: Unpaid orders one person may have.
_UNPAID = 3


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    name: str
    #: Creates a row's requests; called once per round, with their number.
    make: Callable[[int], Make]
    #: Multiple of the constant view; None: no budget.
    budget: float | None = None
    #: Share of a round's requests: expensive ones are sent less often.
    share: float = 1.0


def _get(path: str, *headers: tuple[str, str]) -> Callable[[int], Make]:
    return lambda _: lambda n: HttpRequest(path, headers=headers)


def bearer(token: str) -> tuple[str, str]:
    return ("Authorization", f"Bearer {token}")


def reads(products: int, token: str, etag: str) -> list[Row]:
    """Read requests in a shop with this number of products, and their budgets."""
    ids = [random.randint(1, products) for _ in range(1000)]
    middle = base64.urlsafe_b64encode(f"[{products // 2}]".encode()).decode().rstrip("=")
    numbers = [str(number) for number in ids]

    def detail(*headers: tuple[str, str]) -> Callable[[int], Make]:
        return lambda _: lambda n: HttpRequest(f"/product/{ids[n % 1000]}/", headers=headers)

    def cart(_: int) -> Make:
        return lambda n: HttpRequest(
            "/cart/", "POST", json.dumps(ids[n % 900 : n % 900 + 10]).encode(), (JSON,)
        )

    def begun(_: int) -> Make:
        """A prefix nobody typed within the last minute: of the numbers in names."""
        return lambda n: HttpRequest(f"/product/suggest/?q={random.randint(10, 10**6)}")

    def rare(_: int) -> Make:
        return lambda n: HttpRequest(f"/product/search/?search={numbers[n % 1000]}")

    search = "/product/search/?search="
    return [
        Row("GET /product/nowhere/ (404)", _get("/product/nowhere/"), 1.8),
        Row("GET /", _get("/"), 2.5),
        Row("GET / (304)", _get("/", ("If-None-Match", etag)), 2),
        Row("GET / (gzip)", _get("/", ("Accept-Encoding", "gzip")), 2.5),
        Row("GET /product/kitchen/", _get("/product/kitchen/"), 4),
        Row("  from the middle", _get(f"/product/kitchen/?cursor={middle}"), 4),
        Row("  most expensive first", _get("/product/kitchen/?ordering=-price"), 4),
        Row("GET /product/{id}/", detail(), 3.5),
        Row("  with a token", detail(bearer(token)), 4.5),
        Row("search: a rare word", rare, 6),
        Row("  a common word", _get(f"{search}samsung"), 6),
        Row("  two words", _get(f"{search}samsung+gold"), 8, 0.5),
        Row("  a word in every product", _get(f"{search}shop"), 8, 0.5),
        Row("  a word, cheapest first", _get(f"{search}samsung&ordering=price"), 8, 0.5),
        Row("  a word and prices", _get(f"{search}samsung&min_price=500&max_price=50000"), 8, 0.5),
        Row("  no word", _get("/product/search/"), 6),
        Row("  misspelt", _get(f"{search}samsng"), 9, 0.5),
        Row("  nothing found", _get(f"{search}qqzzxxww"), 9, 0.5),
        Row("suggest: the beginning of a word", _get("/product/suggest/?q=sams"), 5, 0.5),
        Row("  one nobody typed recently", begun, 8, 0.5),
        Row("POST /cart/ 10 ids", cart, 4.5),
        Row("GET /account/", _get("/account/", bearer(token)), 4.5),
    ]


def _phone() -> str:
    return f"2547{random.randrange(100_000_000):08d}"


class _Buyers:
    """Tokens of buyers, each used for two orders, so that nobody has too many unpaid ones."""

    def __init__(self, first: int) -> None:
        self._made = first

    def of_round(self, orders: int) -> list[str]:
        from . import data

        people = -(-orders // (_UNPAID - 1))
        tokens = data.tokens(people, first=self._made)
        self._made += people
        return tokens


def _cash_out(buyers: _Buyers, product: Callable[[int], int]) -> Callable[[int], Make]:
    def of_round(orders: int) -> Make:
        tokens = buyers.of_round(orders)
        used = count()

        def make(n: int) -> HttpRequest:
            body = {"order": [{"product": product(n), "number": 1}], "mpesa_number": _phone()}
            token = bearer(tokens[next(used) % len(tokens)])
            return HttpRequest("/cashout/", "POST", json.dumps(body).encode(), (JSON, token))

        return make

    return of_round


def orders(on_sale: list[int], regular: str) -> list[Row]:
    """Cash-outs and callbacks; ``regular`` is the token of a buyer with 25 lines."""
    buyers = _Buyers(random.randrange(10**9))
    spread = _cash_out(buyers, lambda n: on_sale[n % len(on_sale)])
    hot = _cash_out(buyers, lambda n: on_sale[0])
    sent: list[HttpRequest] = []

    def callbacks(_: int) -> Make:
        bodies = successes()
        sent.extend(bodies)
        used = count()
        return lambda n: bodies[next(used) % len(bodies)]

    def again(_: int) -> Make:
        return lambda n: sent[n % len(sent)]

    return [
        Row("POST /cashout/ spread", spread, 16),
        Row("POST /cashout/ one hot product", hot, 16),
        Row("callback: stored and processed", callbacks, 25),
        Row("callback: stored, a repeat", again, 10),
        Row("GET /track/order/ 25 rows", _get("/track/order/", bearer(regular)), 6),
        Row("GET /orders/", _get("/orders/", bearer(regular))),
    ]


def order_of(products: list[int]) -> bytes:
    """The body of a cash-out of these products."""
    lines = [{"product": product, "number": 1} for product in products]
    return json.dumps({"order": lines, "mpesa_number": _phone()}).encode()


def successes() -> list[HttpRequest]:
    """A success callback for each open prompt. Raises SystemExit if there is none."""
    from payments.models import OrderPayment

    rows = OrderPayment.objects.filter(status="submitted").values_list(
        "pk", "callback_token", "merchant_request_id", "checkout_request_id", "amount"
    )
    if not rows:
        raise SystemExit("No order waits for payment: cash-out does not work.")
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
