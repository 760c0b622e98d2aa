"""Fills the templates of notifications: for SMS, within its length, for e-mail and for the app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from omachemainproj.money import format_kes
from orders.models.notifications import NotificationKind

from .gsm7 import count_parts, to_gsm
from .links import Link
from .plain_text import plain
from .templates import (
    AND_MORE,
    DEFAULTS,
    GREETING,
    IN_APP_TEXTS,
    LINK_INTRODUCTIONS,
    MANUAL_PAYMENT,
    QUESTIONS,
    RECEIPT,
    REPLY_TO_EMAIL,
    SIGN_IN,
    SIGNATURE,
    SMS_INSTEAD,
    TEMPLATES,
    UNNAMED_GOODS,
    WITHOUT_PLACES,
)

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


def manual_payment_sentence(language: str, option: Mapping[str, Any] | None) -> str:
    """Return a sentence on how to pay without a prompt, or "" without an option.

    ``option`` has ``pay_bill``, ``account`` and ``amount`` (KES).
    """
    if not option:
        return ""
    return MANUAL_PAYMENT[language].format(**{**option, "amount": format_kes(option["amount"])})


def sign_in_sentence(language: str, address: str) -> str:
    """Return a sentence that tells a guest how to see the full order, at ``address``."""
    return SIGN_IN[language].format(address=address)


def receipt_sentence(language: str, number: str | None) -> str:
    """Return a sentence with M-Pesa's receipt number, or "" without one."""
    return RECEIPT[language].format(number=number) if number else ""


def render_sms(
    kind: str, language: str, values: Mapping[str, str], items: Sequence[Item] = ()
) -> str:
    """Return the SMS, in the GSM alphabet and at most two parts long.

    To make it fit: product names are shortened first, then the delivery or collection place is
    dropped, then the last lines are counted instead of named, then optional sentences are dropped.
    """
    template = TEMPLATES[kind, language].sms

    def fill(listed: str, **changed: str) -> str:
        return to_gsm(template.format(**{**DEFAULTS, **values, **changed}, items=listed))

    for dropped in ({}, WITHOUT_PLACES) if _has_places(values) else ({},):
        for length in _NAME_LENGTHS:
            listed = ", ".join(_describe(item, length, language) for item in items)
            text = fill(listed, **dropped)
            if count_parts(text) <= MAX_SMS_PARTS:
                return text
    for count in range(len(items) - 1, 0, -1):
        described = [_describe(item, _NAME_LENGTHS[-1], language) for item in items[:count]]
        rest = AND_MORE[language].format(count=len(items) - count)
        text = fill(", ".join([*described, rest]), **WITHOUT_PLACES)
        if count_parts(text) <= MAX_SMS_PARTS:
            return text
    return fill("", by_hand="", receipt="", because="", **WITHOUT_PLACES)


def _has_places(values: Mapping[str, str]) -> bool:
    return any(values.get(name) for name in WITHOUT_PLACES)


def contact_sentence(language: str) -> str:
    """Return a sentence on how to contact the shop."""
    contact = settings.SHOP_CONTACT
    return QUESTIONS[language].format(contact=contact) if contact else REPLY_TO_EMAIL[language]


def greet(language: str, name: str) -> str:
    """Return the greeting of an e-mail."""
    return GREETING[language].format(name=plain(name)[:_GREETING_LENGTH])


def list_items(items: Sequence[Item], language: str) -> str:
    """Return the order lines for an e-mail, one per row."""
    return "\n".join(f"  {_describe(item, 100, language)}" for item in items)


def render_email(
    kind: str, language: str, values: Mapping[str, str], items: Sequence[Item] = (), *, link: Link
) -> tuple[str, str]:
    """Return the subject and text of the e-mail, with every order line.

    ``link`` leads to the page it is about; the shop's contact is added.
    """
    template = TEMPLATES[kind, language]
    text = template.text.format(**_with_places(values), items=list_items(items, language))
    parts = (
        greet(language, values["name"]),
        text,
        f"{LINK_INTRODUCTIONS[link.page, language]}\n{link.address}",
        contact_sentence(language),
        SIGNATURE[language],
    )
    return template.subject.format(**values), "\n\n".join(parts) + "\n"


def render_instead(language: str, *, name: str, title: str, text: str) -> tuple[str, str]:
    """Return the subject and text of an e-mail that repeats an SMS that was not delivered."""
    parts = (
        greet(language, name),
        SMS_INSTEAD[language],
        text,
        contact_sentence(language),
        SIGNATURE[language],
    )
    return title, "\n\n".join(parts) + "\n"


def render_in_app(
    kind: str, language: str, values: Mapping[str, str], items: Sequence[Item] = ()
) -> tuple[str, str]:
    """Return the title and text of an in-app notification: every order line, but no codes."""
    template = TEMPLATES[kind, language]
    listed = "\n".join(_describe(Item(item.name, item.number), 100, language) for item in items)
    text = IN_APP_TEXTS.get((NotificationKind(kind), language), template.text)
    body = text.format(**_with_places(values), items=listed)
    return template.subject.format(**values), body.strip()


def _with_places(values: Mapping[str, str]) -> dict[str, str]:
    """Add the values about places, which are empty for an order without a delivery."""
    where = values.get("where", "").strip()
    return {**DEFAULTS, **values, "where_first": f"{where} " if where else ""}


def _describe(item: Item, name_length: int, language: str) -> str:
    """Return number, name and code of a line, with the name cut to ``name_length`` characters."""
    name = plain(item.name) or UNNAMED_GOODS[language]
    name = name if len(name) <= name_length else f"{name[: name_length - 1].rstrip()}."
    counted = name if item.number == 1 else f"{item.number} x {name}"
    return f"{counted} {item.code}" if item.code else counted
