"""The nightly integrity check: ``prove`` in small slices, so that nothing else waits for it."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from omachemainproj.dates import NAIROBI
from omachemainproj.digests import digest_of
from payments.models import NightlyProof
from payments.proof.prove import check_rule
from payments.proof.rules import RULES

logger = logging.getLogger(__name__)

#: Seconds after which a round starts no further rule.
SLICE_SECONDS = 5.0
#: Seconds that one statement of a rule may take. A rule that takes longer is reported as unchecked.
RULE_SECONDS = 60
#: Seconds for all statements of a rule. Less than LEASE, so that no other process starts it too.
WHOLE_RULE_SECONDS = 240
#: How long a process owns the check after each rule. After that it is considered dead.
LEASE = timedelta(minutes=5)
#: A rule is skipped after this many processes died while checking it.
MAX_TRIES = 3
#: How long verdicts are kept.
RETENTION = timedelta(days=90)


def prove_some(now: datetime | None = None, *, seconds: float = SLICE_SECONDS) -> int:
    """Check the next rules of tonight for some seconds. Returns how many were checked.

    Safe to repeat and to run concurrently: one caller at a time owns the check, and the next one
    continues it. A check only starts at night, but may finish by day.
    """
    proof = _claim(now or timezone.now())
    if proof is None:
        return 0
    began, asked = time.monotonic(), 0
    while proof.asked < len(RULES) and (not asked or time.monotonic() - began < seconds):
        _check_next(proof)
        if not _store(proof):
            return asked
        asked += 1
    _release(proof)
    return asked


def delete_old_proofs(now: datetime) -> int:
    """Delete verdicts older than RETENTION. Returns how many. Safe to repeat."""
    return NightlyProof.objects.filter(night__lt=(now - RETENTION).date()).delete()[0]


def _claim(now: datetime) -> NightlyProof | None:
    """Claim tonight's check for this caller; None if there is nothing to do."""
    local = now.astimezone(NAIROBI)
    proof = NightlyProof.objects.filter(night=local.date()).first()
    if proof is None:
        if local.hour not in settings.PROOF_HOURS:
            return None
        new = NightlyProof(night=local.date(), digest=_digest(), rules=len(RULES))
        NightlyProof.objects.bulk_create([new], ignore_conflicts=True)
        proof = NightlyProof.objects.get(night=local.date())
    if proof.ended_at is not None:
        return None
    lease = timezone.now() + LEASE
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=timezone.now())
    unclaimed = NightlyProof.objects.filter(free, pk=proof.pk, ended_at__isnull=True)
    if not unclaimed.update(claimed_until=lease, tries=F("tries") + 1):
        return None
    proof = NightlyProof.objects.get(pk=proof.pk)
    if proof.digest != _digest():
        # A new release has other rules, so the check starts again.
        proof.digest, proof.rules, proof.asked = _digest(), len(RULES), 0
        proof.broken, proof.unanswered, proof.tries = [], [], 1
    return proof


def _check_next(proof: NightlyProof) -> None:
    rule = RULES[proof.asked]
    try:
        if proof.tries > MAX_TRIES:
            raise TimeoutError(f"{MAX_TRIES} processes died while checking it")
        broken = check_rule(
            rule, timezone.now(), seconds=RULE_SECONDS, altogether=WHOLE_RULE_SECONDS
        )
    except Exception:
        # A timeout, or a bug, which must not stop the other rules.
        logger.exception("nightly integrity check: could not check “%s”", rule.description)
        proof.unanswered = [*proof.unanswered, rule.description]
    else:
        if broken is not None:
            logger.critical("nightly integrity check: %s", broken)
            proof.broken = [*proof.broken, str(broken)]
    proof.asked += 1


def _store(proof: NightlyProof) -> bool:
    """Save the results. Returns whether this caller still owns the check."""
    mine = NightlyProof.objects.filter(pk=proof.pk, claimed_until=proof.claimed_until)
    proof.claimed_until, proof.tries = timezone.now() + LEASE, 1
    return bool(
        mine.update(
            digest=proof.digest,
            rules=proof.rules,
            asked=proof.asked,
            broken=proof.broken,
            unanswered=proof.unanswered,
            claimed_until=proof.claimed_until,
            tries=proof.tries,
        )
    )


def _release(proof: NightlyProof) -> None:
    ended = timezone.now() if proof.asked == len(RULES) else None
    mine = NightlyProof.objects.filter(pk=proof.pk, claimed_until=proof.claimed_until)
    mine.update(claimed_until=None, tries=0, ended_at=ended)
    if ended:
        logger.info(
            "nightly integrity check: %d rules, %d broken, %d not checked",
            proof.rules,
            len(proof.broken),
            len(proof.unanswered),
        )


def _digest() -> str:
    return digest_of([rule.description for rule in RULES])
