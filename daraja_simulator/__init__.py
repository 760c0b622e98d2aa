"""A pretend Safaricom for laptops, demos and tests: Daraja's HTTP, without Safaricom.

``Simulator`` is all that most callers need; ``README.md`` describes the rest.
"""

from .behaviour import Refusal, Script
from .config import Config
from .server import PortInUse
from .simulator import Simulator

__version__ = "1.2.0"

__all__ = ["Config", "PortInUse", "Refusal", "Script", "Simulator"]
