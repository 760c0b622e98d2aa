"""Settings that are wrong in development and in production."""

from __future__ import annotations

import re
from email.utils import parseaddr

from omachemainproj.ip_addresses import is_loopback_host, is_loopback_url

from .problems import Problems, Settings


def find_invalid_values(shop: Settings) -> Problems:
    if "*" in shop["CORS_ALLOWED_ORIGINS"]:
        yield (
            "CORS_ALLOWED_ORIGINS",
            "CORS_ALLOWED_ORIGINS must list the frontends; * is not an origin.",
        )
    if not _is_mailbox(shop["DEFAULT_FROM_EMAIL"]):
        yield (
            "DEFAULT_FROM_EMAIL",
            "DEFAULT_FROM_EMAIL must be an e-mail address, or a name and an <address>.",
        )
    is_open = not (shop["EMAIL_USE_TLS"] or shop["EMAIL_USE_SSL"])
    if shop["EMAIL_HOST_PASSWORD"] and is_open and not is_loopback_host(shop["EMAIL_HOST"] or ""):
        yield (
            "EMAIL_URL",
            "EMAIL_URL must begin with smtp+tls:// (port 587) or smtp+ssl:// (port 465): a mail "
            "server elsewhere is sent a password.",
        )
    if shop["ALERT_EMAIL"] and not re.fullmatch(r"[^@\s,;<>]+@[^@\s,;<>]+", shop["ALERT_EMAIL"]):
        yield "ALERT_EMAIL", "ALERT_EMAIL must be one e-mail address, such as ops@example.co.ke."
    if shop["METRICS_TOKEN"] and not re.fullmatch("[!-~]{16,200}", shop["METRICS_TOKEN"]):
        yield (
            "METRICS_TOKEN",
            "METRICS_TOKEN must be 16 to 200 letters, digits and symbols, hard to guess.",
        )
    if shop["SHOP_CONTACT"] and not _is_reachable(shop["SHOP_CONTACT"]):
        yield (
            "SHOP_CONTACT",
            "SHOP_CONTACT must be a phone number, an e-mail address or both, in 100 characters.",
        )
    if re.search(r"[{}]", shop["EQUITY_ACCOUNT"].replace("{reference}", "")):
        yield (
            "EQUITY_ACCOUNT",
            "EQUITY_ACCOUNT must contain no braces except those of {reference}.",
        )
    if ":" in shop["EQUITY_IPN_USERNAME"]:
        yield "EQUITY_IPN_USERNAME", "EQUITY_IPN_USERNAME must not contain a colon."
    yield from _find_incomplete_sms(shop)


def _is_mailbox(text: str) -> bool:
    address = parseaddr(text)[1]
    return re.fullmatch(r"[^@\s]+@[^@\s]+", address) is not None


def _is_reachable(text: str) -> bool:
    has_phone = re.search(r"[0-9](?:[ ().+-]*[0-9]){5,}", text) is not None
    return len(text) <= 100 and (has_phone or re.search(r"[^@\s]@[^@\s]", text) is not None)


def _find_incomplete_sms(shop: Settings) -> Problems:
    is_africastalking = shop["SMS"] == "africastalking"
    account = ("AFRICASTALKING_USERNAME", "AFRICASTALKING_API_KEY")
    missing = [name for name in account if not shop[name]]
    if is_africastalking and missing:
        yield missing[0], f"set {', '.join(missing)} too: SMS is africastalking."
    if not is_africastalking and shop["AFRICASTALKING_API_KEY"]:
        yield (
            "AFRICASTALKING_API_KEY",
            "AFRICASTALKING_API_KEY is set: set SMS to africastalking too, or neither.",
        )
    if not re.fullmatch("[0-9A-Za-z _-]{0,11}", shop["AFRICASTALKING_SENDER_ID"]):
        yield (
            "AFRICASTALKING_SENDER_ID",
            "AFRICASTALKING_SENDER_ID must be a short code or 1 to 11 letters and digits.",
        )
    if not _is_safe(shop["AFRICASTALKING_BASE_URL"]):
        yield (
            "AFRICASTALKING_BASE_URL",
            "AFRICASTALKING_BASE_URL must start with https://: it is sent the API key.",
        )
    if shop["PRODUCTION"] and shop["PHONE_LOGIN"] and shop["SMS"] == "off":
        yield "PHONE_LOGIN", "PHONE_LOGIN=on needs an SMS provider: set SMS too."
    if shop["GUEST_CHECKOUT"] and not shop["PHONE_LOGIN"]:
        yield (
            "GUEST_CHECKOUT",
            "GUEST_CHECKOUT=on needs PHONE_LOGIN=on: a guest's goods are handed over for a code "
            "that is seen once the phone is proved.",
        )
    if shop["PRODUCTION"] and shop["SMS"] == "console":
        yield "SMS", "SMS=console is for a laptop: it writes collection codes to the log."


def _is_safe(url: str) -> bool:
    return url.startswith("https://") or is_loopback_url(url)
