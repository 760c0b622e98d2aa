"""Rows are unchanged since they were written, and none is missing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from payments.immutable_columns import IMMUTABLE_COLUMNS, Digest, DigestOfBytes, ImmutableColumns
from payments.models import GatewayEvent, Original, Receipt, Verification

from .rule import rule


def _differ(group: ImmutableColumns) -> QuerySet[Any]:
    same = Original.objects.filter(kind=group.kind, row=OuterRef("pk"), digest=OuterRef("current"))
    rows = group.model._default_manager.annotate(current=Digest(*group.columns))
    if not group.once:
        return rows.filter(~Exists(same))
    # A value that is set once never changes and is never cleared, except the number of a
    # merged receipt, and of one that turned out to be another order's payment.
    known = Original.objects.filter(kind=group.kind, row=OuterRef("pk"))
    given_away = Q(pk__in=[])
    if group.model is Receipt:
        given_away = Q(same_as__isnull=False) | Q(verification=Verification.NEVER_CAME)
    return rows.filter(
        (Q(**{group.once: ""}) & Exists(known) & ~given_away)
        | (~Q(**{group.once: ""}) & ~Exists(same))
    )


def _deleted(group: ImmutableColumns) -> QuerySet[Original]:
    row = group.model._default_manager.filter(pk=OuterRef("row"))
    rightly = Original.objects.filter(kind=Concat(Value("gone:"), OuterRef("kind")))
    rightly = rightly.filter(row=OuterRef("row"))
    return Original.objects.filter(~Exists(row), ~Exists(rightly), kind=group.kind)


def _enter(group: ImmutableColumns) -> None:
    name = f"{group.model._meta.verbose_name}"
    what = group.kind.replace("_", " ")

    @rule(f"The permanent facts of a row are unchanged: {name}, as {what}")
    def row_is_unchanged(now: datetime) -> QuerySet[Any]:
        return _differ(group)

    if not group.once:

        @rule(f"No row is missing: {name}")
        def row_still_exists(now: datetime) -> QuerySet[Original]:
            return _deleted(group)


for _group in IMMUTABLE_COLUMNS:
    if _group.columns:
        _enter(_group)


@rule("A stored message matches its digest")
def message_digest_matches(now: datetime) -> QuerySet[GatewayEvent]:
    return GatewayEvent.objects.exclude(sha256=DigestOfBytes("body"))
