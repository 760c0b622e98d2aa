"""Rows of money whose story and whose buttons are on the console."""

from __future__ import annotations

from django.db.models import Model

from accounts.backoffice.row_page import Link, RowPage
from payments.backoffice.kinds import console_page


class OnConsole(RowPage):
    """Gives an admin's rows a page that leads to what the console says and does about them."""

    def other_ways(self, row: Model) -> list[Link]:
        """Its story, for whoever sees the row: both take the same permission."""
        return [Link("Its story, and what you can do", console_page(row))]
