"""The admin's pages about money. Importing the package registers them, whoever imports it first."""

from django.contrib import admin

# The console's buttons are proposals of the admin's too: they are there with it.
from payments.backoffice import (
    message_actions,
    problem_actions,
    receipt_actions,
    transfer_actions,
)

from . import (
    finders,
    ledger,
    money_pages,
    order_goods,
    order_money,
    order_page,
    order_payments,
    payouts,
    person_page,
    problem_sections,
    transactions,
)

__all__ = [
    "finders",
    "ledger",
    "message_actions",
    "money_pages",
    "order_goods",
    "order_money",
    "order_page",
    "order_payments",
    "payouts",
    "person_page",
    "problem_actions",
    "problem_sections",
    "receipt_actions",
    "transactions",
    "transfer_actions",
]

#: The front page, with the way to the console above the lists.
admin.site.index_template = "admin/payments/index.html"
