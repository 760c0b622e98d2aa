"""``manage.py daraja_simulator``: the pretend Safaricom as a process of its own."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from payments.simulator import PortInUse
from payments.simulator.process import run


class Command(BaseCommand):
    """Runs the simulator until Ctrl-C. Needs no database and no settings of the shop."""

    help = "Run a pretend Safaricom (Daraja) with a phone in the browser."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the address to listen on and what becomes of a prompt nobody scripted."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8001)
        parser.add_argument(
            "--default",
            default="person",
            help='what becomes of a prompt: "person" (default), "success" or a result code',
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        try:
            run(
                host=options["host"],
                port=options["port"],
                default=options["default"],
                say=self.stdout.write,
            )
        except (PortInUse, ValueError) as error:
            raise CommandError(str(error)) from None
