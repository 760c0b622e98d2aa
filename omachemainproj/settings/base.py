"""Development or production, and what the other settings depend on."""

import hashlib
from pathlib import Path

from omachemainproj.environment import Environment

BASE_DIR = Path(__file__).resolve().parents[2]

env = Environment.of_process(BASE_DIR)

SECRET_KEY = env.secret("DJANGO_SECRET_KEY")
PRODUCTION = bool(SECRET_KEY)
DEBUG = not PRODUCTION
if not PRODUCTION:
    SECRET_KEY = "laptop-only-" + hashlib.sha256(str(BASE_DIR).encode()).hexdigest()
_KEY_BEFORE = env.secret("DJANGO_SECRET_KEY_BEFORE")
#: The previous key, while it is being rotated: its signatures and encryption are still accepted.
SECRET_KEY_FALLBACKS = [_KEY_BEFORE] if _KEY_BEFORE else []

HTTPS = env.switch("HTTPS", default=PRODUCTION)
THROTTLES = env.switch("THROTTLES", default=PRODUCTION)
#: The number of our proxies in front; the client's address is read from the outermost.
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", default=0, most=10)
