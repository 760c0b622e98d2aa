"""Rows are unchanged since they were written, and none is missing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from payments.models import GatewayEvent, Original, Receipt
from payments.originals import FACTS, Digest, DigestOfBytes, Fact

from .rule import rule


def _differ(fact: Fact) -> QuerySet[Any]:
    same = Original.objects.filter(kind=fact.kind, row=OuterRef("pk"), digest=OuterRef("current"))
    rows = fact.model._default_manager.annotate(current=Digest(*fact.columns))
    if not fact.once:
        return rows.filter(~Exists(same))
    # A value that is set once never changes and is never cleared, except the number of a merged
    # receipt.
    known = Original.objects.filter(kind=fact.kind, row=OuterRef("pk"))
    given_away = Q(pk__in=[])
    if fact.model is Receipt:
        given_away = Q(same_as__isnull=False, number="")
    return rows.filter(
        (Q(**{fact.once: ""}) & Exists(known) & ~given_away)
        | (~Q(**{fact.once: ""}) & ~Exists(same))
    )


def _gone(fact: Fact) -> QuerySet[Original]:
    row = fact.model._default_manager.filter(pk=OuterRef("row"))
    rightly = Original.objects.filter(kind=Concat(Value("gone:"), OuterRef("kind")))
    rightly = rightly.filter(row=OuterRef("row"))
    return Original.objects.filter(~Exists(row), ~Exists(rightly), kind=fact.kind)


def _enter(fact: Fact) -> None:
    name = f"{fact.model._meta.verbose_name}"
    what = fact.kind.replace("_", " ")

    @rule(f"The permanent facts of a row are unchanged: {name}, as {what}")
    def row_is_unchanged(now: datetime) -> QuerySet[Any]:
        return _differ(fact)

    if not fact.once:

        @rule(f"No row is missing: {name}")
        def row_still_exists(now: datetime) -> QuerySet[Original]:
            return _gone(fact)


for _fact in FACTS:
    if _fact.columns:
        _enter(_fact)


@rule("A stored message matches its digest")
def message_digest_matches(now: datetime) -> QuerySet[GatewayEvent]:
    return GatewayEvent.objects.exclude(sha256=DigestOfBytes("body"))
