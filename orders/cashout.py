"""Places an order: one transaction fixes its prices and reserves its goods."""

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

from .allowance import Allowance, HoldRequest, lock_and_read_allowance, read_allowance
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
from .hold_locks import lock_network
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
    line_error,
    own_hold_details,
    own_holds,
    price_error,
    shortage_error,
    too_many_unpaid,
    unpaid_order_details,
)

#: The error on a line whose product is the buyer's own.
OWN_GOODS = "These are your own goods."
_OWN = ErrorDetail(OWN_GOODS, "own_goods")
NOT_FOR_SALE = ErrorDetail("This product is not for sale.", "not_for_sale")


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order with its lines; ``replayed`` if an earlier request had placed it.

    ``delivery`` is set only for a new order.
    """

    order: Order
    tracks: list[OrderTrack]
    delivery: OrderDelivery | None = None
    replayed: bool = False
    #: For a new order, by product id: the seller's user name and the thumbnail's stored name or "".
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
    """Place an order at current prices and reserve its goods: all lines or none.

    Lines for the same product are added up. With an ``idempotency_key``, repeated requests return
    the same order. Without one, a request with the lines and phone of an unpaid order that the
    buyer placed within REPEAT_WINDOW is a double click and returns that order.

    Prices the client showed (``LineRequest.price``, and the total ``shown_amount`` in KES) must
    match the current ones, if sent. ``network`` comes from ``orders.hold_limits.newcomer_network``.

    With ``delivery`` the goods of each seller are delivered as a parcel for a fee. Destination,
    fees and days are copied onto the order, and its amount includes the fees. Without it, buyer
    and sellers arrange the handover between them.

    A guest (accounts.guests) is known only by the phone, ``mpesa_number``. Guests have a
    newcomer's limits whatever that phone paid before, holds of everyone who entered that phone
    count together, and errors name no orders, because they may be someone else's. A guest's double
    click has to come from the same network.

    If goods are sold out, unpaid orders of other buyers whose prompt is over are preempted, unless
    too many orders of this buyer have lapsed.

    Raises FieldRefusal (shaped like the input) if a product is not for sale or the buyer's own, the
    destination is not delivered to, or the total is outside 1 to 250,000 KES; PriceChanged,
    TooManyUnpaid, OrderKeyReused, RequestInProgress, and what ``orders.hold_limits.check_holds``
    raises. If the buyer's own unpaid orders hold the goods, the error lists their tokens, newest
    first.
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
        # The missing goods may be held by overdue orders that the clock has not expired yet.
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
    """Try once. The most contended locks come last: the network's, and those of the products."""
    refuse_concurrent_retry(request)
    # Under this lock the buyer's unpaid orders are counted, and a double click waits.
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
    """Create an order of ``amount`` KES; its goods are not reserved yet."""
    now = timezone.now()
    order = Order(
        buyer=request.buyer,
        guest=request.buyer if request.as_guest else None,
        mpesa_number=request.mpesa_number,
        amount=amount,
        expires_at=now + allowance.hold,
        held_until=now + MAX_HOLD_FACTOR * allowance.hold,
        # A time before its creation: preemptible even while its prompt is open.
        preemptible_after=now + PROMPT_TIME if allowance.is_exclusive else now - PROMPT_TIME,
        network="" if allowance.has_paid else request.hold_request.network,
        idempotency_key=request.idempotency_key,
        fingerprint=request.fingerprint() if request.idempotency_key else "",
    )
    order.save(force_insert=True)
    return order


@dataclass(frozen=True, slots=True)
class _DeliveryQuote:
    """An order's destination, its delivery rate, and the fee of each seller's parcel, in KES."""

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
    """Return destination and fees at current rates; None without a delivery.

    Raises DestinationUnavailable if the destination is not possible.
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
    """Store the digest of what is agreed (orders.models.digests). One query."""
    agreed = attrgetter(*AGREED_OF_LINE)
    sha256 = digest_agreement(
        attrgetter(*AGREED_OF_ORDER)(order), [agreed(track) for track in tracks]
    )
    insert([OrderDigest(order=order, sha256=sha256)])


def _track(
    order: Order, product: Any, number: int, commission: int, parcels: dict[int, Parcel]
) -> OrderTrack:
    """Return a line with a copy of the product's current name, price and payout number."""
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


def find_line_errors(
    lines: Sequence[LineRequest], sellers: Mapping[int, int], *, buyer: int | None
) -> list[dict[str, list[str]]]:
    """Return errors for lines that cannot be bought, shaped like the lines; [] if all can.

    ``sellers`` is the seller by product id, for products that are for sale. Sellers cannot buy
    their own goods: they could inflate sales and reviews with money that returns to them.
    ``buyer`` is None for a user who is not signed in.
    """
    errors: list[dict[str, list[str]]] = []
    for line in lines:
        seller = sellers.get(line.product)
        if seller is None:
            errors.append({"product": [NOT_FOR_SALE]})
        else:
            errors.append({"product": [_OWN]} if seller == buyer else {})
    return errors if any(errors) else []


def _read_products(request: CashoutRequest) -> dict[int, Any]:
    """Return the products by id. Raises FieldRefusal if not for sale or the buyer's own."""
    products = {row.id: row for row in _listed_products(list(request.quantities()))}
    sellers = {row.id: row.seller_id for row in products.values()}
    if errors := find_line_errors(request.lines, sellers, buyer=request.buyer.pk):
        raise FieldRefusal({"order": errors})
    return products


@compiled
def _listed_products(ids: Sequence[int]) -> QuerySet[Any, Any]:
    fields = ("id", "name", "price", "seller_id", "payment_mpesa_number", "item_number")
    shown = ("thumbnail", "seller__username")
    return Product.objects.listed().filter(pk__in=ids).values_list(*fields, *shown, named=True)


class _Unpaid(NamedTuple):
    """The tokens of the buyer's unpaid orders, newest first, and seconds until one expires.

    Empty for a guest, whose orders may be someone else's.
    """

    tokens: list[str]
    first_ends_in: int | None


def _check_unpaid_orders(
    earlier: list[Order], allowance: Allowance, request: CashoutRequest
) -> _Unpaid:
    """Return the buyer's unpaid orders; none for a guest, who may not see them.

    Raises TooManyUnpaid, or PhoneHasTooManyUnpaid for a guest.
    """
    now = timezone.now()
    # Orders that joined the account from a guest do not count, nor do overdue ones, whether or not
    # the clock has expired them yet.
    own = [order for order in earlier if request.is_of_same_kind(order)]
    unpaid = [order for order in own if order.is_unpaid and order.expires_at > now]
    unpaid.sort(key=lambda order: -order.pk)
    if request.as_guest:
        if len(unpaid) >= allowance.orders:
            raise PhoneHasTooManyUnpaid()
        return _Unpaid([], None)
    ends = [math.ceil((order.expires_at - now).total_seconds()) for order in unpaid]
    summary = _Unpaid([str(order.order_token) for order in unpaid], min(ends, default=None))
    if len(unpaid) >= allowance.orders:
        raise _with_links(summary, TooManyUnpaid(too_many_unpaid(allowance.orders)))
    return summary


def _with_links(unpaid: _Unpaid, refusal: Refusal) -> Refusal:
    """Add the orders to pay or cancel to a refusal, and when the first one expires."""
    if unpaid.tokens:
        refusal.extra.update(unpaid_order_details(unpaid.tokens))
        refusal.retry_after = unpaid.first_ends_in
    return refusal


def _hold_goods(
    request: CashoutRequest,
    allowance: Allowance,
    order: Order,
    unpaid: _Unpaid,
    products: dict[int, Any],
) -> None:
    """Reserve the new order's goods. Raises Shortage, and what ``_check_holds`` does."""
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
    """Refuse an order that exceeds the hold limits, listing the buyer's own unpaid orders."""
    try:
        check_holds(
            request.hold_request,
            allowance,
            holds_counting_against(request.hold_request, exclude_order=order.pk),
            wanted,
        )
    except TooManyUnits as most:
        errors = line_error(most.product_id, request.lines, most.message, most.left)
        shows_own = most.own and not request.as_guest
        own = (
            own_holds(request.buyer.pk, most.product_id, exclude_order=order.pk)
            if shows_own
            else []
        )
        raise FieldRefusal(errors, **own_hold_details(own)) from most
    except (TooManyGoods, TooMuchValue) as refusal:
        _with_links(unpaid, refusal)
        raise
