"""The texts of notifications, in English and Swahili: a short one by SMS, a longer one by e-mail.

Values are filled in by name; ``{items}`` is the lines, cut to what an SMS can hold.
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

#: More cost more, and old phones show them in pieces.
MAX_SMS_PARTS = 2
#: Lengths a product's name may be cut to; the longest is taken with which all lines fit.
_NAME_LENGTHS = (60, 30, 20, 12)
#: The length to which the reader's own name is cut.
_GREETED = 40


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
        "O-Mache: {amount} received for order {reference}.{where} With the goods in your hands, "
        "tell who brought them the code: {items}.{sign_in} Thank you!",
        "Order {reference} is paid",
        "Thank you! {amount} was received for your order {reference}.{where}\n\n"
        "When you have the goods in your hands, and not before, tell who brought them the code:\n\n"
        "{items}",
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
        "O-Mache: on the way to you, order {reference}.{where} With the goods in your hands, "
        "tell who brought them the code: {items}.",
        "Order {reference} is on the way",
        "Goods of your order {reference} are on the way to you.{where}\n\n"
        "When you have them in your hands, and not before, tell who brought them the code:\n\n"
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
        "O-Mache: order {reference} waits for you at {place}. With the goods in your hands, tell "
        "them the code: {items}.",
        "Order {reference} waits for you",
        "Goods of your order {reference} wait for you at {place}.\n\n"
        "When you have them in your hands, and not before, tell who hands them over the code:\n\n"
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
        "O-Mache: we came with order {reference} and could not hand it over: {why}. We call and "
        "come again. With the goods in your hands, tell who brought them the code: {items}.",
        "We came with order {reference}",
        "We came with goods of your order {reference} and could not hand them over: {why}. We call "
        "you and come again; please keep your phone on.\n\n"
        "When you have them in your hands, and not before, tell who brought them the code:\n\n"
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
        "O-Mache: order {reference} still waits for you at {place}, until {until}. With the goods "
        "in your hands, tell them the code: {items}.",
        "Order {reference} still waits for you",
        "Goods of your order {reference} still wait for you at {place}, until {until}.\n\n"
        "When you have them in your hands, and not before, tell who hands them over the code:\n\n"
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
        "O-Mache: nobody collected order {reference} at {place} by {until}. We will decide what "
        "becomes of it. Come for it while it is there, and tell them the code: {items}.",
        "Nobody collected order {reference}",
        "Nobody collected these goods of your order {reference} at {place} by {until}. We will "
        "decide what becomes of them. Come for them while they are there, or tell us what keeps "
        "you.\n\n"
        "When you have them in your hands, and not before, tell who hands them over the code:\n\n"
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
        "O-Mache: delivered, order {reference}: {items}.{where} If you do not have it, tell us "
        "today.",
        "Order {reference} is delivered",
        "These goods of your order {reference} are delivered:\n\n{items}\n\n"
        "{where_first}If you do not have them, tell us today.",
    ),
    (NotificationKind.DELIVERED, "sw"): _Template(
        "O-Mache: Bidhaa za oda {reference} zimefika: {items}.{where} Kama hujazipata, tuambie "
        "leo.",
        "Oda {reference} imefika",
        "Bidhaa hizi za oda yako {reference} zimefika:\n\n{items}\n\n{where_first}Kama "
        "hujazipata, tuambie leo.",
    ),
    (NotificationKind.GOES_BACK, "en"): _Template(
        "O-Mache: {amount} came for order {reference} and goes back to you. {why}",
        "{amount} goes back to you",
        "{amount} came for your order {reference} and goes back to you. {why}",
    ),
    (NotificationKind.GOES_BACK, "sw"): _Template(
        "O-Mache: Tumepokea {amount} kwa oda {reference}, na tunakurudishia. {why}",
        "Tunakurudishia {amount}",
        "Tumepokea {amount} kwa oda yako {reference}, na tunakurudishia. {why}",
    ),
    (NotificationKind.REFUNDED, "en"): _Template(
        "O-Mache: {amount} for order {reference} was sent back to you.{receipt}{because}",
        "{amount} was sent back to you",
        "{amount} for your order {reference} was sent back to you.{receipt}{because}",
    ),
    (NotificationKind.REFUNDED, "sw"): _Template(
        "O-Mache: Tumekurudishia {amount} za oda {reference}.{receipt}{because}",
        "Tumekurudishia {amount}",
        "Tumekurudishia {amount} za oda yako {reference}.{receipt}{because}",
    ),
    (NotificationKind.SOLD, "en"): _Template(
        "O-Mache: you sold, for {amount}, order {reference}: {items}. Please keep it ready to be "
        "collected.{collect}",
        "You sold goods for {amount}",
        "These goods of yours are sold and paid, {amount}, order {reference}:\n\n{items}\n\n"
        "Please keep them ready to be collected.{collect}",
    ),
    (NotificationKind.SOLD, "sw"): _Template(
        "O-Mache: Umeuza bidhaa za {amount}, oda {reference}: {items}. Tafadhali ziweke tayari "
        "zichukuliwe.{collect}",
        "Umeuza bidhaa za {amount}",
        "Bidhaa zako hizi zimeuzwa na kulipwa, {amount}, oda {reference}:\n\n{items}\n\n"
        "Tafadhali ziweke tayari zichukuliwe.{collect}",
    ),
    (NotificationKind.PAID_OUT, "en"): _Template(
        "O-Mache: {amount} for what you sold was sent to your M-Pesa.{receipt}",
        "{amount} was sent to your M-Pesa",
        "{amount} for what you sold was sent to your M-Pesa.{receipt}",
    ),
    (NotificationKind.PAID_OUT, "sw"): _Template(
        "O-Mache: Tumekutumia {amount} kwa M-Pesa kwa mauzo yako.{receipt}",
        "Tumekutumia {amount} kwa M-Pesa",
        "Tumekutumia {amount} kwa M-Pesa kwa mauzo yako.{receipt}",
    ),
    (NotificationKind.PROBLEM, "en"): _Template(
        "O-Mache: the buyer of order {reference} reports a problem, {about}: {items}. Please "
        "answer in your sales. Your money for it waits until that is settled.",
        "A problem with order {reference}",
        "The buyer of order {reference} reports a problem, {about}:\n\n{items}\n\n"
        "Please answer in your sales. Your money for it waits until that is settled.",
    ),
    (NotificationKind.PROBLEM, "sw"): _Template(
        "O-Mache: Mnunuzi wa oda {reference} ana tatizo, {about}: {items}. Tafadhali jibu kwenye "
        "mauzo yako. Malipo yako yatasubiri hadi litatuliwe.",
        "Tatizo kwenye oda {reference}",
        "Mnunuzi wa oda {reference} ana tatizo, {about}:\n\n{items}\n\n"
        "Tafadhali jibu kwenye mauzo yako. Malipo yako yatasubiri hadi litatuliwe.",
    ),
    (NotificationKind.PROBLEM_REPLY, "en"): _Template(
        "O-Mache: there is a new message about the problem with order {reference}: {items}. "
        "Please read it in your account.",
        "A message about order {reference}",
        "There is a new message about the problem with order {reference}:\n\n{items}\n\n"
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
        "The problem with order {reference} is decided",
        "The problem with order {reference} is decided:\n\n{items}\n\n{about}",
    ),
    (NotificationKind.PROBLEM_ENDED, "sw"): _Template(
        "O-Mache: Tatizo la oda {reference}, {items}: {about}",
        "Tatizo la oda {reference} limeamuliwa",
        "Tatizo la oda {reference} limeamuliwa:\n\n{items}\n\n{about}",
    ),
}
#: What is added of an order with a delivery, and is nothing for another one.
_UNSAID = {"where": "", "collect": ""}
_NOWHERE = {"place": "", "sign_in": "", "until": "", **_UNSAID}
#: In the app, where an unnamed transfer the e-mail says: the codes stand on the order, not here.
_IN_APP = {
    (NotificationKind.PAID, "en"): (
        "{amount} was received for your order {reference}. The order shows a code for each of its "
        "goods: tell it who brings them, when you have them in your hands and not before.{where}"
        "\n\n{items}"
    ),
    (NotificationKind.PAID, "sw"): (
        "Tumepokea {amount} kwa oda yako {reference}. Oda ina nambari ya siri ya kila bidhaa: mpe "
        "anayekuletea ukishaipata mkononi, wala si kabla.{where}\n\n{items}"
    ),
    (NotificationKind.SHIPPED, "en"): (
        "Goods of your order {reference} are on the way to you. Tell who brings them the code that "
        "your order shows, when you have them in your hands and not before.{where}\n\n{items}"
    ),
    (NotificationKind.SHIPPED, "sw"): (
        "Bidhaa za oda yako {reference} ziko njiani kuja kwako. Mpe anayekuletea nambari ya siri "
        "iliyo kwenye oda yako, ukishazipata mkononi, wala si kabla.{where}\n\n{items}"
    ),
    (NotificationKind.ARRIVED, "en"): (
        "Goods of your order {reference} wait for you at {place}. When you have them in your "
        "hands, and not before, tell who hands them over the code that your order shows.\n\n{items}"
    ),
    (NotificationKind.ARRIVED, "sw"): (
        "Bidhaa za oda yako {reference} zinakusubiri {place}. Ukishazipata mkononi, wala si kabla, "
        "mwambie anayekukabidhi nambari ya siri iliyo kwenye oda yako.\n\n{items}"
    ),
    (NotificationKind.ATTEMPTED, "en"): (
        "We came with goods of your order {reference} and could not hand them over: {why}. We call "
        "you and come again; please keep your phone on.\n\n{items}"
    ),
    (NotificationKind.ATTEMPTED, "sw"): (
        "Tulikuja na bidhaa za oda yako {reference} lakini hatukuzikabidhi: {why}. Tutakupigia na "
        "kuja tena; tafadhali usizime simu.\n\n{items}"
    ),
    (NotificationKind.WAITING, "en"): (
        "Goods of your order {reference} still wait for you at {place}, until {until}. When you "
        "have them in your hands, and not before, tell who hands them over the code that your "
        "order shows.\n\n{items}"
    ),
    (NotificationKind.WAITING, "sw"): (
        "Bidhaa za oda yako {reference} bado zinakusubiri {place}, hadi {until}. Ukishazipata "
        "mkononi, wala si kabla, mwambie anayekukabidhi nambari ya siri iliyo kwenye oda yako."
        "\n\n{items}"
    ),
    (NotificationKind.UNCOLLECTED, "en"): (
        "Nobody collected these goods of your order {reference} at {place} by {until}. We will "
        "decide what becomes of them. Come for them while they are there, or tell us what keeps "
        "you.\n\n{items}"
    ),
    (NotificationKind.UNCOLLECTED, "sw"): (
        "Hakuna aliyechukua bidhaa hizi za oda yako {reference} {place} hadi {until}. Tutaamua la "
        "kufanya. Njoo uzichukue zikiwa bado zipo, au tuambie kinachokuzuia.\n\n{items}"
    ),
}
_BY_HAND = {
    "en": " Or pay by hand: pay bill {pay_bill}, account {account}, {amount}.",
    "sw": " Au lipa mwenyewe: Pay Bill {pay_bill}, akaunti {account}, {amount}.",
}
#: Of a guest's order, which its page does not show in full.
_SIGN_IN = {
    "en": " To see the code and all of the order, sign in with this phone: {address}",
    "sw": " Kuona nambari ya siri na oda yote, ingia kwa simu hii: {address}",
}
_RECEIPT = {"en": " M-Pesa receipt {number}.", "sw": " Risiti ya M-Pesa {number}."}
_AND_MORE = {"en": "and {count} more", "sw": "na nyingine {count}"}
_GREETING = {"en": "Hello {name},", "sw": "Habari {name},"}
#: For a name of which nothing may be written.
_NAMELESS = {"en": "goods", "sw": "bidhaa"}
_LEADS = {
    (Page.ORDER, "en"): "Your order:",
    (Page.ORDER, "sw"): "Oda yako:",
    (Page.SALES, "en"): "What you sold:",
    (Page.SALES, "sw"): "Ulichouza:",
    (Page.MONEY, "en"): "Your money:",
    (Page.MONEY, "sw"): "Fedha zako:",
}
_QUESTIONS = {
    "en": "Questions? Reach us: {contact}",
    "sw": "Una swali? Wasiliana nasi: {contact}",
}
#: Where the shop names nobody.
_ANSWER = {"en": "Questions? Answer this e-mail.", "sw": "Una swali? Jibu barua pepe hii."}
#: Why somebody gets an e-mail of what they were to get by SMS.
_INSTEAD = {
    "en": "We sent you this by SMS, and it did not reach your phone:",
    "sw": "Tulikutumia ujumbe huu kwa SMS, lakini haukufika kwenye simu yako:",
}
_SIGNATURE = {
    "en": "O-Mache\n\nYou choose what we tell you, and in which language, in your account.",
    "sw": "O-Mache\n\nUnaweza kuchagua tukueleze nini, na kwa lugha gani, kwenye akaunti yako.",
}


def manual_payment_sentence(language: str, option: Mapping[str, Any] | None) -> str:
    """A sentence to add that says how to pay without a prompt; empty without an option.

    ``option`` has ``pay_bill``, ``account`` and ``amount`` (KES).
    """
    if not option:
        return ""
    return _BY_HAND[language].format(**{**option, "amount": format_kes(option["amount"])})


def sign_in_sentence(language: str, address: str) -> str:
    """A sentence to add that tells a guest how to see all of their order, at ``address``."""
    return _SIGN_IN[language].format(address=address)


def receipt_sentence(language: str, number: str | None) -> str:
    """A sentence to add that gives M-Pesa's receipt number; empty without one."""
    return _RECEIPT[language].format(number=number) if number else ""


def render_sms(
    kind: str, language: str, values: Mapping[str, str], items: Sequence[Item] = ()
) -> str:
    """The SMS, in the GSM alphabet, of at most two parts.

    To fit, product names are cut first; then it is not said where they go, and where the seller's
    agent comes; then the last lines are counted instead of named; then the sentences added at the
    end are left out.
    """
    template = _TEMPLATES[kind, language].sms

    def fill(listed: str, **changed: str) -> str:
        return to_gsm(template.format(**{**_NOWHERE, **values, **changed}, items=listed))

    for unsaid in ({}, _UNSAID) if _says_where(values) else ({},):
        for length in _NAME_LENGTHS:
            listed = ", ".join(_describe(item, length, language) for item in items)
            text = fill(listed, **unsaid)
            if count_parts(text) <= MAX_SMS_PARTS:
                return text
    for count in range(len(items) - 1, 0, -1):
        described = [_describe(item, _NAME_LENGTHS[-1], language) for item in items[:count]]
        rest = _AND_MORE[language].format(count=len(items) - count)
        text = fill(", ".join([*described, rest]), **_UNSAID)
        if count_parts(text) <= MAX_SMS_PARTS:
            return text
    return fill("", by_hand="", receipt="", because="", **_UNSAID)


def _says_where(values: Mapping[str, str]) -> bool:
    return any(values.get(name) for name in _UNSAID)


def contact_sentence(language: str) -> str:
    """A sentence that says whom to turn to with a question."""
    contact = settings.SHOP_CONTACT
    return _QUESTIONS[language].format(contact=contact) if contact else _ANSWER[language]


def greet(language: str, name: str) -> str:
    """The greeting an e-mail begins with."""
    return _GREETING[language].format(name=plain(name)[:_GREETED])


def list_items(items: Sequence[Item], language: str) -> str:
    """The lines as an e-mail lists them, one below the other."""
    return "\n".join(f"  {_describe(item, 100, language)}" for item in items)


def render_email(
    kind: str, language: str, values: Mapping[str, str], items: Sequence[Item] = (), *, link: Link
) -> tuple[str, str]:
    """The subject and the text of the e-mail, with every line.

    ``link`` is the way to what it is about; the shop's contact comes with it.
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
    """The subject and the text of an e-mail that says what an SMS said which did not arrive."""
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
    """The title and the text of a notification in the app: with every line, and no code."""
    template = _TEMPLATES[kind, language]
    listed = "\n".join(_describe(Item(item.name, item.number), 100, language) for item in items)
    text = _IN_APP.get((NotificationKind(kind), language), template.text)
    said = text.format(**_with_places(values), items=listed)
    return template.subject.format(**values), said.strip()


def _with_places(values: Mapping[str, str]) -> dict[str, str]:
    """The values, and those of where goods go, which are nothing where there is no delivery."""
    where = values.get("where", "").strip()
    return {**_NOWHERE, **values, "where_first": f"{where} " if where else ""}


def _describe(item: Item, name_length: int, language: str) -> str:
    """Number, name and code of a line, the name plain and cut to so many characters."""
    name = plain(item.name) or _NAMELESS[language]
    name = name if len(name) <= name_length else f"{name[: name_length - 1].rstrip()}."
    counted = name if item.number == 1 else f"{item.number} x {name}"
    return f"{counted} {item.code}" if item.code else counted
