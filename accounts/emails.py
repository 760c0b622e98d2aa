"""The e-mail with a link to choose a new password."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from omachemainproj.text import fold_identifier

from .models import User

logger = logging.getLogger(__name__)

#: One e-mail a minute to one person, so that strangers cannot flood an inbox.
PAUSE_SECONDS = 60
_sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")

_TEXT = """\
Hello {username},

somebody, hopefully you, asked for a new O-Mache password. Choose one here within the hour:

{link}

If it was not you, ignore this mail: nothing has changed.
"""


def send_reset_link(email: str) -> None:
    """E-mail a link to the active person with this address, if there is one.

    It is sent by another thread, so that the answer takes as long for an unknown address.
    """
    user = User.objects.reached_at(email).filter(is_active=True).first()
    if user is None or not _may_send_to(user):
        return
    # To the stored address, not the one typed: two spellings may lead to two inboxes.
    text = _TEXT.format(username=user.username, link=_link(user))
    message = EmailMessage("Choose a new O-Mache password", text, to=[user.email])
    _sender.submit(_send, message)


def find_by_link(uid: str, token: str) -> User | None:
    """Return the active person whose link this is while it is valid, or None."""
    try:
        # Copied out of a mail, which may have broken the line with signs nobody sees.
        uid, token = fold_identifier(uid), fold_identifier(token)
        pk = int(urlsafe_base64_decode(uid))
        user = User.objects.filter(pk=pk, is_active=True).first()
    except (ValueError, OverflowError):
        return None
    if user is None or not default_token_generator.check_token(user, token):
        return None
    return user


def _link(user: User) -> str:
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    return f"{settings.FRONTEND_URL}/password/reset/confirm/{uid}/{token}"


def _may_send_to(user: User) -> bool:
    try:
        return bool(cache.add(f"reset-mail:{user.pk}", 1, timeout=PAUSE_SECONDS))
    except Exception as error:
        logger.warning("reset mails cannot be counted: %s", error)
        return True


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except Exception:
        logger.exception("a password reset mail could not be sent")
