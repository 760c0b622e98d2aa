"""The audit log, and proposals that wait for a second person."""

from __future__ import annotations

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from .users import User


class Audit(models.Model):
    """One staff action: who, what, why, and each value before and after.

    Only written by ``accounts.backoffice.audit``, and append-only: triggers refuse every change. A
    user with audit entries can no longer be deleted, only deactivated.
    """

    at = models.DateTimeField("time", auto_now_add=True, db_index=True)
    actor = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="staff_actions",
        db_index=False,  # audit_by_actor begins with it
        verbose_name="staff member",
    )
    did = models.CharField("action", max_length=200)
    #: The key of what was done, by which other code finds entries: that of the staff action, or one
    #: of ``accounts.backoffice.audit``. "" in entries from before there was this column.
    action = models.CharField(max_length=60, blank=True, default="", db_default="", editable=False)
    why = models.CharField(max_length=200, blank=True)
    content_type = models.ForeignKey(
        ContentType,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # audit_by_row begins with it
        verbose_name="type",
    )
    #: Empty for an action on a whole list.
    object_id = models.CharField(max_length=64, blank=True)
    #: The row's name at that time.
    object_name = models.CharField("record", max_length=200)
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
    OPEN = "open", "waiting for a second person"
    DONE = "done", "approved and done"
    REJECTED = "rejected", "rejected"


class Proposal(models.Model):
    """An action that one person may not do alone; it is carried out once a second one approves.

    Only created by ``accounts.backoffice.approval_limits``. A constraint keeps users from deciding
    their own proposals.
    """

    #: The key of the staff action, and its label.
    action = models.CharField(max_length=60)
    label = models.CharField("action", max_length=200)
    content_type = models.ForeignKey(
        ContentType, on_delete=models.PROTECT, related_name="+", verbose_name="type"
    )
    #: Empty until the row exists: it is created on approval.
    object_id = models.CharField(max_length=64, blank=True)
    object_name = models.CharField("record", max_length=200)
    #: The cleaned data of the action's form.
    given = models.JSONField(default=dict)
    why = models.CharField(max_length=200, blank=True)
    cost = models.PositiveIntegerField(
        help_text="What it may cost the shop, in whole Kenyan shillings."
    )
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
        """Whether the proposal waits for a decision."""
        return self.state == ProposalState.OPEN


class StaffDay(models.Model):
    """The money one staff member approved alone on one day (Nairobi time), in KES."""

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    #: Money the shop may lose, and money that is owed to its receiver.
    at_risk = models.PositiveIntegerField(default=0)
    moved = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="a_day_of_a_person_once", fields=["person", "day"])
        ]

    def __str__(self) -> str:
        return f"{self.at_risk} and {self.moved} KES on {self.day:%d %b %Y}"
