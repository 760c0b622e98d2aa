"""E-mail, and the links and the contact in it."""

from omachemainproj.mail_urls import read_mail_url

from .base import PRODUCTION, env

_mail = env.url(
    "EMAIL_URL",
    read_mail_url,
    default=read_mail_url("smtp://localhost:25" if PRODUCTION else "consolemail://"),
    wrong="must be like smtp+tls://user:password@host:587, with what is special in a password "
    "percent-encoded",
    may_be_empty=False,
)
EMAIL_BACKEND = _mail.backend
EMAIL_HOST = _mail.host
EMAIL_PORT = _mail.port
EMAIL_HOST_USER = _mail.user
EMAIL_HOST_PASSWORD = _mail.password
EMAIL_USE_TLS = _mail.use_tls
EMAIL_USE_SSL = _mail.use_ssl
#: The folder of filemail://, which saves each e-mail as a file.
EMAIL_FILE_PATH = _mail.folder
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", default="O-Mache <hello@omache.example>")
#: The contact for questions, shown in e-mails about orders.
SHOP_CONTACT = env.text("SHOP_CONTACT")
#: The URL of the frontend, ours or another: links in e-mails lead there.
FRONTEND_URL = env.base_url("FRONTEND_URL", default="http://127.0.0.1:8000/shop")
