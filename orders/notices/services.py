"""In-app notices: reading them, counting them and marking them as read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from omachemainproj.api.pagination import beyond
from omachemainproj.compiled_queries import Fixed, compiled
from orders.models import InboxNotice

KEYSET = ("-id",)
#: Unread notices are counted up to this number.
MOST_UNREAD = 100
COLUMNS = (
    "id",
    "kind",
    "said",
    "order__buyer_id",
    "order__order_token",
    "order__reference",
    "track_id",
    "created_at",
    "read_at",
)


@compiled
def read_notices(
    user_id: int, unread: Fixed[bool], after: Sequence[int] | None, limit: Fixed[int]
) -> QuerySet[InboxNotice, Any]:
    """At most ``limit`` of a user's notices, or of their unread ones, newest first; those after the
    keyset position ``after``, if given. One query."""
    notices = InboxNotice.objects.of(user_id).order_by(*KEYSET)
    if unread:
        notices = notices.unread()
    if after:
        notices = notices.filter(beyond(KEYSET, list(after)))
    return notices.values_list(*COLUMNS, named=True)[:limit]


def count_unread(user: User | int) -> int:
    """The number of a user's unread notices, MOST_UNREAD at most. One query."""
    return InboxNotice.objects.of(user).unread()[:MOST_UNREAD].count()


def mark_read(user: User, *, ids: Sequence[int] = (), up_to: int | None = None) -> None:
    """Mark notices of a user as read: these, or all up to and including one, even one of others.

    Safe to repeat: the first time of reading is kept. Other users' notices are not changed.
    """
    notices = InboxNotice.objects.of(user).unread()
    notices = notices.filter(pk__in=ids) if up_to is None else notices.filter(pk__lte=up_to)
    notices.update(read_at=timezone.now())


def represent_notice(row: Any, *, reader_id: int, language: str) -> dict[str, Any]:
    """A row of ``read_notices()`` for its reader. Only its buyer gets the order's token."""
    words = row.said.get(language) or row.said["en"]
    is_buyer = row.order__buyer_id == reader_id
    return {
        "id": row.id,
        "kind": row.kind,
        "title": words["title"],
        "text": words["text"],
        "order_token": str(row.order__order_token) if is_buyer else None,
        "reference": row.order__reference,
        "line": row.track_id,
        "created_at": row.created_at,
        "read": row.read_at is not None,
    }
