"""Changing a user's addresses: one default, one collection place, at most ten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import transaction

from accounts.models import MAX_ADDRESSES, Address, User
from accounts.tokens import lock_caller
from omachemainproj.api.errors import Refusal, refuse_field

#: The text fields of an address; two with the same texts are one.
TEXTS = ("label", "recipient", "phone", "county", "area", "directions")
#: Flags that one of a user's addresses may have.
MARKS = ("is_default", "is_collection_place")
STAYS_DEFAULT = "Make another address the default instead."


class TooManyAddresses(Refusal):
    """The user has the maximum number of addresses."""

    code = "too_many_addresses"
    message = f"You have {MAX_ADDRESSES} addresses already. Delete or change one of them."


class Added(NamedTuple):
    """An address; ``is_new`` unless it existed before."""

    address: Address
    is_new: bool


def add_address(user: User, fields: Mapping[str, Any]) -> Added:
    """Add an address. Safe to repeat: the same address is stored once.

    ``fields`` has ``TEXTS`` (``label`` and ``directions`` are optional) and optionally
    ``is_default`` and ``is_collection_place``. The first address is always the default. A new
    default or collection place replaces the old one. Raises TooManyAddresses (409).
    """
    texts = {name: fields.get(name, "") for name in TEXTS}
    with transaction.atomic():
        # Serialises all changes of the user's addresses.
        lock_caller(user)
        there = list(Address.objects.of(user).newest_first())
        same = next((each for each in there if _says(each, texts)), None)
        if same is None and len(there) >= MAX_ADDRESSES:
            raise TooManyAddresses
        address = same or Address(user=user, **texts)
        # Added again without a flag, it keeps the flags it has.
        marks = {name: True for name in MARKS if fields.get(name)}
        _set_marks(address, there, marks, is_first=not there)
        address.save()
    return Added(address, same is None)


def change_address(user: User, address_id: int, changes: Mapping[str, Any]) -> Address:
    """Change only these fields of a user's address.

    A new default or collection place replaces the old one. The default's flag cannot be removed.
    Raises Address.DoesNotExist if it is not theirs, and FieldRefusal.
    """
    with transaction.atomic():
        lock_caller(user)
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
    """Delete a user's address; orders keep their own copies.

    If it was the default, the newest one left becomes the default. A deleted collection place is
    not replaced: goods are collected only where their seller said. Raises Address.DoesNotExist if
    it is not theirs.
    """
    with transaction.atomic():
        lock_caller(user)
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
    """Set the address's flags, and remove them from the address that had them.

    Removed first, since each flag is unique per user (constraints of Address). The caller saves.
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
