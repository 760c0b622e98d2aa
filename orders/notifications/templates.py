"""The texts of notifications in English and Swahili: short for SMS, longer for e-mail.

Values are filled in by name. ``{items}`` is the order lines, shortened to fit an SMS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from omachemainproj.money import format_kes
from orders.models.notifications import NotificationKind

from .gsm7 import count_parts, to_gsm
from .links import Link, Page
from .plain_text import plain

#: More parts cost more, and old phones show them as separate messages.
MAX_SMS_PARTS = 2
#: Maximum lengths of product names, tried in turn until all lines fit.
_NAME_LENGTHS = (60, 30, 20, 12)
#: Maximum length of the reader's name in a greeting.
_GREETING_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Item:
    """An order line as a message shows it; ``code`` is the collection code, or empty."""

    name: str
    number: int
    code: str = ""


@dataclass(frozen=True, slots=True)
class _Template:
    sms: str
    subject: str
    text: str


_TEMPLATES: dict[tuple[str, str], _Template] = {
    (NotificationKind.PAID, "en"): _Template(
        "O-Mache: we received {amount} for order {reference}.{where} Give this code only when you "
        "have the goods: {items}.{sign_in} Thank you!",
        "Order {reference} is paid",
        "Thank you! We received {amount} for your order {reference}.{where}\n\n"
        "When you have the goods, and not before, give this code to the person who brought them:"
        "\n\n{items}",
    ),
    (NotificationKind.PAID, "sw"): _Template(
        "O-Mache: Tumepokea {amount} kwa oda {reference}.{where} Ukishapata bidhaa "
        "mkononi, mpe aliyekuletea nambari hii ya siri: {items}.{sign_in} Asante!",
        "Oda {reference} imelipwa",
        "Asante! Tumepokea {amount} kwa oda yako {reference}.{where}\n\n"
        "Ukishapata bidhaa mkononi, wala si kabla, mpe aliyekuletea nambari hii ya siri:\n\n"
        "{items}",
    ),
    (NotificationKind.PROMPT_FAILED, "en"): _Template(
        "O-Mache: order {reference}, {amount}, is not paid yet. {why}{by_hand}",
        "Order {reference} is not paid yet",
        "Your order {reference}, {amount}, is not paid yet.\n\n{why}{by_hand}",
    ),
    (NotificationKind.PROMPT_FAILED, "sw"): _Template(
        "O-Mache: Oda {reference}, {amount}, bado haijalipwa. {why}{by_hand}",
        "Oda {reference} bado haijalipwa",
        "Oda yako {reference}, {amount}, bado haijalipwa.\n\n{why}{by_hand}",
    ),
    (NotificationKind.SHIPPED, "en"): _Template(
        "O-Mache: order {reference} is on its way to you.{where} Give this code only when you "
        "have the goods: {items}.",
        "Order {reference} is on the way",
        "Goods from your order {reference} are on their way to you.{where}\n\n"
        "When you have them, and not before, give this code to the person who brought them:\n\n"
        "{items}",
    ),
    (NotificationKind.SHIPPED, "sw"): _Template(
        "O-Mache: Bidhaa za oda {reference} ziko njiani kuja kwako.{where} Ukishazipata mkononi, "
        "mpe aliyekuletea nambari hii ya siri: {items}.",
        "Oda {reference} iko njiani",
        "Bidhaa za oda yako {reference} ziko njiani kuja kwako.{where}\n\n"
        "Ukishazipata mkononi, wala si kabla, mpe aliyekuletea nambari hii ya siri:\n\n"
        "{items}",
    ),
    (NotificationKind.ARRIVED, "en"): _Template(
        "O-Mache: order {reference} is ready for you at {place}. Give this code only when you have "
        "the goods: {items}.",
        "Order {reference} is ready for you",
        "Goods from your order {reference} are ready for you at {place}.\n\n"
        "When you have them, and not before, give this code to the person at the counter:\n\n"
        "{items}",
    ),
    (NotificationKind.ARRIVED, "sw"): _Template(
        "O-Mache: Oda {reference} inakusubiri {place}. Ukishapata bidhaa mkononi, waambie nambari "
        "hii ya siri: {items}.",
        "Oda {reference} inakusubiri",
        "Bidhaa za oda yako {reference} zinakusubiri {place}.\n\n"
        "Ukishazipata mkononi, wala si kabla, mwambie anayekukabidhi nambari hii ya siri:\n\n"
        "{items}",
    ),
    (NotificationKind.ATTEMPTED, "en"): _Template(
        "O-Mache: we could not deliver order {reference}: {why}. We will call you and come again. "
        "Give this code only when you have the goods: {items}.",
        "We could not deliver order {reference}",
        "We came with goods from your order {reference} but could not deliver them: {why}. We will "
        "call you and come again. Please keep your phone on.\n\n"
        "When you have them, and not before, give this code to the person who brought them:\n\n"
        "{items}",
    ),
    (NotificationKind.ATTEMPTED, "sw"): _Template(
        "O-Mache: Tulikuja na oda {reference} lakini hatukuikabidhi: {why}. Tutakupigia na kuja "
        "tena. Ukishapata bidhaa mkononi, mpe aliyekuletea nambari hii ya siri: {items}.",
        "Tulikuja na oda {reference}",
        "Tulikuja na bidhaa za oda yako {reference} lakini hatukuzikabidhi: {why}. Tutakupigia na "
        "kuja tena; tafadhali usizime simu.\n\n"
        "Ukishazipata mkononi, wala si kabla, mpe aliyekuletea nambari hii ya siri:\n\n"
        "{items}",
    ),
    (NotificationKind.WAITING, "en"): _Template(
        "O-Mache: order {reference} is still waiting for you at {place}, until {until}. Give this "
        "code only when you have the goods: {items}.",
        "Order {reference} is still waiting for you",
        "Goods from your order {reference} are still waiting for you at {place}, until {until}.\n\n"
        "When you have them, and not before, give this code to the person at the counter:\n\n"
        "{items}",
    ),
    (NotificationKind.WAITING, "sw"): _Template(
        "O-Mache: Oda {reference} bado inakusubiri {place}, hadi {until}. Ukishapata bidhaa "
        "mkononi, waambie nambari hii ya siri: {items}.",
        "Oda {reference} bado inakusubiri",
        "Bidhaa za oda yako {reference} bado zinakusubiri {place}, hadi {until}.\n\n"
        "Ukishazipata mkononi, wala si kabla, mwambie anayekukabidhi nambari hii ya siri:\n\n"
        "{items}",
    ),
    (NotificationKind.UNCOLLECTED, "en"): _Template(
        "O-Mache: order {reference} was not collected at {place} by {until}. You can still collect "
        "it while it is there. Give this code only when you have the goods: {items}.",
        "Order {reference} was not collected",
        "These goods from your order {reference} were not collected at {place} by {until}. We will "
        "soon decide what to do with them. You can still collect them while they are there. If "
        "something keeps you, please tell us.\n\n"
        "When you have them, and not before, give this code to the person at the counter:\n\n"
        "{items}",
    ),
    (NotificationKind.UNCOLLECTED, "sw"): _Template(
        "O-Mache: Hakuna aliyechukua oda {reference} {place} hadi {until}. Tutaamua la kufanya. "
        "Njoo uichukue ikiwa bado ipo, na uwaambie nambari hii ya siri: {items}.",
        "Oda {reference} haijachukuliwa",
        "Hakuna aliyechukua bidhaa hizi za oda yako {reference} {place} hadi {until}. Tutaamua la "
        "kufanya. Njoo uzichukue zikiwa bado zipo, au tuambie kinachokuzuia.\n\n"
        "Ukishazipata mkononi, wala si kabla, mwambie anayekukabidhi nambari hii ya siri:\n\n"
        "{items}",
    ),
    (NotificationKind.DELIVERED, "en"): _Template(
        "O-Mache: order {reference} was delivered: {items}.{where} If you did not get it, tell us "
        "today.",
        "Order {reference} was delivered",
        "These goods from your order {reference} were delivered:\n\n{items}\n\n"
        "{where_first}If you did not get them, tell us today.",
    ),
    (NotificationKind.DELIVERED, "sw"): _Template(
        "O-Mache: Bidhaa za oda {reference} zimefika: {items}.{where} Kama hujazipata, tuambie "
        "leo.",
        "Oda {reference} imefika",
        "Bidhaa hizi za oda yako {reference} zimefika:\n\n{items}\n\n{where_first}Kama "
        "hujazipata, tuambie leo.",
    ),
    (NotificationKind.GOES_BACK, "en"): _Template(
        "O-Mache: we received {amount} for order {reference} and will refund it to you. {why}",
        "We will refund you {amount}",
        "We received {amount} for your order {reference} and will refund it to you. {why}",
    ),
    (NotificationKind.GOES_BACK, "sw"): _Template(
        "O-Mache: Tumepokea {amount} kwa oda {reference}, na tunakurudishia. {why}",
        "Tunakurudishia {amount}",
        "Tumepokea {amount} kwa oda yako {reference}, na tunakurudishia. {why}",
    ),
    (NotificationKind.REFUNDED, "en"): _Template(
        "O-Mache: we refunded you {amount} for order {reference}.{receipt}{because}",
        "We refunded you {amount}",
        "We refunded you {amount} for your order {reference}.{receipt}{because}",
    ),
    (NotificationKind.REFUNDED, "sw"): _Template(
        "O-Mache: Tumekurudishia {amount} za oda {reference}.{receipt}{because}",
        "Tumekurudishia {amount}",
        "Tumekurudishia {amount} za oda yako {reference}.{receipt}{because}",
    ),
    (NotificationKind.SOLD, "en"): _Template(
        "O-Mache: you made a sale of {amount}, order {reference}: {items}. Please have the goods "
        "ready for collection.{collect}",
        "You made a sale of {amount}",
        "Good news! These goods are sold and paid for: {amount}, order {reference}.\n\n{items}\n\n"
        "Please have them ready for collection.{collect}",
    ),
    (NotificationKind.SOLD, "sw"): _Template(
        "O-Mache: Umeuza bidhaa za {amount}, oda {reference}: {items}. Tafadhali ziweke tayari "
        "zichukuliwe.{collect}",
        "Umeuza bidhaa za {amount}",
        "Bidhaa zako hizi zimeuzwa na kulipwa, {amount}, oda {reference}:\n\n{items}\n\n"
        "Tafadhali ziweke tayari zichukuliwe.{collect}",
    ),
    (NotificationKind.PAID_OUT, "en"): _Template(
        "O-Mache: we sent {amount} for your sales to your M-Pesa.{receipt}",
        "We sent {amount} to your M-Pesa",
        "We sent {amount} for your sales to your M-Pesa.{receipt}",
    ),
    (NotificationKind.PAID_OUT, "sw"): _Template(
        "O-Mache: Tumekutumia {amount} kwa M-Pesa kwa mauzo yako.{receipt}",
        "Tumekutumia {amount} kwa M-Pesa",
        "Tumekutumia {amount} kwa M-Pesa kwa mauzo yako.{receipt}",
    ),
    (NotificationKind.PROBLEM, "en"): _Template(
        "O-Mache: the buyer of order {reference} reported a problem ({about}): {items}. Please "
        "answer it under your sales. We pay you for it once this is settled.",
        "A problem with order {reference}",
        "The buyer of order {reference} reported a problem ({about}):\n\n{items}\n\n"
        "Please answer it under your sales. We pay you for it once this is settled.",
    ),
    (NotificationKind.PROBLEM, "sw"): _Template(
        "O-Mache: Mnunuzi wa oda {reference} ana tatizo, {about}: {items}. Tafadhali jibu kwenye "
        "mauzo yako. Malipo yako yatasubiri hadi litatuliwe.",
        "Tatizo kwenye oda {reference}",
        "Mnunuzi wa oda {reference} ana tatizo, {about}:\n\n{items}\n\n"
        "Tafadhali jibu kwenye mauzo yako. Malipo yako yatasubiri hadi litatuliwe.",
    ),
    (NotificationKind.PROBLEM_REPLY, "en"): _Template(
        "O-Mache: you have a new message about the problem with order {reference}: {items}. "
        "Please read it in your account.",
        "New message about order {reference}",
        "You have a new message about the problem with order {reference}:\n\n{items}\n\n"
        "Please read it in your account.",
    ),
    (NotificationKind.PROBLEM_REPLY, "sw"): _Template(
        "O-Mache: Kuna ujumbe mpya kuhusu tatizo la oda {reference}: {items}. Tafadhali usome "
        "kwenye akaunti yako.",
        "Ujumbe kuhusu oda {reference}",
        "Kuna ujumbe mpya kuhusu tatizo la oda {reference}:\n\n{items}\n\n"
        "Tafadhali usome kwenye akaunti yako.",
    ),
    (NotificationKind.PROBLEM_ENDED, "en"): _Template(
        "O-Mache: the problem with order {reference}, {items}: {about}",
        "Decision about the problem with order {reference}",
        "There is a decision about the problem with order {reference}:\n\n{items}\n\n{about}",
    ),
    (NotificationKind.PROBLEM_ENDED, "sw"): _Template(
        "O-Mache: Tatizo la oda {reference}, {items}: {about}",
        "Tatizo la oda {reference} limeamuliwa",
        "Tatizo la oda {reference} limeamuliwa:\n\n{items}\n\n{about}",
    ),
}
#: Sentences that only an order with a delivery adds, left out.
_WITHOUT_PLACES = {"where": "", "collect": ""}
_DEFAULTS = {"place": "", "sign_in": "", "until": "", **_WITHOUT_PLACES}
#: Texts in the app where they differ from the e-mail: the app shows the codes on the order page,
#: not in notifications.
_IN_APP = {
    (NotificationKind.PAID, "en"): (
        "We received {amount} for your order {reference}. Your order shows a code for each item. "
        "When you have the goods, and not before, give it to the person who brought them.{where}"
        "\n\n{items}"
    ),
    (NotificationKind.PAID, "sw"): (
        "Tumepokea {amount} kwa oda yako {reference}. Oda ina nambari ya siri ya kila bidhaa: mpe "
        "anayekuletea ukishaipata mkononi, wala si kabla.{where}\n\n{items}"
    ),
    (NotificationKind.SHIPPED, "en"): (
        "Goods from your order {reference} are on their way to you. When you have them, and not "
        "before, give the code shown on your order to the person who brought them.{where}"
        "\n\n{items}"
    ),
    (NotificationKind.SHIPPED, "sw"): (
        "Bidhaa za oda yako {reference} ziko njiani kuja kwako. Mpe anayekuletea nambari ya siri "
        "iliyo kwenye oda yako, ukishazipata mkononi, wala si kabla.{where}\n\n{items}"
    ),
    (NotificationKind.ARRIVED, "en"): (
        "Goods from your order {reference} are ready for you at {place}. When you have them, and "
        "not before, give the code shown on your order to the person at the counter.\n\n{items}"
    ),
    (NotificationKind.ARRIVED, "sw"): (
        "Bidhaa za oda yako {reference} zinakusubiri {place}. Ukishazipata mkononi, wala si kabla, "
        "mwambie anayekukabidhi nambari ya siri iliyo kwenye oda yako.\n\n{items}"
    ),
    (NotificationKind.ATTEMPTED, "en"): (
        "We came with goods from your order {reference} but could not deliver them: {why}. We will "
        "call you and come again. Please keep your phone on.\n\n{items}"
    ),
    (NotificationKind.ATTEMPTED, "sw"): (
        "Tulikuja na bidhaa za oda yako {reference} lakini hatukuzikabidhi: {why}. Tutakupigia na "
        "kuja tena; tafadhali usizime simu.\n\n{items}"
    ),
    (NotificationKind.WAITING, "en"): (
        "Goods from your order {reference} are still waiting for you at {place}, until {until}. "
        "When you have them, and not before, give the code shown on your order to the person at "
        "the counter.\n\n{items}"
    ),
    (NotificationKind.WAITING, "sw"): (
        "Bidhaa za oda yako {reference} bado zinakusubiri {place}, hadi {until}. Ukishazipata "
        "mkononi, wala si kabla, mwambie anayekukabidhi nambari ya siri iliyo kwenye oda yako."
        "\n\n{items}"
    ),
    (NotificationKind.UNCOLLECTED, "en"): (
        "These goods from your order {reference} were not collected at {place} by {until}. We will "
        "soon decide what to do with them. You can still collect them while they are there. If "
        "something keeps you, please tell us.\n\n{items}"
    ),
    (NotificationKind.UNCOLLECTED, "sw"): (
        "Hakuna aliyechukua bidhaa hizi za oda yako {reference} {place} hadi {until}. Tutaamua la "
        "kufanya. Njoo uzichukue zikiwa bado zipo, au tuambie kinachokuzuia.\n\n{items}"
    ),
}
_BY_HAND = {
    "en": " Or pay to Pay Bill {pay_bill}, account {account}, {amount}.",
    "sw": " Au lipa mwenyewe: Pay Bill {pay_bill}, akaunti {account}, {amount}.",
}
#: Added for guests, whose order page does not show everything.
_SIGN_IN = {
    "en": " To see the code and the full order, sign in with this phone: {address}",
    "sw": " Kuona nambari ya siri na oda yote, ingia kwa simu hii: {address}",
}
_RECEIPT = {"en": " M-Pesa receipt {number}.", "sw": " Risiti ya M-Pesa {number}."}
_AND_MORE = {"en": "and {count} more", "sw": "na nyingine {count}"}
_GREETING = {"en": "Hello {name},", "sw": "Habari {name},"}
#: Used when nothing of a product's name may be shown.
_NAMELESS = {"en": "goods", "sw": "bidhaa"}
_LEADS = {
    (Page.ORDER, "en"): "Your order:",
    (Page.ORDER, "sw"): "Oda yako:",
    (Page.SALES, "en"): "Your sales:",
    (Page.SALES, "sw"): "Ulichouza:",
    (Page.MONEY, "en"): "Your money:",
    (Page.MONEY, "sw"): "Fedha zako:",
}
_QUESTIONS = {
    "en": "Questions? Contact us: {contact}",
    "sw": "Una swali? Wasiliana nasi: {contact}",
}
#: Used when SHOP_CONTACT is empty.
_ANSWER = {"en": "Questions? Reply to this e-mail.", "sw": "Una swali? Jibu barua pepe hii."}
#: Introduces the text of an SMS that was not delivered.
_INSTEAD = {
    "en": "We sent you this SMS, but it did not reach your phone:",
    "sw": "Tulikutumia ujumbe huu kwa SMS, lakini haukufika kwenye simu yako:",
}
_SIGNATURE = {
    "en": "O-Mache\n\nYou can choose your messages and their language in your account.",
    "sw": "O-Mache\n\nUnaweza kuchagua tukueleze nini, na kwa lugha gani, kwenye akaunti yako.",
}


def manual_payment_sentence(language: str, option: Mapping[str, Any] | None) -> str:
    """Return a sentence on how to pay without a prompt, or "" without an option.

    ``option`` has ``pay_bill``, ``account`` and ``amount`` (KES).
    """
    if not option:
        return ""
    return _BY_HAND[language].format(**{**option, "amount": format_kes(option["amount"])})


def sign_in_sentence(language: str, address: str) -> str:
    """Return a sentence that tells a guest how to see the full order, at ``address``."""
    return _SIGN_IN[language].format(address=address)


def receipt_sentence(language: str, number: str | None) -> str:
    """Return a sentence with M-Pesa's receipt number, or "" without one."""
    return _RECEIPT[language].format(number=number) if number else ""


def render_sms(
    kind: str, language: str, values: Mapping[str, str], items: Sequence[Item] = ()
) -> str:
    """Return the SMS, in the GSM alphabet and at most two parts long.

    To make it fit: product names are shortened first, then the delivery or collection place is
    dropped, then the last lines are counted instead of named, then optional sentences are dropped.
    """
    template = _TEMPLATES[kind, language].sms

    def fill(listed: str, **changed: str) -> str:
        return to_gsm(template.format(**{**_DEFAULTS, **values, **changed}, items=listed))

    for dropped in ({}, _WITHOUT_PLACES) if _has_places(values) else ({},):
        for length in _NAME_LENGTHS:
            listed = ", ".join(_describe(item, length, language) for item in items)
            text = fill(listed, **dropped)
            if count_parts(text) <= MAX_SMS_PARTS:
                return text
    for count in range(len(items) - 1, 0, -1):
        described = [_describe(item, _NAME_LENGTHS[-1], language) for item in items[:count]]
        rest = _AND_MORE[language].format(count=len(items) - count)
        text = fill(", ".join([*described, rest]), **_WITHOUT_PLACES)
        if count_parts(text) <= MAX_SMS_PARTS:
            return text
    return fill("", by_hand="", receipt="", because="", **_WITHOUT_PLACES)


def _has_places(values: Mapping[str, str]) -> bool:
    return any(values.get(name) for name in _WITHOUT_PLACES)


def contact_sentence(language: str) -> str:
    """Return a sentence on how to contact the shop."""
    contact = settings.SHOP_CONTACT
    return _QUESTIONS[language].format(contact=contact) if contact else _ANSWER[language]


def greet(language: str, name: str) -> str:
    """Return the greeting of an e-mail."""
    return _GREETING[language].format(name=plain(name)[:_GREETING_LENGTH])


def list_items(items: Sequence[Item], language: str) -> str:
    """Return the order lines for an e-mail, one per row."""
    return "\n".join(f"  {_describe(item, 100, language)}" for item in items)


def render_email(
    kind: str, language: str, values: Mapping[str, str], items: Sequence[Item] = (), *, link: Link
) -> tuple[str, str]:
    """Return the subject and text of the e-mail, with every order line.

    ``link`` leads to the page it is about; the shop's contact is added.
    """
    template = _TEMPLATES[kind, language]
    text = template.text.format(**_with_places(values), items=list_items(items, language))
    parts = (
        greet(language, values["name"]),
        text,
        f"{_LEADS[link.page, language]}\n{link.address}",
        contact_sentence(language),
        _SIGNATURE[language],
    )
    return template.subject.format(**values), "\n\n".join(parts) + "\n"


def render_instead(language: str, *, name: str, title: str, text: str) -> tuple[str, str]:
    """Return the subject and text of an e-mail that repeats an SMS that was not delivered."""
    parts = (
        greet(language, name),
        _INSTEAD[language],
        text,
        contact_sentence(language),
        _SIGNATURE[language],
    )
    return title, "\n\n".join(parts) + "\n"


def render_in_app(
    kind: str, language: str, values: Mapping[str, str], items: Sequence[Item] = ()
) -> tuple[str, str]:
    """Return the title and text of an in-app notification: every order line, but no codes."""
    template = _TEMPLATES[kind, language]
    listed = "\n".join(_describe(Item(item.name, item.number), 100, language) for item in items)
    text = _IN_APP.get((NotificationKind(kind), language), template.text)
    body = text.format(**_with_places(values), items=listed)
    return template.subject.format(**values), body.strip()


def _with_places(values: Mapping[str, str]) -> dict[str, str]:
    """Add the values about places, which are empty for an order without a delivery."""
    where = values.get("where", "").strip()
    return {**_DEFAULTS, **values, "where_first": f"{where} " if where else ""}


def _describe(item: Item, name_length: int, language: str) -> str:
    """Return number, name and code of a line, with the name cut to ``name_length`` characters."""
    name = plain(item.name) or _NAMELESS[language]
    name = name if len(name) <= name_length else f"{name[: name_length - 1].rstrip()}."
    counted = name if item.number == 1 else f"{item.number} x {name}"
    return f"{counted} {item.code}" if item.code else counted
