"""Verified phones and inboxes, and limits on how often anyone may be contacted.

A phone or e-mail that a user types may belong to someone else. Until it is verified, a phone gets
only payment prompts (payments.checkout.prompt_budget), and an inbox only confirmation links and
password resets.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Q, QuerySet

from omachemainproj.compiled_queries import Update, compiled, compiled_update

from .contact_budgets import DAY, HOUR, MINUTE, Budget
from .models import PhoneProof, User
from .validators import normalise_email

#: After this long without activity a number may have been reassigned to someone else.
PHONE_PROOF_LIFETIME = timedelta(days=365)
#: Google ignores dots, and has two domains for one inbox.
_GOOGLE = {"gmail.com", "googlemail.com"}


def one_inbox(email: str) -> str:
    """The inbox an e-mail address leads to, without case, ``+tag`` and, at Google, dots."""
    name, _, domain = normalise_email(email).lower().rpartition("@")
    name = name.partition("+")[0] or name
    if domain in _GOOGLE:
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}"


_IS_CONFIRMED = Q(email_confirmed_at__isnull=False) & ~Q(email="")


def verified_email() -> ExpressionWrapper:
    """Whether a user has confirmed their current e-mail, as an annotation."""
    return ExpressionWrapper(_IS_CONFIRMED, output_field=BooleanField())


def has_proven_email(user: User) -> bool:
    """Whether a user has confirmed their current e-mail. No query: ``user`` is taken as read."""
    return user.email_confirmed_at is not None and user.email != ""


def may_be_written_to(user_id: int, phone: str, now: datetime) -> bool:
    """Whether this user's SMS may go to this phone: it paid an order of theirs, or got a payout."""
    return bool(_proven(user_id, phone, now))


@compiled
def _proven(user_id: int, phone: str, now: datetime) -> QuerySet[PhoneProof, int]:
    recent = Q(paid_at__gt=now - PHONE_PROOF_LIFETIME) | Q(
        received_at__gt=now - PHONE_PROOF_LIFETIME
    )
    proofs = PhoneProof.objects.filter(recent, user=user_id, phone=phone)
    return proofs.values_list("pk", flat=True)[:1]


def has_paid_from(user_id: int, phone: str, now: datetime) -> bool:
    """Whether this phone has paid an order of this user, who may then send prompts to it.

    Never true for guests: anyone may type their phone.
    """
    return bool(_paid_from(user_id, phone, now))


def proofs_of_payment(
    user_id: int | OuterRef, phone: str | OuterRef, now: datetime
) -> QuerySet[PhoneProof]:
    """The queryset behind ``has_paid_from``, for use as a subquery."""
    paid = PhoneProof.objects.filter(
        paid_at__gt=now - PHONE_PROOF_LIFETIME, user__guest__isnull=True
    )
    return paid.filter(user=user_id, phone=phone)


@compiled
def _paid_from(user_id: int, phone: str, now: datetime) -> QuerySet[PhoneProof, int]:
    return proofs_of_payment(user_id, phone, now).values_list("pk", flat=True)[:1]


def record_paid_from(user_id: int, phone: str, at: datetime) -> None:
    """Record that a phone paid an order of this user. Safe to repeat.

    It becomes the user's phone if none is known, unless they set or removed it themselves
    (``User.phone_chosen``).
    """
    _record(PhoneProof(user_id=user_id, phone=phone, paid_at=at), "paid_at")
    # Locks the user's row only if there is something to write (docs/architecture.md, Locks).
    _remember_phone(user_id, phone)


@compiled_update
def _remember_phone(user_id: int, phone: str) -> Update:
    return User.objects.filter(pk=user_id, phone="", phone_chosen=False), {"phone": phone}


def record_paid_to(user_id: int, phone: str, at: datetime) -> None:
    """Record that a payout of this user arrived on a phone. Safe to repeat."""
    _record(PhoneProof(user_id=user_id, phone=phone, received_at=at), "received_at")


def _record(proof: PhoneProof, how: str) -> None:
    PhoneProof.objects.bulk_create(
        [proof], update_conflicts=True, unique_fields=["user", "phone"], update_fields=[how]
    )


def sms_budgets(user_id: int, phone: str, now: datetime) -> list[Budget]:
    """The limits of SMS to a phone, over all accounts.

    A payout needs no action of its receiver, so for KES 10 anyone could get a phone "proven". A
    phone that has never paid here therefore has a low limit.
    """
    hour, day = (30, 120) if has_paid_from(user_id, phone, now) else (5, 15)
    return [Budget(f"sms:{phone}", hour, HOUR), Budget(f"sms:{phone}", day, DAY)]


def mail_budgets(email: str) -> list[Budget]:
    """The limits of messages about orders to an inbox, over all accounts."""
    inbox = one_inbox(email)
    return [Budget(f"mail:{inbox}", 60, HOUR), Budget(f"mail:{inbox}", 200, DAY)]


def talk_budgets(channel: str, contact: str) -> list[Budget]:
    """The limits of messages caused by what other users report, write or withdraw, which costs them
    nothing: low, so that important messages still get through."""
    inbox = one_inbox(contact) if channel == "email" else contact
    hour, day = (10, 40) if channel == "email" else (3, 6)
    return [
        Budget(f"talk-{channel}:{inbox}", hour, HOUR),
        Budget(f"talk-{channel}:{inbox}", day, DAY),
    ]


def account_mail_budgets(kind: str, email: str, *, proven: bool) -> list[Budget]:
    """The limits of account mails to an inbox, over all accounts and networks.

    ``kind`` is the kind of mail, like ``reset``. A confirmed inbox has a limit per kind, so that
    requested links cannot suppress warnings, and it resets no later than a link expires. Others
    share a low limit over all kinds. Both use the same number of rows, so that timing does not
    reveal whether an account exists.
    """
    inbox = one_inbox(email)
    if proven:
        return [Budget(f"{kind}:{inbox}", 1, MINUTE), Budget(f"{kind}:{inbox}", 3, HOUR)]
    return [Budget(f"unproven:{inbox}", 1, 10 * MINUTE), Budget(f"unproven:{inbox}", 3, DAY)]


def confirmation_budgets(email: str, user_id: int) -> list[Budget]:
    """The limit of confirmation mails: one per inbox and day, over all accounts.

    Also the number of inboxes one account may have mailed in a day.
    """
    return [
        Budget(f"confirm:{one_inbox(email)}", 1, DAY),
        Budget(f"confirms:{user_id}", 3, DAY),
    ]
