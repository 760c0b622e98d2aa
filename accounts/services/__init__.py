"""Account services: register, sign in, change details and passwords. One module per subject."""

from .closing import close_account, reopen_account
from .details import change_account, change_details
from .email_confirmation import LINK_IS_OVER, confirm_email
from .passwords import change_password, reset_password
from .registration import register, taken
from .sign_in import confirm_password, open_link, sign_in

__all__ = [
    "LINK_IS_OVER",
    "change_account",
    "change_details",
    "change_password",
    "close_account",
    "confirm_email",
    "confirm_password",
    "open_link",
    "register",
    "reopen_account",
    "reset_password",
    "sign_in",
    "taken",
]
