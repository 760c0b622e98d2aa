"""Admin pages of rows whose history and buttons are on the console."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest

from accounts.backoffice.row_page import Link, RowPage, columns_of
from payments.backoffice.kinds import console_page


class ConsoleRowPage(RowPage):
    """Link an admin's rows to their pages on the console."""

    def other_links(self, row: Model) -> list[Link]:
        """The link to the console, which needs the same permission as the row."""
        return [Link("History and actions", console_page(row))]


class Summarised(ConsoleRowPage):
    """Rows with a summary at the head of their page (summaries.py); their columns are folded."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return columns_of(self.get_fields(request, obj))
