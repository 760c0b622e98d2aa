"""Placing an order: one transaction fixes its prices and holds its goods."""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework.exceptions import ErrorDetail

from accounts.models import Guest, User
from omachemainproj.api.errors import FieldRefusal, Refusal
from omachemainproj.compiled_queries import compiled
from omachemainproj.inserts import insert_together
from products import stock
from products.models import Product
from products.stock import Shortage, StockLine

from .commission import commissions
from .delivery.destinations import (
    Destination,
    Place,
    find_place,
    find_rate_to,
    freeze_delivery,
    is_delivered_to,
)
from .delivery.fees import fees_of
from .holds import (
    PROMPT_TIME,
    Allowance,
    Asker,
    PhoneHasTooManyUnpaid,
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
    DeliveryRate,
    Order,
    OrderDelivery,
    OrderDigest,
    OrderQuerySet,
    OrderTrack,
    Parcel,
    PaymentStatus,
    digest_agreement,
)
from .refusals import (
    LineRequest,
    check_amount,
    lead_to,
    line_error,
    name_orders,
    own_holds,
    price_error,
    shortage_error,
    too_many_unpaid,
)

#: A request without an Idempotency-Key that repeats one within this time is the same order.
REPEAT_WINDOW = timedelta(seconds=15)


class OrderKeyReused(Refusal):
    """An Idempotency-Key was sent again with a different body."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for a different order. Use a new key for a new order."
    status_code = 422


class RequestInProgress(Refusal):
    """A request with the same Idempotency-Key is being processed at this moment."""

    code = "idempotency_key_in_use"
    retry_after = 1
    message = "This very request is being worked on. Ask again in a moment."


#: Said on a line whose goods are whose cart it is in.
OWN_GOODS = "These are your own goods."
_OWN = ErrorDetail(OWN_GOODS, "own_goods")
NOT_FOR_SALE = ErrorDetail("This product is not for sale.", "not_for_sale")


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order, its lines and where it goes; ``replayed`` when an earlier request had placed it.

    Where it goes is told of an order that was placed now.
    """

    order: Order
    tracks: list[OrderTrack]
    delivery: OrderDelivery | None = None
    replayed: bool = False
    #: Of each product by its id, in an order that was placed now: its seller's user name, and the
    #: stored name of its thumbnail or "".
    shown: Mapping[int, tuple[str, str]] = field(default_factory=dict)


def place_order(
    *,
    buyer: User | Guest,
    lines: Sequence[LineRequest],
    mpesa_number: str,
    idempotency_key: str | None = None,
    shown_amount: int | None = None,
    network: str = "",
    delivery: Destination | None = None,
) -> PlacedOrder:
    """Place an order at today's prices and hold its goods: all lines or none.

    Lines for the same product are added up. With an ``idempotency_key`` the same request returns
    the same order, however often it comes. Without one, a request for the lines and the phone of an
    order that the buyer placed a moment ago (REPEAT_WINDOW) and that is still unpaid returns that
    order: it is a double click.

    Prices that the client showed (``LineRequest.price``) and the sum (``shown_amount``, KES) are
    compared with today's, where it says them. ``network`` is where it comes from, as
    ``orders.holds.network_to_count`` says it.

    With ``delivery`` the goods are brought there, each seller's as a parcel for a fee; place, fees
    and days are frozen as they are now, and the amount of the order includes the fees. Without it
    buyer and sellers arrange that between them.

    Of a guest (accounts.guests) nothing is known but the phone, ``mpesa_number``. They have a
    newcomer's room whatever that phone paid before, what all who typed it hold counts together, and
    a refusal names no orders: they may be another's. A double click of theirs comes from the same
    network.

    Goods that are sold out are taken from unpaid orders of others whose prompt is over, unless the
    buyer lets orders lapse themselves.

    Raises FieldRefusal (shaped like the input) when a line cannot be sold, is the buyer's own,
    nothing is brought there, or the sum is outside 1 to 250,000 KES, PriceChanged, TooManyUnpaid,
    OrderKeyReused, RequestInProgress, and what ``orders.holds.check_holds`` raises. Where unpaid
    orders of the buyer's own hold what is refused, their tokens are named, newest first.
    """
    as_guest = isinstance(buyer, Guest)
    person = buyer.user if isinstance(buyer, Guest) else buyer
    asker = Asker(person.pk, mpesa_number, network)
    asked = _Request(
        person, lines, mpesa_number, idempotency_key, shown_amount, asker, delivery, as_guest
    )
    try:
        return _place(asked)
    except Shortage:
        # Overdue orders that the clock has not expired yet may still hold what is missing.
        expire_unpaid_orders(product_ids=sorted({line.product for line in lines}))
        if read_allowance(asker).is_firm:
            yield_goods(asked.quantities(), to=person.pk)
    try:
        return _place(asked)
    except Shortage as shortage:
        own = [] if as_guest else own_holds(person.pk, shortage.product_id)
        raise shortage_error(shortage.product_id, lines, own) from shortage


@dataclass(frozen=True, slots=True)
class _Request:
    """A cash-out as it was asked for; see ``place_order``."""

    buyer: User
    lines: Sequence[LineRequest]
    mpesa_number: str
    idempotency_key: str | None
    shown_amount: int | None
    asker: Asker
    delivery: Destination | None
    as_guest: bool = False

    def is_of_same_kind(self, order: Order) -> bool:
        """Whether an order was placed as this one is to be: by the account, or as a guest."""
        return (order.guest_id is not None) == self.as_guest

    def find_place(self, to: Destination) -> Place:
        """The place that was asked for; a guest has no name and no addresses. Raises NotThere."""
        return find_place(to, None if self.as_guest else self.buyer, self.mpesa_number)

    def quantities(self) -> dict[int, int]:
        """How many of each product, by its id."""
        numbers: dict[int, int] = defaultdict(int)
        for line in self.lines:
            numbers[line.product] += line.number
        return numbers

    def fingerprint(self) -> str:
        """SHA-256 of what was asked for, and of the prices that were shown.

        What a request does not say is no part of it: keys are kept across releases.
        """
        asked: list[Any] = [sorted(self.quantities().items()), self.mpesa_number]
        shown = {(line.product, line.price) for line in self.lines if line.price is not None}
        if shown or self.shown_amount is not None:
            asked += [sorted(shown), self.shown_amount]
        if self.delivery is not None:
            asked.append({"delivery": sorted(self.delivery.said().items())})
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()

    def shows(self, prices: dict[int, int], amount: int, fee: int = 0) -> bool:
        """Whether the prices by product, the sum in all, and what of that is for its delivery, in
        KES, are those that were shown."""
        same = all(line.price in {None, prices[line.product]} for line in self.lines)
        shown_fee = self.delivery.fee if self.delivery else None
        return same and self.shown_amount in {None, amount} and shown_fee in {None, fee}


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
    find = _earlier_of_guest if asked.as_guest else _earlier_orders
    earlier = find(buyer.pk, idempotency_key)
    if idempotency_key and (kept := _find_by_key(earlier, asked, fingerprint)):
        return PlacedOrder(kept, list(kept.tracks.order_by("pk")), replayed=True)
    # What joined the account from a guest takes no room of its own orders.
    earlier = [order for order in earlier if asked.is_of_same_kind(order)]
    if not idempotency_key and (repeated := _find_repeated(earlier, asked)):
        return repeated
    products = _read_products(buyer.pk, quantities, lines)
    amounts = [products[product_id].price * n for product_id, n in quantities.items()]
    goods = sum(amounts)
    bringing = _find_bringing(asked, products)
    fee = bringing.fee if bringing else 0
    amount = goods + fee
    if not asked.shows({row.id: row.price for row in products.values()}, amount, fee):
        raise price_error(lines, products, amount, fee if bringing else None)
    unpaid = _check_unpaid_orders(earlier, allowance, asked)
    check_amount(goods, fee)
    now = timezone.now()
    order = Order(
        buyer=buyer,
        guest=buyer if asked.as_guest else None,
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
    delivery, parcels = bringing.freeze(order) if bringing else (None, {})
    tracks = [
        _track(order, products[product_id], n, commission, parcels)
        for (product_id, n), commission in zip(
            quantities.items(), commissions(amounts), strict=True
        )
    ]
    insert_together(tracks, [_digest(order, tracks)])
    wanted = {
        product_id: Wanted(n, n * products[product_id].price, products[product_id].item_number)
        for product_id, n in quantities.items()
    }
    if order.network:
        lock_network(order.network)
    _check_holds(asked, allowance, order, unpaid, wanted)
    stock.hold(StockLine(product_id, n) for product_id, n in quantities.items())
    shown = {row.id: (row.seller__username, row.thumbnail) for row in products.values()}
    return PlacedOrder(order, tracks, delivery, shown=shown)


@dataclass(frozen=True, slots=True)
class _Bringing:
    """Where an order is brought, by which rate, and the fee of each seller's parcel, in KES."""

    place: Place
    rate: DeliveryRate
    fees: dict[int, int]

    @property
    def fee(self) -> int:
        """KES for all parcels."""
        return sum(self.fees.values())

    def freeze(self, order: Order) -> tuple[OrderDelivery, dict[int, Parcel]]:
        return freeze_delivery(order, self.place, self.rate.days, self.fees)


def _find_bringing(asked: _Request, products: dict[int, Any]) -> _Bringing | None:
    """How the goods are brought, by today's rates; None where that is not asked for.

    Raises NotThere where nothing is brought there.
    """
    if asked.delivery is None:
        return None
    place = asked.find_place(asked.delivery)
    rate = find_rate_to(place, asked.delivery.field)
    worth: dict[int, int] = defaultdict(int)
    for product_id, number in asked.quantities().items():
        worth[products[product_id].seller_id] += number * products[product_id].price
    return _Bringing(place, rate, fees_of(rate, worth))


def _digest(order: Order, tracks: list[OrderTrack]) -> OrderDigest:
    """The digest of what is agreed (orders.models.digests)."""
    agreed = attrgetter(*AGREED_OF_LINE)
    sha256 = digest_agreement(
        attrgetter(*AGREED_OF_ORDER)(order), [agreed(track) for track in tracks]
    )
    return OrderDigest(order=order, sha256=sha256)


def _track(
    order: Order, product: Any, number: int, commission: int, parcels: dict[int, Parcel]
) -> OrderTrack:
    """A line with the product's name, price and payout number as they are now."""
    return OrderTrack(
        order=order,
        buyer_id=order.buyer_id,
        product_id=product.id,
        seller_id=product.seller_id,
        parcel=parcels.get(product.seller_id),
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
    return _unpaid_or_under(key, Order.objects.placed_by(buyer))


@compiled
def _earlier_of_guest(guest: int, key: str | None) -> QuerySet[Order]:
    """The same of a guest, with those that somebody proved to be theirs since."""
    return _unpaid_or_under(key, Order.objects.filter(guest=guest))


def _unpaid_or_under(key: str | None, orders: OrderQuerySet) -> OrderQuerySet:
    if key is None:
        return orders.unpaid()
    return orders.filter(Q(payment_status=PaymentStatus.REQUESTED) | Q(idempotency_key=key))


def _find_by_key(earlier: list[Order], asked: _Request, fingerprint: str) -> Order | None:
    """The order that was placed under the request's key. Raises OrderKeyReused for another request.

    Who placed it as a guest, proved the phone and asks again signed in gets that one.
    """
    found = [order for order in earlier if order.idempotency_key == asked.idempotency_key]
    found.sort(key=asked.is_of_same_kind, reverse=True)
    for order in found:
        if order.fingerprint == fingerprint:
            return order
        if asked.is_of_same_kind(order):
            raise OrderKeyReused()
    return None


def _find_repeated(unpaid: list[Order], asked: _Request) -> PlacedOrder | None:
    """The order that was placed for the same a moment ago and still waits for its money."""
    now, quantities = timezone.now(), asked.quantities()
    for order in unpaid:
        is_recent = order.created_at > now - REPEAT_WINDOW and order.expires_at > now
        if not is_recent or order.mpesa_number != asked.mpesa_number:
            continue
        # Else who guesses what somebody orders this very moment would get their order.
        if asked.as_guest and order.network != asked.asker.network:
            continue
        tracks = list(order.tracks.order_by("pk"))
        same_lines = {track.product_id: track.number for track in tracks} == quantities
        prices = {track.product_id: track.price for track in tracks}
        fee = order.amount - sum(track.amount for track in tracks)
        same = same_lines and asked.shows(prices, order.amount, fee)
        if same and _goes_where_asked(order, tracks, asked):
            return PlacedOrder(order, tracks, replayed=True)
    return None


def _goes_where_asked(order: Order, tracks: list[OrderTrack], asked: _Request) -> bool:
    """Whether an order is brought where a request asks for, or nowhere as it does.

    Raises NotThere for a request that could place no order.
    """
    if asked.delivery is None or tracks[0].parcel_id is None:
        return asked.delivery is None and tracks[0].parcel_id is None
    return is_delivered_to(order, asked.find_place(asked.delivery))


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
            objections.append({"product": [NOT_FOR_SALE]})
        else:
            objections.append({"product": [_OWN]} if seller == buyer else {})
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
    shown = ("thumbnail", "seller__username")
    return Product.objects.listed().filter(pk__in=ids).values_list(*fields, *shown, named=True)


class _Unpaid(NamedTuple):
    """The buyer's unpaid orders: their tokens, newest first, and in how many seconds the first of
    them holds nothing any more. A guest's are not told, as they may be another's."""

    tokens: list[str]
    first_ends_in: int | None


def _check_unpaid_orders(earlier: list[Order], allowance: Allowance, asked: _Request) -> _Unpaid:
    """Those of the buyer that wait for their money. Raises TooManyUnpaid."""
    now = timezone.now()
    # Overdue orders do not count, whether or not the clock has expired them yet.
    unpaid = [order for order in earlier if order.is_unpaid and order.expires_at > now]
    unpaid.sort(key=lambda order: -order.pk)
    if asked.as_guest:
        if len(unpaid) >= allowance.orders:
            raise PhoneHasTooManyUnpaid()
        return _Unpaid([], None)
    ends = [math.ceil((order.expires_at - now).total_seconds()) for order in unpaid]
    found = _Unpaid([str(order.order_token) for order in unpaid], min(ends, default=None))
    if len(unpaid) >= allowance.orders:
        raise _led_to(found, TooManyUnpaid(too_many_unpaid(allowance.orders)))
    return found


def _led_to(unpaid: _Unpaid, refusal: Refusal) -> Refusal:
    """The refusal with the orders to pay or to cancel, and when the first ends by itself."""
    if unpaid.tokens:
        refusal.extra.update(name_orders(unpaid.tokens))
        refusal.retry_after = unpaid.first_ends_in
    return refusal


def _check_holds(
    asked: _Request,
    allowance: Allowance,
    order: Order,
    unpaid: _Unpaid,
    wanted: dict[int, Wanted],
) -> None:
    """Refuse what the new order would hold beyond the limits, and lead to what its buyer holds
    already."""
    try:
        check_holds(asked.asker, allowance, held_near(asked.asker, but_order=order.pk), wanted)
    except TooManyUnits as most:
        errors = line_error(most.product_id, asked.lines, most.message, most.left)
        is_told = most.own and not asked.as_guest
        own = own_holds(asked.buyer.pk, most.product_id, but_order=order.pk) if is_told else []
        raise FieldRefusal(errors, **lead_to(own)) from most
    except (TooManyGoods, TooMuchValue) as refusal:
        _led_to(unpaid, refusal)
        raise
