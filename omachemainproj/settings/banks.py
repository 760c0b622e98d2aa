"""Banks whose notifications of payments the shop receives: Equity."""

from .base import env

#: The credentials of Equity Bank's notifications (IPN); no password: no such URL.
EQUITY_IPN_USERNAME = env.text("EQUITY_IPN_USERNAME")
EQUITY_IPN_PASSWORD = env.text("EQUITY_IPN_PASSWORD")
#: Equity's pay bill, and the account number that a buyer enters there: {reference} is replaced by
#: the order's. Shown to buyers if it is set.
EQUITY_PAY_BILL = env.digits("EQUITY_PAY_BILL", default="247247")
EQUITY_ACCOUNT = env.text("EQUITY_ACCOUNT")
#: The shop's account at the bank: a notification for another account is not the shop's money.
#: Empty: the number that EQUITY_ACCOUNT begins with, if that is a whole account number.
EQUITY_ACCOUNT_NUMBER = env.digits("EQUITY_ACCOUNT_NUMBER")
