"""Staff actions: not about their own rows, and always in the audit.

A database constraint ensures that nobody approves their own proposal.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import CharField, Exists, F, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from accounts.models import Audit, User
from orders.models import Outcome, Party, Problem, TrackEvent, TrackStatus
from payments.immutable_columns import INITIAL_STAFF
from payments.models import EventState, GatewayEvent, Original, Payout, PayoutStop, Receipt

from .rule import rule


@rule("No staff member or agent moved a line that they bought or sold")
def nobody_moved_own_lines(now: datetime) -> QuerySet[TrackEvent]:
    bought, sold = Q(actor=F("track__buyer")), Q(actor=F("track__seller"))
    on_the_way = Q(track_status__in=[TrackStatus.FETCHED, TrackStatus.SHIPPING])
    cancelled_late = Q(track_status=TrackStatus.CANCELLED, track__seller_share__isnull=False)
    # A seller may agree to a refund of their own line.
    agreed = Problem.objects.filter(
        track=OuterRef("track"),
        decided_by=OuterRef("actor"),
        ended_by=Party.SELLER,
        outcome__in=[Outcome.REFUNDED, Outcome.RETURNED],
    )
    # And a seller hands over goods without delivery by the code: fetched and delivered at once.
    between_them = sold & Q(track_status=TrackStatus.FETCHED, track__parcel__isnull=True)
    handed_over = TrackEvent.objects.filter(
        track=OuterRef("track"), track_status=TrackStatus.DELIVERED, actor=OuterRef("actor")
    )
    by_right = (cancelled_late & sold & Exists(agreed)) | (between_them & Exists(handed_over))
    return TrackEvent.objects.filter(bought | sold, on_the_way | cancelled_late).exclude(by_right)


def audit_of(model: type[Model], **more: Any) -> QuerySet[Audit]:
    """Audit entries about the outer row."""
    return Audit.objects.filter(
        content_type__app_label=model._meta.app_label,
        content_type__model=model._meta.model_name,
        object_id=Cast(OuterRef("pk"), CharField()),
        **more,
    )


@rule("A payout was approved on the console, by someone who did not fetch its goods")
def approval_is_audited(now: datetime) -> QuerySet[Payout]:
    fetched = TrackEvent.objects.filter(
        track__seller_share__payout=OuterRef("pk"),
        track_status=TrackStatus.FETCHED,
        actor=OuterRef("approved_by"),
    )
    audited = Exists(audit_of(Payout, actor=OuterRef("approved_by")))
    approved = Payout.objects.filter(approved_by__isnull=False)
    return approved.filter(~audited | Exists(fetched))


@rule("A message was set aside by staff")
def set_aside_is_audited(now: datetime) -> QuerySet[GatewayEvent]:
    aside = GatewayEvent.objects.filter(state=EventState.ASIDE)
    return aside.filter(~Exists(audit_of(GatewayEvent)))


@rule("A stop of outgoing payments was lifted by staff")
def lifted_stop_is_audited(now: datetime) -> QuerySet[PayoutStop]:
    return PayoutStop.objects.filter(~Exists(audit_of(PayoutStop)), is_open=False)


@rule("A payment was marked as separate by staff")
def separate_payment_is_audited(now: datetime) -> QuerySet[Receipt]:
    return Receipt.objects.filter(~Exists(audit_of(Receipt)), is_separate_payment=True)


@rule("Staff access was there from the start, or granted by someone else in the audit")
def staff_access_is_audited(now: datetime) -> QuerySet[User]:
    from_the_start = Original.objects.filter(kind=INITIAL_STAFF, row=OuterRef("pk"))
    given = audit_of(User, changes__has_any_keys=["is_staff", "is_superuser"])
    return User.objects.filter(
        Q(is_staff=True) | Q(is_superuser=True), ~Exists(from_the_start), ~Exists(given)
    )


@rule("A role or an individual permission was granted in the audit")
def permission_is_audited(now: datetime) -> QuerySet[User]:
    given = audit_of(User, changes__has_any_keys=["groups", "user_permissions"])
    has = Q(Exists(User.groups.through.objects.filter(user=OuterRef("pk")))) | Q(
        Exists(User.user_permissions.through.objects.filter(user=OuterRef("pk")))
    )
    return User.objects.filter(has, ~Exists(given))
