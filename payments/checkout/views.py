"""Checkout over HTTP: placing an order, polling it, prompting again, cancelling it.

These views are in payments, because every answer includes the payment's status and orders must not
import payments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.guests import guest_with
from accounts.models import Guest, User
from accounts.permissions import SignedInOrGuest, SignedInOrStranger
from omachemainproj.api.error_schemas import error_answer
from omachemainproj.api.errors import refuse_field
from omachemainproj.api.fields import read_idempotency_key, read_input
from omachemainproj.api.languages import translate_response
from omachemainproj.background import is_awaited
from omachemainproj.compiled_queries import compiled
from omachemainproj.languages import language_for
from omachemainproj.media import media_prefix
from orders.cashout import PlacedOrder, place_order
from orders.delivery.representation import delivery_of
from orders.hold_limits import newcomer_network
from orders.lifecycle import cancel_order, expire_order
from orders.models import CancelledBy, Order, OrderTrack
from orders.representations import represent_guests_order, represent_order
from orders.serializers import CashoutInput
from orders.tracking.abilities import moves_of_line
from orders.tracking.queries import lines_of
from payments.checkout.serializers import OrderOutput, PayInput
from payments.models import AttemptStatus, BuyerMoney, OrderPayment, buyers_money

from . import openapi
from .messages import describe_prompt, manual_payment_options
from .prompt_budget import check_network
from .stk_push import first_attempt, retry_payment

_OTHER_PHONE = (
    "This order is paid from the phone it was placed with. To pay from another, cancel it and "
    "order again with that one, or sign in with this phone."
)


@compiled
def _last_payment(order_id: int) -> QuerySet[OrderPayment]:
    """The order's last attempt. Compiled once, as every poll runs it."""
    return OrderPayment.objects.filter(order=order_id).order_by("-pk")[:1]


def _answer(request: Request, order: Order, *, typed: bool = False) -> Response:
    """The order in full for its buyer; less for a caller who only has a guest order's token.

    ``typed``: phone and place are in the request itself, so there is no point in hiding them.
    """
    payment, lines = _represent_payment(request, order), list(lines_of(order))
    shown = {line.product_id: (line.seller_name, line.thumbnail) for line in lines}
    extras, delivery = _line_extras(request, order, lines, shown), delivery_of(lines[0])
    if request.user.pk == order.buyer_id:
        answer = represent_order(order, lines, payment, delivery, line_extras=extras)
    else:
        answer = represent_guests_order(
            order, lines, payment, delivery, line_extras=extras, typed=typed
        )
    return translate_response(request, Response(answer), ())


def _line_extras(
    request: Request,
    order: Order,
    lines: Sequence[OrderTrack],
    shown: Mapping[int, tuple[str, str]],
) -> dict[int, dict[str, Any]]:
    """Extra fields of each line, by product id; ``shown`` as in PlacedOrder."""
    prefix = media_prefix(request)
    return {
        line.product_id: {
            "thumbnail": prefix + shown[line.product_id][1] if shown[line.product_id][1] else None,
            "seller": shown[line.product_id][0],
            "moves": moves_of_line(line, order),
        }
        for line in lines
    }


def _represent_payment(request: Request, order: Order, *, is_new: bool = False) -> dict[str, Any]:
    """The status of an order's payment and what its buyer can do next, in their language."""
    now = timezone.now()
    # While a worker sends the prompt, its status is not known yet; the client will poll for it.
    is_as_requested = is_new and not is_awaited()
    payments = [first_attempt(order)] if is_as_requested else _last_payment(order.pk)
    waits = order.is_unpaid
    # Nothing can have been paid for an order that was placed a moment ago.
    money = BuyerMoney(0, 0, 0) if is_new else buyers_money(order.pk)
    due = order.amount - money.credited if waits else 0
    options = manual_payment_options(order, amount_due=due)
    prompt = describe_prompt(
        order,
        payments[0] if payments else None,
        due=due,
        options=options,
        language=language_for(request),
        now=now,
    )
    left = max(math.ceil((order.expires_at - now).total_seconds()), 0) if waits else None
    return {
        "amount_due": due,
        "refund": money.refund,
        "refunded": money.refunded,
        "prompt": prompt,
        "by_hand": options,
        "expires_in": left,
    }


def _answer_new(request: Request, placed: PlacedOrder) -> Response | None:
    """The answer for an order that was just placed, without reading it again.

    None if it was paid while the prompt was being sent: then it has to be read again.
    """
    payment = _represent_payment(request, placed.order, is_new=True)
    if payment["prompt"]["status"] == AttemptStatus.CONFIRMED:
        return None
    represent = (
        partial(represent_guests_order, typed=True) if placed.order.is_of_guest else represent_order
    )
    extras = _line_extras(request, placed.order, placed.tracks, placed.shown)
    answer = represent(placed.order, placed.tracks, payment, placed.delivery, line_extras=extras)
    return translate_response(request, Response(answer, status=status.HTTP_201_CREATED), ())


def _own_order(request: Request, order_token: UUID) -> Order:
    """The caller's order, or a guest's whose token they have, expired if its time is over.

    Raises Http404 for anyone else's, NotAuthenticated if the caller is not signed in.
    """
    if isinstance(request.user, User):
        order = get_object_or_404(Order.objects.shown_to(request.user), order_token=order_token)
        return _as_of_now(order)
    of_guest = Order.objects.of_guests().filter(order_token=order_token).first()
    if of_guest is None:
        raise NotAuthenticated
    return _as_of_now(of_guest)


def _as_of_now(order: Order) -> Order:
    now = timezone.now()
    if order.is_unpaid and order.expires_at <= now:
        expire_order(order.pk, now=now)
        order.refresh_from_db()
    return order


class CashoutView(APIView):
    """Turn a cart into an order."""

    permission_classes = (SignedInOrGuest,)
    throttle_scope = "cashout"

    @extend_schema(
        operation_id="cashout",
        auth=openapi.OPTIONAL_BEARER,
        summary="Place an order",
        request=CashoutInput,
        responses={
            201: OrderOutput,
            400: openapi.NOT_THERE,
            409: openapi.CONFLICT,
            422: error_answer(
                "This Idempotency-Key was used for a different order.", "idempotency_key_reused"
            ),
            429: openapi.TOO_MANY,
        },
        parameters=[openapi.KEY, openapi.REPLAYED],
        examples=[openapi.BODY, openapi.SHOWN, openapi.BROUGHT, openapi.BROUGHT_HOME],
    )
    def post(self, request: Request) -> Response:
        """Place an order and send a payment prompt to the phone that pays for it.

        Prices are the shop's. All lines are reserved or none, until `expires_at`. When a prompt
        ends without payment, `expires_at` moves to five minutes from then, and goods that are
        otherwise sold out go to the next buyer who wants them. A shortage is reported on its line:
        `{"order": [{}, {"number": ["Only 3 left."]}]}`.

        Unpaid reservations are limited by number, value, phone and network: more strictly for
        buyers who have never paid, and more strictly and for a shorter time for buyers who let
        several orders expire.

        A client may send what it showed: a `price` on any line, a total `amount`. If one of them
        is no longer right, nothing is reserved, and the 409 `price_changed` has today's prices.

        With `delivery` the goods are delivered: to a pick-up point, to one of the caller's
        addresses, or to a place written out. Each seller's goods are a parcel with a fee of its
        own. The fees are part of `amount`; place, fees and days are fixed now. A place without
        delivery is refused on its field. `POST /cart/quote/` returns all of this beforehand.
        Without `delivery`, the caller and the sellers arrange it between them.

        Without `Authorization`, if the shop sells to guests (else 401), `mpesa_number` is all that
        is known of the guest. They follow the order by its token, without signing in, and see the
        rest of it after verifying the phone at `/login/phone/confirm/`. A guest has no saved
        addresses and the limits of a new buyer; `too_many_unpaid_orders` lists none of their
        orders.
        """
        data = read_input(CashoutInput, request.data)
        phone = data["mpesa_number"]
        key = read_idempotency_key(request.headers.get("Idempotency-Key"))
        _check_network(request, phone)
        placed = place_order(
            buyer=_buyer(request, phone),
            lines=data["order"],
            mpesa_number=phone,
            idempotency_key=key,
            shown_amount=data.get("amount"),
            delivery=data.get("delivery"),
            network=newcomer_network(request.META.get("REMOTE_ADDR")),
        )
        if not placed.replayed and (new := _answer_new(request, placed)) is not None:
            return new
        order = _as_of_now(Order.objects.get(pk=placed.order.pk))
        response = _answer(request, order, typed=True)
        response.status_code = status.HTTP_201_CREATED
        if placed.replayed:
            response["Idempotent-Replayed"] = "true"
        return response


class OrderView(APIView):
    """One of the caller's orders."""

    permission_classes = (SignedInOrStranger,)
    throttle_scope = "poll"

    @extend_schema(
        operation_id="order",
        auth=openapi.OPTIONAL_BEARER,
        summary="Get an order's status",
        responses={200: OrderOutput, 404: openapi.NOT_YOURS},
    )
    def get(self, request: Request, order_token: UUID) -> Response:
        """Get an order's status. Poll every second or two while the prompt is open.

        A guest's order is shown to anyone who has its token, signed in or not: without collection
        codes, names and places, and with only three digits of its phones. Once someone has
        verified the phone, the order belongs to their account and is shown to nobody else.
        """
        return _answer(request, _own_order(request, order_token))


class PayView(APIView):
    """Send another prompt."""

    permission_classes = (SignedInOrStranger,)
    throttle_scope = "cashout"

    @extend_schema(
        operation_id="pay",
        auth=openapi.OPTIONAL_BEARER,
        summary="Send another prompt",
        request=PayInput,
        responses={
            200: OrderOutput,
            404: openapi.NOT_YOURS,
            409: openapi.PROMPT_REFUSALS,
            429: openapi.TOO_MANY,
        },
    )
    def post(self, request: Request, order_token: UUID) -> Response:
        """Send another prompt to the buyer's phone or to another one; a guest's only to the same.

        The goods stay reserved for this prompt, up to the reservation's hard limit.

        Refused with 409 while a prompt is open (`prompt_open`), once the order is paid, cancelled
        or expired (`order_closed`), and if the other phone's unpaid orders have reached its limit
        (`phone_holds_too_much`).
        """
        order = _own_order(request, order_token)
        serializer = PayInput(data=_body(request))
        serializer.is_valid(raise_exception=True)
        phone = serializer.validated_data.get("mpesa_number")
        if order.is_of_guest and phone not in {None, order.mpesa_number}:
            refuse_field("mpesa_number", _OTHER_PHONE, "other_phone")
        _check_network(request, phone or order.mpesa_number)
        retry_payment(order, phone=phone)
        order.refresh_from_db()
        return _answer(request, order)


class CancelView(APIView):
    """Cancel an order."""

    permission_classes = (SignedInOrStranger,)
    throttle_scope = "cashout"

    @extend_schema(
        operation_id="cancel",
        auth=openapi.OPTIONAL_BEARER,
        summary="Cancel an order",
        request=None,
        responses={200: OrderOutput, 404: openapi.NOT_YOURS, 409: openapi.CLOSED},
    )
    def post(self, request: Request, order_token: UUID) -> Response:
        """Cancel an unpaid order; its goods are released immediately. A guest's too, by its token.

        If it is paid after that, because a prompt is still open on the phone, the money is sent
        back.
        """
        order = cancel_order(_own_order(request, order_token).pk, cancelled_by=CancelledBy.BUYER)
        return _answer(request, order)


def _check_network(request: Request, phone: str) -> None:
    """Count the phone against the caller's network. Raises TooManyNewPhones."""
    # Behind a proxy, EdgeMiddleware has set this to the client's own address.
    address = request.META.get("REMOTE_ADDR", "")
    check_network(request.user.pk, phone, address, timezone.now())


def _buyer(request: Request, phone: str) -> User | Guest:
    """The signed-in user, or the guest with this phone."""
    if isinstance(request.user, User):
        return request.user
    return guest_with(phone, language=language_for(request))


def _body(request: Request) -> Any:
    """The body, or an empty object if none was sent."""
    return request.data if request.META.get("CONTENT_LENGTH") not in {None, "", "0"} else {}
