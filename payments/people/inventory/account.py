"""The account: profile, addresses, phones, sign-ins and sessions."""

from .holding import WHOLE, Holding

ACCOUNT = [
    Holding(
        "person",
        "accounts.User",
        "pk",
        (
            "id username email email_confirmed_at first_name last_name gender phone "
            "avatar date_joined last_login second_factor_at"
        ),
        hidden="password skeleton",
        goes="username email first_name last_name gender phone avatar password skeleton",
    ),
    Holding(
        "addresses",
        "accounts.Address",
        "user",
        (
            "label recipient phone county area directions is_default is_collection_place "
            "created_at updated_at"
        ),
        hidden="user",
        goes=WHOLE,
    ),
    Holding(
        "messages_wanted",
        "accounts.MessagePreferences",
        "user",
        ("language buying_email buying_sms prompts_email prompts_sms selling_email selling_sms"),
        hidden="user",
        goes=WHOLE,
    ),
    Holding(
        "sign_in_phone",
        "accounts.PhoneLogin",
        "user",
        "phone linked_at proved_at",
        hidden="user",
        goes=WHOLE,
    ),
    Holding(
        "guest_phone",
        "accounts.Guest",
        "user",
        "phone created_at",
        hidden="user",
        goes=WHOLE,
    ),
    Holding(
        "phones",
        "accounts.PhoneProof",
        "user",
        "phone paid_at received_at",
        hidden="user",
        goes=WHOLE,
    ),
    Holding(
        "sessions",
        "accounts.Session",
        "user",
        "kind started_at last_used_at expires_at ended_at address device",
        hidden="user",
        goes=WHOLE,
    ),
    Holding(
        "wrong_passwords",
        "accounts.PasswordTries",
        "user",
        "failures at until proved_at",
        hidden="key user",
        goes=WHOLE,
    ),
    Holding(
        "tokens",
        "token_blacklist.OutstandingToken",
        "user",
        "created_at expires_at",
        hidden="jti token user",
        goes=WHOLE,
    ),
    Holding(
        "names",
        "accounts.NameClaim",
        "user",
        "skeleton rests_until",
        hidden="user",
        goes="user",
        stays={"reserved for a year against impersonation, then deleted": "skeleton"},
    ),
    Holding(
        "second_factors",
        "mfa.Authenticator",
        "user",
        "type created_at last_used_at",
        hidden="data user",
        goes=WHOLE,
    ),
    Holding("mail_addresses", "account.EmailAddress", "user", "email", hidden="user", goes=WHOLE),
    Holding(
        "accounts_elsewhere",
        "socialaccount.SocialAccount",
        "user",
        "provider uid",
        hidden="extra_data user",
        goes=WHOLE,
    ),
]
