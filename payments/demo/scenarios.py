"""Scenarios of a simulated day: ways to pay, and what happens to the goods."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from .api_client import DemoError, Person, Phones

Order = dict[str, Any]
Paying = Callable[["Scene"], Order]
Handling = Callable[["Scene", Order, dict[str, Any]], None]


class Scene(NamedTuple):
    """The participants of one order, and its lines: (product, number)."""

    buyer: Person
    phone: str
    seller: Person
    agent: Person
    support: Person
    phones: Phones
    lines: tuple[tuple[int, int], ...]
    chance: Random


def enters_the_pin(scene: Scene) -> Order:
    order = scene.buyer.cash_out(scene.phone, *scene.lines)
    scene.phones.enter_pin(scene.phone)
    return scene.buyer.await_order(order, is_now="paid")


def mistypes_the_pin(scene: Scene) -> Order:
    order = scene.buyer.cash_out(scene.phone, *scene.lines)
    scene.phones.enter_pin(scene.phone, "0000")
    scene.buyer.await_prompt(order, has="failed")
    return _prompts_again(scene, order)


def cancels_on_the_phone(scene: Scene) -> Order:
    order = scene.buyer.cash_out(scene.phone, *scene.lines)
    scene.phones.cancel(scene.phone)
    scene.buyer.await_prompt(order, has="failed")
    given_up: Order = scene.buyer.post(f"/cashout/{order['order_token']}/cancel/")
    return given_up


def ignores_the_phone(scene: Scene) -> Order:
    """The prompt times out, and the order expires."""
    scene.phones.ignore_next(scene.phone)
    order = scene.buyer.cash_out(scene.phone, *scene.lines)
    return scene.buyer.await_prompt(order, has="failed")


def pays_by_hand(scene: Scene) -> Order:
    """First with half of the reference, which the shop refuses."""
    order = ignores_the_phone(scene)
    phone, amount = scene.phone, order["amount_due"]
    half = scene.phones.pay(phone, order["reference"][:4], amount)
    if half["result_code"] == "0":
        raise DemoError(f"KES {amount} was accepted with a reference of no order.")
    scene.phones.pay(phone, order["reference"], amount)
    return scene.buyer.await_order(order, is_now="paid")


def pays_in_two_parts(scene: Scene) -> Order:
    """A part is paid by the prompt, the rest manually."""
    first = sum(number for _, number in scene.lines) * 10
    scene.phones.script(phone=scene.phone, outcome="success", paid_amount=first)
    order = scene.buyer.cash_out(scene.phone, *scene.lines)
    rest = order["amount"] - first
    scene.buyer.await_due(order, rest)
    scene.phones.pay(scene.phone, order["reference"], rest)
    return scene.buyer.await_order(order, is_now="paid")


def pays_unheard(scene: Scene) -> Order:
    """M-Pesa's callback is lost; the pay bill's confirmation reports the payment."""
    scene.phones.script(phone=scene.phone, outcome="success", callbacks=0)
    order = scene.buyer.cash_out(scene.phone, *scene.lines)
    return scene.buyer.await_order(order, is_now="paid")


def is_told_twice(scene: Scene) -> Order:
    scene.phones.script(phone=scene.phone, outcome="success", callbacks=2, together=True)
    order = scene.buyer.cash_out(scene.phone, *scene.lines)
    return scene.buyer.await_order(order, is_now="paid")


def changes_their_mind_twice(scene: Scene) -> Order:
    """Cancelled while the prompt is open, then paid: the money is refunded."""
    order = scene.buyer.cash_out(scene.phone, *scene.lines)
    # An order cancelled earlier is never prompted.
    scene.buyer.await_prompt(order, has="submitted")
    scene.buyer.post(f"/cashout/{order['order_token']}/cancel/")
    scene.phones.enter_pin(scene.phone)
    return scene.buyer.await_order(order, is_now="refunded")


def _prompts_again(scene: Scene, order: Order) -> Order:
    scene.buyer.post(f"/cashout/{order['order_token']}/pay/")
    scene.phones.enter_pin(scene.phone)
    return scene.buyer.await_order(order, is_now="paid")


def waits_at_the_seller(scene: Scene, order: Order, line: dict[str, Any]) -> None:
    """It has not been fetched yet."""


def is_fetched(scene: Scene, order: Order, line: dict[str, Any]) -> None:
    move(scene.agent, line, "fetched")


def is_on_the_road(scene: Scene, order: Order, line: dict[str, Any]) -> None:
    is_fetched(scene, order, line)
    move(scene.agent, line, "shipping")


def is_handed_over(scene: Scene, order: Order, line: dict[str, Any]) -> None:
    """With the buyer's code, which the agent sometimes mistypes first."""
    is_on_the_road(scene, order, line)
    if scene.chance.random() < 0.2:
        wrong = f"{(int(line['collection_code']) + 1) % 10**6:06}"
        status, answer = scene.agent.ask("POST", _move(line), {"to": "delivered", "code": wrong})
        if status != 400:
            raise DemoError(f"A wrong code returned {status}: {answer}")
    move(scene.agent, line, "delivered", code=line["collection_code"])
    _reviews(scene, line)


def is_taken_as_delivered(scene: Scene, order: Order, line: dict[str, Any]) -> None:
    is_on_the_road(scene, order, line)
    move(scene.buyer, line, "delivered")
    _reviews(scene, line)


def is_not_wanted_any_more(scene: Scene, order: Order, line: dict[str, Any]) -> None:
    move(scene.buyer, line, "cancelled")


def cannot_be_sold(scene: Scene, order: Order, line: dict[str, Any]) -> None:
    move(scene.seller, line, "cancelled", note="It fell off the shelf and broke.")


def comes_back(scene: Scene, order: Order, line: dict[str, Any]) -> None:
    """Returned after delivery. If the seller was already paid, they owe it to the shop.

    A large amount needs a second person's approval.
    """
    is_taken_as_delivered(scene, order, line)
    note = "The buyer brought it back: it is not the colour on the picture."
    body = {"to": "cancelled", "note": note, "goods_there": True}
    status, answer = scene.support.ask("POST", _move(line), body)
    if status != 200 and answer.get("code") != "second_person_needed":
        raise DemoError(f"A return returned {status}: {answer}")


def move(by: Person, line: dict[str, Any], to: str, **proof: Any) -> None:
    """Move a line to a status as this user. Raises DemoError."""
    by.post(_move(line), {"to": to, **proof})


def _move(line: dict[str, Any]) -> str:
    return f"/track/{line['id']}/move/"


def _reviews(scene: Scene, line: dict[str, Any]) -> None:
    stars, opinion = scene.chance.choice(OPINIONS)
    if scene.chance.random() < 0.3:
        return
    review = scene.buyer.post(f"/track/{line['id']}/review/", {"stars": stars, "text": opinion})
    if stars < 4 or scene.chance.random() < 0.3:
        answer = "Pole! Call us, we put it right." if stars < 4 else "Asante, karibu tena!"
        scene.seller.post(f"/review/{review['id']}/answer/", {"text": answer})


OPINIONS = [
    (5, "Came the same day, just as on the picture."),
    (5, "Poa sana. My mother wants one too."),
    (4, "Good, though the box was dented."),
    (3, "It works. The colour is another one."),
    (2, "Smaller than I thought."),
]
#: Weights of the scenarios.
PAYING: dict[Paying, int] = {
    enters_the_pin: 44,
    mistypes_the_pin: 8,
    cancels_on_the_phone: 8,
    ignores_the_phone: 8,
    pays_by_hand: 8,
    pays_in_two_parts: 5,
    pays_unheard: 8,
    is_told_twice: 6,
    changes_their_mind_twice: 5,
}
HANDLING: dict[Handling, int] = {
    is_handed_over: 42,
    is_taken_as_delivered: 12,
    is_on_the_road: 8,
    is_fetched: 6,
    waits_at_the_seller: 8,
    is_not_wanted_any_more: 8,
    cannot_be_sold: 6,
    comes_back: 10,
}
