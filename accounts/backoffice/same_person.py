"""When two accounts count as one person, so that one cannot approve what the other did."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils import timezone

from accounts.models import User

from . import audit

#: A user who gave another an account, a password or permissions counts as the same person as they
#: do for this long.
SAME_PERSON_PERIOD = timedelta(days=7)
#: Shown to someone who counts as the same person as one of those involved.
SAME_PERSON = (
    "One of you gave the other their account, password or permissions this week, so you do not "
    "count as two people. A third person has to decide."
)


def counts_as_same_person(person: User, others: Iterable[int | None]) -> bool:
    """Whether a person gave one of these people (ids) their account, permissions or password in the
    last SAME_PERSON_PERIOD, or got theirs from one of them: then both count as one person."""
    ids = {pk for pk in others if pk is not None}
    given = Q(actor=person, object_id__in=[str(pk) for pk in ids])
    pairs = given | Q(actor__in=ids, object_id=str(person.pk))
    return (
        audit.entries_of(audit.ADDED, audit.CHANGED)
        .filter(
            pairs,
            content_type=ContentType.objects.get_for_model(User),
            at__gte=timezone.now() - SAME_PERSON_PERIOD,
        )
        .exists()
    )
