"""A client written before a change, with the answers it got.

``play()`` sends the same requests in the same order to the current code; values that differ from
run to run (tokens, times, random names) are replaced by names, by order of appearance.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from unittest.mock import patch

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from rest_framework.test import APIClient

from payments.models import OrderPayment, Payout
from tests.factories import UserFactory, give_role
from tests.payments.bodies import post, success
from tests.payments.fakes import FakeDaraja

_PASSWORD = "sukuma wiki na ugali"
_RANDOM = [
    ("token", r"eyJ[\w-]+\.[\w-]+\.[\w-]+"),
    ("uuid", r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    ("time", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+\d\d:\d\d)"),
    ("file", r"(?:products|avatars|thumbnails)/[\w./-]+\.webp"),
]


class Recorder:
    """Records requests and their answers in a form comparable between runs."""

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []
        self._names: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def call(self, client: APIClient, method: str, path: str, body: Any = None, **how: Any) -> Any:
        """Send one request; returns its JSON."""
        answer = getattr(client, method)(path, body, **how)
        answer.close()
        text = answer.content.decode()
        is_json = answer.get("Content-Type", "").startswith("application/json")
        content = answer.json() if is_json and text else text
        for member, value in _members(content):
            if member in {"reference", "collection_code"} and value:
                self._name(member, str(value))
        self.steps.append(
            {
                "request": self._plain(f"{method.upper()} {path}"),
                "status": answer.status_code,
                "type": answer.get("Content-Type", ""),
                "body": self._plain(content),
            }
        )
        return content

    def _name(self, kind: str, value: str) -> str:
        if value not in self._names:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._names[value] = f"<{kind} {self._counts[kind]}>"
        return self._names[value]

    def _plain(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._plain(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._plain(each) for each in value]
        if not isinstance(value, str):
            return value
        for kind, pattern in _RANDOM:
            if kind == "time":
                value = re.sub(pattern, "<time>", value)
            else:
                value = re.sub(pattern, lambda hit, kind=kind: self._name(kind, hit[0]), value)
        for known, name in self._names.items():
            if not known.isdigit() or value == known:
                value = value.replace(known, name)
        return value


def _members(content: Any) -> Any:
    if isinstance(content, dict):
        for key, value in content.items():
            yield key, value
            yield from _members(value)
    elif isinstance(content, list):
        for each in content:
            yield from _members(each)


def play() -> list[dict[str, Any]]:
    """A day of a buyer, a seller and an agent, with a client from that time."""
    told, anyone = Recorder(), APIClient()
    daraja = FakeDaraja()
    with patch("payments.gateway.daraja", lambda: daraja):
        seller, kettle, cable = _sell(told, anyone)
        buyer = _join(told, anyone, "wanjiku")
        _look_around(told, anyone, kettle)
        paid = _buy(told, buyer, kettle, cable)
        _deliver(told, buyer, seller, paid)
        _refusals(told, anyone, buyer, kettle)
        _account(told, anyone, buyer)
    return told.steps


def _join(told: Recorder, anyone: APIClient, name: str) -> APIClient:
    body = {"username": name, "email": f"{name}@example.com"}
    joined = told.call(
        anyone, "post", "/registration/", {**body, "password1": _PASSWORD, "password2": _PASSWORD}
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {joined['access']}")
    return client


def _sell(told: Recorder, anyone: APIClient) -> tuple[APIClient, int, int]:
    seller = _join(told, anyone, "amina")
    kettle = {
        "name": "Kettle",
        "description": "Boils two litres.",
        "category": "kitchen",
        "item_number": 5,
        "price": 1500,
        "payment_mpesa_number": "0722 000 000",
    }
    first = told.call(seller, "post", "/create/", kettle, format="json")
    picture = SimpleUploadedFile("cable.png", _png(), content_type="image/png")
    second = told.call(
        seller,
        "post",
        "/create/",
        {**kettle, "name": "Cable", "category": "phones", "price": "300", "image": picture},
        format="multipart",
    )
    told.call(seller, "post", "/create/", {**kettle, "category": "toys"}, format="json")
    told.call(seller, "post", "/create/", {**kettle, "price": 0, "name": ""}, format="json")
    told.call(seller, "get", "/seller/products/")
    told.call(seller, "patch", f"/product/{first['id']}/", {"price": 1600}, format="json")
    told.call(seller, "post", f"/product/{first['id']}/restock/", {"number": 2}, format="json")
    return seller, first["id"], second["id"]


def _look_around(told: Recorder, anyone: APIClient, kettle: int) -> None:
    for path in (
        "/",
        "/product/search/?search=kettle",
        "/product/search/?search=nothing+at+all",
        "/product/kitchen/",
        "/product/phonestablet/",
        "/product/toys/",
        f"/product/{kettle}/",
        "/product/999/",
        f"/product/{kettle}/reviews/",
    ):
        told.call(anyone, "get", path)
    told.call(anyone, "post", "/cart/", [kettle, 999], format="json")
    told.call(anyone, "post", "/cart/", {"ids": [kettle]}, format="json")


def _buy(told: Recorder, buyer: APIClient, kettle: int, cable: int) -> list[int]:
    order = {"order": [{"product": kettle, "number": 2}, {"product": cable, "number": 1}]}
    body = {**order, "mpesa_number": "0712345678"}
    key = {"Idempotency-Key": "a-client-of-yesterday"}
    placed = told.call(buyer, "post", "/cashout/", body, format="json", headers=key)
    told.call(buyer, "post", "/cashout/", body, format="json", headers=key)
    other = {**body, "mpesa_number": "0712345679"}
    told.call(buyer, "post", "/cashout/", other, format="json", headers=key)
    token = placed["order_token"]
    told.call(buyer, "get", f"/cashout/{token}/")
    told.call(buyer, "post", f"/cashout/{token}/pay/", {}, format="json")
    payment = OrderPayment.objects.get()
    post(Client(), payment, success(payment, receipt="SGQ1234567"))
    told.call(buyer, "get", f"/cashout/{token}/")
    told.call(buyer, "post", f"/cashout/{token}/cancel/")
    second = {"order": [{"product": cable, "number": 1}], "mpesa_number": 254712345678}
    given_up = told.call(buyer, "post", "/cashout/", second, format="json")
    told.call(buyer, "post", f"/cashout/{given_up['order_token']}/cancel/")
    told.call(buyer, "get", "/track/order/")
    told.call(buyer, "get", "/track/order/?status=paid")
    return [line["id"] for line in placed["order"]]


def _deliver(told: Recorder, buyer: APIClient, seller: APIClient, lines: list[int]) -> None:
    agent = APIClient()
    agent.force_authenticate(give_role(UserFactory(username="otieno"), "delivery"))
    kettle, cable = lines
    told.call(seller, "get", "/seller/orders/")
    told.call(agent, "post", f"/track/{kettle}/move/", {"to": "fetched"}, format="json")
    told.call(agent, "post", f"/track/{kettle}/move/", {"to": "shipping"}, format="json")
    told.call(agent, "post", f"/track/{kettle}/move/", {"to": "delivered"}, format="json")
    told.call(buyer, "post", f"/track/{kettle}/move/", {"to": "delivered"}, format="json")
    told.call(buyer, "get", f"/track/order/{kettle}/")
    review = {"stars": 5, "text": "It boils."}
    told.call(buyer, "post", f"/track/{kettle}/review/", review, format="json")
    told.call(seller, "post", f"/track/{cable}/move/", {"to": "cancelled"}, format="json")
    told.call(buyer, "post", f"/track/{cable}/move/", {"to": "cancelled"}, format="json")
    told.call(buyer, "get", "/track/order/")
    told.call(seller, "get", "/seller/orders/?status=delivered")
    told.call(seller, "get", "/seller/statement/")
    told.call(seller, "get", "/seller/payouts/")
    assert Payout.objects.count() == 1


def _refusals(told: Recorder, anyone: APIClient, buyer: APIClient, kettle: int) -> None:
    line = {"product": kettle, "number": 1}
    body = {"order": [line], "mpesa_number": "0712345678"}
    told.call(anyone, "post", "/cashout/", body, format="json")
    for wrong in (
        {},
        {"order": [], "mpesa_number": "0712345678"},
        {"order": [line], "mpesa_number": "12"},
        {"order": [{"product": 999, "number": 1}], "mpesa_number": "0712345678"},
        {"order": [line, {"product": kettle, "number": 99}], "mpesa_number": "0712345678"},
        {"order": [{"product": kettle, "number": 0}], "mpesa_number": "0712345678"},
    ):
        told.call(buyer, "post", "/cashout/", wrong, format="json")
    told.call(buyer, "post", "/cashout/", "{not json", content_type="application/json")
    told.call(buyer, "get", "/cashout/00000000-0000-4000-8000-000000000000/")
    told.call(buyer, "get", "/track/order/999/")
    told.call(buyer, "delete", "/cashout/")
    told.call(anyone, "get", "/nowhere/")


def _account(told: Recorder, anyone: APIClient, buyer: APIClient) -> None:
    told.call(buyer, "get", "/account/")
    names = {"first_name": "Wanjiku", "gender": "woman"}
    told.call(buyer, "patch", "/account/", names, format="json")
    told.call(buyer, "get", "/account/messages/")
    told.call(buyer, "get", "/user/")
    told.call(anyone, "post", "/login/", {"username": "wanjiku", "password": "wrong"})
    signed_in = told.call(anyone, "post", "/login/", {"username": "wanjiku", "password": _PASSWORD})
    renewed = told.call(anyone, "post", "/token/refresh/", {"refresh": signed_in["refresh"]})
    told.call(anyone, "post", "/token/verify/", {"token": renewed["access"]})
    told.call(anyone, "post", "/logout/", {"refresh": renewed["refresh"]})
    told.call(anyone, "post", "/token/refresh/", {"refresh": renewed["refresh"]})


def _png() -> bytes:
    out = BytesIO()
    Image.new("RGB", (60, 40), "teal").save(out, "PNG")
    return out.getvalue()
