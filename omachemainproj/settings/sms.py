"""SMS, by Africa's Talking."""

from .base import PRODUCTION, env

#: How SMS are sent: not at all, to a laptop's log, or by Africa's Talking.
SMS = env.choice(
    "SMS", among=("off", "console", "africastalking"), default="off" if PRODUCTION else "console"
)
AFRICASTALKING_USERNAME = env.visible("AFRICASTALKING_USERNAME")
AFRICASTALKING_API_KEY = env.visible("AFRICASTALKING_API_KEY")
#: The registered short code or name it comes from; empty: Africa's Talking's own.
AFRICASTALKING_SENDER_ID = env.text("AFRICASTALKING_SENDER_ID")
#: The secret part of the address its delivery reports are posted to; empty: none are read.
AFRICASTALKING_REPORTS_TOKEN = env.visible(
    "AFRICASTALKING_REPORTS_TOKEN", default="" if PRODUCTION else "laptop-only"
)
AFRICASTALKING_BASE_URL = env.base_url(
    "AFRICASTALKING_BASE_URL", default="https://api.africastalking.com"
)
