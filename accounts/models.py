"""Who people are."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower


def avatar_path(user: User, name: str) -> str:
    """Where an avatar is kept; the name is ours (see omachemainproj.pictures)."""
    return f"avatars/{name}"


class User(AbstractUser):
    """A person who buys, sells, or both. Names and e-mails are unique whatever their case."""

    email = models.EmailField(blank=True)
    avatar = models.ImageField(upload_to=avatar_path, blank=True)
    #: People describe themselves in their own words.
    gender = models.CharField(max_length=30, blank=True)

    objects = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("username"), name="username_is_unique_in_any_case"),
            models.UniqueConstraint(
                Lower("email"), name="email_is_unique_in_any_case", condition=~Q(email="")
            ),
        ]

    def __str__(self) -> str:
        return self.username
