"""How often a phone may be rung, and how many phones anybody may ring: over all accounts and paths.

A phone belongs to an account once it has paid one of its orders (accounts.contacts). Everybody else
who has it rung is a stranger to it, and all strangers share one small budget for each phone, so
that nothing they do takes the room of its owner.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from rest_framework import status

from accounts.contact_budgets import (
    DAY,
    HOUR,
    Budget,
    forget,
    give_back,
    take,
    take_of_groups,
)
from accounts.contacts import has_paid_from
from omachemainproj.api.errors import Refusal
from omachemainproj.ip_addresses import client_network

from .failures import RATE_LIMITED, TOO_MANY_PHONES

#: Prompts to one phone by an account whose orders it has paid.
OWN_PER_HOUR = 10
#: Prompts to one phone by all other accounts together.
STRANGERS_PER_HOUR, STRANGERS_PER_DAY = 5, 10
#: Different phones that have paid for none of its orders and that one account may have rung.
NEW_PHONES_PER_HOUR, NEW_PHONES_PER_DAY = 3, 6
#: A network's limit for an hour is a setting; in a day it may have so many times more rung.
NETWORK_DAY_FACTOR = 5


class TooManyNewPhones(Refusal):
    """The caller's network had as many phones rung as it may that have not paid here."""

    code = "too_many_new_phones"
    message = (
        "Too many different phones were asked to pay from your network. Use one you have paid with "
        "here before, or try again in an hour."
    )
    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    retry_after = 3600


class PromptReservation(NamedTuple):
    """What a prompt was taken out of; the failure code, and nothing taken, where none is left."""

    budgets: Sequence[Budget] = ()
    refused: str = ""


def reserve_prompt(user_id: int, phone: str, now: datetime, *, is_own: bool) -> PromptReservation:
    """Take a prompt to a phone for an account's order.

    ``is_own`` is whether the phone has paid for the account. Call inside the transaction that
    claims the attempt: rolled back with it, nothing was taken.
    """
    room = _room(user_id, phone, is_own=is_own)
    counted: Sequence[Budget] = ()
    if not is_own:
        new = f"new-phones:{user_id}", phone, NEW_PHONES_PER_HOUR, NEW_PHONES_PER_DAY
        once, all_new = _budgets_of_new_phone(*new)
        # One statement while there is room of all of it, and which is spent makes no difference.
        if take_of_groups(once, all_new, room, now=now):
            return PromptReservation([*once, *all_new, *room])
        found = _count_phone(*new, now)
        if found is None:
            return PromptReservation(refused=TOO_MANY_PHONES)
        counted = found
    return (
        PromptReservation([*counted, *room])
        if take(*room, now=now)
        else PromptReservation(refused=RATE_LIMITED)
    )


def release_prompt(taken: PromptReservation, now: datetime) -> None:
    """Give back what a prompt was taken out of: M-Pesa certainly did not ring the phone.

    Not what would be taken now: the phone may be the account's by now, or be so no more, and of a
    phone that was counted before, no room for new ones was taken.
    """
    give_back(*taken.budgets, now=now)


def check_network(user_id: int | None, phone: str, address: str, now: datetime) -> None:
    """Count a phone against the network that asks for it, unless it has paid for the account; of a
    guest (None) always.

    Where the shop limits requests at all. Raises TooManyNewPhones.
    """
    if not settings.THROTTLES or (user_id and has_paid_from(user_id, phone, now)):
        return
    per_hour, network = settings.NEW_PHONES_A_NETWORK, f"new-phones:{client_network(address, 48)}"
    if _count_phone(network, phone, per_hour, NETWORK_DAY_FACTOR * per_hour, now) is None:
        raise TooManyNewPhones()


def _room(user_id: int, phone: str, *, is_own: bool) -> list[Budget]:
    if is_own:
        return [Budget(f"own-prompts:{phone}:{user_id}", OWN_PER_HOUR, HOUR)]
    strangers = f"prompts:{phone}"
    return [
        Budget(strangers, STRANGERS_PER_HOUR, HOUR),
        Budget(strangers, STRANGERS_PER_DAY, DAY),
    ]


def _count_phone(
    who: str, phone: str, per_hour: int, per_day: int, now: datetime
) -> Sequence[Budget] | None:
    """Count a phone once a day for whom ``who`` names. Returns what it was taken out of: nothing,
    where it was counted before; None where it is one too many."""
    [once], room = _budgets_of_new_phone(who, phone, per_hour, per_day)
    with transaction.atomic(savepoint=False):
        if not take(once, now=now):
            return ()
        if take(*room, now=now):
            return (once, *room)
        forget(once)
    return None


def _budgets_of_new_phone(
    who: str, phone: str, per_hour: int, per_day: int
) -> tuple[list[Budget], list[Budget]]:
    """The budget that a phone has once a day, and the room for all phones, for whom ``who`` names.

    A phone that is counted already takes none of that room.
    """
    once = Budget(f"{who}:{phone}", 1, DAY)
    return [once], [Budget(who, per_hour, HOUR), Budget(who, per_day, DAY)]
