"""People."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import F, Func, Q, QuerySet
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.utils.crypto import salted_hmac

from accounts.lookalikes import skeleton
from accounts.validators import (
    EMAIL_MAX,
    USERNAME_MAX,
    UsernameValidator,
    normalise_email,
    normalise_username,
)
from omachemainproj.text import fold_password

USERNAME_TAKEN = "This username is taken."
EMAIL_TAKEN = "Somebody is registered with this e-mail address."


def _concat_lower(*columns: str) -> Func:
    """Columns joined by a space, in lower case.

    Without a parameter, which ``Concat`` would add: otherwise SQLite would not use the index.
    """
    # In a migration's argument order: Django would see another order as a different index.
    return Func(*columns, arg_joiner=" || ' ' || ", template="LOWER(%(expressions)s)")


#: Lower-case expressions for searching users by name, with full names in both orders. Each has an
#: index.
CALLED_BY = {
    "username": Lower("username"),
    "email": Lower("email"),
    "first_name": _concat_lower("first_name", "last_name"),
    "last_name": _concat_lower("last_name", "first_name"),
}


if TYPE_CHECKING:
    _UserManager = UserManager["User"]
else:
    _UserManager = UserManager


class People(_UserManager):
    """Finds users by name or e-mail, in any case and form (accounts.validators).

    Uses the unique indexes.
    """

    use_in_migrations = False

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """The stored form of an e-mail, for Django's forms and commands."""
        return normalise_email(email or "")

    def create_user(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> User:
        """Create a user with a normalised password (``User.set_password``)."""
        return super().create_user(username, email, _as_hashed(password), **extra)

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> User:
        """Create a superuser with a normalised password."""
        return super().create_superuser(username, email, _as_hashed(password), **extra)

    def with_language(self) -> QuerySet[User]:
        """Users with their chosen language, so that ``spoken_language`` needs no query."""
        return self.annotate(chosen_language=F("message_preferences__language"))

    def called(self, username: str) -> QuerySet[User]:
        """The user with this username, if any."""
        return self.filter(Exact(Lower("username"), normalise_username(username).lower()))

    def called_from(self, text: str, *, by: str) -> QuerySet[User]:
        """Users ordered by one of ``CALLED_BY``, starting at this text.

        Each has the expression as ``called``; empty ones are left out. No LIKE pattern is used,
        since an index only supports it in one collation.
        """
        people = self.exclude(**{by: ""}).annotate(called=CALLED_BY[by])
        return people.filter(called__gte=text.lower()).order_by("called")

    def reached_at(self, email: str) -> QuerySet[User]:
        """The users with this e-mail, its owner first; none for ``""``.

        The owner is the user who confirmed it or else, among open accounts, the first who entered
        it, so that a later account cannot take over log-ins or reset links.
        """
        wanted = normalise_email(email).lower()
        people = self.filter(Exact(Lower("email"), wanted)).exclude(email="")
        return people.order_by("-is_active", F("email_confirmed_at").desc(nulls_last=True), "pk")

    def confirmed_at(self, email: str) -> QuerySet[User]:
        """The user who confirmed this e-mail, if any."""
        return self.reached_at(email).filter(email_confirmed_at__isnull=False)

    def known_as(self, typed: str) -> QuerySet[User]:
        """The user with this e-mail or username; only an e-mail contains an ``@``."""
        typed = normalise_email(typed)
        return self.reached_at(typed) if "@" in typed else self.called(typed)


def _as_hashed(password: str | None) -> str | None:
    return None if password is None else fold_password(password)


def avatar_path(user: User, name: str) -> str:
    """Where an avatar is stored; its name is random (see omachemainproj.images)."""
    return f"avatars/{name}"


class SkeletonField(models.CharField):
    """The username's skeleton, computed whenever a row is saved (accounts.lookalikes)."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        value = skeleton(str(getattr(model_instance, "username", "")))
        setattr(model_instance, self.attname, value)
        return value


class User(AbstractUser):
    """A user who buys, sells, or both.

    Usernames are unique in any case, and so are confirmed e-mails: entering someone else's address
    does not keep them from using it.
    """

    username = models.CharField(
        max_length=USERNAME_MAX,
        unique=True,
        validators=[UsernameValidator()],
        error_messages={"unique": USERNAME_TAKEN},
    )
    email = models.EmailField(blank=True, max_length=EMAIL_MAX)
    avatar = models.ImageField(upload_to=avatar_path, blank=True)
    #: The phone for questions about orders, 12 digits; empty if unknown.
    phone = models.CharField(max_length=12, blank=True, default="", db_default="")
    #: Whether the user set or removed the phone themselves; then payments no longer change it.
    phone_chosen = models.BooleanField(default=False, db_default=False, editable=False)
    #: People describe themselves in their own words.
    gender = models.CharField(max_length=30, blank=True)
    skeleton = SkeletonField(max_length=USERNAME_MAX, default="", editable=False, db_index=True)
    #: When the owner followed a link mailed there; None: unconfirmed.
    email_confirmed_at = models.DateTimeField(null=True, editable=False)
    #: Since when log-in requires a second factor; empty: it does not. The factor itself is in
    #: allauth's Authenticator rows; only accounts.second_factor writes both.
    second_factor_at = models.DateTimeField("second factor since", null=True, editable=False)
    #: When the account was deleted; only its number is left (payments.people.erasure).
    erased_at = models.DateTimeField("deleted", null=True, editable=False)

    objects: ClassVar[People] = People()

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
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
            models.CheckConstraint(
                name="erased_person_has_no_name_and_no_way_in",
                condition=Q(erased_at__isnull=True)
                | Q(
                    is_active=False,
                    is_staff=False,
                    is_superuser=False,
                    email="",
                    phone="",
                    first_name="",
                    last_name="",
                    gender="",
                    avatar="",
                    username__startswith="#",
                ),
            ),
        ]
        indexes = [
            models.Index(Lower("email"), name="user_by_email", condition=~Q(email="")),
            models.Index(
                fields=["erased_at"], name="user_erased", condition=Q(erased_at__isnull=False)
            ),
            models.Index(fields=["date_joined"], name="user_by_joined"),
            # For callers who give their number,
            models.Index(fields=["phone"], name="user_by_phone", condition=~Q(phone="")),
            # or their name, in either order.
            models.Index(
                CALLED_BY["first_name"], name="user_by_first_name", condition=~Q(first_name="")
            ),
            models.Index(
                CALLED_BY["last_name"], name="user_by_last_name", condition=~Q(last_name="")
            ),
        ]
        permissions = [
            ("help_user", "Can sign people out and take their avatars away"),
            ("export_rows", "Can download lists as CSV"),
            ("export_phones", "Can download them with phones in full"),
        ]

    def __str__(self) -> str:
        return self.username

    @classmethod
    def normalize_username(cls, username: Any) -> Any:
        """The stored form of a username, for Django's forms and commands."""
        return normalise_username(username) if isinstance(username, str) else username

    @property
    def spoken_language(self) -> str:
        """The user's chosen language, English by default.

        One query, or none after ``with_language()``.
        """
        if "chosen_language" not in self.__dict__:
            own = type(self).objects.filter(pk=self.pk)
            chosen = own.values_list("message_preferences__language", flat=True).first()
            self.__dict__["chosen_language"] = chosen
        return self.__dict__["chosen_language"] or "en"

    def set_password(self, raw_password: str | None) -> None:
        """Set the password in normalised form, so that any keyboard can type it."""
        super().set_password(_as_hashed(raw_password))

    def check_password(self, raw_password: str | None) -> bool:
        """Check the password as typed, and in normalised form.

        As typed first, since old hashes were not normalised.
        """
        folded = _as_hashed(raw_password)
        return super().check_password(raw_password) or (
            folded != raw_password and super().check_password(folded)
        )

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """Bind sessions to the password and the second factor.

        A change of either ends all older sessions.
        """
        bound = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        if self.second_factor_at is None:
            return str(bound)
        since = self.second_factor_at.timestamp()
        return salted_hmac(
            "accounts.session", f"{bound} {since}", secret=secret, algorithm="sha256"
        ).hexdigest()
