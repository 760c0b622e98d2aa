"""What is posted to each route of the API: something its rightful sender would be thanked for."""

from tests.factories import PASSWORD

BODIES = {
    "registration/": {
        "username": "newcomer",
        "password1": "sukuma wiki 7",
        "password2": "sukuma wiki 7",
    },
    "login/": {"username": "buyer", "password": PASSWORD},
    "cart/": {"ids": [1]},
    "account/messages/": {"language": "sw"},
    "seller/payouts/{payout_id}/number/": {"mpesa_number": "0733000222", "password": PASSWORD},
    "track/{track_id}/move/": {"to": "fetched"},
    "track/{track_id}/review/": {"stars": 3},
    "review/{review_id}/answer/": {"text": "Asante!"},
    "account/": {"first_name": "Wanjiku"},
    "user/": {"username": "renamed", "first_name": "Wanjiku"},
    "password/reset/": {"email": "buyer@example.com"},
    "product/{product_id}/": {"price": 100},
    "product/{product_id}/restock/": {"number": 1},
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
