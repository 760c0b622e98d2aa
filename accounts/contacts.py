"""Phones and inboxes that have proven themselves, and how often anybody may be reached at all.

What a user types as a phone or an e-mail may be a stranger's. Until it has proven itself here, a
phone gets nothing but prompts (payments.checkout.prompt_budget), and an inbox nothing but the mail
that asks whether it is theirs, and links to a new password.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Q, QuerySet

from omachemainproj.compiled_queries import Update, compiled, compiled_update

from .contact_budgets import DAY, HOUR, MINUTE, Budget
from .models import PhoneProof, User
from .validators import normalise_email

#: A number that did nothing here for so long may have been given to somebody else since.
PROOF_LASTS = timedelta(days=365)
#: Google's inboxes have no dots and two domains.
_GOOGLE = {"gmail.com", "googlemail.com"}


def one_inbox(email: str) -> str:
    """The inbox that an e-mail leads to, whatever its case, ``+tag`` and, at Google, dots."""
    name, _, domain = normalise_email(email).lower().rpartition("@")
    name = name.partition("+")[0] or name
    if domain in _GOOGLE:
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}"


_IS_CONFIRMED = Q(email_confirmed_at__isnull=False) & ~Q(email="")


def verified_email() -> ExpressionWrapper:
    """Whether a person has confirmed the e-mail they have now, for a queryset of people."""
    return ExpressionWrapper(_IS_CONFIRMED, output_field=BooleanField())


def has_proven_email(user: User) -> bool:
    """Whether a person has confirmed the e-mail they have now; as they were read, a moment ago."""
    return user.email_confirmed_at is not None and user.email != ""


def may_be_written_to(user_id: int, phone: str, now: datetime) -> bool:
    """Whether an SMS may go to this phone for this person: it paid for them, or was paid."""
    return bool(_proven(user_id, phone, now))


@compiled
def _proven(user_id: int, phone: str, now: datetime) -> QuerySet[PhoneProof, int]:
    recent = Q(paid_at__gt=now - PROOF_LASTS) | Q(received_at__gt=now - PROOF_LASTS)
    proofs = PhoneProof.objects.filter(recent, user=user_id, phone=phone)
    return proofs.values_list("pk", flat=True)[:1]


def has_paid_from(user_id: int, phone: str, now: datetime) -> bool:
    """Whether this phone has paid an order of this person's: then it is theirs to ring.

    A guest's is nobody's: anybody may type it.
    """
    return bool(_paid_from(user_id, phone, now))


def proofs_of_payment(
    user_id: int | OuterRef, phone: str | OuterRef, now: datetime
) -> QuerySet[PhoneProof]:
    """What ``has_paid_from`` goes by, to be asked together with something else."""
    paid = PhoneProof.objects.filter(paid_at__gt=now - PROOF_LASTS, user__guest__isnull=True)
    return paid.filter(user=user_id, phone=phone)


@compiled
def _paid_from(user_id: int, phone: str, now: datetime) -> QuerySet[PhoneProof, int]:
    return proofs_of_payment(user_id, phone, now).values_list("pk", flat=True)[:1]


def record_paid_from(user_id: int, phone: str, at: datetime) -> None:
    """Record that a phone paid an order of this person's. Safe to repeat.

    It is remembered as the one to call them on where none is known. Never against their word: one
    that they gave or took away themselves (``User.phone_chosen``) stays so.
    """
    _record(PhoneProof(user_id=user_id, phone=phone, paid_at=at), "paid_at")
    # Waits for their row only where there is something to write (docs/architecture.md, Locks).
    _remember_phone(user_id, phone)


@compiled_update
def _remember_phone(user_id: int, phone: str) -> Update:
    return User.objects.filter(pk=user_id, phone="", phone_chosen=False), {"phone": phone}


def record_paid_to(user_id: int, phone: str, at: datetime) -> None:
    """Record that a payout of this person's arrived on a phone. Safe to repeat."""
    _record(PhoneProof(user_id=user_id, phone=phone, received_at=at), "received_at")


def _record(proof: PhoneProof, how: str) -> None:
    PhoneProof.objects.bulk_create(
        [proof], update_conflicts=True, unique_fields=["user", "phone"], update_fields=[how]
    )


def sms_budgets(user_id: int, phone: str, now: datetime) -> list[Budget]:
    """How many SMS a phone may get, from all accounts together.

    A payout arrives without its receiver's doing: for KES 10 anybody could make a phone "proven".
    So one that has never paid here gets few.
    """
    hour, day = (30, 120) if has_paid_from(user_id, phone, now) else (5, 15)
    return [Budget(f"sms:{phone}", hour, HOUR), Budget(f"sms:{phone}", day, DAY)]


def mail_budgets(email: str) -> list[Budget]:
    """How many messages about orders an inbox may get, from all accounts together."""
    inbox = one_inbox(email)
    return [Budget(f"mail:{inbox}", 60, HOUR), Budget(f"mail:{inbox}", 200, DAY)]


def talk_budgets(channel: str, contact: str) -> list[Budget]:
    """How many messages may say what somebody else reports, writes or takes back, which costs that
    person nothing: few enough that they leave room for what has to be known."""
    inbox = one_inbox(contact) if channel == "email" else contact
    hour, day = (10, 40) if channel == "email" else (3, 6)
    return [
        Budget(f"talk-{channel}:{inbox}", hour, HOUR),
        Budget(f"talk-{channel}:{inbox}", day, DAY),
    ]


def account_mail_budgets(kind: str, email: str, *, proven: bool) -> list[Budget]:
    """How many mails about accounts an inbox may get, over all accounts and networks.

    ``kind`` is what they are about, like ``reset``. One that was confirmed has room for each kind,
    so that asking for links keeps no warning away, and never runs out of it for longer than a link
    is good for. Any other has little, for all kinds together. As many rows for either: the time it
    takes to count says nothing of who is here.
    """
    inbox = one_inbox(email)
    if proven:
        return [Budget(f"{kind}:{inbox}", 1, MINUTE), Budget(f"{kind}:{inbox}", 3, HOUR)]
    return [Budget(f"unproven:{inbox}", 1, 10 * MINUTE), Budget(f"unproven:{inbox}", 3, DAY)]


def confirmation_budgets(email: str, user_id: int) -> list[Budget]:
    """How often an inbox may be asked whether it is theirs: once a day, whoever typed it.

    And how many inboxes one account may have asked in a day.
    """
    return [
        Budget(f"confirm:{one_inbox(email)}", 1, DAY),
        Budget(f"confirms:{user_id}", 3, DAY),
    ]
