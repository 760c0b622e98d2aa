"""Start-up checks: settings that are missing, dangerous or inconsistent.

Each function yields the variable's name and a sentence about it for the person starting the shop.
Unreadable values have already been reported (environment.py).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from omachemainproj.callback_addresses import check_callback_url

from .ip_addresses import is_loopback_host, is_loopback_url, read_network
from .service_urls import hosts_of

Settings = Mapping[str, Any]
Problems = Iterator[tuple[str, str]]

#: Their defaults are published with the simulator, so they protect nothing.
_SECRETS = (
    "DARAJA_CONSUMER_KEY",
    "DARAJA_CONSUMER_SECRET",
    "DARAJA_PASSKEY",
    "DARAJA_INITIATOR_PASSWORD",
    "DARAJA_C2B_TOKEN",
)
_NEEDED = (
    "DJANGO_ALLOWED_HOSTS",
    "DARAJA_BASE_URL",
    "DARAJA_CALLBACK_BASE_URL",
    "DARAJA_CONSUMER_KEY",
    "DARAJA_CONSUMER_SECRET",
    "DARAJA_SHORTCODE",
    "DARAJA_PASSKEY",
)
#: Settings whose defaults suit only a laptop, and what to set them to in production.
_SAID = {
    "DATABASE_URL": "set DATABASE_URL: postgres://…, or sqlite:////path/of/a/file for a small shop "
    "on one machine.",
    "FRONTEND_URL": "set FRONTEND_URL: the links in e-mails and SMS lead there (https://…/shop).",
    "EMAIL_URL": "set EMAIL_URL: people get back in by e-mail; dummymail:// sends none.",
    "DEFAULT_FROM_EMAIL": "set DEFAULT_FROM_EMAIL: an address of yours, which e-mail comes from.",
}
_INITIATOR = (
    "DARAJA_B2C_SHORTCODE",
    "DARAJA_INITIATOR_NAME",
    "DARAJA_INITIATOR_PASSWORD",
    "DARAJA_CERTIFICATE",
)


def find_problems(settings: Settings, is_in_trouble: Callable[..., bool]) -> Problems:
    """Yield the problems of the settings as a whole.

    ``is_in_trouble(*names)`` tells whether one of these variables already has a problem.
    """
    shop = {**settings, "DJANGO_ALLOWED_HOSTS": settings["ALLOWED_HOSTS"]}
    yield from _find_anywhere(shop)
    if shop["PRODUCTION"]:
        yield from _find_missing(shop, is_in_trouble)
        yield from _find_weak(shop)
        if not is_in_trouble("DARAJA_BASE_URL", "DARAJA_CALLBACK_BASE_URL"):
            yield from _find_wrong_about_gateway(shop)
    elif not is_in_trouble("DJANGO_SECRET_KEY"):
        yield from _find_production_without_a_key(shop)


def _find_anywhere(shop: Settings) -> Problems:
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
    yield from _find_half_a_carrier(shop)


def _is_mailbox(text: str) -> bool:
    address = parseaddr(text)[1]
    return re.fullmatch(r"[^@\s]+@[^@\s]+", address) is not None


def _is_reachable(text: str) -> bool:
    has_phone = re.search(r"[0-9](?:[ ().+-]*[0-9]){5,}", text) is not None
    return len(text) <= 100 and (has_phone or re.search(r"[^@\s]@[^@\s]", text) is not None)


def _find_half_a_carrier(shop: Settings) -> Problems:
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


# --- Production -------------------------------------------------------------------------------


def _find_missing(shop: Settings, is_in_trouble: Callable[..., bool]) -> Problems:
    needed = list(_NEEDED)
    if shop["DARAJA_TRANSACTION_TYPE"] == "CustomerBuyGoodsOnline":
        needed.append("DARAJA_PARTY_B")
    missing = [name for name in needed if not shop[name] and not is_in_trouble(name)]
    if missing:
        yield (
            missing[0],
            f"set {', '.join(missing)}: DJANGO_SECRET_KEY is set, so this is production.",
        )
    for name, sentence in _SAID.items():
        if name not in shop["GIVEN_SETTINGS"] and not is_in_trouble(name):
            yield name, sentence
    missing = [name for name in _INITIATOR if not shop[name]]
    if len(missing) < len(_INITIATOR) and missing and not is_in_trouble(*missing):
        yield (
            missing[0],
            f"set {', '.join(missing)} too, or none of the initiator's settings.",
        )


def _find_weak(shop: Settings) -> Problems:
    key, token, password = (
        shop[name] for name in ("SECRET_KEY", "DARAJA_C2B_TOKEN", "EQUITY_IPN_PASSWORD")
    )
    if len(key) < 50 or len(set(key)) < 5:
        yield (
            "DJANGO_SECRET_KEY",
            "DJANGO_SECRET_KEY is too weak: give it at least 50 random characters.",
        )
    if key.startswith(("laptop-only-", "django-insecure-")):
        yield (
            "DJANGO_SECRET_KEY",
            "DJANGO_SECRET_KEY begins like a published one: generate your own.",
        )
    before = shop["SECRET_KEY_FALLBACKS"]
    if any(len(each) < 50 or each == key for each in before):
        yield (
            "DJANGO_SECRET_KEY_BEFORE",
            "DJANGO_SECRET_KEY_BEFORE must be the previous key, of 50 characters or more.",
        )
    if "*" in shop["ALLOWED_HOSTS"]:
        yield (
            "DJANGO_ALLOWED_HOSTS",
            "DJANGO_ALLOWED_HOSTS must list the hosts; * would let anyone forge links.",
        )
    if token and (not re.fullmatch("[0-9a-z]{16,64}", token) or len(set(token)) < 5):
        yield (
            "DARAJA_C2B_TOKEN",
            "DARAJA_C2B_TOKEN must be at least 16 lower-case letters and digits, hard to guess.",
        )
    reports = shop["AFRICASTALKING_REPORTS_TOKEN"]
    if reports and (not re.fullmatch("[0-9a-z]{16,64}", reports) or len(set(reports)) < 5):
        yield (
            "AFRICASTALKING_REPORTS_TOKEN",
            "AFRICASTALKING_REPORTS_TOKEN must be at least 16 small letters and digits: nobody may "
            "guess it.",
        )
    if password and (len(password) < 16 or not shop["EQUITY_IPN_USERNAME"]):
        yield (
            "EQUITY_IPN_PASSWORD",
            "EQUITY_IPN_PASSWORD must be at least 16 characters, and EQUITY_IPN_USERNAME set.",
        )
    certificate = shop["DARAJA_CERTIFICATE"]
    if certificate and not (os.path.isfile(certificate) and os.access(certificate, os.R_OK)):
        yield (
            "DARAJA_CERTIFICATE",
            f"DARAJA_CERTIFICATE must be a readable file; {certificate} is not.",
        )


def _find_wrong_about_gateway(shop: Settings) -> Problems:
    """Requirements of a real gateway; a rehearsal on loopback addresses has none of them."""
    base, gateway = shop["DARAJA_CALLBACK_BASE_URL"], shop["DARAJA_BASE_URL"]
    if is_loopback_url(base):
        if not is_loopback_url(gateway):
            yield (
                "DARAJA_CALLBACK_BASE_URL",
                "DARAJA_CALLBACK_BASE_URL must be an address that M-Pesa can reach: only the "
                "simulator on this machine, at DARAJA_BASE_URL, reaches a loopback address.",
            )
        return
    if base and not base.startswith("https://"):
        yield (
            "DARAJA_CALLBACK_BASE_URL",
            "DARAJA_CALLBACK_BASE_URL must start with https://: Safaricom calls nothing else.",
        )
    elif base:
        yield from _find_uncallable(base, shop["DARAJA_C2B_TOKEN"])
    if gateway and not gateway.startswith("https://"):
        yield (
            "DARAJA_BASE_URL",
            "DARAJA_BASE_URL must start with https:// when callbacks come from the internet.",
        )
    yield from _find_what_only_rehearses(shop)
    if "FRONTEND_URL" in shop["GIVEN_SETTINGS"]:
        yield from _find_lost_links(shop["FRONTEND_URL"])
    for name in _SECRETS:
        if shop[name] == shop["SIMULATED"][name]:
            yield name, f"{name} is the simulator's, which is public."


def _find_lost_links(frontend: str) -> Problems:
    if is_loopback_url(frontend):
        yield "FRONTEND_URL", "FRONTEND_URL leads to this machine: nobody else can open it."
    elif urlsplit(frontend).scheme == "http":
        yield (
            "FRONTEND_URL",
            "FRONTEND_URL must start with https://: people choose passwords there.",
        )


def _find_what_only_rehearses(shop: Settings) -> Problems:
    for name in ("HTTPS", "THROTTLES"):
        if not shop[name]:
            yield (
                name,
                f"{name}=off is only for rehearsals: DARAJA_CALLBACK_BASE_URL must be loopback "
                "then.",
            )


def _find_uncallable(base: str, c2b_token: str) -> Problems:
    """Check each address that we give Safaricom against Safaricom's rules."""
    name = "DARAJA_CALLBACK_BASE_URL"
    # An attempt's token is 32 hexadecimal digits, so it cannot contain a forbidden word.
    if objection := check_callback_url(f"{base}/safwebhook/{'0' * 32}/"):
        yield name, objection.replace("The callback address", name, 1)
    elif c2b_token and (
        objection := check_callback_url(f"{base}/safwebhook/c2b/{c2b_token}/confirmation/")
        or check_callback_url(f"{base}/safwebhook/c2b/{c2b_token}/validation/")
    ):
        name = "DARAJA_C2B_TOKEN"
        yield name, objection.replace("The callback address", name, 1)


# --- A laptop ---------------------------------------------------------------------------------


def _find_production_without_a_key(shop: Settings) -> Problems:
    """Refuse a real shop's settings without a key, when debug is on and nothing is limited.

    Any address of another machine, and any secret except the simulator's, belongs to a real shop.
    """
    mail = shop["EMAIL_HOST"] if shop["EMAIL_BACKEND"].endswith(".smtp.EmailBackend") else None
    signs = {
        "DJANGO_ALLOWED_HOSTS": _any_elsewhere(host.strip("[]") for host in shop["ALLOWED_HOSTS"]),
        "CORS_ALLOWED_ORIGINS": _any_url_elsewhere(shop["CORS_ALLOWED_ORIGINS"]),
        "CSRF_TRUSTED_ORIGINS": _any_url_elsewhere(shop["CSRF_TRUSTED_ORIGINS"]),
        "FRONTEND_URL": _any_url_elsewhere([shop["FRONTEND_URL"]]),
        "TRUSTED_PROXIES": bool(shop["TRUSTED_PROXIES"]),
        "HTTPS": shop["HTTPS"],
        "DATABASE_URL": _any_elsewhere(
            host
            for host in shop["DATABASES"]["default"].get("HOST", "").split(",")
            if host and not host.startswith("/")
        ),
        "CACHE_URL": _any_elsewhere(hosts_of(shop["CACHE_URL"])),
        "CELERY_BROKER_URL": _any_elsewhere(hosts_of(shop["CELERY_BROKER_URL"])),
        "EMAIL_URL": _any_elsewhere([mail] if mail else []),
        "DARAJA_BASE_URL": _any_url_elsewhere([shop["DARAJA_BASE_URL"]]),
        "DARAJA_CALLBACK_BASE_URL": _any_url_elsewhere([shop["DARAJA_CALLBACK_BASE_URL"]]),
        **{name: shop[name] != shop["SIMULATED"][name] for name in _SECRETS},
        "DARAJA_CALLBACK_IPS": any(
            not read_network(text).is_loopback for text in shop["DARAJA_CALLBACK_IPS"]
        ),
        "EQUITY_IPN_PASSWORD": bool(shop["EQUITY_IPN_PASSWORD"]),
        "AFRICASTALKING_API_KEY": bool(shop["AFRICASTALKING_API_KEY"])
        and _any_url_elsewhere([shop["AFRICASTALKING_BASE_URL"]]),
    }
    real = [name for name, is_so in signs.items() if is_so]
    if real:
        yield (
            "DJANGO_SECRET_KEY",
            f"set DJANGO_SECRET_KEY too, or remove the settings of a real shop: {', '.join(real)}.",
        )


def _any_elsewhere(hosts: Iterator[str] | list[str]) -> bool:
    return not all(is_loopback_host(host) for host in hosts)


def _any_url_elsewhere(urls: list[str]) -> bool:
    return not all(is_loopback_url(url) for url in urls)
