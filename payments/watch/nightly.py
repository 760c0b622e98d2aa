"""``prove``, by itself, every night: a few rules at a time, so that nothing else waits for it."""

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
from payments.proof.prove import ask_alone
from payments.proof.rules import RULES

logger = logging.getLogger(__name__)

#: Seconds after which no further rule is begun in a round.
SLICE_SECONDS = 5.0
#: Seconds a statement of a rule may take. What takes longer is told of, and not asked again.
RULE_SECONDS = 60
#: And all statements of a rule: within its lease, so that no other begins it meanwhile.
WHOLE_RULE_SECONDS = 240
#: Who asks has the night to itself for so long after each rule; then whoever it was is gone.
LEASE = timedelta(minutes=5)
#: A rule at which so many processes ended is passed over.
MAX_TRIES = 3
#: Verdicts that are kept.
KEPT = timedelta(days=90)


def prove_some(now: datetime | None = None, *, seconds: float = SLICE_SECONDS) -> int:
    """Ask the next rules of this night, for some seconds. Returns how many were asked.

    Safe to repeat, anywhere, at once: one caller at a time has the night, and where it ends the
    next goes on. Nothing is asked by day, but for what the night has begun.
    """
    proof = _claim(now or timezone.now())
    if proof is None:
        return 0
    began, asked = time.monotonic(), 0
    while proof.asked < len(RULES) and (not asked or time.monotonic() - began < seconds):
        _ask_next(proof)
        if not _store(proof):
            return asked
        asked += 1
    _release(proof)
    return asked


def forget_old_proofs(now: datetime) -> int:
    """Delete verdicts nobody asks for any more. Returns how many. Safe to repeat."""
    return NightlyProof.objects.filter(night__lt=(now - KEPT).date()).delete()[0]


def _claim(now: datetime) -> NightlyProof | None:
    """This night's proof, for this caller alone; None where there is nothing to ask."""
    there = now.astimezone(NAIROBI)
    proof = NightlyProof.objects.filter(night=there.date()).first()
    if proof is None:
        if there.hour not in settings.PROOF_HOURS:
            return None
        new = NightlyProof(night=there.date(), digest=_digest(), rules=len(RULES))
        NightlyProof.objects.bulk_create([new], ignore_conflicts=True)
        proof = NightlyProof.objects.get(night=there.date())
    if proof.ended_at is not None:
        return None
    lease = timezone.now() + LEASE
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=timezone.now())
    unclaimed = NightlyProof.objects.filter(free, pk=proof.pk, ended_at__isnull=True)
    if not unclaimed.update(claimed_until=lease, tries=F("tries") + 1):
        return None
    proof = NightlyProof.objects.get(pk=proof.pk)
    if proof.digest != _digest():
        # Another release asks otherwise: what was found so far is of other rules.
        proof.digest, proof.rules, proof.asked = _digest(), len(RULES), 0
        proof.broken, proof.unanswered, proof.tries = [], [], 1
    return proof


def _ask_next(proof: NightlyProof) -> None:
    rule = RULES[proof.asked]
    try:
        if proof.tries > MAX_TRIES:
            raise TimeoutError(f"{MAX_TRIES} processes ended while they asked it")
        broken = ask_alone(
            rule, timezone.now(), seconds=RULE_SECONDS, altogether=WHOLE_RULE_SECONDS
        )
    except Exception:
        # It took too long; or it is a bug, which must not keep the others from being asked.
        logger.exception("the night could not ask “%s”", rule.description)
        proof.unanswered = [*proof.unanswered, rule.description]
    else:
        if broken is not None:
            logger.critical("the night found something broken: %s", broken)
            proof.broken = [*proof.broken, str(broken)]
    proof.asked += 1


def _store(proof: NightlyProof) -> bool:
    """Keep what was found. Returns whether the night is still this caller's."""
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
            "the night's proof: %d rules, %d broken, %d not answered",
            proof.rules,
            len(proof.broken),
            len(proof.unanswered),
        )


def _digest() -> str:
    return digest_of([rule.description for rule in RULES])
