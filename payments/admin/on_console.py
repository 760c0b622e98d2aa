"""Admin pages of rows whose history and buttons are on the console."""

from __future__ import annotations

from django.db.models import Model

from accounts.backoffice.row_page import Link, RowPage
from payments.backoffice.kinds import console_page


class OnConsole(RowPage):
    """Link an admin's rows to their pages on the console."""

    def other_ways(self, row: Model) -> list[Link]:
        """The link to the console, which needs the same permission as the row."""
        return [Link("History and actions", console_page(row))]
