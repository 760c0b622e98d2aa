"""Changing a person's addresses: one default, one collection place, ten in all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import transaction

from accounts.models import MAX_ADDRESSES, Address, User
from omachemainproj.api.errors import Refusal, refuse_field
from omachemainproj.locking import locked_row

#: What an address says; two that say the same are one.
TEXTS = ("label", "recipient", "phone", "county", "area", "directions")
#: What one of a person's addresses may be.
MARKS = ("is_default", "is_collection_place")
STAYS_DEFAULT = "Make another address the default instead."


class TooManyAddresses(Refusal):
    """They have as many as a person may have."""

    code = "too_many_addresses"
    message = f"You have {MAX_ADDRESSES} addresses already. Delete or change one of them."


class Added(NamedTuple):
    """An address; ``is_new`` where it was not there before."""

    address: Address
    is_new: bool


def add_address(user: User, fields: Mapping[str, Any]) -> Added:
    """Add an address to a person's. Safe to repeat: one that says the same is there once.

    ``fields`` has each of ``TEXTS``, ``label`` and ``directions`` if there are any, and
    ``is_default`` and ``is_collection_place`` where they are asked for. The first address is the
    default whatever was asked; another one that is asked to be takes its place, and so it is with
    the collection place. Raises TooManyAddresses (409).
    """
    texts = {name: fields.get(name, "") for name in TEXTS}
    with transaction.atomic():
        # Whatever is changed of a person's addresses waits here for what was begun before.
        locked_row(User, user.pk)
        there = list(Address.objects.of(user).newest_first())
        same = next((each for each in there if _says(each, texts)), None)
        if same is None and len(there) >= MAX_ADDRESSES:
            raise TooManyAddresses
        address = same or Address(user=user, **texts)
        # Said again without a mark, it keeps the marks it has.
        asked = {name: True for name in MARKS if fields.get(name)}
        _set_marks(address, there, asked, is_first=not there)
        address.save()
    return Added(address, same is None)


def change_address(user: User, address_id: int, changes: Mapping[str, Any]) -> Address:
    """Change these fields of a person's address, and no others.

    Made the default, or the collection place, it takes the place of the one that was it. The
    default cannot be made none. Raises Address.DoesNotExist where it is not theirs, and
    FieldRefusal.
    """
    with transaction.atomic():
        locked_row(User, user.pk)
        there = list(Address.objects.of(user).newest_first())
        address = next((each for each in there if each.pk == address_id), None)
        if address is None:
            raise Address.DoesNotExist(f"no address {address_id} of {user.pk}")
        if address.is_default and changes.get("is_default") is False:
            refuse_field("is_default", STAYS_DEFAULT)
        for name in TEXTS:
            setattr(address, name, changes.get(name, getattr(address, name)))
        _set_marks(address, there, changes, is_first=False)
        address.save()
    return address


def delete_address(user: User, address_id: int) -> None:
    """Delete a person's address; orders keep their own copies.

    Of the default's, the newest that is left takes the place. The collection place's nobody takes:
    goods are collected only where their seller said. Raises Address.DoesNotExist where it is not
    theirs.
    """
    with transaction.atomic():
        locked_row(User, user.pk)
        address = Address.objects.of(user).get(pk=address_id)
        address.delete()
        if address.is_default:
            newest = Address.objects.of(user).newest_first().first()
            if newest is not None:
                newest.is_default = True
                newest.save(update_fields=["is_default", "updated_at"])


def _says(address: Address, texts: Mapping[str, str]) -> bool:
    return all(getattr(address, name) == text for name, text in texts.items())


def _set_marks(
    address: Address, there: list[Address], changes: Mapping[str, Any], *, is_first: bool
) -> None:
    """Mark the address, and take the marks that it gets from the one that has them.

    From that one first: a person has one of each (constraints of Address). The caller saves.
    """
    for name in MARKS:
        is_marked = changes.get(name, getattr(address, name))
        if name == "is_default":
            is_marked = is_marked or is_first
        setattr(address, name, is_marked)
        for other in there:
            if is_marked and other.pk != address.pk and getattr(other, name):
                setattr(other, name, False)
                other.save(update_fields=[name, "updated_at"])
