"""The admin's pages about money. Importing the package registers them."""

from django.contrib import admin

# Proposals in the admin may be about the console's buttons, so those are registered here too.
from payments.backoffice import (
    message_actions,
    problem_actions,
    receipt_actions,
    transfer_actions,
)

from . import (
    ledger,
    money_pages,
    money_search,
    order_goods,
    order_money,
    order_page,
    order_payments,
    payouts,
    person_page,
    problem_sections,
    summaries,
    transactions,
)

__all__ = [
    "ledger",
    "message_actions",
    "money_pages",
    "money_search",
    "order_goods",
    "order_money",
    "order_page",
    "order_payments",
    "payouts",
    "person_page",
    "problem_actions",
    "problem_sections",
    "receipt_actions",
    "summaries",
    "transactions",
    "transfer_actions",
]

#: The start page, with a link to the console above the lists.
admin.site.index_template = "admin/payments/index.html"
