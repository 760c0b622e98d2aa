"""The account: profile, addresses, phones, sign-ins and sessions."""

from .personal_data import WHOLE, PersonalData

ACCOUNT = [
    PersonalData(
        "person",
        "accounts.User",
        "pk",
        (
            "id username email email_confirmed_at first_name last_name gender phone "
            "avatar date_joined last_login second_factor_at"
        ),
        hidden="password skeleton",
        erased="username email first_name last_name gender phone avatar password skeleton",
    ),
    PersonalData(
        "addresses",
        "accounts.Address",
        "user",
        (
            "label recipient phone county area directions is_default is_collection_place "
            "created_at updated_at"
        ),
        hidden="user",
        erased=WHOLE,
    ),
    PersonalData(
        "messages_wanted",
        "accounts.MessagePreferences",
        "user",
        ("language buying_email buying_sms prompts_email prompts_sms selling_email selling_sms"),
        hidden="user",
        erased=WHOLE,
    ),
    PersonalData(
        "sign_in_phone",
        "accounts.PhoneLogin",
        "user",
        "phone linked_at proved_at",
        hidden="user",
        erased=WHOLE,
    ),
    PersonalData(
        "guest_phone",
        "accounts.Guest",
        "user",
        "phone created_at",
        hidden="user",
        erased=WHOLE,
    ),
    PersonalData(
        "phones",
        "accounts.PhoneProof",
        "user",
        "phone paid_at received_at",
        hidden="user",
        erased=WHOLE,
    ),
    PersonalData(
        "sessions",
        "accounts.Session",
        "user",
        "kind started_at last_used_at expires_at ended_at address device",
        hidden="user",
        erased=WHOLE,
    ),
    PersonalData(
        "wrong_passwords",
        "accounts.PasswordTries",
        "user",
        "failures at until proved_at",
        hidden="key user",
        erased=WHOLE,
    ),
    PersonalData(
        "tokens",
        "token_blacklist.OutstandingToken",
        "user",
        "created_at expires_at",
        hidden="jti token user",
        erased=WHOLE,
    ),
    PersonalData(
        "names",
        "accounts.NameClaim",
        "user",
        "skeleton rests_until",
        hidden="user",
        erased="user",
        retained={"reserved for a year against impersonation, then deleted": "skeleton"},
    ),
    PersonalData(
        "second_factors",
        "mfa.Authenticator",
        "user",
        "type created_at last_used_at",
        hidden="data user",
        erased=WHOLE,
    ),
    PersonalData(
        "mail_addresses", "account.EmailAddress", "user", "email", hidden="user", erased=WHOLE
    ),
    PersonalData(
        "accounts_elsewhere",
        "socialaccount.SocialAccount",
        "user",
        "provider uid",
        hidden="extra_data user",
        erased=WHOLE,
    ),
]
