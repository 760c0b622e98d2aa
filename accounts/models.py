"""People, what they want to be notified of, and the record of what staff did."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.utils.crypto import salted_hmac

from omachemainproj.text import fold_password

from .lookalikes import skeleton
from .validators import (
    EMAIL_MAX,
    USERNAME_MAX,
    UsernameValidator,
    normalise_email,
    normalise_username,
)

USERNAME_TAKEN = "This username is taken."
EMAIL_TAKEN = "Somebody is registered with this e-mail address."


if TYPE_CHECKING:
    _UserManager = UserManager["User"]
else:
    _UserManager = UserManager


class People(_UserManager):
    """Finds people whatever the case and form they are typed in (accounts.validators).

    By the indexes that keep them unique.
    """

    use_in_migrations = False

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """An e-mail as it is stored, for Django's own forms and commands."""
        return normalise_email(email or "")

    def create_user(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> User:
        """Create a person whose password has the form that is checked (``User.set_password``)."""
        return super().create_user(username, email, _as_hashed(password), **extra)

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> User:
        """Create a superuser; their password as in ``create_user``."""
        return super().create_superuser(username, email, _as_hashed(password), **extra)

    def called(self, username: str) -> QuerySet[User]:
        """The person with this username, or nobody."""
        return self.filter(Exact(Lower("username"), normalise_username(username).lower()))

    def reached_at(self, email: str) -> QuerySet[User]:
        """The people with this e-mail, whose it is first; nobody at all for ``""``.

        It is whose who confirmed it, and else, of those whose account is open, whose who typed it
        first: nobody who types it later takes a log-in or a reset link away.
        """
        wanted = normalise_email(email).lower()
        people = self.filter(Exact(Lower("email"), wanted)).exclude(email="")
        return people.order_by("-is_active", F("email_confirmed_at").desc(nulls_last=True), "pk")

    def confirmed_at(self, email: str) -> QuerySet[User]:
        """The person who confirmed this e-mail, or nobody."""
        return self.reached_at(email).filter(email_confirmed_at__isnull=False)

    def known_as(self, typed: str) -> QuerySet[User]:
        """The person with this e-mail or this username; only an e-mail contains an ``@``."""
        typed = normalise_email(typed)
        return self.reached_at(typed) if "@" in typed else self.called(typed)


def _as_hashed(password: str | None) -> str | None:
    return None if password is None else fold_password(password)


def avatar_path(user: User, name: str) -> str:
    """Where an avatar is stored; its name is random (see omachemainproj.images)."""
    return f"avatars/{name}"


class SkeletonField(models.CharField):
    """What the username looks like, computed whenever a row is saved (accounts.lookalikes)."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        value = skeleton(str(getattr(model_instance, "username", "")))
        setattr(model_instance, self.attname, value)
        return value


class User(AbstractUser):
    """A person who buys, sells, or both.

    Names are unique whatever their case, and so are e-mails that their owners have confirmed:
    whoever types a stranger's keeps it from nobody.
    """

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
    skeleton = SkeletonField(max_length=USERNAME_MAX, default="", editable=False, db_index=True)
    #: When its owner followed a link that was mailed there; None: anybody may have typed it.
    email_confirmed_at = models.DateTimeField(null=True, editable=False)
    #: Since when log-in asks for a second factor; empty: it asks for none. What the factor is,
    #: allauth's Authenticator rows know; accounts.second_factor alone writes both.
    second_factor_at = models.DateTimeField("second factor since", null=True, editable=False)

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
                name="confirmed_email_is_unique_in_any_case",
                condition=~Q(email="") & Q(email_confirmed_at__isnull=False),
                violation_error_message=EMAIL_TAKEN,
            ),
        ]
        indexes = [models.Index(Lower("email"), name="user_by_email", condition=~Q(email=""))]
        permissions = [
            ("help_user", "Can sign people out and take their avatars away"),
            ("export_rows", "Can download lists as CSV"),
            ("export_phones", "Can download them with phones in full"),
        ]

    def __str__(self) -> str:
        return self.username

    @classmethod
    def normalize_username(cls, username: Any) -> Any:
        """A username as it is stored, for Django's own forms and commands."""
        return normalise_username(username) if isinstance(username, str) else username

    def set_password(self, raw_password: str | None) -> None:
        """Set the password, in the form in which every keyboard types it."""
        super().set_password(_as_hashed(raw_password))

    def check_password(self, raw_password: str | None) -> bool:
        """Whether this is the password: as typed, or in the form in which new ones are hashed.

        As typed first: hashes of before are of whatever form was sent.
        """
        folded = _as_hashed(raw_password)
        return super().check_password(raw_password) or (
            folded != raw_password and super().check_password(folded)
        )

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """What a session is bound to: the password, and the second factor.

        A session of before either of them changed is over.
        """
        bound = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        if self.second_factor_at is None:
            return str(bound)
        since = self.second_factor_at.timestamp()
        return salted_hmac(
            "accounts.session", f"{bound} {since}", secret=secret, algorithm="sha256"
        ).hexdigest()


class PasswordTries(models.Model):
    """How often a password, or a second factor's code, was got wrong lately under one key.

    Written by ``accounts.lockout`` alone.
    """

    #: What is counted, and a keyed digest of whom and where from: what was typed as a name may be
    #: a password.
    key = models.CharField(max_length=80, primary_key=True)
    #: Whose they are, where the name that was typed is somebody's.
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, related_name="password_tries"
    )
    failures = models.PositiveIntegerField(default=0)
    #: The last try.
    at = models.DateTimeField(db_index=True)
    #: No more tries until then.
    until = models.DateTimeField(null=True)
    #: When this person last signed in from this network.
    proved_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "password tries"
        default_permissions = ()

    def __str__(self) -> str:
        return self.key


class SessionKind(models.TextChoices):
    API = "api", "app or website"
    ADMIN = "admin", "back office"


class SessionQuerySet(models.QuerySet["Session"]):
    def live(self, now: datetime) -> SessionQuerySet:
        """Sessions that were not ended and whose time is not over."""
        return self.filter(ended_at__isnull=True, expires_at__gt=now)

    def over_before(self, moment: datetime) -> SessionQuerySet:
        """Sessions that were over by then."""
        return self.filter(expires_at__lt=moment)


class Session(models.Model):
    """One log-in and all the tokens, or the cookie, that descend from it (accounts.sessions)."""

    user = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="log_ins",
        db_index=False,  # session_by_person begins with it
    )
    kind = models.CharField(max_length=5, choices=SessionKind, default=SessionKind.API)
    started_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    #: Unused until then it is over: the idle end, and at most the longest a session lasts.
    expires_at = models.DateTimeField(db_index=True)
    #: When it was signed out, here or elsewhere, or a spent token of it was shown again.
    ended_at = models.DateTimeField(null=True)
    #: The address it was last used from.
    address = models.GenericIPAddressField(null=True)
    #: Like “Chrome on Android”.
    device = models.CharField(max_length=60, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["user", "-id"], name="session_by_person")]

    def __str__(self) -> str:
        return f"{self.user}: {self.device or self.kind}, since {self.started_at:%d %b %Y}"


class NameClaimQuerySet(models.QuerySet["NameClaim"]):
    def standing(self, now: datetime) -> NameClaimQuerySet:
        """Claims of names that are in use, or that rest."""
        return self.filter(Q(rests_until__isnull=True) | Q(rests_until__gt=now))


class NameClaim(models.Model):
    """What a name looks like, and who has or had a name that looks like it (accounts.names)."""

    skeleton = models.CharField(max_length=USERNAME_MAX, unique=True)
    #: None where the account is gone.
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="names")
    #: Its owner has another name; until then nobody else is given it.
    rests_until = models.DateTimeField(null=True, db_index=True)

    objects = NameClaimQuerySet.as_manager()

    def __str__(self) -> str:
        return self.skeleton


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


class PhoneProof(models.Model):
    """A phone that has proven itself to be a person's: it paid an order of theirs, or got a payout.

    Nothing but a prompt goes to a phone without one (accounts.contacts).
    """

    user = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="proven_phones",
        db_index=False,  # phone_is_proven_once_a_person begins with it
    )
    phone = models.CharField(max_length=12)
    #: When it last paid an order of theirs; only who knows its PIN can do that.
    paid_at = models.DateTimeField(null=True)
    #: When a payout of theirs last arrived on it; its owner need not have asked for that.
    received_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="phone_is_proven_once_a_person", fields=["user", "phone"]),
            models.CheckConstraint(
                name="phone_is_proven_by_something",
                condition=Q(paid_at__isnull=False) | Q(received_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.phone} of {self.user_id}"


class ContactCount(models.Model):
    """How often somebody was reached, or did reach others, within a window of time.

    Counted by accounts.contact_budgets; deleted once the window is over.
    """

    #: Whom or what, and the length of the window: a keyed digest, so that no phone stands here.
    key = models.CharField(max_length=64, primary_key=True)
    used = models.PositiveIntegerField(default=0)
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.used} until {self.ends_at}"


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
