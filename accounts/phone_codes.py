"""One-time codes by SMS.

A code belongs to one requester, who gets a token to send with it: nobody can guess at a code sent
for someone else, or invalidate it by asking for another. With six digits, five attempts per code
and ten codes per phone and day there are fifty guesses at a million. Wrong codes also count for the
network (accounts.lockout), but not for the phone, or strangers could lock its owner out. A locked
network refuses wrong codes only: others behind the same address still sign in.

The database holds digests keyed with DJANGO_SECRET_KEY. The answer and its timing are the same
whether or not the phone has an account.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from omachemainproj.api.errors import FieldRefusal, Refusal
from omachemainproj.ip_addresses import client_network
from omachemainproj.sms import sms_provider
from omachemainproj.sms.errors import MaybeSent, NotSent

from . import lockout
from .contact_budgets import DAY, HOUR, MINUTE, Budget, release, take
from .models import CodePurpose, PhoneCode

logger = logging.getLogger(__name__)

CODE_LIFETIME = timedelta(minutes=10)
DIGITS = 6
TRIES = 5
WRONG = "This code is wrong or has expired. Enter the newest code, or request another."
_SALT = "accounts.phone_codes"
_sender = ThreadPoolExecutor(max_workers=2, thread_name_prefix="sms")

#: The last line lets a phone's browser fill in the code, on this site only (WebOTP).
_TEXT = {
    "en": "{code} is your O-Mache code. Give it to nobody, not even to us.\n\n@{host} #{code}",
    "sw": "{code} ni msimbo wako wa O-Mache. Usimpe mtu yeyote, hata sisi.\n\n@{host} #{code}",
}


class Typed(NamedTuple):
    """The token from the API's answer, and the code from the SMS."""

    token: str
    code: str


class PhoneLoginOff(Refusal):
    """This shop sends no codes."""

    code = "phone_login_off"
    status_code = 404
    message = "Signing in by phone is not available."


class TooManyCodes(Refusal):
    """The phone, the network, or the whole shop has reached its limit of codes."""

    code = "too_many_codes"
    status_code = 429
    message = "Too many codes were sent recently. Enter the newest one, or try again later."
    retry_after = 60


def send_code(
    phone: str,
    purpose: CodePurpose,
    *,
    address: str,
    now: datetime,
    language: str = "en",
    user_id: int = 0,
) -> str:
    """Send a code to a phone (12 digits), and return the token to send with it.

    The code is committed before another thread sends it. Raises PhoneLoginOff (404), and
    TooManyCodes (429) if the phone, the network or the shop has reached its limit.
    """
    check_offered()
    room = _budgets(phone, address)
    if not take(*room, now=now):
        raise TooManyCodes
    token, code = secrets.token_urlsafe(16), f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    with transaction.atomic():
        PhoneCode.objects.create(
            key=_digest("token", token),
            answer=_answer(token, phone, purpose, user_id, code),
            purpose=purpose,
            expires_at=now + CODE_LIFETIME,
        )
        host = urlsplit(settings.FRONTEND_URL).hostname
        text = _TEXT[language].format(code=code, host=host)
        job = partial(_sender.submit, _send, phone, text, room, now)
        transaction.on_commit(job, robust=True)
    return token


def check_code(
    request: HttpRequest | None,
    phone: str,
    purpose: CodePurpose,
    *,
    typed: Typed,
    now: datetime,
    user_id: int = 0,
    before_use: Callable[[], None] = lambda: None,
) -> None:
    """Use up a code. Of concurrent attempts with the right code, one succeeds.

    Each attempt is counted for its code before anything is compared. If ``before_use`` raises, a
    right code can be entered again. Raises PhoneLoginOff, FieldRefusal (400) for a code that is
    wrong, used or expired, and LockedOut (429) for one from a network with too many failures.
    """
    check_offered()
    row = PhoneCode.objects.filter(key=_digest("token", typed.token))
    live = row.filter(purpose=purpose, expires_at__gt=now, tries__lt=TRIES)
    counted = live.update(tries=F("tries") + 1)
    expected = row.values_list("answer", flat=True).first() or _digest("none", typed.token)
    given = _answer(typed.token, phone, purpose, user_id, typed.code)
    if constant_time_compare(expected, given) and counted:
        before_use()
        if row.delete()[0]:
            return
    else:
        # Only now: a stranger with invented tokens must not keep others from using their codes.
        lockout.begin(request, None, credential=lockout.PHONE).fail()
    raise FieldRefusal({"code": [WRONG]})


def check_offered() -> None:
    """Raise PhoneLoginOff (404) unless the setting PHONE_LOGIN is on."""
    if not settings.PHONE_LOGIN:
        raise PhoneLoginOff


def delete_old_codes(now: datetime) -> int:
    """Delete expired codes. Safe to repeat and to run concurrently."""
    return int(PhoneCode.objects.filter(expires_at__lt=now).delete()[0])


def _budgets(phone: str, address: str) -> list[Budget]:
    """The limits of codes per phone, per network, and in total."""
    network = client_network(address, 48)
    most = settings.PHONE_CODES_A_NETWORK
    return [
        Budget(f"codes:{phone}", 1, MINUTE),
        Budget(f"codes:{phone}", 5, HOUR),
        Budget(f"codes:{phone}", 10, DAY),
        Budget(f"codes-from:{network}", most, HOUR),
        Budget(f"codes-from:{network}", 5 * most, DAY),
        Budget("codes", settings.PHONE_CODES_A_DAY, DAY),
    ]


def _send(phone: str, text: str, room: list[Budget], now: datetime) -> None:
    try:
        sms_provider().send(phone=phone, text=text)
    except NotSent as error:
        logger.warning("a code could not be sent: %s", error)
        release(*room, now=now)
    except MaybeSent as error:
        logger.warning("a code may not have been sent: %s", error)
    except Exception:
        logger.exception("a code could not be sent")


def _answer(token: str, phone: str, purpose: CodePurpose, user_id: int, code: str) -> str:
    return _digest("answer", token, phone, purpose.value, str(user_id), code)


def _digest(*parts: str) -> str:
    return salted_hmac(_SALT, "\n".join(parts), algorithm="sha256").hexdigest()
