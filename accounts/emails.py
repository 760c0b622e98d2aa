"""Account e-mails: password reset links, address confirmations, and notices of changes."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from omachemainproj.text import fold_identifier

from . import security_log
from .contact_budgets import count
from .contacts import account_mail_budgets, confirmation_budgets, verified_email
from .models import User
from .preferences import preferences_of

logger = logging.getLogger(__name__)

#: How long a confirmation link is valid.
CONFIRM_WITHIN = timedelta(days=3)
_CONFIRM_SALT = "accounts.emails.confirm"
_sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")

_SUBJECT = {"en": "Choose a new O-Mache password", "sw": "Chagua nenosiri jipya la O-Mache"}
_TEXT = {
    "en": """\
Hello{name},

somebody, hopefully you, asked for a new O-Mache password. Choose one here within the hour:

{link}

If this was not you, ignore this e-mail: nothing has changed.
""",
    "sw": """\
Habari{name},

kuna mtu, labda ni wewe, aliyeomba nenosiri jipya la O-Mache. Lichague hapa ndani ya saa moja:

{link}

Kama si wewe, puuza barua hii: hakuna kilichobadilika.
""",
}


_CONFIRM_SUBJECT = "Confirm your e-mail address / Thibitisha barua pepe yako"
#: Contains nothing a user typed, since the inbox may be a stranger's: in both languages, for theirs
#: is not known.
_CONFIRM_TEXT = """\
Hello,

somebody, hopefully you, used this address at O-Mache. If it was you, confirm it within three days:

{link}

If this was not you, ignore this e-mail: the address stays unconfirmed, and you can still use it.

Habari,

kuna mtu, labda ni wewe, aliyetumia barua pepe hii kwenye O-Mache. Kama ni wewe, fungua kiungo
kilicho hapo juu ndani ya siku tatu uithibitishe.

Kama si wewe, puuza barua hii: anwani haitathibitishwa, na bado unaweza kuitumia.
"""


def send_confirmation(user: User) -> None:
    """E-mail a link that confirms the user's address. Never raises.

    Nothing is sent if it is already confirmed; at most one mail per inbox and three per user a day.
    """
    if not user.email or user.email_confirmed_at:
        return
    if not count(*confirmation_budgets(user.email, user.pk), now=timezone.now()):
        return
    text = _CONFIRM_TEXT.format(link=f"{settings.FRONTEND_URL}/email/confirm/{make_key(user)}")
    message = EmailMessage(_CONFIRM_SUBJECT, text, to=[user.email])
    transaction.on_commit(partial(_sender.submit, _send, message), robust=True)


def make_key(user: User) -> str:
    """The key of a confirmation link; valid for this user and this address only."""
    return signing.dumps([user.pk, user.email], salt=_CONFIRM_SALT, compress=True)


def read_key(key: str) -> User | None:
    """The active user of a key, if they still have the address it was mailed to."""
    try:
        # Copied from a mail, which may have inserted invisible characters.
        pk, email = signing.loads(fold_identifier(key), salt=_CONFIRM_SALT, max_age=CONFIRM_WITHIN)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return User.objects.filter(pk=pk, email=email, is_active=True).first()


def send_reset_link(email: str) -> None:
    """E-mail a reset link to the active user with this address, if there is one.

    Another thread sends it, and requests are counted for any address typed, so that timing does not
    reveal whether it is known. The user name is only included for confirmed inboxes.
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


#: Subject and text of each notice, by its name and the reader's language. They contain nothing a
#: user typed.
NOTICES = {
    ("password_changed", "en"): (
        "Your O-Mache password was changed",
        "The password of your O-Mache account was changed, and every device was signed out.\n\n"
        "If this was not you, choose a new password now:\n\n{link}\n",
    ),
    ("password_changed", "sw"): (
        "Nenosiri lako la O-Mache limebadilishwa",
        "Nenosiri la akaunti yako ya O-Mache limebadilishwa, na kila kifaa kimeondolewa.\n\n"
        "Kama si wewe, chagua nenosiri jipya sasa:\n\n{link}\n",
    ),
    ("email_changed", "en"): (
        "The e-mail address of your O-Mache account was changed",
        "Your O-Mache account now has another e-mail address; we will send nothing more to this "
        "one.\n\nIf this was not you, reply to this e-mail immediately.\n",
    ),
    ("email_changed", "sw"): (
        "Barua pepe ya akaunti yako ya O-Mache imebadilishwa",
        "Kuanzia sasa akaunti yako ya O-Mache ina anwani nyingine ya barua pepe; hatutatuma tena "
        "kwa hii.\n\nKama si wewe, jibu barua pepe hii mara moja.\n",
    ),
    ("account_deleted", "en"): (
        "Your O-Mache account was deleted",
        "Your O-Mache account was deleted, as its owner requested. Records that we must keep by "
        "law are kept under a number instead of your name.\n\nIf this was not you, reply to this "
        "e-mail immediately.\n",
    ),
    ("account_deleted", "sw"): (
        "Akaunti yako ya O-Mache imefutwa",
        "Akaunti yako ya O-Mache imefutwa, kama mwenyewe alivyoomba. Kinachotakiwa na sheria "
        "kinatunzwa kwa nambari tu.\n\nKama si wewe, jibu barua pepe hii mara moja.\n",
    ),
    ("phone_changed", "en"): (
        "The phone of your O-Mache account was changed",
        "The phone number of your O-Mache account was changed or removed.\n\n"
        "If this was not you, choose a new password now:\n\n{link}\n",
    ),
    ("phone_changed", "sw"): (
        "Nambari ya simu ya akaunti yako ya O-Mache imebadilishwa",
        "Nambari ya simu ya akaunti yako ya O-Mache imebadilishwa au kuondolewa.\n\n"
        "Kama si wewe, chagua nenosiri jipya sasa:\n\n{link}\n",
    ),
    ("phone_linked", "en"): (
        "A phone number was added to your O-Mache sign-in",
        "A phone number can now sign in to your O-Mache account with a code by SMS.\n\n"
        "If this was not you, remove that phone in your account, and choose a new password now:"
        "\n\n{link}\n",
    ),
    ("phone_linked", "sw"): (
        "Simu inaweza kuingia kwenye akaunti yako ya O-Mache",
        "Kuanzia sasa nambari ya simu inafungua akaunti yako ya O-Mache kwa msimbo wa SMS.\n\n"
        "Kama si wewe, ondoa simu hiyo kwenye akaunti yako, na chagua nenosiri jipya sasa:"
        "\n\n{link}\n",
    ),
    ("phone_unlinked", "en"): (
        "A phone number was removed from your O-Mache sign-in",
        "The phone number that signed in to your O-Mache account with a code by SMS was removed."
        "\n\nIf this was not you, choose a new password now:\n\n{link}\n",
    ),
    ("phone_unlinked", "sw"): (
        "Simu haiingii tena kwenye akaunti yako ya O-Mache",
        "Simu iliyofungua akaunti yako ya O-Mache kwa msimbo wa SMS imeondolewa.\n\n"
        "Kama si wewe, chagua nenosiri jipya sasa:\n\n{link}\n",
    ),
    ("factor_added", "en"): (
        "Your O-Mache account now asks for a code",
        "A second factor was set up for your O-Mache account: log-in now asks for a code too.\n\n"
        "If this was not you, tell a superuser of the shop immediately.\n",
    ),
    ("factor_added", "sw"): (
        "Akaunti yako ya O-Mache sasa inaomba msimbo",
        "Njia ya pili ya uthibitisho imewekwa kwenye akaunti yako ya O-Mache: kuingia kunaomba "
        "msimbo pia.\n\nKama si wewe, mwambie msimamizi mkuu wa duka mara moja.\n",
    ),
    ("factor_removed", "en"): (
        "Your O-Mache account no longer asks for a code",
        "The second factor of your O-Mache account was removed.\n\n"
        "If you do not know why, tell a superuser of the shop immediately.\n",
    ),
    ("factor_removed", "sw"): (
        "Akaunti yako ya O-Mache haiombi msimbo tena",
        "Njia ya pili ya uthibitisho ya akaunti yako ya O-Mache imeondolewa.\n\n"
        "Kama hujui sababu, mwambie msimamizi mkuu wa duka mara moja.\n",
    ),
}


def notify_of_change(user: User, what: str, *, to: str = "", event: str = "") -> None:
    """Log and e-mail a change of an account, in its owner's language, on commit.

    ``what`` is a name in NOTICES, and the event for the security log unless ``event`` is given;
    ``to`` is an address other than the account's current one. Another thread sends it. Nothing is
    sent without an address, or to an inbox over its limit, which may be a stranger's.
    """
    security_log.record_on_commit(event or what, user=user.pk)
    address = to or user.email
    proven = bool(user.email_confirmed_at) and not to
    room = account_mail_budgets(what, address, proven=proven)
    if not address or not count(*room, now=timezone.now()):
        return
    subject, text = NOTICES[what, preferences_of(user).language]
    text = text.format(link=f"{settings.FRONTEND_URL}/password/reset")
    message = EmailMessage(subject, text, to=[address])
    transaction.on_commit(partial(_sender.submit, _send, message), robust=True)


def find_by_link(uid: str, token: str) -> User | None:
    """Return the active user of a valid reset link, or None."""
    try:
        # Copied from a mail, which may have inserted invisible characters.
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
        logger.exception("an e-mail about an account could not be sent")
