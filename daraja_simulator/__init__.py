"""A pretend Safaricom for laptops, demos and tests: Daraja's HTTP, without Safaricom.

``Simulator`` is all that most callers need; ``docs/simulator.md`` tells the rest. Nothing here
imports the shop.
"""

from .behaviour import Refusal, Script
from .config import Config
from .server import PortInUse
from .simulator import Simulator

__all__ = ["Config", "PortInUse", "Refusal", "Script", "Simulator"]
