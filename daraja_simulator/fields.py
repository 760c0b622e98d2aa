"""Reading the fields of Daraja requests, exactly as strictly as Daraja does.

Numbers may be JSON numbers or text. Each error names the field: ``Bad Request - Invalid <Field>``.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from .config import Config
from .conversations import Instruction
from .ids import is_msisdn
from .wire import DarajaError, invalid

#: Words that a callback URL must not contain, in any case. Source: Daraja portal, C2B and the FAQ.
BANNED_IN_URLS = (
    "mpesa",
    "m-pesa",
    "safaricom",
    "exe",
    "cmd",
    "sql",
    "query",
    "ngrok",
    "mockbin",
    "requestbin",
)


def text(body: Mapping[str, Any], name: str, *, called: str | None = None) -> str:
    """Read a required field, which may be a number, as text.

    Raises DarajaError, which names ``called`` instead of the field if given.
    """
    value = body.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise invalid(called or name)
    return value.strip()


def amount(body: Mapping[str, Any], most: int) -> int:
    """Read ``Amount``: whole KES from 1 to ``most``. Raises DarajaError."""
    written = text(body, "Amount")
    if not re.fullmatch(r"[0-9]{1,12}", written) or not 1 <= int(written) <= most:
        raise invalid("Amount")
    return int(written)


def phone(body: Mapping[str, Any], name: str) -> str:
    """Read a payer's number of 12 digits. Raises DarajaError."""
    written = text(body, name)
    if not is_msisdn(written):
        raise invalid(name)
    return written


def check_merchant(config: Config, body: Mapping[str, Any]) -> None:
    """Check shortcode, timestamp and password against each other. Raises DarajaError."""
    shortcode, stamped = text(body, "BusinessShortCode"), text(body, "Timestamp")
    if not re.fullmatch(r"[0-9]{5,7}", shortcode):
        raise invalid("BusinessShortCode")
    if not _is_timestamp(stamped):
        raise invalid("Timestamp")
    if shortcode != config.shortcode:
        raise DarajaError(500, "500.001.1001", "Merchant does not exist")
    try:
        opened = base64.b64decode(text(body, "Password"), validate=True)
    except (binascii.Error, ValueError):
        opened = b""
    if opened != f"{shortcode}{config.passkey}{stamped}".encode():
        raise DarajaError(500, "500.001.1001", "Wrong credentials")


def instruction(
    config: Config,
    body: Mapping[str, Any],
    *,
    api: Literal["b2c", "reversal", "transaction_status", "account_balance"],
    initiator: str,
    commands: Sequence[str],
    party: str,
) -> Instruction:
    """Read the fields common to all requests of an initiator. Raises DarajaError."""
    name, credential = text(body, initiator), text(body, "SecurityCredential")
    command = text(body, "CommandID")
    if command not in commands:
        raise invalid("CommandID")
    shortcode = text(body, party)
    if not re.fullmatch(r"[0-9]{5,12}", shortcode):
        raise invalid(party)
    remarks = text(body, "Remarks")
    if not 2 <= len(remarks) <= 100:
        raise invalid("Remarks")
    return Instruction(
        api=api,
        initiator=name,
        credential=credential,
        command=command,
        shortcode=shortcode,
        result_url=callback_url(body, "ResultURL", local=config.local_callbacks),
        timeout_url=callback_url(body, "QueueTimeOutURL", local=config.local_callbacks),
        remarks=remarks,
        body=body,
    )


def callback_url(body: Mapping[str, Any], name: str, *, local: bool) -> str:
    """Read a callback URL. ``local`` allows http and local hosts. Raises DarajaError."""
    url = text(body, name)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise invalid(name) from None
    banned = any(word in url.lower() for word in BANNED_IN_URLS)
    is_web = parts.scheme == "https" or (local and parts.scheme == "http")
    if banned or not is_web or not re.fullmatch(r"[\x21-\x7e]{1,2000}", url):
        raise invalid(name)
    if not host or not (local or _is_public(host)):
        raise invalid(name)
    return url


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".localhost", ".local", ".internal"))


def _is_timestamp(written: str) -> bool:
    if not re.fullmatch(r"[0-9]{14}", written):
        return False
    try:
        datetime.strptime(f"{written}+0300", "%Y%m%d%H%M%S%z")
    except ValueError:
        return False
    return True
