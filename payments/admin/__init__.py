"""The admin's pages about money. Importing the package registers them, whoever imports it first."""

from django.contrib import admin

# The console's buttons are proposals of the admin's too: they are there with it.
from payments.backoffice import (
    message_actions,
    problem_actions,
    receipt_actions,
    transfer_actions,
)

from . import finders, ledger, money_pages, payouts, person_page, transactions

__all__ = [
    "finders",
    "ledger",
    "message_actions",
    "money_pages",
    "payouts",
    "person_page",
    "problem_actions",
    "receipt_actions",
    "transactions",
    "transfer_actions",
]

#: The front page, with the way to the console above the lists.
admin.site.index_template = "admin/payments/index.html"
