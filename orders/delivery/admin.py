"""The admin pages of pick-up points and delivery rates.

Managed by the ``delivery`` role; every change is audited (accounts.backoffice.admin.ShopAdmin).
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Field, Q, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst

from accounts.backoffice.admin import ShopAdmin
from accounts.backoffice.formats import dial
from accounts.models import User
from omachemainproj.phones import normalise_phone
from omachemainproj.text import has_controls, is_turned, tidy_line
from orders.models import DeliveryRate, PickupPoint

_LINES = ("name", "area", "directions", "opening_hours")


class PhoneField(forms.CharField):
    """A phone number as people write it, stored as 12 digits."""

    def prepare_value(self, value: Any) -> Any:
        return dial(value) if isinstance(value, str) else value

    def to_python(self, value: Any) -> str:
        typed = super().to_python(value) or ""
        if not typed:
            return typed
        try:
            return normalise_phone(typed)
        except ValueError as error:
            raise ValidationError("Enter a Kenyan mobile number, like 0712345678.") from error


class PickupPointForm(forms.ModelForm):
    """A pick-up point; its texts and phone are checked like addresses in the API."""

    phone = PhoneField(help_text="As people write it, like 0712 345 678.")

    class Meta:
        model = PickupPoint
        fields = (
            "name",
            "county",
            "area",
            "directions",
            "opening_hours",
            "phone",
            "is_open",
            "agents",
        )
        widgets = {"agents": forms.CheckboxSelectMultiple}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "agents" in self.fields:
            self.fields["agents"].queryset = _agents(self.instance)  # type: ignore[attr-defined]
            self.fields["agents"].help_text = "The people who hand over parcels there."


def _line(typed: str) -> str:
    """Normalise a one-line text like in addresses. Raises ValidationError."""
    line = tidy_line(typed)
    if has_controls(line):
        raise ValidationError("This text has signs that cannot be shown.")
    if is_turned(typed):
        raise ValidationError("This text has signs that turn the order of its letters.")
    return line


def _agents(point: PickupPoint) -> QuerySet[User]:
    """Possible agents of a point: users with the delivery role, and its current agents."""
    role = Q(groups__name="delivery", is_active=True)
    now = Q(pickup_points=point.pk) if point.pk else Q(pk__in=[])
    return User.objects.filter(role | now).distinct().order_by("username")


class PickupPointAdmin(ShopAdmin):
    """Pick-up points. A closed one accepts no new parcels; those under way still go there.

    Points are never deleted, because orders refer to them.
    """

    form = PickupPointForm
    list_display = ("name", "is_open", "county", "area", "opening_hours", "phone")
    list_filter = ("is_open", "county")
    ordering = ("county", "name")
    search_fields = ("name__istartswith",)
    search_help_text = "Search by the beginning of a point's name."
    normalisers = dict.fromkeys(_LINES, _line)

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in _LINES and isinstance(field, forms.CharField):
            field.widget.attrs["class"] = "vTextField"
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class DeliveryRateAdmin(ShopAdmin):
    """Delivery rates. A change applies to new orders only."""

    list_display = ("where", "fee", "days", "free_above")
    labels: ClassVar[dict[str, str]] = {"days": "Days it takes", "free_above": "Free above"}
    list_filter = ("way",)
    ordering = ("way", "county")
    fields = ("way", "county", "fee", "days", "free_above")
    words_of_none: ClassVar[dict[str, str]] = {"county": "Every county without a rate of its own"}
    page_name = "What it costs"

    @admin.display(description="What it costs")
    def where(self, rate: DeliveryRate) -> str:
        return capfirst(str(rate))

    def formfield_for_choice_field(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_choice_field(db_field, request, **kwargs)
        if db_field.name in self.words_of_none:
            # The empty choice has its own label.
            field.help_text = ""
        return field
