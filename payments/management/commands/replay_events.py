"""``manage.py replay_events``: process stored messages again."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from payments.models import GatewayEvent, LedgerPosting
from payments.webhooks.inbox import replay_event


class Command(BaseCommand):
    help = (
        "Process messages from M-Pesa and the banks again, after a restore or a bug fix. Replaying "
        "a processed message changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--id", type=int, nargs="+", help="these messages")
        which.add_argument(
            "--since", metavar="TIME", help="those received since, for example 2026-11-23T09:00"
        )
        which.add_argument("--all", action="store_true", help="all of them")
        parser.add_argument(
            "--dry-run", action="store_true", help="show the effects without changing anything"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        events = GatewayEvent.objects.order_by("pk")
        if options["id"]:
            events = events.filter(pk__in=options["id"])
        elif options["since"]:
            events = events.filter(received_at__gte=read_time(options["since"]))
        replayed = moved = failed = 0
        for event_id in events.values_list("pk", flat=True).iterator(chunk_size=2000):
            try:
                postings, note = _replay(event_id, dry_run=options["dry_run"])
            except Exception as error:
                failed += 1
                self.stderr.write(f"Message {event_id} failed: {error!r}")
                continue
            replayed += 1
            moved += postings
            if postings or options["id"]:
                self.stdout.write(f"Message {event_id}: {note}")
        result = f"{replayed} messages replayed; {moved or 'no'} movements of money posted"
        self.stdout.write(result + (", and rolled back." if options["dry_run"] else "."))
        if failed:
            raise CommandError(f"{failed} messages failed; the others were replayed.")


def _replay(event_id: int, *, dry_run: bool) -> tuple[int, str]:
    with transaction.atomic():
        before = _last_posting()
        note = replay_event(event_id)
        postings = LedgerPosting.objects.filter(pk__gt=before).count()
        if dry_run:
            transaction.set_rollback(True)
    return postings, note


def _last_posting() -> int:
    return LedgerPosting.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def read_time(typed: str) -> datetime:
    """Parse a time, in Nairobi time unless it has an offset. Raises CommandError."""
    try:
        time = parse_datetime(typed)
    except ValueError:
        time = None
    if time is None:
        raise CommandError(f"{typed} is not a time such as 2026-11-23T09:00.")
    return time if timezone.is_aware(time) else timezone.make_aware(time)
