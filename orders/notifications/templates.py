"""What people are told, in English and Swahili: a short text for a phone, a longer one by e-mail.

Texts take their values by name; ``{items}`` is the lines, cut to what an SMS can hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omachemainproj.money import format_kes
from orders.models.notifications import Kind

from .gsm7 import parts, to_gsm

#: Of an SMS: more costs more, and old phones show it in pieces.
MAX_SMS_PARTS = 2
#: What a product's name is cut to, the longest that fits all lines.
_CUTS = (60, 30, 20, 12)


@dataclass(frozen=True, slots=True)
class Item:
    """One line as a message names it. ``code`` is the collection code, empty where it is secret."""

    name: str
    number: int
    code: str = ""


@dataclass(frozen=True, slots=True)
class _Template:
    sms: str
    subject: str
    text: str


_TEMPLATES: dict[tuple[str, str], _Template] = {
    (Kind.PAID, "en"): _Template(
        "O-Mache: {amount} received for order {reference}. With the goods in your hands, tell who "
        "brought them the code: {items}. Thank you!",
        "Order {reference} is paid",
        "Thank you! {amount} was received for your order {reference}.\n\n"
        "When you have the goods in your hands, and not before, tell who brought them the code:\n\n"
        "{items}",
    ),
    (Kind.PAID, "sw"): _Template(
        "O-Mache: Tumepokea {amount} kwa oda {reference}. Ukishapata bidhaa mkononi, mpe "
        "aliyekuletea nambari hii ya siri: {items}. Asante!",
        "Oda {reference} imelipwa",
        "Asante! Tumepokea {amount} kwa oda yako {reference}.\n\n"
        "Ukishapata bidhaa mkononi, wala si kabla, mpe aliyekuletea nambari hii ya siri:\n\n"
        "{items}",
    ),
    (Kind.PROMPT_FAILED, "en"): _Template(
        "O-Mache: order {reference}, {amount}, is not paid yet. {why}{by_hand}",
        "Order {reference} is not paid yet",
        "Your order {reference}, {amount}, is not paid yet.\n\n{why}{by_hand}",
    ),
    (Kind.PROMPT_FAILED, "sw"): _Template(
        "O-Mache: Oda {reference}, {amount}, bado haijalipwa. {why}{by_hand}",
        "Oda {reference} bado haijalipwa",
        "Oda yako {reference}, {amount}, bado haijalipwa.\n\n{why}{by_hand}",
    ),
    (Kind.SHIPPED, "en"): _Template(
        "O-Mache: on the way to you, order {reference}. With the goods in your hands, tell who "
        "brought them the code: {items}.",
        "Order {reference} is on the way",
        "Goods of your order {reference} are on the way to you.\n\n"
        "When you have them in your hands, and not before, tell who brought them the code:\n\n"
        "{items}",
    ),
    (Kind.SHIPPED, "sw"): _Template(
        "O-Mache: Bidhaa za oda {reference} ziko njiani kuja kwako. Ukishazipata mkononi, mpe "
        "aliyekuletea nambari hii ya siri: {items}.",
        "Oda {reference} iko njiani",
        "Bidhaa za oda yako {reference} ziko njiani kuja kwako.\n\n"
        "Ukishazipata mkononi, wala si kabla, mpe aliyekuletea nambari hii ya siri:\n\n"
        "{items}",
    ),
    (Kind.DELIVERED, "en"): _Template(
        "O-Mache: delivered, order {reference}: {items}. If you do not have it, tell us today.",
        "Order {reference} is delivered",
        "These goods of your order {reference} are delivered:\n\n{items}\n\n"
        "If you do not have them, tell us today.",
    ),
    (Kind.DELIVERED, "sw"): _Template(
        "O-Mache: Bidhaa za oda {reference} zimefika: {items}. Kama hujazipata, tuambie leo.",
        "Oda {reference} imefika",
        "Bidhaa hizi za oda yako {reference} zimefika:\n\n{items}\n\nKama hujazipata, tuambie leo.",
    ),
    (Kind.REFUNDED, "en"): _Template(
        "O-Mache: {amount} for order {reference} was sent back to you.{receipt}",
        "{amount} was sent back to you",
        "{amount} for your order {reference} was sent back to you.{receipt}",
    ),
    (Kind.REFUNDED, "sw"): _Template(
        "O-Mache: Tumekurudishia {amount} za oda {reference}.{receipt}",
        "Tumekurudishia {amount}",
        "Tumekurudishia {amount} za oda yako {reference}.{receipt}",
    ),
    (Kind.SOLD, "en"): _Template(
        "O-Mache: you sold, for {amount}, order {reference}: {items}. Please keep it ready to be "
        "collected.",
        "You sold goods for {amount}",
        "These goods of yours are sold and paid, {amount}, order {reference}:\n\n{items}\n\n"
        "Please keep them ready to be collected.",
    ),
    (Kind.SOLD, "sw"): _Template(
        "O-Mache: Umeuza bidhaa za {amount}, oda {reference}: {items}. Tafadhali ziweke tayari "
        "zichukuliwe.",
        "Umeuza bidhaa za {amount}",
        "Bidhaa zako hizi zimeuzwa na kulipwa, {amount}, oda {reference}:\n\n{items}\n\n"
        "Tafadhali ziweke tayari zichukuliwe.",
    ),
    (Kind.PAID_OUT, "en"): _Template(
        "O-Mache: {amount} for what you sold was sent to your M-Pesa.{receipt}",
        "{amount} was sent to your M-Pesa",
        "{amount} for what you sold was sent to your M-Pesa.{receipt}",
    ),
    (Kind.PAID_OUT, "sw"): _Template(
        "O-Mache: Tumekutumia {amount} kwa M-Pesa kwa mauzo yako.{receipt}",
        "Tumekutumia {amount} kwa M-Pesa",
        "Tumekutumia {amount} kwa M-Pesa kwa mauzo yako.{receipt}",
    ),
}
_BY_HAND = {
    "en": " Or pay by hand: pay bill {pay_bill}, account {account}, {amount}.",
    "sw": " Au lipa mwenyewe: Pay Bill {pay_bill}, akaunti {account}, {amount}.",
}
_RECEIPT = {"en": " M-Pesa receipt {number}.", "sw": " Risiti ya M-Pesa {number}."}
_AND_MORE = {"en": "and {count} more", "sw": "na nyingine {count}"}
_HELLO = {"en": "Hello {name},", "sw": "Habari {name},"}
_SIGNED = {
    "en": "O-Mache\n\nYou choose what we tell you, and in which language, in your account.",
    "sw": "O-Mache\n\nUnaweza kuchagua tukueleze nini, na kwa lugha gani, kwenye akaunti yako.",
}


def by_hand(language: str, way: Mapping[str, Any]) -> str:
    """The sentence, behind another, that says how to pay without a prompt."""
    return _BY_HAND[language].format(**{**way, "amount": format_kes(way["amount"])})


def receipt(language: str, number: str) -> str:
    """The sentence, behind another, that names M-Pesa's receipt; empty where there is none."""
    return _RECEIPT[language].format(number=number) if number else ""


def render_sms(
    kind: str, language: str, values: Mapping[str, str], items: Sequence[Item] = ()
) -> str:
    """The SMS, in the GSM alphabet, of at most two parts.

    Names are cut first; then the last lines are counted instead of named; then sentences that
    were added at the end are left out.
    """
    template = _TEMPLATES[kind, language].sms

    def fill(listed: str, **other: str) -> str:
        return to_gsm(template.format(**{**values, **other}, items=listed))

    return _first_that_fits(fill, language, items)


def render_email(
    kind: str, language: str, values: Mapping[str, str], items: Sequence[Item] = ()
) -> tuple[str, str]:
    """The subject and the text of the e-mail, every line in full."""
    letter = _TEMPLATES[kind, language]
    listed = "\n".join(f"  {_name(item, 100)}" for item in items)
    hello = _HELLO[language].format(name=values["name"])
    text = letter.text.format(**values, items=listed)
    return letter.subject.format(**values), f"{hello}\n\n{text}\n\n{_SIGNED[language]}\n"


def _first_that_fits(fill: Callable[..., str], language: str, items: Sequence[Item]) -> str:
    for cut in _CUTS:
        text = fill(", ".join(_name(item, cut) for item in items))
        if parts(text) <= MAX_SMS_PARTS:
            return text
    for count in range(len(items) - 1, 0, -1):
        more = _AND_MORE[language].format(count=len(items) - count)
        named = [_name(item, _CUTS[-1]) for item in items[:count]]
        text = fill(", ".join([*named, more]))
        if parts(text) <= MAX_SMS_PARTS:
            return text
    return fill("", by_hand="", receipt="")


def _name(item: Item, cut: int) -> str:
    name = " ".join(item.name.split())
    name = name if len(name) <= cut else f"{name[: cut - 1].rstrip()}."
    counted = name if item.number == 1 else f"{item.number} x {name}"
    return f"{counted} {item.code}" if item.code else counted
