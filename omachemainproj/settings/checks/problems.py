"""What the checks read and yield, and what several of them compare with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Settings = Mapping[str, Any]
#: The variable's name, and a sentence about it for the person starting the shop.
Problems = Iterator[tuple[str, str]]

#: Secrets whose defaults are published with the simulator, and protect nothing.
PUBLISHED_SECRETS = (
    "DARAJA_CONSUMER_KEY",
    "DARAJA_CONSUMER_SECRET",
    "DARAJA_PASSKEY",
    "DARAJA_INITIATOR_PASSWORD",
    "DARAJA_C2B_TOKEN",
)
