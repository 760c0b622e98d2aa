"""Cash-out over HTTP: placing an order, polling it, prompting again, cancelling it.

These views stand here and not in orders, because every answer says how the payment stands, and
orders know nothing of payments.
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
from omachemainproj.api.languages import in_their_language
from omachemainproj.background import is_awaited
from omachemainproj.compiled_queries import compiled
from omachemainproj.languages import language_for
from omachemainproj.media import media_prefix
from orders.cashout import place_order
from orders.delivery.representation import delivery_of
from orders.hold_limits import newcomer_network
from orders.lifecycle import cancel_order, expire_order
from orders.models import CancelledBy, Order, OrderTrack
from orders.representations import represent_guests_order, represent_order
from orders.serializers import CashoutInput
from orders.tracking.abilities import moves_of_line
from orders.tracking.queries import lines_of
from payments.checkout.serializers import OrderOutput, PayInput
from payments.models import AttemptStatus, OrderPayment, amount_credited

from . import openapi
from .messages import describe_prompt, manual_payment_options
from .ring_budget import check_network
from .stk_push import first_attempt, retry_payment

_OTHER_PHONE = (
    "This order is paid from the phone it was placed with. To pay from another, cancel it and cash "
    "out with that one, or sign in with this phone."
)


@compiled
def _last_payment(order_id: int) -> QuerySet[OrderPayment]:
    """Run at every poll while a prompt is open, so it is compiled once."""
    return OrderPayment.objects.filter(order=order_id).order_by("-pk")[:1]


def _answer(request: Request, order: Order, *, typed: bool = False) -> Response:
    """How an order stands: all of it for its buyer, and less for who has only a guest's token.

    ``typed``: this very request says the phone and the place, which hiding would hide from nobody.
    """
    payment, lines = _represent_payment(request, order), list(lines_of(order))
    shown = {line.product_id: (line.seller_name, line.thumbnail) for line in lines}
    line_extras, delivery = _line_extras(request, order, lines, shown), delivery_of(lines[0])
    if request.user.pk == order.buyer_id:
        answer = represent_order(order, lines, payment, delivery, line_extras=line_extras)
    else:
        answer = represent_guests_order(
            order, lines, payment, delivery, line_extras=line_extras, typed=typed
        )
    return in_their_language(request, Response(answer), ())


def _line_extras(
    request: Request,
    order: Order,
    lines: Sequence[OrderTrack],
    shown: Mapping[int, tuple[str, str]],
) -> dict[int, dict[str, Any]]:
    """What is added to each line of the order, by its product; ``shown`` as in PlacedOrder."""
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
    """How an order's payment stands, and what its buyer can do next, in their language."""
    now = timezone.now()
    # While others ring the phone, nothing is known of it yet that the client could not ask later.
    is_as_requested = is_new and not is_awaited()
    payments = [first_attempt(order)] if is_as_requested else _last_payment(order.pk)
    waits = order.is_unpaid
    # Nothing can have come for an order that was placed a moment ago.
    due = order.amount - (0 if is_new else amount_credited(order.pk)) if waits else 0
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
    return {"amount_due": due, "prompt": prompt, "by_hand": options, "expires_in": left}


def _own_order(request: Request, order_token: UUID) -> Order:
    """The caller's order, as it stands at this moment; or a guest's, whose token they have.

    Anyone else's is a 404, and for who is not signed in a 401.
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
        auth=openapi.OR_NOBODY,
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
        """Place an order and ring the phone that pays for it.

        Prices are the shop's, all lines or none are held, and the goods stay held until
        `expires_at`; when a prompt ends without money that is moved to five minutes from then, and
        goods that are sold out otherwise go to the next buyer who wants them. A shortage is pointed
        at on its line: `{"order": [{}, {"number": ["Only 3 left."]}]}`.

        What one may hold unpaid is limited by number, by value, by phone and by network: less for
        who has never paid, and less and not for as long for who lets order after order lapse.

        A client may say what it showed: a `price` on any line, an `amount` in all. Where one of
        them is not so any more, nothing is held, and the 409 `price_changed` has today's prices.

        With `delivery` the goods are brought there: to a pick-up point, to one of the caller's
        addresses, or to a place written out. Each seller's goods are a parcel with a fee of its
        own; the fees are part of `amount`, and place, fees and days stay as they are at this
        moment. Where nothing is brought is refused on its field. `POST /cart/quote/` says all of
        it beforehand. Without `delivery`, the caller and the sellers arrange it between them.

        Without `Authorization`, where the shop sells to guests (else 401), `mpesa_number` is all
        that is known of the guest. They follow the order by its token, as nobody signed in, and
        have the rest of it once they prove the phone at `/login/phone/confirm/`. A guest has no
        addresses to name, and a newcomer's limits; `too_many_unpaid_orders` names none of them.
        """
        asked = read_input(CashoutInput, request.data)
        phone = asked["mpesa_number"]
        key = read_idempotency_key(request.headers.get("Idempotency-Key"))
        _check_network(request, phone)
        placed = place_order(
            buyer=_buyer(request, phone),
            lines=asked["order"],
            mpesa_number=phone,
            idempotency_key=key,
            shown_amount=asked.get("amount"),
            delivery=asked.get("delivery"),
            network=newcomer_network(request.META.get("REMOTE_ADDR")),
        )
        if not placed.replayed:
            payment = _represent_payment(request, placed.order, is_new=True)
            # It may have been paid while the prompt was being sent: then all is read again.
            if payment["prompt"]["status"] != AttemptStatus.CONFIRMED:
                line_extras = _line_extras(request, placed.order, placed.tracks, placed.shown)
                represent = (
                    partial(represent_guests_order, typed=True)
                    if placed.order.is_of_guest
                    else represent_order
                )
                answer = represent(
                    placed.order, placed.tracks, payment, placed.delivery, line_extras=line_extras
                )
                response = Response(answer, status=status.HTTP_201_CREATED)
                return in_their_language(request, response, ())
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
        auth=openapi.OR_NOBODY,
        summary="How an order stands",
        responses={200: OrderOutput, 404: openapi.NOT_YOURS},
    )
    def get(self, request: Request, order_token: UUID) -> Response:
        """How an order stands. Ask every second or two while the phone rings.

        A guest's order is shown to whoever has its token, signed in or not: without collection
        codes, names and places, and with three digits of its phones. Once somebody has proved the
        phone it is their account's, and nobody else's.
        """
        return _answer(request, _own_order(request, order_token))


class PayView(APIView):
    """Ring again."""

    permission_classes = (SignedInOrStranger,)
    throttle_scope = "cashout"

    @extend_schema(
        operation_id="pay",
        auth=openapi.OR_NOBODY,
        summary="Ring again",
        request=PayInput,
        responses={
            200: OrderOutput,
            404: openapi.NOT_YOURS,
            409: openapi.NOT_RUNG,
            429: openapi.TOO_MANY,
        },
    )
    def post(self, request: Request, order_token: UUID) -> Response:
        """Ring the buyer's phone once more, or another one; for a guest's order the same alone.

        The goods stay held for this prompt, within the hard limit of their hold.

        Refused with 409 while a prompt is open (`prompt_open`), once the order is paid, cancelled
        or expired (`order_closed`), and for another phone that unpaid orders name for as much as
        one may pay for (`phone_holds_too_much`).
        """
        order = _own_order(request, order_token)
        asked = PayInput(data=_body(request))
        asked.is_valid(raise_exception=True)
        phone = asked.validated_data.get("mpesa_number")
        if order.is_of_guest and phone not in {None, order.mpesa_number}:
            refuse_field("mpesa_number", _OTHER_PHONE, "other_phone")
        _check_network(request, phone or order.mpesa_number)
        retry_payment(order, phone=phone)
        order.refresh_from_db()
        return _answer(request, order)


class CancelView(APIView):
    """Give up."""

    permission_classes = (SignedInOrStranger,)
    throttle_scope = "cashout"

    @extend_schema(
        operation_id="cancel",
        auth=openapi.OR_NOBODY,
        summary="Give an order up",
        request=None,
        responses={200: OrderOutput, 404: openapi.NOT_YOURS, 409: openapi.CLOSED},
    )
    def post(self, request: Request, order_token: UUID) -> Response:
        """Give an unpaid order up; its goods are free at once. A guest's too, by its token.

        Money that still comes for it, as a prompt may be open on the phone, is sent back.
        """
        order = cancel_order(_own_order(request, order_token).pk, cancelled_by=CancelledBy.BUYER)
        return _answer(request, order)


def _check_network(request: Request, phone: str) -> None:
    """Refuse a phone that is one too many for the caller's network. Raises TooManyNewPhones."""
    # Behind a proxy, EdgeMiddleware has set this to the client's own address.
    address = request.META.get("REMOTE_ADDR", "")
    check_network(request.user.pk, phone, address, timezone.now())


def _buyer(request: Request, phone: str) -> User | Guest:
    """Who is signed in, or the guest with this phone."""
    if isinstance(request.user, User):
        return request.user
    return guest_with(phone, language=language_for(request))


def _body(request: Request) -> Any:
    """The body, or an empty object where none was sent."""
    return request.data if request.META.get("CONTENT_LENGTH") not in {None, "", "0"} else {}
