"""Codes by SMS: sent to a phone, typed once.

A code is for one asker. Whoever asks gets a token that is nowhere else, and types it with the code:
nobody guesses at what another was sent, and nobody's code is spoilt by another who asks. Six
digits, five tries of each, ten codes a phone and day: fifty guesses at a million. Wrong ones count
with their network besides (accounts.lockout), and not with the phone: else strangers could lock
its owner out.

The database holds digests under DJANGO_SECRET_KEY; what is asked and how long it takes is the same
whether the phone has an account or not.
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
from .contact_budgets import DAY, HOUR, MINUTE, Budget, give_back, take
from .models import CodePurpose, PhoneCode

logger = logging.getLogger(__name__)

GOOD_FOR = timedelta(minutes=10)
DIGITS = 6
TRIES = 5
WRONG = "This code is wrong, or over. Type the newest, or ask for another."
_SALT = "accounts.phone_codes"
_sender = ThreadPoolExecutor(max_workers=2, thread_name_prefix="sms")

#: The last line lets a phone's browser fill the code in, on this very site alone (WebOTP).
_TEXT = {
    "en": "{code} is your O-Mache code. Give it to nobody, not even to us.\n\n@{host} #{code}",
    "sw": "{code} ni msimbo wako wa O-Mache. Usimpe mtu yeyote, hata sisi.\n\n@{host} #{code}",
}


class Typed(NamedTuple):
    """The token of an answer, and the code of an SMS."""

    token: str
    code: str


class PhoneLoginOff(Refusal):
    """This shop sends no codes."""

    code = "phone_login_off"
    status_code = 404
    message = "Signing in by phone is not offered here."


class TooManyCodes(Refusal):
    """Enough codes went to this phone, or from this network, or from the shop in all."""

    code = "too_many_codes"
    status_code = 429
    message = "Enough codes were sent lately. Type the newest one, or try again later."
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
    """Send a code to a phone, 12 digits, and return the token that is typed with it.

    It is committed before it is sent, by another thread. Raises PhoneLoginOff (404), and
    TooManyCodes (429) where the phone, the network or the shop had enough of them.
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
            expires_at=now + GOOD_FOR,
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
    """Use a code up. Of any number of tries at once with the right one, one passes.

    Each try is counted before anything is compared. What ``before_use`` raises about a right one
    leaves it to be typed again. Raises PhoneLoginOff, FieldRefusal (400) where it is wrong, was
    used, or is over, and LockedOut (429) after too many.
    """
    check_offered()
    attempt = lockout.begin(request, None, credential=lockout.PHONE)
    row = PhoneCode.objects.filter(key=_digest("token", typed.token))
    live = row.filter(purpose=purpose, expires_at__gt=now, tries__lt=TRIES)
    counted = live.update(tries=F("tries") + 1)
    expected = row.values_list("answer", flat=True).first() or _digest("none", typed.token)
    given = _answer(typed.token, phone, purpose, user_id, typed.code)
    if constant_time_compare(expected, given) and counted:
        attempt.take_back()
        before_use()
        if row.delete()[0]:
            return
    else:
        attempt.fail()
    raise FieldRefusal({"code": [WRONG]})


def check_offered() -> None:
    """Raise PhoneLoginOff (404) where the settings say so."""
    if not settings.PHONE_LOGIN:
        raise PhoneLoginOff


def delete_old_codes(now: datetime) -> int:
    """Delete codes that are over. Safe to repeat, anywhere, at once."""
    return int(PhoneCode.objects.filter(expires_at__lt=now).delete()[0])


def _budgets(phone: str, address: str) -> list[Budget]:
    """How many codes may go to a phone, be asked for from a network, and be paid for in all."""
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
        give_back(*room, now=now)
    except MaybeSent as error:
        logger.warning("a code may not have been sent: %s", error)
    except Exception:
        logger.exception("a code could not be sent")


def _answer(token: str, phone: str, purpose: CodePurpose, user_id: int, code: str) -> str:
    return _digest("answer", token, phone, purpose.value, str(user_id), code)


def _digest(*parts: str) -> str:
    return salted_hmac(_SALT, "\n".join(parts), algorithm="sha256").hexdigest()
