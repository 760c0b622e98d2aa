"""Personal data, and how long it is kept and seen (docs/privacy.md)."""

from .base import env

#: Days for which the phone of a finished order is kept; then only its last three digits.
KEEP_PHONES_DAYS = env.number("KEEP_PHONES_DAYS", default=365, least=30, most=3650)
#: Days for which the text and the recipient of a sent message are kept.
KEEP_MESSAGES_DAYS = env.number("KEEP_MESSAGES_DAYS", default=180, least=7, most=3650)
#: Days after delivery during which a seller sees the buyer's number.
SELLER_SEES_PHONE_DAYS = env.number("SELLER_SEES_PHONE_DAYS", default=7, most=365)
#: Days after a parcel is handed over during which its agent sees it, with both addresses.
AGENT_SEES_PARCEL_DAYS = env.number("AGENT_SEES_PARCEL_DAYS", default=7, most=365)
#: Days for which a username that its user gave up is not available to others.
NAME_RESTS_DAYS = env.number("NAME_RESTS_DAYS", default=365, least=1, most=3650)
#: Ended sessions: times, addresses and devices.
KEEP_SESSIONS_DAYS = env.number("KEEP_SESSIONS_DAYS", default=30, least=1, most=3650)
