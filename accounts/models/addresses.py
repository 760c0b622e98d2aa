"""Users' addresses, for delivery and collection."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.counties import County

from .users import User

MAX_ADDRESSES = 10


class AddressQuerySet(models.QuerySet["Address"]):
    def of(self, user: User) -> AddressQuerySet:
        """A user's own addresses; views must start from here."""
        return self.filter(user=user)

    def newest_first(self) -> AddressQuerySet:
        return self.order_by("-pk")

    def as_listed(self) -> AddressQuerySet:
        """The default first, then the newest."""
        return self.order_by("-is_default", "-pk")

    def collection_places(self) -> AddressQuerySet:
        """Where sellers have their goods collected."""
        return self.filter(is_collection_place=True)


class Address(models.Model):
    """An address of a user, or one that receives parcels for them.

    Orders keep a copy, so changing or deleting an address changes no order.
    """

    user = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="addresses",
        db_index=False,  # address_of_person begins with it
    )
    label = models.CharField(max_length=30, blank=True, help_text="Like “home” or “shop”.")
    recipient = models.CharField(max_length=100, help_text="Who receives the parcels.")
    phone = models.CharField(max_length=12, help_text="12 digits: 2547… or 2541….")
    county = models.CharField(max_length=15, choices=County)
    area = models.CharField(max_length=100, help_text="Town, estate or street.")
    directions = models.CharField(
        max_length=300, blank=True, help_text="A landmark, or how to find it."
    )
    is_default = models.BooleanField(default=False)
    #: Where agents collect the goods this user sells.
    is_collection_place = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[AddressQuerySet] = AddressQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name_plural = "addresses"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                name="person_has_one_default_address",
                fields=["user"],
                condition=Q(is_default=True),
            ),
            models.UniqueConstraint(
                name="person_has_one_collection_place",
                fields=["user"],
                condition=Q(is_collection_place=True),
            ),
            models.CheckConstraint(
                name="address_is_in_a_county_there_is", condition=Q(county__in=County.values)
            ),
        ]
        indexes = [models.Index(fields=["user", "id"], name="address_of_person")]

    def __str__(self) -> str:
        return f"{self.area}, {self.get_county_display()}"
