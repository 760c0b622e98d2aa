"""The shop's rules for orders, parcels and problems: days, hours and commission."""

from .base import THROTTLES, env

ORDER_HOLD_MINUTES = env.number("ORDER_HOLD_MINUTES", default=15, least=1, most=24 * 60)
#: Distinct products that people who have never paid may hold from one network; 0: no limit. On a
#: laptop, and in a rehearsal without rate limits, everybody is on one network.
UNPAID_GOODS_PER_NETWORK = env.number(
    "UNPAID_GOODS_PER_NETWORK", default=40 if THROTTLES else 0, most=1_000_000
)
#: For new sales; each line keeps the commission agreed when it was sold.
COMMISSION_PERCENT = env.percent("COMMISSION_PERCENT")
#: Days after delivery during which a buyer can report a problem.
PROBLEM_DAYS = env.number("PROBLEM_DAYS", default=7, least=1, most=90)
#: Days without an answer after which a problem is shown in red on the console.
PROBLEM_ANSWER_DAYS = env.number("PROBLEM_ANSWER_DAYS", default=3, least=1, most=30)
#: Shipped goods count as delivered after this many days without an answer from their buyer.
DELIVERY_CONFIRM_DAYS = env.number("DELIVERY_CONFIRM_DAYS", default=7, least=1, most=365)
#: Days a parcel waits at its pick-up point; its buyer is reminded after half of them. After that,
#: staff decide.
PICKUP_DAYS = env.number("PICKUP_DAYS", default=7, least=2, most=90)
#: The number of claimed parcels that an agent has yet to fetch, and the hours after which an
#: unfetched parcel becomes available to others again.
PARCELS_HELD_UNFETCHED = env.number("PARCELS_HELD_UNFETCHED", default=20, least=1, most=1000)
PARCEL_CLAIM_HOURS = env.number("PARCEL_CLAIM_HOURS", default=24, least=1, most=24 * 14)
