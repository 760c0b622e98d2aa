"""Limits of payouts and refunds, and above which amounts a second person approves, KES."""

from omachemainproj.mpesa_limits import MAX_B2C, MAX_PAYMENT

from .base import env

#: The limit of payouts to sellers in one day, KES. At least M-Pesa's largest payment.
PAYOUT_DAILY_LIMIT = env.number(
    "PAYOUT_DAILY_LIMIT", default=1_000_000, least=MAX_B2C, most=1_000_000_000
)
#: A payout above this, KES, waits for the approval of a second person.
PAYOUT_APPROVAL_ABOVE = env.number("PAYOUT_APPROVAL_ABOVE", default=50_000, most=MAX_B2C)

#: The limit of refunds to buyers in one day, KES. At least M-Pesa's largest payment.
REFUND_DAILY_LIMIT = env.number(
    "REFUND_DAILY_LIMIT", default=1_000_000, least=MAX_PAYMENT, most=1_000_000_000
)
#: A refund above this, KES, waits for the approval of a second person.
REFUND_APPROVAL_ABOVE = env.number("REFUND_APPROVAL_ABOVE", default=50_000, most=MAX_PAYMENT)
#: The most that a seller whose earnings were paid out may refund without the shop's decision, KES,
#: including all they already owe the shop. 0: nothing.
SELLER_REFUND_ON_CREDIT = env.number("SELLER_REFUND_ON_CREDIT", default=5_000, most=MAX_B2C)
#: How much of the shop's money one staff member may risk without a second person's approval, KES:
#: per action, and per day. 0: nothing.
STAFF_ALONE_LIMIT = env.number("STAFF_ALONE_LIMIT", default=5_000, most=MAX_B2C)
STAFF_ALONE_DAILY_LIMIT = env.number("STAFF_ALONE_DAILY_LIMIT", default=20_000, most=1_000_000)
#: How much one staff member may release per day to its owners, KES: to sellers whose goods they
#: fetch, and back to payers whose lines are cancelled before that.
STAFF_MOVES_DAILY_LIMIT = env.number("STAFF_MOVES_DAILY_LIMIT", default=300_000, most=1_000_000_000)
