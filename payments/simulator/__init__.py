"""A pretend Safaricom for laptops, demos and tests: Daraja's HTTP, without Safaricom.

``Simulator`` is all that most callers need; ``docs/simulator.md`` tells the rest. Nothing here
imports the shop.
"""

from payments.simulator.behaviour import Refusal, Script
from payments.simulator.config import Config
from payments.simulator.server import PortInUse
from payments.simulator.simulator import Simulator

__all__ = ["Config", "PortInUse", "Refusal", "Script", "Simulator"]
