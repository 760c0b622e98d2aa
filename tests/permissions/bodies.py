"""What is posted to each route of the API: something its rightful sender would be thanked for.

Text is a sheet (CSV), anything else JSON. What depends on the rows is asked of the world.
"""

import random
from unittest.mock import patch

from django.contrib.auth.tokens import default_token_generator
from django.utils import timezone
from django.utils.http import urlsafe_base64_encode
from rest_framework_simplejwt.tokens import RefreshToken

from accounts import phone_codes
from accounts.emails import make_key
from accounts.models import CodePurpose, User
from tests.factories import PASSWORD

_NEW = {"new_password1": "sukuma wiki 7", "new_password2": "sukuma wiki 7"}


def body_for(route, world):
    """What this route is posted, or None for nothing."""
    body = BODIES.get(route)
    return body(world) if callable(body) else body


def _refresh(world):
    return {"refresh": str(RefreshToken.for_user(world.people["buyer"]))}


def _token(world):
    return {"token": str(RefreshToken.for_user(world.people["buyer"]).access_token)}


def _link(world):
    buyer = User.objects.get(pk=world.people["buyer"].pk)
    uid = urlsafe_base64_encode(str(buyer.pk).encode())
    return {"uid": uid, "token": default_token_generator.make_token(buyer), **_NEW}


def _key(world):
    return {"key": make_key(User.objects.get(pk=world.people["buyer"].pk))}


def _cart(world):
    order = [{"product": world.product.pk, "number": 1}]
    return {"order": order, "mpesa_number": "0712000009"}


def _sent(world, phone, purpose, user_id):
    """A code that was sent to a phone, and its token."""
    told = []
    with patch.object(phone_codes.secrets, "randbelow", lambda most: 481516):
        told = phone_codes.send_code(
            phone, purpose, address="41.90.1.9", now=timezone.now(), user_id=user_id
        )
    return {"token": told, "code": "481516"}


def _typed(purpose, *, of_buyer=False):
    def body(world):
        user_id = world.people["buyer"].pk if of_buyer else 0
        phone = f"25471200{random.randrange(1000, 9999)}"
        return {"phone": phone, **_sent(world, phone, purpose, user_id)}

    return body


def _own(world):
    buyer = world.people["buyer"]
    return {**_sent(world, "254712000088", CodePurpose.OWN, buyer.pk), **_NEW}


def _pictures(world):
    return {"order": [world.picture.pk]}


BODIES = {
    "registration/": {
        "username": "newcomer",
        "password1": "sukuma wiki 7",
        "password2": "sukuma wiki 7",
    },
    "registration/verify-email/": _key,
    "login/": {"username": "buyer", "password": PASSWORD},
    "login/phone/": {"phone": "0712000077"},
    "login/phone/confirm/": _typed(CodePurpose.LOGIN),
    "account/phone/": {"phone": "0712000077", "password": PASSWORD},
    "account/phone/confirm/": _typed(CodePurpose.LINK, of_buyer=True),
    "password/set/": _own,
    "logout/": _refresh,
    "token/verify/": _token,
    "token/refresh/": _refresh,
    "token/logout/": _refresh,
    "password/change/": {"old_password": PASSWORD, **_NEW},
    "password/reset/confirm/": _link,
    "cart/": {"ids": [1]},
    "notices/read/": {"up_to": 1},
    "cashout/": _cart,
    "cart/quote/": _cart,
    "seller/products/import/": (
        "name,category,price,item_number,payment_mpesa_number\nPan,kitchen,900,3,0722000000\n"
    ),
    "account/delete/": {"password": PASSWORD},
    "account/messages/": {"language": "sw"},
    "seller/payouts/{payout_id}/number/": {"mpesa_number": "0733000222", "password": PASSWORD},
    "track/{track_id}/move/": {"to": "fetched"},
    "deliveries/{parcel_id}/release/": {"note": "His bike broke down."},
    "deliveries/{parcel_id}/attempt/": {"reason": "nobody_there"},
    "deliveries/{parcel_id}/move/": {"to": "fetched"},
    "track/{track_id}/review/": {"stars": 3},
    "track/{track_id}/problem/": {"kind": "damaged", "text": "The lid is cracked."},
    "track/{track_id}/problem/messages/": {"text": "Send me a picture, please."},
    "track/{track_id}/problem/accept/": {"amount": 100},
    "track/{track_id}/problem/returned/": {"goods_there": True},
    "track/{track_id}/problem/withdraw/": {},
    "review/{review_id}/answer/": {"text": "Asante!"},
    "account/addresses/": {
        "recipient": "Wanjiku",
        "phone": "0712000009",
        "county": "nairobi",
        "area": "Kilimani",
    },
    "account/addresses/{address_id}/": {"area": "Lavington"},
    "account/": {"first_name": "Wanjiku"},
    "user/": {"username": "renamed", "first_name": "Wanjiku"},
    "password/reset/": {"email": "buyer@example.com"},
    "product/{product_id}/": {"price": 100},
    "product/{product_id}/restock/": {"number": 1},
    "product/{product_id}/pictures/": _pictures,
    "create/": {
        "name": "Pan",
        "category": "kitchen",
        "item_number": 1,
        "price": 100,
        "payment_mpesa_number": "0722000001",
    },
    "cashout/{order_token}/pay/": {},
    "cashout/{order_token}/cancel/": {},
}


#: What every action of the admin is told: it asks for no more than stands here.
ACTION = {"said": "yes", "why": "She called", "reason": "Rude.", "goods_there": "yes"}
