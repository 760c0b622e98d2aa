"""The record of what staff did, and what waits for a second one of them."""

from __future__ import annotations

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from .users import User


class Audit(models.Model):
    """One thing a member of staff did: who, what, why, and each value before and after.

    Written by ``accounts.backoffice.audit`` alone and only added to: triggers refuse every
    change. Whoever did something cannot be deleted any more, only be made inactive.
    """

    at = models.DateTimeField("when", auto_now_add=True, db_index=True)
    actor = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="deeds",
        db_index=False,  # audit_by_actor begins with it
        verbose_name="who",
    )
    did = models.CharField("what", max_length=200)
    why = models.CharField(max_length=200, blank=True)
    content_type = models.ForeignKey(
        ContentType,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # audit_by_row begins with it
        verbose_name="kind",
    )
    #: Empty where it was done to a whole list.
    object_id = models.CharField(max_length=64, blank=True)
    #: What the row was called at that time.
    object_name = models.CharField("row", max_length=200)
    #: By column: the value before, and after.
    changes = models.JSONField(default=dict)

    class Meta:
        verbose_name = "staff action"
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
            models.Index(fields=["content_type", "object_id", "-id"], name="audit_by_row"),
        ]

    def __str__(self) -> str:
        return f"{self.did}: {self.object_name}"


class ProposalState(models.TextChoices):
    OPEN = "open", "waits for a second person"
    DONE = "done", "agreed to and done"
    REJECTED = "rejected", "rejected"


class Proposal(models.Model):
    """What one member of staff may not do alone: it is done once a second one agrees.

    Written by ``accounts.backoffice.second_person`` alone. The database refuses that somebody
    decides about what they proposed.
    """

    #: The key of the staff action, and what it is called.
    action = models.CharField(max_length=60)
    label = models.CharField("what", max_length=200)
    content_type = models.ForeignKey(
        ContentType, on_delete=models.PROTECT, related_name="+", verbose_name="kind"
    )
    #: Empty while the row is not there: it is made once somebody agrees.
    object_id = models.CharField(max_length=64, blank=True)
    object_name = models.CharField("row", max_length=200)
    #: What was typed, as the action's form read it.
    given = models.JSONField(default=dict)
    why = models.CharField(max_length=200, blank=True)
    cost = models.PositiveIntegerField(help_text="Whole Kenyan shillings that leave, or may.")
    proposed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="proposals", verbose_name="proposed by"
    )
    proposed_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=8, choices=ProposalState, default=ProposalState.OPEN)
    decided_by = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", verbose_name="decided by"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "proposal"
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                name="nobody_decides_about_their_own_proposal",
                condition=~Q(decided_by=models.F("proposed_by")),
            ),
            models.CheckConstraint(
                name="proposal_is_open_or_somebody_decided",
                condition=Q(
                    state=ProposalState.OPEN, decided_by__isnull=True, decided_at__isnull=True
                )
                | Q(
                    state__in=[ProposalState.DONE, ProposalState.REJECTED],
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                ),
            ),
            models.UniqueConstraint(
                name="the_same_is_proposed_once",
                fields=["action", "content_type", "object_id"],
                condition=Q(state=ProposalState.OPEN) & ~Q(object_id=""),
            ),
        ]
        indexes = [
            models.Index(fields=["content_type", "object_id"], name="proposal_by_row"),
            models.Index(
                fields=["id"], name="proposal_open", condition=Q(state=ProposalState.OPEN)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label}: {self.object_name}"

    @property
    def is_open(self) -> bool:
        """Whether it waits for a second person."""
        return self.state == ProposalState.OPEN


class StaffDay(models.Model):
    """What one member of staff let leave alone on one day, by Nairobi's calendar, in KES."""

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    #: What the shop may lose, and what merely goes to whom it is owed.
    at_risk = models.PositiveIntegerField(default=0)
    moved = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="a_day_of_a_person_once", fields=["person", "day"])
        ]

    def __str__(self) -> str:
        return f"{self.at_risk} and {self.moved} KES on {self.day:%d %b %Y}"
