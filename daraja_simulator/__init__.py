"""A local simulator of Daraja, Safaricom's M-Pesa API, for development, demos and tests.

Most callers need only ``Simulator``; ``README.md`` describes the rest.
"""

from .behaviour import Refusal, Script
from .config import Config
from .server import PortInUse
from .simulator import Simulator

__version__ = "1.3.0"

__all__ = ["Config", "PortInUse", "Refusal", "Script", "Simulator"]
