"""People, what they want to be notified of, and the record of what staff did."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from .validators import EMAIL_MAX, USERNAME_MAX, UsernameValidator

USERNAME_TAKEN = "This username is taken."
EMAIL_TAKEN = "Somebody is registered with this e-mail address."


if TYPE_CHECKING:
    _UserManager = UserManager["User"]
else:
    _UserManager = UserManager


class People(_UserManager):
    """Finds people whatever the case they are typed in, by the indexes that keep them unique."""

    use_in_migrations = False

    def called(self, username: str) -> QuerySet[User]:
        """The person with this username, or nobody."""
        return self.filter(Exact(Lower("username"), username.lower()))

    def reached_at(self, email: str) -> QuerySet[User]:
        """The person with this e-mail, or nobody; nobody at all for ``""``."""
        return self.filter(Exact(Lower("email"), email.lower())).exclude(email="")

    def known_as(self, typed: str) -> QuerySet[User]:
        """The person with this e-mail or this username; only an e-mail contains an ``@``."""
        return self.reached_at(typed) if "@" in typed else self.called(typed)


def avatar_path(user: User, name: str) -> str:
    """Where an avatar is stored; its name is random (see omachemainproj.images)."""
    return f"avatars/{name}"


class User(AbstractUser):
    """A person who buys, sells, or both. Names and e-mails are unique whatever their case."""

    username = models.CharField(
        max_length=USERNAME_MAX,
        unique=True,
        validators=[UsernameValidator()],
        error_messages={"unique": USERNAME_TAKEN},
    )
    email = models.EmailField(blank=True, max_length=EMAIL_MAX)
    avatar = models.ImageField(upload_to=avatar_path, blank=True)
    #: People describe themselves in their own words.
    gender = models.CharField(max_length=30, blank=True)

    objects: ClassVar[People] = People()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("username"),
                name="username_is_unique_in_any_case",
                violation_error_message=USERNAME_TAKEN,
            ),
            models.UniqueConstraint(
                Lower("email"),
                name="email_is_unique_in_any_case",
                condition=~Q(email=""),
                violation_error_message=EMAIL_TAKEN,
            ),
        ]
        permissions = [
            ("help_user", "Can sign people out and take their avatars away"),
            ("export_rows", "Can download lists as CSV"),
        ]

    def __str__(self) -> str:
        return self.username


class Language(models.TextChoices):
    ENGLISH = "en", "English"
    SWAHILI = "sw", "Kiswahili"


class MessagePreferences(models.Model):
    """Which notifications a person wants, how, and in which language. Without a row: all."""

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, primary_key=True, related_name="message_preferences"
    )
    language = models.CharField(max_length=2, choices=Language, default=Language.ENGLISH)
    #: About what they buy: paid, on the way, delivered, refunded.
    buying_email = models.BooleanField(default=True)
    buying_sms = models.BooleanField(default=True)
    #: That an STK push failed, and what to do next.
    prompts_email = models.BooleanField(default=True)
    prompts_sms = models.BooleanField(default=True)
    #: About what they sell: sold, paid out.
    selling_email = models.BooleanField(default=True)
    selling_sms = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "message preferences"

    def __str__(self) -> str:
        return f"what {self.user} wants to be told"


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
