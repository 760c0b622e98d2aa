"""Placing an order: one transaction fixes its prices and holds its goods."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.exceptions import ErrorDetail

from accounts.models import Guest, User
from omachemainproj.api.errors import FieldRefusal, Refusal
from omachemainproj.compiled_queries import compiled
from omachemainproj.inserts import insert
from products import stock
from products.models import Product
from products.stock import Shortage, StockLine

from .allowance import Allowance, HoldRequest, lock_and_read_allowance, lock_network, read_allowance
from .cashout_request import CashoutRequest
from .commission import commissions
from .delivery.destinations import Destination, Place, find_rate_to, freeze_delivery
from .delivery.fees import fees_of
from .hold_limits import (
    PROMPT_TIME,
    PhoneHasTooManyUnpaid,
    RequestedUnits,
    TooManyGoods,
    TooManyUnits,
    TooManyUnpaid,
    TooMuchValue,
    check_holds,
    holds_counting_against,
)
from .idempotency import find_same_order, read_earlier_orders, refuse_concurrent_retry
from .lifecycle import MAX_HOLD_FACTOR, expire_unpaid_orders, preempt_holds
from .models import (
    AGREED_OF_LINE,
    AGREED_OF_ORDER,
    DeliveryRate,
    Order,
    OrderDelivery,
    OrderDigest,
    OrderTrack,
    Parcel,
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
    ``orders.hold_limits.newcomer_network`` says it.

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
    OrderKeyReused, RequestInProgress, and what ``orders.hold_limits.check_holds`` raises. Where
    unpaid orders of the buyer's own hold what is refused, their tokens are named, newest first.
    """
    as_guest = isinstance(buyer, Guest)
    person = buyer.user if isinstance(buyer, Guest) else buyer
    hold_request = HoldRequest(person.pk, mpesa_number, network)
    request = CashoutRequest(
        person, lines, mpesa_number, idempotency_key, shown_amount, hold_request, delivery, as_guest
    )
    try:
        return _place(request)
    except Shortage:
        # Overdue orders that the clock has not expired yet may still hold what is missing.
        expire_unpaid_orders(product_ids=sorted({line.product for line in lines}))
        if read_allowance(hold_request).is_exclusive:
            preempt_holds(request.quantities(), to=person.pk)
    try:
        return _place(request)
    except Shortage as shortage:
        own = [] if as_guest else own_holds(person.pk, shortage.product_id)
        raise shortage_error(shortage.product_id, lines, own) from shortage


@transaction.atomic(durable=True)
def _place(request: CashoutRequest) -> PlacedOrder:
    """Try once. Last come the locks that many wait for: the network's, and those of the goods."""
    refuse_concurrent_retry(request)
    # Under this lock the buyer's unpaid orders are counted, and a double click waits for the first.
    allowance = lock_and_read_allowance(request.hold_request)
    earlier = read_earlier_orders(request)
    if same := find_same_order(earlier, request):
        return PlacedOrder(same.order, same.tracks, replayed=True)
    products = _read_products(request)
    quote = _quote_delivery(request, products)
    amounts = [products[pk].price * number for pk, number in request.quantities().items()]
    goods, fee = sum(amounts), quote.fee if quote else 0
    if not request.matches_prices(
        {pk: row.price for pk, row in products.items()}, goods + fee, fee
    ):
        raise price_error(request.lines, products, goods + fee, fee if quote else None)
    unpaid = _check_unpaid_orders(earlier, allowance, request)
    check_amount(goods, fee)
    order = _create_order(request, allowance, goods + fee)
    delivery, parcels = quote.freeze(order) if quote else (None, {})
    tracks = [
        _track(order, products[pk], number, commission, parcels)
        for (pk, number), commission in zip(
            request.quantities().items(), commissions(amounts), strict=True
        )
    ]
    insert(tracks)
    _keep_digest(order, tracks)
    _hold_goods(request, allowance, order, unpaid, products)
    shown = {row.id: (row.seller__username, row.thumbnail) for row in products.values()}
    return PlacedOrder(order, tracks, delivery, shown=shown)


def _create_order(request: CashoutRequest, allowance: Allowance, amount: int) -> Order:
    """An order of ``amount`` KES, which holds nothing yet."""
    now = timezone.now()
    order = Order(
        buyer=request.buyer,
        guest=request.buyer if request.as_guest else None,
        mpesa_number=request.mpesa_number,
        amount=amount,
        expires_at=now + allowance.hold,
        held_until=now + MAX_HOLD_FACTOR * allowance.hold,
        # Before it was placed: not even while it is paid for.
        preemptible_after=now + PROMPT_TIME if allowance.is_exclusive else now - PROMPT_TIME,
        network="" if allowance.has_paid else request.hold_request.network,
        idempotency_key=request.idempotency_key,
        fingerprint=request.fingerprint() if request.idempotency_key else "",
    )
    order.save(force_insert=True)
    return order


@dataclass(frozen=True, slots=True)
class _DeliveryQuote:
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


def _quote_delivery(request: CashoutRequest, products: dict[int, Any]) -> _DeliveryQuote | None:
    """How the goods are brought, by today's rates; None where none is wanted.

    Raises NotThere where nothing is brought there.
    """
    if request.delivery is None:
        return None
    place = request.find_place(request.delivery)
    rate = find_rate_to(place, request.delivery.field)
    worth: dict[int, int] = defaultdict(int)
    for product_id, number in request.quantities().items():
        worth[products[product_id].seller_id] += number * products[product_id].price
    return _DeliveryQuote(place, rate, fees_of(rate, worth))


def _keep_digest(order: Order, tracks: list[OrderTrack]) -> None:
    """Keep the digest of what is agreed (orders.models.digests). One query."""
    agreed = attrgetter(*AGREED_OF_LINE)
    sha256 = digest_agreement(
        attrgetter(*AGREED_OF_ORDER)(order), [agreed(track) for track in tracks]
    )
    insert([OrderDigest(order=order, sha256=sha256)])


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


def _read_products(request: CashoutRequest) -> dict[int, Any]:
    """The products by id. Raises FieldRefusal where one is not for sale, or is the buyer's own."""
    products = {row.id: row for row in _listed_products(list(request.quantities()))}
    sellers = {row.id: row.seller_id for row in products.values()}
    if objections := line_objections(request.lines, sellers, buyer=request.buyer.pk):
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


def _check_unpaid_orders(
    earlier: list[Order], allowance: Allowance, request: CashoutRequest
) -> _Unpaid:
    """Those of the buyer that wait for their money. Raises TooManyUnpaid."""
    now = timezone.now()
    # What joined the account from a guest takes no room of its own orders. Nor do overdue ones,
    # whether or not the clock has expired them yet.
    own = [order for order in earlier if request.is_of_same_kind(order)]
    unpaid = [order for order in own if order.is_unpaid and order.expires_at > now]
    unpaid.sort(key=lambda order: -order.pk)
    if request.as_guest:
        if len(unpaid) >= allowance.orders:
            raise PhoneHasTooManyUnpaid()
        return _Unpaid([], None)
    ends = [math.ceil((order.expires_at - now).total_seconds()) for order in unpaid]
    found = _Unpaid([str(order.order_token) for order in unpaid], min(ends, default=None))
    if len(unpaid) >= allowance.orders:
        raise _with_links(found, TooManyUnpaid(too_many_unpaid(allowance.orders)))
    return found


def _with_links(unpaid: _Unpaid, refusal: Refusal) -> Refusal:
    """The refusal with the orders to pay or to cancel, and when the first ends by itself."""
    if unpaid.tokens:
        refusal.extra.update(name_orders(unpaid.tokens))
        refusal.retry_after = unpaid.first_ends_in
    return refusal


def _hold_goods(
    request: CashoutRequest,
    allowance: Allowance,
    order: Order,
    unpaid: _Unpaid,
    products: dict[int, Any],
) -> None:
    """Hold the new order's goods. Raises Shortage, and what ``_check_holds`` does."""
    quantities = request.quantities()
    wanted = {
        pk: RequestedUnits(number, number * products[pk].price, products[pk].item_number)
        for pk, number in quantities.items()
    }
    if order.network:
        lock_network(order.network)
    _check_holds(request, allowance, order, unpaid, wanted)
    stock.hold(StockLine(pk, number) for pk, number in quantities.items())


def _check_holds(
    request: CashoutRequest,
    allowance: Allowance,
    order: Order,
    unpaid: _Unpaid,
    wanted: dict[int, RequestedUnits],
) -> None:
    """Refuse what the new order would hold beyond the limits, and lead to what its buyer holds
    already."""
    try:
        check_holds(
            request.hold_request,
            allowance,
            holds_counting_against(request.hold_request, exclude_order=order.pk),
            wanted,
        )
    except TooManyUnits as most:
        errors = line_error(most.product_id, request.lines, most.message, most.left)
        is_told = most.own and not request.as_guest
        own = (
            own_holds(request.buyer.pk, most.product_id, exclude_order=order.pk) if is_told else []
        )
        raise FieldRefusal(errors, **lead_to(own)) from most
    except (TooManyGoods, TooMuchValue) as refusal:
        _with_links(unpaid, refusal)
        raise
