"""Placing an order: one transaction fixes its prices and holds its goods."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from omachemainproj.api.errors import FieldRefusal, Refusal
from omachemainproj.compiled_queries import compiled
from omachemainproj.money import format_kes
from omachemainproj.mpesa_limits import MAX_PAYMENT
from products import stock
from products.models import Product
from products.stock import Shortage, StockLine

from .commission import commissions
from .holds import (
    PROMPT_TIME,
    Allowance,
    Asker,
    TooManyGoods,
    TooManyUnits,
    TooManyUnpaid,
    TooMuchValue,
    Wanted,
    check_holds,
    held_near,
    lock_and_read_allowance,
    lock_network,
    read_allowance,
)
from .lifecycle import MAX_HOLD_FACTOR, expire_unpaid_orders, yield_goods
from .models import (
    AGREED_OF_LINE,
    AGREED_OF_ORDER,
    Order,
    OrderDigest,
    OrderTrack,
    PaymentStatus,
    digest_agreement,
)

#: A request without an Idempotency-Key that repeats one within this time is the same order.
REPEAT_WINDOW = timedelta(seconds=15)

#: The code of a refusal of goods that unpaid orders of the buyer's own hold; it names them.
HELD_BY_YOUR_ORDER = "held_by_your_order"


class KeyReused(Refusal):
    """An Idempotency-Key was sent again with a different body."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for a different order. Use a new key for a new order."
    status_code = 422


class PriceChanged(Refusal):
    """Something costs otherwise than the client showed; the answer has what it costs now."""

    code = "price_changed"
    message = "A price has changed since you saw it. See what it is now, and cash out again."


class RequestInProgress(Refusal):
    """A request with the same Idempotency-Key is being processed at this moment."""

    code = "idempotency_key_in_use"
    message = "This very request is being worked on. Ask again in a moment."


#: Said on a line whose goods are whose cart it is in.
OWN_GOODS = "These are your own goods."


@dataclass(frozen=True, slots=True)
class LineRequest:
    """One line of the request: a product's id, how many of it, and the price each that was shown.

    ``price`` is in KES; None where the client does not say.
    """

    product: int
    number: int
    price: int | None = None


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order and its lines; ``replayed`` when an earlier request had placed it."""

    order: Order
    tracks: list[OrderTrack]
    replayed: bool = False


def place_order(
    *,
    buyer: User,
    lines: Sequence[LineRequest],
    mpesa_number: str,
    idempotency_key: str | None = None,
    shown_amount: int | None = None,
    network: str = "",
) -> PlacedOrder:
    """Place an order at today's prices and hold its goods: all lines or none.

    Lines for the same product are added up. With an ``idempotency_key`` the same request returns
    the same order, however often it comes. Without one, a request for the lines and the phone of an
    order that the buyer placed a moment ago (REPEAT_WINDOW) and that is still unpaid returns that
    order: it is a double click.

    Prices that the client showed (``LineRequest.price``) and the sum (``shown_amount``, KES) are
    compared with today's, where it says them. ``network`` is where it comes from, as
    ``orders.holds.network_to_count`` says it.

    Goods that are sold out are taken from unpaid orders of others whose prompt is over, unless the
    buyer lets orders lapse themselves.

    Raises FieldRefusal (shaped like the input) when a line cannot be sold, is the buyer's own,
    or the sum is outside 1 to 250,000 KES, PriceChanged, TooManyUnpaid, KeyReused,
    RequestInProgress, and what ``orders.holds.check_holds`` raises. Where unpaid orders of the
    buyer's own hold what is refused, their tokens are named, newest first.
    """
    asker = Asker(buyer.pk, mpesa_number, network)
    asked = _Request(buyer, lines, mpesa_number, idempotency_key, shown_amount, asker)
    try:
        return _place(asked)
    except Shortage:
        # Overdue orders that the clock has not expired yet may still hold what is missing.
        expire_unpaid_orders(product_ids=sorted({line.product for line in lines}))
        if read_allowance(asker).is_firm:
            yield_goods(asked.quantities(), to=buyer.pk)
    try:
        return _place(asked)
    except Shortage as shortage:
        raise _shortage_error(buyer, shortage.product_id, lines) from shortage


@dataclass(frozen=True, slots=True)
class _Request:
    """A cash-out as it was asked for; see ``place_order``."""

    buyer: User
    lines: Sequence[LineRequest]
    mpesa_number: str
    idempotency_key: str | None
    shown_amount: int | None
    asker: Asker

    def quantities(self) -> dict[int, int]:
        """How many of each product, by its id."""
        numbers: dict[int, int] = defaultdict(int)
        for line in self.lines:
            numbers[line.product] += line.number
        return numbers

    def fingerprint(self) -> str:
        """SHA-256 of what was asked for, and of the prices that were shown."""
        asked: list[Any] = [sorted(self.quantities().items()), self.mpesa_number]
        shown = {(line.product, line.price) for line in self.lines if line.price is not None}
        if shown or self.shown_amount is not None:
            asked += [sorted(shown), self.shown_amount]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()

    def shows(self, prices: dict[int, int], amount: int) -> bool:
        """Whether the prices by product and their sum, in KES, are those that were shown."""
        same = all(line.price in {None, prices[line.product]} for line in self.lines)
        return same and self.shown_amount in {None, amount}


@transaction.atomic(durable=True)
def _place(asked: _Request) -> PlacedOrder:
    """Try once. Last come the locks that many wait for: the network's, and those of the goods."""
    buyer, lines, mpesa_number = asked.buyer, asked.lines, asked.mpesa_number
    idempotency_key, quantities = asked.idempotency_key, asked.quantities()
    fingerprint = asked.fingerprint() if idempotency_key else ""
    if idempotency_key:
        _refuse_concurrent_retry(buyer, idempotency_key)
    # Under this lock the buyer's unpaid orders are counted, and a double click waits for the first.
    allowance = lock_and_read_allowance(asked.asker)
    earlier = _earlier_orders(buyer.pk, idempotency_key)
    for order in earlier:
        if idempotency_key and order.idempotency_key == idempotency_key:
            if order.fingerprint != fingerprint:
                raise KeyReused()
            return PlacedOrder(order, list(order.tracks.order_by("pk")), replayed=True)
    if not idempotency_key and (repeated := _find_repeated(earlier, asked)):
        return repeated
    products = _read_products(buyer.pk, quantities, lines)
    amounts = [products[product_id].price * n for product_id, n in quantities.items()]
    amount = sum(amounts)
    if not asked.shows({row.id: row.price for row in products.values()}, amount):
        raise _price_error(lines, products, amount)
    unpaid = _check_unpaid_orders(earlier, allowance)
    if amount > MAX_PAYMENT:
        message = (
            f"M-Pesa takes at most {format_kes(MAX_PAYMENT)} at once; this is {format_kes(amount)}."
        )
        raise FieldRefusal({"order": {"non_field_errors": [message]}})
    now = timezone.now()
    order = Order(
        buyer=buyer,
        mpesa_number=mpesa_number,
        amount=amount,
        expires_at=now + allowance.hold,
        held_until=now + MAX_HOLD_FACTOR * allowance.hold,
        # Before it was placed: not even while it is paid for.
        firm_until=now + PROMPT_TIME if allowance.is_firm else now - PROMPT_TIME,
        network="" if allowance.has_paid else asked.asker.network,
        idempotency_key=idempotency_key,
        fingerprint=fingerprint,
    )
    order.save(force_insert=True)
    tracks = OrderTrack.objects.bulk_create(
        _track(order, products[product_id], n, commission)
        for (product_id, n), commission in zip(
            quantities.items(), commissions(amounts), strict=True
        )
    )
    _keep_digest(order, tracks)
    wanted = {
        product_id: Wanted(n, n * products[product_id].price, products[product_id].item_number)
        for product_id, n in quantities.items()
    }
    if order.network:
        lock_network(order.network)
    _check_holds(asked, allowance, order, unpaid, wanted)
    stock.hold(StockLine(product_id, n) for product_id, n in quantities.items())
    return PlacedOrder(order, tracks)


def _keep_digest(order: Order, tracks: list[OrderTrack]) -> None:
    """Keep the digest of what is agreed (orders.models.digests). One query."""
    agreed = attrgetter(*AGREED_OF_LINE)
    sha256 = digest_agreement(
        attrgetter(*AGREED_OF_ORDER)(order), [agreed(track) for track in tracks]
    )
    OrderDigest.objects.bulk_create([OrderDigest(order=order, sha256=sha256)])


def _track(order: Order, product: Any, number: int, commission: int) -> OrderTrack:
    """A line with the product's name, price and payout number as they are now."""
    return OrderTrack(
        order=order,
        buyer_id=order.buyer_id,
        product_id=product.id,
        seller_id=product.seller_id,
        name=product.name,
        number=number,
        price=product.price,
        amount=number * product.price,
        commission=commission,
        payment_mpesa_number=product.payment_mpesa_number,
    )


def _refuse_concurrent_retry(buyer: User, key: str) -> None:
    """Raise RequestInProgress while another transaction places an order under this key.

    SQLite runs transactions one after the other: the second waits, and finds the order.
    """
    if connection.vendor != "postgresql":
        return
    digest = hashlib.sha256(f"cashout:{buyer.pk}:{key}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s)",
            [int.from_bytes(digest[:8], "big", signed=True)],
        )
        if not cursor.fetchone()[0]:
            raise RequestInProgress()


@compiled
def _earlier_orders(buyer: int, key: str | None) -> QuerySet[Order]:
    """The buyer's unpaid orders, and the one placed under this key."""
    orders = Order.objects.filter(buyer=buyer)
    if key is None:
        return orders.unpaid()
    return orders.filter(Q(payment_status=PaymentStatus.REQUESTED) | Q(idempotency_key=key))


def _find_repeated(unpaid: list[Order], asked: _Request) -> PlacedOrder | None:
    """The order that was placed for the same a moment ago and still waits for its money."""
    now, quantities = timezone.now(), asked.quantities()
    for order in unpaid:
        is_recent = order.created_at > now - REPEAT_WINDOW and order.expires_at > now
        if not is_recent or order.mpesa_number != asked.mpesa_number:
            continue
        tracks = list(order.tracks.order_by("pk"))
        same_lines = {track.product_id: track.number for track in tracks} == quantities
        prices = {track.product_id: track.price for track in tracks}
        if same_lines and asked.shows(prices, order.amount):
            return PlacedOrder(order, tracks, replayed=True)
    return None


def line_objections(
    lines: Sequence[LineRequest], sellers: Mapping[int, int], *, buyer: int | None
) -> list[dict[str, list[str]]]:
    """What keeps each line from being bought, shaped like the lines; [] where nothing does.

    ``sellers`` has the seller of each product that is for sale, by its id. Nobody buys their own
    goods: the money would go round, and reviews and sales with it. ``buyer`` is None where nobody
    is signed in.
    """
    objections: list[dict[str, list[str]]] = []
    for line in lines:
        seller = sellers.get(line.product)
        if seller is None:
            objections.append({"product": ["This product is not for sale."]})
        else:
            objections.append({"product": [OWN_GOODS]} if seller == buyer else {})
    return objections if any(objections) else []


def _read_products(
    buyer: int, quantities: dict[int, int], lines: Sequence[LineRequest]
) -> dict[int, Any]:
    """The products by id. Raises FieldRefusal where one is not for sale, or is the buyer's own."""
    products = {row.id: row for row in _listed_products(list(quantities))}
    sellers = {row.id: row.seller_id for row in products.values()}
    if objections := line_objections(lines, sellers, buyer=buyer):
        raise FieldRefusal({"order": objections})
    return products


@compiled
def _listed_products(ids: Sequence[int]) -> QuerySet[Any, Any]:
    fields = ("id", "name", "price", "seller_id", "payment_mpesa_number", "item_number")
    return Product.objects.listed().filter(pk__in=ids).values_list(*fields, named=True)


def _price_error(
    lines: Sequence[LineRequest], products: dict[int, Any], amount: int
) -> PriceChanged:
    """The refusal that says what every line costs now, in the order asked, and all of them."""
    priced = [
        {
            "product": line.product,
            "number": line.number,
            "price": products[line.product].price,
            "amount": line.number * products[line.product].price,
        }
        for line in lines
    ]
    return PriceChanged(order=priced, amount=amount)


def _check_unpaid_orders(earlier: list[Order], allowance: Allowance) -> list[str]:
    """The tokens of the buyer's unpaid orders, newest first. Raises TooManyUnpaid."""
    now = timezone.now()
    # Overdue orders do not count, whether or not the clock has expired them yet.
    unpaid = [order for order in earlier if order.is_unpaid and order.expires_at > now]
    unpaid.sort(key=lambda order: -order.pk)
    tokens = [str(order.order_token) for order in unpaid]
    if len(unpaid) >= allowance.orders:
        raise TooManyUnpaid(_too_many_unpaid(allowance.orders), **_name_orders(tokens))
    return tokens


def _check_holds(
    asked: _Request,
    allowance: Allowance,
    order: Order,
    unpaid: list[str],
    wanted: dict[int, Wanted],
) -> None:
    """Refuse what the new order would hold beyond the limits, and lead to what its buyer holds
    already: ``unpaid`` has the tokens of those orders."""
    try:
        check_holds(asked.asker, allowance, held_near(asked.asker, but_order=order.pk), wanted)
    except TooManyUnits as most:
        errors = _line_error(most.product_id, asked.lines, most.message, most.left)
        own = _own_holds(asked.buyer.pk, most.product_id, but_order=order.pk) if most.own else []
        raise FieldRefusal(errors, **_lead_to(own)) from most
    except (TooManyGoods, TooMuchValue) as refusal:
        refusal.extra.update(_name_orders(unpaid) if unpaid else {})
        raise


def _too_many_unpaid(most: int) -> str:
    orders = "an order" if most == 1 else f"{most} orders"
    which = "it" if most == 1 else "one of them"
    return f"You have {orders} waiting to be paid. Pay or cancel {which} first."


def _shortage_error(buyer: User, product_id: int, lines: Sequence[LineRequest]) -> FieldRefusal:
    """The refusal that says how many of a product are free, on the line that exceeds them.

    What unpaid orders of the buyer's own hold of it is said too, with the way to them.
    """
    stock_of = Product.objects.listed().filter(pk=product_id).values_list("item_number", "held")
    item_number, held = stock_of.first() or (0, 0)
    requested = sum(line.number for line in lines if line.product == product_id)
    # Some may have come free since the hold failed; then there were fewer than requested.
    left = min(item_number - held, requested - 1)
    message = f"Only {left} left" if left else "Sold out"
    own = _own_holds(buyer.pk, product_id)
    if own:
        number, which = sum(hold.number for hold in own), ", ".join(hold.reference for hold in own)
        verb = "order holds" if len(own) == 1 else "orders hold"
        message += f": your own unpaid {verb} {number} ({which}). Pay or cancel first"
    return FieldRefusal(_line_error(product_id, lines, f"{message}.", left), **_lead_to(own))


class _OwnHold(NamedTuple):
    """So many of a product, held by an unpaid order of the buyer's own."""

    order_token: str
    reference: str
    number: int


def _own_holds(buyer: int, product: int, *, but_order: int = 0) -> list[_OwnHold]:
    """What the buyer's unpaid orders hold of a product, the newest order first."""
    held = OrderTrack.objects.bought_by(buyer).filter(
        product=product,
        order__payment_status=PaymentStatus.REQUESTED,
        order__expires_at__gt=timezone.now(),
    )
    held = held.exclude(order=but_order)
    rows = held.order_by("-order").values_list("order__order_token", "order__reference", "number")
    return [_OwnHold(str(token), reference, number) for token, reference, number in rows]


def _lead_to(own: list[_OwnHold]) -> dict[str, Any]:
    """The members that lead to the buyer's own orders which hold the goods; none without any."""
    if not own:
        return {}
    return {"code": HELD_BY_YOUR_ORDER, **_name_orders([hold.order_token for hold in own])}


def _name_orders(tokens: list[str]) -> dict[str, Any]:
    """The members that name unpaid orders to pay or to cancel, newest first."""
    return {"order_token": tokens[0], "order_tokens": tokens}


def _line_error(
    product_id: int, lines: Sequence[LineRequest], message: str, left: int
) -> dict[str, Any]:
    """The errors with ``message`` on the first line of a product by which more than ``left`` are
    requested."""
    errors: list[dict[str, list[str]]] = [{} for _ in lines]
    requested = 0
    for at, line in enumerate(lines):
        if line.product == product_id:
            requested += line.number
            if requested > left:
                errors[at] = {"number": [message]}
                break
    return {"order": errors}
