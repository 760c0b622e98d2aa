"""The console's buttons about gateway messages that could not be processed."""

from __future__ import annotations

from accounts.models import User
from payments.models import EventState, GatewayEvent

from . import receipt_services
from .kinds import Given, console_action


@console_action(
    "message",
    "again",
    "Reprocess it",
    "As if it had just arrived. Nothing is counted twice.",
    applies=lambda event: event.state not in {EventState.APPLIED, EventState.NEW},
    calls_gateway=True,
)
def reprocess_action(event: GatewayEvent, given: Given, by: User) -> str:
    processed = receipt_services.reprocess_message(event.pk)
    return f"{processed.get_state_display()}: {processed.note}"


@console_action(
    "message",
    "aside",
    "Set it aside",
    "This removes it from the list and keeps it. Nothing else changes.",
    applies=lambda event: event.state in receipt_services.MAY_BE_SET_ASIDE,
)
def set_aside_action(event: GatewayEvent, given: Given, by: User) -> str:
    receipt_services.set_message_aside(event.pk)
    return "Set aside."
