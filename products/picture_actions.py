"""Staff actions on a product's pictures. Each is audited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from accounts.backoffice.actions import OptionalReasonForm, ReasonForm, StaffAction, register
from accounts.models import User
from omachemainproj.images import MAX_BYTES, BadPicture, Picture, normalise

from .listings.pictures import (
    NoSuchPicture,
    add_picture,
    order_pictures,
    remove_picture,
    replace_picture,
)
from .models import Product, ProductPicture


class UploadedPicture:
    """An uploaded picture, recorded in the audit by its file name."""

    def __init__(self, name: str, picture: Picture) -> None:
        self.name, self.picture = name, picture

    def __str__(self) -> str:
        return self.name


class UploadForm(OptionalReasonForm):
    """A picture file."""

    picture = forms.FileField(label="Picture", widget=forms.FileInput(attrs={"accept": "image/*"}))

    def clean_picture(self) -> UploadedPicture:
        sent: UploadedFile = self.cleaned_data["picture"]
        if (sent.size or 0) > MAX_BYTES:
            raise ValidationError(f"The picture is larger than {MAX_BYTES // 1024 // 1024} MB.")
        try:
            return UploadedPicture(str(sent.name), normalise(sent.read(), gallery=True))
        except BadPicture as error:
            raise ValidationError(str(error)) from error


class WhichForm(OptionalReasonForm):
    """One of a product's pictures, by its id."""

    which = forms.IntegerField(min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)


class ReplaceForm(UploadForm, WhichForm):
    """A picture file, and the picture it replaces."""


def _add(product: Product, given: Mapping[str, Any], by: User) -> None:
    add_picture(product.pk, given["picture"].picture)


def _replace(product: Product, given: Mapping[str, Any], by: User) -> None:
    replace_picture(product.pk, given["which"], given["picture"].picture)


def _remove(product: Product, given: Mapping[str, Any], by: User) -> None:
    remove_picture(product.pk, given["which"])


def _move(product: Product, which: int, by: int) -> None:
    pictures = ProductPicture.objects.filter(product=product.pk).order_by("place")
    ids = list(pictures.values_list("pk", flat=True))
    if which not in ids:
        raise NoSuchPicture
    place = ids.index(which)
    ids.insert(max(place + by, 0), ids.pop(place))
    order_pictures(product.pk, ids)


def _earlier(product: Product, given: Mapping[str, Any], by: User) -> None:
    _move(product, given["which"], -1)


def _later(product: Product, given: Mapping[str, Any], by: User) -> None:
    _move(product, given["which"], 1)


def _action(key: str, label: str, do: Any, form: type[ReasonForm] = WhichForm) -> StaffAction:
    return register(StaffAction(label, do, form, key=f"product.picture.{key}"))


#: By the key in each action's address.
PICTURE_ACTIONS = {
    "add": _action("add", "Add a picture", _add, UploadForm),
    "replace": _action("replace", "Replace a picture", _replace, ReplaceForm),
    "remove": _action("remove", "Remove a picture", _remove),
    "earlier": _action("earlier", "Show a picture earlier", _earlier),
    "later": _action("later", "Show a picture later", _later),
}
