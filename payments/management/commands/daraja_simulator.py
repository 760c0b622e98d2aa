"""``manage.py daraja_simulator``: the simulator of M-Pesa as a separate process."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from daraja_simulator import PortInUse
from daraja_simulator.process import add_arguments, run_with_options


class Command(BaseCommand):
    """Runs the simulator until Ctrl-C. Needs no database and no settings of the shop."""

    help = "Run the simulator of Safaricom's Daraja API, with a phone in the browser."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the simulator's own options."""
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until stopped."""
        try:
            run_with_options(options, self.stdout.write)
        except (OSError, PortInUse, ValueError) as error:
            raise CommandError(str(error)) from None
