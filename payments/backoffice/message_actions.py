"""The console's buttons about messages of the gateway that could not be acted on."""

from __future__ import annotations

from accounts.models import User
from payments.models import EventState, GatewayEvent

from . import receipt_services
from .kinds import Given, console_action


@console_action(
    "message",
    "again",
    "Act on it again",
    "As if it had just come. What was counted is not counted again.",
    applies=lambda event: event.state not in {EventState.APPLIED, EventState.NEW},
    calls_gateway=True,
)
def process_again(event: GatewayEvent, given: Given, by: User) -> str:
    processed = receipt_services.reprocess_message(event.pk)
    return f"{processed.get_state_display()}: {processed.note}"


@console_action(
    "message",
    "aside",
    "Set it aside",
    "It leaves the list and is kept. Nothing else changes.",
    applies=lambda event: event.state in receipt_services.MAY_BE_SET_ASIDE,
)
def set_aside(event: GatewayEvent, given: Given, by: User) -> str:
    receipt_services.set_message_aside(event.pk)
    return "Set aside."
