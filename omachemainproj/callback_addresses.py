"""Which callback addresses Safaricom accepts.

Source: Daraja portal, Customer To Business (C2B) Register URL and the portal's FAQ.
"""

import ipaddress
import re
from urllib.parse import urlsplit

#: Refused anywhere in the address, so "execute", "sqlite" and "cmdline" are refused with them.
BANNED_WORDS = ("mpesa", "m-pesa", "safaricom", "exe", "cmd", "sql", "query")
#: Public tunnels and request catchers.
BANNED_HOSTS = ("ngrok", "mockbin", "requestbin")
#: Top-level names that are not reachable from outside.
PRIVATE_DOMAINS = ("localhost", "local", "internal", "lan", "test", "example", "invalid")

_VISIBLE = re.compile(r"[!-~]+")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def check_callback_url(url: str) -> str | None:
    """Return the reason M-Pesa would refuse this callback address, as a sentence, or None.

    These are Safaricom's rules for production: a public https address without certain words. A
    local address for the simulator always breaks them. Never raises.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "The callback address is not a URL."
    banned = [word for word in BANNED_WORDS + BANNED_HOSTS if word in url.lower()]
    rules = (
        (_VISIBLE.fullmatch(url), "must be written in ASCII, without spaces"),
        (parts.scheme == "https", "must begin with https://"),
        ("@" not in parts.netloc, "must not hold a user name"),
        ("#" not in url, "must not hold a fragment"),
        (_is_public(host), "must have a public host name or a public IP address"),
        (not banned, f'must not hold "{"".join(banned[:1])}", which Safaricom refuses'),
        (url == url.lower(), "must be in lower case: capitals have been seen refused"),
    )
    broken = [sentence for holds, sentence in rules if not holds]
    return f"The callback address {broken[0]}." if broken else None


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        pass
    labels = host.split(".")
    return (
        len(labels) > 1
        and len(host) <= 253
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
        and labels[-1] not in PRIVATE_DOMAINS
    )
