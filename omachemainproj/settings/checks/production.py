"""Settings that production needs, or must not have."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from omachemainproj.callback_addresses import check_callback_url
from omachemainproj.ip_addresses import is_loopback_url

from .problems import PUBLISHED_SECRETS, Problems, Settings

_NEEDED = (
    "DJANGO_ALLOWED_HOSTS",
    "DARAJA_BASE_URL",
    "DARAJA_CALLBACK_BASE_URL",
    "DARAJA_CONSUMER_KEY",
    "DARAJA_CONSUMER_SECRET",
    "DARAJA_SHORTCODE",
    "DARAJA_PASSKEY",
)
#: Settings whose defaults suit only development, and what to set them to.
_MUST_BE_SET = {
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


def find_problems_in_production(shop: Settings, has_problem: Callable[..., bool]) -> Problems:
    """Yield what is missing, weak or wrong about the gateway."""
    yield from _find_missing(shop, has_problem)
    yield from _find_weak(shop)
    if not has_problem("DARAJA_BASE_URL", "DARAJA_CALLBACK_BASE_URL"):
        yield from _find_wrong_about_gateway(shop)


def _find_missing(shop: Settings, has_problem: Callable[..., bool]) -> Problems:
    needed = list(_NEEDED)
    if shop["DARAJA_TRANSACTION_TYPE"] == "CustomerBuyGoodsOnline":
        needed.append("DARAJA_PARTY_B")
    missing = [name for name in needed if not shop[name] and not has_problem(name)]
    if missing:
        yield (
            missing[0],
            f"set {', '.join(missing)}: DJANGO_SECRET_KEY is set, so this is production.",
        )
    for name, sentence in _MUST_BE_SET.items():
        if name not in shop["GIVEN_SETTINGS"] and not has_problem(name):
            yield name, sentence
    missing = [name for name in _INITIATOR if not shop[name]]
    if len(missing) < len(_INITIATOR) and missing and not has_problem(*missing):
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
        yield from _find_refused_callback_addresses(base, shop["DARAJA_C2B_TOKEN"])
    if gateway and not gateway.startswith("https://"):
        yield (
            "DARAJA_BASE_URL",
            "DARAJA_BASE_URL must start with https:// when callbacks come from the internet.",
        )
    yield from _find_rehearsal_settings(shop)
    if "FRONTEND_URL" in shop["GIVEN_SETTINGS"]:
        yield from _find_wrong_frontend(shop["FRONTEND_URL"])
    for name in PUBLISHED_SECRETS:
        if shop[name] == shop["SIMULATED"][name]:
            yield name, f"{name} is the simulator's, which is public."


def _find_wrong_frontend(frontend: str) -> Problems:
    if is_loopback_url(frontend):
        yield "FRONTEND_URL", "FRONTEND_URL leads to this machine: nobody else can open it."
    elif urlsplit(frontend).scheme == "http":
        yield (
            "FRONTEND_URL",
            "FRONTEND_URL must start with https://: people choose passwords there.",
        )


def _find_rehearsal_settings(shop: Settings) -> Problems:
    for name in ("HTTPS", "THROTTLES"):
        if not shop[name]:
            yield (
                name,
                f"{name}=off is only for rehearsals: DARAJA_CALLBACK_BASE_URL must be loopback "
                "then.",
            )


def _find_refused_callback_addresses(base: str, c2b_token: str) -> Problems:
    """Check each address that we give Safaricom against Safaricom's rules."""
    name = "DARAJA_CALLBACK_BASE_URL"
    # An attempt's token is 32 hexadecimal digits, so it cannot contain a forbidden word.
    if problem := check_callback_url(f"{base}/safwebhook/{'0' * 32}/"):
        yield name, problem.replace("The callback address", name, 1)
    elif c2b_token and (
        problem := check_callback_url(f"{base}/safwebhook/c2b/{c2b_token}/confirmation/")
        or check_callback_url(f"{base}/safwebhook/c2b/{c2b_token}/validation/")
    ):
        name = "DARAJA_C2B_TOKEN"
        yield name, problem.replace("The callback address", name, 1)
