"""Every setting of O-Mache, read from the environment: one file a subject, joined here.

Without ``DJANGO_SECRET_KEY`` this is development: debug on, localhost only, SQLite, the simulator
as M-Pesa. With it, this is production. Missing, misspelt or dangerous settings prevent the start,
all reported together, one sentence each (checks/); so do a real shop's settings in development.
``.env.example`` explains each variable; a ``.env`` file beside ``manage.py`` is read.
"""

from .api import *
from .applications import *
from .authentication import *
from .background_tasks import *
from .banks import *
from .base import *
from .base import env
from .cache import *
from .catalogue import *
from .checks import find_problems
from .cors import *
from .database import *
from .email import *
from .localization import *
from .logging import *
from .middleware import *
from .monitoring import *
from .mpesa import *
from .orders import *
from .payouts_and_refunds import *
from .privacy import *
from .security import *
from .sms import *
from .storage import *
from .uploads import *

#: The names of the variables that are set: production requires some, and all are logged at start.
GIVEN_SETTINGS = env.given()

env.refuse_unknown("DARAJA_", "EQUITY_", "AFRICASTALKING_")
for _name, _sentence in find_problems(globals(), env.has_problem):
    env.refuse(_name, _sentence)
env.refuse_problems()
