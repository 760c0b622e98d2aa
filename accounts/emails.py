"""The e-mail with a link to choose a new password."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from omachemainproj.text import fold_identifier

from .contact_budgets import count
from .contacts import account_mail_budgets, verified_email
from .models import User
from .preferences import preferences_of

logger = logging.getLogger(__name__)

_sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")

_SUBJECT = {"en": "Choose a new O-Mache password", "sw": "Chagua nenosiri jipya la O-Mache"}
_TEXT = {
    "en": """\
Hello{name},

somebody, hopefully you, asked for a new O-Mache password. Choose one here within the hour:

{link}

If it was not you, ignore this mail: nothing has changed.
""",
    "sw": """\
Habari{name},

kuna mtu, labda ni wewe, aliyeomba nenosiri jipya la O-Mache. Lichague hapa ndani ya saa moja:

{link}

Kama si wewe, puuza barua hii: hakuna kilichobadilika.
""",
}


def send_reset_link(email: str) -> None:
    """E-mail a link to the active person with this address, if there is one.

    It is sent by another thread, and requests are counted for whatever address is typed, so that
    the answer takes as long for an unknown one. Only an inbox that was confirmed reads a name that
    a user typed.
    """
    people = User.objects.reached_at(email).filter(is_active=True)
    found = people.select_related("message_preferences").annotate(proven=verified_email())
    user = found.first()
    proven = user is not None and user.proven
    room = account_mail_budgets("reset", email, proven=proven)
    if not count(*room, now=timezone.now()) or user is None:
        return
    language = preferences_of(user).language
    name = f" {user.username}" if proven else ""
    text = _TEXT[language].format(name=name, link=_link(user))
    # To the stored address, not the one typed: two spellings may lead to two inboxes.
    _sender.submit(_send, EmailMessage(_SUBJECT[language], text, to=[user.email]))


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


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except Exception:
        logger.exception("a password reset mail could not be sent")
