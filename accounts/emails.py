"""The e-mails about an account: links that choose a password or confirm, and what was changed."""

from __future__ import annotations

import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from omachemainproj.text import fold_identifier

from .models import Language, MessagePreferences, User
from .validators import normalise_email

logger = logging.getLogger(__name__)

#: One e-mail a minute to one person, so that strangers cannot flood an inbox.
PAUSE_SECONDS = 60
#: One e-mail to confirm an address a day to one inbox, over all accounts that give it.
CONFIRM_PAUSE_SECONDS = 24 * 3600
#: How long its link is good.
CONFIRM_WITHIN = timedelta(days=3)
_CONFIRM_SALT = "accounts.emails.confirm"
_sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")

_TEXT = """\
Hello {username},

somebody, hopefully you, asked for a new O-Mache password. Choose one here within the hour:

{link}

If it was not you, ignore this mail: nothing has changed.
"""


#: Nothing in it was typed by whoever gave the address: it may be a stranger's.
_CONFIRM_TEXT = """\
Hello,

somebody, hopefully you, gave this address at O-Mache. If it was you, confirm it within three days:

{link}

If it was not you, ignore this mail: without it the address is nobody's, and it keeps you from
nothing.
"""


def send_confirmation(user: User) -> None:
    """E-mail a link that confirms the person's address. Never raises.

    Not to one that is confirmed, and at most one mail a day to one inbox.
    """
    if not user.email or user.email_confirmed_at or not may_send_confirmation(user.email):
        return
    text = _CONFIRM_TEXT.format(link=f"{settings.FRONTEND_URL}/email/confirm/{make_key(user)}")
    message = EmailMessage("Confirm your e-mail address", text, to=[user.email])
    transaction.on_commit(partial(_sender.submit, _send, message), robust=True)


def may_send_confirmation(email: str) -> bool:
    """Whether an inbox that has not proven itself may be sent its one mail of the day; counts it.

    None is sent where it cannot be counted.
    """
    inbox = hashlib.sha256(inbox_of(email).encode()).hexdigest()[:32]
    try:
        return bool(cache.add(f"confirm-mail:{inbox}", 1, timeout=CONFIRM_PAUSE_SECONDS))
    except Exception as error:
        logger.warning("confirmation mails cannot be counted: %s", error)
        return False


def inbox_of(email: str) -> str:
    """The inbox an address leads to: ``a.b+shop@gmail.com`` and ``ab@gmail.com`` are one.

    What follows a ``+`` is the reader's own note with every large provider (RFC 5233); Gmail
    leaves dots out too.
    """
    name, _, domain = normalise_email(email).lower().rpartition("@")
    name = name.split("+", 1)[0] or name
    if domain in {"gmail.com", "googlemail.com"}:
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}"


def make_key(user: User) -> str:
    """What the confirmation's link ends in; it is of this person and this address alone."""
    return signing.dumps([user.pk, user.email], salt=_CONFIRM_SALT, compress=True)


def read_key(key: str) -> User | None:
    """The active person whose key this is, while they have the address it was mailed to."""
    try:
        # Copied out of a mail, which may have broken the line with signs nobody sees.
        pk, email = signing.loads(fold_identifier(key), salt=_CONFIRM_SALT, max_age=CONFIRM_WITHIN)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return User.objects.filter(pk=pk, email=email, is_active=True).first()


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


#: What is told of a change, by its name and the reader's language: subject and text. No word of
#: them is one that a user chose.
NOTICES = {
    ("password_changed", "en"): (
        "Your O-Mache password was changed",
        "The password of your O-Mache account was changed, and every device was signed out.\n\n"
        "If it was not you, choose a new password now:\n\n{link}\n",
    ),
    ("password_changed", "sw"): (
        "Nenosiri lako la O-Mache limebadilishwa",
        "Nenosiri la akaunti yako ya O-Mache limebadilishwa, na kila kifaa kimeondolewa.\n\n"
        "Kama si wewe, chagua nenosiri jipya sasa:\n\n{link}\n",
    ),
    ("email_changed", "en"): (
        "The e-mail of your O-Mache account was changed",
        "Your O-Mache account has another e-mail address from now on; no more is sent to this "
        "one.\n\nIf it was not you, answer this e-mail at once.\n",
    ),
    ("email_changed", "sw"): (
        "Barua pepe ya akaunti yako ya O-Mache imebadilishwa",
        "Kuanzia sasa akaunti yako ya O-Mache ina anwani nyingine ya barua pepe; hatutatuma tena "
        "kwa hii.\n\nKama si wewe, jibu barua pepe hii mara moja.\n",
    ),
    ("factor_added", "en"): (
        "Your O-Mache account asks for a code now",
        "A second factor was set up for your O-Mache account: log-in asks for a code too.\n\n"
        "If it was not you, tell a superuser of the shop at once.\n",
    ),
    ("factor_added", "sw"): (
        "Akaunti yako ya O-Mache sasa inaomba msimbo",
        "Njia ya pili ya uthibitisho imewekwa kwenye akaunti yako ya O-Mache: kuingia kunaomba "
        "msimbo pia.\n\nKama si wewe, mwambie msimamizi mkuu wa duka mara moja.\n",
    ),
    ("factor_removed", "en"): (
        "Your O-Mache account asks for no code any more",
        "The second factor of your O-Mache account was taken away.\n\n"
        "If you do not know why, tell a superuser of the shop at once.\n",
    ),
    ("factor_removed", "sw"): (
        "Akaunti yako ya O-Mache haiombi msimbo tena",
        "Njia ya pili ya uthibitisho ya akaunti yako ya O-Mache imeondolewa.\n\n"
        "Kama hujui sababu, mwambie msimamizi mkuu wa duka mara moja.\n",
    ),
}


def tell_of_change(user: User, what: str) -> None:
    """E-mail what was changed of an account to its confirmed address, once that is committed.

    ``what`` is a name of NOTICES. It is sent by another thread, in its owner's language.
    """
    if user.email and user.email_confirmed_at:
        _tell(user, what, user.email)


def tell_address_before(user: User, email: str, *, was_confirmed: bool) -> None:
    """E-mail the address that an account had until now that it has another.

    One that was never confirmed may be anybody's: it is sent no more than its one mail of a day.
    """
    if email and (was_confirmed or may_send_confirmation(email)):
        _tell(user, "email_changed", email)


def _tell(user: User, what: str, address: str) -> None:
    wanted = MessagePreferences.objects.filter(user_id=user.pk).values_list("language", flat=True)
    subject, text = NOTICES[what, wanted.first() or Language.ENGLISH]
    text = text.format(link=f"{settings.FRONTEND_URL}/password/reset")
    message = EmailMessage(subject, text, to=[address])
    transaction.on_commit(partial(_sender.submit, _send, message), robust=True)


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
        logger.exception("an e-mail about an account could not be sent")
