"""How often one phone may be prompted, and how many phones one caller may prompt.

A phone belongs to an account once it has paid one of its orders (accounts.contacts). Every other
account is a stranger to it. All strangers share one small budget for each phone, so that they
cannot use up its owner's.
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
    release,
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
#: Different phones that one account may have prompted and that have paid for none of its orders.
NEW_PHONES_PER_HOUR, NEW_PHONES_PER_DAY = 3, 6
#: A network's limit per hour is a setting; its limit per day is this many times as high.
NETWORK_DAY_FACTOR = 5


class TooManyNewPhones(Refusal):
    """The caller's network has reached its limit of phones that have never paid here."""

    code = "too_many_new_phones"
    message = (
        "Too many different phones were asked to pay from your network. Use one you have paid with "
        "here before, or try again in an hour."
    )
    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    retry_after = 3600


class PromptReservation(NamedTuple):
    """The budgets a prompt was counted against; or none and a failure code, if one is used up."""

    budgets: Sequence[Budget] = ()
    refused: str = ""


def reserve_prompt(user_id: int, phone: str, now: datetime, *, is_own: bool) -> PromptReservation:
    """Count a prompt to a phone for an account's order against its budgets.

    ``is_own`` is whether the phone has paid for the account. Call inside the transaction that
    claims the attempt: if that is rolled back, nothing was counted.
    """
    room = _remaining(user_id, phone, is_own=is_own)
    counted: Sequence[Budget] = ()
    if not is_own:
        new = f"new-phones:{user_id}", phone, NEW_PHONES_PER_HOUR, NEW_PHONES_PER_DAY
        once, all_new = _budgets_of_new_phone(*new)
        # One statement as long as no budget is used up.
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
    """Release the budgets of a prompt that M-Pesa certainly did not send.

    The budgets recorded then, not those that would apply now: the phone may have become the
    account's since, or ceased to be, and one that was counted before used no budget for new ones.
    """
    release(*taken.budgets, now=now)


def check_network(user_id: int | None, phone: str, address: str, now: datetime) -> None:
    """Count a phone against the caller's network, unless it has paid for the account before.

    A guest's (``user_id`` None) always counts. Does nothing if throttles are off. Raises
    TooManyNewPhones.
    """
    if not settings.THROTTLES or (user_id and has_paid_from(user_id, phone, now)):
        return
    per_hour, network = settings.NEW_PHONES_A_NETWORK, f"new-phones:{client_network(address, 48)}"
    if _count_phone(network, phone, per_hour, NETWORK_DAY_FACTOR * per_hour, now) is None:
        raise TooManyNewPhones()


def _remaining(user_id: int, phone: str, *, is_own: bool) -> list[Budget]:
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
    """Count a phone once a day for the account or network ``who``.

    Returns the budgets it was counted against: none if it was counted today already; None if it is
    one too many.
    """
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
    """The budget that marks a phone as counted today, and those for all phones, of ``who``.

    A phone that is counted already uses none of the latter.
    """
    once = Budget(f"{who}:{phone}", 1, DAY)
    return [once], [Budget(who, per_hour, HOUR), Budget(who, per_day, DAY)]
