"""The admin's pages about money. Importing the package registers them, whoever imports it first."""

from django.contrib import admin

from . import ledger, payouts, transactions

__all__ = ["ledger", "payouts", "transactions"]

#: The front page, with the way to the console above the lists.
admin.site.index_template = "admin/payments/index.html"
