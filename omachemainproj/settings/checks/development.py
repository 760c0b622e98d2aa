"""A real shop's settings without a key, which would run with debug on."""

from __future__ import annotations

from collections.abc import Iterable

from omachemainproj.ip_addresses import is_loopback_host, is_loopback_url, read_network
from omachemainproj.service_urls import hosts_of

from .problems import PUBLISHED_SECRETS, Problems, Settings


def find_production_without_a_key(shop: Settings) -> Problems:
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
        **{name: shop[name] != shop["SIMULATED"][name] for name in PUBLISHED_SECRETS},
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


def _any_elsewhere(hosts: Iterable[str]) -> bool:
    return not all(is_loopback_host(host) for host in hosts)


def _any_url_elsewhere(urls: list[str]) -> bool:
    return not all(is_loopback_url(url) for url in urls)
