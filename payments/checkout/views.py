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
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.guests import guest_with
from accounts.models import Guest, User
from accounts.permissions import SignedInOrGuest, SignedInOrStranger
from omachemainproj.api.errors import refuse_field
from omachemainproj.api.fields import read_idempotency_key, read_input
from omachemainproj.api.languages import in_their_language
from omachemainproj.api.schema import error_answer, field_errors, refusals
from omachemainproj.background import is_awaited
from omachemainproj.compiled_queries import compiled
from omachemainproj.languages import language_for
from omachemainproj.media import media_prefix
from orders.cashout import place_order
from orders.delivery.representation import delivery_of
from orders.holds import PhoneHoldsTooMuch, network_to_count
from orders.lifecycle import NotUnpaid, cancel_order, expire_order
from orders.models import CancelledBy, Order, OrderTrack
from orders.representations import represent_guests_order, represent_order
from orders.serializers import CashoutConflictOutput, CashoutInput, OrderOutput, PayInput
from orders.tracking.abilities import moves_of_line
from orders.tracking.queries import lines_of
from payments.models import AttemptStatus, OrderPayment, amount_credited

from .messages import describe_prompt, manual_payment_options
from .ring_budget import check_network
from .stk_push import PromptOpen, first_attempt, retry_payment

_NOT_YOURS = error_answer("No Order matches the given query.", "not_found")
_CLOSED = error_answer("This order is no longer waiting for its payment.", "order_closed")
_NOT_RUNG = refusals(PromptOpen, NotUnpaid, PhoneHoldsTooMuch)
_TOO_MANY = error_answer(
    "Too many different phones were asked to pay from your network.", "too_many_new_phones"
)
_REPLAYED = OpenApiParameter(
    "Idempotent-Replayed",
    location=OpenApiParameter.HEADER,
    response=[201],
    description=(
        "`true` when an earlier request had placed this order: under the same key, or, without a "
        "key, for the same lines and phone within 15 seconds while it is unpaid."
    ),
)
_KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description=(
        "1 to 255 visible ASCII characters. The same key and body return the same order, for as "
        "long as the order is kept; the same key with another body is a 422. Without a key, the "
        "same lines and phone within 15 seconds are the same order while it is unpaid."
    ),
)
#: With an access token, or with none.
_OR_NOBODY: Any = [{"bearer": []}, {}]
_OTHER_PHONE = (
    "This order is paid from the phone it was placed with. To pay from another, cancel it and cash "
    "out with that one, or sign in with this phone."
)
_OWN = "1c7c2d0e-8f4b-4a52-9a0c-5d3f5f0e7b11"
_NOT_THERE = field_errors(
    "The input is wrong, or goods cannot be had: the error is on its line. With the code "
    "`held_by_your_order` unpaid orders of the caller hold them; `order_token` is the newest, "
    "`order_tokens` are all, to pay (`/cashout/{order_token}/pay/`) or to cancel.",
    shortage={"order": [{}, {"number": ["Only 3 left."]}]},
    nowhere={
        "delivery": {
            "county": [
                "We do not deliver to Turkana yet. Choose a pick-up point, or arrange it with the "
                "seller."
            ]
        }
    },
    held_by_your_order={
        "order": [
            {"number": ["Sold out: your own unpaid order holds 1 (ACDEFGHJ). Pay or cancel first."]}
        ],
        "code": "held_by_your_order",
        "order_token": _OWN,
        "order_tokens": [_OWN],
    },
)
_CONFLICT = OpenApiResponse(
    CashoutConflictOutput,
    description="No order was placed, and nothing is held.",
    examples=[
        OpenApiExample(
            "idempotency_key_in_use",
            value={
                "detail": "This very request is being worked on. Ask again in a moment.",
                "code": "idempotency_key_in_use",
            },
        ),
        OpenApiExample(
            "price_changed",
            value={
                "detail": (
                    "A price has changed since you saw it. See what it is now, and cash out again."
                ),
                "code": "price_changed",
                "order": [{"product": 7, "number": 2, "price": 1600, "amount": 3200}],
                "amount": 3200,
            },
        ),
        OpenApiExample(
            "network_holds_too_much",
            value={
                "detail": (
                    "New customers on your network hold as much as they may without paying. Try "
                    "again in a few minutes with fewer goods, or from another network."
                ),
                "code": "network_holds_too_much",
            },
        ),
        OpenApiExample(
            "phone_holds_too_much",
            value={
                "detail": (
                    "Unpaid orders hold as much as one phone may pay for. Pay or cancel them "
                    "first, wait a few minutes, or give another number."
                ),
                "code": "phone_holds_too_much",
            },
        ),
        OpenApiExample(
            "too_many_unpaid_goods",
            value={
                "detail": (
                    "You can hold 10 different products before paying, and this would make 12. "
                    "Order fewer at once, or pay or cancel what you ordered first. Once you have "
                    "paid for an order you can hold more."
                ),
                "code": "too_many_unpaid_goods",
                "most": 10,
                "order_token": _OWN,
                "order_tokens": [_OWN],
            },
        ),
        OpenApiExample(
            "too_much_unpaid_value",
            value={
                "detail": (
                    "You can hold goods for KES 300,000 before paying. Pay or cancel what you "
                    "ordered first, or order less at once."
                ),
                "code": "too_much_unpaid_value",
                "most": 300000,
                "order_token": _OWN,
                "order_tokens": [_OWN],
            },
        ),
        OpenApiExample(
            "too_many_unpaid_orders",
            value={
                "detail": (
                    "You have 3 orders waiting to be paid. Pay or cancel one of them first."
                ),
                "code": "too_many_unpaid_orders",
                "order_token": _OWN,
                "order_tokens": [_OWN],
            },
        ),
    ],
)
_BODY = OpenApiExample(
    "two kettles",
    value={"order": [{"product": 7, "number": 2}], "mpesa_number": "0712345678"},
    request_only=True,
)
_SHOWN = OpenApiExample(
    "two kettles, at the price that was shown",
    value={
        "order": [{"product": 7, "number": 2, "price": 1500}],
        "amount": 3000,
        "mpesa_number": "0712345678",
    },
    request_only=True,
)


_BROUGHT = OpenApiExample(
    "two kettles, brought to a pick-up point at the fee that was shown",
    value={
        "order": [{"product": 7, "number": 2, "price": 1500}],
        "amount": 3150,
        "mpesa_number": "0712345678",
        "delivery": {"pickup_point": 3, "fee": 150},
    },
    request_only=True,
)
_BROUGHT_HOME = OpenApiExample(
    "two kettles, brought to a place written out",
    value={
        "order": [{"product": 7, "number": 2}],
        "mpesa_number": "0712345678",
        "delivery": {
            "recipient": "Njeri Mwangi",
            "phone": "0733 000 111",
            "county": "kiambu",
            "area": "Thika, Section 9",
            "directions": "Blue gate opposite the clinic.",
        },
    },
    request_only=True,
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
    besides, delivery = _besides(request, order, lines, shown), delivery_of(lines[0])
    if request.user.pk == order.buyer_id:
        answer = represent_order(order, lines, payment, delivery, besides=besides)
    else:
        answer = represent_guests_order(
            order, lines, payment, delivery, besides=besides, typed=typed
        )
    return in_their_language(request, Response(answer), ())


def _besides(
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
        auth=_OR_NOBODY,
        summary="Place an order",
        request=CashoutInput,
        responses={
            201: OrderOutput,
            400: _NOT_THERE,
            409: _CONFLICT,
            422: error_answer(
                "This Idempotency-Key was used for a different order.", "idempotency_key_reused"
            ),
            429: _TOO_MANY,
        },
        parameters=[_KEY, _REPLAYED],
        examples=[_BODY, _SHOWN, _BROUGHT, _BROUGHT_HOME],
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
            network=network_to_count(request.META.get("REMOTE_ADDR")),
        )
        if not placed.replayed:
            payment = _represent_payment(request, placed.order, is_new=True)
            # It may have been paid while the prompt was being sent: then all is read again.
            if payment["prompt"]["status"] != AttemptStatus.CONFIRMED:
                besides = _besides(request, placed.order, placed.tracks, placed.shown)
                represent = (
                    partial(represent_guests_order, typed=True)
                    if placed.order.is_of_guest
                    else represent_order
                )
                answer = represent(
                    placed.order, placed.tracks, payment, placed.delivery, besides=besides
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
        auth=_OR_NOBODY,
        summary="How an order stands",
        responses={200: OrderOutput, 404: _NOT_YOURS},
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
        auth=_OR_NOBODY,
        summary="Ring again",
        request=PayInput,
        responses={200: OrderOutput, 404: _NOT_YOURS, 409: _NOT_RUNG, 429: _TOO_MANY},
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
        auth=_OR_NOBODY,
        summary="Give an order up",
        request=None,
        responses={200: OrderOutput, 404: _NOT_YOURS, 409: _CLOSED},
    )
    def post(self, request: Request, order_token: UUID) -> Response:
        """Give an unpaid order up; its goods are free at once. A guest's too, by its token.

        Money that still comes for it, as a prompt may be open on the phone, is sent back.
        """
        order = cancel_order(_own_order(request, order_token).pk, by=CancelledBy.BUYER)
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
