"""Monitoring: the nightly integrity check, incidents, and the mails about them."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q


class NightlyProofQuerySet(models.QuerySet["NightlyProof"]):
    def last_verdict(self) -> NightlyProof | None:
        """The latest night in which every rule was checked; None before the first."""
        return self.filter(ended_at__isnull=False).order_by("-night").first()


class NightlyProof(models.Model):
    """The results of ``prove`` in one night, rule by rule (payments.watch.nightly)."""

    night = models.DateField(unique=True, help_text="By Nairobi's calendar.")
    #: Of the rules' descriptions: if the rules change, the night starts again.
    digest = models.CharField(max_length=64)
    rules = models.PositiveSmallIntegerField()
    asked = models.PositiveSmallIntegerField(default=0)
    #: A sentence about each broken rule, with the rows that violate it.
    broken = models.JSONField(default=list)
    #: Rules whose query timed out.
    unanswered = models.JSONField(default=list)
    #: Until when the current process has claimed the work; one process at a time runs it.
    claimed_until = models.DateTimeField(null=True)
    #: How many processes started the next rule and did not finish.
    tries = models.PositiveSmallIntegerField(default=0)
    began_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    objects = NightlyProofQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="night_has_a_verdict_once_every_rule_was_asked",
                condition=Q(ended_at__isnull=True) | Q(asked=models.F("rules")),
            ),
        ]

    def __str__(self) -> str:
        return f"the night to {self.night}: {self.asked} of {self.rules} rules"


class TroubleQuerySet(models.QuerySet["Trouble"]):
    def still_open(self) -> TroubleQuerySet:
        """Incidents that are not over."""
        return self.filter(over_at__isnull=True)

    def alerted(self) -> TroubleQuerySet:
        """Open incidents that lasted long enough to be alerted on, longest first."""
        return self.still_open().filter(told_at__isnull=False).order_by("told_at", "pk")


class Trouble(models.Model):
    """An incident: something that keeps the shop from running properly, with start and end.

    ``kind`` is also its section in docs/night.md and its alert's name (payments.watch.alerts).
    """

    kind = models.CharField(max_length=20)
    says = models.CharField(max_length=500, help_text="What is wrong, in a sentence.")
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="When it was last so.")
    #: When it had lasted long enough to alert on; None before that.
    told_at = models.DateTimeField(null=True)
    over_at = models.DateTimeField(null=True)

    objects = TroubleQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                name="trouble_is_open_once", fields=["kind"], condition=Q(over_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.says}"


class AlertMailQuerySet(models.QuerySet["AlertMail"]):
    def to_send(self, now: datetime) -> AlertMailQuerySet:
        """Mails that are due to be sent or retried."""
        return self.filter(next_try_at__lte=now)


class AlertMail(models.Model):
    """The mail that reports an incident, or its end: one of each."""

    trouble = models.ForeignKey(Trouble, on_delete=models.CASCADE, related_name="mails")
    is_over = models.BooleanField(help_text="Whether it says that the trouble is over.")
    #: None once it was sent or abandoned.
    next_try_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was not sent.")

    objects = AlertMailQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                name="trouble_is_told_once_and_once_when_over", fields=["trouble", "is_over"]
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                name="alert_to_send",
                condition=Q(next_try_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trouble.kind}, {'over' if self.is_over else 'begun'}"
